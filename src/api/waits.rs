//! `Atomics.wait`, `waitAsync` and `notify` on Rust's wait table, with the language's checks; and the handles by which
//! JavaScript keeps a region's name.

use std::sync::atomic::{AtomicI32, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use napi::Env;
use napi::bindgen_prelude::sys;
use napi_derive::napi;

use super::atomics::{Call, Kind, helper};
use super::environment;
use super::raw::export;
use crate::node::{Arguments, Environment, JsValue, NO_OWNER, Status, TypedArray, open_region};
use crate::shared::SharedError;
use crate::shared::wait::{CellAddress, Enqueued, Expected, Outcome, SLICE, WaiterHandle, enqueue, table};

type Result<T> = std::result::Result<T, Status>;

/// A wait that has passed all checks.
struct Wanted {
    array: TypedArray,
    kind: Kind,
    index: usize,
    expected: Expected,
    /// Milliseconds, not negative, infinity for no end.
    timeout: f64,
}

impl Wanted {
    fn offset(&self) -> usize {
        self.array.offset_of(self.index, self.kind.size())
    }
}

impl Call<'_> {
    /// DoWait up to where it looks at the memory.
    fn wanted(self, [given, index, value, timeout]: [JsValue; 4]) -> Result<Wanted> {
        let (array, kind) = self.integer_array(given, true)?;
        if !array.is_shared(self.js)? {
            return Err(self.is_not(given, Some(array.kind), "a shared"));
        }
        let index = self.index(&array, index)?;
        let (value, _) = self.operand(kind, value)?;
        let expected = match kind {
            Kind::I64 => Expected::I64(value.cast_signed()),
            _ => Expected::I32((value as u32).cast_signed()),
        };
        let timeout = self.js.to_number(timeout)?;
        let timeout = if timeout.is_nan() { f64::INFINITY } else { timeout.max(0.0) };
        Ok(Wanted { array, kind, index, expected, timeout })
    }

    /// Whether the cell holds what is expected, without waiting for it.
    fn holds(self, wanted: &Wanted) -> bool {
        let Wanted { array, index, expected, .. } = wanted;
        let equal = match expected {
            Expected::I32(value) => {
                array.with_cell(*index, |cell: &AtomicI32| cell.load(Ordering::SeqCst) == *value)
            }
            Expected::I64(value) => {
                array.with_cell(*index, |cell: &AtomicI64| cell.load(Ordering::SeqCst) == *value)
            }
        };
        equal == Some(true)
    }

    /// Sleeps in slices, with a call into JavaScript between two of them: only there does V8 see that this thread
    /// shall end (facts/node-api.md C4).
    fn sleep(self, mut ticket: WaiterHandle<'static>, timeout: f64) -> Result<&'static str> {
        let deadline = Duration::try_from_secs_f64(timeout / 1000.0)
            .ok()
            .and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let rest = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if rest == Some(Duration::ZERO) && ticket.cancel() {
                return Ok("timed-out");
            }
            match ticket.wait_slice(rest.map_or(SLICE, |rest| rest.min(SLICE))) {
                Some(Outcome::Woken) => return Ok("ok"),
                Some(_) => return Err(self.js.throw_type_error(c"The shared memory is going away")),
                None => {}
            }
            let interrupt_check = self.environment.helper(self.js, helper::INTERRUPT_CHECK)?;
            self.js.call(interrupt_check, &[])?;
        }
    }
}

/// These cannot come for memory that the callback's own handle keeps.
fn impossible(_: SharedError) -> Status {
    Status(sys::Status::napi_generic_failure)
}

