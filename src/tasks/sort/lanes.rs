//! What networks and partitions do with vectors of keys: one module for each set of instructions and size of key, with the
//! same names in each.
//!
//! * `Vector`, `LANES` — a vector and its number of keys.
//! * `load`, `store` — keys to a vector and back. A vector need not hold the keys as they are.
//! * `pad(v, len)` — the highest key in every lane from `len` on.
//! * `min`, `max` — lane by lane.
//! * `flip::<M>(v)` — lane `i` from lane `i ^ M`.
//! * `upper::<M>(low, high)` — of each pair of lanes `i` and `i ^ M`, the upper lane from `high` and the other from `low`.
//! * `splat(key)`, `below(v, pivot)` — a bit for each lane that is less than a pivot.
//! * `divide(v, mask)` — the lanes of the mask first, the others behind them.

#![cfg(target_arch = "x86_64")]

/// For each set of lanes out of 8, where each lane comes from so that these stand first: a byte for each.
static DIVIDE_8: [u64; 256] = {
    let mut table = [0; 256];
    let mut mask = 0;
    while mask < 256 {
        table[mask] = division(mask, 8, 8);
        mask += 1;
    }
    table
};

/// The same for 4 lanes of two halves each, as lanes of 32 bits.
static DIVIDE_4: [u64; 16] = {
    let mut table = [0; 16];
    let mut mask = 0;
    while mask < 16 {
        let lanes = division(mask, 4, 16);
        // Lane n is the halves 2n and 2n + 1.
        table[mask] = lanes << 1 | (lanes << 1 | 0x0001_0001_0001_0001) << 8;
        mask += 1;
    }
    table
};

const fn division(mask: usize, lanes: usize, bits: u32) -> u64 {
    let mut order = 0;
    let mut taken = 0;
    let mut side = 0;
    while side < 2 {
        let mut lane = 0;
        while lane < lanes {
            if (mask >> lane & 1 == 1) == (side == 0) {
                order |= (lane as u64) << (taken * bits);
                taken += 1;
            }
            lane += 1;
        }
        side += 1;
    }
    order
}

