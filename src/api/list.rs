//! Arrays to JavaScript.

use napi::bindgen_prelude::{ToNapiValue, sys};

use crate::node::Js;

/// An array whose elements are defined: the derive's own stores them, and an accessor on `Array.prototype` would take them.
pub struct List<T>(pub Vec<T>);

impl<T: ToNapiValue> ToNapiValue for List<T> {
    unsafe fn to_napi_value(env: sys::napi_env, list: Self) -> napi::Result<sys::napi_value> {
        // SAFETY: Node has called the function that returns this list, in this environment.
        let js = unsafe { Js::new(env) };
        let array = js.array(0).map_err(super::into_napi)?;
        for (index, element) in (0..).zip(list.0) {
            // SAFETY: passed on from the caller.
            let value = unsafe { T::to_napi_value(env, element) }?;
            js.define(array, index, value).map_err(super::into_napi)?;
        }
        Ok(array)
    }
}
