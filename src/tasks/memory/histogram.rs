//! `histogram`: how often values occur.

use std::sync::Arc;

use super::elements::{Parallel, SECTION, Scalar, Subject, no_halves, sections, slice, with_type};
use crate::error::Result;
use crate::shared::{SharedRange, bulk, take};
use crate::sync::Mutex;
use crate::tasks::input::{Input, InputError, InputResult, Options, Whole};
use crate::tasks::{Context, Task};
use crate::value::{Bytes, BytesKind, SharedBytes, Value};

/// Most bins: their table stays in the cache.
const MOST_BINS: u64 = 1 << 16;

struct Histogram {
    input: Parallel<Subject>,
    /// None: one bin for each byte value.
    bins: Option<Bins>,
}

/// Bins of equal width over a range.
#[derive(Clone, Copy)]
struct Bins {
    count: usize,
    min: f64,
    max: f64,
}

impl Bins {
    /// The bin of a value. The greatest value belongs to the last one; a value outside has none.
    #[inline(always)]
    fn of(&self, value: f64) -> Option<usize> {
        if !(value >= self.min && value <= self.max) {
            return None;
        }
        #[allow(clippy::cast_precision_loss)]
        let at = (value - self.min) / (self.max - self.min) * self.count as f64;
        Some((at as usize).min(self.count - 1))
    }
}

impl Input for Histogram {
    fn from_value(value: Value) -> InputResult<Self> {
        if !matches!(value, Value::Object(_)) {
            return Ok(Histogram { input: Parallel::from_value(value)?, bins: None });
        }
        Options::read(value, |options| {
            let input = Parallel::from_options(options)?;
            let Some(Whole(count)) = options.optional::<Whole<MOST_BINS>>("bins")? else {
                options.ignore(&["min", "max"]);
                return Ok(Histogram { input, bins: None });
            };
            let (min, max) = (options.required::<f64>("min")?, options.required::<f64>("max")?);
            let width = max - min;
            if count == 0 || width.is_nan() || width.is_infinite() || width <= 0.0 {
                return Err(InputError::out_of_range(format_args!("{count} bins from {min} to {max}")));
            }
            Ok(Histogram { input, bins: Some(Bins { count: count as usize, min, max }) })
        })
    }
}

/// `histogram`: a `Float64Array` of counts. Without bins, how often each of the 256 byte values occurs; with them, how
/// many elements lie in each. Values outside and NaN are not counted.
pub(in crate::tasks) fn histogram() -> Task {
    Task::new(
        "histogram",
        "a typed array or shared memory, or { data, bins?: 1 to 65536, min, max, parallel?: boolean }",
        |Histogram { input, bins }: Histogram, context| {
            let counts = match (input.data, bins) {
                (Subject::Own(bytes), None) => of_bytes(&bytes, context)?,
                (Subject::Own(bytes), Some(bins)) => {
                    with_type!(bytes.kind(), T => {
                        let mut counts = vec![0_u64; bins.count];
                        for block in slice::<T>(&bytes)?.chunks(1 << 15) {
                            context.checkpoint()?;
                            block.iter().filter_map(|element| bins.of(element.to_f64())).for_each(|bin| counts[bin] += 1);
                        }
                        counts
                    }, else return Err(no_halves("histogram")))
                }
                (Subject::Shared(shared), None) => of_shared_bytes(&shared, input.parallel, context)?,
                (Subject::Shared(shared), Some(bins)) => {
                    with_type!(shared.kind(), T => of_shared::<T>(&shared, bins, input.parallel, context)?,
                        else return Err(no_halves("histogram")))
                }
            };
            #[allow(clippy::cast_precision_loss)]
            let counts: Vec<f64> = counts.into_iter().map(|count| count as f64).collect();
            Bytes::copy_from(BytesKind::Float64, bytemuck::cast_slice(&counts))
        },
    )
    .parallel()
}

fn of_bytes(bytes: &Bytes, context: &Context<'_>) -> Result<Vec<u64>> {
    let mut counts = vec![0_u64; 256];
    for block in bytes.as_slice().chunks(SECTION) {
        context.checkpoint()?;
        block.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    }
    Ok(counts)
}

/// Counts by section, and adds them up.
fn gather(
    shared: &SharedBytes,
    size: usize,
    parallel: bool,
    context: &Context<'_>,
    count: impl Fn(&SharedRange, usize, usize, &Context<'_>) -> Result<Vec<u64>> + Send + Sync + 'static,
    bins: usize,
) -> Result<Vec<u64>> {
    let range: SharedRange = take(shared.access(), shared.offset(), shared.len(), context.wait_limit())?;
    let sections = sections(shared.len() / size, parallel, context);
    let total = Arc::new(Mutex::new(vec![0_u64; bins]));
    let sum = Arc::clone(&total);
    context.parallel_for(sections.len(), move |part, context| {
        let (first, length) = sections[part];
        let counts = count(&range, range.range().start + first * size, length, context)?;
        sum.lock().iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        Ok(())
    })?;
    let mut total = total.lock();
    Ok(std::mem::take(&mut *total))
}

fn of_shared_bytes(shared: &SharedBytes, parallel: bool, context: &Context<'_>) -> Result<Vec<u64>> {
    let count = |range: &SharedRange, offset, length, context: &Context<'_>| {
        let counts = bulk::histogram(range.access(), offset, length, || context.checkpoint())?;
        Ok(counts.to_vec())
    };
    gather(shared, 1, parallel, context, count, 256)
}

fn of_shared<T: Scalar>(
    shared: &SharedBytes,
    bins: Bins,
    parallel: bool,
    context: &Context<'_>,
) -> Result<Vec<u64>> {
    let count = move |range: &SharedRange, offset, length, context: &Context<'_>| {
        let counts = vec![0_u64; bins.count];
        let step = |mut counts: Vec<u64>, element: T| {
            if let Some(bin) = bins.of(element.to_f64()) {
                counts[bin] += 1;
            }
            counts
        };
        bulk::fold(range.access(), offset, length, counts, step, || context.checkpoint())
    };
    gather(shared, size_of::<T>(), parallel, context, count, bins.count)
}
