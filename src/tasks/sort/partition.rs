//! Divides keys in place: those below a pivot first, the others behind them.
//!
//! The first and the last block are kept aside, which leaves room for a block at both ends. Then a block is read at the end
//! where there is less room, and each of its vectors is divided in itself and written whole to both ends: its lower keys
//! count at the front, the others at the back, and the rest is written over later. Room for two blocks in all means that
//! the end that is read from has room for one beside what it had, and the other has at least one; so no key is
//! written over before it was read. The blocks that were kept, and the keys too few for a block, come last.

#![cfg(target_arch = "x86_64")]

/// Vectors in a block: their divisions do not wait for each other.
const VECTORS: usize = 8;
/// How far ahead, in bytes, the cache is asked for keys. At 80 MB this takes 40 % off; the CPU's own prefetching ends at
/// each page of 4 KiB, and reading from two ends by turns ends it sooner.
const AHEAD: usize = 2048;
/// Blocks between two checkpoints: some ten microseconds.
const BLOCKS: usize = 1 << 9;

macro_rules! partitions {
    ($($module:ident $features:literal $key:ident)*) => {$(
        pub(super) mod $module {
            use crate::error::Result;
            use crate::tasks::Pace;
            use crate::tasks::simd::prefetch;
            use crate::tasks::sort::lanes::$module::*;
            use crate::tasks::sort::partition::{AHEAD, BLOCKS, VECTORS};

            const BLOCK: usize = VECTORS * LANES;
            /// What is kept aside, and a vector beyond it.
            const KEPT: usize = 3 * BLOCK + LANES;

            /// How many keys are less than the pivot; they stand first then. There must be at least two blocks of keys. After
            /// an error keys are missing.
            #[target_feature(enable = $features)]
            pub(in crate::tasks::sort) fn partition(keys: &mut [$key], pivot: $key, pace: &mut Pace<'_>) -> Result<usize> {
                let len = keys.len();
                let pivots = splat(pivot);
                let mut kept = [0; KEPT];
                kept[..BLOCK].copy_from_slice(&keys[..BLOCK]);
                kept[BLOCK..2 * BLOCK].copy_from_slice(&keys[len - BLOCK..]);
                // Keys from `read.0` to `read.1` are still to be read; the room before and behind them is free from
                // `write.0` on, and up to `write.1`.
                let (mut read, mut write) = ((BLOCK, len - BLOCK), (0, len));
                while read.1 - read.0 >= BLOCK {
                    pace.spend(BLOCKS * BLOCK / 4)?;
                    for _ in 0..BLOCKS.min((read.1 - read.0) / BLOCK) {
                        let (block, ahead) = if read.0 - write.0 <= write.1 - read.1 {
                            read.0 += BLOCK;
                            (read.0 - BLOCK, read.0.wrapping_add(AHEAD / size_of::<$key>()))
                        } else {
                            read.1 -= BLOCK;
                            (read.1, read.1.wrapping_sub(AHEAD / size_of::<$key>()))
                        };
                        for line in 0..BLOCK * size_of::<$key>() / 64 {
                            prefetch(keys, ahead.wrapping_add(line * 64 / size_of::<$key>()));
                        }
                        let mut vectors = [pivots; VECTORS];
                        let from = keys[block..block + BLOCK].as_chunks::<LANES>().0;
                        for at in 0..VECTORS {
                            vectors[at] = load(&from[at]);
                        }
                        for v in vectors {
                            let mask = below(v, pivots);
                            let divided = divide(v, mask);
                            let count = mask.count_ones() as usize;
                            store_at(keys, write.0, divided);
                            store_at(keys, write.1 - LANES, divided);
                            write.0 += count;
                            write.1 -= LANES - count;
                        }
                    }
                }
                let rest = read.1 - read.0;
                kept[2 * BLOCK..2 * BLOCK + rest].copy_from_slice(&keys[read.0..read.1]);
                Ok(write.0 + place(&kept, 2 * BLOCK + rest, pivot, &mut keys[write.0..write.1]))
            }

            #[target_feature(enable = $features)]
            #[inline]
            fn store_at(keys: &mut [$key], at: usize, v: Vector) {
                store(&mut keys[at..at + LANES].as_chunks_mut().0[0], v);
            }

            /// Divides the keys that were kept into the room that is left, which is as large; returns how many are below.
            #[target_feature(enable = $features)]
            fn place(kept: &[$key; KEPT], len: usize, pivot: $key, room: &mut [$key]) -> usize {
                let pivots = splat(pivot);
                let (mut first, mut second) = ([0; KEPT], [0; KEPT]);
                let (mut firsts, mut seconds) = (0, 0);
                let vectors = kept.as_chunks::<LANES>().0;
                for at in 0..len.div_ceil(LANES) {
                    let v = load(&vectors[at]);
                    let valid = (1_u32 << LANES.min(len - at * LANES)) - 1;
                    let mask = below(v, pivots);
                    store_at(&mut first, firsts, divide(v, mask & valid));
                    store_at(&mut second, seconds, divide(v, !mask & valid));
                    firsts += (mask & valid).count_ones() as usize;
                    seconds += (!mask & valid).count_ones() as usize;
                }
                room[..firsts].copy_from_slice(&first[..firsts]);
                room[firsts..].copy_from_slice(&second[..seconds]);
                firsts
            }
        }
    )*};
}

partitions! {
    avx512_64 "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512dq,avx512vl" u64
    avx512_32 "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512dq,avx512vl" u32
    avx2_64 "avx2,bmi1,bmi2,lzcnt,popcnt" u64
    avx2_32 "avx2,bmi1,bmi2,lzcnt,popcnt" u32
}
