//! Shared memory of JavaScript's.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::element::{self, Element};
use crate::error::Error;
use crate::raw::{self, Cells};

pub(crate) const SHARED: &str = "$rust_workers::Shared";

/// How serde's traits pass shared memory and ports on to the writer of a result: what the view is, and the index of the part.
pub(crate) fn number_of(view: u8, index: usize) -> u64 {
    u64::from(view) << 32 | index as u64 & 0xffff_ffff
}

pub(crate) fn split_number(number: u64) -> (usize, u8) {
    ((number & 0xffff_ffff) as usize, (number >> 32) as u8)
}

/// Shared memory (a `SharedArrayBuffer`, `SharedBuffer`, or a view of one). JavaScript and other threads may write to it at any time,
/// so there are no plain references to it: use its atomic cells, or copy.
///
/// A task that changes it must be declared `in_place` (nobody else has the memory meanwhile) or `atomic` (others have it, and all
/// of them use atomics). Returned from the task, it arrives as the same memory.
///
/// `read` and `write` access whole words of 8 bytes, relaxed, so an element that is aligned to its size is never torn. Others may
/// use smaller cells of the same memory at that time, as JavaScript does: each byte then is one that was written.
#[derive(Clone, Copy)]
pub struct Shared<'a> {
    view: u8,
    index: u32,
    bytes: &'a [AtomicU8],
}

impl<'a> Shared<'a> {
    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Its atomic cells: `AtomicU8` to `AtomicI64`. An error if it is not aligned to them. Bytes at the end that fill no cell are
    /// left out.
    pub fn cells<C: Cells>(&self) -> Result<&'a [C], Error> {
        raw::cast_cells(self.bytes).ok_or_else(|| {
            let size = size_of::<C>();
            Error::invalid_input(format_args!(
                "the shared memory does not begin at a multiple of {size} bytes"
            ))
        })
    }

    /// Copies elements out, from the byte `start` on.
    ///
    /// # Panics
    /// If they are not all within it.
    pub fn read<T: Element>(&self, start: usize, into: &mut [T]) {
        let into: &mut [u8] = bytemuck::must_cast_slice_mut(into);
        let bytes = &self.bytes[start..start + into.len()];
        let (head, words, tail) = by_words(bytes);
        let (first, rest) = into.split_at_mut(head.len());
        let (middle, last) = rest.split_at_mut(size_of_val(words));
        for (to, from) in first.iter_mut().zip(head).chain(last.iter_mut().zip(tail)) {
            *to = from.load(Ordering::Relaxed);
        }
        for (to, from) in middle.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *to = from.load(Ordering::Relaxed).to_ne_bytes();
        }
    }

    /// Copies elements in, from the byte `start` on.
    ///
    /// # Panics
    /// If they would not all be within it.
    pub fn write<T: Element>(&self, start: usize, from: &[T]) {
        let from: &[u8] = bytemuck::must_cast_slice(from);
        let bytes = &self.bytes[start..start + from.len()];
        let (head, words, tail) = by_words(bytes);
        let (first, rest) = from.split_at(head.len());
        let (middle, last) = rest.split_at(size_of_val(words));
        for (from, to) in first.iter().zip(head).chain(last.iter().zip(tail)) {
            to.store(*from, Ordering::Relaxed);
        }
        for (from, to) in middle.as_chunks::<8>().0.iter().zip(words) {
            to.store(u64::from_ne_bytes(*from), Ordering::Relaxed);
        }
    }

    /// A copy of it, as elements. Bytes at the end that fill no element are left out.
    pub fn to_vec<T: Element>(&self) -> Vec<T> {
        let mut copy = vec![T::zeroed(); self.len() / size_of::<T>()];
        self.read(0, &mut copy);
        copy
    }
}

/// Cells until the first word, words, and cells after the last. That others access the same bytes by other sizes is answered for in the
/// host's src/shared/bulk.rs.
fn by_words(bytes: &[AtomicU8]) -> (&[AtomicU8], &[AtomicU64], &[AtomicU8]) {
    let head = bytes.as_ptr().align_offset(align_of::<AtomicU64>()).min(bytes.len());
    let (head, rest) = bytes.split_at(head);
    let words: &[AtomicU64] = raw::cast_cells(rest).unwrap_or(&[]);
    (head, words, &rest[size_of_val(words)..])
}

impl<'de: 'a, 'a> Deserialize<'de> for Shared<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfTag;
        impl<'de> Visitor<'de> for OfTag {
            type Value = Shared<'de>;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("shared memory")
            }
            fn visit_borrowed_bytes<E: de::Error>(self, tag: &'de [u8]) -> Result<Self::Value, E> {
                let (view, index, bytes) = raw::take_cells(tag).ok_or_else(|| {
                    E::invalid_type(de::Unexpected::Other("a block that is not shared"), &self)
                })?;
                Ok(Shared { view, index, bytes })
            }
        }
        deserializer.deserialize_newtype_struct(SHARED, OfTag)
    }
}

impl Serialize for Shared<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(SHARED, &number_of(self.view, self.index as usize))
    }
}

impl std::fmt::Debug for Shared<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Shared({} bytes, as {})", self.len(), element::kind_name(self.view))
    }
}
