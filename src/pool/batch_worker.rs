//! A native thread that works on a batch.

use std::cell::Cell;
use std::time::Duration;

use super::batch::{Batch, BatchHost};
use super::caller::Caller;
use super::rank::Place;
use super::recorder::{Recorder, trace};
use super::state::Pool;
use super::task_helpers::TaskHelpers;
use super::task_observer::{Age, End, Ended, TaskObserver, TaskRef};
use super::task_times::nanos;
use super::threads::WorkerSlot;
use super::trace::Slice;
use crate::error::{Error, Result};
use crate::sync::Instant;

/// A thread that works on a batch.
struct BatchWorker<'a> {
    pool: &'a Pool,
    slot: &'a WorkerSlot,
    batch: &'a Batch,
    place: &'a Place,
    recorder: &'a Recorder<'a>,
    queued_at: Age,
    /// Whether the present chunk is traced.
    is_traced: Cell<bool>,
}

impl BatchHost for BatchWorker<'_> {
    fn begins(&self, count: usize) {
        self.slot.shared.set_answered(false);
        let Batch { id, task, .. } = *self.batch;
        let is_traced = trace(self.pool, self.slot, |pool| {
            Slice::begun(id, TaskRef::native(task), self.queued_at, pool.0.age()).of(count)
        });
        self.is_traced.set(is_traced);
    }

    fn traced(&self, began: Instant, took: Duration, outcome: &Result<()>) {
        if self.is_traced.take() {
            let ended = self.pool.0.age_at(began) + nanos(took);
            self.slot.shared.slices.lock().end_last(ended, End::of(outcome));
        }
    }

    fn ran(&self, count: usize, began: Instant, took: Duration) {
        let wait = self.pool.0.age_at(began).saturating_sub(self.queued_at);
        self.recorder.ran(self.batch.task, count as u64, wait, nanos(took));
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
        self.pool.0.outranks(self.place) || self.pool.0.has_surplus()
    }
}

/// Runs inputs of a batch until none is left, or something above waits: when that was.
pub(super) fn run_batch(
    pool: &Pool,
    slot: &WorkerSlot,
    recorder: &mut Recorder<'_>,
    batch: &Batch,
    place: &Place,
    now: Age,
) -> Age {
    let (tally, task) = (&slot.shared.tally, TaskRef::native(batch.task));
    let queued_at = pool.0.age_at(batch.queued_at);
    tally.started(task, queued_at, now);
    tally.run_began(now);
    recorder.begin(Age::MAX);
    let helpers = TaskHelpers { pool, task: batch.task, caller: Caller::of_batch(batch, slot) };
    batch.work(
        &*pool.0.tasks,
        &helpers,
        &BatchWorker { pool, slot, batch, place, recorder, queued_at, is_traced: Cell::new(false) },
    );
    let ended = pool.0.age();
    recorder.end_cpu(batch.task, ended - now);
    tally.left(task, now, ended);
    tally.run_ended(ended);
    ended
}
