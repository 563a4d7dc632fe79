//! The part of the queue that is for script workers alone: what a worker takes, and jobs that are bound to one.

use super::affinity::goes_before;
use super::entry::Entry;
use super::job::Job;
use super::line::Line;
use super::permits::Permits;
use super::position::{LinePosition, Location, QueuePosition, Taker};
use super::priority_queue::Waiting;
use super::queue::{Orphan, Queue};
use super::rank::Place;
use super::task_limits::TaskLimits;
use crate::value::Payload;

/// Where a worker's next job waits.
enum Next {
    AnyWorker,
    /// There, for a key that the worker ran last.
    Own(LinePosition),
    Bound,
}

impl Queue {
    /// Jobs that any script worker could take now.
    pub(super) fn takeable_by_any_worker(&self) -> usize {
        self.any_worker.takeable(&self.limits)
    }

    /// Jobs that are bound to the worker `number`.
    pub(super) fn bound_to(&self, number: usize) -> usize {
        self.bound.get(number).map_or(0, Line::len)
    }

    /// Those of them that the worker could take now.
    pub(super) fn takeable_by_worker(&self, number: usize) -> usize {
        self.bound.get(number).map_or(0, |line| line.takeable(&self.limits))
    }

    /// The next job that any script worker may take.
    pub(super) fn next_for_any_worker(&self) -> Option<&Job> {
        first_job(&self.any_worker, &self.limits).map(|(_, job)| job)
    }

    /// The worker that would rather take this job than another.
    pub(super) fn preferred_worker(&self, job: &Job) -> Option<usize> {
        self.keys.last_worker(job.key()?)
    }

    /// A job waits for any worker that could be taken now: the worker that ran its key last would rather take it.
    pub(super) fn prefer(&mut self, entry: &Entry, position: LinePosition) {
        if let Some(worker) = entry.key().and_then(|key| self.keys.last_worker(key)) {
            self.affinity.add(worker, position);
        }
    }

    /// A job that waited for any worker waits no more: the worker that would rather have taken it need not look for it.
    pub(super) fn prefer_no_more(&mut self, entry: &Entry, position: LinePosition) {
        if self.affinity.is_empty() {
            return;
        }
        if let Some(worker) = entry.key().and_then(|key| self.keys.last_worker(key)) {
            self.affinity.remove(worker, position.priority, position.number);
        }
    }

    pub(super) fn prefer_at(&mut self, position: LinePosition) {
        let entry = self.any_worker.at(position);
        let key = entry.and_then(|(_, entry)| entry.key());
        if let Some(worker) = key.and_then(|key| self.keys.last_worker(key)) {
            self.affinity.add(worker, position);
        }
    }

    /// The next for the script worker `number`, if the worker admits it; and what it keeps others from. One that it does not
    /// admit lets no other pass.
    pub(super) fn take_for_worker(
        &mut self,
        number: usize,
        only_bound: bool,
        admits: impl Fn(&Job) -> bool,
    ) -> Option<(Job, Permits)> {
        let own = if only_bound { None } else { self.next_of_own_keys(number, &admits) };
        let (next, (place, job)) = self.next_for_worker(number, only_bound, own)?;
        if !admits(job) {
            return None;
        }
        let preferred = if self.affinity.is_empty() { None } else { self.preferred_worker(job) };
        let entry = match next {
            Next::AnyWorker => self.any_worker.pop(&self.limits),
            Next::Own(position) => self.any_worker.remove(position).map(|(entry, _)| entry),
            Next::Bound => self.bound[number].pop(&self.limits).inspect(|entry| self.leaves_bound(entry)),
        };
        let entry = entry.expect("it was seen just now");
        if let Some(worker) = preferred {
            self.affinity.remove(worker, place.priority, place.number);
        }
        let permits = self.begins(&entry, Taker::Script, Some(number));
        let Entry::Job(job) = entry else { unreachable!("scripts have no batches") };
        Some((job, permits))
    }

    fn next_for_worker(
        &self,
        number: usize,
        only_bound: bool,
        own: Option<LinePosition>,
    ) -> Option<(Next, (Place, &Job))> {
        let any = if only_bound { None } else { first_job(&self.any_worker, &self.limits) };
        let any = match (any, own) {
            (Some((first, _)), Some(position)) => {
                let own = job_of(self.any_worker.at(position)?)?;
                if goes_before(self.rule, &own.0, &first) {
                    Some((Next::Own(position), own))
                } else {
                    any.map(|any| (Next::AnyWorker, any))
                }
            }
            (any, _) => any.map(|any| (Next::AnyWorker, any)),
        };
        let bound = self.bound.get(number).and_then(|line| first_job(line, &self.limits));
        match (any, bound) {
            (Some((_, (any, _))), Some(bound)) if self.rule.compare(&bound.0, &any).is_lt() => {
                Some((Next::Bound, bound))
            }
            (None, Some(bound)) => Some((Next::Bound, bound)),
            (any, _) => any,
        }
    }

