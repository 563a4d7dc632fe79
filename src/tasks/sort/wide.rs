//! Sorts unsigned integers of 32 and 64 bits, by the way that suits them and the CPU.

use super::key::{Key, UNITS};
use super::{radix, vectors};
use crate::error::Result;
use crate::tasks::{Context, Pace};

/// Sorted by comparison up to here.
const FEW: usize = 64;

/// Sorts `keys`, whose lowest and highest are `range`, and calls `finish` on each part that is done, while it is
/// still in the cache. After an error the keys are in no order, and some may be missing.
pub(super) fn sort<K: Key>(
    keys: &mut [K],
    range: (K, K),
    context: &Context<'_>,
    finish: impl Fn(&mut [K]),
) -> Result<()> {
    if keys.len() <= FEW {
        keys.sort_unstable();
        finish(keys);
        return Ok(());
    }
    let mut pace = context.pace(UNITS);
    let finish_all = |sorted: &mut [K], pace: &mut Pace<'_>| {
        sorted.chunks_mut(UNITS).try_for_each(|part| {
            pace.spend(part.len() / 4)?;
            finish(part);
            Ok(())
        })
    };
    if ordered(keys, &mut pace, |a, b| a <= b)? {
        return finish_all(keys, &mut pace);
    }
    if ordered(keys, &mut pace, |a, b| a >= b)? {
        reverse(keys, &mut pace)?;
        return finish_all(keys, &mut pace);
    }
    match K::vectors() {
        Some(vectors) => vectors::sort(keys, vectors, &mut pace, finish_all),
        None => radix::sort(keys, range, &mut pace, finish_all),
    }
}

/// True when each key stands to the next one as it should; a glance, unless the keys begin so.
fn ordered<K: Key>(keys: &[K], pace: &mut Pace<'_>, order: impl Fn(&K, &K) -> bool) -> Result<bool> {
    let mut before = keys.first();
    for block in keys.chunks(UNITS) {
        pace.spend(block.len() / 4)?;
        if before.is_some_and(|before| !order(before, &block[0])) || !block.is_sorted_by(&order) {
            return Ok(false);
        }
        before = block.last();
    }
    Ok(true)
}

fn reverse<K>(mut keys: &mut [K], pace: &mut Pace<'_>) -> Result<()> {
    while keys.len() > 1 {
        let count = UNITS.min(keys.len() / 2);
        pace.spend(count)?;
        let (first, rest) = keys.split_at_mut(count);
        let (middle, last) = rest.split_at_mut(rest.len() - count);
        first.iter_mut().zip(last.iter_mut().rev()).for_each(|(a, b)| std::mem::swap(a, b));
        keys = middle;
    }
    Ok(())
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::cancel::CancelToken;
    use crate::tasks::simd::tests::with_each_isa;

    fn sorted(keys: &mut [u64]) {
        let token = CancelToken::new(None);
        let range = (*keys.iter().min().unwrap(), *keys.iter().max().unwrap());
        sort(keys, range, &Context::new(&token), |part| part.iter_mut().for_each(|key| *key += 1)).unwrap();
    }

    #[test]
    fn every_part_is_finished_once() {
        with_each_isa(|isa| {
            for len in [10_u64, 1_000, 50_000, 500_000] {
                for spread in [0, 1, 1 << 40] {
                    let mut keys: Vec<u64> = (0..len).map(|i| (i * 7_919 % len) * spread).collect();
                    let mut expected = keys.clone();
                    expected.sort_unstable();
                    sorted(&mut keys);
                    assert!(
                        keys.iter().map(|key| key - 1).eq(expected),
                        "{len} keys, {spread} apart, {isa:?}"
                    );
                }
            }
        });
    }

    #[test]
    fn keys_in_order_are_left_and_keys_in_reverse_are_turned() {
        for len in [65, 1_000, 65_535, 65_536, 200_001] {
            for step in [1, 3] {
                let expected: Vec<u64> = (0..len).map(|at| at / step).collect();
                for reversed in [false, true] {
                    let mut keys = expected.clone();
                    if reversed {
                        keys.reverse();
                    }
                    sorted(&mut keys);
                    assert!(
                        keys.iter().map(|key| key - 1).eq(expected.iter().copied()),
                        "{len}, {step}, {reversed}"
                    );
                }
            }
        }
    }
}
