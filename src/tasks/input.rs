//! Typed inputs: how a task declares its input, and refuses others.
//!
//! A task that takes options reads them through [`Options`]:
//!
//! ```ignore
//! Options::read(value, |options| {
//!     let limit: Whole<1_000> = options.required("limit")?;
//!     let list = options.optional("list")?.unwrap_or(false);
//!     Ok(Wanted { limit, list })
//! })
//! ```

use std::fmt;

use crate::error::{Code, Error};
use crate::value::{Bytes, PortValue, Text, Value};

/// Why an input was refused, before the task's name is put in front.
#[derive(Debug)]
pub struct InputError {
    code: Code,
    got: String,
}

impl InputError {
    /// The input has a type the task does not take.
    pub fn wrong_type(value: &Value) -> Self {
        InputError { code: Code::InvalidInput, got: value.describe().to_owned() }
    }

    /// The input has the right type and lies outside the range.
    pub fn out_of_range(got: impl fmt::Display) -> Self {
        InputError { code: Code::OutOfRange, got: got.to_string() }
    }

    /// The input has the right type and is none of the values the task knows.
    pub fn unknown_value(got: &str) -> Self {
        InputError { code: Code::InvalidInput, got: format!("'{got}'") }
    }

    /// An option that the task does not have.
    fn unknown_option(key: &str) -> Self {
        let shown: String = key.chars().take(40).collect();
        InputError { code: Code::InvalidInput, got: format!("the unknown option '{shown}'") }
    }

    /// The input is of a kind the task does not take, in these words.
    pub fn wrong_kind(got: impl Into<String>) -> Self {
        InputError { code: Code::InvalidInput, got: got.into() }
    }

    /// The same refusal, naming the option it was about.
    #[must_use]
    pub fn of_option(mut self, key: &str) -> Self {
        self.got = format!("{} for option '{key}'", self.got);
        self
    }

    /// The error, with the task's name and the description of its input.
    pub fn into_error(self, task: &str, takes: &str) -> Error {
        Error::new(self.code, format!("task '{task}' takes {takes}; got {}", self.got))
    }
}

/// The result of [`Input::from_value`].
pub type InputResult<T> = Result<T, InputError>;

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
            other => Err(InputError::wrong_type(&other)),
        }
    }
}

impl Input for Text {
    fn from_value(value: Value) -> InputResult<Self> {
        match value {
            Value::Text(text) => Ok(text),
            other => Err(InputError::wrong_type(&other)),
        }
    }
}

impl Input for PortValue {
    fn from_value(value: Value) -> InputResult<Self> {
        match value {
            Value::Port(port) => Ok(port),
            other => Err(InputError::wrong_type(&other)),
        }
    }
}

impl Input for bool {
    fn from_value(value: Value) -> InputResult<Self> {
        match value {
            Value::Bool(flag) => Ok(flag),
            other => Err(InputError::wrong_type(&other)),
        }
    }
}

/// Any number, NaN and the infinities too.
impl Input for f64 {
    fn from_value(value: Value) -> InputResult<Self> {
        match value {
            Value::Number(n) => Ok(n),
            other => Err(InputError::wrong_type(&other)),
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
            Value::Number(n) => Err(InputError::out_of_range(n)),
            other => Err(InputError::wrong_type(&other)),
        }
    }
}

/// A plain object whose keys are read one at a time.
pub struct Options(Vec<(Text, Value)>);

impl Options {
    /// Reads the options in a value with `read`. A key that it does not ask for is refused: most often it is a known
    /// one, misspelt.
    pub fn read<T>(value: Value, read: impl FnOnce(&mut Self) -> InputResult<T>) -> InputResult<T> {
        let mut options = Options::from_value(value)?;
        let all = read(&mut options)?;
        // One that is undefined is missing, as it is in JavaScript.
        match options.0.iter().find(|(_, value)| !matches!(value, Value::Undefined)) {
            Some((key, _)) => Err(InputError::unknown_option(&key.to_str())),
            None => Ok(all),
        }
    }

