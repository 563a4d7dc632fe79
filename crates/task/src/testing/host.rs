//! The host's side of the C interface, for one run of a task on this thread. It is as strict as the header: what a task may not do
//! fails the test.
//!
//! What the unsafe code rests on: tasks come here only by `raw/`, which passes on what it was given, so a call is a [`TestCall`] that
//! lives until its task or part returns, and values and texts are valid until the function returns.
#![allow(unsafe_code)]

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rust_workers_abi::{self as abi, outcome, part};
use serde::de::DeserializeOwned;

use super::memory::{Kept, Parts, SharedMemory};
use super::{Settings, Stop};
use crate::context::Context;
use crate::error::{Error, Kind};
use crate::raw::{Call, Input, run_task};
use crate::registry::Registration;
use crate::value::{ErrorValue, Value};
use crate::{de, ser};

static HOST: abi::Host = abi::Host {
    size: size_of::<abi::Host>() as u32,
    abi: abi::ABI,
    stop_reason,
    sleep,
    alloc,
    set_result,
    set_error,
    progress,
    threads,
    parallel_for,
    port_receive,
    port_send,
    call_js,
    release,
};

/// What `rw_call` is here.
struct TestCall<'c, 'r> {
    stop: Stop,
    deadline: Option<Instant>,
    error: RefCell<Option<Error>>,
    /// None: a part of `parallel_for`.
    run: Option<&'c TestRun<'r>>,
}

/// A run, on its own thread.
struct TestRun<'r> {
    threads: usize,
    listeners: RefCell<Settings<'r>>,
    input: Vec<Kept>,
    allocated: RefCell<Vec<SharedMemory>>,
    result: RefCell<Option<(Vec<u8>, Vec<Kept>)>>,
    refused: RefCell<Option<String>>,
    /// What the task was shown: by the address of its wire, which stays when the list grows.
    shown: RefCell<Vec<Box<[u8]>>>,
    /// A listener's panic: the test's own, to go on when the task has ended.
    panic: Cell<Option<Box<dyn Any + Send>>>,
}

/// What a task has returned.
pub(super) struct Done {
    wire: Vec<u8>,
    parts: Vec<Kept>,
    pub(super) is_of_input: bool,
}

impl Done {
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let parts: Vec<abi::Part> = self.parts.iter().map(Kept::part).collect();
        let value = value_of(&self.wire, &parts);
        // SAFETY: wire and parts are valid while `self` is, and the task that had the blocks has ended.
        let input = unsafe { Input::new(&value, None) };
        de::from_input(&input).map_err(|fault| fault.of("output"))
    }
}

fn value_of(wire: &[u8], parts: &[abi::Part]) -> abi::Value {
    abi::Value { wire: wire.as_ptr(), wire_len: wire.len(), parts: parts.as_ptr(), parts_len: parts.len() }
}

impl<'r> TestRun<'r> {
    fn new(settings: Settings<'r>, input: Vec<Kept>) -> Self {
        TestRun {
            threads: settings.threads,
            listeners: RefCell::new(settings),
            input,
            allocated: RefCell::default(),
            result: RefCell::default(),
            refused: RefCell::default(),
            shown: RefCell::default(),
            panic: Cell::new(None),
        }
    }

    fn call(&self) -> TestCall<'_, 'r> {
        let settings = self.listeners.borrow();
        TestCall {
            stop: settings.stop.clone(),
            deadline: settings.deadline,
            error: RefCell::default(),
            run: Some(self),
        }
    }

    /// Keeps a wire that the task is shown.
    fn show(&self, wire: Vec<u8>) -> abi::Value {
        let wire = wire.into_boxed_slice();
        // Its address is that of the box's content, wherever the box goes.
        let mut shown = self.shown.borrow_mut();
        shown.push(wire);
        value_of(shown.last().map_or(&[], |wire| wire), &[])
    }

    /// Runs a listener of the test's.
    fn listen<T>(&self, listen: impl FnOnce() -> T) -> Option<T> {
        match catch_unwind(AssertUnwindSafe(listen)) {
            Ok(done) => Some(done),
            Err(panic) => {
                self.panic.set(Some(panic));
                None
            }
        }
    }

