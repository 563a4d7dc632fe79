//! Memory through which numbers and bytes pass between JavaScript and Rust without a Node-API call for each.
//!
//! JavaScript allocates it once, keeps it to itself, and never shares, detaches or resizes it: this is trusted, as only
//! JavaScript could see to it (`lib/delivery.js`, `lib/ports/`, `lib/codec/write-buffer.js`, `lib/script-pool/`). So its
//! address stays good for as long as a reference keeps it alive; and what is at it changes only while JavaScript runs, which
//! none of the functions here lets it do. It cannot leave its thread, and the environment drops it when it ends.

use std::ptr::NonNull;

use bytemuck::Pod;

use super::call::{Js, JsValue, Result, Status};
use super::reference::Reference;

/// Such memory, as elements. Used on the environment's own thread only, while JavaScript does not run.
pub(crate) struct KeptMemory<T> {
    data: NonNull<T>,
    length: usize,
}

// Whatever `T` is: a derive would ask `T` for the same.
impl<T> Clone for KeptMemory<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for KeptMemory<T> {}

impl<T: Pod> KeptMemory<T> {
    /// The memory of `view`, a `Uint8Array`, kept alive for as long as the environment lives. An error unless it holds
    /// `least` elements.
    pub(crate) fn keep<'call>(js: Js<'call>, view: JsValue<'call>, least: usize) -> Result<Self> {
        let memory = Self::of(js, view, least)?;
        js.keep(view)?;
        Ok(memory)
    }

    /// The memory of `view`, which must be kept alive by a reference.
    fn of<'call>(js: Js<'call>, view: JsValue<'call>, least: usize) -> Result<Self> {
        let view = js.view(view)?;
        let length = view.length / size_of::<T>();
        match NonNull::new(view.data.cast::<T>()) {
            Some(data) if length >= least && data.is_aligned() => Ok(KeptMemory { data, length }),
            _ => Err(Status::INVALID),
        }
    }

    /// Writes element `index`, which must be below the length.
    #[inline]
    pub(crate) fn write(self, index: usize, value: T) {
        assert!(index < self.length, "the element {index} of {}", self.length);
        // SAFETY: in bounds, as just checked, of memory whose size in bytes `isize` holds.
        let place = unsafe { self.data.add(index) };
        // SAFETY: in bounds and aligned, as `of` has checked; the memory is kept, and JavaScript does not run meanwhile.
        unsafe { place.write(value) };
    }

    /// The first `N` elements; they must be there.
    #[inline]
    pub(crate) fn read_array<const N: usize>(self) -> [T; N] {
        assert!(N <= self.length, "{N} elements of {}", self.length);
        // SAFETY: in bounds and aligned, as checked; any bits are a `T`; JavaScript does not run meanwhile.
        unsafe { self.data.cast::<[T; N]>().read() }
    }

    /// Writes the first elements; they must be there.
    #[inline]
    pub(crate) fn write_array<const N: usize>(self, values: [T; N]) {
        assert!(N <= self.length, "{N} elements of {}", self.length);
        // SAFETY: as in `read_array`.
        unsafe { self.data.cast::<[T; N]>().write(values) };
    }

    /// Copies `values` to where `offset` elements are before them; false, and nothing is copied, where they do not fit.
    #[inline]
    pub(crate) fn copy_in(self, offset: usize, values: &[T]) -> bool {
        if offset > self.length || self.length - offset < values.len() {
            return false;
        }
        // SAFETY: `offset` is at most the length, as just checked; the rest as in `write`.
        let place = unsafe { self.data.add(offset) };
        // SAFETY: they fit between `offset` and the end, as checked. The memory is kept, aligned, and known to nobody but
        // JavaScript, which does not run meanwhile: so it is none that `values` borrows.
        unsafe { place.copy_from_nonoverlapping(NonNull::from(values).cast(), values.len()) };
        true
    }
}

/// Such memory until it is released: JavaScript will use other memory then.
pub(crate) struct ReleasableMemory<T> {
    memory: KeptMemory<T>,
    reference: Reference,
}

impl<T: Pod> ReleasableMemory<T> {
    /// The memory of `view`, a `Uint8Array`.
    pub(crate) fn new<'call>(js: Js<'call>, view: JsValue<'call>) -> Result<Self> {
        Ok(ReleasableMemory { memory: KeptMemory::of(js, view, 1)?, reference: js.reference(view)? })
    }

    /// Lets go of the memory.
    pub(crate) fn release(self, js: Js<'_>) -> Result<()> {
        js.release(self.reference)
    }

    /// The collection `C` made of the first `length` elements; none if there are fewer.
    #[inline]
    pub(crate) fn copy_out<C: for<'a> From<&'a [T]>>(&self, length: usize) -> Option<C> {
        if length > self.memory.length {
            return None;
        }
        // SAFETY: so many are there, aligned, as checked; any bits are a `T`. They are kept, and nobody writes to them until the
        // copy is made: `C` is no borrow of them, and its `From` has no `Js` to run JavaScript with.
        let values = unsafe { std::slice::from_raw_parts(self.memory.data.as_ptr(), length) };
        Some(C::from(values))
    }
}
