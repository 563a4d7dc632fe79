//! One element of a typed array, for the exports that are `Atomics` in Rust.
//!
//! The memory is JavaScript's. On a shared buffer other threads may touch it, by atomics; on a plain one nobody but
//! this thread can. Either way an atomic on the element's bytes is a sound way to it while the running callback holds
//! the array.

use std::sync::Arc;

use napi::bindgen_prelude::sys;

use super::environment::Environment;
use super::js::{Js, JsValue, Status};
use super::region::keep_view;
use crate::shared::{Cell, Region};

/// A typed array, as Node has just described it; good until JavaScript runs again.
#[derive(Clone, Copy)]
pub(crate) struct TypedArray {
    pub(crate) kind: sys::napi_typedarray_type,
    pub(crate) length: usize,
    pub(crate) byte_offset: usize,
    data: *mut u8,
    buffer: JsValue,
    value: JsValue,
}

impl TypedArray {
    /// Looks at a value; an error when it is no typed array.
    pub(crate) fn read(js: Js<'_>, value: JsValue) -> Result<Self, Status> {
        let (kind, length, data, buffer, byte_offset) = js.typed_array(value)?;
        Ok(TypedArray { kind, length, byte_offset, data, buffer, value })
    }

    /// The array again: what JavaScript did meanwhile may have detached or resized its buffer.
    pub(crate) fn again(self, js: Js<'_>) -> Result<Self, Status> {
        Self::read(js, self.value)
    }

    /// Whether the memory is a SharedArrayBuffer's.
    pub(crate) fn is_shared(&self, js: Js<'_>) -> Result<bool, Status> {
        js.is_array_buffer(self.buffer).map(|plain| !plain)
    }

    /// Whether the buffer was detached: an array has no length then, and no memory.
    pub(crate) fn is_detached(&self, js: Js<'_>) -> Result<bool, Status> {
        if self.length > 0 { Ok(false) } else { js.is_detached(self.buffer) }
    }

    /// Runs `work` on the atomic that stands on element `index`; `None` out of bounds.
    pub(crate) fn with_cell<C: Cell, T>(&self, index: usize, work: impl FnOnce(&C) -> T) -> Option<T> {
        if index >= self.length || self.data.is_null() {
            return None;
        }
        let cell = self.data.wrapping_add(index * size_of::<C>()).cast::<C>();
        // SAFETY: the index is in bounds of the array Node has just described, whose elements have the size of `C` (the
        // caller chose it by `kind`) and are aligned to it, as JavaScript has it for every typed array. JavaScript does
        // not run during `work`, and the callback's handle keeps the memory. Who else has it uses atomics (see head).
        Some(work(unsafe { &*cell }))
    }

    /// The byte offset of an element from the buffer's first byte.
    pub(crate) fn offset_of(&self, index: usize, size: usize) -> usize {
        self.byte_offset + index * size
    }

    /// The buffer's first byte.
    fn base(&self) -> *mut u8 {
        self.data.wrapping_sub(self.byte_offset)
    }

    /// The region of the array's shared buffer, if there is one already: without one nobody waits on it.
    pub(crate) fn known_region(&self) -> Option<Arc<Region>> {
        Region::at(self.base())
    }

    /// The region of the array's buffer, which must be a shared one.
    pub(crate) fn region(
        &self,
        js: Js<'_>,
        environment: &'static Environment,
        size: usize,
    ) -> Result<Arc<Region>, Status> {
        let seen = self.byte_offset + self.length * size;
        keep_view(js, environment, self.value, |keep| {
            // SAFETY: Node has just said where the array's memory lies; it is a SharedArrayBuffer's (checked by the
            // caller), of which at least `seen` bytes are there, and the kept array keeps it.
            unsafe { Region::open(self.base(), seen, environment.id(), keep) }
        })
    }
}
