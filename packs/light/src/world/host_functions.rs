//! Functions that code in a world can call and that are not its own: the host's by name, and `progress`.
//!
//! Unsafe: functions that the interpreter calls, with its arguments as it gives them.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

use rust_workers_abi::{outcome, wire as tag};
use rust_workers_quickjs as sys;

use super::convert::{self, Unwritten};
use super::js::{Context, Outcome, Thrown, Value};
use super::stage::Core;
use crate::host::Lent;
use crate::wire::cursor::Cursor;
use crate::wire::output::Output;

/// The most that goes to the host at once.
const LIMIT: usize = 64 << 20;

/// `progress(value)`, in all worlds.
pub(crate) fn add_progress(context: Context<'_>) -> Result<(), Thrown> {
    let function = context.function(Some(progress), 0)?;
    context.global().define_hidden("progress", function)
}

/// The host's function `name`, which is the definition's `index`th.
pub(crate) fn add_host(context: Context<'_>, name: &str, index: usize) -> Result<(), Thrown> {
    let function = context.function(Some(call_host), index as i32)?;
    context.global().define_hidden(name, function)
}

/// `Math.random` that goes on from task to task: the interpreter's own is set back with its world.
pub(crate) fn add_random(context: Context<'_>) -> Result<(), Thrown> {
    let function = context.function(Some(random), 0)?;
    context.global().get("Math")?.define_hidden("random", function)
}

thread_local! {
    static RANDOM: Cell<u64> = Cell::new(RandomState::new().hash_one(0));
}

unsafe extern "C" fn random(
    _ctx: *mut sys::JSContext,
    _this: sys::JSValue,
    _count: i32,
    _arguments: *mut sys::JSValue,
    _magic: i32,
    _data: *mut sys::JSValue,
) -> sys::JSValue {
    // SplitMix64, of which the upper 53 bits are taken.
    let state = RANDOM.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
    RANDOM.set(state);
    let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    sys::JS_NewFloat64(((mixed ^ mixed >> 31) >> 11) as f64 / (1u64 << 53) as f64)
}

unsafe extern "C" fn call_host(
    ctx: *mut sys::JSContext,
    _this: sys::JSValue,
    count: i32,
    arguments: *mut sys::JSValue,
    index: i32,
    _data: *mut sys::JSValue,
) -> sys::JSValue {
    // SAFETY: the interpreter gives its own context.
    let core = unsafe { Core::of_context(ctx) };
    // SAFETY: the context lives during the call.
    let context = unsafe { Context::from_raw(ctx) };
    // SAFETY: the interpreter gives `count` arguments there.
    let arguments = unsafe { arguments_of(context, count, arguments) };
    raw(host(core, context, arguments, index as usize))
}

unsafe extern "C" fn progress(
    ctx: *mut sys::JSContext,
    _this: sys::JSValue,
    count: i32,
    arguments: *mut sys::JSValue,
    _magic: i32,
    _data: *mut sys::JSValue,
) -> sys::JSValue {
    // SAFETY: the interpreter gives its own context.
    let core = unsafe { Core::of_context(ctx) };
    // SAFETY: the context lives during the call.
    let context = unsafe { Context::from_raw(ctx) };
    // SAFETY: the interpreter gives `count` arguments there.
    let arguments = unsafe { arguments_of(context, count, arguments) };
    raw(report(core, context, arguments))
}

fn raw(outcome: Outcome<'_>) -> sys::JSValue {
    outcome.map_or(sys::JS_EXCEPTION, Value::into_raw)
}

/// # Safety
/// There are `count` values of this context at `arguments`.
unsafe fn arguments_of<'w>(context: Context<'w>, count: i32, arguments: *mut sys::JSValue) -> Vec<Value<'w>> {
    if count <= 0 {
        return Vec::new();
    }
    // SAFETY: by the contract.
    let raw = unsafe { std::slice::from_raw_parts(arguments, count as usize) };
    raw.iter().map(|raw| context.share(*raw)).collect()
}

fn type_error<'w>(core: &Core, context: Context<'w>, message: &str) -> Thrown {
    let Some(helpers) = core.helpers_of(context) else { return Thrown };
    let undefined = context.undefined();
    let make = || {
        let (class, message) = (context.text("TypeError")?, context.text(message)?);
        helpers.make_error(&class, &message, &undefined, &undefined)
    };
    match make() {
        Ok(error) => context.throw(error),
        Err(thrown) => thrown,
    }
}

/// Why a value cannot be given to the host, as an error where it was given.
fn unwritten(core: &Core, context: Context<'_>, refusal: Unwritten) -> Thrown {
    let message = match refusal {
        Unwritten::Thrown => return Thrown,
        Unwritten::TooLarge => "the value is too large for the host".to_owned(),
        Unwritten::TooDeep => "the value is nested too deep for the host".to_owned(),
        Unwritten::Cyclic(path) => format!("arguments{path} contains itself"),
        Unwritten::Unsupported(path, what) => {
            format!("arguments{path} is {what}, which cannot cross to the host")
        }
    };
    type_error(core, context, &message)
}

fn report<'w>(core: &Core, context: Context<'w>, arguments: Vec<Value<'w>>) -> Outcome<'w> {
    let (Some(call), Some(helpers)) = (core.watch.call(), core.helpers_of(context)) else {
        return Ok(context.undefined());
    };
    let value = arguments.into_iter().next().unwrap_or_else(|| context.undefined());
    let (mut output, lent) = (Output::new(LIMIT), Lent::default());
    convert::write(&helpers, &value, &mut output, &|bytes| lent.part(bytes), &|| core.watch.should_stop())
        .map_err(|refusal| unwritten(core, context, refusal))?;
    call.progress(output.wire(), output.parts());
    Ok(context.undefined())
}

/// Calls the host and waits: the promise is settled when the code gets it.
fn host<'w>(core: &Core, context: Context<'w>, arguments: Vec<Value<'w>>, index: usize) -> Outcome<'w> {
    let definition = core.definition.borrow().clone();
    let name = definition.as_ref().and_then(|definition| definition.host.get(index));
    let (Some(call), Some(helpers), Some(name)) = (core.watch.call(), core.helpers_of(context), name) else {
        return Err(type_error(
            core,
            context,
            "functions of the host can be called while a task runs, and not before",
        ));
    };
    let arguments = context.array(arguments)?;
    let (mut output, lent) = (Output::new(LIMIT), Lent::default());
    convert::write(&helpers, &arguments, &mut output, &|bytes| lent.part(bytes), &|| {
        core.watch.should_stop()
    })
    .map_err(|refusal| unwritten(core, context, refusal))?;
    let (outcome, answer) = call.call_js(name, output.wire(), output.parts(), |outcome, shown| {
        let answer = if outcome == outcome::STOPPED || shown.wire.first() != Some(&tag::HEADER) {
            Ok(context.undefined())
        } else if shown.has_shared() {
            // It is the host's again as soon as its answer is released, and code could keep it.
            Err(convert::Refusal::Malformed)
        } else {
            Cursor::new(shown.wire)
                .map_err(convert::Refusal::from)
                .and_then(|mut cursor| convert::read(&helpers, &mut cursor, shown.parts))
        };
        (outcome, answer)
    });
    if outcome == outcome::STOPPED || core.watch.should_stop() {
        return Err(context.throw_uncatchable());
    }
    match answer {
        Ok(answer) => context.settled(answer, outcome != outcome::OK),
        Err(convert::Refusal::Thrown) => Err(Thrown),
        Err(_) => Err(type_error(
            core,
            context,
            &format!("what '{name}' of the host gave is no value of light code"),
        )),
    }
}
