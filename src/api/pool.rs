//! Pools: making, feeding, watching and closing them.

use std::thread::available_parallelism;
use std::time::Duration;

use napi::Env;
use napi_derive::napi;

use crate::cancel::Reason;
use crate::error::Code;
use crate::exported_numbers::Numbers;
use crate::node::{
    Arguments, Call, CancelBy, Environment, Export, Found, Input, Js, JsValue, List, Result, Returned,
    Submission, SubmitOptions, Type, answer, export,
};
use crate::numbers;
use crate::os_thread::nicer_by;
use crate::pool::{
    Accepted, Config, Pool, Summary, Taker, TaskLimit, Times, TimesOfTask, WaitedBy, Waiter, WantedReports,
    log_threads,
};
use crate::tasks::{Task, TaskFacts, builtin};

/// The raw exports by name.
pub(super) const EXPORTS: &[Export] = &[
    (c"openIntake", export(open_intake)),
    (c"lookAtIntake", export(look_at_intake)),
    (c"deposit", export(deposit)),
    (c"logThreads", export(log_native_threads)),
    (c"submit", export(submit)),
    (c"submitWith", export(submit_with)),
    (c"submitBatch", export(submit_batch)),
    (c"submitKeyed", export(submit_keyed)),
];

/// `logThreads()`: from now on the native threads of all pools tell of their starts and ends on stderr.
fn log_native_threads<'call>(_: Call<'call>, []: Arguments<'call, 0>) -> Returned<'call> {
    log_threads();
    Ok(JsValue::NOTHING)
}

/// How many tasks may run at a time.
#[napi(object)]
pub struct PoolLimits {
    /// Of one key.
    pub key: u32,
}

/// A limit of the tasks of one name.
#[napi(object)]
pub struct NamedLimit {
    /// The index of the native task that has it.
    pub native: Option<u32>,
    /// The name of the script's function that has it.
    pub function: Option<String>,
    pub most: u32,
}

/// A pool's settings, checked and complete (`lib/` does that).
#[napi(object)]
pub struct PoolSettings {
    pub min_threads: u32,
    pub max_threads: u32,
    /// Who has said how many, by a number that JavaScript knows.
    pub max_threads_from: u32,
    /// Milliseconds; Infinity for strict priorities.
    pub aging: f64,
    /// 'fifo' or 'lifo'.
    pub queue_order: String,
    pub limits: PoolLimits,
    /// Milliseconds.
    pub idle_timeout: f64,
    /// Infinity for no limit.
    pub max_queue: f64,
    /// Bytes.
    pub stack_size: f64,
    pub name: String,
    /// A seed, an integer; below 0 for none.
    pub deterministic: f64,
    /// By how much its threads are nicer than the calling one.
    pub nice_increment: i32,
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
    /// The part of it of native threads.
    pub native_run_time: f64,
    /// The time that its threads could have run, as many as there might be.
    pub capacity_time: f64,
    /// The part of it of native threads.
    pub native_capacity_time: f64,
    pub min_threads: u32,
    pub max_threads: u32,
    /// As in [`PoolSettings`].
    pub max_threads_from: u32,
}

/// A native task, and what JavaScript must know of it before it submits it: see [`TaskFacts`].
#[napi(object, object_from_js = false)]
pub struct NativeTask {
    /// By which it is submitted.
    pub number: u32,
    pub name: &'static str,
    pub in_place: bool,
    pub parallel: bool,
    pub wakes_plain: bool,
}

impl NativeTask {
    pub(super) fn of(number: usize, task: &Task) -> Self {
        let &TaskFacts { name, in_place, parallel, wakes_plain, .. } = task.facts();
        NativeTask { number: number as u32, name, in_place, parallel, wakes_plain }
    }
}

/// The native tasks of every pool.
#[napi(catch_unwind)]
pub fn native_tasks() -> Vec<NativeTask> {
    let registry = builtin();
    registry
        .tasks()
        .take(registry.named())
        .enumerate()
        .map(|(number, task)| NativeTask::of(number, task))
        .collect()
}

/// Every error code the native side may report.
#[napi(catch_unwind)]
pub fn error_codes() -> Vec<&'static str> {
    Code::ALL.iter().map(|code| code.as_str()).collect()
}

