//! Values of serde from the wire form. The wire is the host's, and is read as if it were a stranger's: no wire makes a reader panic,
//! loop, or ask for more memory than a few times its length.

mod access;
mod any;
mod key;
mod reader;
#[cfg(test)]
mod tests;
mod whole;

use rust_workers_abi::{bytes, wire};
use serde::de::{self, Deserialize, Error as _, IntoDeserializer, Unexpected, Visitor};

use crate::element::{ARRAY_MUT_PREFIX, ARRAY_PREFIX, is_plain, kind_name, shows};
use crate::fault::Fault;
use crate::port::PORT;
use crate::raw::{self, Given, Input};
use crate::shared::SHARED;
use crate::special::{BIG_INT, DATE, VALUE};
use crate::value;
use access::{Elements, Entries, ErrorEntries, Items, Variant};
use reader::Reader;

/// Reads the whole of an input.
pub(crate) fn from_input<'de, T: Deserialize<'de>>(input: &'de Input<'_>) -> Result<T, Fault> {
    let mut source = Source::new(input)?;
    let value = T::deserialize(&mut source)?;
    source.end()?;
    Ok(value)
}

/// A block of bytes, where it stands.
pub(crate) enum Block<'de> {
    /// In the wire, at any address.
    InWire(&'de [u8]),
    /// In a part of its own, aligned to 8.
    Part(&'de mut [u8]),
}

impl<'de> Block<'de> {
    pub(crate) fn bytes(self) -> &'de [u8] {
        match self {
            Block::InWire(bytes) => bytes,
            Block::Part(bytes) => bytes,
        }
    }

    /// As memory that is aligned to 8 and the task's own: a copy of what stands in the wire.
    pub(crate) fn memory(self, input: &'de Input<'_>) -> &'de mut [u8] {
        match self {
            Block::Part(bytes) => bytes,
            Block::InWire(bytes) => {
                let words: &mut [u64] = input.arena().alloc_slice_fill_copy(bytes.len().div_ceil(8), 0);
                let copy = &mut bytemuck::must_cast_slice_mut::<u64, u8>(words)[..bytes.len()];
                copy.copy_from_slice(bytes);
                copy
            }
        }
    }

    /// As bytes that are aligned to their elements.
    pub(crate) fn aligned(self, input: &'de Input<'_>, kind: u8) -> &'de [u8] {
        let size = crate::element::element_size(kind);
        match self {
            Block::InWire(bytes) if bytes.as_ptr().addr().is_multiple_of(size) => bytes,
            block => block.memory(input),
        }
    }
}

pub(crate) struct Source<'de> {
    reader: Reader<'de>,
    input: &'de Input<'de>,
    depth: usize,
}

impl<'de> Source<'de> {
    pub(crate) fn new(input: &'de Input<'_>) -> Result<Self, Fault> {
        let mut reader = Reader::new(input.wire());
        match reader.byte()? {
            wire::HEADER => Ok(Source { reader, input, depth: 0 }),
            _ => Err(Fault::new("the wire is of an unknown form")),
        }
    }

    fn end(&self) -> Result<(), Fault> {
        if self.reader.left() == 0 { Ok(()) } else { Err(Fault::new("the wire is longer than its value")) }
    }

    /// A block whose tag was read: what it is, and itself.
    fn block(&mut self, tag: u8) -> Result<(u8, Block<'de>), Fault> {
        let kind = self.reader.byte()?;
        if kind > bytes::FLOAT16_ARRAY {
            return Err(Fault::new("the wire has a block of an unknown kind"));
        }
        let number = self.reader.count()?;
        let block = if tag == wire::BYTES {
            Block::InWire(self.reader.take(number as usize)?)
        } else {
            let lent = self.input.lend_bytes(number);
            Block::Part(
                lent.ok_or_else(|| Fault::new("the wire names a part that is no block, or a block twice"))?,
            )
        };
        Ok((kind, block))
    }

    /// Runs `read` one level deeper.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        self.depth += 1;
        if self.depth > wire::MAX_DEPTH {
            return Err(Fault::new(format_args!("it is nested more than {} levels deep", wire::MAX_DEPTH)));
        }
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    /// How many values follow, each of at least `bytes` bytes.
    fn values(&mut self, bytes: usize) -> Result<usize, Fault> {
        let count = self.reader.count()? as usize;
        if count > self.reader.left() / bytes {
            return Err(Fault::new("the wire ends too early"));
        }
        Ok(count)
    }

    fn sequence<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Fault> {
        let count = self.values(1)?;
        self.deeper(|source| {
            let mut items = Items { source, index: 0, count };
            let value = visitor.visit_seq(&mut items)?;
            if items.index < count {
                return Err(Fault::new(format_args!(
                    "an array of {count} elements, expected {}",
                    items.index
                )));
            }
            Ok(value)
        })
    }

