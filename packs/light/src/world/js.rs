//! The interpreter's C functions as safe ones, over values that count their references.
//!
//! Unsafe: each call into QuickJS. What they all rest on: a [`Context`] is made by the stage whose interpreter it is, lives no longer than the
//! stage's borrow, and is used by one thread; a [`Value`] belongs to the context it came from, and holds one reference.
#![allow(unsafe_code)]

use std::ffi::CString;
use std::marker::PhantomData;
use std::ptr;

use rust_workers_quickjs as sys;

pub(crate) use sys::JSValue as Raw;

/// The interpreter, for as long as the stage is lent to a task.
#[derive(Clone, Copy)]
pub(crate) struct Context<'w> {
    ctx: *mut sys::JSContext,
    world: PhantomData<&'w ()>,
}

/// A value of the interpreter.
pub(crate) struct Value<'w> {
    raw: Raw,
    context: Context<'w>,
}

/// An exception is under way in the interpreter: [`Context::exception`] has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Thrown;

/// What a call gives.
pub(crate) type Outcome<'w> = Result<Value<'w>, Thrown>;

/// What a promise is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Promise {
    /// Not one.
    None,
    Pending,
    Fulfilled,
    Rejected,
}

/// A property of an object: anybody may change it.
const ORDINARY: i32 = (sys::JS_PROP_CONFIGURABLE | sys::JS_PROP_WRITABLE | sys::JS_PROP_ENUMERABLE) as i32;

/// One call of the interpreter.
macro_rules! call {
    ($function:ident($($argument:expr),*)) => {{
        #[allow(unused_unsafe)]
        // SAFETY: the arguments are a context that lives (see the head of the file), values of it, and memory that outlives the call.
        unsafe { sys::$function($($argument),*) }
    }};
}

impl Drop for Value<'_> {
    fn drop(&mut self) {
        let (raw, ctx) = (self.raw, self.context.ctx);
        call!(JS_FreeValue(ctx, raw));
    }
}

impl Clone for Value<'_> {
    fn clone(&self) -> Self {
        let raw = call!(JS_DupValue(self.context.ctx, self.raw));
        Value { raw, context: self.context }
    }
}

impl<'w> Context<'w> {
    /// # Safety
    /// `ctx` is a context of the calling thread's, which lives for `'w`.
    pub(crate) unsafe fn from_raw(ctx: *mut sys::JSContext) -> Self {
        Context { ctx, world: PhantomData }
    }

    pub(crate) fn raw(self) -> *mut sys::JSContext {
        self.ctx
    }

    fn runtime(self) -> *mut sys::JSRuntime {
        call!(JS_GetRuntime(self.ctx))
    }

