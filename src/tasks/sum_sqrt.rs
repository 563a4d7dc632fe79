//! `sumSqrt`: the sum of `Math.sqrt(i) * n`, for `i` from 0 on.
//!
//! In the order *interleaved* (`running_sums.rs`), or *sequential*, which gives the bits of the JavaScript loop:
//!
//! ```js
//! let sum = 0;
//! for (let i = 0; i < iterations; i++) sum += Math.sqrt(i) * n;
//! ```

use super::input::{Input, InputResult, Options, Whole};
use super::running_sums::{LANES, Order, RunningSum};
use super::simd::vectorized;
use super::{Context, Task};
use crate::error::Result;
use crate::value::Value;

/// Every integer up to here is exact in a JavaScript number.
const MAX_ITERATIONS: u64 = (1 << 53) - 1;
const DEFAULT_ITERATIONS: u64 = 1_000_000;

/// Terms between two checkpoints: about a tenth of a millisecond. Whole rows.
const BLOCK: usize = 1 << 16;

struct Sum {
    n: f64,
    iterations: u64,
    order: Order,
}

impl Input for Sum {
    fn from_value(value: Value) -> InputResult<Self> {
        if let Value::Number(n) = value {
            return Ok(Sum { n, iterations: DEFAULT_ITERATIONS, order: Order::default() });
        }
        Options::read(value, |options| {
            let n = options.required("n")?;
            let iterations: Option<Whole<MAX_ITERATIONS>> = options.optional("iterations")?;
            Ok(Sum {
                n,
                iterations: iterations.map_or(DEFAULT_ITERATIONS, |whole| whole.0),
                order: options.optional("order")?.unwrap_or_default(),
            })
        })
    }
}

pub(super) fn task() -> Task {
    Task::new(
        "sumSqrt",
        "a number n, or { n: number, iterations?: an integer from 0 to 2^53 - 1, \
         order?: 'interleaved' | 'sequential' }",
        |input: Sum, context| sum_sqrt(&input, context),
    )
}

#[allow(clippy::cast_precision_loss)] // below 2^53
fn sum_sqrt(&Sum { n, iterations, order }: &Sum, context: &Context<'_>) -> Result<f64> {
    let mut sum = RunningSum::new(order);
    for first in (0..iterations).step_by(BLOCK) {
        context.checkpoint()?;
        let count = (iterations - first).min(BLOCK as u64) as usize;
        let rows = count / LANES;
        match &mut sum {
            RunningSum::Interleaved(sums, _) => add_rows(sums, first, rows, n),
            RunningSum::Sequential(sum) => add_in_order(sum, first, rows, n),
        }
        for i in rows * LANES..count {
            sum.add(&[((first + i as u64) as f64).sqrt() * n]);
        }
    }
    Ok(sum.total())
}

/// The numbers from one on, as many as there are running sums. As doubles: AVX2 converts no integers of 64 bits.
#[inline(always)]
#[allow(clippy::cast_precision_loss)] // below 2^53
fn numbers(first: u64) -> [f64; LANES] {
    std::array::from_fn(|lane| (first + lane as u64) as f64)
}

vectorized! {
    /// Adds rows of terms, each term to the sum of its lane.
    fn add_rows(sums: &mut [f64; LANES], first: u64, rows: usize, n: f64) {
        let mut local = *sums;
        let mut numbers = numbers(first);
        for _ in 0..rows {
            for lane in 0..LANES {
                local[lane] += numbers[lane].sqrt() * n;
                numbers[lane] += LANES as f64;
            }
        }
        *sums = local;
    }
}

/// Adds rows of terms one by one. The roots and products, which do not depend on each other, are computed side by side.
fn add_in_order(sum: &mut f64, first: u64, rows: usize, n: f64) {
    let mut numbers = numbers(first);
    for _ in 0..rows {
        let terms: [f64; LANES] = std::array::from_fn(|lane| numbers[lane].sqrt() * n);
        for term in terms {
            *sum += term;
        }
        for number in &mut numbers {
            *number += LANES as f64;
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use crate::error::Code;
    use crate::tasks::simd::tests::with_each_isa;
    use crate::tasks::testing::{object, ok, refused, stops_when_cancelled};
    use crate::value::Value;

    fn bits(value: Value) -> u64 {
        match value {
            Value::Number(n) => n.to_bits(),
            other => panic!("{other:?}"),
        }
    }

    fn input(n: f64, iterations: u32, order: &str) -> Value {
        let iterations = Value::from(f64::from(iterations));
        object([("n", Value::from(n)), ("iterations", iterations), ("order", Value::from(order))])
    }

    #[test]
    fn in_sequence_it_gives_the_bits_of_the_javascript_loop() {
        // From `heavyComputation` of the seed in Node 20.
        for (n, expected) in JAVASCRIPT {
            assert_eq!(bits(ok("sumSqrt", input(n, 1_000_000, "sequential"))), expected, "sumSqrt({n})");
        }
    }

    #[test]
    fn both_orders_are_what_they_are_called_on_every_cpu() {
        for iterations in (0..40).chain([65_536, 65_537, 65_551, 200_001]) {
            let terms: Vec<f64> = (0..iterations).map(|i| f64::from(i).sqrt() * 0.1).collect();
            let in_sequence = terms.iter().fold(0.0, |sum, term| sum + term);
            let mut sums = vec![0.0; 16];
            terms.iter().enumerate().for_each(|(i, term)| sums[i % 16] += term);
            while sums.len() > 1 {
                sums = sums.chunks(2).map(|pair| pair[0] + pair[1]).collect();
            }
            with_each_isa(|isa| {
                for (order, expected) in [("sequential", in_sequence), ("interleaved", sums[0])] {
                    let sum = bits(ok("sumSqrt", input(0.1, iterations, order)));
                    assert_eq!(sum, f64::to_bits(expected), "{iterations} terms, {order}, {isa:?}");
                }
            });
        }
        assert_eq!(
            ok("sumSqrt", 3.0),
            ok("sumSqrt", input(3.0, 1_000_000, "interleaved")),
            "what is not said"
        );
    }

    #[test]
    fn it_says_what_it_takes() {
        let error = refused("sumSqrt", object([("iterations", Value::from(3.0))]));
        assert_eq!(error.code(), Code::InvalidInput);
        assert!(error.message().ends_with("got undefined for option 'n'"), "{error}");
        let error = refused("sumSqrt", object([("n", 1.0.into()), ("iterations", Value::from(-3.0))]));
        assert_eq!(error.code(), Code::OutOfRange);
        assert_eq!(refused("sumSqrt", Value::Null).code(), Code::InvalidInput);
        let error = refused("sumSqrt", input(1.0, 1, "any"));
        assert!(error.message().ends_with("got 'any' for option 'order'"), "{error}");
    }

    #[test]
    fn it_stops_when_cancelled() {
        stops_when_cancelled("sumSqrt", || object([("n", 1.0.into()), ("iterations", 1e15.into())]));
    }

    #[allow(clippy::unreadable_literal)]
    const JAVASCRIPT: [(f64, u64); 5] = [
        (1.0, 0x41c3de425b3abb54),
        (42.0, 0x421a13b717bd1442),
        (0.1, 0x418fca03c52ac45c),
        (-7.25, 0xc1f2016c22ad3a29),
        (1e300, 0x7ff0000000000000),
    ];
}
