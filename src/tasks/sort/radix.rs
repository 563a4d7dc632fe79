//! Sorts unsigned integers of 32 and 64 bits, from the top digit down and then, in the cache, from the bottom up.
//!
//! 1. While a range of keys is too large for the cache, it is *split* by its highest digit into buckets, in place.
//!    Digits are taken of `key − lowest`, so a narrow or crowded range costs no empty digits; every split takes a
//!    new look at the lowest and highest key of its bucket.
//! 2. A bucket that fits the cache is sorted by its highest `log2(n) + 3` bits in two passes from the low digit to
//!    the high (a "diverting" radix sort): by then nearly every key is in its place, and an insertion sort brings in
//!    the few that agree in all these bits. Where more than a few agree, the runs of them are sorted by themselves.
//!
//! Each split consumes bits of the range, so the work is linear in every case: at most eleven levels. Beside the
//! keys it needs one scratch array that fits the cache: fresh memory as large as the keys would cost a page fault
//! every 512 keys.
//! The buckets of the first split are independent of each other: they can be sorted by different threads.
//!
//! Sources: McIlroy, Bostic and McIlroy, "Engineering Radix Sort" (1993); Skarupke's ska_sort for the order of the
//! swaps; Knuth, TAOCP 3, 5.2.5 for finishing by insertion. The diverting pass is that of the crate
//! voracious_radix_sort, which is not used because it cannot be interrupted.

use super::key::{Key, UNITS};
use super::order::bounds_of_many as bounds;
use crate::error::Result;
use crate::tasks::Pace;

/// Sorted by comparison up to here.
const FEW: usize = 64;
/// Keys that are sorted in the cache: their scratch array takes 2 MB at most. Skewed ranges (the unit interval has
/// half of its numbers under one exponent) leave buckets this large after one split.
const CACHED: usize = 1 << 18;
/// The number of keys that a split wants in each bucket, as a power of two.
const BUCKET_BITS: u32 = 13;
/// Bits of a split's digit.
const NARROWEST: u32 = 6;
const WIDEST: u32 = 11;
/// Bits of a diverted digit, at most: half of log2(CACHED) + 3.
const DIVERTED: u32 = (CACHED.ilog2() + 3).div_ceil(2);
/// Places that an insertion sort may move keys, per key, before it is given up.
const PATIENCE: usize = 4;

/// The memory that the work in the cache needs besides the keys.
struct Scratch<K> {
    keys: Vec<K>,
    low_digit: Box<[u32; 1 << DIVERTED]>,
    high_digit: Box<[u32; 1 << DIVERTED]>,
}

impl<K: Key> Scratch<K> {
    /// For ranges of up to `len` keys.
    fn new(len: usize) -> Self {
        let digit = || Box::new([0; 1 << DIVERTED]);
        Scratch { keys: vec![K::MIN; len], low_digit: digit(), high_digit: digit() }
    }
}

