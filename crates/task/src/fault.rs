//! What is wrong with a value on its way to or from serde, and where in the value.

use std::fmt;

use serde::de::{Expected, Unexpected};

use crate::error::Error;

/// A step into a value.
#[derive(Debug)]
enum Step {
    Key(String),
    Index(usize),
}

/// What is wrong, and the way to it, the last step first.
#[derive(Debug)]
pub(crate) struct Fault(Box<Inner>);

#[derive(Debug)]
struct Inner {
    message: String,
    steps: Vec<Step>,
}

impl Fault {
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        Fault(Box::new(Inner { message: message.to_string(), steps: Vec::new() }))
    }

    pub(crate) fn at_index(mut self, index: usize) -> Self {
        self.0.steps.push(Step::Index(index));
        self
    }

    pub(crate) fn at_key(mut self, key: &str) -> Self {
        self.0.steps.push(Step::Key(key.to_owned()));
        self
    }

    /// `input.points[3].x: a string, expected f64`.
    pub(crate) fn shown(&self, root: &str) -> String {
        let mut text = root.to_owned();
        for step in self.0.steps.iter().rev() {
            match step {
                Step::Index(index) => text.push_str(&format!("[{index}]")),
                Step::Key(key) if is_identifier(key) => {
                    text.push('.');
                    text.push_str(key);
                }
                Step::Key(key) => text.push_str(&format!("[{key:?}]")),
            }
        }
        format!("{text}: {}", self.0.message)
    }

    pub(crate) fn of_input(self) -> Error {
        Error::invalid_input(self.shown("input"))
    }

    /// Of a result, a report or a message.
    pub(crate) fn of(self, root: &str) -> Error {
        Error::new(self.shown(root))
    }
}

fn is_identifier(key: &str) -> bool {
    let mut letters = key.chars();
    letters.next().is_some_and(|first| first.is_alphabetic() || first == '_' || first == '$')
        && letters.all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '$')
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown("value"))
    }
}

impl std::error::Error for Fault {}

impl serde::ser::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Fault::new(message)
    }
}

impl serde::de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Fault::new(message)
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Fault::new(format_args!("{}, expected {expected}", described(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }
}

/// What JavaScript calls it.
fn described(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("{value}"),
        Unexpected::Unsigned(value) => format!("the number {value}"),
        Unexpected::Signed(value) => format!("the number {value}"),
        Unexpected::Float(value) => format!("the number {value}"),
        Unexpected::Char(_) => "a string".to_owned(),
        Unexpected::Str(text) if text.chars().count() <= 40 => format!("the string {text:?}"),
        Unexpected::Str(_) => "a string".to_owned(),
        Unexpected::Bytes(_) => "bytes".to_owned(),
        Unexpected::Unit => "undefined".to_owned(),
        Unexpected::Option => "null".to_owned(),
        Unexpected::Seq => "an array".to_owned(),
        Unexpected::Map => "an object".to_owned(),
        Unexpected::Enum
        | Unexpected::NewtypeVariant
        | Unexpected::TupleVariant
        | Unexpected::StructVariant => "an object".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_way() {
        let fault = Fault::new("a string").at_key("x").at_index(3).at_key("points");
        assert_eq!(fault.shown("input"), "input.points[3].x: a string");
        assert_eq!(Fault::new("no").at_key("a b").shown("input"), "input[\"a b\"]: no");
    }
}
