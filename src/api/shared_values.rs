//! What `lib/shared-value/` cannot do itself.

use napi_derive::napi;

use crate::node::{Arguments, Call, Export, JsValue, Returned, export, external_strings, shared_string};

/// The raw exports by name.
pub(super) const EXPORTS: &[Export] = &[
    (c"sharedString", export(string)),
    (c"holdBytes", export(hold_bytes)),
    (c"releaseBytes", export(release_bytes)),
];

/// `sharedString(view, offset, bytes, isWide)`: the string that stands there in a SharedArrayBuffer, of which `view` is all.
fn string<'call>(call: Call<'call>, [view, offset, bytes, is_wide]: Arguments<'call, 4>) -> Returned<'call> {
    let js = call.js;
    let place = [js.read_u64(offset)? as usize, js.read_u64(bytes)? as usize];
    shared_string(js, call.core(), view, place, js.read_bool(is_wide)?)
}

/// `holdBytes(bytes)`: objects of this thread keep so much memory alive, of which the collector knows nothing.
fn hold_bytes<'call>(call: Call<'call>, [bytes]: Arguments<'call, 1>) -> Returned<'call> {
    call.js.adjust_external_memory(call.js.read_u64(bytes)?.cast_signed())?;
    Ok(JsValue::NOTHING)
}

/// `releaseBytes(bytes)`: they do not any more.
fn release_bytes<'call>(call: Call<'call>, [bytes]: Arguments<'call, 1>) -> Returned<'call> {
    call.js.adjust_external_memory(-call.js.read_u64(bytes)?.cast_signed())?;
    Ok(JsValue::NOTHING)
}

/// How many strings over shared memory V8 has not let go of, in all threads: for tests.
#[napi(catch_unwind)]
pub fn external_string_count() -> u32 {
    external_strings() as u32
}
