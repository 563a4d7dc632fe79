//! The table of tasks by name.

use std::collections::HashMap;

use super::{Context, Input};
use crate::error::{Code, Error, Result};
use crate::value::Value;

type Run = Box<dyn Fn(Value, &Context<'_>) -> Result<Value> + Send + Sync>;

/// A native task.
pub struct Task {
    name: &'static str,
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
        Task { name, run: Box::new(run) }
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
}