    /// Takes over a reference.
    pub(crate) fn own(self, raw: Raw) -> Value<'w> {
        Value { raw, context: self }
    }

    /// Takes another reference to a value of this context.
    pub(crate) fn share(self, raw: Raw) -> Value<'w> {
        self.own(call!(JS_DupValue(self.ctx, raw)))
    }

    fn outcome(self, raw: Raw) -> Outcome<'w> {
        if call!(JS_IsException(raw)) { Err(Thrown) } else { Ok(self.own(raw)) }
    }

    fn done(self, status: i32) -> Result<(), Thrown> {
        if status < 0 { Err(Thrown) } else { Ok(()) }
    }

    /// The exception that is under way, which then is not any more.
    pub(crate) fn exception(self) -> Value<'w> {
        self.own(call!(JS_GetException(self.ctx)))
    }

    /// Throws.
    pub(crate) fn throw(self, error: Value<'w>) -> Thrown {
        call!(JS_Throw(self.ctx, error.into_raw()));
        Thrown
    }

    /// Makes the exception that is under way one that no code can catch.
    pub(crate) fn throw_uncatchable(self) -> Thrown {
        let error = self.own(call!(JS_NewError(self.ctx)));
        call!(JS_SetUncatchableError(self.ctx, error.raw));
        self.throw(error)
    }

    pub(crate) fn undefined(self) -> Value<'w> {
        self.own(sys::JS_UNDEFINED)
    }

    pub(crate) fn null(self) -> Value<'w> {
        self.own(sys::JS_NULL)
    }

    pub(crate) fn boolean(self, value: bool) -> Value<'w> {
        self.own(if value { sys::JS_TRUE } else { sys::JS_FALSE })
    }

    pub(crate) fn int(self, value: i32) -> Value<'w> {
        self.own(sys::JS_MKVAL(sys::JS_TAG_INT, value))
    }

    pub(crate) fn number(self, value: f64) -> Value<'w> {
        self.own(sys::JS_NewFloat64(value))
    }

    pub(crate) fn bigint_u64(self, value: u64) -> Outcome<'w> {
        self.outcome(call!(JS_NewBigUint64(self.ctx, value)))
    }

    pub(crate) fn bigint_i64(self, value: i64) -> Outcome<'w> {
        self.outcome(call!(JS_NewBigInt64(self.ctx, value)))
    }

    pub(crate) fn text(self, text: &str) -> Outcome<'w> {
        self.outcome(call!(JS_NewStringLen(self.ctx, text.as_ptr().cast(), text.len() as _)))
    }

    pub(crate) fn text_utf16(self, units: &[u16]) -> Outcome<'w> {
        self.outcome(call!(JS_NewStringUTF16(self.ctx, units.as_ptr(), units.len() as _)))
    }

    pub(crate) fn date(self, milliseconds: f64) -> Outcome<'w> {
        self.outcome(call!(JS_NewDate(self.ctx, milliseconds)))
    }

    pub(crate) fn object(self) -> Outcome<'w> {
        self.outcome(call!(JS_NewObject(self.ctx)))
    }

    pub(crate) fn array(self, items: Vec<Value<'w>>) -> Outcome<'w> {
        let raw: Vec<Raw> = items.into_iter().map(Value::into_raw).collect();
        self.outcome(call!(JS_NewArrayFrom(self.ctx, raw.len() as i32, raw.as_ptr())))
    }

    pub(crate) fn buffer(self, bytes: &[u8]) -> Outcome<'w> {
        self.outcome(call!(JS_NewArrayBufferCopy(self.ctx, bytes.as_ptr(), bytes.len() as _)))
    }

    /// A `SharedArrayBuffer` over memory that is not the interpreter's, and that outlives the task.
    pub(crate) fn shared_buffer(self, data: *mut u8, len: usize) -> Outcome<'w> {
        let keep: sys::JSReallocArrayBufferDataFunc = Some(keep_shared);
        self.outcome(call!(JS_NewArrayBuffer(self.ctx, data, len as _, 0, keep, ptr::null_mut(), true)))
    }

    /// A typed array over a whole buffer.
    pub(crate) fn typed_array(self, buffer: &Value<'w>, kind: u32) -> Outcome<'w> {
        let mut arguments = [buffer.raw, sys::JS_UNDEFINED, sys::JS_UNDEFINED];
        self.outcome(call!(JS_NewTypedArray(self.ctx, 3, arguments.as_mut_ptr(), kind)))
    }

    pub(crate) fn global(self) -> Value<'w> {
        self.own(call!(JS_GetGlobalObject(self.ctx)))
    }

    /// Compiles a script, without running it.
    ///
    /// `line`: the number of its first line.
    pub(crate) fn compile(self, source: &str, file: &str, line: i32) -> Outcome<'w> {
        let flags = sys::JS_EVAL_TYPE_GLOBAL | sys::JS_EVAL_FLAG_STRICT | sys::JS_EVAL_FLAG_COMPILE_ONLY;
        let (source, file) = (zero_ended(source), zero_ended(file));
        let len = source.as_bytes().len();
        let mut options = sys::JSEvalOptions {
            version: sys::JS_EVAL_OPTIONS_VERSION as i32,
            eval_flags: flags as i32,
            filename: file.as_ptr(),
            line_num: line,
        };
        self.outcome(call!(JS_Eval2(self.ctx, source.as_ptr(), len as _, &mut options)))
    }

    /// The bytecode of what [`Self::compile`] gave.
    pub(crate) fn bytecode(self, compiled: &Value<'w>) -> Result<Vec<u8>, Thrown> {
        let mut len = 0;
        let flags = sys::JS_WRITE_OBJ_BYTECODE as i32;
        let data = call!(JS_WriteObject(self.ctx, &mut len, compiled.raw, flags));
        if data.is_null() {
            return Err(Thrown);
        }
        // SAFETY: the interpreter gave `len` bytes there.
        let bytes = unsafe { std::slice::from_raw_parts(data, len as usize) }.to_vec();
        call!(js_free(self.ctx, data.cast()));
        Ok(bytes)
    }

    /// A script from bytecode, for [`Self::evaluate`].
    ///
    /// # Safety
    /// The bytecode is of [`Self::bytecode`], in this process: the interpreter trusts it.
    pub(crate) unsafe fn load(self, bytecode: &[u8]) -> Outcome<'w> {
        let flags = sys::JS_READ_OBJ_BYTECODE as i32;
        self.outcome(call!(JS_ReadObject(self.ctx, bytecode.as_ptr(), bytecode.len() as _, flags)))
    }

    /// Runs a script.
    pub(crate) fn evaluate(self, script: Value<'w>) -> Outcome<'w> {
        self.outcome(call!(JS_EvalFunction(self.ctx, script.into_raw())))
    }

    /// A function that calls `function` with `magic`.
    pub(crate) fn function(self, function: sys::JSCFunctionData, magic: i32) -> Outcome<'w> {
        self.outcome(call!(JS_NewCFunctionData(self.ctx, function, 0, magic, 0, ptr::null_mut())))
    }

    /// A promise that is settled.
    pub(crate) fn settled(self, value: Value<'w>, rejected: bool) -> Outcome<'w> {
        self.outcome(call!(JS_NewSettledPromise(self.ctx, rejected, value.raw)))
    }

    /// Runs the next job. Whether there was one.
    pub(crate) fn run_job(self) -> Result<bool, Thrown> {
        let mut context = ptr::null_mut();
        match call!(JS_ExecutePendingJob(self.runtime(), &mut context)) {
            0 => Ok(false),
            1.. => Ok(true),
            _ => Err(Thrown),
        }
    }

    /// From here on, as deep as `stack` bytes.
    pub(crate) fn limit_stack(self, stack: usize) {
        call!(JS_UpdateStackTop(self.runtime()));
        call!(JS_SetMaxStackSize(self.runtime(), stack as _));
    }

    /// The name of a key, and the key.
    fn key(self, name: &str) -> Result<Key<'w>, Thrown> {
        let atom = call!(JS_NewAtomLen(self.ctx, name.as_ptr().cast(), name.len() as _));
        if atom == 0 { Err(Thrown) } else { Ok(Key { atom, context: self }) }
    }

    /// The name of the class of an object.
    fn class_name(self, class: u32) -> String {
        let atom = call!(JS_GetClassName(self.runtime(), class as _));
        let key = Key { atom, context: self };
        key.name().unwrap_or_default()
    }
}

