//! Script workers: how their pool's owner keeps them, and the calls by which they work.

use std::time::Duration;

use napi::Env;
use napi_derive::napi;

use super::pool::waited_by;
use crate::exported_numbers::Numbers;
use crate::node::{
    Arguments, Call, CancelBy, Environment, Event, Export, Input, JsValue, List, PATHS, Returned,
    ScriptOptions, ScriptWorker, Status, Submission, SubmitOptions, adopt_thread_of, answer, export,
};
use crate::numbers;
use crate::pool::{IdleWait, Inherited, InputPath, Pool, Target};
use crate::value::{Payload, Value};

/// The raw exports by name.
pub(super) const EXPORTS: &[Export] = &[
    (c"submitScript", export(submit)),
    (c"submitScriptKeyed", export(submit_keyed)),
    (c"adoptThread", export(adopt_thread)),
    (c"joinPool", export(join)),
    (c"scriptStep", export(step)),
    (c"scriptFinish", export(finish)),
    (c"scriptReport", export(report)),
    (c"scriptStop", export(stop)),
    (c"grantParts", export(grant_parts)),
    (c"scriptClaim", export(claim)),
];

fn numbers(ids: Vec<u64>) -> List<f64> {
    #[allow(clippy::cast_precision_loss)] // below 2^53
    List(ids.into_iter().map(|id| id as f64).collect())
}

/// The registration of a worker that is about to be started.
#[napi(object)]
pub struct WorkerRegistration {
    pub number: u32,
    /// By which the worker accepts it.
    pub key: f64,
}

/// From now on `keep` script workers are kept even when idle, and there may be `most`, of which each runs `concurrency` tasks at
/// a time.
#[napi(catch_unwind)]
pub fn resize_scripts(env: Env, pool: u32, keep: u32, most: u32, concurrency: u32) -> napi::Result<()> {
    let resize = |pool: &Pool| pool.resize_scripts(keep as usize, most as usize, concurrency as usize);
    Environment::of(&env)?.pools().with(pool, resize);
    Ok(())
}

/// The number by which a script's function of this name is called.
#[napi(catch_unwind)]
pub fn script_function(env: Env, pool: u32, name: String) -> napi::Result<u32> {
    let number = Environment::of(&env)?.pools().with(pool, |pool| pool.script_function(&name));
    Ok(number.unwrap_or(0) as u32)
}

/// In a worker: the name of the function with this number.
#[napi(catch_unwind)]
pub fn script_function_name(env: Env, number: u32) -> napi::Result<Option<String>> {
    let name = |worker: &ScriptWorker| worker.function_name(number as usize);
    Ok(Environment::of(&env)?.with_script_worker(name).flatten())
}

/// Keeps the source of a function that is in no script, for the workers of a pool.
#[napi(catch_unwind)]
pub fn keep_source(env: Env, pool: u32, number: f64, source: String) -> napi::Result<()> {
    Environment::of(&env)?.pools().with(pool, |pool| pool.keep_source(number as u64, source));
    Ok(())
}

/// No task needs that source any more.
#[napi(catch_unwind)]
pub fn drop_source(env: Env, pool: u32, number: f64) -> napi::Result<()> {
    Environment::of(&env)?.pools().with(pool, |pool| pool.drop_source(number as u64));
    Ok(())
}

/// In a worker: the source that its pool's owner keeps under this number.
#[napi(catch_unwind)]
pub fn script_source(env: Env, number: f64) -> napi::Result<Option<String>> {
    let source = |worker: &ScriptWorker| worker.source(number as u64);
    Ok(Environment::of(&env)?.with_script_worker(source).flatten())
}

/// Registers a worker; nothing when the pool needs none any more.
#[napi(catch_unwind)]
pub fn register_worker(env: Env, pool: u32) -> napi::Result<Option<WorkerRegistration>> {
    #[allow(clippy::cast_precision_loss)] // a count
    let shown = |(number, key)| WorkerRegistration { number: number as u32, key: key as f64 };
    Ok(Environment::of(&env)?.pools().register_worker(pool).map(shown))
}

