//! The parts of an input, and shared memory, of tests.

use std::cell::RefCell;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rust_workers_abi::{self as abi, bytes, part};
use serde::ser::{Serialize, Serializer};

use super::channel::Side;
use crate::element::Element;
use crate::fault::Fault;
use crate::raw::{Memory, Placed};
use crate::shared::SHARED;

/// Shared memory: what clones of it, and tasks that were given it, see.
#[derive(Clone)]
pub struct SharedMemory {
    words: Arc<[AtomicU64]>,
    len: usize,
}

impl SharedMemory {
    /// Memory with these elements in it.
    pub fn new<T: Element>(elements: &[T]) -> Self {
        let bytes: &[u8] = bytemuck::must_cast_slice(elements);
        let word = |chunk: &[u8]| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            AtomicU64::new(u64::from_ne_bytes(word))
        };
        SharedMemory { words: bytes.chunks(8).map(word).collect(), len: bytes.len() }
    }

    /// A copy of it, as elements.
    pub fn to_vec<T: Element>(&self) -> Vec<T> {
        let words = self.words.iter().map(|word| word.load(Ordering::SeqCst).to_ne_bytes());
        let bytes: Vec<u8> = words.flatten().take(self.len).collect();
        bytemuck::allocation::pod_collect_to_vec(&bytes[..self.len - self.len % size_of::<T>()])
    }
}

impl Serialize for SharedMemory {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        pass(Thing::Shared(self.clone()), |number| serializer.serialize_newtype_struct(SHARED, &number))
    }
}

/// What a number stands for on its way to [`Parts`].
pub(super) enum Thing {
    Shared(SharedMemory),
    Port(Arc<Side>),
}

thread_local! {
    static PASSED: RefCell<Option<Thing>> = const { RefCell::new(None) };
}

/// Lays a thing down for the writer, which asks for it by a number.
pub(super) fn pass<T>(thing: Thing, write: impl FnOnce(u64) -> T) -> T {
    PASSED.set(Some(thing));
    let done = write(0);
    PASSED.set(None);
    done
}

/// What a part of a value is kept by. Its memory is never written to through these; tasks have it to themselves while they run.
#[derive(Clone)]
pub(super) enum Kept {
    Bytes(SharedMemory),
    Shared(SharedMemory),
    Port(Arc<Side>),
}

impl Kept {
    /// A copy of a block.
    fn block(bytes: &[u8]) -> Self {
        Kept::Bytes(SharedMemory::new(bytes))
    }

    pub(super) fn part(&self) -> abi::Part {
        let (kind, memory) = match self {
            Kept::Bytes(memory) => (part::BYTES, Some(memory)),
            Kept::Shared(memory) => (part::SHARED, Some(memory)),
            Kept::Port(_) => (part::PORT, None),
        };
        let data = memory.map_or(ptr::null_mut(), SharedMemory::start);
        abi::Part { kind, reserved: 0, data, len: memory.map_or(0, |memory| memory.len) }
    }
}

impl SharedMemory {
    /// Its first byte. Cells may be written to through it.
    pub(super) fn start(&self) -> *mut u8 {
        self.words.as_ptr().cast_mut().cast()
    }

    /// Zero bytes.
    pub(super) fn zeroed(len: usize) -> Self {
        SharedMemory { words: (0..len.div_ceil(8)).map(|_| AtomicU64::new(0)).collect(), len }
    }

    /// Its length in bytes.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The same memory, only its first `len` bytes.
    pub(super) fn beginning(&self, len: usize) -> Self {
        SharedMemory { words: self.words.clone(), len: len.min(self.len) }
    }
}

/// The parts of an input.
#[derive(Default)]
pub(super) struct Parts(RefCell<Vec<Kept>>);

/// Blocks up to this length stand in the wire, as the host's do.
const INLINE: usize = 1_024;

impl Parts {
    pub(super) fn into_kept(self) -> Vec<Kept> {
        self.0.into_inner()
    }

    fn keep(&self, kept: Kept) -> abi::Part {
        let part = kept.part();
        self.0.borrow_mut().push(kept);
        part
    }
}

impl Memory for Parts {
    fn place(&self, bytes: &[u8], _: &[abi::Part]) -> Result<Placed, Fault> {
        if bytes.len() <= INLINE {
            return Ok(Placed::InWire);
        }
        Ok(Placed::Part(self.keep(Kept::block(bytes))))
    }

    fn handle(&self, kind: u32, _: u64) -> Result<(abi::Part, u8), Fault> {
        let kept = match (PASSED.take(), kind) {
            (Some(Thing::Shared(memory)), part::SHARED) => Kept::Shared(memory),
            (Some(Thing::Port(side)), part::PORT) => Kept::Port(side),
            _ => return Err(Fault::new("it is of the run of another task")),
        };
        Ok((self.keep(kept), bytes::ARRAY_BUFFER))
    }
}
