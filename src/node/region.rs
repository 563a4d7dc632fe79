//! JavaScript's shared memory as regions of the engine.
//!
//! A `Uint8Array` over the *whole* SharedArrayBuffer is what comes here: `napi_get_typedarray_info` is the one call that
//! gives the memory's address on every runtime.

// Names memory of JavaScript's to the engine.
#![allow(unsafe_code)]

use std::sync::Arc;

use super::core::Core;
use super::js::{Js, JsValue, Result, Status};
use super::kept_value::KeptValue;
use crate::shared::{Keep, Region};

/// The region of the buffer that `view` covers from its first byte to its last, pinned for this environment.
pub(crate) fn open_region<'call>(
    js: Js<'call>,
    core: &'static Core,
    view: JsValue<'call>,
) -> Result<Arc<Region>> {
    let memory = js.view(view)?;
    if memory.byte_offset != 0 || js.is_array_buffer(memory.buffer)? {
        return Err(Status::INVALID);
    }
    keep_view(js, core, view, |keep| {
        // SAFETY: Node has just said that the view's memory begins there and is this long; it is a SharedArrayBuffer's, as just
        // checked, so JavaScript itself only shares it, and it neither moves nor shrinks. `keep` keeps it.
        unsafe { Region::open(memory.data, memory.length, core.id(), keep) }
    })
}

/// Opens a region with a `keep` that holds `view`.
pub(super) fn keep_view<'call>(
    js: Js<'call>,
    core: &'static Core,
    view: JsValue<'call>,
    open: impl FnOnce(&mut dyn FnMut() -> Keep) -> crate::shared::Result<Arc<Region>>,
) -> Result<Arc<Region>> {
    let mut failed = None;
    let mut keep = || -> Keep {
        match KeptValue::new(js, core.events(), view) {
            Ok(kept) => Box::new(kept),
            Err(status) => {
                failed = Some(status);
                Box::new(())
            }
        }
    };
    let region = open(&mut keep);
    match (region, failed) {
        (Ok(region), None) => Ok(region),
        (Ok(region), Some(status)) => {
            // This environment's pin, which was made just now, keeps nothing.
            region.release_pin(core.id());
            Err(status)
        }
        (Err(_), Some(status)) => Err(status),
        (Err(_), None) => Err(Status::INVALID),
    }
}
