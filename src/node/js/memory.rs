//! The memory of typed arrays and ArrayBuffers.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use napi::bindgen_prelude::sys;

use super::call::{Js, JsValue, Result, Status, ask, check, value};

/// The class of a typed array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArrayKind {
    Int8,
    Uint8,
    Uint8Clamped,
    Int16,
    Uint16,
    Int32,
    Uint32,
    Float32,
    Float64,
    BigInt64,
    BigUint64,
    /// Newer than this list: Float16Array.
    Other,
}

impl ArrayKind {
    fn of(raw: sys::napi_typedarray_type) -> Self {
        use sys::TypedarrayType as Raw;
        match raw {
            Raw::int8_array => ArrayKind::Int8,
            Raw::uint8_array => ArrayKind::Uint8,
            Raw::uint8_clamped_array => ArrayKind::Uint8Clamped,
            Raw::int16_array => ArrayKind::Int16,
            Raw::uint16_array => ArrayKind::Uint16,
            Raw::int32_array => ArrayKind::Int32,
            Raw::uint32_array => ArrayKind::Uint32,
            Raw::float32_array => ArrayKind::Float32,
            Raw::float64_array => ArrayKind::Float64,
            Raw::bigint64_array => ArrayKind::BigInt64,
            Raw::biguint64_array => ArrayKind::BigUint64,
            _ => ArrayKind::Other,
        }
    }

    /// The size of an element in bytes; none where it is not known.
    pub(crate) fn element_size(self) -> Option<usize> {
        Some(match self {
            ArrayKind::Int8 | ArrayKind::Uint8 | ArrayKind::Uint8Clamped => 1,
            ArrayKind::Int16 | ArrayKind::Uint16 => 2,
            ArrayKind::Int32 | ArrayKind::Uint32 | ArrayKind::Float32 => 4,
            ArrayKind::Float64 | ArrayKind::BigInt64 | ArrayKind::BigUint64 => 8,
            ArrayKind::Other => return None,
        })
    }

    /// The name of the class.
    pub(crate) fn name(self) -> &'static str {
        match self {
            ArrayKind::Int8 => "Int8Array",
            ArrayKind::Uint8 => "Uint8Array",
            ArrayKind::Uint8Clamped => "Uint8ClampedArray",
            ArrayKind::Int16 => "Int16Array",
            ArrayKind::Uint16 => "Uint16Array",
            ArrayKind::Int32 => "Int32Array",
            ArrayKind::Uint32 => "Uint32Array",
            ArrayKind::Float32 => "Float32Array",
            ArrayKind::Float64 => "Float64Array",
            ArrayKind::BigInt64 => "BigInt64Array",
            ArrayKind::BigUint64 => "BigUint64Array",
            ArrayKind::Other => "Array",
        }
    }
}

/// A typed array, as Node has just described it: true until JavaScript runs again.
#[derive(Clone, Copy)]
pub(crate) struct TypedArrayMemory<'call> {
    pub(crate) kind: ArrayKind,
    /// In elements.
    pub(crate) length: usize,
    /// May be null when the array is empty or detached, and is not otherwise.
    pub(crate) data: *mut u8,
    pub(crate) buffer: JsValue<'call>,
    pub(crate) byte_offset: usize,
    call: PhantomData<&'call ()>,
}

impl<'call> TypedArrayMemory<'call> {
    /// The bytes of a `Uint8Array`.
    ///
    /// # Safety
    /// JavaScript must not have run since Node described the array, and must not run while the slice stands; nor may anybody
    /// else write to the memory then: it must not be shared.
    pub(crate) unsafe fn bytes(&self) -> &'call [u8] {
        if self.data.is_null() || self.length == 0 {
            return &[];
        }
        // SAFETY: Node has just said that the memory begins here and has so many elements, of a byte or more; it is not null,
        // as just checked, and no array of V8's is longer than `isize::MAX`. Nobody writes, as the caller warrants, and the
        // handle of the array keeps the memory to the end of the call.
        unsafe { std::slice::from_raw_parts(self.data, self.length) }
    }
}

/// # Safety
/// Only Node may call it, once, with the pointer of an `Arc<T>` that was leaked for it.
unsafe extern "C" fn drop_memory<T: Send + Sync>(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: as the caller warrants. `T` is `Send`: it may be dropped on any thread.
    drop(unsafe { Arc::from_raw(data.cast::<T>()) });
}

impl<'call> Js<'call> {
    /// Whether the value is a typed array of any class.
    pub(crate) fn is_typed_array(self, value: JsValue<'call>) -> Result<bool> {
        ask!(false, napi_is_typedarray(self.env, value.raw))
    }

