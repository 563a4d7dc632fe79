//! One thread of a pool: take, run, report.

use std::time::Instant;

use super::batch::Batch;
use super::job::Job;
use super::queue::Entry;
use super::{CancelToken, Pool};
use crate::error::{Code, Error, Result};
use crate::panic::guard;
use crate::tasks::Context;
use crate::value::{Payload, Value};

/// The life of thread `number`.
pub(super) fn run(pool: &Pool, number: usize) {
    let mut fresh = true;
    while let Some(entry) = pool.next(number, std::mem::take(&mut fresh)) {
        match entry {
            Entry::Job(job) => run_job(pool, job),
            Entry::Batch(batch) => run_batch(pool, &batch),
        }
    }
}

fn run_job(pool: &Pool, job: Job) {
    let Job { task, input, token, reply, queued_at } = job;
    let counters = &pool.0.counters;
    let started = Instant::now();
    counters.started(started - queued_at);
    let outcome = run_task(pool, task, input, &token);
    counters.ran(started.elapsed());
    match &outcome {
        Ok(_) => counters.completed(1),
        Err(error) if is_stop(error) => counters.cancelled(1),
        Err(_) => counters.failed(),
    }
    reply.send(outcome);
}

fn run_batch(pool: &Pool, batch: &Batch) {
    let counters = &pool.0.counters;
    let started = Instant::now();
    counters.started(started - batch.queued_at);
    let run = |input| {
        let outcome = run_task(pool, batch.task, Payload::Value(input), &batch.token);
        match &outcome {
            Ok(_) => {}
            Err(error) if is_stop(error) => counters.cancelled(1),
            Err(_) => counters.failed(),
        }
        outcome
    };
    let done = batch.work(run, || pool.outranked(batch.priority));
    counters.completed(done);
    counters.ran(started.elapsed());
}

/// Runs one task under the panic guard, unless it should have stopped already.
fn run_task(pool: &Pool, task: usize, input: Payload, token: &CancelToken) -> Result<Value> {
    token.check()?;
    let Some(task) = pool.registry().at(task) else {
        return Err(Error::new(Code::Internal, "a task index outside the registry; please report this"));
    };
    guard(|| task.run(input.into_value()?, &Context::new(token)))
        .unwrap_or_else(|panic| Err(panic.context(format_args!("task '{}' panicked", task.name()))))
}

fn is_stop(error: &Error) -> bool {
    matches!(error.code(), Code::TaskCancelled | Code::TaskTimeout | Code::PoolClosed)
}
