//! Helpers for the tests of all tasks.

use std::time::Duration;

use super::{Context, builtin};
use crate::cancel::{CancelToken, Reason};
use crate::error::{Error, Result};
use crate::sync::Instant;
use crate::value::{Text, Value};

/// Runs a built-in task as a pool would, without a pool.
pub(super) fn run(name: &str, input: impl Into<Value>) -> Result<Value> {
    run_with(name, input.into(), &CancelToken::new(None))
}

/// The result of a task that must succeed.
pub(super) fn ok(name: &str, input: impl Into<Value>) -> Value {
    run(name, input).unwrap()
}

/// The error of a task that must fail.
pub(super) fn refused(name: &str, input: impl Into<Value>) -> Error {
    run(name, input).unwrap_err()
}

/// An object.
pub(super) fn object<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Object(entries.map(|(key, value)| (Text::from(key), value)).into())
}

/// Checks that a task with some milliseconds of work or more before it is not begun when it
/// is cancelled already, and stops soon when its time is up in the middle.
pub(super) fn stops_when_cancelled(name: &str, input: impl Fn() -> Value) {
    const PATIENCE: Duration = Duration::from_secs(5);
    let token = CancelToken::new(None);
    token.cancel(Reason::PoolClosed);
    let error = run_with(name, input(), &token).expect_err("a cancelled task ends with an error");
    assert_eq!(error, Reason::PoolClosed.into_error());

    let input = input();
    let token = CancelToken::new(Some(Instant::now() + Duration::from_micros(300)));
    let started = Instant::now();
    let error = run_with(name, input, &token).expect_err("a task past its deadline ends with an error");
    assert_eq!(error, Reason::TimedOut.into_error());
    assert!(started.elapsed() < PATIENCE, "stopped after {:?}", started.elapsed());
}

fn run_with(name: &str, input: Value, token: &CancelToken) -> Result<Value> {
    let tasks = builtin();
    let index = tasks.number_of(name).expect("a built-in task of that name");
    tasks.at(index).expect("indexed").run(input, &Context::new(token))
}
