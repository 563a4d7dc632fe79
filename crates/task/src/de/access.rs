//! Elements, entries and variants, one after the other.

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use rust_workers_abi::{bytes, wire};

use super::Source;
use super::key::Key;
use crate::element::{element_size, half_to_f64};
use crate::fault::Fault;

/// The elements of an array or a Set.
pub(super) struct Items<'s, 'de> {
    pub(super) source: &'s mut Source<'de>,
    pub(super) index: usize,
    pub(super) count: usize,
}

impl<'de> SeqAccess<'de> for &mut Items<'_, 'de> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        if self.index == self.count {
            return Ok(None);
        }
        let value = seed.deserialize(&mut *self.source).map_err(|fault| fault.at_index(self.index))?;
        self.index += 1;
        Ok(Some(value))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.count - self.index)
    }
}

/// The numbers of a typed array.
pub(super) struct Elements<'de> {
    kind: u8,
    bytes: &'de [u8],
}

impl<'de> Elements<'de> {
    pub(super) fn new(kind: u8, bytes: &'de [u8]) -> Self {
        Elements { kind, bytes }
    }

    fn next<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.bytes.split_first_chunk::<N>()?;
        self.bytes = rest;
        Some(*first)
    }

    /// The next element to `seed`.
    fn give<'x, T, const N: usize, S>(
        &mut self,
        seed: S,
        read: fn([u8; N]) -> T,
    ) -> Result<Option<S::Value>, Fault>
    where
        T: IntoDeserializer<'x, Fault>,
        S: DeserializeSeed<'x>,
    {
        self.next::<N>().map(|bytes| seed.deserialize(read(bytes).into_deserializer())).transpose()
    }
}

impl<'de> SeqAccess<'de> for Elements<'de> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        match self.kind {
            bytes::INT8_ARRAY => self.give(seed, i8::from_le_bytes),
            bytes::INT16_ARRAY => self.give(seed, i16::from_le_bytes),
            bytes::UINT16_ARRAY => self.give(seed, u16::from_le_bytes),
            bytes::INT32_ARRAY => self.give(seed, i32::from_le_bytes),
            bytes::UINT32_ARRAY => self.give(seed, u32::from_le_bytes),
            bytes::FLOAT32_ARRAY => self.give(seed, f32::from_le_bytes),
            bytes::FLOAT64_ARRAY => self.give(seed, f64::from_le_bytes),
            bytes::BIG_INT64_ARRAY => self.give(seed, i64::from_le_bytes),
            bytes::BIG_UINT64_ARRAY => self.give(seed, u64::from_le_bytes),
            bytes::FLOAT16_ARRAY => self.give(seed, |half| half_to_f64(u16::from_le_bytes(half))),
            _ => self.give(seed, u8::from_le_bytes),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.bytes.len() / element_size(self.kind))
    }
}

/// The entries of an object or a Map.
pub(super) struct Entries<'s, 'de> {
    pub(super) source: &'s mut Source<'de>,
    pub(super) left: usize,
    pub(super) has_any_keys: bool,
    /// Of the value that comes next.
    pub(super) key: Option<&'de str>,
    pub(super) index: usize,
}

impl<'de> Entries<'_, 'de> {
    /// Goes past what a visitor has not taken.
    pub(super) fn skip_rest(&mut self) -> Result<(), Fault> {
        while self.left > 0 {
            self.source.skip()?;
            self.source.skip()?;
            self.left -= 1;
        }
        Ok(())
    }

    fn within(&self, fault: Fault) -> Fault {
        match self.key {
            Some(key) => fault.at_key(key),
            None => fault.at_index(self.index),
        }
    }
}

impl<'de> MapAccess<'de> for &mut Entries<'_, 'de> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        if self.left == 0 {
            return Ok(None);
        }
        if self.has_any_keys {
            let key = seed.deserialize(&mut *self.source).map_err(|fault| fault.at_index(self.index))?;
            return Ok(Some(key));
        }
        let key = self.source.reader.text()?;
        self.key = Some(key);
        seed.deserialize(Key(key)).map(Some).map_err(|fault| fault.at_key(key))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let value = seed.deserialize(&mut *self.source).map_err(|fault| self.within(fault))?;
        self.left -= 1;
        self.index += 1;
        Ok(value)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// An error as an object: its name, message and stack, then its other properties.
pub(super) struct ErrorEntries<'s, 'de> {
    texts: std::vec::IntoIter<(&'static str, &'de str)>,
    text: Option<&'de str>,
    rest: Entries<'s, 'de>,
}

impl<'s, 'de> ErrorEntries<'s, 'de> {
    /// Reads what follows the tag.
    pub(super) fn read(source: &'s mut Source<'de>) -> Result<Self, Fault> {
        let class = source.reader.text()?;
        let flags = source.reader.byte()?;
        let mut texts = vec![("name", class)];
        if flags & wire::ERROR_HAS_NAME != 0 {
            texts[0].1 = source.reader.text()?;
        }
        for (flag, key) in [(wire::ERROR_HAS_MESSAGE, "message"), (wire::ERROR_HAS_STACK, "stack")] {
            if flags & flag != 0 {
                texts.push((key, source.reader.text()?));
            }
        }
        let left = source.values(2)?;
        let rest = Entries { source, left, has_any_keys: false, key: None, index: 0 };
        Ok(ErrorEntries { texts: texts.into_iter(), text: None, rest })
    }

    pub(super) fn rest(&mut self) -> &mut Entries<'s, 'de> {
        &mut self.rest
    }
}

impl<'de> MapAccess<'de> for &mut ErrorEntries<'_, 'de> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        match self.texts.next() {
            Some((key, text)) => {
                self.text = Some(text);
                seed.deserialize(BorrowedStrDeserializer::new(key)).map(Some)
            }
            None => (&mut &mut self.rest).next_key_seed(seed),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        match self.text.take() {
            Some(text) => seed.deserialize(BorrowedStrDeserializer::new(text)),
            None => (&mut &mut self.rest).next_value_seed(seed),
        }
    }
}

/// A variant of an enum that stands as `{ name: value }`.
pub(super) struct Variant<'s, 'de> {
    pub(super) source: &'s mut Source<'de>,
    pub(super) name: &'de str,
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Fault> {
        let name = seed.deserialize(BorrowedStrDeserializer::<Fault>::new(self.name))?;
        Ok((name, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        serde::Deserialize::deserialize(self.source)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Fault> {
        seed.deserialize(self.source)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Fault> {
        self.source.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.source.deserialize_struct("", fields, visitor)
    }
}