    /// What keeps the memory of a part of a result, or what is wrong with it.
    fn kept(&self, part: &abi::Part) -> Result<Kept, String> {
        if part.kind != part::BYTES {
            let is_it = |kept: &&Kept| {
                let own = kept.part();
                own.kind == part.kind && own.data == part.data && own.len == part.len
            };
            return self
                .input
                .iter()
                .find(is_it)
                .cloned()
                .ok_or_else(|| "a part is not of the input".to_owned());
        }
        let of_input = self.input.iter().find(|kept| {
            let own = kept.part();
            own.kind == part::BYTES && own.data == part.data && own.len == part.len
        });
        if let Some(kept) = of_input {
            return Ok(kept.clone());
        }
        let allocated = self.allocated.borrow();
        let found = allocated.iter().find(|memory| memory.start() == part.data && memory.len() >= part.len);
        found
            .map(|memory| Kept::Bytes(memory.beginning(part.len)))
            .ok_or_else(|| "a part is not the host's memory".to_owned())
    }
}

/// Runs a task.
pub(super) fn run(
    task: &'static Registration,
    wire: &[u8],
    parts: Parts,
    settings: Settings<'_>,
) -> Result<Done, Error> {
    let run = TestRun::new(settings, parts.into_kept());
    let call = run.call();
    let parts: Vec<abi::Part> = run.input.iter().map(Kept::part).collect();
    let input = value_of(wire, &parts);
    let data = ptr::from_ref(task).cast_mut().cast::<c_void>();
    // SAFETY: all of it lives until the task returns, which has its blocks to itself; `data` is the task's registration.
    let outcome =
        unsafe { run_task(&raw const HOST, ptr::from_ref(&call).cast_mut().cast(), &raw const input, data) };
    if let Some(panic) = run.panic.take() {
        resume_unwind(panic);
    }
    let kind = match outcome {
        outcome::OK => {
            let undefined = || (vec![abi::wire::HEADER, abi::wire::UNDEFINED], Vec::new());
            let (wire, parts) = run.result.take().unwrap_or_else(undefined);
            let is_of_input =
                parts.iter().any(|kept| run.input.iter().any(|own| own.part().data == kept.part().data));
            return Ok(Done { wire, parts, is_of_input });
        }
        outcome::STOPPED => Kind::Stopped,
        outcome::INVALID_INPUT => Kind::InvalidInput,
        outcome::PANICKED => Kind::Panicked,
        _ => Kind::Failed,
    };
    if let Some(why) = run.refused.take() {
        return Err(Error::new(why));
    }
    Err(call.error.take().unwrap_or_else(|| Error::new("the task has set no error")).with_kind(kind))
}

/// Calls `work` with a context.
pub(super) fn with_context<R>(work: impl FnOnce(&Context<'_>) -> R) -> R {
    let run = TestRun::new(Settings::new(), Vec::new());
    let call = run.call();
    // SAFETY: the call lives until `work` has returned, on this thread.
    let call = unsafe { Call::new(&HOST, ptr::from_ref(&call).cast_mut().cast()) };
    let done = work(&Context::new(call));
    if let Some(panic) = run.panic.take() {
        resume_unwind(panic);
    }
    done
}

/// The call behind a pointer.
unsafe fn of<'c>(call: *mut abi::Call) -> &'c TestCall<'c, 'c> {
    // SAFETY: see the head of this file.
    unsafe { &*call.cast::<TestCall<'c, 'c>>() }
}

unsafe fn value_wire<'v>(value: *const abi::Value) -> (&'v [u8], &'v [abi::Part]) {
    // SAFETY: see the head of this file; so for what follows.
    let value = unsafe { &*value };
    // SAFETY: a wire of ours is never null.
    let wire = unsafe { slice::from_raw_parts(value.wire, value.wire_len) };
    // SAFETY: nor are its parts.
    (wire, unsafe { slice::from_raw_parts(value.parts, value.parts_len) })
}

unsafe fn text_of(text: &abi::Text) -> String {
    if text.data.is_null() {
        return String::new();
    }
    // SAFETY: see the head of this file.
    let bytes = unsafe { slice::from_raw_parts(text.data.cast::<u8>(), text.len) };
    String::from_utf8_lossy(bytes).into_owned()
}

