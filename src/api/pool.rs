//! Pools: making, feeding, watching and closing them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use napi::Env;
use napi::bindgen_prelude::sys;
use napi_derive::napi;

use super::environment;
use super::raw::export;
use crate::cancel::{CancelToken, Reason};
use crate::error::{Code, Error};
use crate::node::{
    Arguments, Environment, Event, InputForm, Js, JsValue, NO_MEMORY, NOTHING, Status, read_inputs,
    read_payload,
};
use crate::pool::{Accepted, Batch, Config, Job, Pool, Ticket};
use crate::tasks::{Facts, Task, builtin};
use crate::value::{Payload, Value};

/// A pool's settings, checked and complete (`lib/` does that).
#[napi(object)]
pub struct PoolSettings {
    pub min_threads: u32,
    pub max_threads: u32,
    /// Milliseconds.
    pub idle_timeout: f64,
    /// Infinity for no limit.
    pub max_queue: f64,
    /// Bytes.
    pub stack_size: f64,
    pub name: String,
}

/// A pool's counters; times in milliseconds.
#[napi(object)]
pub struct PoolCounters {
    pub threads: u32,
    pub idle: u32,
    pub workers: u32,
    pub idle_workers: u32,
    pub queued: f64,
    pub running: u32,
    pub submitted: f64,
    pub completed: f64,
    pub failed: f64,
    pub cancelled: f64,
    pub wait_time: f64,
    pub run_time: f64,
    /// How many native threads it has had at one time, at the most.
    pub most_threads: u32,
}

/// A native task, and what JavaScript must know of it before it submits it: see `tasks::Facts`.
#[napi(object, object_from_js = false)]
pub struct NativeTask {
    pub name: &'static str,
    pub in_place: bool,
    pub parallel: bool,
    pub wakes_plain: bool,
}

/// The native tasks; a task's index is its place here.
#[napi]
pub fn native_tasks() -> Vec<NativeTask> {
    let of = |task: &Task| {
        let Facts { in_place, parallel, wakes_plain } = task.facts();
        NativeTask { name: task.name(), in_place, parallel, wakes_plain }
    };
    builtin().tasks().map(of).collect()
}

/// Every error code the native side may report.
#[napi]
pub fn error_codes() -> Vec<&'static str> {
    Code::ALL.iter().map(|code| code.as_str()).collect()
}

/// Makes a pool and returns its handle.
#[napi]
pub fn create_pool(env: Env, settings: PoolSettings) -> napi::Result<u32> {
    let config = Config {
        min_threads: settings.min_threads as usize,
        max_threads: (settings.max_threads as usize).max(1),
        idle_timeout: Duration::try_from_secs_f64(settings.idle_timeout / 1000.0).unwrap_or(Duration::MAX),
        // Saturates: infinity is usize::MAX.
        max_queue: settings.max_queue as usize,
        stack_size: settings.stack_size as usize,
        name: settings.name,
    };
    Ok(environment(&env)?.add_pool(Pool::new(config, builtin())))
}

/// Closes a pool; with `announce` its `POOL_CLOSED` event comes when its last thread has ended.
#[napi]
pub fn close_pool(env: Env, pool: u32, force: bool, announce: bool) -> napi::Result<()> {
    let environment = environment(&env)?;
    if let Some(engine) = environment.pool(pool) {
        let events = environment.events();
        let tell: Box<dyn FnOnce() + Send> = Box::new(move || events.push(Event::PoolClosed { pool }));
        engine.close(force, announce.then_some(tell));
    }
    Ok(())
}

/// Lets go of a pool that has closed; its handle may be given again.
#[napi]
pub fn drop_pool(env: Env, pool: u32) -> napi::Result<()> {
    environment(&env)?.remove_pool(pool);
    Ok(())
}

/// A pool's counters, or nothing once it has closed.
#[napi]
pub fn pool_counters(env: Env, pool: u32) -> napi::Result<Option<PoolCounters>> {
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    Ok(environment(&env)?.with_pool(pool, Pool::stats).map(|stats| PoolCounters {
        threads: stats.threads as u32,
        idle: stats.idle as u32,
        workers: stats.workers as u32,
        idle_workers: stats.idle_workers as u32,
        queued: stats.queued as f64,
        running: stats.running as u32,
        submitted: stats.submitted as f64,
        completed: stats.completed as f64,
        failed: stats.failed as f64,
        cancelled: stats.cancelled as f64,
        wait_time: millis(stats.wait),
        run_time: millis(stats.run),
        most_threads: stats.most_threads as u32,
    }))
}