macro_rules! lanes {
    ($module:ident $features:literal $vector:ident $lanes:literal $($function:item)*) => {
        pub(super) mod $module {
            use std::arch::x86_64::*;
            #[allow(unused_imports)] // each module needs some
            use crate::tasks::sort::lanes::{DIVIDE_4, DIVIDE_8, upper_lanes};
            pub(in crate::tasks::sort) type Vector = $vector;
            pub(in crate::tasks::sort) const LANES: usize = $lanes;
            $(#[inline] #[target_feature(enable = $features)] $function)*
        }
    };
}

/// The lane that lane `i` is exchanged with, for the first eight lanes.
macro_rules! exchanged {
    ($call:ident, $mask:ident, $type:ty: $($lane:literal)*) => {
        $call($(($lane ^ $mask) as $type),*)
    };
}

lanes! { avx512_64 "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512dq,avx512vl" __m512i 8
    pub(in crate::tasks::sort) fn load(keys: &[u64; 8]) -> __m512i { bytemuck::must_cast(*keys) }
    pub(in crate::tasks::sort) fn store(keys: &mut [u64; 8], v: __m512i) { *keys = bytemuck::must_cast(v); }
    pub(in crate::tasks::sort) fn pad(v: __m512i, len: usize) -> __m512i {
        _mm512_mask_blend_epi64((0xff_u32 << len.min(8)) as u8, v, _mm512_set1_epi64(-1))
    }
    pub(in crate::tasks::sort) fn min(a: __m512i, b: __m512i) -> __m512i { _mm512_min_epu64(a, b) }
    pub(in crate::tasks::sort) fn max(a: __m512i, b: __m512i) -> __m512i { _mm512_max_epu64(a, b) }
    pub(in crate::tasks::sort) fn flip<const M: usize>(v: __m512i) -> __m512i {
        _mm512_permutexvar_epi64(exchanged!(_mm512_setr_epi64, M, i64: 0 1 2 3 4 5 6 7), v)
    }
    pub(in crate::tasks::sort) fn upper<const M: usize>(low: __m512i, high: __m512i) -> __m512i {
        _mm512_mask_blend_epi64(const { upper_lanes(M, 8) as u8 }, low, high)
    }
    pub(in crate::tasks::sort) fn splat(key: u64) -> __m512i { _mm512_set1_epi64(key.cast_signed()) }
    pub(in crate::tasks::sort) fn below(v: __m512i, pivot: __m512i) -> u32 { _mm512_cmplt_epu64_mask(v, pivot).into() }
    pub(in crate::tasks::sort) fn divide(v: __m512i, mask: u32) -> __m512i {
        let order = _mm_cvtsi64_si128(DIVIDE_8[mask as usize & 0xff].cast_signed());
        _mm512_permutexvar_epi64(_mm512_cvtepu8_epi64(order), v)
    }
}

lanes! { avx512_32 "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512dq,avx512vl" __m512i 16
    pub(in crate::tasks::sort) fn load(keys: &[u32; 16]) -> __m512i { bytemuck::must_cast(*keys) }
    pub(in crate::tasks::sort) fn store(keys: &mut [u32; 16], v: __m512i) { *keys = bytemuck::must_cast(v); }
    pub(in crate::tasks::sort) fn pad(v: __m512i, len: usize) -> __m512i {
        _mm512_mask_blend_epi32((0xffff_u32 << len.min(16)) as u16, v, _mm512_set1_epi32(-1))
    }
    pub(in crate::tasks::sort) fn min(a: __m512i, b: __m512i) -> __m512i { _mm512_min_epu32(a, b) }
    pub(in crate::tasks::sort) fn max(a: __m512i, b: __m512i) -> __m512i { _mm512_max_epu32(a, b) }
    pub(in crate::tasks::sort) fn flip<const M: usize>(v: __m512i) -> __m512i {
        let order = exchanged!(_mm512_setr_epi32, M, i32: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        _mm512_permutexvar_epi32(order, v)
    }
    pub(in crate::tasks::sort) fn upper<const M: usize>(low: __m512i, high: __m512i) -> __m512i {
        _mm512_mask_blend_epi32(const { upper_lanes(M, 16) as u16 }, low, high)
    }
    pub(in crate::tasks::sort) fn splat(key: u32) -> __m512i { _mm512_set1_epi32(key.cast_signed()) }
    pub(in crate::tasks::sort) fn below(v: __m512i, pivot: __m512i) -> u32 { _mm512_cmplt_epu32_mask(v, pivot).into() }
    pub(in crate::tasks::sort) fn divide(v: __m512i, mask: u32) -> __m512i {
        // A table of 65,536 orders would not fit the cache.
        let first = _mm512_maskz_compress_epi32(mask as u16, v);
        let rest = _mm512_maskz_compress_epi32(!mask as u16, v);
        _mm512_mask_expand_epi32(first, (0xffff_u32 << mask.count_ones()) as u16, rest)
    }
}

// AVX2 compares signed lanes only. So vectors of 64 bits hold keys with the highest bit turned; with 32 bits the
// unsigned minimum exists, and a lane is below a pivot if it is not the greater of both.
lanes! { avx2_64 "avx2,bmi1,bmi2,lzcnt,popcnt" __m256i 4
    fn turned(v: __m256i) -> __m256i { _mm256_xor_si256(v, _mm256_set1_epi64x(i64::MIN)) }
    pub(in crate::tasks::sort) fn load(keys: &[u64; 4]) -> __m256i { turned(bytemuck::must_cast(*keys)) }
    pub(in crate::tasks::sort) fn store(keys: &mut [u64; 4], v: __m256i) { *keys = bytemuck::must_cast(turned(v)); }
    pub(in crate::tasks::sort) fn pad(v: __m256i, len: usize) -> __m256i {
        let kept = _mm256_cmpgt_epi64(_mm256_set1_epi64x(len as i64), _mm256_setr_epi64x(0, 1, 2, 3));
        _mm256_blendv_epi8(_mm256_set1_epi64x(i64::MAX), v, kept)
    }
    pub(in crate::tasks::sort) fn min(a: __m256i, b: __m256i) -> __m256i {
        _mm256_blendv_epi8(a, b, _mm256_cmpgt_epi64(a, b))
    }
    pub(in crate::tasks::sort) fn max(a: __m256i, b: __m256i) -> __m256i {
        _mm256_blendv_epi8(b, a, _mm256_cmpgt_epi64(a, b))
    }
    pub(in crate::tasks::sort) fn flip<const M: usize>(v: __m256i) -> __m256i {
        match M {
            1 => _mm256_permute4x64_epi64::<0b10_11_00_01>(v),
            2 => _mm256_permute4x64_epi64::<0b01_00_11_10>(v),
            _ => _mm256_permute4x64_epi64::<0b00_01_10_11>(v),
        }
    }
    pub(in crate::tasks::sort) fn upper<const M: usize>(low: __m256i, high: __m256i) -> __m256i {
        match M {
            1 => _mm256_blend_epi32::<0b1100_1100>(low, high),
            _ => _mm256_blend_epi32::<0b1111_0000>(low, high),
        }
    }
    pub(in crate::tasks::sort) fn splat(key: u64) -> __m256i { turned(_mm256_set1_epi64x(key.cast_signed())) }
    pub(in crate::tasks::sort) fn below(v: __m256i, pivot: __m256i) -> u32 {
        _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpgt_epi64(pivot, v))).cast_unsigned()
    }
    pub(in crate::tasks::sort) fn divide(v: __m256i, mask: u32) -> __m256i {
        let order = _mm_cvtsi64_si128(DIVIDE_4[mask as usize & 0xf].cast_signed());
        _mm256_permutevar8x32_epi32(v, _mm256_cvtepu8_epi32(order))
    }
}

