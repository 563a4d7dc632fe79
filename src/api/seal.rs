//! Seals on messages: `lib/transfer/seal.js`. The head of `seal.rs` describes them.
//!
//! Numbers from JavaScript are whole and not below zero; others become some number that was never issued.

use crate::node::{Arguments, Call, Export, JsValue, Returned, export};
use crate::seal::{self, Route};

/// The raw exports by name.
pub(super) const EXPORTS: &[Export] = &[
    (c"sealName", export(name)),
    (c"sealImage", export(image)),
    (c"sealStamp", export(stamp)),
    (c"sealSingle", export(single)),
    (c"redeemSeal", export(redeem)),
    (c"noteThread", export(note_thread)),
    (c"threadNotes", export(thread_notes)),
];

/// `sealName()`
fn name<'call>(call: Call<'call>, []: Arguments<'call, 0>) -> Returned<'call> {
    call.js.string(seal::name().as_str())
}

/// `sealImage()`: the number of this image.
fn image<'call>(call: Call<'call>, []: Arguments<'call, 0>) -> Returned<'call> {
    call.js.number_u64(seal::image())
}

/// `sealStamp(kind, thread, image, number)`
fn stamp<'call>(call: Call<'call>, [kind, thread, image, number]: Arguments<'call, 4>) -> Returned<'call> {
    let js = call.js;
    let route = Route { kind: js.read_u32(kind)?, thread: js.read_u64(thread)?, image: js.read_u64(image)? };
    js.string(seal::stamp(route, js.read_u64(number)?).as_str())
}

/// `sealSingle()`: a number that can be redeemed once.
fn single<'call>(call: Call<'call>, []: Arguments<'call, 0>) -> Returned<'call> {
    call.js.number_u64(seal::issue())
}

/// `redeemSeal(number)`: whether the number was out.
fn redeem<'call>(call: Call<'call>, [number]: Arguments<'call, 1>) -> Returned<'call> {
    call.js.boolean(seal::redeem(call.js.read_u64(number)?))
}

/// `noteThread(threadId, bits)`
fn note_thread<'call>(call: Call<'call>, [thread, bits]: Arguments<'call, 2>) -> Returned<'call> {
    seal::note(call.js.read_u64(thread)? as usize, call.js.read_u32(bits)? as u8);
    Ok(JsValue::NOTHING)
}

/// `threadNotes(threadId)`
fn thread_notes<'call>(call: Call<'call>, [thread]: Arguments<'call, 1>) -> Returned<'call> {
    call.js.number(f64::from(seal::notes(call.js.read_u64(thread)? as usize)))
}
