//! One thin method for each Node-API call we make.
//!
//! Every method is sound to call while a [`Js`] exists: one is only made inside a callback that Node runs on the
//! environment's own thread, and it is neither `Send` nor stored.

use std::ffi::{CStr, c_void};
use std::marker::PhantomData;
use std::ptr::{null, null_mut};

use napi::bindgen_prelude::sys;

/// A Node-API status other than ok.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status(pub(crate) i32);

impl Status {
    /// An argument is not what it must be.
    pub(crate) const INVALID: Status = Status(sys::Status::napi_invalid_arg);
}

type Result<T> = std::result::Result<T, Status>;

/// A JavaScript value, valid until the running callback returns.
pub(crate) type JsValue = sys::napi_value;

/// A raw exported function.
pub(crate) type RawFunction = unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value;

/// The environment of the callback that is running.
#[derive(Clone, Copy)]
pub(crate) struct Js<'call> {
    env: sys::napi_env,
    lifetime: PhantomData<&'call ()>,
}

fn check(status: sys::napi_status) -> Result<()> {
    if status == sys::Status::napi_ok { Ok(()) } else { Err(Status(status)) }
}

/// Calls one Node-API function whose last argument is an out-pointer, and returns what it wrote.
macro_rules! ask {
    ($default:expr, $function:ident($($argument:expr),*), $second:expr) => {{
        let mut out = $default;
        // SAFETY: as below; the second out-pointer is a local of the caller.
        let status = unsafe { sys::$function($($argument,)* &mut out, $second) };
        check(status).map(|()| out)
    }};
    ($default:expr, $function:ident($($argument:expr),*)) => {{
        let mut out = $default;
        // SAFETY: `env` belongs to the callback that is running on this thread (see the head of this file), the
        // handles came from the same callback, and the out-pointer is a local of the type the function writes.
        let status = unsafe { sys::$function($($argument,)* &mut out) };
        check(status).map(|()| out)
    }};
}

/// Calls one Node-API function without an out-pointer.
macro_rules! tell {
    ($function:ident($($argument:expr),*)) => {{
        // SAFETY: as in `ask!`.
        let status = unsafe { sys::$function($($argument),*) };
        check(status)
    }};
}

impl<'call> Js<'call> {
    /// # Safety
    /// `env` must be the environment of a callback that Node is running on this thread and that outlives `'call`.
    pub(crate) unsafe fn new(env: sys::napi_env) -> Self {
        Js { env, lifetime: PhantomData }
    }

    pub(crate) fn number(self, value: f64) -> Result<JsValue> {
        ask!(null_mut(), napi_create_double(self.env, value))
    }

    pub(crate) fn boolean(self, value: bool) -> Result<JsValue> {
        ask!(null_mut(), napi_get_boolean(self.env, value))
    }

    pub(crate) fn string(self, text: &str) -> Result<JsValue> {
        let length = isize::try_from(text.len()).map_err(|_| Status::INVALID)?;
        ask!(null_mut(), napi_create_string_utf8(self.env, text.as_ptr().cast(), length))
    }

    pub(crate) fn array(self, length: usize) -> Result<JsValue> {
        ask!(null_mut(), napi_create_array_with_length(self.env, length))
    }

    /// The global object of the environment's own realm.
    pub(crate) fn global(self) -> Result<JsValue> {
        ask!(null_mut(), napi_get_global(self.env))
    }

    pub(crate) fn object(self) -> Result<JsValue> {
        ask!(null_mut(), napi_create_object(self.env))
    }

    pub(crate) fn set(self, array: JsValue, index: u32, value: JsValue) -> Result<()> {
        tell!(napi_set_element(self.env, array, index, value))
    }

    /// As `set`, for an array's new element: defined and not assigned, so that accessors on `Array.prototype` do not see it.
    pub(crate) fn define(self, array: JsValue, index: u32, value: JsValue) -> Result<()> {
        let attributes = sys::PropertyAttributes::writable
            | sys::PropertyAttributes::enumerable
            | sys::PropertyAttributes::configurable;
        let element = sys::napi_property_descriptor {
            utf8name: null(),
            name: self.string(index.to_string().as_str())?,
            method: None,
            getter: None,
            setter: None,
            value,
            attributes,
            data: null_mut(),
        };
        tell!(napi_define_properties(self.env, array, 1, &element))
    }