/// How many threads the machine has for this process: its cores, the process's affinity, and its container's quota.
#[napi(catch_unwind)]
pub fn default_threads() -> u32 {
    let threads = available_parallelism().map_or(1, usize::from);
    u32::try_from(threads).unwrap_or(u32::MAX)
}

fn task_limit(NamedLimit { native, function, most }: NamedLimit) -> TaskLimit {
    TaskLimit { native: native.map(|index| index as usize), function, most: most as usize }
}

/// The settings as the engine takes them.
fn config(settings: PoolSettings, named: Vec<NamedLimit>, shared: bool) -> Config {
    Config {
        shared,
        min_threads: settings.min_threads as usize,
        max_threads: (settings.max_threads as usize).max(1),
        max_threads_from: settings.max_threads_from,
        idle_timeout: Duration::try_from_secs_f64(settings.idle_timeout / 1000.0).unwrap_or(Duration::MAX),
        // Infinity is no duration.
        aging: Duration::try_from_secs_f64(settings.aging / 1000.0).ok(),
        newest_first: settings.queue_order == "lifo",
        key_limit: settings.limits.key as usize,
        task_limits: named.into_iter().map(task_limit).collect(),
        deterministic: (settings.deterministic >= 0.0).then_some(settings.deterministic as u64),
        // Saturates: infinity is usize::MAX.
        max_queue: settings.max_queue as usize,
        stack_size: settings.stack_size as usize,
        name: settings.name,
        priority: nicer_by(settings.nice_increment),
    }
}

/// Makes a pool and returns its handle.
#[napi(catch_unwind)]
pub fn create_pool(env: Env, settings: PoolSettings, named: Vec<NamedLimit>) -> napi::Result<u32> {
    Ok(Environment::of(&env)?.pools().add(Pool::new(config(settings, named, false), builtin())))
}

/// A pool that was opened by its name.
#[napi(object, object_from_js = false)]
pub struct OpenedPool {
    pub handle: u32,
    /// What its first opening has said of it.
    pub description: String,
}

/// Opens the pool of this name, which is made with these settings if nobody has it open.
#[napi(catch_unwind)]
pub fn open_pool(
    env: Env,
    name: String,
    settings: PoolSettings,
    named: Vec<NamedLimit>,
    description: String,
) -> napi::Result<OpenedPool> {
    let make = || Pool::new(config(settings, named, true), builtin());
    let (handle, description) = Environment::of(&env)?.pools().open_named(name, &description, make);
    Ok(OpenedPool { handle, description })
}

/// An event comes once the queue of an opened pool has room.
#[napi(catch_unwind)]
pub fn tell_of_room(env: Env, pool: u32) -> napi::Result<()> {
    Environment::of(&env)?.pools().tell_of_room(pool);
    Ok(())
}

/// From now on a pool keeps `min` native threads, and may have `max`; `from` as in [`PoolSettings`].
#[napi(catch_unwind)]
pub fn resize_pool(env: Env, pool: u32, min: u32, max: u32, from: u32) -> napi::Result<()> {
    Environment::of(&env)?.pools().with(pool, |pool| pool.resize(min as usize, max as usize, from));
    Ok(())
}

/// Lets one task of a deterministic pool begin, if none is under way. Whether a script worker must be started for it.
#[napi(catch_unwind)]
pub fn step_pool(env: Env, pool: u32) -> napi::Result<bool> {
    Ok(Environment::of(&env)?.pools().with(pool, Pool::step).unwrap_or(false))
}

/// Closes a pool; with `announce` its `POOL_CLOSED` event comes when its last thread has ended.
#[napi(catch_unwind)]
pub fn close_pool(env: Env, pool: u32, force: bool, announce: bool) -> napi::Result<()> {
    Environment::of(&env)?.pools().close(pool, force, announce);
    Ok(())
}

/// Answers all that waits, since the pool closes or since its tasks are cancelled; how many entries that were.
#[napi(catch_unwind)]
pub fn cancel_waiting(env: Env, pool: u32, closes: bool) -> napi::Result<u32> {
    let reason = if closes { Reason::PoolClosed } else { Reason::Cancelled };
    Ok(Environment::of(&env)?.pools().cancel_waiting(pool, reason) as u32)
}

