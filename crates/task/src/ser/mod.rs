//! Values of serde in the wire form.

mod compound;
mod key;

use rust_workers_abi::{self as abi, bytes, part, wire};
use serde::ser::{self, Serialize};

use crate::element::ARRAY_PREFIX;
use crate::fault::Fault;
use crate::port::PORT;
use crate::raw::{Memory, Placed};
use crate::shared::SHARED;
use crate::special::{BARE, BIG_INT, DATE, ERROR, MAP, SET};
use compound::Compound;

/// The wire of a value, and its parts. Without a `memory` all stands in the wire.
pub(crate) fn to_wire<T: Serialize + ?Sized>(
    value: &T,
    memory: Option<&dyn Memory>,
) -> Result<(Vec<u8>, Vec<abi::Part>), Fault> {
    let mut writer = Writer { wire: vec![wire::HEADER], parts: Vec::new(), memory, pending: None, depth: 0 };
    value.serialize(&mut writer)?;
    Ok((writer.wire, writer.parts))
}

/// What the next value is to be written as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pending {
    Block(u8),
    Date,
    BigInt,
    Map,
    Set,
    Error,
    Bare,
    Handle(u32),
}

pub(crate) struct Writer<'m> {
    wire: Vec<u8>,
    parts: Vec<abi::Part>,
    memory: Option<&'m dyn Memory>,
    pending: Option<Pending>,
    depth: usize,
}

