//! Allocation of a size that a program asked for: an error where there is not enough memory, instead of the end of the
//! process.

use crate::error::{Code, Error, Result};

/// The error when `bytes` could not be allocated.
pub fn none(bytes: usize) -> Error {
    Error::new(
        Code::ValueTooLarge,
        format!("there is no memory for {bytes} more bytes: pass less, or ask for less, at a time"),
    )
}

/// An empty vector with capacity for `count` items.
pub fn for_items<T>(count: usize) -> Result<Vec<T>> {
    let mut items = Vec::new();
    items.try_reserve_exact(count).map_err(|_| none(count.saturating_mul(size_of::<T>())))?;
    Ok(items)
}

/// Reserves memory for `count` more items and for some beyond them, as a vector does that grows bit by bit.
#[inline]
pub fn more<T>(items: &mut Vec<T>, count: usize) -> Result<()> {
    if items.capacity() - items.len() >= count {
        return Ok(());
    }
    items.try_reserve(count).map_err(|_| none(count.saturating_mul(size_of::<T>())))
}

/// A vector of `count` zeros, from pages that the system has zeroed already.
pub fn zeros<T: bytemuck::Zeroable>(count: usize) -> Result<Vec<T>> {
    bytemuck::allocation::try_zeroed_slice_box(count)
        .map(<[T]>::into_vec)
        .map_err(|()| none(count.saturating_mul(size_of::<T>())))
}

/// A copy of a slice.
pub fn copy<T: Copy>(slice: &[T]) -> Result<Vec<T>> {
    let mut items = for_items(slice.len())?;
    items.extend_from_slice(slice);
    Ok(items)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// More than any machine has, and yet a size that can be asked for.
    const ABSURD: usize = isize::MAX as usize / 16;

    #[test]
    fn a_size_without_memory_is_an_error() {
        assert_eq!(for_items::<u64>(ABSURD).unwrap_err().code(), Code::ValueTooLarge);
        assert_eq!(zeros::<u64>(ABSURD).unwrap_err().code(), Code::ValueTooLarge);
        assert_eq!(more(&mut vec![0_u64], ABSURD).unwrap_err().code(), Code::ValueTooLarge);
        // So is a size that overflows.
        assert_eq!(for_items::<u64>(usize::MAX).unwrap_err().code(), Code::ValueTooLarge);
        assert_eq!(zeros::<u64>(usize::MAX).unwrap_err().code(), Code::ValueTooLarge);
    }

    #[test]
    fn a_size_with_memory_is_allocated() {
        assert_eq!(zeros::<u32>(3).expect("little"), [0, 0, 0]);
        assert_eq!(copy(&[1, 2]).expect("little"), [1, 2]);
        let mut items = vec![1];
        more(&mut items, 100).expect("little");
        assert!(items.capacity() >= 101);
    }
}
