//! Script workers: seats for them, and the calls by which they work.

use std::time::{Duration, Instant};

use napi::Env;
use napi::bindgen_prelude::{Uint8Array, sys};
use napi_derive::napi;

use super::environment;
use super::list::List;
use super::pool::{refused, unknown_pool, unread};
use super::raw::export;
use crate::cancel::CancelToken;
use crate::node::{
    Answer, Arguments, Environment, Event, InputForm, Js, JsValue, NOTHING, Status, offer_seat, read_payload,
    revoke_seat, take_offer,
};
use crate::pool::{For, Job, Road, ScriptOutcome, Ticket, WaitPolicy};
use crate::value::{Payload, Value};

/// A seat for a worker that is about to be started.
#[napi(object)]
pub struct WorkerRegistration {
    pub number: u32,
    /// By which the worker takes it up.
    pub key: f64,
}

/// Says how many jobs all script workers of a pool together may run.
#[napi]
pub fn set_script_capacity(env: Env, pool: u32, capacity: u32) -> napi::Result<()> {
    environment(&env)?.with_pool(pool, |pool| pool.set_script_capacity(capacity as usize));
    Ok(())
}

/// The number by which a script's function of this name is called.
#[napi]
pub fn script_function(env: Env, pool: u32, name: String) -> napi::Result<u32> {
    Ok(environment(&env)?.with_pool(pool, |pool| pool.script_function(&name)).unwrap_or(0) as u32)
}

/// In a worker: the name of the function with this number.
#[napi]
pub fn script_function_name(env: Env, number: u32) -> napi::Result<Option<String>> {
    Ok(environment(&env)?.with_seat(|seat| seat.function_name(number as usize)).flatten())
}

/// Opens a seat; nothing when the pool needs no worker any more.
#[napi]
pub fn register_worker(env: Env, pool: u32) -> napi::Result<Option<WorkerRegistration>> {
    let environment = environment(&env)?;
    let Some(engine) = environment.pool(pool) else { return Ok(None) };
    Ok(engine.open_seat().map(|number| {
        let key = offer_seat(engine.clone(), number, environment.events());
        WorkerRegistration { number: number as u32, key: key as f64 }
    }))
}

/// The jobs of a worker that has ended.
#[napi(object, object_from_js = false)]
pub struct Evicted {
    /// The ids of those that it ran, for the caller to answer.
    pub ran: List<f64>,
    /// The ids of those that it would have run: to be bound to another, or disowned and answered.
    pub orphans: List<f64>,
}

/// Clears the seat of a worker that has ended.
#[napi]
pub fn evict_worker(env: Env, pool: u32, number: u32, key: f64) -> napi::Result<Evicted> {
    revoke_seat(key as u64);
    let environment = environment(&env)?;
    let (ran, orphans) =
        environment.with_pool(pool, |pool| pool.evict_seat(number as usize)).unwrap_or_default();
    ran.iter().for_each(|id| environment.forget(*id));
    orphans.iter().for_each(|id| environment.moved(*id, Ticket::of_an_orphan(*id)));
    let numbers = |ids: Vec<u64>| List(ids.into_iter().map(|id| id as f64).collect());
    Ok(Evicted { ran: numbers(ran), orphans: numbers(orphans) })
}

/// Binds a job whose worker has ended to another seat, where its input is the message of that number. False when the
/// worker there takes no more.
#[napi]
pub fn rebind(env: Env, pool: u32, id: f64, seat: u32, message: f64) -> napi::Result<bool> {
    let environment = environment(&env)?;
    let input = Payload::Value(Value::Number(message));
    let ticket = environment.with_pool(pool, |pool| pool.rebind(id as u64, seat as usize, input)).flatten();
    if let Some(ticket) = ticket {
        environment.moved(id as u64, ticket);
    }
    Ok(ticket.is_some())
}

