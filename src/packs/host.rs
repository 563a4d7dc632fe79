//! The functions that the interface gives a running task: `rw_host`.
//!
//! Each takes the call that the pack names, and anything else as it comes. What cannot be right is refused: a null pointer, a call that
//! has ended, another thread than the call's, an index that is none. None of them lets a panic out.

// They are called by libraries, with pointers.
#![allow(unsafe_code)]

use std::collections::hash_map::Entry;
use std::ffi::c_void;
use std::sync::Arc;
use std::time::Duration;

use rust_workers_abi::{self as abi, outcome, stop};

use super::call::{Borrowed, Call, Copies, Whole};
use super::task::{Data, Told};
use super::wire;
use crate::cancel::Reason;
use crate::channel::{PortHandle, ReceiveError, Refusal};
use crate::error::{Error, Result};
use crate::panic::guard;
use crate::sync::Mutex;
use crate::value::{ErrorValue, Limits, Text, Value, decode, encode};

/// The most bytes of a text of an error that are kept.
const LONGEST_NAME: usize = 256;
const LONGEST_MESSAGE: usize = 1 << 20;

type Parallel = unsafe extern "C" fn(*mut abi::Call, usize, Option<abi::PartFn>, *mut c_void) -> i32;

/// The table; it lives as long as the process.
pub(super) static HOST: abi::Host = abi::Host {
    size: size_of::<abi::Host>() as u32,
    abi: abi::ABI,
    stop_reason,
    sleep,
    alloc,
    set_result,
    set_error,
    progress,
    threads,
    // SAFETY: the two types differ in that this one may be given null, which it looks for; an `Option` of a function is as the function.
    parallel_for: unsafe {
        std::mem::transmute::<
            Parallel,
            unsafe extern "C" fn(*mut abi::Call, usize, abi::PartFn, *mut c_void) -> i32,
        >(parallel_for)
    },
    port_receive,
    port_send,
    call_js,
    release,
};

/// Does `work` with the call that a pack names, on the call's own thread; `or` where it cannot be done.
///
/// # Safety
/// As [`Call::of`].
unsafe fn with<T>(call: *mut abi::Call, or: T, work: impl FnOnce(&Call<'_>) -> T) -> T {
    // SAFETY: the caller's word.
    match unsafe { Call::of(call) } {
        Some(call) if call.is_here() => guard(|| work(call)).unwrap_or(or),
        _ => or,
    }
}

/// The same with what only a whole call has.
///
/// # Safety
/// As [`Call::of`].
unsafe fn with_whole(call: *mut abi::Call, work: impl FnOnce(&Call<'_>, &Whole) -> i32) -> i32 {
    let work = |call: &Call<'_>| call.whole.as_ref().map_or(outcome::REFUSED, |whole| work(call, whole));
    // SAFETY: the caller's word.
    unsafe { with(call, outcome::REFUSED, work) }
}

unsafe extern "C" fn stop_reason(call: *mut abi::Call) -> u32 {
    // SAFETY: the interface says that it is a call of ours. Of it only the token is read, which any thread may do.
    let call = unsafe { Call::of(call) };
    match call.and_then(|call| call.context.cancel_token().reason()) {
        None => stop::RUN_ON,
        Some(Reason::Cancelled) => stop::CANCELLED,
        Some(Reason::TimedOut | Reason::DeadlinePassed) => stop::TIMEOUT,
        Some(Reason::PoolClosed) => stop::CLOSING,
    }
}

unsafe extern "C" fn sleep(call: *mut abi::Call, nanoseconds: u64) -> i32 {
    let sleep = |call: &Call<'_>| match call.context.sleep(Duration::from_nanos(nanoseconds)) {
        Ok(()) => outcome::OK,
        Err(_) => outcome::STOPPED,
    };
    // SAFETY: the interface says that it is a call of ours.
    unsafe { with(call, outcome::REFUSED, sleep) }
}

unsafe extern "C" fn alloc(call: *mut abi::Call, len: usize) -> *mut u8 {
    let alloc = |call: &Call<'_>| {
        let memory = call.whole.as_ref().and_then(|whole| whole.allocate(len).ok());
        memory.unwrap_or(std::ptr::null_mut())
    };
    // SAFETY: the interface says that it is a call of ours.
    unsafe { with(call, std::ptr::null_mut(), alloc) }
}

unsafe extern "C" fn set_result(call: *mut abi::Call, result: *const abi::Value) -> i32 {
    let set = |_: &Call<'_>, whole: &Whole| {
        // SAFETY: the interface says that it is a value, borrowed until this returns.
        let result = unsafe { Borrowed::read(result) };
        whole.set_result(result).map_or(outcome::REFUSED, |()| outcome::OK)
    };
    // SAFETY: the interface says that it is a call of ours.
    unsafe { with_whole(call, set) }
}

