//! The memory of a stage: one block at one place, in which the interpreter allocates everything, and what of it is in use.
//!
//! Unsafe: the allocator works with raw memory. The block is mapped once, never moves, and lives as long as its [`Region`]; the head of it
//! is a [`Head`], so a copy of the block's beginning is a copy of all that the interpreter knows, its allocator included.
#![allow(unsafe_code)]

use std::alloc::Layout;
use std::ptr::NonNull;

use memmap2::{MmapMut, MmapOptions};
use rlsf::Tlsf;

use super::guard::Guard;

/// A page, as images see memory.
pub(crate) const PAGE: usize = 4096;

/// Up to 32 GiB, in steps of a sixteenth.
type Blocks = Tlsf<'static, u32, u16, 30, 16>;

/// What stands at the beginning of the block.
#[repr(C)]
struct Head {
    blocks: Blocks,
    /// Bytes in use, with what each block costs.
    used: usize,
    /// The end of the furthest allocation that there has been, from the beginning.
    high: usize,
}

/// Before each block that the interpreter gets: its size.
const PREFIX: usize = 8;
/// What the allocator has for each block.
const OVERHEAD: usize = 16;
/// Behind the last allocation stands the head of the free block; at the end of the pool its last mark.
const MARGIN: usize = 64;

/// One block of memory, and the allocator in it.
pub(crate) struct Region {
    /// Before the map, so that it is dropped first.
    guard: Option<Guard>,
    map: MmapMut,
    base: NonNull<u8>,
}

impl Region {
    /// A region of `len` bytes, with nothing in it. `None`: the system has not that much.
    pub(crate) fn new(len: usize) -> Option<Region> {
        let mut map = MmapOptions::new().len(len).no_reserve_swap().map_anon().ok()?;
        let base = NonNull::new(map.as_mut_ptr())?;
        let mut region = Region { guard: None, map, base };
        region.clear();
        Some(region)
    }

    /// Empties the allocator; what stands in the memory stays.
    fn clear(&mut self) {
        let head = Head { blocks: Blocks::new(), used: 0, high: PAGE * 4 };
        // SAFETY: the map begins at a page and is longer than a head.
        unsafe { self.base.cast::<Head>().write(head) };
        let start = size_of::<Head>().next_multiple_of(PAGE);
        let Some(pool) = self.map.get_mut(start..) else { return };
        let pool = NonNull::from(pool);
        let head = self.head();
        // SAFETY: the memory behind the head is this allocator's alone, for as long as the map lives.
        unsafe { head.blocks.insert_free_block_ptr(pool) };
        head.high = start;
    }

    fn head(&mut self) -> &mut Head {
        // SAFETY: `clear` has written a head there, and images hold one at the same place.
        unsafe { self.base.cast::<Head>().as_mut() }
    }

    /// Where what is in use ends, in bytes from the beginning; a whole number of pages.
    pub(crate) fn extent(&mut self) -> usize {
        let high = self.head().high;
        (high + MARGIN).next_multiple_of(PAGE).min(self.map.len())
    }

