//! Traces: what pools do, task by task.

use napi::Env;
use napi_derive::napi;

use crate::node::{Arguments, Call, Environment, Export, JsValue, Returned, export};
use crate::pool::{Cursor, Pool};

/// The raw exports by name.
pub(super) const EXPORTS: &[Export] = &[(c"readTrace", export(read_trace))];

/// Keeps the last so many records of each thread of a pool, until `closeTrace` with the same number.
#[napi(catch_unwind)]
pub fn open_trace(env: Env, pool: u32, capacity: u32) -> napi::Result<()> {
    Environment::of(&env)?.pools().open_trace(pool, capacity as usize);
    Ok(())
}

/// A trace that wanted so many records has ended.
#[napi(catch_unwind)]
pub fn close_trace(env: Env, pool: u32, capacity: u32) -> napi::Result<()> {
    Environment::of(&env)?.pools().close_trace(pool, capacity as usize);
    Ok(())
}

/// The name of the task that a record of a trace has as one number; nothing where there is none.
#[napi(catch_unwind)]
pub fn traced_name(env: Env, pool: u32, task: u32) -> napi::Result<Option<String>> {
    let name = |pool: &Pool| pool.traced_name(task);
    Ok(Environment::of(&env)?.pools().with(pool, name).flatten())
}

/// `readTrace(pool, cursors)`: the numbers of [`TraceNumbers`](crate::pool::TraceNumbers) since these cursors, as the memory of
/// `f64`s; nothing for a pool that is gone. Cursors are an array: kind and number of the lane, and what was read, one after the other.
fn read_trace<'call>(call: Call<'call>, [pool, cursors]: Arguments<'call, 2>) -> Returned<'call> {
    let length = call.js.array_length(cursors)?;
    let number = |index: u32| call.js.read_number(call.js.get(cursors, index)?);
    let cursors: Result<Vec<Cursor>, _> = (0..length / 3)
        .map(|at| {
            let (kind, thread, read) = (number(at * 3)?, number(at * 3 + 1)?, number(at * 3 + 2)?);
            Ok(Cursor { kind: kind as u32, number: thread as usize, read: read as u64 })
        })
        .collect();
    let read = call.environment.pools().read_trace(call.js, call.js.read_u32(pool)?, cursors?)?;
    Ok(read.unwrap_or(JsValue::NOTHING))
}
