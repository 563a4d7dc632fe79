//! A lock of any kind, for callers that know it by a handle: JavaScript.

use std::sync::Arc;
use std::time::Duration;

use super::super::error::{Result, SharedError};
use super::super::region::Region;
use super::super::wait::{BlockingWait, Outcome, OutcomeCallback};
use super::barrier::{Barrier, BarrierWait, passed};
use super::condvar::{Condvar, CondvarWait};
use super::mutex::{Mutex, MutexRequest};
use super::pending::{Pending, acquired};
use super::rw_lock::{RwLock, RwRequest};
use super::semaphore::{PermitRequest, Semaphore};

/// Called with what an acquisition came to: the reader's slot or a plain 0, or why not.
pub type AcquiredCallback = Box<dyn FnOnce(Result<u32>) + Send>;

/// A lock of any kind.
///
/// Its methods take one `argument`, whose meaning depends on the kind: a readers-writer lock's is [`AnyLock::READ`]
/// or [`AnyLock::WRITE`], a semaphore's is the number of permits, the others have none.
#[derive(Clone, Debug)]
pub enum AnyLock {
    /// A [`Mutex`].
    Mutex(Mutex),
    /// A [`RwLock`].
    RwLock(RwLock),
    /// A [`Semaphore`].
    Semaphore(Semaphore),
    /// A [`Condvar`].
    Condvar(Condvar),
    /// A [`Barrier`].
    Barrier(Barrier),
}

/// A wait of any kind.
pub enum AnyWait {
    /// For a [`Mutex`].
    Mutex(Pending<MutexRequest>),
    /// For a [`RwLock`].
    RwLock(Pending<RwRequest>),
    /// For a [`Semaphore`]'s permits.
    Semaphore(Pending<PermitRequest>),
    /// For the notify of a [`Condvar`].
    Condvar(CondvarWait),
    /// For the other parties of a [`Barrier`].
    Barrier(BarrierWait),
}

/// A begun acquisition: a wait, or the number that was granted at once.
pub type Acquisition = std::result::Result<AnyWait, u32>;

/// How a lock of one kind is found.
type Finder = fn(&Arc<Region>, usize) -> Result<AnyLock>;

/// A callback of the wait table that reads the outcome for the lock's callback.
fn reading(callback: AcquiredCallback, read: fn(Outcome) -> Result<u32>) -> OutcomeCallback {
    Box::new(move |outcome| callback(read(outcome)))
}

/// `begin_…` of a lock answers `None` when it needed no waiting.
fn begun<W>(wait: Option<W>, into: fn(W) -> AnyWait) -> Acquisition {
    wait.map(into).ok_or(0)
}

impl AnyLock {
    /// A readers-writer lock's argument for reading.
    pub const READ: u32 = 0;
    /// A readers-writer lock's argument for writing.
    pub const WRITE: u32 = 1;
    /// The number that a barrier grants at once, to the party that arrived last.
    pub const LEADER: u32 = 0;
    /// The number that a barrier grants to the parties that have waited.
    pub const FOLLOWER: u32 = 1;

    /// Finds the lock at the offset, of whatever kind; [`SharedError::NotALock`] if there is none.
    pub fn find(region: &Arc<Region>, offset: usize) -> Result<AnyLock> {
        let finders: [Finder; 5] = [
            |region, offset| Mutex::from(region, offset).map(AnyLock::Mutex),
            |region, offset| RwLock::from(region, offset).map(AnyLock::RwLock),
            |region, offset| Semaphore::from(region, offset).map(AnyLock::Semaphore),
            |region, offset| Condvar::from(region, offset).map(AnyLock::Condvar),
            |region, offset| Barrier::from(region, offset).map(AnyLock::Barrier),
        ];
        for find in finders {
            match find(region, offset) {
                Err(SharedError::NotALock) => {}
                found => return found,
            }
        }
        Err(SharedError::NotALock)
    }

    /// Acquires, or joins the queue: with a callback, or to sleep in slices.
    /// A wait on a condition variable needs its mutex too: [`AnyLock::begin_condvar`].
    pub fn begin(
        &self,
        argument: u32,
        owner: u32,
        callback: Option<AcquiredCallback>,
    ) -> Result<Acquisition> {
        let read: fn(Outcome) -> Result<u32> = match self {
            AnyLock::Barrier(_) => |outcome| passed(outcome).map(|()| AnyLock::FOLLOWER),
            _ => acquired,
        };
        let callback = callback.map(|callback| reading(callback, read));
        match self {
            AnyLock::Mutex(lock) => Ok(begun(lock.begin_lock(owner, callback)?, AnyWait::Mutex)),
            AnyLock::RwLock(lock) if argument == AnyLock::READ => {
                Ok(lock.begin_read(owner, callback)?.map(AnyWait::RwLock))
            }
            AnyLock::RwLock(lock) => Ok(begun(lock.begin_write(owner, callback)?, AnyWait::RwLock)),
            AnyLock::Semaphore(lock) => {
                Ok(begun(lock.begin_acquire(owner, argument, callback)?, AnyWait::Semaphore))
            }
            AnyLock::Barrier(barrier) => Ok(begun(barrier.begin_wait(owner, callback)?, AnyWait::Barrier)),
            AnyLock::Condvar(_) => Err(SharedError::NotALock),
        }
    }