    /// All of the memory.
    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        &mut self.map
    }

    /// From now on the first `len` bytes are watched for writes, where the system can do that.
    pub(crate) fn watch(&mut self, len: usize) {
        self.guard = None;
        if len <= self.map.len() {
            let start = self.map.as_mut_ptr();
            // SAFETY: the memory is this region's, whose stage stays on its thread; the guard is dropped before it.
            self.guard = unsafe { Guard::new(start, len) };
        }
    }

    /// They are not any more.
    pub(crate) fn unwatch(&mut self) {
        self.guard = None;
    }

    /// What watches the region.
    pub(crate) fn guard(&self) -> Option<&Guard> {
        self.guard.as_ref()
    }

    /// Gives the memory from `start` to `end` back to the system.
    pub(crate) fn release(&mut self, start: usize, end: usize) {
        #[cfg(unix)]
        if end > start {
            let advice = memmap2::UncheckedAdvice::DontNeed;
            // SAFETY: nothing of this memory is in use: the world that used it is gone, and its pages read as zero from now on.
            let _ = unsafe { self.map.unchecked_advise_range(advice, start, end - start) };
        }
        #[cfg(not(unix))]
        let _ = (start, end);
    }

    /// Memory of `size` bytes, unless more than `limit` bytes would then be in use.
    pub(crate) fn allocate(&mut self, size: usize, limit: usize) -> *mut u8 {
        let base = self.base.addr().get();
        let head = self.head();
        let Some(layout) = layout(size) else { return std::ptr::null_mut() };
        if head.used.saturating_add(size + PREFIX + OVERHEAD) > limit {
            return std::ptr::null_mut();
        }
        let Some(block) = head.blocks.allocate(layout) else { return std::ptr::null_mut() };
        head.used += size + PREFIX + OVERHEAD;
        head.high = head.high.max(block.addr().get() + layout.size() - base);
        with_prefix(block, size)
    }

    /// The size of a block of [`Self::allocate`].
    ///
    /// # Safety
    /// `block` is such a block.
    pub(crate) unsafe fn size_of(block: *const u8) -> usize {
        // SAFETY: the prefix stands before the block.
        let size = unsafe { block.sub(PREFIX) }.cast::<usize>();
        // SAFETY: it is the size, aligned.
        unsafe { size.read() }
    }

    /// Frees a block.
    ///
    /// # Safety
    /// `block` is one of this region, and is not used afterwards.
    pub(crate) unsafe fn free(&mut self, block: *mut u8) {
        // SAFETY: by the contract.
        let size = unsafe { Self::size_of(block) };
        let head = self.head();
        head.used = head.used.saturating_sub(size + PREFIX + OVERHEAD);
        // SAFETY: the allocator's block begins before the prefix.
        let start = unsafe { block.sub(PREFIX) };
        // SAFETY: a block of this region is not at null.
        let start = unsafe { NonNull::new_unchecked(start) };
        // SAFETY: by the contract; all blocks have this alignment.
        unsafe { head.blocks.deallocate(start, ALIGN) };
    }

    /// Makes a block larger or smaller; null where it stays as it was.
    ///
    /// # Safety
    /// `block` is one of this region, and is not used afterwards unless the result is null.
    pub(crate) unsafe fn reallocate(&mut self, block: *mut u8, size: usize, limit: usize) -> *mut u8 {
        // SAFETY: by the contract.
        let old = unsafe { Self::size_of(block) };
        let base = self.base.addr().get();
        let head = self.head();
        let Some(layout) = layout(size) else { return std::ptr::null_mut() };
        if size > old && head.used.saturating_add(size - old) > limit {
            return std::ptr::null_mut();
        }
        // SAFETY: the allocator's block begins before the prefix.
        let start = unsafe { block.sub(PREFIX) };
        // SAFETY: a block of this region is not at null.
        let start = unsafe { NonNull::new_unchecked(start) };
        // SAFETY: by the contract; all blocks have this alignment.
        let Some(moved) = (unsafe { head.blocks.reallocate(start, layout) }) else {
            return std::ptr::null_mut();
        };
        head.used = (head.used + size).saturating_sub(old);
        head.high = head.high.max(moved.addr().get() + layout.size() - base);
        with_prefix(moved, size)
    }
}

const ALIGN: usize = 16;

fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(PREFIX)?, ALIGN).ok()
}

/// Writes the size, and gives what stands behind it.
fn with_prefix(block: NonNull<u8>, size: usize) -> *mut u8 {
    // SAFETY: the block has room for the prefix, and is aligned.
    unsafe { block.cast::<usize>().write(size) };
    // SAFETY: the block is longer than its prefix.
    unsafe { block.as_ptr().add(PREFIX) }
}
