//! How long tasks run: what threads have measured, by the task's number, so that short ones are taken many at a time.
//!
//! An estimate only says how to share out work and whom to wake. Where it is wrong, other threads take over what waits behind a
//! task that runs longer than expected (`parking.rs`).

use crate::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Tasks whose numbers differ by this share an estimate.
const ESTIMATES: usize = 64;

/// No thread has run it yet.
const UNKNOWN: u32 = u32::MAX;

/// What a task costs at the least, in nanoseconds: to take it, and to answer it.
const LEAST: u32 = 60;

/// A thread takes tasks for about so long at once, in nanoseconds: what it costs to wake another thread for them.
pub(super) const CHUNK: u64 = 50_000;

pub(super) struct Estimates([AtomicU32; ESTIMATES]);

impl Default for Estimates {
    fn default() -> Self {
        Estimates(std::array::from_fn(|_| AtomicU32::new(UNKNOWN)))
    }
}

impl Estimates {
    fn at(&self, task: usize) -> &AtomicU32 {
        &self.0[task % ESTIMATES]
    }

    /// How long the task may run, in nanoseconds.
    pub(super) fn of(&self, task: usize) -> u64 {
        u64::from(self.at(task).load(Relaxed))
    }

    /// `count` tasks of this number have run for so many nanoseconds together.
    pub(super) fn learn(&self, task: usize, count: u64, nanos: u64) {
        let measured = u32::try_from(nanos / count.max(1)).unwrap_or(UNKNOWN - 1).clamp(LEAST, UNKNOWN - 1);
        let estimate = self.at(task);
        // Another thread may measure at the same time, and one of the two is lost: that does no harm.
        let before = estimate.load(Relaxed);
        let next = match before {
            UNKNOWN => measured,
            // It rises at once and sinks slowly: a long task that is taken for a short one costs more than the reverse.
            _ if measured > before => before + (measured - before).div_ceil(2),
            _ => before - (before - measured).div_ceil(4),
        };
        if next != before {
            estimate.store(next, Relaxed);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_follows_what_is_measured() {
        let estimates = Estimates::default();
        assert!(estimates.of(3) > CHUNK, "what was never run is not taken for short");
        estimates.learn(3, 100, 20_000);
        assert_eq!(estimates.of(3), 200);
        estimates.learn(3, 1, 1_000_200);
        assert!(estimates.of(3) > CHUNK);
        for _ in 0..100 {
            estimates.learn(3, 10, 2_000);
        }
        assert_eq!(estimates.of(3), 200);
        estimates.learn(3, 1, u64::MAX);
        assert!(estimates.of(3) < u64::from(UNKNOWN));
        estimates.learn(4, 1_000, 10);
        assert_eq!(estimates.of(4), u64::from(LEAST));
    }
}
