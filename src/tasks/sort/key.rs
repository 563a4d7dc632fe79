//! The unsigned integers that are sorted.

use super::table::Vectorized;

/// Keys between two checkpoints: some hundred microseconds.
pub(super) const UNITS: usize = 1 << 15;

/// An unsigned integer that can be sorted.
pub(super) trait Key: bytemuck::Pod + Ord + Vectorized {
    const MIN: Self;
    const MAX: Self;
    /// Bits in `self - low`.
    fn span(self, low: Self) -> u32;
    /// `self - low` without its `shift` lowest bits.
    fn above(self, low: Self, shift: u32) -> usize;
    /// A key above `self`, by half the way to a higher one.
    fn above_middle(self, high: Self) -> Self;
    /// The next key, if there is one.
    fn successor(self) -> Option<Self>;
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
            fn above_middle(self, high: Self) -> Self {
                self + (high - self) / 2 + 1
            }
            fn successor(self) -> Option<Self> {
                self.checked_add(1)
            }
        }
    )*};
}
keys! { u32 u64 }
