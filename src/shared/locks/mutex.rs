//! A mutual exclusion lock. README.md in this folder has its protocol in words, for both languages.

use std::sync::Arc;

use super::super::error::{Result, SharedError};
use super::super::region::Region;
use super::super::wait::{Deliver, Info, Kind, Outcome, Queue, Ticket, WaitPolicy};
use super::cells::{Cells, Site, Word};
use super::owner::{Ground, ground};
use super::pending::{Pending, Request, Step};

/// Someone may be queued: unlocking must go by the wait table.
pub const CONTENDED: u32 = 1 << 29;
/// An owner died: nobody acquires until `recover` or `clear_poison`.
pub const POISONED: u32 = 1 << 28;
/// The bits of the owner's token.
pub const OWNER: u32 = super::owner::MAX_OWNER;

/// The cell of the lock word.
const WORD: usize = 1;
const CELLS: usize = 4;
const KIND: u8 = b'M';

/// A waiter woken this often in vain is handed the lock instead.
const MAX_LOST: u32 = 2;

/// The protocol, on whatever cells and table.
pub(super) struct Raw<'c, 'g, W> {
    pub(super) cells: Cells<'c, W>,
    pub(super) ground: Ground<'g>,
}

/// How a try without the queue ended.
enum Tried {
    Acquired,
    Busy,
}

