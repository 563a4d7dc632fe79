//! What the host does for a running task.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rust_workers_abi::{FOREVER, outcome, stop};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::arrays::Block;
use crate::element::Element;
use crate::error::Error;
use crate::raw::{Allocated, Call, outcome_of};
use crate::value::Value;
use crate::{de, panic, ser};

/// Why a task should stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// Its signal was aborted, or it was cancelled in another way.
    Cancelled,
    /// Its time is up.
    Timeout,
    /// The pool is being destroyed.
    Closing,
}

fn reason_of(call: Call<'_>) -> Option<StopReason> {
    match call.stop_reason() {
        stop::RUN_ON => None,
        stop::TIMEOUT => Some(StopReason::Timeout),
        stop::CLOSING => Some(StopReason::Closing),
        _ => Some(StopReason::Cancelled),
    }
}

fn check(call: Call<'_>) -> Result<(), Error> {
    if call.stop_reason() == stop::RUN_ON { Ok(()) } else { Err(Error::stopped()) }
}

fn sleep(call: Call<'_>, time: Duration) -> Result<(), Error> {
    match call.sleep(nanoseconds(time)) {
        outcome::OK => Ok(()),
        _ => Err(Error::stopped()),
    }
}

pub(crate) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).map_or(FOREVER - 1, |time| time.min(FOREVER - 1))
}

/// What the host does for a running task. A task takes it as its last parameter, `context: &Context`, if it wants it.
pub struct Context<'c> {
    call: Call<'c>,
    allocated: Allocated,
}

impl<'c> Context<'c> {
    pub(crate) fn new(call: Call<'c>) -> Self {
        Context { call, allocated: Allocated::default() }
    }

