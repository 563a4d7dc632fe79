//! [`Value`] → wire. The same value gives the same bytes as `lib/codec/writer.js` in mode 'value'.

use super::bytes::Bytes;
use super::envelope::{Envelope, Part};
use super::js_value::{BigInt, ErrorValue, Value};
use super::shapes::Shapes;
use super::tags;
use super::text::Text;
use crate::allocation;
use crate::error::{Code, Error, Result};

/// The deepest nesting that is written; JavaScript reads as deep.
pub(super) const MAX_DEPTH: u32 = 1000;
/// Byte blocks longer than this become a [`Part`], which is moved; shorter ones are copied into the wire.
pub const INLINE_BYTES: usize = 1024;

/// The wire form of a value. Large byte blocks move into the envelope's parts without a copy.
///
/// # Errors
/// `ValueTooDeep` beyond 1,000 levels; `ValueTooLarge` when a string or a collection has more than
/// 2³² − 1 pieces, or when there is no memory for the wire.
pub fn encode(value: Value) -> Result<Envelope> {
    encode_with(value, Shapes::global())
}

pub(super) fn encode_with(value: Value, shapes: &Shapes) -> Result<Envelope> {
    let envelope = Envelope { wire: vec![tags::HEADER_TREE], parts: Vec::new() };
    let mut writer = Writer { envelope, shapes, depth: 0 };
    writer.value(value)?;
    Ok(writer.envelope)
}

struct Writer<'a> {
    envelope: Envelope,
    shapes: &'a Shapes,
    depth: u32,
}

