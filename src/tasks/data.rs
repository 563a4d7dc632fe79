//! Bytes, shared memory or text: the input of every task that reads a stream of bytes.

use std::borrow::Cow;

use super::Context;
use super::input::{Input, InputError, InputResult};
use crate::allocation;
use crate::error::Result;
use crate::shared::{SharedRange, bulk, take};
use crate::value::{Bytes, SharedBytes, Text, Value};

/// The bytes of an ArrayBuffer, Buffer, typed array or DataView, or the UTF-8 form of a string (a lone surrogate
/// counts as U+FFFD, as `Buffer.from(string)` has it).
pub(super) enum Data {
    Bytes(Bytes),
    Text(Text),
    Shared(SharedBytes),
}

impl Data {
    /// Passes the bytes to `each` in order, in blocks of up to `size`, with a checkpoint before each.
    pub(super) fn blocks(
        &self,
        size: usize,
        context: &Context<'_>,
        mut each: impl FnMut(&[u8]),
    ) -> Result<()> {
        if let Data::Shared(shared) = self {
            let range: SharedRange =
                take(shared.access(), shared.offset(), shared.len(), context.wait_limit())?;
            return bulk::chunks(range.access(), shared.offset(), shared.len(), |block| {
                context.checkpoint()?;
                each(block);
                Ok(())
            });
        }
        for block in self.as_bytes()?.chunks(size) {
            context.checkpoint()?;
            each(block);
        }
        Ok(())
    }

    /// The bytes; copied only from shared memory, and of a string that is not valid Unicode.
    pub(super) fn as_bytes(&self) -> Result<Cow<'_, [u8]>> {
        Ok(match self {
            Data::Bytes(bytes) => Cow::Borrowed(bytes.as_slice()),
            Data::Text(text) => match text.to_str() {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            },
            Data::Shared(shared) => {
                let mut copy = allocation::zeros(shared.len())?;
                bulk::read_bytes(shared.access(), shared.offset(), &mut copy)?;
                Cow::Owned(copy)
            }
        })
    }
}

impl Input for Data {
    fn from_value(value: Value) -> InputResult<Self> {
        match value {
            Value::Bytes(bytes) => Ok(Data::Bytes(bytes)),
            Value::Text(text) => Ok(Data::Text(text)),
            Value::Shared(shared) => Ok(Data::Shared(shared)),
            other => Err(InputError::wrong_type(&other)),
        }
    }
}