/// The jobs of a worker that has ended.
#[napi(object, object_from_js = false)]
pub struct Evicted {
    /// The ids of those that it ran, for the caller to answer.
    pub ran: List<f64>,
    /// The ids of those that it would have run: to be bound to another, or disowned and answered.
    pub orphans: List<f64>,
}

/// Evicts a worker that has ended.
#[napi(catch_unwind)]
pub fn evict_worker(env: Env, pool: u32, number: u32, key: f64) -> napi::Result<Evicted> {
    let evicted = Environment::of(&env)?.pools().evict_worker(pool, number as usize, key as u64);
    Ok(Evicted { ran: numbers(evicted.ran), orphans: numbers(evicted.orphans) })
}

/// Binds an orphan to a worker, where its input is the message of that number. False when that
/// worker takes no more.
#[napi(catch_unwind)]
pub fn rebind(env: Env, pool: u32, id: f64, worker: u32, message: f64) -> napi::Result<bool> {
    Ok(Environment::of(&env)?.pools().rebind(pool, id as u64, worker as usize, message))
}

/// Takes jobs that another worker has not begun, for the caller to bind to this one, which is idle: their ids.
#[napi(catch_unwind)]
pub fn unbind_for(env: Env, pool: u32, worker: u32) -> napi::Result<List<f64>> {
    Ok(numbers(Environment::of(&env)?.pools().unbind_for(pool, worker as usize)))
}

/// Takes back a job whose input could not be sent to the worker that it is bound to.
#[napi(catch_unwind)]
pub fn retract_script(env: Env, pool: u32, worker: u32, id: f64) -> napi::Result<()> {
    Environment::of(&env)?.pools().retract(pool, worker as usize, id as u64);
    Ok(())
}

/// Gives up a job whose worker has ended, for the caller to answer.
#[napi(catch_unwind)]
pub fn disown_orphan(env: Env, pool: u32, id: f64) -> napi::Result<()> {
    Environment::of(&env)?.pools().disown_orphan(pool, id as u64);
    Ok(())
}

/// The owner takes a running job's input, to send the memory itself. False when the worker has made do with a copy.
#[napi(catch_unwind)]
pub fn claim_input(env: Env, pool: u32, id: f64) -> napi::Result<bool> {
    let claimed = Environment::of(&env)?.pools().with(pool, |pool| pool.claim_input(id as u64));
    Ok(claimed.flatten().is_some())
}

/// A worker: how many jobs it has or will get, and how many jobs wait for any worker.
#[napi(object)]
pub struct WorkerLoad {
    pub number: u32,
    pub load: u32,
    pub queued: u32,
}

/// The worker to bind a job to; nothing when none lives or is starting.
#[napi(catch_unwind)]
pub fn least_loaded_worker(env: Env, pool: u32) -> napi::Result<Option<WorkerLoad>> {
    let worker = Environment::of(&env)?.pools().with(pool, |pool| pool.least_loaded_worker()).flatten();
    Ok(worker.map(|(number, load, queued)| WorkerLoad {
        number: number as u32,
        load: load as u32,
        queued: queued as u32,
    }))
}

/// Comes back to this environment as an event once all that was pushed before it has been delivered.
#[napi(catch_unwind)]
pub fn push_fence(env: Env, id: f64) -> napi::Result<()> {
    Environment::of(&env)?.core().events().push(Event::Fence { id: id as u64 });
    Ok(())
}

/// In a worker: the job `id` waits for jobs that it has submitted to its pool, or goes on.
#[napi(catch_unwind)]
pub fn script_waits(env: Env, id: f64, waits: bool) -> napi::Result<()> {
    Environment::of(&env)?.with_script_worker(|worker| worker.waits(id as u64, waits));
    Ok(())
}

