//! The cells of a lock, and where it is.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;

use super::super::error::{Result, SharedError};
use super::super::region::{Access, Region};
use super::super::wait::{CellAddress, Pushed, Queue, WaiterHandle};
use super::owner::{LockContext, context};

/// One cell of a lock. All operations are sequentially consistent, as JavaScript's on the same cell are.
pub(super) trait Word {
    fn get(&self) -> u32;
    fn set(&self, value: u32);
    /// Stores `to` if the cell holds `from`; true when it did.
    fn change(&self, from: u32, to: u32) -> bool;
}

impl Word for AtomicU32 {
    fn get(&self) -> u32 {
        self.load(SeqCst)
    }
    fn set(&self, value: u32) {
        self.store(value, SeqCst);
    }
    fn change(&self, from: u32, to: u32) -> bool {
        self.compare_exchange(from, to, SeqCst, SeqCst).is_ok()
    }
}

/// loom takes sequentially consistent *accesses* for acquire-release ones (its documentation says so) and models
/// only the *fence* in full. The fences give each access the place in the total order that it really has.
#[cfg(loom)]
impl Word for loom::sync::atomic::AtomicU32 {
    fn get(&self) -> u32 {
        loom::sync::atomic::fence(SeqCst);
        self.load(SeqCst)
    }
    fn set(&self, value: u32) {
        self.store(value, SeqCst);
        loom::sync::atomic::fence(SeqCst);
    }
    fn change(&self, from: u32, to: u32) -> bool {
        let changed = self.compare_exchange(from, to, SeqCst, SeqCst).is_ok();
        loom::sync::atomic::fence(SeqCst);
        changed
    }
}

/// The data of a lock's protocol: its cells, the queue of its waiters, and the living owners.
pub(super) struct Cells<'c, 'g, W> {
    pub(super) words: &'c [W],
    /// Where its waiters queue.
    pub(super) address: CellAddress,
    /// True when the region is closing: then no waiter may join the queue any more.
    pub(super) closed: &'c dyn Fn() -> bool,
    pub(super) context: LockContext<'g>,
}

impl<'g, W: Word> Cells<'_, 'g, W> {
    pub(super) fn word(&self, at: usize) -> &W {
        &self.words[at]
    }

    /// Whether the owner of a token is alive.
    pub(super) fn alive(&self, owner: u32) -> bool {
        self.context.owners.alive(owner)
    }

    /// Works on the queue of the waiters, under its shard's lock.
    pub(super) fn visit<R>(&self, work: impl FnOnce(&mut Queue<'_>) -> R) -> R {
        self.context.table.visit(self.address, work)
    }

    /// [`Cells::visit`] for an operation that may join the queue: an error when the region is closing.
    pub(super) fn visit_open<R>(&self, work: impl FnOnce(&mut Queue<'_>) -> Result<R>) -> Result<R> {
        self.visit(|queue| if (self.closed)() { Err(SharedError::RegionClosed) } else { work(queue) })
    }

    /// The handle of a waiter that was pushed in a visit.
    pub(super) fn handle(&self, pushed: Pushed) -> WaiterHandle<'g> {
        self.context.table.handle(self.address, pushed)
    }
}

/// Cell 0 of every lock: `0x5257_0000` ("RW"), the kind, the version of the protocol.
pub(super) const fn magic(kind: u8) -> u32 {
    0x5257_0000 | (kind as u32) << 8 | VERSION
}

const VERSION: u32 = 1;

/// Where a lock is. It holds no use of the region while nobody works on the lock.
#[derive(Clone, Debug)]
pub(super) struct Location {
    region: Arc<Region>,
    offset: usize,
    /// How many cells the lock has.
    count: usize,
}

/// How many wait for the lock at `offset` now.
pub fn waiters_at(region: &Arc<Region>, offset: usize) -> usize {
    context().table.waiters(CellAddress { region: region.id(), offset: offset + 4 })
}

impl Location {
    /// Works on the cells.
    pub(super) fn with<R>(&self, work: impl FnOnce(Cells<'_, 'static, AtomicU32>) -> Result<R>) -> Result<R> {
        let access = self.region.access()?;
        let words = cells(&access, self.offset, self.count)?;
        let address = CellAddress { region: self.region.id(), offset: self.offset + 4 };
        work(Cells { words, address, closed: &|| self.region.is_closed(), context: context() })
    }

    /// Writes the cells of a new lock, the magic word last: a thread that finds it finds a whole lock.
    pub(super) fn create(region: &Arc<Region>, offset: usize, kind: u8, rest: &[u32]) -> Result<Location> {
        let count = rest.len() + 1;
        let access = region.access()?;
        let words = cells(&access, offset, count)?;
        Word::set(&words[0], 0);
        for (word, value) in words[1..].iter().zip(rest) {
            Word::set(word, *value);
        }
        Word::set(&words[0], magic(kind));
        Ok(Location { region: region.clone(), offset, count })
    }

    /// Finds a lock of `count` cells that was created at `offset`.
    pub(super) fn find(region: &Arc<Region>, offset: usize, kind: u8, count: usize) -> Result<Location> {
        let access = region.access()?;
        if cells(&access, offset, count)?[0].get() != magic(kind) {
            return Err(SharedError::NotALock);
        }
        Ok(Location { region: region.clone(), offset, count })
    }

    /// The place of a lock that is known to be there, because threads wait for it.
    pub(super) fn known(region: &Arc<Region>, offset: usize, count: usize) -> Location {
        Location { region: region.clone(), offset, count }
    }

    /// The same lock with more cells than it was found with; an error when they are out of bounds.
    pub(super) fn grown(self, count: usize) -> Result<Location> {
        cells(&self.region.access()?, self.offset, count)?;
        Ok(Location { count, ..self })
    }
}

/// A lock's offset must be a multiple of this.
pub(super) const ALIGNMENT: usize = 8;
/// Cells that every lock has: the word that says what it is, and three of its own.
pub(super) const LEAST_CELLS: usize = 4;

fn cells(access: &Access, offset: usize, count: usize) -> Result<&[AtomicU32]> {
    if !offset.is_multiple_of(ALIGNMENT) {
        return Err(SharedError::Misaligned { offset, align: ALIGNMENT });
    }
    access.cells(offset, count)
}
