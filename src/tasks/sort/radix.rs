//! Sorts unsigned integers of 32 and 64 bits, from the top digit down and then, in the cache, from the bottom up.
//!
//! 1. While a range of keys is too large for the cache, it is *split* by its highest digit into buckets, from one
//!    of two arrays into the other. Digits are taken of `key − lowest`, so a narrow or crowded range costs no empty
//!    digits; every split takes a new look at the lowest and highest key of its bucket.
//! 2. A bucket that fits the cache is sorted by its highest `log2(n) + 3` bits in two passes from the low digit to
//!    the high (a "diverting" radix sort): by then nearly every key is in its place, and an insertion sort brings in
//!    the few that agree in all these bits. Where more than a few agree, the runs of them are sorted by themselves.
//!
//! Each split consumes bits of the range, so the work is linear in every case: at most eight levels.
//! The buckets of the first split are independent of each other: they can be sorted by different threads.
//!
//! Sources: Knuth, TAOCP 3, 5.2.5 and exercise 5.2.5-15 (MSD first, then finish by insertion); the diverting pass
//! is that of the crate voracious_radix_sort, which this replaces because it cannot be interrupted.

use crate::error::Result;
use crate::tasks::{Context, Pace};

/// Sorted by comparison below this.
const FEW: usize = 64;
/// Keys that fit the second-level cache together with their other array.
const CACHED: usize = 1 << 15;
/// The number of keys that a split wants in each bucket, as a power of two.
const BUCKET_BITS: u32 = 12;
/// Bits of the widest digit.
const WIDEST: u32 = 11;
/// Keys between two checkpoints: some hundred microseconds.
const UNITS: usize = 1 << 15;
/// Places that an insertion sort may move keys, per key, before it is given up.
const PATIENCE: usize = 4;

/// An unsigned integer that can be sorted.
pub(super) trait Key: bytemuck::Pod + Ord {
    const MIN: Self;
    const MAX: Self;
    /// Bits in `self - low`.
    fn span(self, low: Self) -> u32;
    /// `self - low` without its `shift` lowest bits.
    fn above(self, low: Self, shift: u32) -> usize;
}

macro_rules! keys {
    ($($type:ident)*) => {$(
        impl Key for $type {
            const MIN: Self = $type::MIN;
            const MAX: Self = $type::MAX;
            #[inline(always)]
            fn span(self, low: Self) -> u32 {
                $type::BITS - (self - low).leading_zeros()
            }
            #[inline(always)]
            fn above(self, low: Self, shift: u32) -> usize {
                // Wrapping costs nothing and never happens: `low` is the lowest key.
                (self.wrapping_sub(low) >> shift) as usize
            }
        }
    )*};
}
keys! { u32 u64 }

/// In which of the two arrays the sorted keys shall be.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Here,
    There,
}

/// Sorts `keys`, whose lowest and highest are `range`, and calls `finish` on each part that is done, while it is
/// still in the cache. After an error the keys are in no order, and some may be doubled or lost.
pub(super) fn sort<K: Key>(
    keys: &mut [K],
    range: (K, K),
    context: &Context<'_>,
    finish: impl Fn(&mut [K]),
) -> Result<()> {
    if keys.len() <= FEW {
        keys.sort_unstable();
        finish(keys);
        return Ok(());
    }
    let mut pace = context.pace(UNITS);
    let mut other = vec![K::MIN; keys.len()];
    if keys.len() <= CACHED {
        settle(keys, &mut other, Place::Here, &mut pace)?;
        finish(keys);
        return Ok(());
    }
    if range.0 < range.1 {
        let ends = split(keys, &mut other, range, &mut pace)?;
        for_each_bucket(&ends, |from, to| {
            let sorted = &mut keys[from..to];
            settle(&mut other[from..to], sorted, Place::There, &mut pace)?;
            for part in sorted.chunks_mut(UNITS) {
                pace.spend(part.len() / 4)?;
                finish(part);
            }
            Ok(())
        })
    } else {
        for part in keys.chunks_mut(UNITS) {
            pace.spend(part.len())?;
            finish(part);
        }
        Ok(())
    }
}

/// Sorts what is `here`, with `there` to work in.
fn settle<K: Key>(here: &mut [K], there: &mut [K], place: Place, pace: &mut Pace<'_>) -> Result<()> {
    let len = here.len();
    pace.spend(len.min(UNITS))?;
    if len <= FEW {
        here.sort_unstable();
        return move_to(here, there, place, pace);
    }
    let range = bounds(here, pace)?;
    if range.0 == range.1 {
        return move_to(here, there, place, pace);
    }
    if len <= CACHED {
        return divert(here, there, range, place, pace);
    }
    let ends = split(here, there, range, pace)?;
    let place = if place == Place::Here { Place::There } else { Place::Here };
    for_each_bucket(&ends, |from, to| settle(&mut there[from..to], &mut here[from..to], place, pace))
}

