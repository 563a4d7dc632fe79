//! Submitting, cancelling and closing: what the owner of a pool does.

use super::batch::Batch;
use super::entry::Entry;
use super::job::Job;
use super::outbox::Trip;
use super::position::{QueuePosition, Taker, Target};
use super::queue::Drained;
use super::state::{Phase, Pool, State};
use super::task_observer::{End, TaskObserver, TaskRef};
use crate::cancel::{CancelToken, Reason};
use crate::error::{Code, Error, Result};
use crate::sync::{Arc, Mutex, sized, thread};

/// A forced close answers more than so many entries on a thread of its own: about a millisecond's work.
const MANY: usize = sized(5_000, 3);

/// A submission that was accepted.
#[derive(Debug, Clone, Copy)]
pub struct Accepted {
    /// Where it waits, for cancelling.
    pub position: QueuePosition,
    /// Whether the queue is full now: the next submission would be refused.
    pub full: bool,
    /// Of a job for any script worker: whether no worker could be notified. The owner then starts one, if it may.
    pub needs_worker: bool,
}

/// A submission that was not accepted.
pub struct SubmitError<T> {
    /// Why.
    pub error: Error,
    /// The job or batch.
    pub submission: T,
}

impl State {
    /// Takes out all that waits, and says how many entries that are.
    fn take_waiting(&mut self) -> (Vec<(Taker, Drained)>, usize) {
        let count = Taker::ALL.iter().map(|taker| self.waiting(*taker)).sum();
        let taken: Drained = Box::new(self.threads.take_back().into_iter());
        let mut dropped = vec![(Taker::Native, taken)];
        dropped.extend(Taker::ALL.map(|taker| (taker, self.drain(taker))));
        (dropped, count)
    }
}

impl Pool {
    /// Queues a job; higher `priority` first. Refused when the queue is full, the pool is closing, or the system
    /// gives it no thread at all.
    ///
    /// A script worker that has left refuses with [`Code::Internal`]: the owner takes another.
    // The refusal hands the whole job back; it is the rare path.
    #[allow(clippy::result_large_err)]
    pub fn submit(&self, job: Job, priority: i32, target: Target) -> Result<Accepted, SubmitError<Job>> {
        let task = TaskRef { taker: target.taker(), number: job.task };
        self.push(Entry::Job(job), task, 1, priority, target).map_err(|(error, entry)| match entry {
            Entry::Job(submission) => SubmitError { error, submission },
            Entry::Batch(_) | Entry::Small(_) => unreachable!("a job went in"),
        })
    }

    /// Queues a batch, as one entry.
    pub fn submit_batch(&self, batch: Arc<Batch>) -> Result<Accepted, SubmitError<Arc<Batch>>> {
        let (task, count, priority) = (TaskRef::native(batch.task), batch.waiting(), batch.priority);
        self.push(Entry::Batch(batch), task, count, priority, Target::Native).map_err(|(error, entry)| {
            match entry {
                Entry::Batch(submission) => SubmitError { error, submission },
                Entry::Job(_) | Entry::Small(_) => unreachable!("a batch went in"),
            }
        })
    }

    #[allow(clippy::result_large_err)]
    fn push(
        &self,
        entry: Entry,
        task: TaskRef,
        count: usize,
        priority: i32,
        target: Target,
    ) -> Result<Accepted, (Error, Entry)> {
        let mut state = self.0.lock();
        let limit = match self.admit(&mut state, &entry, target) {
            Ok(limit) => limit,
            Err(error) => {
                state.tally.refused(task, count, &error);
                return Err((error, entry));
            }
        };
        let (batch, queued_at) = match &entry {
            Entry::Job(job) => (None, job.queued_at),
            Entry::Batch(batch) => (Some(Arc::clone(batch)), batch.queued_at),
            Entry::Small(_) => unreachable!("small tasks come by the intake"),
        };
        let queued_at = state.age_at(queued_at);
        let position = state.enqueue(entry, priority, queued_at, target);
        if let Some(batch) = batch {
            batch.set_position(position, Trip::new(self.0.number, task, queued_at));
        }
        let full = state.is_full(target.taker(), limit);
        state.tally.queued(task, count, queued_at);
        let needs_worker = match target.taker() {
            Taker::Native => {
                self.0.publish(&mut state);
                self.wake_one(state);
                false
            }
            Taker::Script => {
                state.trace_queue(|| self.0.age());
                self.wake_worker(state, target)
            }
        };
        Ok(Accepted { position, full, needs_worker })
    }

