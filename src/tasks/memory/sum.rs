//! `sum`: the sum of all elements.

use std::sync::Arc;

use super::elements::{Parallel, Scalar, Subject, big_int, no_halves, sections, slice, with_type};
use crate::error::Result;
use crate::shared::{SharedRange, bulk, take};
use crate::sync::Mutex;
use crate::tasks::{Context, Task};
use crate::value::{SharedBytes, Value};

/// Elements between two checkpoints.
const BLOCK: usize = 1 << 15;

/// `sum` of a typed array or of shared memory: a number, exact for integers until it is rounded to one; a BigInt for
/// BigInt elements, exact. Floats are added in order, as a loop does, in parallel in order within each section.
pub(in crate::tasks) fn sum() -> Task {
    Task::new(
        "sum",
        "a typed array or shared memory, or { data, parallel?: boolean }",
        |Parallel { data, parallel }: Parallel<Subject>, context| match data {
            Subject::Own(bytes) => {
                with_type!(bytes.kind(), T => {
                    let mut total = Total::default();
                    for block in slice::<T>(&bytes)?.chunks(BLOCK) {
                        context.checkpoint()?;
                        total = block.iter().fold(total, |total, element| total.with(*element));
                    }
                    Ok(total.into_value::<T>())
                }, else Err(no_halves("sum")))
            }
            Subject::Shared(shared) => {
                with_type!(shared.kind(), T => of_shared::<T>(&shared, parallel, context), else Err(no_halves("sum")))
            }
        },
    )
    .parallel()
}

/// Both sums. The element type selects the one that counts, and the other is optimised away.
#[derive(Clone, Copy, Default)]
struct Total {
    whole: i128,
    float: f64,
}

impl Total {
    #[inline(always)]
    fn with<T: Scalar>(self, element: T) -> Self {
        if is_float::<T>() {
            Total { whole: 0, float: self.float + element.to_f64() }
        } else {
            Total { whole: self.whole + element.to_i128(), float: 0.0 }
        }
    }

    fn and(self, other: Self) -> Self {
        Total { whole: self.whole + other.whole, float: self.float + other.float }
    }

    #[allow(clippy::cast_precision_loss)]
    fn into_value<T: Scalar>(self) -> Value {
        if T::BIG {
            big_int(self.whole)
        } else if is_float::<T>() {
            Value::Number(self.float)
        } else {
            Value::Number(self.whole as f64)
        }
    }
}

/// Whether 0.5 survives in it.
fn is_float<T: Scalar>() -> bool {
    T::from_number(0.5).to_f64() != 0.0
}

fn of_shared<T: Scalar>(shared: &SharedBytes, parallel: bool, context: &Context<'_>) -> Result<Value> {
    let range: SharedRange = take(shared.access(), shared.offset(), shared.len(), context.wait_limit())?;
    let sections = sections(shared.len() / size_of::<T>(), parallel, context);
    let totals = Arc::new(Mutex::new(vec![Total::default(); sections.len()]));
    let (results, range) = (Arc::clone(&totals), Arc::new(range));
    context.parallel_for(sections.len(), move |part, context| {
        let (first, count) = sections[part];
        let offset = range.range().start + first * size_of::<T>();
        let add = |total: Total, element: T| total.with(element);
        let total =
            bulk::fold(range.access(), offset, count, Total::default(), add, || context.checkpoint())?;
        results.lock()[part] = total;
        Ok(())
    })?;
    let totals = totals.lock();
    Ok(totals.iter().copied().fold(Total::default(), Total::and).into_value::<T>())
}
