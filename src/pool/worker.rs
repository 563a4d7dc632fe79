//! One thread of a pool: take, run, report.

use std::time::Instant;

use super::batch::Batch;
use super::job::Job;
use super::queue::Entry;
use super::stats::Tally;
use super::threads::Seat;
use super::{CancelToken, Pool};
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
                let started = Instant::now();
                fork.help();
                seat.tally.ran(started.elapsed());
            }
        }
    }
}

fn run_job(pool: &Pool, seat: &Seat, job: Job) {
    let Job { task, input, token, reply, queued_at, .. } = job;
    let started = Instant::now();
    seat.tally.waited(started - queued_at);
    let outcome = run_task(pool, task, input, token.as_ref().unwrap_or(&seat.stop));
    seat.tally.ran(started.elapsed());
    match &outcome {
        Ok(_) => seat.tally.completed(1),
        Err(error) => count_failure(&seat.tally, error),
    }
    reply.send(outcome);
}

fn run_batch(pool: &Pool, seat: &Seat, batch: &Batch) {
    let tally = &seat.tally;
    let started = Instant::now();
    tally.waited(started - batch.queued_at);
    let run = |input| {
        let outcome = run_task(pool, batch.task, Payload::Value(input), &batch.token);
        if let Err(error) = &outcome {
            count_failure(tally, error);
        }
        outcome
    };
    // Counted chunk by chunk, before the last of them answers.
    batch.work(run, |done| tally.completed(done), || pool.outranked(batch.priority));
    tally.ran(started.elapsed());
}

fn count_failure(tally: &Tally, error: &Error) {
    match error.code() {
        Code::TaskCancelled | Code::TaskTimeout | Code::PoolClosed => tally.cancelled(),
        _ => tally.failed(),
    }
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
