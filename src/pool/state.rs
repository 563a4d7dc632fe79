//! The state of a pool, under its one lock.

use std::time::Instant;

use super::config::Config;
use super::counters::Tally;
use super::execute::Tasks;
use super::queue::Queue;
use super::script_state::Scripts;
use super::threads::Threads;
use crate::cancel::CancelToken;
use crate::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use crate::sync::{Arc, Condvar, Mutex, MutexGuard};

/// A pool: one queue, native threads, and script workers. Cheap to clone; all clones are the same pool.
#[derive(Clone)]
pub struct Pool(pub(super) Arc<Shared>);

pub(super) struct Shared {
    pub(super) config: Config,
    pub(super) tasks: Tasks,
    pub(super) made: Instant,
    /// Counts the tasks that are dropped while they wait, outside of the pool's lock. This lock is a leaf: no other is
    /// taken under it.
    pub(super) given_up: Mutex<Tally>,
    hints: QueueHints,
    pub(super) state: Mutex<State>,
    /// Where native threads park.
    pub(super) thread_work: Condvar,
    /// Where script workers wait in place.
    pub(super) script_work: Condvar,
}

/// The part of the queue's state that can be read without the lock. On cache lines of its own: every submission writes it,
/// and the fields beside it in [`Shared`] are read for every task.
#[repr(align(128))]
struct QueueHints {
    /// How many entries native threads could take: for a searching thread.
    takeable: AtomicUsize,
    /// The highest priority that waits: for a thread inside a batch.
    top_priority: AtomicI32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// No new work; accepted work is finished.
    Draining,
}

pub(super) struct State {
    pub(super) phase: Phase,
    pub(super) queue: Queue,
    pub(super) threads: Threads,
    pub(super) scripts: Scripts,
    /// Counts under the lock: all submissions, and the tasks of script workers.
    pub(super) tally: Tally,
    /// To be called once the pool has closed.
    pub(super) when_closed: Vec<Box<dyn FnOnce() + Send>>,
    /// Calls of `close` and `cancel` that are still answering the entries that they took from the queue: the pool closes after
    /// them.
    pub(super) answering: usize,
}

impl State {
    /// Every token by which something that runs can be stopped.
    pub(super) fn tokens(&self) -> impl Iterator<Item = &CancelToken> {
        self.threads.tokens().chain(self.scripts.tokens())
    }
}

impl Pool {
    /// A pool that runs these tasks. Threads start when there is work for them.
    pub fn new(config: Config, tasks: Tasks) -> Self {
        let made = Instant::now();
        let state = State {
            phase: Phase::Open,
            queue: Queue::new(),
            threads: Threads::default(),
            scripts: Scripts::new(),
            tally: Tally::new(made),
            when_closed: Vec::new(),
            answering: 0,
        };
        let hints = QueueHints { takeable: AtomicUsize::new(0), top_priority: AtomicI32::new(i32::MIN) };
        Pool(Arc::new(Shared {
            config,
            tasks,
            made,
            given_up: Mutex::new(Tally::new(made)),
            hints,
            state: Mutex::new(state),
            thread_work: Condvar::new(),
            script_work: Condvar::new(),
        }))
    }

    /// Calls the functions that wait for the end of the pool, if it has come.
    pub(super) fn announce_if_closed(&self, mut state: MutexGuard<'_, State>) {
        let nothing_runs = state.threads.alive() == 0 && state.answering == 0;
        if state.phase == Phase::Draining && nothing_runs && state.scripts.are_gone(&state.queue) {
            let announce = std::mem::take(&mut state.when_closed);
            drop(state);
            for tell in announce {
                tell();
            }
        }
    }
}

impl Shared {
    /// Publishes the hints. To be called under the lock after each change of what native threads can take.
    pub(super) fn publish_hints(&self, queue: &Queue) {
        // Relaxed: they only end a search or a batch early; the queue itself is read under the lock.
        self.hints.takeable.store(queue.takeable_by_threads(), Ordering::Relaxed);
        self.hints.top_priority.store(queue.top_native_priority(), Ordering::Relaxed);
    }

    /// Whether the queue holds something for native threads, as far as can be seen without the lock.
    pub(super) fn seems_takeable(&self) -> bool {
        self.hints.takeable.load(Ordering::Relaxed) > 0
    }

    /// Whether something of a higher priority waits: a batch makes way for it between two chunks.
    pub(super) fn outranks(&self, priority: i32) -> bool {
        self.hints.top_priority.load(Ordering::Relaxed) > priority
    }
}
