//! A pool at one moment.

use std::time::Duration;

use super::position::Taker;
use super::state::Pool;

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
    /// Threads it has had at one time, at the most.
    pub most_threads: usize,
}

impl Pool {
    /// The pool's counters at this moment.
    pub fn stats(&self) -> Stats {
        let shared = &*self.0;
        let state = shared.lock();
        let now = shared.age();
        let mut totals = state.tally.totals(now);
        totals += shared.given_up.lock().totals(now);
        let mut native_run = Duration::ZERO;
        for tally in state.threads.tallies() {
            let native = tally.totals(now);
            native_run += native.run;
            totals += native;
        }
        // A thread that has answered its job counts as free, though it has not come back for the next.
        let at_work = state.threads.busy() - state.threads.returning();
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
            most_threads: state.threads.most(),
        }
    }
}
