//! Message channels: opening, posting, taking, and moving ports between environments.
//!
//! JavaScript names its ports by handles; numbers of ports (`id`) stay with an end wherever it goes.

use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::sys;
use napi_derive::napi;

use super::environment;
use super::raw::export;
use crate::channel::{Fallback, PortId, Transit, TransitKey, channel};
use crate::node::{Arguments, Environment, Js, JsValue, NOTHING, Status};

/// An end in the hands of this environment.
#[napi(object)]
pub struct PortEnd {
    pub handle: u32,
    /// Stays with the end; below 2^53.
    pub id: f64,
    /// The other end's.
    pub peer_id: f64,
}

fn end(handle: u32, id: PortId) -> PortEnd {
    let number = id.get();
    #[allow(clippy::cast_precision_loss)] // below 2^53
    // Ids go in pairs: even for the one end, odd for the other.
    PortEnd { handle, id: number as f64, peer_id: (number ^ 1) as f64 }
}

fn id(number: f64) -> PortId {
    PortId::from(number as u64)
}

/// Both ends of a new channel.
#[napi(object)]
pub struct Ends {
    pub end1: PortEnd,
    pub end2: PortEnd,
}

/// Opens a channel; `capacity` below one for none.
#[napi]
pub fn open_channel(env: Env, capacity: f64) -> napi::Result<Ends> {
    let environment = environment(&env)?;
    let ends = channel((capacity >= 1.0).then_some(capacity as usize));
    let [end1, end2] = environment.ports().open(environment, ends).map(|(handle, id)| end(handle, id));
    Ok(Ends { end1, end2 })
}

/// Whether messages wake this thread; `shown` messages of the last batch were.
#[napi]
pub fn listen_port(env: Env, port: u32, shown: u32, listening: bool) -> napi::Result<()> {
    environment(&env)?.ports().listen(port, shown as usize, listening).map_err(super::into_napi)
}

/// Closes a port; true when its half of the companion is to stay open, to tell whether the other end was lost on its way.
#[napi]
pub fn close_port(env: Env, port: u32) -> napi::Result<bool> {
    environment(&env)?.ports().close(port).map_err(super::into_napi)
}

/// Messages that wait to be shown here.
#[napi]
pub fn port_waiting(env: Env, port: u32, shown: u32) -> napi::Result<f64> {
    #[allow(clippy::cast_precision_loss)]
    environment(&env)?
        .ports()
        .waiting(port, shown as usize)
        .map(|count| count as f64)
        .map_err(super::into_napi)
}

fn key(text: &str) -> Option<TransitKey> {
    text.parse().ok()
}

/// The key by which a port that is about to leave shall be claimed.
#[napi]
pub fn announce_port(env: Env, port: u32) -> napi::Result<String> {
    let environment = environment(&env)?;
    let key = environment.ports().announce(environment, port).map_err(super::into_napi)?;
    Ok(key.to_string())
}

/// What has the key has left: the port waits there to be claimed, with the messages of the last batch from `shown` on.
/// False when it has closed.
#[napi]
pub fn park_port(env: Env, port: u32, shown: u32, announced: String) -> napi::Result<bool> {
    let Some(key) = key(&announced) else { return Ok(false) };
    environment(&env)?.ports().park(port, shown as usize, key).map_err(super::into_napi)
}

/// What has the key did not leave: the port stays as it is.
#[napi]
pub fn withdraw_port(env: Env, announced: String) -> napi::Result<()> {
    if let Some(key) = key(&announced) {
        environment(&env)?.ports().withdraw(key);
    }
    Ok(())
}

/// Takes a parked port in; nothing when there is none of that key (any more).
#[napi]
pub fn claim_port(env: Env, text: String) -> napi::Result<Option<PortEnd>> {
    let environment = environment(&env)?;
    let port = key(&text).and_then(|key| Transit::of_process().claim(key, environment.id()));
    Ok(port.map(|port| {
        let id = port.id();
        end(environment.ports().adopt(environment, port), id)
    }))
}

/// What carried the port of this number was lost: if it is parked, it closes.
#[napi]
pub fn forget_port(number: f64) {
    Transit::of_process().forget(id(number));
}

/// Where the port of this number is: 2 when it is parked, and nobody posts through it; 1 when it may be any moment; else 0.
#[napi]
pub fn port_transit(number: f64) -> u32 {
    let transit = Transit::of_process();
    // In this order: it goes from the one to the other.
    let announced = transit.is_announced(id(number));
    if transit.is_deposited(id(number)) { 2 } else { u32::from(announced) }
}

/// Nobody will claim the port of this key: if it is parked, it closes.
#[napi]
pub fn drop_port(text: String) {
    if let Some(key) = key(&text) {
        Transit::of_process().drop_key(key);
    }
}