/// A property's key.
pub(crate) struct Key<'w> {
    atom: sys::JSAtom,
    context: Context<'w>,
}

impl Drop for Key<'_> {
    fn drop(&mut self) {
        let (ctx, atom) = (self.context.ctx, self.atom);
        call!(JS_FreeAtom(ctx, atom));
    }
}

impl Key<'_> {
    /// Its text; a lone surrogate becomes U+FFFD.
    pub(crate) fn name(&self) -> Result<String, Thrown> {
        let mut len = 0;
        let text = call!(JS_AtomToCStringLen(self.context.ctx, &mut len, self.atom));
        self.context.take_text(text, len as usize, |bytes| String::from_utf8_lossy(bytes).into_owned())
    }
}

impl<'w> Context<'w> {
    fn take_text<R>(
        self,
        text: *const std::ffi::c_char,
        len: usize,
        read: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, Thrown> {
        if text.is_null() {
            return Err(Thrown);
        }
        // SAFETY: the interpreter gave `len` bytes there, which stay until they are freed.
        let result = read(unsafe { std::slice::from_raw_parts(text.cast(), len) });
        call!(JS_FreeCString(self.ctx, text));
        Ok(result)
    }
}

impl<'w> Value<'w> {
    pub(crate) fn context(&self) -> Context<'w> {
        self.context
    }

    /// Gives the reference away.
    pub(crate) fn into_raw(self) -> Raw {
        let raw = self.raw;
        std::mem::forget(self);
        raw
    }

    /// Of the objects: the same object has the same.
    pub(crate) fn identity(&self) -> usize {
        call!(JS_VALUE_GET_PTR(self.raw)) as usize
    }

    pub(crate) fn tag(&self) -> i32 {
        call!(JS_VALUE_GET_TAG(self.raw))
    }

    pub(crate) fn is_object(&self) -> bool {
        self.tag() == sys::JS_TAG_OBJECT
    }

    pub(crate) fn is_function(&self) -> bool {
        call!(JS_IsFunction(self.context.ctx, self.raw))
    }

    pub(crate) fn is_array(&self) -> bool {
        call!(JS_IsArray(self.raw))
    }