    /// How many entries may wait beside one more for this target; an error where that would be one too many.
    /// A pool that closes takes what accepted jobs wait for.
    fn admit(&self, state: &mut State, entry: &Entry, target: Target) -> Result<usize> {
        let is_nested = matches!(entry, Entry::Job(job) if job.waiter().is_some());
        // What waited for a nested one may have ended since, and the pool with it: the owner has not read that yet.
        if state.phase != Phase::Open && (!is_nested || state.scripts.is_forced() || state.is_over()) {
            return Err(Error::new(Code::PoolClosed, "the pool is closed and takes no more tasks"));
        }
        let (taker, config) = (target.taker(), &self.0.config);
        if taker == Taker::Native && state.threads.alive() == 0 {
            self.start_thread(state)?;
        }
        let limit = state.limit(taker, config);
        if let Some(error) = state.refusal(taker, limit, config) {
            return Err(error);
        }
        if config.max_queue != usize::MAX
            && state.queue.would_wait(entry, target)
            && let Some(error) = state.refusal_to_wait(taker, config)
        {
            return Err(error);
        }
        if let Target::Worker(number) = target
            && !state.scripts.takes_bound(number)
        {
            return Err(Error::new(Code::Internal, "this script worker takes no more tasks"));
        }
        let deadlock = if let Entry::Job(job) = entry { state.deadlock(job, target) } else { None };
        deadlock.map_or(Ok(limit), Err)
    }

    /// Why a submission for takers of this kind would be refused now: the queue has reached its limit.
    pub fn refusal(&self, taker: Taker) -> Option<Error> {
        let (state, config) = (self.0.lock(), &self.0.config);
        if state.phase != Phase::Open {
            return None;
        }
        state.refusal(taker, state.limit(taker, config), config)
    }

    /// Whether the queue, without the entries that free takers will take, is at most half full.
    pub fn is_half_empty(&self) -> bool {
        self.0.lock().total_excess() <= self.0.config.max_queue / 2
    }

    /// Stops a waiting or running job or batch. A waiting one is answered at once; a running one at its next
    /// checkpoint. True when it was still waiting.
    #[cfg(test)]
    pub fn cancel(&self, position: QueuePosition, token: &CancelToken, reason: Reason) -> bool {
        token.cancel(reason);
        self.take_out(&[position], reason, |_| {}) == 1
    }

    /// Answers those that still wait, for `reason`; how many they were. `missed` gets the places in the list of those that have
    /// started: the ones that do not wait any more, and batches of which a thread has taken inputs.
    pub fn take_out(
        &self,
        positions: &[QueuePosition],
        reason: Reason,
        mut missed: impl FnMut(usize),
    ) -> usize {
        let mut state = self.0.lock();
        let mut found = Vec::with_capacity(positions.len());
        for (at, position) in positions.iter().enumerate() {
            match state.remove(*position) {
                Some(entry) => {
                    if matches!(&entry, Entry::Batch(batch) if batch.has_started()) {
                        missed(at);
                    }
                    found.push((position.taker(), entry));
                }
                None => missed(at),
            }
        }
        if found.is_empty() {
            return 0;
        }
        state.answering += 1;
        let has_key = |(_, entry): &(Taker, Entry)| entry.key().is_some();
        if state.phase == Phase::Draining || found.iter().any(has_key) {
            self.tell_released(state);
        } else {
            self.0.publish(&mut state);
            drop(state);
        }
        let count = found.len();
        for (taker, entry) in found {
            self.give_up(taker, entry, reason);
        }
        self.answered();
        count
    }

    /// Entries that were taken out of the queue to be answered have been: a closing pool may have waited for that.
    pub(super) fn answered(&self) {
        let mut state = self.0.lock();
        state.answering -= 1;
        self.announce_if_closed(state);
        self.tell_of_room();
    }

