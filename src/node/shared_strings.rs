//! Strings over JavaScript's shared memory: every thread that has the memory has the string without a copy.

// Names memory of JavaScript's to V8 as a string's.
#![allow(unsafe_code)]

use super::core::Core;
use super::js::{Js, JsValue, Result, Status, StringMemory};
use super::kept_value::KeptValue;

/// The string whose `bytes` begin at `offset` of a SharedArrayBuffer, which `view` covers from its first byte to its last: of
/// Latin-1 characters, or of UTF-16 units. The memory is kept for as long as the string lives.
///
/// That nobody changes the memory is trusted: `lib/shared-value` writes it before any other code has the buffer, and keeps the
/// buffer to itself.
pub(crate) fn shared_string<'call>(
    js: Js<'call>,
    core: &'static Core,
    view: JsValue<'call>,
    [offset, bytes]: [usize; 2],
    is_wide: bool,
) -> Result<JsValue<'call>> {
    let memory = js.view(view)?;
    let fits = offset.checked_add(bytes).is_some_and(|end| end <= memory.length);
    if !fits || memory.byte_offset != 0 || js.is_array_buffer(memory.buffer)? {
        return Err(Status::INVALID);
    }
    let keep = KeptValue::new(js, core.events(), view)?;
    // SAFETY: it is at most the length, as just checked.
    let data = unsafe { memory.data.add(offset) };
    // SAFETY: Node has just said that the view's memory begins there and is this long, and the bytes lie in it, as checked.
    // It is a SharedArrayBuffer's, so it neither moves nor shrinks, and `keep` keeps the view; nobody changes it (see above).
    let memory = unsafe { StringMemory::new(data, bytes, keep) };
    if is_wide { js.external_utf16(memory) } else { js.external_latin1(memory) }
}
