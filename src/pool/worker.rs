//! One native thread of a pool: how it is started (its name, the size of its stack), and its life: take, run, report.

use super::batch::{Batch, BatchHost};
use super::counters::Tally;
use super::execute::Helpers;
use super::job::Job;
use super::outbox::Reply;
use super::parallel_for::{ParallelFor, PartWork};
use super::priority_queue::Entry;
use super::queue::Taken;
use super::rank::Rank;
use super::state::{Pool, State};
use super::task_observer::{Age, End, Ended, TaskObserver, TaskRef};
use super::threads::WorkerSlot;
use crate::cancel::{CancelToken, Reason};
use crate::error::{Code, Error, Result};
use crate::os_thread::name_of;
use crate::panic::guard;
use crate::sync::{Arc, Instant, thread};
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
    let (mut fresh, mut now) = (true, pool.0.age());
    while let Some((taken, at)) = pool.next(slot.number, std::mem::take(&mut fresh), now) {
        now = match taken {
            Taken::Job(first, place) => run_jobs(pool, slot, first, place.rank, at),
            Taken::Batch(batch, place) => run_batch(pool, slot, &batch, place.rank, at),
            Taken::Steal(parts) => {
                slot.shared.tally.run_began(at);
                parts.run_parts();
                let ended = pool.0.age();
                slot.shared.tally.run_ended(ended);
                ended
            }
        };
    }
}

/// Tasks of one number that run one after the other without a look at the clock.
struct Group<'a> {
    pool: &'a Pool,
    tally: &'a Tally,
    task: usize,
    count: u64,
    began: Age,
}

/// A group has so many tasks at the most.
const GROUP: u64 = 64;
/// A task that runs for longer, in nanoseconds, is a group of its own: the clock costs a twentieth of that.
const SHORT: Age = 500;

impl Group<'_> {
    /// The next task will be one of this number.
    fn next(&mut self, task: usize) {
        let shared = &*self.pool.0;
        if self.count > 0 && (self.task != task || self.count == GROUP || shared.estimates.of(task) > SHORT) {
            self.end();
            self.tally.run_began(self.began);
        }
        self.task = task;
    }

    /// The tasks have run.
    fn end(&mut self) {
        let (shared, began) = (&*self.pool.0, self.began);
        self.began = shared.age();
        self.tally.run_ended(self.began);
        if self.count > 0 {
            shared.estimates.learn(self.task, self.count, self.began - began);
        }
        self.count = 0;
    }
}

/// Runs the first task, and those that the thread has taken with it.
fn run_jobs(pool: &Pool, slot: &WorkerSlot, first: Entry, rank: Rank, now: Age) -> Age {
    let tally = &slot.shared.tally;
    let mut group = Group { pool, tally, task: first.task(), count: 0, began: now };
    tally.run_began(now);
    let mut next = Some(first);
    while let Some(entry) = next {
        group.next(entry.task());
        group.count += 1;
        let (task, reply, outcome) = run_entry(pool, slot, entry, group.began);
        // While something above runs, the next task stays where others can take it over.
        let makes_way = slot.shared.has_taken() && pool.0.outranks(rank);
        next = if makes_way { None } else { slot.shared.next() };
        // First: a caller that has the answer finds it in the counters, and the thread about to take something up.
        if next.is_none() {
            group.end();
            slot.shared.set_answered(true);
        }
        tally.left(TaskRef::native(task), group.began, group.began);
        tally.ended(TaskRef::native(task), End::of(&outcome), 1);
        reply.send_on(slot.line, outcome);
        if makes_way {
            group.began = run_above(pool, slot, rank, group.began);
            next = slot.shared.next();
            slot.shared.set_answered(next.is_none());
            if next.is_some() {
                tally.run_began(group.began);
            }
        }
    }
    group.began
}

/// Runs what comes before this rank, before the thread goes on with the tasks that it has taken. When that has ended.
fn run_above(pool: &Pool, slot: &WorkerSlot, rank: Rank, mut now: Age) -> Age {
    while slot.shared.has_taken() && pool.0.outranks(rank) {
        let Some(above) = pool.take_above(slot.number, rank) else { break };
        now = match above {
            Taken::Batch(batch, place) => run_batch(pool, slot, &batch, place.rank, now),
            Taken::Job(entry, _) => run_between(pool, slot, entry, now),
            Taken::Steal(_) => unreachable!("it has no priority"),
        };
        pool.turn_back(slot.number);
    }
    now
}

