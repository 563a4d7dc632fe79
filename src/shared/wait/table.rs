//! The wait table: who sleeps on which cell, in the order of arrival. README.md beside this file names the states
//! and the races.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use super::super::error::Result;
use super::super::region::RegionId;
use crate::sync::{Arc, Condvar, Mutex, wait_for};

/// A cell of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// The region.
    pub region: RegionId,
    /// The byte offset of the cell.
    pub offset: usize,
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A notify chose this waiter.
    Woken,
    /// What it waited for is its own now: a lock, a permit, or (the number) a reader's slot.
    Granted(u32),
    /// Its owner is ending.
    Cancelled,
    /// The region has closed.
    Closed,
    /// The lock it waited for was held by a thread that died, or its barrier was broken.
    Broken,
}

/// What a waiter waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::shared) enum Kind {
    /// A plain wait on a cell.
    Cell,
    Mutex,
    Read,
    Write,
    Semaphore,
    Condvar,
    Barrier,
}

/// What the holder of the queue may know of a waiter.
#[derive(Debug, Clone, Copy)]
pub(in crate::shared) struct Info {
    /// The owner token of the thread or environment that waits.
    pub(in crate::shared) owner: u32,
    pub(in crate::shared) kind: Kind,
    /// Mutex: how often it was woken and found the lock taken. Semaphore: how many permits it wants.
    pub(in crate::shared) detail: u32,
}

/// Called once with the outcome, on the thread that caused it, with no lock of this table held. It should hand the
/// outcome on and return; a panic in it would leave others that were woken with it untold.
pub type Deliver = Box<dyn FnOnce(Outcome) + Send>;

struct Waiter {
    info: Info,
    callback: bool,
    state: Mutex<WaiterState>,
    wake: Condvar,
}

struct WaiterState {
    outcome: Option<Outcome>,
    deliver: Option<Deliver>,
}

impl Waiter {
    fn new(info: Info, deliver: Option<Deliver>) -> Self {
        let callback = deliver.is_some();
        let state = Mutex::new(WaiterState { outcome: None, deliver });
        Waiter { info, callback, state, wake: Condvar::new() }
    }

    fn deliver(&self) {
        let mut state = self.state.lock();
        let deliver = state.deliver.take();
        let outcome = state.outcome;
        drop(state);
        match (deliver, outcome) {
            (Some(deliver), Some(outcome)) => deliver(outcome),
            _ => {
                self.wake.notify_one();
            }
        }
    }
}

/// A hasher for [`Place`]: two numbers, neither of them chosen by an enemy (offsets are bounded, ids are counted).
#[derive(Default)]
struct PlaceHasher(u64);

impl Hasher for PlaceHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }
    fn write_u64(&mut self, number: u64) {
        // Fibonacci hashing, folded so that the low bits (the bucket) see the high ones.
        let mixed = (self.0.rotate_left(23) ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ (mixed >> 32);
    }
    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }
}

type Queues = HashMap<Place, VecDeque<Arc<Waiter>>, BuildHasherDefault<PlaceHasher>>;

/// All waiters of a process, by the cell they wait on.
pub struct WaitTable {
    shards: Box<[Mutex<Queues>]>,
}

/// The process's wait table.
pub fn table() -> &'static WaitTable {
    static TABLE: LazyLock<WaitTable> = LazyLock::new(|| WaitTable::new(64));
    &TABLE
}

/// The queue of one cell, under its shard's lock.
pub(in crate::shared) struct Queue<'q> {
    waiters: &'q mut VecDeque<Arc<Waiter>>,
    woken: &'q mut Vec<Arc<Waiter>>,
}

