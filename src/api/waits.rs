//! `Atomics.wait`, `waitAsync` and `notify` in Rust (`node/atomics_wait.rs`); and the handles by which JavaScript keeps a
//! region's name.

use napi::Env;
use napi_derive::napi;

use crate::exported_numbers::Numbers;
use crate::node::{Arguments, AsyncWait, Call, Environment, Export, Returned, export, open_region};
use crate::numbers;

/// The raw exports by name.
pub(super) const EXPORTS: &[Export] = &[
    (c"atomicsWait", export(wait)),
    (c"atomicsNotify", export(notify)),
    (c"waitAsync", export(wait_async)),
    (c"cancelWait", export(cancel_wait)),
    (c"holdRegion", export(hold_region)),
];

/// `Atomics.wait(typedArray, index, value, timeout)`: on every thread, the main one too.
fn wait<'call>(call: Call<'call>, arguments: Arguments<'call, 4>) -> Returned<'call> {
    call.js.string(call.atomics().wait(call.core(), arguments)?)
}

/// The immediate results of `waitAsync`; a number from 0 on is the timeout of a wait that has begun.
const NOT_EQUAL: f64 = -1.0;
const TIMED_OUT: f64 = -2.0;

/// For JavaScript.
pub(super) const NUMBERS: Numbers = numbers! { NOT_EQUAL, TIMED_OUT };

/// `waitAsync(typedArray, index, value, timeout, id)`: the outcome comes as an event under `id`.
fn wait_async<'call>(call: Call<'call>, arguments: Arguments<'call, 5>) -> Returned<'call> {
    let [array, index, value, timeout, id] = arguments;
    let waits = call.environment.waits();
    call.js.number(
        match call.atomics().wait_async(call.core(), waits, [array, index, value, timeout], id)? {
            AsyncWait::NotEqual => NOT_EQUAL,
            AsyncWait::TimedOut => TIMED_OUT,
            AsyncWait::Begun(timeout) => timeout,
        },
    )
}

/// `cancelWait(id)`: true when the async wait has ended unwoken; false when its event is on the way.
fn cancel_wait<'call>(call: Call<'call>, [id]: Arguments<'call, 1>) -> Returned<'call> {
    call.js.boolean(call.environment.waits().cancel(call.js.read_u64(id)?))
}

/// `Atomics.notify(typedArray, index, count)`
fn notify<'call>(call: Call<'call>, arguments: Arguments<'call, 3>) -> Returned<'call> {
    call.js.number(call.atomics().notify(arguments)?)
}

/// `holdRegion(bytes)`: keeps the region of a `Uint8Array` over a whole SharedArrayBuffer, and its waiters' meeting
/// place, until `releaseRegion` is called with the handle this returns.
fn hold_region<'call>(call: Call<'call>, [bytes]: Arguments<'call, 1>) -> Returned<'call> {
    let region = open_region(call.js, call.core(), bytes)?;
    call.js.number(f64::from(call.environment.waits().held().insert(region)))
}

/// Lets go of what `holdRegion` has kept.
#[napi(catch_unwind)]
pub fn release_region(env: Env, handle: u32) -> napi::Result<()> {
    drop(Environment::of(&env)?.waits().held().remove(handle));
    Ok(())
}

/// How many wait on a cell in the table of Rust: for tests.
#[napi(catch_unwind)]
pub fn waiter_count(env: Env, handle: u32, offset: f64) -> napi::Result<u32> {
    Ok(Environment::of(&env)?.waits().count(handle, offset as usize) as u32)
}