unsafe extern "C" fn set_error(call: *mut abi::Call, error: *const abi::Error) {
    let set = |call: &Call<'_>| {
        if error.is_null() || !error.is_aligned() {
            return;
        }
        // SAFETY: every version of the struct begins with its size.
        let size = unsafe { error.cast::<u32>().read() };
        if (size as usize) < size_of::<abi::Error>() {
            return;
        }
        // SAFETY: it is as large as this version has it.
        let abi::Error { name, code, message, .. } = unsafe { error.read() };
        let told = Told {
            // SAFETY: the interface says that the texts are there until this returns.
            name: unsafe { text(name, LONGEST_NAME) },
            // SAFETY: as above.
            code: unsafe { text(code, LONGEST_NAME) },
            // SAFETY: as above.
            message: unsafe { text(message, LONGEST_MESSAGE) },
        };
        call.error.replace(Some(told));
    };
    // SAFETY: the interface says that it is a call of ours.
    unsafe { with(call, (), set) }
}

/// A text of a pack, cut off after `most` bytes; what is no UTF-8 in it becomes U+FFFD.
///
/// # Safety
/// `text` must have so many bytes as it says, or be null.
unsafe fn text(text: abi::Text, most: usize) -> String {
    if text.data.is_null() || text.len == 0 {
        return String::new();
    }
    // SAFETY: the caller's word; no more is read than both say.
    let bytes = unsafe { std::slice::from_raw_parts(text.data.cast::<u8>(), text.len.min(most)) };
    String::from_utf8_lossy(bytes).into_owned()
}

unsafe extern "C" fn progress(call: *mut abi::Call, report: *const abi::Value) -> i32 {
    let tell = |call: &Call<'_>, _: &Whole| {
        // SAFETY: the interface says that it is a value, borrowed until this returns.
        let Ok(report) = (unsafe { copied(report) }) else { return outcome::REFUSED };
        match call.context.progress(report) {
            Ok(()) => outcome::OK,
            Err(_) if call.context.cancelled() => outcome::STOPPED,
            Err(_) => outcome::REFUSED,
        }
    };
    // SAFETY: the interface says that it is a call of ours.
    unsafe { with_whole(call, tell) }
}

/// A value of a pack, with copies of its parts.
///
/// # Safety
/// As [`Borrowed::read`]; and each part must be memory of its length.
pub(super) unsafe fn copied(value: *const abi::Value) -> Result<Value> {
    // SAFETY: the caller's word.
    let Borrowed { wire, parts } = unsafe { Borrowed::read(value) }?;
    wire::read(wire, &mut Copies::of(parts), Limits::DEFAULT)
}

unsafe extern "C" fn threads(call: *mut abi::Call) -> usize {
    // SAFETY: the interface says that it is a call of ours.
    unsafe { with(call, 1, |call| if call.whole.is_some() { call.context.threads() } else { 1 }) }
}

unsafe extern "C" fn parallel_for(
    call: *mut abi::Call,
    count: usize,
    work: Option<abi::PartFn>,
    data: *mut c_void,
) -> i32 {
    let run =
        |call: &Call<'_>, _: &Whole| work.map_or(outcome::REFUSED, |work| run_parts(call, count, work, data));
    // SAFETY: the interface says that it is a call of ours.
    unsafe { with_whole(call, run) }
}

fn run_parts(call: &Call<'_>, count: usize, work: abi::PartFn, data: *mut c_void) -> i32 {
    /// The first part that has not succeeded: its outcome, and its error.
    type First = Arc<Mutex<Option<(i32, Error)>>>;
    let (task, data) = (call.task, Data(data));
    let first = First::new(Mutex::new(None));
    let failed = Arc::clone(&first);
    let outcome = call.context.parallel_for(count, move |index, context| {
        let part = Call::part(task, context);
        let data = data;
        // SAFETY: the pack says that its function may be called so; `parallel_for` returns after the last part, so that `data` is there.
        let outcome = unsafe { work(part.as_abi(), index, data.0) };
        if outcome == outcome::OK {
            return Ok(());
        }
        let error = task.failure(outcome, part.failed(), "the input of a part");
        failed.lock().get_or_insert((outcome, error.clone()));
        Err(error)
    });
    let Err(error) = outcome else { return outcome::OK };
    let (outcome, error) = first.lock().take().unwrap_or((outcome::STOPPED, error));
    call.of_parts.replace(Some(error));
    match outcome {
        outcome::STOPPED | outcome::INVALID_INPUT | outcome::PANICKED => outcome,
        _ => outcome::FAILED,
    }
}

/// The port of this part of the input, opened for this call.
fn with_port(call: &Call<'_>, whole: &Whole, part: usize, work: impl FnOnce(&PortHandle) -> i32) -> i32 {
    let mut ports = whole.ports.borrow_mut();
    let port = match ports.entry(part) {
        Entry::Occupied(open) => open.into_mut(),
        Entry::Vacant(place) => {
            let token = call.context.cancel_token().clone();
            let Some(port) = whole.port(part).and_then(|port| port.open(token)) else {
                return outcome::REFUSED;
            };
            place.insert(port)
        }
    };
    work(port)
}

