//! How memory that serde's traits have no words for comes from the deserializer to the type that asked for it: a `&mut` to a block,
//! shared memory, a port.
//!
//! The deserializer lays it down in a cell of the thread, beside the address of the tag in the wire that names it, and lends its
//! visitor that one byte of the wire, as bytes that live for `'de`. The type's visitor takes it, for the lifetime of the byte that
//! it was lent. What nobody takes is taken back as soon as the visitor has returned. So who takes it has a byte of that very wire,
//! and the wire lives no longer than the parts that it names; a deserializer of another format has no such byte.

use std::cell::Cell;
use std::ptr;
use std::slice;
use std::sync::atomic::AtomicU8;

use rust_workers_abi as abi;

use super::call::Call;

#[derive(Clone, Copy)]
enum Thing {
    Memory(*mut u8, usize),
    Cells(u8, u32, *const AtomicU8, usize),
    Port(*const abi::Host, *mut abi::Call, usize),
}

thread_local! {
    static LAID: Cell<Option<(*const u8, Thing)>> = const { Cell::new(None) };
}

/// What is laid down. All of it lives for `'de`.
pub(crate) enum Given<'de> {
    Memory(&'de mut [u8]),
    /// Its kind, the index of its part, and itself.
    Cells(u8, u32, &'de [AtomicU8]),
    Port(Call<'de>, usize),
}

/// Lays it down while `visit` runs, which is given the byte.
pub(crate) fn give<'de, T>(given: Given<'de>, tag: &'de [u8], visit: impl FnOnce(&'de [u8]) -> T) -> T {
    struct TakeBack;
    impl Drop for TakeBack {
        fn drop(&mut self) {
            LAID.set(None);
        }
    }
    let thing = match given {
        Given::Memory(memory) => Thing::Memory(memory.as_mut_ptr(), memory.len()),
        Given::Cells(kind, index, cells) => Thing::Cells(kind, index, cells.as_ptr(), cells.len()),
        Given::Port(call, index) => {
            let (host, call) = call.into_raw();
            Thing::Port(host, call, index)
        }
    };
    let _take_back = TakeBack;
    LAID.set(Some((tag.as_ptr(), thing)));
    visit(tag)
}

fn take(tag: &[u8]) -> Option<Thing> {
    let (at, thing) = LAID.take()?;
    (!tag.is_empty() && ptr::eq(at, tag.as_ptr())).then_some(thing)
}

/// The memory that was laid down with this byte.
#[allow(clippy::mut_from_ref)] // what was laid down is a `&mut`; the byte only says for how long
pub(crate) fn take_memory(tag: &[u8]) -> Option<&mut [u8]> {
    match take(tag)? {
        // SAFETY: `give` had it as a `&mut` that lives as long as the wire of `tag`, and it is taken once.
        Thing::Memory(data, len) => Some(unsafe { slice::from_raw_parts_mut(data, len) }),
        _ => None,
    }
}

/// The shared memory that was laid down with this byte: its kind, the index of its part, and itself.
pub(crate) fn take_cells(tag: &[u8]) -> Option<(u8, u32, &[AtomicU8])> {
    match take(tag)? {
        Thing::Cells(kind, index, data, len) => {
            // SAFETY: `give` had it as a reference that lives as long as the wire of `tag`.
            Some((kind, index, unsafe { slice::from_raw_parts(data, len) }))
        }
        _ => None,
    }
}

/// The port that was laid down with this byte.
pub(crate) fn take_port(tag: &[u8]) -> Option<(Call<'_>, usize)> {
    match take(tag)? {
        Thing::Port(host, call, index) => {
            // SAFETY: `give` had it as a reference that lives as long as the wire of `tag`.
            let host = unsafe { &*host };
            // SAFETY: it is a call of this thread, as the cell is, and lives as long.
            Some((unsafe { Call::new(host, call) }, index))
        }
        _ => None,
    }
}
