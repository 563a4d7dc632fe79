//! A mutual exclusion lock. README.md in this folder has its protocol in words, for both languages.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use super::super::error::{Result, SharedError};
use super::super::region::Region;
use super::super::wait::{BlockingWait, Info, Kind, Outcome, OutcomeCallback, Queue, WaiterHandle};
use super::cells::{Cells, LEAST_CELLS, Location, Word, magic};
use super::owner::MAX_OWNER;
use super::pending::{Pending, Request, Step};
use crate::blocking::WaitLimit;
use crate::exported_numbers::Numbers;
use crate::numbers;

/// A waiter may be queued: unlocking must look into the wait table.
pub(super) const CONTENDED: u32 = 1 << 29;
/// An owner died: nobody acquires the lock until `recover`.
pub(super) const POISONED: u32 = 1 << 28;
/// The bits of the owner's token.
pub(super) const OWNER: u32 = MAX_OWNER;

/// The cell of the lock word.
const WORD: usize = 1;
const CELLS: usize = LEAST_CELLS;
const KIND: u8 = b'M';

/// For JavaScript.
pub(super) const NUMBERS: Numbers = numbers! { MAGIC = magic(KIND), BYTES = Mutex::SIZE, WORD, OWNER };

/// A waiter that was woken in vain this often is handed the lock instead.
const MAX_LOST: u32 = 2;

/// How often a blocking lock looks at a busy word before it queues: about a microsecond.
const SPINS: u32 = 40;

/// The protocol, on any cells: the process's, or a model's.
pub(super) struct Protocol<'c, 'g, W>(pub(super) Cells<'c, 'g, W>);

/// How an attempt without queueing ended.
enum Tried {
    Acquired,
    Busy,
}