/// In a worker: the job `id`, which answers a message, waits for jobs that it has submitted to its pool, or goes on.
#[napi(catch_unwind)]
pub fn script_holds(env: Env, id: f64, holds: bool) -> napi::Result<()> {
    Environment::of(&env)?.with_script_worker(|worker| worker.holds(id as u64, holds));
    Ok(())
}

/// In a worker: its thread is blocked, in the job `id` or in none (0), until a job has ended that it is about to submit; or goes on.
#[napi(catch_unwind)]
pub fn script_blocks(env: Env, id: f64, blocks: bool) -> napi::Result<()> {
    Environment::of(&env)?.with_script_worker(|worker| worker.blocks(id as u64, blocks));
    Ok(())
}

/// The ids of the jobs that wait for a script worker and would for ever, if none can be started any more.
#[napi(catch_unwind)]
pub fn stuck_scripts(env: Env, pool: u32) -> napi::Result<List<f64>> {
    let stuck = Environment::of(&env)?.pools().with(pool, |pool| pool.stuck_scripts());
    Ok(numbers(stuck.unwrap_or_default()))
}

/// In a worker: notifies the owner that the worker is ready, after it has posted the details to the fallback port.
#[napi(catch_unwind)]
pub fn report_ready(env: Env) -> napi::Result<()> {
    Environment::of(&env)?.with_script_worker(ScriptWorker::report_ready);
    Ok(())
}

/// The ids of the jobs that a worker runs.
#[napi(catch_unwind)]
pub fn jobs_of_worker(env: Env, pool: u32, number: u32) -> napi::Result<List<f64>> {
    let ids = Environment::of(&env)?.pools().with(pool, |pool| pool.jobs_of_worker(number as usize));
    Ok(numbers(ids.unwrap_or_default()))
}

/// The ids of the jobs of a worker that wait for jobs which they have submitted.
#[napi(catch_unwind)]
pub fn waiting_jobs_of_worker(env: Env, pool: u32, number: u32) -> napi::Result<List<f64>> {
    let waiting = |pool: &Pool| pool.waiting_jobs_of_worker(number as usize);
    Ok(numbers(Environment::of(&env)?.pools().with(pool, waiting).unwrap_or_default()))
}

/// A worker gets no further job. It keeps the jobs that it holds.
#[napi(catch_unwind)]
pub fn unregister_worker(env: Env, pool: u32, number: u32) -> napi::Result<()> {
    Environment::of(&env)?.pools().with(pool, |pool| pool.unregister_worker(number as usize));
    Ok(())
}

/// Takes back the registration of a worker that has not joined; false when it has: then it is to be asked to end.
#[napi(catch_unwind)]
pub fn revoke_worker(env: Env, pool: u32, number: u32) -> napi::Result<bool> {
    let revoked = Environment::of(&env)?.pools().with(pool, |pool| pool.revoke_worker(number as usize));
    Ok(revoked.unwrap_or(false))
}

/// Notifies a worker of a job that is bound to it and waits in the queue with its input.
#[napi(catch_unwind)]
pub fn notify_worker(env: Env, pool: u32, number: u32) -> napi::Result<()> {
    Environment::of(&env)?.pools().with(pool, |pool| pool.notify_worker(number as usize));
    Ok(())
}

/// Of each registered worker: its number, how many jobs it runs, and how many it has done.
#[napi(catch_unwind)]
pub fn worker_counts(env: Env, pool: u32) -> napi::Result<List<f64>> {
    let counts = Environment::of(&env)?.pools().with(pool, |pool| pool.worker_counts());
    Ok(numbers(counts.unwrap_or_default()))
}

/// How many workers take tasks, or are starting.
#[napi(catch_unwind)]
pub fn scripts_living(env: Env, pool: u32) -> napi::Result<u32> {
    let living = Environment::of(&env)?.pools().with(pool, |pool| pool.scripts_living());
    Ok(living.unwrap_or(0) as u32)
}

