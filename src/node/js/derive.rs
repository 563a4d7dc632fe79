//! Where this meets the functions that `napi_derive` makes.

use std::ffi::CStr;

use napi::JsValue as _;
use napi::bindgen_prelude::{Object, ToNapiValue, sys};

use super::call::{Js, Result, Status};
use super::function::RawFunction;

impl<'call> Js<'call> {
    /// The call of a derived function.
    pub(crate) fn of_derived(env: &'call napi::Env) -> Self {
        // SAFETY: napi-rs makes an `Env` for a derived function, of the callback that runs it. The type is `Copy` and would
        // let a function keep it, here as in napi-rs itself; its documentation forbids that, and nothing in `api/` does.
        unsafe { Js::new(env.raw()) }
    }

    /// Adds functions to a module's exports.
    pub(crate) fn export<D>(
        self,
        exports: &Object<'_>,
        functions: &[(&CStr, RawFunction<D>)],
        data: &'static D,
    ) -> Result<()> {
        let exports = self.value(exports.value().value);
        for (name, function) in functions {
            self.set_named(exports, name, self.function(name, function, data)?)?;
        }
        Ok(())
    }
}

impl From<Status> for napi::Error {
    fn from(status: Status) -> Self {
        napi::Error::new(napi::Status::from(status.0), "Node-API refused a call")
    }
}

/// An array whose elements are defined: the derive's own stores them, and an accessor on `Array.prototype` would take them.
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T: ToNapiValue> ToNapiValue for List<T> {
    unsafe fn to_napi_value(env: sys::napi_env, list: Self) -> napi::Result<sys::napi_value> {
        // SAFETY: napi-rs calls this, on the same thread, while the derived function that returns the list is running in
        // this environment; `js` does not leave this body.
        let js = unsafe { Js::new(env) };
        let array = js.array(0)?;
        for (index, element) in (0..).zip(list.0) {
            // SAFETY: the environment that this was called with, which is what is asked for here too.
            let value = unsafe { T::to_napi_value(env, element) }?;
            js.define(array, index, js.value(value))?;
        }
        Ok(array.raw)
    }
}