impl Writer<'_> {
    fn value(&mut self, value: Value) -> Result<()> {
        match value {
            Value::Undefined => self.byte(tags::UNDEFINED)?,
            Value::Null => self.byte(tags::NULL)?,
            Value::Bool(flag) => self.byte(if flag { tags::TRUE } else { tags::FALSE })?,
            Value::Number(number) => self.number(number)?,
            Value::Text(text) => self.text(&text)?,
            Value::BigInt(number) => self.bigint(&number)?,
            Value::Date(time) => {
                self.byte(tags::DATE)?;
                self.put(&time.to_le_bytes())?;
            }
            Value::Bytes(bytes) => self.bytes(bytes)?,
            Value::Port(port) => {
                let port = port.take().ok_or_else(|| {
                    Error::new(
                        Code::UnsupportedValue,
                        "the task has opened a port that its result sends back: do one or the other",
                    )
                })?;
                self.byte(tags::PORT)?;
                self.count(self.envelope.parts.len())?;
                self.envelope.parts.push(Part::Port(port));
            }
            Value::Shared(_) => {
                return Err(Error::new(
                    Code::UnsupportedValue,
                    "a task cannot return shared memory, which the caller has already: return something else",
                ));
            }
            nested => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err(Error::new(
                        Code::ValueTooDeep,
                        format!("the value is nested more than {MAX_DEPTH} levels deep: flatten it"),
                    ));
                }
                self.nested(nested)?;
                self.depth -= 1;
            }
        }
        Ok(())
    }

    fn nested(&mut self, value: Value) -> Result<()> {
        match value {
            Value::Array(items) => {
                self.counted(tags::ARRAY, items.len())?;
                items.into_iter().try_for_each(|item| self.value(item))
            }
            Value::Set(items) => {
                self.counted(tags::SET, items.len())?;
                items.into_iter().try_for_each(|item| self.value(item))
            }
            Value::Map(entries) => {
                self.counted(tags::MAP, entries.len())?;
                entries.into_iter().try_for_each(|(key, value)| {
                    self.value(key)?;
                    self.value(value)
                })
            }
            Value::Object(entries) => self.object(entries),
            Value::Error(error) => self.error(*error),
            flat => self.value(flat),
        }
    }

    fn object(&mut self, entries: Vec<(Text, Value)>) -> Result<()> {
        if let Some(id) = self.shapes.find(entries.iter().map(|(key, _)| key)) {
            self.byte(tags::SHAPED)?;
            self.put(&id.to_le_bytes())?;
            return entries.into_iter().try_for_each(|(_, value)| self.value(value));
        }
        self.counted(tags::OBJECT, entries.len())?;
        self.pairs(entries)
    }

    fn pairs(&mut self, entries: Vec<(Text, Value)>) -> Result<()> {
        entries.into_iter().try_for_each(|(key, value)| {
            self.text(&key)?;
            self.value(value)
        })
    }

    fn error(&mut self, error: ErrorValue) -> Result<()> {
        self.byte(tags::ERROR)?;
        self.text(&error.name)?;
        let stack_flag = if error.stack.is_some() { tags::ERROR_HAS_STACK } else { 0 };
        self.byte(tags::ERROR_HAS_MESSAGE | stack_flag)?;
        self.text(&error.message)?;
        if let Some(stack) = &error.stack {
            self.text(stack)?;
        }
        self.count(error.properties.len())?;
        self.pairs(error.properties)
    }

    fn number(&mut self, number: f64) -> Result<()> {
        // `as` saturates and turns NaN into 0; comparing back tells whether it was exact. -0 stays a float.
        let integer = number as i32;
        if f64::from(integer) != number || (integer == 0 && number.is_sign_negative()) {
            self.byte(tags::FLOAT64)?;
            return self.put(&number.to_le_bytes());
        }
        match u8::try_from(integer) {
            Ok(small) if small < tags::FIRST_TAG => self.byte(small),
            _ => {
                self.byte(tags::INT32)?;
                self.put(&integer.to_le_bytes())
            }
        }
    }

    fn text(&mut self, text: &Text) -> Result<()> {
        match text {
            Text::Utf8(text) => {
                // A Latin-1 character takes at most two bytes, so longer texts need no count.
                if text.len() < 2 * tags::SHORT_LIMIT && self.short_latin1(text)? {
                    return Ok(());
                }
                if text.is_ascii() {
                    self.counted(tags::LATIN1, text.len())?;
                    return self.put(text.as_bytes());
                }
                let latin1 = || text.chars().map(|character| u8::try_from(u32::from(character)));
                if latin1().any(|byte| byte.is_err()) {
                    return self.units(text.encode_utf16().count(), text.encode_utf16());
                }
                let length = latin1().count();
                self.counted(tags::LATIN1, length)?;
                allocation::more(&mut self.envelope.wire, length)?;
                self.envelope.wire.extend(latin1().flatten());
            }
            Text::Utf16(units) => self.units(units.len(), units.iter().copied())?,
        }
        Ok(())
    }

    fn units(&mut self, count: usize, units: impl Iterator<Item = u16>) -> Result<()> {
        self.counted(tags::UTF16, count)?;
        allocation::more(&mut self.envelope.wire, count * 2)?;
        self.envelope.wire.extend(units.flat_map(u16::to_le_bytes));
        Ok(())
    }

    /// Writes a short Latin-1 string; false, with nothing written, when the text is not one.
    fn short_latin1(&mut self, text: &str) -> Result<bool> {
        let start = self.envelope.wire.len();
        self.byte(tags::SHORT_LATIN1)?;
        let mut length = 0;
        for character in text.chars() {
            match u8::try_from(u32::from(character)) {
                Ok(byte) if length + 1 < tags::SHORT_LIMIT as u8 => self.byte(byte)?,
                _ => {
                    self.envelope.wire.truncate(start);
                    return Ok(false);
                }
            }
            length += 1;
        }
        self.envelope.wire[start] = tags::SHORT_LATIN1 + length;
        Ok(true)
    }

    fn bigint(&mut self, number: &BigInt) -> Result<()> {
        let words = number.words.iter().rposition(|&word| word != 0).map_or(0, |last| last + 1);
        self.byte(tags::BIGINT)?;
        self.byte(u8::from(number.negative && words > 0))?;
        self.count(words)?;
        for word in &number.words[..words] {
            self.put(&word.to_le_bytes())?;
        }
        Ok(())
    }

    fn bytes(&mut self, bytes: Bytes) -> Result<()> {
        let kind = bytes.kind() as u8;
        if bytes.len() > INLINE_BYTES {
            self.byte(tags::BYTES_PART)?;
            self.byte(kind)?;
            self.count(self.envelope.parts.len())?;
            self.envelope.parts.push(Part::Bytes(bytes));
        } else {
            self.byte(tags::BYTES)?;
            self.byte(kind)?;
            self.count(bytes.len())?;
            self.put(bytes.as_slice())?;
        }
        Ok(())
    }

    fn counted(&mut self, tag: u8, count: usize) -> Result<()> {
        self.byte(tag)?;
        self.count(count)
    }

    fn count(&mut self, count: usize) -> Result<()> {
        let count = u32::try_from(count).map_err(|_| {
            Error::new(
                Code::ValueTooLarge,
                format!(
                    "a string or collection has {count} pieces, and at most 2^32 - 1 are possible: split it"
                ),
            )
        })?;
        self.put(&count.to_le_bytes())
    }

    fn byte(&mut self, byte: u8) -> Result<()> {
        allocation::more(&mut self.envelope.wire, 1)?;
        self.envelope.wire.push(byte);
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        allocation::more(&mut self.envelope.wire, bytes.len())?;
        self.envelope.wire.extend_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{BytesKind, Words};

    fn wire(value: impl Into<Value>) -> Vec<u8> {
        encode(value.into()).expect("encodes").wire
    }

    #[test]
    fn small_values_take_few_bytes() {
        assert_eq!(wire(7u32), [tags::HEADER_TREE, 7]);
        assert_eq!(wire("hi"), [tags::HEADER_TREE, tags::SHORT_LATIN1 + 2, b'h', b'i']);
        assert_eq!(wire("é"), [tags::HEADER_TREE, tags::SHORT_LATIN1 + 1, 0xe9]);
        assert_eq!(wire(-0.0)[1], tags::FLOAT64);
        assert_eq!(wire(f64::NAN)[1], tags::FLOAT64);
        assert_eq!(wire(-1.0)[1], tags::INT32);
        assert_eq!(wire(2147483648.0)[1], tags::FLOAT64);
        assert_eq!(wire("é".repeat(63)).len(), 2 + 63);
        assert_eq!(wire("é".repeat(64))[1], tags::LATIN1);
        assert_eq!(wire("漢")[1], tags::UTF16);
    }

    #[test]
    fn large_blocks_move_and_small_ones_are_copied() {
        let words = Words::zeroed(INLINE_BYTES + 1).expect("little");
        let bytes = Bytes::owned(BytesKind::Uint8, words);
        let place = bytes.as_slice().as_ptr();
        let envelope = encode(Value::Bytes(bytes)).expect("encodes");
        let [Part::Bytes(part)] = &envelope.parts[..] else { panic!("one part") };
        assert_eq!(part.as_slice().as_ptr(), place, "the very same memory");

        let small = encode(Bytes::of(BytesKind::Uint8, &[9; 8]).into()).expect("encodes");
        assert!(small.parts.is_empty());
        assert_eq!(small.wire[small.wire.len() - 8..], [9; 8]);
    }

    #[test]
    fn a_value_too_deep_is_refused() {
        let nest = |levels: u32| (0..levels).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        assert!(encode(nest(MAX_DEPTH)).is_ok());
        assert_eq!(encode(nest(MAX_DEPTH + 1)).map_err(|e| e.code()).err(), Some(Code::ValueTooDeep));
    }
}
