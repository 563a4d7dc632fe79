//! Raw bytes, with the JavaScript type that they came as or will go back as.

use std::fmt;

use super::blocks;
use crate::allocation;
use crate::error::Result;
use crate::exported_numbers::Numbers;
use crate::numbers;

/// The JavaScript type of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum BytesKind {
    /// `ArrayBuffer`
    ArrayBuffer = 0,
    /// `Buffer`
    Buffer = 1,
    /// `DataView`
    DataView = 2,
    /// `Int8Array`
    Int8 = 3,
    /// `Uint8Array`
    Uint8 = 4,
    /// `Uint8ClampedArray`
    Uint8Clamped = 5,
    /// `Int16Array`
    Int16 = 6,
    /// `Uint16Array`
    Uint16 = 7,
    /// `Int32Array`
    Int32 = 8,
    /// `Uint32Array`
    Uint32 = 9,
    /// `Float32Array`
    Float32 = 10,
    /// `Float64Array`
    Float64 = 11,
    /// `BigInt64Array`
    BigInt64 = 12,
    /// `BigUint64Array`
    BigUint64 = 13,
    /// `Float16Array` (Node 24 and later)
    Float16 = 14,
}

/// The kinds, for JavaScript.
pub(super) const NUMBERS: Numbers = numbers! {
    ARRAY_BUFFER = BytesKind::ArrayBuffer, BUFFER = BytesKind::Buffer, DATA_VIEW = BytesKind::DataView,
    INT8 = BytesKind::Int8, UINT8 = BytesKind::Uint8, UINT8_CLAMPED = BytesKind::Uint8Clamped,
    INT16 = BytesKind::Int16, UINT16 = BytesKind::Uint16, INT32 = BytesKind::Int32, UINT32 = BytesKind::Uint32,
    FLOAT32 = BytesKind::Float32, FLOAT64 = BytesKind::Float64, BIG_INT64 = BytesKind::BigInt64,
    BIG_UINT64 = BytesKind::BigUint64, FLOAT16 = BytesKind::Float16,
};

impl BytesKind {
    /// Every kind, at the index of its wire number.
    pub const ALL: [BytesKind; 15] = [
        BytesKind::ArrayBuffer,
        BytesKind::Buffer,
        BytesKind::DataView,
        BytesKind::Int8,
        BytesKind::Uint8,
        BytesKind::Uint8Clamped,
        BytesKind::Int16,
        BytesKind::Uint16,
        BytesKind::Int32,
        BytesKind::Uint32,
        BytesKind::Float32,
        BytesKind::Float64,
        BytesKind::BigInt64,
        BytesKind::BigUint64,
        BytesKind::Float16,
    ];

    /// The kind with this wire number.
    pub fn from_wire(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// The size of one element in bytes.
    pub fn element_size(self) -> usize {
        match self {
            BytesKind::ArrayBuffer
            | BytesKind::Buffer
            | BytesKind::DataView
            | BytesKind::Int8
            | BytesKind::Uint8
            | BytesKind::Uint8Clamped => 1,
            BytesKind::Int16 | BytesKind::Uint16 | BytesKind::Float16 => 2,
            BytesKind::Int32 | BytesKind::Uint32 | BytesKind::Float32 => 4,
            BytesKind::Float64 | BytesKind::BigInt64 | BytesKind::BigUint64 => 8,
        }
    }

    /// Its name in error messages.
    pub fn describe(self) -> &'static str {
        match self {
            BytesKind::ArrayBuffer => "an ArrayBuffer",
            BytesKind::Buffer => "a Buffer",
            BytesKind::DataView => "a DataView",
            BytesKind::Int8 => "an Int8Array",
            BytesKind::Uint8 => "a Uint8Array",
            BytesKind::Uint8Clamped => "a Uint8ClampedArray",
            BytesKind::Int16 => "an Int16Array",
            BytesKind::Uint16 => "a Uint16Array",
            BytesKind::Int32 => "an Int32Array",
            BytesKind::Uint32 => "a Uint32Array",
            BytesKind::Float32 => "a Float32Array",
            BytesKind::Float64 => "a Float64Array",
            BytesKind::BigInt64 => "a BigInt64Array",
            BytesKind::BigUint64 => "a BigUint64Array",
            BytesKind::Float16 => "a Float16Array",
        }
    }
}

/// A byte buffer made of 8-byte words, so that every element type is aligned in it.
#[derive(Default)]
pub struct Words {
    words: Vec<u64>,
    len: usize,
}

