//! Who an environment is to locks in shared memory, which locks it knows natively, and what it waits for.
//!
//! JavaScript opens a lock here when it first meets contention on it; until then the lock is cells to it and no more.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use crate::shared::Result;
use crate::shared::locks::{AnyLock, AnyWait, admit_owner, owner_died};

/// The locks of one environment. Used on its thread only.
#[derive(Default)]
pub(crate) struct Locks {
    /// The environment's token; 0 until it is asked for.
    owner: Cell<u32>,
    opened: RefCell<Vec<Option<AnyLock>>>,
    /// What the thread is blocked on, between two slices.
    sleeping: RefCell<Option<AnyWait>>,
    /// Waits by callback whose end JavaScript has not seen.
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

    /// Keeps a lock; its handle is an index here.
    pub(crate) fn open(&self, lock: AnyLock) -> u32 {
        let mut opened = self.opened.borrow_mut();
        let vacant = opened.iter().position(Option::is_none).unwrap_or_else(|| {
            opened.push(None);
            opened.len() - 1
        });
        opened[vacant] = Some(lock);
        u32::try_from(vacant).unwrap_or(u32::MAX)
    }

    /// The lock of a handle.
    pub(crate) fn get(&self, handle: u32) -> Option<AnyLock> {
        self.opened.borrow().get(handle as usize).cloned().flatten()
    }

    /// Lets go of a lock.
    pub(crate) fn close_lock(&self, handle: u32) {
        let lock = self.opened.borrow_mut().get_mut(handle as usize).and_then(Option::take);
        // Outside the borrow: this may be the last use of its region.
        drop(lock);
    }

    /// The thread is about to sleep. An earlier sleep that a watchdog broke off is given up by this.
    pub(crate) fn fall_asleep(&self, wait: AnyWait) {
        let abandoned = self.sleeping.replace(Some(wait));
        drop(abandoned);
    }

    /// Works on the thread's sleep, which is over when `work` says so; `None` when it does not sleep.
    pub(crate) fn with_sleep<T>(&self, work: impl FnOnce(&mut AnyWait) -> (T, bool)) -> Option<T> {
        let mut wait = self.sleeping.take()?;
        let (result, over) = work(&mut wait);
        if !over {
            self.sleeping.replace(Some(wait));
        }
        Some(result)
    }

    /// Remembers a wait by callback.
    pub(crate) fn remember(&self, id: u64, wait: AnyWait) {
        self.waiting.borrow_mut().insert(id, wait);
    }

    /// Gives up a wait by callback: true. False when its end is on its way to JavaScript.
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

    /// The environment ends: first its waits are given up, then its death is told.
    pub(super) fn close(&self) {
        let waiting = self.waiting.take().into_values();
        for wait in self.sleeping.take().into_iter().chain(waiting) {
            wait.abandon();
        }
        let owner = self.owner.take();
        if owner != 0 {
            owner_died(owner);
        }
        drop(self.opened.take());
    }
}