    pub(crate) fn get(self, array: JsValue, index: u32) -> Result<JsValue> {
        ask!(null_mut(), napi_get_element(self.env, array, index))
    }

    pub(crate) fn array_length(self, array: JsValue) -> Result<u32> {
        ask!(0, napi_get_array_length(self.env, array))
    }

    pub(crate) fn set_named(self, object: JsValue, name: &CStr, value: JsValue) -> Result<()> {
        tell!(napi_set_named_property(self.env, object, name.as_ptr(), value))
    }

    pub(crate) fn type_of(self, value: JsValue) -> Result<sys::napi_valuetype> {
        ask!(0, napi_typeof(self.env, value))
    }

    pub(crate) fn read_number(self, value: JsValue) -> Result<f64> {
        ask!(0.0, napi_get_value_double(self.env, value))
    }

    pub(crate) fn read_u32(self, value: JsValue) -> Result<u32> {
        ask!(0, napi_get_value_uint32(self.env, value))
    }

    pub(crate) fn read_i32(self, value: JsValue) -> Result<i32> {
        ask!(0, napi_get_value_int32(self.env, value))
    }

    pub(crate) fn read_bool(self, value: JsValue) -> Result<bool> {
        ask!(false, napi_get_value_bool(self.env, value))
    }

    /// The memory of a `Uint8Array`: address (null when empty or detached) and length in bytes.
    pub(crate) fn view(self, value: JsValue) -> Result<(*mut u8, usize)> {
        let (mut kind, mut length, mut data, mut buffer, mut offset) = (0, 0, null_mut(), null_mut(), 0);
        tell!(napi_get_typedarray_info(
            self.env,
            value,
            &mut kind,
            &mut length,
            &mut data,
            &mut buffer,
            &mut offset
        ))?;
        if kind != sys::TypedarrayType::uint8_array {
            return Err(Status::INVALID);
        }
        Ok((data.cast(), length))
    }

    /// Any typed array: type, length in elements, address, buffer, byte offset.
    #[allow(clippy::type_complexity)]
    pub(crate) fn typed_array(
        self,
        value: JsValue,
    ) -> Result<(sys::napi_typedarray_type, usize, *mut u8, JsValue, usize)> {
        let (mut kind, mut length, mut data, mut buffer, mut offset) = (0, 0, null_mut(), null_mut(), 0);
        tell!(napi_get_typedarray_info(
            self.env,
            value,
            &mut kind,
            &mut length,
            &mut data,
            &mut buffer,
            &mut offset
        ))?;
        Ok((kind, length, data.cast(), buffer, offset))
    }

    /// False for a SharedArrayBuffer.
    pub(crate) fn is_typed_array(self, value: JsValue) -> Result<bool> {
        ask!(false, napi_is_typedarray(self.env, value))
    }

    pub(crate) fn is_array_buffer(self, value: JsValue) -> Result<bool> {
        ask!(false, napi_is_arraybuffer(self.env, value))
    }

    pub(crate) fn is_detached(self, buffer: JsValue) -> Result<bool> {
        ask!(false, napi_is_detached_arraybuffer(self.env, buffer))
    }

    /// `Number(value)`, as the language's ToNumber: may run JavaScript and leave an exception.
    pub(crate) fn to_number(self, value: JsValue) -> Result<f64> {
        if let Ok(number) = self.read_number(value) {
            return Ok(number);
        }
        self.read_number(ask!(null_mut(), napi_coerce_to_number(self.env, value))?)
    }

    pub(crate) fn big_int_i64(self, value: i64) -> Result<JsValue> {
        ask!(null_mut(), napi_create_bigint_int64(self.env, value))
    }

    pub(crate) fn big_int_u64(self, value: u64) -> Result<JsValue> {
        ask!(null_mut(), napi_create_bigint_uint64(self.env, value))
    }

    /// A BigInt modulo 2^64.
    pub(crate) fn read_big_int(self, value: JsValue) -> Result<u64> {
        let mut lossless = false;
        ask!(0_u64, napi_get_value_bigint_uint64(self.env, value), &mut lossless)
    }

    pub(crate) fn is_array(self, value: JsValue) -> Result<bool> {
        ask!(false, napi_is_array(self.env, value))
    }

