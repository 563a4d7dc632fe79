//! A lock for many readers or one writer. README.md in this folder has its protocol in words.
//!
//! Each reader has a *slot* with its owner's token, so that a reader that dies is known. The writer's side
//! is one word, as a mutex's, with one more flag: `DRAINING`, the owner of the word waits for the slots to empty.
//!
//! Readers and writers meet as in Dekker's algorithm: a reader fills a slot and then looks at the word; a writer takes
//! the word and then looks at the slots. Both by sequentially consistent operations, so at least one of them sees
//! the other; then the reader leaves its slot again.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use super::super::error::{Result, SharedError};
use super::super::region::Region;
use super::super::wait::{BlockingWait, Info, Kind, Outcome, OutcomeCallback, Pushed, Queue, WaiterHandle};
use super::cells::{Cells, LEAST_CELLS, Location, Word, magic};
use super::mutex::{CONTENDED, OWNER, POISONED};
use super::pending::{Pending, Request, Step};
use crate::exported_numbers::Numbers;
use crate::numbers;
use crate::wait_limit::WaitLimit;

/// The owner of the word does not have the lock yet: it waits, first in the queue, for the readers to leave.
pub(super) const DRAINING: u32 = 1 << 27;

const WORD: usize = 1;
/// The cell that holds the number of slots.
const COUNT: usize = 2;
/// The cell that says how many slots have ever been taken, or more: a writer looks at no others.
const USED: usize = 3;
/// The first slot.
const SLOTS: usize = LEAST_CELLS;
const KIND: u8 = b'R';
/// The most reader slots a lock may have.
pub(super) const MAX_SLOTS: u32 = 1024;

/// For JavaScript.
pub(super) const NUMBERS: Numbers = numbers! {
    MAGIC = magic(KIND), WORD, OWNER, DRAINING, COUNT, USED, SLOTS, MAX_SLOTS,
};

/// The protocol, on any cells: the process's, or a model's.
pub(super) struct Protocol<'c, 'g, W>(pub(super) Cells<'c, 'g, W>);