/// Takes back a job whose input could not be sent to the seat it is bound to.
#[napi]
pub fn retract_script(env: Env, pool: u32, seat: u32, id: f64) -> napi::Result<()> {
    let environment = environment(&env)?;
    environment.with_pool(pool, |pool| pool.retract(seat as usize, id as u64));
    environment.forget(id as u64);
    Ok(())
}

/// Gives up a job whose worker has ended, for the caller to answer.
#[napi]
pub fn disown_orphan(env: Env, pool: u32, id: f64, stopped: bool) -> napi::Result<()> {
    let environment = environment(&env)?;
    environment.with_pool(pool, |pool| pool.disown_orphan(id as u64, stopped));
    environment.forget(id as u64);
    Ok(())
}

/// The owner takes a running job's input, to send the memory itself. False when the worker has made do with a copy.
#[napi]
pub fn claim_input(env: Env, pool: u32, id: f64) -> napi::Result<bool> {
    let claimed = environment(&env)?.with_pool(pool, |pool| pool.claim_input(id as u64)).flatten();
    Ok(claimed.is_some())
}

/// A seat; how many jobs its worker has at hand or coming, and how many wait for any worker.
#[napi(object)]
pub struct WorkerLoad {
    pub number: u32,
    pub load: u32,
    pub queued: u32,
}

/// The seat to bind a job to; nothing when no worker lives or is starting.
#[napi]
pub fn least_loaded_worker(env: Env, pool: u32) -> napi::Result<Option<WorkerLoad>> {
    let seat = environment(&env)?.with_pool(pool, |pool| pool.least_loaded_seat()).flatten();
    Ok(seat.map(|(number, load, queued)| WorkerLoad {
        number: number as u32,
        load: load as u32,
        queued: queued as u32,
    }))
}

/// Comes back to this environment as a notice once all that was told to it before has been delivered.
#[napi]
pub fn push_fence(env: Env, id: f64) -> napi::Result<()> {
    environment(&env)?.events().push(Event::Fence { id: id as u64 });
    Ok(())
}

/// In a worker: tells the owner that it is ready, after a message beside the queue that tells more.
#[napi]
pub fn tell_ready(env: Env) -> napi::Result<()> {
    environment(&env)?.with_seat(|seat| seat.tell_ready());
    Ok(())
}

/// The ids of the jobs at a seat.
#[napi]
pub fn jobs_of_worker(env: Env, pool: u32, number: u32) -> napi::Result<List<f64>> {
    let ids = environment(&env)?.with_pool(pool, |pool| pool.jobs_at(number as usize)).unwrap_or_default();
    Ok(List(ids.into_iter().map(|id| id as f64).collect()))
}

/// A seat is given no further job. What it holds it keeps.
#[napi]
pub fn unregister_worker(env: Env, pool: u32, number: u32) -> napi::Result<()> {
    environment(&env)?.with_pool(pool, |pool| pool.abandon_seat(number as usize));
    Ok(())
}

/// How many jobs wait for a script worker.
#[napi]
pub fn scripts_waiting(env: Env, pool: u32) -> napi::Result<u32> {
    Ok(environment(&env)?.with_pool(pool, |pool| pool.scripts_waiting()).unwrap_or(0) as u32)
}

/// Takes all that waits for a script worker out of the queue: its ids, for the caller to answer.
#[napi]
pub fn drain_scripts(env: Env, pool: u32) -> napi::Result<List<f64>> {
    let environment = environment(&env)?;
    let ids = environment.with_pool(pool, |pool| pool.drain_scripts()).unwrap_or_default();
    ids.iter().for_each(|id| environment.forget(*id));
    Ok(List(ids.into_iter().map(|id| id as f64).collect()))
}

/// In a worker: takes a seat up. False when it is gone.
#[napi]
pub fn join_pool(env: Env, key: f64, inbox: Uint8Array) -> napi::Result<bool> {
    use napi::bindgen_prelude::ToNapiValue;
    let environment = environment(&env)?;
    // SAFETY: napi-rs gives derived functions the environment of the running callback.
    let js = unsafe { Js::new(env.raw()) };
    // SAFETY: the environment is that of the running callback.
    let inbox = unsafe { Uint8Array::to_napi_value(env.raw(), inbox) }?;
    let seat = take_offer(js, key as u64, environment.events(), inbox).map_err(super::into_napi)?;
    let joined = seat.is_some();
    if let Some(seat) = seat {
        environment.sit(seat);
    }
    Ok(joined)
}