    pub(crate) fn is_proxy(&self) -> bool {
        call!(JS_IsProxy(self.raw))
    }

    pub(crate) fn is_error(&self) -> bool {
        call!(JS_IsError(self.raw))
    }

    /// Whether no code can catch it.
    pub(crate) fn is_uncatchable(&self) -> bool {
        call!(JS_IsUncatchableError(self.raw))
    }

    pub(crate) fn is_date(&self) -> bool {
        call!(JS_IsDate(self.raw))
    }

    pub(crate) fn is_map(&self) -> bool {
        call!(JS_IsMap(self.raw))
    }

    pub(crate) fn is_set(&self) -> bool {
        call!(JS_IsSet(self.raw))
    }

    pub(crate) fn is_buffer(&self) -> bool {
        call!(JS_IsArrayBuffer(self.raw))
    }

    pub(crate) fn is_data_view(&self) -> bool {
        call!(JS_IsDataView(self.raw))
    }

    /// Which typed array it is.
    pub(crate) fn typed_array_kind(&self) -> Option<u32> {
        u32::try_from(call!(JS_GetTypedArrayType(self.raw))).ok()
    }

    pub(crate) fn class(&self) -> u32 {
        call!(JS_GetClassID(self.raw))
    }

    pub(crate) fn class_name(&self) -> String {
        self.context.class_name(self.class())
    }

    pub(crate) fn as_int(&self) -> i32 {
        call!(JS_VALUE_GET_INT(self.raw))
    }

    pub(crate) fn as_float(&self) -> f64 {
        call!(JS_VALUE_GET_FLOAT64(self.raw))
    }

    /// As `Number(value)`.
    pub(crate) fn to_number(&self) -> Result<f64, Thrown> {
        let mut number = 0.0;
        self.context.done(call!(JS_ToFloat64(self.context.ctx, &mut number, self.raw)))?;
        Ok(number)
    }

    pub(crate) fn to_i64_of_bigint(&self) -> Result<i64, Thrown> {
        let mut number = 0;
        self.context.done(call!(JS_ToBigInt64(self.context.ctx, &mut number, self.raw)))?;
        Ok(number)
    }

    /// As `String(value)`, in UTF-8; lone surrogates are three bytes, which are none.
    pub(crate) fn with_text<R>(&self, read: impl FnOnce(&[u8]) -> R) -> Result<R, Thrown> {
        let mut len = 0;
        let text = call!(JS_ToCStringLen2(self.context.ctx, &mut len, self.raw, false));
        self.context.take_text(text, len as usize, read)
    }

    pub(crate) fn with_units<R>(&self, read: impl FnOnce(&[u16]) -> R) -> Result<R, Thrown> {
        let mut len = 0;
        let units = call!(JS_ToCStringLenUTF16(self.context.ctx, &mut len, self.raw));
        if units.is_null() {
            return Err(Thrown);
        }
        // SAFETY: the interpreter gave `len` units there, which stay until they are freed.
        let result = read(unsafe { std::slice::from_raw_parts(units, len as usize) });
        call!(JS_FreeCStringUTF16(self.context.ctx, units));
        Ok(result)
    }

