//! Answers to tasks that have called a function of JavaScript.

use napi::Env;
use napi_derive::napi;

use crate::error::{Code, Error};
use crate::node::{Arguments, Call, Environment, Export, Input, JsValue, Returned, export};

/// The raw exports by name.
pub(super) const EXPORTS: &[Export] = &[(c"answerCall", export(answer))];

/// `answerCall(call, hasThrown, form, value, length, parts)`: what the function has returned, or thrown. Nothing happens where the task
/// waits no more.
fn answer<'call>(call: Call<'call>, arguments: Arguments<'call, 6>) -> Returned<'call> {
    let [number, has_thrown, form, value, length, parts] = arguments;
    let (number, has_thrown) = (call.js.read_u64(number)?, call.js.read_bool(has_thrown)?);
    let value = call.inputs().read(Input::of_arguments(call.js, [form, value, length, parts])?)?;
    call.core().calls().answer(number, Ok(if has_thrown { Err(value) } else { Ok(value) }));
    Ok(JsValue::NOTHING)
}

/// The function was not called, for a reason that has a code of the native side.
#[napi(catch_unwind)]
pub fn refuse_call(env: Env, call: f64, code: String, message: String) -> napi::Result<()> {
    let code = Code::of(&code).unwrap_or(Code::TaskFailed);
    Environment::of(&env)?.core().calls().answer(call as u64, Err(Error::new(code, message)));
    Ok(())
}
