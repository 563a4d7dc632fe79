//! JavaScript's `Atomics` on every integer width, and plain loads and stores of floats.
//!
//! Every operation is sequentially consistent: it takes part in the one total order that JavaScript promises for
//! `Atomics`, as V8's own do (they are the same machine instructions). Arithmetic wraps. Read-modify-write
//! operations return the value before.
//!
//! Floats are plain: a relaxed load or store of their bits, whole and not ordered with anything, which is at least
//! what a typed array does.

use std::sync::atomic::{
    AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicU8, AtomicU16, AtomicU32, AtomicU64,
    Ordering::{Relaxed, SeqCst},
};

use super::error::Result;
use super::region::{Access, Cell};

/// The read-modify-write operations of `Atomics` that take one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rmw {
    /// `Atomics.add`, wrapping.
    Add,
    /// `Atomics.sub`, wrapping.
    Sub,
    /// `Atomics.and`
    And,
    /// `Atomics.or`
    Or,
    /// `Atomics.xor`
    Xor,
    /// `Atomics.exchange`
    Exchange,
}

/// An integer type that `Atomics` works on.
pub trait Integer: Copy + Eq + Send + Sync + 'static {
    /// The atomic type of the same size.
    type Atomic: Cell;
    /// Its value, sequentially consistent.
    fn load(cell: &Self::Atomic) -> Self;
    /// Stores, sequentially consistent.
    fn store(cell: &Self::Atomic, value: Self);
    /// One of the read-modify-write operations; the value before.
    fn rmw(cell: &Self::Atomic, op: Rmw, operand: Self) -> Self;
    /// Stores `replacement` if the value is `expected`; the value before in either case.
    fn compare_exchange(cell: &Self::Atomic, expected: Self, replacement: Self) -> Self;
    /// Its value, relaxed: for bulk work.
    fn load_relaxed(cell: &Self::Atomic) -> Self;
    /// Stores, relaxed: for bulk work.
    fn store_relaxed(cell: &Self::Atomic, value: Self);
}

macro_rules! integers {
    ($($integer:ty: $atomic:ty;)*) => {
        $(
            impl Integer for $integer {
                type Atomic = $atomic;
                #[inline]
                fn load(cell: &$atomic) -> Self {
                    cell.load(SeqCst)
                }
                #[inline]
                fn store(cell: &$atomic, value: Self) {
                    cell.store(value, SeqCst);
                }
                #[inline]
                fn rmw(cell: &$atomic, op: Rmw, operand: Self) -> Self {
                    match op {
                        Rmw::Add => cell.fetch_add(operand, SeqCst),
                        Rmw::Sub => cell.fetch_sub(operand, SeqCst),
                        Rmw::And => cell.fetch_and(operand, SeqCst),
                        Rmw::Or => cell.fetch_or(operand, SeqCst),
                        Rmw::Xor => cell.fetch_xor(operand, SeqCst),
                        Rmw::Exchange => cell.swap(operand, SeqCst),
                    }
                }
                #[inline]
                fn compare_exchange(cell: &$atomic, expected: Self, replacement: Self) -> Self {
                    cell.compare_exchange(expected, replacement, SeqCst, SeqCst).unwrap_or_else(|found| found)
                }
                #[inline]
                fn load_relaxed(cell: &$atomic) -> Self {
                    cell.load(Relaxed)
                }
                #[inline]
                fn store_relaxed(cell: &$atomic, value: Self) {
                    cell.store(value, Relaxed);
                }
            }
        )*
    };
}
integers! {
    i8: AtomicI8;
    u8: AtomicU8;
    i16: AtomicI16;
    u16: AtomicU16;
    i32: AtomicI32;
    u32: AtomicU32;
    i64: AtomicI64;
    u64: AtomicU64;
}

/// An element of a typed array: an integer, or a float by its bits.
pub trait Element: Copy + Send + Sync + 'static {
    /// The integer of the same width.
    type Bits: Integer;
    /// Its bits.
    fn to_bits(self) -> Self::Bits;
    /// From its bits.
    fn from_bits(bits: Self::Bits) -> Self;
}

macro_rules! integer_elements {
    ($($integer:ty)*) => {
        $(
            impl Element for $integer {
                type Bits = Self;
                #[inline]
                fn to_bits(self) -> Self {
                    self
                }
                #[inline]
                fn from_bits(bits: Self) -> Self {
                    bits
                }
            }
        )*
    };
}
integer_elements!(i8 u8 i16 u16 i32 u32 i64 u64);

macro_rules! floats {
    ($($float:ty: $bits:ty;)*) => {
        $(
            impl Element for $float {
                type Bits = $bits;
                #[inline]
                fn to_bits(self) -> $bits {
                    <$float>::to_bits(self)
                }
                #[inline]
                fn from_bits(bits: $bits) -> Self {
                    <$float>::from_bits(bits)
                }
            }
        )*
    };
}
floats! {
    f32: u32;
    f64: u64;
}

/// The atomic type of an element's bits.
pub type CellOf<T> = <<T as Element>::Bits as Integer>::Atomic;

/// `Atomics.load` at a byte offset.
#[inline]
pub fn load<T: Integer>(access: &Access, offset: usize) -> Result<T> {
    access.cell(offset).map(T::load)
}

/// `Atomics.store` at a byte offset.
#[inline]
pub fn store<T: Integer>(access: &Access, offset: usize, value: T) -> Result<()> {
    access.cell(offset).map(|cell| T::store(cell, value))
}

