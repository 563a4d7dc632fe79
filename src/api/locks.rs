//! Locks in shared memory: the contended paths of `lib/locks/`, which takes the others by the cells themselves.
//!
//! Every function returns its result, or `[code, message]` when the engine refuses. A lock is known by the handle
//! that `lockOpen` gives. `AnyLock` describes what `argument` and the granted number mean.

use std::time::Duration;

use crate::exported_numbers::Numbers;
use crate::node::{
    Arguments, Call, Export, JsValue, OwnerKind, Result, Returned, Status, WaitMode, answer, export,
    open_region, owner_kind,
};
use crate::numbers;
use crate::shared::locks::{AnyLock, waiters_at};

/// The raw exports by name.
pub(super) const EXPORTS: &[Export] = &[
    (c"lockOwner", export(owner)),
    (c"lockOpen", export(open)),
    (c"lockClose", export(close)),
    (c"lockBegin", export(begin)),
    (c"lockHolder", export(holder)),
    (c"lockWaiters", export(waiters)),
    (c"lockSleep", export(sleep)),
    (c"lockGiveUp", export(give_up)),
    (c"lockCancel", export(cancel)),
    (c"lockTry", export(try_now)),
    (c"lockUnlock", export(unlock)),
    (c"lockGrantNext", export(grant_next)),
    (c"lockRecover", export(recover)),
    (c"lockIsPoisoned", export(is_poisoned)),
    (c"condvarBegin", export(condvar_begin)),
    (c"condvarNotify", export(condvar_notify)),
    (c"barrierReset", export(barrier_reset)),
    (c"barrierAbort", export(barrier_abort)),
];

/// The result of `lockBegin` when it has joined the queue, and of `lockTry` when the lock is busy.
const NOT_YET: f64 = -1.0;
/// In the place of the id of a wait: the thread itself sleeps.
const SLEEP: f64 = -1.0;
/// In the place of the number of a thread.
const NATIVE_THREAD: f64 = -1.0;
const NO_THREAD: f64 = -2.0;

/// For JavaScript.
pub(super) const NUMBERS: Numbers = numbers! { NOT_YET, SLEEP, NATIVE_THREAD, NO_THREAD };

fn nothing<'call>((): ()) -> Returned<'call> {
    Ok(JsValue::NOTHING)
}

/// The lock of a handle.
fn lock<'call>(call: Call<'call>, handle: JsValue<'call>) -> Result<AnyLock> {
    let handle = call.js.read_u32(handle)?;
    call.environment.locks().opened().get(handle).ok_or(Status::INVALID)
}

/// The end of a wait comes to the entry `id`; with an `id` below zero the thread sleeps for it by `lockSleep`.
fn mode<'call>(call: Call<'call>, id: JsValue<'call>) -> Result<WaitMode> {
    let id = call.js.read_number(id)?;
    Ok(if id == SLEEP { WaitMode::Sleep } else { WaitMode::Event(id as u64) })
}

/// `lockOwner(thread)`: the environment's token, known as that of Node's thread of this number.
fn owner<'call>(call: Call<'call>, [thread]: Arguments<'call, 1>) -> Returned<'call> {
    let owner = call.environment.locks().owner_of_thread(call.js.read_u32(thread)?);
    answer(call.js, owner, |owner| call.js.number(f64::from(owner)))
}

/// `lockHolder(token)`: the number of the JavaScript thread that has the token, or `NATIVE_THREAD`, or `NO_THREAD`: it has ended.
fn holder<'call>(call: Call<'call>, [token]: Arguments<'call, 1>) -> Returned<'call> {
    call.js.number(match owner_kind(call.js.read_u32(token)?) {
        OwnerKind::Script(thread) => f64::from(thread),
        OwnerKind::Native => NATIVE_THREAD,
        OwnerKind::Dead => NO_THREAD,
    })
}

/// `lockWaiters(view, offset)`: how many wait for the lock at `offset` of the buffer that `view` covers.
fn waiters<'call>(call: Call<'call>, [view, offset]: Arguments<'call, 2>) -> Returned<'call> {
    let region = open_region(call.js, call.core(), view)?;
    #[allow(clippy::cast_precision_loss)] // a count
    let count = waiters_at(&region, call.js.read_number(offset)? as usize) as f64;
    call.js.number(count)
}

/// `lockOpen(view, offset)`: the handle of the lock at `offset` of the buffer that `view`, a `Uint8Array`, covers.
fn open<'call>(call: Call<'call>, [view, offset]: Arguments<'call, 2>) -> Returned<'call> {
    let region = open_region(call.js, call.core(), view)?;
    let found = AnyLock::find(&region, call.js.read_number(offset)? as usize);
    answer(call.js, found, |lock| call.js.number(f64::from(call.environment.locks().opened().insert(lock))))
}

/// `lockClose(handle)`
fn close<'call>(call: Call<'call>, [handle]: Arguments<'call, 1>) -> Returned<'call> {
    drop(call.environment.locks().opened().remove(call.js.read_u32(handle)?));
    Ok(JsValue::NOTHING)
}

