//! Sorting a range of shared memory where it is.
//!
//! Alone: a private copy, the sort of private memory, and back (`shared/exclusive.rs` explains why no slice may stand on
//! the bytes themselves).
//!
//! On several threads, elements of 32 and 64 bits are sorted in three passes, each in parts:
//!
//! 1. *Bounds.* Each section of the range gives its lowest and highest key and its number of NaNs.
//! 2. *Scatter.* Each section's keys are read once more and put into private memory, by their highest digit: counted,
//!    then moved, so that a bucket of the section is one run.
//! 3. *Groups.* Neighbouring buckets of together about [`GROUP`] keys are fetched from all sections, which is one run of
//!    each, sorted in the cache, and written to their place in the range.
//!
//! So every element is read three times and written twice, all but the scattered write in order.
//!
//! JavaScript may write meanwhile, and a count of the first pass then be wrong for the second. So nothing is indexed by
//! such a count unchecked: a key that no longer fits is left out, and its place keeps the old value.

use std::sync::Arc;

use super::order::{BLOCK, Order};
use super::own::sort;
use super::radix::Key;
use super::wide;
use crate::allocation;
use crate::error::Result;
use crate::shared::atomics::{CellOf, Element, Integer};
use crate::shared::{ExclusiveRange, bulk, take};
use crate::sync::Mutex;
use crate::tasks::Context;
use crate::value::{Bytes, BytesKind, SharedBytes, Words};

/// Fewer elements than this are sorted by one thread.
const FEW: usize = 1 << 16;
/// Keys that are fetched and sorted together.
const GROUP: usize = 1 << 16;
/// Bits of the digit by which keys are scattered.
const WIDEST: u32 = 11;
/// Keys that the scatter wants in each bucket, as a power of two.
const BUCKET_BITS: u32 = 13;

/// Sorts shared memory in place.
pub(super) fn sort_shared(shared: &SharedBytes, parallel: bool, context: &Context<'_>) -> Result<()> {
    use super::order::{Float, Signed, Unsigned};
    let range: ExclusiveRange = take(shared.access(), shared.offset(), shared.len(), context.wait_limit())?;
    let kind = shared.kind();
    let few = shared.len() / kind.element_size() < FEW;
    if !parallel || few || context.threads() == 1 {
        return alone(&range, kind, context);
    }
    match kind {
        BytesKind::Uint32 => together::<u32, Unsigned>(range, context),
        BytesKind::Int32 => together::<u32, Signed>(range, context),
        BytesKind::Float32 => together::<u32, Float>(range, context),
        BytesKind::BigUint64 => together::<u64, Unsigned>(range, context),
        BytesKind::BigInt64 => together::<u64, Signed>(range, context),
        BytesKind::Float64 => together::<u64, Float>(range, context),
        // Counting sorts: done before other threads would have come.
        _ => alone(&range, kind, context),
    }
}

fn alone(range: &ExclusiveRange, kind: BytesKind, context: &Context<'_>) -> Result<()> {
    let bytes = range.range();
    let mut copy = Words::zeroed(bytes.len())?;
    for (at, part) in (bytes.start..).step_by(bulk::CHUNK).zip(copy.as_mut_slice().chunks_mut(bulk::CHUNK)) {
        context.checkpoint()?;
        bulk::read_bytes(range.access(), at, part)?;
    }
    let mut copy = Bytes::owned(kind, copy);
    sort(&mut copy, context)?;
    // Not stopped from here on: half of it would be elements lost and others doubled.
    Ok(bulk::write_bytes(range.access(), bytes.start, copy.as_slice())?)
}

/// The bits of an element of the range.
trait Bits: Key + Element<Bits = Self> + Integer {}
impl Bits for u32 {}
impl Bits for u64 {}

/// The result of the first pass over a section.
#[derive(Clone, Copy)]
struct Bounds<K> {
    low: K,
    high: K,
    nans: usize,
}

/// A section's keys by bucket, and its NaNs as they came.
struct Scattered<K> {
    keys: Vec<K>,
    /// Where each bucket ends.
    ends: Vec<usize>,
    nans: Vec<K>,
}

