//! How long tasks take from their submission until JavaScript gets the answer.
//!
//! The answering thread sends along when the task was submitted; the clock is looked at once for a batch of answers. Of a burst many
//! tasks were submitted at once and are delivered at once, so equal times are recorded together.
//!
//! Recorded on the environment's thread, and read there: nothing is shared.

use std::cell::RefCell;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Instant;

use crate::pool::{Pool, Times, Trip};

/// Of the pools that an environment has made, by their number in the process: each task's round trips.
#[derive(Default)]
pub(super) struct RoundTrips(RefCell<HashMap<NonZeroU32, OfPool>>);

struct OfPool {
    made: Instant,
    tasks: Vec<Option<Box<Times>>>,
}

impl RoundTrips {
    /// Records from now on those of this pool.
    pub(super) fn open(&self, pool: &Pool) {
        self.0
            .borrow_mut()
            .entry(pool.number())
            .or_insert_with(|| OfPool { made: pool.made(), tasks: Vec::new() });
    }

    /// Forgets those of this pool.
    pub(super) fn close(&self, pool: NonZeroU32) {
        let closed = self.0.borrow_mut().remove(&pool);
        drop(closed);
    }

    /// Calls `take` with each task's number ([`Trip::task`]) and times; with `reset` they begin anew.
    pub(super) fn read(&self, pool: NonZeroU32, reset: bool, mut take: impl FnMut(usize, &Times)) {
        let mut pools = self.0.borrow_mut();
        let Some(pool) = pools.get_mut(&pool) else { return };
        for (task, times) in pool.tasks.iter_mut().enumerate() {
            let Some(times) = times else { continue };
            take(task, times);
            if reset {
                times.reset();
            }
        }
    }

    /// For a batch of answers.
    pub(super) fn arrivals(&self) -> Arrivals<'_> {
        Arrivals { trips: self, last: None, count: 0, now: None }
    }

    fn record(&self, trip: Trip, count: u64, now: &mut Option<(NonZeroU32, u64)>) {
        let mut pools = self.0.borrow_mut();
        let Some(OfPool { made, tasks }) = pools.get_mut(&trip.pool) else { return };
        let now = match *now {
            Some((of, now)) if of == trip.pool => now,
            _ => {
                let age = u64::try_from(made.elapsed().as_nanos()).unwrap_or(u64::MAX);
                now.insert((trip.pool, age)).1
            }
        };
        if tasks.len() <= trip.task() {
            tasks.resize_with(trip.task() + 1, || None);
        }
        let times = tasks[trip.task()].get_or_insert_default();
        times.record(now.saturating_sub(trip.queued_at), count);
    }
}

/// The answers of one batch.
pub(super) struct Arrivals<'environment> {
    trips: &'environment RoundTrips,
    /// What came last, and how often in a row.
    last: Option<Trip>,
    count: u64,
    /// When the batch is delivered, in the time of this pool.
    now: Option<(NonZeroU32, u64)>,
}

impl Arrivals<'_> {
    /// An answer is among them.
    #[inline]
    pub(super) fn ended(&mut self, trip: Option<Trip>) {
        if trip == self.last {
            self.count += 1;
        } else {
            self.record();
            self.last = trip;
            self.count = 1;
        }
    }

    /// Records what came last.
    pub(super) fn record(&mut self) {
        if let Some(trip) = self.last.take() {
            self.trips.record(trip, self.count, &mut self.now);
        }
        self.count = 0;
    }
}