    pub(crate) fn call(&self) -> Call<'c> {
        self.call
    }

    pub(crate) fn allocated(&self) -> &Allocated {
        &self.allocated
    }

    /// An error as soon as the task should stop, to be returned by `?`. It takes some nanoseconds: ask at least once in a
    /// millisecond of work.
    pub fn check(&self) -> Result<(), Error> {
        check(self.call)
    }

    /// Why the task should stop, or `None`.
    pub fn stop_reason(&self) -> Option<StopReason> {
        reason_of(self.call)
    }

    /// Sleeps; an error as soon as the task should stop.
    pub fn sleep(&self, time: Duration) -> Result<(), Error> {
        sleep(self.call, time)
    }

    /// Tells `onProgress` of the caller, in order. Reports are copied; if nobody listens, they are dropped.
    pub fn progress<T: Serialize + ?Sized>(&self, report: &T) -> Result<(), Error> {
        let (wire, _) = ser::to_wire(report, None).map_err(|fault| fault.of("report"))?;
        match self.call.progress(&wire) {
            outcome::OK => Ok(()),
            outcome::STOPPED => Err(Error::stopped()),
            _ => Err(Error::new("the host has refused the report")),
        }
    }

    /// How many threads may work on [`parallel_for`](Self::parallel_for) at the most, this one included.
    pub fn threads(&self) -> usize {
        self.call.threads().max(1)
    }

    /// Memory of the host's for a result: `len` zero elements. Returned from the task, it becomes the typed array without a copy.
    pub fn alloc<T: Element>(&self, len: usize) -> Result<Block<'_, T>, Error> {
        let too_long =
            || Error::new(format_args!("there is no memory for {len} elements")).with_name("RangeError");
        let bytes = len.checked_mul(size_of::<T>()).filter(|&bytes| isize::try_from(bytes).is_ok());
        let memory = self.allocated.alloc(self.call, bytes.ok_or_else(too_long)?)?;
        Ok(Block::new(memory))
    }

    /// Does `work` for each index below `count`, on this thread and on free threads of the pool, and returns when all are done. `work`
    /// may borrow what stands around it. The first error, or panic, is returned; parts that have not begun by then are left out.
    ///
    /// ```
    /// # use rust_workers_task::{Context, Error};
    /// # use std::sync::atomic::{AtomicU64, Ordering};
    /// fn sum(rows: &[Vec<u64>], context: &Context) -> Result<u64, Error> {
    ///     let total = AtomicU64::new(0);
    ///     context.parallel_for(rows.len(), |index, part| {
    ///         part.check()?;
    ///         total.fetch_add(rows[index].iter().sum(), Ordering::Relaxed);
    ///         Ok(())
    ///     })?;
    ///     Ok(total.into_inner())
    /// }
    /// # rust_workers_task::testing::with_context(|context| {
    /// #     assert_eq!(sum(&[vec![1, 2], vec![3]], context).unwrap(), 6);
    /// # });
    /// ```
    pub fn parallel_for<F>(&self, count: usize, work: F) -> Result<(), Error>
    where
        F: Fn(usize, &PartContext<'_>) -> Result<(), Error> + Sync,
    {
        let first = Mutex::new(None);
        let failed = AtomicBool::new(false);
        let outcome = self.call.parallel_for(count, &|index, call| {
            if failed.load(Ordering::Relaxed) {
                return outcome::OK;
            }
            let done = panic::guard(|| work(index, &PartContext { call }));
            let Err(error) = done.and_then(|inner| inner) else { return outcome::OK };
            failed.store(true, Ordering::Relaxed);
            let outcome = outcome_of(&error);
            call.set_error(&error);
            first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            outcome
        });
        match (first.into_inner().unwrap_or_else(PoisonError::into_inner), outcome) {
            (Some(error), _) => Err(error),
            (None, outcome::OK) => Ok(()),
            (None, outcome::STOPPED) => Err(Error::stopped()),
            (None, other) => Err(Error::new(format_args!("the host has answered parallel_for with {other}"))),
        }
    }

    /// Divides `data` into chunks of `size` elements, the last of which may be shorter, and does `work` for each, as
    /// [`parallel_for`](Self::parallel_for) does. `work` gets the number of its chunk, and the chunk.
    ///
    /// # Panics
    /// If `size` is 0.
    pub fn parallel_chunks<T: Send, F>(&self, data: &mut [T], size: usize, work: F) -> Result<(), Error>
    where
        F: Fn(usize, &mut [T], &PartContext<'_>) -> Result<(), Error> + Sync,
    {
        let chunks: Vec<Mutex<&mut [T]>> = data.chunks_mut(size).map(Mutex::new).collect();
        self.parallel_for(chunks.len(), |index, part| {
            // Nobody else has it: each index is done once.
            let mut chunk = chunks[index].lock().unwrap_or_else(PoisonError::into_inner);
            work(index, &mut chunk, part)
        })
    }

    /// Calls the function `name` of the pool's script with `input`, and waits for what it returns. What it throws becomes an error
    /// with its name, code and message. An error too if the pool has no script, or the script no such function.
    pub fn call_js<T: DeserializeOwned>(
        &self,
        name: &str,
        input: &(impl Serialize + ?Sized),
    ) -> Result<T, Error> {
        let (wire, _) = ser::to_wire(input, None).map_err(|fault| fault.of("argument"))?;
        match self.call.call_js(name, &wire)? {
            Ok(answer) => de::from_input(&answer.input()).map_err(|fault| fault.of("answer")),
            Err(thrown) => match de::from_input::<Value>(&thrown.input()) {
                Ok(thrown) => Err(thrown.into_error()),
                Err(fault) => Err(fault.of("thrown")),
            },
        }
    }
}

/// What the host does for a part of [`Context::parallel_for`].
pub struct PartContext<'c> {
    call: Call<'c>,
}

impl PartContext<'_> {
    /// An error as soon as the task should stop.
    pub fn check(&self) -> Result<(), Error> {
        check(self.call)
    }

    /// Why the task should stop, or `None`.
    pub fn stop_reason(&self) -> Option<StopReason> {
        reason_of(self.call)
    }

    /// Sleeps; an error as soon as the task should stop.
    pub fn sleep(&self, time: Duration) -> Result<(), Error> {
        sleep(self.call, time)
    }
}