impl Writer<'_> {
    fn tag(&mut self, tag: u8) {
        self.wire.push(tag);
    }

    fn count(&mut self, count: usize) -> Result<(), Fault> {
        let count = u32::try_from(count).map_err(|_| Fault::new("it has more than 4,294,967,295 parts"))?;
        self.wire.extend(count.to_le_bytes());
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Fault> {
        self.tag(wire::UTF8);
        self.count(text.len())?;
        self.wire.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn number(&mut self, number: f64) {
        let integer = number as i32;
        if f64::from(integer) == number && !(integer == 0 && number.is_sign_negative()) {
            self.int32(integer);
        } else {
            self.tag(wire::FLOAT64);
            self.wire.extend(number.to_le_bytes());
        }
    }

    fn int32(&mut self, integer: i32) {
        match u8::try_from(integer) {
            Ok(small) if small < wire::FIRST_TAG => self.tag(small),
            _ => {
                self.tag(wire::INT32);
                self.wire.extend(integer.to_le_bytes());
            }
        }
    }

    fn big(&mut self, is_negative: bool, magnitude: u128) -> Result<(), Fault> {
        let words = [magnitude as u64, (magnitude >> 64) as u64];
        let count = words.iter().rposition(|&word| word != 0).map_or(0, |last| last + 1);
        self.big_words(is_negative, &words[..count])
    }

    fn big_words(&mut self, is_negative: bool, words: &[u64]) -> Result<(), Fault> {
        let count = words.iter().rposition(|&word| word != 0).map_or(0, |last| last + 1);
        self.tag(wire::BIGINT);
        self.wire.push(u8::from(is_negative && count > 0));
        self.count(count)?;
        self.wire.extend(words[..count].iter().flat_map(|word| word.to_le_bytes()));
        Ok(())
    }

    fn integer(&mut self, integer: i128) -> Result<(), Fault> {
        const SAFE: u128 = (1 << 53) - 1;
        match self.pending.take() {
            Some(Pending::BigInt) => self.big(integer < 0, integer.unsigned_abs()),
            Some(Pending::Bare) => {
                self.wire.push(integer as u8);
                Ok(())
            }
            Some(Pending::Handle(kind)) => self.handle(kind, integer as u64),
            _ if integer.unsigned_abs() > SAFE => Err(Fault::new(format_args!(
                "the integer {integer} is no exact number in JavaScript: wrap it in rust_workers_task::BigInt"
            ))),
            _ => {
                self.number(integer as f64);
                Ok(())
            }
        }
    }

    fn handle(&mut self, kind: u32, number: u64) -> Result<(), Fault> {
        let memory =
            self.memory.ok_or_else(|| Fault::new("shared memory and ports can only be in results"))?;
        let (found, view) = memory.handle(kind, number)?;
        if kind == part::SHARED {
            self.tag(wire::SHARED);
            self.wire.push(view);
        } else {
            self.tag(wire::PORT);
        }
        self.count(self.parts.len())?;
        self.parts.push(found);
        Ok(())
    }

    fn block(&mut self, kind: u8, bytes: &[u8]) -> Result<(), Fault> {
        let placed = self.memory.map_or(Ok(Placed::InWire), |memory| memory.place(bytes, &self.parts))?;
        match placed {
            Placed::InWire => {
                self.tag(wire::BYTES);
                self.wire.push(kind);
                self.count(bytes.len())?;
                self.wire.extend_from_slice(bytes);
            }
            Placed::Part(found) => {
                self.tag(wire::BYTES_PART);
                self.wire.push(kind);
                self.count(self.parts.len())?;
                self.parts.push(found);
            }
        }
        Ok(())
    }

    /// An object with one property, whose value follows.
    fn variant(&mut self, name: &str) -> Result<(), Fault> {
        self.tag(wire::OBJECT);
        self.count(1)?;
        self.text(name)
    }

    fn enter(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth > wire::MAX_DEPTH {
            return Err(Fault::new(format_args!("it is nested more than {} levels deep", wire::MAX_DEPTH)));
        }
        Ok(())
    }
}

macro_rules! integers {
    ($($name:ident($type:ty))*) => {
        $(fn $name(self, value: $type) -> Result<(), Fault> {
            self.integer(i128::from(value))
        })*
    };
}

impl<'a, 'm> ser::Serializer for &'a mut Writer<'m> {
    type Ok = ();
    type Error = Fault;
    type SerializeSeq = Compound<'a, 'm>;
    type SerializeTuple = Compound<'a, 'm>;
    type SerializeTupleStruct = Compound<'a, 'm>;
    type SerializeTupleVariant = Compound<'a, 'm>;
    type SerializeMap = Compound<'a, 'm>;
    type SerializeStruct = Compound<'a, 'm>;
    type SerializeStructVariant = Compound<'a, 'm>;

    integers!(serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64));
    integers!(serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64));

    fn serialize_i128(self, value: i128) -> Result<(), Fault> {
        self.pending = None;
        self.big(value < 0, value.unsigned_abs())
    }

    fn serialize_u128(self, value: u128) -> Result<(), Fault> {
        self.pending = None;
        self.big(false, value)
    }

    fn serialize_bool(self, value: bool) -> Result<(), Fault> {
        self.tag(if value { wire::TRUE } else { wire::FALSE });
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Fault> {
        self.serialize_f64(f64::from(value))
    }

    fn serialize_f64(self, value: f64) -> Result<(), Fault> {
        if self.pending.take() == Some(Pending::Date) {
            self.tag(wire::DATE);
            self.wire.extend(value.to_le_bytes());
        } else {
            self.number(value);
        }
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Fault> {
        self.text(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Fault> {
        self.text(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Fault> {
        match self.pending.take() {
            Some(Pending::Block(kind)) => self.block(kind, value),
            Some(Pending::BigInt) => {
                let (sign, words) = value.split_first().unwrap_or((&0, &[]));
                let words: Vec<u64> =
                    words.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
                self.big_words(*sign != 0, &words)
            }
            _ => self.block(bytes::UINT8_ARRAY, value),
        }
    }

    fn serialize_none(self) -> Result<(), Fault> {
        self.tag(wire::NULL);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Fault> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Fault> {
        self.tag(wire::UNDEFINED);
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Fault> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Fault> {
        self.text(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Fault> {
        let block = || name.strip_prefix(ARRAY_PREFIX).and_then(|kind| kind.parse().ok()).map(Pending::Block);
        self.pending = match name {
            DATE => Some(Pending::Date),
            BIG_INT => Some(Pending::BigInt),
            MAP => Some(Pending::Map),
            SET => Some(Pending::Set),
            ERROR => Some(Pending::Error),
            BARE => Some(Pending::Bare),
            SHARED => Some(Pending::Handle(part::SHARED)),
            PORT => Some(Pending::Handle(part::PORT)),
            _ => block(),
        };
        let done = value.serialize(&mut *self);
        // A wrapper around something else leaves no trace.
        self.pending = None;
        done
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Fault> {
        self.pending = None;
        self.enter()?;
        self.variant(variant)?;
        value.serialize(&mut *self).map_err(|fault| fault.at_key(variant))?;
        self.depth -= 1;
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Fault> {
        Compound::sequence(self, 1)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Fault> {
        Compound::sequence(self, 1)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Fault> {
        Compound::sequence(self, 1)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Fault> {
        self.pending = None;
        self.enter()?;
        self.variant(variant)?;
        Compound::sequence(self, 2)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Fault> {
        Compound::map(self, 1)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Fault> {
        self.pending = None;
        Compound::map(self, 1)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Fault> {
        self.pending = None;
        self.enter()?;
        self.variant(variant)?;
        Compound::map(self, 2)
    }
}
