//! A counting semaphore. README.md in this folder has its protocol in words.
//!
//! Permits have no owner: whoever holds one may be another than who gives it back. So a thread that dies with
//! permits takes them along, and those who wait for them wait until their deadline or until someone releases in
//! its stead. A thread that dies *waiting* leaves nothing behind.

use std::sync::Arc;

use super::super::error::{Result, SharedError};
use super::super::region::Region;
use super::super::wait::{Deliver, Info, Kind, Outcome, Queue, WaitPolicy};
use super::cells::{Cells, Site, Word};
use super::owner::{Ground, ground};
use super::pending::{Pending, Request, Step};

/// Permits to be had.
const COUNT: usize = 1;
/// How many are queued; may be too high, never too low.
const WAITERS: usize = 2;
const MAX: usize = 3;
const CELLS: usize = 4;
const KIND: u8 = b'S';

/// The most permits a semaphore may have.
pub const MAX_PERMITS: u32 = i32::MAX as u32;

struct Raw<'c, 'g, W> {
    cells: Cells<'c, W>,
    ground: Ground<'g>,
}

impl<W: Word> Raw<'_, '_, W> {
    fn take(&self, permits: u32) -> bool {
        let count = self.cells.word(COUNT);
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
        self.cells.word(WAITERS).get() == 0 && self.take(permits)
    }

    fn release(&self, permits: u32) -> Result<()> {
        let (count, max) = (self.cells.word(COUNT), self.cells.word(MAX).get());
        loop {
            let now = count.get();
            let more = now.checked_add(permits).filter(|more| *more <= max).ok_or(SharedError::BadCount)?;
            if count.change(now, more) {
                break;
            }
        }
        // Count, then waiters; a waiter does the reverse: one sees the other.
        if self.cells.word(WAITERS).get() != 0 {
            self.recheck();
        }
        Ok(())
    }

    /// Grants permits to those who wait, in their order.
    fn advance(&self, queue: &mut Queue<'_>) {
        while let Some(front) = queue.front() {
            if !self.ground.owners.alive(front.owner) {
                queue.wake_front(Outcome::Cancelled);
            } else if self.take(front.detail) {
                queue.wake_front(Outcome::Granted(front.detail));
            } else {
                break;
            }
        }
        self.cells.word(WAITERS).set(queue.len() as u32);
    }

    fn recheck(&self) {
        self.ground.table.visit(self.cells.place, |queue| self.advance(queue));
    }
}

/// A semaphore in shared memory, 16 bytes at an offset that is a multiple of 8.
///
/// Fairness: strictly first come, first served once anyone waits, also for requests of several permits (a small
/// one does not overtake a great one).
#[derive(Clone, Debug)]
pub struct Semaphore {
    site: Site,
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

    /// Writes a new semaphore with `permits` to be had and never more than `max` (at most [`MAX_PERMITS`]).
    pub fn create(region: &Arc<Region>, offset: usize, permits: u32, max: u32) -> Result<Semaphore> {
        if max == 0 || max > MAX_PERMITS || permits > max {
            return Err(SharedError::BadCount);
        }
        Ok(Semaphore { site: Site::create(region, offset, KIND, &[permits, 0, max])? })
    }

    /// Finds the semaphore that someone created there; [`SharedError::NotALock`] if none.
    pub fn from(region: &Arc<Region>, offset: usize) -> Result<Semaphore> {
        Ok(Semaphore { site: Site::find(region, offset, KIND)? })
    }

    fn with<R>(
        &self,
        work: impl FnOnce(Raw<'_, 'static, std::sync::atomic::AtomicU32>) -> Result<R>,
    ) -> Result<R> {
        self.site.with(CELLS, |cells| work(Raw { cells, ground: ground() }))
    }

    /// Takes permits if they are to be had and nobody waits.
    pub fn try_acquire(&self, permits: u32) -> Result<bool> {
        self.with(|raw| Ok(raw.acquire_fast(permits)))
    }

    /// Takes permits (`Ok(None)`) or joins the queue. More than the maximum: [`SharedError::BadCount`].
    pub fn begin_acquire(
        &self,
        owner: u32,
        permits: u32,
        deliver: Option<Deliver>,
    ) -> Result<Option<Pending<PermitRequest>>> {
        Ok(Pending::begin(PermitRequest { semaphore: self.clone(), owner, permits }, deliver)?.ok())
    }

    /// Blocks until `owner` has its permits.
    pub fn acquire(&self, owner: u32, permits: u32, policy: WaitPolicy<'_>) -> Result<()> {
        if self.try_acquire(permits)? {
            return Ok(());
        }
        self.begin_acquire(owner, permits, None)?.map_or(Ok(()), |pending| pending.wait(policy).map(drop))
    }

    /// Gives permits back, or adds them; [`SharedError::BadCount`] when that would be more than the maximum.
    pub fn release(&self, permits: u32) -> Result<()> {
        self.with(|raw| raw.release(permits))
    }

    /// How many are to be had now.
    pub fn available(&self) -> Result<u32> {
        self.with(|raw| Ok(raw.cells.word(COUNT).get()))
    }

    /// Grants permits to those who wait for them: for a release that JavaScript has done on the cells.
    pub fn grant_next(&self) -> Result<()> {
        self.with(|raw| {
            raw.recheck();
            Ok(())
        })
    }

    pub(super) fn recheck(region: &Arc<Region>, count_offset: usize) -> Result<()> {
        Semaphore { site: Site { region: region.clone(), offset: count_offset - 4 } }.grant_next()
    }
}

impl Request for PermitRequest {
    fn attempt(&self, _: u32, deliver: Option<Deliver>) -> Result<Step<'static>> {
        self.semaphore.with(|raw| {
            if self.permits > raw.cells.word(MAX).get() {
                return Err(SharedError::BadCount);
            }
            let place = raw.cells.place;
            let waiting = raw.ground.table.visit(place, |queue| {
                raw.cells.check_open()?;
                raw.cells.word(WAITERS).set(queue.len() as u32 + 1);
                if queue.is_empty() && raw.take(self.permits) {
                    raw.cells.word(WAITERS).set(0);
                    return Ok(None);
                }
                let info = Info { owner: self.owner, kind: Kind::Semaphore, detail: self.permits };
                Ok(Some(queue.push(info, deliver, false)))
            })?;
            Ok(waiting.map_or(Step::Acquired(self.permits), |waiting| {
                Step::Waiting(raw.ground.table.ticket(place, waiting))
            }))
        })
    }

    fn give_back(&self, permits: u32) {
        // The region may have closed: nothing is left to give back then.
        let _ = self.semaphore.release(permits);
    }

    fn moved_on(&self) {
        let _ = self.semaphore.with(|raw| {
            raw.recheck();
            Ok(())
        });
    }
}
