//! Keeps the code of addons in the process whose functions threads may call. Node unloads an addon with the last environment that has
//! loaded it, such as a Worker that is terminated; a thread of a pool may be in the middle of a function of it then.

// It asks the system's loader about an address.
#![allow(unsafe_code)]

use std::collections::HashSet;
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

/// Addresses of functions whose code is kept. Functions that are made at run time belong to no library, and would fill it.
static KEPT: Mutex<Option<HashSet<usize>>> = Mutex::new(None);
const MOST: usize = 10_000;

/// The last ones: most submissions are of the same two functions.
static LAST: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

/// Keeps the library of this function for as long as the process lives.
pub(super) fn keep(function: usize) {
    if LAST.iter().any(|last| last.load(Ordering::Relaxed) == function) {
        return;
    }
    let mut kept = KEPT.lock();
    let kept = kept.get_or_insert_default();
    if kept.len() >= MOST {
        kept.clear();
    }
    if kept.insert(function) {
        pin(std::ptr::with_exposed_provenance(function));
    }
    let slot = usize::from(LAST[0].load(Ordering::Relaxed) != 0);
    LAST[slot].store(function, Ordering::Relaxed);
}

#[cfg(unix)]
fn pin(address: *const c_void) {
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: any address may be asked for; there is room for the answer.
    let found = unsafe { libc::dladdr(address, info.as_mut_ptr()) };
    // SAFETY: zeroes are one, and so is an answer.
    let info = unsafe { info.assume_init() };
    if found == 0 || info.dli_fname.is_null() {
        return;
    }
    // For good: the handle is not kept, so nobody closes it.
    // SAFETY: the library is loaded: no code of it runs by this.
    unsafe { libc::dlopen(info.dli_fname, libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE) };
}

#[cfg(windows)]
fn pin(address: *const c_void) {
    const PIN: u32 = 1;
    const FROM_ADDRESS: u32 = 4;
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleExW(flags: u32, name: *const c_void, module: *mut *mut c_void) -> i32;
    }
    let mut module = std::ptr::null_mut();
    // SAFETY: with FROM_ADDRESS the name is any address; there is room for the answer.
    unsafe { GetModuleHandleExW(PIN | FROM_ADDRESS, address, &raw mut module) };
}

#[cfg(not(any(unix, windows)))]
fn pin(_: *const c_void) {}
