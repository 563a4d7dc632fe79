//! A block of memory that JavaScript threads may write at any time, and the only `unsafe` of this module.
//!
//! # The model
//! Rust reaches the bytes only through references to atomics ([`Access::cell`], [`Access::cells`]), never through
//! `&[u8]` or `&mut [T]`: a JavaScript write may then change the *values* that are read, and nothing else.
//! Two things lie outside Rust's memory model, and are stated here once. JavaScript's plain
//! (non-atomic) writes are made by machine code that V8 emits, and to Rust they are relaxed stores of unknown
//! width. And JavaScript allows atomic accesses of different widths to race on the same bytes, where Rust's
//! model gives such a race no meaning: the compiler emits one machine access for each atomic operation, and on
//! x86-64 and AArch64 those of different widths are coherent byte by byte. Use one width for one location.
//!
//! # Life
//! See [`pins`](super::pins). An [`Access`] is a use: the memory stays while it lives.
//!
//! # Identity
//! A table maps the base address of every live region to the region, so that two views of one `SharedArrayBuffer`, made
//! in any threads, are one [`Region`] and their waiters are in one queue. A [`RegionId`] is never used again, so a waiter
//! that was left behind on freed memory is in nobody's queue.

// The bytes are JavaScript's: a reference to them is made from a raw pointer.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{
    AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize,
    Ordering,
};
use std::sync::{Arc, LazyLock, Weak};

use parking_lot::Mutex;

use super::claims::Claims;
use super::error::{Result, SharedError};
use super::pins::{Keep, Pins};
use super::region_id::RegionId;
use super::wait;
use crate::panic::step;
use crate::sync::Arc as SyncArc;

/// A block of shared memory.
pub struct Region {
    id: RegionId,
    base: *mut u8,
    len: AtomicUsize,
    pins: Pins,
    claims: SyncArc<Claims>,
}

// SAFETY: the bytes at `base` are reached only by atomics through an `Access`, for as long as which `Pins` keeps them alive, and
// any thread may reach them so; the other fields are `Send`.
unsafe impl Send for Region {}
// SAFETY: all access through `&Region` is to atomics or under a lock; the other fields are `Sync`.
unsafe impl Sync for Region {}

#[derive(Default)]
struct Table {
    by_base: HashMap<usize, Weak<Region>>,
    by_id: HashMap<RegionId, Weak<Region>>,
}

static TABLE: LazyLock<Mutex<Table>> = LazyLock::new(Mutex::default);

impl Region {
    /// The region at `base`, made or found, and pinned for `environment`.
    ///
    /// `keep` is called only if this environment does not pin the region already. What it returns keeps the
    /// memory alive for as long as that environment lives, and is dropped by [`Region::release_pin`] or with the
    /// last `Arc`, whichever comes first, on the thread where that happens. `base` must be the first byte of the
    /// whole buffer, not of a view. An empty buffer without an address gets a new region each time.
    /// If `len` is greater than the length known so far (the buffer has grown), it becomes the region's length.
    ///
    /// # Safety
    /// * The `len` bytes from `base` must be mapped, readable and writable.
    /// * Neither Rust nor JavaScript may have a unique or an immutable reference to them: they must be shared memory.
    /// * Both must hold until what `keep` returns is dropped; or, when this environment pins the region already, what it
    ///   returned then.
    pub unsafe fn open(
        base: *mut u8,
        len: usize,
        environment: u64,
        keep: impl FnOnce() -> Keep,
    ) -> Result<Arc<Region>> {
        if base.is_null() {
            return if len == 0 {
                Ok(Arc::new(Region::new(
                    std::ptr::dangling_mut::<u64>().cast(),
                    0,
                    Pins::pinned(environment, keep()),
                )))
            } else {
                Err(SharedError::BadMemory)
            };
        }
        if !base.addr().is_multiple_of(8) || len > isize::MAX as usize {
            return Err(SharedError::BadMemory);
        }
        let mut keep = Some(keep);
        let mut take = || (keep.take().expect("called once"))();
        loop {
            let mut table = TABLE.lock();
            let Some(region) = table.by_base.get(&base.addr()).and_then(Weak::upgrade) else {
                let region = Arc::new(Region::new(base, len, Pins::pinned(environment, take())));
                table.insert(&region);
                return Ok(region);
            };
            if region.pins.pin(environment, &mut take) {
                region.len.fetch_max(len, Ordering::AcqRel);
                return Ok(region);
            }
            // It is closing and its waits are being ended, so no waiter is missed under the new identity. The `Arc` just
            // taken may be the last by now, and `Region::drop` takes the table's lock: release the lock first.
            table.remove(&region);
            drop(table);
        }
    }

