//! A JavaScript string on the Rust side.

use std::borrow::Cow;

use crate::allocation;
use crate::error::Result;

/// A JavaScript string: UTF-8 where it is valid Unicode, else the UTF-16 units as they were (a lone surrogate
/// survives the journey).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Text {
    /// Valid Unicode.
    Utf8(String),
    /// Not valid Unicode: at least one lone surrogate.
    Utf16(Vec<u16>),
}

impl Text {
    /// From UTF-16 units.
    #[cfg(test)]
    pub(crate) fn from_utf16(units: Vec<u16>) -> Self {
        match String::from_utf16(&units) {
            Ok(text) => Text::Utf8(text),
            Err(_) => Text::Utf16(units),
        }
    }

    /// From UTF-16 units as little-endian bytes, of which there must be an even number.
    ///
    /// # Errors
    /// `ValueTooLarge` when there is no memory for it. The other functions that return a `Result` have the same error.
    pub fn from_utf16_bytes(bytes: &[u8]) -> Result<Self> {
        Self::from_units(bytes, u16::from_le_bytes)
    }

    /// The same from UTF-16 units of this machine.
    pub fn from_native_utf16(bytes: &[u8]) -> Result<Self> {
        Self::from_units(bytes, u16::from_ne_bytes)
    }

    fn from_units(bytes: &[u8], unit_of: fn([u8; 2]) -> u16) -> Result<Self> {
        let (pairs, _) = bytes.as_chunks::<2>();
        let units = || pairs.iter().map(|pair| unit_of(*pair));
        let decoded = || char::decode_utf16(units());
        if decoded().any(|unit| unit.is_err()) {
            let mut copy = allocation::for_items(pairs.len())?;
            copy.extend(units());
            return Ok(Text::Utf16(copy));
        }
        Self::with_capacity_of(decoded().flatten().map(char::len_utf8).sum(), |text| {
            text.extend(decoded().flatten())
        })
    }

    /// From Latin-1 bytes, one a character.
    pub fn from_latin1(bytes: &[u8]) -> Result<Self> {
        match std::str::from_utf8(bytes) {
            Ok(ascii) if bytes.is_ascii() => Self::copy_from(ascii),
            _ => {
                let beyond_ascii = bytes.iter().filter(|byte| !byte.is_ascii()).count();
                let characters = bytes.iter().map(|&byte| char::from(byte));
                Self::with_capacity_of(bytes.len() + beyond_ascii, |text| text.extend(characters))
            }
        }
    }

    /// A copy of a text.
    pub fn copy_from(text: &str) -> Result<Self> {
        Self::with_capacity_of(text.len(), |copy| copy.push_str(text))
    }

    fn with_capacity_of(length: usize, fill: impl FnOnce(&mut String)) -> Result<Self> {
        let mut text = String::new();
        text.try_reserve_exact(length).map_err(|_| allocation::none(length))?;
        fill(&mut text);
        Ok(Text::Utf8(text))
    }

    /// The bytes of memory that its contents take.
    pub fn size(&self) -> usize {
        match self {
            Text::Utf8(text) => text.len(),
            Text::Utf16(units) => units.len() * size_of::<u16>(),
        }
    }

    /// The text as `str`; lone surrogates become U+FFFD.
    pub fn to_str(&self) -> Cow<'_, str> {
        match self {
            Text::Utf8(text) => Cow::Borrowed(text),
            Text::Utf16(units) => Cow::Owned(String::from_utf16_lossy(units)),
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Text::Utf8(text.to_owned())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Text::Utf8(text)
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        matches!(self, Text::Utf8(text) if text == other)
    }
}
