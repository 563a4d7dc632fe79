//! The queue of a pool: everything that waits, in a line for each taker.
//!
//! A taker finds its next entry in O(1), so each kind has a line of its own, and each script worker another for the jobs
//! that are *bound* to it, since their input can only go there. A worker takes from both, in one order. A job that is bound to a
//! worker that ends was not begun: the job becomes an *orphan*, which the owner binds to another worker or answers.
//! `script_queue.rs` has what is for scripts alone, and `moved_jobs.rs` what moves to a worker that is idle.
//!
//! Entries may wait for their key (`keys.rs`) or for the limit of their task (`task_limits.rs`). What is taken holds permits for
//! both (`holding.rs`).
//!
//! Where an entry waits is its [`QueuePosition`]; `admission.rs` describes how much may wait.

use std::collections::{BTreeMap, VecDeque};

use super::affinity::Affinity;
use super::batch::Batch;
use super::config::Config;
use super::entry::Entry;
use super::estimates::{CHUNK, Estimates};
use super::intake::SmallJob;
use super::job::Job;
use super::keys::Keys;
use super::line::Line;
use super::parallel_for::ParallelFor;
use super::permits::Permits;
use super::position::{LimitId, LinePosition, Location, QueuePosition, Taker, Target};
use super::priority_queue::Waiting;
use super::rank::{Place, Rule};
use super::task_limits::TaskLimits;
use super::task_observer::Age;
use crate::sync::Arc;

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
pub(super) struct Orphan {
    pub(super) priority: i32,
    pub(super) number: u64,
    pub(super) at: Age,
    /// Whether it waits for its key.
    pub(super) held: bool,
    pub(super) job: Job,
}

pub(super) struct Queue {
    pub(super) rule: Rule,
    /// The number of the next entry: all are numbered as they come.
    next_number: u64,
    /// When the last was submitted, as far as the order goes.
    latest: Age,
    /// Work in parts that wants more threads, once for each thread; before everything else, as it is work begun.
    stealable: VecDeque<Arc<ParallelFor>>,
    pub(super) native: Line,
    pub(super) any_worker: Line,
    /// By the worker's number. A line outlives its worker, so that no position is ever used again.
    pub(super) bound: Vec<Line>,
    /// Entries in all of `bound`.
    pub(super) bound_len: usize,
    /// Those of them that could be bound to another worker.
    pub(super) movable: usize,
    /// By their ids.
    pub(super) orphans: BTreeMap<u64, Orphan>,
    pub(super) keys: Keys,
    pub(super) limits: TaskLimits,
    pub(super) affinity: Affinity,
    /// Entries that wait for their key, by taker.
    pub(super) held: [usize; Taker::ALL.len()],
}

