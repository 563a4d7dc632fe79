//! A condition variable, used with a [`Mutex`]. README.md in this folder has its protocol in words.

use std::sync::Arc;

use super::super::error::{Result, SharedError};
use super::super::region::Region;
use super::super::wait::{BlockingWait, Info, Kind, OutcomeCallback, WaiterHandle};
use super::cells::{LEAST_CELLS, Location, Word, magic};
use super::mutex::Mutex;
use super::pending::acquired;
use crate::exported_numbers::Numbers;
use crate::numbers;
use crate::wait_limit::WaitLimit;

/// How many waiters are queued; may be too high, never too low.
const WAITERS: usize = 1;
const CELLS: usize = LEAST_CELLS;
const KIND: u8 = b'C';

/// For JavaScript.
pub(super) const NUMBERS: Numbers = numbers! { MAGIC = magic(KIND), BYTES = Condvar::SIZE, WAITERS };

/// A condition variable in shared memory, 16 bytes at an offset that is a multiple of 8.
///
/// The waiter that has waited longest is woken first. A woken waiter locks the mutex like any other thread, so it must
/// check its condition again. There are no wake-ups without a notify.
#[derive(Clone, Debug)]
pub struct Condvar {
    location: Location,
}

/// A wait in the condition variable's queue, with the mutex unlocked. Its end does not lock the mutex again.
pub struct CondvarWait {
    waiter: WaiterHandle<'static>,
}

impl BlockingWait for CondvarWait {
    type Gained = ();

    fn sleep(&mut self, limit: WaitLimit<'_>) -> Result<Option<()>> {
        match self.waiter.sleep(limit) {
            Err(_) => Ok(None),
            Ok(outcome) => acquired(outcome).map(|_| Some(())),
        }
    }

    fn cancel(&mut self) -> bool {
        self.waiter.cancel()
    }
}

impl CondvarWait {
    /// Gives up a wait whose end nobody will see, one with a callback too: a notify that came goes to the next waiter.
    pub(super) fn abandon(self) {
        self.waiter.abandon();
    }
}

impl Condvar {
    /// Bytes of shared memory it takes.
    pub const SIZE: usize = CELLS * 4;

    /// Writes a new condition variable into shared memory.
    pub fn create(region: &Arc<Region>, offset: usize) -> Result<Condvar> {
        Ok(Condvar { location: Location::create(region, offset, KIND, &[0; CELLS - 1])? })
    }

    /// Finds the one that was created there; [`SharedError::NotALock`] if none.
    pub fn from(region: &Arc<Region>, offset: usize) -> Result<Condvar> {
        Ok(Condvar { location: Location::find(region, offset, KIND, CELLS)? })
    }

    /// Joins the queue and then unlocks `mutex`, which `owner` must hold: so the wait does not miss a notify by the next
    /// thread that locks it. With `callback` the outcome goes there (`acquired` reads it). Lock the mutex again after.
    pub fn begin_wait(
        &self,
        mutex: &Mutex,
        owner: u32,
        callback: Option<OutcomeCallback>,
    ) -> Result<CondvarWait> {
        let mut wait = self.location.with(|cells| {
            let pushed = cells.visit_open(|queue| {
                cells.word(WAITERS).set(queue.len() as u32 + 1);
                Ok(queue.push(Info { owner, kind: Kind::Condvar, detail: 0 }, callback, false))
            })?;
            Ok(CondvarWait { waiter: cells.handle(pushed) })
        })?;
        if let Err(error) = mutex.unlock(owner) {
            wait.cancel();
            return Err(error);
        }
        Ok(wait)
    }

    /// Blocks until notified, and locks the mutex again in every case but an error of that lock. True when
    /// notified, false when the time limit has passed.
    pub fn wait(&self, mutex: &Mutex, owner: u32, limit: WaitLimit<'_>) -> Result<bool> {
        let waited = match self.begin_wait(mutex, owner, None)?.block(limit) {
            Ok(()) => Ok(true),
            Err(SharedError::TimedOut) => Ok(false),
            Err(error) => Err(error),
        };
        // Without the caller's limit: it holds the mutex after, whatever ended the wait.
        mutex.lock_raw(owner, WaitLimit::default())?;
        waited
    }

    /// Wakes up to `count` waiters, longest first; returns how many.
    pub fn notify(&self, count: usize) -> Result<usize> {
        self.location.with(|cells| {
            if cells.word(WAITERS).get() == 0 {
                return Ok(0);
            }
            Ok(cells.visit(|queue| {
                let chosen = queue.wake_up_to(count);
                cells.word(WAITERS).set(queue.len() as u32);
                chosen
            }))
        })
    }
}
