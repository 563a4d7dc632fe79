//! The queue of a pool: everything that waits, in a line for each taker.
//!
//! A taker finds its next entry in O(1), so each kind has a line of its own, and each script worker another for the jobs
//! that are *bound* to it, since their input can only go there. A worker takes from both, the higher priority first, then
//! the older. A job that is bound to a worker that ends was not begun: the job becomes an *orphan*, which the owner binds to
//! another worker or answers.
//!
//! Where an entry waits is its [`QueuePosition`]; `admission.rs` describes how much may wait.

use std::collections::VecDeque;

use super::batch::Batch;
use super::estimates::{CHUNK, Estimates};
use super::intake::SmallJob;
use super::job::Job;
use super::parallel_for::ParallelFor;
use super::position::{Location, QueuePosition, Taker, Target};
use super::priority_queue::{Entry, PriorityQueue};
use crate::sync::Arc;

/// The work that a native thread takes.
pub(super) enum Taken {
    /// A task, with its priority. [`Queue::take_more`] takes others with it.
    Job(Entry, i32),
    Batch(Arc<Batch>),
    /// Parts of the task of another thread.
    Steal(Arc<ParallelFor>),
}

/// Entries that were taken out of the queue.
pub(super) type Drained = Box<dyn Iterator<Item = Entry> + Send>;

fn entry_of((_, entry): (i32, Entry)) -> Entry {
    entry
}

pub(super) struct Queue {
    /// Work in parts that wants more threads, once for each thread; before everything else, as it is work begun.
    stealable: VecDeque<Arc<ParallelFor>>,
    native: PriorityQueue,
    any_worker: PriorityQueue,
    /// By the worker's number. A line outlives its worker, so that no position is ever used again.
    bound: Vec<PriorityQueue>,
    /// Entries in all of `bound`.
    bound_len: usize,
    /// With their priorities.
    orphans: Vec<(i32, Job)>,
}

impl Queue {
    pub(super) fn new() -> Self {
        Queue {
            stealable: VecDeque::new(),
            native: PriorityQueue::new(),
            any_worker: PriorityQueue::new(),
            bound: Vec::new(),
            bound_len: 0,
            orphans: Vec::new(),
        }
    }

    /// How many entries wait for takers of one kind.
    pub(super) fn waiting(&self, taker: Taker) -> usize {
        match taker {
            Taker::Native => self.native.len(),
            Taker::Script => self.any_worker.len() + self.bound_len + self.orphans.len(),
        }
    }

    /// The highest priority that waits for native threads; `i32::MIN` when nothing does.
    pub(super) fn top_native_priority(&self) -> i32 {
        self.native.top_priority()
    }

    /// How much native threads could take up now: entries, and requests for threads.
    pub(super) fn takeable_by_threads(&self) -> usize {
        self.native.len() + self.stealable.len()
    }

    /// Jobs that any script worker may take.
    pub(super) fn takeable_by_any_worker(&self) -> usize {
        self.any_worker.len()
    }

    /// Jobs that are bound to the worker `number`.
    pub(super) fn bound_to(&self, number: usize) -> usize {
        self.bound.get(number).map_or(0, PriorityQueue::len)
    }

    /// Adds an entry.
    pub(super) fn push(&mut self, entry: Entry, priority: i32, target: Target) -> QueuePosition {
        QueuePosition(match (target, entry) {
            (Target::Native, entry) => Location::Native(self.native.push(priority, entry)),
            (Target::AnyWorker, entry) => Location::AnyWorker(self.any_worker.push(priority, entry)),
            (Target::Worker(number), entry) => {
                if self.bound.len() <= number {
                    self.bound.resize_with(number + 1, PriorityQueue::new);
                }
                self.bound_len += 1;
                Location::Worker(number, self.bound[number].push(priority, entry))
            }
            (Target::NoWorker, Entry::Job(job)) => {
                let id = job.reply.id();
                self.orphans.push((priority, job));
                Location::Orphan(id)
            }
            (Target::NoWorker, Entry::Batch(_) | Entry::Small(_)) => unreachable!("no task of a script"),
        })
    }

    /// Takes out the entry at a position, if it still waits there.
    pub(super) fn remove(&mut self, position: QueuePosition) -> Option<Entry> {
        match position.0 {
            Location::Native(at) => self.native.remove(at),
            Location::AnyWorker(at) => self.any_worker.remove(at),
            Location::Worker(number, at) => {
                let removed = self.bound.get_mut(number)?.remove(at);
                self.bound_len -= usize::from(removed.is_some());
                removed
            }
            Location::Orphan(id) => self.remove_orphan(id).map(|(_, job)| Entry::Job(job)),
        }
    }

