//! Keys of objects: texts, and what has one way to be a text.

use std::fmt::Display;

use serde::ser::{Impossible, Serialize, Serializer};

use crate::fault::Fault;

pub(super) struct KeyWriter;

fn no_key<T>() -> Result<T, Fault> {
    Err(Fault::new("a key of an object must be a text or a number: wrap it in rust_workers_task::Map"))
}

macro_rules! shown {
    ($($name:ident($type:ty))*) => {
        $(fn $name(self, value: $type) -> Result<String, Fault> {
            Ok(value.to_string())
        })*
    };
}

impl Serializer for KeyWriter {
    type Ok = String;
    type Error = Fault;
    type SerializeSeq = Impossible<String, Fault>;
    type SerializeTuple = Impossible<String, Fault>;
    type SerializeTupleStruct = Impossible<String, Fault>;
    type SerializeTupleVariant = Impossible<String, Fault>;
    type SerializeMap = Impossible<String, Fault>;
    type SerializeStruct = Impossible<String, Fault>;
    type SerializeStructVariant = Impossible<String, Fault>;

    shown!(serialize_bool(bool) serialize_char(char) serialize_str(&str));
    shown!(serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64) serialize_i128(i128));
    shown!(serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_u128(u128));

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<String, Fault> {
        Ok(value.to_string())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<String, Fault> {
        Ok(variant.to_owned())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<String, Fault> {
        value.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<String, Fault> {
        value.serialize(self)
    }

    fn serialize_f32(self, _: f32) -> Result<String, Fault> {
        no_key()
    }

    fn serialize_f64(self, _: f64) -> Result<String, Fault> {
        no_key()
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<String, Fault> {
        no_key()
    }

    fn serialize_none(self) -> Result<String, Fault> {
        no_key()
    }

    fn serialize_unit(self) -> Result<String, Fault> {
        no_key()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<String, Fault> {
        no_key()
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<String, Fault> {
        no_key()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Fault> {
        no_key()
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Fault> {
        no_key()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Fault> {
        no_key()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Fault> {
        no_key()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Fault> {
        no_key()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Fault> {
        no_key()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Fault> {
        no_key()
    }
}
