//! The names of a script's functions, by number: jobs name a function by its number. And the sources of functions that are in
//! no script, which the owner sends: a worker reads a source when it first has a job of it.

use std::collections::HashMap;

pub(super) struct FunctionNames {
    names: Vec<String>,
    numbers: HashMap<String, usize>,
    sources: HashMap<u64, String>,
}

impl FunctionNames {
    /// The number 0 is that of the function that handles a task which names none.
    pub(super) fn new() -> Self {
        FunctionNames {
            names: vec![String::new()],
            numbers: HashMap::from([(String::new(), 0)]),
            sources: HashMap::new(),
        }
    }

    /// The number of a name, given now if it has none.
    pub(super) fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len();
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    pub(super) fn name(&self, number: usize) -> Option<&str> {
        self.names.get(number).map(String::as_str)
    }

    /// Keeps a source under a number that was not used before.
    pub(super) fn keep_source(&mut self, number: u64, source: String) {
        self.sources.insert(number, source);
    }

    pub(super) fn drop_source(&mut self, number: u64) {
        self.sources.remove(&number);
    }

    pub(super) fn source(&self, number: u64) -> Option<&str> {
        self.sources.get(&number).map(String::as_str)
    }
}
