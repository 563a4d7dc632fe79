//! A cache of the memory of large byte blocks.
//!
//! An allocator gives memory of this size back to the system as soon as it is free, and the pages of the next block must
//! then be mapped again: on the development machine that takes 25 to 45 µs for 64 KiB, of which the copy itself is two. A
//! few blocks are cached here instead, for all threads together, as a block is usually freed by another thread than the one
//! that made it. First in, first out: the block that came last is still in the other thread's CPU cache, which makes
//! writing to it slower.

use std::collections::VecDeque;

use parking_lot::Mutex;

use crate::allocation;
use crate::error::Result;

/// The smallest block that is kept, and how many times its size doubles up to the largest: 16 KiB to 4 MiB.
const SMALLEST: usize = 16 * 1024;
const CLASSES: usize = 9;
/// The most bytes that are kept.
const KEPT: usize = 16 * 1024 * 1024;

struct Cache {
    /// In class `n`, blocks of at least `SMALLEST << n` bytes.
    classes: [VecDeque<Vec<u64>>; CLASSES],
    bytes: usize,
}

static CACHE: Mutex<Cache> = Mutex::new(Cache { classes: [const { VecDeque::new() }; CLASSES], bytes: 0 });

const fn bytes(words: usize) -> usize {
    words * size_of::<u64>()
}

/// An empty vector with capacity for `words` words.
pub(super) fn with_capacity(words: usize) -> Result<Vec<u64>> {
    let mut block = used(words)?;
    block.clear();
    Ok(block)
}

/// The same with what was in the block before, if anything: some of its words need not be made again to be overwritten.
pub(super) fn used(words: usize) -> Result<Vec<u64>> {
    let class = (bytes(words).div_ceil(SMALLEST)).next_power_of_two().trailing_zeros() as usize;
    if bytes(words) < SMALLEST || class >= CLASSES {
        return allocation::for_items(words);
    }
    let mut cache = CACHE.lock();
    let Some(block) = cache.classes[class].pop_front() else {
        drop(cache);
        return allocation::for_items((SMALLEST << class) / size_of::<u64>());
    };
    cache.bytes -= bytes(block.capacity());
    Ok(block)
}

/// Takes back a block that is no longer needed.
pub(super) fn give_back(block: Vec<u64>) {
    let size = bytes(block.capacity());
    if size < SMALLEST {
        return;
    }
    let class = (size / SMALLEST).ilog2() as usize;
    if class >= CLASSES {
        return;
    }
    let mut cache = CACHE.lock();
    if cache.bytes + size <= KEPT {
        cache.bytes += size;
        cache.classes[class].push_back(block);
    }
    // Else it is freed here, after the lock (it was declared before).
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_block_has_the_room_that_was_asked_for() {
        for words in [0, 1, 2047, 2048, 2049, 8192, 8193, 100_000, 524_288, 524_289] {
            let block = with_capacity(words).expect("little");
            assert!(block.capacity() >= words && block.is_empty(), "{words} words");
            give_back(block);
            let again = with_capacity(words).expect("little");
            assert!(again.capacity() >= words && again.is_empty(), "{words} words, again");
        }
    }

    #[test]
    fn a_block_of_any_size_is_kept_where_it_is_large_enough() {
        for words in (2048..40_000).step_by(771) {
            give_back(Vec::with_capacity(words));
        }
        for words in (2048..40_000).step_by(523) {
            assert!(with_capacity(words).expect("little").capacity() >= words, "{words} words");
        }
    }

    #[test]
    fn no_more_than_the_limit_is_kept() {
        let blocks: Vec<_> = (0..64).map(|_| with_capacity(1 << 17).expect("little")).collect();
        blocks.into_iter().for_each(give_back);
        assert!(CACHE.lock().bytes <= KEPT);
    }
}
