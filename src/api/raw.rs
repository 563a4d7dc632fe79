//! The frame of a raw export, and the exports that belong to the environment itself.

use std::sync::LazyLock;
use std::time::Instant;

use napi::bindgen_prelude::sys;

use crate::node::{Arguments, Environment, JsValue, NO_MEMORY, NOTHING, Status};
use crate::panic::guard;

/// Reads `N` arguments and runs `body`; a status or a panic becomes a thrown error.
///
/// # Safety
/// `env` and `info` must be those Node has just called a raw export with, and the export must have been made with an
/// [`Environment::address`] as its data.
pub(super) unsafe fn export<const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    body: impl FnOnce(&Arguments<'_, N>, &'static Environment) -> Result<JsValue, Status>,
) -> JsValue {
    // SAFETY: passed on from the caller.
    let Ok(arguments) = (unsafe { Arguments::<N>::read(env, info) }) else { return NOTHING };
    // SAFETY: passed on from the caller.
    let environment = unsafe { Environment::at(arguments.data) };
    match guard(|| body(&arguments, environment)) {
        Ok(Ok(value)) => value,
        Ok(Err(NO_MEMORY)) => {
            arguments.js.throw_range_error_with(
                c"ERR_RW_VALUE_TOO_LARGE",
                c"there is no memory for the value: pass less at a time",
            );
            NOTHING
        }
        Ok(Err(_)) => {
            arguments
                .js
                .throw(c"ERR_RW_INTERNAL", c"an internal call had wrong arguments; please report this");
            NOTHING
        }
        Err(_) => {
            arguments.js.throw(c"ERR_RW_INTERNAL", c"an internal call panicked; please report this");
            NOTHING
        }
    }
}

/// `open(deliver, ids, numbers, forms, wire, call, settle, extras)`: how answers reach JavaScript, and arguments us.
pub(super) unsafe extern "C" fn open(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 8>, environment: &'static Environment| {
        let [deliver, ids, numbers, forms, wire, call, settle, extras] = arguments.values;
        environment.open(arguments.js, deliver, [ids, numbers, forms, wire, call], settle, extras)?;
        Ok(NOTHING)
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `now()`: milliseconds of the clock that only goes forward, which no test framework can stop. Every environment of the
/// process counts from the same moment.
pub(super) unsafe extern "C" fn now(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 0>, _: &'static Environment| {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        arguments.js.number(START.elapsed().as_secs_f64() * 1000.0)
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `throwUncaught(error)`: makes it an uncaught exception, now.
pub(super) unsafe extern "C" fn throw_uncaught(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 1>, _: &'static Environment| {
        arguments.js.throw_uncaught(arguments.values[0]).map(|()| NOTHING)
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `hostGlobal()`: the global object of the realm that the addon was loaded in, which is Node's own.
pub(super) unsafe extern "C" fn host_global(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 0>, _: &'static Environment| arguments.js.global();
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `drain()`: delivers the next batch, in a turn of the event loop that was asked for.
pub(super) unsafe extern "C" fn drain(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 0>, environment: &'static Environment| {
        environment.resume(arguments.js);
        Ok(NOTHING)
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `holdLoop()`: the event loop stays alive until as many calls of `releaseLoop` have come.
pub(super) unsafe extern "C" fn hold_loop(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 0>, environment: &'static Environment| {
        environment.hold_loop(arguments.js, true).map(|()| NOTHING)
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `releaseLoop()`: takes one `holdLoop` back.
pub(super) unsafe extern "C" fn release_loop(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 0>, environment: &'static Environment| {
        environment.hold_loop(arguments.js, false).map(|()| NOTHING)
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}
