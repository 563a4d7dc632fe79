//! The wire form of the interface (the end of `include/rust_workers.h`): [`Value`]s for a pack, and back.
//!
//! It is the wire of `value/` without what only this process knows (shapes), without references, and with texts in UTF-8. A pack is shown
//! every block of bytes as a part, so that it finds all of them in one form, aligned, and may write to them where they are.
//!
//! What a pack writes is read here and not by `value/decode.rs`: a value that is refused must leave the memory of its parts to the
//! call, for as long as the pack has pointers to it; and a pack is not to name shapes. So the reader is given [`Blocks`], which say
//! what a part is worth. Any bytes give a value or an error: no panic, and no memory beyond [`Limits`].

use rust_workers_abi::wire as tags;

use crate::allocation;
use crate::error::{Code, Error, Result};
use crate::value::{BigInt, Bytes, BytesKind, ErrorValue, Limits, PortValue, SharedBytes, Text, Value};

/// A part of a value for a pack.
pub(super) enum Held {
    Bytes(Bytes),
    Shared(SharedBytes),
    Port(PortValue),
}

/// A value for a pack: its wire, and its parts.
pub(super) struct Written {
    pub(super) wire: Vec<u8>,
    pub(super) parts: Vec<Held>,
}

/// Writes a value. Its blocks become parts without a copy.
///
/// # Errors
/// `ValueTooDeep` beyond the levels of the interface; `ValueTooLarge` without memory for the wire.
pub(super) fn write(value: Value) -> Result<Written> {
    // Most inputs are small.
    let mut wire = allocation::for_items(32)?;
    wire.push(tags::HEADER);
    let mut writer = Writer { written: Written { wire, parts: Vec::new() }, depth: 0 };
    writer.value(value)?;
    Ok(writer.written)
}

struct Writer {
    written: Written,
    depth: usize,
}

impl Writer {
    fn value(&mut self, value: Value) -> Result<()> {
        match value {
            Value::Undefined => self.put(&[tags::UNDEFINED]),
            Value::Null => self.put(&[tags::NULL]),
            Value::Bool(flag) => self.put(&[if flag { tags::TRUE } else { tags::FALSE }]),
            Value::Number(number) => self.number(number),
            Value::Text(text) => self.text(&text),
            Value::BigInt(number) => self.bigint(&number),
            Value::Date(time) => {
                self.put(&[tags::DATE])?;
                self.put(&time.to_le_bytes())
            }
            Value::Bytes(bytes) => {
                self.put(&[tags::BYTES_PART, bytes.kind() as u8])?;
                self.part(Held::Bytes(bytes))
            }
            Value::Shared(shared) => {
                self.put(&[tags::SHARED, shared.kind() as u8])?;
                self.part(Held::Shared(shared))
            }
            Value::Port(port) => {
                self.put(&[tags::PORT])?;
                self.part(Held::Port(port))
            }
            nested => {
                self.depth += 1;
                if self.depth > tags::MAX_DEPTH {
                    return Err(too_deep());
                }
                self.nested(nested)?;
                self.depth -= 1;
                Ok(())
            }
        }
    }

    fn nested(&mut self, value: Value) -> Result<()> {
        match value {
            Value::Array(items) => self.items(tags::ARRAY, items),
            Value::Set(items) => self.items(tags::SET, items),
            Value::Map(entries) => {
                self.counted(tags::MAP, entries.len())?;
                entries.into_iter().try_for_each(|(key, value)| {
                    self.value(key)?;
                    self.value(value)
                })
            }
            Value::Object(entries) => {
                self.put(&[tags::OBJECT])?;
                self.pairs(entries)
            }
            Value::Error(error) => self.error(*error),
            flat => self.value(flat),
        }
    }

    fn items(&mut self, tag: u8, items: Vec<Value>) -> Result<()> {
        self.counted(tag, items.len())?;
        items.into_iter().try_for_each(|item| self.value(item))
    }