impl Words {
    /// `len` zero bytes.
    ///
    /// # Errors
    /// `ValueTooLarge` when there is no memory for them. The other functions here have the same error.
    pub fn zeroed(len: usize) -> Result<Self> {
        Ok(Words { words: allocation::zeros(len.div_ceil(8))?, len })
    }

    /// `len` bytes of any contents, all to be overwritten: in memory that was used before, where there is some, so that no
    /// pages have to be mapped.
    pub fn for_copy(len: usize) -> Result<Self> {
        let mut words = blocks::used(len.div_ceil(8))?;
        words.resize(len.div_ceil(8), 0);
        Ok(Words { words, len })
    }

    /// A copy of `bytes`.
    pub fn copy_from(bytes: &[u8]) -> Result<Self> {
        // Word by word, which becomes one pass of vector moves: memory that is zeroed first is written twice.
        let (whole, rest) = bytes.as_chunks::<8>();
        let mut words = blocks::with_capacity(bytes.len().div_ceil(8))?;
        words.extend(whole.iter().map(|word| u64::from_ne_bytes(*word)));
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            words.push(u64::from_ne_bytes(last));
        }
        Ok(Words { words, len: bytes.len() })
    }

    /// Forgets all but the first `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// The length in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.len]
    }

    /// The bytes, to write to.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.words)[..self.len]
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        blocks::give_back(std::mem::take(&mut self.words));
    }
}

/// Memory that JavaScript transferred and that only Rust uses until it goes back or is dropped.
///
/// The implementation is in `node/`; the engine sees slices only.
pub trait ForeignBytes: Send {
    /// The bytes; aligned to 8.
    fn as_slice(&self) -> &[u8];
    /// The bytes, to write to.
    fn as_mut_slice(&mut self) -> &mut [u8];
    /// So that the module that made it can get its own type back.
    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any + Send>;
}

/// Where the bytes are.
enum Store {
    Owned(Words),
    Foreign(Box<dyn ForeignBytes>),
}

/// Raw bytes with their JavaScript type.
pub struct Bytes {
    kind: BytesKind,
    store: Store,
}

impl Bytes {
    /// Bytes owned by Rust.
    pub fn owned(kind: BytesKind, words: Words) -> Self {
        Bytes { kind, store: Store::Owned(words) }
    }

    /// A copy of `bytes`.
    ///
    /// # Errors
    /// `ValueTooLarge` when there is no memory for it.
    pub fn copy_from(kind: BytesKind, bytes: &[u8]) -> Result<Self> {
        Ok(Bytes::owned(kind, Words::copy_from(bytes)?))
    }

    /// A copy of the few bytes of a test.
    #[cfg(test)]
    pub(crate) fn of(kind: BytesKind, bytes: &[u8]) -> Self {
        Bytes::copy_from(kind, bytes).expect("few")
    }

    /// Bytes that JavaScript transferred.
    pub fn foreign(kind: BytesKind, memory: Box<dyn ForeignBytes>) -> Self {
        Bytes { kind, store: Store::Foreign(memory) }
    }

    /// The JavaScript type.
    pub fn kind(&self) -> BytesKind {
        self.kind
    }

    /// The same bytes as another JavaScript type.
    #[must_use]
    pub fn with_kind(mut self, kind: BytesKind) -> Self {
        self.kind = kind;
        self
    }

    /// Whether the memory is JavaScript's.
    pub fn is_foreign(&self) -> bool {
        matches!(self.store, Store::Foreign(_))
    }

    /// The length in bytes.
    pub fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        match &self.store {
            Store::Owned(words) => words.as_slice(),
            Store::Foreign(memory) => memory.as_slice(),
        }
    }

    /// The bytes, to write to.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        match &mut self.store {
            Store::Owned(words) => words.as_mut_slice(),
            Store::Foreign(memory) => memory.as_mut_slice(),
        }
    }

    /// The memory itself: the words that Rust owns, or what JavaScript transferred.
    pub fn into_memory(self) -> Result<Words, Box<dyn ForeignBytes>> {
        match self.store {
            Store::Owned(words) => Ok(words),
            Store::Foreign(memory) => Err(memory),
        }
    }
}

impl Clone for Bytes {
    /// Panics when there is no memory, which fails the task; use `copy_from` for bytes that may be many.
    fn clone(&self) -> Self {
        Bytes::copy_from(self.kind, self.as_slice()).unwrap_or_else(|error| panic!("{error}"))
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.as_slice() == other.as_slice()
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({:?}, {} bytes)", self.kind, self.len())
    }
}
