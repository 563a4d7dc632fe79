//! Sorts unsigned integers of 32 and 64 bits with AVX2 or AVX-512.
//!
//! 1. While a range of keys is too large for the cache, it is *partitioned* in place around a pivot (`partition.rs`). The
//!    pivot is the median of a sample, so each part spans a narrower range of values, in which the keys lie more evenly.
//! 2. A range that fits the cache is *scattered* by its highest bits into runs of some dozen keys, in a scratch array.
//! 3. Each run comes back sorted by a network (`networks.rs`). A run that is too long for one is scattered again.
//!
//! A sample that misled is noticed by a lopsided partition. From there on, pivots halve the range of values, which ends
//! after as many partitions as a key has bits.
//!
//! Why so (10 M random doubles as keys, one thread of an Intel Xeon with AVX-512): the radix sort takes 154 ms, of which the
//! first split takes 65. Partitions alone down to the networks take 112 ms, scattering alone 109, both as here 75.

use super::key::Key;
use super::order;
use super::radix::cursors_from_counts;
use super::table::Vectors;

use crate::allocation;
use crate::error::Result;
use crate::tasks::Pace;
use crate::tasks::simd::vectorized;

/// Keys that are scattered at once: with their scratch array they take 1 MB at most.
const CACHED: usize = 1 << 16;
/// The number of keys that a run has at least, on average, as a power of two.
const RUN_BITS: u32 = 4;
/// Keys of which a pivot is the median.
const SAMPLE: usize = 65;
/// A part that is smaller than the whole by this factor shows that the sample misled.
const LOPSIDED: usize = 64;

/// The memory that the scattering needs besides the keys.
struct Scratch<K> {
    keys: Vec<K>,
    cursors: Vec<u32>,
}