    pub(crate) fn call(&self, this: &Value<'w>, arguments: &[&Value<'w>]) -> Outcome<'w> {
        let mut raw: Vec<Raw> = arguments.iter().map(|argument| argument.raw).collect();
        let (ctx, count) = (self.context.ctx, raw.len() as i32);
        self.context.outcome(call!(JS_Call(ctx, self.raw, this.raw, count, raw.as_mut_ptr())))
    }

    /// Defines an ordinary property of its own, whatever its prototypes have.
    pub(crate) fn define(&self, name: &str, value: Value<'w>) -> Result<(), Thrown> {
        let key = self.context.key(name)?;
        self.define_key(&key, value, ORDINARY)
    }

    /// Defines a property that no loop over properties sees.
    pub(crate) fn define_hidden(&self, name: &str, value: Value<'w>) -> Result<(), Thrown> {
        let key = self.context.key(name)?;
        let flags = (sys::JS_PROP_CONFIGURABLE | sys::JS_PROP_WRITABLE) as i32;
        self.define_key(&key, value, flags)
    }

    fn define_key(&self, key: &Key<'w>, value: Value<'w>, flags: i32) -> Result<(), Thrown> {
        let (ctx, value) = (self.context.ctx, value.into_raw());
        self.context.done(call!(JS_DefinePropertyValue(ctx, self.raw, key.atom, value, flags)))
    }

    pub(crate) fn get(&self, name: &str) -> Outcome<'w> {
        let key = self.context.key(name)?;
        self.get_key(&key)
    }

    pub(crate) fn get_key(&self, key: &Key<'w>) -> Outcome<'w> {
        self.context.outcome(call!(JS_GetProperty(self.context.ctx, self.raw, key.atom)))
    }

    pub(crate) fn get_index(&self, index: u32) -> Outcome<'w> {
        self.context.outcome(call!(JS_GetPropertyUint32(self.context.ctx, self.raw, index)))
    }

    pub(crate) fn length(&self) -> Result<i64, Thrown> {
        let mut length = 0;
        self.context.done(call!(JS_GetLength(self.context.ctx, self.raw, &mut length)))?;
        Ok(length)
    }

    /// The keys of its own enumerable properties that are texts.
    pub(crate) fn keys(&self) -> Result<Vec<Key<'w>>, Thrown> {
        let (mut table, mut count) = (ptr::null_mut(), 0);
        let flags = (sys::JS_GPN_STRING_MASK | sys::JS_GPN_ENUM_ONLY) as i32;
        let context = self.context;
        context.done(call!(JS_GetOwnPropertyNames(context.ctx, &mut table, &mut count, self.raw, flags)))?;
        let mut keys = Vec::new();
        for index in 0..count as usize {
            // SAFETY: the table has `count` entries.
            let entry = unsafe { table.add(index) };
            // SAFETY: as above; the key's reference goes over to `Key`, and the table is freed without its keys.
            let atom = unsafe { (*entry).atom };
            keys.push(Key { atom, context });
        }
        call!(js_free(context.ctx, table.cast()));
        Ok(keys)
    }

    /// The bytes of an ArrayBuffer, which stay where they are until code runs.
    pub(crate) fn with_bytes<R>(&self, read: impl FnOnce(&[u8]) -> R) -> Result<R, Thrown> {
        let mut len = 0;
        let data = call!(JS_GetArrayBuffer(self.context.ctx, &mut len, self.raw));
        if data.is_null() && len != 0 {
            return Err(Thrown);
        }
        if data.is_null() {
            // Empty, or detached: the interpreter has thrown for the second.
            drop(self.context.exception());
            return Ok(read(&[]));
        }
        // SAFETY: the interpreter gave `len` bytes there, and no code runs meanwhile.
        Ok(read(unsafe { std::slice::from_raw_parts(data, len as usize) }))
    }

    /// Of a typed array: its buffer, where it begins in it, how many bytes it has.
    pub(crate) fn view(&self) -> Result<(Value<'w>, usize, usize), Thrown> {
        let (mut offset, mut len, mut size) = (0, 0, 0);
        let ctx = self.context.ctx;
        let buffer = call!(JS_GetTypedArrayBuffer(ctx, self.raw, &mut offset, &mut len, &mut size));
        Ok((self.context.outcome(buffer)?, offset as usize, len as usize))
    }

    pub(crate) fn promise(&self) -> Promise {
        if !call!(JS_IsPromise(self.raw)) {
            return Promise::None;
        }
        match call!(JS_PromiseState(self.context.ctx, self.raw)) {
            sys::JSPromiseStateEnum_JS_PROMISE_FULFILLED => Promise::Fulfilled,
            sys::JSPromiseStateEnum_JS_PROMISE_REJECTED => Promise::Rejected,
            _ => Promise::Pending,
        }
    }

    /// What a promise was settled with.
    pub(crate) fn promise_result(&self) -> Value<'w> {
        self.context.own(call!(JS_PromiseResult(self.context.ctx, self.raw)))
    }

    /// Its rejection is seen to.
    pub(crate) fn mark_handled(&self) {
        call!(JS_PromiseMarkAsHandled(self.context.ctx, self.raw));
    }
}

/// The interpreter reads one byte beyond the end of a source.
fn zero_ended(text: &str) -> CString {
    CString::new(text).unwrap_or_else(|_| CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default())
}

/// What the interpreter asks when it is done with shared memory: it is not its own.
unsafe extern "C" fn keep_shared(
    _runtime: *mut sys::JSRuntime,
    _opaque: *mut std::ffi::c_void,
    data: *mut std::ffi::c_void,
    _size: sys::size_t,
) -> *mut std::ffi::c_void {
    data
}
