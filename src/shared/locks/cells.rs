//! The cells a lock stands on.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use super::super::error::{Result, SharedError};
use super::super::region::{Access, Region};
use super::super::wait::Place;

/// One cell of a lock. All operations are sequentially consistent, as JavaScript's on the same cell are.
pub(super) trait Word {
    fn get(&self) -> u32;
    fn set(&self, value: u32);
    /// Stores `to` if the cell holds `from`; true when it did.
    fn change(&self, from: u32, to: u32) -> bool;
}

impl Word for std::sync::atomic::AtomicU32 {
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

/// Cells and the place where their waiters queue: what a protocol works on.
pub(super) struct Cells<'c, W> {
    pub(super) words: &'c [W],
    pub(super) place: Place,
    /// True when the region is closing: nobody queues any more.
    pub(super) closed: &'c dyn Fn() -> bool,
}

impl<W: Word> Cells<'_, W> {
    pub(super) fn word(&self, at: usize) -> &W {
        &self.words[at]
    }

    pub(super) fn check_open(&self) -> Result<()> {
        if (self.closed)() { Err(SharedError::RegionClosed) } else { Ok(()) }
    }
}

/// Cell 0 of every lock: `0x5257_0000` ("RW"), the kind, the version of the protocol.
pub(super) const fn magic(kind: u8) -> u32 {
    0x5257_0000 | (kind as u32) << 8 | VERSION
}

const VERSION: u32 = 1;

/// Where a lock stands. It pins no use of the region while nobody works on the lock.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) region: Arc<Region>,
    pub(super) offset: usize,
}

impl Site {
    /// Works on the cells, of which there are `count`.
    pub(super) fn with<R>(
        &self,
        count: usize,
        work: impl FnOnce(Cells<'_, std::sync::atomic::AtomicU32>) -> Result<R>,
    ) -> Result<R> {
        let access = self.region.access()?;
        let words = cells(&access, self.offset, count)?;
        let place = Place { region: self.region.id(), offset: self.offset + 4 };
        work(Cells { words, place, closed: &|| self.region.is_closed() })
    }

    /// Writes the cells of a new lock, the magic word last: who finds it finds a whole lock.
    pub(super) fn create(region: &Arc<Region>, offset: usize, kind: u8, rest: &[u32]) -> Result<Site> {
        let access = region.access()?;
        let words = cells(&access, offset, rest.len() + 1)?;
        Word::set(&words[0], 0);
        for (word, value) in words[1..].iter().zip(rest) {
            Word::set(word, *value);
        }
        Word::set(&words[0], magic(kind));
        Ok(Site { region: region.clone(), offset })
    }

    /// Finds a lock that someone created.
    pub(super) fn find(region: &Arc<Region>, offset: usize, kind: u8) -> Result<Site> {
        let access = region.access()?;
        // Every lock has at least four cells.
        if cells(&access, offset, 4)?[0].get() != magic(kind) {
            return Err(SharedError::NotALock);
        }
        Ok(Site { region: region.clone(), offset })
    }
}

fn cells(access: &Access, offset: usize, count: usize) -> Result<&[std::sync::atomic::AtomicU32]> {
    if !offset.is_multiple_of(8) {
        return Err(SharedError::Misaligned { offset, align: 8 });
    }
    access.cells(offset, count)
}