/// How many jobs wait for a script worker.
#[napi(catch_unwind)]
pub fn scripts_waiting(env: Env, pool: u32) -> napi::Result<u32> {
    let waiting = Environment::of(&env)?.pools().with(pool, |pool| pool.scripts_waiting());
    Ok(waiting.unwrap_or(0) as u32)
}

/// For how many jobs there could be a worker now; `set_up`: the worker of this number has told just now that it is, and jobs that
/// idle workers are about to take are left out.
#[napi(catch_unwind)]
pub fn scripts_wanting(env: Env, pool: u32, set_up: Option<u32>) -> napi::Result<u32> {
    let set_up = set_up.map(|number| number as usize);
    let wanting = Environment::of(&env)?.pools().with(pool, |pool| pool.scripts_wanting(set_up));
    Ok(wanting.unwrap_or(0) as u32)
}

/// Takes all that waits for a script worker out of the queue: its ids, for the caller to answer.
#[napi(catch_unwind)]
pub fn drain_scripts(env: Env, pool: u32) -> napi::Result<List<f64>> {
    Ok(numbers(Environment::of(&env)?.pools().drain_scripts(pool)))
}

/// In a worker: ends its membership; with `only_idle` just if it waits and more workers live than are kept.
#[napi(catch_unwind)]
pub fn leave_pool(env: Env, only_idle: bool) -> napi::Result<bool> {
    let leave = |worker: &ScriptWorker| worker.leave(only_idle);
    Ok(Environment::of(&env)?.with_script_worker(leave).unwrap_or(true))
}

/// `adoptThread(key)`, in a worker before it loads the script: its thread gets the name and the priority of the pool's.
fn adopt_thread<'call>(call: Call<'call>, [key]: Arguments<'call, 1>) -> Returned<'call> {
    adopt_thread_of(call.js.read_u64(key)?);
    Ok(JsValue::NOTHING)
}

/// In a worker: whether its pool closes.
#[napi(catch_unwind)]
pub fn pool_closes(env: Env) -> napi::Result<bool> {
    Ok(Environment::of(&env)?.with_script_worker(ScriptWorker::pool_closes).unwrap_or(true))
}

/// `joinPool(key, inbox)`, in a worker: accepts its registration. False when that is gone.
fn join<'call>(call: Call<'call>, [key, inbox]: Arguments<'call, 2>) -> Returned<'call> {
    let (key, waker) = (call.js.read_u64(key)?, call.core().events());
    let worker = ScriptWorker::accept_registration(call.js, key, waker, inbox)?;
    let joined = worker.is_some();
    if let Some(worker) = worker {
        call.environment.set_script_worker(worker);
    }
    call.js.boolean(joined)
}

/// In the place of a worker: any worker may take the job, or it waits for one to be bound to.
const ANY_WORKER: f64 = -1.0;
const NO_WORKER: f64 = -2.0;

/// In the place of a form: the value goes by the native fallback.
const VIA_FALLBACK: f64 = -1.0;

/// Added to whether the input should be asked for: a running task of the pool waits for this one; and blocks its worker's thread.
const NESTED: u32 = 2;
/// Also added: its owner could bind it to another worker.
const MOVABLE: u32 = 4;
/// Also added, with `NESTED`: the thread of the waiting task's worker is blocked.
const BLOCKS: u32 = 8;

/// What `submitScript` returns for an accepted job, as bits.
const NEEDS_WORKER: u8 = 1;
const FULL: u8 = 2;

/// What a worker tells of a job under way.
const REPORT: u32 = 0;
const PART: u32 = 1;
const LATEST: u32 = 2;

/// How a worker waits for its next job.
mod idle {
    pub(super) const NEVER: u32 = 0;
    pub(super) const LINGER: u32 = 1;
    pub(super) const BLOCK: u32 = 2;
}

