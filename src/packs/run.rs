//! A task of a pack as the registry runs it: what goes into its function, and what comes out.

// It calls a function of a library.
#![allow(unsafe_code)]

use rust_workers_abi::{self as abi, outcome};

use super::call::{Call, Shown};
use super::host::HOST;
use super::task::{Data, PackTask};
use crate::error::Result;
use crate::shared::{ExclusiveRange, SharedRange, take};
use crate::tasks::{Context, Run};
use crate::value::{SharedBytes, Value};

/// It in the registry. Packs are never unloaded, nor are their tasks.
pub(super) struct Registered(pub(super) &'static PackTask);

impl Run for Registered {
    fn run(&self, input: Value, context: &Context<'_>) -> Result<Value> {
        let task = self.0;
        run_function(task, task.run, task.data, input, context)
    }
}

/// Runs a function as this task.
pub(super) fn run_function(
    task: &'static PackTask,
    run: abi::RunFn,
    data: Data,
    input: Value,
    context: &Context<'_>,
) -> Result<Value> {
    let described = input.describe();
    let shown = Shown::of(input)?;
    // Until the task has ended.
    let _claims = claim(task.flags, &shown, context)?;
    let mut call = Call::whole(task, context, shown);
    let input = call.input().map_or(abi::Value::EMPTY, Shown::as_abi);
    // SAFETY: the function is that of a task in the pack's table, which lives as long as the process (`loader.rs`), or of an addon, which
    // does so too (`engine/pin.rs`); the call, its input and the table of the host are there until it returns.
    let outcome = unsafe { run(&raw const HOST, call.as_abi(), &raw const input, data.0) };
    match outcome {
        outcome::OK => call.take_result().map_err(|error| task.bad_result(&error)),
        other => Err(task.failure(other, call.failed(), described)),
    }
}

/// Shared memory that a task has while it runs.
#[allow(dead_code)] // they are held
enum Claim {
    Exclusive(ExclusiveRange),
    Shared(SharedRange),
}

/// Takes the shared memory of an input, as the flags of the task say: every task takes it in one order, so that no two wait for each
/// other; and what overlaps in one input is taken once.
fn claim(flags: u32, input: &Shown, context: &Context<'_>) -> Result<Vec<Claim>> {
    let exclusive = flags & abi::flags::IN_PLACE != 0;
    if !exclusive && flags & abi::flags::ATOMIC != 0 {
        return Ok(Vec::new());
    }
    let ranges = in_order(input.shared().filter(|shared| !shared.is_empty()));
    let claim = |(shared, start, end): (&SharedBytes, usize, usize)| {
        let (access, limit) = (shared.access(), context.wait_limit());
        Ok(if exclusive {
            Claim::Exclusive(take(access, start, end - start, limit)?)
        } else {
            Claim::Shared(take(access, start, end - start, limit)?)
        })
    };
    ranges.into_iter().map(claim).collect()
}

/// Ranges of shared memory in the order in which they are taken, those that overlap as one.
fn in_order<'a>(shared: impl Iterator<Item = &'a SharedBytes>) -> Vec<(&'a SharedBytes, usize, usize)> {
    let mut ranges: Vec<_> =
        shared.map(|shared| (shared, shared.offset(), shared.offset() + shared.len())).collect();
    ranges.sort_by_key(|(shared, start, _)| (shared.region().id(), *start));
    ranges.dedup_by(|(next, start, end), (kept, _, kept_end)| {
        let overlap = next.region().id() == kept.region().id() && *start < *kept_end;
        if overlap {
            *kept_end = (*kept_end).max(*end);
        }
        overlap
    });
    ranges
}
