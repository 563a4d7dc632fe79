//! `primes`: how many primes there are up to a limit, or which.

mod progress;
mod sieve;
mod stream;

use super::input::{Input, InputResult, Options, Whole};
use super::{Context, Task};
use crate::allocation;
use crate::error::Result;
use crate::value::{Bytes, BytesKind, PortValue, Value, Words};
use progress::Progress;
use sieve::{RESIDUES, Sieve, wheel_primes};

/// The largest limit of a count: a few seconds of one thread's work.
const MAX_COUNT: u64 = 10_000_000_000;
/// The largest limit of a list: its primes go back as 32-bit integers.
const MAX_LIST: u64 = u32::MAX as u64;

enum Wanted {
    Count(u64),
    List(u64),
    Stream(u64, PortValue),
}

impl Input for Wanted {
    fn from_value(value: Value) -> InputResult<Self> {
        if matches!(value, Value::Number(_)) {
            return Whole::<MAX_COUNT>::from_value(value).map(|limit| Wanted::Count(limit.0));
        }
        Options::read(value, |options| {
            if let Some(port) = options.optional("port")? {
                options.ignore(&["list"]);
                return options
                    .required::<Whole<MAX_COUNT>>("limit")
                    .map(|limit| Wanted::Stream(limit.0, port));
            }
            if options.optional("list")?.unwrap_or(false) {
                options.required::<Whole<MAX_LIST>>("limit").map(|limit| Wanted::List(limit.0))
            } else {
                options.required::<Whole<MAX_COUNT>>("limit").map(|limit| Wanted::Count(limit.0))
            }
        })
    }
}

/// `primes`: the count of primes up to a limit, or with `list: true` a Uint32Array of them, or with a `port` one message
/// for each as it is found. Without a port it reports how far it is.
pub(super) fn task() -> Task {
    Task::new(
        "primes",
        "an integer limit from 0 to 10^10, or { limit: such an integer, list?: boolean, port?: MessagePort } \
         (with list, a limit up to 2^32 - 1)",
        |wanted: Wanted, context| match wanted {
            Wanted::Count(limit) => count(limit, context),
            Wanted::List(limit) => list(limit, context).map(Value::from),
            Wanted::Stream(limit, port) => stream::stream(limit, &port, context),
        },
    )
}

fn count(limit: u64, context: &Context<'_>) -> Result<Value> {
    let mut found = wheel_primes(limit).count() as u64;
    let mut sieve = Sieve::new(limit, context)?;
    let mut segment = vec![0_u64; sieve.segment_words()];
    let mut progress = Progress::new(context);
    while let Some(used) = sieve.next(&mut segment)? {
        found += segment[..used].iter().map(|word| u64::from(word.count_zeros())).sum::<u64>();
        progress.passed(sieve.up_to(), found)?;
    }
    #[allow(clippy::cast_precision_loss)] // far below 2^53
    Ok(Value::Number(found as f64))
}