impl<'g, W: Word> Protocol<'_, 'g, W> {
    fn word(&self) -> &W {
        self.0.word(WORD)
    }

    /// The uncontended path: the one that JavaScript takes without a native call.
    pub(super) fn lock_fast(&self, me: u32) -> bool {
        self.word().change(0, me)
    }

    /// Tries under the queue's lock. A free lock is taken even when others are queued: one of them is then awake
    /// and about to try, and counts a loss.
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
            } else if self.0.alive(owner) {
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
        let tried = self.0.visit(|queue| self.try_in_queue(queue, me))?;
        Ok(matches!(tried, Tried::Acquired))
    }

    /// Acquires (`None`) or queues. A blocking caller that is the owner is refused.
    pub(super) fn lock_slow(
        &self,
        me: u32,
        lost: u32,
        callback: Option<OutcomeCallback>,
    ) -> Result<Option<WaiterHandle<'g>>> {
        let pushed = self.0.visit_open(|queue| {
            loop {
                if let Tried::Acquired = self.try_in_queue(queue, me)? {
                    return Ok(None);
                }
                let word = self.word().get();
                let owner = word & OWNER;
                if owner == me && callback.is_none() {
                    return Err(SharedError::WouldDeadlock);
                }
                // Freed (or taken by another owner) meanwhile: look again. Else the flag must be set before this waiter is
                // queued, so that the owner's fast unlock fails.
                let held = owner != 0 && word & POISONED == 0;
                if held && (word & CONTENDED != 0 || self.word().change(word, word | CONTENDED)) {
                    let info = Info { owner: me, kind: Kind::Mutex, detail: lost };
                    return Ok(Some(queue.push(info, callback, lost > 0)));
                }
            }
        })?;
        Ok(pushed.map(|pushed| self.0.handle(pushed)))
    }

    pub(super) fn unlock(&self, me: u32) -> Result<()> {
        if self.word().change(me, 0) {
            return Ok(());
        }
        self.0.visit(|queue| {
            if self.word().get() & OWNER != me {
                return Err(SharedError::NotHeld);
            }
            self.hand_on(queue, me);
            Ok(())
        })
    }

    /// Frees the word from `owner` (0: it is free already) and chooses the next waiter.
    fn hand_on(&self, queue: &mut Queue<'_>, owner: u32) {
        loop {
            let word = self.word().get();
            if word & OWNER != owner || word & POISONED != 0 {
                return;
            }
            if queue.front().is_some_and(|front| !self.0.alive(front.owner)) {
                // Its owner has died and its wait is about to end: nothing is granted to the dead.
                queue.wake_front(Outcome::Cancelled);
                continue;
            }
            let contended = if queue.len() > 1 { CONTENDED } else { 0 };
            let (next, outcome) = match queue.front() {
                None => (0, None),
                Some(front) if queue.front_has_callback() || front.detail >= MAX_LOST => {
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

    /// A waiter left, or was woken and does not take the lock: others must not sleep on while the lock is free.
    pub(super) fn moved_on(&self) {
        self.0.visit(|queue| self.hand_on(queue, 0));
    }

    /// Poisons a lock whose owner has died, and notifies its waiters.
    pub(super) fn recheck(&self) {
        self.0.visit(|queue| {
            loop {
                let word = self.word().get();
                let owner = word & OWNER;
                if owner == 0 {
                    return self.hand_on(queue, 0);
                }
                if self.0.alive(owner) {
                    return;
                }
                if self.word().change(word, POISONED) {
                    while queue.wake_front(Outcome::Broken) {}
                    return;
                }
            }
        });
    }

    /// Unlocks and leaves the lock poisoned: the protected data is half changed.
    pub(super) fn unlock_poisoned(&self, me: u32) -> Result<()> {
        self.0.visit(|queue| {
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
        self.0.visit(|queue| {
            loop {
                let word = self.word().get();
                let owner = word & OWNER;
                let poisoned = word & POISONED != 0 || (owner != 0 && !self.0.alive(owner));
                if !poisoned {
                    return Ok(false);
                }
                if self.word().change(word, me) {
                    // Those that queued before the death was known.
                    while queue.wake_front(Outcome::Broken) {}
                    return Ok(true);
                }
            }
        })
    }
}

/// A mutex in shared memory, 16 bytes at an offset that is a multiple of 8.
///
/// Fairness: a free mutex goes to the first thread that asks. The waiter that has queued longest is woken at each unlock,
/// keeps its position if it comes too late, and is handed the lock after two such losses. A waiter with a callback (async)
/// is handed the lock when its turn comes. So none starves.
#[derive(Clone, Debug)]
pub struct Mutex {
    location: Location,
}

/// The request of one owner for a mutex.
pub struct MutexRequest {
    mutex: Mutex,
    owner: u32,
}

impl Mutex {
    /// Bytes of shared memory it takes.
    pub const SIZE: usize = CELLS * 4;

    /// Writes a new, free mutex into shared memory.
    pub fn create(region: &Arc<Region>, offset: usize) -> Result<Mutex> {
        Ok(Mutex { location: Location::create(region, offset, KIND, &[0; CELLS - 1])? })
    }

    /// Finds the mutex that was created there; [`SharedError::NotALock`] if none.
    pub fn from(region: &Arc<Region>, offset: usize) -> Result<Mutex> {
        Ok(Mutex { location: Location::find(region, offset, KIND, CELLS)? })
    }

    /// The mutex that threads wait for.
    pub(super) fn known(region: &Arc<Region>, offset: usize) -> Mutex {
        Mutex { location: Location::known(region, offset, CELLS) }
    }

    pub(super) fn with<R>(
        &self,
        work: impl FnOnce(Protocol<'_, 'static, AtomicU32>) -> Result<R>,
    ) -> Result<R> {
        self.location.with(|cells| work(Protocol(cells)))
    }

    /// Takes it if it is free.
    pub fn try_lock(&self, owner: u32) -> Result<bool> {
        self.with(|mutex| mutex.try_lock(owner))
    }

    /// Takes it (`Ok(None)`) or joins the queue. `acquired` reads the outcome that `callback` gets; it is
    /// not called when the mutex is taken at once.
    pub fn begin_lock(
        &self,
        owner: u32,
        callback: Option<OutcomeCallback>,
    ) -> Result<Option<Pending<MutexRequest>>> {
        Ok(Pending::begin(MutexRequest { mutex: self.clone(), owner }, callback)?.ok())
    }

    /// Blocks until it is taken. Unlock with [`Mutex::unlock`].
    pub fn lock_raw(&self, owner: u32, limit: WaitLimit<'_>) -> Result<()> {
        let taken = self.with(|mutex| {
            // A critical section is often shorter than the time to fall asleep.
            Ok((0..SPINS).any(|_| {
                let taken = mutex.word().get() == 0 && mutex.lock_fast(owner);
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
            Some(pending) => pending.block(limit).map(drop),
        }
    }

    /// Frees it for the next waiter; [`SharedError::NotHeld`] if `owner` does not hold it.
    pub fn unlock(&self, owner: u32) -> Result<()> {
        self.with(|mutex| mutex.unlock(owner))
    }

    /// Frees it and leaves it poisoned, because the protected data is half changed.
    pub fn unlock_poisoned(&self, owner: u32) -> Result<()> {
        self.with(|mutex| mutex.unlock_poisoned(owner))
    }

    /// Takes a lock whose owner died and clears the poison: true. False when it is not poisoned.
    pub fn recover(&self, owner: u32) -> Result<bool> {
        self.with(|mutex| mutex.recover(owner))
    }

    /// True when an owner died and nobody has recovered it.
    pub fn is_poisoned(&self) -> Result<bool> {
        self.with(|mutex| {
            let word = mutex.word().get();
            Ok(word & POISONED != 0 || (word & OWNER != 0 && !mutex.0.alive(word & OWNER)))
        })
    }

    /// Looks again whether its owner has died, and whether the next waiter may have it.
    pub(super) fn recheck(&self) -> Result<()> {
        self.with(|mutex| {
            mutex.recheck();
            Ok(())
        })
    }
}

impl Request for MutexRequest {
    fn attempt(&self, lost: u32, callback: Option<OutcomeCallback>) -> Result<Step<'static>> {
        let waiting = self.mutex.with(|mutex| mutex.lock_slow(self.owner, lost, callback))?;
        Ok(waiting.map_or(Step::Acquired(0), Step::Waiting))
    }

    fn give_back(&self, _: u32) {
        // An error says that the region has closed, or the owner has died: nothing is left to give back then.
        let _ = self.mutex.unlock(self.owner);
    }

    fn moved_on(&self) {
        let _ = self.mutex.with(|mutex| {
            mutex.moved_on();
            Ok(())
        });
    }
}
