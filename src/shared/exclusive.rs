//! Ranges of a region that tasks take, exclusively or shared with other readers.
//!
//! # Who waits for whom
//! Each region has one queue of claims, in the order in which they were made. A claim is *granted* when no earlier
//! claim that is still there conflicts with it; two claims conflict when their ranges overlap and at least one of
//! them is exclusive. So claims that do not overlap never disturb each other, readers work side by side, and a
//! claim waits only for those made before it: nobody starves (a reader that comes after a waiting writer waits
//! too). A claim that gives up is removed, and the others look again.
//!
//! A task that holds one range and waits for a second may deadlock with one that does the reverse: take ranges
//! with a deadline, or in the order of `(RegionId, offset)`.
//!
//! # What JavaScript may do meanwhile
//! The claims order Rust tasks only. JavaScript that writes to an exclusive range loses its writes, or finds
//! elements of old and new mixed: unspecified values, and no more.
//!
//! # How a kernel gets a slice
//! By a private copy: relaxed loads into memory of the task's own, the kernel on that, relaxed stores back.
//! A `&mut [T]` on the shared bytes would be undefined behaviour as soon as JavaScript writes, and not only by
//! the event: a radix sort counts keys in one pass and scatters them unchecked by those counts in the next, and a
//! key that changes in between sends it out of bounds. Volatile or atomic access for each element inside the
//! kernels would be sound but rules out the fast kernels that exist. The copy costs two passes over memory
//! (measured: see `exclusive::tests::measure_parallel_sort`), and kernels that map their input anyway, as the
//! float sort does to ordered integer keys, fuse the map into it: [`ExclusiveRange::cells`] with
//! [`bulk::read_cells`] on the way in and [`bulk::write_cells`] on the way out, by as many threads as they like.

use std::collections::VecDeque;
use std::ops::Range;

use super::atomics::{CellOf, Element};
use super::bulk;
use super::error::{Result, SharedError};
use super::region::Access;
use super::wait::WaitPolicy;
use crate::sync::{Condvar, Mutex, wait_for};

struct Claim {
    id: u64,
    range: Range<usize>,
    exclusive: bool,
}

impl Claim {
    fn conflicts(&self, other: &Claim) -> bool {
        (self.exclusive || other.exclusive)
            && self.range.start < other.range.end
            && other.range.start < self.range.end
    }
}

struct Queue {
    claims: VecDeque<Claim>,
    next: u64,
}

impl Queue {
    fn granted(&self, id: u64) -> bool {
        let Some(at) = self.claims.iter().position(|claim| claim.id == id) else { return false };
        !self.claims.range(..at).any(|earlier| earlier.conflicts(&self.claims[at]))
    }
}

/// The claims on one region.
pub(super) struct Claims {
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl Claims {
    pub(super) fn new() -> Self {
        Claims { queue: Mutex::new(Queue { claims: VecDeque::new(), next: 0 }), changed: Condvar::new() }
    }

    /// Makes everyone look again: the region has closed.
    pub(super) fn wake_all(&self) {
        // Under the lock, so that one who has looked already is asleep and is woken.
        drop(self.queue.lock());
        self.changed.notify_all();
    }

    fn remove(&self, id: u64) {
        self.queue.lock().claims.retain(|claim| claim.id != id);
        self.changed.notify_all();
    }

    /// Queues a claim and waits until it is granted; without policy it fails instead of waiting.
    fn claim(
        &self,
        range: Range<usize>,
        exclusive: bool,
        policy: Option<WaitPolicy<'_>>,
        closed: impl Fn() -> bool,
    ) -> Result<u64> {
        let mut queue = self.queue.lock();
        let id = queue.next;
        queue.next += 1;
        queue.claims.push_back(Claim { id, range, exclusive });
        let refused = loop {
            if queue.granted(id) {
                return Ok(id);
            }
            if closed() {
                break SharedError::RegionClosed;
            }
            match policy.map_or(Err(SharedError::RangeBusy), |policy| policy.slice()) {
                Ok(slice) => wait_for(&self.changed, &mut queue, slice),
                Err(error) => break error,
            };
        };
        drop(queue);
        self.remove(id);
        Err(refused)
    }
}

/// A granted claim: ends with it.
struct Held {
    access: Access,
    range: Range<usize>,
    id: u64,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.access.region().claims().remove(self.id);
    }
}

