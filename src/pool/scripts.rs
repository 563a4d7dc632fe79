//! The calls of a script worker: it joins, takes steps, and leaves. `script_state.rs` has the protocol, `script_owner.rs` the owner's
//! calls.

use std::time::Duration;

use super::cpu_clock::WORTH;
use super::job::{Details, Inherited, InputPath, Job};
use super::outbox::{Reply, ScriptOutcome, Trip};
use super::position::Taker;
use super::script_state::{Running, Waker, WorkerRegistration, WorkerState};
use super::state::{Phase, Pool, State};
use super::task_observer::{End, TaskObserver, TaskRef};
use super::trace::Slice;
use crate::cancel::{CancelToken, Reason};
use crate::os_thread::{name_of, set_name};
use crate::sync::{Instant, MutexGuard, wait_for};
use crate::value::{Payload, Value};

/// The next step of a worker.
pub enum Step {
    /// Run this.
    Run {
        /// Its id, to answer it by.
        id: u64,
        /// The number of the script's function, as the job was submitted with.
        function: usize,
        /// Its input.
        input: Payload,
        /// By which it may be stopped.
        token: Option<CancelToken>,
        /// How the input comes; [`InputPath::OnDemand`]: not yet.
        path: InputPath,
        /// Whether it should run for so long that its CPU time can be measured cheaply.
        measures: bool,
        /// In which form its function is called.
        call_form: u64,
        /// What tasks get that it submits.
        inherited: Inherited,
        /// Whether it was submitted after the worker had come for it, perhaps by whoever got the answer to the one before.
        is_new: bool,
    },
    /// Nothing waits: go back to the event loop until notified.
    Wait,
    /// Others have jobs bound to them that this worker could run: ask the owner for them ([`Pool::unbind_for`]), and come again.
    Ask,
    /// The pool needs this worker no more: end.
    Leave,
}

/// How long an idle worker waits in [`Pool::script_step`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdleWait {
    /// Not at all: it is registered as waiting.
    Never,
    /// In place for at most this long; then it is registered as waiting.
    Linger(Duration),
    /// In place for at most this long; without being registered, so the worker must come again by itself.
    Block(Duration),
}

impl IdleWait {
    fn time(self) -> Duration {
        match self {
            IdleWait::Linger(time) | IdleWait::Block(time) => time,
            IdleWait::Never => Duration::ZERO,
        }
    }
}

/// A job that a worker has taken.
pub(super) struct Begun {
    pub(super) id: u64,
    pub(super) job: Job,
    /// Whether its CPU time is worth measuring.
    pub(super) measures: bool,
}

/// A job that was finished: to be sent once the lock is free.
struct Answered {
    reply: Reply,
    outcome: ScriptOutcome,
    /// Whether it kept others from running.
    released: bool,
    late: Option<Reason>,
    /// Of a job that was not stopped.
    trip: Option<Trip>,
}

impl Answered {
    fn send(self) {
        let outcome = match self.late {
            Some(reason) => self.outcome.late(reason),
            None => self.outcome,
        };
        self.reply.send_script(outcome, self.trip);
    }
}

pub(super) fn notify(waker: Option<&'static dyn Waker>) {
    if let Some(waker) = waker {
        waker.notify();
    }
}

/// A worker's calls.
impl Pool {
    /// The calling thread is that of the worker `number`, which is about to load the script.
    pub fn adopt_worker_thread(&self, number: usize) {
        let config = &self.0.config;
        set_name(&name_of(&config.name, "js", number));
        config.adopt_thread();
    }

    /// The worker `number` has started. False when its registration is gone.
    pub fn worker_joined(&self, number: usize, waker: &'static dyn Waker) -> bool {
        let mut state = self.0.lock();
        match state.scripts.worker_mut(number) {
            Some(worker) if worker.state == WorkerState::Starting => {
                worker.state = WorkerState::Joined;
                worker.waker = Some(waker);
                true
            }
            _ => false,
        }
    }