    /// A region in memory that Rust owns, zeroed, of `len` bytes, which can grow to `max`. It lives until the last `Arc`.
    pub fn allocate(len: usize, max: usize) -> Result<Arc<Region>> {
        if len > max || max > isize::MAX as usize - 8 {
            return Err(SharedError::BadMemory);
        }
        let (memory, base) = Memory::zeroed(max);
        let region = Arc::new(Region::new(base, len, Pins::owned(Box::new(memory))));
        TABLE.lock().insert(&region);
        Ok(region)
    }

    fn new(base: *mut u8, len: usize, pins: Pins) -> Self {
        Region {
            id: RegionId::fresh(),
            base,
            len: AtomicUsize::new(len),
            pins,
            claims: SyncArc::new(Claims::new()),
        }
    }

    /// The live region of this name.
    pub fn by_id(id: RegionId) -> Option<Arc<Region>> {
        TABLE.lock().by_id.get(&id).and_then(Weak::upgrade)
    }

    /// The live region whose first byte is at `base`.
    pub fn at(base: *const u8) -> Option<Arc<Region>> {
        TABLE.lock().by_base.get(&base.addr()).and_then(Weak::upgrade)
    }

    /// Its name.
    pub fn id(&self) -> RegionId {
        self.id
    }

    /// Its length in bytes; it only grows.
    pub fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    /// True when it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Begins a use: the memory stays while the [`Access`] lives.
    pub fn access(self: &Arc<Self>) -> Result<Access> {
        if self.pins.enter() { Ok(Access { region: self.clone() }) } else { Err(SharedError::RegionClosed) }
    }

    /// True once the last environment that pins it is ending.
    pub fn is_closed(&self) -> bool {
        self.pins.is_closed()
    }

    /// How many uses there are now.
    #[cfg(all(test, not(loom)))]
    pub(super) fn users(&self) -> usize {
        self.pins.users()
    }

    /// Releases the pin of an ending environment, on that environment's thread, before its memory is freed. If no other
    /// environment pins the region (and Rust does not own it), it closes: every wait on it ends with
    /// [`SharedError::RegionClosed`], and this call blocks until the last [`Access`] has ended. So cancel the
    /// tasks of the environment first, and do not call it on a thread that has an [`Access`] itself: it
    /// would wait for its own end. True when it closed.
    pub fn release_pin(&self, environment: u64) -> bool {
        self.pins.release(environment, || {
            TABLE.lock().remove(self);
            wait::table().end_region(self.id);
            self.claims.close();
        })
    }

    /// [`Region::release_pin`] for every live region: what an environment calls when it ends.
    pub fn release_all_pins(environment: u64) {
        let regions: Vec<_> = TABLE.lock().by_id.values().filter_map(Weak::upgrade).collect();
        for region in regions {
            // Each, whatever becomes of the others: their memory is about to be freed.
            step("releasing shared memory", || {
                region.release_pin(environment);
            });
        }
    }

    pub(super) fn claims(&self) -> &SyncArc<Claims> {
        &self.claims
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // Before the pins are dropped (fields drop after this): until then the address cannot be another buffer's.
        TABLE.lock().remove(self);
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Region({}, {} bytes)", self.id.0, self.len())
    }
}

impl Table {
    fn insert(&mut self, region: &Arc<Region>) {
        self.by_base.insert(region.base.addr(), Arc::downgrade(region));
        self.by_id.insert(region.id, Arc::downgrade(region));
    }

    fn remove(&mut self, region: &Region) {
        let base = region.base.addr();
        // A younger region may be at the same address by now.
        if self.by_base.get(&base).is_some_and(|held| std::ptr::eq(held.as_ptr(), region)) {
            self.by_base.remove(&base);
        }
        self.by_id.remove(&region.id);
    }
}

/// Memory that Rust owns, in words so that it is aligned to 8.
struct Memory {
    words: *mut [u64],
}

// SAFETY: `Memory` only frees, which any thread may do; nothing reads through it.
unsafe impl Send for Memory {}
// SAFETY: it has no methods.
unsafe impl Sync for Memory {}

impl Memory {
    fn zeroed(bytes: usize) -> (Memory, *mut u8) {
        let words = Box::into_raw(vec![0_u64; bytes.div_ceil(8).max(1)].into_boxed_slice());
        (Memory { words }, words.cast())
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: `words` came from `Box::into_raw` in `zeroed` and is freed here only; `Pins` drops its keeps
        // after the last use.
        drop(unsafe { Box::from_raw(self.words) });
    }
}