fn move_to<K: Key>(here: &[K], there: &mut [K], place: Place, pace: &mut Pace<'_>) -> Result<()> {
    if place == Place::There {
        for (here, there) in here.chunks(UNITS).zip(there.chunks_mut(UNITS)) {
            if here.len() > FEW {
                pace.spend(here.len() / 4)?;
            }
            there.copy_from_slice(here);
        }
    }
    Ok(())
}

fn bounds<K: Key>(keys: &[K], pace: &mut Pace<'_>) -> Result<(K, K)> {
    let (mut low, mut high) = (K::MAX, K::MIN);
    for block in keys.chunks(UNITS) {
        pace.spend(block.len() / 4)?;
        for &key in block {
            low = low.min(key);
            high = high.max(key);
        }
    }
    Ok((low, high))
}

fn for_each_bucket(ends: &[usize], mut each: impl FnMut(usize, usize) -> Result<()>) -> Result<()> {
    let mut from = 0;
    for &to in ends {
        if from < to {
            each(from, to)?;
        }
        from = to;
    }
    Ok(())
}

/// Moves keys into buckets by their highest digit; gives the end of each bucket.
fn split<K: Key>(
    here: &[K],
    there: &mut [K],
    (low, high): (K, K),
    pace: &mut Pace<'_>,
) -> Result<Vec<usize>> {
    let wanted = here.len().ilog2().saturating_sub(BUCKET_BITS).clamp(6, WIDEST);
    let span = high.span(low);
    let width = wanted.min(span);
    let shift = span - width;
    const MASK: usize = (1 << WIDEST) - 1;
    let mut cursors = vec![0_usize; MASK + 1];
    for block in here.chunks(UNITS) {
        pace.spend(block.len())?;
        for &key in block {
            cursors[key.above(low, shift) & MASK] += 1;
        }
    }
    cursors_from_counts(&mut cursors);
    for block in here.chunks(UNITS / 2) {
        pace.spend(UNITS)?;
        for &key in block {
            let cursor = &mut cursors[key.above(low, shift) & MASK];
            there[*cursor] = key;
            *cursor += 1;
        }
    }
    // Each cursor has come to the end of its bucket.
    cursors.truncate(1 << width);
    Ok(cursors)
}

fn cursors_from_counts(counts: &mut [usize]) {
    let mut start = 0;
    for cell in counts {
        start += std::mem::replace(cell, start);
    }
}

/// Sorts a range that fits the cache by its highest bits, and then what agrees in them.
fn divert<K: Key>(
    here: &mut [K],
    there: &mut [K],
    (low, high): (K, K),
    place: Place,
    pace: &mut Pace<'_>,
) -> Result<()> {
    let span = high.span(low);
    let bits = span.min(here.len().ilog2() + 3).max(2);
    let shift = span.saturating_sub(bits);
    let width = bits.div_ceil(2);
    // CACHED keys have 18 bits to be sorted by: two digits of 9.
    const MASK: usize = (1 << 9) - 1;
    let mask = (1_usize << width) - 1;
    let mut low_digit = [0_usize; MASK + 1];
    let mut high_digit = [0_usize; MASK + 1];
    for &key in here.iter() {
        let above = key.above(low, shift);
        low_digit[above & mask & MASK] += 1;
        high_digit[(above >> width) & MASK] += 1;
    }
    cursors_from_counts(&mut low_digit[..=mask]);
    cursors_from_counts(&mut high_digit[..=mask]);
    for &key in here.iter() {
        let cursor = &mut low_digit[key.above(low, shift) & mask & MASK];
        there[*cursor] = key;
        *cursor += 1;
    }
    for &key in there.iter() {
        let cursor = &mut high_digit[(key.above(low, shift) >> width) & MASK];
        here[*cursor] = key;
        *cursor += 1;
    }
    if shift > 0 && !insert(here) {
        // Too many agree: their runs are sorted by the bits below.
        let mut from = 0;
        while from < here.len() {
            let top = here[from].above(low, shift);
            let run = here[from..].iter().take_while(|key| key.above(low, shift) == top).count();
            settle(&mut here[from..from + run], &mut there[from..from + run], Place::Here, pace)?;
            from += run;
        }
    }
    move_to(here, there, place, pace)
}

/// Insertion sort of what is nearly sorted; false, with all keys kept, when it is not near enough.
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
    use crate::pool::CancelToken;

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

    #[test]
    fn every_part_is_finished_once() {
        let token = CancelToken::new(None);
        let context = Context::new(&token);
        for len in [10_u64, 1_000, 50_000, 500_000] {
            for spread in [0, 1, 1 << 40] {
                let mut keys: Vec<u64> = (0..len).map(|i| (i * 7_919 % len) * spread).collect();
                let mut expected = keys.clone();
                expected.sort_unstable();
                let range = (expected[0], expected[expected.len() - 1]);
                sort(&mut keys, range, &context, |part| part.iter_mut().for_each(|key| *key += 1)).unwrap();
                assert!(keys.iter().map(|key| key - 1).eq(expected), "{len} keys, {spread} apart");
            }
        }
    }
}
