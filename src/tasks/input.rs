//! Typed inputs: how a task says what it takes, and refuses the rest.

use std::fmt;

use crate::error::{Code, Error};
use crate::value::{Bytes, Text, Value};

/// Why an input was refused, before the task's name is put in front.
#[derive(Debug)]
pub struct Refused {
    code: Code,
    got: String,
}

impl Refused {
    /// The input has a type the task does not take.
    pub fn wrong_type(value: &Value) -> Self {
        Refused { code: Code::InvalidInput, got: value.describe().to_owned() }
    }

    /// The input has the right type and lies outside the range.
    pub fn out_of_range(got: impl fmt::Display) -> Self {
        Refused { code: Code::OutOfRange, got: got.to_string() }
    }

    /// The error, naming the task and what it takes.
    pub fn into_error(self, task: &str, takes: &str) -> Error {
        Error::new(self.code, format!("task '{task}' takes {takes}; got {}", self.got))
    }
}

/// What [`Input::from_value`] returns.
pub type InputResult<T> = Result<T, Refused>;

/// A type a task can take.
pub trait Input: Sized {
    /// Reads the value, or says why not.
    fn from_value(value: Value) -> InputResult<Self>;
}

impl Input for Value {
    fn from_value(value: Value) -> InputResult<Self> {
        Ok(value)
    }
}

impl Input for Bytes {
    fn from_value(value: Value) -> InputResult<Self> {
        match value {
            Value::Bytes(bytes) => Ok(bytes),
            other => Err(Refused::wrong_type(&other)),
        }
    }
}

impl Input for Text {
    fn from_value(value: Value) -> InputResult<Self> {
        match value {
            Value::Text(text) => Ok(text),
            other => Err(Refused::wrong_type(&other)),
        }
    }
}

/// An integer from 0 to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole<const MAX: u64>(pub u64);

impl<const MAX: u64> Input for Whole<MAX> {
    fn from_value(value: Value) -> InputResult<Self> {
        match value {
            #[allow(clippy::cast_precision_loss)]
            Value::Number(n) if n.fract() == 0.0 && n >= 0.0 && n <= MAX as f64 => Ok(Whole(n as u64)),
            Value::Number(n) => Err(Refused::out_of_range(n)),
            other => Err(Refused::wrong_type(&other)),
        }
    }
}
