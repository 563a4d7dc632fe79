//! Which jobs that wait for any script worker a worker would rather take: those of a key that it ran last.
//!
//! No worker stays idle for that: whoever comes takes what is first. But a worker is told of a job of its key before others are,
//! and takes one before others of that priority that were submitted within [`KEPT`] of it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::position::LinePosition;
use super::rank::{Place, Rule};
use super::task_observer::Age;

/// How much earlier a job may have been submitted than one of the worker's own key that goes before it, in nanoseconds.
const KEPT: Age = 50_000_000;

/// By the worker's number: jobs by priority and number. Some may have been taken by others.
#[derive(Default)]
pub(super) struct Affinity(Vec<BTreeMap<(Reverse<i32>, u64), LinePosition>>);

impl Affinity {
    /// A job waits that this worker would rather take.
    pub(super) fn add(&mut self, worker: usize, position: LinePosition) {
        if self.0.len() <= worker {
            self.0.resize_with(worker + 1, BTreeMap::new);
        }
        self.0[worker].insert((Reverse(position.priority), position.number), position);
    }

    /// Whether no worker ever had such a job.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first of these jobs.
    pub(super) fn first(&self, worker: usize) -> Option<LinePosition> {
        self.0.get(worker)?.first_key_value().map(|(_, position)| *position)
    }

    /// A job of a key that this worker ran last waits no more.
    pub(super) fn remove(&mut self, worker: usize, priority: i32, number: u64) {
        if let Some(jobs) = self.0.get_mut(worker) {
            jobs.remove(&(Reverse(priority), number));
        }
    }

    pub(super) fn remove_first(&mut self, worker: usize) {
        if let Some(jobs) = self.0.get_mut(worker) {
            jobs.pop_first();
        }
    }

    /// The worker has ended; its number may be another's.
    pub(super) fn worker_ended(&mut self, worker: usize) {
        if let Some(jobs) = self.0.get_mut(worker) {
            jobs.clear();
        }
    }

    /// Nothing waits any more.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Whether a worker takes a job of its own key before the one that comes first.
pub(super) fn goes_before(rule: Rule, own: &Place, first: &Place) -> bool {
    let is_near = own.priority == first.priority && own.at.abs_diff(first.at) <= KEPT;
    is_near || rule.compare(own, first).is_lt()
}
