//! The memory through which numbers pass between JavaScript and Rust without a Node-API call for each.
//!
//! JavaScript allocates five arrays once, keeps them to itself, and never detaches or resizes them. Entry `i` of a
//! batch of answers stands at index `i` of `ids`, `numbers` and `forms`; encoded values stand one after the other in
//! `wire`. The arguments of the most frequent calls stand in `call`.

use std::ptr::NonNull;

use super::js::{Js, JsValue, Status};

/// Events in one batch at the most.
pub(crate) const BATCH: usize = 1024;

/// The arrays' memory. Used on the environment's own thread only, while a delivery runs.
pub(super) struct CallBuffer {
    ids: NonNull<f64>,
    numbers: NonNull<f64>,
    forms: NonNull<u8>,
    wire: NonNull<u8>,
    wire_length: usize,
    call: NonNull<f64>,
}

/// Numbers in `call`.
const CALL: usize = 12;

impl CallBuffer {
    /// From `Uint8Array`s over the five arrays, each alive for as long as the environment.
    pub(super) fn new(js: Js<'_>, [ids, numbers, forms, wire, call]: [JsValue; 5]) -> Result<Self, Status> {
        let memory = |view, least: usize| {
            let (data, length) = js.view(view)?;
            // A strong reference that is never deleted: it ends with the environment.
            js.reference(view)?;
            match NonNull::new(data) {
                Some(data) if length >= least && data.cast::<f64>().is_aligned() => Ok((data, length)),
                _ => Err(Status::INVALID),
            }
        };
        let (wire, wire_length) = memory(wire, 1)?;
        Ok(CallBuffer {
            ids: memory(ids, BATCH * 8)?.0.cast(),
            numbers: memory(numbers, BATCH * 8)?.0.cast(),
            forms: memory(forms, BATCH)?.0,
            wire,
            wire_length,
            call: memory(call, CALL * 8)?.0.cast(),
        })
    }

    /// The first `N` arguments of the call that is running.
    pub(super) fn arguments<const N: usize>(&self) -> [f64; N] {
        const { assert!(N <= CALL) };
        // SAFETY: the array was checked to have CALL numbers and to be aligned; any bits are a number, and JavaScript
        // does not run meanwhile.
        unsafe { self.call.cast::<[f64; N]>().read() }
    }

    /// Writes what the call that is running returns, over its arguments.
    pub(super) fn answer<const N: usize>(&self, numbers: [f64; N]) {
        const { assert!(N <= CALL) };
        // SAFETY: as in `arguments`.
        unsafe { self.call.cast::<[f64; N]>().write(numbers) };
    }

    /// Writes entry `index`.
    pub(super) fn put(&self, index: usize, id: f64, form: u8, number: f64) {
        assert!(index < BATCH, "a batch holds {BATCH} events");
        // SAFETY: `index` is below BATCH, the length the array was checked to have.
        let place = unsafe { self.ids.add(index) };
        // SAFETY: in bounds and aligned as checked in `new`; JavaScript does not run meanwhile.
        unsafe { place.write(id) };
        // SAFETY: as above.
        let place = unsafe { self.numbers.add(index) };
        // SAFETY: as above.
        unsafe { place.write(number) };
        // SAFETY: as above.
        let place = unsafe { self.forms.add(index) };
        // SAFETY: as above.
        unsafe { place.write(form) };
    }

    /// Copies `bytes` to `offset` of the wire, if they fit there.
    pub(super) fn put_wire(&self, offset: usize, bytes: &[u8]) -> bool {
        if self.wire_length - offset < bytes.len() {
            return false;
        }
        // SAFETY: `offset` is at most the array's length, by the check above.
        let place = unsafe { self.wire.add(offset) };
        // SAFETY: `bytes` fits between `offset` and the array's end, and cannot overlap JavaScript's memory.
        unsafe { place.copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len()) };
        true
    }
}
