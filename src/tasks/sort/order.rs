//! The ascending order of each element type: an order-preserving map to unsigned integers.

use super::key::{Key, UNITS};
use crate::error::Result;
use crate::tasks::simd::vectorized;
use crate::tasks::{Context, Pace};

/// Elements between two checkpoints of a pass that reads and writes in order.
pub(super) const BLOCK: usize = 1 << 15;
/// Elements that stay in the cache of the first level between two loops over them.
const FEW: usize = 1 << 11;

/// How the bits of an element compare.
pub(super) trait Order<K> {
    /// The element's bits as an unsigned integer of the same rank.
    fn key(bits: K) -> K;
    /// The bits that have this key.
    fn bits(key: K) -> K;
    /// True for bits that have no rank and come last.
    fn is_nan(bits: K) -> bool;
}

/// Unsigned integers: the bits as they are.
pub(super) struct Unsigned;
/// Two's complement: the sign bit is turned.
pub(super) struct Signed;
/// IEEE 754: sign and magnitude. The sign bit of a positive number is turned, all bits of a negative one; so −0
/// ranks just below +0.
pub(super) struct Float;

macro_rules! orders {
    ($($bits:ident $signed:ident)*) => {$(
        impl Order<$bits> for Unsigned {
            #[inline(always)]
            fn key(bits: $bits) -> $bits { bits }
            #[inline(always)]
            fn bits(key: $bits) -> $bits { key }
            #[inline(always)]
            fn is_nan(_: $bits) -> bool { false }
        }
        impl Order<$bits> for Signed {
            #[inline(always)]
            fn key(bits: $bits) -> $bits { bits ^ (1 << ($bits::BITS - 1)) }
            #[inline(always)]
            fn bits(key: $bits) -> $bits { key ^ (1 << ($bits::BITS - 1)) }
            #[inline(always)]
            fn is_nan(_: $bits) -> bool { false }
        }
    )*};
}
orders! { u8 i8 u16 i16 u32 i32 u64 i64 }

macro_rules! float_orders {
    ($($bits:ident $signed:ident $exponent:literal)*) => {$(
        impl Order<$bits> for Float {
            #[inline(always)]
            fn key(bits: $bits) -> $bits {
                const SIGN: u32 = $bits::BITS - 1;
                // All ones for a negative number, else none.
                let negative = ((bits as $signed) >> SIGN) as $bits;
                bits ^ (negative | 1 << SIGN)
            }
            #[inline(always)]
            fn bits(key: $bits) -> $bits {
                const SIGN: u32 = $bits::BITS - 1;
                let negative = (!(key as $signed) >> SIGN) as $bits;
                key ^ (negative | 1 << SIGN)
            }
            #[inline(always)]
            fn is_nan(bits: $bits) -> bool {
                bits << 1 > $exponent << 1
            }
        }
    )*};
}
float_orders! { u16 i16 0x7c00 u32 i32 0x7f80_0000 u64 i64 0x7ff0_0000_0000_0000 }

/// Turns elements into keys where they stand, NaNs moved behind them in the order they came; returns the keys and the
/// lowest and highest of them.
pub(super) fn prepare<'k, K: Key, O: Order<K>>(
    bits: &'k mut [K],
    context: &Context<'_>,
) -> Result<(&'k mut [K], (K, K))> {
    let mut bounds = (K::MAX, K::MIN);
    let keys = gather_nans::<K, O>(bits, context, |kept| {
        to_keys::<K, O>(kept);
        let (low, high) = self::bounds(kept);
        bounds = (bounds.0.min(low), bounds.1.max(high));
    })?;
    Ok((keys, bounds))
}

vectorized! {
    fn to_keys<K: Key, O: Order<K>>(bits: &mut [K]) {
        for cell in bits {
            *cell = O::key(*cell);
        }
    }
}

vectorized! {
    /// Turns keys back into elements.
    pub(super) fn restore<K: Copy, O: Order<K>>(keys: &mut [K]) {
        for cell in keys {
            *cell = O::bits(*cell);
        }
    }
}

vectorized! {
    /// The lowest and the highest key.
    pub(super) fn bounds<K: Key>(keys: &[K]) -> (K, K) {
        // Side by side, as many as some vectors have lanes.
        const LANES: usize = 32;
        let (mut low, mut high) = ([K::MAX; LANES], [K::MIN; LANES]);
        let (groups, rest) = keys.as_chunks::<LANES>();
        for group in groups {
            for lane in 0..LANES {
                low[lane] = low[lane].min(group[lane]);
                high[lane] = high[lane].max(group[lane]);
            }
        }
        let each = low.into_iter().chain(high).chain(rest.iter().copied());
        each.fold((K::MAX, K::MIN), |(low, high), key| (low.min(key), high.max(key)))
    }
}

/// The lowest and the highest key of any number, which may take long.
pub(super) fn bounds_of_many<K: Key>(keys: &[K], pace: &mut Pace<'_>) -> Result<(K, K)> {
    let mut found = (K::MAX, K::MIN);
    for block in keys.chunks(UNITS) {
        pace.spend(block.len() / 4)?;
        let (low, high) = bounds(block);
        found = (found.0.min(low), found.1.max(high));
    }
    Ok(found)
}

vectorized! {
    fn any_nan<K: Copy, O: Order<K>>(bits: &[K]) -> bool {
        bits.iter().fold(false, |any, &element| any | O::is_nan(element))
    }
}

/// Moves NaNs to the end, everything in the order it came; returns the part before them, of which `each` has had every
/// block.
pub(super) fn gather_nans<'k, K: Copy, O: Order<K>>(
    bits: &'k mut [K],
    context: &Context<'_>,
    mut each: impl FnMut(&mut [K]),
) -> Result<&'k mut [K]> {
    let mut nans = Vec::new();
    let mut kept = 0;
    let mut pace = context.pace(BLOCK);
    context.checkpoint()?;
    for start in (0..bits.len()).step_by(FEW) {
        pace.spend(FEW)?;
        let before = kept;
        let end = bits.len().min(start + FEW);
        if kept == start && !any_nan::<K, O>(&bits[start..end]) {
            kept = end;
        } else {
            for i in start..end {
                let element = bits[i];
                if O::is_nan(element) {
                    nans.push(element);
                } else {
                    bits[kept] = element;
                    kept += 1;
                }
            }
        }
        each(&mut bits[before..kept]);
    }
    let (kept, end) = bits.split_at_mut(kept);
    end.copy_from_slice(&nans);
    Ok(kept)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn keys_of_halves_are_ranked_and_turn_back() {
        let ranked = [0xfc00, 0xfbff, 0xbc00, 0x8001, 0x8000, 0x0000, 0x0001, 0x3c00, 0x7bff, 0x7c00_u16]
            .map(Float::key);
        assert!(ranked.is_sorted_by(|a, b| a < b), "{ranked:?}");
        for bits in 0..=u16::MAX {
            assert_eq!(Float::bits(Float::key(bits)), bits);
            assert_eq!(<Signed as Order<u16>>::bits(Signed::key(bits)), bits);
        }
    }

    #[test]
    fn what_is_not_a_number_is_known_by_its_bits() {
        for bits in [0x7c01_u16, 0x7e00, 0xfc01, 0xffff] {
            assert!(Float::is_nan(bits), "{bits:x}");
        }
        for bits in [0x7c00_u16, 0xfc00, 0, 0x8000] {
            assert!(!Float::is_nan(bits), "{bits:x}");
        }
    }
}