    /// Answers the job that the worker `number` has finished, if any, and gives it its next step.
    pub fn script_step(&self, number: usize, finished: Option<(u64, ScriptOutcome)>, idle: IdleWait) -> Step {
        self.measured_step(number, finished, None, idle)
    }

    /// As `script_step`. `cpu`: the CPU time of the job that is finished, in nanoseconds, where it was measured; else that is taken
    /// to be as long as it ran.
    pub fn measured_step(
        &self,
        number: usize,
        finished: Option<(u64, ScriptOutcome)>,
        cpu: Option<u64>,
        idle: IdleWait,
    ) -> Step {
        let now = Instant::now();
        let mut state = self.0.lock();
        if state.scripts.worker(number).is_none() {
            return Step::Leave;
        }
        state.scripts.comes(number);
        let Some((id, outcome)) = finished else { return self.take_step(state, number, idle, now) };
        let answered = state.finish_script(number, id, outcome, cpu, now);
        // Both in one critical section; the answer goes out once the lock is free.
        let taken = state.begin_script(number, now);
        let waker = state.notify_worker_if_needed();
        if answered.as_ref().is_some_and(|answered| answered.released) {
            self.tell_released(state);
        } else {
            drop(state);
        }
        if let Some(answered) = answered {
            answered.send();
        }
        notify(waker);
        let step = taken.and_then(|job| self.start(number, job, now));
        step.unwrap_or_else(|| self.take_step(self.0.lock(), number, idle, now))
    }

    /// Answers a job without taking another.
    pub fn script_finish(&self, number: usize, id: u64, outcome: ScriptOutcome) {
        self.measured_finish(number, id, outcome, None);
    }

    /// As `script_finish`; `cpu` as in [`Pool::measured_step`].
    pub fn measured_finish(&self, number: usize, id: u64, outcome: ScriptOutcome, cpu: Option<u64>) {
        let mut state = self.0.lock();
        let Some(answered) = state.finish_script(number, id, outcome, cpu, Instant::now()) else { return };
        if answered.released {
            self.tell_released(state);
        } else {
            drop(state);
        }
        answered.send();
    }