    /// The text of a primitive that is no symbol; of anything else this may run JavaScript.
    pub(crate) fn to_text(self, value: JsValue) -> Result<String> {
        let value = ask!(null_mut(), napi_coerce_to_string(self.env, value))?;
        let length = ask!(0, napi_get_value_string_utf8(self.env, value, null_mut(), 0))?;
        let mut bytes = vec![0_u8; length + 1];
        let mut written = 0;
        tell!(napi_get_value_string_utf8(
            self.env,
            value,
            bytes.as_mut_ptr().cast(),
            bytes.len(),
            &mut written
        ))?;
        bytes.truncate(written);
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Throws a `TypeError` of the language, without a code.
    pub(crate) fn throw_type_error(self, message: &CStr) -> Status {
        let _ = tell!(napi_throw_type_error(self.env, null(), message.as_ptr()));
        Status(sys::Status::napi_pending_exception)
    }

    /// Throws a `RangeError` of the language, without a code.
    pub(crate) fn throw_range_error(self, message: &CStr) -> Status {
        let _ = tell!(napi_throw_range_error(self.env, null(), message.as_ptr()));
        Status(sys::Status::napi_pending_exception)
    }

    /// Throws a `RangeError` with a code.
    pub(crate) fn throw_range_error_with(self, code: &CStr, message: &CStr) {
        // A failure means that an exception is pending already, which serves as well.
        let _ = tell!(napi_throw_range_error(self.env, code.as_ptr(), message.as_ptr()));
    }

    /// A new ArrayBuffer of `length` bytes, and its memory.
    pub(crate) fn array_buffer(self, length: usize) -> Result<(JsValue, *mut u8)> {
        let mut data = null_mut();
        let value = ask!(null_mut(), napi_create_arraybuffer(self.env, length, &mut data))?;
        Ok((value, data.cast()))
    }

    /// The language's own ArrayBuffer class, unless a program has put another in its place.
    pub(crate) fn array_buffer_class(self) -> Result<JsValue> {
        let global = ask!(null_mut(), napi_get_global(self.env))?;
        ask!(null_mut(), napi_get_named_property(self.env, global, c"ArrayBuffer".as_ptr()))
    }

    /// The memory of an ArrayBuffer: address (null when empty) and length.
    pub(crate) fn array_buffer_memory(self, buffer: JsValue) -> Result<(*mut u8, usize)> {
        let (mut data, mut length) = (null_mut(), 0);
        tell!(napi_get_arraybuffer_info(self.env, buffer, &mut data, &mut length))?;
        Ok((data.cast(), length))
    }

    /// `new class(argument)`; may leave an exception.
    pub(crate) fn construct(self, class: JsValue, argument: JsValue) -> Result<JsValue> {
        ask!(null_mut(), napi_new_instance(self.env, class, 1, &argument))
    }

    /// A strong reference.
    pub(crate) fn reference(self, value: JsValue) -> Result<sys::napi_ref> {
        ask!(null_mut(), napi_create_reference(self.env, value, 1))
    }

    pub(crate) fn referenced(self, reference: sys::napi_ref) -> Result<JsValue> {
        ask!(null_mut(), napi_get_reference_value(self.env, reference))
    }

    pub(crate) fn delete_reference(self, reference: sys::napi_ref) -> Result<()> {
        tell!(napi_delete_reference(self.env, reference))
    }

    pub(crate) fn undefined(self) -> Result<JsValue> {
        ask!(null_mut(), napi_get_undefined(self.env))
    }

    pub(crate) fn function(self, name: &CStr, function: RawFunction, data: *mut c_void) -> Result<JsValue> {
        let length = name.count_bytes().cast_signed();
        ask!(null_mut(), napi_create_function(self.env, name.as_ptr(), length, Some(function), data))
    }

    /// Calls `function` with `undefined` as `this`.
    pub(crate) fn call(self, function: JsValue, arguments: &[JsValue]) -> Result<JsValue> {
        let this = self.undefined()?;
        ask!(null_mut(), napi_call_function(self.env, this, function, arguments.len(), arguments.as_ptr()))
    }

    /// Throws a plain error with a code; the JavaScript side only sees this for faults of ours.
    pub(crate) fn throw(self, code: &CStr, message: &CStr) {
        // A failure means that an exception is pending already, which serves as well.
        let _ = tell!(napi_throw_error(self.env, code.as_ptr(), message.as_ptr()));
    }

    /// Takes a pending exception away, so that the next call into JavaScript is possible.
    pub(crate) fn clear_exception(self) {
        let _ = self.take_exception();
    }

    fn take_exception(self) -> Option<JsValue> {
        let pending = ask!(false, napi_is_exception_pending(self.env)) == Ok(true);
        pending.then(|| ask!(null_mut(), napi_get_and_clear_last_exception(self.env)).ok()).flatten()
    }

    /// Makes a pending exception what it is where Node's own code calls a listener: an 'uncaughtException'. False when
    /// there is none, or the environment is ending and nobody is left to tell.
    pub(crate) fn report_exception(self) -> bool {
        self.take_exception().is_some_and(|error| self.report(error))
    }

    /// Makes a fault of ours an 'uncaughtException'.
    pub(crate) fn report_fault(self, message: &str) {
        let error = self.string("ERR_RW_INTERNAL").and_then(|code| {
            let message = self.string(message)?;
            ask!(null_mut(), napi_create_error(self.env, code, message))
        });
        if let Ok(error) = error {
            self.report(error);
        }
    }

    fn report(self, error: JsValue) -> bool {
        let told = tell!(napi_fatal_exception(self.env, error)).is_ok();
        // What a handler of 'uncaughtException' throws has ended the process, or this worker.
        self.clear_exception();
        told
    }

    pub(crate) fn set_instance_data(self, data: *mut c_void) -> Result<()> {
        tell!(napi_set_instance_data(self.env, data, None, null_mut()))
    }

    pub(crate) fn instance_data(self) -> Result<*mut c_void> {
        ask!(null_mut(), napi_get_instance_data(self.env))
    }

    pub(crate) fn add_cleanup_hook(
        self,
        hook: unsafe extern "C" fn(*mut c_void),
        data: *mut c_void,
    ) -> Result<()> {
        tell!(napi_add_env_cleanup_hook(self.env, Some(hook), data))
    }

    /// A threadsafe function without a payload and without a JavaScript function: it only wakes `on_wake`. `resource` is
    /// what async hooks are shown for it.
    pub(crate) fn threadsafe_function(
        self,
        resource: JsValue,
        context: *mut c_void,
        on_wake: unsafe extern "C" fn(sys::napi_env, JsValue, *mut c_void, *mut c_void),
    ) -> Result<sys::napi_threadsafe_function> {
        let name = self.string("rust-workers events")?;
        ask!(
            null_mut(),
            napi_create_threadsafe_function(
                self.env,
                null_mut(),
                resource,
                name,
                0,
                1,
                null_mut(),
                None,
                context,
                Some(on_wake)
            )
        )
    }

    /// Makes `error` an uncaught exception.
    pub(crate) fn throw_uncaught(self, error: JsValue) -> Result<()> {
        tell!(napi_fatal_exception(self.env, error))
    }

    pub(crate) fn hold_loop(self, function: sys::napi_threadsafe_function) -> Result<()> {
        tell!(napi_ref_threadsafe_function(self.env, function))
    }

    pub(crate) fn release_loop(self, function: sys::napi_threadsafe_function) -> Result<()> {
        tell!(napi_unref_threadsafe_function(self.env, function))
    }
}

/// The arguments of a raw exported function. Missing ones are `undefined`.
pub(crate) struct Arguments<'call, const N: usize> {
    pub(crate) js: Js<'call>,
    pub(crate) values: [JsValue; N],
    pub(crate) data: *mut c_void,
}

impl<const N: usize> Arguments<'_, N> {
    /// # Safety
    /// `env` and `info` must be those Node has just called a raw function with.
    pub(crate) unsafe fn read(env: sys::napi_env, info: sys::napi_callback_info) -> Result<Self> {
        // SAFETY: passed on from the caller.
        let js = unsafe { Js::new(env) };
        let mut values = [null_mut(); N];
        let (mut count, mut data) = (N, null_mut());
        tell!(napi_get_cb_info(env, info, &mut count, values.as_mut_ptr(), null_mut(), &mut data))?;
        Ok(Arguments { js, values, data })
    }
}

/// `undefined`, as a raw function returns it.
pub(crate) const NOTHING: JsValue = null::<c_void>() as JsValue;
