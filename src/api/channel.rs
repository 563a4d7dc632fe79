//! Message channels: opening, posting, taking, and moving ports between environments.
//!
//! JavaScript names its ports by handles; numbers of ports (`id`) stay with an end wherever it goes.

use std::time::Duration;

use napi::Env;
use napi_derive::napi;

use crate::channel::{PortId, Transit, TransitKey, channel};
use crate::node::{
    Arguments, Call, Cursor, Environment, Export, Js, JsValue, PartsArray, Result, Returned, export,
    transit_state,
};

/// The raw exports by name.
pub(super) const EXPORTS: &[Export] = &[
    (c"setReceiveBuffer", export(set_receive_buffer)),
    (c"setWriteBuffer", export(set_write_buffer)),
    (c"postToPort", export(post)),
    (c"postToPortWith", export(post_with)),
    (c"postPlaceholderToPort", export(post_placeholder)),
    (c"takeFromPort", export(take)),
    (c"fillFromPort", export(fill)),
    (c"receiveFromPort", export(receive)),
];

/// A port that this environment owns.
#[napi(object)]
pub struct PortEnd {
    pub handle: u32,
    /// The port keeps this number for life; below 2^53.
    pub id: f64,
    /// The number of the other end.
    pub peer_id: f64,
}

fn end((handle, id): (u32, PortId)) -> PortEnd {
    let number = id.get();
    #[allow(clippy::cast_precision_loss)] // below 2^53
    // Ids go in pairs: even for the one end, odd for the other.
    PortEnd { handle, id: number as f64, peer_id: (number ^ 1) as f64 }
}

fn id(number: f64) -> PortId {
    PortId::from(number as u64)
}

fn key(text: &str) -> Option<TransitKey> {
    text.parse().ok()
}

fn cursor(port: u32, shown: u32) -> Cursor {
    Cursor { port, shown: shown as usize }
}

/// Both ends of a new channel.
#[napi(object)]
pub struct Ends {
    pub end1: PortEnd,
    pub end2: PortEnd,
}

/// Opens a channel. A `capacity` below one means no limit.
#[napi(catch_unwind)]
pub fn open_channel(env: Env, capacity: f64) -> napi::Result<Ends> {
    let environment = Environment::of(&env)?;
    let ends = channel((capacity >= 1.0).then_some(capacity as usize));
    let [end1, end2] = environment.ports().open(environment.core(), ends).map(end);
    Ok(Ends { end1, end2 })
}

/// Sets whether messages wake this thread. `shown` messages of the last batch were shown.
#[napi(catch_unwind)]
pub fn listen_port(env: Env, port: u32, shown: u32, listening: bool) -> napi::Result<()> {
    Ok(Environment::of(&env)?.ports().listen(cursor(port, shown), listening)?)
}

/// Closes a port, of whose last batch `shown` messages were shown. True when its half of the native fallback must stay open,
/// since it tells whether the other end, which is in transit, was lost.
#[napi(catch_unwind)]
pub fn close_port(env: Env, port: u32, shown: u32) -> napi::Result<bool> {
    Ok(Environment::of(&env)?.ports().close(cursor(port, shown))?)
}

/// How many messages wait to be shown here.
#[napi(catch_unwind)]
pub fn port_waiting(env: Env, port: u32, shown: u32) -> napi::Result<f64> {
    #[allow(clippy::cast_precision_loss)] // below 2^53
    Ok(Environment::of(&env)?.ports().waiting(cursor(port, shown))? as f64)
}

/// The key by which a port that is about to leave is claimed.
#[napi(catch_unwind)]
pub fn announce_port(env: Env, port: u32) -> napi::Result<String> {
    let environment = Environment::of(&env)?;
    Ok(environment.ports().announce(environment.core(), port)?.to_string())
}

/// Deposits an announced port, whose message has left: the port waits to be claimed by its key, with the messages of the
/// last batch from `shown` on. False when the port has closed.
#[napi(catch_unwind)]
pub fn deposit_port(env: Env, port: u32, shown: u32, announced: String) -> napi::Result<bool> {
    let Some(key) = key(&announced) else { return Ok(false) };
    Ok(Environment::of(&env)?.ports().deposit(cursor(port, shown), key)?)
}

/// Withdraws an announcement, whose message did not leave: the port stays as it is.
#[napi(catch_unwind)]
pub fn withdraw_port(env: Env, announced: String) -> napi::Result<()> {
    if let Some(key) = key(&announced) {
        Environment::of(&env)?.ports().withdraw(key);
    }
    Ok(())
}

/// Claims a port in transit. Nothing when no port has that key (any more).
#[napi(catch_unwind)]
pub fn claim_port(env: Env, text: String) -> napi::Result<Option<PortEnd>> {
    let environment = Environment::of(&env)?;
    Ok(key(&text).and_then(|key| environment.ports().claim(environment.core(), key)).map(end))
}

/// Says that the message with the port of this number was lost: the port closes if it is in transit.
#[napi(catch_unwind)]
pub fn forget_port(number: f64) {
    Transit::of_process().forget(id(number));
}