    /// Waits on the condition variable that this is; see [`Condvar::begin_wait`].
    pub fn begin_condvar(
        &self,
        mutex: &AnyLock,
        owner: u32,
        callback: Option<AcquiredCallback>,
    ) -> Result<AnyWait> {
        let (AnyLock::Condvar(condvar), AnyLock::Mutex(mutex)) = (self, mutex) else {
            return Err(SharedError::NotALock);
        };
        let callback = callback.map(|callback| reading(callback, acquired));
        condvar.begin_wait(mutex, owner, callback).map(AnyWait::Condvar)
    }

    /// Acquires if that needs no waiting; returns the granted number.
    pub fn try_now(&self, argument: u32, owner: u32) -> Result<Option<u32>> {
        match self {
            AnyLock::Mutex(lock) => Ok(lock.try_lock(owner)?.then_some(0)),
            AnyLock::RwLock(lock) if argument == AnyLock::READ => lock.try_read(owner),
            AnyLock::RwLock(lock) => Ok(lock.try_write(owner)?.then_some(0)),
            AnyLock::Semaphore(lock) => Ok(lock.try_acquire(argument)?.then_some(0)),
            AnyLock::Condvar(_) | AnyLock::Barrier(_) => Err(SharedError::NotALock),
        }
    }

    /// Releases the lock; `granted` is the reader's slot.
    pub fn unlock(&self, argument: u32, owner: u32, granted: u32) -> Result<()> {
        match self {
            AnyLock::Mutex(lock) => lock.unlock(owner),
            AnyLock::RwLock(lock) if argument == AnyLock::READ => lock.read_unlock(owner, granted),
            AnyLock::RwLock(lock) => lock.write_unlock(owner),
            AnyLock::Semaphore(lock) => lock.release(argument),
            AnyLock::Condvar(_) | AnyLock::Barrier(_) => Err(SharedError::NotALock),
        }
    }

    /// Grants the lock to the waiters that may have it, after a release that JavaScript did on the cells.
    pub fn grant_next(&self) -> Result<()> {
        match self {
            AnyLock::RwLock(lock) => lock.grant_next(),
            AnyLock::Semaphore(lock) => lock.grant_next(),
            AnyLock::Mutex(_) | AnyLock::Condvar(_) | AnyLock::Barrier(_) => Err(SharedError::NotALock),
        }
    }

    /// Takes a lock whose owner died: true. False when it is not poisoned.
    pub fn recover(&self, owner: u32) -> Result<bool> {
        match self {
            AnyLock::Mutex(lock) => lock.recover(owner),
            AnyLock::RwLock(lock) => lock.recover(owner),
            AnyLock::Semaphore(_) | AnyLock::Condvar(_) | AnyLock::Barrier(_) => Err(SharedError::NotALock),
        }
    }

    /// True when an owner died and nobody has recovered the lock.
    pub fn is_poisoned(&self) -> Result<bool> {
        match self {
            AnyLock::Mutex(lock) => lock.is_poisoned(),
            AnyLock::RwLock(lock) => lock.is_poisoned(),
            AnyLock::Semaphore(_) | AnyLock::Condvar(_) | AnyLock::Barrier(_) => Err(SharedError::NotALock),
        }
    }

    /// The condition variable that this is.
    pub fn as_condvar(&self) -> Result<&Condvar> {
        if let AnyLock::Condvar(condvar) = self { Ok(condvar) } else { Err(SharedError::NotALock) }
    }

    /// The barrier that this is.
    pub fn as_barrier(&self) -> Result<&Barrier> {
        if let AnyLock::Barrier(barrier) = self { Ok(barrier) } else { Err(SharedError::NotALock) }
    }
}

impl AnyWait {
    /// Sleeps until the wait has ended (the granted number), or `slice` has passed (`None`).
    pub fn wait_slice(&mut self, slice: Duration) -> Result<Option<u32>> {
        match self {
            AnyWait::Mutex(wait) => wait.wait_slice(slice),
            AnyWait::RwLock(wait) => wait.wait_slice(slice),
            AnyWait::Semaphore(wait) => wait.wait_slice(slice),
            AnyWait::Condvar(wait) => Ok(wait.wait_slice(slice)?.map(|()| 0)),
            AnyWait::Barrier(wait) => Ok(wait.wait_slice(slice)?.map(|()| AnyLock::FOLLOWER)),
        }
    }

    /// Gives the wait up, and returns true. False if the wait has already ended: `wait_slice` or the callback gives the
    /// outcome.
    pub fn cancel(&mut self) -> bool {
        match self {
            AnyWait::Mutex(wait) => wait.cancel(),
            AnyWait::RwLock(wait) => wait.cancel(),
            AnyWait::Semaphore(wait) => wait.cancel(),
            AnyWait::Condvar(wait) => wait.cancel(),
            AnyWait::Barrier(wait) => wait.cancel(),
        }
    }

    /// Gives up a wait whose end nobody will see, one with a callback too; an unseen grant is returned, and the lock is not
    /// poisoned.
    pub fn abandon(self) {
        match self {
            AnyWait::Mutex(wait) => wait.abandon(),
            AnyWait::RwLock(wait) => wait.abandon(),
            AnyWait::Semaphore(wait) => wait.abandon(),
            AnyWait::Condvar(wait) => wait.abandon(),
            AnyWait::Barrier(mut wait) => {
                wait.cancel();
            }
        }
    }
}
