//! Bytes or text: the input of every task that reads a stream of bytes.

use std::borrow::Cow;

use super::input::{Input, InputResult, Refused};
use crate::value::{Bytes, Text, Value};

/// The bytes of an ArrayBuffer, Buffer, typed array or DataView, or the UTF-8 form of a string (a lone surrogate
/// counts as U+FFFD, as `Buffer.from(string)` has it).
pub(super) enum Data {
    Bytes(Bytes),
    Text(Text),
}

impl Data {
    /// The bytes; copied only for a string that is not valid Unicode.
    pub(super) fn as_bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Data::Bytes(bytes) => Cow::Borrowed(bytes.as_slice()),
            Data::Text(text) => match text.to_str() {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            },
        }
    }
}

impl Input for Data {
    fn from_value(value: Value) -> InputResult<Self> {
        match value {
            Value::Bytes(bytes) => Ok(Data::Bytes(bytes)),
            Value::Text(text) => Ok(Data::Text(text)),
            other => Err(Refused::wrong_type(&other)),
        }
    }
}