impl Queue<'_> {
    pub(in crate::shared) fn len(&self) -> usize {
        self.waiters.len()
    }

    pub(in crate::shared) fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    /// Who has waited longest.
    pub(in crate::shared) fn front(&self) -> Option<Info> {
        self.waiters.front().map(|waiter| waiter.info)
    }

    /// True when the front is a callback: it cannot come back by itself to try again.
    pub(in crate::shared) fn front_is_callback(&self) -> bool {
        self.waiters.front().is_some_and(|waiter| waiter.callback)
    }

    /// Ends the front's wait. It is told after the shard's lock has been let go.
    pub(in crate::shared) fn wake_front(&mut self, outcome: Outcome) -> bool {
        let Some(waiter) = self.waiters.pop_front() else { return false };
        waiter.state.lock().outcome = Some(outcome);
        self.woken.push(waiter);
        true
    }

    /// Wakes up to `count`, longest first; says how many.
    pub(in crate::shared) fn wake_up_to(&mut self, count: usize) -> usize {
        (0..count).take_while(|_| self.wake_front(Outcome::Woken)).count()
    }

    /// Adds a waiter, at the end or (one that comes back from a lost try) at the front.
    pub(in crate::shared) fn push(&mut self, info: Info, deliver: Option<Deliver>, front: bool) -> Waiting {
        let waiter = Arc::new(Waiter::new(info, deliver));
        if front {
            self.waiters.push_front(waiter.clone());
        } else {
            self.waiters.push_back(waiter.clone());
        }
        Waiting(waiter)
    }
}

/// A waiter that was pushed; [`WaitTable::ticket`] makes it a ticket.
pub(in crate::shared) struct Waiting(Arc<Waiter>);

/// What became of an attempt to wait.
pub enum Enqueued<'t> {
    /// In the queue.
    Waiting(Ticket<'t>),
    /// The cell does not hold the value that was expected.
    NotEqual,
}

impl WaitTable {
    /// A table of `shards` locks, a power of two.
    pub fn new(shards: usize) -> Self {
        assert!(shards.is_power_of_two());
        WaitTable { shards: (0..shards).map(|_| Mutex::new(Queues::default())).collect() }
    }

    fn shard(&self, place: Place) -> &Mutex<Queues> {
        let mut hasher = PlaceHasher::default();
        std::hash::Hash::hash(&place, &mut hasher);
        // The upper half: the lower one chooses the bucket inside.
        let at = (hasher.finish() >> 40) as usize & (self.shards.len() - 1);
        &self.shards[at]
    }

    /// Works on the queue of one cell under its shard's lock, and then tells those whose wait `work` ended.
    pub(in crate::shared) fn visit<R>(&self, place: Place, work: impl FnOnce(&mut Queue<'_>) -> R) -> R {
        let mut woken = Vec::new();
        let mut shard = self.shard(place).lock();
        let waiters = shard.entry(place).or_default();
        let result = work(&mut Queue { waiters, woken: &mut woken });
        if waiters.is_empty() {
            shard.remove(&place);
        }
        drop(shard);
        for waiter in woken {
            waiter.deliver();
        }
        result
    }

    pub(in crate::shared) fn ticket(&self, place: Place, waiting: Waiting) -> Ticket<'_> {
        Ticket { table: self, place, waiter: waiting.0, observed: false }
    }

    /// Joins the queue of a cell if `holds` (called under the shard's lock: the re-check that loses no wake-up)
    /// says that it still has the value expected. With `deliver` the outcome goes there; without it the ticket is
    /// to be waited on. `owner` is the token of the thread or environment, for [`WaitTable::cancel_owner`].
    pub fn enqueue(
        &self,
        place: Place,
        owner: u32,
        deliver: Option<Deliver>,
        holds: impl FnOnce() -> Result<bool>,
    ) -> Result<Enqueued<'_>> {
        let info = Info { owner, kind: Kind::Cell, detail: 0 };
        let waiting =
            self.visit(
                place,
                |queue| {
                    if holds()? { Ok(Some(queue.push(info, deliver, false))) } else { Ok(None) }
                },
            )?;
        Ok(waiting.map_or(Enqueued::NotEqual, |waiting| Enqueued::Waiting(self.ticket(place, waiting))))
    }

    /// Wakes up to `count` waiters of a cell, longest first, and says how many.
    pub fn notify(&self, place: Place, count: usize) -> usize {
        self.visit(place, |queue| queue.wake_up_to(count))
    }

    /// Ends every wait of one owner with [`Outcome::Cancelled`]: for an environment that ends.
    pub fn cancel_owner(&self, owner: u32) -> usize {
        self.end_owner(owner).len()
    }

    /// [`WaitTable::cancel_owner`], saying where it waited and for what.
    pub(in crate::shared) fn end_owner(&self, owner: u32) -> Vec<(Place, Kind)> {
        self.end_where(Outcome::Cancelled, |_, info| info.owner == owner)
    }

    /// Ends every wait on a region with [`Outcome::Closed`].
    pub(in crate::shared) fn cancel_region(&self, region: RegionId) -> usize {
        self.end_where(Outcome::Closed, |place, _| place.region == region).len()
    }

    fn end_where(&self, outcome: Outcome, ends: impl Fn(Place, &Info) -> bool) -> Vec<(Place, Kind)> {
        let mut ended = Vec::new();
        for shard in &self.shards {
            let mut woken = Vec::new();
            let mut queues = shard.lock();
            queues.retain(|place, waiters| {
                waiters.retain(|waiter| {
                    let end = ends(*place, &waiter.info);
                    if end {
                        waiter.state.lock().outcome = Some(outcome);
                        woken.push(waiter.clone());
                        ended.push((*place, waiter.info.kind));
                    }
                    !end
                });
                !waiters.is_empty()
            });
            drop(queues);
            for waiter in woken {
                waiter.deliver();
            }
        }
        ended
    }

    /// Every cell where someone waits for a lock, with what one of them waits for.
    pub(in crate::shared) fn lock_places(&self) -> Vec<(Place, Kind)> {
        let mut places = Vec::new();
        for shard in &self.shards {
            for (place, waiters) in shard.lock().iter() {
                places.extend(
                    waiters
                        .front()
                        .map(|waiter| (*place, waiter.info.kind))
                        .filter(|(_, kind)| *kind != Kind::Cell),
                );
            }
        }
        places
    }

    /// How many wait on a cell now.
    pub fn waiters(&self, place: Place) -> usize {
        self.shard(place).lock().get(&place).map_or(0, VecDeque::len)
    }
}

