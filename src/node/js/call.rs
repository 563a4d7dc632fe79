//! The environment of the running call, its values, and how a Node-API function is called.

use std::marker::PhantomData;
use std::ptr::null_mut;

use napi::bindgen_prelude::sys;

/// A Node-API status other than ok.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status(pub(super) i32);

impl Status {
    /// An argument is not what it must be.
    pub(crate) const INVALID: Status = Status(sys::Status::napi_invalid_arg);
    /// The call could not be made.
    pub(crate) const FAILED: Status = Status(sys::Status::napi_generic_failure);
    /// JavaScript has thrown, or an exception of ours waits to be thrown when the call returns.
    pub(super) const PENDING: Status = Status(sys::Status::napi_pending_exception);
    /// No status of Node's: there is no memory for the value.
    pub(crate) const NO_MEMORY: Status = Status(-1);
}

/// The result of a Node-API call.
pub(crate) type Result<T> = std::result::Result<T, Status>;

/// A JavaScript value, valid until the running call returns.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct JsValue<'call> {
    pub(super) raw: sys::napi_value,
    call: PhantomData<&'call ()>,
}

impl JsValue<'_> {
    /// `undefined`, as a function of ours returns it without asking Node for it. No Node-API call takes it: Node itself
    /// refuses it where one value is asked for, and `values.rs` where Node does not look.
    pub(crate) const NOTHING: JsValue<'static> = JsValue { raw: null_mut(), call: PhantomData };

    /// Whether it is [`JsValue::NOTHING`].
    pub(crate) fn is_nothing(self) -> bool {
        self.raw.is_null()
    }
}

/// The environment of the call that is running. It stays on its thread, as everything that holds a raw pointer.
#[derive(Clone, Copy)]
pub(crate) struct Js<'call> {
    pub(super) env: sys::napi_env,
    call: PhantomData<&'call ()>,
}

impl<'call> Js<'call> {
    /// # Safety
    /// `env` must be the environment of a callback that Node is running on this thread and that outlives `'call`. The
    /// caller must not choose a longer `'call` than that: what it calls with this must take any.
    pub(super) unsafe fn new(env: sys::napi_env) -> Self {
        Js { env, call: PhantomData }
    }

    /// A value that Node has just given for this call.
    pub(super) fn value(self, raw: sys::napi_value) -> JsValue<'call> {
        JsValue { raw, call: PhantomData }
    }
}

pub(super) fn check(status: sys::napi_status) -> Result<()> {
    if status == sys::Status::napi_ok { Ok(()) } else { Err(Status(status)) }
}

/// Calls one Node-API function whose last argument is an out-pointer, and returns what it wrote.
macro_rules! ask {
    ($default:expr, $function:ident($($argument:expr),*), $second:expr) => {{
        let mut out = $default;
        // SAFETY: as below; the second out-pointer too is a local of the type that the function writes.
        let status = unsafe { sys::$function($($argument,)* &mut out, $second) };
        check(status).map(|()| out)
    }};
    ($default:expr, $function:ident($($argument:expr),*)) => {{
        let mut out = $default;
        // SAFETY: `env` belongs to the callback that is running on this thread, and the handles came from a callback that is
        // still running on it (see the head of this folder). The out-pointer is a local of the type the function writes. So
        // is every other pointer, or it is to what the caller borrows until the function returns, of the length that is
        // passed with it or ended by a zero; only the functions and data of `function.rs` and `hooks.rs` are kept by Node,
        // and those are `'static`.
        let status = unsafe { sys::$function($($argument,)* &mut out) };
        check(status).map(|()| out)
    }};
}

/// As `ask!`, for a function that returns a value.
macro_rules! value {
    ($js:expr, $function:ident($($argument:expr),*)) => {{
        let js = $js;
        ask!(null_mut(), $function(js.env $(, $argument)*)).map(|raw| js.value(raw))
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

pub(super) use {ask, tell, value};