unsafe extern "C" fn stop_reason(call: *mut abi::Call) -> u32 {
    // SAFETY: a call of ours; so for all that follow.
    let call = unsafe { of(call) };
    call.stop.reason(call.deadline)
}

unsafe extern "C" fn sleep(call: *mut abi::Call, nanoseconds: u64) -> i32 {
    // SAFETY: as in `stop_reason`.
    let call = unsafe { of(call) };
    if call.stop.sleep(Duration::from_nanos(nanoseconds), call.deadline) {
        outcome::OK
    } else {
        outcome::STOPPED
    }
}

unsafe extern "C" fn alloc(call: *mut abi::Call, len: usize) -> *mut u8 {
    // SAFETY: as in `stop_reason`.
    let Some(run) = unsafe { of(call) }.run else { return ptr::null_mut() };
    // A host refuses what it has no memory for.
    if len > 1 << 32 {
        return ptr::null_mut();
    }
    let memory = SharedMemory::zeroed(len);
    let start = memory.start();
    run.allocated.borrow_mut().push(memory);
    start
}

unsafe extern "C" fn set_result(call: *mut abi::Call, result: *const abi::Value) -> i32 {
    // SAFETY: as in `stop_reason`.
    let Some(run) = unsafe { of(call) }.run else { return outcome::REFUSED };
    // SAFETY: a value of ours, valid until this returns.
    let (wire, parts) = unsafe { value_wire(result) };
    match parts.iter().map(|part| run.kept(part)).collect::<Result<Vec<_>, _>>() {
        Ok(parts) => {
            run.result.replace(Some((wire.to_vec(), parts)));
            outcome::OK
        }
        Err(why) => {
            run.refused.replace(Some(why));
            outcome::REFUSED
        }
    }
}

unsafe extern "C" fn set_error(call: *mut abi::Call, error: *const abi::Error) {
    // SAFETY: as in `stop_reason`.
    let call = unsafe { of(call) };
    // SAFETY: an error of ours, valid until this returns.
    let error = unsafe { &*error };
    // SAFETY: its texts are valid as long.
    let [name, code, message] =
        [&error.name, &error.code, &error.message].map(|text| unsafe { text_of(text) });
    call.error.replace(Some(Error::new(message).with_name(name).with_code(code)));
}

unsafe extern "C" fn progress(call: *mut abi::Call, report: *const abi::Value) -> i32 {
    // SAFETY: as in `stop_reason`.
    let Some(run) = unsafe { of(call) }.run else { return outcome::REFUSED };
    // SAFETY: a value of ours, valid until this returns.
    let (wire, _) = unsafe { value_wire(report) };
    let heard = run.listen(|| {
        let report: Value = de::from_input(&Input::of_wire(wire)).expect("a report of ours");
        if let Some(listener) = &mut run.listeners.borrow_mut().on_progress {
            listener(report);
        }
    });
    if heard.is_some() { outcome::OK } else { outcome::REFUSED }
}

unsafe extern "C" fn threads(call: *mut abi::Call) -> usize {
    // SAFETY: as in `stop_reason`.
    unsafe { of(call) }.run.map_or(1, |run| run.threads)
}

/// A pointer that parts share.
#[derive(Clone, Copy)]
struct Data(*mut c_void);

// SAFETY: `parallel_for` passes what its parts may use on several threads.
unsafe impl Sync for Data {}

unsafe extern "C" fn parallel_for(
    call: *mut abi::Call,
    count: usize,
    work: abi::PartFn,
    data: *mut c_void,
) -> i32 {
    // SAFETY: as in `stop_reason`.
    let call = unsafe { of(call) };
    let (stop, deadline) = (&call.stop, call.deadline);
    let data = &Data(data);
    let next = &AtomicUsize::new(0);
    let first = &Mutex::new(None);
    let take_parts = move || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count || first.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
                break;
            }
            let part = TestCall { stop: stop.clone(), deadline, error: RefCell::default(), run: None };
            // SAFETY: the part lives until `work` has returned, which lets no panic out; `data` belongs to `work`.
            let outcome = unsafe { work(ptr::from_ref(&part).cast_mut().cast(), index, data.0) };
            if outcome != outcome::OK {
                let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
                first.get_or_insert_with(|| (outcome, part.error.take()));
            }
        }
    };
    let helpers = call.run.map_or(1, |run| run.threads).min(count).saturating_sub(1);
    std::thread::scope(|scope| {
        for _ in 0..helpers {
            scope.spawn(take_parts);
        }
        take_parts();
    });
    match first.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some((outcome, error)) => {
            call.error.replace(error);
            outcome
        }
        None => outcome::OK,
    }
}

