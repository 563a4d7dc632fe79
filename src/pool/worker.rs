//! One native thread of a pool: how it is started (its name, the size of its stack), and its life: take, run, report.

use super::batch_worker::run_batch;
use super::caller::{Caller, Details};
use super::counters::Tally;
use super::entry::Entry;
use super::job::Job;
use super::outbox::{Reply, Trip};
use super::queue::Taken;
use super::rank::Place;
use super::recorder::{Recorder, trace};
use super::reports::Reports;
use super::state::{Pool, State};
use super::task_helpers::TaskHelpers;
use super::task_observer::{Age, End, TaskObserver, TaskRef};
use super::thread_log::log;
use super::threads::WorkerSlot;
use super::trace::Slice;
use crate::cancel::{CancelToken, Reason};
use crate::error::{Code, Error, Result};
use crate::os_thread::name_of;
use crate::panic::guard;
use crate::sync::{Instant, thread};
use crate::value::{Payload, Value};

impl Pool {
    /// Starts one more native thread, in a vacant slot.
    pub(super) fn start_thread(&self, state: &mut State) -> Result<()> {
        let shared = &*self.0;
        let slot = state.threads.vacant();
        let number = slot.number;
        let pool = self.clone();
        let started = thread::Builder::new()
            .name(name_of(&shared.config.name, "", number))
            .stack_size(shared.config.stack_size)
            .spawn(move || run(&pool, &slot));
        match started {
            Ok(_) => {
                state.threads.started(number);
                Ok(())
            }
            Err(error) => Err(Error::new(
                Code::ThreadSpawn,
                format!(
                    "the system gave the pool no thread ({error}); lower maxThreads or stackSize, or raise the limit"
                ),
            )),
        }
    }
}

/// The life of the thread in `slot`.
fn run(pool: &Pool, slot: &WorkerSlot) {
    pool.0.config.adopt_thread();
    let name = name_of(&pool.0.config.name, "", slot.number);
    log(&name, "starts");
    let (mut fresh, mut now) = (true, pool.0.age());
    let mut recorder = Recorder::new(&slot.shared.times);
    while let Some((taken, at)) = pool.next(slot.number, std::mem::take(&mut fresh), now) {
        now = match taken {
            Taken::Job(first, place) => run_jobs(pool, slot, &mut recorder, first, &place, at),
            Taken::Batch(batch, place) => run_batch(pool, slot, &mut recorder, &batch, &place, at),
            Taken::Steal(parts) => {
                slot.shared.tally.run_began(at);
                recorder.begin(Age::MAX);
                parts.run_parts();
                let ended = pool.0.age();
                slot.shared.tally.run_ended(ended);
                recorder.end_cpu(parts.task, ended - at);
                trace(pool, slot, |_| Slice::helped(parts.task, at, ended));
                ended
            }
        };
    }
    log(&name, "ends");
}

/// Tasks of one number that run one after the other without a look at the clock.
struct Group<'a, 'b> {
    pool: &'a Pool,
    slot: &'a WorkerSlot,
    tally: &'a Tally,
    recorder: &'a mut Recorder<'b>,
    /// Of a task that is traced, and a group of its own: how it has ended.
    traced: Option<End>,
    task: usize,
    count: u64,
    began: Age,
}

/// A group has so many tasks at the most.
const GROUP: u64 = 64;
/// A task that runs for longer, in nanoseconds, is a group of its own: the clock costs a twentieth of that.
const SHORT: Age = 500;

impl Group<'_, '_> {
    /// The next task will be one of this number.
    fn next(&mut self, task: usize) {
        let shared = &*self.pool.0;
        let is_through = self.count > 0
            && (self.task != task
                || self.count == GROUP
                || self.traced.is_some()
                || shared.estimates.of(task) > SHORT);
        if is_through {
            self.end();
            self.tally.run_began(self.began);
        }
        self.task = task;
        if self.count == 0 {
            self.recorder.begin(shared.estimates.of(task));
        }
    }

