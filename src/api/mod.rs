//! The exports JavaScript sees: argument checks and calls into the engine, no logic.
//!
//! Functions on a hot path are raw Node-API functions (`raw`): a derived one costs 7 to 10 times as much a call.
//! Everything else uses the derive. All of them are internal to the package: `lib/` gives them their public face.

// The derive wants `pub` items; nothing here is reachable from outside the crate but by Node.
#![allow(unreachable_pub)]

mod atomics;
mod channel;
mod constants;
mod list;
mod locks;
mod notifier;
mod pool;
mod raw;
mod scripts;
mod seal;
mod shapes;
mod waits;

use std::ffi::CStr;

use napi::bindgen_prelude::Object;
use napi_derive::napi;

use crate::node::{Environment, Js, RawFunction, Status, process_random};

/// The raw exports by name.
const RAW: &[(&CStr, RawFunction)] = &[
    (c"open", raw::open),
    (c"now", raw::now),
    (c"hostGlobal", raw::host_global),
    (c"throwUncaught", raw::throw_uncaught),
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
    (c"scriptClaim", scripts::script_claim),
    (c"holdLoop", raw::hold_loop),
    (c"releaseLoop", raw::release_loop),
    (c"lockOwner", locks::owner),
    (c"lockOpen", locks::open),
    (c"lockClose", locks::close),
    (c"lockBegin", locks::begin),
    (c"lockSleep", locks::sleep),
    (c"lockGiveUp", locks::give_up),
    (c"lockCancel", locks::cancel),
    (c"lockTry", locks::try_now),
    (c"lockUnlock", locks::unlock),
    (c"lockGrantNext", locks::grant_next),
    (c"lockRecover", locks::recover),
    (c"lockIsPoisoned", locks::is_poisoned),
    (c"condvarBegin", locks::condvar_begin),
    (c"condvarNotify", locks::condvar_notify),
    (c"barrierReset", locks::barrier_reset),
    (c"barrierAbort", locks::barrier_abort),
    (c"namePortIntake", channel::name_port_intake),
    (c"namePortOutgoing", channel::name_port_outgoing),
    (c"postToPort", channel::post_to_port),
    (c"postToPortWith", channel::post_to_port_with),
    (c"postPlaceToPort", channel::post_place_to_port),
    (c"takeFromPort", channel::take_from_port),
    (c"fillFromPort", channel::fill_from_port),
    (c"receiveFromPort", channel::receive_from_port),
    (c"openAtomics", atomics::open_atomics),
    (c"atomicsAdd", atomics::add),
    (c"atomicsAnd", atomics::and),
    (c"atomicsCompareExchange", atomics::compare_exchange),
    (c"atomicsExchange", atomics::exchange),
    (c"atomicsIsLockFree", atomics::lock_free),
    (c"atomicsLoad", atomics::load),
    (c"atomicsOr", atomics::or),
    (c"atomicsStore", atomics::store),
    (c"atomicsSub", atomics::sub),
    (c"atomicsXor", atomics::xor),
    (c"atomicsWait", waits::wait),
    (c"atomicsNotify", waits::notify),
    (c"waitAsync", waits::wait_async),
    (c"cancelWait", waits::cancel_wait),
    (c"holdRegion", waits::hold_region),
    (c"sealName", seal::name),
    (c"sealImage", seal::image),
    (c"sealStamp", seal::stamp),
    (c"sealSingle", seal::single),
    (c"redeemSeal", seal::redeem),
    (c"noteThread", seal::note_thread),
    (c"threadNotes", seal::thread_notes),
];

/// Runs once for each JavaScript environment that loads the addon.
#[napi(module_exports)]
pub fn module_exports(exports: Object<'_>, env: napi::Env) -> napi::Result<()> {
    use napi::JsValue as _;
    // SAFETY: Node is running the module's registration for this environment on this thread.
    let js = unsafe { Js::new(env.raw()) };
    crate::seal::open(process_random());
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
