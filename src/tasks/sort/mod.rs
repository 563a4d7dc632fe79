//! `sort`: a typed array in ascending order, as `TypedArray.prototype.sort()` without a comparator leaves it.
//!
//! * `key`, `order` — the unsigned integers that are sorted; the ascending order of each element type, as an order-preserving map to them.
//! * `wide` — sorts unsigned integers of 32 and 64 bits: `vectors` with AVX2 or AVX-512, else `radix`.
//! * `lanes`, `partition`, `networks` — what `vectors` is made of; `table` — which of them suit this CPU.
//! * `spread` — divides keys into buckets by splitters, for several threads.
//! * `own` — sorts private memory.
//! * `shared` — sorts shared memory, by one thread or by several.
//! * `counting` — sorts unsigned integers of 8 and 16 bits.
//!
//! # NaN and zero
//! −0 comes before +0, and every NaN comes last. V8 keeps the sign and payload of each NaN and orders NaNs among
//! themselves as its `std::sort` happens to: it promises nothing. Here they keep the order they came in. So the
//! result is the same bits as V8's, except that NaNs whose bits differ (which JavaScript cannot tell apart but
//! through a view of other type) may stand in each other's places.

mod counting;
mod key;
mod lanes;
mod networks;
mod order;
mod own;
mod partition;
mod radix;
mod shared;
mod spread;
mod table;
mod vectors;
mod wide;

use super::Task;
use super::memory::{Parallel, Subject};
use crate::value::Value;