    fn take_step<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        number: usize,
        idle: IdleWait,
        came: Instant,
    ) -> Step {
        let mut now = came;
        let mut wait = idle.time();
        let until = now + wait;
        loop {
            if state.scripts.worker(number).is_none_or(|worker| worker.state == WorkerState::Left) {
                return Step::Leave;
            }
            if let Some(job) = state.begin_script(number, now) {
                let waker = state.notify_worker_if_needed();
                drop(state);
                notify(waker);
                if let Some(step) = self.start(number, job, came) {
                    return step;
                }
                state = self.0.lock();
                now = Instant::now();
                continue;
            }
            if state.must_leave(number) {
                state.scripts.leave(number);
                self.tell_left(state);
                return Step::Leave;
            }
            if state.asks(number) {
                return Step::Ask;
            }
            if wait > Duration::ZERO {
                state.scripts.blocked += 1;
                wait_for(&self.0.script_work, &mut state, wait);
                state.scripts.blocked -= 1;
                now = Instant::now();
                wait = until.saturating_duration_since(now);
                continue;
            }
            if !matches!(idle, IdleWait::Block(_)) {
                state.scripts.waits(number);
            }
            // It may have been notified of a job that another has taken, or that wants a worker exclusively.
            let waker = state.notify_worker_if_needed();
            drop(state);
            notify(waker);
            return Step::Wait;
        }
    }

    /// Workers that wait in place.
    #[cfg(all(test, not(loom)))]
    pub(super) fn blocked_workers(&self) -> usize {
        self.0.lock().scripts.blocked
    }

    /// A job that its worker is about to run. None for one that should have stopped already, which is answered.
    fn start(&self, number: usize, taken: Begun, came: Instant) -> Option<Step> {
        let Begun { id, mut job, measures } = taken;
        let Details { token, path, call_form, inherited, .. } = job.take_details();
        let Job { task: function, input, queued_at, .. } = job;
        if let Some(reason) = token.as_ref().and_then(CancelToken::reason) {
            let mut state = self.0.lock();
            if let Some(Running { reply, task, started, permits, .. }) =
                state.scripts.take_running(number, id)
            {
                let at = state.age_at(started);
                state.tally.left(task, at, at);
                state.tally.ended(task, End::Cancelled, 1);
                self.release(state, permits);
                reply.send(Err(reason.into_error_before()));
                return None;
            }
        } else if token.as_ref().is_some_and(CancelToken::limits_run) {
            // Only its owner can end a worker whose script does not look.
            let tell = self.0.lock().scripts.running(number, id).map(|running| running.reply.started());
            if let Some(tell) = tell {
                tell();
            }
        }
        let is_new = queued_at > came;
        Some(Step::Run { id, function, input, token, path, measures, call_form, inherited, is_new })
    }

    /// The worker `number` ends of its own will: it gets no further job, except those that are bound to it. With `only_idle`
    /// just when it has waited in vain and more workers live than are kept. True when it may go now; else, unless
    /// `only_idle`, until [`Step::Leave`].
    pub fn retire_worker(&self, number: usize, only_idle: bool) -> bool {
        let mut state = self.0.lock();
        let has_bound = state.bound_to(number) > 0;
        if only_idle {
            let is_idle = |worker: &WorkerRegistration| match worker.state {
                WorkerState::Waiting => true,
                // One that blocks while it waits is not registered as waiting, and is not told of jobs between two waits.
                WorkerState::AtWork => worker.running.is_empty() && state.queue.takeable_by_any_worker() == 0,
                _ => false,
            };
            let waits = state.scripts.worker(number).is_some_and(is_idle);
            let living = state.scripts.living();
            // What waits for its key needs a worker later.
            let is_needed = living == 1 && state.queue.waiting(Taker::Script) > 0;
            if !waits || has_bound || living <= state.scripts.keep || is_needed {
                return false;
            }
        } else if let Some(worker) = state.scripts.worker_mut(number)
            && has_bound
        {
            worker.retiring = true;
            return false;
        }
        self.worker_left(state, number)
    }

    /// The job `id`, which the worker `number` runs, waits for jobs that it has submitted to this pool, or goes on. While it waits
    /// it takes none of its worker's capacity, so that the worker can run what it waits for.
    pub fn script_waits(&self, number: usize, id: u64, waits: bool) {
        let mut state = self.0.lock();
        let permits = state.scripts.set_waits(number, id, waits);
        self.release(state, permits);
    }

    /// As [`Pool::script_waits`], of a job whose worker can run no other meanwhile: see [`deadlock`](super::deadlock).
    pub fn script_holds(&self, number: usize, id: u64, holds: bool) {
        let mut state = self.0.lock();
        let permits = state.scripts.set_holds(number, id, holds);
        self.release(state, permits);
    }

    /// The thread of the worker `number` is blocked, in the job `id` or in none (0), until a job has ended that it is about to submit; or
    /// goes on. Another worker takes what it was notified of.
    pub fn script_blocks(&self, number: usize, id: u64, blocks: bool) {
        let mut state = self.0.lock();
        let permits = state.scripts.set_blocked(number, id, blocks);
        let waker = if blocks { state.notify_worker_if_needed() } else { None };
        self.release(state, permits);
        notify(waker);
    }

    /// The ids of the scripts' jobs that wait for a worker and would for ever, if none can be started beside those that are there.
    pub fn stuck_scripts(&self) -> Vec<u64> {
        self.0.lock().stuck_scripts()
    }

    /// Whether the pool takes no more work.
    pub fn closes(&self) -> bool {
        self.0.lock().phase != Phase::Open
    }

    /// The name of the function with this number.
    pub fn script_function_name(&self, number: usize) -> Option<String> {
        self.0.lock().scripts.functions.name(number).map(str::to_owned)
    }

    /// The source that the owner keeps under this number.
    pub fn source(&self, number: u64) -> Option<String> {
        self.0.lock().scripts.functions.source(number).map(str::to_owned)
    }
}