/// Lets go of a pool that has closed; its handle may be used again.
#[napi(catch_unwind)]
pub fn drop_pool(env: Env, pool: u32) -> napi::Result<()> {
    Environment::of(&env)?.pools().remove(pool);
    Ok(())
}

/// A pool's counters, or nothing once it has closed.
#[napi(catch_unwind)]
pub fn pool_counters(env: Env, pool: u32) -> napi::Result<Option<PoolCounters>> {
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    Ok(Environment::of(&env)?.pools().with(pool, Pool::stats).map(|stats| PoolCounters {
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
        native_run_time: millis(stats.native_run),
        capacity_time: millis(stats.capacity),
        native_capacity_time: millis(stats.native_capacity),
        min_threads: stats.min_threads as u32,
        max_threads: stats.max_threads as u32,
        max_threads_from: stats.max_threads_from,
    }))
}

/// The times of one task, in milliseconds: of each histogram the count, the shortest, the longest, the mean, and the quantiles of
/// `QUANTILES`.
#[napi(object, object_from_js = false)]
pub struct TaskTimesShown {
    /// Nothing: it is all those that have no record of their own.
    pub name: Option<String>,
    pub script: bool,
    pub wait: List<f64>,
    pub run: List<f64>,
    pub round_trip: List<f64>,
    pub cpu_time: f64,
}

/// The times of a pool's tasks: first those of all together, whose name is nothing; nothing once it has closed. With `reset`
/// they begin anew.
#[napi(catch_unwind)]
pub fn pool_times(env: Env, pool: u32, reset: bool) -> napi::Result<Option<Vec<TaskTimesShown>>> {
    #[allow(clippy::cast_precision_loss)] // shown with two digits
    let millis = |nanos: u64| nanos as f64 / 1e6;
    let shown = |times: &Times| {
        let Summary { count, min, max, mean, quantiles } = times.summary();
        #[allow(clippy::cast_precision_loss)] // a count
        let first = [count as f64, millis(min), millis(max), mean / 1e6];
        List(first.into_iter().chain(quantiles.map(millis)).collect())
    };
    let Some(times) = Environment::of(&env)?.pools().times(pool, reset) else { return Ok(None) };
    let of = |task: &TimesOfTask| TaskTimesShown {
        name: task.name.clone(),
        script: task.taker == Taker::Script,
        wait: shown(&task.wait),
        run: shown(&task.run),
        round_trip: shown(&task.round_trip),
        cpu_time: millis(task.cpu),
    };
    Ok(Some(std::iter::once(&times.total()).chain(&times.tasks).map(of).collect()))
}

/// Why a task (a script's, or a native one) would be refused now because the queue is full.
#[napi(catch_unwind)]
pub fn pool_refusal(env: Env, pool: u32, script: bool) -> napi::Result<Option<String>> {
    let taker = if script { Taker::Script } else { Taker::Native };
    let why = Environment::of(&env)?.pools().with(pool, |pool| pool.refusal(taker));
    Ok(why.flatten().map(|error| error.message().to_owned()))
}

/// Whether the pool's queue is at most half full; a pool that has closed has none.
#[napi(catch_unwind)]
pub fn pool_is_half_empty(env: Env, pool: u32) -> napi::Result<bool> {
    Ok(Environment::of(&env)?.pools().with(pool, Pool::is_half_empty).unwrap_or(true))
}

/// What `cancel` returns for a job that no script worker runs.
const WAITED: i32 = -1;
const ELSEWHERE: i32 = -2;

/// For JavaScript.
pub(super) const NUMBERS: Numbers = numbers! { WAITED };

/// Cancels the job `id`, because its time is up or because the caller wants no more of it (`reason` is the number of a
/// [`Reason`]). The number of the script worker that runs it; `WAITED` when it had not started; else `ELSEWHERE`.
#[napi(catch_unwind)]
pub fn cancel(env: Env, id: f64, reason: u32) -> napi::Result<i32> {
    let reason = Reason::of(reason).unwrap_or(Reason::Cancelled);
    Ok(match Environment::of(&env)?.core().jobs().cancel(id as u64, reason) {
        Found::Waiting => WAITED,
        Found::AtWorker(number) => i32::try_from(number).unwrap_or(ELSEWHERE),
        Found::Elsewhere => ELSEWHERE,
    })
}

