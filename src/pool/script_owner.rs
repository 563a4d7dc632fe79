//! The calls of a pool's owner about its script workers: how many there are to be, where a job goes, what becomes of a worker's jobs.

use super::entry::Entry;
use super::job::Job;
use super::position::Taker;
use super::script_state::{Running, WorkerRegistration, WorkerState};
use super::scripts::notify;
use super::state::{Phase, Pool, State};
use super::task_observer::{End, TaskObserver, TaskRef};
use super::trace_reading::slice_of;
use crate::cancel::{CancelToken, Reason};
use crate::sync::MutexGuard;

/// The owner's calls about its workers.
impl Pool {
    /// From now on `keep` script workers are kept even when idle, and there may be `most`, of which each runs up to `concurrency`
    /// jobs; jobs that wait beyond that count for the limit. Workers that are too many leave when they have finished what they run,
    /// and what is bound to them.
    pub fn resize_scripts(&self, keep: usize, most: usize, concurrency: usize) {
        let mut state = self.0.lock();
        state.scripts.keep = keep;
        // One whose order can be repeated has one worker.
        state.scripts.most = if state.gate.is_some() { 1 } else { most };
        state.scripts.capacity.set(most.saturating_mul(concurrency), self.0.age());
        state.scripts.retire_all_but(most);
        let wakers = state.scripts.notify_all();
        drop(state);
        self.0.script_work.notify_all();
        for waker in wakers {
            waker.notify();
        }
    }

    /// The number by which the script's function of this name is called.
    pub fn script_function(&self, name: &str) -> usize {
        self.0.lock().scripts.functions.number(name)
    }

    /// Keeps the source of a function that is in no script, for the workers.
    pub fn keep_source(&self, number: u64, source: String) {
        self.0.lock().scripts.functions.keep_source(number, source);
    }

    /// No job needs that source any more.
    pub fn drop_source(&self, number: u64) {
        self.0.lock().scripts.functions.drop_source(number);
    }

    /// How many script workers take jobs, or are starting.
    pub fn scripts_living(&self) -> usize {
        self.0.lock().scripts.living()
    }

    /// How many jobs wait for a script worker.
    pub fn scripts_waiting(&self) -> usize {
        self.0.lock().waiting(Taker::Script)
    }

    /// For how many of them there could be a worker now; at least one where none lives. `set_up`: the worker of this number has
    /// told just now that it is; then jobs that idle workers are about to take are left out.
    pub fn scripts_wanting(&self, set_up: Option<usize>) -> usize {
        let mut state = self.0.lock();
        if let Some(number) = set_up {
            state.scripts.is_set_up(number);
        }
        let waiting = state.queue.waiting(Taker::Script);
        let takeable = waiting - state.queue.blocked(Taker::Script);
        if takeable == 0 && state.scripts.living() == 0 {
            return waiting.min(1);
        }
        takeable.saturating_sub(set_up.map_or(0, |_| state.scripts.idle()))
    }

    /// Registers a worker that is about to be started: its number. `None` when the pool is closed and nothing waits.
    pub fn register_worker(&self) -> Option<usize> {
        let mut state = self.0.lock();
        let is_needed = state.phase == Phase::Open || state.waiting(Taker::Script) > 0;
        is_needed.then(|| state.scripts.register())
    }

    /// Takes back the registration of a worker that has not joined. False when it has: then it is to be asked to end.
    pub fn revoke_worker(&self, number: usize) -> bool {
        let mut state = self.0.lock();
        let starts = state.scripts.worker(number).is_some_and(|worker| worker.state == WorkerState::Starting);
        starts && state.scripts.leave(number)
    }

    /// Notifies the worker `number` of a job that is bound to it, whose input waits with it in the queue.
    pub fn notify_worker(&self, number: usize) {
        let waker = self.0.lock().scripts.worker(number).and_then(|worker| worker.waker);
        notify(waker);
    }

    /// Of each registered worker: its number, how many jobs it runs, and how many it has done.
    pub fn worker_counts(&self) -> Vec<u64> {
        let state = self.0.lock();
        let of = |(number, worker): (usize, &WorkerRegistration)| {
            [number as u64, worker.running.len() as u64, worker.done]
        };
        state.scripts.workers().flat_map(of).collect()
    }

    /// The worker `number` gets no further job; it keeps the jobs that it holds. Also when its environment has ended.
    pub fn unregister_worker(&self, number: usize) {
        self.worker_left(self.0.lock(), number);
    }

    pub(super) fn worker_left(&self, mut state: MutexGuard<'_, State>, number: usize) -> bool {
        let left = state.scripts.leave(number);
        // If it was notified and never came, another must.
        if left {
            self.tell_left(state);
        }
        left
    }