impl State {
    /// `Scripts::notify_if_needed` for the jobs that wait now.
    #[must_use]
    pub(super) fn notify_worker_if_needed(&mut self) -> Option<&'static dyn Waker> {
        self.scripts.notify_if_needed(&self.queue).or_else(|| self.notify_to_ask())
    }

    /// Takes the next job for a worker.
    pub(super) fn begin_script(&mut self, number: usize, now: Instant) -> Option<Begun> {
        let worker = self.scripts.worker(number)?;
        let admits = |job: &Job| worker.admits(job.is_exclusive());
        let (mut job, permits) = self.queue.take_for_worker(number, worker.retiring, admits)?;
        let (reply, task) = (job.reply.take(), TaskRef::script(job.task));
        let id = reply.id();
        let (queued_at, at) = (self.age_at(job.queued_at), self.age_at(now));
        self.tally.started(task, queued_at, at);
        let measures = self.script_times.of(task.number).expected() > WORTH;
        let input = (job.path() == InputPath::OnDemand)
            .then(|| std::mem::replace(&mut job.input, Payload::Value(Value::Undefined)));
        self.trace_queue(|| at);
        job.start(|| now);
        let (token, exclusive) = (job.token().cloned(), job.is_exclusive());
        let (started, waits, holds, waited_by) = (now, false, false, job.waiter());
        let running = Running {
            reply,
            token,
            task,
            queued_at,
            started,
            exclusive,
            waits,
            holds,
            waited_by,
            permits,
            input,
        };
        self.scripts.begin(number, running);
        Some(Begun { id, job, measures })
    }

    /// Whether an idle worker must end: it wants to, or the pool closes; and nothing that is bound to it waits. One that wants to leaves
    /// jobs behind that wait for a key or a limit: those that hold it may wait for the worker that comes in its place.
    fn must_leave(&self, number: usize) -> bool {
        let Some(worker) = self.scripts.worker(number) else { return false };
        if worker.retiring {
            return self.queue.takeable_by_worker(number) == 0;
        }
        // What waits for its key is for whoever is there then.
        self.phase == Phase::Draining
            && worker.running.is_empty()
            && self.bound_to(number) == 0
            && self.queue.blocked(Taker::Script) == 0
            && !self.expects_calls()
    }

    /// Takes out a job that was finished, and counts it. Its outcome counts, unless its time was up before.
    fn finish_script(
        &mut self,
        number: usize,
        id: u64,
        outcome: ScriptOutcome,
        cpu: Option<u64>,
        now: Instant,
    ) -> Option<Answered> {
        let running = self.scripts.take_running(number, id)?;
        let Running { reply, queued_at, started, token, task, permits, .. } = running;
        let released = !permits.is_empty();
        self.queue.give_back(permits);
        let (began, at) = (self.age_at(started), self.age_at(now));
        self.tally.left(task, began, at);
        let (ran, times) = (at.saturating_sub(began), self.script_times.of(task.number));
        times.wait.record(began.saturating_sub(queued_at), 1);
        times.ran(ran, 1, cpu.unwrap_or(ran));
        // The worker may have seen that its time is up before the owner has: then this outcome says so to the owner.
        let late = token.as_ref().and_then(|token| token.late_at(now));
        let end = match &outcome {
            // The caller has its answer already: the job was stopped, whatever it returned.
            _ if late.is_some() || token.is_some_and(|token| token.was_cancelled()) => End::Cancelled,
            ScriptOutcome::Done(_) | ScriptOutcome::ViaFallback { failed: false, .. } => End::Completed,
            ScriptOutcome::Failed(_) | ScriptOutcome::ViaFallback { failed: true, .. } => End::Failed,
            ScriptOutcome::Late { .. } => End::Cancelled,
        };
        self.tally.ended(task, end, 1);
        self.trace_script(number, || Slice::begun(id, task, queued_at, began).ended(at, end));
        let trip = (end != End::Cancelled).then(|| Trip::new(self.pool, task, queued_at));
        Some(Answered { reply, outcome, released, late, trip })
    }
}
