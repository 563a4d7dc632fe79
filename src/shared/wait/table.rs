//! The wait table: which waiters sleep on which cell, in the order in which they came. README.md beside this file has the
//! states and the races.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::LazyLock;
use std::time::Duration;

use super::super::error::Result;
use super::super::region_id::RegionId;
use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::{Arc, Condvar, Mutex};
use crate::wait_limit::{EndedEarly, WaitLimit};

/// A cell of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CellAddress {
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
    /// The waiter has what it waited for: a lock, permits, or (the number) a reader's slot.
    Granted(u32),
    /// The waiter's owner is ending.
    Cancelled,
    /// The region has closed.
    Closed,
    /// The lock that it waited for was held by a thread that died, or its barrier was broken.
    Broken,
}

/// The kinds of events that waiters wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::shared) enum Kind {
    /// A notify of a cell.
    Cell,
    Mutex,
    Read,
    Write,
    Semaphore,
    Condvar,
    Barrier,
}

/// The facts about a waiter that are visible to code that holds the queue.
#[derive(Debug, Clone, Copy)]
pub(in crate::shared) struct Info {
    /// The owner token of the thread or environment that waits.
    pub(in crate::shared) owner: u32,
    pub(in crate::shared) kind: Kind,
    /// Mutex: how often it was woken and found the lock taken. Semaphore: how many permits it wants.
    pub(in crate::shared) detail: u32,
}

/// Called once with the outcome, on the thread that caused it, with no lock of this table held. It should pass the
/// outcome on and return; a panic in it would leave others that were woken with it untold.
pub type OutcomeCallback = Box<dyn FnOnce(Outcome) + Send>;

struct Waiter {
    info: Info,
    has_callback: bool,
    state: Mutex<WaiterState>,
    wake: Condvar,
}

struct WaiterState {
    outcome: Option<Outcome>,
    callback: Option<OutcomeCallback>,
}

impl Waiter {
    fn new(info: Info, callback: Option<OutcomeCallback>) -> Self {
        let has_callback = callback.is_some();
        let state = Mutex::new(WaiterState { outcome: None, callback });
        Waiter { info, has_callback, state, wake: Condvar::new() }
    }

    /// Tells the waiter its outcome.
    fn tell(&self) {
        let mut state = self.state.lock();
        let callback = state.callback.take();
        let outcome = state.outcome;
        drop(state);
        match (callback, outcome) {
            (Some(callback), Some(outcome)) => callback(outcome),
            _ => {
                self.wake.notify_one();
            }
        }
    }

    /// Makes the thread that sleeps look again: for a token that is cancelled.
    fn waker(waiter: &Arc<Waiter>) -> impl FnOnce() + Send + use<> {
        let waiter = Arc::clone(waiter);
        move || {
            drop(waiter.state.lock());
            waiter.wake.notify_one();
        }
    }
}

/// A hasher for [`CellAddress`]: two numbers, neither of them chosen by an attacker (offsets are bounded, ids are counted).
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }
    fn write_u64(&mut self, number: u64) {
        // Fibonacci hashing, folded so that the low bits (the bucket) depend on the high ones too.
        let mixed = (self.0.rotate_left(23) ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ (mixed >> 32);
    }
    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }
}

type Queues = HashMap<CellAddress, VecDeque<Arc<Waiter>>, BuildHasherDefault<AddressHasher>>;

/// All waiters of a process, by the cell they wait on.
pub struct WaitTable {
    shards: Box<[Mutex<Queues>]>,
    /// How many wait on the cells of some offsets, in all regions: cell `offset / 4`, modulo the number of counters.
    /// JavaScript looks there before it calls; README.md has the race.
    counters: Box<[AtomicU32]>,
}

/// The number of counters in the process's table, a power of two.
const COUNTERS: usize = 64;