    /// Everything that waits for takers of one kind, in order; nothing is moved before it is looked at.
    pub(super) fn drain(&mut self, taker: Taker) -> Drained {
        let mut all: Vec<Drained> = Vec::new();
        match taker {
            Taker::Native => all.push(Box::new(self.native.drain().map(entry_of))),
            Taker::Script => {
                all.push(Box::new(self.any_worker.drain().map(entry_of)));
                self.bound.iter_mut().for_each(|line| all.push(Box::new(line.drain().map(entry_of))));
                self.bound_len = 0;
                let orphans = std::mem::take(&mut self.orphans);
                all.push(Box::new(orphans.into_iter().map(|(_, job)| Entry::Job(job))));
            }
        }
        Box::new(all.into_iter().flatten())
    }

    /// The next for a native thread.
    pub(super) fn take_native(&mut self) -> Option<Taken> {
        if let Some(parts) = self.stealable.pop_front() {
            return Some(Taken::Steal(parts));
        }
        self.take_above(None)
    }

    /// The next entry for a native thread, if its priority is above this.
    pub(super) fn take_above(&mut self, limit: Option<i32>) -> Option<Taken> {
        let (priority, _) = self.native.first()?;
        if limit.is_some_and(|limit| priority <= limit) {
            return None;
        }
        Some(match self.native.pop()? {
            Entry::Batch(batch) => Taken::Batch(batch),
            entry => Taken::Job(entry, priority),
        })
    }

    /// Takes further tasks of this priority into `run`, in order, as long as they and the `first` are short.
    pub(super) fn take_more(
        &mut self,
        first: &Entry,
        priority: i32,
        estimates: &Estimates,
        run: &mut VecDeque<Entry>,
    ) {
        let mut spent = estimates.of(first.task());
        if !first.is_sharable() {
            return;
        }
        while let Some((next_priority, next)) = self.native.first() {
            spent += estimates.of(next.task());
            if next_priority != priority || spent > CHUNK || !next.is_sharable() {
                break;
            }
            run.extend(self.native.pop());
        }
    }

    /// About how long the entries for native threads may run, in nanoseconds.
    pub(super) fn estimate(&self, estimates: &Estimates) -> u64 {
        const LOOKED_AT: usize = 8;
        let look = |entry: &Entry| match entry {
            Entry::Batch(_) => u64::from(u32::MAX),
            entry => estimates.of(entry.task()),
        };
        if !self.stealable.is_empty() {
            return u64::MAX;
        }
        let sum: u64 = self.native.iter().take(LOOKED_AT).map(look).sum();
        let waiting = self.native.len();
        if waiting <= LOOKED_AT { sum } else { sum / LOOKED_AT as u64 * waiting as u64 }
    }

    /// Adds a small task.
    pub(super) fn push_small(&mut self, job: SmallJob) {
        self.native.push_small(job);
    }

    /// Offers work in parts to so many threads.
    pub(super) fn offer(&mut self, parts: &Arc<ParallelFor>, threads: usize) {
        self.stealable.extend(std::iter::repeat_n(Arc::clone(parts), threads));
    }

    /// Takes an offer back, as far as no thread has taken it up.
    pub(super) fn withdraw(&mut self, parts: &Arc<ParallelFor>) {
        self.stealable.retain(|other| !Arc::ptr_eq(other, parts));
    }

    /// The next job that any script worker may take.
    pub(super) fn next_for_any_worker(&self) -> Option<&Job> {
        self.any_worker.next_job().map(|(_, job)| job)
    }

