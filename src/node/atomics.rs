//! `Atomics` in Rust: the same signatures, coercions, order of checks and errors as the language's own
//! (ECMAScript, "The Atomics Object"; the names of its abstract operations stand in the comments).
//!
//! Thrown errors are the language's, without a code: a program that replaces `Atomics` by this sees no difference.

use std::cell::RefCell;
use std::ffi::CString;
use std::sync::atomic::{
    AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicU8, AtomicU16, AtomicU32, AtomicU64,
};

use super::js::{ArrayKind, Js, JsValue, Reference, Result, Status, Type};
use super::typed_array::TypedArray;
use crate::shared::atomics::{Integer, Rmw, is_lock_free};

/// Functions of the language that `Atomics` in Rust calls; one set for each environment.
#[derive(Default)]
pub(crate) struct Language(RefCell<Option<[Reference; 3]>>);

/// One of them, by its index.
#[derive(Clone, Copy)]
pub(super) enum Helper {
    /// `toBigInt(value)`: the language's ToBigInt.
    ToBigInt = 0,
    /// `interruptCheck()`: any function; V8 looks at its interrupts on the way into it.
    InterruptCheck = 1,
    /// `Atomics.notify`, for waits by `Atomics.wait`.
    Notify = 2,
}

impl Language {
    /// Names the functions.
    pub(crate) fn set<'call>(&self, js: Js<'call>, [a, b, c]: [JsValue<'call>; 3]) -> Result<()> {
        let functions = [js.reference(a)?, js.reference(b)?, js.reference(c)?];
        let before = self.0.replace(Some(functions));
        before.into_iter().flatten().try_for_each(|reference| js.release(reference))
    }

    fn get<'call>(&self, js: Js<'call>, helper: Helper) -> Result<JsValue<'call>> {
        let functions = self.0.borrow();
        js.referenced(&functions.as_ref().ok_or(Status::FAILED)?[helper as usize])
    }
}

/// The element types that `Atomics` takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
}

impl Element {
    fn of(kind: ArrayKind) -> Option<Self> {
        Some(match kind {
            ArrayKind::Int8 => Element::I8,
            ArrayKind::Uint8 => Element::U8,
            ArrayKind::Int16 => Element::I16,
            ArrayKind::Uint16 => Element::U16,
            ArrayKind::Int32 => Element::I32,
            ArrayKind::Uint32 => Element::U32,
            ArrayKind::BigInt64 => Element::I64,
            ArrayKind::BigUint64 => Element::U64,
            _ => return None,
        })
    }

    fn is_big(self) -> bool {
        matches!(self, Element::I64 | Element::U64)
    }
}

/// ToIntegerOrInfinity.
fn to_integer(number: f64) -> f64 {
    // Adding zero turns -0 into 0.
    if number.is_nan() { 0.0 } else { number.trunc() + 0.0 }
}

/// A number modulo 2^64, as ToInt32 and similar conversions have it modulo their width.
fn modulo(number: f64) -> u64 {
    const TWO_64: f64 = 18_446_744_073_709_551_616.0;
    if !number.is_finite() {
        return 0;
    }
    let rest = number.trunc() % TWO_64;
    // Both exact: |rest| < 2^64, and a negative one is turned by the two's complement.
    if rest < 0.0 { ((-rest) as u64).wrapping_neg() } else { rest as u64 }
}

/// A call of `Atomics` that is running.
#[derive(Clone, Copy)]
pub(crate) struct Atomics<'call> {
    pub(super) js: Js<'call>,
    language: &'static Language,
}

/// The operations.
impl<'call> Atomics<'call> {
    pub(super) fn new(js: Js<'call>, language: &'static Language) -> Self {
        Atomics { js, language }
    }

