//! The sum of some elements, before it is a number or a BigInt.

use crate::tasks::running_sums::{Order, RunningSum};

/// Both sums; the type of the elements says which of them counts.
#[derive(Clone, Copy)]
pub(super) struct Total {
    /// Of integers, exact.
    pub(super) whole: i128,
    pub(super) float: RunningSum,
}

impl Total {
    pub(super) fn new(order: Order) -> Self {
        Total { whole: 0, float: RunningSum::new(order) }
    }
}