impl<'g, W: Word> Raw<'_, 'g, W> {
    fn word(&self) -> &W {
        self.cells.word(WORD)
    }

    /// The uncontended path: the one that JavaScript takes without a native call.
    pub(super) fn lock_fast(&self, me: u32) -> bool {
        self.word().change(0, me)
    }

    /// Tries under the queue's lock. A free lock is taken even when others are queued: one of them is then awake
    /// and on its way, and counts a loss.
    fn try_in_queue(&self, queue: &mut Queue<'_>, me: u32) -> Result<Tried> {
        loop {
            let word = self.word().get();
            let owner = word & OWNER;
            if word & POISONED != 0 {
                return Err(SharedError::OwnerDied);
            }
            if owner == 0 {
                let contended = if queue.is_empty() { 0 } else { CONTENDED };
                if self.word().change(word, me | contended) {
                    return Ok(Tried::Acquired);
                }
            } else if self.ground.owners.alive(owner) {
                return Ok(Tried::Busy);
            } else if self.word().change(word, POISONED) {
                while queue.wake_front(Outcome::Broken) {}
                return Err(SharedError::OwnerDied);
            }
        }
    }

    pub(super) fn try_lock(&self, me: u32) -> Result<bool> {
        if self.lock_fast(me) {
            return Ok(true);
        }
        let tried = self.ground.table.visit(self.cells.place, |queue| self.try_in_queue(queue, me))?;
        Ok(matches!(tried, Tried::Acquired))
    }

    /// Acquires or queues; `None` is acquired. A blocking caller that is the owner is refused.
    pub(super) fn lock_slow(
        &self,
        me: u32,
        lost: u32,
        deliver: Option<Deliver>,
    ) -> Result<Option<Ticket<'g>>> {
        let waiting = self.ground.table.visit(self.cells.place, |queue| {
            self.cells.check_open()?;
            loop {
                if let Tried::Acquired = self.try_in_queue(queue, me)? {
                    return Ok(None);
                }
                let word = self.word().get();
                let owner = word & OWNER;
                if owner == me && deliver.is_none() {
                    return Err(SharedError::WouldDeadlock);
                }
                // Freed (or changed hands) meanwhile: look again. Else the flag must stand before we are queued,
                // so that the owner's fast unlock fails.
                let held = owner != 0 && word & POISONED == 0;
                if held && (word & CONTENDED != 0 || self.word().change(word, word | CONTENDED)) {
                    let info = Info { owner: me, kind: Kind::Mutex, detail: lost };
                    return Ok(Some(queue.push(info, deliver, lost > 0)));
                }
            }
        })?;
        Ok(waiting.map(|waiting| self.ground.table.ticket(self.cells.place, waiting)))
    }

    pub(super) fn unlock(&self, me: u32) -> Result<()> {
        if self.word().change(me, 0) {
            return Ok(());
        }
        self.ground.table.visit(self.cells.place, |queue| {
            if self.word().get() & OWNER != me {
                return Err(SharedError::NotHeld);
            }
            self.hand_on(queue, me);
            Ok(())
        })
    }

    /// Frees the word from `owner` (0: it is free already) and chooses who is next.
    fn hand_on(&self, queue: &mut Queue<'_>, owner: u32) {
        loop {
            let word = self.word().get();
            if word & OWNER != owner || word & POISONED != 0 {
                return;
            }
            if queue.front().is_some_and(|front| !self.ground.owners.alive(front.owner)) {
                // Its thread has died and its wait is about to end: nothing is granted to the dead.
                queue.wake_front(Outcome::Cancelled);
                continue;
            }
            let contended = if queue.len() > 1 { CONTENDED } else { 0 };
            let (next, outcome) = match queue.front() {
                None => (0, None),
                Some(front) if queue.front_is_callback() || front.detail >= MAX_LOST => {
                    (front.owner | contended, Some(Outcome::Granted(0)))
                }
                Some(_) => (contended, Some(Outcome::Woken)),
            };
            if self.word().change(word, next) {
                if let Some(outcome) = outcome {
                    queue.wake_front(outcome);
                }
                return;
            }
        }
    }

    /// A waiter left, or was woken and will not take the lock: a free lock must not leave others asleep.
    pub(super) fn moved_on(&self) {
        self.ground.table.visit(self.cells.place, |queue| self.hand_on(queue, 0));
    }

    /// Poisons a lock whose owner has died, and tells those who wait.
    pub(super) fn recheck(&self) {
        self.ground.table.visit(self.cells.place, |queue| {
            loop {
                let word = self.word().get();
                let owner = word & OWNER;
                if owner == 0 {
                    return self.hand_on(queue, 0);
                }
                if self.ground.owners.alive(owner) {
                    return;
                }
                if self.word().change(word, POISONED) {
                    while queue.wake_front(Outcome::Broken) {}
                    return;
                }
            }
        });
    }

    /// Unlocks and leaves the lock poisoned: what it protects is half changed.
    pub(super) fn unlock_poisoned(&self, me: u32) -> Result<()> {
        self.ground.table.visit(self.cells.place, |queue| {
            loop {
                let word = self.word().get();
                if word & OWNER != me {
                    return Err(SharedError::NotHeld);
                }
                if self.word().change(word, POISONED) {
                    while queue.wake_front(Outcome::Broken) {}
                    return Ok(());
                }
            }
        })
    }

    /// Takes a poisoned lock; false when it is not poisoned.
    pub(super) fn recover(&self, me: u32) -> Result<bool> {
        self.ground.table.visit(self.cells.place, |queue| {
            loop {
                let word = self.word().get();
                let owner = word & OWNER;
                let poisoned = word & POISONED != 0 || (owner != 0 && !self.ground.owners.alive(owner));
                if !poisoned {
                    return Ok(false);
                }
                if self.word().change(word, me) {
                    // Those who queued before the death was known.
                    while queue.wake_front(Outcome::Broken) {}
                    return Ok(true);
                }
            }
        })
    }
}

/// A mutex in shared memory, 16 bytes at an offset that is a multiple of 8.
///
/// Fairness: whoever comes while it is free takes it; the one queued longest is woken at each unlock, keeps its
/// place if it comes too late, and is handed the lock after two such losses. A callback (async) waiter is handed
/// the lock when its turn comes. So nobody starves.
#[derive(Clone, Debug)]
pub struct Mutex {
    site: Site,
}

/// The request of one owner for a mutex.
pub struct MutexRequest {
    mutex: Mutex,
    owner: u32,
}

/// Unlocks when dropped; poisons when dropped by a panic.
pub struct MutexGuard<'m> {
    mutex: &'m Mutex,
    owner: u32,
}

impl Mutex {
    /// Bytes of shared memory it takes.
    pub const SIZE: usize = CELLS * 4;

    /// Writes a new, free mutex into shared memory.
    pub fn create(region: &Arc<Region>, offset: usize) -> Result<Mutex> {
        Ok(Mutex { site: Site::create(region, offset, KIND, &[0; CELLS - 1])? })
    }

