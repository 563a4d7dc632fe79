//! The native threads of a pool: a slot for each, and the counts. `parking.rs` has the protocol.

use super::Config;
use super::counters::Tally;
use crate::cancel::CancelToken;
use crate::sync::Arc;
use crate::sync::atomic::{AtomicBool, Ordering};

/// The part of a slot that its thread and the pool share. On cache lines of its own: the thread writes it for every task.
/// 128: two lines, since processors fetch them in pairs.
#[repr(align(128))]
pub(super) struct SlotShared {
    pub(super) tally: Tally,
    /// Stops the job that runs here when the pool is closed by force: the token of jobs that have none of their own.
    pub(super) stop: CancelToken,
    /// Whether the thread has answered all it held, and may be about to look at the queue.
    answered: AtomicBool,
}

impl SlotShared {
    /// Whether the thread has nothing more to do before it looks at the queue. Set before it answers: the event queue's
    /// lock then brings it to the thread that reads the answer.
    pub(super) fn set_answered(&self, answered: bool) {
        self.answered.store(answered, Ordering::Relaxed);
    }

    fn has_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }
}

/// A slot as its thread knows it.
pub(super) struct WorkerSlot {
    pub(super) number: usize,
    pub(super) shared: Arc<SlotShared>,
}

/// The present activity of a slot's thread.
pub(super) enum Activity {
    /// There is no thread.
    Vacant,
    Idle,
    /// A job or a batch, with this token; a job without one is stopped by the slot's.
    Running(Option<CancelToken>),
    /// Parts of another thread's task, with that task's token.
    Stealing(CancelToken),
}

/// A slot of the table. Slots are used again, and keep what their threads have counted.
struct Slot {
    activity: Activity,
    shared: Arc<SlotShared>,
}

/// The table of slots, and how many threads are in which state.
#[derive(Default)]
pub(super) struct Threads {
    slots: Vec<Slot>,
    /// Threads alive.
    alive: usize,
    /// Threads that run or steal.
    busy: usize,
    /// Whether a thread looks for work before it parks.
    pub(super) searching: bool,
    pub(super) parked: usize,
    /// Parked threads that a submitter has counted out of `parked`, and that have not woken yet.
    pub(super) claims: usize,
    /// Threads that were started and have not looked at the queue yet.
    pub(super) starting: usize,
}

impl Threads {
    pub(super) fn alive(&self) -> usize {
        self.alive
    }

    pub(super) fn busy(&self) -> usize {
        self.busy
    }

    /// How many could take up an entry now, those that are not started yet included.
    pub(super) fn free(&self, config: &Config) -> usize {
        config.max_threads - self.busy
    }

    /// Threads that count as busy, hold nothing that is not answered, and have not come back yet.
    pub(super) fn returning(&self) -> usize {
        let is_returning =
            |slot: &&Slot| matches!(slot.activity, Activity::Running(_)) && slot.shared.has_answered();
        self.slots.iter().filter(is_returning).count()
    }

    /// Threads that work for another thread's task.
    pub(super) fn stealing(&self) -> usize {
        self.slots.iter().filter(|slot| matches!(slot.activity, Activity::Stealing(_))).count()
    }

    /// The most there were at one time.
    pub(super) fn most(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn tallies(&self) -> impl Iterator<Item = &Tally> {
        self.slots.iter().map(|slot| &slot.shared.tally)
    }

    /// Every token by which something that runs can be stopped.
    pub(super) fn tokens(&self) -> impl Iterator<Item = &CancelToken> {
        self.slots.iter().flat_map(|slot| {
            let own = match &slot.activity {
                Activity::Running(own) => own.as_ref(),
                Activity::Stealing(own) => Some(own),
                Activity::Vacant | Activity::Idle => None,
            };
            std::iter::once(&slot.shared.stop).chain(own)
        })
    }

    /// A slot without a thread, for one that is about to be started.
    pub(super) fn vacant(&mut self, tally: impl FnOnce() -> Tally) -> WorkerSlot {
        let vacant = self.slots.iter().position(|slot| matches!(slot.activity, Activity::Vacant));
        let number = vacant.unwrap_or_else(|| {
            let (stop, answered) = (CancelToken::new(None), AtomicBool::new(false));
            let shared = Arc::new(SlotShared { tally: tally(), stop, answered });
            self.slots.push(Slot { activity: Activity::Vacant, shared });
            self.slots.len() - 1
        });
        WorkerSlot { number, shared: Arc::clone(&self.slots[number].shared) }
    }

    /// The thread of a vacant slot was started.
    pub(super) fn started(&mut self, number: usize) {
        self.slots[number].activity = Activity::Idle;
        self.alive += 1;
        self.starting += 1;
    }

    /// A thread is done with its work.
    pub(super) fn idle(&mut self, number: usize) {
        let before = std::mem::replace(&mut self.slots[number].activity, Activity::Idle);
        if !matches!(before, Activity::Vacant | Activity::Idle) {
            self.busy -= 1;
        }
    }

    /// An idle thread begins something. `answered`: it holds nothing yet that is to be answered.
    pub(super) fn begin(&mut self, number: usize, activity: Activity, answered: bool) {
        let slot = &mut self.slots[number];
        slot.shared.set_answered(answered);
        slot.activity = activity;
        self.busy += 1;
    }

    /// An idle thread has ended.
    pub(super) fn ended(&mut self, number: usize) {
        self.slots[number].activity = Activity::Vacant;
        self.alive -= 1;
    }
}
