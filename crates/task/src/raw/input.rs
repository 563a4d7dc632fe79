//! A value that the host shows, and the memory of its parts.

use std::cell::Cell;
use std::slice;
use std::sync::atomic::AtomicU8;

use bumpalo::Bump;
use rust_workers_abi::{self as abi, part};

use super::call::Call;

/// A value that the host shows for `'c`.
pub(crate) struct Input<'c> {
    wire: &'c [u8],
    parts: &'c [abi::Part],
    /// Which parts are lent.
    lent: Vec<Cell<bool>>,
    /// Aligned copies of blocks that stand in the wire.
    arena: Bump,
    /// For ports; a message's ports have none.
    call: Option<Call<'c>>,
}

impl<'c> Input<'c> {
    /// # Safety
    /// For `'c` the value must be as the header says: its wire and the memory of its parts are valid, blocks are used by nobody
    /// else, and shared memory by others through atomics only (JavaScript's accesses count as such).
    pub(crate) unsafe fn new(value: &'c abi::Value, call: Option<Call<'c>>) -> Self {
        let wire = if value.wire.is_null() {
            &[][..]
        } else {
            // SAFETY: the caller says that the wire is valid for 'c; nobody writes to it.
            unsafe { slice::from_raw_parts(value.wire, value.wire_len) }
        };
        let parts = if value.parts.is_null() {
            &[][..]
        } else {
            // SAFETY: as for the wire.
            unsafe { slice::from_raw_parts(value.parts, value.parts_len) }
        };
        Input { wire, parts, lent: vec![Cell::new(false); parts.len()], arena: Bump::new(), call }
    }

    /// A wire without parts.
    pub(crate) fn of_wire(wire: &'c [u8]) -> Self {
        Input { wire, parts: &[], lent: Vec::new(), arena: Bump::new(), call: None }
    }

    pub(crate) fn wire(&self) -> &'c [u8] {
        self.wire
    }

    pub(crate) fn parts(&self) -> &'c [abi::Part] {
        self.parts
    }

    pub(crate) fn arena(&self) -> &Bump {
        &self.arena
    }

    /// The part, if it is of this kind and not lent yet.
    fn lend(&self, index: u32, kind: u32) -> Option<&'c abi::Part> {
        let index = usize::try_from(index).ok()?;
        let found = self.parts.get(index).filter(|found| found.kind == kind)?;
        (!self.lent[index].replace(true)).then_some(found)
    }

    /// The memory of a block; `None` if there is no such block, or it is lent already.
    #[allow(clippy::mut_from_ref)] // each block once
    pub(crate) fn lend_bytes(&self, index: u32) -> Option<&'c mut [u8]> {
        let found = self.lend(index, part::BYTES)?;
        if found.data.is_null() || found.len == 0 {
            return Some(&mut []);
        }
        // SAFETY: a block is valid for 'c and the task's own, and `lend` gives each only once.
        Some(unsafe { slice::from_raw_parts_mut(found.data, found.len) })
    }

    /// The cells of shared memory; `None` as above.
    pub(crate) fn lend_cells(&self, index: u32) -> Option<&'c [AtomicU8]> {
        let found = self.lend(index, part::SHARED)?;
        if found.data.is_null() || found.len == 0 {
            return Some(&[]);
        }
        // SAFETY: the memory is valid for 'c, and everybody uses it through atomics.
        Some(unsafe { slice::from_raw_parts(found.data.cast::<AtomicU8>(), found.len) })
    }

    /// The call that a port is of, and its index.
    pub(crate) fn lend_port(&self, index: u32) -> Option<(Call<'c>, usize)> {
        self.lend(index, part::PORT)?;
        Some((self.call?, usize::try_from(index).ok()?))
    }
}

/// Atomic cells of a size: `AtomicU8` to `AtomicI64`.
pub trait Cells: Sized + sealed::Sealed {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! cells {
    ($($cell:ident)*) => {
        $(
            impl sealed::Sealed for std::sync::atomic::$cell {}
            impl Cells for std::sync::atomic::$cell {}
        )*
    };
}

cells!(AtomicU8 AtomicI8 AtomicU16 AtomicI16 AtomicU32 AtomicI32 AtomicU64 AtomicI64);

/// The same memory in cells of another size; `None` if it is not aligned to them. Bytes at the end that fill no cell are left out.
pub(crate) fn cast_cells<C: Cells>(bytes: &[AtomicU8]) -> Option<&[C]> {
    let start = bytes.as_ptr().cast::<C>();
    if !start.is_aligned() {
        return None;
    }
    // SAFETY: an atomic integer has the size and validity of its integer, the memory is as long and aligned as it must be, and
    // it is used through atomics only.
    Some(unsafe { slice::from_raw_parts(start, bytes.len() / size_of::<C>()) })
}