    /// `Atomics.add(typedArray, index, value)` and the other operations of its form.
    pub(crate) fn rmw(self, op: Rmw, [array, index, value]: [JsValue<'call>; 3]) -> Result<JsValue<'call>> {
        let (array, element) = self.integer_array(array, false)?;
        let index = self.index(&array, index)?;
        let (operand, _) = self.operand(element, value)?;
        self.on_element(array, element, index, Change(op, operand))
    }

    /// `Atomics.load(typedArray, index)`
    pub(crate) fn load(self, [array, index]: [JsValue<'call>; 2]) -> Result<JsValue<'call>> {
        let (array, element) = self.integer_array(array, false)?;
        let index = self.index(&array, index)?;
        self.on_element(array, element, index, Load)
    }

    /// `Atomics.store(typedArray, index, value)`: returns the value as it was coerced, not as it was stored.
    pub(crate) fn store(self, [array, index, value]: [JsValue<'call>; 3]) -> Result<JsValue<'call>> {
        let (array, element) = self.integer_array(array, false)?;
        let index = self.index(&array, index)?;
        let (operand, coerced) = self.operand(element, value)?;
        self.on_element(array, element, index, Store(operand))?;
        Ok(coerced)
    }

    /// `Atomics.compareExchange(typedArray, index, expectedValue, replacementValue)`
    pub(crate) fn compare_exchange(
        self,
        [array, index, expected, replacement]: [JsValue<'call>; 4],
    ) -> Result<JsValue<'call>> {
        let (array, element) = self.integer_array(array, false)?;
        let index = self.index(&array, index)?;
        let (expected, _) = self.operand(element, expected)?;
        let (replacement, _) = self.operand(element, replacement)?;
        self.on_element(array, element, index, CompareExchange(expected, replacement))
    }

    /// `Atomics.isLockFree(size)`
    pub(crate) fn is_lock_free(self, size: JsValue<'call>) -> Result<JsValue<'call>> {
        let size = to_integer(self.js.to_number(size)?);
        self.js.boolean((1.0..=8.0).contains(&size) && is_lock_free(size as usize))
    }
}

/// Checks and coercions.
impl<'call> Atomics<'call> {
    /// ValidateIntegerTypedArray.
    pub(super) fn integer_array(
        self,
        value: JsValue<'call>,
        waitable: bool,
    ) -> Result<(TypedArray<'call>, Element)> {
        let wanted = if waitable { "an int32 or BigInt64" } else { "an integer" };
        let Ok(array) = TypedArray::read(self.js, value) else {
            return Err(self.is_not(value, None, wanted));
        };
        self.alive(&array)?;
        match Element::of(array.kind()) {
            Some(element) if !waitable || matches!(element, Element::I32 | Element::I64) => {
                Ok((array, element))
            }
            _ => Err(self.is_not(value, Some(array.kind()), wanted)),
        }
    }

    /// Throws that a value is not `wanted` typed array, in V8's words. `kind` is that of a typed array.
    pub(super) fn is_not(self, value: JsValue<'call>, kind: Option<ArrayKind>, wanted: &str) -> Status {
        let described = self.described(value, kind).unwrap_or_default();
        let message = CString::new(format!("{described} is not {wanted} typed array.").replace('\0', ""));
        self.js.throw_type_error(&message.unwrap_or_default())
    }

    /// A value as V8 names it in its messages, as far as that needs no code of the user's.
    fn described(self, value: JsValue<'call>, kind: Option<ArrayKind>) -> Result<String> {
        Ok(match self.js.type_of(value)? {
            Type::Object => match kind {
                Some(kind) => format!("[object {}]", kind.name()),
                None if self.js.is_array(value)? => "[object Array]".into(),
                None => "#<Object>".into(),
            },
            Type::Symbol => "Symbol()".into(),
            Type::Function => "function".into(),
            _ => self.js.to_text(value)?,
        })
    }

    fn alive(self, array: &TypedArray<'call>) -> Result<()> {
        if array.is_detached(self.js)? {
            let message = c"Cannot perform an Atomics operation on a detached ArrayBuffer";
            return Err(self.js.throw_type_error(message));
        }
        Ok(())
    }

    fn out_of_bounds(self) -> Status {
        self.js.throw_range_error(c"Invalid atomic access index")
    }

    /// ValidateAtomicAccess.
    pub(super) fn index(self, array: &TypedArray<'call>, index: JsValue<'call>) -> Result<usize> {
        let index = to_integer(self.js.to_number(index)?);
        #[allow(clippy::cast_precision_loss)] // below 2^53
        if index < 0.0 || index >= array.len() as f64 {
            return Err(self.out_of_bounds());
        }
        Ok(index as usize)
    }

    /// The operand as the array's elements take it (modulo 2^64), and as `Atomics.store` returns it.
    pub(super) fn operand(self, element: Element, value: JsValue<'call>) -> Result<(u64, JsValue<'call>)> {
        if element.is_big() {
            let big = self.call(Helper::ToBigInt, &[value])?;
            return Ok((self.js.read_big_int(big)?, big));
        }
        let number = to_integer(self.js.to_number(value)?);
        Ok((modulo(number), self.js.number(number)?))
    }

    /// Calls a function of the language.
    pub(super) fn call(self, helper: Helper, arguments: &[JsValue<'call>]) -> Result<JsValue<'call>> {
        let function = self.language.get(self.js, helper)?;
        self.js.call(function, arguments)
    }

    /// Runs `work` on the element. RevalidateAtomicAccess: the coercions may have run anything, and `with_cell` looks again.
    fn on_element<W: Work + 'static>(
        self,
        array: TypedArray<'call>,
        element: Element,
        index: usize,
        work: W,
    ) -> Result<JsValue<'call>> {
        let js = self.js;
        // The value that is returned, if the element is there.
        macro_rules! on {
            ($atomic:ty, $integer:ty, $show:expr) => {
                array.with_cell(js, index, move |cell: &$atomic| work.run::<$integer>(cell)).map($show)
            };
        }
        let done = match element {
            Element::I8 => on!(AtomicI8, i8, |value| js.number(f64::from(value))),
            Element::U8 => on!(AtomicU8, u8, |value| js.number(f64::from(value))),
            Element::I16 => on!(AtomicI16, i16, |value| js.number(f64::from(value))),
            Element::U16 => on!(AtomicU16, u16, |value| js.number(f64::from(value))),
            Element::I32 => on!(AtomicI32, i32, |value| js.number(f64::from(value))),
            Element::U32 => on!(AtomicU32, u32, |value| js.number(f64::from(value))),
            Element::I64 => on!(AtomicI64, i64, |value| js.big_int_i64(value)),
            Element::U64 => on!(AtomicU64, u64, |value| js.big_int_u64(value)),
        };
        done.unwrap_or_else(|| {
            self.alive(&array.again(js)?)?;
            Err(self.out_of_bounds())
        })
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

/// An operation on one element of any type.
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
