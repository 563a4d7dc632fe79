//! The environment itself: its delivery, its clock, its event loop.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use crate::node::{Arguments, Call, Export, JsValue, Returned, export};

/// The raw exports by name.
pub(super) const EXPORTS: &[Export] = &[
    (c"open", export(open)),
    (c"now", export(now)),
    (c"hostGlobal", export(host_global)),
    (c"throwUncaught", export(throw_uncaught)),
    (c"drain", export(drain)),
    (c"waitForEvents", export(wait_for_events)),
    (c"holdLoop", export(hold_loop)),
    (c"releaseLoop", export(release_loop)),
];

/// `open(deliver, ids, numbers, forms, wire, call, settle, outOfBand)`: how events reach JavaScript, and arguments us.
fn open<'call>(call: Call<'call>, arguments: Arguments<'call, 8>) -> Returned<'call> {
    let [deliver, ids, numbers, forms, wire, arguments, settle, out_of_band] = arguments;
    let functions = [deliver, settle, out_of_band];
    call.environment.open_delivery(call.js, functions, [ids, numbers, forms, wire, arguments])?;
    Ok(JsValue::NOTHING)
}

/// `now()`: milliseconds of the clock that only goes forward, which no test framework can stop. Every environment of the
/// process counts from the same moment.
fn now<'call>(call: Call<'call>, []: Arguments<'call, 0>) -> Returned<'call> {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    call.js.number(START.elapsed().as_secs_f64() * 1000.0)
}

/// `hostGlobal()`: the global object of the realm that the addon was loaded in, which is Node's own.
fn host_global<'call>(call: Call<'call>, []: Arguments<'call, 0>) -> Returned<'call> {
    call.js.global()
}

/// `throwUncaught(error)`: makes it an uncaught exception, now.
fn throw_uncaught<'call>(call: Call<'call>, [error]: Arguments<'call, 1>) -> Returned<'call> {
    call.js.throw_uncaught(error)?;
    Ok(JsValue::NOTHING)
}

/// `drain()`: delivers the next batch, in a turn of the event loop that was asked for.
fn drain<'call>(call: Call<'call>, []: Arguments<'call, 0>) -> Returned<'call> {
    call.environment.resume(call.js);
    Ok(JsValue::NOTHING)
}

/// The most milliseconds of one wait: V8 cannot interrupt it.
const SLICE: f64 = 50.0;

/// `waitForEvents(milliseconds)`: blocks the thread until events are due, or the time is up, 50 ms at the most, and delivers a
/// batch of what is due, quietly.
fn wait_for_events<'call>(call: Call<'call>, [time]: Arguments<'call, 1>) -> Returned<'call> {
    let time = call.js.read_number(time)?.clamp(0.0, SLICE);
    call.environment.wait(call.js, Duration::try_from_secs_f64(time / 1000.0).unwrap_or(Duration::ZERO));
    Ok(JsValue::NOTHING)
}

/// `holdLoop()`: the event loop stays alive until as many calls of `releaseLoop` have come.
fn hold_loop<'call>(call: Call<'call>, []: Arguments<'call, 0>) -> Returned<'call> {
    call.core().hold_loop(call.js, true)?;
    Ok(JsValue::NOTHING)
}

/// `releaseLoop()`: takes one `holdLoop` back.
fn release_loop<'call>(call: Call<'call>, []: Arguments<'call, 0>) -> Returned<'call> {
    call.core().hold_loop(call.js, false)?;
    Ok(JsValue::NOTHING)
}
