//! Functions of ours that JavaScript calls.
//!
//! A plain Rust function becomes one by [`raw`]; what stands between the two is compiled for each of them, and costs no
//! more than a function written by hand. Hot exports are made so: one of `napi_derive` costs 7 to 10 times as much a call.

use std::ffi::CStr;
use std::marker::PhantomData;
use std::ptr::{NonNull, from_ref, null_mut};

use napi::bindgen_prelude::sys;

use super::call::{Js, JsValue, Result, Status, ask, check, value};
use crate::panic::guard;

/// A function that JavaScript can call, once it is made with data of type `D` ([`Js::function`]).
pub(crate) struct RawFunction<D: 'static> {
    callback: unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value,
    data: PhantomData<fn(&'static D)>,
}

/// Makes `function` callable from JavaScript, with `N` arguments; missing ones are `undefined`. A status that it
/// returns, or a panic, is thrown as an error, unless an exception is pending already.
pub(crate) const fn raw<D, F, const N: usize>(_function: F) -> RawFunction<D>
where
    // So bounded, a function without a size has nothing that it could lose by being called later, or on another thread.
    F: Copy
        + Send
        + Sync
        + 'static
        + for<'call> Fn(Js<'call>, &'static D, [JsValue<'call>; N]) -> Result<JsValue<'call>>,
{
    RawFunction { callback: callback::<D, F, N>, data: PhantomData }
}

impl<'call> Js<'call> {
    /// A function of JavaScript that calls `function` with `data`.
    pub(crate) fn function<D>(
        self,
        name: &CStr,
        function: &RawFunction<D>,
        data: &'static D,
    ) -> Result<JsValue<'call>> {
        let length = name.count_bytes().cast_signed();
        let data = from_ref(data).cast_mut().cast();
        value!(self, napi_create_function(name.as_ptr(), length, Some(function.callback), data))
    }
}

/// The value of a function's own type, which has no size and so only one value.
///
/// # Safety
/// There must have been a value of this type; on this thread, unless it is `Send`.
pub(super) unsafe fn the_one<F: Copy + 'static>() -> F {
    const { assert!(size_of::<F>() == 0, "a function itself, and no pointer to one") };
    // SAFETY: no byte is read of a type without a size; there is such a value, as the caller warrants, and it may be
    // copied.
    unsafe { NonNull::<F>::dangling().read() }
}

/// # Safety
/// Only Node may call it, for a function that was made by [`Js::function`] with a `D`.
unsafe extern "C" fn callback<D, F, const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value
where
    D: 'static,
    F: Copy + 'static + for<'call> Fn(Js<'call>, &'static D, [JsValue<'call>; N]) -> Result<JsValue<'call>>,
{
    // SAFETY: `raw` was given one, and it is `Send`.
    let function = unsafe { the_one::<F>() };
    // SAFETY: Node is running this callback, on this thread, in this environment; `function` takes any lifetime, and `js`
    // does not leave this body.
    let js = unsafe { Js::new(env) };
    let (mut count, mut values, mut this) = (N, [JsValue::NOTHING; N], null_mut());
    let arguments = values.as_mut_ptr().cast();
    let data = ask!(null_mut(), napi_get_cb_info(env, info, &mut count, arguments, &mut this));
    let Ok(data) = data else { return null_mut() };
    // SAFETY: the data is the `&'static D` that the function was made with, by the one generic parameter `D` that names both;
    // and on this environment's thread, to which JavaScript's functions are bound.
    let data = unsafe { &*data.cast::<D>().cast_const() };
    match guard(|| function(js, data, values)) {
        Ok(Ok(value)) => return value.raw,
        Ok(Err(Status::NO_MEMORY)) => js.throw_range_error_with(
            c"ERR_RW_VALUE_TOO_LARGE",
            c"there is no memory for the value: pass less at a time",
        ),
        Ok(Err(_)) => {
            js.throw(c"ERR_RW_INTERNAL", c"an internal call had wrong arguments; please report this");
        }
        Err(_) => js.throw(c"ERR_RW_INTERNAL", c"an internal call panicked; please report this"),
    }
    null_mut()
}
