//! How long tasks take from their submission until JavaScript gets the answer.
//!
//! The answering thread sends along when the task was submitted; the clock is looked at once for a batch of answers. Of a burst many
//! tasks were submitted at once and are delivered at once, so equal times are recorded together.
//!
//! Recorded on the environment's thread, and read there: nothing is shared.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Instant;

use crate::pool::{Pool, Ring, Times, TraceNumbers, Trip, lane, nanos};

/// Of the pools that an environment has made, by their number in the process: each task's round trips. Not by hash: they are few, and
/// looked for with each batch of answers.
#[derive(Default)]
pub(super) struct RoundTrips {
    pools: RefCell<BTreeMap<NonZeroU32, OfPool>>,
    /// How many traces there are of them.
    traces: Cell<usize>,
}

struct OfPool {
    /// How often it is open here.
    handles: usize,
    made: Instant,
    tasks: Vec<Option<Box<Times>>>,
    /// Of traces: how many answers each wants to be kept.
    traces: Vec<usize>,
    answers: Ring<Answered>,
}

/// An answer that JavaScript has got: to which task, and in which time the batch was delivered, in the pool's time.
struct Answered {
    id: u64,
    began: u64,
    ended: u64,
}

impl RoundTrips {
    /// Records from now on those of this pool.
    pub(super) fn open(&self, pool: &Pool) {
        let mut pools = self.pools.borrow_mut();
        let pool = pools.entry(pool.number()).or_insert_with(|| OfPool {
            handles: 0,
            made: pool.made(),
            tasks: Vec::new(),
            traces: Vec::new(),
            answers: Ring::default(),
        });
        pool.handles += 1;
    }

    /// Forgets those of this pool, if it was opened no further time.
    pub(super) fn close(&self, pool: NonZeroU32) {
        let mut pools = self.pools.borrow_mut();
        let Some(open) = pools.get_mut(&pool) else { return };
        open.handles -= 1;
        if open.handles == 0 {
            self.traces.set(self.traces.get() - open.traces.len());
            pools.remove(&pool);
        }
    }

    /// Keeps the last so many answers, for one more trace.
    pub(super) fn open_trace(&self, pool: NonZeroU32, capacity: usize) {
        if let Some(pool) = self.pools.borrow_mut().get_mut(&pool) {
            pool.traces.push(capacity);
            self.traces.set(self.traces.get() + 1);
        }
    }

    /// A trace that wanted so many has ended.
    pub(super) fn close_trace(&self, pool: NonZeroU32, capacity: usize) {
        let mut pools = self.pools.borrow_mut();
        let Some(pool) = pools.get_mut(&pool) else { return };
        if let Some(at) = pool.traces.iter().position(|wanted| *wanted == capacity) {
            pool.traces.swap_remove(at);
            self.traces.set(self.traces.get() - 1);
        }
        if pool.traces.is_empty() {
            pool.answers = Ring::default();
        }
    }

    /// Adds the answers to what a trace reads.
    pub(super) fn show_answers(&self, pool: NonZeroU32, numbers: &mut TraceNumbers) {
        if let Some(pool) = self.pools.borrow().get(&pool) {
            #[allow(clippy::cast_precision_loss)] // ids are below 2^53; of times a microsecond is shown
            numbers.lane((lane::DELIVERED, 0), &pool.answers, &[], |answer| {
                let Answered { id, began, ended } = answer;
                ([*id as f64, *began as f64, *ended as f64, 0.0, 0.0, 0.0, 0.0], false)
            });
        }
    }

    /// Calls `take` with each task's number ([`Trip::task`]) and times; with `reset` they begin anew.
    pub(super) fn read(&self, pool: NonZeroU32, reset: bool, mut take: impl FnMut(usize, &Times)) {
        let mut pools = self.pools.borrow_mut();
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
        Arrivals {
            trips: self,
            last: None,
            count: 0,
            now: None,
            traced: (self.traces.get() > 0).then(Vec::new),
        }
    }

    fn record(&self, trip: Trip, count: u64, now: &mut Option<(NonZeroU32, u64)>) {
        let mut pools = self.pools.borrow_mut();
        let Some(OfPool { made, tasks, .. }) = pools.get_mut(&trip.pool) else { return };
        let now = match *now {
            Some((of, now)) if of == trip.pool => now,
            _ => {
                let age = nanos(made.elapsed());
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
    /// While pools are traced: the answers to their tasks.
    traced: Option<Vec<(NonZeroU32, u64)>>,
}

impl Arrivals<'_> {
    /// An answer is among them.
    #[inline]
    pub(super) fn ended(&mut self, id: u64, trip: Option<Trip>) {
        if let (Some(traced), Some(trip)) = (&mut self.traced, trip) {
            traced.push((trip.pool, id));
        }
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

    /// When JavaScript begins to read them, while they are traced.
    pub(super) fn begins(&self) -> Option<Instant> {
        self.traced.as_ref().map(|_| Instant::now())
    }

    /// JavaScript has read them.
    #[inline]
    pub(super) fn ends(&mut self, began: Option<Instant>) {
        if let Some(began) = began {
            self.keep_traced(began);
        }
    }

    fn keep_traced(&mut self, began: Instant) {
        let Some(traced) = self.traced.take() else { return };
        let now = Instant::now();
        let mut pools = self.trips.pools.borrow_mut();
        for (pool, id) in traced {
            let Some(OfPool { made, traces, answers, .. }) = pools.get_mut(&pool) else { continue };
            let Some(capacity) = traces.iter().copied().max() else { continue };
            let age = |at: Instant| nanos(at.saturating_duration_since(*made));
            answers.push(capacity, Answered { id, began: age(began), ended: age(now) });
        }
    }
}