/// An atomic type as which the bytes of a region may be read and written.
///
/// # Safety
/// The type's size must be its alignment, and at most 8; it must have no padding and no invalid bit patterns; and all its
/// access through `&self` must be atomic.
pub unsafe trait Cell: Sized + Sync + 'static {}

macro_rules! cells {
    ($($atomic:ident)*) => {
        $(
            const _: () = assert!(size_of::<$atomic>() == align_of::<$atomic>() && size_of::<$atomic>() <= 8);
            // SAFETY: an integer atomic of std, of the size and alignment just checked: every bit pattern is valid.
            unsafe impl Cell for $atomic {}
        )*
    };
}
cells!(AtomicI8 AtomicU8 AtomicI16 AtomicU16 AtomicI32 AtomicU32 AtomicI64 AtomicU64);

/// A use of a region: the memory stays while it lives.
pub struct Access {
    region: Arc<Region>,
}

impl Access {
    /// The region.
    pub fn region(&self) -> &Arc<Region> {
        &self.region
    }

    /// Its length in bytes.
    #[inline]
    pub fn len(&self) -> usize {
        self.region.len()
    }

    /// True when it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at a byte offset, which must be a multiple of its size.
    #[inline]
    pub fn cell<C: Cell>(&self, offset: usize) -> Result<&C> {
        let at = self.check::<C>(offset, 1)?;
        // SAFETY: `check` has found the bytes in bounds and aligned. The region is in use by `self`, which the reference
        // borrows, so they stay where they are: shared memory only grows. `Cell` says that any bytes are a valid `C`, which is
        // accessed atomically; the head of this file describes what JavaScript does meanwhile.
        Ok(unsafe { &*at })
    }

    /// `count` elements from a byte offset, which must be a multiple of the element's size.
    #[inline]
    pub fn cells<C: Cell>(&self, offset: usize, count: usize) -> Result<&[C]> {
        let at = self.check::<C>(offset, count)?;
        // SAFETY: as in `cell`, for `count` elements. Their total size was checked against the region's length, which is
        // at most `isize::MAX`.
        Ok(unsafe { std::slice::from_raw_parts(at, count) })
    }

    /// The address of `count` elements that lie inside the region, aligned: `base` is a multiple of 8, and `offset` must be
    /// one of the element's size.
    #[inline]
    fn check<C: Cell>(&self, offset: usize, count: usize) -> Result<*const C> {
        let size = size_of::<C>();
        if !offset.is_multiple_of(size) {
            return Err(SharedError::Misaligned { offset, align: size });
        }
        let len = self.len();
        let fits =
            count.checked_mul(size).and_then(|bytes| offset.checked_add(bytes)).is_some_and(|end| end <= len);
        if !fits {
            return Err(SharedError::OutOfBounds { offset, size: count.saturating_mul(size), len });
        }
        let at: *const C = self.region.base.wrapping_add(offset).cast_const().cast();
        debug_assert!(at.is_aligned());
        Ok(at)
    }
}

impl Clone for Access {
    fn clone(&self) -> Self {
        self.region.pins.enter_again();
        Access { region: self.region.clone() }
    }
}

impl Drop for Access {
    fn drop(&mut self) {
        self.region.pins.leave();
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Access({:?})", self.region)
    }
}

