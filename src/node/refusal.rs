//! How a refusal of the engine reaches JavaScript.

use super::js::{Js, JsValue, Result, Status};
use crate::error::Error;
use crate::shared::SharedError;

/// Why the engine did not do what JavaScript asked for.
pub(crate) enum Refusal {
    /// The refusal goes to JavaScript, which makes an error of it.
    Error(Error),
    /// A fault of ours, which is thrown.
    Fault(Status),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal::Error(error)
    }
}

impl From<SharedError> for Refusal {
    fn from(error: SharedError) -> Self {
        Refusal::Error(error.into())
    }
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        Refusal::Fault(status)
    }
}

/// The return value of a call: its result as `show` shows it, or `[code, message]` when the engine has refused.
#[inline]
pub(crate) fn answer<'call, T, E: Into<Refusal>>(
    js: Js<'call>,
    result: std::result::Result<T, E>,
    show: impl FnOnce(T) -> Result<JsValue<'call>>,
) -> Result<JsValue<'call>> {
    match result {
        Ok(value) => show(value),
        Err(refusal) => tell(js, refusal.into()),
    }
}

#[cold]
fn tell(js: Js<'_>, refusal: Refusal) -> Result<JsValue<'_>> {
    match refusal {
        Refusal::Error(error) => {
            let array = js.array(2)?;
            js.define(array, 0, js.string(error.code().as_str())?)?;
            js.define(array, 1, js.string(error.message())?)?;
            Ok(array)
        }
        Refusal::Fault(status) => Err(status),
    }
}
