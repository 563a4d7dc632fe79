//! The functions of `rw_engine`. Each takes what it is given as it comes: null pointers, and structs that are too small, are refused.

// They are called by other addons, with pointers.
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::time::Duration;

use rust_workers_abi::{self as abi, outcome};

use super::shared_pool::SharedPool;
use super::submissions::{self, Submission};
use super::under_way::{self, What};
use super::{function, pin};
use crate::cancel::Reason;
use crate::error::{Code, Error};
use crate::packs::host::copied;
use crate::packs::task::Data;
use crate::panic::guard;
use crate::pool::Pool;
use crate::value::Value;

/// A pool that other addons may submit to, for one of its JavaScript objects.
pub fn open_engine(pool: Pool) -> Arc<SharedPool> {
    SharedPool::new(pool, table)
}

/// The table of a pool.
fn table(pool: *mut abi::Pool) -> abi::Engine {
    abi::Engine {
        size: size_of::<abi::Engine>() as u32,
        abi: abi::ABI,
        pool,
        retain,
        release,
        submit,
        cancel,
        threads,
    }
}

/// The pool, without a reference of its own.
///
/// # Safety
/// `pool` must be null, or the pool of a table of ours that somebody retains until what is returned is dropped.
unsafe fn borrow(pool: *mut abi::Pool) -> Option<ManuallyDrop<Arc<SharedPool>>> {
    // SAFETY: as the caller says, it is the pointer of an `Arc`, whose count is not touched.
    (!pool.is_null()).then(|| ManuallyDrop::new(unsafe { Arc::from_raw(pool.cast::<SharedPool>()) }))
}

unsafe extern "C" fn retain(pool: *mut abi::Pool) -> *mut abi::Pool {
    // SAFETY: the interface says that it is a pool of ours, which somebody has.
    if let Some(shared) = unsafe { borrow(pool) } {
        std::mem::forget(Arc::clone(&shared));
    }
    pool
}

unsafe extern "C" fn release(pool: *mut abi::Pool) {
    // SAFETY: the interface says that it is a pool of ours, and that this reference was retained.
    if let Some(shared) = unsafe { borrow(pool) } {
        let _ = guard(|| drop(ManuallyDrop::into_inner(shared)));
    }
}

unsafe extern "C" fn submit(pool: *mut abi::Pool, submission: *const abi::Submission, id: *mut u64) -> i32 {
    // SAFETY: the interface says that it is a pool of ours, which the caller has.
    let Some(shared) = (unsafe { borrow(pool) }) else { return outcome::REFUSED };
    // SAFETY: the interface says that it is a submission, and all that it points to is there until this returns.
    let read = guard(|| unsafe { read(&shared, submission) });
    let Ok(Some(submission)) = read else { return outcome::REFUSED };
    let told = |number: u64| {
        if !id.is_null() && id.is_aligned() {
            // SAFETY: the interface says that there is room for an id; it is not null.
            unsafe { id.write(number) };
        }
    };
    match guard(|| submissions::submit(&shared, submission, told)) {
        Ok(Ok(())) => outcome::OK,
        Ok(Err(error)) | Err(error) => refusal(&error),
    }
}

fn refusal(error: &Error) -> i32 {
    match error.code() {
        Code::QueueFull => outcome::FULL,
        Code::PoolClosed => outcome::CLOSED,
        _ => outcome::REFUSED,
    }
}

/// Reads a submission; none where something is wrong with it.
///
/// # Safety
/// `submission` must be null, or point to one of the size that it says, whose texts and values are there until this returns.
unsafe fn read(shared: &SharedPool, submission: *const abi::Submission) -> Option<Submission> {
    if submission.is_null() || !submission.is_aligned() {
        return None;
    }
    // SAFETY: every version of the struct begins with its size.
    let size = unsafe { submission.cast::<u32>().read() };
    if (size as usize) < size_of::<abi::Submission>() {
        return None;
    }
    // SAFETY: it is as large as this version has it.
    let abi::Submission { priority, task, run, input, timeout_ns, done, data, .. } =
        unsafe { submission.read() };
    let done = done?;
    let (number, what) = if task.is_null() {
        let run = run?;
        pin::keep(run as usize);
        (function::number()?, What::Function(run))
    } else {
        // SAFETY: the interface says that the name ends with a zero.
        let name = unsafe { CStr::from_ptr(task) };
        (shared.task(name.to_str().ok()?)?, What::Named)
    };
    pin::keep(done as usize);
    let input = if input.wire_len == 0 {
        Value::Undefined
    } else {
        // SAFETY: the caller's word.
        unsafe { copied(&raw const input) }.ok()?
    };
    let timeout = (timeout_ns != abi::FOREVER).then(|| Duration::from_nanos(timeout_ns));
    Some(Submission { task: number, what, input, priority, timeout, done, data: Data(data) })
}

unsafe extern "C" fn cancel(pool: *mut abi::Pool, id: u64) -> i32 {
    // SAFETY: the interface says that it is a pool of ours, which the caller has.
    let Some(shared) = (unsafe { borrow(pool) }) else { return 0 };
    i32::from(guard(|| under_way::stop(id, Some(&shared), Reason::Cancelled)).unwrap_or(false))
}

unsafe extern "C" fn threads(pool: *mut abi::Pool) -> usize {
    // SAFETY: the interface says that it is a pool of ours, which the caller has.
    let Some(shared) = (unsafe { borrow(pool) }) else { return 0 };
    guard(|| shared.pool.stats().max_threads).unwrap_or(0)
}
