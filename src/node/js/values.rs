//! Making, reading and calling values.

use std::ffi::CStr;
use std::ptr::{null, null_mut};

use napi::bindgen_prelude::sys;

use super::call::{Js, JsValue, Result, Status, ask, check, tell, value};

/// The `typeof` of a value; null has a type of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Undefined,
    Null,
    Boolean,
    Number,
    String,
    Symbol,
    Object,
    Function,
    BigInt,
    /// An external of Node-API, or a type that is newer than this list.
    Other,
}

impl Type {
    fn of(raw: sys::napi_valuetype) -> Self {
        use sys::ValueType as Raw;
        match raw {
            Raw::napi_undefined => Type::Undefined,
            Raw::napi_null => Type::Null,
            Raw::napi_boolean => Type::Boolean,
            Raw::napi_number => Type::Number,
            Raw::napi_string => Type::String,
            Raw::napi_symbol => Type::Symbol,
            Raw::napi_object => Type::Object,
            Raw::napi_function => Type::Function,
            Raw::napi_bigint => Type::BigInt,
            _ => Type::Other,
        }
    }
}

/// Primitives.
impl<'call> Js<'call> {
    pub(crate) fn type_of(self, value: JsValue<'call>) -> Result<Type> {
        ask!(0, napi_typeof(self.env, value.raw)).map(Type::of)
    }

