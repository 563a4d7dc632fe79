//! References, which keep a value alive after the call has returned.

use std::ptr::null_mut;

use napi::bindgen_prelude::sys;

use super::call::{Js, JsValue, Result, Status, ask, check, tell, value};

/// A strong reference to a value.
///
/// Any thread may carry it, but only a [`Js`] of its own environment opens or releases it. Dropped unreleased it keeps the
/// value until that environment ends: so a value that any thread may let go of is held by a `KeptValue`, which sends its
/// reference back (`kept_value.rs`).
#[must_use = "it keeps its value alive until `Js::release`"]
pub(crate) struct Reference {
    raw: sys::napi_ref,
    /// The environment it belongs to; only compared. Its address may be another environment's once it has ended: but then
    /// its own parts, which hold references for themselves, are called by nobody, and a `KeptValue` that has outlived it is
    /// known by its event queue, whose address is never used again.
    env: sys::napi_env,
}

// SAFETY: the pointers are only carried; they are used on the environment's own thread, by a `Js` of that environment.
unsafe impl Send for Reference {}
// SAFETY: as above; a shared reference to it offers nothing else.
unsafe impl Sync for Reference {}

impl<'call> Js<'call> {
    /// A strong reference to `value`.
    pub(crate) fn reference(self, value: JsValue<'call>) -> Result<Reference> {
        let raw = ask!(null_mut(), napi_create_reference(self.env, value.raw, 1))?;
        Ok(Reference { raw, env: self.env })
    }

    /// Keeps `value` alive for as long as the environment lives.
    pub(crate) fn keep(self, value: JsValue<'call>) -> Result<()> {
        // Not released: it ends with the environment.
        self.reference(value).map(drop)
    }

    /// The value of a reference.
    pub(crate) fn referenced(self, reference: &Reference) -> Result<JsValue<'call>> {
        self.owns(reference)?;
        value!(self, napi_get_reference_value(reference.raw))
    }

    /// Lets go of a reference.
    pub(crate) fn release(self, reference: Reference) -> Result<()> {
        self.owns(&reference)?;
        tell!(napi_delete_reference(self.env, reference.raw))
    }

    fn owns(self, reference: &Reference) -> Result<()> {
        if reference.env == self.env { Ok(()) } else { Err(Status::INVALID) }
    }
}