/// Opens memory that a test leaks, as JavaScript's would be opened.
#[cfg(all(test, not(loom)))]
pub(super) fn open_for_tests(leaked: *mut u8, len: usize, environment: u64) -> Arc<Region> {
    // SAFETY: the test leaks the memory, and only atomics reach it.
    unsafe { Region::open(leaked, len, environment, || Box::new(())) }.expect("aligned memory")
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::pins::DropFlag;
    use super::*;
    use crate::sync::atomic::AtomicBool;

    /// Memory that stands in for a SharedArrayBuffer; leaked so that a test that fails reads nothing freed.
    fn memory(words: usize) -> *mut u8 {
        Box::into_raw(vec![0_u64; words].into_boxed_slice()).cast()
    }

    fn open(base: *mut u8, len: usize, environment: u64) -> Result<Arc<Region>> {
        // SAFETY: `memory` leaks what it returns, and only atomics reach it.
        unsafe { Region::open(base, len, environment, || Box::new(())) }
    }

    #[test]
    fn one_buffer_is_one_region_from_every_environment() {
        let base = memory(4);
        let first = open(base, 32, 1).unwrap();
        let second = std::thread::scope(|scope| {
            let base = base.expose_provenance();
            scope
                .spawn(move || open(std::ptr::with_exposed_provenance_mut(base), 32, 2).unwrap())
                .join()
                .unwrap()
        });
        assert_eq!(first.id(), second.id());
        assert!(Arc::ptr_eq(&first, &second));
        assert!(Arc::ptr_eq(&first, &Region::by_id(first.id()).unwrap()));
    }

    #[test]
    fn an_address_used_again_is_another_region() {
        let base = memory(4);
        let first = open(base, 32, 1).unwrap().id();
        assert!(Region::by_id(first).is_none());
        assert_ne!(first, open(base, 32, 1).unwrap().id());
    }

    #[test]
    fn a_closed_region_gives_way_to_a_new_one_and_takes_no_users() {
        let base = memory(4);
        let first = open(base, 32, 1).unwrap();
        assert!(first.release_pin(1));
        assert_eq!(first.access().unwrap_err(), SharedError::RegionClosed);
        let second = open(base, 32, 2).unwrap();
        assert_ne!(first.id(), second.id());
        drop(first);
        assert_eq!(open(base, 32, 3).unwrap().id(), second.id(), "the old one took only its own entry away");
    }

    #[test]
    fn closing_waits_for_an_access_and_drops_the_keep_after_it() {
        let base = memory(4);
        let dropped = Arc::new(AtomicBool::new(false));
        let flag = dropped.clone();
        // SAFETY: as in `open`.
        let region = unsafe { Region::open(base, 32, 1, || Box::new(DropFlag(flag))) }.unwrap();
        let access = region.access().unwrap();
        let second = access.clone();
        let closing = region.clone();
        let closer = std::thread::spawn(move || closing.release_pin(1));
        while !region.is_closed() {
            std::thread::yield_now();
        }
        drop(access);
        // The closer has every chance to go on.
        for _ in 0..1_000 {
            std::thread::yield_now();
            assert!(!dropped.load(Ordering::SeqCst), "an access is left");
        }
        second.cell::<AtomicU64>(24).unwrap().store(7, Ordering::SeqCst);
        drop(second);
        assert!(closer.join().unwrap());
        assert!(dropped.load(Ordering::SeqCst));
    }

    #[test]
    fn an_ending_environment_lets_all_its_pins_go() {
        let (one, two) = (open(memory(1), 8, 900_001).unwrap(), open(memory(1), 8, 900_001).unwrap());
        let other = open(memory(1), 8, 900_002).unwrap();
        Region::release_all_pins(900_001);
        assert!(one.is_closed() && two.is_closed() && !other.is_closed());
    }

    #[test]
    fn bounds_and_alignment_are_checked_with_exact_errors() {
        let region = Region::allocate(20, 32).unwrap();
        let access = region.access().unwrap();
        assert!(access.cell::<AtomicI32>(16).is_ok());
        assert_eq!(
            access.cell::<AtomicI32>(20).unwrap_err(),
            SharedError::OutOfBounds { offset: 20, size: 4, len: 20 }
        );
        assert_eq!(access.cell::<AtomicI32>(2).unwrap_err(), SharedError::Misaligned { offset: 2, align: 4 });
        assert!(access.cell::<AtomicU64>(16).is_err(), "half of it lies outside");
        assert!(access.cells::<AtomicU64>(0, usize::MAX).is_err(), "no overflow");
        assert!(access.cells::<AtomicU8>(20, 0).unwrap().is_empty());
    }

    #[test]
    fn a_buffer_that_has_grown_is_known_by_its_greater_length() {
        let base = memory(4);
        let region = open(base, 16, 1).unwrap();
        let access = region.access().unwrap();
        assert!(access.cell::<AtomicU64>(24).is_err());
        assert!(Arc::ptr_eq(&region, &open(base, 32, 2).unwrap()));
        assert!(access.cell::<AtomicU64>(24).is_ok());
        assert!(Arc::ptr_eq(&region, &open(base, 8, 1).unwrap()));
        assert_eq!(region.len(), 32, "a smaller length changes nothing");
    }

    #[test]
    fn bad_memory_is_refused() {
        assert_eq!(open(memory(2).wrapping_add(4), 4, 1).unwrap_err(), SharedError::BadMemory);
        assert_eq!(open(std::ptr::null_mut(), 4, 1).unwrap_err(), SharedError::BadMemory);
        let empty = open(std::ptr::null_mut(), 0, 1).unwrap();
        assert!(empty.access().unwrap().cell::<AtomicU8>(0).is_err());
        assert_eq!(Region::allocate(9, 8).unwrap_err(), SharedError::BadMemory);
    }
}
