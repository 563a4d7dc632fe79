//! One thread of a pool: take, run, report.

use std::time::Instant;

use super::Pool;
use super::batch::{Batch, Observe};
use super::job::{Job, Reply};
use super::queue::Entry;
use super::stats::Ended;
use super::threads::Seat;
use crate::cancel::{CancelToken, Reason};
use crate::error::{Code, Error, Result};
use crate::panic::guard;
use crate::tasks::Context;
use crate::value::{Payload, Value};

/// The life of the thread in `seat`.
pub(super) fn run(pool: &Pool, seat: &Seat) {
    let mut fresh = true;
    while let Some(entry) = pool.next(seat.number, std::mem::take(&mut fresh)) {
        match entry {
            Entry::Job(job) => run_job(pool, seat, job),
            Entry::Batch(batch) => run_batch(pool, seat, &batch),
            Entry::Help(fork) => {
                seat.tally.begins(seat.pool_age());
                fork.help();
                seat.tally.ends(seat.pool_age());
            }
        }
    }
}

fn run_job(pool: &Pool, seat: &Seat, job: Job) {
    let Job { task, input, token, reply, queued_at, .. } = job;
    let started = Instant::now();
    seat.tally.waited(started - queued_at);
    seat.tally.begins(seat.pool_age_at(started));
    let outcome = run_task(pool, task, input, token.as_ref().unwrap_or(&seat.stop));
    seat.tally.ends(seat.pool_age());
    let stopped = token.as_ref().and_then(CancelToken::reason);
    if let Some(reason @ (Reason::Cancelled | Reason::TimedOut)) = stopped {
        // Its caller has been told so, or is about to be, whatever the task made of it in the end.
        return answer(seat, reply, Err(reason.into_error()));
    }
    answer(seat, reply, outcome);
}

/// Counts first: who has the answer finds it in the counters, and the thread free.
fn answer(seat: &Seat, reply: Reply, outcome: Result<Value>) {
    seat.tally.ended(&outcome);
    seat.tally.set_answered(true);
    reply.send(outcome);
}

/// A thread that works on a batch.
struct Worker<'a> {
    pool: &'a Pool,
    seat: &'a Seat,
    batch: &'a Batch,
}

impl Observe for Worker<'_> {
    fn ended(&self, ended: Ended) {
        self.seat.tally.add(ended);
        // As far as it knows: it takes that back when it finds more.
        self.seat.tally.set_answered(true);
    }

    fn exhausted(&self) {
        self.pool.retire(self.batch);
    }

    fn should_leave(&self) -> bool {
        self.pool.outranked(self.batch.priority)
    }
}

fn run_batch(pool: &Pool, seat: &Seat, batch: &Batch) {
    let started = Instant::now();
    seat.tally.waited(started - batch.queued_at);
    seat.tally.begins(seat.pool_age_at(started));
    let run = |input| {
        seat.tally.set_answered(false);
        run_task(pool, batch.task, Payload::Value(input), &batch.token)
    };
    batch.work(run, &Worker { pool, seat, batch });
    seat.tally.ends(seat.pool_age());
}

/// Runs one task under the panic guard, unless it should have stopped already.
fn run_task(pool: &Pool, task: usize, input: Payload, token: &CancelToken) -> Result<Value> {
    token.check()?;
    let Some(task) = pool.registry().at(task) else {
        return Err(Error::new(Code::Internal, "a task index outside the registry; please report this"));
    };
    guard(|| task.run(input.into_value()?, &Context::in_pool(token, pool)))
        .unwrap_or_else(|panic| Err(panic.context(format_args!("task '{}' panicked", task.name()))))
}
