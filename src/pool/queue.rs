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
use super::position::{LinePosition, Location, QueuePosition, Taker, Target};
use super::priority_queue::{Entry, PriorityQueue, Waiting};
use super::rank::{Place, Rank, Rule};
use super::task_observer::Age;
use crate::sync::Arc;
use crate::value::Payload;

/// The work that a native thread takes.
pub(super) enum Taken {
    /// A task, and the place that it had. [`Queue::take_more`] takes others with it.
    Job(Entry, Place),
    Batch(Arc<Batch>, Place),
    /// Parts of the task of another thread.
    Steal(Arc<ParallelFor>),
}

/// Entries that were taken out of the queue.
pub(super) type Drained = Box<dyn Iterator<Item = Entry> + Send>;

/// A job that is bound to no worker any more, or not yet.
struct Orphan {
    priority: i32,
    number: u64,
    at: Age,
    job: Job,
}

pub(super) struct Queue {
    pub(super) rule: Rule,
    /// The number of the next entry: all are numbered as they come.
    next_number: u64,
    /// When the last was submitted, as far as the order goes.
    latest: Age,
    /// Work in parts that wants more threads, once for each thread; before everything else, as it is work begun.
    stealable: VecDeque<Arc<ParallelFor>>,
    native: PriorityQueue,
    any_worker: PriorityQueue,
    /// By the worker's number. A line outlives its worker, so that no position is ever used again.
    bound: Vec<PriorityQueue>,
    /// Entries in all of `bound`.
    bound_len: usize,
    orphans: Vec<Orphan>,
}

impl Queue {
    pub(super) fn new(rule: Rule) -> Self {
        Queue {
            rule,
            next_number: 0,
            latest: 0,
            stealable: VecDeque::new(),
            native: PriorityQueue::new(rule),
            any_worker: PriorityQueue::new(rule),
            bound: Vec::new(),
            bound_len: 0,
            orphans: Vec::new(),
        }
    }

    /// Jobs that wait for a worker that they can be bound to.
    pub(super) fn orphans(&self) -> usize {
        self.orphans.len()
    }

    /// How many entries wait for takers of one kind.
    pub(super) fn waiting(&self, taker: Taker) -> usize {
        match taker {
            Taker::Native => self.native.len(),
            Taker::Script => self.any_worker.len() + self.bound_len + self.orphans.len(),
        }
    }

    /// The rank of what comes first for native threads; [`Rank::LAST`] when nothing waits.
    pub(super) fn first_native_rank(&self) -> Rank {
        self.native.first().map_or(Rank::LAST, |(place, _)| place.rank)
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

    /// Adds an entry, which was submitted `at` that time.
    pub(super) fn push(&mut self, entry: Entry, priority: i32, at: Age, target: Target) -> QueuePosition {
        let (number, at) = self.number(at);
        let position = LinePosition { priority, number };
        QueuePosition(match (target, entry) {
            (Target::Native, entry) => {
                self.native.push(priority, number, at, entry);
                Location::Native(position)
            }
            (Target::AnyWorker, entry) => {
                self.any_worker.push(priority, number, at, entry);
                Location::AnyWorker(position)
            }
            (Target::Worker(worker), entry) => {
                self.push_bound(worker, Waiting { priority, number, at, entry });
                Location::Worker(worker, position)
            }
            (Target::NoWorker, Entry::Job(job)) => {
                let id = job.reply.id();
                self.orphans.push(Orphan { priority, number, at, job });
                Location::Orphan(id)
            }
            (Target::NoWorker, Entry::Batch(_) | Entry::Small(_)) => unreachable!("no task of a script"),
        })
    }

    /// The number of an entry that was submitted `at` that time, and the time by which it is ordered: later than that of all before
    /// it. Several come out of the intake with one time, and threads that submit come here in any order.
    fn number(&mut self, at: Age) -> (u64, Age) {
        let number = self.next_number;
        self.next_number += 1;
        self.latest = at.max(self.latest + 1);
        (number, self.latest)
    }

    fn push_bound(&mut self, worker: usize, Waiting { priority, number, at, entry }: Waiting) {
        if self.bound.len() <= worker {
            self.bound.resize_with(worker + 1, || PriorityQueue::new(self.rule));
        }
        self.bound_len += 1;
        self.bound[worker].push(priority, number, at, entry);
    }

    /// Binds an orphan to a worker, with this input, at the place that it had: its new position.
    pub(super) fn rebind(&mut self, id: u64, worker: usize, input: Payload) -> Option<QueuePosition> {
        let Orphan { priority, number, at, job } = self.remove_orphan(id)?;
        let entry = Entry::Job(Job { input, ..job });
        self.push_bound(worker, Waiting { priority, number, at, entry });
        Some(QueuePosition(Location::Worker(worker, LinePosition { priority, number })))
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
            Location::Gate { .. } => None,
            Location::Orphan(id) => self.disown(id).map(Entry::Job),
        }
    }