fn list(limit: u64, context: &Context<'_>) -> Result<Bytes> {
    // One bit for each candidate: a fifth of the list's own size, and its count says how long the list will be.
    let mut sieve = Sieve::new(limit, context)?;
    let mut bits = allocation::zeros::<u64>(sieve.total_words())?;
    let mut found = wheel_primes(limit).count();
    let mut progress = Progress::new(context);
    let mut at = 0;
    while at < bits.len() {
        let end = bits.len().min(at + sieve.segment_words());
        let Some(used) = sieve.next(&mut bits[at..end])? else { break };
        found += bits[at..at + used].iter().map(|word| word.count_zeros() as usize).sum::<usize>();
        at += used;
        progress.passed(sieve.up_to(), found as u64)?;
    }
    let mut primes = Words::zeroed(found * 4)?;
    let out: &mut [u32] = bytemuck::cast_slice_mut(primes.as_mut_slice());
    let mut filled = 0;
    for prime in wheel_primes(limit) {
        out[filled] = prime;
        filled += 1;
    }
    for (index, word) in bits.into_iter().enumerate() {
        // 1024 words: up to 65,536 stores.
        if index % 1024 == 0 {
            context.checkpoint()?;
        }
        let base = index as u64 * 240;
        let mut unmarked = !u64::from_le(word);
        while unmarked != 0 {
            let bit = unmarked.trailing_zeros();
            let number = base + u64::from(bit / 8) * 30 + RESIDUES[(bit % 8) as usize];
            out[filled] = number as u32;
            filled += 1;
            unmarked &= unmarked - 1;
        }
    }
    debug_assert_eq!(filled, found);
    Ok(Bytes::owned(BytesKind::Uint32, primes))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use crate::error::Code;
    use crate::tasks::testing::{object, ok, refused, stops_when_cancelled};
    use crate::value::{BytesKind, Value};

    fn listed(limit: u32) -> Vec<u32> {
        match ok("primes", object([("limit", limit.into()), ("list", true.into())])) {
            Value::Bytes(bytes) => {
                assert_eq!(bytes.kind(), BytesKind::Uint32);
                bytemuck::cast_slice(bytes.as_slice()).to_vec()
            }
            other => panic!("{other:?}"),
        }
    }

    fn by_trial_division(limit: u32) -> Vec<u32> {
        (2..=limit).filter(|n| (2..).take_while(|d| d * d <= *n).all(|d| n % d != 0)).collect()
    }

    #[test]
    fn the_counts_are_the_published_ones() {
        // OEIS A006880
        let known: [(f64, u32); 8] = [
            (1e1, 4),
            (1e2, 25),
            (1e3, 168),
            (1e4, 1_229),
            (1e5, 9_592),
            (1e6, 78_498),
            (1e7, 664_579),
            (1e8, 5_761_455),
        ];
        for (limit, count) in known {
            assert_eq!(ok("primes", limit), Value::from(count), "up to {limit}");
        }
    }

    #[test]
    fn counts_and_lists_agree_with_trial_division_at_every_small_limit() {
        let all = by_trial_division(3_000);
        for limit in 0..3_000_u32 {
            let expected = &all[..all.partition_point(|&prime| prime <= limit)];
            assert_eq!(listed(limit), expected, "up to {limit}");
            assert_eq!(ok("primes", f64::from(limit)), Value::from(expected.len() as u32), "up to {limit}");
        }
    }

    #[test]
    fn a_list_crosses_segments_unharmed() {
        let primes = listed(3_000_000);
        assert_eq!(primes.len(), 216_816);
        assert_eq!(primes, by_trial_division(3_000_000));
    }

    #[test]
    fn the_count_is_exact_around_the_squares_of_primes() {
        // 1009² and 7919²: the first number a base prime has to strike out itself.
        for prime in [1_009_u32, 7_919] {
            let square = f64::from(prime * prime);
            let before = ok("primes", square - 1.0);
            assert_eq!(ok("primes", square), before);
        }
    }

    #[test]
    fn without_list_an_object_gives_the_count() {
        assert_eq!(ok("primes", object([("limit", Value::from(100.0))])), Value::from(25_u32));
        let input = object([("limit", Value::from(100.0)), ("list", Value::from(false))]);
        assert_eq!(ok("primes", input), Value::from(25_u32));
    }

    #[test]
    fn it_says_what_it_takes() {
        assert_eq!(refused("primes", 1e10 + 1.0).code(), Code::OutOfRange);
        assert_eq!(refused("primes", -1.0).code(), Code::OutOfRange);
        let error = refused("primes", object([("limit", 4_294_967_296.0.into()), ("list", true.into())]));
        assert_eq!(error.code(), Code::OutOfRange);
        assert!(error.message().ends_with("got 4294967296 for option 'limit'"), "{error}");
        let error = refused("primes", object([("limit", 10.0.into()), ("list", 1.0.into())]));
        assert_eq!(error.code(), Code::InvalidInput);
        assert!(error.message().ends_with("got a number for option 'list'"), "{error}");
    }

    #[test]
    fn it_stops_when_cancelled() {
        stops_when_cancelled("primes", || Value::from(1e10));
        stops_when_cancelled("primes", || object([("limit", 4e9.into()), ("list", true.into())]));
    }
}
