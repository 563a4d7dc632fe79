//! A JavaScript string on the Rust side.

use std::borrow::Cow;

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
    pub fn from_utf16(units: Vec<u16>) -> Self {
        match String::from_utf16(&units) {
            Ok(text) => Text::Utf8(text),
            Err(_) => Text::Utf16(units),
        }
    }

    /// From Latin-1 bytes, one a character.
    pub fn from_latin1(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) if bytes.is_ascii() => Text::Utf8(text.to_owned()),
            _ => Text::Utf8(bytes.iter().map(|&byte| char::from(byte)).collect()),
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