lanes! { avx2_32 "avx2,bmi1,bmi2,lzcnt,popcnt" __m256i 8
    pub(in crate::tasks::sort) fn load(keys: &[u32; 8]) -> __m256i { bytemuck::must_cast(*keys) }
    pub(in crate::tasks::sort) fn store(keys: &mut [u32; 8], v: __m256i) { *keys = bytemuck::must_cast(v); }
    pub(in crate::tasks::sort) fn pad(v: __m256i, len: usize) -> __m256i {
        let kept = _mm256_cmpgt_epi32(
            _mm256_set1_epi32(len.min(8) as i32),
            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7),
        );
        _mm256_blendv_epi8(_mm256_set1_epi32(-1), v, kept)
    }
    pub(in crate::tasks::sort) fn min(a: __m256i, b: __m256i) -> __m256i { _mm256_min_epu32(a, b) }
    pub(in crate::tasks::sort) fn max(a: __m256i, b: __m256i) -> __m256i { _mm256_max_epu32(a, b) }
    pub(in crate::tasks::sort) fn flip<const M: usize>(v: __m256i) -> __m256i {
        _mm256_permutevar8x32_epi32(v, exchanged!(_mm256_setr_epi32, M, i32: 0 1 2 3 4 5 6 7))
    }
    pub(in crate::tasks::sort) fn upper<const M: usize>(low: __m256i, high: __m256i) -> __m256i {
        match M {
            1 => _mm256_blend_epi32::<0b1010_1010>(low, high),
            2 | 3 => _mm256_blend_epi32::<0b1100_1100>(low, high),
            _ => _mm256_blend_epi32::<0b1111_0000>(low, high),
        }
    }
    pub(in crate::tasks::sort) fn splat(key: u32) -> __m256i { _mm256_set1_epi32(key.cast_signed()) }
    pub(in crate::tasks::sort) fn below(v: __m256i, pivot: __m256i) -> u32 {
        let not_below = _mm256_cmpeq_epi32(_mm256_max_epu32(v, pivot), v);
        !_mm256_movemask_ps(_mm256_castsi256_ps(not_below)).cast_unsigned() & 0xff
    }
    pub(in crate::tasks::sort) fn divide(v: __m256i, mask: u32) -> __m256i {
        let order = _mm_cvtsi64_si128(DIVIDE_8[mask as usize & 0xff].cast_signed());
        _mm256_permutevar8x32_epi32(v, _mm256_cvtepu8_epi32(order))
    }
}

/// The lanes that are the upper ones of their pairs `i` and `i ^ m`: those with the highest bit of `m`.
const fn upper_lanes(m: usize, lanes: usize) -> usize {
    let mut mask = 0;
    let mut lane = 0;
    while lane < lanes {
        mask |= (lane >> m.ilog2() & 1) << lane;
        lane += 1;
    }
    mask
}
