//! `sum`: the sum of all elements.
//!
//! Integers are added exactly. Floats are added in the order *interleaved* (`running_sums.rs`) within each section of
//! 262,144 elements, and the sections' sums one after the other; so the result does not depend on how many threads take part.
//! In the order *sequential* they are added one after the other, as a loop does, by one thread.

use std::sync::Arc;

use super::elements::{Parallel, SECTION, Scalar, Subject, big_int, no_halves, slice, with_type};
use super::total::Total;
use crate::error::Result;
use crate::shared::{SharedRange, bulk, take};
use crate::sync::Mutex;
use crate::tasks::input::{Input, InputResult, Options};
use crate::tasks::running_sums::Order;
use crate::tasks::{Context, Task};
use crate::value::{SharedBytes, Value};

/// Elements between two checkpoints.
const BLOCK: usize = 1 << 15;

struct Sum {
    input: Parallel<Subject>,
    order: Order,
}

impl Input for Sum {
    fn from_value(value: Value) -> InputResult<Self> {
        if !matches!(value, Value::Object(_)) {
            return Ok(Sum { input: Parallel::from_value(value)?, order: Order::default() });
        }
        Options::read(value, |options| {
            let input = Parallel::from_options(options)?;
            Ok(Sum { input, order: options.optional("order")?.unwrap_or_default() })
        })
    }
}

/// `sum` of a typed array or of shared memory: a number, exact for integers until it is rounded to one; a BigInt for
/// BigInt elements, exact.
pub(in crate::tasks) fn sum() -> Task {
    Task::new(
        "sum",
        "a typed array or shared memory, or { data, order?: 'interleaved' | 'sequential', parallel?: boolean }",
        |Sum { input: Parallel { data, parallel }, order }: Sum, context| match data {
            Subject::Own(bytes) => {
                with_type!(bytes.kind(), T => of_own(slice::<T>(&bytes)?, order, context), else Err(no_halves("sum")))
            }
            Subject::Shared(shared) => {
                with_type!(shared.kind(), T => of_shared::<T>(&shared, order, parallel, context),
                    else Err(no_halves("sum")))
            }
        },
    )
    .parallel()
}

#[allow(clippy::cast_precision_loss)]
fn into_value<T: Scalar>(total: Total) -> Value {
    if T::BIG {
        big_int(total.whole)
    } else if T::FLOAT {
        Value::Number(total.float.total())
    } else {
        Value::Number(total.whole as f64)
    }
}

/// The sum of the sums of sections.
fn of_sections<T: Scalar>(sections: impl IntoIterator<Item = Total>) -> Value {
    let mut sum = Total::new(Order::Sequential);
    for section in sections {
        sum.whole += section.whole;
        sum.float.add(&[section.float.total()]);
    }
    into_value::<T>(sum)
}

/// Elements whose sum is taken by itself.
fn section<T: Scalar>(order: Order) -> usize {
    if T::FLOAT && order == Order::Sequential { usize::MAX } else { SECTION }
}

fn of_own<T: Scalar>(elements: &[T], order: Order, context: &Context<'_>) -> Result<Value> {
    let mut totals = Vec::new();
    for section in elements.chunks(section::<T>(order)) {
        let mut total = Total::new(order);
        for block in section.chunks(BLOCK) {
            context.checkpoint()?;
            T::add(&mut total, block);
        }
        totals.push(total);
    }
    Ok(of_sections::<T>(totals))
}

fn of_shared<T: Scalar>(
    shared: &SharedBytes,
    order: Order,
    parallel: bool,
    context: &Context<'_>,
) -> Result<Value> {
    let range: SharedRange = take(shared.access(), shared.offset(), shared.len(), context.wait_limit())?;
    let count = shared.len() / size_of::<T>();
    let section = section::<T>(order);
    let sections = count.div_ceil(section);
    let totals = Arc::new(Mutex::new(vec![Total::new(order); sections]));
    let (results, range) = (Arc::clone(&totals), Arc::new(range));
    let each = move |nth: usize, context: &Context<'_>| {
        let first = nth * section;
        let offset = range.range().start + first * size_of::<T>();
        let mut total = Total::new(order);
        let mut pace = context.pace(BLOCK);
        bulk::blocks::<T>(range.access(), offset, section.min(count - first), |block| {
            pace.spend(block.len())?;
            T::add(&mut total, block);
            Ok(())
        })?;
        results.lock()[nth] = total;
        Ok(())
    };
    context.checkpoint()?;
    if parallel {
        context.parallel_for(sections, each)?;
    } else {
        (0..sections).try_for_each(|nth| each(nth, context))?;
    }
    let totals = totals.lock();
    Ok(of_sections::<T>(totals.iter().copied()))
}