impl Queue {
    /// `number`: that of a script's function.
    pub(super) fn new(config: &Config, number: impl FnMut(&str) -> usize) -> Self {
        let (rule, limits) = (config.rule(), TaskLimits::new(&config.task_limits, number));
        Queue {
            rule,
            next_number: 0,
            latest: 0,
            stealable: VecDeque::new(),
            native: Line::new(rule, limits.count()),
            any_worker: Line::new(rule, limits.count()),
            bound: Vec::new(),
            bound_len: 0,
            movable: 0,
            orphans: BTreeMap::new(),
            keys: Keys::new(config.key_limit),
            limits,
            affinity: Affinity::default(),
            held: [0; Taker::ALL.len()],
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

    /// How many of them no taker could take now, however many are free: they wait for their key or limit.
    pub(super) fn blocked(&self, taker: Taker) -> usize {
        if self.limits.is_empty() {
            return self.held[taker as usize];
        }
        let blocked = |line: &Line| line.len() - line.takeable(&self.limits);
        match taker {
            Taker::Native => blocked(&self.native),
            Taker::Script => {
                let held = self.orphans.values().filter(|orphan| orphan.held).count();
                held + std::iter::once(&self.any_worker).chain(&self.bound).map(blocked).sum::<usize>()
            }
        }
    }

    /// Whether an entry for this target would have to wait for its key or limit.
    pub(super) fn would_wait(&self, entry: &Entry, target: Target) -> bool {
        let taker = target.taker();
        let line = match target {
            Target::Native => &self.native,
            Target::AnyWorker | Target::Worker(_) | Target::NoWorker => &self.any_worker,
        };
        let is_full = |limit: LimitId| line.waiting_for(limit) >= self.limits.room(limit.index());
        entry.key().is_some_and(|key| self.keys.is_busy(key))
            || self.limits.of(taker, entry.task()).is_some_and(is_full)
    }

    /// The place of what comes first for native threads; [`Place::LAST`] when nothing can be taken.
    pub(super) fn first_native_place(&self) -> Place {
        self.native.first(&self.limits).map_or(Place::LAST, |(place, _)| place)
    }

    /// How much native threads could take up now: entries, and requests for threads.
    pub(super) fn takeable_by_threads(&self) -> usize {
        self.native.takeable(&self.limits) + self.stealable.len()
    }

    /// Adds an entry, which was submitted `at` that time.
    pub(super) fn push(&mut self, entry: Entry, priority: i32, at: Age, target: Target) -> QueuePosition {
        let (number, at) = self.number(at);
        let limit = self.limits.of(target.taker(), entry.task());
        let at_line = LinePosition { priority, number, limit };
        let position = QueuePosition(match target {
            Target::Native => Location::Native(at_line),
            Target::AnyWorker => Location::AnyWorker(at_line),
            Target::Worker(worker) => Location::Worker(worker, at_line),
            Target::NoWorker => Location::Orphan(entry.id()),
        });
        let held = entry.key().is_some_and(|key| !self.keys.admit(key, number, position));
        self.held[target.taker() as usize] += usize::from(held);
        let waiting = Waiting { priority, number, at, entry };
        match target {
            Target::Native => self.native.add(at_line, waiting, held),
            Target::AnyWorker => {
                if !held {
                    self.prefer(&waiting.entry, at_line);
                }
                self.any_worker.add(at_line, waiting, held);
            }
            Target::Worker(worker) => self.push_bound(worker, at_line, waiting, held),
            Target::NoWorker => self.push_orphan(waiting, held),
        }
        position
    }

    /// Adds a small task, at priority 0.
    #[inline]
    pub(super) fn push_small(&mut self, job: SmallJob) {
        let (number, at) = self.number(job.queued_at);
        let limit = self.limits.of(Taker::Native, job.task as usize);
        let position = LinePosition { priority: 0, number, limit };
        self.native.add(position, Waiting { priority: 0, number, at, entry: Entry::Small(job) }, false);
    }

    /// The number of an entry that was submitted `at` that time, and the time by which it is ordered: later than that of all before
    /// it. Several come out of the intake with one time, and threads that submit come here in any order.
    #[inline]
    fn number(&mut self, at: Age) -> (u64, Age) {
        let number = self.next_number;
        self.next_number += 1;
        self.latest = at.max(self.latest + 1);
        (number, self.latest)
    }

    /// Takes out the entry at a position, if it still waits there.
    pub(super) fn remove(&mut self, position: QueuePosition) -> Option<Entry> {
        let (entry, held) = match position.0 {
            Location::Native(at) => self.native.remove(at)?,
            Location::AnyWorker(at) => {
                let removed = self.any_worker.remove(at)?;
                self.prefer_no_more(&removed.0, at);
                removed
            }
            Location::Worker(number, at) => {
                let removed = self.bound.get_mut(number)?.remove(at)?;
                self.leaves_bound(&removed.0);
                removed
            }
            Location::Gate { .. } => return None,
            Location::Orphan(id) => return self.disown(id).map(Entry::Job),
        };
        let (Location::Native(at) | Location::AnyWorker(at) | Location::Worker(_, at)) = position.0 else {
            unreachable!("returned above")
        };
        self.leaves(&entry, at.number, position.taker(), held);
        Some(entry)
    }

    /// Everything that waits for takers of one kind, in order; nothing is moved before it is looked at.
    pub(super) fn drain(&mut self, taker: Taker) -> Drained {
        let mut all: Vec<Drained> = Vec::new();
        match taker {
            Taker::Native => all.push(Box::new(self.native.drain().map(|(waiting, _)| waiting.entry))),
            Taker::Script => {
                let lines = std::iter::once(&mut self.any_worker).chain(&mut self.bound);
                lines.for_each(|line| all.push(Box::new(line.drain().map(|(waiting, _)| waiting.entry))));
                (self.bound_len, self.movable) = (0, 0);
                let orphans = std::mem::take(&mut self.orphans);
                all.push(Box::new(orphans.into_values().map(|orphan| Entry::Job(orphan.job))));
                self.affinity.clear();
            }
        }
        self.held[taker as usize] = 0;
        let next = self.keys.drained(taker);
        self.release_all(next);
        Box::new(all.into_iter().flatten())
    }

    /// The next for a native thread.
    pub(super) fn take_native(&mut self) -> Option<(Taken, Permits)> {
        if let Some(parts) = self.stealable.pop_front() {
            return Some((Taken::Steal(parts), Permits::default()));
        }
        self.take_above(None)
    }

    /// The next entry for a native thread, if it goes before what the thread has begun.
    pub(super) fn take_above(&mut self, begun: Option<&Place>) -> Option<(Taken, Permits)> {
        let rule = self.rule;
        let is_above = |place: &Place, _: &Entry| {
            begun.is_none_or(|begun| rule.goes_above(place.rank, place.priority, begun))
        };
        let (place, entry) = self.native.pop_if(&self.limits, is_above)?;
        let permits = self.begins(&entry, Taker::Native, None);
        let taken = match entry {
            Entry::Batch(batch) => Taken::Batch(batch, place),
            entry => Taken::Job(entry, place),
        };
        Some((taken, permits))
    }

    /// Takes the next tasks into `run` while they are of this priority, as long as they and the `first` are short.
    pub(super) fn take_more(
        &mut self,
        first: &Entry,
        priority: i32,
        estimates: &Estimates,
        run: &mut VecDeque<Entry>,
    ) {
        let Queue { native, limits, .. } = self;
        let is_sharable =
            |entry: &Entry| entry.is_sharable() && limits.of(Taker::Native, entry.task()).is_none();
        let mut spent = estimates.of(first.task());
        if !is_sharable(first) {
            return;
        }
        let mut is_next = |place: &Place, entry: &Entry| {
            spent += estimates.of(entry.task());
            place.priority == priority && spent <= CHUNK && is_sharable(entry)
        };
        while let Some((_, entry)) = native.pop_if(limits, &mut is_next) {
            run.push_back(entry);
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
        let waiting = self.native.takeable(&self.limits);
        if waiting <= LOOKED_AT { sum } else { sum / LOOKED_AT as u64 * waiting as u64 }
    }

    /// Calls `look` with each job that waits, the taker that it waits for, and whether it waits for its key.
    pub(super) fn for_each_job<'queue>(&'queue self, mut look: impl FnMut(&'queue Job, Target, bool)) {
        let mut look_at = |entry: &'queue Entry, target, held| {
            if let Entry::Job(job) = entry {
                look(job, target, held);
            }
        };
        let bound = self.bound.iter().enumerate().map(|(number, line)| (line, Target::Worker(number)));
        let lines = [(&self.native, Target::Native), (&self.any_worker, Target::AnyWorker)];
        for (line, target) in lines.into_iter().chain(bound) {
            line.iter().for_each(|entry| look_at(entry, target, false));
            line.held().for_each(|entry| look_at(entry, target, true));
        }
        for orphan in self.orphans.values() {
            look(&orphan.job, Target::NoWorker, orphan.held);
        }
    }

    /// Offers work in parts to so many threads.
    pub(super) fn offer(&mut self, parts: &Arc<ParallelFor>, threads: usize) {
        self.stealable.extend(std::iter::repeat_n(Arc::clone(parts), threads));
    }

    /// Takes an offer back, as far as no thread has taken it up.
    pub(super) fn withdraw(&mut self, parts: &Arc<ParallelFor>) {
        self.stealable.retain(|other| !Arc::ptr_eq(other, parts));
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

    fn queue() -> Queue {
        Queue::new(&Config::default(), |_| 0)
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
        assert_eq!(next.map(|(job, _)| job.reply.id()), Some(1));
        assert_eq!(id_of(queue.remove(QueuePosition::of_orphan(2))), Some(2));
        assert!(queue.orphan_bound(9).is_empty());
    }

    #[test]
    fn what_a_worker_would_rather_take_is_forgotten_when_it_is_taken_out() {
        let mut queue = queue();
        let keyed = |id| {
            let job = Job::new(id, &Nowhere, 0, Payload::Value(Value::Null), None);
            Entry::Job(job.keyed("k".to_owned()))
        };
        queue.push(keyed(0), 0, 0, Target::AnyWorker);
        let (_, permits) = queue.take_for_worker(5, false, |_| true).expect("it is free");
        queue.give_back(permits);
        for id in 1..100 {
            let position = queue.push(keyed(id), 0, id, Target::AnyWorker);
            assert!(queue.affinity.first(5).is_some());
            assert_eq!(id_of(queue.remove(position)), Some(id));
            assert!(queue.affinity.first(5).is_none(), "nothing is left of {id}");
        }
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
        assert!(
            matches!(queue.take_native(), Some((Taken::Job(Entry::Job(job), _), _)) if job.reply.id() == 1)
        );
    }
}