    /// Finds the mutex that someone created there; [`SharedError::NotALock`] if none.
    pub fn from(region: &Arc<Region>, offset: usize) -> Result<Mutex> {
        Ok(Mutex { site: Site::find(region, offset, KIND)? })
    }

    pub(super) fn with<R>(
        &self,
        work: impl FnOnce(Raw<'_, 'static, std::sync::atomic::AtomicU32>) -> Result<R>,
    ) -> Result<R> {
        self.site.with(CELLS, |cells| work(Raw { cells, ground: ground() }))
    }

    /// Takes it if it is free.
    pub fn try_lock(&self, owner: u32) -> Result<bool> {
        self.with(|raw| raw.try_lock(owner))
    }

    /// Takes it or joins the queue: `Ok(None)` when taken. With `deliver`,
    /// [`super::acquired`] reads the outcome; it is not called when taken at once.
    pub fn begin_lock(&self, owner: u32, deliver: Option<Deliver>) -> Result<Option<Pending<MutexRequest>>> {
        Ok(Pending::begin(MutexRequest { mutex: self.clone(), owner }, deliver)?.ok())
    }

    /// Blocks until it is taken. Unlock with [`Mutex::unlock`].
    pub fn lock_raw(&self, owner: u32, policy: WaitPolicy<'_>) -> Result<()> {
        let taken = self.with(|raw| {
            // A critical section is often shorter than falling asleep.
            Ok((0..super::SPINS).any(|_| {
                let taken = raw.word().get() == 0 && raw.lock_fast(owner);
                if !taken {
                    std::hint::spin_loop();
                }
                taken
            }))
        })?;
        if taken {
            return Ok(());
        }
        match self.begin_lock(owner, None)? {
            None => Ok(()),
            Some(pending) => pending.wait(policy).map(drop),
        }
    }

    /// Blocks this Rust thread until it is taken.
    pub fn lock(&self, policy: WaitPolicy<'_>) -> Result<MutexGuard<'_>> {
        let owner = super::current_owner()?;
        self.lock_raw(owner, policy)?;
        Ok(MutexGuard { mutex: self, owner })
    }

    /// Frees it and lets the next one in; [`SharedError::NotHeld`] if `owner` does not hold it.
    pub fn unlock(&self, owner: u32) -> Result<()> {
        self.with(|raw| raw.unlock(owner))
    }

    /// Frees it and leaves it poisoned, because what it protects is half changed.
    pub fn unlock_poisoned(&self, owner: u32) -> Result<()> {
        self.with(|raw| raw.unlock_poisoned(owner))
    }

    /// Takes a lock whose owner died and clears the poison: true. False when it is not poisoned.
    pub fn recover(&self, owner: u32) -> Result<bool> {
        self.with(|raw| raw.recover(owner))
    }

    /// True when an owner died and nobody has recovered it.
    pub fn is_poisoned(&self) -> Result<bool> {
        self.with(|raw| {
            let word = raw.word().get();
            Ok(word & POISONED != 0 || (word & OWNER != 0 && !raw.ground.owners.alive(word & OWNER)))
        })
    }

    pub(super) fn recheck(region: &Arc<Region>, word_offset: usize) -> Result<()> {
        let mutex = Mutex { site: Site { region: region.clone(), offset: word_offset - 4 } };
        mutex.with(|raw| {
            raw.recheck();
            Ok(())
        })
    }
}

impl Request for MutexRequest {
    fn attempt(&self, lost: u32, deliver: Option<Deliver>) -> Result<Step<'static>> {
        let waiting = self.mutex.with(|raw| raw.lock_slow(self.owner, lost, deliver))?;
        Ok(waiting.map_or(Step::Acquired(0), Step::Waiting))
    }

    fn give_back(&self, _: u32) {
        // The region may have closed, and the owner may be buried already: nothing is left to give back then.
        let _ = self.mutex.unlock(self.owner);
    }

    fn moved_on(&self) {
        let _ = self.mutex.with(|raw| {
            raw.moved_on();
            Ok(())
        });
    }
}

impl Drop for MutexGuard<'_> {
    fn drop(&mut self) {
        // An error means that the region closed or that someone else unlocked for us: neither can be told here.
        let _ = if std::thread::panicking() {
            self.mutex.unlock_poisoned(self.owner)
        } else {
            self.mutex.unlock(self.owner)
        };
    }
}
