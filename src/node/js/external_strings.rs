//! Strings over memory that Rust looks after: V8 reads them there, and makes no copy.
//!
//! V8 lets go of such a string in the middle of a collection, on whichever thread collects (in Bun another than the
//! environment's), or when its environment has ended. So what looks after the memory must be of any thread, and dropping it
//! must call neither JavaScript nor Node-API.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

use napi::bindgen_prelude::sys;

use super::call::{Js, JsValue, Result, Status, ask, check, value};
use crate::panic::guard;
use crate::value::{LongText, Words};

/// From so many bytes on V8 gives each string pages of its own.
const LARGE: usize = 128 * 1024;

/// How many such strings there are in the process.
static ALIVE: AtomicUsize = AtomicUsize::new(0);

/// How many strings over memory of Rust's V8 has not let go of: for tests.
pub(crate) fn external_strings() -> usize {
    ALIVE.load(Ordering::Relaxed)
}

/// The memory in which long texts cross.
impl<'call> Js<'call> {
    /// The units of a string, by one copy; `is_wide` if they are of two bytes, else they must be Latin-1 characters.
    pub(crate) fn read_long_text(self, text: JsValue<'call>, is_wide: bool) -> Result<LongText> {
        let read = |data: *mut u8, size| {
            if is_wide {
                ask!(0, napi_get_value_string_utf16(self.env, text.raw, data.cast(), size))
            } else {
                ask!(0, napi_get_value_string_latin1(self.env, text.raw, data.cast(), size))
            }
        };
        let length = read(null_mut(), 0)?;
        let unit = if is_wide { 2 } else { 1 };
        // Node writes a zero behind it.
        let bytes =
            length.checked_add(1).and_then(|units| units.checked_mul(unit)).ok_or(Status::NO_MEMORY)?;
        let mut units = Words::for_copy(bytes).map_err(|_| Status::NO_MEMORY)?;
        let written = read(units.as_mut_slice().as_mut_ptr(), length + 1)?;
        units.truncate(written * unit);
        Ok(LongText::new(units, is_wide))
    }

    /// The string that a text is: over its memory where the text is large.
    ///
    /// V8 maps pages for each string of 128 KiB and more that it allocates, which takes longer than the copy; smaller ones
    /// it puts where others were, while the memory of a text would be mapped again for each until the collector has run.
    pub(crate) fn long_text(self, text: LongText) -> Result<JsValue<'call>> {
        let units = text.as_bytes();
        if units.len() < LARGE {
            let length = if text.is_wide() { units.len() / 2 } else { units.len() }.cast_signed();
            return if text.is_wide() {
                value!(self, napi_create_string_utf16(units.as_ptr().cast(), length))
            } else {
                value!(self, napi_create_string_latin1(units.as_ptr().cast(), length))
            };
        }
        let (data, bytes, is_wide) = (text.as_bytes().as_ptr(), text.as_bytes().len(), text.is_wide());
        // SAFETY: the bytes of a text stay where they are when it is moved, nobody changes them, and they live as long as it.
        let memory = unsafe { StringMemory::new(data, bytes, text) };
        if is_wide { self.external_utf16(memory) } else { self.external_latin1(memory) }
    }
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
