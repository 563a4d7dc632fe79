//! Divides keys into buckets by splitters.

use super::key::{Key, UNITS};
use crate::error::Result;
use crate::tasks::Pace;

/// Fewer keys are divided one by one: three blocks of the widest vectors.
const FEW: usize = 3 * 8 * 16;

/// Partitions keys by splitters; the ends of the buckets are counted from `start`.
pub(super) fn spread<K: Key>(
    keys: &mut [K],
    splitters: &[K],
    start: usize,
    ends: &mut Vec<usize>,
    pace: &mut Pace<'_>,
) -> Result<()> {
    let middle = splitters.len() / 2;
    let Some(&pivot) = splitters.get(middle) else {
        ends.push(start + keys.len());
        return Ok(());
    };
    let count = partition(keys, pivot, pace)?;
    let (lower, higher) = keys.split_at_mut(count);
    spread(lower, &splitters[..middle], start, ends, pace)?;
    spread(higher, &splitters[middle + 1..], start + count, ends, pace)
}

/// How many keys are less than the pivot; they stand first then. After an error keys are missing.
fn partition<K: Key>(keys: &mut [K], pivot: K, pace: &mut Pace<'_>) -> Result<usize> {
    match K::vectors() {
        Some(vectors) if keys.len() >= FEW => vectors.partition(keys, pivot, pace),
        _ => one_by_one(keys, pivot, pace),
    }
}

/// Each key changes places with the first one that is not below, whether it is below itself or not: nothing to predict.
fn one_by_one<K: Key>(keys: &mut [K], pivot: K, pace: &mut Pace<'_>) -> Result<usize> {
    let mut count = 0;
    for start in (0..keys.len()).step_by(UNITS) {
        let end = keys.len().min(start + UNITS);
        pace.spend(end - start)?;
        for at in start..end {
            let below = keys[at] < pivot;
            keys.swap(at, count);
            count += usize::from(below);
        }
    }
    Ok(count)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::cancel::CancelToken;
    use crate::tasks::Context;
    use crate::tasks::simd::tests::with_each_isa;

    #[test]
    fn each_bucket_holds_the_keys_between_its_splitters() {
        with_each_isa(|isa| {
            let token = CancelToken::new(None);
            let context = Context::new(&token);
            for len in (0..300).chain([383, 384, 385, 511, 512, 513, 1_000, 32_768]) {
                let keys: Vec<u64> =
                    (0..len).map(|i: u64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54).collect();
                for splitters in [&[][..], &[0], &[512], &[1 << 20], &[1, 2, 3, 500, 700, 1_000, 1_022]] {
                    let (mut divided, mut ends) = (keys.clone(), Vec::new());
                    spread(&mut divided, splitters, 0, &mut ends, &mut context.pace(1)).unwrap();
                    assert_eq!((ends.len(), ends.last()), (splitters.len() + 1, Some(&keys.len())));
                    let mut start = 0;
                    for (bucket, &end) in ends.iter().enumerate() {
                        let low = bucket.checked_sub(1).map_or(0, |before| splitters[before]);
                        let high = splitters.get(bucket).copied().unwrap_or(u64::MAX);
                        assert!(
                            divided[start..end].iter().all(|key| (low..high).contains(key)),
                            "{len}, {isa:?}"
                        );
                        start = end;
                    }
                    let mut expected = keys.clone();
                    expected.sort_unstable();
                    divided.sort_unstable();
                    assert!(divided == expected, "{len} keys, {isa:?}");
                }
            }
        });
    }
}