/// Why a task (a script's, or a native one) would be refused now because the queue is full.
#[napi]
pub fn pool_refusal(env: Env, pool: u32, script: bool) -> napi::Result<Option<String>> {
    let why = |pool: &Pool| if script { pool.script_refusal() } else { pool.refusal() };
    Ok(environment(&env)?.with_pool(pool, why).flatten().map(|error| error.message().to_owned()))
}

/// Whether the pool's queue is at most half full; a pool that has closed has none.
#[napi]
pub fn pool_is_half_empty(env: Env, pool: u32) -> napi::Result<bool> {
    Ok(environment(&env)?.with_pool(pool, Pool::is_half_empty).unwrap_or(true))
}

/// Cancels the job `id`, because its time is up or because the caller wants no more of it. The seat of the script worker
/// that runs it, or -1.
#[napi]
pub fn cancel(env: Env, id: f64, timed_out: bool) -> napi::Result<i32> {
    let reason = if timed_out { Reason::TimedOut } else { Reason::Cancelled };
    let seat = environment(&env)?.cancel(id as u64, reason);
    Ok(seat.and_then(|number| i32::try_from(number).ok()).unwrap_or(-1))
}

/// How to schedule what is submitted.
struct Terms {
    priority: i32,
    deadline: Option<Instant>,
    cancellable: bool,
}

impl Terms {
    const PLAIN: Terms = Terms { priority: 0, deadline: None, cancellable: false };

    /// `timeout` in milliseconds, below zero for none.
    fn read(js: Js<'_>, priority: JsValue, timeout: JsValue, cancellable: JsValue) -> Result<Self, Status> {
        let timeout = js.read_number(timeout)?;
        let deadline = Duration::try_from_secs_f64(timeout / 1000.0).ok();
        Ok(Terms {
            priority: js.read_i32(priority)?,
            deadline: deadline.and_then(|timeout| Instant::now().checked_add(timeout)),
            cancellable: js.read_bool(cancellable)?,
        })
    }

    fn token(&self) -> CancelToken {
        CancelToken::new(self.deadline)
    }

    /// A job that nothing may end early needs no token.
    fn job_token(&self) -> Option<CancelToken> {
        (self.cancellable || self.deadline.is_some()).then(|| self.token())
    }

    /// Keeps the job cancellable by its id if it shall be.
    fn accepted(
        &self,
        environment: &Environment,
        id: u64,
        pool: &Pool,
        ticket: Ticket,
        token: Option<CancelToken>,
    ) {
        if let (true, Some(token)) = (self.cancellable, token) {
            environment.remember(id, pool.clone(), ticket, token);
        }
    }
}

/// What an accepted submission returns: nothing, or `true` when the queue is full now.
fn report(js: Js<'_>, accepted: Accepted) -> Result<JsValue, Status> {
    if accepted.full { js.boolean(true) } else { Ok(NOTHING) }
}

/// What a refused submission returns: `[code, message]`.
pub(super) fn refused(js: Js<'_>, error: &Error) -> Result<JsValue, Status> {
    let array = js.array(2)?;
    js.define(array, 0, js.string(error.code().as_str())?)?;
    js.define(array, 1, js.string(error.message())?)?;
    Ok(array)
}

/// What a submission returns whose input could not be read: a refusal, where there was no memory for it.
pub(super) fn unread(js: Js<'_>, status: Status) -> Result<JsValue, Status> {
    if status != NO_MEMORY {
        return Err(status);
    }
    let message = "there is no memory for the input: pass less at a time, or give it away by `transfer`";
    refused(js, &Error::new(Code::ValueTooLarge, message))
}

pub(super) fn unknown_pool(js: Js<'_>) -> Result<JsValue, Status> {
    refused(js, &Error::new(Code::PoolClosed, "the pool is closed and takes no more tasks"))
}

fn read_form(js: Js<'_>, form: JsValue) -> Result<InputForm, Status> {
    InputForm::from_number(js.read_u32(form)?).ok_or(Status::INVALID)
}