/// `Atomics.wait(typedArray, index, value, timeout)`: on every thread, the main one too.
pub(super) unsafe extern "C" fn wait(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 4>, environment: &'static Environment| {
        let call = Call { js: arguments.js, environment };
        let wanted = call.wanted(arguments.values)?;
        let outcome = if call.holds(&wanted) {
            // Kept to the end of the wait: its name is where the notifier looks.
            let region = wanted.array.region(call.js, environment, wanted.kind.size())?;
            let access = region.access().map_err(impossible)?;
            let enqueued =
                enqueue(&access, wanted.offset(), wanted.expected, NO_OWNER, None).map_err(impossible)?;
            drop(access);
            match enqueued {
                Enqueued::Waiting(ticket) => call.sleep(ticket, wanted.timeout)?,
                Enqueued::NotEqual => "not-equal",
            }
        } else {
            "not-equal"
        };
        call.js.string(outcome)
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// What `waitAsync` answers at once; a number from 0 on is the timeout of a wait that has begun.
const NOT_EQUAL: f64 = -1.0;
const TIMED_OUT: f64 = -2.0;

/// `waitAsync(typedArray, index, value, timeout, id)`: the outcome comes as an event under `id`.
pub(super) unsafe extern "C" fn wait_async(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 5>, environment: &'static Environment| {
        let js = arguments.js;
        let call = Call { js, environment };
        let [array, index, value, timeout, id] = arguments.values;
        let wanted = call.wanted([array, index, value, timeout])?;
        let id = js.read_number(id)? as u64;
        if !call.holds(&wanted) {
            return js.number(NOT_EQUAL);
        }
        if wanted.timeout == 0.0 {
            return js.number(TIMED_OUT);
        }
        let region = wanted.array.region(js, environment, wanted.kind.size())?;
        let begun = environment
            .waits()
            .begin(environment.events(), region, wanted.offset(), wanted.expected, id)
            .map_err(impossible)?;
        js.number(if begun { wanted.timeout } else { NOT_EQUAL })
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `cancelWait(id)`: true when the async wait has ended unwoken; false when its event is on the way.
pub(super) unsafe extern "C" fn cancel_wait(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 1>, environment: &'static Environment| {
        let id = arguments.js.read_number(arguments.values[0])? as u64;
        arguments.js.boolean(environment.waits().cancel(id))
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `Atomics.notify(typedArray, index, count)`: first those in our table, in their order; then, for what is left of
/// the count, those who wait by `Atomics.wait`.
pub(super) unsafe extern "C" fn notify(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 3>, environment: &'static Environment| {
        let js = arguments.js;
        let call = Call { js, environment };
        let [value, index, count] = arguments.values;
        let (array, kind) = call.integer_array(value, true)?;
        let index = call.index(&array, index)?;
        let count = if js.type_of(count)? == sys::ValueType::napi_undefined {
            f64::INFINITY
        } else {
            js.to_number(count)?.trunc().max(0.0)
        };
        let array = array.again(js)?;
        if !array.is_shared(js)? {
            return js.number(0.0);
        }
        // Without a region nobody waits; casts saturate.
        let woken = array.known_region().map_or(0, |region| {
            let offset = array.offset_of(index, kind.size());
            table().notify(CellAddress { region: region.id(), offset }, count as usize)
        });
        #[allow(clippy::cast_precision_loss)]
        let (woken, index) = (woken as f64, index as f64);
        let mut all = woken;
        if count > woken {
            let notify = environment.helper(js, helper::NOTIFY)?;
            let others = js.call(notify, &[value, js.number(index)?, js.number(count - woken)?])?;
            all += js.read_number(others)?;
        }
        js.number(all)
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `holdRegion(bytes)`: keeps the region of a `Uint8Array` over a whole SharedArrayBuffer, and its waiters' meeting
/// place, until `releaseRegion` is called with the handle this returns.
pub(super) unsafe extern "C" fn hold_region(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 1>, environment: &'static Environment| {
        let region = open_region(arguments.js, environment, arguments.values[0])?;
        arguments.js.number(f64::from(environment.waits().hold(region)))
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// Lets go of what `holdRegion` has kept.
#[napi]
pub fn release_region(env: Env, handle: u32) -> napi::Result<()> {
    environment(&env)?.waits().release(handle);
    Ok(())
}

/// How many wait on a cell in the table of Rust: for tests.
#[napi]
pub fn waiter_count(env: Env, handle: u32, offset: f64) -> napi::Result<u32> {
    let region = environment(&env)?.waits().held(handle);
    let place = region.map(|region| CellAddress { region: region.id(), offset: offset as usize });
    Ok(place.map_or(0, |place| table().waiters(place) as u32))
}
