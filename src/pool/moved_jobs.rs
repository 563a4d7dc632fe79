//! Jobs that are bound to a worker that is at something else, while another is idle.
//!
//! A job is bound to a worker when its input can only go to one, and its owner chooses while it may not be known who will be free
//! first. So a worker that finds nothing to do *asks* its owner for what others have not begun ([`Step::Ask`](super::Step::Ask)), once
//! until it is answered. The owner takes up to half of what the most loaded one has ([`Pool::unbind_for`]): these become orphans, which
//! it binds to the idle worker. Only the owner can, since only the owner can send the inputs again; where it is busy, the jobs stay
//! where they are, and begin there.
//!
//! A worker that waits already is notified where there is something to ask for: when a job that has waited for its key or limit is
//! released, or when the worker that it is bound to begins another. One is notified at a time, as the next follows when it has begun.

use super::entry::Entry;
use super::job::Job;
use super::line::Line;
use super::position::LinePosition;
use super::priority_queue::Waiting;
use super::queue::Queue;
use super::script_queue::is_movable;
use super::script_state::{Waker, WorkerRegistration, WorkerState};
use super::state::{Pool, State};

impl WorkerRegistration {
    /// Whether it looks at its line by itself, now or as soon as it is told.
    fn looks(&self) -> bool {
        match self.state {
            WorkerState::Waiting | WorkerState::Notified => true,
            // Else it runs a job, in the middle of which it takes no other.
            WorkerState::AtWork => self.running.is_empty(),
            WorkerState::Starting | WorkerState::Joined | WorkerState::Left => false,
        }
    }
}

impl Queue {
    /// Whether the worker `from` has a job that could begin elsewhere.
    fn has_movable(&self, from: usize, admits: impl Fn(&Job) -> bool) -> bool {
        let has = |line: &Line| line.first_that(&self.limits, |entry| moves(entry, &admits)).is_some();
        self.bound.get(from).is_some_and(has)
    }

    /// Makes orphans of up to half of the jobs that the worker `from` could begin now: their ids.
    fn unbind_some(&mut self, from: usize, admits: impl Fn(&Job) -> bool) -> Vec<u64> {
        let most = self.takeable_by_worker(from).div_ceil(2);
        let mut ids = Vec::new();
        while ids.len() < most
            && let Some((place, limit)) =
                self.bound[from].first_that(&self.limits, |entry| moves(entry, &admits))
        {
            let (priority, number, at) = (place.priority, place.number, place.at);
            let Some((entry, held)) = self.bound[from].remove(LinePosition { priority, number, limit })
            else {
                break;
            };
            self.leaves_bound(&entry);
            ids.push(entry.id());
            self.push_orphan(Waiting { priority, number, at, entry }, held);
        }
        ids
    }
}

fn moves(entry: &Entry, admits: impl Fn(&Job) -> bool) -> bool {
    is_movable(entry) && matches!(entry, Entry::Job(job) if admits(job))
}

impl State {
    /// The worker that has most of what the worker `number` could begin in its place.
    fn source_for(&self, number: usize) -> Option<usize> {
        let worker = self.scripts.worker(number)?;
        if self.queue.movable == 0 || worker.retiring || !worker.looks() {
            return None;
        }
        let admits = |job: &Job| worker.admits(job.is_exclusive());
        let is_source = |(other, registration): &(usize, &WorkerRegistration)| {
            *other != number && !registration.looks() && self.queue.has_movable(*other, admits)
        };
        let sources = self.scripts.workers().filter(is_source).map(|(other, _)| other);
        sources.max_by_key(|other| self.queue.takeable_by_worker(*other))
    }

    /// Whether the worker `number`, which has found nothing to do, is to ask now.
    pub(super) fn asks(&mut self, number: usize) -> bool {
        let may_ask =
            self.queue.movable > 0 && self.scripts.worker(number).is_some_and(|worker| !worker.has_asked);
        let asks = may_ask && self.source_for(number).is_some();
        if asks && let Some(worker) = self.scripts.worker_mut(number) {
            worker.has_asked = true;
        }
        asks
    }

    /// A waiting worker that has something to ask for.
    pub(super) fn notify_to_ask(&mut self) -> Option<&'static dyn Waker> {
        if self.queue.movable == 0 || self.scripts.is_anyone_notified() {
            return None;
        }
        let may_ask = |number: &usize| {
            self.scripts.worker(*number).is_some_and(|worker| !worker.has_asked)
                && self.source_for(*number).is_some()
        };
        let number = self.scripts.waiting().find(may_ask)?;
        self.scripts.notify(number)
    }
}

/// The owner's call about a worker that asks.
impl Pool {
    /// Makes orphans of jobs that another worker has not begun, for the worker `number`, if that is still idle: their ids. The caller
    /// binds them to it.
    pub fn unbind_for(&self, number: usize) -> Vec<u64> {
        let mut state = self.0.lock();
        if let Some(worker) = state.scripts.worker_mut(number) {
            worker.has_asked = false;
        }
        let Some(from) = state.source_for(number) else { return Vec::new() };
        let state = &mut *state;
        let Some(worker) = state.scripts.worker(number) else { return Vec::new() };
        state.queue.unbind_some(from, |job| worker.admits(job.is_exclusive()))
    }
}