unsafe extern "C" fn port_receive(
    call: *mut abi::Call,
    part: usize,
    timeout: u64,
    message: *mut abi::Value,
) -> i32 {
    // SAFETY: as in `stop_reason`.
    let call = unsafe { of(call) };
    let Some(run) = call.run else { return outcome::REFUSED };
    let Some(Kept::Port(side)) = run.input.get(part) else { return outcome::REFUSED };
    let until = if timeout == abi::FOREVER {
        None
    } else {
        Instant::now().checked_add(Duration::from_nanos(timeout))
    };
    match side.receive(until, &|| call.stop.reason(call.deadline) != abi::stop::RUN_ON) {
        Ok(wire) => {
            // SAFETY: the caller gives a place for it.
            unsafe { message.write(run.show(wire)) };
            outcome::OK
        }
        Err(outcome) => outcome,
    }
}

unsafe extern "C" fn port_send(call: *mut abi::Call, part: usize, _: u64, message: *const abi::Value) -> i32 {
    // SAFETY: as in `stop_reason`.
    let Some(run) = unsafe { of(call) }.run else { return outcome::REFUSED };
    let Some(Kept::Port(side)) = run.input.get(part) else { return outcome::REFUSED };
    // SAFETY: a value of ours, valid until this returns.
    let (wire, _) = unsafe { value_wire(message) };
    if side.send(wire.to_vec()) { outcome::OK } else { outcome::CLOSED }
}

unsafe extern "C" fn call_js(
    call: *mut abi::Call,
    function: abi::Text,
    input: *const abi::Value,
    output: *mut abi::Value,
) -> i32 {
    // SAFETY: as in `stop_reason`.
    let Some(run) = unsafe { of(call) }.run else { return outcome::REFUSED };
    // SAFETY: a text of ours, valid until this returns.
    let name = unsafe { text_of(&function) };
    // SAFETY: and a value.
    let (wire, _) = unsafe { value_wire(input) };
    let answer = run.listen(|| {
        let input: Value = de::from_input(&Input::of_wire(wire)).expect("an argument of ours");
        match &mut run.listeners.borrow_mut().on_call {
            Some(script) => script(&name, input).map_err(|error| (outcome::FAILED, error)),
            None => Err((outcome::REFUSED, Error::new("this run has no script: give it one by on_call"))),
        }
    });
    let (outcome, value) = match answer {
        Some(Ok(value)) => (outcome::OK, value),
        Some(Err((outcome, error))) => (outcome, thrown(&error)),
        None => (outcome::FAILED, Value::Undefined),
    };
    let (wire, _) = ser::to_wire(&value, None).unwrap_or_default();
    // SAFETY: the caller gives a place for it.
    unsafe { output.write(run.show(wire)) };
    outcome
}

/// An error as JavaScript would throw it.
fn thrown(error: &Error) -> Value {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Value::Error(Box::new(ErrorValue {
        class: "Error".to_owned(),
        name: text(error.name()),
        message: text(error.message()),
        stack: None,
        properties: text(error.code()).map(|code| ("code".to_owned(), code.into())).into_iter().collect(),
    }))
}

unsafe extern "C" fn release(call: *mut abi::Call, value: *const abi::Value) {
    // SAFETY: as in `stop_reason`.
    let Some(run) = unsafe { of(call) }.run else { return };
    // SAFETY: a value that was shown, valid until it is released here.
    let wire = unsafe { (*value).wire };
    run.shown.borrow_mut().retain(|shown| shown.as_ptr() != wire);
}