/// Cancels all these jobs, because the caller wants no more of them. Of those that script workers run: the id, and the worker's
/// number, one after the other.
#[napi(catch_unwind)]
pub fn cancel_all(env: Env, ids: &[f64]) -> napi::Result<Vec<f64>> {
    let mut running = Vec::new();
    #[allow(clippy::cast_precision_loss)] // below 2^53
    Environment::of(&env)?
        .core()
        .jobs()
        .cancel_all(ids, |id, worker| running.extend([id as f64, worker as f64]));
    Ok(running)
}

/// Opens a group of jobs that are stopped together; its handle.
#[napi(catch_unwind)]
pub fn open_group(env: Env) -> napi::Result<u32> {
    Ok(Environment::of(&env)?.core().jobs().open_group())
}

/// From now on no job of the group begins, and those that run should stop.
#[napi(catch_unwind)]
pub fn stop_group(env: Env, group: u32) -> napi::Result<()> {
    Environment::of(&env)?.core().jobs().stop_group(group);
    Ok(())
}

/// Lets go of a group; its handle may be used again.
#[napi(catch_unwind)]
pub fn close_group(env: Env, group: u32) -> napi::Result<()> {
    Environment::of(&env)?.core().jobs().close_group(group);
    Ok(())
}

/// The return value of an accepted submission: nothing, or `true` when the queue is full now.
fn accepted(js: Js<'_>, accepted: Accepted) -> Returned<'_> {
    if accepted.full { js.boolean(true) } else { Ok(JsValue::NOTHING) }
}

/// The first three arguments of a submission, and how to schedule it.
fn submission<'call>(
    js: Js<'call>,
    [pool, task, id]: [JsValue<'call>; 3],
    options: SubmitOptions,
) -> Result<Submission> {
    let (pool, task, id) = (js.read_u32(pool)?, js.read_u32(task)? as usize, js.read_u64(id)?);
    Ok(Submission { pool, task, id, options })
}

/// Added to whether the limit is a deadline: the caller listens to all reports of the task, or to the latest.
const REPORTS: u32 = 2;
const LATEST_REPORT: u32 = 4;

/// For JavaScript.
pub(super) const SUBMISSION: Numbers = numbers! { REPORTS, LATEST_REPORT };

/// How to schedule a submission, from its arguments: see [`SubmitOptions::new`]; `cancel` as in [`CancelBy`].
fn options<'call>(js: Js<'call>, options: [JsValue<'call>; 5]) -> Result<SubmitOptions> {
    let [priority, limit, is_deadline, run, cancel] = options;
    let (limit, flags, run) = (js.read_number(limit)?, js.read_u32(is_deadline)?, js.read_number(run)?);
    let cancel = CancelBy::of(js.read_u32(cancel)?);
    let reports = match flags & (REPORTS | LATEST_REPORT) {
        0 => WantedReports::Nothing,
        REPORTS => WantedReports::All,
        _ => WantedReports::Latest,
    };
    let options = SubmitOptions::new(js.read_i32(priority)?, limit, flags & 1 != 0, run, cancel);
    Ok(options.reporting(reports))
}

/// Submits one task with the input of four arguments.
fn submit_one<'call>(
    call: Call<'call>,
    submission: Submission,
    key: Option<String>,
    waited_by: Option<WaitedBy>,
    input: [JsValue<'call>; 4],
) -> Returned<'call> {
    let read = || call.inputs().read(Input::of_arguments(call.js, input)?);
    let submitted = call.environment.pools().submit(submission, key, waited_by, read);
    answer(call.js, submitted, |done| accepted(call.js, done))
}

/// `openIntake(pool)`: the memory of its intake (`src/pool/intake.rs`), or nothing where there is none.
fn open_intake<'call>(call: Call<'call>, [pool]: Arguments<'call, 1>) -> Returned<'call> {
    let memory = call.environment.pools().open_intake(call.js, call.js.read_u32(pool)?)?;
    Ok(memory.unwrap_or(JsValue::NOTHING))
}