    /// Everything that waits for takers of one kind, in order; nothing is moved before it is looked at.
    pub(super) fn drain(&mut self, taker: Taker) -> Drained {
        let mut all: Vec<Drained> = Vec::new();
        match taker {
            Taker::Native => all.push(Box::new(self.native.drain().map(|waiting| waiting.entry))),
            Taker::Script => {
                let lines = std::iter::once(&mut self.any_worker).chain(&mut self.bound);
                lines.for_each(|line| all.push(Box::new(line.drain().map(|waiting| waiting.entry))));
                self.bound_len = 0;
                let orphans = std::mem::take(&mut self.orphans);
                all.push(Box::new(orphans.into_iter().map(|orphan| Entry::Job(orphan.job))));
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

    /// The next entry for a native thread, if it comes before this rank.
    pub(super) fn take_above(&mut self, limit: Option<Rank>) -> Option<Taken> {
        let (place, _) = self.native.first()?;
        if limit.is_some_and(|limit| place.rank >= limit) {
            return None;
        }
        Some(match self.native.pop()? {
            Entry::Batch(batch) => Taken::Batch(batch, place),
            entry => Taken::Job(entry, place),
        })
    }

    /// Takes the next tasks into `run` while they are of this priority, as long as they and the `first` are short.
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
        while let Some((next_place, next)) = self.native.first() {
            spent += estimates.of(next.task());
            if next_place.priority != priority || spent > CHUNK || !next.is_sharable() {
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

    /// Adds a small task, at priority 0.
    pub(super) fn push_small(&mut self, job: SmallJob) {
        let (number, at) = self.number(job.queued_at);
        self.native.push(0, number, at, Entry::Small(job));
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
        first_job(&self.any_worker).map(|(_, job)| job)
    }

    /// The next for the script worker `number`, if the worker admits it. One that it does not admit lets no other pass.
    pub(super) fn take_for_worker(
        &mut self,
        number: usize,
        only_bound: bool,
        admits: impl FnOnce(&Job) -> bool,
    ) -> Option<Job> {
        let any = if only_bound { None } else { first_job(&self.any_worker) };
        let bound = self.bound.get(number).and_then(first_job);
        let takes_bound = match (any, bound) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some((place, _)), Some((own, _))) => self.rule.compare(&own, &place).is_lt(),
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
        for Waiting { priority, number, at, entry } in line.drain() {
            if let Entry::Job(job) = entry {
                ids.push(job.reply.id());
                self.orphans.push(Orphan { priority, number, at, job });
            }
        }
        ids
    }

    fn remove_orphan(&mut self, id: u64) -> Option<Orphan> {
        let at = self.orphans.iter().position(|orphan| orphan.job.reply.id() == id)?;
        Some(self.orphans.remove(at))
    }

    /// Takes an orphan out.
    pub(super) fn disown(&mut self, id: u64) -> Option<Job> {
        self.remove_orphan(id).map(|orphan| orphan.job)
    }
}

/// The first job of a line of scripts' jobs.
fn first_job(line: &PriorityQueue) -> Option<(Place, &Job)> {
    match line.first()? {
        (place, Entry::Job(job)) => Some((place, job)),
        _ => None,
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::error::Result;
    use crate::pool::Outbox;
    use crate::value::Value;

    struct Nowhere;
    impl Outbox for Nowhere {
        fn settle(&self, _: usize, _: u64, _: Result<Value>) {}
    }

    fn queue() -> Queue {
        Queue::new(Rule::new(None, false))
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
        let mut queue = queue();
        let targets =
            [Target::Native, Target::AnyWorker, Target::Worker(0), Target::Worker(3), Target::NoWorker];
        let positions: Vec<QueuePosition> =
            (1..).zip(targets).map(|(id, target)| queue.push(entry(id), 0, id, target)).collect();
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
        let mut queue = queue();
        let position = queue.push(entry(1), 7, 1, Target::Worker(2));
        queue.push(entry(2), 0, 2, Target::Worker(2));
        assert_eq!(queue.orphan_bound(2), [1, 2]);
        assert_eq!(queue.waiting(Taker::Script), 2);
        assert_eq!(id_of(queue.remove(position)), None, "it waits at another position");
        queue.push(entry(3), 6, 3, Target::Worker(4));
        let rebound = queue.rebind(1, 4, Payload::Value(Value::Null)).expect("it was an orphan");
        assert_eq!(rebound.taker(), Taker::Script);
        let next = queue.take_for_worker(4, true, |_| true);
        assert_eq!(next.map(|job| job.reply.id()), Some(1));
        assert_eq!(id_of(queue.remove(QueuePosition::of_orphan(2))), Some(2));
        assert!(queue.orphan_bound(9).is_empty());
    }

    #[test]
    fn draining_one_taker_leaves_the_other() {
        let mut queue = queue();
        let targets = [Target::Native, Target::AnyWorker, Target::Worker(1), Target::NoWorker];
        for (id, target) in (1..).zip(targets) {
            queue.push(entry(id), 0, id, target);
        }
        let ids: Vec<u64> = queue.drain(Taker::Script).filter_map(|entry| id_of(Some(entry))).collect();
        assert_eq!(ids, [2, 3, 4]);
        assert_eq!((queue.waiting(Taker::Native), queue.waiting(Taker::Script)), (1, 0));
        assert!(matches!(queue.take_native(), Some(Taken::Job(Entry::Job(job), _)) if job.reply.id() == 1));
    }
}
