//! A task from the host's call to what it returns.

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr;
use std::slice;

use rust_workers_abi::{self as abi, outcome, part};
use serde::Serialize;

use super::call::Call;
use super::input::Input;
use crate::context::Context;
use crate::error::{Error, Kind};
use crate::fault::Fault;
use crate::panic;
use crate::registry::Registration;
use crate::ser;

/// Blocks up to this length stand in the wire.
const INLINE: usize = 1_024;

/// Memory that the host has given to a call, for as long as it lasts.
#[derive(Default)]
pub(crate) struct Allocated(RefCell<Vec<(*mut u8, usize)>>);

impl Allocated {
    /// `len` zero bytes of the host's, aligned to 8.
    #[allow(clippy::mut_from_ref)] // each call gives memory of its own
    pub(crate) fn alloc<'s>(&'s self, call: Call<'s>, len: usize) -> Result<&'s mut [u8], Error> {
        if len == 0 {
            return Ok(&mut []);
        }
        let data = self.alloc_raw(call, len).ok_or_else(|| no_memory(len))?;
        // SAFETY: the host gives `len` initialised bytes, to this caller alone, until the call ends, which `call` does not outlive.
        Ok(unsafe { slice::from_raw_parts_mut(data, len) })
    }

    fn alloc_raw(&self, call: Call<'_>, len: usize) -> Option<*mut u8> {
        let data = call.alloc(len);
        if data.is_null() {
            return None;
        }
        self.0.borrow_mut().push((data, len));
        Some(data)
    }

    /// The memory that begins where `bytes` do and is no shorter.
    fn find(&self, bytes: &[u8]) -> Option<*mut u8> {
        let allocated = self.0.borrow();
        let found = |&&(data, len): &&(*mut u8, usize)| ptr::eq(data, bytes.as_ptr()) && bytes.len() <= len;
        allocated.iter().find(found).map(|&(data, _)| data)
    }
}

/// A run of a task: its input, and what the host does for it.
pub struct Frame<'c> {
    input: Input<'c>,
    context: Context<'c>,
}

/// Where a block of a result stands.
pub(crate) enum Placed {
    InWire,
    Part(abi::Part),
}

/// Where what cannot stand in the wire goes.
pub(crate) trait Memory {
    /// A place for these bytes. `parts` are those that the value has so far.
    fn place(&self, bytes: &[u8], parts: &[abi::Part]) -> Result<Placed, Fault>;

    /// Shared memory or a port (`kind`), by the number under which serde has passed it; and what its view is.
    fn handle(&self, kind: u32, number: u64) -> Result<(abi::Part, u8), Fault>;
}

impl<'c> Frame<'c> {
    pub(crate) fn input(&self) -> &Input<'c> {
        &self.input
    }

    /// What the task is given as its context.
    pub fn context(&self) -> &Context<'c> {
        &self.context
    }

    /// Sets what the task has returned.
    pub(crate) fn set_output<T: Serialize + ?Sized>(&self, output: &T) -> Result<(), Error> {
        let (wire, parts) = ser::to_wire(output, Some(self)).map_err(|fault| fault.of("output"))?;
        match self.context.call().set_result(&wire, &parts) {
            outcome::OK => Ok(()),
            _ => Err(Error::new("the host has refused the result of the task")),
        }
    }

    /// Where the bytes stand, if they are memory of the host's that may be a part of the result as it is.
    fn host_memory(&self, bytes: &[u8]) -> Option<*mut u8> {
        let is_it = |found: &&abi::Part| {
            found.kind == part::BYTES && ptr::eq(found.data, bytes.as_ptr()) && found.len == bytes.len()
        };
        let of_input = self.input.parts().iter().find(is_it).map(|found| found.data);
        of_input.or_else(|| self.context.allocated().find(bytes))
    }
}

fn no_memory(len: usize) -> Error {
    Error::new(format_args!("there is no memory for {len} bytes")).with_name("RangeError")
}

impl Memory for Frame<'_> {
    fn place(&self, bytes: &[u8], parts: &[abi::Part]) -> Result<Placed, Fault> {
        if bytes.is_empty() {
            return Ok(Placed::InWire);
        }
        let part_at = |data| abi::Part { kind: part::BYTES, reserved: 0, data, len: bytes.len() };
        // A part is named by one value only.
        let is_named = |data: *mut u8| parts.iter().any(|named| ptr::eq(named.data, data));
        if let Some(data) = self.host_memory(bytes).filter(|&data| !is_named(data)) {
            return Ok(Placed::Part(part_at(data)));
        }
        if bytes.len() <= INLINE {
            return Ok(Placed::InWire);
        }
        let memory = self.context.allocated();
        let data = memory
            .alloc_raw(self.context.call(), bytes.len())
            .ok_or_else(|| Fault::new(no_memory(bytes.len())))?;
        // SAFETY: the host has just given that many bytes, to nobody else.
        let copy = unsafe { slice::from_raw_parts_mut(data, bytes.len()) };
        copy.copy_from_slice(bytes);
        Ok(Placed::Part(part_at(data)))
    }

    fn handle(&self, kind: u32, number: u64) -> Result<(abi::Part, u8), Fault> {
        let (index, view) = crate::shared::split_number(number);
        match self.input.parts().get(index) {
            Some(found) if found.kind == kind => Ok((*found, view)),
            _ => Err(Fault::new("only what the task was given can be returned")),
        }
    }
}

/// What a task that is told of by `data`, a [`Registration`], is for the host.
///
/// # Safety
/// The host's side of the header: valid pointers until this returns, and `data` of the task.
pub(crate) unsafe extern "C" fn run_task(
    host: *const abi::Host,
    call: *mut abi::Call,
    input: *const abi::Value,
    data: *mut c_void,
) -> i32 {
    // SAFETY: the caller says that it is valid, and that nobody writes to it.
    let host = unsafe { &*host };
    // SAFETY: as above.
    let input = unsafe { &*input };
    // SAFETY: `data` is the `Registration` that `registry` has put there, which lives as long as the process.
    let task = unsafe { &*data.cast::<Registration>() };
    // SAFETY: the host has given both to this thread until this returns.
    let call = unsafe { Call::new(host, call) };
    let run = || {
        // SAFETY: the host shows the input until this returns, and the parts as the header says.
        let input = unsafe { Input::new(input, Some(call)) };
        (task.run)(&Frame { input, context: Context::new(call) })
    };
    let error = match panic::guard(run) {
        Ok(Ok(())) => return outcome::OK,
        Ok(Err(error)) => error,
        Err(panicked) => panicked,
    };
    call.set_error(&error);
    outcome_of(&error)
}

/// What the host is told of an error.
pub(crate) fn outcome_of(error: &Error) -> i32 {
    match error.kind() {
        Kind::Failed => outcome::FAILED,
        Kind::Stopped => outcome::STOPPED,
        Kind::InvalidInput => outcome::INVALID_INPUT,
        Kind::Panicked => outcome::PANICKED,
    }
}