/// `lookAtIntake(pool)`: there may be something in it, and no thread that looks.
fn look_at_intake<'call>(call: Call<'call>, [pool]: Arguments<'call, 1>) -> Returned<'call> {
    call.environment.pools().with(call.js.read_u32(pool)?, Pool::look_at_intake);
    Ok(JsValue::NOTHING)
}

/// `deposit(pool, task, id, form, input, length, parts)`: a task for the record that is put into the intake next. Nothing, or
/// `[code, message]`.
fn deposit<'call>(call: Call<'call>, arguments: Arguments<'call, 7>) -> Returned<'call> {
    let [pool, task, id, form, input, length, parts] = arguments;
    let submission = submission(call.js, [pool, task, id], SubmitOptions::PLAIN)?;
    let read = || call.inputs().read(Input::of_arguments(call.js, [form, input, length, parts])?);
    answer(call.js, call.environment.pools().deposit(submission, read), |()| Ok(JsValue::NOTHING))
}

/// `submit(pool, task, id, form, input, length, parts)`. [`accepted`] and [`answer`] describe what it returns.
fn submit<'call>(call: Call<'call>, arguments: Arguments<'call, 7>) -> Returned<'call> {
    let [pool, task, id, form, input, length, parts] = arguments;
    let submission = submission(call.js, [pool, task, id], SubmitOptions::PLAIN)?;
    submit_one(call, submission, None, None, [form, input, length, parts])
}

/// Who waits for a task that was submitted in a worker of its pool: the id of the running task; or, below 0, -1 less the number of
/// the worker whose code does, outside of a task.
pub(super) fn waited_by(waiter: f64, blocks: bool) -> WaitedBy {
    let waiter =
        if waiter < 0.0 { Waiter::Worker((-1.0 - waiter) as usize) } else { Waiter::Job(waiter as u64) };
    WaitedBy { waiter, blocks }
}

/// `submitWith(…the seven of submit, priority, limit, isDeadline, runLimit, cancel)`.
fn submit_with<'call>(call: Call<'call>, arguments: Arguments<'call, 12>) -> Returned<'call> {
    let [pool, task, id, form, input, length, parts, priority, limit, is_deadline, run, cancel] = arguments;
    let options = options(call.js, [priority, limit, is_deadline, run, cancel])?;
    submit_one(
        call,
        submission(call.js, [pool, task, id], options)?,
        None,
        None,
        [form, input, length, parts],
    )
}

/// `submitKeyed(…the twelve of submitWith, key or nothing, waiter, blocks)`: who waits for it, as [`waited_by`] takes it, or 0.
fn submit_keyed<'call>(call: Call<'call>, arguments: Arguments<'call, 15>) -> Returned<'call> {
    let [
        pool,
        task,
        id,
        form,
        input,
        length,
        parts,
        priority,
        limit,
        is_deadline,
        run,
        cancel,
        key,
        waiter,
        blocks,
    ] = arguments;
    let by = match call.js.read_number(waiter)? {
        0.0 => None,
        waiter => Some(waited_by(waiter, call.js.read_bool(blocks)?)),
    };
    let key = if call.js.type_of(key)? == Type::Undefined { None } else { Some(call.js.to_text(key)?) };
    let options = options(call.js, [priority, limit, is_deadline, run, cancel])?;
    let submission = submission(call.js, [pool, task, id], options)?;
    submit_one(call, submission, key, by, [form, input, length, parts])
}

/// `submitBatch(…the twelve of submitWith, count, keepsOutputs)`: the input is an array of `count` inputs under one id.
fn submit_batch<'call>(call: Call<'call>, arguments: Arguments<'call, 14>) -> Returned<'call> {
    let [pool, task, id, form, input, length, parts, priority, limit, is_deadline, run, cancel, count, keeps] =
        arguments;
    let options = options(call.js, [priority, limit, is_deadline, run, cancel])?;
    let submission = submission(call.js, [pool, task, id], options)?;
    let keeps_outputs = call.js.read_bool(keeps)?;
    let count = call.js.read_u32(count)? as usize;
    let read = || call.inputs().read_many(Input::of_arguments(call.js, [form, input, length, parts])?);
    let submitted = call.environment.pools().submit_batch(submission, count, keeps_outputs, read);
    answer(call.js, submitted, |done| accepted(call.js, done))
}