/// For JavaScript.
pub(super) const NUMBERS: Numbers = numbers! {
    ANY_WORKER, NO_WORKER, VIA_FALLBACK, NEEDS_WORKER, FULL, NESTED, MOVABLE, BLOCKS,
    IDLE_NEVER = idle::NEVER, IDLE_LINGER = idle::LINGER, IDLE_BLOCK = idle::BLOCK,
    PATHS, REPORT, PART, LATEST,
    BY_QUEUE = InputPath::Queue, BY_MESSAGE = InputPath::Message, ON_DEMAND = InputPath::OnDemand,
};

/// `submitScript(input, parts)`: pool, function, id, form, length, priority, limit, how it is cancelled (`CancelBy`), the worker
/// to bind it to (or `ANY_WORKER`, `NO_WORKER`), whether it wants its worker alone (with twice the form of its function's
/// call added), whether the input is memory that the worker should ask for (with `NESTED`, `MOVABLE` and `BLOCKS` added), whether the limit is a deadline, the limit of the run
/// (the limits as in [`SubmitOptions::new`]), what its tasks inherit ([`Inherited`]) and who waits for it ([`waited_by`]) stand on the call buffer. Form
/// `VIA_FALLBACK`: the input is a message by the native fallback, and `length` its number. Returns nothing, or `NEEDS_WORKER` and `FULL` as bits; `[code, message]`
/// when refused.
fn submit<'call>(call: Call<'call>, values: Arguments<'call, 2>) -> Returned<'call> {
    submit_with(call, values, None)
}

/// `submitScriptKeyed(input, parts, key)`: the same, for a task that has a key.
fn submit_keyed<'call>(call: Call<'call>, [input, parts, key]: Arguments<'call, 3>) -> Returned<'call> {
    submit_with(call, [input, parts], Some(call.js.to_text(key)?))
}

fn submit_with<'call>(
    call: Call<'call>,
    values: Arguments<'call, 2>,
    key: Option<String>,
) -> Returned<'call> {
    let [
        pool,
        function,
        id,
        form,
        length,
        priority,
        limit,
        cancel,
        worker,
        alone,
        asked,
        is_deadline,
        run,
        deadline,
        own_priority,
        waiter,
    ] = call.core().arguments()?;
    let cancel = CancelBy::of(cancel as u32);
    let options = SubmitOptions::new(priority as i32, limit, is_deadline != 0.0, run, cancel);
    let submission = Submission { pool: pool as u32, task: function as usize, id: id as u64, options };
    let by_message = form == VIA_FALLBACK;
    let (on_demand, nested) = (asked as u32 & 1 != 0, asked as u32 & NESTED != 0);
    let waited_by = nested.then(|| waited_by(waiter, asked as u32 & BLOCKS != 0));
    let movable = asked as u32 & MOVABLE != 0;
    let path = match (by_message, on_demand) {
        (true, _) => InputPath::Message,
        (false, true) => InputPath::OnDemand,
        (false, false) => InputPath::Queue,
    };
    let inherited = Inherited { deadline, priority: own_priority as i32 };
    let target = match worker {
        ANY_WORKER => Target::AnyWorker,
        NO_WORKER => Target::NoWorker,
        number => Target::Worker(number as usize),
    };
    let (call_form, exclusive) = (alone as u64 >> 1, alone as u64 & 1 != 0);
    let script = ScriptOptions { path, exclusive, target, call_form, waited_by, movable, inherited, key };
    let read = || match by_message {
        true => Ok(Payload::Value(Value::Number(length))),
        false => call.inputs().read(Input::of_call_buffer(form as u32, length, values)?),
    };
    let submitted = call.environment.pools().submit_script(submission, script, read);
    answer(call.js, submitted, |accepted| {
        let needs_worker = if accepted.needs_worker { NEEDS_WORKER } else { 0 };
        let full = if accepted.full { FULL } else { 0 };
        match needs_worker | full {
            0 => Ok(JsValue::NOTHING),
            flags => call.js.number(f64::from(flags)),
        }
    })
}

