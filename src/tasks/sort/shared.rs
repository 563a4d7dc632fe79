//! Sorting a range of shared memory where it is.
//!
//! Alone: a private copy, the sort of private memory, and back (`shared/exclusive.rs` explains why no slice may stand on
//! the bytes themselves).
//!
//! On several threads, elements of 32 and 64 bits are sorted in two passes, each in parts:
//!
//! 1. *Divide.* Each section of the range is read into private memory as keys, a chunk at a time; while a chunk is in the
//!    cache, it is partitioned by splitters, which a sample gave, into buckets.
//! 2. *Gather.* Each bucket is fetched from all chunks, where it is one run of each, sorted, and written to its place in
//!    the range.
//!
//! So every element is read and written twice, always in order.
//!
//! JavaScript may write meanwhile. Each element is read once, so none is lost or doubled, whatever is written.

use std::sync::Arc;

use super::key::Key;
use super::order::{self, Order};
use super::own::sort;
use super::spread::spread;
use super::wide;
use crate::allocation;
use crate::error::Result;
use crate::shared::atomics::{Element, Integer};
use crate::shared::{ExclusiveRange, bulk, take};
use crate::sync::Mutex;
use crate::tasks::Context;
use crate::value::{Bytes, BytesKind, SharedBytes, Words};

/// Fewer elements than this are sorted by one thread.
const FEW: usize = 1 << 16;
/// Elements that are divided while they are in the cache.
const CHUNK: usize = 1 << 15;
/// Keys that a bucket should have, as a power of two: they are sorted in the cache, for the most part.
const BUCKET_BITS: u32 = 17;
/// Buckets, at most: in a chunk, runs of some hundred keys.
const MOST_BUCKETS: usize = 64;
/// Elements of the sample for each bucket.
const SAMPLE: usize = 32;

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

/// A section's keys, chunk by chunk, and its NaNs as they came.
struct Divided<K> {
    keys: Vec<K>,
    /// Where each bucket of each chunk ends, chunk by chunk.
    ends: Vec<usize>,
    nans: Vec<K>,
}

impl<K: Copy> Divided<K> {
    /// The runs of a bucket out of so many.
    fn runs(&self, bucket: usize, buckets: usize) -> impl Iterator<Item = &[K]> {
        (bucket..self.ends.len()).step_by(buckets).map(|at| {
            let start = if at == 0 { 0 } else { self.ends[at - 1] };
            &self.keys[start..self.ends[at]]
        })
    }
}

fn together<K: Bits, O: Order<K> + 'static>(range: ExclusiveRange, context: &Context<'_>) -> Result<()> {
    let range = Arc::new(range);
    let splitters = splitters::<K, O>(&range)?;
    let buckets = splitters.len() + 1;
    let divided = divide::<K, O>(&range, splitters, context)?;
    gather::<K, O>(&range, divided, buckets, context)
}

/// Keys that divide the range into buckets of about the same size, all different.
fn splitters<K: Bits, O: Order<K>>(range: &ExclusiveRange) -> Result<Vec<K>> {
    let cells = range.cells::<K>()?;
    let buckets = (cells.len() >> BUCKET_BITS).next_power_of_two().clamp(4, MOST_BUCKETS);
    let stride = cells.len() / (SAMPLE * buckets);
    let mut random = 0_u64;
    let mut sample: Vec<K> = cells
        .chunks_exact(stride)
        .map(|part| {
            random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            K::load_relaxed(&part[(random >> 33) as usize % stride])
        })
        .filter(|&bits| !O::is_nan(bits))
        .map(O::key)
        .collect();
    sample.sort_unstable();
    let mut splitters: Vec<K> =
        (1..buckets).filter_map(|nth| sample.get(nth * sample.len() / buckets).copied()).collect();
    splitters.dedup();
    Ok(splitters)
}

fn divide<K: Bits, O: Order<K> + 'static>(
    range: &Arc<ExclusiveRange>,
    splitters: Vec<K>,
    context: &Context<'_>,
) -> Result<Vec<Divided<K>>> {
    let count = range.range().len() / size_of::<K>();
    let parts = (2 * context.threads()).min(64);
    let sections: Vec<(usize, usize)> = bulk::split(count, parts, 64).collect();
    let done: Arc<Mutex<Vec<Option<Divided<K>>>>> =
        Arc::new(Mutex::new(sections.iter().map(|_| None).collect()));
    let (results, range) = (Arc::clone(&done), Arc::clone(range));
    context.parallel_for(sections.len(), move |part, context| {
        let (first, length) = sections[part];
        let mut divided =
            Divided { keys: allocation::for_items(length)?, ends: Vec::new(), nans: Vec::new() };
        for cells in range.cells::<K>()?[first..first + length].chunks(CHUNK) {
            let start = divided.keys.len();
            divided.keys.extend(cells.iter().map(K::load_relaxed));
            let (keys, _) = order::prepare::<K, O>(&mut divided.keys[start..], context)?;
            let count = keys.len();
            spread(keys, &splitters, start, &mut divided.ends, &mut context.pace(CHUNK))?;
            divided.nans.extend_from_slice(&divided.keys[start + count..]);
            divided.keys.truncate(start + count);
        }
        results.lock()[part] = Some(divided);
        Ok(())
    })?;
    let mut done = done.lock();
    Ok(done.drain(..).flatten().collect())
}

fn gather<K: Bits, O: Order<K> + 'static>(
    range: &Arc<ExclusiveRange>,
    divided: Vec<Divided<K>>,
    buckets: usize,
    context: &Context<'_>,
) -> Result<()> {
    let mut starts = vec![0; buckets + 1];
    for bucket in 0..buckets {
        let size: usize =
            divided.iter().flat_map(|section| section.runs(bucket, buckets)).map(<[K]>::len).sum();
        starts[bucket + 1] = starts[bucket] + size;
    }
    // Memory that a thread is done with, for the next bucket: new memory would cost a page fault every 4 KiB.
    let spare = Mutex::new(Vec::new());
    let range = Arc::clone(range);
    context.parallel_for(buckets + 1, move |bucket, context| {
        let cells = range.cells::<K>()?;
        if bucket == buckets {
            let nans = divided.iter().flat_map(|section| section.nans.iter().copied());
            bulk::write_cells::<K>(&cells[starts[buckets]..], nans);
            return Ok(());
        }
        context.checkpoint()?;
        let mut keys: Vec<K> = spare.lock().pop().unwrap_or_default();
        keys.clear();
        allocation::more(&mut keys, starts[bucket + 1] - starts[bucket])?;
        for run in divided.iter().flat_map(|section| section.runs(bucket, buckets)) {
            keys.extend_from_slice(run);
        }
        let bounds = order::bounds_of_many(&keys, &mut context.pace(CHUNK))?;
        wide::sort(&mut keys, bounds, context, |sorted| order::restore::<K, O>(sorted))?;
        bulk::write_cells::<K>(&cells[starts[bucket]..starts[bucket + 1]], keys.iter().copied());
        spare.lock().push(keys);
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
