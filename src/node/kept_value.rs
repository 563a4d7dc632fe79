//! JavaScript values that Rust keeps alive, and lets go of on any thread.

use super::event::Event;
use super::event_queue::EventQueue;
use super::js::{Js, JsValue, Reference, Result};

/// A value kept alive until this is dropped; then its reference goes back through the event queue of its environment. If
/// that is closed, the environment is ending, and its references end with it.
pub(super) struct KeptValue {
    /// Empty only while it is dropped, or given back.
    reference: Option<Reference>,
    events: &'static EventQueue,
}

impl KeptValue {
    pub(super) fn new<'call>(
        js: Js<'call>,
        events: &'static EventQueue,
        value: JsValue<'call>,
    ) -> Result<Self> {
        Ok(KeptValue { reference: Some(js.reference(value)?), events })
    }

    /// The event queue of the environment that the value belongs to.
    pub(super) fn events(&self) -> &'static EventQueue {
        self.events
    }

    /// Gives the value back; only in the environment that it came from.
    pub(super) fn into_value(mut self, js: Js<'_>) -> Result<JsValue<'_>> {
        let Some(reference) = self.reference.take() else { return js.undefined() };
        let value = js.referenced(&reference)?;
        js.release(reference)?;
        Ok(value)
    }
}

impl Drop for KeptValue {
    fn drop(&mut self) {
        if let Some(reference) = self.reference.take() {
            self.events.push(Event::Release(reference));
        }
    }
}
