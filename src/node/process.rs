//! What the operating system knows about the process.

// A function of the C library, and memory that the kernel has made.
#![allow(unsafe_code)]

/// Random bytes that are the same for all code of this process and no other; None where the system gives none.
#[cfg(target_os = "linux")]
pub(crate) fn process_random() -> Option<[u8; 16]> {
    use std::ffi::c_ulong;

    /// In `linux/auxvec.h`.
    const AT_RANDOM: c_ulong = 25;

    // SAFETY: as glibc and musl declare it; it has no conditions.
    unsafe extern "C" {
        safe fn getauxval(kind: c_ulong) -> c_ulong;
    }

    let address = std::ptr::with_exposed_provenance::<[u8; 16]>(getauxval(AT_RANDOM) as usize);
    if address.is_null() {
        return None;
    }
    // SAFETY: the kernel has put 16 bytes there before the process began to run, outside the part of the main thread's stack
    // that code uses, where they stay; bytes need no alignment.
    Some(unsafe { address.read() })
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn process_random() -> Option<[u8; 16]> {
    None
}
