//! Strings over memory that Rust looks after: V8 reads them there, and makes no copy.
//!
//! V8 lets go of such a string in the middle of a collection, on whichever thread collects (in Bun another than the
//! environment's), or when its environment has ended. So what looks after the memory must be of any thread, and dropping it
//! must call neither JavaScript nor Node-API.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

use napi::bindgen_prelude::sys;

use super::call::{Js, JsValue, Result, Status, ask, check};
use crate::panic::guard;

/// How many such strings there are in the process.
static ALIVE: AtomicUsize = AtomicUsize::new(0);

/// How many strings over memory of Rust's V8 has not let go of: for tests.
pub(crate) fn external_strings() -> usize {
    ALIVE.load(Ordering::Relaxed)
}

/// Memory of a string: its units, and what looks after them.
pub(crate) struct StringMemory<K> {
    data: *const u8,
    bytes: usize,
    keep: K,
}

impl<K: Send + 'static> StringMemory<K> {
    /// # Safety
    /// At `data` there must be so many bytes, which nobody changes, until `keep` is dropped.
    pub(crate) unsafe fn new(data: *const u8, bytes: usize, keep: K) -> Self {
        StringMemory { data, bytes, keep }
    }
}

impl<'call> Js<'call> {
    /// A string of Latin-1 characters.
    pub(crate) fn external_latin1<K: Send + 'static>(
        self,
        memory: StringMemory<K>,
    ) -> Result<JsValue<'call>> {
        let length = isize::try_from(memory.bytes).map_err(|_| Status::INVALID)?;
        let (data, keep) = kept(memory);
        let (finalizer, mut copied) = (Some(let_go::<K> as Finalizer), false);
        let data = data.cast();
        let made = ask!(
            null_mut(),
            node_api_create_external_string_latin1(self.env, data, length, finalizer, keep),
            &mut copied
        );
        made.map(|raw| self.value(raw))
    }

    /// A string of UTF-16 units; the memory must be aligned for them, and hold no half of one.
    pub(crate) fn external_utf16<K: Send + 'static>(self, memory: StringMemory<K>) -> Result<JsValue<'call>> {
        let data = memory.data.cast::<u16>();
        if !data.is_aligned() || !memory.bytes.is_multiple_of(2) {
            return Err(Status::INVALID);
        }
        let length = isize::try_from(memory.bytes / 2).map_err(|_| Status::INVALID)?;
        let (_, keep) = kept(memory);
        let (finalizer, mut copied) = (Some(let_go::<K> as Finalizer), false);
        let made = ask!(
            null_mut(),
            node_api_create_external_string_utf16(self.env, data, length, finalizer, keep),
            &mut copied
        );
        made.map(|raw| self.value(raw))
    }
}

type Finalizer = unsafe extern "C" fn(sys::node_api_basic_env, *mut c_void, *mut c_void);

/// The address of the memory, and its keeper for [`let_go`]. Where Node makes no string it does not say whether it has
/// called the finalizer, so the keeper is then left where it is.
fn kept<K>(memory: StringMemory<K>) -> (*const u8, *mut c_void) {
    ALIVE.fetch_add(1, Ordering::Relaxed);
    (memory.data, Box::into_raw(Box::new(memory.keep)).cast())
}

/// # Safety
/// Only the runtime may call it, once, with a keeper that [`kept`] has given away.
unsafe extern "C" fn let_go<K: Send + 'static>(
    _: sys::node_api_basic_env,
    _: *mut c_void,
    keep: *mut c_void,
) {
    // SAFETY: `kept` has made it of a box of this type, and the runtime gives it back once; on any thread, which `K` allows.
    let keep = unsafe { Box::from_raw(keep.cast::<K>()) };
    ALIVE.fetch_sub(1, Ordering::Relaxed);
    // Nobody is left to report a panic to.
    let _ = guard(|| drop(keep));
}
