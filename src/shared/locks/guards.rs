//! Locks in the hands of a Rust thread: its token as an owner, and guards that unlock when they are dropped.

use std::cell::Cell;

use super::super::error::Result;
use super::death::owner_died;
use super::mutex::Mutex;
use super::owner::admit_owner;
use super::rw_lock::RwLock;
use crate::wait_limit::WaitLimit;

/// The token of a Rust thread; the thread's end is the owner's death.
struct ThreadOwner(Cell<u32>);

impl Drop for ThreadOwner {
    fn drop(&mut self) {
        if self.0.get() != 0 {
            owner_died(self.0.get());
        }
    }
}

thread_local! {
    static CURRENT: ThreadOwner = const { ThreadOwner(Cell::new(0)) };
}

/// The token of this Rust thread, given at its first use; dead when the thread ends. Not for threads that run
/// JavaScript: those have the token of their environment.
pub fn current_owner() -> Result<u32> {
    CURRENT.with(|current| {
        if current.0.get() == 0 {
            current.0.set(admit_owner()?);
        }
        Ok(current.0.get())
    })
}

/// Unlocks when dropped; poisons when dropped by a panic.
pub struct MutexGuard<'m> {
    mutex: &'m Mutex,
    owner: u32,
}

impl Mutex {
    /// Blocks this Rust thread until the mutex is taken.
    pub fn lock(&self, limit: WaitLimit<'_>) -> Result<MutexGuard<'_>> {
        let owner = current_owner()?;
        self.lock_raw(owner, limit)?;
        Ok(MutexGuard { mutex: self, owner })
    }
}

impl Drop for MutexGuard<'_> {
    fn drop(&mut self) {
        // An error means that the region closed or that another thread unlocked for this one: a drop cannot report it.
        let _ = if std::thread::panicking() {
            self.mutex.unlock_poisoned(self.owner)
        } else {
            self.mutex.unlock(self.owner)
        };
    }
}

/// A reader's hold; it ends when dropped.
pub struct ReadGuard<'l> {
    lock: &'l RwLock,
    owner: u32,
    slot: u32,
}

/// The writer's hold; it ends when dropped, and poisons when dropped by a panic.
pub struct WriteGuard<'l> {
    lock: &'l RwLock,
    owner: u32,
}

impl RwLock {
    /// Blocks this Rust thread until it may read.
    pub fn read(&self, limit: WaitLimit<'_>) -> Result<ReadGuard<'_>> {
        let owner = current_owner()?;
        Ok(ReadGuard { lock: self, owner, slot: self.read_raw(owner, limit)? })
    }

    /// Blocks this Rust thread until it may write.
    pub fn write(&self, limit: WaitLimit<'_>) -> Result<WriteGuard<'_>> {
        let owner = current_owner()?;
        self.write_raw(owner, limit)?;
        Ok(WriteGuard { lock: self, owner })
    }
}

impl Drop for ReadGuard<'_> {
    fn drop(&mut self) {
        let _ = self.lock.read_unlock(self.owner, self.slot);
    }
}

impl Drop for WriteGuard<'_> {
    fn drop(&mut self) {
        let _ = if std::thread::panicking() {
            self.lock.write_unlock_poisoned(self.owner)
        } else {
            self.lock.write_unlock(self.owner)
        };
    }
}