/// The process's wait table.
pub fn table() -> &'static WaitTable {
    static TABLE: LazyLock<WaitTable> = LazyLock::new(|| WaitTable::new(64, COUNTERS));
    &TABLE
}

/// The queue of one cell, under its shard's lock.
pub(in crate::shared) struct Queue<'q> {
    waiters: &'q mut VecDeque<Arc<Waiter>>,
    woken: &'q mut Vec<Arc<Waiter>>,
    counter: &'q AtomicU32,
}

impl Queue<'_> {
    pub(in crate::shared) fn len(&self) -> usize {
        self.waiters.len()
    }

    pub(in crate::shared) fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    /// The waiter that has waited longest.
    pub(in crate::shared) fn front(&self) -> Option<Info> {
        self.waiters.front().map(|waiter| waiter.info)
    }

    /// True when the front has a callback: it cannot come back by itself to try again.
    pub(in crate::shared) fn front_has_callback(&self) -> bool {
        self.waiters.front().is_some_and(|waiter| waiter.has_callback)
    }

    /// Ends the front's wait. The waiter is notified after the shard's lock has been released.
    pub(in crate::shared) fn wake_front(&mut self, outcome: Outcome) -> bool {
        let Some(waiter) = self.waiters.pop_front() else { return false };
        self.counter.fetch_sub(1, Ordering::SeqCst);
        waiter.state.lock().outcome = Some(outcome);
        self.woken.push(waiter);
        true
    }

    /// Wakes up to `count`, longest first; returns how many.
    pub(in crate::shared) fn wake_up_to(&mut self, count: usize) -> usize {
        (0..count).take_while(|_| self.wake_front(Outcome::Woken)).count()
    }

    /// Adds a waiter, at the end or (one that comes back from a lost attempt) at the front.
    pub(in crate::shared) fn push(
        &mut self,
        info: Info,
        callback: Option<OutcomeCallback>,
        front: bool,
    ) -> Pushed {
        self.counter.fetch_add(1, Ordering::SeqCst);
        let waiter = Arc::new(Waiter::new(info, callback));
        if front {
            self.waiters.push_front(waiter.clone());
        } else {
            self.waiters.push_back(waiter.clone());
        }
        Pushed(waiter)
    }
}

/// A waiter in a queue. [`WaitTable::handle`] makes it a handle once the shard's lock has been released: dropping a handle
/// takes that lock.
pub(in crate::shared) struct Pushed(Arc<Waiter>);

/// The result of an attempt to wait.
pub enum Enqueued<'t> {
    /// In the queue.
    Waiting(WaiterHandle<'t>),
    /// The cell does not hold the value that was expected.
    NotEqual,
}

impl WaitTable {
    /// A table of so many locks and counters, powers of two.
    pub(in crate::shared) fn new(shards: usize, counters: usize) -> Self {
        assert!(shards.is_power_of_two() && counters.is_power_of_two());
        WaitTable {
            shards: (0..shards).map(|_| Mutex::new(Queues::default())).collect(),
            counters: (0..counters).map(|_| AtomicU32::new(0)).collect(),
        }
    }

    /// The counters, for JavaScript.
    pub fn counters(&self) -> &[AtomicU32] {
        &self.counters
    }

    fn counter(&self, address: CellAddress) -> &AtomicU32 {
        &self.counters[(address.offset / 4) & (self.counters.len() - 1)]
    }

    fn shard(&self, address: CellAddress) -> &Mutex<Queues> {
        let mut hasher = AddressHasher::default();
        address.hash(&mut hasher);
        // The upper half: the lower one chooses the bucket inside.
        let at = (hasher.finish() >> 40) as usize & (self.shards.len() - 1);
        &self.shards[at]
    }