/// Asks to be told of room at the other end; answers as a post does, with FULL when the news is to come.
#[napi]
pub fn want_port_room(env: Env, port: u32) -> napi::Result<u32> {
    environment(&env)?.ports().want_room(port).map_err(super::into_napi)
}

/// Messages that wait at the other end.
#[napi]
pub fn port_backlog(env: Env, port: u32) -> napi::Result<f64> {
    #[allow(clippy::cast_precision_loss)]
    environment(&env)?.ports().backlog(port).map(|count| count as f64).map_err(super::into_napi)
}

/// `namePortIntake(lengths, slab)`: where batches are put.
pub(super) unsafe extern "C" fn name_port_intake(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> JsValue {
    let body = |arguments: &Arguments<'_, 2>, environment: &'static Environment| {
        let [lengths, slab] = arguments.values;
        environment.ports().name_intake(arguments.js, lengths, slab).map(|()| NOTHING)
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `namePortOutgoing(bytes)`: where the encoder writes.
pub(super) unsafe extern "C" fn name_port_outgoing(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> JsValue {
    let body = |arguments: &Arguments<'_, 1>, environment: &'static Environment| {
        environment.ports().name_outgoing(arguments.js, arguments.values[0]).map(|()| NOTHING)
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// Zero, the usual answer, is `undefined`: no number need be made.
fn answer(js: Js<'_>, number: u32) -> Result<JsValue, Status> {
    if number == 0 { Ok(NOTHING) } else { js.number(f64::from(number)) }
}

/// `postToPort(port, length)`: posts what the encoder has written; answers QUEUED as undefined.
pub(super) unsafe extern "C" fn post_to_port(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 2>, environment: &'static Environment| {
        let js = arguments.js;
        let [port, length] = arguments.values;
        let (port, length) = (js.read_u32(port)?, js.read_u32(length)? as usize);
        environment.adaptive_wait().given();
        answer(js, environment.ports().post(port, length)?)
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `postToPortWith(port, bytes, length, parts)`: any message, in any memory.
pub(super) unsafe extern "C" fn post_to_port_with(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> JsValue {
    let body = |arguments: &Arguments<'_, 4>, environment: &'static Environment| {
        let js = arguments.js;
        let [port, bytes, length, parts] = arguments.values;
        let port = js.read_u32(port)?;
        environment.adaptive_wait().given();
        answer(js, environment.ports().post_with(js, environment, port, bytes, length, parts)?)
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `postPlaceToPort(port, side)`: holds the place of what was posted to the companion; `side` tells how it stands there:
/// see `PLAIN` and those after it in `lib/ports/side.js`.
pub(super) unsafe extern "C" fn post_place_to_port(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> JsValue {
    let body = |arguments: &Arguments<'_, 2>, environment: &'static Environment| {
        let js = arguments.js;
        let [port, side] = arguments.values;
        let side = match js.read_u32(side)? {
            1 => Fallback::Plain,
            2 => Fallback::Wrapped,
            3 => Fallback::Introducing,
            _ => return Err(Status::INVALID),
        };
        environment.adaptive_wait().given();
        answer(js, environment.ports().post_place(js.read_u32(port)?, side)?)
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `takeFromPort(port, shown, most, extras)`: a batch, after `shown` of the last were.
pub(super) unsafe extern "C" fn take_from_port(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 4>, environment: &'static Environment| {
        let js = arguments.js;
        let [port, shown, most, extras] = arguments.values;
        let (port, most) = (js.read_u32(port)?, js.read_u32(most)? as usize);
        let shown = js.read_u32(shown)? as usize;
        js.number(f64::from(environment.ports().take(js, environment, port, shown, most, extras)?))
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `fillFromPort(view, wire)`: the wire, or else the block, of the message that came apart last.
pub(super) unsafe extern "C" fn fill_from_port(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 2>, environment: &'static Environment| {
        let [view, wire] = arguments.values;
        environment.ports().fill(arguments.js, view, arguments.js.read_bool(wire)?).map(|()| NOTHING)
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `receiveFromPort(port, shown, milliseconds, extras)`: one message to be shown at once, waiting for it so long.
pub(super) unsafe extern "C" fn receive_from_port(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> JsValue {
    let body = |arguments: &Arguments<'_, 4>, environment: &'static Environment| {
        let js = arguments.js;
        let [port, shown, slice, extras] = arguments.values;
        let slice = Duration::try_from_secs_f64(js.read_number(slice)? / 1000.0).unwrap_or_default();
        let (port, shown) = (js.read_u32(port)?, js.read_u32(shown)? as usize);
        js.number(f64::from(environment.ports().receive(js, environment, port, shown, slice, extras)?))
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}
