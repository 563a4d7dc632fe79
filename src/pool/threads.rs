//! The native threads of a pool: a slot for each, and the counts. `parking.rs` has the protocol.

use std::collections::VecDeque;

use super::Config;
use super::calling::{self, Calling};
use super::capacity::Capacity;
use super::counters::Tally;
use super::entry::Entry;
use super::keys::Key;
use super::permits::Permits;
use super::rank::Place;
use super::task_observer::Age;
use super::task_times::TimesByTask;
use super::trace::Slices;
use crate::cancel::CancelToken;
use crate::lines::LINES;
use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::sync::{Arc, Mutex};

/// The part of a slot that its thread and the pool share. On cache lines of its own: the thread writes it for every task.
/// 128: two lines, since processors fetch them in pairs.
#[repr(align(128))]
pub(super) struct SlotShared {
    pub(super) tally: Tally,
    /// How long the tasks that ran here have waited and run. A leaf: no other lock is taken under it.
    pub(super) times: Mutex<TimesByTask>,
    /// What has run here while somebody traced. A leaf too.
    pub(super) slices: Mutex<Slices>,
    /// Stops the job that runs here when the pool is closed by force: the token of jobs that have none of their own.
    pub(super) stop: CancelToken,
    /// Whether the thread has answered all it held, and may be about to look at the queue.
    answered: AtomicBool,
    /// Tasks that the thread has taken to run one after the other. Only it takes one of them at a time; another thread takes over
    /// several when this one is late. A leaf: no other lock is taken under it.
    run: Mutex<VecDeque<Entry>>,
    /// How many are in `run`.
    taken: AtomicUsize,
}

/// When a thread should be through with the tasks that it has taken, from when it took them, in nanoseconds. Later than
/// that others take over what it has not begun.
const LATE: Age = 200_000;

impl SlotShared {
    /// Whether the thread has nothing more to do before it looks at the queue. Set before it answers: the event queue's
    /// lock then brings it to the thread that reads the answer.
    pub(super) fn set_answered(&self, answered: bool) {
        self.answered.store(answered, Ordering::Relaxed);
    }

    fn has_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }

    /// Whether there are tasks that its thread has taken and not begun.
    pub(super) fn has_taken(&self) -> bool {
        // Relaxed: only that thread adds to them.
        self.taken.load(Ordering::Relaxed) > 0
    }

    /// The next of the tasks that its thread has taken.
    pub(super) fn next(&self) -> Option<Entry> {
        if !self.has_taken() {
            return None;
        }
        let mut run = self.run.lock();
        let next = run.pop_front();
        self.taken.store(run.len(), Ordering::Relaxed);
        next
    }
}

/// A slot as its thread knows it.
pub(super) struct WorkerSlot {
    pub(super) number: usize,
    /// By which it answers.
    pub(super) line: usize,
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
    /// When its thread took the tasks that it runs one after the other, and the place of the first of them.
    took: Age,
    place: Place,
    /// Whether its thread should be back soon.
    soon: bool,
    /// What its task keeps others from.
    permits: Permits,
    /// Its task has called a function, and waits for the answer.
    calling: Option<Calling>,
}

/// The table of slots, and how many threads are in which state.
pub(super) struct Threads {
    /// How many are kept even when idle.
    min: usize,
    /// How many there may be; at least 1.
    max: Capacity,
    /// The most that there might be at any time.
    largest: usize,
    /// Who has said how many.
    max_from: u32,
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
    /// The parked thread that wakes by itself every now and then (`parking.rs`).
    pub(super) dozing: Option<usize>,
    /// Running threads that should be back soon.
    soon: usize,
    /// Threads whose tasks wait for a function that they have called (`calling.rs`).
    calling: usize,
    /// Whether there ever was one.
    has_called: bool,
    /// So many more than there may be are kept, asleep, for calls to come.
    reserve: usize,
    /// How often a thread has begun something; it wraps.
    pub(super) begun: usize,
}

impl Threads {
    pub(super) fn new(config: &Config) -> Self {
        Threads {
            min: config.min_threads,
            max: Capacity::new(config.max_threads),
            largest: config.max_threads,
            max_from: config.max_threads_from,
            slots: Vec::new(),
            alive: 0,
            busy: 0,
            searching: false,
            parked: 0,
            claims: 0,
            starting: 0,
            dozing: None,
            soon: 0,
            calling: 0,
            has_called: false,
            reserve: 0,
            begun: 0,
        }
    }

    pub(super) fn alive(&self) -> usize {
        self.alive
    }

    /// How many are kept even when idle.
    pub(super) fn min(&self) -> usize {
        self.min
    }

    /// How many there may be, now and over the pool's life.
    pub(super) fn max(&self) -> &Capacity {
        &self.max
    }