impl Held {
    fn new(
        access: &Access,
        offset: usize,
        len: usize,
        exclusive: bool,
        policy: Option<WaitPolicy<'_>>,
    ) -> Result<Self> {
        access.cells::<std::sync::atomic::AtomicU8>(offset, len)?;
        let range = offset..offset + len;
        let region = access.region();
        let id = region.claims().claim(range.clone(), exclusive, policy, || region.is_closed())?;
        Ok(Held { access: access.clone(), range, id })
    }

    fn cells<T: Element>(&self) -> Result<&[CellOf<T>]> {
        self.access.cells(self.range.start, self.range.len() / size_of::<T>())
    }
}

/// A range that no other task works on while this stands. It may be shared between the threads of one task.
pub struct ExclusiveRange(Held);

/// A range that no other task takes exclusively while this stands.
pub struct SharedRange(Held);

/// A kind of range that [`take`] can take.
pub trait Taken: Sized {
    #[doc(hidden)]
    fn take(access: &Access, offset: usize, len: usize, policy: Option<WaitPolicy<'_>>) -> Result<Self>;
}

impl Taken for ExclusiveRange {
    fn take(access: &Access, offset: usize, len: usize, policy: Option<WaitPolicy<'_>>) -> Result<Self> {
        Held::new(access, offset, len, true, policy).map(ExclusiveRange)
    }
}

impl Taken for SharedRange {
    fn take(access: &Access, offset: usize, len: usize, policy: Option<WaitPolicy<'_>>) -> Result<Self> {
        Held::new(access, offset, len, false, policy).map(SharedRange)
    }
}

/// Takes `len` bytes from `offset`, waiting for conflicting tasks that came before.
///
/// Errors: out of bounds; [`SharedError::TimedOut`], [`SharedError::Stopped`]; [`SharedError::RegionClosed`].
pub fn take<R: Taken>(access: &Access, offset: usize, len: usize, policy: WaitPolicy<'_>) -> Result<R> {
    R::take(access, offset, len, Some(policy))
}

/// [`take`] without waiting: [`SharedError::RangeBusy`] when another task is in the way.
pub fn try_take<R: Taken>(access: &Access, offset: usize, len: usize) -> Result<R> {
    R::take(access, offset, len, None)
}

impl SharedRange {
    /// The region in use.
    pub fn access(&self) -> &Access {
        &self.0.access
    }

    /// The bytes taken.
    pub fn range(&self) -> Range<usize> {
        self.0.range.clone()
    }

    /// The whole elements of the range.
    pub fn cells<T: Element>(&self) -> Result<&[CellOf<T>]> {
        self.0.cells::<T>()
    }
}

impl ExclusiveRange {
    /// The region in use.
    pub fn access(&self) -> &Access {
        &self.0.access
    }

    /// The bytes taken.
    pub fn range(&self) -> Range<usize> {
        self.0.range.clone()
    }

    /// The whole elements of the range, for kernels that copy in and out themselves.
    pub fn cells<T: Element>(&self) -> Result<&[CellOf<T>]> {
        self.0.cells::<T>()
    }

    /// Gives `work` the elements as a slice: a private copy, written back when `work` returns. When it panics
    /// or returns an error nothing is written.
    pub fn with_slice_mut<T: Element, R, E: From<SharedError>>(
        &mut self,
        work: impl FnOnce(&mut [T]) -> std::result::Result<R, E>,
    ) -> std::result::Result<R, E> {
        let cells = self.0.cells::<T>()?;
        let mut copy = bulk::read_cells::<T, T>(cells, |element| element);
        let result = work(&mut copy)?;
        bulk::write_cells::<T>(cells, copy);
        Ok(result)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::{Region, atomics};
    use super::*;
    use crate::cancel::{CancelToken, Reason};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    fn access(len: usize) -> Access {
        Region::allocate(len, len).unwrap().access().unwrap()
    }

    fn soon() -> WaitPolicy<'static> {
        WaitPolicy::default().within(Duration::from_millis(15))
    }

