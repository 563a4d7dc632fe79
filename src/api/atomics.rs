//! `Atomics` in Rust: see `node/atomics.rs`.

use crate::node::{Arguments, Call, Export, JsValue, Returned, export};
use crate::shared::atomics::Rmw;
use crate::shared::wait::table;

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

/// `openAtomics(toBigInt, interruptCheck, notify)`: the counters of waiters, if this runtime can have them.
fn open<'call>(call: Call<'call>, functions: Arguments<'call, 3>) -> Returned<'call> {
    call.environment.language().set(call.js, functions)?;
    Ok(call.js.counters(table().counters())?.unwrap_or(JsValue::NOTHING))
}

macro_rules! read_modify_write {
    ($($(#[$doc:meta])* $name:ident: $op:ident;)*) => {$(
        $(#[$doc])*
        fn $name<'call>(call: Call<'call>, arguments: Arguments<'call, 3>) -> Returned<'call> {
            call.atomics().rmw(Rmw::$op, arguments)
        }
    )*};
}

read_modify_write! {
    /// `Atomics.add(typedArray, index, value)`
    add: Add;
    /// `Atomics.sub(typedArray, index, value)`
    sub: Sub;
    /// `Atomics.and(typedArray, index, value)`
    and: And;
    /// `Atomics.or(typedArray, index, value)`
    or: Or;
    /// `Atomics.xor(typedArray, index, value)`
    xor: Xor;
    /// `Atomics.exchange(typedArray, index, value)`
    exchange: Exchange;
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
