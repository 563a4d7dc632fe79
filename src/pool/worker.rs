//! One native thread of a pool: how it is started (its name, the size of its stack), and its life: take, run, report.

use std::time::Instant;

use super::batch::{Batch, BatchHost};
use super::counters::Tally;
use super::execute::Helpers;
use super::job::Job;
use super::outbox::Reply;
use super::parallel_for::{ParallelFor, PartWork};
use super::queue::Taken;
use super::state::{Pool, State};
use super::task_observer::{End, Ended, TaskObserver, TaskRef};
use super::threads::WorkerSlot;
use crate::cancel::{CancelToken, Reason};
use crate::error::{Code, Error, Result};
use crate::panic::guard;
use crate::sync::Arc;
use crate::value::{Payload, Value};

impl Pool {
    /// Starts one more native thread, in a vacant slot.
    pub(super) fn start_thread(&self, state: &mut State) -> Result<()> {
        let shared = &*self.0;
        let slot = state.threads.vacant(|| Tally::new(shared.made));
        let number = slot.number;
        let pool = self.clone();
        let started = std::thread::Builder::new()
            .name(format!("{}-{number}", shared.config.name))
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
    let mut fresh = true;
    while let Some(taken) = pool.next(slot.number, std::mem::take(&mut fresh)) {
        match taken {
            Taken::Job(job) => run_job(pool, slot, job),
            Taken::Batch(batch) => run_batch(pool, slot, &batch),
            Taken::Steal(parts) => {
                slot.shared.tally.run_began(Instant::now());
                parts.run_parts();
                slot.shared.tally.run_ended(Instant::now());
            }
        }
    }
}

fn run_job(pool: &Pool, slot: &WorkerSlot, job: Job) {
    let Job { task, input, token, reply, queued_at, .. } = job;
    let (tally, started) = (&slot.shared.tally, Instant::now());
    tally.started(TaskRef::native(task), queued_at, started);
    let outcome = run_task(pool, task, input, token.as_ref().unwrap_or(&slot.shared.stop));
    tally.left(TaskRef::native(task), started, Instant::now());
    let stopped = token.as_ref().and_then(CancelToken::reason);
    if let Some(reason @ (Reason::Cancelled | Reason::TimedOut)) = stopped {
        // The caller has this reason already, or gets it soon, whatever the task returned in the end.
        return answer(slot, task, reply, Err(reason.into_error()));
    }
    answer(slot, task, reply, outcome);
}

/// Counts first: a caller that has the answer finds it in the counters, and the thread free.
fn answer(slot: &WorkerSlot, task: usize, reply: Reply, outcome: Result<Value>) {
    slot.shared.tally.ended(TaskRef::native(task), End::of(&outcome), 1);
    slot.shared.set_answered(true);
    reply.send(outcome);
}

/// A thread that works on a batch.
struct BatchWorker<'a> {
    pool: &'a Pool,
    slot: &'a WorkerSlot,
    batch: &'a Batch,
}

impl BatchHost for BatchWorker<'_> {
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
        self.pool.0.outranks(self.batch.priority)
    }
}

fn run_batch(pool: &Pool, slot: &WorkerSlot, batch: &Batch) {
    let (tally, started) = (&slot.shared.tally, Instant::now());
    tally.started(TaskRef::native(batch.task), batch.queued_at, started);
    let run = |input| {
        slot.shared.set_answered(false);
        run_task(pool, batch.task, Payload::Value(input), &batch.token)
    };
    batch.work(run, &BatchWorker { pool, slot, batch });
    tally.left(TaskRef::native(batch.task), started, Instant::now());
}

/// Runs one task under the panic guard, unless it should have stopped already.
fn run_task(pool: &Pool, task: usize, input: Payload, token: &CancelToken) -> Result<Value> {
    token.check()?;
    let tasks = &*pool.0.tasks;
    guard(|| tasks.execute(task, input, token, pool))
        .unwrap_or_else(|panic| Err(panic.context(format_args!("task '{}' panicked", tasks.name(task)))))
}

impl Helpers for Pool {
    fn max_threads(&self) -> usize {
        self.0.config.max_threads
    }

    fn parallel_for(&self, count: usize, work: PartWork, token: &CancelToken) -> Result<()> {
        let parts = Arc::new(ParallelFor::new(count, work, token.clone()));
        let helpers = count.min(self.0.config.max_threads).saturating_sub(1);
        if helpers > 0 {
            let mut state = self.0.state.lock();
            state.queue.offer(&parts, helpers);
            self.0.publish_hints(&state.queue);
            self.wake_one(state);
        }
        parts.run_parts();
        if helpers > 0 {
            let mut state = self.0.state.lock();
            state.queue.withdraw(&parts);
            self.0.publish_hints(&state.queue);
        }
        parts.end()
    }
}