    /// The first job of a key that the worker ran last, of those that it could begin.
    fn next_of_own_keys(&mut self, number: usize, admits: impl Fn(&Job) -> bool) -> Option<LinePosition> {
        while let Some(position) = self.affinity.first(number) {
            if let Some((_, job)) = self.any_worker.at(position).and_then(job_of) {
                let is_open = position.limit.is_none_or(|limit| self.limits.room(limit.index()) > 0);
                return (is_open && admits(job)).then_some(position);
            }
            // Another has taken it.
            self.affinity.remove_first(number);
        }
        None
    }

    pub(super) fn push_bound(&mut self, worker: usize, position: LinePosition, waiting: Waiting, held: bool) {
        if self.bound.len() <= worker {
            let (rule, limits) = (self.rule, self.limits.count());
            self.bound.resize_with(worker + 1, || Line::new(rule, limits));
        }
        self.bound_len += 1;
        self.movable += usize::from(is_movable(&waiting.entry));
        self.bound[worker].add(position, waiting, held);
    }

    /// An entry is out of the line of its worker.
    pub(super) fn leaves_bound(&mut self, entry: &Entry) {
        self.bound_len -= 1;
        self.movable -= usize::from(is_movable(entry));
    }

    pub(super) fn push_orphan(&mut self, waiting: Waiting, held: bool) {
        let Waiting { priority, number, at, entry: Entry::Job(job) } = waiting else {
            unreachable!("no task of a script")
        };
        self.orphans.insert(job.reply.id(), Orphan { priority, number, at, held, job });
    }

    /// Binds an orphan to a worker, with this input, at the place that it had: its new position.
    pub(super) fn rebind(&mut self, id: u64, worker: usize, input: Payload) -> Option<QueuePosition> {
        let Orphan { priority, number, at, held, job } = self.orphans.remove(&id)?;
        let limit = self.limits.of(Taker::Script, job.task);
        let at_line = LinePosition { priority, number, limit };
        let position = QueuePosition(Location::Worker(worker, at_line));
        if let (true, Some(key)) = (held, job.key()) {
            self.keys.moved(key, number, position);
        }
        let entry = Entry::Job(job.with_input(input));
        self.push_bound(worker, at_line, Waiting { priority, number, at, entry }, held);
        Some(position)
    }

    /// Takes out the job of this id that is bound to the worker `number`; by looking at all of them.
    pub(super) fn remove_bound(&mut self, number: usize, id: u64) -> Option<Job> {
        let (at, entry, held) = self.bound.get_mut(number)?.remove_job(id)?;
        self.leaves_bound(&entry);
        self.leaves(&entry, at, Taker::Script, held);
        let Entry::Job(job) = entry else { unreachable!("scripts have no batches") };
        Some(job)
    }

    /// Makes orphans of the jobs that are bound to the worker `number`: their ids. Their positions change by that.
    pub(super) fn orphan_bound(&mut self, number: usize) -> Vec<u64> {
        self.keys.worker_ended(number);
        self.affinity.worker_ended(number);
        let Some(line) = self.bound.get_mut(number) else { return Vec::new() };
        let mut ids = Vec::with_capacity(line.len());
        for (waiting, held) in line.drain() {
            self.leaves_bound(&waiting.entry);
            let id = waiting.entry.id();
            if let (true, Some(key)) = (held, waiting.entry.key()) {
                self.keys.moved(key, waiting.number, QueuePosition::of_orphan(id));
            }
            ids.push(id);
            self.push_orphan(waiting, held);
        }
        ids
    }

    /// Takes an orphan out.
    pub(super) fn disown(&mut self, id: u64) -> Option<Job> {
        let Orphan { number, held, job, .. } = self.orphans.remove(&id)?;
        let entry = Entry::Job(job);
        self.leaves(&entry, number, Taker::Script, held);
        let Entry::Job(job) = entry else { unreachable!("it was made just now") };
        Some(job)
    }
}

/// Whether the owner of a job that is bound to a worker could bind it to another one.
pub(super) fn is_movable(entry: &Entry) -> bool {
    matches!(entry, Entry::Job(job) if job.is_movable())
}

fn job_of((place, entry): (Place, &Entry)) -> Option<(Place, &Job)> {
    match entry {
        Entry::Job(job) => Some((place, job)),
        Entry::Batch(_) | Entry::Small(_) => None,
    }
}

/// The first job of a line of scripts' jobs.
fn first_job<'line>(line: &'line Line, limits: &TaskLimits) -> Option<(Place, &'line Job)> {
    line.first(limits).and_then(job_of)
}
