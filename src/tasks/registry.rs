//! The table of tasks by name.

use std::collections::HashMap;

use super::{Context, Input};
use crate::error::{Code, Error, Result};
use crate::value::Value;

type Run = Box<dyn Fn(Value, &Context<'_>) -> Result<Value> + Send + Sync>;

/// What JavaScript must know of a task before it submits it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// It changes its input's memory where it is, and gives it back.
    pub in_place: bool,
    /// Several threads can work on it.
    pub parallel: bool,
    /// It wakes those who wait by plain `Atomics.wait`, whom only a JavaScript thread can wake.
    pub wakes_plain: bool,
}

/// A native task.
pub struct Task {
    name: &'static str,
    facts: Facts,
    run: Run,
}

impl Task {
    /// A task from a function with a typed input. `takes` completes the sentence "… takes ⟨takes⟩".
    pub fn new<I, O, F>(name: &'static str, takes: &'static str, function: F) -> Self
    where
        I: Input,
        O: Into<Value>,
        F: Fn(I, &Context<'_>) -> Result<O> + Send + Sync + 'static,
    {
        let run = move |value: Value, context: &Context<'_>| {
            let input = I::from_value(value).map_err(|refused| refused.into_error(name, takes))?;
            function(input, context).map(Into::into)
        };
        Task { name, facts: Facts::default(), run: Box::new(run) }
    }

    /// The same task, which changes its input's memory where it is.
    #[must_use]
    pub fn in_place(mut self) -> Self {
        self.facts.in_place = true;
        self
    }

    /// The same task, on which several threads can work.
    #[must_use]
    pub fn parallel(mut self) -> Self {
        self.facts.parallel = true;
        self
    }

    /// The same task, which wakes those who wait by plain `Atomics.wait`.
    #[must_use]
    pub fn wakes_plain(mut self) -> Self {
        self.facts.wakes_plain = true;
        self
    }

    /// What JavaScript must know of it.
    pub fn facts(&self) -> Facts {
        self.facts
    }

    /// Its name, as `pool.run` takes it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Runs it on this thread.
    pub fn run(&self, input: Value, context: &Context<'_>) -> Result<Value> {
        (self.run)(input, context)
    }
}

/// All tasks a pool can run; an index into it names a task in hot paths.
#[derive(Default)]
pub struct Registry {
    tasks: Vec<Task>,
    names: HashMap<&'static str, usize>,
}

impl Registry {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a task; the name must be new.
    pub fn add(&mut self, task: Task) -> Result<usize> {
        let index = self.tasks.len();
        if self.names.insert(task.name, index).is_some() {
            return Err(Error::new(
                Code::InvalidArgValue,
                format!("a task named '{}' is already registered", task.name),
            ));
        }
        self.tasks.push(task);
        Ok(index)
    }

    /// The task at an index.
    pub fn at(&self, index: usize) -> Option<&Task> {
        self.tasks.get(index)
    }

    /// The index of a name.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    /// All names, in order of registration.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.tasks.iter().map(Task::name)
    }

    /// All tasks, in order of registration.
    pub fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.tasks.iter()
    }
}
