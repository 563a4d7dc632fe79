//! `Atomics.wait`, `waitAsync` and `notify` on Rust's wait table, with the language's checks.

use std::sync::atomic::{AtomicI32, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use super::atomics::{Atomics, Element, Helper};
use super::core::Core;
use super::js::{Js, JsValue, Result, Status, Type};
use super::typed_array::TypedArray;
use super::waits::{NO_OWNER, Waits};
use crate::shared::SharedError;
use crate::shared::wait::{CellAddress, Enqueued, Expected, Outcome, SLICE, WaiterHandle, enqueue, table};

/// A wait that has passed all checks.
struct Wanted<'call> {
    array: TypedArray<'call>,
    index: usize,
    expected: Expected,
    /// Milliseconds, not negative, infinity for no end.
    timeout: f64,
}

impl<'call> Wanted<'call> {
    fn offset(&self) -> usize {
        self.array.offset_of(self.index)
    }

    /// Whether the cell holds what is expected, without waiting for it.
    fn holds(&self, js: Js<'call>) -> bool {
        let (array, index) = (&self.array, self.index);
        let equal = match self.expected {
            Expected::I32(value) => {
                array.with_cell(js, index, move |cell: &AtomicI32| cell.load(Ordering::SeqCst) == value)
            }
            Expected::I64(value) => {
                array.with_cell(js, index, move |cell: &AtomicI64| cell.load(Ordering::SeqCst) == value)
            }
        };
        equal == Some(true)
    }
}

/// The immediate result of an async wait.
pub(crate) enum AsyncWait {
    NotEqual,
    TimedOut,
    /// It has begun; its timeout in milliseconds.
    Begun(f64),
}

impl<'call> Atomics<'call> {
    /// DoWait up to where it looks at the memory.
    fn wanted(self, [given, index, value, timeout]: [JsValue<'call>; 4]) -> Result<Wanted<'call>> {
        let (array, element) = self.integer_array(given, true)?;
        if !array.is_shared(self.js)? {
            return Err(self.is_not(given, Some(array.kind()), "a shared"));
        }
        let index = self.index(&array, index)?;
        let (value, _) = self.operand(element, value)?;
        let expected = match element {
            Element::I64 => Expected::I64(value.cast_signed()),
            _ => Expected::I32((value as u32).cast_signed()),
        };
        let timeout = self.js.to_number(timeout)?;
        let timeout = if timeout.is_nan() { f64::INFINITY } else { timeout.max(0.0) };
        Ok(Wanted { array, index, expected, timeout })
    }

    /// `Atomics.wait(typedArray, index, value, timeout)`: on every thread, the main one too.
    pub(crate) fn wait(self, core: &'static Core, arguments: [JsValue<'call>; 4]) -> Result<&'static str> {
        let wanted = self.wanted(arguments)?;
        if !wanted.holds(self.js) {
            return Ok("not-equal");
        }
        // Kept to the end of the wait: its name is where the notifier looks.
        let region = wanted.array.region(self.js, core)?;
        let access = region.access().map_err(impossible)?;
        let enqueued =
            enqueue(&access, wanted.offset(), wanted.expected, NO_OWNER, None).map_err(impossible)?;
        drop(access);
        match enqueued {
            Enqueued::Waiting(waiter) => self.sleep(waiter, wanted.timeout),
            Enqueued::NotEqual => Ok("not-equal"),
        }
    }

    /// Sleeps in slices, with a call into JavaScript between two of them: only there does V8 see that this thread must
    /// end.
    fn sleep(self, mut waiter: WaiterHandle<'static>, timeout: f64) -> Result<&'static str> {
        let deadline = Duration::try_from_secs_f64(timeout / 1000.0)
            .ok()
            .and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let rest = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if rest == Some(Duration::ZERO) && waiter.cancel() {
                return Ok("timed-out");
            }
            match waiter.wait_slice(rest.map_or(SLICE, |rest| rest.min(SLICE))) {
                Some(Outcome::Woken) => return Ok("ok"),
                Some(_) => return Err(self.js.throw_type_error(c"The shared memory is going away")),
                None => {}
            }
            self.call(Helper::InterruptCheck, &[])?;
        }
    }

    /// `Atomics.waitAsync(typedArray, index, value, timeout)`; the outcome of a wait that has begun comes as an event under
    /// `id`.
    pub(crate) fn wait_async(
        self,
        core: &'static Core,
        waits: &Waits,
        arguments: [JsValue<'call>; 4],
        id: JsValue<'call>,
    ) -> Result<AsyncWait> {
        let wanted = self.wanted(arguments)?;
        let id = self.js.read_u64(id)?;
        if !wanted.holds(self.js) {
            return Ok(AsyncWait::NotEqual);
        }
        if wanted.timeout == 0.0 {
            return Ok(AsyncWait::TimedOut);
        }
        let region = wanted.array.region(self.js, core)?;
        let begun =
            waits.begin(core.events(), region, wanted.offset(), wanted.expected, id).map_err(impossible)?;
        Ok(if begun { AsyncWait::Begun(wanted.timeout) } else { AsyncWait::NotEqual })
    }

    /// `Atomics.notify(typedArray, index, count)`: first those in our table, in their order; then, for what is left of
    /// the count, the threads that wait by `Atomics.wait`. How many were woken.
    pub(crate) fn notify(self, [value, index, count]: [JsValue<'call>; 3]) -> Result<f64> {
        let js = self.js;
        let (array, _) = self.integer_array(value, true)?;
        let index = self.index(&array, index)?;
        let count = if js.type_of(count)? == Type::Undefined {
            f64::INFINITY
        } else {
            js.to_number(count)?.trunc().max(0.0)
        };
        let array = array.again(js)?;
        if !array.is_shared(js)? {
            return Ok(0.0);
        }
        // Without a region nobody waits; casts saturate.
        let woken = array.known_region().map_or(0, |region| {
            let offset = array.offset_of(index);
            table().notify(CellAddress { region: region.id(), offset }, count as usize)
        });
        #[allow(clippy::cast_precision_loss)] // below 2^53
        let (woken, index) = (woken as f64, index as f64);
        if count <= woken {
            return Ok(woken);
        }
        let others = self.call(Helper::Notify, &[value, js.number(index)?, js.number(count - woken)?])?;
        Ok(woken + js.read_number(others)?)
    }
}

/// These cannot come for memory that the callback's own handle keeps.
fn impossible(_: SharedError) -> Status {
    Status::FAILED
}