    /// Ends the registration of a worker that has ended: the ids of the jobs that it ran, which the caller answers; and of
    /// those that were bound to it, which are orphans from now on.
    pub fn evict_worker(&self, number: usize) -> (Vec<u64>, Vec<u64>) {
        self.unregister_worker(number);
        let mut state = self.0.lock();
        let Some(running) = state.scripts.evict(number) else { return (Vec::new(), Vec::new()) };
        for job in &running {
            let Running { token, task, started, .. } = job;
            let stopped = state.scripts.is_forced() || token.as_ref().is_some_and(CancelToken::was_cancelled);
            let end = if stopped { End::Cancelled } else { End::Failed };
            state.tally.ended(*task, end, 1);
            let began = state.age_at(*started);
            state.trace_script(number, || slice_of(job, began).ended(self.0.age(), end));
        }
        // Their positions do not lead to them any more; the owner must look for them among the orphans.
        let orphans = state.orphan_bound(number);
        let mut ids = Vec::with_capacity(running.len());
        let mut inputs = Vec::new();
        for Running { reply, permits, input, .. } in running {
            state.queue.give_back(permits);
            ids.push(reply.id());
            reply.forget();
            inputs.extend(input);
        }
        self.tell_released(state);
        self.announce_if_closed(self.0.lock());
        // Outside the lock.
        drop(inputs);
        (ids, orphans)
    }

    /// The ids of the jobs of a worker that wait for jobs which they have submitted.
    pub fn waiting_jobs_of_worker(&self, number: usize) -> Vec<u64> {
        let state = self.0.lock();
        let running = state.scripts.worker(number).map(|worker| worker.running.iter());
        running.into_iter().flatten().filter(|job| job.waits).map(|job| job.reply.id()).collect()
    }

    /// The ids of the jobs that a worker has taken and not finished.
    pub fn jobs_of_worker(&self, number: usize) -> Vec<u64> {
        let state = self.0.lock();
        let worker = state.scripts.worker(number);
        worker.map_or(Vec::new(), |worker| worker.running.iter().map(|job| job.reply.id()).collect())
    }

    /// The worker for a job whose input can only go to one: the least loaded, with the number of jobs it has at
    /// hand or bound to it; and how many wait for any worker. `None` when no worker lives or is starting.
    pub fn least_loaded_worker(&self) -> Option<(usize, usize, usize)> {
        let state = self.0.lock();
        let load = |number, worker: &WorkerRegistration| {
            // One whose thread is blocked is not free.
            worker.running.len().max(usize::from(worker.blocked)) + state.bound_to(number)
        };
        let workers = state.scripts.workers().filter(|(number, _)| state.scripts.takes_bound(*number));
        workers
            .map(|(number, worker)| (number, load(number, worker), worker))
            // One that runs a job exclusively may do so for ever; one that starts comes after one that is there.
            .min_by_key(|(_, load, worker)| {
                let starts = matches!(worker.state, WorkerState::Starting | WorkerState::Joined);
                (worker.blocked, worker.runs_exclusive(), *load, starts)
            })
            .map(|(number, load, _)| (number, load, state.queue.takeable_by_any_worker()))
    }

    /// Takes every job that waits for a script worker out of the queue, and returns their ids: the caller answers them.
    pub fn drain_scripts(&self) -> Vec<u64> {
        let mut state = self.0.lock();
        let entries = state.drain(Taker::Script);
        let jobs: Vec<Job> = entries
            .into_iter()
            .map(|entry| match entry {
                Entry::Job(job) => job,
                Entry::Batch(_) | Entry::Small(_) => unreachable!("no task of a script"),
            })
            .inspect(|job| state.tally.ended(TaskRef::script(job.task), End::Failed, 1))
            .collect();
        self.tell_released(state);
        self.announce_if_closed(self.0.lock());
        // Outside the lock: the inputs are dropped too.
        let forget = |job: Job| {
            let id = job.reply.id();
            drop(job.into_input());
            id
        };
        jobs.into_iter().map(forget).collect()
    }

    /// Lets the job `id`, which gives its result in parts, give so many more. Nothing happens where no worker runs it.
    pub fn grant_parts(&self, id: u64, count: u32) {
        let state = self.0.lock();
        let number = state.scripts.worker_of(id);
        let waker = number.and_then(|number| state.scripts.worker(number)?.waker);
        drop(state);
        if let Some(waker) = waker {
            waker.grant_parts(id, count);
        }
    }

    /// Asks the worker that runs the job `id` to stop it; returns the worker's number.
    pub fn stop_script(&self, id: u64, reason: Reason) -> Option<usize> {
        let state = self.0.lock();
        let number = state.scripts.worker_of(id)?;
        let waker = state.scripts.worker(number)?.waker;
        drop(state);
        if let Some(waker) = waker {
            waker.stop(id, reason);
        }
        Some(number)
    }
}
