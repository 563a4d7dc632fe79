//! A condition variable beside a [`Mutex`]. README.md in this folder has its protocol in words.

use std::sync::Arc;
use std::time::Duration;

use super::super::error::{Result, SharedError};
use super::super::region::Region;
use super::super::wait::{self, Deliver, Info, Kind, Outcome, Ticket, WaitPolicy};
use super::cells::{Site, Word};
use super::mutex::Mutex;

/// How many are queued; may be too high, never too low.
const WAITERS: usize = 1;
const CELLS: usize = 4;
const KIND: u8 = b'C';

/// A condition variable in shared memory, 16 bytes at an offset that is a multiple of 8.
///
/// The longest waiter is woken first. A woken waiter takes the mutex like anyone else, so it must check its
/// condition again. There are no wake-ups without a notify.
#[derive(Clone, Debug)]
pub struct Condvar {
    site: Site,
}

/// A wait under way: in the condition variable's queue, with the mutex unlocked.
pub struct CondvarWait {
    ticket: Ticket<'static>,
}

impl CondvarWait {
    /// Sleeps until notified (true) or `slice` has passed (false: still in the queue). The mutex is not locked
    /// again by this.
    pub fn wait_slice(&mut self, slice: Duration) -> Result<bool> {
        match self.ticket.wait_slice(slice) {
            None => Ok(false),
            Some(Outcome::Woken) => Ok(true),
            Some(outcome) => super::acquired(outcome).map(|_| true),
        }
    }

    /// Leaves the queue: true. Or it was notified already: false.
    pub fn cancel(&mut self) -> bool {
        self.ticket.cancel()
    }

    /// Gives up a wait whose end nobody will see, one by callback too: a notify that came goes to the next.
    pub fn abandon(self) {
        self.ticket.abandon();
    }
}

impl Condvar {
    /// Bytes of shared memory it takes.
    pub const SIZE: usize = CELLS * 4;

    /// Writes a new condition variable into shared memory.
    pub fn create(region: &Arc<Region>, offset: usize) -> Result<Condvar> {
        Ok(Condvar { site: Site::create(region, offset, KIND, &[0; CELLS - 1])? })
    }

    /// Finds the one that someone created there; [`SharedError::NotALock`] if none.
    pub fn from(region: &Arc<Region>, offset: usize) -> Result<Condvar> {
        Ok(Condvar { site: Site::find(region, offset, KIND)? })
    }

    /// Joins the queue and then unlocks `mutex`, which `owner` must hold: a notify by whoever locks it next is not
    /// missed. With `deliver` the outcome goes there ([`super::acquired`] reads it). Lock the mutex again after.
    pub fn begin_wait(&self, mutex: &Mutex, owner: u32, deliver: Option<Deliver>) -> Result<CondvarWait> {
        let mut wait = self.site.with(CELLS, |cells| {
            let waiting = wait::table().visit(cells.place, |queue| {
                cells.check_open()?;
                cells.word(WAITERS).set(queue.len() as u32 + 1);
                Ok(queue.push(Info { owner, kind: Kind::Condvar, detail: 0 }, deliver, false))
            })?;
            Ok(CondvarWait { ticket: wait::table().ticket(cells.place, waiting) })
        })?;
        if let Err(error) = mutex.unlock(owner) {
            wait.cancel();
            return Err(error);
        }
        Ok(wait)
    }

    /// Blocks until notified, and locks the mutex again in every case but an error of that lock. True when
    /// notified, false when the time was up.
    pub fn wait(&self, mutex: &Mutex, owner: u32, policy: WaitPolicy<'_>) -> Result<bool> {
        let mut wait = self.begin_wait(mutex, owner, None)?;
        let waited = loop {
            let notified = match policy.slice() {
                Ok(slice) => wait.wait_slice(slice),
                Err(error) if wait.cancel() => {
                    break if error == SharedError::TimedOut { Ok(false) } else { Err(error) };
                }
                Err(_) => wait.wait_slice(Duration::ZERO),
            };
            match notified {
                Ok(false) => {}
                done => break done,
            }
        };
        // Without the caller's policy: it holds the mutex after, whatever ended the wait.
        mutex.lock_raw(owner, WaitPolicy::default())?;
        waited
    }

    /// Wakes up to `count` waiters, longest first; says how many.
    pub fn notify(&self, count: usize) -> Result<usize> {
        self.site.with(CELLS, |cells| {
            if cells.word(WAITERS).get() == 0 {
                return Ok(0);
            }
            Ok(wait::table().visit(cells.place, |queue| {
                let chosen = queue.wake_up_to(count);
                cells.word(WAITERS).set(queue.len() as u32);
                chosen
            }))
        })
    }
}
