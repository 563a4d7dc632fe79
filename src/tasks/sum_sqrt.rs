//! `sumSqrt`: the seed's heavy computation, the same bits as the JavaScript loop.
//!
//! ```js
//! let sum = 0;
//! for (let i = 0; i < iterations; i++) sum += Math.sqrt(i) * n;
//! ```
//!
//! Floating-point addition does not commute, so the terms are added one by one in the order of the loop; only the
//! roots and products, which do not depend on each other, are computed side by side.

use super::input::{Input, InputResult, Options, Whole};
use super::{Context, Task};
use crate::error::Result;
use crate::value::Value;

/// Every integer up to here is exact in a JavaScript number.
const MAX_ITERATIONS: u64 = (1 << 53) - 1;
const DEFAULT_ITERATIONS: u64 = 1_000_000;

/// Terms computed side by side.
const LANES: usize = 16;
/// Terms between two checkpoints: about a tenth of a millisecond.
const BLOCK: u64 = 1 << 16;

struct Sum {
    n: f64,
    iterations: u64,
}

impl Input for Sum {
    fn from_value(value: Value) -> InputResult<Self> {
        if let Value::Number(n) = value {
            return Ok(Sum { n, iterations: DEFAULT_ITERATIONS });
        }
        Options::read(value, |options| {
            let n = options.required("n")?;
            let iterations: Option<Whole<MAX_ITERATIONS>> = options.optional("iterations")?;
            Ok(Sum { n, iterations: iterations.map_or(DEFAULT_ITERATIONS, |whole| whole.0) })
        })
    }
}

pub(super) fn task() -> Task {
    Task::new(
        "sumSqrt",
        "a number n, or { n: number, iterations?: an integer from 0 to 2^53 - 1 }",
        |input: Sum, context| sum_sqrt(&input, context),
    )
}

#[allow(clippy::cast_precision_loss)] // below 2^53
fn sum_sqrt(&Sum { n, iterations }: &Sum, context: &Context<'_>) -> Result<f64> {
    let mut sum = 0.0;
    let mut start = 0;
    while start < iterations {
        context.checkpoint()?;
        let end = iterations.min(start + BLOCK);
        let mut i = start;
        while end - i >= LANES as u64 {
            let terms: [f64; LANES] = std::array::from_fn(|lane| ((i + lane as u64) as f64).sqrt() * n);
            for term in terms {
                sum += term;
            }
            i += LANES as u64;
        }
        for i in i..end {
            sum += (i as f64).sqrt() * n;
        }
        start = end;
    }
    Ok(sum)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use crate::error::Code;
    use crate::tasks::testing::{object, ok, refused, stops_when_cancelled};
    use crate::value::Value;

    fn bits(value: Value) -> u64 {
        match value {
            Value::Number(n) => n.to_bits(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn it_gives_the_bits_of_the_javascript_loop() {
        // From `heavyComputation` of the seed in Node 20.
        for (n, expected) in JAVASCRIPT {
            assert_eq!(bits(ok("sumSqrt", n)), expected, "sumSqrt({n})");
        }
    }

    #[test]
    fn the_number_of_terms_may_be_chosen() {
        for iterations in [0_u32, 1, 2, 15, 16, 17, 65_536, 65_537, 65_551, 200_001] {
            let mut sum = 0.0;
            for i in 0..iterations {
                sum += f64::from(i).sqrt() * 0.1;
            }
            let input = object([("n", Value::from(0.1)), ("iterations", Value::from(f64::from(iterations)))]);
            assert_eq!(bits(ok("sumSqrt", input)), f64::to_bits(sum), "{iterations} terms");
        }
    }

    #[test]
    fn it_says_what_it_takes() {
        let error = refused("sumSqrt", object([("iterations", Value::from(3.0))]));
        assert_eq!(error.code(), Code::InvalidInput);
        assert!(error.message().ends_with("got undefined for option 'n'"), "{error}");
        let error = refused("sumSqrt", object([("n", 1.0.into()), ("iterations", Value::from(-3.0))]));
        assert_eq!(error.code(), Code::OutOfRange);
        assert_eq!(refused("sumSqrt", Value::Null).code(), Code::InvalidInput);
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