    /// Works on the queue of one cell under its shard's lock, and then notifies the waiters whose wait `work` ended.
    pub(in crate::shared) fn visit<R>(
        &self,
        address: CellAddress,
        work: impl FnOnce(&mut Queue<'_>) -> R,
    ) -> R {
        let mut woken = Vec::new();
        let mut shard = self.shard(address).lock();
        let waiters = shard.entry(address).or_default();
        let result = work(&mut Queue { waiters, woken: &mut woken, counter: self.counter(address) });
        if waiters.is_empty() {
            shard.remove(&address);
        }
        drop(shard);
        for waiter in woken {
            waiter.tell();
        }
        result
    }

    pub(in crate::shared) fn handle(&self, address: CellAddress, pushed: Pushed) -> WaiterHandle<'_> {
        WaiterHandle { table: self, address, waiter: pushed.0, observed: false }
    }

    /// Joins the queue of a cell if `holds` says that the cell still has the expected value. It is called under the shard's
    /// lock: that check is what loses no wake-up. With `callback` the outcome goes there; without it a thread waits by the
    /// handle. `owner` is the token of the thread or environment that waits.
    pub(in crate::shared) fn enqueue(
        &self,
        address: CellAddress,
        owner: u32,
        callback: Option<OutcomeCallback>,
        holds: impl FnOnce() -> Result<bool>,
    ) -> Result<Enqueued<'_>> {
        let info = Info { owner, kind: Kind::Cell, detail: 0 };
        // Counted before the cell is looked at: see README.md.
        let counter = self.counter(address);
        counter.fetch_add(1, Ordering::SeqCst);
        let pushed = self.visit(address, |queue| -> Result<Option<Pushed>> {
            Ok(if holds()? { Some(queue.push(info, callback, false)) } else { None })
        });
        counter.fetch_sub(1, Ordering::SeqCst);
        let pushed = pushed?;
        Ok(pushed.map_or(Enqueued::NotEqual, |pushed| Enqueued::Waiting(self.handle(address, pushed))))
    }

    /// Wakes up to `count` waiters of a cell, longest first, and returns how many.
    pub fn notify(&self, address: CellAddress, count: usize) -> usize {
        self.visit(address, |queue| queue.wake_up_to(count))
    }

    /// Ends every wait of one owner with [`Outcome::Cancelled`]; where it waited and for what.
    pub(in crate::shared) fn end_owner(&self, owner: u32) -> Vec<(CellAddress, Kind)> {
        self.end_where(Outcome::Cancelled, |_, info| info.owner == owner)
    }

    /// Ends every wait on a region with [`Outcome::Closed`].
    pub(in crate::shared) fn end_region(&self, region: RegionId) {
        self.end_where(Outcome::Closed, |address, _| address.region == region);
    }

    fn end_where(
        &self,
        outcome: Outcome,
        ends: impl Fn(CellAddress, &Info) -> bool,
    ) -> Vec<(CellAddress, Kind)> {
        let mut ended = Vec::new();
        for shard in &self.shards {
            let mut woken = Vec::new();
            let mut queues = shard.lock();
            queues.retain(|address, waiters| {
                waiters.retain(|waiter| {
                    let end = ends(*address, &waiter.info);
                    if end {
                        self.counter(*address).fetch_sub(1, Ordering::SeqCst);
                        waiter.state.lock().outcome = Some(outcome);
                        woken.push(waiter.clone());
                        ended.push((*address, waiter.info.kind));
                    }
                    !end
                });
                !waiters.is_empty()
            });
            drop(queues);
            for waiter in woken {
                waiter.tell();
            }
        }
        ended
    }

    /// Every cell where someone waits for a lock, with what its first waiter waits for.
    pub(in crate::shared) fn lock_addresses(&self) -> Vec<(CellAddress, Kind)> {
        let mut addresses = Vec::new();
        for shard in &self.shards {
            for (address, waiters) in shard.lock().iter() {
                addresses.extend(
                    waiters
                        .front()
                        .map(|waiter| (*address, waiter.info.kind))
                        .filter(|(_, kind)| *kind != Kind::Cell),
                );
            }
        }
        addresses
    }

    /// How many wait on a cell now.
    pub fn waiters(&self, address: CellAddress) -> usize {
        self.shard(address).lock().get(&address).map_or(0, VecDeque::len)
    }
}