unsafe extern "C" fn port_receive(
    call: *mut abi::Call,
    part: usize,
    timeout_ns: u64,
    message: *mut abi::Value,
) -> i32 {
    let receive = |call: &Call<'_>, whole: &Whole| {
        // SAFETY: the interface says that there is room for a value; null is looked for.
        if !unsafe { show(message, abi::Value::EMPTY) } {
            return outcome::REFUSED;
        }
        let mut received = Err(ReceiveError::Empty);
        let outcome = with_port(call, whole, part, |port| {
            received = match timeout_ns {
                abi::FOREVER => port.recv(),
                nanoseconds => port.recv_within(Duration::from_nanos(nanoseconds)),
            };
            match &received {
                Ok(_) => outcome::OK,
                Err(ReceiveError::Empty) => outcome::TIMED_OUT,
                Err(ReceiveError::Closed) => outcome::CLOSED,
                Err(ReceiveError::Cancelled(_)) => outcome::STOPPED,
                Err(ReceiveError::JavaScriptOnly) => outcome::REFUSED,
            }
        });
        let Ok(envelope) = received else { return outcome };
        match decode(envelope, Limits::DEFAULT).and_then(|value| whole.show(value)) {
            // SAFETY: as above.
            Ok(value) if unsafe { show(message, value) } => outcome::OK,
            _ => outcome::REFUSED,
        }
    };
    // SAFETY: the interface says that it is a call of ours.
    unsafe { with_whole(call, receive) }
}

/// Writes a value to where a pack wants it; whether that is possible.
///
/// # Safety
/// `place` must be null or have room for a value.
unsafe fn show(place: *mut abi::Value, value: abi::Value) -> bool {
    let is_place = !place.is_null() && place.is_aligned();
    if is_place {
        // SAFETY: the caller's word.
        unsafe { place.write(value) };
    }
    is_place
}

unsafe extern "C" fn port_send(
    call: *mut abi::Call,
    part: usize,
    timeout_ns: u64,
    message: *const abi::Value,
) -> i32 {
    let send = |call: &Call<'_>, whole: &Whole| {
        // SAFETY: the interface says that it is a value, borrowed until this returns.
        let Ok(envelope) = unsafe { copied(message) }.and_then(encode) else { return outcome::REFUSED };
        with_port(call, whole, part, |port| {
            let sent = match timeout_ns {
                abi::FOREVER => port.send(envelope),
                nanoseconds => port.send_within(envelope, Duration::from_nanos(nanoseconds)),
            };
            match sent.map_err(|refused| refused.why) {
                Ok(()) => outcome::OK,
                Err(Refusal::TimedOut | Refusal::Full) => outcome::TIMED_OUT,
                Err(Refusal::Cancelled(_)) => outcome::STOPPED,
                Err(Refusal::Closed | Refusal::Detached | Refusal::Looped) => outcome::CLOSED,
            }
        })
    };
    // SAFETY: the interface says that it is a call of ours.
    unsafe { with_whole(call, send) }
}

unsafe extern "C" fn call_js(
    call: *mut abi::Call,
    function: abi::Text,
    input: *const abi::Value,
    output: *mut abi::Value,
) -> i32 {
    let ask = |call: &Call<'_>, whole: &Whole| {
        // SAFETY: the interface says that there is room for a value; null is looked for.
        if !unsafe { show(output, abi::Value::EMPTY) } {
            return outcome::REFUSED;
        }
        // SAFETY: the interface says that the text is there until this returns.
        let function = unsafe { text(function, LONGEST_NAME) };
        // SAFETY: the interface says that it is a value, borrowed until this returns.
        let input = unsafe { copied(input) };
        let answer = input.and_then(|input| call.context.call_js(&function, input));
        if answer.is_err() && call.context.cancelled() {
            return outcome::STOPPED;
        }
        let (outcome, value) = match answer {
            Ok(Ok(returned)) => (outcome::OK, returned),
            Ok(Err(thrown)) => (outcome::FAILED, thrown),
            Err(error) => (outcome::REFUSED, refusal(&error)),
        };
        let (outcome, value) = match whole.show(value) {
            Ok(value) => (outcome, value),
            Err(error) => (outcome::REFUSED, whole.show(refusal(&error)).unwrap_or(abi::Value::EMPTY)),
        };
        // SAFETY: as above.
        unsafe { show(output, value) };
        outcome
    };
    // SAFETY: the interface says that it is a call of ours.
    unsafe { with_whole(call, ask) }
}

/// Why something was refused, as a value.
fn refusal(error: &Error) -> Value {
    Value::Error(Box::new(ErrorValue {
        name: Text::from("Error"),
        message: Text::from(error.message()),
        stack: None,
        properties: vec![(Text::from("code"), Value::from(error.code().as_str()))],
    }))
}

unsafe extern "C" fn release(call: *mut abi::Call, value: *const abi::Value) {
    let release = |_: &Call<'_>, whole: &Whole| {
        if !value.is_null() && value.is_aligned() {
            // SAFETY: the interface says that it is a value; it is not null.
            let value = unsafe { value.read() };
            whole.release(value.wire);
        }
        outcome::OK
    };
    // SAFETY: the interface says that it is a call of ours.
    unsafe { with_whole(call, release) };
}
