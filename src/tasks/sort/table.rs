//! The vector functions for each set of instructions and size of key, and the choice among them.
#![allow(unsafe_code)] // calls functions for CPUs that have certain instructions

use std::ops::Range;

use crate::error::Result;
use crate::tasks::Pace;

/// Sorts each run of the first slice into its place in the second; the runs that are too long come back.
type SortRuns<K> = unsafe fn(&[K], &mut [K], &[u32], &mut Vec<Range<usize>>);

/// The functions for one set of instructions, which this CPU has.
#[derive(Clone, Copy)]
pub(super) struct Vectors<K> {
    partition: unsafe fn(&mut [K], K, &mut Pace<'_>) -> Result<usize>,
    sort_runs: SortRuns<K>,
}

/// A key for which there are such functions.
pub(super) trait Vectorized: Sized {
    /// Those of the best set of this CPU, if it has any.
    fn vectors() -> Option<Vectors<Self>>;
}

macro_rules! vectorized_keys {
    ($($key:ident $avx2:ident $avx512:ident)*) => {$(
        impl Vectorized for $key {
            #[cfg(target_arch = "x86_64")]
            fn vectors() -> Option<Vectors<Self>> {
                use super::{networks, partition};
                use crate::tasks::simd::Isa;
                match Isa::best() {
                    Isa::Baseline => None,
                    Isa::Avx2 => Some(Vectors {
                        partition: partition::$avx2::partition,
                        sort_runs: networks::$avx2::sort_runs,
                    }),
                    Isa::Avx512 => Some(Vectors {
                        partition: partition::$avx512::partition,
                        sort_runs: networks::$avx512::sort_runs,
                    }),
                }
            }

            #[cfg(not(target_arch = "x86_64"))]
            fn vectors() -> Option<Vectors<Self>> {
                None
            }
        }
    )*};
}
vectorized_keys! { u32 avx2_32 avx512_32 u64 avx2_64 avx512_64 }

impl<K> Vectors<K> {
    pub(super) fn partition(&self, keys: &mut [K], pivot: K, pace: &mut Pace<'_>) -> Result<usize> {
        // SAFETY: `vectors` made this for the instructions that the CPU has.
        unsafe { (self.partition)(keys, pivot, pace) }
    }

    pub(super) fn sort_runs(&self, from: &[K], to: &mut [K], ends: &[u32], long: &mut Vec<Range<usize>>) {
        // SAFETY: as above.
        unsafe { (self.sort_runs)(from, to, ends, long) }
    }
}
