//! Runs tasks without Node.js, for tests: what the pool does for a task is done here, on the thread of the test.
//!
//! ```
//! use rust_workers_task::{Context, Error, task, testing};
//!
//! #[task]
//! fn countdown(from: u32, context: &Context) -> Result<&'static str, Error> {
//!     for left in (0..from).rev() {
//!         context.check()?;
//!         context.progress(&left)?;
//!     }
//!     Ok("done")
//! }
//!
//! assert_eq!(testing::task("countdown").input(&2).run::<String>().unwrap(), "done");
//!
//! let mut reports = Vec::new();
//! let stop = testing::Stop::new();
//! let result = testing::task("countdown")
//!     .input(&10)
//!     .stop(&stop)
//!     .on_progress(|report| {
//!         reports.push(report.as_f64());
//!         stop.cancel();
//!     })
//!     .run::<String>();
//! assert!(result.unwrap_err().is_stopped());
//! assert_eq!(reports, [Some(9.0)]);
//! ```

mod channel;
mod host;
mod memory;
mod stop;

use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::arrays::Array;
use crate::context::Context;
use crate::element::Element;
use crate::error::Error;
use crate::registry::{self, Registration};
use crate::ser;
use crate::value::Value;
pub use channel::{End, channel};
use host::Done;
use memory::Parts;
pub use memory::SharedMemory;
pub use stop::Stop;

/// A task of this library, by its name, to be given an input and run.
///
/// # Panics
/// If there is no such task.
pub fn task<'a>(name: &str) -> Run<'a> {
    let tasks = registry::tasks();
    let Some(found) = tasks.iter().find(|task| task.name == name) else {
        let names: Vec<_> = tasks.iter().map(|task| task.name).collect();
        panic!("there is no task '{name}'; there are: {}", names.join(", "));
    };
    Run::new(found)
}

/// The names of all tasks of this library.
pub fn names() -> Vec<&'static str> {
    registry::tasks().iter().map(|task| task.name).collect()
}

/// Calls a function with a context, as of a task that is running: for tests that call a task, or what it is made of, as a function.
///
/// ```
/// use rust_workers_task::{Context, Error, testing};
///
/// fn double(number: f64, context: &Context) -> Result<f64, Error> {
///     context.check()?;
///     Ok(number * 2.0)
/// }
/// assert_eq!(testing::with_context(|context| double(4.0, context)).unwrap(), 8.0);
/// ```
pub fn with_context<R>(work: impl FnOnce(&Context<'_>) -> R) -> R {
    host::with_context(work)
}

type OnProgress<'a> = Box<dyn FnMut(Value) + 'a>;
type OnCall<'a> = Box<dyn FnMut(&str, Value) -> Result<Value, Error> + 'a>;

/// A run of a task that is about to begin.
pub struct Run<'a> {
    task: &'static Registration,
    input: (Vec<u8>, Parts),
    settings: Settings<'a>,
}

/// What the pool would know of a run.
pub(crate) struct Settings<'a> {
    threads: usize,
    deadline: Option<Instant>,
    stop: Stop,
    on_progress: Option<OnProgress<'a>>,
    on_call: Option<OnCall<'a>>,
}

impl Settings<'_> {
    fn new() -> Self {
        Settings { threads: 1, deadline: None, stop: Stop::new(), on_progress: None, on_call: None }
    }
}

impl<'a> Run<'a> {
    fn new(task: &'static Registration) -> Self {
        let parts = Parts::default();
        let (wire, _) = ser::to_wire(&Value::Undefined, Some(&parts)).expect("undefined has a wire form");
        Run { task, input: (wire, parts), settings: Settings::new() }
    }

    /// Its input; without it, `undefined`. [`Array`] is a typed array, [`SharedMemory`] shared memory, [`End`] a port.
    ///
    /// # Panics
    /// If it has no wire form, like a `u64` of more than 53 bits.
    #[must_use]
    pub fn input<T: Serialize + ?Sized>(mut self, input: &T) -> Self {
        let parts = Parts::default();
        match ser::to_wire(input, Some(&parts)) {
            Ok((wire, _)) => self.input = (wire, parts),
            Err(fault) => panic!("{}", fault.shown("input")),
        }
        self
    }

    /// A typed array as its input: `array(vec![1.5, 2.5])` is a `Float64Array`.
    #[must_use]
    pub fn array<T: Element>(self, elements: impl Into<Vec<T>>) -> Self {
        self.input(&Array(elements.into()))
    }

    /// How many threads `parallel_for` may use. Default: 1.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.settings.threads = threads.max(1);
        self
    }

    /// How long it may take, from now on.
    #[must_use]
    pub fn timeout(mut self, time: Duration) -> Self {
        self.settings.deadline = Instant::now().checked_add(time);
        self
    }

    /// What may stop it.
    #[must_use]
    pub fn stop(mut self, stop: &Stop) -> Self {
        self.settings.stop = stop.clone();
        self
    }

    /// Called with each report.
    #[must_use]
    pub fn on_progress(mut self, listener: impl FnMut(Value) + 'a) -> Self {
        self.settings.on_progress = Some(Box::new(listener));
        self
    }

    /// Answers what the task calls by `call_js`: given the function's name and its argument. Without it there is no script.
    #[must_use]
    pub fn on_call(mut self, script: impl FnMut(&str, Value) -> Result<Value, Error> + 'a) -> Self {
        self.settings.on_call = Some(Box::new(script));
        self
    }

    /// Runs it here, and reads its result as `T` (`Value` takes any).
    pub fn run<T: DeserializeOwned>(self) -> Result<T, Error> {
        self.finish()?.read()
    }

    /// Runs it; whether its result is the memory of its input, given back without a copy.
    pub fn returns_its_input(self) -> Result<bool, Error> {
        Ok(self.finish()?.is_of_input)
    }

    fn finish(self) -> Result<Done, Error> {
        host::run(self.task, &self.input.0, self.input.1, self.settings)
    }
}