/// Where the port of this number is: `ANNOUNCED`, `DEPOSITED`, or neither.
#[napi(catch_unwind)]
pub fn port_transit(number: f64) -> u32 {
    transit_state(id(number))
}

/// Says that no thread will claim the port of this key: the port closes if it is in transit.
#[napi(catch_unwind)]
pub fn drop_port(text: String) {
    if let Some(key) = key(&text) {
        Transit::of_process().drop_key(key);
    }
}

/// Asks for an event once the other end has room. Answers as a post does: FULL when the event will come.
#[napi(catch_unwind)]
pub fn want_port_room(env: Env, port: u32) -> napi::Result<u32> {
    Ok(Environment::of(&env)?.ports().want_room(port)?)
}

/// How many messages wait at the other end.
#[napi(catch_unwind)]
pub fn port_backlog(env: Env, port: u32) -> napi::Result<f64> {
    #[allow(clippy::cast_precision_loss)] // below 2^53
    Ok(Environment::of(&env)?.ports().backlog(port)? as f64)
}

/// `setReceiveBuffer(lengths, wires)`: the memory for batches.
fn set_receive_buffer<'call>(call: Call<'call>, arrays: Arguments<'call, 2>) -> Returned<'call> {
    call.environment.ports().set_receive_buffer(call.js, arrays)?;
    Ok(JsValue::NOTHING)
}

/// `setWriteBuffer(bytes)`: the memory that the encoder writes to.
fn set_write_buffer<'call>(call: Call<'call>, [bytes]: Arguments<'call, 1>) -> Returned<'call> {
    call.environment.ports().set_write_buffer(call.js, bytes)?;
    Ok(JsValue::NOTHING)
}

/// The result of a post. Zero, the usual one, is `undefined`, so that no number has to be made.
fn posted(js: Js<'_>, number: u32) -> Returned<'_> {
    if number == 0 { Ok(JsValue::NOTHING) } else { js.number(f64::from(number)) }
}

/// `postToPort(port, length)`: posts what the encoder has written; answers QUEUED as undefined.
fn post<'call>(call: Call<'call>, [port, length]: Arguments<'call, 2>) -> Returned<'call> {
    let (port, length) = (call.js.read_u32(port)?, call.js.read_u32(length)? as usize);
    call.core().adaptive_wait().sent();
    posted(call.js, call.environment.ports().post_written(port, length)?)
}

/// `postToPortWith(port, bytes, length, parts)`: any message, in any memory.
fn post_with<'call>(call: Call<'call>, [port, bytes, length, parts]: Arguments<'call, 4>) -> Returned<'call> {
    let (port, length) = (call.js.read_u32(port)?, call.js.read_u32(length)? as usize);
    call.core().adaptive_wait().sent();
    let envelope = call.inputs().read_envelope(bytes, length, parts)?;
    posted(call.js, call.environment.ports().post(port, envelope.into())?)
}

/// `postPlaceholderToPort(port, how)`: posts a placeholder for a message that was posted to the native fallback. `how` tells
/// the form of that message: `PLAIN`, `WRAPPED` or `INTRODUCING`.
fn post_placeholder<'call>(call: Call<'call>, [port, how]: Arguments<'call, 2>) -> Returned<'call> {
    let (port, how) = (call.js.read_u32(port)?, call.js.read_u32(how)?);
    call.core().adaptive_wait().sent();
    posted(call.js, call.environment.ports().post_placeholder(port, how)?)
}

fn read_cursor<'call>(js: Js<'call>, port: JsValue<'call>, shown: JsValue<'call>) -> Result<Cursor> {
    Ok(cursor(js.read_u32(port)?, js.read_u32(shown)?))
}

/// `takeFromPort(port, shown, most, outOfBand)`: takes a batch, after `shown` messages of the last one were shown.
fn take<'call>(call: Call<'call>, [port, shown, most, array]: Arguments<'call, 4>) -> Returned<'call> {
    let at = read_cursor(call.js, port, shown)?;
    let most = call.js.read_u32(most)? as usize;
    let array = PartsArray { js: call.js, core: call.core(), array };
    let taken = call.environment.ports().take(at, most, array)?;
    call.js.number(f64::from(taken))
}

/// `receiveFromPort(port, shown, milliseconds, outOfBand)`: takes one message to be shown at once, and waits for it
/// that long.
fn receive<'call>(call: Call<'call>, [port, shown, slice, array]: Arguments<'call, 4>) -> Returned<'call> {
    let at = read_cursor(call.js, port, shown)?;
    let slice = Duration::try_from_secs_f64(call.js.read_number(slice)? / 1000.0).unwrap_or_default();
    let array = PartsArray { js: call.js, core: call.core(), array };
    let received = call.environment.ports().receive(at, slice, array)?;
    call.js.number(f64::from(received))
}

/// `fillFromPort(view, wire)`: the wire, or else the block, of the message that came out of band last.
fn fill<'call>(call: Call<'call>, [view, wire]: Arguments<'call, 2>) -> Returned<'call> {
    call.environment.ports().fill(call.js, view, call.js.read_bool(wire)?)?;
    Ok(JsValue::NOTHING)
}