impl<K: Key> Scattered<K> {
    fn start(&self, bucket: usize) -> usize {
        if bucket == 0 { 0 } else { self.ends[bucket - 1] }
    }

    /// The keys of some neighbouring buckets.
    fn run(&self, buckets: std::ops::Range<usize>) -> &[K] {
        &self.keys[self.start(buckets.start)..self.start(buckets.end)]
    }
}

/// How keys are split by their highest digit.
#[derive(Clone, Copy)]
struct Digit<K> {
    low: K,
    shift: u32,
    buckets: usize,
}

impl<K: Key> Digit<K> {
    fn new(low: K, high: K, count: usize) -> Self {
        let span = high.span(low);
        let width = count.ilog2().saturating_sub(BUCKET_BITS).clamp(1, WIDEST).min(span);
        Digit { low, shift: span - width, buckets: 1 << width }
    }

    #[inline(always)]
    fn of(&self, key: K) -> usize {
        // The mask is for keys that were written after the bounds were taken.
        key.above(self.low, self.shift) & (self.buckets - 1)
    }
}

fn together<K: Bits, O: Order<K> + 'static>(range: ExclusiveRange, context: &Context<'_>) -> Result<()> {
    let range = Arc::new(range);
    let count = range.range().len() / size_of::<K>();
    let parts = (2 * context.threads()).min(64);
    let sections: Arc<[(usize, usize)]> = bulk::split(count, parts, 64).collect();
    let bounds = bounds::<K, O>(&range, &sections, context)?;
    let nans: usize = bounds.iter().map(|bounds| bounds.nans).sum();
    let low = bounds.iter().map(|bounds| bounds.low).min().unwrap_or(K::MAX);
    let high = bounds.iter().map(|bounds| bounds.high).max().unwrap_or(K::MIN);
    if nans == count || (low >= high && nans == 0) {
        return Ok(());
    }
    let digit = Digit::new(low, high.max(low), count);
    let scattered = scatter::<K, O>(&range, &sections, &bounds, digit, context)?;
    sort_groups::<K, O>(&range, scattered, digit, context)
}

fn bounds<K: Bits, O: Order<K> + 'static>(
    range: &Arc<ExclusiveRange>,
    sections: &Arc<[(usize, usize)]>,
    context: &Context<'_>,
) -> Result<Vec<Bounds<K>>> {
    let found = Arc::new(Mutex::new(vec![Bounds { low: K::MAX, high: K::MIN, nans: 0 }; sections.len()]));
    let (results, range, sections) = (Arc::clone(&found), Arc::clone(range), Arc::clone(sections));
    context.parallel_for(sections.len(), move |part, context| {
        let mut bounds = Bounds { low: K::MAX, high: K::MIN, nans: 0 };
        let (first, length) = sections[part];
        for block in range.cells::<K>()?[first..first + length].chunks(BLOCK) {
            context.checkpoint()?;
            for cell in block {
                let bits = K::load_relaxed(cell);
                let nan = O::is_nan(bits);
                let key = O::key(bits);
                bounds.nans += usize::from(nan);
                bounds.low = bounds.low.min(if nan { K::MAX } else { key });
                bounds.high = bounds.high.max(if nan { K::MIN } else { key });
            }
        }
        results.lock()[part] = bounds;
        Ok(())
    })?;
    let mut found = found.lock();
    Ok(std::mem::take(&mut *found))
}

fn scatter<K: Bits, O: Order<K> + 'static>(
    range: &Arc<ExclusiveRange>,
    sections: &Arc<[(usize, usize)]>,
    bounds: &[Bounds<K>],
    digit: Digit<K>,
    context: &Context<'_>,
) -> Result<Vec<Scattered<K>>> {
    let done: Arc<Mutex<Vec<Option<Scattered<K>>>>> =
        Arc::new(Mutex::new(sections.iter().map(|_| None).collect()));
    let nans: Vec<usize> = bounds.iter().map(|bounds| bounds.nans).collect();
    let (results, range, sections) = (Arc::clone(&done), Arc::clone(range), Arc::clone(sections));
    context.parallel_for(sections.len(), move |part, context| {
        let (first, length) = sections[part];
        let cells = &range.cells::<K>()?[first..first + length];
        let scattered = scatter_section::<K, O>(cells, nans[part], digit, context)?;
        results.lock()[part] = Some(scattered);
        Ok(())
    })?;
    let mut done = done.lock();
    Ok(done.drain(..).flatten().collect())
}

