//! Arrays, objects, Maps, Sets and errors, whose count is written when they end.

use rust_workers_abi::wire;
use serde::ser::{self, Serialize};

use super::key::KeyWriter;
use super::{Pending, Writer};
use crate::fault::Fault;

pub(crate) struct Compound<'a, 'm> {
    writer: &'a mut Writer<'m>,
    /// Where the count stands; an error has none.
    count_at: Option<usize>,
    count: usize,
    /// The levels that it stands for.
    levels: usize,
    /// Keys are values of their own: a Map.
    has_any_keys: bool,
    /// The last key, for a fault in its value.
    key: String,
}

impl<'a, 'm> Compound<'a, 'm> {
    fn new(
        writer: &'a mut Writer<'m>,
        tag: Option<u8>,
        has_count: bool,
        levels: usize,
    ) -> Result<Self, Fault> {
        writer.enter()?;
        writer.wire.extend(tag);
        let count_at = has_count.then_some(writer.wire.len());
        if has_count {
            writer.count(0)?;
        }
        let has_any_keys = tag == Some(wire::MAP);
        Ok(Compound { writer, count_at, count: 0, levels, has_any_keys, key: String::new() })
    }

    pub(super) fn sequence(writer: &'a mut Writer<'m>, levels: usize) -> Result<Self, Fault> {
        match writer.pending.take() {
            Some(Pending::Set) => Self::new(writer, Some(wire::SET), true, levels),
            Some(Pending::Error) => Self::new(writer, Some(wire::ERROR), false, levels),
            _ => Self::new(writer, Some(wire::ARRAY), true, levels),
        }
    }

    pub(super) fn map(writer: &'a mut Writer<'m>, levels: usize) -> Result<Self, Fault> {
        match writer.pending.take() {
            Some(Pending::Map) => Self::new(writer, Some(wire::MAP), true, levels),
            Some(Pending::Bare) => Self::new(writer, None, true, levels),
            _ => Self::new(writer, Some(wire::OBJECT), true, levels),
        }
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        value.serialize(&mut *self.writer).map_err(|fault| fault.at_index(self.count))?;
        self.count += 1;
        Ok(())
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Fault> {
        self.writer.text(key)?;
        value.serialize(&mut *self.writer).map_err(|fault| fault.at_key(key))?;
        self.count += 1;
        Ok(())
    }

    fn finish(self) -> Result<(), Fault> {
        if let Some(at) = self.count_at {
            let count =
                u32::try_from(self.count).map_err(|_| Fault::new("it has more than 4,294,967,295 parts"))?;
            self.writer.wire[at..at + 4].copy_from_slice(&count.to_le_bytes());
        }
        self.writer.depth -= self.levels;
        Ok(())
    }
}

macro_rules! sequences {
    ($($trait:ident $method:ident)*) => {
        $(impl ser::$trait for Compound<'_, '_> {
            type Ok = ();
            type Error = Fault;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
                self.element(value)
            }
            fn end(self) -> Result<(), Fault> {
                self.finish()
            }
        })*
    };
}

sequences! {
    SerializeSeq serialize_element
    SerializeTuple serialize_element
    SerializeTupleStruct serialize_field
    SerializeTupleVariant serialize_field
}

macro_rules! structs {
    ($($trait:ident)*) => {
        $(impl ser::$trait for Compound<'_, '_> {
            type Ok = ();
            type Error = Fault;
            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Fault> {
                self.field(key, value)
            }
            fn end(self) -> Result<(), Fault> {
                self.finish()
            }
        })*
    };
}

structs!(SerializeStruct SerializeStructVariant);

impl ser::SerializeMap for Compound<'_, '_> {
    type Ok = ();
    type Error = Fault;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Fault> {
        if self.has_any_keys {
            return key.serialize(&mut *self.writer).map_err(|fault| fault.at_index(self.count));
        }
        self.key = key.serialize(KeyWriter)?;
        self.writer.text(&self.key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        value.serialize(&mut *self.writer).map_err(|fault| {
            if self.has_any_keys { fault.at_index(self.count) } else { fault.at_key(&self.key) }
        })?;
        self.count += 1;
        Ok(())
    }

    fn end(self) -> Result<(), Fault> {
        self.finish()
    }
}