/// Sorts `keys`, and calls `finish` on each part that is done, while it is still in the cache. After an error keys are
/// missing.
pub(super) fn sort<K: Key>(
    keys: &mut [K],
    vectors: Vectors<K>,
    pace: &mut Pace<'_>,
    mut finish: impl FnMut(&mut [K], &mut Pace<'_>) -> Result<()>,
) -> Result<()> {
    let cached = keys.len().min(CACHED);
    let mut sorting = Sorting {
        vectors,
        scratch: Scratch {
            keys: allocation::zeros(cached)?,
            cursors: allocation::zeros(1 << width(cached))?,
        },
        random: 0,
    };
    sorting.divide(keys, false, pace, &mut finish)
}

/// Bits by which so many keys are scattered.
fn width(count: usize) -> u32 {
    count.ilog2().saturating_sub(RUN_BITS).max(1)
}

struct Sorting<K> {
    vectors: Vectors<K>,
    scratch: Scratch<K>,
    /// Where samples are taken; the same in each run, since results and costs should be.
    random: u64,
}

impl<K: Key> Sorting<K> {
    /// Sorts keys that may be few or many. `halve` says that pivots halve the range of values.
    fn divide(
        &mut self,
        mut keys: &mut [K],
        mut halve: bool,
        pace: &mut Pace<'_>,
        finish: &mut impl FnMut(&mut [K], &mut Pace<'_>) -> Result<()>,
    ) -> Result<()> {
        while keys.len() > CACHED {
            let pivot = if halve {
                let (low, high) = order::bounds_of_many(keys, pace)?;
                if low == high {
                    return finish(keys, pace);
                }
                low.above_middle(high)
            } else {
                self.median_of_sample(keys)
            };
            let count = self.vectors.partition(keys, pivot, pace)?;
            if count == 0 {
                // The pivot is the lowest key, of which there may be many.
                let Some(next) = pivot.successor() else {
                    return finish(keys, pace);
                };
                let equal = self.vectors.partition(keys, next, pace)?;
                let (equal, higher) = keys.split_at_mut(equal);
                finish(equal, pace)?;
                keys = higher;
                continue;
            }
            halve |= count.min(keys.len() - count) < keys.len() / LOPSIDED;
            let (lower, higher) = keys.split_at_mut(count);
            let (smaller, larger) =
                if lower.len() < higher.len() { (lower, higher) } else { (higher, lower) };
            self.divide(smaller, halve, pace, finish)?;
            keys = larger;
        }
        self.scatter(keys, pace)?;
        finish(keys, pace)
    }

    fn median_of_sample(&mut self, keys: &[K]) -> K {
        let stride = keys.len() / SAMPLE;
        let mut sample: [K; SAMPLE] = std::array::from_fn(|nth| {
            self.random = self.random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            keys[nth * stride + (self.random >> 33) as usize % stride]
        });
        *sample.select_nth_unstable(SAMPLE / 2).1
    }

    /// Sorts keys that fit the cache.
    fn scatter(&mut self, keys: &mut [K], pace: &mut Pace<'_>) -> Result<()> {
        if keys.len() < 2 {
            return Ok(());
        }
        pace.spend(keys.len())?;
        let (low, high) = order::bounds(keys);
        if low == high {
            return Ok(());
        }
        let span = high.span(low);
        let width = width(keys.len()).min(span);
        let Scratch { keys: other, cursors } = &mut self.scratch;
        let (other, cursors) = (&mut other[..keys.len()], &mut cursors[..1 << width]);
        scatter(keys, other, low, span - width, cursors);
        let mut long = Vec::new();
        self.vectors.sort_runs(other, keys, cursors, &mut long);
        if span == width {
            return Ok(());
        }
        long.into_iter().try_for_each(|run| self.scatter(&mut keys[run], pace))
    }
}

vectorized! {
    /// Copies keys into buckets by their bits from `shift` on; each cursor is then its bucket's end.
    fn scatter<K: Key>(keys: &[K], to: &mut [K], low: K, shift: u32, cursors: &mut [u32]) {
        let mask = cursors.len() - 1;
        cursors.fill(0);
        for key in keys {
            cursors[key.above(low, shift) & mask] += 1;
        }
        cursors_from_counts(cursors);
        for key in keys {
            let cursor = &mut cursors[key.above(low, shift) & mask];
            to[*cursor as usize] = *key;
            *cursor += 1;
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::table::Vectorized;
    use super::*;
    use crate::cancel::{CancelToken, Reason};
    use crate::tasks::Context;
    use crate::tasks::simd::tests::with_each_isa;

    fn noise(len: usize) -> impl Iterator<Item = u64> + Clone {
        (1..=len as u64).map(|i| {
            let z = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        })
    }

    /// Sorts with each set of vector instructions, and counts how often one was there.
    fn check<K: Key + std::fmt::Debug>(keys: &[K]) -> usize {
        let tried = std::cell::Cell::new(0);
        let mut expected = keys.to_vec();
        expected.sort_unstable();
        with_each_isa(|isa| {
            let Some(vectors) = K::vectors() else {
                return;
            };
            tried.set(tried.get() + 1);
            let token = CancelToken::new(None);
            let context = Context::new(&token);
            let mut sorted = keys.to_vec();
            let mut finished = 0;
            sort(&mut sorted, vectors, &mut context.pace(1), |part, _| {
                assert!(part.is_sorted());
                finished += part.len();
                Ok(())
            })
            .unwrap();
            assert!(sorted == expected, "{} keys with {isa:?}", keys.len());
            assert_eq!(finished, keys.len(), "each part is finished once");
        });
        tried.get()
    }

    fn both(keys: impl Iterator<Item = u64> + Clone) -> usize {
        let wide: Vec<u64> = keys.clone().collect();
        let narrow: Vec<u32> = keys.map(|key| (key >> 32) as u32).collect();
        check(&wide) + check(&narrow)
    }

    #[test]
    fn every_length_is_sorted_by_every_set_of_instructions() {
        for len in (1..=600).chain([1_000, 4_095, 65_535, 65_536, 65_537, 70_001, 200_000]) {
            let tried = both(noise(len));
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx512dq") && is_x86_feature_detected!("avx512vl") {
                assert_eq!(tried, 4, "AVX2 and AVX-512, for keys of 32 and of 64 bits");
            } else if is_x86_feature_detected!("avx2") {
                assert_eq!(tried, 2);
            }
            assert!(tried <= 4);
        }
    }

    #[test]
    fn networks_sort_all_zeros_and_ones() {
        // Knuth's principle: a network that sorts all sequences of two values sorts all. Here: runs of zeros and ones at
        // random, and each with one step.
        for len in 2..=256 {
            for first in 0..=len {
                let step = (0..len).map(|at| if at < first { u64::MAX } else { 0 });
                both(step);
            }
            for seed in 0..50 {
                both(noise(len + seed).skip(seed).map(|n| if n & 1 == 0 { u64::MAX } else { 0 }));
            }
        }
    }

    #[test]
    fn distributions_that_mislead_are_sorted() {
        const LEN: usize = 300_000;
        type Shape = fn(usize, u64) -> u64;
        let shapes: [Shape; 10] = [
            |_, _| 7,
            |_, _| u64::MAX,
            |i, _| i as u64,
            |i, _| !(i as u64) << 20,
            |_, n| (n % 3) << 62,
            |_, n| 1 << (n % 64),
            |_, n| n >> (n % 64),
            |i, n| if i == LEN / 2 { n } else { n & 1 },
            |i, n| if i % 1_000 == 0 { n } else { u64::MAX - n % 5 },
            |i, n| ((i as u64 / 70_000) << 60) | n >> 40,
        ];
        for shape in shapes {
            both(noise(LEN).enumerate().map(|(i, n)| shape(i, n)));
        }
    }

    #[test]
    fn it_stops_at_a_checkpoint() {
        let Some(vectors) = u64::vectors() else {
            return;
        };
        let token = CancelToken::new(None);
        let context = Context::new(&token);
        let mut keys: Vec<u64> = noise(200_000).collect();
        let mut parts = 0;
        let stopped = sort(&mut keys, vectors, &mut context.pace(1), |_, _| {
            parts += 1;
            token.cancel(Reason::Cancelled);
            Ok(())
        });
        assert!(stopped.is_err() && parts == 1);
    }
}