    /// The tasks have run.
    fn end(&mut self) {
        let (shared, began) = (&*self.pool.0, self.began);
        self.began = shared.age();
        self.tally.run_ended(self.began);
        if self.count > 0 {
            let ran = self.began - began;
            shared.estimates.learn(self.task, self.count, ran);
            self.recorder.end(self.task, self.count, ran);
        }
        self.count = 0;
        if let Some(end) = self.traced.take() {
            self.slot.shared.slices.lock().end_last(self.began, end);
        }
    }
}

/// Runs the first task, and those that the thread has taken with it.
fn run_jobs(
    pool: &Pool,
    slot: &WorkerSlot,
    recorder: &mut Recorder<'_>,
    first: Entry,
    place: &Place,
    now: Age,
) -> Age {
    let tally = &slot.shared.tally;
    let task = first.task();
    let mut group = Group { pool, slot, tally, recorder, traced: None, task, count: 0, began: now };
    tally.run_began(now);
    let mut next = Some(first);
    while let Some(entry) = next {
        group.next(entry.task());
        let is_traced = trace_entry(pool, slot, &entry, group.began);
        let ran = run_entry(pool, slot, entry, group.began);
        if is_traced {
            group.traced = ran.traced(slot);
        }
        if ran.has_begun {
            group.count += 1;
            group.recorder.waited(group.began.saturating_sub(ran.queued_at));
        }
        // While something above runs, the next task stays where others can take it over.
        let makes_way = slot.shared.has_taken() && pool.0.outranks(place);
        next = if makes_way { None } else { slot.shared.next() };
        // First: a caller that has the answer finds it in the counters, and the thread about to take something up.
        if next.is_none() {
            group.end();
            slot.shared.set_answered(true);
        }
        tally.left(TaskRef::native(ran.task), group.began, group.began);
        answer(pool, slot, ran);
        if makes_way {
            group.began = run_above(pool, slot, group.recorder, place, group.began);
            next = slot.shared.next();
            slot.shared.set_answered(next.is_none());
            if next.is_some() {
                tally.run_began(group.began);
            }
        }
    }
    group.began
}

/// Runs what goes before the tasks that the thread has taken, whose first had this place, before it goes on with them. When that has ended.
fn run_above(
    pool: &Pool,
    slot: &WorkerSlot,
    recorder: &mut Recorder<'_>,
    place: &Place,
    mut now: Age,
) -> Age {
    while slot.shared.has_taken() && pool.0.outranks(place) {
        let Some(above) = pool.take_above(slot.number, place) else { break };
        now = match above {
            Taken::Batch(batch, place) => run_batch(pool, slot, recorder, &batch, &place, now),
            Taken::Job(entry, _) => run_between(pool, slot, recorder, entry, now),
            Taken::Steal(_) => unreachable!("it has no priority"),
        };
        pool.turn_back(slot.number);
    }
    now
}

/// Runs one task from the queue before the thread goes on with those that it has taken.
fn run_between(pool: &Pool, slot: &WorkerSlot, recorder: &mut Recorder<'_>, entry: Entry, now: Age) -> Age {
    let tally = &slot.shared.tally;
    tally.run_began(now);
    recorder.begin(Age::MAX);
    let is_traced = trace_entry(pool, slot, &entry, now);
    let ran = run_entry(pool, slot, entry, now);
    let ended = pool.0.age();
    if is_traced && let Some(end) = ran.traced(slot) {
        slot.shared.slices.lock().end_last(ended, end);
    }
    tally.run_ended(ended);
    if ran.has_begun {
        recorder.waited(now.saturating_sub(ran.queued_at));
        recorder.end(ran.task, 1, ended - now);
    }
    tally.left(TaskRef::native(ran.task), now, ended);
    slot.shared.set_answered(true);
    answer(pool, slot, ran);
    ended
}

/// A task that has run, and is to be answered.
struct Ran {
    task: usize,
    queued_at: Age,
    /// Unless it was stopped before.
    has_begun: bool,
    reply: Reply,
    outcome: Result<Value>,
}

impl Ran {
    /// How a task has ended that is traced; `None`, and the trace forgets it, where it had not begun.
    fn traced(&self, slot: &WorkerSlot) -> Option<End> {
        if !self.has_begun {
            slot.shared.slices.lock().forget_last();
        }
        self.has_begun.then(|| End::of(&self.outcome))
    }
}

