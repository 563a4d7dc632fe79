//! What a task fails with.

use std::borrow::Cow;
use std::fmt;

/// What kind of end an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Failed,
    Stopped,
    InvalidInput,
    Panicked,
}

/// An error of a task, as JavaScript will see it: a message, a name and a code.
///
/// It is made of any [`std::error::Error`] by `?`: its name is then the last part of the type's name (`ParseIntError`), and its message
/// has those of all its sources. For errors that do not implement that trait (`anyhow::Error`, `String`), a task may return
/// `Result<T, E>` with any `E` that is [`Display`](fmt::Display).
///
/// ```
/// use rust_workers_task::Error;
///
/// let error = Error::new("there is no such tile").with_name("RangeError").with_code("TILE_UNKNOWN");
/// assert_eq!(error.to_string(), "there is no such tile");
/// fn parse(text: &str) -> Result<i32, Error> {
///     Ok(text.parse::<i32>()?)
/// }
/// assert_eq!(parse("x").unwrap_err().name(), "ParseIntError");
/// ```
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: Kind,
    name: Cow<'static, str>,
    code: Cow<'static, str>,
    message: String,
}

impl Error {
    fn of(kind: Kind, message: String) -> Self {
        Error(Box::new(Inner { kind, name: Cow::Borrowed(""), code: Cow::Borrowed(""), message }))
    }

    /// An error with this message. In JavaScript its name is `Error` and its code `ERR_RW_TASK_FAILED`, unless they are given.
    pub fn new(message: impl fmt::Display) -> Self {
        Self::of(Kind::Failed, message.to_string())
    }

    /// The task does not take this input. In JavaScript its code is `ERR_RW_INVALID_INPUT`.
    pub fn invalid_input(message: impl fmt::Display) -> Self {
        Self::of(Kind::InvalidInput, message.to_string())
    }

    /// The task was told to stop, and did: what [`Context::check`](crate::Context::check) returns.
    pub fn stopped() -> Self {
        Self::of(Kind::Stopped, "the task was told to stop".to_owned())
    }

    pub(crate) fn panicked(message: String) -> Self {
        Self::of(Kind::Panicked, message)
    }

    pub(crate) fn with_kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    /// With this `error.name`, as in `RangeError`.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.0.name = name.into();
        self
    }

    /// With this `error.code`.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.0.code = code.into();
        self
    }

    pub(crate) fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Its name; empty: `Error`.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Its code; empty: the one that belongs to its kind.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// Its message.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whether it says that the task was told to stop.
    pub fn is_stopped(&self) -> bool {
        self.kind() == Kind::Stopped
    }

    /// Whether it says that the task does not take its input.
    pub fn is_invalid_input(&self) -> bool {
        self.kind() == Kind::InvalidInput
    }

    /// Whether it is a panic of the task.
    pub fn is_panic(&self) -> bool {
        self.kind() == Kind::Panicked
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, name, code, message } = &*self.0;
        let mut shown = formatter.debug_struct("Error");
        shown.field("kind", kind);
        for (key, value) in [("name", name), ("code", code)] {
            if !value.is_empty() {
                shown.field(key, value);
            }
        }
        shown.field("message", message).finish()
    }
}

// `Error` itself does not implement the trait, or this would conflict with `From<T> for T`.
impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(inner) = source {
            let text = inner.to_string();
            // Some errors write their source themselves.
            if !message.contains(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            source = inner.source();
        }
        Error::new(message).with_name(name_of(std::any::type_name::<E>()))
    }
}

/// The last part of a path, where it is a plain name.
fn name_of(path: &'static str) -> &'static str {
    let path = path.split_once('<').map_or(path, |(before, _)| before);
    let name = path.rsplit("::").next().unwrap_or("");
    let is_plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if is_plain && name != "Error" { name } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(std::num::ParseIntError);

    impl fmt::Display for Outer {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("line 3")
        }
    }

    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn keeps_the_type_and_the_sources_of_an_error() {
        let error = Error::from(Outer("x".parse::<i32>().unwrap_err()));
        assert_eq!(error.name(), "Outer");
        assert_eq!(error.message(), "line 3: invalid digit found in string");
        let error = Error::from(std::io::Error::other("disk"));
        assert_eq!((error.name(), error.message()), ("", "disk"));
    }

    #[test]
    fn is_as_small_as_a_pointer() {
        assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
    }
}