    /// Who has said how many there may be.
    pub(super) fn max_from(&self) -> u32 {
        self.max_from
    }

    /// So many are kept, and there may be so many, from now on.
    pub(super) fn resize(&mut self, min: usize, max: usize, from: u32, now: Age) {
        (self.min, self.max_from) = (min, from);
        self.reserve = 0;
        self.largest = self.largest.max(max);
        self.max.set(max, now);
    }

    /// Threads in place of others that call.
    fn substitutes(&self) -> usize {
        // As many more as a smaller size has taken away: what was accepted since a thread would be free for it keeps that.
        self.calling.min(calling::MOST + self.largest - self.max.get())
    }

    /// How many may be awake.
    fn limit(&self) -> usize {
        self.max.get() + self.substitutes()
    }

    /// How many are.
    fn awake(&self) -> usize {
        self.alive - self.parked
    }

    /// Whether one more may wake up, or be started where none sleeps.
    pub(super) fn may_wake(&self) -> bool {
        self.awake() < self.limit()
    }

    /// Whether more are awake than may be: one that is idle sleeps.
    pub(super) fn is_over(&self) -> bool {
        self.awake() > self.limit()
    }

    /// Whether there are more than are kept: the next that is idle ends.
    pub(super) fn has_surplus(&self) -> bool {
        self.alive > self.max.get() + self.reserve.max(self.substitutes())
    }

    /// Whether a native task that waits could be begun though none of those that call gets its answer.
    pub(super) fn can_take(&self) -> bool {
        self.limit() > self.calling
    }

    /// Whether a task of a thread has called a function, so that the next may.
    pub(super) fn may_call(&self) -> bool {
        self.has_called && self.alive > 0
    }

    /// Tasks that wait for a function that they have called: each with its key.
    pub(super) fn calls(&self) -> impl Iterator<Item = (Calling, Option<&Key>)> {
        self.slots.iter().filter_map(|slot| slot.calling.map(|calling| (calling, slot.permits.key())))
    }

    /// How many there are.
    pub(super) fn calling(&self) -> usize {
        self.calling
    }

    /// The task of a thread calls a function: what it gives back meanwhile. Others take over the tasks that the thread has taken.
    pub(super) fn begin_call(&mut self, number: usize, calling: Calling) -> Permits {
        let slot = &mut self.slots[number];
        slot.calling = Some(calling);
        self.soon -= usize::from(std::mem::take(&mut slot.soon));
        self.calling += 1;
        self.has_called = true;
        self.reserve = self.reserve.max(self.substitutes());
        self.slots[number].permits.take_limit()
    }

    /// It has the answer.
    pub(super) fn end_call(&mut self, number: usize) {
        self.slots[number].calling = None;
        self.calling -= 1;
    }

    pub(super) fn busy(&self) -> usize {
        self.busy
    }

