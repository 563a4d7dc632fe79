//! A counting semaphore. README.md in this folder has its protocol in words.
//!
//! Permits have no owner: one thread may acquire a permit and another release it. So a thread that dies with
//! permits takes them along, and the threads that wait for them wait until their time limit or until another thread releases
//! them in its stead. A thread that dies *waiting* leaves nothing behind.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use super::super::error::{Result, SharedError};
use super::super::region::Region;
use super::super::wait::{BlockingWait, Info, Kind, Outcome, OutcomeCallback, Queue};
use super::cells::{Cells, LEAST_CELLS, Location, Word, magic};
use super::pending::{Pending, Request, Step};
use crate::exported_numbers::Numbers;
use crate::numbers;
use crate::wait_limit::WaitLimit;

/// Free permits.
const COUNT: usize = 1;
/// How many waiters are queued; may be too high, never too low.
const WAITERS: usize = 2;
const MAX: usize = 3;
const CELLS: usize = LEAST_CELLS;
const KIND: u8 = b'S';

/// The most permits a semaphore may have.
pub(super) const MAX_PERMITS: u32 = i32::MAX as u32;

/// For JavaScript.
pub(super) const NUMBERS: Numbers = numbers! {
    MAGIC = magic(KIND), BYTES = Semaphore::SIZE, COUNT, WAITERS, MAX, MAX_PERMITS,
};

/// The protocol, on the lock's cells.
struct Protocol<'c, 'g, W>(Cells<'c, 'g, W>);

impl<W: Word> Protocol<'_, '_, W> {
    fn take(&self, permits: u32) -> bool {
        let count = self.0.word(COUNT);
        loop {
            let now = count.get();
            let Some(left) = now.checked_sub(permits) else { return false };
            if count.change(now, left) {
                return true;
            }
        }
    }

    /// The path that JavaScript takes without a native call.
    fn acquire_fast(&self, permits: u32) -> bool {
        self.0.word(WAITERS).get() == 0 && self.take(permits)
    }

    fn release(&self, permits: u32) -> Result<()> {
        let (count, max) = (self.0.word(COUNT), self.0.word(MAX).get());
        loop {
            let now = count.get();
            let more = now.checked_add(permits).filter(|more| *more <= max).ok_or(SharedError::BadCount)?;
            if count.change(now, more) {
                break;
            }
        }
        // The count, then the waiters; a waiter writes and reads them in the reverse order: one sees the other.
        if self.0.word(WAITERS).get() != 0 {
            self.recheck();
        }
        Ok(())
    }

    /// Grants permits to the waiters, in their order.
    fn advance(&self, queue: &mut Queue<'_>) {
        while let Some(front) = queue.front() {
            if !self.0.alive(front.owner) {
                queue.wake_front(Outcome::Cancelled);
            } else if self.take(front.detail) {
                queue.wake_front(Outcome::Granted(front.detail));
            } else {
                break;
            }
        }
        self.0.word(WAITERS).set(queue.len() as u32);
    }

    fn recheck(&self) {
        self.0.visit(|queue| self.advance(queue));
    }
}

/// A semaphore in shared memory, 16 bytes at an offset that is a multiple of 8.
///
/// Fairness: strictly first come, first served once anyone waits, also for requests of several permits (a small
/// request does not overtake a large one).
#[derive(Clone, Debug)]
pub struct Semaphore {
    location: Location,
}

/// The request for some permits.
pub struct PermitRequest {
    semaphore: Semaphore,
    owner: u32,
    permits: u32,
}

impl Semaphore {
    /// Bytes of shared memory it takes.
    pub const SIZE: usize = CELLS * 4;

    /// Writes a new semaphore with `permits` free permits and never more than `max` (at most 2^31 - 1).
    pub fn create(region: &Arc<Region>, offset: usize, permits: u32, max: u32) -> Result<Semaphore> {
        if max == 0 || max > MAX_PERMITS || permits > max {
            return Err(SharedError::BadCount);
        }
        Ok(Semaphore { location: Location::create(region, offset, KIND, &[permits, 0, max])? })
    }

    /// Finds the semaphore that was created there; [`SharedError::NotALock`] if none.
    pub fn from(region: &Arc<Region>, offset: usize) -> Result<Semaphore> {
        Ok(Semaphore { location: Location::find(region, offset, KIND, CELLS)? })
    }

    /// The semaphore that threads wait for.
    pub(super) fn known(region: &Arc<Region>, offset: usize) -> Semaphore {
        Semaphore { location: Location::known(region, offset, CELLS) }
    }

    fn with<R>(&self, work: impl FnOnce(Protocol<'_, 'static, AtomicU32>) -> Result<R>) -> Result<R> {
        self.location.with(|cells| work(Protocol(cells)))
    }

    /// Takes permits if enough are free and nobody waits.
    pub fn try_acquire(&self, permits: u32) -> Result<bool> {
        self.with(|semaphore| Ok(semaphore.acquire_fast(permits)))
    }

    /// Takes permits (`Ok(None)`) or joins the queue. More than the maximum: [`SharedError::BadCount`].
    pub fn begin_acquire(
        &self,
        owner: u32,
        permits: u32,
        callback: Option<OutcomeCallback>,
    ) -> Result<Option<Pending<PermitRequest>>> {
        Ok(Pending::begin(PermitRequest { semaphore: self.clone(), owner, permits }, callback)?.ok())
    }

    /// Blocks until `owner` has its permits.
    pub fn acquire(&self, owner: u32, permits: u32, limit: WaitLimit<'_>) -> Result<()> {
        if self.try_acquire(permits)? {
            return Ok(());
        }
        self.begin_acquire(owner, permits, None)?.map_or(Ok(()), |pending| pending.block(limit).map(drop))
    }

    /// Gives permits back, or adds them; [`SharedError::BadCount`] when that would be more than the maximum.
    pub fn release(&self, permits: u32) -> Result<()> {
        self.with(|semaphore| semaphore.release(permits))
    }

    /// How many are free now.
    #[cfg(all(test, not(loom)))]
    pub(super) fn available(&self) -> Result<u32> {
        self.with(|semaphore| Ok(semaphore.0.word(COUNT).get()))
    }

    /// Grants permits to the waiters: after JavaScript has released some on the cells.
    pub fn grant_next(&self) -> Result<()> {
        self.with(|semaphore| {
            semaphore.recheck();
            Ok(())
        })
    }
}

impl Request for PermitRequest {
    fn attempt(&self, _: u32, callback: Option<OutcomeCallback>) -> Result<Step<'static>> {
        self.semaphore.with(|semaphore| {
            if self.permits > semaphore.0.word(MAX).get() {
                return Err(SharedError::BadCount);
            }
            let pushed = semaphore.0.visit_open(|queue| {
                semaphore.0.word(WAITERS).set(queue.len() as u32 + 1);
                if queue.is_empty() && semaphore.take(self.permits) {
                    semaphore.0.word(WAITERS).set(0);
                    return Ok(None);
                }
                let info = Info { owner: self.owner, kind: Kind::Semaphore, detail: self.permits };
                Ok(Some(queue.push(info, callback, false)))
            })?;
            Ok(pushed
                .map_or(Step::Acquired(self.permits), |pushed| Step::Waiting(semaphore.0.handle(pushed))))
        })
    }

    fn give_back(&self, permits: u32) {
        // An error says that the region has closed: nothing is left to give back then.
        let _ = self.semaphore.release(permits);
    }

    fn moved_on(&self) {
        let _ = self.semaphore.with(|semaphore| {
            semaphore.recheck();
            Ok(())
        });
    }
}
