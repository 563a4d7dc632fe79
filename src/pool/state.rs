//! The state of a pool, under its one lock.

use std::num::NonZeroU32;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU32 as PlainU32;

use super::config::Config;
use super::counters::{Tally, age_at};
use super::estimates::Estimates;
use super::execute::Tasks;
use super::gate::Gate;
use super::intake::Intake;
use super::queue::Queue;
use super::rank::{Place, Rank};
use super::script_state::Scripts;
use super::task_observer::Age;
use super::task_times::TimesByTask;
use super::threads::Threads;
use super::trace::TraceState;
use crate::cancel::CancelToken;
use crate::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, AtomicUsize, Ordering};
use crate::sync::{Arc, Condvar, Instant, Mutex, MutexGuard};

/// A pool: one queue, native threads, and script workers. Cheap to clone; all clones are the same pool.
#[derive(Clone)]
pub struct Pool(pub(super) Arc<Shared>);

/// Counts the pools of the process: no protocol depends on it.
static POOLS: PlainU32 = PlainU32::new(0);

pub(super) struct Shared {
    /// Which of the process's pools it is.
    pub(super) number: NonZeroU32,
    pub(super) config: Config,
    pub(super) tasks: Tasks,
    pub(super) made: Instant,
    /// Counts the tasks that are dropped while they wait, outside of the pool's lock. This lock is a leaf: no other is
    /// taken under it.
    pub(super) given_up: Mutex<Tally>,
    hints: QueueHints,
    pub(super) estimates: Estimates,
    /// How many records of each thread a trace keeps; 0 while nobody traces.
    traces: AtomicUsize,
    /// Where the owner puts small tasks without a call, once it has asked for that.
    pub(super) intake: OnceLock<Intake>,
    /// Taken by [`Shared::lock`] alone.
    pub(super) state: Mutex<State>,
    /// Where native threads sleep until they are woken.
    pub(super) thread_work: Condvar,
    /// Where one of them dozes.
    pub(super) nap: Condvar,
    /// Where script workers wait in place.
    pub(super) script_work: Condvar,
}

/// The part of the queue's state that can be read without the lock. On cache lines of its own: every submission writes it,
/// and the fields beside it in [`Shared`] are read for every task.
#[repr(align(128))]
struct QueueHints {
    /// How many entries native threads could take: for a searching thread.
    takeable: AtomicUsize,
    /// The rank of what comes first, and its priority: for a thread inside a batch.
    first_rank: AtomicI64,
    first_priority: AtomicI32,
    /// Whether more threads are awake than may be: for a thread inside a batch.
    surplus: AtomicBool,
    /// Whether somebody waits for room in the queue.
    room_is_wanted: AtomicBool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// No new work; accepted work is finished.
    Draining,
}

pub(super) struct State {
    pub(super) phase: Phase,
    /// The pool's number in the process, and when it was made.
    pub(super) pool: NonZeroU32,
    made: Instant,
    /// How much of the intake is in the queue.
    pub(super) intake_head: u32,
    /// What the intake's writer was told last.
    needs_wake: bool,
    pub(super) queue: Queue,
    /// Where entries wait before they get into the queue, in a pool whose order is to be repeated.
    pub(super) gate: Option<Gate>,
    pub(super) threads: Threads,
    pub(super) scripts: Scripts,
    /// Counts under the lock: all submissions, and the tasks of script workers.
    pub(super) tally: Tally,
    /// The times of the tasks of script workers.
    pub(super) script_times: TimesByTask,
    pub(super) trace: TraceState,
    /// To be called once there is room in the queue.
    pub(super) when_room: Vec<Box<dyn FnOnce() + Send>>,
    /// To be called once the pool has closed.
    pub(super) when_closed: Vec<Box<dyn FnOnce() + Send>>,
    /// Calls of `close` and `cancel` that are still answering the entries that they took from the queue: the pool closes after
    /// them.
    pub(super) answering: usize,
}

impl State {
    pub(super) fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// Whether it has closed: nothing of it is under way, and nobody is there who could wait for a task that comes now.
    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Draining
            && self.threads.alive() == 0
            && self.answering == 0
            && self.gate_is_empty()
            && self.scripts.are_gone(&self.queue)
    }

    pub(super) fn age_at(&self, at: Instant) -> Age {
        age_at(self.made, at)
    }

    /// The intake is new: its writer knows nothing yet, and makes a call for each task.
    pub(super) fn forget_needs_wake(&mut self) {
        self.needs_wake = true;
    }

    /// Every token by which something that runs can be stopped.
    pub(super) fn tokens(&self) -> impl Iterator<Item = &CancelToken> {
        self.threads.tokens().chain(self.scripts.tokens())
    }
}

