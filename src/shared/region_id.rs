//! The name of a region.

use std::sync::atomic::{AtomicU64, Ordering};

/// The name of a region; never used again in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RegionId(pub(super) u64);

impl RegionId {
    /// The number itself.
    pub fn get(self) -> u64 {
        self.0
    }

    /// A new name.
    pub(super) fn fresh() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        // Relaxed: the number must be unique, and orders nothing.
        RegionId(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}
