//! Seals on messages: `lib/transfer/seal.js`. What they are is told at the head of `seal.rs`.

use napi::bindgen_prelude::sys;

use super::raw::export;
use crate::node::{Arguments, Environment, Js, JsValue, NOTHING, Status};
use crate::seal::{self, Route};

/// Numbers from JavaScript are whole and not below zero; others become some number that nobody gave out.
fn whole(js: Js<'_>, value: JsValue) -> Result<u64, Status> {
    js.read_number(value).map(|number| number as u64)
}

#[allow(clippy::cast_precision_loss)]
fn number(js: Js<'_>, value: u64) -> Result<JsValue, Status> {
    js.number(value as f64)
}

fn text(js: Js<'_>, bytes: [u8; 16]) -> Result<JsValue, Status> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 32];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    js.string(str::from_utf8(&text).unwrap_or_default())
}

/// `sealName()`
pub(super) unsafe extern "C" fn name(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 0>, _: &'static Environment| text(arguments.js, seal::name());
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `sealImage()`: the number of this image.
pub(super) unsafe extern "C" fn image(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 0>, _: &'static Environment| number(arguments.js, seal::image());
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `sealStamp(road, thread, image, number)`
pub(super) unsafe extern "C" fn stamp(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 4>, _: &'static Environment| {
        let (js, [road, thread, image, number]) = (arguments.js, arguments.values);
        let route = Route { kind: js.read_u32(road)?, thread: whole(js, thread)?, image: whole(js, image)? };
        text(js, seal::stamp(route, whole(js, number)?))
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `sealSingle()`: a number that can be redeemed once.
pub(super) unsafe extern "C" fn single(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 0>, _: &'static Environment| number(arguments.js, seal::issue());
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `redeemSeal(number)`: whether the number was out.
pub(super) unsafe extern "C" fn redeem(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 1>, _: &'static Environment| {
        let (js, [number]) = (arguments.js, arguments.values);
        js.boolean(seal::redeem(whole(js, number)?))
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `noteThread(threadId, bits)`
pub(super) unsafe extern "C" fn note_thread(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 2>, _: &'static Environment| {
        let (js, [thread, bits]) = (arguments.js, arguments.values);
        seal::note(whole(js, thread)? as usize, js.read_u32(bits)? as u8);
        Ok(NOTHING)
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `threadNotes(threadId)`
pub(super) unsafe extern "C" fn thread_notes(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 1>, _: &'static Environment| {
        let (js, [thread]) = (arguments.js, arguments.values);
        number(js, u64::from(seal::notes(whole(js, thread)? as usize)))
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}
