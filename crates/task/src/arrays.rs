//! Blocks of bytes: typed arrays, buffers and views, as elements.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Unexpected, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::element::{self, Element};
use crate::raw;

/// A typed array that owns its elements: `Array<f64>` is a `Float64Array` in JavaScript, wherever in a value it stands. As an input it
/// is a copy, and may also be a plain array of numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Array<T>(pub Vec<T>);

/// Bytes: a `Uint8Array` in JavaScript. As an input also a `Buffer`, an `ArrayBuffer` or a `DataView`.
pub type Bytes = Array<u8>;

/// A typed array of the input, where it stands: no copy. At the top of an input `&[T]` is the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slice<'a, T>(&'a [T]);

/// A typed array of the input, to be changed where it stands: no copy. At the top of an input `&mut [T]` is the same. Returned
/// from the task, it arrives as that memory.
#[derive(Debug, PartialEq)]
pub struct SliceMut<'a, T>(&'a mut [T]);

/// Memory of the host's: [`Context::alloc`](crate::Context::alloc).
#[derive(Debug, PartialEq)]
pub struct Block<'a, T>(&'a mut [T]);

impl<'a, T: Element> Slice<'a, T> {
    /// The elements, for as long as the input lives.
    pub fn into_inner(self) -> &'a [T] {
        self.0
    }
}

impl<'a, T: Element> SliceMut<'a, T> {
    /// The elements, for as long as the input lives.
    pub fn into_inner(self) -> &'a mut [T] {
        self.0
    }
}

impl<'a, T: Element> Block<'a, T> {
    /// Memory that is aligned to 8.
    pub(crate) fn new(memory: &'a mut [u8]) -> Self {
        Block(bytemuck::try_cast_slice_mut(memory).unwrap_or_default())
    }

    /// Only its first `len` elements.
    #[must_use]
    pub fn truncate(self, len: usize) -> Self {
        let len = len.min(self.0.len());
        Block(&mut self.0[..len])
    }
}

macro_rules! slices {
    ($($name:ident $(<$life:lifetime>)?)*) => {
        $(
            impl<$($life,)? T> Deref for $name<$($life,)? T> {
                type Target = [T];
                fn deref(&self) -> &[T] {
                    &self.0
                }
            }
            impl<$($life,)? T: Element> Serialize for $name<$($life,)? T> {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serialize_elements(self, serializer)
                }
            }
        )*
    };
}

slices!(Array Slice<'a> SliceMut<'a> Block<'a>);

macro_rules! mutable_slices {
    ($($name:ident $(<$life:lifetime>)?)*) => {
        $(
            impl<$($life,)? T> DerefMut for $name<$($life,)? T> {
                fn deref_mut(&mut self) -> &mut [T] {
                    &mut self.0
                }
            }
        )*
    };
}

mutable_slices!(Array SliceMut<'a> Block<'a>);

impl<T> From<Vec<T>> for Array<T> {
    fn from(elements: Vec<T>) -> Self {
        Array(elements)
    }
}

impl<T: Clone> From<&[T]> for Array<T> {
    fn from(elements: &[T]) -> Self {
        Array(elements.to_vec())
    }
}

impl<T> From<Array<T>> for Vec<T> {
    fn from(array: Array<T>) -> Self {
        array.0
    }
}

impl<T> FromIterator<T> for Array<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        Array(elements.into_iter().collect())
    }
}

/// Bytes, as serde calls them.
pub(crate) struct Raw<'a>(pub(crate) &'a [u8]);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

/// As the typed array of `T`.
pub(crate) fn serialize_elements<T: Element, S: Serializer>(
    elements: &[T],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(T::ARRAY, &Raw(bytemuck::must_cast_slice(elements)))
}

fn expecting<T: Element>(formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    formatter.write_str(element::kind_name(T::KIND))
}

impl<'de, T: Element + Deserialize<'de>> Deserialize<'de> for Array<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Owned<T>(PhantomData<T>);
        impl<'de, T: Element + Deserialize<'de>> Visitor<'de> for Owned<T> {
            type Value = Array<T>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                expecting::<T>(formatter)
            }
            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                if !bytes.len().is_multiple_of(size_of::<T>()) {
                    return Err(E::invalid_length(bytes.len(), &self));
                }
                Ok(Array(bytemuck::allocation::pod_collect_to_vec(bytes)))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
                // A wrong count must not ask for all memory.
                let mut array = Vec::with_capacity(elements.size_hint().unwrap_or(0).min(65_536));
                while let Some(element) = elements.next_element()? {
                    array.push(element);
                }
                Ok(Array(array))
            }
            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<Self::Value, D::Error> {
                deserializer.deserialize_byte_buf(self)
            }
        }
        deserializer.deserialize_newtype_struct(T::ARRAY, Owned(PhantomData))
    }
}

impl<'de: 'a, 'a, T: Element> Deserialize<'de> for Slice<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrowed<T>(PhantomData<T>);
        impl<'de, T: Element> Visitor<'de> for Borrowed<T> {
            type Value = &'de [T];
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                expecting::<T>(formatter)
            }
            fn visit_borrowed_bytes<E: de::Error>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
                bytemuck::try_cast_slice(bytes).map_err(|_| E::invalid_length(bytes.len(), &self))
            }
            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<Self::Value, D::Error> {
                deserializer.deserialize_bytes(self)
            }
        }
        deserializer.deserialize_newtype_struct(T::ARRAY, Borrowed(PhantomData)).map(Slice)
    }
}

impl<'de: 'a, 'a, T: Element> Deserialize<'de> for SliceMut<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InPlace<T>(PhantomData<T>);
        impl<'de, T: Element> Visitor<'de> for InPlace<T> {
            type Value = &'de mut [T];
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                expecting::<T>(formatter)
            }
            fn visit_borrowed_bytes<E: de::Error>(self, tag: &'de [u8]) -> Result<Self::Value, E> {
                let memory = raw::take_memory(tag).ok_or_else(|| {
                    E::invalid_type(Unexpected::Other("bytes that cannot be changed in place"), &self)
                })?;
                let len = memory.len();
                bytemuck::try_cast_slice_mut(memory).map_err(|_| E::invalid_length(len, &self))
            }
        }
        deserializer.deserialize_newtype_struct(T::ARRAY_MUT, InPlace(PhantomData)).map(SliceMut)
    }
}