    #[test]
    fn overlapping_takers_are_refused_and_others_are_not_disturbed() {
        let access = access(100);
        let middle: ExclusiveRange = try_take(&access, 20, 20).unwrap();
        assert!(try_take::<ExclusiveRange>(&access, 0, 20).is_ok());
        assert!(try_take::<SharedRange>(&access, 40, 60).is_ok());
        assert_eq!(try_take::<ExclusiveRange>(&access, 39, 1).err(), Some(SharedError::RangeBusy));
        assert_eq!(try_take::<SharedRange>(&access, 0, 21).err(), Some(SharedError::RangeBusy));
        assert_eq!(take::<SharedRange>(&access, 0, 100, soon()).err(), Some(SharedError::TimedOut));
        drop(middle);
        assert!(try_take::<ExclusiveRange>(&access, 0, 100).is_ok(), "those who gave up left nothing behind");
    }

    #[test]
    fn readers_share_and_a_waiting_writer_is_not_overtaken() {
        let access = access(8);
        let first: SharedRange = try_take(&access, 0, 8).unwrap();
        let second: SharedRange = try_take(&access, 0, 8).unwrap();
        let other = access.clone();
        let writer =
            std::thread::spawn(move || take::<ExclusiveRange>(&other, 0, 8, WaitPolicy::default()).map(drop));
        while access.region().claims().queue.lock().claims.len() < 3 {
            std::thread::yield_now();
        }
        assert_eq!(
            try_take::<SharedRange>(&access, 0, 8).err(),
            Some(SharedError::RangeBusy),
            "behind the writer"
        );
        drop((first, second));
        assert_eq!(writer.join().unwrap(), Ok(()));
    }

    #[test]
    fn a_token_stops_the_wait() {
        let access = access(8);
        let _held: ExclusiveRange = try_take(&access, 0, 8).unwrap();
        let token = CancelToken::new(None);
        token.cancel(Reason::Cancelled);
        let stopped = take::<ExclusiveRange>(&access, 0, 8, WaitPolicy::new(Some(&token)));
        assert_eq!(stopped.err(), Some(SharedError::Stopped(Reason::Cancelled)));
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
                        let range: ExclusiveRange =
                            take(&access, first * 8, 24, WaitPolicy::default()).unwrap();
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
    fn a_slice_is_written_back_on_success_only() {
        let access = access(40);
        bulk::write_bytes(&access, 0, &[9, 3, 7, 1, 8]).unwrap();
        let mut range: ExclusiveRange = try_take(&access, 1, 3).unwrap();
        let refused = range.with_slice_mut(|bytes: &mut [u8]| {
            bytes.fill(0);
            Err::<(), _>(SharedError::BadCount)
        });
        assert_eq!(refused, Err(SharedError::BadCount));
        let sorted = range.with_slice_mut(|bytes: &mut [u8]| {
            bytes.sort_unstable();
            Ok::<_, SharedError>(bytes.len())
        });
        assert_eq!(sorted, Ok(3));
        let mut all = [0; 5];
        bulk::read_bytes(&access, 0, &mut all).unwrap();
        assert_eq!(all, [9, 1, 3, 7, 8]);
        let misaligned = range.with_slice_mut(|_: &mut [u16]| Ok::<_, SharedError>(()));
        assert_eq!(misaligned, Err(SharedError::Misaligned { offset: 1, align: 2 }));
    }

    #[test]
    fn a_writer_that_ignores_the_claim_cannot_disturb_the_kernel() {
        let access = access(8 * 1024);
        let mut range: ExclusiveRange = try_take(&access, 0, 8 * 1024).unwrap();
        let stop = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut value = 1_u64;
                while stop.load(Ordering::Relaxed) == 0 {
                    value = value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    atomics::write(&access, (value >> 54) as usize * 8, value).unwrap();
                }
            });
            for _ in 0..if cfg!(miri) { 2 } else { 200 } {
                range
                    .with_slice_mut(|words: &mut [u64]| {
                        words.sort_unstable();
                        assert!(words.is_sorted());
                        Ok::<_, SharedError>(())
                    })
                    .unwrap();
            }
            stop.store(1, Ordering::Relaxed);
        });
    }
}
