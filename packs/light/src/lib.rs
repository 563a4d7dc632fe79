//! `light`: JavaScript in an interpreter, on the pool's threads, as a native pack. `pool.light` of rust-workers is its face; docs/light.md says
//! what it is for. `world/` is the interpreter and its memory, `wire/` the form of values, `tasks/` what the pack offers.
//!
//! Unsafe: the C interface of packs.
#![allow(unsafe_code)]

mod definition;
mod errors;
mod failure;
mod host;
mod instantiate;
mod stages;
mod tasks;
mod wire;
mod world;

use std::ffi::{CStr, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rust_workers_abi as abi;

use host::{Call, Failure, Shown};

type Work = fn(Call, Shown<'_>) -> Result<(), Failure>;

const TAKES: &CStr = c"what pool.light gives it";

struct Tasks([abi::Task; 3]);
// SAFETY: the pointers are to constants, and what `data` would point at is not there.
unsafe impl Sync for Tasks {}
struct List([*const abi::Task; 3]);
// SAFETY: as above.
unsafe impl Sync for List {}
struct Pack(abi::Pack);
// SAFETY: as above.
unsafe impl Sync for Pack {}

const fn task(name: &'static CStr, run: abi::RunFn) -> abi::Task {
    abi::Task {
        size: size_of::<abi::Task>() as u32,
        flags: 0,
        name: name.as_ptr(),
        takes: TAKES.as_ptr(),
        run: Some(run),
        data: std::ptr::null_mut(),
    }
}

static TASKS: Tasks =
    Tasks([task(c"light.define", define), task(c"light.run", run), task(c"light.drop", release)]);
static LIST: List = List([&raw const TASKS.0[0], &raw const TASKS.0[1], &raw const TASKS.0[2]]);
static PACK: Pack = Pack(abi::Pack {
    size: size_of::<abi::Pack>() as u32,
    abi: abi::ABI,
    name: c"light".as_ptr(),
    version: c"1".as_ptr(),
    tasks: (&raw const LIST.0).cast(),
    tasks_len: 3,
});

/// What `rust_workers.h` says of `rust_workers_pack`.
///
/// # Safety
/// `host` is null or a host; `error` is null or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rust_workers_pack(
    host: *const abi::Host,
    error: *mut *const c_char,
) -> *const abi::Pack {
    // SAFETY: by the contract.
    let Some(host) = (unsafe { host.as_ref() }) else { return std::ptr::null() };
    if host.abi == abi::ABI && host.size as usize >= size_of::<abi::Host>() {
        return &raw const PACK.0;
    }
    if !error.is_null() {
        // SAFETY: by the contract.
        unsafe { *error = c"light is of another version than this rust-workers".as_ptr() };
    }
    std::ptr::null()
}

/// # Safety
/// As the header says of a task's `run`.
unsafe extern "C" fn define(
    host: *const abi::Host,
    call: *mut abi::Call,
    input: *const abi::Value,
    _: *mut c_void,
) -> i32 {
    // SAFETY: as given.
    unsafe { guarded(host, call, input, tasks::define::run) }
}

/// # Safety
/// As the header says of a task's `run`.
unsafe extern "C" fn run(
    host: *const abi::Host,
    call: *mut abi::Call,
    input: *const abi::Value,
    _: *mut c_void,
) -> i32 {
    // SAFETY: as given.
    unsafe { guarded(host, call, input, tasks::run::run) }
}

/// # Safety
/// As the header says of a task's `run`.
unsafe extern "C" fn release(
    host: *const abi::Host,
    call: *mut abi::Call,
    input: *const abi::Value,
    _: *mut c_void,
) -> i32 {
    // SAFETY: as given.
    unsafe { guarded(host, call, input, tasks::release::run) }
}

/// # Safety
/// As the header says of a task's `run`.
unsafe fn guarded(host: *const abi::Host, call: *mut abi::Call, input: *const abi::Value, work: Work) -> i32 {
    // SAFETY: the host gave both for this run.
    let call = unsafe { Call::new(host, call) };
    // SAFETY: the host shows the input until the run ends.
    let input = unsafe { &*input };
    // SAFETY: as above.
    let input = unsafe { Shown::of(input) };
    let done = catch_unwind(AssertUnwindSafe(|| work(call, input)));
    match done {
        Ok(Ok(())) => abi::outcome::OK,
        Ok(Err(failure)) if failure.outcome == abi::outcome::STOPPED => failure.outcome,
        Ok(Err(failure)) => call.fail(&failure),
        Err(_) => {
            call.fail(&errors::internal("light panicked: this is a fault of rust-workers, please report it"))
        }
    }
}
