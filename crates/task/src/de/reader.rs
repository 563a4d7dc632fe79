//! A cursor over the wire, which checks every step.

use rust_workers_abi::wire;

use crate::fault::Fault;

pub(super) struct Reader<'de> {
    wire: &'de [u8],
    at: usize,
}

fn too_short() -> Fault {
    Fault::new("the wire ends too early")
}

impl<'de> Reader<'de> {
    pub(super) fn new(wire: &'de [u8]) -> Self {
        Reader { wire, at: 0 }
    }

    pub(super) fn left(&self) -> usize {
        self.wire.len() - self.at
    }

    pub(super) fn peek(&self) -> Result<u8, Fault> {
        self.wire.get(self.at).copied().ok_or_else(too_short)
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'de [u8], Fault> {
        let taken = self.wire[self.at..].get(..len).ok_or_else(too_short)?;
        self.at += len;
        Ok(taken)
    }

    /// The next byte, where it stands.
    pub(super) fn take_tag(&mut self) -> Result<&'de [u8], Fault> {
        self.take(1)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Fault> {
        Ok(self.take(1)?[0])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (array, _) = self.wire[self.at..].split_first_chunk::<N>().ok_or_else(too_short)?;
        self.at += N;
        Ok(*array)
    }

    pub(super) fn count(&mut self) -> Result<u32, Fault> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn int32(&mut self) -> Result<i32, Fault> {
        self.array().map(i32::from_le_bytes)
    }

    pub(super) fn float(&mut self) -> Result<f64, Fault> {
        self.array().map(f64::from_le_bytes)
    }

    /// A text with its tag.
    pub(super) fn text(&mut self) -> Result<&'de str, Fault> {
        match self.byte()? {
            wire::UTF8 => self.text_body(),
            wire::UTF16 => Err(no_unicode()),
            _ => Err(Fault::new("the wire has no text where one must be")),
        }
    }

    /// A text whose tag was read.
    pub(super) fn text_body(&mut self) -> Result<&'de str, Fault> {
        let len = self.count()? as usize;
        std::str::from_utf8(self.take(len)?).map_err(|_| Fault::new("the wire has a text that is not UTF-8"))
    }

    /// A BigInt whose tag was read: whether it is below zero, and its words' bytes.
    pub(super) fn big_int(&mut self) -> Result<(bool, &'de [[u8; 8]]), Fault> {
        let is_negative = self.byte()? != 0;
        let count = self.count()? as usize;
        let words = self.take(count.checked_mul(8).ok_or_else(too_short)?)?;
        Ok((is_negative, words.as_chunks().0))
    }
}

pub(super) fn no_unicode() -> Fault {
    Fault::new("a string with a lone surrogate, which is no text in Rust")
}
