//! A barrier: nobody passes until all parties have come. README.md in this folder has its protocol in words.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use super::super::error::{Result, SharedError};
use super::super::region::Region;
use super::super::wait::{BlockingWait, Info, Kind, Outcome, OutcomeCallback, Queue, WaiterHandle};
use super::cells::{Cells, LEAST_CELLS, Location, Word, magic};
use super::pending::acquired;
use crate::blocking::WaitLimit;
use crate::exported_numbers::Numbers;
use crate::numbers;

/// How many parties have come in this round.
const ARRIVED: usize = 1;
const PARTIES: usize = 2;
/// 1 when broken.
const BROKEN: usize = 3;
const CELLS: usize = LEAST_CELLS;
const KIND: u8 = b'B';

/// For JavaScript.
pub(super) const NUMBERS: Numbers = numbers! {
    MAGIC = magic(KIND), BYTES = Barrier::SIZE, PARTIES, BROKEN,
};

/// A barrier in shared memory, 16 bytes at an offset that is a multiple of 8. It is used round after round.
///
/// A party that gives up (time limit, cancel) or dies while it waits *breaks* the barrier: the other parties, and those that
/// come later, get [`SharedError::BarrierBroken`] until [`Barrier::reset`]. The barrier does not know of a party that dies
/// before it comes: wait with a time limit.
#[derive(Clone, Debug)]
pub struct Barrier {
    location: Location,
}

/// A party that waits for the others.
pub struct BarrierWait {
    barrier: Barrier,
    /// `None` once the party has given up.
    waiter: Option<WaiterHandle<'static>>,
}

/// Interprets an outcome that a barrier's callback gets.
pub(super) fn passed(outcome: Outcome) -> Result<()> {
    match outcome {
        Outcome::Broken => Err(SharedError::BarrierBroken),
        other => acquired(other).map(drop),
    }
}

fn break_now<W: Word>(cells: &Cells<'_, '_, W>, queue: &mut Queue<'_>) {
    cells.word(BROKEN).set(1);
    cells.word(ARRIVED).set(0);
    while queue.wake_front(Outcome::Broken) {}
}

impl Barrier {
    /// Bytes of shared memory it takes.
    pub const SIZE: usize = CELLS * 4;

    /// Writes a new barrier for this number of parties.
    pub fn create(region: &Arc<Region>, offset: usize, parties: u32) -> Result<Barrier> {
        if parties == 0 || parties > i32::MAX as u32 {
            return Err(SharedError::BadCount);
        }
        Ok(Barrier { location: Location::create(region, offset, KIND, &[0, parties, 0])? })
    }

    /// Finds the barrier that was created there; [`SharedError::NotALock`] if none.
    pub fn from(region: &Arc<Region>, offset: usize) -> Result<Barrier> {
        Ok(Barrier { location: Location::find(region, offset, KIND, CELLS)? })
    }

    /// The barrier that parties wait at.
    pub(super) fn known(region: &Arc<Region>, offset: usize) -> Barrier {
        Barrier { location: Location::known(region, offset, CELLS) }
    }

    /// Comes to the barrier. `Ok(None)`: this was the last party, all pass; it is the round's leader.
    /// A callback's outcome is `Granted` when all have come, `Broken` when the barrier was broken.
    pub fn begin_wait(&self, owner: u32, callback: Option<OutcomeCallback>) -> Result<Option<BarrierWait>> {
        let waiter = self.location.with(|cells| {
            let pushed = cells.visit_open(|queue| {
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
                Ok(Some(queue.push(Info { owner, kind: Kind::Barrier, detail: 0 }, callback, false)))
            })?;
            Ok(pushed.map(|pushed| cells.handle(pushed)))
        })?;
        Ok(waiter.map(|waiter| BarrierWait { barrier: self.clone(), waiter: Some(waiter) }))
    }

    /// Blocks until all parties have come; true for the leader of the round (the last that came).
    pub fn wait(&self, owner: u32, limit: WaitLimit<'_>) -> Result<bool> {
        match self.begin_wait(owner, None)? {
            None => Ok(true),
            Some(wait) => wait.block(limit).map(|()| false),
        }
    }

    /// Breaks the barrier: all parties that wait, and that come, get an error.
    pub fn abort(&self) -> Result<()> {
        self.in_queue(break_now)
    }

    /// Makes the barrier new. A party that still waits gets [`SharedError::BarrierBroken`].
    pub fn reset(&self) -> Result<()> {
        self.in_queue(|cells, queue| {
            break_now(cells, queue);
            cells.word(BROKEN).set(0);
        })
    }

    /// True from the moment it was broken until [`Barrier::reset`].
    #[cfg(all(test, not(loom)))]
    pub(super) fn is_broken(&self) -> Result<bool> {
        self.location.with(|cells| Ok(cells.word(BROKEN).get() != 0))
    }

    fn in_queue(&self, work: impl FnOnce(&Cells<'_, '_, AtomicU32>, &mut Queue<'_>)) -> Result<()> {
        self.location.with(|cells| {
            cells.visit(|queue| work(&cells, queue));
            Ok(())
        })
    }
}

impl BlockingWait for BarrierWait {
    type Gained = ();

    fn sleep(&mut self, limit: WaitLimit<'_>) -> Result<Option<()>> {
        let Some(waiter) = self.waiter.as_mut() else { return Err(SharedError::BarrierBroken) };
        match waiter.sleep(limit) {
            Err(_) => Ok(None),
            Ok(outcome) => passed(outcome).map(Some),
        }
    }

    /// Gives up, which breaks the barrier: true. Or the round was over already: false.
    fn cancel(&mut self) -> bool {
        let Some(waiter) = self.waiter.as_mut() else { return true };
        let left = self.barrier.location.with(|cells| {
            // In one step: else another party could come in between and pass with a party that has gone.
            Ok(waiter.cancel_then(|queue| break_now(&cells, queue)))
        });
        // An error says that the region closed: the wait has ended with that.
        let left = left.unwrap_or(false);
        if left {
            self.waiter = None;
        }
        left
    }
}

impl Drop for BarrierWait {
    fn drop(&mut self) {
        if self.waiter.as_ref().is_some_and(|waiter| !waiter.has_callback()) {
            self.cancel();
        }
    }
}
