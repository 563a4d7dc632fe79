//! The host's functions for a running task, as safe ones.
//!
//! Unsafe: calls through the pointers of the C interface. A [`Call`] is made from what the host has given `run`, on that thread, and not used
//! after it has returned.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::ptr;

use rust_workers_abi as abi;

/// One run of a task.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    host: *const abi::Host,
    call: *mut abi::Call,
}

/// Some value of the host's: wire and parts.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    pub(crate) wire: &'a [u8],
    pub(crate) parts: &'a [abi::Part],
}

/// An error as the host takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) outcome: i32,
    pub(crate) name: &'static str,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl<'a> Shown<'a> {
    /// Whether shared memory is among its parts.
    pub(crate) fn has_shared(&self) -> bool {
        self.parts.iter().any(|part| part.kind == abi::part::SHARED)
    }

    /// # Safety
    /// What the value points at lives for `'a`, and nobody writes to it meanwhile but to shared memory.
    pub(crate) unsafe fn of(value: &'a abi::Value) -> Shown<'a> {
        let wire = if value.wire.is_null() {
            &[][..]
        } else {
            // SAFETY: by the contract.
            unsafe { std::slice::from_raw_parts(value.wire, value.wire_len) }
        };
        let parts = if value.parts.is_null() {
            &[][..]
        } else {
            // SAFETY: by the contract.
            unsafe { std::slice::from_raw_parts(value.parts, value.parts_len) }
        };
        Shown { wire, parts }
    }
}

impl Call {
    /// # Safety
    /// Both are what the host has given a task's `run`, which has not returned for as long as this, or a copy, is used.
    pub(crate) unsafe fn new(host: *const abi::Host, call: *mut abi::Call) -> Call {
        Call { host, call }
    }

    fn host(&self) -> &abi::Host {
        // SAFETY: the host lives as long as the process.
        unsafe { &*self.host }
    }

    /// Whether the task should stop.
    pub(crate) fn should_stop(self) -> bool {
        // SAFETY: the call runs.
        unsafe { (self.host().stop_reason)(self.call) != abi::stop::RUN_ON }
    }

    /// A copy of bytes in memory of the host's, which may be a part of a result.
    pub(crate) fn part(self, bytes: &[u8]) -> Option<abi::Part> {
        // SAFETY: the call runs.
        let data = unsafe { (self.host().alloc)(self.call, bytes.len()) };
        if data.is_null() {
            return None;
        }
        // SAFETY: the host gave that many bytes, which nobody else has yet.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), data, bytes.len()) };
        Some(abi::Part { kind: abi::part::BYTES, reserved: 0, data, len: bytes.len() })
    }

    /// Sets the result. Whether the host takes it.
    pub(crate) fn set_result(self, wire: &[u8], parts: &[abi::Part]) -> bool {
        let value = value(wire, parts);
        // SAFETY: the call runs, and the value lives during it.
        unsafe { (self.host().set_result)(self.call, &value) == abi::outcome::OK }
    }

    /// Sets the error, and gives the outcome of the task.
    pub(crate) fn fail(self, failure: &Failure) -> i32 {
        let error = abi::Error {
            size: size_of::<abi::Error>() as u32,
            reserved: 0,
            name: text(failure.name),
            code: text(failure.code),
            message: text(&failure.message),
        };
        // SAFETY: the call runs, and the error lives during it.
        unsafe { (self.host().set_error)(self.call, &error) };
        failure.outcome
    }

    /// Reports progress. Whether the host takes the value.
    pub(crate) fn progress(self, wire: &[u8], parts: &[abi::Part]) -> bool {
        let value = value(wire, parts);
        // SAFETY: the call runs, and the value lives during it.
        unsafe { (self.host().progress)(self.call, &value) == abi::outcome::OK }
    }

    /// Calls a function of JavaScript by its name, and reads what it gave, with the outcome.
    pub(crate) fn call_js<R>(
        self,
        function: &str,
        wire: &[u8],
        parts: &[abi::Part],
        read: impl FnOnce(i32, Shown<'_>) -> R,
    ) -> R {
        let input = value(wire, parts);
        let mut output = abi::Value::EMPTY;
        // SAFETY: the call runs, and the value lives during it.
        let outcome = unsafe { (self.host().call_js)(self.call, text(function), &input, &mut output) };
        // SAFETY: what the host shows stays until it is released.
        let result = read(outcome, unsafe { Shown::of(&output) });
        if !output.wire.is_null() {
            // SAFETY: it was shown, and is not used any more.
            unsafe { (self.host().release)(self.call, &output) };
        }
        result
    }
}

/// Parts of what the host copies: they are let go as soon as it has. What [`Call::part`] gives stays until the task ends.
#[derive(Default)]
pub(crate) struct Lent(RefCell<Vec<Box<[u64]>>>);

impl Lent {
    /// A copy of bytes that lives as long as this.
    pub(crate) fn part(&self, bytes: &[u8]) -> Option<abi::Part> {
        // An array of its own size, aligned for every element.
        let mut words: Vec<u64> = Vec::new();
        words.try_reserve_exact(bytes.len().div_ceil(8)).ok()?;
        words.extend(bytes.chunks(8).map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_ne_bytes(word)
        }));
        let mut words = words.into_boxed_slice();
        let data = words.as_mut_ptr().cast();
        self.0.borrow_mut().push(words);
        Some(abi::Part { kind: abi::part::BYTES, reserved: 0, data, len: bytes.len() })
    }
}

fn text(text: &str) -> abi::Text {
    abi::Text { data: text.as_ptr().cast(), len: text.len() }
}

fn value(wire: &[u8], parts: &[abi::Part]) -> abi::Value {
    abi::Value { wire: wire.as_ptr(), wire_len: wire.len(), parts: parts.as_ptr(), parts_len: parts.len() }
}
