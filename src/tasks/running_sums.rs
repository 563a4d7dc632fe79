//! Sums of floats, in an order that is stated.
//!
//! Floating-point addition is not associative, so the order decides the last bits. A loop adds one term after the other,
//! and each addition waits for the one before. The order *interleaved* has no such chain:
//!
//! * 16 running sums begin at 0. Term `i` is added to sum `i mod 16`.
//! * In the end neighbouring sums are added in pairs, which leaves 8; these likewise, until one is left:
//!   `(((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))) + (((s8 + s9) + …`.
//!
//! It is the same on every CPU, with vectors and without, and its error bound is a sixteenth of the loop's.

use super::input::{Input, InputError, InputResult};
use super::simd::vectorized;
use crate::value::{Text, Value};

/// How many running sums there are.
pub(super) const LANES: usize = 16;

/// The order in which terms are added.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Order {
    /// As the head of this file says.
    #[default]
    Interleaved,
    /// One after the other, as a loop does.
    Sequential,
}

impl Input for Order {
    fn from_value(value: Value) -> InputResult<Self> {
        match Text::from_value(value)?.to_str().as_ref() {
            "interleaved" => Ok(Order::Interleaved),
            "sequential" => Ok(Order::Sequential),
            other => Err(InputError::unknown_value(other)),
        }
    }
}

/// A sum that grows block by block.
#[derive(Clone, Copy, Debug)]
pub(super) enum RunningSum {
    /// The running sums, and how many terms there were, modulo their number.
    Interleaved([f64; LANES], usize),
    /// The sum so far.
    Sequential(f64),
}

impl RunningSum {
    pub(super) fn new(order: Order) -> Self {
        match order {
            Order::Interleaved => RunningSum::Interleaved([0.0; LANES], 0),
            Order::Sequential => RunningSum::Sequential(0.0),
        }
    }

    /// Adds the terms that follow.
    pub(super) fn add<T: Term>(&mut self, terms: &[T]) {
        match self {
            RunningSum::Sequential(sum) => *sum = terms.iter().fold(*sum, |sum, &term| sum + term.into()),
            RunningSum::Interleaved(sums, next) => {
                let (first, rest) = terms.split_at(terms.len().min((LANES - *next) % LANES));
                add_each(sums, *next, first);
                add_rows(sums, rest);
                *next = (*next + terms.len()) % LANES;
            }
        }
    }

    pub(super) fn total(self) -> f64 {
        match self {
            RunningSum::Sequential(sum) => sum,
            RunningSum::Interleaved(mut sums, _) => {
                let mut left = LANES;
                while left > 1 {
                    left /= 2;
                    for at in 0..left {
                        sums[at] = sums[2 * at] + sums[2 * at + 1];
                    }
                }
                sums[0]
            }
        }
    }
}

/// An element that is added as a double.
pub(super) trait Term: Copy + Into<f64> {}
impl Term for f32 {}
impl Term for f64 {}

/// Adds fewer terms than there are sums, from a sum on.
#[inline(always)]
fn add_each<T: Term>(sums: &mut [f64; LANES], first: usize, terms: &[T]) {
    sums[first..].iter_mut().zip(terms).for_each(|(sum, &term)| *sum += term.into());
}

vectorized! {
    /// Adds terms, the first of them to the first sum.
    fn add_rows<T: Term>(sums: &mut [f64; LANES], terms: &[T]) {
        let mut local = *sums;
        let (rows, rest) = terms.as_chunks::<LANES>();
        for row in rows {
            for lane in 0..LANES {
                local[lane] += row[lane].into();
            }
        }
        add_each(&mut local, 0, rest);
        *sums = local;
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::tasks::simd::tests::with_each_isa;

    /// The order, straight from its words.
    fn by_words(terms: &[f64]) -> f64 {
        let mut sums = vec![0.0; 16];
        for (i, term) in terms.iter().enumerate() {
            sums[i % 16] += term;
        }
        while sums.len() > 1 {
            sums = sums.chunks(2).map(|pair| pair[0] + pair[1]).collect();
        }
        sums[0]
    }

    #[test]
    fn the_order_is_the_one_that_is_stated_on_every_cpu() {
        let odd = [f64::MIN_POSITIVE / 8.0, -0.0, 1e300, -1e300, 0.1, f64::MAX];
        let terms: Vec<f64> = (0..5_000)
            .map(|i| (f64::from(i) * 0.7).sin() * 10_f64.powi(i % 40 - 20) + odd[i as usize % 6])
            .collect();
        with_each_isa(|isa| {
            for len in (0..300).chain([1_000, 4_999]) {
                let terms = &terms[..len];
                for block in [1, 7, 16, 33, 5_000] {
                    let mut sum = RunningSum::new(Order::Interleaved);
                    let mut loop_sum = RunningSum::new(Order::Sequential);
                    for block in terms.chunks(block) {
                        sum.add(block);
                        loop_sum.add(block);
                    }
                    assert_eq!(sum.total().to_bits(), by_words(terms).to_bits(), "{len} by {block}, {isa:?}");
                    let expected = terms.iter().fold(0.0, |sum, term| sum + term);
                    assert_eq!(
                        loop_sum.total().to_bits(),
                        f64::to_bits(expected),
                        "{len} by {block}, {isa:?}"
                    );
                }
            }
        });
    }

    #[test]
    fn what_is_not_finite_stays_so() {
        for (terms, expected) in
            [(vec![f64::INFINITY, 1.0], f64::INFINITY), (vec![f64::NEG_INFINITY; 40], f64::NEG_INFINITY)]
        {
            let mut sum = RunningSum::new(Order::Interleaved);
            sum.add(&terms);
            assert_eq!(sum.total(), expected);
        }
        let mut sum = RunningSum::new(Order::Interleaved);
        sum.add(&[f64::INFINITY, f64::NEG_INFINITY]);
        assert!(sum.total().is_nan());
    }
}
