//! The input of a task, on its way to the thread that runs it.

use super::decode::{Limits, decode};
use super::envelope::Envelope;
use super::js_value::Value;
use crate::error::Result;

/// A value on its way to a task: decoded already, or in its wire form, to be decoded on the thread that runs it.
#[derive(Debug)]
pub enum Payload {
    /// The value itself.
    Value(Value),
    /// Its wire form.
    Envelope(Envelope),
}

impl Payload {
    /// The value; decodes it if need be.
    pub fn into_value(self) -> Result<Value> {
        match self {
            Payload::Value(value) => Ok(value),
            Payload::Envelope(envelope) => decode(envelope, Limits::default()),
        }
    }
}