impl<'g, W: Word> Protocol<'_, 'g, W> {
    fn word(&self) -> &W {
        self.0.word(WORD)
    }

    fn slots(&self) -> &[W] {
        &self.0.words[SLOTS..]
    }

    /// The slots that may have been taken.
    fn used_slots(&self) -> &[W] {
        let slots = self.slots();
        &slots[..slots.len().min(self.0.word(USED).get() as usize)]
    }

    fn take_slot(&self, me: u32) -> Option<u32> {
        let free = self.slots().iter().enumerate().filter(|(_, slot)| slot.get() == 0);
        for (at, slot) in free {
            self.use_slot(at as u32);
            if slot.change(0, me) {
                return Some(at as u32);
            }
        }
        None
    }

    /// Says that a slot is going to be taken, before it is: writers look at no others.
    fn use_slot(&self, at: u32) {
        let used = self.0.word(USED);
        loop {
            let now = used.get();
            if now > at || used.change(now, at + 1) {
                return;
            }
        }
    }

    /// Empties the slots of dead readers: they wrote nothing, so nothing is poisoned. True when all are empty.
    fn drained(&self) -> bool {
        self.used_slots().iter().fold(true, |all, slot| {
            let reader = slot.get();
            all & (reader == 0 || (!self.0.alive(reader) && slot.change(reader, 0)))
        })
    }

    /// Looks for poison and death, before anything else is looked at; returns the word.
    fn sound(&self, queue: &mut Queue<'_>) -> Result<u32> {
        loop {
            let word = self.word().get();
            if word & POISONED != 0 {
                return Err(SharedError::OwnerDied);
            }
            let owner = word & OWNER;
            if owner == 0 || self.0.alive(owner) {
                return Ok(word);
            }
            if word & DRAINING != 0 {
                // It died before it had the lock: nothing is half changed.
                self.word().change(word, word & CONTENDED);
                self.advance(queue);
            } else if self.word().change(word, POISONED) {
                while queue.wake_front(Outcome::Broken) {}
            }
        }
    }

    /// Grants the lock to the waiters that may have it now: the one place where anything is granted.
    fn advance(&self, queue: &mut Queue<'_>) {
        loop {
            let word = self.word().get();
            if word & POISONED != 0 {
                if self.word().change(word, POISONED) {
                    while queue.wake_front(Outcome::Broken) {}
                    return;
                }
                continue;
            }
            let owner = word & OWNER;
            let behind = |first: usize| if queue.len() > first { CONTENDED } else { 0 };
            if owner != 0 {
                if word & DRAINING == 0 || !self.drained() {
                    return;
                }
                // DRAINING says that its owner is the front, unless it died and its wait has ended.
                let front_drains = queue.front().is_some_and(|front| front.owner == owner);
                if !front_drains {
                    return;
                }
                if self.word().change(word, owner | behind(1)) {
                    queue.wake_front(Outcome::Granted(0));
                    return;
                }
                continue;
            }
            match queue.front() {
                None => {
                    if self.word().change(word, 0) {
                        return;
                    }
                }
                // Its owner has died and its wait is about to end: nothing is granted to the dead.
                Some(front) if !self.0.alive(front.owner) => {
                    queue.wake_front(Outcome::Cancelled);
                }
                Some(front) if front.kind == Kind::Write => {
                    self.word().change(word, front.owner | DRAINING | behind(1));
                }
                Some(front) => {
                    // The flag first, then the slot: a reader that leaves sees the flag, or its empty slot is seen here.
                    if word & CONTENDED == 0 && !self.word().change(word, word | CONTENDED) {
                        continue;
                    }
                    // Dead readers must not fill the lock up.
                    self.drained();
                    let Some(slot) = self.take_slot(front.owner) else { return };
                    queue.wake_front(Outcome::Granted(slot));
                }
            }
        }
    }

    /// The path that JavaScript takes without a native call.
    pub(super) fn read_fast(&self, me: u32) -> Option<u32> {
        if self.word().get() != 0 {
            return None;
        }
        let slot = self.take_slot(me)?;
        if self.word().get() == 0 {
            return Some(slot);
        }
        self.slots()[slot as usize].set(0);
        None
    }

    /// Acquires the lock or joins the queue, under the queue's lock: for writers, and for readers that the fast path
    /// refused.
    /// `kind` is `Kind::Read` or `Kind::Write`.
    pub(super) fn acquire_slow(&self, kind: Kind, request: SlowRequest) -> Result<Attempt<'g>> {
        let inside = self.0.visit_open(|queue| match kind {
            Kind::Write => self.write_inside(queue, request),
            _ => self.read_inside(queue, request),
        })?;
        Ok(match inside {
            Inside::Acquired(slot) => Attempt::Acquired(slot),
            Inside::Busy => Attempt::Busy,
            Inside::Queued(pushed) => Attempt::Queued(self.0.handle(pushed)),
        })
    }

    fn read_inside(&self, queue: &mut Queue<'_>, request: SlowRequest) -> Result<Inside> {
        let SlowRequest { owner: me, wait, callback } = request;
        // For the slot that the fast path gave back while a writer was draining.
        self.advance(queue);
        loop {
            let word = self.sound(queue)?;
            let owner = word & OWNER;
            if owner == 0 && queue.is_empty() {
                // The flag first: see `advance`. It also keeps fast writers out while this reader takes the slot.
                if word & CONTENDED == 0 && !self.word().change(word, CONTENDED) {
                    continue;
                }
                self.drained();
                if let Some(slot) = self.take_slot(me) {
                    self.word().change(CONTENDED, 0);
                    return Ok(Inside::Acquired(slot));
                }
            } else if owner != 0 && word & CONTENDED == 0 && !self.word().change(word, word | CONTENDED) {
                continue;
            }
            if !wait {
                self.advance(queue);
                return Ok(Inside::Busy);
            }
            // Behind a writer that waits for this owner, which holds the lock itself as the writer or as a reader.
            let behind_me = owner == me || self.slots().iter().any(|slot| slot.get() == me);
            if callback.is_none() && behind_me && (owner != 0 || !queue.is_empty()) {
                return Err(SharedError::WouldDeadlock);
            }
            return Ok(Inside::queue(queue, me, Kind::Read, callback));
        }
    }

    fn write_inside(&self, queue: &mut Queue<'_>, request: SlowRequest) -> Result<Inside> {
        let SlowRequest { owner: me, wait, callback } = request;
        loop {
            let word = self.sound(queue)?;
            let owner = word & OWNER;
            let mine = owner == me && word & DRAINING == 0 && callback.is_none();
            if (mine || self.slots().iter().any(|slot| slot.get() == me)) && wait && callback.is_none() {
                return Err(SharedError::WouldDeadlock);
            }
            if owner == 0 && queue.is_empty() {
                if !self.word().change(word, me | DRAINING) {
                    continue;
                }
                if self.drained() && self.word().change(me | DRAINING, me) {
                    return Ok(Inside::Acquired(0));
                }
                if !wait {
                    self.word().change(me | DRAINING, 0);
                    return Ok(Inside::Busy);
                }
            } else if !wait {
                return Ok(Inside::Busy);
            } else if word & CONTENDED == 0 && !self.word().change(word, word | CONTENDED) {
                continue;
            }
            return Ok(Inside::queue(queue, me, Kind::Write, callback));
        }
    }

    pub(super) fn read_unlock(&self, me: u32, slot: u32) -> Result<()> {
        let cell = self.slots().get(slot as usize).ok_or(SharedError::NotHeld)?;
        if !cell.change(me, 0) {
            return Err(SharedError::NotHeld);
        }
        if self.word().get() != 0 {
            self.recheck();
        }
        Ok(())
    }

    pub(super) fn write_unlock(&self, me: u32, poison: bool) -> Result<()> {
        let after = if poison { POISONED } else { 0 };
        if self.word().change(me, after) {
            return Ok(());
        }
        self.0.visit(|queue| {
            loop {
                let word = self.word().get();
                if word & OWNER != me || word & DRAINING != 0 {
                    return Err(SharedError::NotHeld);
                }
                if self.word().change(word, word & CONTENDED | after) {
                    self.advance(queue);
                    return Ok(());
                }
            }
        })
    }

    /// Looks again whether an owner has died, and grants the lock to the waiters that may have it.
    fn recheck(&self) {
        self.0.visit(|queue| {
            // An error means poisoned: all waiters have been notified.
            if self.sound(queue).is_ok() {
                self.advance(queue);
            }
        });
    }

    /// A waiter of `me` has left the queue: if it was the writer that drained, the word is free again.
    fn left(&self, me: u32) {
        self.0.visit(|queue| {
            loop {
                let word = self.word().get();
                if word & OWNER != me || word & DRAINING == 0 {
                    break;
                }
                // Another request of the same owner may be the one that drains; then it is still first.
                if queue.front().is_some_and(|front| front.owner == me && front.kind == Kind::Write) {
                    break;
                }
                if self.word().change(word, word & CONTENDED) {
                    break;
                }
            }
            if self.sound(queue).is_ok() {
                self.advance(queue);
            }
        });
    }

    fn recover(&self, me: u32) -> Result<bool> {
        self.0.visit(|queue| {
            if self.sound(queue) != Err(SharedError::OwnerDied) {
                return Ok(false);
            }
            // Readers that had the lock before the writer count as gone only if they are dead.
            if !self.drained() {
                return Err(SharedError::RangeBusy);
            }
            Ok(self.word().change(POISONED, me))
        })
    }
}

