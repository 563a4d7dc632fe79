//! Locks in shared memory: the contended paths of `lib/locks/`, which takes the others by the cells themselves.
//!
//! Every function returns its result, or `[code, message]` when the engine refuses. A lock is known by the handle
//! that `lockOpen` gives. What `argument` and the number that was granted mean is told at `AnyLock`.

use std::time::Duration;

use napi::bindgen_prelude::sys;

use super::pool::refused;
use super::raw::export;
use crate::node::{Arguments, Environment, Event, Js, JsValue, NOTHING, Status, open_region};
use crate::shared::locks::{AcquiredCallback, AnyLock};
use crate::shared::{Result as SharedResult, SharedError};

/// What `lockBegin` returns when it has joined the queue, and `lockTry` when the lock is busy.
const NOT_YET: f64 = -1.0;

/// The longest sleep of a JavaScript thread in one call, whatever it asks for.
const SLICE: Duration = Duration::from_millis(50);

/// Makes a raw export whose body gets `js`, the environment and its arguments.
macro_rules! exports {
    ($($(#[$doc:meta])* fn $name:ident($js:ident, $environment:ident, [$($argument:ident),*]) $body:block)*) => {$(
        $(#[$doc])*
        pub(super) unsafe extern "C" fn $name(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
            let body = |arguments: &Arguments<'_, { <[&str]>::len(&[$(stringify!($argument)),*]) }>,
                        $environment: &'static Environment| {
                let ($js, [$($argument),*]) = (arguments.js, arguments.values);
                $body
            };
            // SAFETY: called by Node, and registered in `RAW`.
            unsafe { export(env, info, body) }
        }
    )*};
}

/// What was returned, or why not.
fn answer<T>(
    js: Js<'_>,
    result: SharedResult<T>,
    show: impl FnOnce(T) -> Result<JsValue, Status>,
) -> Result<JsValue, Status> {
    match result {
        Ok(value) => show(value),
        Err(error) => refused(js, &error.into()),
    }
}

fn nothing((): ()) -> Result<JsValue, Status> {
    Ok(NOTHING)
}

/// The lock of a handle.
fn lock(js: Js<'_>, environment: &Environment, handle: JsValue) -> Result<AnyLock, Status> {
    environment.locks().get(js.read_u32(handle)?).ok_or(Status::INVALID)
}

/// The callback of a wait with an id; none for a thread's own sleep, whose id is below zero.
fn told(environment: &'static Environment, id: f64) -> Option<AcquiredCallback> {
    (id >= 0.0).then(|| {
        let (events, id) = (environment.events(), id as u64);
        Box::new(move |outcome| events.push(Event::LockEnded { id, outcome })) as AcquiredCallback
    })
}

exports! {
    /// `lockOwner()`: the environment's token.
    fn owner(js, environment, []) {
        answer(js, environment.locks().owner(), |owner| js.number(f64::from(owner)))
    }

    /// `lockOpen(view, offset)`: the handle of the lock at `offset` of the buffer that `view`, a `Uint8Array`, covers.
    fn open(js, environment, [view, offset]) {
        let region = open_region(js, environment, view)?;
        let found = AnyLock::find(&region, js.read_number(offset)? as usize);
        answer(js, found, |lock| js.number(f64::from(environment.locks().open(lock))))
    }

    /// `lockClose(handle)`
    fn close(js, environment, [handle]) {
        environment.locks().close_lock(js.read_u32(handle)?);
        Ok(NOTHING)
    }

    /// `lockBegin(handle, argument, id)`: what was granted at once, or -1: queued. The end of the wait comes to
    /// the entry `id`; with an `id` below zero the thread sleeps for it by `lockSleep`.
    fn begin(js, environment, [handle, argument, id]) {
        let (lock, id) = (lock(js, environment, handle)?, js.read_number(id)?);
        let argument = js.read_u32(argument)?;
        let begun = environment
            .locks()
            .owner()
            .and_then(|owner| lock.begin(argument, owner, told(environment, id)));
        answer(js, begun, |begun| match begun {
            Err(granted) => js.number(f64::from(granted)),
            Ok(wait) if id >= 0.0 => {
                environment.locks().remember(id as u64, wait);
                js.number(NOT_YET)
            }
            Ok(wait) => {
                environment.locks().fall_asleep(wait);
                js.number(NOT_YET)
            }
        })
    }

    /// `lockSleep(milliseconds)`: what was granted, or `undefined`: not yet. Sleeps 50 ms at the most, since V8
    /// cannot interrupt it: call a JavaScript function before the next.
    fn sleep(js, environment, [milliseconds]) {
        let asked = Duration::try_from_secs_f64(js.read_number(milliseconds)? / 1000.0);
        let slice = asked.map_or(Duration::ZERO, |asked| asked.min(SLICE));
        let slept = environment.locks().with_sleep(|wait| {
            let slept = wait.wait_slice(slice);
            let over = !matches!(slept, Ok(None));
            (slept, over)
        });
        answer(js, slept.unwrap_or(Err(SharedError::Cancelled)), |granted| match granted {
            Some(granted) => js.number(f64::from(granted)),
            None => Ok(NOTHING),
        })
    }

    /// `lockGiveUp()`: true when the thread's sleep is given up; false when it has ended: `lockSleep(0)` tells how.
    fn give_up(js, environment, []) {
        let left = environment.locks().with_sleep(|wait| {
            let left = wait.cancel();
            (left, left)
        });
        js.boolean(left.unwrap_or(true))
    }

    /// `lockCancel(id)`: true when the wait is given up; false when its end is on its way.
    fn cancel(js, environment, [id]) {
        let id = js.read_number(id)? as u64;
        js.boolean(environment.locks().cancel(id))
    }

    /// `lockTry(handle, argument)`: what was granted, or -1: busy.
    fn try_now(js, environment, [handle, argument]) {
        let lock = lock(js, environment, handle)?;
        let argument = js.read_u32(argument)?;
        let tried = environment.locks().owner().and_then(|owner| lock.try_now(argument, owner));
        answer(js, tried, |granted| js.number(granted.map_or(NOT_YET, f64::from)))
    }

    /// `lockUnlock(handle, argument, granted)`
    fn unlock(js, environment, [handle, argument, granted]) {
        let lock = lock(js, environment, handle)?;
        let (argument, granted) = (js.read_u32(argument)?, js.read_u32(granted)?);
        let owner = environment.locks().owner();
        answer(js, owner.and_then(|owner| lock.unlock(argument, owner, granted)), nothing)
    }

    /// `lockGrantNext(handle)`: JavaScript has released something by the cells, and someone waits.
    fn grant_next(js, environment, [handle]) {
        answer(js, lock(js, environment, handle)?.grant_next(), nothing)
    }

    /// `lockRecover(handle)`: true when it was poisoned, and is now the caller's.
    fn recover(js, environment, [handle]) {
        let lock = lock(js, environment, handle)?;
        let owner = environment.locks().owner();
        answer(js, owner.and_then(|owner| lock.recover(owner)), |recovered| js.boolean(recovered))
    }

    /// `lockIsPoisoned(handle)`
    fn is_poisoned(js, environment, [handle]) {
        answer(js, lock(js, environment, handle)?.is_poisoned(), |poisoned| js.boolean(poisoned))
    }

    /// `condvarBegin(condvar, mutex, id)`: joins the queue and unlocks the mutex; always -1. `id` as in `lockBegin`.
    fn condvar_begin(js, environment, [condvar, mutex, id]) {
        let (condvar, mutex) = (lock(js, environment, condvar)?, lock(js, environment, mutex)?);
        let id = js.read_number(id)?;
        let begun = environment
            .locks()
            .owner()
            .and_then(|owner| condvar.begin_condvar(&mutex, owner, told(environment, id)));
        answer(js, begun, |wait| {
            if id >= 0.0 {
                environment.locks().remember(id as u64, wait);
            } else {
                environment.locks().fall_asleep(wait);
            }
            js.number(NOT_YET)
        })
    }

    /// `condvarNotify(handle, count)`: how many were woken.
    fn condvar_notify(js, environment, [handle, count]) {
        let lock = lock(js, environment, handle)?;
        let count = js.read_u32(count)? as usize;
        let woken = lock.as_condvar().and_then(|condvar| condvar.notify(count));
        #[allow(clippy::cast_precision_loss)] // as many as there are threads and promises
        answer(js, woken, |woken| js.number(woken as f64))
    }

    /// `barrierReset(handle)`
    fn barrier_reset(js, environment, [handle]) {
        let lock = lock(js, environment, handle)?;
        answer(js, lock.as_barrier().and_then(|barrier| barrier.reset()), nothing)
    }

    /// `barrierAbort(handle)`
    fn barrier_abort(js, environment, [handle]) {
        let lock = lock(js, environment, handle)?;
        answer(js, lock.as_barrier().and_then(|barrier| barrier.abort()), nothing)
    }
}