    fn pairs(&mut self, entries: Vec<(Text, Value)>) -> Result<()> {
        self.count(entries.len())?;
        entries.into_iter().try_for_each(|(key, value)| {
            self.text(&key)?;
            self.value(value)
        })
    }

    fn error(&mut self, error: ErrorValue) -> Result<()> {
        self.put(&[tags::ERROR])?;
        self.text(&error.name)?;
        let stack_flag = if error.stack.is_some() { tags::ERROR_HAS_STACK } else { 0 };
        self.put(&[tags::ERROR_HAS_MESSAGE | stack_flag])?;
        self.text(&error.message)?;
        if let Some(stack) = &error.stack {
            self.text(stack)?;
        }
        self.pairs(error.properties)
    }

    fn number(&mut self, number: f64) -> Result<()> {
        // `as` saturates and turns NaN into 0; comparing back tells whether it was exact. -0 stays a float.
        let integer = number as i32;
        if f64::from(integer) != number || (integer == 0 && number.is_sign_negative()) {
            self.put(&[tags::FLOAT64])?;
            return self.put(&number.to_le_bytes());
        }
        match u8::try_from(integer) {
            Ok(small) if small < tags::FIRST_TAG => self.put(&[small]),
            _ => {
                self.put(&[tags::INT32])?;
                self.put(&integer.to_le_bytes())
            }
        }
    }

    fn text(&mut self, text: &Text) -> Result<()> {
        match text {
            Text::Utf8(text) => {
                self.counted(tags::UTF8, text.len())?;
                self.put(text.as_bytes())
            }
            Text::Utf16(units) => {
                self.counted(tags::UTF16, units.len())?;
                allocation::more(&mut self.written.wire, units.len() * 2)?;
                self.written.wire.extend(units.iter().copied().flat_map(u16::to_le_bytes));
                Ok(())
            }
        }
    }

    fn bigint(&mut self, number: &BigInt) -> Result<()> {
        let words = number.words.iter().rposition(|&word| word != 0).map_or(0, |last| last + 1);
        self.put(&[tags::BIGINT, u8::from(number.negative && words > 0)])?;
        self.count(words)?;
        number.words[..words].iter().try_for_each(|word| self.put(&word.to_le_bytes()))
    }

    fn part(&mut self, part: Held) -> Result<()> {
        self.count(self.written.parts.len())?;
        allocation::more(&mut self.written.parts, 1)?;
        self.written.parts.push(part);
        Ok(())
    }

    fn counted(&mut self, tag: u8, count: usize) -> Result<()> {
        self.put(&[tag])?;
        self.count(count)
    }

    fn count(&mut self, count: usize) -> Result<()> {
        let count = u32::try_from(count).map_err(|_| {
            Error::new(Code::ValueTooLarge, format!("a text or collection has {count} pieces: split it"))
        })?;
        self.put(&count.to_le_bytes())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        allocation::more(&mut self.written.wire, bytes.len())?;
        self.written.wire.extend_from_slice(bytes);
        Ok(())
    }
}

/// What the parts of a value from a pack are worth. An index is any number that the wire has.
pub(super) trait Blocks {
    /// The block of a part, which may be named once. Its length must suit the kind: see [`fits`].
    fn block(&mut self, index: usize, kind: BytesKind) -> Result<Bytes>;

    /// The port of a part.
    fn port(&mut self, index: usize) -> Result<PortValue>;

    /// A block stood in the wire; together with `block` it tells the order of all blocks of the value.
    fn stood_in_wire(&mut self) {}
}

/// Reads a value that a pack has written.
///
/// # Errors
/// `MalformedValue`, `ValueTooDeep`, `ValueTooLarge`, `UnsupportedValue`; and those of `blocks`.
pub(super) fn read(wire: &[u8], blocks: &mut dyn Blocks, limits: Limits) -> Result<Value> {
    if wire.len() > limits.size {
        return Err(too_large(limits.size));
    }
    let mut reader = Reader { rest: wire, blocks, limits, depth: 0, memory: 0 };
    if reader.byte()? != tags::HEADER {
        return Err(malformed("it does not begin with RW_WIRE_HEADER"));
    }
    let value = reader.value()?;
    if reader.rest.is_empty() { Ok(value) } else { Err(malformed("bytes follow the value")) }
}

