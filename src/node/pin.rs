//! JavaScript memory that Rust holds alone for a while.
//!
//! The JavaScript side moves an ArrayBuffer into a fresh one that nobody else knows (`transfer()`, or a slice) and
//! hands that over; a strong reference keeps it alive. Only Rust touches its memory until it goes back.
//!
//! The memory belongs to the environment's heap. So its teardown waits, in [`Pins::wait_for_none`], until every pin
//! is dropped: tasks are cancelled before that, and let go at their next checkpoint.

use std::ptr::NonNull;

use napi::bindgen_prelude::sys;
use parking_lot::{Condvar, Mutex};

use super::event_queue::{Event, EventQueue};
use super::js::{Js, JsValue, Status};
use crate::value::ForeignBytes;

/// How many pins of an environment are held by anybody.
#[derive(Default)]
pub(crate) struct Pins {
    count: Mutex<usize>,
    none: Condvar,
}

impl Pins {
    fn add(&self) {
        *self.count.lock() += 1;
    }

    fn remove(&self) {
        let mut count = self.count.lock();
        *count -= 1;
        if *count == 0 {
            self.none.notify_all();
        }
    }

    /// Blocks until no pin is held.
    pub(super) fn wait_for_none(&self) {
        let mut count = self.count.lock();
        while *count > 0 {
            self.none.wait(&mut count);
        }
    }
}

/// A strong reference of an environment, on its way back to that environment's thread.
pub(crate) struct Reference(pub(super) sys::napi_ref);

// SAFETY: the pointer is only carried; it is used on the environment's own thread, by `Js`.
unsafe impl Send for Reference {}
// SAFETY: as above; a shared reference to it offers nothing.
unsafe impl Sync for Reference {}

/// An ArrayBuffer's memory in Rust's hands.
pub(crate) struct PinnedBytes {
    data: NonNull<u8>,
    length: usize,
    reference: Option<Reference>,
    events: &'static EventQueue,
}

// SAFETY: the memory has no other user while it is pinned (see the head of this file), and lives until the pin is
// dropped, which the owning environment's teardown waits for.
unsafe impl Send for PinnedBytes {}

impl PinnedBytes {
    /// Pins the memory of `view`, a `Uint8Array` over an ArrayBuffer that nobody else will touch.
    pub(super) fn new(js: Js<'_>, events: &'static EventQueue, view: JsValue) -> Result<Self, Status> {
        let (data, length) = js.view(view)?;
        let reference = js.reference(view)?;
        events.pins().add();
        Ok(PinnedBytes {
            data: NonNull::new(data).unwrap_or(NonNull::<u64>::dangling().cast()),
            length,
            reference: Some(Reference(reference)),
            events,
        })
    }

    /// The view it came from, to give back; only in the environment it came from.
    pub(super) fn into_view(mut self, js: Js<'_>) -> Result<JsValue, Status> {
        let Some(reference) = self.reference.take() else { return js.undefined() };
        let view = js.referenced(reference.0)?;
        js.delete_reference(reference.0)?;
        Ok(view)
    }

    /// Whether it came from the environment of `event_queue`.
    pub(super) fn belongs_to(&self, events: &EventQueue) -> bool {
        std::ptr::eq(self.events, events)
    }
}

impl ForeignBytes for PinnedBytes {
    fn as_slice(&self) -> &[u8] {
        // SAFETY: `data` is valid for `length` bytes (or dangling for 0) and nobody writes: see `Send` above.
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

impl Drop for PinnedBytes {
    fn drop(&mut self) {
        if let Some(reference) = self.reference.take() {
            // Dropped by the event queue if the environment is ending: its references end with it.
            self.events.push(Event::Release(reference));
        }
        self.events.pins().remove();
    }
}
