//! A barrier: nobody passes until all parties have come. README.md in this folder has its protocol in words.

use std::sync::Arc;
use std::time::Duration;

use super::super::error::{Result, SharedError};
use super::super::region::Region;
use super::super::wait::{self, Deliver, Info, Kind, Outcome, Queue, Ticket, WaitPolicy};
use super::cells::{Cells, Site, Word};

/// How many have come in this round.
const ARRIVED: usize = 1;
const PARTIES: usize = 2;
/// 1 when broken.
const BROKEN: usize = 3;
const CELLS: usize = 4;
const KIND: u8 = b'B';

/// A barrier in shared memory, 16 bytes at an offset that is a multiple of 8. It is used round after round.
///
/// A party that gives up (time, cancel) or dies while it waits *breaks* the barrier: the others, and those who come
/// later, get [`SharedError::BarrierBroken`] until [`Barrier::reset`]. A party that dies before it comes is not
/// known here: wait with a deadline.
#[derive(Clone, Debug)]
pub struct Barrier {
    site: Site,
}

/// A party that waits for the others.
pub struct BarrierWait {
    barrier: Barrier,
    ticket: Option<Ticket<'static>>,
}

/// What an outcome delivered to a barrier's callback means.
pub(super) fn passed(outcome: Outcome) -> Result<()> {
    match outcome {
        Outcome::Broken => Err(SharedError::BarrierBroken),
        other => super::acquired(other).map(drop),
    }
}

fn break_now<W: Word>(cells: &Cells<'_, W>, queue: &mut Queue<'_>) {
    cells.word(BROKEN).set(1);
    cells.word(ARRIVED).set(0);
    while queue.wake_front(Outcome::Broken) {}
}

impl Barrier {
    /// Bytes of shared memory it takes.
    pub const SIZE: usize = CELLS * 4;

    /// Writes a new barrier for so many parties.
    pub fn create(region: &Arc<Region>, offset: usize, parties: u32) -> Result<Barrier> {
        if parties == 0 || parties > i32::MAX as u32 {
            return Err(SharedError::BadCount);
        }
        Ok(Barrier { site: Site::create(region, offset, KIND, &[0, parties, 0])? })
    }

    /// Finds the barrier that someone created there; [`SharedError::NotALock`] if none.
    pub fn from(region: &Arc<Region>, offset: usize) -> Result<Barrier> {
        Ok(Barrier { site: Site::find(region, offset, KIND)? })
    }

    /// Comes to the barrier. `Ok(None)`: this was the last party, all pass; it is the round's leader.
    /// A callback's outcome is `Granted` when all have come, `Broken` when the barrier was broken.
    pub fn begin_wait(&self, owner: u32, deliver: Option<Deliver>) -> Result<Option<BarrierWait>> {
        let ticket = self.site.with(CELLS, |cells| {
            let waiting = wait::table().visit(cells.place, |queue| {
                cells.check_open()?;
                if cells.word(BROKEN).get() != 0 {
                    return Err(SharedError::BarrierBroken);
                }
                let arrived = cells.word(ARRIVED).get() + 1;
                if arrived >= cells.word(PARTIES).get() {
                    cells.word(ARRIVED).set(0);
                    while queue.wake_front(Outcome::Granted(0)) {}
                    return Ok(None);
                }
                cells.word(ARRIVED).set(arrived);
                Ok(Some(queue.push(Info { owner, kind: Kind::Barrier, detail: 0 }, deliver, false)))
            })?;
            Ok(waiting.map(|waiting| wait::table().ticket(cells.place, waiting)))
        })?;
        Ok(ticket.map(|ticket| BarrierWait { barrier: self.clone(), ticket: Some(ticket) }))
    }

    /// Blocks until all parties have come; true for the leader of the round (the last that came).
    pub fn wait(&self, owner: u32, policy: WaitPolicy<'_>) -> Result<bool> {
        let Some(mut wait) = self.begin_wait(owner, None)? else { return Ok(true) };
        loop {
            let all_came = match policy.slice() {
                Ok(slice) => wait.wait_slice(slice)?,
                Err(error) if wait.cancel() => return Err(error),
                Err(_) => wait.wait_slice(Duration::ZERO)?,
            };
            if all_came {
                return Ok(false);
            }
        }
    }

    /// Breaks the barrier: all who wait, and who come, get an error.
    pub fn abort(&self) -> Result<()> {
        self.in_queue(break_now)
    }

    /// Makes the barrier new. Who still waits gets [`SharedError::BarrierBroken`].
    pub fn reset(&self) -> Result<()> {
        self.in_queue(|cells, queue| {
            break_now(cells, queue);
            cells.word(BROKEN).set(0);
        })
    }

    /// True until [`Barrier::reset`] once it was broken.
    pub fn is_broken(&self) -> Result<bool> {
        self.site.with(CELLS, |cells| Ok(cells.word(BROKEN).get() != 0))
    }

    fn in_queue(
        &self,
        work: impl FnOnce(&Cells<'_, std::sync::atomic::AtomicU32>, &mut Queue<'_>),
    ) -> Result<()> {
        self.site.with(CELLS, |cells| {
            wait::table().visit(cells.place, |queue| work(&cells, queue));
            Ok(())
        })
    }

    pub(super) fn party_died(region: &Arc<Region>, arrived_offset: usize) -> Result<()> {
        Barrier { site: Site { region: region.clone(), offset: arrived_offset - 4 } }.abort()
    }
}

impl BarrierWait {
    /// Sleeps until all have come (true) or `slice` has passed (false).
    pub fn wait_slice(&mut self, slice: Duration) -> Result<bool> {
        let Some(ticket) = self.ticket.as_mut() else { return Err(SharedError::BarrierBroken) };
        let Some(outcome) = ticket.wait_slice(slice) else { return Ok(false) };
        passed(outcome).map(|()| true)
    }

    /// Gives up, which breaks the barrier: true. Or the round was over already: false.
    pub fn cancel(&mut self) -> bool {
        let Some(ticket) = self.ticket.as_mut() else { return true };
        let left = self.barrier.site.with(CELLS, |cells| {
            // In one step: else another could come in between and pass with a party that has gone.
            Ok(ticket.cancel_then(|queue| break_now(&cells, queue)))
        });
        // An error says that the region closed: the wait has ended with that.
        let left = left.unwrap_or(false);
        if left {
            self.ticket = None;
        }
        left
    }
}

impl Drop for BarrierWait {
    fn drop(&mut self) {
        if self.ticket.as_ref().is_some_and(|ticket| !ticket.is_callback()) {
            self.cancel();
        }
    }
}