/// The thread begins a task.
#[inline]
fn trace_entry(pool: &Pool, slot: &WorkerSlot, entry: &Entry, began: Age) -> bool {
    pool.0.traces() > 0 && trace_begun(pool, slot, entry, began)
}

#[cold]
fn trace_begun(pool: &Pool, slot: &WorkerSlot, entry: &Entry, began: Age) -> bool {
    trace(pool, slot, |pool| {
        let (id, queued_at) = entry.submission(|at| pool.0.age_at(at));
        Slice::begun(id, TaskRef::native(entry.task()), queued_at, began)
    })
}

/// Counts a task that has run, and answers it.
fn answer(pool: &Pool, slot: &WorkerSlot, ran: Ran) {
    let Ran { task, queued_at, reply, outcome, .. } = ran;
    let (task, end) = (TaskRef::native(task), End::of(&outcome));
    slot.shared.tally.ended(task, end, 1);
    let trip = (end != End::Cancelled).then(|| Trip::new(pool.0.number, task, queued_at));
    reply.send_on(slot.line, outcome, trip);
}

/// Runs one task.
fn run_entry(pool: &Pool, slot: &WorkerSlot, entry: Entry, began: Age) -> Ran {
    let (tally, stop) = (&slot.shared.tally, &slot.shared.stop);
    match entry {
        Entry::Small(job) => {
            let (task, queued_at, reply) = (job.task as usize, job.queued_at, pool.reply_to(&job));
            tally.started(TaskRef::native(task), queued_at, began);
            let input = job.input.map_or(Value::Undefined, Value::Number);
            let caller = Caller::of(&reply, slot, None);
            let (has_begun, outcome) = run_task(pool, task, Payload::Value(input), stop, caller);
            Ran { task, queued_at, has_begun, reply, outcome }
        }
        Entry::Job(mut job) => {
            let mut token = job.take_token();
            let (waited_by, reports) = (job.waiter(), job.reports().map(Reports::new));
            let details =
                (waited_by.is_some() || reports.is_some()).then_some(Details { waited_by, reports });
            let Job { task, input, reply, queued_at, .. } = job;
            let queued_at = pool.0.age_at(queued_at);
            tally.started(TaskRef::native(task), queued_at, began);
            if let Some(token) = &mut token {
                if let Some(reason) = token.reason() {
                    let outcome = Err(reason.into_error_before());
                    return Ran { task, queued_at, has_begun: false, reply, outcome };
                }
                token.start(Instant::now);
            }
            let caller = Caller::of(&reply, slot, details.as_ref());
            let (has_begun, outcome) = run_task(pool, task, input, token.as_ref().unwrap_or(stop), caller);
            let outcome = match token.as_ref().and_then(CancelToken::reason) {
                // The caller has this reason already, or gets it soon, whatever the task returned in the end.
                Some(reason @ (Reason::Cancelled | Reason::TimedOut | Reason::DeadlinePassed)) => {
                    Err(reason.into_error())
                }
                _ => outcome,
            };
            Ran { task, queued_at, has_begun, reply, outcome }
        }
        Entry::Batch(_) => unreachable!("a batch is no single task"),
    }
}

/// Runs one task under the panic guard, unless it should have stopped already: whether it has begun, and its outcome.
fn run_task(
    pool: &Pool,
    task: usize,
    input: Payload,
    token: &CancelToken,
    caller: Caller<'_>,
) -> (bool, Result<Value>) {
    if let Err(stopped) = token.check() {
        return (false, Err(stopped));
    }
    let tasks = &*pool.0.tasks;
    let run = || tasks.execute(task, input, token, &TaskHelpers { pool, task, caller });
    (true, guard(run).unwrap_or_else(|panic| Err(pool.panicked(task, panic))))
}

impl Pool {
    /// The error of a task that has panicked.
    pub(super) fn panicked(&self, task: usize, panic: Error) -> Error {
        panic.context(format_args!("task '{}' panicked", self.0.tasks.name(task)))
    }
}