    /// Describes a typed array; an error when the value is none.
    pub(crate) fn typed_array(self, value: JsValue<'call>) -> Result<TypedArrayMemory<'call>> {
        let (mut kind, mut length, mut data, mut buffer) = (0, 0, null_mut(), null_mut());
        let out = (&raw mut kind, &raw mut length, &raw mut data, &raw mut buffer);
        let byte_offset = ask!(0, napi_get_typedarray_info(self.env, value.raw, out.0, out.1, out.2, out.3))?;
        // Node says so itself; here it is made a fact.
        let length = if data.is_null() { 0 } else { length };
        Ok(TypedArrayMemory {
            kind: ArrayKind::of(kind),
            length,
            data: data.cast(),
            buffer: self.value(buffer),
            byte_offset,
            call: PhantomData,
        })
    }

    /// Describes a `Uint8Array`; an error when the value is none.
    pub(crate) fn view(self, value: JsValue<'call>) -> Result<TypedArrayMemory<'call>> {
        let view = self.typed_array(value)?;
        if view.kind == ArrayKind::Uint8 { Ok(view) } else { Err(Status::INVALID) }
    }

    /// Copies `bytes` to a `Uint8Array` of their length.
    pub(crate) fn fill_view(self, view: JsValue<'call>, bytes: &[u8]) -> Result<()> {
        let view = self.view(view)?;
        copy_to(view.data, view.length, bytes)
    }

    /// An ArrayBuffer over memory of Rust's, which is kept as long as JavaScript has the buffer. None where the runtime
    /// takes no memory but its own, as Electron does.
    ///
    /// `T` must be nothing but atomics, as JavaScript writes to it.
    pub(crate) fn buffer_over<T: Send + Sync + 'static>(
        self,
        memory: Arc<T>,
    ) -> Result<Option<JsValue<'call>>> {
        let data = Arc::into_raw(memory);
        let buffer = self.external_buffer(data.cast_mut().cast(), size_of::<T>(), Some(drop_memory::<T>));
        if !matches!(buffer, Ok(Some(_))) {
            // SAFETY: the runtime has refused the memory, so nobody else will give the count back.
            drop(unsafe { Arc::from_raw(data) });
        }
        buffer
    }

    /// An ArrayBuffer over counters that never go away, which other threads change; None as above.
    pub(crate) fn counters(self, counters: &'static [AtomicU32]) -> Result<Option<JsValue<'call>>> {
        self.external_buffer(counters.as_ptr().cast_mut().cast(), size_of_val(counters), None)
    }

    /// `data` must be of that size, nothing but atomics, and stay until the finalizer is called; for ever without one.
    fn external_buffer(
        self,
        data: *mut c_void,
        size: usize,
        finalizer: sys::napi_finalize,
    ) -> Result<Option<JsValue<'call>>> {
        match value!(self, napi_create_external_arraybuffer(data, size, finalizer, null_mut())) {
            Err(Status(sys::Status::napi_no_external_buffers_allowed)) => Ok(None),
            buffer => buffer.map(Some),
        }
    }

    /// False for a SharedArrayBuffer.
    pub(crate) fn is_array_buffer(self, value: JsValue<'call>) -> Result<bool> {
        ask!(false, napi_is_arraybuffer(self.env, value.raw))
    }

    pub(crate) fn is_detached(self, buffer: JsValue<'call>) -> Result<bool> {
        ask!(false, napi_is_detached_arraybuffer(self.env, buffer.raw))
    }

    /// A new ArrayBuffer with a copy of `bytes`. Node ends the process when there is no memory for it.
    pub(crate) fn array_buffer(self, bytes: &[u8]) -> Result<JsValue<'call>> {
        let mut data = null_mut();
        let buffer = value!(self, napi_create_arraybuffer(bytes.len(), &mut data))?;
        copy_to(data.cast(), bytes.len(), bytes)?;
        Ok(buffer)
    }

    /// Tells the collector that so many more bytes, or fewer, hang on objects of this environment.
    pub(crate) fn adjust_external_memory(self, bytes: i64) -> Result<()> {
        ask!(0, napi_adjust_external_memory(self.env, bytes)).map(drop)
    }

    /// Copies `bytes` to an ArrayBuffer of their length.
    pub(crate) fn fill_array_buffer(self, buffer: JsValue<'call>, bytes: &[u8]) -> Result<()> {
        let mut data = null_mut();
        let length = ask!(0, napi_get_arraybuffer_info(self.env, buffer.raw, &mut data))?;
        copy_to(data.cast(), length, bytes)
    }
}

/// Copies `bytes` to memory that Node has just described; an error unless it is as long as they are.
fn copy_to(data: *mut u8, length: usize, bytes: &[u8]) -> Result<()> {
    if length != bytes.len() || (data.is_null() && length > 0) {
        return Err(Status::INVALID);
    }
    if length > 0 {
        // SAFETY: the memory begins there and is as long as the bytes, as checked. It is JavaScript's, so it does not overlap
        // what is Rust's; nor what Rust has pinned, of which JavaScript has no view. JavaScript does not run until this
        // returns, and no other thread has the memory: `lib/` never has shared memory filled.
        unsafe { data.copy_from_nonoverlapping(bytes.as_ptr(), length) };
    }
    Ok(())
}