struct Reader<'a> {
    rest: &'a [u8],
    blocks: &'a mut dyn Blocks,
    limits: Limits,
    depth: usize,
    /// Bytes of memory asked for so far.
    memory: usize,
}

// A level of nesting is a chain of calls in here, and a pool's stack may be small: what only one kind of value needs is in a function of
// its own, never inlined.
impl Reader<'_> {
    fn value(&mut self) -> Result<Value> {
        let tag = self.byte()?;
        Ok(match tag {
            0..tags::FIRST_TAG => Value::Number(f64::from(tag)),
            tags::UNDEFINED => Value::Undefined,
            tags::NULL => Value::Null,
            tags::FALSE => Value::Bool(false),
            tags::TRUE => Value::Bool(true),
            tags::INT32 => Value::Number(f64::from(i32::from_le_bytes(self.array()?))),
            tags::FLOAT64 => Value::Number(f64::from_le_bytes(self.array()?)),
            tags::BIGINT => self.bigint()?,
            tags::UTF8 | tags::UTF16 => Value::Text(self.text_of(tag)?),
            tags::DATE => Value::Date(f64::from_le_bytes(self.array()?)),
            tags::BYTES | tags::BYTES_PART => self.bytes(tag)?,
            tags::PORT => self.port()?,
            tags::SHARED => return Err(shared_memory()),
            _ => self.nested(tag)?,
        })
    }

    fn nested(&mut self, tag: u8) -> Result<Value> {
        self.depth += 1;
        if self.depth > tags::MAX_DEPTH.min(self.limits.depth as usize) {
            return Err(too_deep());
        }
        let value = match tag {
            tags::ARRAY => Value::Array(self.items()?),
            tags::SET => Value::Set(self.items()?),
            tags::MAP => self.map()?,
            tags::OBJECT => Value::Object(self.pairs()?),
            tags::ERROR => self.error()?,
            _ => return Err(unknown_tag(tag)),
        };
        self.depth -= 1;
        Ok(value)
    }

    #[inline(never)]
    fn items(&mut self) -> Result<Vec<Value>> {
        let count = self.count(1)?;
        let mut items = self.reserve(count)?;
        for _ in 0..count {
            items.push(self.value()?);
        }
        Ok(items)
    }

    #[inline(never)]
    fn map(&mut self) -> Result<Value> {
        let count = self.count(2)?;
        let mut entries = self.reserve(count)?;
        for _ in 0..count {
            entries.push((self.value()?, self.value()?));
        }
        Ok(Value::Map(entries))
    }

    #[inline(never)]
    fn pairs(&mut self) -> Result<Vec<(Text, Value)>> {
        let count = self.count(6)?;
        let mut pairs = self.reserve(count)?;
        for _ in 0..count {
            pairs.push((self.text()?, self.value()?));
        }
        Ok(pairs)
    }

    #[inline(never)]
    fn error(&mut self) -> Result<Value> {
        let mut name = self.text()?;
        let flags = self.byte()?;
        if flags & tags::ERROR_HAS_NAME != 0 {
            name = self.text()?;
        }
        let message = if flags & tags::ERROR_HAS_MESSAGE != 0 { self.text()? } else { Text::from("") };
        let stack = if flags & tags::ERROR_HAS_STACK != 0 { Some(self.text()?) } else { None };
        let properties = self.pairs()?;
        self.charge(size_of::<ErrorValue>())?;
        Ok(Value::Error(Box::new(ErrorValue { name, message, stack, properties })))
    }

    #[inline(never)]
    fn bigint(&mut self) -> Result<Value> {
        let negative = self.byte()? == 1;
        let count = self.count(8)?;
        let mut words = self.reserve(count)?;
        for _ in 0..count {
            words.push(u64::from_le_bytes(self.array()?));
        }
        while words.last() == Some(&0) {
            words.pop();
        }
        Ok(Value::BigInt(BigInt { negative: negative && !words.is_empty(), words }))
    }

    #[inline(never)]
    fn bytes(&mut self, tag: u8) -> Result<Value> {
        let kind = self.byte()?;
        let kind = BytesKind::from_wire(kind).ok_or_else(|| malformed("there is no such kind of bytes"))?;
        if tag == tags::BYTES_PART {
            let index = self.index()?;
            return self.blocks.block(index, kind).map(Value::Bytes);
        }
        let length = self.count(1)?;
        fits(kind, length)?;
        self.charge(length)?;
        self.blocks.stood_in_wire();
        Ok(Value::Bytes(Bytes::copy_from(kind, self.take(length)?)?))
    }

    #[inline(never)]
    fn port(&mut self) -> Result<Value> {
        let index = self.index()?;
        self.blocks.port(index).map(Value::Port)
    }

    fn text(&mut self) -> Result<Text> {
        let tag = self.byte()?;
        self.text_of(tag)
    }

    #[inline(never)]
    fn text_of(&mut self, tag: u8) -> Result<Text> {
        match tag {
            tags::UTF8 => {
                let length = self.count(1)?;
                self.charge(length)?;
                let text = std::str::from_utf8(self.take(length)?);
                Text::copy_from(text.map_err(|_| malformed("a text is not UTF-8"))?)
            }
            tags::UTF16 => {
                let length = self.count(2)? * 2;
                self.charge(length)?;
                Text::from_utf16_bytes(self.take(length)?)
            }
            _ => Err(malformed("a text is missing, such as a key of an object")),
        }
    }

    /// A count of items that take at least `size` bytes each on the wire, which bounds it.
    fn count(&mut self, size: usize) -> Result<usize> {
        let count = self.index()?;
        match count.checked_mul(size) {
            Some(total) if total <= self.rest.len() => Ok(count),
            _ => Err(ends_early()),
        }
    }

    /// An empty vector with capacity for `count` items, if the limit on memory allows it.
    fn reserve<T>(&mut self, count: usize) -> Result<Vec<T>> {
        self.charge(count.saturating_mul(size_of::<T>()))?;
        allocation::for_items(count)
    }

    fn charge(&mut self, bytes: usize) -> Result<()> {
        self.memory = self.memory.saturating_add(bytes);
        if self.memory > self.limits.memory { Err(too_large(self.limits.memory)) } else { Ok(()) }
    }

    fn index(&mut self) -> Result<usize> {
        let number = u32::from_le_bytes(self.array()?);
        usize::try_from(number).map_err(|_| ends_early())
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().ok_or_else(ends_early)?;
        self.rest = rest;
        Ok(*bytes)
    }
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or_else(ends_early)?;
        self.rest = rest;
        Ok(bytes)
    }
}