    /// Answers an entry that no thread will take, and counts it before.
    fn give_up(&self, taker: Taker, entry: Entry, reason: Reason) {
        match entry {
            Entry::Batch(batch) => {
                let task = TaskRef::native(batch.task);
                batch.abandon(reason, |tasks| self.0.given_up.lock().ended(task, End::Cancelled, tasks));
            }
            entry => self.refuse(taker, entry, &|| reason.into_error_before()),
        }
    }

    /// Answers an entry with this error, and counts it before.
    pub(super) fn refuse(&self, taker: Taker, entry: Entry, error: &dyn Fn() -> Error) {
        let (number, reply) = match entry {
            Entry::Small(job) => (job.task as usize, self.reply_to(&job)),
            Entry::Job(job) => (job.task, job.into_reply()),
            Entry::Batch(batch) => return batch.abandon(Reason::PoolClosed, |_| {}),
        };
        let error = error();
        self.0.given_up.lock().ended(TaskRef { taker, number }, End::of_error(&error), 1);
        reply.send(Err(error));
    }

    /// A batch has no input left to take: takes it out of the queue, if it still waits there.
    pub(super) fn remove_exhausted(&self, batch: &Batch) {
        let Some(position) = batch.position() else { return };
        let mut state = self.0.lock();
        let removed = state.remove(position);
        if removed.is_some() {
            self.0.publish(&mut state);
        }
        // Outside the lock: it may be the last reference.
        drop(state);
        drop(removed);
    }

    /// Answers all that waits, for `reason`; how many entries that were. What runs goes on.
    pub fn cancel_waiting(&self, reason: Reason) -> usize {
        let mut state = self.0.lock();
        let (dropped, count) = state.take_waiting();
        state.answering += 1;
        self.tell_released(state);
        self.drop_all(dropped, count, reason);
        count
    }

    /// Closes the pool: nothing new is accepted, and `when_closed` is called once the last thread has ended.
    /// Without `force` all accepted work is finished; with it, waiting work is answered with [`Code::PoolClosed`]
    /// and running work is asked to stop. May be called again, to force a close that was graceful.
    pub fn close(&self, force: bool, when_closed: Option<Box<dyn FnOnce() + Send>>) {
        let shared = &*self.0;
        // What is in the intake may need a thread: its writer may not have made its call yet.
        if !force {
            self.look_at_intake();
        }
        let mut state = shared.lock();
        state.phase = Phase::Draining;
        state.when_closed.extend(when_closed);
        let (mut dropped, mut count) = (Vec::new(), 0);
        let mut stopped: Vec<CancelToken> = Vec::new();
        if force {
            state.scripts.force();
            (dropped, count) = state.take_waiting();
            stopped.extend(state.tokens().cloned());
        }
        let wakers = state.scripts.notify_all();
        shared.publish(&mut state);
        state.answering += 1;
        // Parked threads end by themselves once they wake: no claims are needed for that.
        shared.thread_work.notify_all();
        shared.nap.notify_all();
        shared.script_work.notify_all();
        drop(state);
        for waker in wakers {
            waker.notify();
        }
        for token in stopped {
            token.cancel(Reason::PoolClosed);
        }
        self.drop_all(dropped, count, Reason::PoolClosed);
    }

    /// Answers all that was taken out of the queue. Of much on a thread of its own, since the caller is a JavaScript
    /// thread, which has the answers to deliver meanwhile.
    fn drop_all(&self, dropped: Vec<(Taker, Drained)>, count: usize, reason: Reason) {
        let pool = self.clone();
        // They reach the thread by the lock, so that they are still here if there is no thread.
        let dropped = Arc::new(Mutex::new(dropped));
        let work = {
            let dropped = Arc::clone(&dropped);
            move || {
                let dropped = std::mem::take(&mut *dropped.lock());
                for (taker, entries) in dropped {
                    entries.for_each(|entry| pool.give_up(taker, entry, reason));
                }
                pool.answered();
            }
        };
        let name = format!("{}-closer", self.0.config.name);
        if count <= MANY || thread::Builder::new().name(name).spawn(work.clone()).is_err() {
            work();
        }
    }
}
