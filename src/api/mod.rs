//! The exports JavaScript sees: each checks its arguments and calls one thing below; there is no algorithm here.
//!
//! Functions on a hot path are raw Node-API functions (`EXPORTS` of each file): a derived one costs 7 to 10 times as much a
//! call. Everything else uses the derive. All of them are internal to the package: `lib/` makes the public API of them.

// The derive wants `pub` items; nothing here is reachable from outside the crate but by Node.
#![allow(unreachable_pub)]

mod atomics;
mod calls;
mod channel;
mod constants;
mod engine;
mod environment;
mod locks;
mod notifier;
mod packs;
mod pool;
mod scripts;
mod seal;
mod shapes;
mod shared_values;
mod traces;
mod waits;

use napi::bindgen_prelude::Object;
use napi_derive::napi;

use crate::node::{Environment, process_random};
use crate::panic::guard;

/// Runs once for each JavaScript environment that loads the addon.
#[napi(module_exports)]
pub fn module_exports(exports: Object<'_>, env: napi::Env) -> napi::Result<()> {
    // The derive guards only functions.
    guard(|| open(&exports, &env)).map_err(|panic| napi::Error::from_reason(panic.message()))?
}

fn open(exports: &Object<'_>, env: &napi::Env) -> napi::Result<()> {
    crate::seal::open(process_random());
    let tables = [
        atomics::EXPORTS,
        calls::EXPORTS,
        channel::EXPORTS,
        engine::EXPORTS,
        environment::EXPORTS,
        locks::EXPORTS,
        pool::EXPORTS,
        scripts::EXPORTS,
        seal::EXPORTS,
        shared_values::EXPORTS,
        traces::EXPORTS,
        waits::EXPORTS,
    ];
    Environment::open(env, exports, &tables)?;
    Ok(())
}