    fn entries<V: Visitor<'de>>(&mut self, tag: u8, visitor: V) -> Result<V::Value, Fault> {
        let count = self.values(2)?;
        self.deeper(|source| {
            let mut entries =
                Entries { source, left: count, has_any_keys: tag == wire::MAP, key: None, index: 0 };
            let value = visitor.visit_map(&mut entries)?;
            entries.skip_rest()?;
            Ok(value)
        })
    }

    fn error_entries<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Fault> {
        self.deeper(|source| {
            let mut entries = ErrorEntries::read(source)?;
            let value = visitor.visit_map(&mut entries)?;
            entries.rest().skip_rest()?;
            Ok(value)
        })
    }

    /// Goes past a value.
    fn skip(&mut self) -> Result<(), Fault> {
        whole::skip(self)
    }

    fn typed<V: Visitor<'de>>(&mut self, wanted: u8, visitor: V) -> Result<V::Value, Fault> {
        match self.reader.peek()? {
            wire::BYTES | wire::BYTES_PART => {
                let tag = self.reader.byte()?;
                let (kind, block) = self.block(tag)?;
                check_kind(wanted, kind)?;
                visitor.visit_borrowed_bytes(block.aligned(self.input, kind))
            }
            _ => de::Deserializer::deserialize_any(self, visitor),
        }
    }

    fn typed_mut<V: Visitor<'de>>(&mut self, wanted: u8, visitor: V) -> Result<V::Value, Fault> {
        match self.reader.peek()? {
            wire::BYTES | wire::BYTES_PART => {
                let at = self.reader.take_tag()?;
                let (kind, block) = self.block(at[0])?;
                check_kind(wanted, kind)?;
                let memory = block.memory(self.input);
                raw::give(Given::Memory(memory), at, |at| visitor.visit_borrowed_bytes(at))
            }
            _ => de::Deserializer::deserialize_any(self, visitor),
        }
    }

    fn shared<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Fault> {
        if self.reader.peek()? != wire::SHARED {
            return de::Deserializer::deserialize_any(self, visitor);
        }
        let at = self.reader.take_tag()?;
        let view = self.reader.byte()?;
        let index = self.reader.count()?;
        let cells = self.input.lend_cells(index);
        let cells = cells
            .ok_or_else(|| Fault::new("the wire names a part that is no shared memory, or one twice"))?;
        raw::give(Given::Cells(view, index, cells), at, |at| visitor.visit_borrowed_bytes(at))
    }

    fn port<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Fault> {
        if self.reader.peek()? != wire::PORT {
            return de::Deserializer::deserialize_any(self, visitor);
        }
        let at = self.reader.take_tag()?;
        let index = self.reader.count()?;
        let (call, index) =
            self.input.lend_port(index).ok_or_else(|| Fault::new("a port that cannot be used here"))?;
        raw::give(Given::Port(call, index), at, |at| visitor.visit_borrowed_bytes(at))
    }
}

fn check_kind(wanted: u8, found: u8) -> Result<(), Fault> {
    if shows(wanted, found) {
        return Ok(());
    }
    Err(Fault::new(format_args!("{}, expected {}", kind_name(found), kind_name(wanted))))
}

macro_rules! as_any {
    ($($name:ident)*) => {
        $(fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.deserialize_any(visitor)
        })*
    };
}

impl<'de> de::Deserializer<'de> for &mut Source<'de> {
    type Error = Fault;

    as_any! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32 deserialize_f64
        deserialize_char deserialize_str deserialize_string deserialize_identifier
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        any::deserialize(self, visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.reader.peek()? {
            wire::BYTES | wire::BYTES_PART => {
                let tag = self.reader.byte()?;
                let (kind, block) = self.block(tag)?;
                if !is_plain(kind) {
                    return Err(Fault::invalid_type(Unexpected::Other(kind_name(kind)), &visitor));
                }
                visitor.visit_borrowed_bytes(block.bytes())
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.reader.peek()? {
            wire::UNDEFINED | wire::NULL => {
                self.reader.byte()?;
                visitor.visit_none()
            }
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.reader.peek()? {
            wire::UNDEFINED | wire::NULL => {
                self.reader.byte()?;
                visitor.visit_unit()
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match name {
            VALUE => {
                let value = whole::read(self)?;
                value::hand(value, || visitor.visit_unit())
            }
            DATE if self.reader.peek()? == wire::DATE => {
                self.reader.byte()?;
                visitor.visit_f64(self.reader.float()?)
            }
            DATE => self.deserialize_any(visitor),
            BIG_INT if self.reader.peek()? != wire::BIGINT => {
                Err(Fault::new(format_args!("{}, expected a BigInt", any::name_of(self)?)))
            }
            SHARED => self.shared(visitor),
            PORT => self.port(visitor),
            _ => {
                let kind = |prefix| name.strip_prefix(prefix).and_then(|kind| kind.parse().ok());
                match (kind(ARRAY_PREFIX), kind(ARRAY_MUT_PREFIX)) {
                    (Some(wanted), _) => self.typed(wanted, visitor),
                    (_, Some(wanted)) => self.typed_mut(wanted, visitor),
                    _ => visitor.visit_newtype_struct(self),
                }
            }
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.reader.peek()? {
            wire::BYTES | wire::BYTES_PART => {
                let tag = self.reader.byte()?;
                let (kind, block) = self.block(tag)?;
                visitor.visit_seq(Elements::new(kind, block.bytes()))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        // An array would be taken field by field.
        if self.reader.peek()? == wire::ARRAY {
            return Err(Fault::invalid_type(Unexpected::Seq, &visitor));
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.reader.peek()? {
            wire::UTF8 => {
                let name: &'de str = self.reader.text()?;
                visitor.visit_enum(name.into_deserializer())
            }
            wire::OBJECT => {
                self.reader.byte()?;
                let count = self.values(2)?;
                if count != 1 {
                    return Err(Fault::new(format_args!(
                        "an object of {count} properties, expected one that names a variant"
                    )));
                }
                let name = self.reader.text()?;
                self.deeper(|source| {
                    visitor.visit_enum(Variant { source, name }).map_err(|fault| fault.at_key(name))
                })
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.skip()?;
        visitor.visit_unit()
    }
}