/// One place in a queue. It is kept while the holder comes up for air between slices.
///
/// Dropping the ticket of a thread leaves the queue; a wake-up that had already come and was not seen is passed on
/// to the next waiter, so none is lost. Dropping the ticket of a callback changes nothing.
pub struct Ticket<'t> {
    table: &'t WaitTable,
    place: Place,
    waiter: Arc<Waiter>,
    observed: bool,
}

impl Ticket<'_> {
    /// Sleeps until the wait has ended or `slice` has passed; `None` says still waiting.
    pub fn wait_slice(&mut self, slice: Duration) -> Option<Outcome> {
        let mut state = self.waiter.state.lock();
        if state.outcome.is_none() && !slice.is_zero() {
            let until = Instant::now() + slice;
            loop {
                let rest = until.saturating_duration_since(Instant::now());
                // A callback is told by its callback; there is nothing to sleep on.
                if rest.is_zero() || self.waiter.callback {
                    break;
                }
                wait_for(&self.waiter.wake, &mut state, rest);
                if state.outcome.is_some() {
                    break;
                }
            }
        }
        self.observed |= state.outcome.is_some();
        state.outcome
    }

    /// Leaves the queue: true. Or the wait has ended already: false, and the outcome stands (for a thread,
    /// `wait_slice` tells it; to a callback it has been or is being delivered). One of the two, always.
    pub fn cancel(&mut self) -> bool {
        self.cancel_then(|_| ())
    }

    /// [`Ticket::cancel`]; when it has left, `then` works on the queue before anyone else does.
    pub(in crate::shared) fn cancel_then(&mut self, then: impl FnOnce(&mut Queue<'_>)) -> bool {
        let left = self.table.visit(self.place, |queue| {
            let Some(at) = queue.waiters.iter().position(|waiter| Arc::ptr_eq(waiter, &self.waiter)) else {
                return false;
            };
            queue.waiters.remove(at);
            then(queue);
            true
        });
        if left {
            self.observed = true;
            // What the callback holds is let go now and not with the ticket.
            drop(self.waiter.state.lock().deliver.take());
        }
        left
    }

    /// Lets go of a ticket whose outcome nobody will see, a callback's too: what dropping does for a thread's.
    pub fn abandon(mut self) {
        self.let_go();
        self.observed = true;
    }

    fn let_go(&mut self) {
        if self.observed || self.cancel() {
            return;
        }
        let outcome = self.waiter.state.lock().outcome;
        if outcome == Some(Outcome::Woken) && matches!(self.waiter.info.kind, Kind::Cell | Kind::Condvar) {
            self.table.notify(self.place, 1);
        }
    }

    /// True for a ticket whose outcome goes to a callback.
    pub fn is_callback(&self) -> bool {
        self.waiter.callback
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if !self.waiter.callback {
            self.let_go();
        }
    }
}