/// A request of one owner, for the slow path.
pub(super) struct SlowRequest {
    pub(super) owner: u32,
    /// Whether the owner joins the queue if the lock is not free.
    pub(super) wait: bool,
    /// Gets the outcome; without a callback the owner's thread blocks for it.
    pub(super) callback: Option<OutcomeCallback>,
}

/// How an attempt ended, while the queue is still locked.
enum Inside {
    Acquired(u32),
    Busy,
    Queued(Pushed),
}

impl Inside {
    /// Queues at the end.
    fn queue(queue: &mut Queue<'_>, owner: u32, kind: Kind, callback: Option<OutcomeCallback>) -> Inside {
        Inside::Queued(queue.push(Info { owner, kind, detail: 0 }, callback, false))
    }
}

/// How an attempt ended.
pub(super) enum Attempt<'g> {
    Acquired(u32),
    Busy,
    Queued(WaiterHandle<'g>),
}

/// A readers-writer lock in shared memory at an offset that is a multiple of 8; see [`RwLock::size`].
///
/// Fairness: strictly first come, first served once anyone waits; consecutive readers get it together.
#[derive(Clone, Debug)]
pub struct RwLock {
    location: Location,
}

/// The request of one owner to read or to write.
pub struct RwRequest {
    lock: RwLock,
    owner: u32,
    write: bool,
}

impl RwLock {
    /// Bytes of shared memory for so many readers at once; 28 make it 128.
    pub const fn size(slots: u32) -> usize {
        (SLOTS + slots as usize) * 4
    }

    /// Writes a new, free lock for at most `slots` readers at once (1 to `MAX_SLOTS`).
    pub fn create(region: &Arc<Region>, offset: usize, slots: u32) -> Result<RwLock> {
        if slots == 0 || slots > MAX_SLOTS {
            return Err(SharedError::BadCount);
        }
        let mut cells = vec![0; SLOTS - 1 + slots as usize];
        cells[COUNT - 1] = slots;
        Ok(RwLock { location: Location::create(region, offset, KIND, &cells)? })
    }

    /// Finds the lock that was created there; [`SharedError::NotALock`] if none.
    pub fn from(region: &Arc<Region>, offset: usize) -> Result<RwLock> {
        let location = Location::find(region, offset, KIND, SLOTS)?;
        let slots = location.with(|cells| Ok(cells.word(COUNT).get()))?;
        if slots == 0 || slots > MAX_SLOTS {
            return Err(SharedError::NotALock);
        }
        Ok(RwLock { location: location.grown(SLOTS + slots as usize)? })
    }

    fn with<R>(&self, work: impl FnOnce(Protocol<'_, 'static, AtomicU32>) -> Result<R>) -> Result<R> {
        self.location.with(|cells| work(Protocol(cells)))
    }

