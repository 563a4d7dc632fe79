//! Values of the wire to values of the interpreter, and back.

mod read;
mod write;

pub(crate) use read::{Refusal, read};
pub(crate) use write::{Unwritten, write};

/// Levels of nesting, as the wire has it.
const MAX_DEPTH: usize = rust_workers_abi::wire::MAX_DEPTH;

/// Which typed array of the interpreter is which of the wire: by the wire's number, from `Int8Array` on.
const TYPED_ARRAYS: [u32; 12] = {
    use rust_workers_quickjs as sys;
    [
        sys::JSTypedArrayEnum_JS_TYPED_ARRAY_INT8,
        sys::JSTypedArrayEnum_JS_TYPED_ARRAY_UINT8,
        sys::JSTypedArrayEnum_JS_TYPED_ARRAY_UINT8C,
        sys::JSTypedArrayEnum_JS_TYPED_ARRAY_INT16,
        sys::JSTypedArrayEnum_JS_TYPED_ARRAY_UINT16,
        sys::JSTypedArrayEnum_JS_TYPED_ARRAY_INT32,
        sys::JSTypedArrayEnum_JS_TYPED_ARRAY_UINT32,
        sys::JSTypedArrayEnum_JS_TYPED_ARRAY_FLOAT32,
        sys::JSTypedArrayEnum_JS_TYPED_ARRAY_FLOAT64,
        sys::JSTypedArrayEnum_JS_TYPED_ARRAY_BIG_INT64,
        sys::JSTypedArrayEnum_JS_TYPED_ARRAY_BIG_UINT64,
        sys::JSTypedArrayEnum_JS_TYPED_ARRAY_FLOAT16,
    ]
};
