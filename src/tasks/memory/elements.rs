//! The inputs of tasks on memory.

use super::total::Total;
use crate::error::{Code, Error, Result};
use crate::shared::bulk;
use crate::tasks::Context;
use crate::tasks::input::{Input, InputError, InputResult, Options};
use crate::tasks::simd::vectorized;
use crate::value::{BigInt, Bytes, BytesKind, SharedBytes, Value};

/// Memory of elements of one type.
pub(in crate::tasks) enum Subject {
    /// The task's own.
    Own(Bytes),
    /// Shared with other threads.
    Shared(SharedBytes),
}

impl Input for Subject {
    fn from_value(value: Value) -> InputResult<Self> {
        match value {
            Value::Bytes(bytes) if !matches!(bytes.kind(), BytesKind::ArrayBuffer | BytesKind::DataView) => {
                Ok(Subject::Own(bytes))
            }
            Value::Shared(shared) if shared.kind() == BytesKind::DataView => {
                Err(InputError::wrong_kind("a DataView"))
            }
            // Without a type of its own shared memory is one of Int32 cells, as `SharedBuffer`'s methods have it.
            Value::Shared(shared) if shared.kind() == BytesKind::ArrayBuffer => {
                match shared.view(BytesKind::Int32, 0, shared.len()) {
                    Some(cells) => Ok(Subject::Shared(cells)),
                    None => Err(InputError::out_of_range(format_args!(
                        "{} bytes of shared memory, which are no whole Int32 elements",
                        shared.len()
                    ))),
                }
            }
            Value::Shared(shared) => Ok(Subject::Shared(shared)),
            other => Err(InputError::wrong_type(&other)),
        }
    }
}

/// An input that may also stand in an object, beside `parallel`.
pub(in crate::tasks) struct Parallel<T> {
    pub(in crate::tasks) data: T,
    /// Whether other threads of the pool may help.
    pub(in crate::tasks) parallel: bool,
}

impl<T: Input> Input for Parallel<T> {
    fn from_value(value: Value) -> InputResult<Self> {
        if !matches!(value, Value::Object(_)) {
            return Ok(Parallel { data: T::from_value(value)?, parallel: false });
        }
        Options::read(value, Parallel::from_options)
    }
}

impl<T: Input> Parallel<T> {
    pub(in crate::tasks) fn from_options(options: &mut Options) -> InputResult<Self> {
        let data = options.required("data")?;
        Ok(Parallel { data, parallel: options.optional("parallel")?.unwrap_or(false) })
    }
}

/// Elements in one part of a parallel pass: some hundred microseconds of work, whole cache lines of any type.
pub(in crate::tasks) const SECTION: usize = 1 << 18;

/// The sections of `count` elements: one without `parallel`.
pub(super) fn sections(count: usize, parallel: bool, context: &Context<'_>) -> Vec<(usize, usize)> {
    let parts = if parallel && context.threads() > 1 { count.div_ceil(SECTION) } else { 1 };
    bulk::split(count, parts, 64).collect()
}

/// Calls `$then` with `$type` set to the Rust type of a kind's elements.
macro_rules! with_type {
    ($kind:expr, $type:ident => $then:expr, else $other:expr) => {{
        use $crate::value::BytesKind as Kind;
        match $kind {
            Kind::Int8 => {
                type $type = i8;
                $then
            }
            Kind::Uint8 | Kind::Uint8Clamped | Kind::Buffer => {
                type $type = u8;
                $then
            }
            Kind::Int16 => {
                type $type = i16;
                $then
            }
            Kind::Uint16 => {
                type $type = u16;
                $then
            }
            Kind::Int32 => {
                type $type = i32;
                $then
            }
            Kind::Uint32 => {
                type $type = u32;
                $then
            }
            Kind::BigInt64 => {
                type $type = i64;
                $then
            }
            Kind::BigUint64 => {
                type $type = u64;
                $then
            }
            Kind::Float32 => {
                type $type = f32;
                $then
            }
            Kind::Float64 => {
                type $type = f64;
                $then
            }
            Kind::Float16 | Kind::ArrayBuffer | Kind::DataView => $other,
        }
    }};
}
pub(in crate::tasks) use with_type;

/// The refusal of Float16 elements.
pub(super) fn no_halves(task: &str) -> Error {
    Error::new(
        Code::InvalidInput,
        format!("task '{task}' does not take Float16 elements: copy them into a Float32Array"),
    )
}

