//! The counters of a pool.
//!
//! Each native thread's slot has a tally of its own, on cache lines of its own, and only that thread writes to it: so
//! counting costs no contended atomic. A reader adds the tallies up.

use std::ops::AddAssign;
use std::time::Duration;

use super::position::Taker;
use super::task_observer::{Age, End, TaskObserver, TaskRef};
use super::task_times::nanos;
use crate::sync::Instant;
use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A number that one thread at a time writes and any thread reads. Relaxed: it is a number to look at and orders nothing.
#[derive(Default)]
struct Count(AtomicU64);

impl Count {
    fn add(&self, amount: u64) {
        // Not a read-modify-write: no other thread writes.
        self.0.store(self.0.load(Relaxed).wrapping_add(amount), Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Time spent running, the task under way included.
///
/// One word, so that a reader never sees a task counted twice or not at all: while a task runs, the sum is the time spent
/// before, less the time at which it began; the reader adds the present time.
#[derive(Default)]
struct RunTime(AtomicU64);

impl RunTime {
    const UNDER_WAY: u64 = 1 << 63;

    /// A task begins `now` nanoseconds after the pool was made; none is under way.
    fn begin(&self, now: u64) {
        let spent = self.0.load(Relaxed);
        self.0.store(spent.wrapping_sub(now) | Self::UNDER_WAY, Relaxed);
    }

    fn end(&self, now: u64) {
        let began = self.0.load(Relaxed);
        self.0.store(began.wrapping_add(now) & !Self::UNDER_WAY, Relaxed);
    }

    fn add(&self, amount: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_add(amount) & !Self::UNDER_WAY, Relaxed);
    }

    fn get(&self, now: u64) -> u64 {
        let spent = self.0.load(Relaxed);
        let under_way = spent & Self::UNDER_WAY != 0;
        (if under_way { spent.wrapping_add(now) } else { spent }) & !Self::UNDER_WAY
    }
}

/// The counters of one writer.
#[derive(Default)]
pub(super) struct Tally {
    submitted: Count,
    completed: Count,
    failed: Count,
    cancelled: Count,
    wait_nanos: Count,
    run: RunTime,
}

/// The sum of tallies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) submitted: u64,
    pub(super) completed: u64,
    pub(super) failed: u64,
    pub(super) cancelled: u64,
    pub(super) wait: Duration,
    pub(super) run: Duration,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.submitted = self.submitted.wrapping_add(other.submitted);
        self.completed += other.completed;
        self.failed += other.failed;
        self.cancelled += other.cancelled;
        self.wait += other.wait;
        self.run += other.run;
    }
}

impl Tally {
    /// The thread begins to run something.
    pub(super) fn run_began(&self, at: Age) {
        self.run.begin(at);
    }

    /// It has ended.
    pub(super) fn run_ended(&self, at: Age) {
        self.run.end(at);
    }

    /// The counters at this moment.
    pub(super) fn totals(&self, now: Age) -> Totals {
        Totals {
            submitted: self.submitted.get(),
            completed: self.completed.get(),
            failed: self.failed.get(),
            cancelled: self.cancelled.get(),
            wait: Duration::from_nanos(self.wait_nanos.get()),
            run: Duration::from_nanos(self.run.get(now)),
        }
    }
}

impl TaskObserver for Tally {
    fn queued(&self, _: TaskRef, count: usize, _: Age) {
        self.submitted.add(count as u64);
    }

    fn retracted(&self, _: TaskRef) {
        self.submitted.add(1_u64.wrapping_neg());
    }

    fn started(&self, _: TaskRef, queued_at: Age, at: Age) {
        self.wait_nanos.add(at.saturating_sub(queued_at));
    }

    fn left(&self, task: TaskRef, started: Age, at: Age) {
        match task.taker {
            // `run_began` and `run_ended` say how long it runs, for many short tasks at once.
            Taker::Native => {}
            // A script worker may run several at a time, and all of them share a tally: time under way is not shown.
            Taker::Script => self.run.add(at.saturating_sub(started)),
        }
    }

    fn ended(&self, _: TaskRef, end: End, count: usize) {
        let counter = match end {
            End::Completed => &self.completed,
            End::Failed => &self.failed,
            End::Cancelled => &self.cancelled,
        };
        counter.add(count as u64);
    }
}

/// The time from `made` to `at`.
pub(super) fn age_at(made: Instant, at: Instant) -> Age {
    nanos(at.saturating_duration_since(made))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn run_time_counts_the_task_under_way() {
        let run = RunTime::default();
        assert_eq!(run.get(50), 0);
        run.begin(100);
        assert_eq!(run.get(130), 30);
        run.end(150);
        assert_eq!(run.get(900), 50);
        run.begin(1_000);
        assert_eq!(run.get(1_000), 50);
        run.end(1_001);
        run.add(9);
        assert_eq!(run.get(5_000), 60);
    }

    #[test]
    fn an_age_is_in_nanoseconds_and_never_negative() {
        let made = Instant::now();
        assert_eq!(age_at(made, made + Duration::new(7, 8)), 7_000_000_008);
        assert_eq!(age_at(made + Duration::from_secs(1), made), 0);
    }

    #[test]
    fn a_tally_shows_the_native_task_under_way_and_the_script_task_that_has_ended() {
        let after = |millis: u64| millis * 1_000_000;
        let (native, script) = (TaskRef::native(3), TaskRef::script(0));
        let tally = Tally::default();
        tally.queued(native, 2, 0);
        tally.retracted(native);
        tally.started(native, after(10), after(15));
        tally.run_began(after(15));
        assert_eq!(tally.totals(after(18)).run, Duration::from_millis(3));
        tally.left(native, after(15), after(20));
        tally.run_ended(after(20));
        tally.ended(native, End::Failed, 1);
        let scripts = Tally::default();
        scripts.started(script, after(30), after(31));
        assert_eq!(scripts.totals(after(40)).run, Duration::ZERO);
        scripts.left(script, after(31), after(42));
        scripts.ended(script, End::Completed, 1);
        let mut totals = tally.totals(after(50));
        totals += scripts.totals(after(50));
        let (wait, run) = (Duration::from_millis(6), Duration::from_millis(16));
        assert_eq!(totals, Totals { submitted: 1, completed: 1, failed: 1, cancelled: 0, wait, run });
    }
}
