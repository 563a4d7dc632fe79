//! How long tasks wait and run, and how much CPU time they take, by task: histograms with two significant digits.
//!
//! Whoever runs tasks records for itself (each native thread under a lock of its own, script workers under the pool's), so
//! recording contends with nobody but a reader. A reader adds the records up.
//!
//! Tasks beyond [`NAMES`] share one record: a script's functions are named by the program, and there may be any number of names.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::task_observer::Age;

/// So many tasks of a kind have a record of their own.
pub(super) const NAMES: usize = 256;

/// Significant digits of a time: what is told is at most 1 % too high.
const DIGITS: u8 = 2;

/// A histogram of times.
#[derive(Clone)]
pub struct Times(Histogram<u64>);

impl Default for Times {
    fn default() -> Self {
        // It grows by itself.
        Times(Histogram::new(DIGITS).expect("2 digits are allowed"))
    }
}

/// What a histogram tells; in nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Summary {
    /// How many times were recorded.
    pub count: u64,
    /// The shortest.
    pub min: u64,
    /// The longest.
    pub max: u64,
    /// All of them divided by their count.
    pub mean: f64,
    /// The times that the parts of [`QUANTILES`] do not exceed.
    pub quantiles: [u64; QUANTILES.len()],
}

/// Which quantiles a summary has.
pub const QUANTILES: [f64; 6] = [0.5, 0.75, 0.9, 0.95, 0.99, 0.999];

impl Times {
    /// Records a time `count` times.
    pub fn record(&mut self, nanos: Age, count: u64) {
        // It fails only for a value for which it may not grow; this one may.
        let _ = self.0.record_n(nanos, count);
    }

    /// Adds what another has recorded.
    pub fn add(&mut self, other: &Times) {
        let _ = self.0.add(&other.0);
    }

    /// Forgets what was recorded, and keeps the memory.
    pub fn reset(&mut self) {
        self.0.reset();
    }

    /// How many times were recorded.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// What it tells; all zeros where nothing was recorded.
    pub fn summary(&self) -> Summary {
        if self.0.is_empty() {
            return Summary::default();
        }
        Summary {
            count: self.0.len(),
            min: self.0.min(),
            max: self.0.max(),
            mean: self.0.mean(),
            // Not above the longest: a histogram tells the end of a range.
            quantiles: QUANTILES.map(|quantile| self.0.value_at_quantile(quantile).min(self.0.max())),
        }
    }
}

/// The times of one task.
#[derive(Clone, Default)]
pub(super) struct TaskTimes {
    pub(super) wait: Times,
    pub(super) run: Times,
    /// CPU time of all that have run, in nanoseconds.
    pub(super) cpu: u64,
    /// How long the last one ran.
    last: Age,
}

impl TaskTimes {
    /// `count` tasks have run for so many nanoseconds together, and used the CPU for `cpu` of them.
    pub(super) fn ran(&mut self, nanos: Age, count: u64, cpu: u64) {
        self.last = nanos / count.max(1);
        self.run.record(self.last, count);
        self.cpu += cpu;
    }

    /// How long the next one may run.
    pub(super) fn expected(&self) -> Age {
        self.last
    }

    fn add(&mut self, other: &TaskTimes) {
        self.wait.add(&other.wait);
        self.run.add(&other.run);
        self.cpu += other.cpu;
    }

    fn reset(&mut self) {
        self.wait.reset();
        self.run.reset();
        self.cpu = 0;
    }
}

/// The times of many tasks, by their numbers.
#[derive(Default)]
pub(super) struct TimesByTask(Vec<Option<Box<TaskTimes>>>);

impl TimesByTask {
    /// The record of the task of this number.
    pub(super) fn of(&mut self, number: usize) -> &mut TaskTimes {
        let at = number.min(NAMES);
        if self.0.len() <= at {
            self.0.resize_with(at + 1, || None);
        }
        self.0[at].get_or_insert_default()
    }

