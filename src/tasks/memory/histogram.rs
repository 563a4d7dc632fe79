//! `histogram`: how often values occur.

use std::sync::Arc;

use super::elements::{Parallel, SECTION, Scalar, Subject, no_halves, sections, slice, with_type};
use crate::error::Result;
use crate::shared::{SharedRange, bulk, take};
use crate::sync::Mutex;
use crate::tasks::input::{Input, InputError, InputResult, Options, Whole};
use crate::tasks::simd::vectorized;
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

/// Elements whose bins are found at a time.
const GROUP: usize = 1 << 10;

/// How often each bin occurs. Small tables there are four of, in turns: in a run of equal elements each count
/// would wait for the one before.
struct Counts {
    tables: Vec<u64>,
    /// Between the counts of a bin; one more than there are bins.
    stride: usize,
}

impl Counts {
    fn new(bins: usize) -> Self {
        let stride = bins + 1;
        Counts { tables: vec![0; if bins <= 1 << 12 { 4 * stride } else { stride }], stride }
    }

    /// Counts a bin for each; that behind the last one is for elements outside.
    fn add<N: Copy + Into<u32>>(&mut self, bins: &[N]) {
        let (quads, rest) =
            if self.tables.len() > self.stride { bins.as_chunks::<4>() } else { (&[][..], bins) };
        for quad in quads {
            for (nth, &bin) in quad.iter().enumerate() {
                self.tables[nth * self.stride + bin.into() as usize] += 1;
            }
        }
        for &bin in rest {
            self.tables[bin.into() as usize] += 1;
        }
    }

    /// The counts without those outside.
    fn total(&self) -> Vec<u64> {
        (0..self.stride - 1).map(|bin| self.tables[bin..].iter().step_by(self.stride).sum()).collect()
    }

    fn add_elements<T: Scalar>(&mut self, elements: &[T], bins: Bins) {
        let mut found = [0; GROUP];
        for group in elements.chunks(GROUP) {
            find(bins, group, &mut found);
            self.add(&found[..group.len()]);
        }
    }
}

vectorized! {
    /// The bin of each element. The greatest value belongs to the last one; a value outside, or NaN, to the one behind.
    fn find<T: Scalar>(bins: Bins, elements: &[T], found: &mut [u32; GROUP]) {
        /// From here on doubles are whole, and their lowest bits are the number.
        const WHOLE: f64 = (1_u64 << 52) as f64;
        let last = bins.count as u32 - 1;
        #[allow(clippy::cast_precision_loss)]
        let count = bins.count as f64;
        for (&element, bin) in elements.iter().zip(found) {
            let value = element.to_f64();
            let inside = (value >= bins.min) & (value <= bins.max);
            let at = (value - bins.min) / (bins.max - bins.min) * count;
            // Truncated in doubles: a cast, with all its cases, would not be compiled to vectors.
            let rounded = at + WHOLE - WHOLE;
            let truncated = if rounded > at { rounded - 1.0 } else { rounded };
            let whole = (truncated + WHOLE).to_bits() as u32;
            *bin = if inside { whole.min(last) } else { last + 1 };
        }
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
                        let mut counts = Counts::new(bins.count);
                        for block in slice::<T>(&bytes)?.chunks(1 << 15) {
                            context.checkpoint()?;
                            counts.add_elements(block, bins);
                        }
                        counts.total()
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
    let mut counts = Counts::new(256);
    for block in bytes.as_slice().chunks(SECTION) {
        context.checkpoint()?;
        counts.add(block);
    }
    Ok(counts.total())
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
        let mut counts = Counts::new(256);
        bulk::chunks(range.access(), offset, length, |bytes| {
            context.checkpoint()?;
            counts.add(bytes);
            Ok(())
        })?;
        Ok(counts.total())
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
        let mut counts = Counts::new(bins.count);
        let mut pace = context.pace(1 << 15);
        context.checkpoint()?;
        bulk::blocks::<T>(range.access(), offset, length, |block| {
            pace.spend(block.len())?;
            counts.add_elements(block, bins);
            Ok(())
        })?;
        Ok(counts.total())
    };
    gather(shared, size_of::<T>(), parallel, context, count, bins.count)
}