    pub(crate) fn undefined(self) -> Result<JsValue<'call>> {
        value!(self, napi_get_undefined())
    }

    pub(crate) fn boolean(self, value: bool) -> Result<JsValue<'call>> {
        value!(self, napi_get_boolean(value))
    }

    pub(crate) fn read_bool(self, value: JsValue<'call>) -> Result<bool> {
        ask!(false, napi_get_value_bool(self.env, value.raw))
    }

    pub(crate) fn number(self, value: f64) -> Result<JsValue<'call>> {
        value!(self, napi_create_double(value))
    }

    pub(crate) fn read_number(self, value: JsValue<'call>) -> Result<f64> {
        ask!(0.0, napi_get_value_double(self.env, value.raw))
    }

    pub(crate) fn read_u32(self, value: JsValue<'call>) -> Result<u32> {
        ask!(0, napi_get_value_uint32(self.env, value.raw))
    }

    pub(crate) fn read_i32(self, value: JsValue<'call>) -> Result<i32> {
        ask!(0, napi_get_value_int32(self.env, value.raw))
    }

    /// A number from a count or an id of ours, which is below 2^53.
    pub(crate) fn number_u64(self, value: u64) -> Result<JsValue<'call>> {
        #[allow(clippy::cast_precision_loss)]
        self.number(value as f64)
    }

    /// A number as an id or a size: a negative number, or no number, is 0; one that is too large is the greatest.
    pub(crate) fn read_u64(self, value: JsValue<'call>) -> Result<u64> {
        self.read_number(value).map(|number| number as u64)
    }

    /// `Number(value)`, as the language's ToNumber: may run JavaScript and leave an exception.
    pub(crate) fn to_number(self, value: JsValue<'call>) -> Result<f64> {
        if let Ok(number) = self.read_number(value) {
            return Ok(number);
        }
        self.read_number(value!(self, napi_coerce_to_number(value.raw))?)
    }

    pub(crate) fn big_int_i64(self, value: i64) -> Result<JsValue<'call>> {
        value!(self, napi_create_bigint_int64(value))
    }

    pub(crate) fn big_int_u64(self, value: u64) -> Result<JsValue<'call>> {
        value!(self, napi_create_bigint_uint64(value))
    }

    /// A BigInt modulo 2^64.
    pub(crate) fn read_big_int(self, value: JsValue<'call>) -> Result<u64> {
        let mut lossless = false;
        ask!(0_u64, napi_get_value_bigint_uint64(self.env, value.raw), &mut lossless)
    }

    pub(crate) fn string(self, text: &str) -> Result<JsValue<'call>> {
        let length = isize::try_from(text.len()).map_err(|_| Status::INVALID)?;
        value!(self, napi_create_string_utf8(text.as_ptr().cast(), length))
    }

    /// The text of a primitive that is no symbol; of anything else this may run JavaScript.
    pub(crate) fn to_text(self, value: JsValue<'call>) -> Result<String> {
        let value = value!(self, napi_coerce_to_string(value.raw))?;
        let length = ask!(0, napi_get_value_string_utf8(self.env, value.raw, null_mut(), 0))?;
        let mut bytes = vec![0_u8; length + 1];
        let (data, size) = (bytes.as_mut_ptr().cast(), bytes.len());
        let written = ask!(0, napi_get_value_string_utf8(self.env, value.raw, data, size))?;
        bytes.truncate(written);
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// Objects, arrays and functions.
impl<'call> Js<'call> {
    /// The global object of the environment's own realm.
    pub(crate) fn global(self) -> Result<JsValue<'call>> {
        value!(self, napi_get_global())
    }

    pub(crate) fn object(self) -> Result<JsValue<'call>> {
        value!(self, napi_create_object())
    }

    pub(crate) fn named(self, object: JsValue<'call>, name: &CStr) -> Result<JsValue<'call>> {
        value!(self, napi_get_named_property(object.raw, name.as_ptr()))
    }

    pub(crate) fn set_named(self, object: JsValue<'call>, name: &CStr, value: JsValue<'call>) -> Result<()> {
        tell!(napi_set_named_property(self.env, object.raw, name.as_ptr(), value.raw))
    }

    pub(crate) fn array(self, length: usize) -> Result<JsValue<'call>> {
        value!(self, napi_create_array_with_length(length))
    }

    pub(crate) fn is_array(self, value: JsValue<'call>) -> Result<bool> {
        ask!(false, napi_is_array(self.env, value.raw))
    }

    pub(crate) fn array_length(self, array: JsValue<'call>) -> Result<u32> {
        ask!(0, napi_get_array_length(self.env, array.raw))
    }

    pub(crate) fn get(self, array: JsValue<'call>, index: u32) -> Result<JsValue<'call>> {
        value!(self, napi_get_element(array.raw, index))
    }

    pub(crate) fn set(self, array: JsValue<'call>, index: u32, value: JsValue<'call>) -> Result<()> {
        tell!(napi_set_element(self.env, array.raw, index, value.raw))
    }

    /// As `set`, for an array's new element: defined and not assigned, so that accessors on `Array.prototype` do not see it.
    pub(crate) fn define(self, array: JsValue<'call>, index: u32, value: JsValue<'call>) -> Result<()> {
        // Node does not look at it.
        if value.is_nothing() {
            return Err(Status::INVALID);
        }
        let attributes = sys::PropertyAttributes::writable
            | sys::PropertyAttributes::enumerable
            | sys::PropertyAttributes::configurable;
        let element = sys::napi_property_descriptor {
            utf8name: null(),
            name: self.string(index.to_string().as_str())?.raw,
            method: None,
            getter: None,
            setter: None,
            value: value.raw,
            attributes,
            data: null_mut(),
        };
        tell!(napi_define_properties(self.env, array.raw, 1, &element))
    }

    /// Calls `function` with `undefined` as `this`.
    pub(crate) fn call(
        self,
        function: JsValue<'call>,
        arguments: &[JsValue<'call>],
    ) -> Result<JsValue<'call>> {
        // Node looks at the function, and not at the arguments.
        if arguments.iter().any(|argument| argument.is_nothing()) {
            return Err(Status::INVALID);
        }
        let this = self.undefined()?;
        // A `JsValue` is its raw value and no more.
        let values = arguments.as_ptr().cast();
        value!(self, napi_call_function(this.raw, function.raw, arguments.len(), values))
    }

    /// `new class(argument)`; may leave an exception.
    pub(crate) fn construct(self, class: JsValue<'call>, argument: JsValue<'call>) -> Result<JsValue<'call>> {
        // Node looks at the class, and not at the argument.
        if argument.is_nothing() {
            return Err(Status::INVALID);
        }
        value!(self, napi_new_instance(class.raw, 1, &argument.raw))
    }
}