    /// How many could take up an entry now, those that are not started yet included.
    pub(super) fn free(&self) -> usize {
        self.limit().saturating_sub(self.busy)
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

    /// What each slot's threads have recorded.
    pub(super) fn shared_parts(&self) -> impl Iterator<Item = &Arc<SlotShared>> {
        self.slots.iter().map(|slot| &slot.shared)
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
    pub(super) fn vacant(&mut self) -> WorkerSlot {
        let vacant = self.slots.iter().position(|slot| matches!(slot.activity, Activity::Vacant));
        let number = vacant.unwrap_or_else(|| {
            let shared = Arc::new(SlotShared {
                tally: Tally::default(),
                times: Mutex::new(TimesByTask::default()),
                slices: Mutex::new(Slices::default()),
                stop: CancelToken::new(None),
                answered: AtomicBool::new(false),
                run: Mutex::new(VecDeque::new()),
                taken: AtomicUsize::new(0),
            });
            self.slots.push(Slot {
                activity: Activity::Vacant,
                shared,
                took: 0,
                place: Place::LAST,
                soon: false,
                permits: Permits::default(),
                calling: None,
            });
            self.slots.len() - 1
        });
        // Not the common line: threads that share one of the others wait for each other, and for nobody else.
        let line = 1 + number % (LINES - 1);
        WorkerSlot { number, line, shared: Arc::clone(&self.slots[number].shared) }
    }

    /// The thread of a vacant slot was started.
    pub(super) fn started(&mut self, number: usize) {
        self.slots[number].activity = Activity::Idle;
        self.alive += 1;
        self.starting += 1;
    }

    /// A thread is done with its work.
    pub(super) fn idle(&mut self, number: usize) {
        let slot = &mut self.slots[number];
        self.soon -= usize::from(std::mem::take(&mut slot.soon));
        let before = std::mem::replace(&mut slot.activity, Activity::Idle);
        if !matches!(before, Activity::Vacant | Activity::Idle) {
            self.busy -= 1;
        }
    }

    /// What the task that a thread runs keeps others from.
    pub(super) fn hold(&mut self, number: usize, permits: Permits) {
        self.slots[number].permits = permits;
    }

    /// The same, once the task has ended.
    pub(super) fn take_permits(&mut self, number: usize) -> Permits {
        std::mem::take(&mut self.slots[number].permits)
    }

    /// An idle thread begins something. `answered`: it holds nothing yet that is to be answered; `soon`: it should be back
    /// soon.
    pub(super) fn begin(&mut self, number: usize, activity: Activity, answered: bool, soon: bool) {
        let slot = &mut self.slots[number];
        slot.shared.set_answered(answered);
        slot.activity = activity;
        slot.soon = soon;
        self.soon += usize::from(soon);
        self.busy += 1;
        self.begun = self.begun.wrapping_add(1);
    }

    /// A thread is about to begin a task that had this place, and takes others with it, which `take` adds, to run them next.
    pub(super) fn take(
        &mut self,
        number: usize,
        place: Place,
        now: Age,
        take: impl FnOnce(&mut VecDeque<Entry>),
    ) {
        let slot = &mut self.slots[number];
        (slot.took, slot.place) = (now, place);
        let mut run = slot.shared.run.lock();
        take(&mut run);
        slot.shared.taken.store(run.len(), Ordering::Relaxed);
    }

    /// Takes over half of the tasks of a thread that is late: the first of them, and their place. The others are
    /// among those of the thread `number` then.
    pub(super) fn take_over(&mut self, number: usize, now: Age) -> Option<(Entry, Place)> {
        let is_late = |slot: &Slot| {
            slot.shared.has_taken() && (slot.calling.is_some() || now.saturating_sub(slot.took) > LATE)
        };
        let late = self.slots.iter().find(|slot| is_late(slot))?;
        let place = late.place;
        let mut run = late.shared.run.lock();
        let mut half = run.len().div_ceil(2);
        let first = run.pop_front()?;
        half -= 1;
        let others: Vec<Entry> = run.drain(..half).collect();
        late.shared.taken.store(run.len(), Ordering::Relaxed);
        drop(run);
        self.take(number, place, now, |run| run.extend(others));
        Some((first, place))
    }

    /// Counts a parked thread out of those, for one that is to be woken. True when that must be the one that dozes: it comes
    /// last, since it watches those that work.
    pub(super) fn claim(&mut self) -> bool {
        let dozing = self.parked == 1 && self.dozing.take().is_some();
        self.parked -= 1;
        self.claims += 1;
        dozing
    }

    /// A parked thread has woken.
    pub(super) fn woke(&mut self, number: usize) {
        if self.dozing == Some(number) {
            self.dozing = None;
        }
    }

    /// How many tasks threads have taken to run them next.
    pub(super) fn taken(&self) -> usize {
        self.slots.iter().map(|slot| slot.shared.taken.load(Ordering::Relaxed)).sum()
    }

    /// Takes away from all threads the tasks that they have taken and not begun.
    pub(super) fn take_back(&mut self) -> Vec<Entry> {
        let mut all = Vec::new();
        for slot in &self.slots {
            let mut run = slot.shared.run.lock();
            all.extend(run.drain(..));
            slot.shared.taken.store(0, Ordering::Relaxed);
        }
        all
    }

    /// Whether somebody must wake a thread, or start one, when there is more to do.
    pub(super) fn need_wake(&self) -> bool {
        !self.looks() && !self.comes_by_itself() && self.may_wake()
    }

    /// Whether a running thread should be back soon, and another sees to it that nothing waits if that one is not.
    pub(super) fn comes_by_itself(&self) -> bool {
        self.soon > 0 && self.dozing.is_some()
    }

    /// Whether threads have taken tasks that nobody would take over from one that is late. Where all threads are busy, the next
    /// that comes back does.
    pub(super) fn is_unwatched(&self) -> bool {
        self.dozing.is_none() && !self.looks() && self.taken() > 0
    }

    /// Whether a thread looks at the queue, or is about to.
    fn looks(&self) -> bool {
        self.searching || self.claims + self.starting > 0
    }

    /// A thread begins something else before it goes on with the tasks that it has taken; or goes on with them.
    pub(super) fn turn_to(&mut self, number: usize, token: Option<CancelToken>, answered: bool) {
        let slot = &mut self.slots[number];
        self.soon -= usize::from(std::mem::take(&mut slot.soon));
        slot.shared.set_answered(answered);
        slot.activity = Activity::Running(token);
    }

    /// An idle thread has ended.
    pub(super) fn ended(&mut self, number: usize) {
        self.slots[number].activity = Activity::Vacant;
        self.alive -= 1;
        self.reserve = self.reserve.min(self.alive.saturating_sub(self.max.get()));
    }
}