/// `Atomics.add` and the other operations of [`Rmw`] at a byte offset; the value before.
#[inline]
pub fn rmw<T: Integer>(access: &Access, offset: usize, op: Rmw, operand: T) -> Result<T> {
    access.cell(offset).map(|cell| T::rmw(cell, op, operand))
}

/// `Atomics.compareExchange` at a byte offset; the value before.
#[inline]
pub fn compare_exchange<T: Integer>(
    access: &Access,
    offset: usize,
    expected: T,
    replacement: T,
) -> Result<T> {
    access.cell(offset).map(|cell| T::compare_exchange(cell, expected, replacement))
}

/// A plain load of any element.
#[inline]
pub fn read<T: Element>(access: &Access, offset: usize) -> Result<T> {
    access.cell::<CellOf<T>>(offset).map(|cell| T::from_bits(T::Bits::load_relaxed(cell)))
}

/// A plain store of any element.
#[inline]
pub fn write<T: Element>(access: &Access, offset: usize, value: T) -> Result<()> {
    access.cell::<CellOf<T>>(offset).map(|cell| T::Bits::store_relaxed(cell, value.to_bits()))
}

/// `Atomics.isLockFree`: true for the sizes above. The crate compiles only where the machine has them as
/// instructions.
pub fn is_lock_free(size: usize) -> bool {
    matches!(size, 1 | 2 | 4 | 8)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::{Region, SharedError};
    use super::*;

    macro_rules! every_width {
        ($($name:ident: $integer:ty;)*) => {
            $(
                mod $name {
                    use super::*;

                    #[test]
                    fn arithmetic_wraps_and_returns_the_value_before() {
                        let access = Region::allocate(16, 16).unwrap().access().unwrap();
                        let (min, max) = (<$integer>::MIN, <$integer>::MAX);
                        store(&access, 8, max).unwrap();
                        assert_eq!(rmw(&access, 8, Rmw::Add, 1 as $integer), Ok(max));
                        assert_eq!(rmw(&access, 8, Rmw::Sub, 1 as $integer), Ok(min));
                        assert_eq!(load(&access, 8), Ok(max));
                        assert_eq!(read::<u64>(&access, 0), Ok(0), "the neighbour is untouched");
                    }

                    #[test]
                    fn bits_exchange_and_compare_as_in_javascript() {
                        let access = Region::allocate(16, 16).unwrap().access().unwrap();
                        store::<$integer>(&access, 0, 0b1100).unwrap();
                        assert_eq!(rmw::<$integer>(&access, 0, Rmw::And, 0b0110), Ok(0b1100));
                        assert_eq!(rmw::<$integer>(&access, 0, Rmw::Or, 0b0011), Ok(0b0100));
                        assert_eq!(rmw::<$integer>(&access, 0, Rmw::Xor, 0b0101), Ok(0b0111));
                        assert_eq!(rmw::<$integer>(&access, 0, Rmw::Exchange, 77), Ok(0b0010));
                        assert_eq!(compare_exchange::<$integer>(&access, 0, 1, 2), Ok(77));
                        assert_eq!(compare_exchange::<$integer>(&access, 0, 77, 2), Ok(77));
                        assert_eq!(load::<$integer>(&access, 0), Ok(2));
                    }

                    #[test]
                    fn increments_of_many_threads_sum_exactly() {
                        let (threads, each) = (4_u64, if cfg!(miri) { 50 } else { 20_000 });
                        let region = Region::allocate(16, 16).unwrap();
                        std::thread::scope(|scope| {
                            for _ in 0..threads {
                                let access = region.access().unwrap();
                                scope.spawn(move || {
                                    for _ in 0..each {
                                        rmw::<$integer>(&access, 8, Rmw::Add, 3).unwrap();
                                    }
                                });
                            }
                        });
                        let sum = load::<$integer>(&region.access().unwrap(), 8).unwrap();
                        assert_eq!(sum, (threads * each * 3) as $integer);
                        assert_eq!(region.users(), 0);
                    }

                    #[test]
                    fn bounds_and_alignment_are_checked() {
                        let size = size_of::<$integer>();
                        let access = Region::allocate(16, 16).unwrap().access().unwrap();
                        assert!(load::<$integer>(&access, 16 - size).is_ok());
                        assert_eq!(
                            load::<$integer>(&access, 16),
                            Err(SharedError::OutOfBounds { offset: 16, size, len: 16 })
                        );
                        if size > 1 {
                            let misaligned = SharedError::Misaligned { offset: 1, align: size };
                            assert_eq!(store::<$integer>(&access, 1, 0), Err(misaligned));
                        }
                    }
                }
            )*
        };
    }
    every_width! {
        int8: i8;
        uint8: u8;
        int16: i16;
        uint16: u16;
        int32: i32;
        uint32: u32;
        big_int64: i64;
        big_uint64: u64;
    }

    #[test]
    fn floats_keep_every_bit() {
        let access = Region::allocate(16, 16).unwrap().access().unwrap();
        for bits in [0_u64, 1, f64::NEG_INFINITY.to_bits(), 0x7FF0_0000_0000_0001, (-0.0_f64).to_bits()] {
            write(&access, 8, f64::from_bits(bits)).unwrap();
            assert_eq!(read::<u64>(&access, 8), Ok(bits));
        }
        write(&access, 4, -1.5_f32).unwrap();
        assert_eq!(read::<f32>(&access, 4), Ok(-1.5));
        assert!(read::<f64>(&access, 4).is_err());
    }

    #[test]
    fn the_usual_sizes_are_lock_free() {
        assert_eq!([1, 2, 3, 4, 8, 16].map(is_lock_free), [true, true, false, true, true, false]);
    }
}
