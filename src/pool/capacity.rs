//! How many tasks a kind of taker may run at once, while that changes: at this moment, and summed up over the pool's life.

use std::time::Duration;

use super::task_observer::Age;

/// A number that changes now and then, and the sum of the time that each of so many has had.
#[derive(Debug, Default)]
pub(super) struct Capacity {
    count: usize,
    /// Since when there are so many.
    since: Age,
    /// The time of all before that, in nanoseconds. 64 bits would be used up in minutes where a pool is very large.
    before: u128,
}

impl Capacity {
    /// So many from the beginning.
    pub(super) fn new(count: usize) -> Self {
        Capacity { count, since: 0, before: 0 }
    }

    /// How many there are.
    pub(super) fn get(&self) -> usize {
        self.count
    }

    /// So many from now on.
    pub(super) fn set(&mut self, count: usize, now: Age) {
        self.before += self.recent(now);
        (self.count, self.since) = (count, now.max(self.since));
    }

    /// The time that all of them have had.
    pub(super) fn time(&self, now: Age) -> Duration {
        let nanos = self.before + self.recent(now);
        let seconds = u64::try_from(nanos / NANOS).unwrap_or(u64::MAX);
        Duration::new(seconds, (nanos % NANOS) as u32)
    }

    fn recent(&self, now: Age) -> u128 {
        u128::from(now.saturating_sub(self.since)) * self.count as u128
    }
}

const NANOS: u128 = 1_000_000_000;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn sums_up_the_time_of_each_number() {
        let mut capacity = Capacity::new(2);
        assert_eq!((capacity.get(), capacity.time(10)), (2, Duration::from_nanos(20)));
        capacity.set(5, 10);
        assert_eq!((capacity.get(), capacity.time(12)), (5, Duration::from_nanos(30)));
        capacity.set(0, 12);
        assert_eq!(capacity.time(1_000), Duration::from_nanos(30));
        // Two threads may read the clock in another order than they come to the lock.
        capacity.set(1, 900);
        capacity.set(3, 899);
        assert_eq!(capacity.time(901), Duration::from_nanos(33));
    }

    #[test]
    fn a_large_pool_may_grow_old() {
        let capacity = Capacity::new(1024 * 65_536);
        let day = Duration::from_secs(86_400);
        let count = 1024 * 65_536;
        assert_eq!(capacity.time(u64::try_from(day.as_nanos()).unwrap()), day * count);
    }
}
