//! Throwing, and taking exceptions.

use std::ffi::CStr;
use std::ptr::{null, null_mut};

use napi::bindgen_prelude::sys;

use super::call::{Js, JsValue, Result, Status, ask, check, tell, value};

impl<'call> Js<'call> {
    /// Throws a `TypeError` of the language, without a code.
    pub(crate) fn throw_type_error(self, message: &CStr) -> Status {
        // A failure means that an exception is pending already, which serves as well. So below.
        let _ = tell!(napi_throw_type_error(self.env, null(), message.as_ptr()));
        Status::PENDING
    }

    /// Throws a `RangeError` of the language, without a code.
    pub(crate) fn throw_range_error(self, message: &CStr) -> Status {
        let _ = tell!(napi_throw_range_error(self.env, null(), message.as_ptr()));
        Status::PENDING
    }

    /// Throws a `RangeError` with a code.
    pub(super) fn throw_range_error_with(self, code: &CStr, message: &CStr) {
        let _ = tell!(napi_throw_range_error(self.env, code.as_ptr(), message.as_ptr()));
    }

    /// Throws a plain error with a code; the JavaScript side only sees this for faults of ours.
    pub(super) fn throw(self, code: &CStr, message: &CStr) {
        let _ = tell!(napi_throw_error(self.env, code.as_ptr(), message.as_ptr()));
    }

    /// Makes `error` an uncaught exception.
    pub(crate) fn throw_uncaught(self, error: JsValue<'call>) -> Result<()> {
        tell!(napi_fatal_exception(self.env, error.raw))
    }

    /// Takes a pending exception away, so that the next call into JavaScript is possible.
    pub(crate) fn clear_exception(self) {
        let _ = self.take_exception();
    }

    fn take_exception(self) -> Option<JsValue<'call>> {
        let pending = ask!(false, napi_is_exception_pending(self.env)) == Ok(true);
        pending.then(|| value!(self, napi_get_and_clear_last_exception()).ok()).flatten()
    }

    /// Makes a pending exception what it is where Node's own code calls a listener: an 'uncaughtException'. False when
    /// there is none, or the environment is ending and nobody is left to report to.
    pub(crate) fn report_exception(self) -> bool {
        self.take_exception().is_some_and(|error| self.report(error))
    }

    /// Makes a fault of ours an 'uncaughtException'.
    pub(super) fn report_fault(self, message: &str) {
        let error = self.string("ERR_RW_INTERNAL").and_then(|code| {
            let message = self.string(message)?;
            value!(self, napi_create_error(code.raw, message.raw))
        });
        if let Ok(error) = error {
            self.report(error);
        }
    }

    fn report(self, error: JsValue<'call>) -> bool {
        let told = self.throw_uncaught(error).is_ok();
        // An exception in a handler of 'uncaughtException' has ended the process, or this worker.
        self.clear_exception();
        told
    }
}
