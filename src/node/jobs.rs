//! The jobs of one environment that JavaScript may cancel: one by its id, or a group of them at once.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use super::handles::Handles;
use crate::cancel::{CancelToken, Reason};
use crate::exported_numbers::Numbers;
use crate::numbers;
use crate::pool::{Pool, QueuePosition, Taker};

/// How to cancel a job.
struct Cancellable {
    /// The handle by which it was submitted.
    handle: u32,
    pool: Pool,
    position: QueuePosition,
    token: CancelToken,
    /// Whether the token is that of a group.
    in_group: bool,
}

impl Cancellable {
    /// Asks the job to stop.
    fn stop(&self, reason: Reason) {
        // When the time of one is up, the others of its group go on; its token says so by its deadline.
        if !(self.in_group && reason.is_time()) {
            self.token.cancel(reason);
        }
    }

    /// Of a job that no longer waits: the number of the script worker that runs it and is asked to stop it.
    fn stop_script(&self, id: u64, reason: Reason) -> Option<usize> {
        if self.position.taker() == Taker::Script { self.pool.stop_script(id, reason) } else { None }
    }
}

/// Where a job was when it was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// In the queue: it has not started.
    Waiting,
    /// The script worker of this number runs it.
    AtWorker(usize),
    /// A native thread runs it; or it was answered.
    Elsewhere,
}

/// Which token a job has that JavaScript may cancel.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CancelBy {
    /// None: it cannot be cancelled.
    Nothing,
    /// One of its own.
    Itself,
    /// That of the group of this handle.
    Group(u32),
}

/// As JavaScript tells it; a group by its handle, from `FIRST_GROUP` on.
const UNCANCELLABLE: u32 = 0;
const ITSELF: u32 = 1;
const FIRST_GROUP: u32 = 2;

/// For JavaScript.
pub(super) const NUMBERS: Numbers = numbers! { UNCANCELLABLE, ITSELF, FIRST_GROUP };

impl CancelBy {
    pub(crate) fn of(number: u32) -> Self {
        match number {
            UNCANCELLABLE => CancelBy::Nothing,
            ITSELF => CancelBy::Itself,
            group => CancelBy::Group(group - FIRST_GROUP),
        }
    }
}

/// Ids are ours, and each is another: one multiplication spreads them, where the usual hash takes as long as all else that is done here.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 ^ u64::from(*byte));
        }
    }

    fn write_u64(&mut self, id: u64) {
        self.0 = id.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Jobs by id, from when they are submitted until they are answered; and groups. Used on the environment's own thread only.
#[derive(Default)]
pub(crate) struct Jobs {
    by_id: RefCell<HashMap<u64, Cancellable, BuildHasherDefault<IdHasher>>>,
    groups: Handles<CancelToken>,
}

impl Jobs {
    /// Remembers how to cancel the job `id`.
    pub(super) fn remember(
        &self,
        id: u64,
        (handle, pool): (u32, Pool),
        position: QueuePosition,
        token: CancelToken,
        in_group: bool,
    ) {
        self.by_id.borrow_mut().insert(id, Cancellable { handle, pool, position, token, in_group });
    }

    /// The job `id` waits at another position now.
    pub(super) fn moved(&self, id: u64, position: QueuePosition) {
        if let Some(job) = self.by_id.borrow_mut().get_mut(&id) {
            job.position = position;
        }
    }

    /// Forgets a job that has been answered.
    pub(super) fn forget(&self, id: u64) {
        let mut jobs = self.by_id.borrow_mut();
        if !jobs.is_empty() {
            jobs.remove(&id);
        }
    }

    /// Cancels the job `id`, if it has not been answered.
    pub(crate) fn cancel(&self, id: u64, reason: Reason) -> Found {
        let Some(job) = self.by_id.borrow_mut().remove(&id) else { return Found::Elsewhere };
        job.stop(reason);
        let mut has_started = false;
        if job.pool.take_out(&[job.position], reason, |_| has_started = true) == 0 {
            return job.stop_script(id, reason).map_or(Found::Elsewhere, Found::AtWorker);
        }
        if has_started { Found::Elsewhere } else { Found::Waiting }
    }

    /// Cancels all these jobs. `running` gets the ids of those that script workers run, and their workers' numbers.
    pub(crate) fn cancel_all(&self, ids: &[f64], mut running: impl FnMut(u64, usize)) {
        let mut rest: Vec<(u64, Cancellable)> = {
            let mut jobs = self.by_id.borrow_mut();
            ids.iter().filter_map(|id| jobs.remove_entry(&(*id as u64))).collect()
        };
        rest.iter().for_each(|(_, job)| job.stop(Reason::Cancelled));
        // One lock for all of a pool, as a signal's tasks have one pool as a rule.
        while let Some((_, first)) = rest.first() {
            let pool = first.pool.clone();
            let (own, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(_, job)| job.pool.is(&pool));
            let positions: Vec<QueuePosition> = own.iter().map(|(_, job)| job.position).collect();
            let mut missed = Vec::new();
            pool.take_out(&positions, Reason::Cancelled, |at| missed.push(at));
            for (id, job) in missed.into_iter().map(|at| &own[at]) {
                if let Some(worker) = job.stop_script(*id, Reason::Cancelled) {
                    running(*id, worker);
                }
            }
            rest = others;
        }
    }

    /// Ends the jobs that were submitted by this handle, for `reason`; with `only_waiting` those that have begun go on. How many
    /// waited.
    pub(super) fn end_of(&self, handle: u32, reason: Reason, only_waiting: bool) -> usize {
        let own: Vec<(u64, Cancellable)> =
            self.by_id.borrow_mut().extract_if(|_, job| job.handle == handle).collect();
        let Some(pool) = own.first().map(|(_, job)| job.pool.clone()) else { return 0 };
        let positions: Vec<QueuePosition> = own.iter().map(|(_, job)| job.position).collect();
        let mut missed = HashSet::new();
        let count = pool.take_out(&positions, reason, |at| {
            missed.insert(at);
        });
        // Stopped after the others were taken out: a thread that is free by that must not begin one of them.
        let begun = own.into_iter().enumerate().filter(|(at, _)| missed.contains(at)).map(|(_, job)| job);
        if only_waiting {
            self.by_id.borrow_mut().extend(begun);
        } else {
            begun.for_each(|(_, job)| job.stop(reason));
        }
        count
    }

    /// Opens a group; its handle.
    pub(crate) fn open_group(&self) -> u32 {
        self.groups.insert(CancelToken::new(None))
    }

    /// The token of a group.
    pub(super) fn group(&self, handle: u32) -> Option<CancelToken> {
        self.groups.get(handle)
    }

    /// From now on no job of the group begins, and those that run should stop. None is answered by that.
    pub(crate) fn stop_group(&self, handle: u32) {
        if let Some(token) = self.group(handle) {
            token.cancel(Reason::Cancelled);
        }
    }

    /// Lets go of a group; its handle may be used again. Its jobs keep their token.
    pub(crate) fn close_group(&self, handle: u32) {
        drop(self.groups.remove(handle));
    }

    /// The environment ends: its jobs are ended by their pools, but for those in pools that others have open too.
    pub(super) fn close(&self) {
        for job in self.by_id.take().into_values() {
            // Other pools end with their owner.
            if job.pool.is_shared() {
                job.stop(Reason::PoolClosed);
                job.pool.take_out(&[job.position], Reason::PoolClosed, |_| {});
            }
        }
        self.groups.take_all().for_each(drop);
    }
}