/// Runs one task from the queue before the thread goes on with those that it has taken.
fn run_between(pool: &Pool, slot: &WorkerSlot, entry: Entry, now: Age) -> Age {
    let tally = &slot.shared.tally;
    tally.run_began(now);
    let (task, reply, outcome) = run_entry(pool, slot, entry, now);
    let ended = pool.0.age();
    tally.run_ended(ended);
    tally.left(TaskRef::native(task), now, ended);
    tally.ended(TaskRef::native(task), End::of(&outcome), 1);
    slot.shared.set_answered(true);
    reply.send_on(slot.line, outcome);
    ended
}

/// Runs one task: its number, the promise to answer it, and its outcome.
fn run_entry(pool: &Pool, slot: &WorkerSlot, entry: Entry, began: Age) -> (usize, Reply, Result<Value>) {
    let (tally, stop) = (&slot.shared.tally, &slot.shared.stop);
    match entry {
        Entry::Small(job) => {
            let (task, reply) = (job.task as usize, pool.reply_to(&job));
            tally.started(TaskRef::native(task), job.queued_at, began);
            let input = job.input.map_or(Value::Undefined, Value::Number);
            (task, reply, run_task(pool, task, Payload::Value(input), stop))
        }
        Entry::Job(job) => {
            let Job { task, input, mut token, reply, queued_at, .. } = job;
            tally.started(TaskRef::native(task), pool.0.age_at(queued_at), began);
            if let Some(token) = &mut token {
                if let Some(reason) = token.reason() {
                    return (task, reply, Err(reason.into_error_before()));
                }
                token.start(Instant::now);
            }
            let outcome = run_task(pool, task, input, token.as_ref().unwrap_or(stop));
            match token.as_ref().and_then(CancelToken::reason) {
                // The caller has this reason already, or gets it soon, whatever the task returned in the end.
                Some(reason @ (Reason::Cancelled | Reason::TimedOut | Reason::DeadlinePassed)) => {
                    (task, reply, Err(reason.into_error()))
                }
                _ => (task, reply, outcome),
            }
        }
        Entry::Batch(_) => unreachable!("a batch is no single task"),
    }
}

/// A thread that works on a batch.
struct BatchWorker<'a> {
    pool: &'a Pool,
    slot: &'a WorkerSlot,
    batch: &'a Batch,
    rank: Rank,
}

impl BatchHost for BatchWorker<'_> {
    fn begins(&self) {
        self.slot.shared.set_answered(false);
    }

    fn panicked(&self, panic: Error) -> Error {
        self.pool.panicked(self.batch.task, panic)
    }

    fn ended(&self, ended: Ended) {
        for (end, count) in ended.counts() {
            self.slot.shared.tally.ended(TaskRef::native(self.batch.task), end, count);
        }
        // As far as the thread knows: it takes that back when it finds more.
        self.slot.shared.set_answered(true);
    }

    fn exhausted(&self) {
        self.pool.remove_exhausted(self.batch);
    }

    fn should_leave(&self) -> bool {
        self.pool.0.outranks(self.rank) || self.pool.0.has_surplus()
    }
}

fn run_batch(pool: &Pool, slot: &WorkerSlot, batch: &Batch, rank: Rank, now: Age) -> Age {
    let (tally, task) = (&slot.shared.tally, TaskRef::native(batch.task));
    tally.started(task, pool.0.age_at(batch.queued_at), now);
    tally.run_began(now);
    batch.work(&*pool.0.tasks, pool, &BatchWorker { pool, slot, batch, rank });
    let ended = pool.0.age();
    tally.left(task, now, ended);
    tally.run_ended(ended);
    ended
}

/// Runs one task under the panic guard, unless it should have stopped already.
fn run_task(pool: &Pool, task: usize, input: Payload, token: &CancelToken) -> Result<Value> {
    token.check()?;
    let tasks = &*pool.0.tasks;
    guard(|| tasks.execute(task, input, token, pool)).unwrap_or_else(|panic| Err(pool.panicked(task, panic)))
}

impl Pool {
    /// The error of a task that has panicked.
    fn panicked(&self, task: usize, panic: Error) -> Error {
        panic.context(format_args!("task '{}' panicked", self.0.tasks.name(task)))
    }
}

impl Helpers for Pool {
    fn max_threads(&self) -> usize {
        self.0.lock().threads.max().get()
    }

    fn parallel_for(&self, count: usize, work: PartWork, token: &CancelToken) -> Result<()> {
        let parts = Arc::new(ParallelFor::new(count, work, token.clone()));
        let mut helpers = 0;
        if count > 1 {
            let mut state = self.0.lock();
            helpers = count.min(state.threads.max().get()).saturating_sub(1);
            state.queue.offer(&parts, helpers);
            self.0.publish(&mut state);
            self.wake_one(state);
        }
        parts.run_parts();
        if helpers > 0 {
            let mut state = self.0.lock();
            state.queue.withdraw(&parts);
            self.0.publish(&mut state);
        }
        parts.end()
    }
}