    /// These are known, and not of use with the others that are given.
    pub fn ignore(&mut self, keys: &[&str]) {
        for key in keys {
            self.take(key);
        }
    }

    /// The value of a key, which must be there.
    pub fn required<T: Input>(&mut self, key: &str) -> InputResult<T> {
        // A missing key reads as undefined, as it does in JavaScript.
        let value = self.take(key).unwrap_or(Value::Undefined);
        T::from_value(value).map_err(|refused| refused.of_option(key))
    }

    /// The value of a key, or `None` where it is missing or undefined.
    pub fn optional<T: Input>(&mut self, key: &str) -> InputResult<Option<T>> {
        match self.take(key) {
            None | Some(Value::Undefined) => Ok(None),
            Some(value) => T::from_value(value).map(Some).map_err(|refused| refused.of_option(key)),
        }
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        let at = self.0.iter().position(|(name, _)| *name == *key)?;
        Some(self.0.swap_remove(at).1)
    }
}

impl Input for Options {
    fn from_value(value: Value) -> InputResult<Self> {
        match value {
            Value::Object(entries) => Ok(Options(entries)),
            other => Err(InputError::wrong_type(&other)),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn options(entries: Vec<(&str, Value)>) -> Options {
        let entries = entries.into_iter().map(|(key, value)| (Text::from(key), value)).collect();
        Options::from_value(Value::Object(entries)).unwrap()
    }

    #[test]
    fn options_are_read_by_key_and_type() {
        let mut all = options(vec![("n", Value::Number(7.0)), ("list", Value::Bool(true))]);
        assert_eq!(all.required::<Whole<10>>("n").unwrap(), Whole(7));
        assert_eq!(all.optional::<bool>("list").unwrap(), Some(true));
        assert_eq!(all.optional::<bool>("absent").unwrap(), None);
    }

    #[test]
    fn undefined_is_a_missing_option_and_null_is_not() {
        let mut all = options(vec![("a", Value::Undefined), ("b", Value::Null)]);
        assert_eq!(all.optional::<bool>("a").unwrap(), None);
        let error = all.optional::<bool>("b").unwrap_err().into_error("t", "x");
        assert_eq!(error.message(), "task 't' takes x; got null for option 'b'");
    }

    #[test]
    fn a_missing_required_option_is_named() {
        let error = options(vec![]).required::<f64>("n").unwrap_err().into_error("t", "x");
        assert_eq!(error.code(), Code::InvalidInput);
        assert_eq!(error.message(), "task 't' takes x; got undefined for option 'n'");
    }

    #[test]
    fn what_nobody_asks_for_is_refused() {
        let read = |entries: Vec<(&str, Value)>| {
            let entries = entries.into_iter().map(|(key, value)| (Text::from(key), value)).collect();
            Options::read(Value::Object(entries), |options| {
                options.ignore(&["b"]);
                options.required::<f64>("a")
            })
        };
        let a = || ("a", Value::Number(1.0));
        for also in [vec![], vec![("b", Value::Null)], vec![("c", Value::Undefined)]] {
            assert_eq!(read([vec![a()], also].concat()).unwrap(), 1.0);
        }
        let error = read(vec![a(), ("aa", Value::Null)]).unwrap_err().into_error("t", "x");
        assert_eq!(error.code(), Code::InvalidInput);
        assert_eq!(error.message(), "task 't' takes x; got the unknown option 'aa'");
    }

    #[test]
    fn whole_numbers_are_whole_and_in_range() {
        let whole = |n: f64| Whole::<100>::from_value(Value::Number(n)).map(|whole| whole.0);
        assert_eq!(whole(100.0).unwrap(), 100);
        assert_eq!(whole(-0.0).unwrap(), 0);
        for bad in [-1.0, 0.5, 100.5, 101.0, f64::NAN, f64::INFINITY] {
            assert_eq!(whole(bad).unwrap_err().into_error("t", "x").code(), Code::OutOfRange, "{bad}");
        }
    }
}