    /// The next for the script worker `number`, if the worker admits it. One that it does not admit lets no other pass.
    pub(super) fn take_for_worker(
        &mut self,
        number: usize,
        only_bound: bool,
        admits: impl FnOnce(&Job) -> bool,
    ) -> Option<Job> {
        let any = if only_bound { None } else { self.any_worker.next_job() };
        let bound = self.bound.get(number).and_then(PriorityQueue::next_job);
        let takes_bound = match (any, bound) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some((priority, job)), Some((own_priority, own))) => {
                own_priority > priority || (own_priority == priority && own.queued_at < job.queued_at)
            }
        };
        let (_, next) = if takes_bound { bound? } else { any? };
        if !admits(next) {
            return None;
        }
        let line = if takes_bound { &mut self.bound[number] } else { &mut self.any_worker };
        let Some(Entry::Job(job)) = line.pop() else { unreachable!("scripts have no batches") };
        self.bound_len -= usize::from(takes_bound);
        Some(job)
    }

    /// Takes out the job of this id that is bound to the worker `number`; by looking at all of them.
    pub(super) fn remove_bound(&mut self, number: usize, id: u64) -> Option<Job> {
        let job = self.bound.get_mut(number)?.remove_job(id)?;
        self.bound_len -= 1;
        Some(job)
    }

    /// Makes orphans of the jobs that are bound to the worker `number`: their ids. Their positions change by that.
    pub(super) fn orphan_bound(&mut self, number: usize) -> Vec<u64> {
        let Some(line) = self.bound.get_mut(number) else { return Vec::new() };
        let mut ids = Vec::with_capacity(line.len());
        self.bound_len -= line.len();
        for (priority, entry) in line.drain() {
            if let Entry::Job(job) = entry {
                ids.push(job.reply.id());
                self.orphans.push((priority, job));
            }
        }
        ids
    }

    /// Takes an orphan out, with its priority.
    pub(super) fn remove_orphan(&mut self, id: u64) -> Option<(i32, Job)> {
        let at = self.orphans.iter().position(|(_, job)| job.reply.id() == id)?;
        Some(self.orphans.remove(at))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::error::Result;
    use crate::pool::Outbox;
    use crate::value::{Payload, Value};

    struct Nowhere;
    impl Outbox for Nowhere {
        fn settle(&self, _: usize, _: u64, _: Result<Value>) {}
    }

    fn entry(id: u64) -> Entry {
        Entry::Job(Job::new(id, &Nowhere, 0, Payload::Value(Value::Null), None))
    }

    fn id_of(entry: Option<Entry>) -> Option<u64> {
        match entry? {
            Entry::Job(job) => Some(job.reply.id()),
            Entry::Batch(_) | Entry::Small(_) => None,
        }
    }

    #[test]
    fn each_position_leads_to_its_entry_and_each_taker_has_its_own() {
        let mut queue = Queue::new();
        let targets =
            [Target::Native, Target::AnyWorker, Target::Worker(0), Target::Worker(3), Target::NoWorker];
        let positions: Vec<QueuePosition> =
            (1..).zip(targets).map(|(id, target)| queue.push(entry(id), 0, target)).collect();
        assert_eq!((queue.waiting(Taker::Native), queue.waiting(Taker::Script)), (1, 4));
        assert_eq!(
            (queue.bound_to(0), queue.bound_to(1), queue.bound_to(3), queue.bound_to(9)),
            (1, 0, 1, 0)
        );
        for ((id, target), position) in (1..).zip(targets).zip(&positions) {
            assert_eq!(position.taker(), target.taker());
            assert_eq!(id_of(queue.remove(*position)), Some(id));
            assert_eq!(id_of(queue.remove(*position)), None, "once");
        }
        assert_eq!((queue.waiting(Taker::Native), queue.waiting(Taker::Script)), (0, 0));
    }

    #[test]
    fn what_is_bound_moves_to_the_orphans_and_keeps_its_priority() {
        let mut queue = Queue::new();
        let position = queue.push(entry(1), 7, Target::Worker(2));
        queue.push(entry(2), 0, Target::Worker(2));
        assert_eq!(queue.orphan_bound(2), [1, 2]);
        assert_eq!(queue.waiting(Taker::Script), 2);
        assert_eq!(id_of(queue.remove(position)), None, "it waits at another position");
        assert_eq!(queue.remove_orphan(1).map(|(priority, job)| (priority, job.reply.id())), Some((7, 1)));
        assert_eq!(id_of(queue.remove(QueuePosition::of_orphan(2))), Some(2));
        assert!(queue.orphan_bound(9).is_empty());
    }

    #[test]
    fn draining_one_taker_leaves_the_other() {
        let mut queue = Queue::new();
        let targets = [Target::Native, Target::AnyWorker, Target::Worker(1), Target::NoWorker];
        for (id, target) in (1..).zip(targets) {
            queue.push(entry(id), 0, target);
        }
        let ids: Vec<u64> = queue.drain(Taker::Script).filter_map(|entry| id_of(Some(entry))).collect();
        assert_eq!(ids, [2, 3, 4]);
        assert_eq!((queue.waiting(Taker::Native), queue.waiting(Taker::Script)), (1, 0));
        assert!(matches!(queue.take_native(), Some(Taken::Job(Entry::Job(job), 0)) if job.reply.id() == 1));
    }
}