/// `lockBegin(handle, argument, id)`: the number that was granted at once, or -1: queued. `id`: see [`mode`].
fn begin<'call>(call: Call<'call>, [handle, argument, id]: Arguments<'call, 3>) -> Returned<'call> {
    let (lock, mode) = (lock(call, handle)?, mode(call, id)?);
    let argument = call.js.read_u32(argument)?;
    let begun = call.environment.locks().begin(call.core().events(), &lock, argument, mode);
    answer(call.js, begun, |granted| call.js.number(granted.map_or(NOT_YET, f64::from)))
}

/// `lockSleep(milliseconds)`: the granted number, or `undefined`: not yet. Sleeps 50 ms at the most, since V8 cannot
/// interrupt it: call a JavaScript function before the next.
fn sleep<'call>(call: Call<'call>, [milliseconds]: Arguments<'call, 1>) -> Returned<'call> {
    let asked = Duration::try_from_secs_f64(call.js.read_number(milliseconds)? / 1000.0);
    let slept = call.environment.locks().sleep(asked.unwrap_or(Duration::ZERO));
    answer(call.js, slept, |granted| match granted {
        Some(granted) => call.js.number(f64::from(granted)),
        None => Ok(JsValue::NOTHING),
    })
}

/// `lockGiveUp()`: gives the thread's sleep up, and returns true. False if the wait has already ended: `lockSleep(0)`
/// returns how.
fn give_up<'call>(call: Call<'call>, []: Arguments<'call, 0>) -> Returned<'call> {
    call.js.boolean(call.environment.locks().give_up())
}

/// `lockCancel(id)`: true when the wait is given up; false when its end is on its way.
fn cancel<'call>(call: Call<'call>, [id]: Arguments<'call, 1>) -> Returned<'call> {
    call.js.boolean(call.environment.locks().cancel(call.js.read_u64(id)?))
}

/// `lockTry(handle, argument)`: the granted number, or -1: busy.
fn try_now<'call>(call: Call<'call>, [handle, argument]: Arguments<'call, 2>) -> Returned<'call> {
    let lock = lock(call, handle)?;
    let argument = call.js.read_u32(argument)?;
    let tried = call.environment.locks().owner().and_then(|owner| lock.try_now(argument, owner));
    answer(call.js, tried, |granted| call.js.number(granted.map_or(NOT_YET, f64::from)))
}

/// `lockUnlock(handle, argument, granted)`
fn unlock<'call>(call: Call<'call>, [handle, argument, granted]: Arguments<'call, 3>) -> Returned<'call> {
    let lock = lock(call, handle)?;
    let (argument, granted) = (call.js.read_u32(argument)?, call.js.read_u32(granted)?);
    let owner = call.environment.locks().owner();
    answer(call.js, owner.and_then(|owner| lock.unlock(argument, owner, granted)), nothing)
}

/// `lockGrantNext(handle)`: JavaScript has released something by the cells, and someone waits.
fn grant_next<'call>(call: Call<'call>, [handle]: Arguments<'call, 1>) -> Returned<'call> {
    answer(call.js, lock(call, handle)?.grant_next(), nothing)
}

/// `lockRecover(handle)`: true when it was poisoned, and is now the caller's.
fn recover<'call>(call: Call<'call>, [handle]: Arguments<'call, 1>) -> Returned<'call> {
    let lock = lock(call, handle)?;
    let owner = call.environment.locks().owner();
    let recovered = owner.and_then(|owner| lock.recover(owner));
    answer(call.js, recovered, |recovered| call.js.boolean(recovered))
}

/// `lockIsPoisoned(handle)`
fn is_poisoned<'call>(call: Call<'call>, [handle]: Arguments<'call, 1>) -> Returned<'call> {
    answer(call.js, lock(call, handle)?.is_poisoned(), |poisoned| call.js.boolean(poisoned))
}

/// `condvarBegin(condvar, mutex, id)`: joins the queue and unlocks the mutex; always -1. `id`: see [`mode`].
fn condvar_begin<'call>(call: Call<'call>, [condvar, mutex, id]: Arguments<'call, 3>) -> Returned<'call> {
    let (condvar, mutex) = (lock(call, condvar)?, lock(call, mutex)?);
    let (locks, mode) = (call.environment.locks(), mode(call, id)?);
    let begun = locks.begin_condvar(call.core().events(), [&condvar, &mutex], mode);
    answer(call.js, begun, |()| call.js.number(NOT_YET))
}

/// `condvarNotify(handle, count)`: how many were woken.
fn condvar_notify<'call>(call: Call<'call>, [handle, count]: Arguments<'call, 2>) -> Returned<'call> {
    let lock = lock(call, handle)?;
    let count = call.js.read_u32(count)? as usize;
    let woken = lock.as_condvar().and_then(|condvar| condvar.notify(count));
    answer(call.js, woken, |woken| call.js.number_u64(woken as u64))
}

/// `barrierReset(handle)`
fn barrier_reset<'call>(call: Call<'call>, [handle]: Arguments<'call, 1>) -> Returned<'call> {
    answer(call.js, lock(call, handle)?.as_barrier().and_then(|barrier| barrier.reset()), nothing)
}

/// `barrierAbort(handle)`
fn barrier_abort<'call>(call: Call<'call>, [handle]: Arguments<'call, 1>) -> Returned<'call> {
    answer(call.js, lock(call, handle)?.as_barrier().and_then(|barrier| barrier.abort()), nothing)
}
