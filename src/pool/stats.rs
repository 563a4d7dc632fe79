//! A pool at one moment.

use std::time::Duration;

use super::counters::Totals;
use super::position::Taker;
use super::state::{Pool, State};

/// The counters of a pool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Threads alive.
    pub threads: usize,
    /// Threads without work.
    pub idle: usize,
    /// Script workers alive or starting.
    pub workers: usize,
    /// Script workers among them without work.
    pub idle_workers: usize,
    /// Entries waiting in the queue. A batch is one.
    pub queued: usize,
    /// Tasks being run: of a batch as many as there are threads in it; a task that several threads work on is one.
    pub running: usize,
    /// Tasks accepted since the pool was made.
    pub submitted: u64,
    /// Tasks that returned a value.
    pub completed: u64,
    /// Tasks that reported an error or panicked.
    pub failed: u64,
    /// Tasks cancelled, timed out or dropped by a forced close; inputs of a batch that were dropped.
    pub cancelled: u64,
    /// Time spent waiting in the queue, all started entries together.
    pub wait: Duration,
    /// Time spent running, all threads together.
    pub run: Duration,
    /// The part of that of native threads.
    pub native_run: Duration,
    /// The time that threads and script workers could have run, so many of each kind as there might be, all together. Native
    /// threads of a pool with script workers count once it has had some.
    pub capacity: Duration,
    /// The part of that of native threads.
    pub native_capacity: Duration,
    /// Threads kept even when idle.
    pub min_threads: usize,
    /// Threads there may be.
    pub max_threads: usize,
    /// Who has said how many, as in [`Config`](super::Config).
    pub max_threads_from: u32,
}

impl Pool {
    /// The sums of all that is counted.
    pub(super) fn totals(&self, state: &State) -> Totals {
        let now = self.0.age();
        let mut totals = state.tally.totals(now);
        totals += self.0.given_up.lock().totals(now);
        state.threads.tallies().for_each(|tally| totals += tally.totals(now));
        totals
    }

    /// The pool's counters at this moment.
    pub fn stats(&self) -> Stats {
        let shared = &*self.0;
        let state = shared.lock();
        let now = shared.age();
        let totals = self.totals(&state);
        let native_run = state.threads.tallies().map(|tally| tally.totals(now).run).sum();
        // A thread that has answered its job counts as free, though it has not come back for the next.
        let at_work = state.threads.busy() - state.threads.returning();
        let scripts = &state.scripts.capacity;
        let counts_native = scripts.get() == 0 || state.threads.most() > 0;
        let native = if counts_native { state.threads.max().time(now) } else { Duration::ZERO };
        Stats {
            threads: state.threads.alive(),
            idle: state.threads.alive() - at_work,
            workers: state.scripts.living(),
            idle_workers: state.scripts.idle(),
            queued: Taker::ALL.iter().map(|taker| state.waiting(*taker)).sum(),
            running: at_work - state.threads.stealing() + state.scripts.busy(),
            submitted: totals.submitted,
            completed: totals.completed,
            failed: totals.failed,
            cancelled: totals.cancelled,
            wait: totals.wait,
            run: totals.run,
            native_run,
            capacity: native + scripts.time(now),
            native_capacity: native,
            min_threads: state.threads.min(),
            max_threads: state.threads.max().get(),
            max_threads_from: state.threads.max_from(),
        }
    }
}
