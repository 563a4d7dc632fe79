//! Writes a wire.

use rust_workers_abi::{Part, wire as tag};

/// Bytes that stand beside the wire from this size on: the host hands them on without a copy.
const PART_FROM: usize = 4096;

/// A wire that grows.
pub(crate) struct Output {
    bytes: Vec<u8>,
    parts: Vec<Part>,
    limit: usize,
    parts_len: usize,
}

/// The value is larger than its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLarge;

impl Output {
    /// At most `limit` bytes, parts included.
    pub(crate) fn new(limit: usize) -> Output {
        Output { bytes: vec![tag::HEADER], parts: Vec::new(), limit, parts_len: 0 }
    }

    pub(crate) fn wire(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    fn room(&self, more: usize) -> Result<(), TooLarge> {
        if self.bytes.len() + self.parts_len + more > self.limit { Err(TooLarge) } else { Ok(()) }
    }

    pub(crate) fn tag(&mut self, tag: u8) -> Result<(), TooLarge> {
        self.room(1)?;
        self.bytes.push(tag);
        Ok(())
    }

    fn count(&mut self, count: usize) -> Result<(), TooLarge> {
        self.room(4)?;
        self.bytes.extend_from_slice(&u32::try_from(count).map_err(|_| TooLarge)?.to_le_bytes());
        Ok(())
    }

    /// A tag with a count.
    pub(crate) fn counted(&mut self, tag: u8, count: usize) -> Result<(), TooLarge> {
        self.tag(tag)?;
        self.count(count)
    }

    pub(crate) fn int(&mut self, value: i32) -> Result<(), TooLarge> {
        if (0..i32::from(tag::FIRST_TAG)).contains(&value) {
            return self.tag(value as u8);
        }
        self.room(5)?;
        self.bytes.push(tag::INT32);
        self.bytes.extend_from_slice(&value.to_le_bytes());
        Ok(())
    }

    /// Numbers that are integers are written as such.
    pub(crate) fn number(&mut self, value: f64) -> Result<(), TooLarge> {
        let integer = value as i32;
        if f64::from(integer).to_bits() == value.to_bits() {
            self.int(integer)
        } else {
            self.float(tag::FLOAT64, value)
        }
    }

    pub(crate) fn float(&mut self, tag: u8, value: f64) -> Result<(), TooLarge> {
        self.room(9)?;
        self.bytes.push(tag);
        self.bytes.extend_from_slice(&value.to_le_bytes());
        Ok(())
    }

    pub(crate) fn text(&mut self, text: &str) -> Result<(), TooLarge> {
        self.room(text.len() + 5)?;
        self.counted(tag::UTF8, text.len())?;
        self.bytes.extend_from_slice(text.as_bytes());
        Ok(())
    }

    pub(crate) fn units(&mut self, units: &[u16]) -> Result<(), TooLarge> {
        self.room(units.len() * 2 + 5)?;
        self.counted(tag::UTF16, units.len())?;
        self.bytes.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
        Ok(())
    }

    /// The magnitude's words, the lowest first.
    pub(crate) fn bigint(&mut self, negative: bool, words: &[u64]) -> Result<(), TooLarge> {
        self.room(words.len() * 8 + 6)?;
        self.tag(tag::BIGINT)?;
        self.bytes.push(u8::from(negative));
        self.count(words.len())?;
        self.bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        Ok(())
    }

    /// A block of bytes. `part` copies a long one to where the host wants it.
    pub(crate) fn block(
        &mut self,
        kind: u8,
        bytes: &[u8],
        part: impl FnOnce(&[u8]) -> Option<Part>,
    ) -> Result<(), TooLarge> {
        self.room(bytes.len() + 6)?;
        if bytes.len() < PART_FROM {
            self.tag(tag::BYTES)?;
            self.bytes.push(kind);
            self.count(bytes.len())?;
            self.bytes.extend_from_slice(bytes);
            return Ok(());
        }
        self.tag(tag::BYTES_PART)?;
        self.bytes.push(kind);
        self.count(self.parts.len())?;
        self.parts.push(part(bytes).ok_or(TooLarge)?);
        self.parts_len += bytes.len();
        Ok(())
    }

    /// Flags, and other single bytes.
    pub(crate) fn byte(&mut self, byte: u8) -> Result<(), TooLarge> {
        self.tag(byte)
    }

    /// The count of an error's properties.
    pub(crate) fn properties(&mut self, count: usize) -> Result<(), TooLarge> {
        self.count(count)
    }
}

impl Output {
    /// An error with a message and nothing else.
    pub(crate) fn error(&mut self, class: &str, message: &str) -> Result<(), TooLarge> {
        self.tag(tag::ERROR)?;
        self.text(class)?;
        self.byte(tag::ERROR_HAS_MESSAGE)?;
        self.text(message)?;
        self.properties(0)
    }
}
