//! Values that are a pointer of ours, for other addons.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;

use napi::bindgen_prelude::sys;

use super::call::{Js, JsValue, Result, ask, check, tell};
use crate::panic::guard;

/// # Safety
/// Only Node may call it, once, with the pointer of an `Arc<T>` that was leaked for it.
unsafe extern "C" fn let_go<T: Send + Sync>(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: as the caller warrants. `T` is `Send`: it may be dropped on any thread.
    let data = unsafe { Arc::from_raw(data.cast::<T>()) };
    // Nobody is left to report a panic to.
    let _ = guard(|| drop(data));
}

impl<'call> Js<'call> {
    /// An External of this pointer, with a type tag. It holds the `Arc` until it is collected.
    pub(crate) fn external<T: Send + Sync + 'static>(
        self,
        data: Arc<T>,
        [lower, upper]: [u64; 2],
    ) -> Result<JsValue<'call>> {
        // Where Node makes none it does not say whether it has called the finalizer: then the `Arc` stays.
        let data = Arc::into_raw(data).cast_mut().cast();
        let hint = null_mut();
        let external =
            self.value(ask!(null_mut(), napi_create_external(self.env, data, Some(let_go::<T>), hint))?);
        let tag = sys::napi_type_tag { lower, upper };
        tell!(napi_type_tag_object(self.env, external.raw, &raw const tag))?;
        Ok(external)
    }
}
