//! JavaScript memory that Rust holds alone for a while.
//!
//! The JavaScript side moves an ArrayBuffer into a fresh one that nobody else knows (`transfer()`, or a slice) and
//! hands that over; a strong reference keeps it alive. Only Rust touches its memory until it goes back.
//!
//! The memory belongs to the environment's heap. So its teardown waits, in
//! [`PinCount::wait_for_none`](super::pin_count::PinCount::wait_for_none), until every pin is dropped: tasks are cancelled
//! before that, and end at their next checkpoint.

// Slices of JavaScript's memory, on the pool's threads too.
#![allow(unsafe_code)]

use std::ptr::NonNull;

use super::event_queue::EventQueue;
use super::js::{Js, JsValue, Result, Status};
use super::kept_value::KeptValue;
use crate::value::ForeignBytes;

/// An ArrayBuffer's memory in Rust's hands.
pub(super) struct PinnedBytes {
    data: NonNull<u8>,
    length: usize,
    /// Keeps the memory alive. Dropped before `counted`: the environment waits for that, and may be gone after it.
    view: KeptValue,
    counted: Counted,
}

/// One of the environment's pins, until dropped.
struct Counted(&'static EventQueue);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.pins().remove();
    }
}

// SAFETY: the memory has no other user while it is pinned (see the head of this file), does not move, and lives until the pin
// is dropped, which the owning environment's teardown waits for. The other fields are `Send`.
unsafe impl Send for PinnedBytes {}

impl PinnedBytes {
    /// Pins the memory of `view`, a `Uint8Array` over an ArrayBuffer that nobody else will touch.
    pub(super) fn new<'call>(
        js: Js<'call>,
        events: &'static EventQueue,
        view: JsValue<'call>,
    ) -> Result<Self> {
        let memory = js.view(view)?;
        if !js.is_array_buffer(memory.buffer)? {
            return Err(Status::INVALID);
        }
        let view = KeptValue::new(js, events, view)?;
        events.pins().add();
        let data = NonNull::new(memory.data).unwrap_or(NonNull::<u64>::dangling().cast());
        Ok(PinnedBytes { data, length: memory.length, view, counted: Counted(events) })
    }

    /// The view that the bytes came from, to be returned; only in the environment that it came from.
    pub(super) fn into_view(self, js: Js<'_>) -> Result<JsValue<'_>> {
        let PinnedBytes { view, counted: _counted, .. } = self;
        view.into_value(js)
    }

    /// Whether it came from the environment of this event queue.
    pub(super) fn belongs_to(&self, events: &EventQueue) -> bool {
        std::ptr::eq(self.view.events(), events)
    }
}

impl ForeignBytes for PinnedBytes {
    fn as_slice(&self) -> &[u8] {
        // SAFETY: `data` is valid for `length` bytes (or dangling for 0), as Node has said, and bytes need no alignment. Nobody
        // writes while `self` is borrowed: it alone has the memory (see `Send` above).
        unsafe { std::slice::from_raw_parts(self.data.as_ptr(), self.length) }
    }

    fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: as in `as_slice`, and `&mut self` makes this the only user.
        unsafe { std::slice::from_raw_parts_mut(self.data.as_ptr(), self.length) }
    }

    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any + Send> {
        self
    }
}
