//! One element of a typed array, for `Atomics` in Rust.
//!
//! The memory is JavaScript's. On a shared buffer other threads may touch it, by atomics; on a plain one nobody but
//! this thread can (what Rust has pinned is in no array of JavaScript's). Either way an atomic on the element's bytes is a
//! sound way to it while the running callback holds the array; accesses of different widths are discussed at the head of
//! `shared/region.rs`.

// Atomics on JavaScript's memory.
#![allow(unsafe_code)]

use std::sync::Arc;

use super::core::Core;
use super::js::{ArrayKind, Js, JsValue, Result, Status, TypedArrayMemory};
use super::region::keep_view;
use crate::shared::{Cell, Region};

/// A typed array, and how Node has described it; what that says may be true no more once JavaScript has run again.
#[derive(Clone, Copy)]
pub(super) struct TypedArray<'call> {
    memory: TypedArrayMemory<'call>,
    value: JsValue<'call>,
}

impl<'call> TypedArray<'call> {
    /// Looks at a value; an error when it is no typed array.
    pub(super) fn read(js: Js<'call>, value: JsValue<'call>) -> Result<Self> {
        Ok(TypedArray { memory: js.typed_array(value)?, value })
    }

    /// The array as it is now.
    pub(super) fn again(self, js: Js<'call>) -> Result<Self> {
        Self::read(js, self.value)
    }

    pub(super) fn kind(&self) -> ArrayKind {
        self.memory.kind
    }

    /// How many elements it has.
    pub(super) fn len(&self) -> usize {
        self.memory.length
    }

    /// Whether the memory is a SharedArrayBuffer's.
    pub(super) fn is_shared(&self, js: Js<'call>) -> Result<bool> {
        js.is_array_buffer(self.memory.buffer).map(|plain| !plain)
    }

    /// Whether the buffer was detached: an array has no length then, and no memory.
    pub(super) fn is_detached(&self, js: Js<'call>) -> Result<bool> {
        if self.len() > 0 { Ok(false) } else { js.is_detached(self.memory.buffer) }
    }

    /// Runs `work` on the atomic that stands on element `index` of the array as it is now; `None` out of bounds, and where
    /// the array's elements are not of the atomic's size. `work` can have no `Js`, as that is not `'static`.
    #[inline]
    pub(super) fn with_cell<C: Cell, T>(
        &self,
        js: Js<'call>,
        index: usize,
        work: impl FnOnce(&C) -> T + 'static,
    ) -> Option<T> {
        // Again: what JavaScript did meanwhile may have detached or resized its buffer.
        let TypedArrayMemory { kind, length, data, .. } = js.typed_array(self.value).ok()?;
        if index >= length || kind.element_size() != Some(size_of::<C>()) || data.is_null() {
            return None;
        }
        let cell = data.wrapping_add(index * size_of::<C>()).cast::<C>();
        if !cell.is_aligned() {
            return None;
        }
        // SAFETY: not null, aligned, and in bounds of the array that Node has just described, whose elements have the size of
        // `C`: all just checked. JavaScript has not run since, and cannot during `work`; the callback's handle keeps the
        // memory. `Cell` says that any bytes are a valid `C`, which is accessed atomically, as it is by other threads that have
        // it (see the head of this file).
        Some(work(unsafe { &*cell }))
    }

    /// The byte offset of an element from the buffer's first byte.
    pub(super) fn offset_of(&self, index: usize) -> usize {
        self.memory.byte_offset + index * self.memory.kind.element_size().unwrap_or(0)
    }

    /// The buffer's first byte.
    fn base(&self) -> *mut u8 {
        self.memory.data.wrapping_sub(self.memory.byte_offset)
    }

    /// The region of the array's shared buffer, if there is one already: without one nobody waits on it.
    pub(super) fn known_region(&self) -> Option<Arc<Region>> {
        Region::at(self.base())
    }

    /// The region of the array's buffer, which must be a shared one.
    pub(super) fn region(&self, js: Js<'call>, core: &'static Core) -> Result<Arc<Region>> {
        if !self.is_shared(js)? {
            return Err(Status::INVALID);
        }
        let seen = self.offset_of(self.len());
        keep_view(js, core, self.value, |keep| {
            // SAFETY: Node has said in this call where the array's memory lies. It is a SharedArrayBuffer's, as just checked:
            // so it neither moves nor shrinks, whatever JavaScript has done since, at least `seen` bytes are there, and
            // JavaScript only shares them. The kept array keeps it.
            unsafe { Region::open(self.base(), seen, core.id(), keep) }
        })
    }
}
