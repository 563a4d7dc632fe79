//! The exports JavaScript sees: argument checks and calls into the engine, no logic.
//!
//! Functions on a hot path are raw Node-API functions (`raw`): a derived one costs 7 to 10 times as much a call.
//! Everything else uses the derive. All of them are internal to the package: `lib/` gives them their public face.

// The derive wants `pub` items; nothing here is reachable from outside the crate but by Node.
#![allow(unreachable_pub)]

mod pool;
mod raw;
mod scripts;
mod shapes;

use std::ffi::CStr;

use napi::bindgen_prelude::Object;
use napi_derive::napi;

use crate::node::{Environment, Js, RawFunction, Status};

/// The raw exports by name.
const RAW: &[(&CStr, RawFunction)] = &[
    (c"open", raw::open),
    (c"submitDirect", pool::submit_direct),
    (c"submit", pool::submit),
    (c"submitWith", pool::submit_with),
    (c"submitBatch", pool::submit_batch),
    (c"drain", raw::drain),
    (c"submitScript", scripts::submit_script),
    (c"scriptStep", scripts::script_step),
    (c"scriptFinish", scripts::script_finish),
    (c"scriptReport", scripts::script_report),
    (c"scriptStop", scripts::script_stop),
    (c"holdLoop", raw::hold_loop),
    (c"releaseLoop", raw::release_loop),
];

/// Runs once for each JavaScript environment that loads the addon.
#[napi(module_exports)]
pub fn module_exports(exports: Object<'_>, env: napi::Env) -> napi::Result<()> {
    use napi::JsValue as _;
    // SAFETY: Node is running the module's registration for this environment on this thread.
    let js = unsafe { Js::new(env.raw()) };
    let environment = Environment::create(js).map_err(into_napi)?;
    for (name, function) in RAW {
        let function = js.function(name, *function, environment.address()).map_err(into_napi)?;
        js.set_named(exports.value().value, name, function).map_err(into_napi)?;
    }
    Ok(())
}

/// The environment of a derived function's call.
fn environment(env: &napi::Env) -> napi::Result<&'static Environment> {
    // SAFETY: napi-rs gives derived functions the environment of the running callback.
    Environment::of(unsafe { Js::new(env.raw()) }).map_err(into_napi)
}

fn into_napi(status: Status) -> napi::Error {
    napi::Error::new(napi::Status::from(status.0), "Node-API refused a call")
}
