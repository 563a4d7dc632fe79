//! `Atomics` in Rust: the same signatures, coercions, order of checks and errors as the language's own
//! (ECMAScript, "The Atomics Object"; the names of its abstract operations stand in the comments).
//!
//! Thrown errors are the language's, without a code: whoever swaps `Atomics` for this sees no difference.

use std::ffi::CString;
use std::sync::atomic::{
    AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicU8, AtomicU16, AtomicU32, AtomicU64,
};

use napi::bindgen_prelude::sys;

use super::raw::export;
use crate::node::{Arguments, Environment, Js, JsValue, NOTHING, Status, TypedArray};
use crate::shared::atomics::{Integer, Rmw, is_lock_free};

type Result<T> = std::result::Result<T, Status>;

/// JavaScript's part of it, by its number in [`open_atomics`].
pub(super) mod helper {
    /// `toBigInt(value)`: the language's ToBigInt.
    pub(in crate::api) const TO_BIG_INT: usize = 0;
    /// `interrupt_check()`: any function; V8 looks at its interrupts on the way into it.
    pub(in crate::api) const INTERRUPT_CHECK: usize = 1;
    /// `Atomics.notify`, for those who wait by `Atomics.wait`.
    pub(in crate::api) const NOTIFY: usize = 2;
}

/// `openAtomics(toBigInt, interrupt_check, notify)`.
pub(super) unsafe extern "C" fn open_atomics(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 3>, environment: &'static Environment| {
        environment.set_helpers(arguments.js, arguments.values)?;
        Ok(NOTHING)
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// The call under way.
#[derive(Clone, Copy)]
pub(super) struct Call<'call> {
    pub(super) js: Js<'call>,
    pub(super) environment: &'static Environment,
}

/// The element types that `Atomics` takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
}

impl Kind {
    fn of(kind: sys::napi_typedarray_type) -> Option<Self> {
        use sys::TypedarrayType as Type;
        Some(match kind {
            Type::int8_array => Kind::I8,
            Type::uint8_array => Kind::U8,
            Type::int16_array => Kind::I16,
            Type::uint16_array => Kind::U16,
            Type::int32_array => Kind::I32,
            Type::uint32_array => Kind::U32,
            Type::bigint64_array => Kind::I64,
            Type::biguint64_array => Kind::U64,
            _ => return None,
        })
    }

    fn is_big(self) -> bool {
        matches!(self, Kind::I64 | Kind::U64)
    }

    pub(super) fn size(self) -> usize {
        match self {
            Kind::I8 | Kind::U8 => 1,
            Kind::I16 | Kind::U16 => 2,
            Kind::I32 | Kind::U32 => 4,
            Kind::I64 | Kind::U64 => 8,
        }
    }
}

/// The name of a typed array's class.
fn name_of(kind: sys::napi_typedarray_type) -> &'static str {
    use sys::TypedarrayType as Type;
    match kind {
        Type::int8_array => "Int8Array",
        Type::uint8_array => "Uint8Array",
        Type::uint8_clamped_array => "Uint8ClampedArray",
        Type::int16_array => "Int16Array",
        Type::uint16_array => "Uint16Array",
        Type::int32_array => "Int32Array",
        Type::uint32_array => "Uint32Array",
        Type::float32_array => "Float32Array",
        Type::float64_array => "Float64Array",
        Type::bigint64_array => "BigInt64Array",
        Type::biguint64_array => "BigUint64Array",
        // Newer than these names: Float16Array.
        _ => "Array",
    }
}

/// ToIntegerOrInfinity.
fn to_integer(number: f64) -> f64 {
    // Adding zero turns -0 into 0.
    if number.is_nan() { 0.0 } else { number.trunc() + 0.0 }
}

/// A number modulo 2^64, as ToInt32 and its kin have it modulo their width.
fn modulo(number: f64) -> u64 {
    const TWO_64: f64 = 18_446_744_073_709_551_616.0;
    if !number.is_finite() {
        return 0;
    }
    let rest = number.trunc() % TWO_64;
    // Both exact: |rest| < 2^64, and a negative one is turned by the two's complement.
    if rest < 0.0 { ((-rest) as u64).wrapping_neg() } else { rest as u64 }
}

