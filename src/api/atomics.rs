//! `Atomics` in Rust: what it does is told in `node/atomics.rs`.

use crate::node::{Arguments, Call, Export, JsValue, Returned, export};
use crate::shared::atomics::Rmw;

/// The raw exports by name.
pub(super) const EXPORTS: &[Export] = &[
    (c"openAtomics", export(open)),
    (c"atomicsAdd", export(add)),
    (c"atomicsAnd", export(and)),
    (c"atomicsCompareExchange", export(compare_exchange)),
    (c"atomicsExchange", export(exchange)),
    (c"atomicsIsLockFree", export(is_lock_free)),
    (c"atomicsLoad", export(load)),
    (c"atomicsOr", export(or)),
    (c"atomicsStore", export(store)),
    (c"atomicsSub", export(sub)),
    (c"atomicsXor", export(xor)),
];

/// `openAtomics(toBigInt, interruptCheck, notify)`
fn open<'call>(call: Call<'call>, functions: Arguments<'call, 3>) -> Returned<'call> {
    call.environment.language().set(call.js, functions)?;
    Ok(JsValue::NOTHING)
}

/// `Atomics.add(typedArray, index, value)`
fn add<'call>(call: Call<'call>, arguments: Arguments<'call, 3>) -> Returned<'call> {
    call.atomics().rmw(Rmw::Add, arguments)
}

/// `Atomics.sub(typedArray, index, value)`
fn sub<'call>(call: Call<'call>, arguments: Arguments<'call, 3>) -> Returned<'call> {
    call.atomics().rmw(Rmw::Sub, arguments)
}

/// `Atomics.and(typedArray, index, value)`
fn and<'call>(call: Call<'call>, arguments: Arguments<'call, 3>) -> Returned<'call> {
    call.atomics().rmw(Rmw::And, arguments)
}

/// `Atomics.or(typedArray, index, value)`
fn or<'call>(call: Call<'call>, arguments: Arguments<'call, 3>) -> Returned<'call> {
    call.atomics().rmw(Rmw::Or, arguments)
}

/// `Atomics.xor(typedArray, index, value)`
fn xor<'call>(call: Call<'call>, arguments: Arguments<'call, 3>) -> Returned<'call> {
    call.atomics().rmw(Rmw::Xor, arguments)
}

/// `Atomics.exchange(typedArray, index, value)`
fn exchange<'call>(call: Call<'call>, arguments: Arguments<'call, 3>) -> Returned<'call> {
    call.atomics().rmw(Rmw::Exchange, arguments)
}

/// `Atomics.load(typedArray, index)`
fn load<'call>(call: Call<'call>, arguments: Arguments<'call, 2>) -> Returned<'call> {
    call.atomics().load(arguments)
}

/// `Atomics.store(typedArray, index, value)`: returns the value as it was coerced, not as it was stored.
fn store<'call>(call: Call<'call>, arguments: Arguments<'call, 3>) -> Returned<'call> {
    call.atomics().store(arguments)
}

/// `Atomics.compareExchange(typedArray, index, expectedValue, replacementValue)`
fn compare_exchange<'call>(call: Call<'call>, arguments: Arguments<'call, 4>) -> Returned<'call> {
    call.atomics().compare_exchange(arguments)
}

/// `Atomics.isLockFree(size)`
fn is_lock_free<'call>(call: Call<'call>, [size]: Arguments<'call, 1>) -> Returned<'call> {
    call.atomics().is_lock_free(size)
}