impl Pool {
    /// A pool that runs these tasks. Threads start when there is work for them.
    pub fn new(config: Config, tasks: Tasks) -> Self {
        let made = Instant::now();
        // After four milliards two may have the same: then their round trips count together.
        let number = POOLS.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let number = NonZeroU32::new(number).unwrap_or(NonZeroU32::MAX);
        let mut scripts = Scripts::new();
        let state = State {
            phase: Phase::Open,
            pool: number,
            made,
            intake_head: 0,
            needs_wake: false,
            gate: Gate::new(&config),
            queue: Queue::new(&config, |name| scripts.functions.number(name)),
            threads: Threads::new(&config),
            scripts,
            tally: Tally::default(),
            script_times: TimesByTask::default(),
            trace: TraceState::default(),
            when_room: Vec::new(),
            when_closed: Vec::new(),
            answering: 0,
        };
        let hints = QueueHints {
            takeable: AtomicUsize::new(0),
            first_rank: AtomicI64::new(Place::LAST.rank.0),
            first_priority: AtomicI32::new(Place::LAST.priority),
            surplus: AtomicBool::new(false),
            room_is_wanted: AtomicBool::new(false),
        };
        Pool(Arc::new(Shared {
            number,
            config,
            tasks,
            made,
            given_up: Mutex::new(Tally::default()),
            hints,
            estimates: Estimates::default(),
            traces: AtomicUsize::new(0),
            intake: OnceLock::new(),
            state: Mutex::new(state),
            thread_work: Condvar::new(),
            nap: Condvar::new(),
            script_work: Condvar::new(),
        }))
    }

    /// Whether several may have it open, as its settings say.
    pub fn is_shared(&self) -> bool {
        self.0.config.shared
    }

    /// Whether it is the same pool.
    pub fn is(&self, other: &Pool) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Which of the process's pools it is.
    pub fn number(&self) -> NonZeroU32 {
        self.0.number
    }

    /// When it was made.
    pub fn made(&self) -> Instant {
        self.0.made
    }

    /// Calls the functions that wait for the end of the pool, if it has come.
    pub(super) fn announce_if_closed(&self, mut state: MutexGuard<'_, State>) {
        if state.is_over() {
            let announce = std::mem::take(&mut state.when_closed);
            drop(state);
            for tell in announce {
                tell();
            }
        }
    }
}

impl Shared {
    /// Tells the threads, and the writer of the intake, what they may know without the lock. To be called under the lock after
    /// each change of what native threads can take, or of what they do.
    pub(super) fn publish(&self, state: &mut State) {
        let needs_wake = state.threads.need_wake();
        if needs_wake != state.needs_wake {
            state.needs_wake = needs_wake;
            self.tell_needs_wake(needs_wake);
            if needs_wake {
                // The writer may have seen the old answer: from here on it is for this thread to see to that record.
                self.collect(state);
            }
        }
        state.trace_queue(|| self.age());
        // Relaxed: they only end a search or a batch early; the queue itself is read under the lock.
        self.hints.takeable.store(state.queue.takeable_by_threads(), Ordering::Relaxed);
        let first = state.queue.first_native_place();
        self.hints.first_rank.store(first.rank.0, Ordering::Relaxed);
        self.hints.first_priority.store(first.priority, Ordering::Relaxed);
        self.hints.surplus.store(state.threads.is_over(), Ordering::Relaxed);
    }

    /// Whether there is something for native threads, as far as can be seen without the lock.
    pub(super) fn seems_takeable(&self) -> bool {
        self.hints.takeable.load(Ordering::Relaxed) > 0 || self.intake.get().is_some_and(Intake::seems_filled)
    }

    /// How many records of each thread a trace keeps; 0 while nobody traces.
    pub(super) fn traces(&self) -> usize {
        // Relaxed: a record more or less.
        self.traces.load(Ordering::Relaxed)
    }

    pub(super) fn set_traces(&self, records: usize) {
        self.traces.store(records, Ordering::Relaxed);
    }

    /// How old the pool is.
    pub(super) fn age(&self) -> Age {
        age_at(self.made, Instant::now())
    }

    pub(super) fn age_at(&self, at: Instant) -> Age {
        age_at(self.made, at)
    }

    /// Whether somebody waits for room in the queue. Who asks looks for room after it has set this, under the lock.
    pub(super) fn room_is_wanted(&self) -> bool {
        self.hints.room_is_wanted.load(Ordering::Relaxed)
    }

    /// To be called under the lock.
    pub(super) fn set_room_is_wanted(&self, is_wanted: bool) {
        self.hints.room_is_wanted.store(is_wanted, Ordering::Relaxed);
    }

    /// Whether there are more threads than there may be, as far as can be seen without the lock: a thread inside a batch looks at
    /// the queue between two chunks, where it ends if it is one of them.
    pub(super) fn has_surplus(&self) -> bool {
        self.hints.surplus.load(Ordering::Relaxed)
    }

    /// Whether something waits that goes before what a thread has begun, as far as can be seen without the lock: a batch makes way for
    /// it between two chunks.
    pub(super) fn outranks(&self, begun: &Place) -> bool {
        let rank = Rank(self.hints.first_rank.load(Ordering::Relaxed));
        // Asked for each task, and as a rule nothing does.
        if rank >= begun.rank {
            return false;
        }
        let priority = self.hints.first_priority.load(Ordering::Relaxed);
        self.config.rule().goes_above(rank, priority, begun)
    }
}