impl Call<'_> {
    /// ValidateIntegerTypedArray.
    pub(super) fn integer_array(self, value: JsValue, waitable: bool) -> Result<(TypedArray, Kind)> {
        let wanted = if waitable { "an int32 or BigInt64" } else { "an integer" };
        let Ok(array) = TypedArray::read(self.js, value) else {
            return Err(self.is_not(value, None, wanted));
        };
        self.alive(&array)?;
        match Kind::of(array.kind) {
            Some(kind) if !waitable || matches!(kind, Kind::I32 | Kind::I64) => Ok((array, kind)),
            _ => Err(self.is_not(value, Some(array.kind), wanted)),
        }
    }

    /// Throws that a value is not `wanted` typed array, in V8's words. `kind` is that of a typed array.
    pub(super) fn is_not(
        self,
        value: JsValue,
        kind: Option<sys::napi_typedarray_type>,
        wanted: &str,
    ) -> Status {
        let what = self.described(value, kind).unwrap_or_default();
        let message = CString::new(format!("{what} is not {wanted} typed array.").replace('\0', ""));
        self.js.throw_type_error(&message.unwrap_or_default())
    }

    /// A value as V8 names it in its messages, as far as that needs no code of the user's.
    fn described(self, value: JsValue, kind: Option<sys::napi_typedarray_type>) -> Result<String> {
        use sys::ValueType as Type;
        Ok(match self.js.type_of(value)? {
            Type::napi_object => match kind {
                Some(kind) => format!("[object {}]", name_of(kind)),
                None if self.js.is_array(value)? => "[object Array]".into(),
                None => "#<Object>".into(),
            },
            Type::napi_symbol => "Symbol()".into(),
            Type::napi_function => "function".into(),
            _ => self.js.to_text(value)?,
        })
    }

    fn alive(self, array: &TypedArray) -> Result<()> {
        if array.is_detached(self.js)? {
            return Err(self
                .js
                .throw_type_error(c"Cannot perform an Atomics operation on a detached ArrayBuffer"));
        }
        Ok(())
    }

    /// ValidateAtomicAccess.
    pub(super) fn index(self, array: &TypedArray, index: JsValue) -> Result<usize> {
        let index = to_integer(self.js.to_number(index)?);
        #[allow(clippy::cast_precision_loss)]
        if index < 0.0 || index >= array.length as f64 {
            return Err(self.js.throw_range_error(c"Invalid atomic access index"));
        }
        Ok(index as usize)
    }

    /// The operand as the array's elements take it (modulo 2^64), and as `Atomics.store` returns it.
    pub(super) fn operand(self, kind: Kind, value: JsValue) -> Result<(u64, JsValue)> {
        if kind.is_big() {
            let big = self.js.call(self.environment.helper(self.js, helper::TO_BIG_INT)?, &[value])?;
            return Ok((self.js.read_big_int(big)?, big));
        }
        let number = to_integer(self.js.to_number(value)?);
        Ok((modulo(number), self.js.number(number)?))
    }

    /// Runs `work` on the element. RevalidateAtomicAccess: the coercions may have run anything.
    fn on_element<W: Work>(self, array: TypedArray, kind: Kind, index: usize, work: W) -> Result<JsValue> {
        let array = array.again(self.js)?;
        self.alive(&array)?;
        let js = self.js;
        let done = match kind {
            Kind::I8 => array.with_cell(index, |cell: &AtomicI8| js.number(f64::from(work.run::<i8>(cell)))),
            Kind::U8 => array.with_cell(index, |cell: &AtomicU8| js.number(f64::from(work.run::<u8>(cell)))),
            Kind::I16 => {
                array.with_cell(index, |cell: &AtomicI16| js.number(f64::from(work.run::<i16>(cell))))
            }
            Kind::U16 => {
                array.with_cell(index, |cell: &AtomicU16| js.number(f64::from(work.run::<u16>(cell))))
            }
            Kind::I32 => {
                array.with_cell(index, |cell: &AtomicI32| js.number(f64::from(work.run::<i32>(cell))))
            }
            Kind::U32 => {
                array.with_cell(index, |cell: &AtomicU32| js.number(f64::from(work.run::<u32>(cell))))
            }
            Kind::I64 => array.with_cell(index, |cell: &AtomicI64| js.big_int_i64(work.run::<i64>(cell))),
            Kind::U64 => array.with_cell(index, |cell: &AtomicU64| js.big_int_u64(work.run::<u64>(cell))),
        };
        done.unwrap_or_else(|| Err(js.throw_range_error(c"Invalid atomic access index")))
    }
}

/// An integer from its low bits.
trait FromLow: Integer {
    fn from_low(bits: u64) -> Self;
}