/// `sort`: any typed array or Buffer; returns the same memory, sorted. Shared memory is sorted where it is.
pub(super) fn task() -> Task {
    Task::new(
        "sort",
        "a typed array, a Buffer or shared memory, or { data, parallel?: boolean }",
        |Parallel { data, parallel }: Parallel<Subject>, context| match data {
            Subject::Own(mut bytes) => {
                own::sort(&mut bytes, context)?;
                Ok(Value::Bytes(bytes))
            }
            Subject::Shared(memory) => {
                shared::sort_shared(&memory, parallel, context)?;
                Ok(Value::Undefined)
            }
        },
    )
    .in_place()
    .parallel()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::cmp::Ordering;

    use crate::error::Code;
    use crate::tasks::testing::{ok, refused, stops_when_cancelled};
    use crate::value::{Bytes, BytesKind, Value};

    fn sorted<T: bytemuck::Pod>(kind: BytesKind, input: &[T]) -> Vec<T> {
        match ok("sort", Bytes::of(kind, bytemuck::cast_slice(input))) {
            Value::Bytes(bytes) => {
                assert_eq!(bytes.kind(), kind);
                bytemuck::cast_slice(bytes.as_slice()).to_vec()
            }
            other => panic!("{other:?}"),
        }
    }

    /// Numbers without a pattern (splitmix64).
    fn noise(len: usize) -> impl Iterator<Item = u64> {
        (1..=len as u64).map(|i| {
            let z = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        })
    }

    const LENGTHS: [usize; 10] = [0, 1, 2, 3, 20, 65, 1_000, 5_000, 70_000, 300_000];

    macro_rules! integers_sort {
        ($($test:ident: $kind:ident $type:ty,)*) => {$(
            #[test]
            fn $test() {
                for len in LENGTHS {
                    // Spread over the whole range, crowded near zero, and all but equal.
                    for shift in [0, <$type>::BITS / 2, <$type>::BITS - 2] {
                        let input: Vec<$type> = noise(len).map(|n| n as $type >> shift).collect();
                        let mut expected = input.clone();
                        expected.sort();
                        assert_eq!(sorted(BytesKind::$kind, &input), expected, "{len} elements >> {shift}");
                        expected.reverse();
                        let reversed = expected.clone();
                        expected.reverse();
                        assert_eq!(sorted(BytesKind::$kind, &reversed), expected, "{len} reversed");
                        assert_eq!(sorted(BytesKind::$kind, &expected), expected, "{len} sorted already");
                    }
                }
            }
        )*};
    }

    integers_sort! {
        int8_sorts: Int8 i8,
        uint8_sorts: Uint8 u8,
        uint8_clamped_sorts: Uint8Clamped u8,
        buffers_sort: Buffer u8,
        int16_sorts: Int16 i16,
        uint16_sorts: Uint16 u16,
        int32_sorts: Int32 i32,
        uint32_sorts: Uint32 u32,
        big_int64_sorts: BigInt64 i64,
        big_uint64_sorts: BigUint64 u64,
    }

    /// The order of ECMAScript's `TypedArrayElementCompare`, straight from its text.
    fn ecmascript(a: f64, b: f64) -> Ordering {
        match (a.is_nan(), b.is_nan()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            _ if a == b => b.is_sign_negative().cmp(&a.is_sign_negative()),
            _ => a.partial_cmp(&b).unwrap(),
        }
    }

    fn half(bits: u16) -> f64 {
        let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
        let fraction = f64::from(bits & 0x3ff);
        let magnitude = match i32::from(bits >> 10 & 0x1f) {
            0 => fraction * 2_f64.powi(-24),
            31 if fraction == 0.0 => f64::INFINITY,
            31 => f64::NAN,
            exponent => (1024.0 + fraction) * 2_f64.powi(exponent - 25),
        };
        sign * magnitude
    }

    /// Bits of floats of `T`, with NaNs of both signs and many payloads, zeros of both signs and infinities.
    macro_rules! floats_sort {
        ($($test:ident: $kind:ident $bits:ty, $exponent:expr, $to_f64:expr;)*) => {$(
            #[test]
            fn $test() {
                const EXPONENT: $bits = $exponent;
                const SIGN: $bits = 1 << (<$bits>::BITS - 1);
                let special = [0, SIGN, EXPONENT, SIGN | EXPONENT, 1, SIGN | 1, EXPONENT | 1, EXPONENT - 1];
                for len in LENGTHS {
                    for every in [2, 3, 100, usize::MAX] {
                        let input: Vec<$bits> = noise(len)
                            .enumerate()
                            .map(|(i, n)| match i % every {
                                0 => special[(n % 8) as usize],
                                1 if every == 3 => n as $bits | EXPONENT,
                                _ => n as $bits,
                            })
                            .collect();
                        let mut expected = input.clone();
                        // Stable: NaNs keep the order they came in.
                        expected.sort_by(|&a, &b| ecmascript($to_f64(a), $to_f64(b)));
                        let result = sorted(BytesKind::$kind, &input);
                        assert!(result == expected, "{len} elements, one special in {every}");
                    }
                }
            }
        )*};
    }

    floats_sort! {
        float16_sorts: Float16 u16, 0x7c00, half;
        float32_sorts: Float32 u32, 0x7f80_0000, |bits| f64::from(f32::from_bits(bits));
        float64_sorts: Float64 u64, 0x7ff0_0000_0000_0000, f64::from_bits;
    }

    #[test]
    fn float64_gives_the_bits_that_node_gives() {
        // Input and output of Float64Array.prototype.sort in Node 20.20.2, seen through a BigUint64Array.
        let input = [
            0x7ff8_0000_0000_0000,
            0xfff8_0000_0000_0000,
            0x7ff0_0000_0000_0001,
            0x3ff0_0000_0000_0000,
            0x8000_0000_0000_0000,
            0_u64,
            0xfff0_0000_0000_0000,
            0x7ff0_0000_0000_0000,
            0x8000_0000_0000_0001,
            1,
        ];
        let node = [
            0xfff0_0000_0000_0000,
            0x8000_0000_0000_0001,
            0x8000_0000_0000_0000,
            0,
            1,
            0x3ff0_0000_0000_0000,
            0x7ff0_0000_0000_0000,
            0x7ff8_0000_0000_0000,
            0xfff8_0000_0000_0000,
            0x7ff0_0000_0000_0001,
        ];
        assert_eq!(sorted(BytesKind::Float64, &input), node);
    }

    #[test]
    fn distributions_that_upset_a_radix_sort_are_sorted() {
        let len = 200_000;
        let outlier = |n: u64| if n.is_multiple_of(50_000) { n } else { 1_000 + n % 7_000 };
        type Shape = fn(u64) -> f64;
        let shapes: [(&str, Shape); 5] = [
            ("unit interval", |n| (n >> 11) as f64 / (1_u64 << 53) as f64),
            ("exponents of all sizes", |n| f64::from_bits(n & !(1 << 62))),
            ("few values", |n| (n % 17) as f64),
            ("one value", |_| 0.1),
            ("sums of many", |n| n.to_le_bytes().into_iter().map(f64::from).sum()),
        ];
        for (name, shape) in shapes {
            let input: Vec<f64> = noise(len).map(shape).collect();
            let mut expected = input.clone();
            expected.sort_by(|&a, &b| ecmascript(a, b));
            let same = sorted(BytesKind::Float64, &input).iter().map(|x| x.to_bits()).collect::<Vec<_>>()
                == expected.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert!(same, "{name}");
        }
        let input: Vec<u64> = noise(len).map(outlier).collect();
        let mut expected = input.clone();
        expected.sort_unstable();
        assert!(sorted(BytesKind::BigUint64, &input) == expected, "outliers");
        // Each level of the recursion meets one crowded bucket.
        let nested: Vec<u64> = noise(len).map(|n| n >> (n % 64)).collect();
        let mut expected = nested.clone();
        expected.sort_unstable();
        assert!(sorted(BytesKind::BigUint64, &nested) == expected, "crowded at every scale");
    }

    #[test]
    fn it_says_what_it_takes() {
        let error = refused("sort", Bytes::of(BytesKind::ArrayBuffer, &[3, 2, 1]));
        assert_eq!(error.code(), Code::InvalidInput);
        assert_eq!(
            error.message(),
            "task 'sort' takes a typed array, a Buffer or shared memory, \
             or { data, parallel?: boolean }; got an ArrayBuffer"
        );
        assert_eq!(refused("sort", Value::Array(vec![])).code(), Code::InvalidInput);
    }

    #[test]
    fn it_stops_when_cancelled() {
        for kind in [BytesKind::Float64, BytesKind::Int32, BytesKind::Uint16, BytesKind::Int8] {
            let bytes: Vec<u64> = noise(8_000_000).collect();
            stops_when_cancelled("sort", || Bytes::of(kind, bytemuck::cast_slice(&bytes)).into());
        }
    }
}