/// In a worker: ends its membership; with `only_idle` just if it waits and more than `keep` workers live.
#[napi]
pub fn leave_pool(env: Env, only_idle: bool, keep: u32) -> napi::Result<bool> {
    let environment = environment(&env)?;
    Ok(environment.with_seat(|seat| seat.leave(only_idle, keep as usize)).unwrap_or(true))
}

/// In the place of a seat: any worker may take the job, or it waits for one to be bound to.
const ANY_WORKER: f64 = -1.0;
const NO_WORKER: f64 = -2.0;

/// How a job ended, in the second byte of a form above the inputs' own.
mod end {
    pub(super) const DONE: u32 = 0;
    pub(super) const FAILED: u32 = 1;
    pub(super) const BESIDE: u32 = 2;
    pub(super) const BESIDE_FAILED: u32 = 3;
}

/// The outcome that stands in a call: its form on the call buffer, with `end` 16 bits higher.
fn read_outcome(
    js: Js<'_>,
    environment: &'static Environment,
    form: f64,
    [input, parts]: [JsValue; 2],
    length: f64,
) -> Result<ScriptOutcome, Status> {
    let form = form as u32;
    let how = form >> 16;
    if how == end::BESIDE || how == end::BESIDE_FAILED {
        let failed = how == end::BESIDE_FAILED;
        return environment.with_seat(|seat| seat.outcome_beside(failed)).ok_or(Status::INVALID);
    }
    let payload = read_shown(js, environment, form & 0xffff, [input, parts], length)?;
    match (how, payload) {
        (end::DONE, payload) => Ok(ScriptOutcome::Done(payload)),
        (end::FAILED, Payload::Envelope(envelope)) => Ok(ScriptOutcome::Failed(envelope)),
        _ => Err(Status::INVALID),
    }
}

/// A value whose form and length stand on the call buffer.
fn read_shown(
    js: Js<'_>,
    environment: &'static Environment,
    form: u32,
    [input, parts]: [JsValue; 2],
    length: f64,
) -> Result<Payload, Status> {
    let form = InputForm::from_number(form).ok_or(Status::INVALID)?;
    let length = if form == InputForm::Wire { js.number(length)? } else { NOTHING };
    read_payload(js, environment, form, input, length, parts)
}

