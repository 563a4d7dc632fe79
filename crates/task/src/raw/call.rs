//! The functions of the host.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr;

use rust_workers_abi::{self as abi, outcome};

use super::input::Input;
use crate::error::Error;

/// One run of a task, or one part of a parallel one, for as long as it lasts.
#[derive(Clone, Copy)]
pub(crate) struct Call<'c> {
    host: &'c abi::Host,
    call: *mut abi::Call,
    /// It belongs to its thread.
    local: PhantomData<*mut ()>,
}

/// What a port or a script has answered.
pub(crate) struct Received<'c> {
    call: Call<'c>,
    value: abi::Value,
}

/// How a wait has ended.
pub(crate) enum Waited<T> {
    Done(T),
    Closed,
    TimedOut,
}

impl Received<'_> {
    /// What it shows.
    pub(crate) fn input(&self) -> Input<'_> {
        // SAFETY: the host has filled `value`, and shows it until it is released, when `self` is dropped.
        unsafe { Input::new(&self.value, None) }
    }
}

impl Drop for Received<'_> {
    fn drop(&mut self) {
        // SAFETY: the call is running, and `value` is what the host has shown; it is released once.
        unsafe { (self.call.host.release)(self.call.call, &raw const self.value) }
    }
}

/// What `parallel_for` does for each index.
type PartWork<'w> = &'w (dyn Fn(usize, Call<'_>) -> i32 + Sync);

struct Parts<'w> {
    host: &'w abi::Host,
    work: PartWork<'w>,
}

unsafe extern "C" fn run_part(call: *mut abi::Call, index: usize, data: *mut c_void) -> i32 {
    // SAFETY: `data` is what `parallel_for` below has passed: `Parts` that live until it returns, whose contents are `Sync`.
    let parts = unsafe { &*data.cast::<Parts<'_>>() };
    // SAFETY: the host gives a valid call to this thread until this returns.
    let call = unsafe { Call::new(parts.host, call) };
    (parts.work)(index, call)
}

fn value_of(wire: &[u8], parts: &[abi::Part]) -> abi::Value {
    abi::Value { wire: wire.as_ptr(), wire_len: wire.len(), parts: parts.as_ptr(), parts_len: parts.len() }
}

impl<'c> Call<'c> {
    /// # Safety
    /// `host` and `call` must be those that the host has given to this thread, valid for `'c`.
    pub(crate) unsafe fn new(host: &'c abi::Host, call: *mut abi::Call) -> Self {
        Call { host, call, local: PhantomData }
    }

    pub(crate) fn stop_reason(self) -> u32 {
        // SAFETY: the call is running on this thread (see `new`); so for all that follows.
        unsafe { (self.host.stop_reason)(self.call) }
    }

    pub(crate) fn sleep(self, nanoseconds: u64) -> i32 {
        // SAFETY: as in `stop_reason`.
        unsafe { (self.host.sleep)(self.call, nanoseconds) }
    }

    /// Zero bytes of the host's, aligned to 8; null: there is no memory.
    pub(super) fn alloc(self, len: usize) -> *mut u8 {
        // SAFETY: as in `stop_reason`.
        unsafe { (self.host.alloc)(self.call, len) }
    }

    pub(super) fn set_result(self, wire: &[u8], parts: &[abi::Part]) -> i32 {
        // SAFETY: as in `stop_reason`; the value is valid until the function returns, which copies what it keeps. The host checks that
        // parts are its own memory.
        unsafe { (self.host.set_result)(self.call, &value_of(wire, parts)) }
    }

    pub(crate) fn set_error(self, error: &Error) {
        let shown = abi::Error {
            size: size_of::<abi::Error>() as u32,
            reserved: 0,
            name: abi::Text::of(error.name()),
            code: abi::Text::of(error.code()),
            message: abi::Text::of(error.message()),
        };
        // SAFETY: as in `stop_reason`; the texts live until the function returns, which copies them.
        unsafe { (self.host.set_error)(self.call, &raw const shown) }
    }

    pub(crate) fn progress(self, wire: &[u8]) -> i32 {
        // SAFETY: as in `set_result`.
        unsafe { (self.host.progress)(self.call, &value_of(wire, &[])) }
    }

    pub(crate) fn threads(self) -> usize {
        // SAFETY: as in `stop_reason`.
        unsafe { (self.host.threads)(self.call) }
    }

    /// `work` must let no panic out: it would end the process.
    pub(crate) fn parallel_for(self, count: usize, work: PartWork<'_>) -> i32 {
        let mut parts = Parts { host: self.host, work };
        // SAFETY: as in `stop_reason`; `parts` outlives the call, which returns when all parts are done.
        unsafe { (self.host.parallel_for)(self.call, count, run_part, (&raw mut parts).cast()) }
    }

    pub(crate) fn receive(self, port: usize, timeout: u64) -> Result<Waited<Received<'c>>, Error> {
        let mut value = abi::Value::EMPTY;
        // SAFETY: as in `stop_reason`; `value` is written before the function returns.
        let outcome = unsafe { (self.host.port_receive)(self.call, port, timeout, &raw mut value) };
        waited(outcome, "receive from").map(|done| match done {
            Waited::Done(()) => Waited::Done(Received { call: self, value }),
            Waited::Closed => Waited::Closed,
            Waited::TimedOut => Waited::TimedOut,
        })
    }

    pub(crate) fn send(self, port: usize, timeout: u64, wire: &[u8]) -> Result<Waited<()>, Error> {
        // SAFETY: as in `set_result`.
        let outcome = unsafe { (self.host.port_send)(self.call, port, timeout, &value_of(wire, &[])) };
        waited(outcome, "send to")
    }

    /// What the function has returned, or what it threw or why it was not called.
    pub(crate) fn call_js(
        self,
        function: &str,
        wire: &[u8],
    ) -> Result<Result<Received<'c>, Received<'c>>, Error> {
        let mut value = abi::Value::EMPTY;
        let name = abi::Text::of(function);
        // SAFETY: as in `set_result` and `receive`.
        let outcome = unsafe { (self.host.call_js)(self.call, name, &value_of(wire, &[]), &raw mut value) };
        match outcome {
            outcome::OK => Ok(Ok(Received { call: self, value })),
            outcome::FAILED | outcome::REFUSED => Ok(Err(Received { call: self, value })),
            outcome::STOPPED => Err(Error::stopped()),
            other => Err(Error::new(format_args!("the host has answered call_js with {other}"))),
        }
    }

    /// For [`super::handoff`]: without its lifetime.
    pub(super) fn into_raw(self) -> (*const abi::Host, *mut abi::Call) {
        (ptr::from_ref(self.host), self.call)
    }
}

fn waited(outcome: i32, what: &str) -> Result<Waited<()>, Error> {
    match outcome {
        outcome::OK => Ok(Waited::Done(())),
        outcome::CLOSED => Ok(Waited::Closed),
        outcome::TIMED_OUT => Ok(Waited::TimedOut),
        outcome::STOPPED => Err(Error::stopped()),
        outcome::REFUSED => Err(Error::new(format_args!("could not {what} the port: the host refuses it"))),
        other => Err(Error::new(format_args!("could not {what} the port: the host has answered {other}"))),
    }
}