fn scatter_section<K: Bits, O: Order<K>>(
    cells: &[CellOf<K>],
    nans: usize,
    digit: Digit<K>,
    context: &Context<'_>,
) -> Result<Scattered<K>> {
    let mut cursors = vec![0_usize; digit.buckets];
    for block in cells.chunks(BLOCK) {
        context.checkpoint()?;
        for cell in block {
            let bits = K::load_relaxed(cell);
            if !O::is_nan(bits) {
                cursors[digit.of(O::key(bits))] += 1;
            }
        }
    }
    let mut total = 0;
    for cell in &mut cursors {
        total += std::mem::replace(cell, total);
    }
    let mut ends: Vec<usize> = cursors.iter().skip(1).copied().collect();
    ends.push(total);
    let mut scattered =
        Scattered { keys: allocation::zeros(total)?, ends, nans: allocation::for_items(nans)? };
    for block in cells.chunks(BLOCK) {
        context.checkpoint()?;
        for cell in block {
            let bits = K::load_relaxed(cell);
            if O::is_nan(bits) {
                if scattered.nans.len() < nans {
                    scattered.nans.push(bits);
                }
                continue;
            }
            let key = O::key(bits);
            let bucket = digit.of(key);
            let at = cursors[bucket];
            if at < scattered.ends[bucket] {
                scattered.keys[at] = key;
                cursors[bucket] = at + 1;
            }
        }
    }
    Ok(scattered)
}

