//! `fill`: one value for every element, as `TypedArray.prototype.fill` has it.

use super::elements::{Scalar, Subject, as_big_int, as_number, no_halves, sections, with_type};
use crate::error::Result;
use crate::shared::{ExclusiveRange, bulk, take};
use crate::tasks::input::{Input, InputError, InputResult, Options};
use crate::tasks::{Context, Task};
use crate::value::{BytesKind, SharedBytes, Value};

struct Fill {
    data: Subject,
    value: Operand,
    parallel: bool,
}

/// The value that the elements get.
#[derive(Clone, Copy)]
enum Operand {
    Number(f64),
    Low(u64),
}

impl Operand {
    fn element<T: Scalar>(self) -> T {
        match self {
            Operand::Number(number) => T::from_number(number),
            Operand::Low(bits) => T::from_low(bits),
        }
    }
}

impl Input for Fill {
    fn from_value(value: Value) -> InputResult<Self> {
        Options::read(value, |options| {
            let data: Subject = options.required("data")?;
            let kind = match &data {
                Subject::Own(bytes) => bytes.kind(),
                Subject::Shared(shared) => shared.kind(),
            };
            let value: Value = options.required("value")?;
            let number = as_number(&value).map(|number| match kind {
                // Rounded half to even and clamped: the `as` of Rust saturates.
                BytesKind::Uint8Clamped => f64::from(number.round_ties_even() as u8),
                _ => number,
            });
            let operand = match kind {
                BytesKind::BigInt64 | BytesKind::BigUint64 => as_big_int(&value).map(Operand::Low),
                _ => number.map(Operand::Number),
            };
            let value = operand.ok_or_else(|| {
                InputError::wrong_kind(format!(
                    "{} for option 'value' of {}",
                    value.describe(),
                    kind.describe()
                ))
            })?;
            Ok(Fill { data, value, parallel: options.optional("parallel")?.unwrap_or(false) })
        })
    }
}

/// `fill`: a typed array comes back filled; of shared memory the range is filled where it is.
pub(in crate::tasks) fn fill() -> Task {
    Task::new(
        "fill",
        "{ data: a typed array or shared memory, value: a number (a BigInt for BigInt elements), parallel?: boolean }",
        |Fill { data, value, parallel }: Fill, context| match data {
            Subject::Own(mut bytes) => {
                with_type!(bytes.kind(), T => {
                    let pattern = value.element::<T>();
                    for block in bytes.as_mut_slice().chunks_mut(bulk::CHUNK) {
                        context.checkpoint()?;
                        let element = bytemuck::bytes_of(&pattern);
                        block.chunks_exact_mut(element.len()).for_each(|to| to.copy_from_slice(element));
                    }
                    Ok(Value::Bytes(bytes))
                }, else Err(no_halves("fill")))
            }
            Subject::Shared(shared) => {
                with_type!(shared.kind(), T => of_shared(&shared, value.element::<T>(), parallel, context),
                    else Err(no_halves("fill")))
            }
        },
    )
    .in_place()
    .parallel()
}

fn of_shared<T: Scalar>(
    shared: &SharedBytes,
    value: T,
    parallel: bool,
    context: &Context<'_>,
) -> Result<Value> {
    let range: ExclusiveRange = take(shared.access(), shared.offset(), shared.len(), context.wait_limit())?;
    let sections = sections(shared.len() / size_of::<T>(), parallel, context);
    context.parallel_for(sections.len(), move |part, context| {
        let (mut first, count) = sections[part];
        let end = first + count;
        while first < end {
            context.checkpoint()?;
            let step = (bulk::CHUNK / size_of::<T>()).min(end - first);
            bulk::fill(range.access(), range.range().start + first * size_of::<T>(), step, value)?;
            first += step;
        }
        Ok(())
    })?;
    Ok(Value::Undefined)
}
