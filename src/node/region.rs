//! JavaScript's shared memory as regions of the engine.
//!
//! A `Uint8Array` over the *whole* SharedArrayBuffer is what comes here: `napi_get_typedarray_info` is the one call that
//! gives the memory's address on every runtime (facts/node-api.md A2).

use std::sync::Arc;

use super::environment::Environment;
use super::event_queue::{Event, EventQueue};
use super::js::{Js, JsValue, Status};
use super::pin::Reference;
use crate::shared::{Keep, Region};

/// Keeps a view, and with it the memory, alive until dropped, from whatever thread.
struct Held {
    reference: Option<Reference>,
    events: &'static EventQueue,
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(reference) = self.reference.take() {
            self.events.push(Event::Release(reference));
        }
    }
}

/// The region of the buffer that `view` covers from its first byte to its last, pinned for this environment.
pub(crate) fn open_region(
    js: Js<'_>,
    environment: &'static Environment,
    view: JsValue,
) -> Result<Arc<Region>, Status> {
    let (base, length) = js.view(view)?;
    keep_view(js, environment, view, |keep| {
        // SAFETY: Node has just said that the view's memory begins at `base` and is this long; it is a
        // SharedArrayBuffer's, as the caller's contract says, so JavaScript itself only shares it, and `keep` keeps it.
        unsafe { Region::open(base, length, environment.id(), keep) }
    })
}

/// Opens a region with a `keep` that holds `view`.
pub(super) fn keep_view(
    js: Js<'_>,
    environment: &'static Environment,
    view: JsValue,
    open: impl FnOnce(&mut dyn FnMut() -> Keep) -> crate::shared::Result<Arc<Region>>,
) -> Result<Arc<Region>, Status> {
    let events = environment.events();
    let mut failed = None;
    let mut keep = || -> Keep {
        let reference = js.reference(view).map_err(|status| failed = Some(status)).ok().map(Reference);
        Box::new(Held { reference, events })
    };
    let region = open(&mut keep);
    match (region, failed) {
        (Ok(region), None) => Ok(region),
        (_, Some(status)) => Err(status),
        (Err(_), None) => Err(Status::INVALID),
    }
}
