//! Ranges of a region that tasks take, exclusively or shared with other readers. Which task waits for which is told at
//! the head of `claims.rs`.
//!
//! # What JavaScript may do meanwhile
//! The claims order Rust tasks only. JavaScript that writes to an exclusive range loses its writes, or finds
//! elements of old and new mixed: unspecified values, and no more.
//!
//! # How a kernel gets a slice
//! By a private copy: relaxed loads into memory of the task's own, the kernel on that, relaxed stores back.
//! A `&mut [T]` on the shared bytes would be undefined behaviour as soon as JavaScript writes, and that is no theory:
//! a radix sort counts keys in one pass and scatters them unchecked by those counts in the next, and a
//! key that changes in between sends it out of bounds. Volatile or atomic access to each element inside the
//! kernels would be sound but rules out the fast kernels that exist. The copy costs two passes over memory, and kernels
//! that map their input anyway, as the float sort does to ordered integer keys, fuse the map into it:
//! relaxed loads of [`TakenRange::cells`] on the way in, and [`bulk::write_cells`](super::bulk::write_cells) on the way out,
//! by as many threads as they like.

use std::ops::Range;
use std::sync::atomic::AtomicU8;

use super::atomics::{CellOf, Element};
use super::claims::Claims;
use super::error::Result;
use super::region::Access;
use crate::blocking::WaitLimit;

/// A range of bytes that a task has taken; dropping it releases the range. The threads of one task may share
/// it.
pub struct TakenRange<const EXCLUSIVE: bool> {
    access: Access,
    range: Range<usize>,
    claim: u64,
}

/// A range that no other task takes until this is dropped.
pub type ExclusiveRange = TakenRange<true>;

/// A range that no other task takes exclusively until this is dropped.
pub type SharedRange = TakenRange<false>;

/// Takes `len` bytes from `offset`, waiting for conflicting tasks that came before.
///
/// Errors: out of bounds; [`SharedError::TimedOut`](super::SharedError::TimedOut) and
/// [`SharedError::Stopped`](super::SharedError::Stopped), by the limit;
/// [`SharedError::RegionClosed`](super::SharedError::RegionClosed).
pub fn take<const EXCLUSIVE: bool>(
    access: &Access,
    offset: usize,
    len: usize,
    limit: WaitLimit<'_>,
) -> Result<TakenRange<EXCLUSIVE>> {
    TakenRange::new(access, offset, len, Some(limit))
}

/// [`take`] without waiting: [`SharedError::RangeBusy`](super::SharedError::RangeBusy) when another task is in the way.
pub fn try_take<const EXCLUSIVE: bool>(
    access: &Access,
    offset: usize,
    len: usize,
) -> Result<TakenRange<EXCLUSIVE>> {
    TakenRange::new(access, offset, len, None)
}

impl<const EXCLUSIVE: bool> TakenRange<EXCLUSIVE> {
    fn new(access: &Access, offset: usize, len: usize, limit: Option<WaitLimit<'_>>) -> Result<Self> {
        access.cells::<AtomicU8>(offset, len)?;
        let range = offset..offset + len;
        let claim = Claims::claim(access.region().claims(), range.clone(), EXCLUSIVE, limit)?;
        Ok(TakenRange { access: access.clone(), range, claim })
    }

    /// The region in use.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// The bytes taken.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// The whole elements of the range.
    pub fn cells<T: Element>(&self) -> Result<&[CellOf<T>]> {
        self.access.cells(self.range.start, self.range.len() / size_of::<T>())
    }
}

impl<const EXCLUSIVE: bool> Drop for TakenRange<EXCLUSIVE> {
    fn drop(&mut self) {
        self.access.region().claims().remove(self.claim);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::super::{Region, SharedError, atomics};
    use super::*;
    use crate::cancel::{CancelToken, Reason};

    fn access(len: usize) -> Access {
        Region::allocate(len, len).unwrap().access().unwrap()
    }

    fn soon() -> WaitLimit<'static> {
        WaitLimit::default().within(Duration::from_millis(15))
    }

    fn exclusive(access: &Access, offset: usize, len: usize) -> Result<ExclusiveRange> {
        try_take(access, offset, len)
    }

    fn shared(access: &Access, offset: usize, len: usize) -> Result<SharedRange> {
        try_take(access, offset, len)
    }