/// A number modulo 2^64, as the language stores it in an integer element (`ToUint8` and similar conversions).
pub(in crate::tasks) fn modulo(number: f64) -> u64 {
    const TWO_64: f64 = 18_446_744_073_709_551_616.0;
    if !number.is_finite() {
        return 0;
    }
    let rest = number.trunc() % TWO_64;
    if rest < 0.0 { ((-rest) as u64).wrapping_neg() } else { rest as u64 }
}

/// The number in an option's value.
pub(in crate::tasks) fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        _ => None,
    }
}

/// A BigInt modulo 2^64.
pub(in crate::tasks) fn as_big_int(value: &Value) -> Option<u64> {
    match value {
        Value::BigInt(BigInt { negative, words }) => {
            let low = words.first().copied().unwrap_or(0);
            Some(if *negative { low.wrapping_neg() } else { low })
        }
        _ => None,
    }
}

/// A BigInt of 128 bits.
pub(super) fn big_int(value: i128) -> Value {
    let magnitude = value.unsigned_abs();
    let mut words = vec![magnitude as u64, (magnitude >> 64) as u64];
    while words.last() == Some(&0) {
        words.pop();
    }
    Value::BigInt(BigInt { negative: value < 0, words })
}

/// An element that tasks on memory know.
pub(super) trait Scalar: crate::shared::atomics::Element + bytemuck::Pod {
    const BIG: bool;
    const FLOAT: bool;
    /// Adds elements to a sum, fewer than 2^31.
    fn add(total: &mut Total, elements: &[Self]);
    fn to_f64(self) -> f64;
    fn to_i128(self) -> i128;
    fn from_number(number: f64) -> Self;
    fn from_low(bits: u64) -> Self;
}

macro_rules! scalars {
    ($($type:ident $big:literal $add:ident;)*) => {$(
        impl Scalar for $type {
            const BIG: bool = $big;
            const FLOAT: bool = false;
            fn add(total: &mut Total, elements: &[Self]) {
                total.whole += $add(elements);
            }
            #[allow(clippy::cast_precision_loss, clippy::cast_lossless)]
            fn to_f64(self) -> f64 { self as f64 }
            fn to_i128(self) -> i128 { self as i128 }
            fn from_number(number: f64) -> Self { modulo(number) as $type }
            fn from_low(bits: u64) -> Self { bits as $type }
        }
    )*};
}
scalars! {
    i8 false add_narrow; u8 false add_narrow; i16 false add_narrow; u16 false add_narrow;
    i32 false add_narrow; u32 false add_narrow; i64 true add_signed; u64 true add_unsigned;
}

vectorized! {
    fn add_narrow<T: Narrow>(elements: &[T]) -> i128 {
        elements.iter().map(|&element| element.into()).sum::<i64>().into()
    }
}

vectorized! {
    fn add_unsigned(elements: &[u64]) -> i128 {
        // Halves, whose sums fit 64 bits.
        let low: u64 = elements.iter().map(|element| element & 0xffff_ffff).sum();
        let high: u64 = elements.iter().map(|element| element >> 32).sum();
        (i128::from(high) << 32) + i128::from(low)
    }
}

vectorized! {
    fn add_signed(elements: &[i64]) -> i128 {
        let low: i64 = elements.iter().map(|element| element & 0xffff_ffff).sum();
        let high: i64 = elements.iter().map(|element| element >> 32).sum();
        (i128::from(high) << 32) + i128::from(low)
    }
}

/// An integer of which many fit the sum of 64 bits.
trait Narrow: Copy + Into<i64> {}
impl<T: Copy + Into<i64>> Narrow for T {}

impl Scalar for f32 {
    const BIG: bool = false;
    const FLOAT: bool = true;
    fn add(total: &mut Total, elements: &[Self]) {
        total.float.add(elements);
    }
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    fn to_i128(self) -> i128 {
        self as i128
    }
    fn from_number(number: f64) -> Self {
        number as f32
    }
    fn from_low(bits: u64) -> Self {
        bits as f32
    }
}

impl Scalar for f64 {
    const BIG: bool = false;
    const FLOAT: bool = true;
    fn add(total: &mut Total, elements: &[Self]) {
        total.float.add(elements);
    }
    fn to_f64(self) -> f64 {
        self
    }
    fn to_i128(self) -> i128 {
        self as i128
    }
    fn from_number(number: f64) -> Self {
        number
    }
    #[allow(clippy::cast_precision_loss)]
    fn from_low(bits: u64) -> Self {
        bits as f64
    }
}

/// The elements of private memory.
pub(super) fn slice<T: Scalar>(bytes: &Bytes) -> Result<&[T]> {
    bytemuck::try_cast_slice(bytes.as_slice())
        .map_err(|error| Error::new(Code::Internal, format!("memory of a typed array: {error}")))
}