/// Whether so many bytes are whole elements.
pub(super) fn fits(kind: BytesKind, length: usize) -> Result<()> {
    if length.is_multiple_of(kind.element_size()) {
        Ok(())
    } else {
        Err(malformed("a block is no whole number of its elements"))
    }
}

pub(super) fn malformed(what: &'static str) -> Error {
    Error::new(Code::MalformedValue, format!("this is no value in the wire form of rust_workers.h: {what}"))
}

fn unknown_tag(tag: u8) -> Error {
    Error::new(
        Code::MalformedValue,
        format!("this is no value in the wire form of rust_workers.h: it has no tag {tag:#04x}"),
    )
}

fn ends_early() -> Error {
    malformed("it ends too early")
}

fn shared_memory() -> Error {
    Error::new(
        Code::UnsupportedValue,
        "a task cannot return or send shared memory, which the caller has already: leave it out",
    )
}

fn too_deep() -> Error {
    let levels = tags::MAX_DEPTH;
    Error::new(Code::ValueTooDeep, format!("the value is nested more than {levels} levels deep: flatten it"))
}

fn too_large(bytes: usize) -> Error {
    Error::new(
        Code::ValueTooLarge,
        format!("the value takes more than {bytes} bytes: pass blocks of bytes, or less at a time"),
    )
}
