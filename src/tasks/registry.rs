//! The table of tasks, by number for the pool and by name for its callers; and the facts about each task.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::OnceLock;

use super::context::Context;
use super::input::Input;
use crate::cancel::CancelToken;
use crate::error::{Code, Error, Result};
use crate::pool::{Execute, Helpers, OutputList};
use crate::sync::Mutex;
use crate::value::{Payload, Value};

/// What a task does, for any type of its input.
pub(crate) trait Run: Send + Sync {
    fn run(&self, input: Value, context: &Context<'_>) -> Result<Value>;

    /// Runs it for numbers one after the other, up to the first failure. A task with a type is compiled for it: its input then is not
    /// made a `Value` and read again, and a tiny task costs a third.
    fn run_numbers(&self, inputs: &[f64], outputs: &mut OutputList, context: &Context<'_>) -> Result<()> {
        for number in inputs {
            context.checkpoint()?;
            outputs.push(self.run(Value::Number(*number), context)?);
        }
        Ok(())
    }
}

/// A task with a typed input.
struct Typed<I, O, F> {
    name: &'static str,
    takes: &'static str,
    function: F,
    types: PhantomData<fn(I) -> O>,
}

impl<I, O, F> Typed<I, O, F>
where
    I: Input,
    O: Into<Value>,
    F: Fn(I, &Context<'_>) -> Result<O>,
{
    #[inline]
    fn run_one(&self, input: Value, context: &Context<'_>) -> Result<Value> {
        let input = I::from_value(input).map_err(|refused| refused.into_error(self.name, self.takes))?;
        (self.function)(input, context).map(Into::into)
    }
}

impl<I, O, F> Run for Typed<I, O, F>
where
    I: Input,
    O: Into<Value>,
    F: Fn(I, &Context<'_>) -> Result<O> + Send + Sync,
{
    fn run(&self, input: Value, context: &Context<'_>) -> Result<Value> {
        self.run_one(input, context)
    }

    fn run_numbers(&self, inputs: &[f64], outputs: &mut OutputList, context: &Context<'_>) -> Result<()> {
        for number in inputs {
            context.checkpoint()?;
            outputs.push(self.run_one(Value::Number(*number), context)?);
        }
        Ok(())
    }
}

/// The facts about a task that a caller must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskFacts {
    /// Its name, as `pool.run` takes it.
    pub name: &'static str,
    /// Its input: completes the sentence "… takes ⟨takes⟩".
    pub takes: &'static str,
    /// Whether it changes shared memory where it is, and returns the memory of its input.
    pub in_place: bool,
    /// Whether several threads can work on it: it takes `parallel`.
    pub parallel: bool,
    /// Whether it wakes threads in a plain `Atomics.wait`, which only a JavaScript thread can wake.
    pub wakes_plain: bool,
}

/// A native task.
pub struct Task {
    facts: TaskFacts,
    run: Box<dyn Run>,
}

impl Task {
    /// A task from a function with a typed input. `takes` completes the sentence "… takes ⟨takes⟩".
    pub fn new<I, O, F>(name: &'static str, takes: &'static str, function: F) -> Self
    where
        I: Input + 'static,
        O: Into<Value> + 'static,
        F: Fn(I, &Context<'_>) -> Result<O> + Send + Sync + 'static,
    {
        let facts = TaskFacts { name, takes, in_place: false, parallel: false, wakes_plain: false };
        Task { facts, run: Box::new(Typed { name, takes, function, types: PhantomData }) }
    }

    /// A task that is known at run time only.
    pub(crate) fn of(facts: TaskFacts, run: Box<dyn Run>) -> Self {
        Task { facts, run }
    }

    /// It changes shared memory where it is, and returns the memory of its input.
    #[must_use]
    pub fn in_place(mut self) -> Self {
        self.facts.in_place = true;
        self
    }

    /// Several threads can work on it, if its input says `parallel`.
    #[must_use]
    pub fn parallel(mut self) -> Self {
        self.facts.parallel = true;
        self
    }

    /// It wakes threads in a plain `Atomics.wait`.
    #[must_use]
    pub fn wakes_plain(mut self) -> Self {
        self.facts.wakes_plain = true;
        self
    }

    /// The facts about it.
    pub fn facts(&self) -> &TaskFacts {
        &self.facts
    }

    /// Runs it on this thread.
    pub fn run(&self, input: Value, context: &Context<'_>) -> Result<Value> {
        self.run.run(input, context)
    }
}

/// Tasks in the first block of the table; each further block is twice as large as the one before.
const FIRST_BLOCK: usize = 32;
/// Blocks: enough for two million tasks.
const BLOCKS: usize = 16;

type Block = Box<[OnceLock<Task>]>;

/// All tasks a pool can run; a number names a task in hot paths.
///
/// Tasks are only ever added, also while pools run them, and never move: a thread that runs a task reads its slot without
/// a lock, and keeps it as long as it has the table.
pub struct Registry {
    blocks: [OnceLock<Block>; BLOCKS],
    names: Mutex<Names>,
}

/// Which numbers are given. Its lock is also that of adding.
#[derive(Default)]
struct Names {
    /// The number of each name of a built-in task. Those of packs are names in the pools that use the pack.
    numbers: HashMap<&'static str, usize>,
    /// The next number.
    next: usize,
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Registry {
    /// An empty table.
    pub fn new() -> Self {
        Registry { blocks: [const { OnceLock::new() }; BLOCKS], names: Mutex::new(Default::default()) }
    }

    /// Adds a task; the name must be new. Its number.
    pub fn add(&self, task: Task) -> Result<usize> {
        let mut names = self.names.lock();
        let name = task.facts.name;
        if names.numbers.contains_key(name) {
            return Err(Error::new(
                Code::InvalidArgValue,
                format!("a task named '{name}' is already registered"),
            ));
        }
        let number = self.put(&mut names, vec![task])?.start;
        names.numbers.insert(name, number);
        Ok(number)
    }

    /// Adds the tasks of a pack, all or none. Their names are no names here: two packs may have one. Their numbers.
    pub fn add_pack(&self, tasks: Vec<Task>) -> Result<Range<usize>> {
        self.put(&mut self.names.lock(), tasks)
    }

    fn put(&self, names: &mut Names, tasks: Vec<Task>) -> Result<Range<usize>> {
        let numbers = names.next..names.next + tasks.len();
        if locate(numbers.end).0 >= BLOCKS {
            return Err(Error::new(Code::InvalidArgValue, "no more tasks can be registered"));
        }
        for (number, task) in numbers.clone().zip(tasks) {
            let (block, at) = locate(number);
            // The slot is vacant: numbers are assigned once, under the lock.
            let _ = self.blocks[block].get_or_init(|| empty_block(block))[at].set(task);
        }
        names.next = numbers.end;
        Ok(numbers)
    }

    /// The task of a number.
    pub fn at(&self, number: usize) -> Option<&Task> {
        let (block, at) = locate(number);
        self.blocks.get(block)?.get()?.get(at)?.get()
    }

    /// The number of a built-in task.
    pub fn number_of(&self, name: &str) -> Option<usize> {
        self.names.lock().numbers.get(name).copied()
    }

    /// How many tasks of [`Registry::tasks`] have names here: they come first, since packs are loaded later.
    pub fn named(&self) -> usize {
        self.names.lock().numbers.len()
    }

    /// All tasks, by number.
    pub fn tasks(&self) -> impl Iterator<Item = &Task> {
        (0..).map_while(|number| self.at(number))
    }
}

impl Registry {
    /// The task of a number that a pool was given.
    fn numbered(&self, task: usize) -> Result<&Task> {
        self.at(task).ok_or_else(|| {
            Error::new(Code::Internal, "a task number outside the registry; please report this")
        })
    }
}

/// The block of a number, and its slot there.
fn locate(number: usize) -> (usize, usize) {
    let nth = number / FIRST_BLOCK + 1;
    let block = nth.ilog2() as usize;
    (block, number - FIRST_BLOCK * ((1 << block) - 1))
}

fn empty_block(block: usize) -> Block {
    (0..FIRST_BLOCK << block).map(|_| OnceLock::new()).collect()
}

impl Execute for Registry {
    fn execute(
        &self,
        task: usize,
        input: Payload,
        token: &CancelToken,
        helpers: &dyn Helpers,
    ) -> Result<Value> {
        self.numbered(task)?.run(input.into_value()?, &Context::with_helpers(token, helpers))
    }

    fn execute_numbers(
        &self,
        task: usize,
        inputs: &[f64],
        outputs: &mut OutputList,
        token: &CancelToken,
        helpers: &dyn Helpers,
    ) -> Result<()> {
        let context = Context::with_helpers(token, helpers);
        self.numbered(task)?.run.run_numbers(inputs, outputs, &context)
    }

    fn name(&self, task: usize) -> &str {
        self.at(task).map_or("", |task| task.facts.name)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::cancel::Reason;
    use crate::pool::PartWork;
    use crate::value::Text;
    use std::sync::Arc;

    fn task(name: &'static str) -> Task {
        Task::new(name, "a number", move |number: f64, _: &_| Ok(number))
    }

    #[test]
    fn slots_follow_each_other_through_the_blocks() {
        let places: Vec<(usize, usize)> = [0, 31, 32, 95, 96, 223, 224].map(locate).to_vec();
        assert_eq!(places, [(0, 0), (0, 31), (1, 0), (1, 63), (2, 0), (2, 127), (3, 0)]);
    }

    #[test]
    fn a_name_is_given_once() {
        let registry = Registry::new();
        assert_eq!(registry.add(task("one")), Ok(0));
        assert_eq!(registry.add(task("one")).unwrap_err().code(), Code::InvalidArgValue);
        assert_eq!(registry.add(task("two")), Ok(1));
        assert_eq!((registry.number_of("two"), registry.number_of("three")), (Some(1), None));
        assert_eq!(registry.tasks().map(|task| task.facts().name).collect::<Vec<_>>(), ["one", "two"]);
        assert!(registry.at(2).is_none());
    }

    #[test]
    fn numbers_run_one_after_the_other_up_to_the_first_that_fails() {
        struct Alone;
        impl Helpers for Alone {
            fn max_threads(&self) -> usize {
                1
            }

            fn parallel_for(&self, _: usize, _: PartWork, _: &CancelToken) -> Result<()> {
                unreachable!("this task needs no helpers")
            }
        }
        let registry = Registry::new();
        let root = Task::new("root", "a number from 0 on", |n: f64, context: &Context<'_>| {
            if n == 9.0 {
                context.cancel_token().cancel(Reason::Cancelled);
            }
            if n < 0.0 { Err(Error::new(Code::OutOfRange, "below zero")) } else { Ok(n.sqrt()) }
        });
        let number = registry.add(root).expect("the first");
        let text =
            registry.add(Task::new("text", "a text", |text: Text, _: &_| Ok(text.to_str().len() as f64)));
        let text = text.expect("the second");
        let run = |task, inputs: &[f64]| {
            let (mut outputs, token) = (OutputList::default(), CancelToken::new(None));
            let outcome = registry.execute_numbers(task, inputs, &mut outputs, &token, &Alone);
            (outputs.into_values(), outcome.map_err(|error| error.code()))
        };
        let numbers = |list: &[f64]| list.iter().copied().map(Value::Number).collect::<Vec<_>>();
        assert_eq!(run(number, &[4.0, 16.0]), (numbers(&[2.0, 4.0]), Ok(())));
        assert_eq!(run(number, &[4.0, -1.0, 16.0]), (numbers(&[2.0]), Err(Code::OutOfRange)));
        assert_eq!(run(number, &[9.0, 16.0]), (numbers(&[3.0]), Err(Code::TaskCancelled)));
        assert_eq!(run(text, &[4.0]), (vec![], Err(Code::InvalidInput)));
        assert_eq!(run(99, &[4.0]), (vec![], Err(Code::Internal)));
    }

    #[test]
    fn tasks_are_added_while_others_are_read() {
        let registry = Arc::new(Registry::new());
        let names: Vec<&'static str> = (0..300).map(|n| &*format!("task{n}").leak()).collect();
        std::thread::scope(|scope| {
            let (adds, all) = (registry.clone(), names.clone());
            scope.spawn(move || all.into_iter().for_each(|name| assert!(adds.add(task(name)).is_ok())));
            while registry.tasks().count() < names.len() {
                for (number, task) in registry.tasks().enumerate() {
                    assert_eq!(task.facts().name, names[number]);
                }
            }
        });
        assert_eq!(registry.number_of("task299"), Some(299));
    }
}