fn sort_groups<K: Bits, O: Order<K> + 'static>(
    range: &Arc<ExclusiveRange>,
    scattered: Vec<Scattered<K>>,
    digit: Digit<K>,
    context: &Context<'_>,
) -> Result<()> {
    let mut groups = Vec::new();
    let (mut first, mut start, mut size) = (0, 0, 0);
    for bucket in 0..digit.buckets {
        size += scattered.iter().map(|section| section.run(bucket..bucket + 1).len()).sum::<usize>();
        if size >= GROUP || bucket + 1 == digit.buckets {
            groups.push((first..bucket + 1, start, size));
            (first, start, size) = (bucket + 1, start + size, 0);
        }
    }
    let keys_end = start;
    let (range, count) = (Arc::clone(range), groups.len());
    context.parallel_for(count + 1, move |part, context| {
        let cells = range.cells::<K>()?;
        let Some((buckets, start, size)) = groups.get(part) else {
            let nans = scattered.iter().flat_map(|section| section.nans.iter().copied());
            bulk::write_cells::<K>(&cells[keys_end..], nans);
            return Ok(());
        };
        context.checkpoint()?;
        let mut keys = allocation::for_items(*size)?;
        for section in &scattered {
            keys.extend_from_slice(section.run(buckets.clone()));
        }
        let range = super::order::bounds(&keys);
        wide::sort(&mut keys, range, context, |sorted| super::order::restore::<K, O>(sorted))?;
        bulk::write_cells::<K>(&cells[*start..start + size], keys);
        Ok(())
    })
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::cancel::CancelToken;
    use crate::pool::{Config, Pool};
    use crate::shared::Region;
    use crate::tasks::Registry;
    use crate::tasks::testing::{object, run};
    use crate::value::Value;

    fn noise(count: usize) -> impl Iterator<Item = u64> {
        (1..=count as u64).map(|i| {
            let z = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z ^ (z >> 27)
        })
    }

    fn shared(kind: BytesKind, bytes: &[u8]) -> SharedBytes {
        let access = Region::allocate(bytes.len() + 16, bytes.len() + 16).unwrap().access().unwrap();
        bulk::fill(&access, 0, bytes.len() + 16, 0xEE_u8).unwrap();
        bulk::write_bytes(&access, 8, bytes).unwrap();
        SharedBytes::whole(access).view(kind, 8, bytes.len()).unwrap()
    }

    fn contents(shared: &SharedBytes) -> Vec<u8> {
        let mut bytes = vec![0; shared.len()];
        bulk::read_bytes(shared.access(), shared.offset(), &mut bytes).unwrap();
        let mut guards = [0; 16];
        bulk::read_bytes(shared.access(), 0, &mut guards[..8]).unwrap();
        bulk::read_bytes(shared.access(), 8 + shared.len(), &mut guards[8..]).unwrap();
        assert_eq!(guards, [0xEE; 16], "what lies outside the range is not touched");
        bytes
    }

    /// The same bits as the sort of private memory, by one thread and by several.
    fn agrees(kind: BytesKind, bytes: &[u8]) {
        let mut expected = Bytes::of(kind, bytes);
        let token = CancelToken::new(None);
        sort(&mut expected, &Context::new(&token)).unwrap();
        let pool = Pool::new(Config { max_threads: 4, ..Config::default() }, Arc::new(Registry::new()));
        for parallel in [false, true] {
            let memory = shared(kind, bytes);
            sort_shared(&memory, parallel, &Context::with_helpers(&token, &pool)).unwrap();
            assert!(contents(&memory) == expected.as_slice(), "{kind:?}, {} bytes, {parallel}", bytes.len());
        }
        pool.close(false, None);
    }

    #[test]
    fn every_type_is_sorted_as_private_memory_is() {
        for kind in BytesKind::ALL.into_iter().skip(3) {
            for count in [0, 1, 100, 70_000, 300_000] {
                let words: Vec<u64> = noise(count * kind.element_size() / 8 + 1).collect();
                agrees(kind, &bytemuck::cast_slice(&words)[..count * kind.element_size()]);
            }
        }
    }

    #[test]
    fn skewed_crowded_and_odd_floats_are_sorted() {
        const COUNT: usize = 200_000;
        let unit = |n: u64| (n >> 11) as f64 / (1_u64 << 53) as f64;
        let makers: [fn(usize, f64) -> f64; 6] = [
            |_, x| x,
            |_, x| x.powi(30),
            |i, x| if i % 3 == 0 { f64::NAN } else { x - 0.5 },
            |i, _| if i % 2 == 0 { 0.0 } else { -0.0 },
            |_, _| 7.0,
            |i, x| [f64::INFINITY, -f64::INFINITY, -f64::NAN, x, -x][i % 5],
        ];
        for make in makers {
            let numbers: Vec<f64> = noise(COUNT).enumerate().map(|(i, n)| make(i, unit(n))).collect();
            agrees(BytesKind::Float64, bytemuck::cast_slice(&numbers));
        }
    }

    #[test]
    fn a_writer_that_ignores_the_claim_harms_nobody() {
        let numbers: Vec<u64> = noise(200_000).collect();
        let memory = shared(BytesKind::BigUint64, bytemuck::cast_slice(&numbers));
        let pool = Pool::new(Config { max_threads: 3, ..Config::default() }, Arc::new(Registry::new()));
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for value in noise(usize::MAX) {
                    if stop.load(std::sync::atomic::Ordering::Relaxed) {
                        break;
                    }
                    let at = memory.offset() + (value % 200_000) as usize * 8;
                    crate::shared::atomics::write(memory.access(), at, value.rotate_left(9)).unwrap();
                }
            });
            let token = CancelToken::new(None);
            for _ in 0..10 {
                sort_shared(&memory, true, &Context::with_helpers(&token, &pool)).unwrap();
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        pool.close(false, None);
    }

    #[test]
    fn shared_memory_without_a_type_is_sorted_as_int32() {
        let numbers = [5_i32, -3, 9, 0];
        let access = Region::allocate(16, 16).unwrap().access().unwrap();
        bulk::write_bytes(&access, 0, bytemuck::cast_slice(&numbers)).unwrap();
        let data = Value::Shared(SharedBytes::whole(access.clone()));
        assert_eq!(run("sort", object([("data", data)])).unwrap(), Value::Undefined);
        let mut bytes = [0; 16];
        bulk::read_bytes(&access, 0, &mut bytes).unwrap();
        assert_eq!(bytemuck::cast_slice::<u8, i32>(&bytes), [-3, 0, 5, 9]);
    }
}
