//! A value in its wire form: what crosses between threads.

use super::bytes::{Bytes, Words};
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
    /// A long string.
    Text(LongText),
    /// Shared memory, aliased.
    Shared(Access),
    /// A port on its way to a new owner; it closes if this is dropped undelivered.
    Port(Box<dyn PortPart>),
}

/// The units of a long string, as JavaScript keeps them: nobody changes them.
pub struct LongText {
    units: Words,
    is_wide: bool,
}

impl LongText {
    /// UTF-16 units of two bytes if `is_wide`, else Latin-1 characters.
    pub fn new(units: Words, is_wide: bool) -> Self {
        LongText { units, is_wide }
    }

    /// The units, in the order of bytes of this machine.
    pub fn as_bytes(&self) -> &[u8] {
        self.units.as_slice()
    }

    /// Whether they are of two bytes.
    pub fn is_wide(&self) -> bool {
        self.is_wide
    }
}

impl std::fmt::Debug for LongText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LongText({} bytes)", self.units.len())
    }
}
