//! The names of a script's functions, by number: jobs name a function by its number.

use std::collections::HashMap;

pub(super) struct FunctionNames {
    names: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl FunctionNames {
    /// The number 0 is that of the function that handles a task which names none.
    pub(super) fn new() -> Self {
        FunctionNames { names: vec![String::new()], numbers: HashMap::from([(String::new(), 0)]) }
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
}
