//! `fibonacci`: the seed's CPU-bound example, by the naive recursion on purpose.
//!
//! The point is work that costs what the same function costs in JavaScript, so that pools can be compared; a
//! program that wants the number alone has a loop for it.

use super::input::Whole;
use super::{Context, Task};
use crate::error::Result;

/// The largest n whose Fibonacci number a JavaScript number holds exactly.
const MAX: u64 = 78;

/// A subtree of this size is some 50,000 calls: about a tenth of a millisecond between two checkpoints.
const SUBTREE: u64 = 22;

pub(super) fn task() -> Task {
    Task::new("fibonacci", "an integer from 0 to 78", |Whole(n): Whole<MAX>, context| {
        #[allow(clippy::cast_precision_loss)] // F(78) < 2^53
        watched(n, context).map(|number| number as f64)
    })
}

fn watched(n: u64, context: &Context<'_>) -> Result<u64> {
    if n > SUBTREE {
        return Ok(watched(n - 1, context)? + watched(n - 2, context)?);
    }
    context.checkpoint()?;
    Ok(naive(n))
}

fn naive(n: u64) -> u64 {
    if n < 2 { n } else { naive(n - 1) + naive(n - 2) }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use crate::error::Code;
    use crate::tasks::testing::{ok, refused, stops_when_cancelled};
    use crate::value::Value;

    #[test]
    fn it_gives_the_published_numbers() {
        // OEIS A000045
        let known = [(0, 0), (1, 1), (2, 1), (3, 2), (10, 55), (22, 17_711), (23, 28_657), (30, 832_040)];
        for (n, number) in known {
            assert_eq!(ok("fibonacci", f64::from(n)), Value::from(f64::from(number)), "fibonacci({n})");
        }
    }

    #[test]
    fn it_takes_an_integer_that_is_exact_in_javascript() {
        let error = refused("fibonacci", 79.0);
        assert_eq!(error.code(), Code::OutOfRange);
        assert_eq!(error.message(), "task 'fibonacci' takes an integer from 0 to 78; got 79");
        assert_eq!(refused("fibonacci", 1.5).code(), Code::OutOfRange);
        assert_eq!(refused("fibonacci", "1").code(), Code::InvalidInput);
    }

    #[test]
    fn it_stops_when_cancelled() {
        stops_when_cancelled("fibonacci", || Value::from(78.0));
    }
}