    /// Adds what another has recorded; with `reset` that begins anew.
    pub(super) fn take(&mut self, other: &mut TimesByTask, reset: bool) {
        for (number, times) in other.0.iter_mut().enumerate() {
            let Some(times) = times else { continue };
            self.of(number).add(times);
            if reset {
                times.reset();
            }
        }
    }

    /// All records in which something stands, by number.
    pub(super) fn into_records(self) -> impl Iterator<Item = (usize, TaskTimes)> {
        let filled = |times: Box<TaskTimes>| (times.wait.count() + times.run.count() > 0).then_some(*times);
        self.0.into_iter().enumerate().filter_map(move |(number, times)| Some((number, filled(times?)?)))
    }
}

/// What a duration is in nanoseconds.
pub fn nanos(time: Duration) -> u64 {
    // 584 years; without 128 bits, as it is done for each task.
    time.as_secs().wrapping_mul(1_000_000_000).wrapping_add(u64::from(time.subsec_nanos()))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_summary_of_nothing_is_zeros() {
        assert_eq!(Times::default().summary(), Summary::default());
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_list_up_to_one_percent() {
        // Any values, from nanoseconds to hours.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for round in 0..50 {
            let (mut times, mut all) = (Times::default(), Vec::new());
            for _ in 0..(1 + round * 37) {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let value = (state >> 20) >> (state % 44);
                times.record(value, 1 + state % 3);
                all.extend(std::iter::repeat_n(value, 1 + (state % 3) as usize));
            }
            all.sort_unstable();
            let summary = times.summary();
            assert_eq!(summary.count, all.len() as u64);
            for (quantile, told) in QUANTILES.iter().zip(summary.quantiles) {
                let at = ((quantile * all.len() as f64).ceil() as usize).max(1) - 1;
                let exact = all[at] as f64;
                assert!(told as f64 >= exact, "p{quantile}: {told} for {exact}");
                assert!(told as f64 <= exact * 1.01 + 1.0, "p{quantile}: {told} for {exact}");
            }
            let mean = all.iter().map(|value| *value as f64).sum::<f64>() / all.len() as f64;
            assert!((summary.mean - mean).abs() <= mean * 0.01 + 1.0, "{} for {mean}", summary.mean);
            for (told, exact) in [(summary.min, all[0]), (summary.max, all[all.len() - 1])] {
                assert!(told.abs_diff(exact) as f64 <= exact as f64 * 0.01 + 1.0, "{told} for {exact}");
            }
        }
    }

    #[test]
    fn records_add_up_and_begin_anew() {
        let (mut one, mut other) = (TimesByTask::default(), TimesByTask::default());
        one.of(3).wait.record(100, 2);
        one.of(3).ran(640, 64, 600);
        other.of(3).ran(20, 2, 20);
        other.of(0).ran(7, 1, 5);
        let mut all = TimesByTask::default();
        all.take(&mut one, true);
        all.take(&mut other, false);
        let told: Vec<_> =
            all.into_records().map(|(n, t)| (n, t.wait.count(), t.run.count(), t.cpu)).collect();
        assert_eq!(told, [(0, 0, 1, 5), (3, 2, 66, 620)]);
        let mut again = TimesByTask::default();
        again.take(&mut one, false);
        again.take(&mut other, false);
        let told: Vec<_> = again.into_records().map(|(n, t)| (n, t.run.count(), t.cpu)).collect();
        assert_eq!(told, [(0, 1, 5), (3, 2, 20)]);
    }

    #[test]
    fn memory_is_bounded_whatever_the_number_of_names() {
        let mut times = TimesByTask::default();
        for number in 0..10 * NAMES {
            times.of(number).ran(1_000, 1, 1_000);
        }
        assert_eq!(times.0.len(), NAMES + 1);
        let last = times.into_records().last().expect("there are some");
        assert_eq!((last.0, last.1.run.count()), (NAMES, 9 * NAMES as u64));
    }
}
