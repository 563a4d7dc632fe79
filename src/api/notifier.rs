//! The notifier's side of plain `Atomics.wait`ers; the protocol is told at the head of `shared/notifier.rs`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::LazyLock;

use crossbeam_channel::{Receiver, RecvTimeoutError};
use napi::Env;
use napi::bindgen_prelude::Either3;
use napi::bindgen_prelude::{Null, Undefined};
use napi_derive::napi;
use parking_lot::Mutex;

use super::environment;
use crate::shared::wait::SLICE;
use crate::shared::{NotifyAnswer, NotifyRequest};

/// Where notifiers take their requests, by the environment that they serve. Without an entry the notifier shall end.
static DESKS: LazyLock<Mutex<HashMap<u64, Receiver<NotifyRequest>>>> = LazyLock::new(Mutex::default);

thread_local! {
    /// The request that the notifier of this thread is at.
    static ANSWER: RefCell<Option<NotifyAnswer>> = const { RefCell::new(None) };
}

/// One `Atomics.notify` to be made.
#[napi(object)]
pub struct Notification {
    pub region: f64,
    pub offset: f64,
    pub size: u32,
    pub count: f64,
}

/// Opens this environment's desk; returns its number.
#[napi]
pub fn open_notifier(env: Env) -> napi::Result<f64> {
    let environment = environment(&env)?;
    let receiver = environment.waits().open_desk(environment.id());
    DESKS.lock().insert(environment.id(), receiver);
    #[allow(clippy::cast_precision_loss)]
    Ok(environment.id() as f64)
}

/// Lets requests for a region come to this environment's desk.
#[napi]
pub fn serve_region(env: Env, handle: u32) -> napi::Result<()> {
    environment(&env)?.waits().serve(handle);
    Ok(())
}

/// The number of a region that is held.
#[napi]
pub fn region_id(env: Env, handle: u32) -> napi::Result<f64> {
    let region = environment(&env)?.waits().held(handle);
    #[allow(clippy::cast_precision_loss)]
    Ok(region.map_or(0.0, |region| region.id().get() as f64))
}

/// Lets this environment's notifier end.
#[napi]
pub fn close_notifier(env: Env) -> napi::Result<()> {
    let environment = environment(&env)?;
    DESKS.lock().remove(&environment.id());
    environment.waits().close_desk();
    Ok(())
}

/// The next request at a desk: undefined when a slice of time has passed without one, null when the notifier shall end.
#[napi]
pub fn next_notify(desk: f64) -> Either3<Notification, Undefined, Null> {
    let Some(receiver) = DESKS.lock().get(&(desk as u64)).cloned() else { return Either3::C(Null) };
    match receiver.recv_timeout(SLICE) {
        Ok(NotifyRequest { region, offset, size, count, answer }) => {
            ANSWER.set(Some(answer));
            #[allow(clippy::cast_precision_loss)]
            Either3::A(Notification {
                region: region.get() as f64,
                offset: offset as f64,
                size: size as u32,
                count: if count == usize::MAX { f64::INFINITY } else { count as f64 },
            })
        }
        Err(RecvTimeoutError::Timeout) => Either3::B(()),
        Err(RecvTimeoutError::Disconnected) => Either3::C(Null),
    }
}

/// Says how many the last request's notify has woken.
#[napi]
pub fn notified(count: f64) {
    if let Some(answer) = ANSWER.take() {
        answer.send(count as usize);
    }
}