    /// Lets `owner` read, if that is possible at once; returns its slot.
    pub fn try_read(&self, owner: u32) -> Result<Option<u32>> {
        self.with(|lock| match lock.read_fast(owner) {
            Some(slot) => Ok(Some(slot)),
            None => lock.acquire_slow(Kind::Read, SlowRequest { owner, wait: false, callback: None }).map(
                |attempt| match attempt {
                    Attempt::Acquired(slot) => Some(slot),
                    Attempt::Busy | Attempt::Queued(_) => None,
                },
            ),
        })
    }

    /// Lets `owner` write, if that is possible at once.
    pub fn try_write(&self, owner: u32) -> Result<bool> {
        let request = SlowRequest { owner, wait: false, callback: None };
        self.with(|lock| Ok(matches!(lock.acquire_slow(Kind::Write, request)?, Attempt::Acquired(_))))
    }

    /// Lets `owner` read (`Ok(Err(slot))`) or joins the queue; the slot comes with the grant.
    pub fn begin_read(
        &self,
        owner: u32,
        callback: Option<OutcomeCallback>,
    ) -> Result<std::result::Result<Pending<RwRequest>, u32>> {
        Pending::begin(RwRequest { lock: self.clone(), owner, write: false }, callback)
    }

    /// Lets `owner` write (`Ok(None)`) or joins the queue.
    pub fn begin_write(
        &self,
        owner: u32,
        callback: Option<OutcomeCallback>,
    ) -> Result<Option<Pending<RwRequest>>> {
        Ok(Pending::begin(RwRequest { lock: self.clone(), owner, write: true }, callback)?.ok())
    }

    /// Blocks until `owner` may read; returns its slot, which [`RwLock::read_unlock`] needs.
    pub fn read_raw(&self, owner: u32, limit: WaitLimit<'_>) -> Result<u32> {
        if let Some(slot) = self.with(|lock| Ok(lock.read_fast(owner)))? {
            return Ok(slot);
        }
        self.begin_read(owner, None)?.map_or_else(Ok, |pending| pending.block(limit))
    }

    /// Blocks until `owner` may write.
    pub fn write_raw(&self, owner: u32, limit: WaitLimit<'_>) -> Result<()> {
        self.begin_write(owner, None)?.map_or(Ok(()), |pending| pending.block(limit).map(drop))
    }

    /// A reader leaves its slot.
    pub fn read_unlock(&self, owner: u32, slot: u32) -> Result<()> {
        self.with(|lock| lock.read_unlock(owner, slot))
    }

    /// The writer leaves.
    pub fn write_unlock(&self, owner: u32) -> Result<()> {
        self.with(|lock| lock.write_unlock(owner, false))
    }

    /// The writer leaves in the middle of a change: the lock is poisoned.
    pub fn write_unlock_poisoned(&self, owner: u32) -> Result<()> {
        self.with(|lock| lock.write_unlock(owner, true))
    }

    /// Makes `owner` the writer of a lock whose writer died: true. False when it is not poisoned;
    /// [`SharedError::RangeBusy`] while readers that came before the writer are still inside.
    pub fn recover(&self, owner: u32) -> Result<bool> {
        self.with(|lock| lock.recover(owner))
    }

    /// True when a writer died inside and nobody has recovered the lock.
    pub fn is_poisoned(&self) -> Result<bool> {
        self.with(|lock| {
            let word = lock.word().get();
            let died = word & DRAINING == 0 && word & OWNER != 0 && !lock.0.alive(word & OWNER);
            Ok(word & POISONED != 0 || died)
        })
    }

    /// Grants the lock to the waiters that may have it: after JavaScript has emptied a reader's slot on the cells.
    pub fn grant_next(&self) -> Result<()> {
        self.with(|lock| {
            lock.recheck();
            Ok(())
        })
    }
}

impl Request for RwRequest {
    fn attempt(&self, _: u32, callback: Option<OutcomeCallback>) -> Result<Step<'static>> {
        let kind = if self.write { Kind::Write } else { Kind::Read };
        let request = SlowRequest { owner: self.owner, wait: true, callback };
        let attempt = self.lock.with(|lock| lock.acquire_slow(kind, request))?;
        match attempt {
            Attempt::Acquired(slot) => Ok(Step::Acquired(slot)),
            Attempt::Queued(ticket) => Ok(Step::Waiting(ticket)),
            Attempt::Busy => unreachable!("a request that waits is acquired or queued"),
        }
    }

    fn give_back(&self, slot: u32) {
        // An error says that the region has closed, or the owner has died: nothing is left to give back then.
        let _ = if self.write {
            self.lock.write_unlock(self.owner)
        } else {
            self.lock.read_unlock(self.owner, slot)
        };
    }

    fn moved_on(&self) {
        let _ = self.lock.with(|lock| {
            lock.left(self.owner);
            Ok(())
        });
    }
}