/// One waiter in a queue. The waiter keeps its position while its thread does other things between two sleeps.
///
/// Dropping the handle of a thread leaves the queue; a wake-up that had already come and was not seen is passed on
/// to the next waiter, so none is lost. Dropping the handle of a waiter with a callback changes nothing.
pub struct WaiterHandle<'t> {
    table: &'t WaitTable,
    address: CellAddress,
    waiter: Arc<Waiter>,
    observed: bool,
}

impl WaiterHandle<'_> {
    /// Sleeps until the wait has ended; an error when `limit` ends the sleep before: the waiter is still in the queue. A
    /// wait that has ended counts before the limit. Only for a waiter without a callback.
    pub(in crate::shared) fn sleep(&mut self, limit: WaitLimit<'_>) -> Result<Outcome, EndedEarly> {
        let mut blocked = limit.begin();
        let mut state = self.waiter.state.lock();
        loop {
            if let Some(outcome) = state.outcome {
                self.observed = true;
                return Ok(outcome);
            }
            blocked.sleep(&self.waiter.wake, &mut state, || Waiter::waker(&self.waiter))?;
        }
    }

    /// Sleeps until the wait has ended or `slice` has passed; `None`: still waiting. A waiter with a callback has nothing to
    /// sleep on, and answers at once.
    pub fn wait_slice(&mut self, slice: Duration) -> Option<Outcome> {
        let slice = if self.waiter.has_callback { Duration::ZERO } else { slice };
        self.sleep(WaitLimit::default().within(slice)).ok()
    }

    /// The outcome, once the wait has ended.
    pub(in crate::shared) fn outcome(&mut self) -> Option<Outcome> {
        let outcome = self.waiter.state.lock().outcome;
        self.observed |= outcome.is_some();
        outcome
    }

    /// Leaves the queue: true. Or the wait has ended already: false, and the outcome counts (a thread gets it by
    /// `wait_slice`; a callback has been or is being called with it). One of the two, always.
    pub fn cancel(&mut self) -> bool {
        self.cancel_then(|_| ())
    }

    /// [`WaiterHandle::cancel`]; when it has left, `then` works on the queue before anyone else does.
    pub(in crate::shared) fn cancel_then(&mut self, then: impl FnOnce(&mut Queue<'_>)) -> bool {
        let left = self.table.visit(self.address, |queue| {
            let Some(at) = queue.waiters.iter().position(|waiter| Arc::ptr_eq(waiter, &self.waiter)) else {
                return false;
            };
            queue.waiters.remove(at);
            queue.counter.fetch_sub(1, Ordering::SeqCst);
            then(queue);
            true
        });
        if left {
            self.observed = true;
            // Drops the values that the callback holds now, and not with the handle.
            drop(self.waiter.state.lock().callback.take());
        }
        left
    }

    /// Drops a handle whose outcome nobody will see, a callback's too: as dropping does for a thread's.
    pub(in crate::shared) fn abandon(mut self) {
        self.give_up();
        self.observed = true;
    }

    fn give_up(&mut self) {
        if self.observed || self.cancel() {
            return;
        }
        let outcome = self.waiter.state.lock().outcome;
        if outcome == Some(Outcome::Woken) && matches!(self.waiter.info.kind, Kind::Cell | Kind::Condvar) {
            self.table.notify(self.address, 1);
        }
    }

    /// True for a waiter whose outcome goes to a callback.
    pub(in crate::shared) fn has_callback(&self) -> bool {
        self.waiter.has_callback
    }
}

impl Drop for WaiterHandle<'_> {
    fn drop(&mut self) {
        if !self.waiter.has_callback {
            self.give_up();
        }
    }
}