/// The seven arguments that every submission begins with.
fn submit_on(
    js: Js<'_>,
    environment: &'static Environment,
    [pool, task, id, form, input, length, parts]: [JsValue; 7],
    terms: &Terms,
) -> Result<JsValue, Status> {
    let pool = js.read_u32(pool)?;
    if !environment.has_pool(pool) {
        return unknown_pool(js);
    }
    let task = js.read_u32(task)? as usize;
    let id = js.read_number(id)? as u64;
    let input = match read_payload(js, environment, read_form(js, form)?, input, length, parts) {
        Ok(input) => input,
        Err(status) => return unread(js, status),
    };
    submit_job(js, environment, pool, task, id, input, terms)
}

fn submit_job(
    js: Js<'_>,
    environment: &'static Environment,
    pool: u32,
    task: usize,
    id: u64,
    input: Payload,
    terms: &Terms,
) -> Result<JsValue, Status> {
    let token = terms.job_token();
    let kept = if terms.cancellable { token.clone() } else { None };
    let job = Job::new(id, environment.events(), task, input, token);
    let outcome = environment.with_pool(pool, |pool| match pool.submit(job, terms.priority) {
        Ok(accepted) => {
            terms.accepted(environment, id, pool, accepted.ticket, kept);
            report(js, accepted)
        }
        Err(refusal) => {
            drop(refusal.refused.into_input());
            refused(js, &refusal.error)
        }
    });
    outcome.unwrap_or_else(|| unknown_pool(js))
}

/// `submitDirect()`: a plain submission whose input is a number or undefined. Its arguments stand on the call buffer: pool,
/// task, id, whether there is a number, the number.
pub(super) unsafe extern "C" fn submit_direct(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 0>, environment: &'static Environment| {
        let js = arguments.js;
        let [pool, task, id, is_number, number] =
            environment.arguments().ok_or(Status(sys::Status::napi_generic_failure))?;
        let input = if is_number == 0.0 { Value::Undefined } else { Value::Number(number) };
        let (pool, task, id) = (pool as u32, task as usize, id as u64);
        if !environment.has_pool(pool) {
            return unknown_pool(js);
        }
        submit_job(js, environment, pool, task, id, Payload::Value(input), &Terms::PLAIN)
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `submit(pool, task, id, form, input, length, parts)`; what it returns is told by [`report`] and [`refused`].
pub(super) unsafe extern "C" fn submit(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 7>, environment: &'static Environment| {
        submit_on(arguments.js, environment, arguments.values, &Terms::PLAIN)
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `submitWith(…the seven of submit, priority, timeout, cancellable)`.
pub(super) unsafe extern "C" fn submit_with(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 10>, environment: &'static Environment| {
        let js = arguments.js;
        let [pool, task, id, form, input, length, parts, priority, timeout, cancellable] = arguments.values;
        let terms = Terms::read(js, priority, timeout, cancellable)?;
        submit_on(js, environment, [pool, task, id, form, input, length, parts], &terms)
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `submitBatch(…the ten of submitWith, count)`: the input is an array of `count` inputs under one id.
pub(super) unsafe extern "C" fn submit_batch(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 11>, environment: &'static Environment| {
        let js = arguments.js;
        let [pool, task, id, form, input, length, parts, priority, timeout, cancellable, count] =
            arguments.values;
        let pool = js.read_u32(pool)?;
        if !environment.has_pool(pool) {
            return unknown_pool(js);
        }
        let terms = Terms::read(js, priority, timeout, cancellable)?;
        let (task, id) = (js.read_u32(task)? as usize, js.read_number(id)? as u64);
        let count = js.read_u32(count)? as usize;
        let inputs = match read_inputs(js, environment, read_form(js, form)?, input, length, parts) {
            Ok(inputs) => inputs,
            Err(status) => return unread(js, status),
        };
        let token = terms.token();
        let kept = terms.cancellable.then(|| token.clone());
        let batch = Batch::new(id, environment.events(), task, terms.priority, inputs, count, token);
        let outcome = environment.with_pool(pool, |pool| match pool.submit_batch(Arc::new(batch)) {
            Ok(accepted) => {
                terms.accepted(environment, id, pool, accepted.ticket, kept);
                report(js, accepted)
            }
            Err(refusal) => {
                refusal.refused.disown();
                refused(js, &refusal.error)
            }
        });
        outcome.unwrap_or_else(|| unknown_pool(js))
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}