/// `submitScript(input, parts)`: pool, function, id, form, length, priority, timeout, whether it is cancellable, the seat
/// to bind it to (-1: any may take it; -2: none is there), whether it wants its worker alone and whether the input is
/// memory that the worker should ask for stand on the call buffer. Form -1: the input is a message
/// beside the queue, and `length` its number. Returns nothing when a worker was told, 1 when none
/// could be, 2 when the queue is full now, 3 for both; `[code, message]` when refused.
pub(super) unsafe extern "C" fn submit_script(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 2>, environment: &'static Environment| {
        let js = arguments.js;
        let [pool, function, id, form, length, priority, timeout, cancellable, seat, alone, asked] =
            environment.arguments().ok_or(Status::INVALID)?;
        let (pool, id) = (pool as u32, id as u64);
        if !environment.has_pool(pool) {
            return unknown_pool(js);
        }
        let input = if form < 0.0 {
            Payload::Value(Value::Number(length))
        } else {
            match read_shown(js, environment, form as u32, arguments.values, length) {
                Ok(input) => input,
                Err(status) => return unread(js, status),
            }
        };
        let deadline = if timeout < 0.0 { None } else { Duration::try_from_secs_f64(timeout / 1000.0).ok() };
        let deadline = deadline.and_then(|timeout| Instant::now().checked_add(timeout));
        let token = (cancellable != 0.0).then(|| CancelToken::new(deadline));
        let mut job = Job::new(id, environment.events(), function as usize, input, token.clone());
        if form < 0.0 {
            job = job.by(Road::Message);
        } else if asked != 0.0 {
            job = job.by(Road::Asked);
        }
        if alone != 0.0 {
            job = job.alone();
        }
        let whom = match seat {
            ANY_WORKER => For::Any,
            NO_WORKER => For::Nobody,
            number => For::Seat(number as usize),
        };
        let outcome =
            environment.with_pool(pool, |pool| match pool.submit_script(job, priority as i32, whom) {
                Ok((accepted, alone)) => {
                    if let Some(token) = token {
                        environment.remember(id, pool.clone(), accepted.ticket, token);
                    }
                    match u8::from(alone) | (u8::from(accepted.full) << 1) {
                        0 => Ok(NOTHING),
                        flags => js.number(f64::from(flags)),
                    }
                }
                Err(refusal) => {
                    drop(refusal.refused.into_input());
                    refused(js, &refusal.error)
                }
            });
        outcome.unwrap_or_else(|| unknown_pool(js))
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `scriptStep(output, parts)`, in a worker: the job that is finished (0 for none), its form and length, how to wait
/// and for how many milliseconds stand on the call buffer; the next job is shown there: see `Seat::step`.
pub(super) unsafe extern "C" fn script_step(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 2>, environment: &'static Environment| {
        let js = arguments.js;
        let [id, form, length, wait, time] = environment.arguments().ok_or(Status::INVALID)?;
        let finished = if id == 0.0 {
            None
        } else {
            Some((id as u64, read_outcome(js, environment, form, arguments.values, length)?))
        };
        let time = Duration::try_from_secs_f64(time / 1000.0).unwrap_or(Duration::ZERO);
        let policy = match wait as u32 {
            1 => WaitPolicy::Linger(time),
            2 => WaitPolicy::Block(time),
            _ => WaitPolicy::Take,
        };
        environment
            .with_seat(|seat| seat.step(js, environment, finished, policy))
            .unwrap_or(Err(Status::INVALID))
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `scriptClaim(id)`, in a worker: the input of a task that was asked for and has not come; see `Seat::claim_input`.
pub(super) unsafe extern "C" fn script_claim(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 1>, environment: &'static Environment| {
        let id = arguments.js.read_number(arguments.values[0])? as u64;
        environment
            .with_seat(|seat| seat.claim_input(arguments.js, environment, id))
            .unwrap_or(Err(Status::INVALID))
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `scriptFinish(output, parts)`, in a worker: as `scriptStep`, without taking another job.
pub(super) unsafe extern "C" fn script_finish(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 2>, environment: &'static Environment| {
        let [id, form, length] = environment.arguments().ok_or(Status::INVALID)?;
        let outcome = read_outcome(arguments.js, environment, form, arguments.values, length)?;
        environment.adaptive_wait().given();
        environment.with_seat(|seat| seat.finish(id as u64, outcome));
        Ok(NOTHING)
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `scriptReport(value, parts)`, in a worker: tells the owner of a job how far it is. Form -1: by a message beside the
/// queue.
pub(super) unsafe extern "C" fn script_report(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 2>, environment: &'static Environment| {
        let [id, form, length] = environment.arguments().ok_or(Status::INVALID)?;
        if form < 0.0 {
            environment.with_seat(|seat| seat.report_beside(id as u64));
            return Ok(NOTHING);
        }
        let payload = read_shown(arguments.js, environment, form as u32, arguments.values, length)?;
        environment.with_seat(|seat| seat.report(id as u64, Answer::of_payload(payload)));
        Ok(NOTHING)
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `scriptStop(id)`, in a worker: why the job should stop, or 0.
pub(super) unsafe extern "C" fn script_stop(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 1>, environment: &'static Environment| {
        let id = arguments.js.read_number(arguments.values[0])? as u64;
        let reason = environment.with_seat(|seat| seat.stop_reason(id)).unwrap_or(0);
        arguments.js.number(f64::from(reason))
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}
