//! A value in its wire form: what crosses between threads.

use super::bytes::Bytes;
use super::port::PortPart;
use crate::shared::Access;

/// A value in its wire form, with its out-of-band parts.
#[derive(Debug, Default)]
pub struct Envelope {
    /// The encoded value.
    pub wire: Vec<u8>,
    /// The parts, which the wire names by index.
    pub parts: Vec<Part>,
}

/// A part of a value that is beside the wire instead of in it.
#[derive(Debug)]
pub enum Part {
    /// A block of bytes, moved without a copy.
    Bytes(Bytes),
    /// Shared memory, aliased.
    Shared(Access),
    /// A port on its way to a new owner; it closes if this is dropped undelivered.
    Port(Box<dyn PortPart>),
}