/// Sorts `keys`, whose lowest and highest are `range`, and calls `finish` on each part that is done, while it is
/// still in the cache. After an error the keys are in no order.
pub(super) fn sort<K: Key>(
    keys: &mut [K],
    range: (K, K),
    pace: &mut Pace<'_>,
    mut finish: impl FnMut(&mut [K], &mut Pace<'_>) -> Result<()>,
) -> Result<()> {
    let mut scratch = Scratch::new(keys.len().min(CACHED));
    if keys.len() <= CACHED {
        settle(keys, &mut scratch, pace)?;
        return finish(keys, pace);
    }
    let ends = split(keys, range, pace)?;
    for_each_bucket(keys, &ends, |bucket| {
        settle(bucket, &mut scratch, pace)?;
        finish(bucket, pace)
    })
}

/// Sorts keys that may be few or many.
fn settle<K: Key>(keys: &mut [K], scratch: &mut Scratch<K>, pace: &mut Pace<'_>) -> Result<()> {
    pace.spend(keys.len())?;
    if keys.len() <= FEW {
        keys.sort_unstable();
        return Ok(());
    }
    let range = bounds(keys, pace)?;
    if range.0 == range.1 {
        return Ok(());
    }
    if keys.len() <= CACHED {
        return divert(keys, scratch, range, pace);
    }
    let ends = split(keys, range, pace)?;
    for_each_bucket(keys, &ends, |bucket| settle(bucket, scratch, pace))
}

fn for_each_bucket<K>(
    keys: &mut [K],
    ends: &[usize],
    mut each: impl FnMut(&mut [K]) -> Result<()>,
) -> Result<()> {
    let mut from = 0;
    for &to in ends {
        if from < to {
            each(&mut keys[from..to])?;
        }
        from = to;
    }
    Ok(())
}

/// Moves keys into buckets by their highest digit, in place; returns the end of each bucket.
///
/// Each bucket has a cursor at its first key not known to be in its place. Every key between a bucket's cursor and
/// its end is swapped to the cursor of the bucket it belongs to: each swap brings one key home, and unlike the
/// cycles of the textbook's "American flag" sort, the swaps of one sweep do not wait for each other.
fn split<K: Key>(keys: &mut [K], (low, high): (K, K), pace: &mut Pace<'_>) -> Result<Vec<usize>> {
    const MASK: usize = (1 << WIDEST) - 1;
    let span = high.span(low);
    let width = keys.len().ilog2().saturating_sub(BUCKET_BITS).clamp(NARROWEST, WIDEST).min(span);
    let shift = span - width;
    let mut cursors = [0_usize; MASK + 1];
    for block in keys.chunks(UNITS) {
        pace.spend(block.len())?;
        for &key in block {
            cursors[key.above(low, shift) & MASK] += 1;
        }
    }
    let buckets = 1 << width;
    cursors_from_counts(&mut cursors[..buckets]);
    let mut ends = cursors[1..buckets].to_vec();
    ends.push(keys.len());

    let mut open: Vec<usize> = (0..buckets).collect();
    while !open.is_empty() {
        let mut failed = None;
        open.retain(|&bucket| {
            let mut from = cursors[bucket];
            let end = ends[bucket];
            while from < end && failed.is_none() {
                let until = end.min(from + UNITS / 4);
                failed = pace.spend(2 * (until - from)).err();
                for at in from..until {
                    let cursor = &mut cursors[keys[at].above(low, shift) & MASK];
                    keys.swap(at, *cursor);
                    *cursor += 1;
                }
                from = until;
            }
            cursors[bucket] < end
        });
        if let Some(error) = failed {
            return Err(error);
        }
    }
    Ok(ends)
}

pub(super) fn cursors_from_counts<N: Copy + Default + std::ops::AddAssign>(counts: &mut [N]) {
    let mut start = N::default();
    for cell in counts {
        start += std::mem::replace(cell, start);
    }
}

/// Sorts keys that fit the cache by their highest bits, and then those that agree in them.
fn divert<K: Key>(
    keys: &mut [K],
    scratch: &mut Scratch<K>,
    (low, high): (K, K),
    pace: &mut Pace<'_>,
) -> Result<()> {
    const MASK: usize = (1 << DIVERTED) - 1;
    let Scratch { keys: other, low_digit, high_digit } = scratch;
    let span = high.span(low);
    let bits = span.min(keys.len().ilog2() + 3);
    let shift = span - bits;
    let width = bits.div_ceil(2);
    let mask = (1_usize << width) - 1;
    low_digit[..=mask].fill(0);
    high_digit[..=mask].fill(0);
    for &key in keys.iter() {
        let above = key.above(low, shift);
        low_digit[above & mask & MASK] += 1;
        high_digit[(above >> width) & MASK] += 1;
    }
    cursors_from_counts(&mut low_digit[..=mask]);
    cursors_from_counts(&mut high_digit[..=mask]);
    // Each pass takes a good part of a millisecond when the keys are as many as they may be.
    pace.spend(keys.len())?;
    let half_sorted = &mut other[..keys.len()];
    for &key in keys.iter() {
        let cursor = &mut low_digit[key.above(low, shift) & mask & MASK];
        half_sorted[*cursor as usize] = key;
        *cursor += 1;
    }
    pace.spend(keys.len())?;
    for &key in half_sorted.iter() {
        let cursor = &mut high_digit[(key.above(low, shift) >> width) & MASK];
        keys[*cursor as usize] = key;
        *cursor += 1;
    }
    pace.spend(keys.len())?;
    if shift == 0 || insert(keys) {
        return Ok(());
    }
    // Too many agree: their runs are sorted by the bits below.
    let mut rest = keys;
    while let Some(first) = rest.first() {
        let top = first.above(low, shift);
        let run = rest.iter().take_while(|key| key.above(low, shift) == top).count();
        let (run, after) = rest.split_at_mut(run);
        settle(run, scratch, pace)?;
        rest = after;
    }
    Ok(())
}

/// Insertion sort of keys that are nearly sorted; false, with all keys kept, when it is not near enough.
fn insert<K: Key>(keys: &mut [K]) -> bool {
    let mut moves = PATIENCE * keys.len();
    for i in 1..keys.len() {
        let key = keys[i];
        if keys[i - 1] <= key {
            continue;
        }
        let mut at = i;
        while at > 0 && keys[at - 1] > key {
            keys[at] = keys[at - 1];
            at -= 1;
        }
        keys[at] = key;
        match moves.checked_sub(i - at) {
            Some(left) => moves = left,
            None => return false,
        }
    }
    true
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn insertion_gives_up_on_what_is_far_from_sorted_and_loses_nothing() {
        let mut keys: Vec<u64> = (0..1_000).rev().collect();
        assert!(!insert(&mut keys));
        keys.sort_unstable();
        assert!(keys.into_iter().eq(0..1_000));
        let mut near = vec![1_u64, 0, 3, 2, 5, 4];
        assert!(insert(&mut near));
        assert!(near.is_sorted());
    }
}