/// `scriptStep(output, parts)`, in a worker: the job that is finished (0 for none), its form and length, how to wait
/// and for how many milliseconds stand on the call buffer; the next job is shown there: see [`ScriptWorker::step`].
fn step<'call>(call: Call<'call>, output: Arguments<'call, 2>) -> Returned<'call> {
    let [id, form, length, wait, time] = call.core().arguments()?;
    let time = Duration::try_from_secs_f64(time / 1000.0).unwrap_or(Duration::ZERO);
    let idle = match wait as u32 {
        idle::LINGER => IdleWait::Linger(time),
        idle::BLOCK => IdleWait::Block(time),
        _ => IdleWait::Never,
    };
    let step = call.environment.with_script_worker(|worker| {
        let finished = if id == 0.0 {
            None
        } else {
            Some((id as u64, worker.read_outcome(call.inputs(), form as u32, length, output)?))
        };
        worker.step(call.js, call.core(), finished, idle)
    });
    step.unwrap_or(Err(Status::INVALID))
}

/// `scriptClaim(id)`, in a worker: the input of a task that was asked for and has not come; see
/// [`ScriptWorker::claim_input`].
fn claim<'call>(call: Call<'call>, [id]: Arguments<'call, 1>) -> Returned<'call> {
    let id = call.js.read_u64(id)?;
    let claimed = call.environment.with_script_worker(|worker| worker.claim_input(call.js, call.core(), id));
    claimed.unwrap_or(Err(Status::INVALID))
}

/// `scriptFinish(output, parts)`, in a worker: as `scriptStep`, without taking another job.
fn finish<'call>(call: Call<'call>, output: Arguments<'call, 2>) -> Returned<'call> {
    let [id, form, length] = call.core().arguments()?;
    let finished = call.environment.with_script_worker(|worker| {
        let outcome = worker.read_outcome(call.inputs(), form as u32, length, output)?;
        worker.finish(call.core(), id as u64, outcome);
        Ok(JsValue::NOTHING)
    });
    finished.unwrap_or(Err(Status::INVALID))
}

/// `scriptReport(value, parts)`, in a worker: sends a progress report to the owner of a job; or, by the last number, one that
/// replaces the report before it, or a part of its result. Form `VIA_FALLBACK`: it went through the native fallback.
fn report<'call>(call: Call<'call>, value: Arguments<'call, 2>) -> Returned<'call> {
    let [id, form, length, kind] = call.core().arguments()?;
    let (id, kind) = (id as u64, kind as u32);
    if form == VIA_FALLBACK {
        call.environment.with_script_worker(|worker| match kind {
            PART => worker.give_part_via_fallback(id),
            _ => worker.report_via_fallback(id),
        });
    } else {
        let payload = call.inputs().read(Input::of_call_buffer(form as u32, length, value)?)?;
        call.environment.with_script_worker(|worker| match kind {
            PART => worker.give_part(id, payload),
            LATEST => worker.report_latest(id, payload),
            _ => worker.report(id, payload),
        });
    }
    Ok(JsValue::NOTHING)
}

/// `grantParts()`: lets a job give more parts of its result; its pool, its id and how many stand on the call buffer.
fn grant_parts<'call>(call: Call<'call>, []: Arguments<'call, 0>) -> Returned<'call> {
    let [pool, id, count] = call.core().arguments()?;
    call.environment.pools().with(pool as u32, |pool| pool.grant_parts(id as u64, count as u32));
    Ok(JsValue::NOTHING)
}

/// `scriptStop(id)`, in a worker: why the job should stop, or 0.
fn stop<'call>(call: Call<'call>, [id]: Arguments<'call, 1>) -> Returned<'call> {
    let id = call.js.read_u64(id)?;
    let reason = call.environment.with_script_worker(|worker| worker.stop_reason(id));
    call.js.number(f64::from(reason.unwrap_or(0)))
}
