//! The vector instructions that this CPU has, and functions that are compiled for each set of them.
//!
//! The addon is compiled for the oldest CPU of its platform. A kernel that gains by wider vectors is compiled several
//! times, and the CPU is asked which of them it can run. Each set gives the same bits: a kernel states its order of
//! floating-point operations, and no set changes it (Rust never fuses a product and a sum by itself).
//!
//! Other CPUs than x86-64 run the code for their platform's oldest CPU: on aarch64 that has vectors of 128 bits.
#![allow(unsafe_code)] // calls functions for CPUs that have certain instructions

/// A set of vector instructions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Isa {
    /// What every CPU of the platform has.
    Baseline,
    /// AVX2 and bit manipulation: vectors of 256 bits.
    Avx2,
    /// AVX-512 as servers have had it since 2017: vectors of 512 bits, and masks.
    Avx512,
}

impl Isa {
    /// The best set of this CPU.
    ///
    /// For tests: `RUST_WORKERS_TEST_SIMD` (`baseline`, `avx2`), read once, allows less than the CPU has.
    pub(super) fn best() -> Isa {
        #[cfg(all(test, not(loom)))]
        if let Some(isa) = tests::LIMIT.get() {
            return isa.min(Isa::of_cpu());
        }
        static BEST: std::sync::OnceLock<Isa> = std::sync::OnceLock::new();
        *BEST.get_or_init(|| {
            let most = match std::env::var("RUST_WORKERS_TEST_SIMD").as_deref() {
                Ok("baseline") => Isa::Baseline,
                Ok("avx2") => Isa::Avx2,
                _ => Isa::Avx512,
            };
            most.min(Isa::of_cpu())
        })
    }

    /// What the CPU has; the features are those that `target_feature` names below and in `sort/lanes.rs`.
    #[cfg(target_arch = "x86_64")]
    fn of_cpu() -> Isa {
        let avx2 = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt");
        let avx512 = avx2
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        if avx512 {
            Isa::Avx512
        } else if avx2 {
            Isa::Avx2
        } else {
            Isa::Baseline
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn of_cpu() -> Isa {
        Isa::Baseline
    }
}

/// Defines a function that is compiled for each set of instructions, and runs as the best one of this CPU. What its
/// body calls has to be inlined into it to be compiled so.
macro_rules! vectorized {
    ($(#[$meta:meta])* $vis:vis fn $name:ident $(<$($generic:ident: $bound:path),+>)? ($($arg:ident: $type:ty),* $(,)?)
        $(-> $result:ty)? $body:block) => {
        $(#[$meta])*
        #[allow(unsafe_code)]
        $vis fn $name $(<$($generic: $bound),+>)? ($($arg: $type),*) $(-> $result)? {
            #[inline(always)]
            fn body $(<$($generic: $bound),+>)? ($($arg: $type),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
            fn avx2 $(<$($generic: $bound),+>)? ($($arg: $type),*) $(-> $result)? {
                body $(::<$($generic),+>)? ($($arg),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512dq,avx512vl")]
            fn avx512 $(<$($generic: $bound),+>)? ($($arg: $type),*) $(-> $result)? {
                body $(::<$($generic),+>)? ($($arg),*)
            }

            match $crate::tasks::simd::Isa::best() {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: `Isa::best` has asked the CPU for these features.
                $crate::tasks::simd::Isa::Avx512 => unsafe { avx512 $(::<$($generic),+>)? ($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: `Isa::best` has asked the CPU for these features.
                $crate::tasks::simd::Isa::Avx2 => unsafe { avx2 $(::<$($generic),+>)? ($($arg),*) },
                _ => body $(::<$($generic),+>)? ($($arg),*),
            }
        }
    };
}
pub(super) use vectorized;

/// Asks for the cache line of an element, which is read soon. An index outside of the slice is passed over by the CPU.
#[inline(always)]
pub(super) fn prefetch<T>(slice: &[T], at: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let address = slice.as_ptr().wrapping_add(at).cast::<i8>();
        // SAFETY: a hint, which reads nothing and faults at no address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (slice, at);
}

#[cfg(all(test, not(loom)))]
pub(super) mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        /// The most that `Isa::best` may say to this thread.
        pub(super) static LIMIT: Cell<Option<Isa>> = const { Cell::new(None) };
    }

    /// Runs `test` with each set that this CPU has; kernels run on the calling thread.
    pub(in crate::tasks) fn with_each_isa(test: impl Fn(Isa)) {
        for isa in [Isa::Baseline, Isa::Avx2, Isa::Avx512] {
            if isa <= Isa::of_cpu() {
                LIMIT.set(Some(isa));
                test(isa);
            }
        }
        LIMIT.set(None);
    }

    vectorized! {
        fn sum_of_squares(numbers: &[u32]) -> u32 {
            numbers.iter().map(|n| n * n).sum()
        }
    }

    #[test]
    fn each_set_is_tried_and_the_best_one_is_used() {
        let tried = Cell::new(0);
        with_each_isa(|isa| {
            assert_eq!(Isa::best(), isa);
            assert_eq!(sum_of_squares(&[1, 2, 3]), 14);
            tried.set(tried.get() + 1);
        });
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi2") {
            assert!(tried.get() >= 2 && Isa::best() >= Isa::Avx2);
        }
        assert!(tried.get() >= 1);
    }
}