macro_rules! from_low {
    ($($type:ident)*) => {$(
        impl FromLow for $type {
            fn from_low(bits: u64) -> Self {
                bits as $type
            }
        }
    )*};
}
from_low! { i8 u8 i16 u16 i32 u32 i64 u64 }

/// An operation on one element, whatever its type.
trait Work: Copy {
    fn run<T: FromLow>(self, cell: &T::Atomic) -> T;
}

#[derive(Clone, Copy)]
struct Load;
impl Work for Load {
    fn run<T: FromLow>(self, cell: &T::Atomic) -> T {
        T::load(cell)
    }
}

#[derive(Clone, Copy)]
struct Store(u64);
impl Work for Store {
    fn run<T: FromLow>(self, cell: &T::Atomic) -> T {
        let value = T::from_low(self.0);
        T::store(cell, value);
        value
    }
}

#[derive(Clone, Copy)]
struct Change(Rmw, u64);
impl Work for Change {
    fn run<T: FromLow>(self, cell: &T::Atomic) -> T {
        T::rmw(cell, self.0, T::from_low(self.1))
    }
}

#[derive(Clone, Copy)]
struct CompareExchange(u64, u64);
impl Work for CompareExchange {
    fn run<T: FromLow>(self, cell: &T::Atomic) -> T {
        T::compare_exchange(cell, T::from_low(self.0), T::from_low(self.1))
    }
}

macro_rules! changes {
    ($($(#[$doc:meta])* $name:ident: $op:ident;)*) => {$(
        $(#[$doc])*
        pub(super) unsafe extern "C" fn $name(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
            let body = |arguments: &Arguments<'_, 3>, environment: &'static Environment| {
                let call = Call { js: arguments.js, environment };
                let [array, index, value] = arguments.values;
                let (array, kind) = call.integer_array(array, false)?;
                let index = call.index(&array, index)?;
                let (operand, _) = call.operand(kind, value)?;
                call.on_element(array, kind, index, Change(Rmw::$op, operand))
            };
            // SAFETY: called by Node, and registered in `RAW`.
            unsafe { export(env, info, body) }
        }
    )*};
}

changes! {
    /// `Atomics.add(typedArray, index, value)`
    add: Add;
    /// `Atomics.sub(typedArray, index, value)`
    sub: Sub;
    /// `Atomics.and(typedArray, index, value)`
    and: And;
    /// `Atomics.or(typedArray, index, value)`
    or: Or;
    /// `Atomics.xor(typedArray, index, value)`
    xor: Xor;
    /// `Atomics.exchange(typedArray, index, value)`
    exchange: Exchange;
}

/// `Atomics.load(typedArray, index)`
pub(super) unsafe extern "C" fn load(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 2>, environment: &'static Environment| {
        let call = Call { js: arguments.js, environment };
        let [array, index] = arguments.values;
        let (array, kind) = call.integer_array(array, false)?;
        let index = call.index(&array, index)?;
        call.on_element(array, kind, index, Load)
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `Atomics.store(typedArray, index, value)`: returns the value as it was coerced, not as it was stored.
pub(super) unsafe extern "C" fn store(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 3>, environment: &'static Environment| {
        let call = Call { js: arguments.js, environment };
        let [array, index, value] = arguments.values;
        let (array, kind) = call.integer_array(array, false)?;
        let index = call.index(&array, index)?;
        let (operand, coerced) = call.operand(kind, value)?;
        call.on_element(array, kind, index, Store(operand))?;
        Ok(coerced)
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `Atomics.compareExchange(typedArray, index, expectedValue, replacementValue)`
pub(super) unsafe extern "C" fn compare_exchange(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> JsValue {
    let body = |arguments: &Arguments<'_, 4>, environment: &'static Environment| {
        let call = Call { js: arguments.js, environment };
        let [array, index, expected, replacement] = arguments.values;
        let (array, kind) = call.integer_array(array, false)?;
        let index = call.index(&array, index)?;
        let (expected, _) = call.operand(kind, expected)?;
        let (replacement, _) = call.operand(kind, replacement)?;
        call.on_element(array, kind, index, CompareExchange(expected, replacement))
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}

/// `Atomics.isLockFree(size)`
pub(super) unsafe extern "C" fn lock_free(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    let body = |arguments: &Arguments<'_, 1>, _: &'static Environment| {
        let size = to_integer(arguments.js.to_number(arguments.values[0])?);
        arguments.js.boolean((1.0..=8.0).contains(&size) && is_lock_free(size as usize))
    };
    // SAFETY: called by Node, and registered in `RAW`.
    unsafe { export(env, info, body) }
}
