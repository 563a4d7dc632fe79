//! The elements of typed arrays.

use rust_workers_abi::bytes;

/// A type that a JavaScript typed array has as its elements: `i8` to `i64`, `u8` to `u64`, `f32`, `f64`.
pub trait Element: bytemuck::Pod + sealed::Sealed {
    /// The number of the typed array: `RW_…_ARRAY`.
    #[doc(hidden)]
    const KIND: u8;
    /// The name by which serde's traits pass such an array.
    #[doc(hidden)]
    const ARRAY: &'static str;
    /// The same, to be changed in place.
    #[doc(hidden)]
    const ARRAY_MUT: &'static str;
}

mod sealed {
    pub trait Sealed {}
}

/// Where the number of a block stands in the names by which serde's traits pass blocks.
pub(crate) const ARRAY_PREFIX: &str = "$rust_workers::Array:";
pub(crate) const ARRAY_MUT_PREFIX: &str = "$rust_workers::ArrayMut:";

macro_rules! elements {
    ($($type:ty = $kind:ident $number:literal,)*) => {
        $(
            impl sealed::Sealed for $type {}
            impl Element for $type {
                const KIND: u8 = bytes::$kind;
                const ARRAY: &'static str = concat!("$rust_workers::Array:", $number);
                const ARRAY_MUT: &'static str = concat!("$rust_workers::ArrayMut:", $number);
            }
        )*
    };
}

elements! {
    i8 = INT8_ARRAY "3",
    u8 = UINT8_ARRAY "4",
    i16 = INT16_ARRAY "6",
    u16 = UINT16_ARRAY "7",
    i32 = INT32_ARRAY "8",
    u32 = UINT32_ARRAY "9",
    f32 = FLOAT32_ARRAY "10",
    f64 = FLOAT64_ARRAY "11",
    i64 = BIG_INT64_ARRAY "12",
    u64 = BIG_UINT64_ARRAY "13",
}

/// The names by which a block of each kind is written.
pub(crate) const ARRAY_NAMES: [&str; 15] = [
    "$rust_workers::Array:0",
    "$rust_workers::Array:1",
    "$rust_workers::Array:2",
    "$rust_workers::Array:3",
    "$rust_workers::Array:4",
    "$rust_workers::Array:5",
    "$rust_workers::Array:6",
    "$rust_workers::Array:7",
    "$rust_workers::Array:8",
    "$rust_workers::Array:9",
    "$rust_workers::Array:10",
    "$rust_workers::Array:11",
    "$rust_workers::Array:12",
    "$rust_workers::Array:13",
    "$rust_workers::Array:14",
];

/// Whether a block of this kind is one of plain bytes, which `u8` elements show.
pub(crate) fn is_plain(kind: u8) -> bool {
    kind <= bytes::DATA_VIEW || kind == bytes::UINT8_ARRAY || kind == bytes::UINT8_CLAMPED_ARRAY
}

/// Whether elements of kind `wanted` show a block of kind `found`.
pub(crate) fn shows(wanted: u8, found: u8) -> bool {
    wanted == found || (wanted == bytes::UINT8_ARRAY && is_plain(found))
}

/// Bytes of an element.
pub(crate) fn element_size(kind: u8) -> usize {
    match kind {
        bytes::INT16_ARRAY | bytes::UINT16_ARRAY | bytes::FLOAT16_ARRAY => 2,
        bytes::INT32_ARRAY | bytes::UINT32_ARRAY | bytes::FLOAT32_ARRAY => 4,
        bytes::FLOAT64_ARRAY | bytes::BIG_INT64_ARRAY | bytes::BIG_UINT64_ARRAY => 8,
        _ => 1,
    }
}

/// What JavaScript calls a block, with its article.
pub(crate) fn kind_name(kind: u8) -> &'static str {
    match kind {
        bytes::ARRAY_BUFFER => "an ArrayBuffer",
        bytes::BUFFER => "a Buffer",
        bytes::DATA_VIEW => "a DataView",
        bytes::INT8_ARRAY => "an Int8Array",
        bytes::UINT8_ARRAY => "a Uint8Array",
        bytes::UINT8_CLAMPED_ARRAY => "a Uint8ClampedArray",
        bytes::INT16_ARRAY => "an Int16Array",
        bytes::UINT16_ARRAY => "a Uint16Array",
        bytes::INT32_ARRAY => "an Int32Array",
        bytes::UINT32_ARRAY => "a Uint32Array",
        bytes::FLOAT32_ARRAY => "a Float32Array",
        bytes::FLOAT64_ARRAY => "a Float64Array",
        bytes::BIG_INT64_ARRAY => "a BigInt64Array",
        bytes::BIG_UINT64_ARRAY => "a BigUint64Array",
        bytes::FLOAT16_ARRAY => "a Float16Array",
        _ => "a block of an unknown kind",
    }
}

/// A half-precision float, widened.
pub(crate) fn half_to_f64(half: u16) -> f64 {
    let sign = if half & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(half >> 10 & 0x1f), f64::from(half & 0x3ff));
    match exponent {
        0 => sign * fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => sign * f64::INFINITY,
        31 => f64::NAN,
        _ => sign * (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_numbers_of_their_kinds() {
        fn check<T: Element>() {
            assert_eq!(T::ARRAY, ARRAY_NAMES[usize::from(T::KIND)]);
            assert_eq!(T::ARRAY_MUT, format!("{ARRAY_MUT_PREFIX}{}", T::KIND));
            assert_eq!(element_size(T::KIND), size_of::<T>());
        }
        check::<i8>();
        check::<u8>();
        check::<i16>();
        check::<u16>();
        check::<i32>();
        check::<u32>();
        check::<f32>();
        check::<f64>();
        check::<i64>();
        check::<u64>();
        for (kind, name) in ARRAY_NAMES.iter().enumerate() {
            assert_eq!(*name, format!("{ARRAY_PREFIX}{kind}"));
        }
    }

    #[test]
    fn widens_halves() {
        let halves = [0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x8000];
        let wide = [1.0, -2.0, 5.960464477539063e-8, 65504.0, f64::INFINITY, -0.0];
        assert_eq!(halves.map(half_to_f64), wide);
        assert!(half_to_f64(0x7e00).is_nan());
    }
}
