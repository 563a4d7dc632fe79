//! The input of a task, on its way to the thread that runs it.

use super::decode::{Limits, decode};
use super::envelope::Envelope;
use super::js_value::Value;
use crate::error::Result;

/// A task's input: decoded already, or in its wire form, which the thread that runs the task decodes.
#[derive(Debug)]
pub enum Payload {
    /// The value itself.
    Value(Value),
    /// Its wire form.
    Envelope(Envelope),
}

impl Payload {
    /// The value; decodes it if it is in its wire form.
    pub fn into_value(self) -> Result<Value> {
        match self {
            Payload::Value(value) => Ok(value),
            Payload::Envelope(envelope) => decode(envelope, Limits::default()),
        }
    }
}
