//! An environment's identity as a lock owner, the locks it knows natively, and what it waits for.
//!
//! JavaScript opens a lock here when it first meets contention on it; until then the lock is only cells to it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use parking_lot::Mutex;

use super::event::Event;
use super::event_queue::EventQueue;
use super::handles::Handles;
use crate::shared::locks::{AcquiredCallback, AnyLock, AnyWait, admit_owner, is_owner_alive, owner_died};
use crate::shared::wait::SLICE;
use crate::shared::{Result, SharedError};

/// How JavaScript learns that a wait has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum WaitMode {
    /// The thread sleeps for it, by [`Locks::sleep`].
    Sleep,
    /// Its end comes as an event with this id.
    Event(u64),
}

/// Who an owner is, for whoever looks at a lock.
pub(crate) enum OwnerKind {
    /// The JavaScript thread of this number, as Node counts them.
    Script(u32),
    /// A thread of Rust's.
    Native,
    /// Nobody that is alive.
    Dead,
}

/// Node's numbers of the threads of the owners that are environments.
static THREADS: Mutex<BTreeMap<u32, u32>> = Mutex::new(BTreeMap::new());

/// Who the owner of a token is.
pub(crate) fn owner_kind(token: u32) -> OwnerKind {
    if !is_owner_alive(token) {
        return OwnerKind::Dead;
    }
    THREADS.lock().get(&token).map_or(OwnerKind::Native, |thread| OwnerKind::Script(*thread))
}

/// The locks of one environment. Used on its thread only.
#[derive(Default)]
pub(crate) struct Locks {
    /// The environment's token; 0 until it is asked for.
    owner: Cell<u32>,
    opened: Handles<AnyLock>,
    /// The wait that the thread is blocked on, between two slices.
    sleeping: RefCell<Option<AnyWait>>,
    /// Waits with an event whose end JavaScript has not seen.
    waiting: RefCell<HashMap<u64, AnyWait>>,
}

impl Locks {
    /// The environment's token, admitted at its first use: as owner of locks, and as a waiter on cells.
    pub(crate) fn owner(&self) -> Result<u32> {
        if self.owner.get() == 0 {
            self.owner.set(admit_owner()?);
        }
        Ok(self.owner.get())
    }

    /// The environment's token, which is known as that of Node's thread of this number from now on.
    pub(crate) fn owner_of_thread(&self, thread: u32) -> Result<u32> {
        let owner = self.owner()?;
        THREADS.lock().insert(owner, thread);
        Ok(owner)
    }

    /// The locks that JavaScript has opened.
    pub(crate) fn opened(&self) -> &Handles<AnyLock> {
        &self.opened
    }

    /// Begins an acquisition. Returns the number that was granted at once; none if a wait has begun.
    pub(crate) fn begin(
        &self,
        events: &'static EventQueue,
        lock: &AnyLock,
        argument: u32,
        mode: WaitMode,
    ) -> Result<Option<u32>> {
        match lock.begin(argument, self.owner()?, told(events, mode))? {
            Err(granted) => Ok(Some(granted)),
            Ok(wait) => {
                self.wait(mode, wait);
                Ok(None)
            }
        }
    }

    /// Begins the wait for a condition variable's notify, and unlocks the mutex.
    pub(crate) fn begin_condvar(
        &self,
        events: &'static EventQueue,
        [condvar, mutex]: [&AnyLock; 2],
        mode: WaitMode,
    ) -> Result<()> {
        let wait = condvar.begin_condvar(mutex, self.owner()?, told(events, mode))?;
        self.wait(mode, wait);
        Ok(())
    }

    fn wait(&self, mode: WaitMode, wait: AnyWait) {
        match mode {
            WaitMode::Event(id) => self.remember(id, wait),
            // This ends an earlier sleep that a watchdog interrupted.
            WaitMode::Sleep => drop(self.sleeping.replace(Some(wait))),
        }
    }

    /// Sleeps for the acquisition that was begun. Returns the granted number, or none: not yet. One slice of time at the
    /// most, even if JavaScript asks for more: V8 cannot interrupt it.
    pub(crate) fn sleep(&self, asked: Duration) -> Result<Option<u32>> {
        let Some(mut wait) = self.sleeping.take() else { return Err(SharedError::Cancelled) };
        let slept = wait.wait_slice(asked.min(SLICE));
        if matches!(slept, Ok(None)) {
            self.sleeping.replace(Some(wait));
        }
        slept
    }

    /// Gives the thread's sleep up, and returns true. False if the wait has already ended: the next [`Locks::sleep`] returns
    /// how.
    pub(crate) fn give_up(&self) -> bool {
        let Some(mut wait) = self.sleeping.take() else { return true };
        let left = wait.cancel();
        if !left {
            self.sleeping.replace(Some(wait));
        }
        left
    }

    fn remember(&self, id: u64, wait: AnyWait) {
        self.waiting.borrow_mut().insert(id, wait);
    }

    /// Gives up a wait with an event: true. False when its end is on its way to JavaScript.
    pub(crate) fn cancel(&self, id: u64) -> bool {
        let Some(mut wait) = self.waiting.borrow_mut().remove(&id) else { return false };
        let left = wait.cancel();
        if !left {
            self.remember(id, wait);
        }
        left
    }

    /// Forgets waits whose end JavaScript has seen.
    pub(super) fn forget(&self, ids: &[u64]) {
        if !ids.is_empty() {
            let mut waiting = self.waiting.borrow_mut();
            for id in ids {
                waiting.remove(id);
            }
        }
    }

    /// The environment ends: it gives its waits up, and then reports its death as an owner.
    pub(super) fn close(&self) {
        let waiting = self.waiting.take().into_values();
        for wait in self.sleeping.take().into_iter().chain(waiting) {
            wait.abandon();
        }
        let owner = self.owner.take();
        if owner != 0 {
            THREADS.lock().remove(&owner);
            owner_died(owner);
        }
        self.opened.take_all().for_each(drop);
    }
}

/// The function that a wait calls at its end; none for a thread's own sleep.
fn told(events: &'static EventQueue, mode: WaitMode) -> Option<AcquiredCallback> {
    match mode {
        WaitMode::Sleep => None,
        WaitMode::Event(id) => Some(Box::new(move |outcome| events.push(Event::LockEnded { id, outcome }))),
    }
}
