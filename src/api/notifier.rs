//! The notifier's side of plain `Atomics.wait`ers; the head of `shared/notifier.rs` describes the protocol.

use napi::Env;
use napi::bindgen_prelude::{Either3, Null, Undefined};
use napi_derive::napi;

use crate::node::{Environment, Next, answer_request, next_request};

/// One `Atomics.notify` to be made.
#[napi(object)]
pub struct Notification {
    pub region: f64,
    pub offset: f64,
    pub size: u32,
    pub count: f64,
}

/// Opens the channel of this environment's notifier; returns its number.
#[napi(catch_unwind)]
pub fn open_notifier(env: Env) -> napi::Result<f64> {
    let environment = Environment::of(&env)?;
    #[allow(clippy::cast_precision_loss)] // a count
    Ok(environment.notifier().open(environment.core()) as f64)
}

/// Lets requests for a region that is held come to this environment's notifier.
#[napi(catch_unwind)]
pub fn serve_region(env: Env, handle: u32) -> napi::Result<()> {
    let environment = Environment::of(&env)?;
    if let Some(region) = environment.waits().held().get(handle) {
        environment.notifier().serve(region.id());
    }
    Ok(())
}

/// The number of a region that is held.
#[napi(catch_unwind)]
pub fn region_id(env: Env, handle: u32) -> napi::Result<f64> {
    let id = Environment::of(&env)?.waits().held().with(handle, |region| region.id().get());
    #[allow(clippy::cast_precision_loss)] // a count
    Ok(id.map_or(0.0, |id| id as f64))
}

/// Lets this environment's notifier end.
#[napi(catch_unwind)]
pub fn close_notifier(env: Env) -> napi::Result<()> {
    let environment = Environment::of(&env)?;
    environment.notifier().close(environment.core());
    Ok(())
}

/// The next request to a notifier: undefined when a slice of time has passed without one, null when the notifier must end.
#[napi(catch_unwind)]
pub fn next_notify(notifier: f64) -> Either3<Notification, Undefined, Null> {
    match next_request(notifier as u64) {
        #[allow(clippy::cast_precision_loss)] // below 2^53
        Next::Request { region, offset, size, count } => Either3::A(Notification {
            region: region.get() as f64,
            offset: offset as f64,
            size: size as u32,
            count: if count == usize::MAX { f64::INFINITY } else { count as f64 },
        }),
        Next::Nothing => Either3::B(()),
        Next::End => Either3::C(Null),
    }
}

/// Says how many the last request's notify has woken.
#[napi(catch_unwind)]
pub fn notified(count: f64) {
    answer_request(count as usize);
}
