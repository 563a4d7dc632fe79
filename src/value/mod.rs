//! Values that cross between JavaScript and Rust threads.
//!
//! * [`Value`] — a value as a native task sees it.
//! * [`Bytes`] — raw bytes with the JavaScript type that they came as, or will go back as.
//! * [`PortValue`] — an end of a channel.
//! * [`SharedBytes`] — a range of shared memory, aliased.
//! * [`Text`] — a JavaScript string, lossless even where it is not valid Unicode.
//! * [`Envelope`] — a value in its wire form (README.md in this folder): the form that threads exchange, and that the
//!   JavaScript codec reads and writes. [`encode()`] and [`decode()`] are its Rust side.
//! * [`Payload`] — the input of a task, decoded or not yet.
//! * [`shapes`] — the numbers for the key lists of objects.

mod blocks;
mod bytes;
mod decode;
mod encode;
mod envelope;
mod js_value;
mod payload;
mod port;
pub mod shapes;
mod shared;
mod tags;
mod text;
#[cfg(test)]
mod wire_tests;

use crate::exported_numbers::{Groups, Numbers};
use crate::numbers;

pub use bytes::{Bytes, BytesKind, ForeignBytes, Words};
pub use decode::{Limits, decode, is_for_javascript};
pub use encode::{INLINE_BYTES, encode};
pub use envelope::{Envelope, LongText, Part};
pub use js_value::{BigInt, ErrorValue, Value};
pub use payload::Payload;
pub use port::{PortPart, PortValue};
pub use shared::SharedBytes;
pub use text::Text;

/// The numbers of this module that JavaScript knows.
pub const NUMBERS: Groups = &[("TAGS", tags::NUMBERS), ("BYTES", bytes::NUMBERS), ("VALUES", VALUES)];

const VALUES: Numbers = numbers! {
    MAX_DEPTH = encode::MAX_DEPTH, INLINE_BYTES,
    MAX_INPUT_DEPTH = Limits::DEFAULT.depth, MAX_INPUT_BYTES = Limits::DEFAULT.size,
    MAX_SHAPE_KEYS = shapes::MAX_KEYS, MAX_SHAPE_KEY_BYTES = shapes::MAX_KEY_LENGTH,
};