    #[test]
    fn overlapping_takers_are_refused_and_others_are_not_disturbed() {
        let access = access(100);
        let middle = exclusive(&access, 20, 20).unwrap();
        assert!(exclusive(&access, 0, 20).is_ok());
        assert!(shared(&access, 40, 60).is_ok());
        assert_eq!(exclusive(&access, 39, 1).err(), Some(SharedError::RangeBusy));
        assert_eq!(shared(&access, 0, 21).err(), Some(SharedError::RangeBusy));
        assert_eq!(take::<false>(&access, 0, 100, soon()).err(), Some(SharedError::TimedOut));
        drop(middle);
        assert!(exclusive(&access, 0, 100).is_ok(), "those who gave up left nothing behind");
    }

    #[test]
    fn readers_share_and_a_waiting_writer_is_not_overtaken() {
        let access = access(8);
        let first = shared(&access, 0, 8).unwrap();
        let second = shared(&access, 0, 8).unwrap();
        let other = access.clone();
        let writer = std::thread::spawn(move || take::<true>(&other, 0, 8, WaitLimit::default()).map(drop));
        while access.region().claims().len() < 3 {
            std::thread::yield_now();
        }
        assert_eq!(shared(&access, 0, 8).err(), Some(SharedError::RangeBusy), "behind the writer");
        drop((first, second));
        assert_eq!(writer.join().unwrap(), Ok(()));
    }

    #[test]
    fn a_token_stops_the_wait() {
        let access = access(8);
        let _held = exclusive(&access, 0, 8).unwrap();
        let token = CancelToken::new(None);
        token.cancel(Reason::Cancelled);
        let stopped = take::<true>(&access, 0, 8, WaitLimit::new(Some(&token)));
        assert_eq!(stopped.err(), Some(SharedError::Stopped(Reason::Cancelled)));
    }

    #[test]
    fn cancelling_wakes_a_task_that_waits_without_a_time_limit() {
        let access = &access(8);
        let _held = exclusive(access, 0, 8).unwrap();
        let (token, later) = (CancelToken::new(None), CancelToken::new(None));
        let claims = access.region().claims();
        std::thread::scope(|scope| {
            let wait =
                |token| scope.spawn(move || take::<false>(access, 0, 8, WaitLimit::new(Some(token))).err());
            let (first, second) = (wait(&token), wait(&later));
            while claims.len() < 3 {
                std::thread::yield_now();
            }
            token.cancel(Reason::PoolClosed);
            assert_eq!(first.join().unwrap(), Some(SharedError::Stopped(Reason::PoolClosed)));
            assert_eq!(claims.len(), 2, "the other task waits on");
            later.cancel(Reason::Cancelled);
            assert_eq!(second.join().unwrap(), Some(SharedError::Stopped(Reason::Cancelled)));
        });
        assert_eq!(claims.len(), 1, "those that gave up left nothing behind");
    }

    #[test]
    fn exclusive_holders_never_overlap_in_time() {
        let (region, rounds) = (Region::allocate(64, 64).unwrap(), if cfg!(miri) { 5 } else { 300 });
        let inside: [AtomicUsize; 8] = Default::default();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (access, inside) = (region.access().unwrap(), &inside);
                scope.spawn(move || {
                    for round in 0..rounds {
                        let first = (thread * 3 + round) % 6;
                        let range = take::<true>(&access, first * 8, 24, WaitLimit::default()).unwrap();
                        for slot in &inside[first..first + 3] {
                            assert_eq!(slot.fetch_add(1, Ordering::SeqCst), 0);
                        }
                        for cell in range.cells::<u64>().unwrap() {
                            // Not one atomic step: only exclusion makes the sum exact.
                            cell.store(cell.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                        }
                        for slot in &inside[first..first + 3] {
                            slot.fetch_sub(1, Ordering::SeqCst);
                        }
                    }
                });
            }
        });
        let access = region.access().unwrap();
        let sum: u64 = (0..8).map(|at| atomics::load::<u64>(&access, at * 8).unwrap()).sum();
        assert_eq!(sum, 4 * rounds as u64 * 3);
    }

    #[test]
    fn elements_that_are_not_aligned_are_refused() {
        let access = access(40);
        let range = exclusive(&access, 1, 3).unwrap();
        assert_eq!(range.cells::<u8>().map(<[_]>::len), Ok(3));
        assert_eq!(range.cells::<u16>().err(), Some(SharedError::Misaligned { offset: 1, align: 2 }));
    }
}
