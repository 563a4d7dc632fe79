//! Tasks for the tests of the pool, which knows no others.

use std::time::Duration;

use super::{Execute, Helpers, PartWork};
use crate::cancel::CancelToken;
use crate::error::{Code, Error, Result};
use crate::value::{Payload, Value};

/// Gives its input back.
pub(super) const ECHO: usize = 0;
/// Sleeps for so many milliseconds.
pub(super) const SLEEP: usize = 1;
/// Panics.
pub(super) const PANIC: usize = 2;
/// Fails for a number below zero.
pub(super) const FAIL: usize = 3;
/// Gives twice a number from 0 on; undefined for -1, a text for -2. Fails for -3, panics for -4.
pub(super) const VARIED: usize = 4;
/// Sleeps as well; the pool learns nothing about the other from it.
pub(super) const HOLD: usize = 5;
/// Calls a function, as often as its input says.
pub(super) const CALL: usize = 6;

/// No other threads.
pub(super) struct NoHelpers;

impl Helpers for NoHelpers {
    fn max_threads(&self) -> usize {
        1
    }

    fn parallel_for(&self, count: usize, work: PartWork, token: &CancelToken) -> Result<()> {
        (0..count).try_for_each(|part| work(part, token))
    }
}

pub(super) struct TestTasks;

impl Execute for TestTasks {
    fn execute(
        &self,
        task: usize,
        input: Payload,
        token: &CancelToken,
        helpers: &dyn Helpers,
    ) -> Result<Value> {
        match (task, input.into_value()?) {
            (ECHO, value) => Ok(value),
            (SLEEP | HOLD, Value::Number(millis)) => {
                token.sleep(Duration::from_secs_f64(millis / 1000.0)).map(|()| Value::Number(millis))
            }
            (CALL, Value::Number(times)) => {
                for _ in 0..times as usize {
                    helpers.call("function", Value::Null, token)?.expect("it returns");
                }
                Ok(Value::Number(times))
            }
            (PANIC, value) => panic!("on purpose: {value:?}"),
            (FAIL, Value::Number(n)) if n < 0.0 => Err(Error::new(Code::TaskFailed, "below zero")),
            (FAIL, value) => Ok(value),
            (VARIED, Value::Number(n)) if n >= 0.0 => Ok(Value::Number(n * 2.0)),
            (VARIED, Value::Number(-1.0)) => Ok(Value::Undefined),
            (VARIED, Value::Number(-2.0)) => Ok(Value::from("two")),
            (VARIED, Value::Number(-3.0)) => Err(Error::new(Code::TaskFailed, "three")),
            (_, value) => panic!("no test has a task {task} of {value:?}"),
        }
    }

    fn name(&self, task: usize) -> &str {
        ["echo", "sleep", "panic", "fail", "varied", "hold", "call"][task]
    }
}
