//! The state machine of the script workers: JavaScript threads that take from the same pool.
//!
//! They are not the pool's own: a worker is a JavaScript environment that asks for a job, answers it and asks for the next,
//! each in one call. The pool keeps a *registration* for each, which its owner makes before the worker is started and evicts
//! after it has ended.
//!
//! # The protocol
//! All of it is decided under the pool's lock. A registered worker is
//!
//! * **starting**;
//! * **joined** — it has loaded its script, and has not asked for work yet: a hook of the script may run before;
//! * **waiting** — it found nothing and went back to its event loop; its waker will be notified;
//! * **notified** — it was waiting, and has been notified;
//! * **at work** — it holds jobs, or is between two;
//! * **left** — it takes no more jobs: the pool made it leave, or its environment has ended.
//!
//! *Lost wake-up.* A worker becomes *waiting* under the lock that found its lines empty; a submitter that pushes later finds
//! it waiting. A push notifies a waiting worker unless those already notified are as many as the jobs that wait.
//!
//! *A job that is bound to a worker* notifies it only where the worker does not sleep in its event loop (its own event queue
//! knows). There the message with the job's input wakes it, which its owner sends after the push; and for each such message,
//! also one that says that no input comes, the worker asks for work.
//!
//! *A notified worker that never comes* (it was terminated) holds no job: its job is still in the line. When its
//! environment ends, or its owner evicts it, the next waiting worker is notified in its place.
//!
//! *A worker that ends with unfinished jobs.* They stay with the registration until the owner evicts it, which gives the
//! owner their ids: only the owner knows why the worker has ended, and answers them so. Nothing is run twice.
//!
//! A job may want its worker *exclusively*, because ending the job may need ending the worker. It is taken by a worker that
//! has no other job, which then takes nothing more until it is done; at the head of the line it lets no other job pass,
//! so that it does not wait for ever.

use super::capacity::Capacity;
use super::job::WaitedBy;
use super::keys::Key;
use super::outbox::Reply;
use super::permits::Permits;
use super::position::Taker;
use super::queue::Queue;
use super::script_functions::FunctionNames;
use super::task_observer::{Age, TaskRef};
use crate::cancel::{CancelToken, Reason};
use crate::sync::Instant;
use crate::value::Payload;

/// How a script worker is reached: the event queue of its environment.
pub trait Waker: Send + Sync {
    /// There may be work: come and take it.
    fn notify(&self);
    /// As `notify`, unless the worker sleeps in its event loop: there a message will wake it, which is sent after this.
    fn notify_awake(&self);
    /// The job `id`, which that worker runs, should stop.
    fn stop(&self, id: u64, reason: Reason);
    /// The job `id`, which that worker runs, may give so many more parts of its result.
    fn grant_parts(&self, id: u64, count: u32);
}

/// A job in a worker's hands.
pub(super) struct Running {
    pub(super) reply: Reply,
    pub(super) token: Option<CancelToken>,
    pub(super) task: TaskRef,
    pub(super) queued_at: Age,
    pub(super) started: Instant,
    pub(super) exclusive: bool,
    /// Whether it waits for jobs that it has submitted to the pool: meanwhile its worker may run others.
    pub(super) waits: bool,
    /// Whether it waits so, and its worker may not: it answers a message.
    pub(super) holds: bool,
    /// Who waits for it.
    pub(super) waited_by: Option<WaitedBy>,
    /// What it keeps others from.
    pub(super) permits: Permits,
    /// The input of a job whose path is [`OnDemand`](super::InputPath::OnDemand), until its owner or its worker has claimed it.
    pub(super) input: Option<Payload>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum WorkerState {
    Starting,
    Joined,
    Waiting,
    Notified,
    AtWork,
    Left,
}

/// One script worker, as the pool knows it.
pub(super) struct WorkerRegistration {
    pub(super) state: WorkerState,
    pub(super) waker: Option<&'static dyn Waker>,
    pub(super) running: Vec<Running>,
    /// How many jobs it has done.
    pub(super) done: u64,
    /// Whether the worker wants to end: it takes the jobs that are bound to it, and no others.
    pub(super) retiring: bool,
    /// Whether its thread is blocked until a job has ended that was submitted there.
    pub(super) blocked: bool,
    /// Whether its owner has been asked for jobs of others, and has not answered (`moved_jobs.rs`).
    pub(super) has_asked: bool,
}

impl WorkerRegistration {
    /// Whether its worker may begin a job now.
    pub(super) fn admits(&self, exclusive: bool) -> bool {
        if exclusive { self.running.iter().all(|running| running.waits) } else { !self.runs_exclusive() }
    }

    /// Whether it runs a job that wants it exclusively.
    pub(super) fn runs_exclusive(&self) -> bool {
        self.running.iter().any(|running| running.exclusive && !running.waits)
    }
}

/// The script workers of a pool.
pub(super) struct Scripts {
    /// By number. Numbers are used again.
    workers: Vec<Option<WorkerRegistration>>,
    vacant: Vec<usize>,
    /// Waiting workers; the one that came last is notified first, so that the others may grow old.
    waiting: Vec<usize>,
    notified: usize,
    /// Workers that wait in place.
    pub(super) blocked: usize,
    /// Jobs that run; and those of them that wait for jobs which they have submitted.
    busy: usize,
    waits: usize,
    /// Jobs that all workers together may run.
    pub(super) capacity: Capacity,
    /// Workers kept even when idle.
    pub(super) keep: usize,
    /// Workers that there may be.
    pub(super) most: usize,
    /// Whether the pool was closed by force: jobs that end now were dropped.
    forced: bool,
    pub(super) functions: FunctionNames,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Scripts {
            workers: Vec::new(),
            vacant: Vec::new(),
            waiting: Vec::new(),
            notified: 0,
            blocked: 0,
            busy: 0,
            waits: 0,
            capacity: Capacity::default(),
            keep: 0,
            most: 0,
            forced: false,
            functions: FunctionNames::new(),
        }
    }

    /// The registration of a worker; none when there is no such worker.
    pub(super) fn worker(&self, number: usize) -> Option<&WorkerRegistration> {
        self.workers.get(number)?.as_ref()
    }

    pub(super) fn worker_mut(&mut self, number: usize) -> Option<&mut WorkerRegistration> {
        self.workers.get_mut(number)?.as_mut()
    }

    /// All registered workers with their numbers.
    pub(super) fn workers(&self) -> impl Iterator<Item = (usize, &WorkerRegistration)> {
        self.workers.iter().enumerate().filter_map(|(number, worker)| Some((number, worker.as_ref()?)))
    }

    /// Registers a worker that is about to be started: its number.
    pub(super) fn register(&mut self) -> usize {
        let number = self.vacant.pop().unwrap_or_else(|| {
            self.workers.push(None);
            self.workers.len() - 1
        });
        let (state, running) = (WorkerState::Starting, Vec::new());
        let registration = WorkerRegistration {
            state,
            waker: None,
            running,
            done: 0,
            retiring: false,
            blocked: false,
            has_asked: false,
        };
        self.workers[number] = Some(registration);
        number
    }

    /// Ends a registration, and returns the jobs that ran there.
    pub(super) fn evict(&mut self, number: usize) -> Option<Vec<Running>> {
        let worker = self.workers.get_mut(number)?.take()?;
        self.vacant.push(number);
        self.busy -= worker.running.len();
        self.waits -= worker.running.iter().filter(|job| job.waits).count();
        Some(worker.running)
    }

    /// Jobs that run.
    pub(super) fn busy(&self) -> usize {
        self.busy
    }

    /// Jobs that could run beside those that do.
    pub(super) fn free(&self) -> usize {
        self.capacity.get().saturating_sub(self.busy - self.waits)
    }

    /// Whether nothing waits and every worker is gone.
    pub(super) fn are_gone(&self, queue: &Queue) -> bool {
        queue.waiting(Taker::Script) == 0 && self.workers.iter().all(Option::is_none)
    }

    /// Workers alive or starting.
    pub(super) fn living(&self) -> usize {
        self.workers().filter(|(_, worker)| worker.state != WorkerState::Left).count()
    }

    /// Lets all but so many of the workers end, those first that run the least: they get no more jobs, except those that are bound
    /// to them, and leave when they come next.
    pub(super) fn retire_all_but(&mut self, most: usize) {
        // One that is blocked may wait for what another runs, or is about to.
        let load = |worker: &WorkerRegistration| {
            (!worker.blocked, worker.state != WorkerState::Waiting, worker.running.len())
        };
        let mut serving: Vec<&mut WorkerRegistration> = self
            .workers
            .iter_mut()
            .flatten()
            .filter(|worker| worker.state != WorkerState::Left && !worker.retiring)
            .collect();
        serving.sort_by_key(|worker| load(worker));
        let surplus = serving.len().saturating_sub(most);
        serving[..surplus].iter_mut().for_each(|worker| worker.retiring = true);
    }

    /// Workers that have started and run nothing.
    pub(super) fn idle(&self) -> usize {
        let is_idle = |worker: &WorkerRegistration| {
            let has_begun =
                matches!(worker.state, WorkerState::Waiting | WorkerState::Notified | WorkerState::AtWork);
            has_begun && worker.running.is_empty()
        };
        self.workers().filter(|(_, worker)| is_idle(worker)).count()
    }

    /// The tokens of the running jobs.
    pub(super) fn tokens(&self) -> impl Iterator<Item = &CancelToken> {
        self.workers().flat_map(|(_, worker)| &worker.running).filter_map(|job| job.token.as_ref())
    }

    /// The pool is closed by force.
    pub(super) fn force(&mut self) {
        self.forced = true;
    }

    /// How many of the jobs that run have this key.
    pub(super) fn running_of(&self, key: &Key) -> usize {
        let has_it = |job: &&Running| job.permits.key() == Some(key);
        self.workers().map(|(_, worker)| worker.running.iter().filter(has_it).count()).sum()
    }

    /// Whether the pool was closed by force.
    pub(super) fn is_forced(&self) -> bool {
        self.forced
    }

    /// Whether a job may be bound to the worker `number`.
    pub(super) fn takes_bound(&self, number: usize) -> bool {
        self.worker(number).is_some_and(|worker| worker.state != WorkerState::Left && !worker.retiring)
    }

    /// Which worker runs the job `id`.
    pub(super) fn worker_of(&self, id: u64) -> Option<usize> {
        let runs_it = |worker: &WorkerRegistration| worker.running.iter().any(|job| job.reply.id() == id);
        self.workers().find(|(_, worker)| runs_it(worker)).map(|(number, _)| number)
    }

    /// A worker begins a job.
    pub(super) fn begin(&mut self, number: usize, job: Running) {
        if let Some(worker) = self.worker_mut(number) {
            worker.running.push(job);
            self.busy += 1;
        }
    }

    /// The job `id`, which the worker `number` runs.
    pub(super) fn running(&self, number: usize, id: u64) -> Option<&Running> {
        self.worker(number)?.running.iter().find(|job| job.reply.id() == id)
    }

    /// The job `id`, which the worker `number` runs, waits for jobs that it has submitted, or goes on. What it gives back: others of its
    /// name may be what it waits for, so it counts for the limit of its name no more.
    pub(super) fn set_waits(&mut self, number: usize, id: u64, waits: bool) -> Permits {
        let running = self.worker_mut(number).map(|worker| worker.running.iter_mut());
        let Some(job) = running.into_iter().flatten().find(|job| job.reply.id() == id) else {
            return Permits::default();
        };
        let permits = if waits { job.permits.take_limit() } else { Permits::default() };
        if std::mem::replace(&mut job.waits, waits) != waits {
            if waits { self.waits += 1 } else { self.waits -= 1 }
        }
        permits
    }

    /// The job `id`, which answers a message, waits for jobs that it has submitted, or goes on. Its worker has no room for others meanwhile.
    /// What it gives back: see [`Scripts::set_waits`].
    pub(super) fn set_holds(&mut self, number: usize, id: u64, holds: bool) -> Permits {
        let running = self.worker_mut(number).map(|worker| worker.running.iter_mut());
        let Some(job) = running.into_iter().flatten().find(|job| job.reply.id() == id) else {
            return Permits::default();
        };
        job.holds = holds;
        if holds { job.permits.take_limit() } else { Permits::default() }
    }

    /// The worker's thread is blocked until a job has ended that was submitted there, or goes on: it is not notified meanwhile, and comes by
    /// itself afterwards. What its running job `id` gives back.
    pub(super) fn set_blocked(&mut self, number: usize, id: u64, blocked: bool) -> Permits {
        if blocked {
            self.comes(number);
        }
        let Some(worker) = self.worker_mut(number) else { return Permits::default() };
        worker.blocked = blocked;
        let job = worker.running.iter_mut().find(|job| blocked && job.reply.id() == id);
        job.map_or_else(Permits::default, |job| job.permits.take_limit())
    }

    /// Takes the job `id` out of a worker's hands.
    pub(super) fn take_running(&mut self, number: usize, id: u64) -> Option<Running> {
        let worker = self.worker_mut(number)?;
        let at = worker.running.iter().position(|job| job.reply.id() == id)?;
        let job = worker.running.swap_remove(at);
        worker.done += 1;
        self.busy -= 1;
        self.waits -= usize::from(job.waits);
        Some(job)
    }

    /// A worker has set itself up, and asks for work next.
    pub(super) fn is_set_up(&mut self, number: usize) {
        if let Some(worker) = self.worker_mut(number)
            && worker.state == WorkerState::Joined
        {
            worker.state = WorkerState::AtWork;
        }
    }

    /// A worker asks for work: whether it was notified or comes by itself (from a timer of its own, say).
    pub(super) fn comes(&mut self, number: usize) {
        let Some(worker) = self.worker_mut(number) else { return };
        match worker.state {
            WorkerState::Notified => {
                worker.state = WorkerState::AtWork;
                self.notified -= 1;
            }
            WorkerState::Waiting => {
                worker.state = WorkerState::AtWork;
                self.waiting.retain(|waiting| *waiting != number);
            }
            WorkerState::Joined => worker.state = WorkerState::AtWork,
            WorkerState::Starting | WorkerState::AtWork | WorkerState::Left => {}
        }
    }

    /// A worker that found nothing goes back to its event loop.
    pub(super) fn waits(&mut self, number: usize) {
        if let Some(worker) = self.worker_mut(number) {
            worker.state = WorkerState::Waiting;
            self.waiting.push(number);
        }
    }

    /// The worker takes no further part, for whatever reason. True when it had not left before.
    pub(super) fn leave(&mut self, number: usize) -> bool {
        let Some(worker) = self.worker_mut(number) else { return false };
        // Its waker stays: the jobs that it has begun are still to be told of a stop, and of parts that they may give.
        match std::mem::replace(&mut worker.state, WorkerState::Left) {
            WorkerState::Waiting => self.waiting.retain(|waiting| *waiting != number),
            WorkerState::Notified => self.notified -= 1,
            WorkerState::Left => return false,
            WorkerState::Starting | WorkerState::Joined | WorkerState::AtWork => {}
        }
        true
    }

    /// Notifies every waiting worker, for a pool that closes. As all that follow: the caller calls the wakers outside the
    /// lock.
    #[must_use]
    pub(super) fn notify_all(&mut self) -> Vec<&'static dyn Waker> {
        std::iter::from_fn(|| {
            let number = *self.waiting.last()?;
            self.notify(number)
        })
        .collect()
    }

    /// Notifies a worker of the jobs that wait for any, unless enough have been notified.
    #[must_use]
    pub(super) fn notify_if_needed(&mut self, queue: &Queue) -> Option<&'static dyn Waker> {
        if self.waiting.is_empty() || queue.takeable_by_any_worker() <= self.notified {
            return None;
        }
        let job = queue.next_for_any_worker()?;
        let can_take = |number: &&usize| {
            self.worker(**number).is_some_and(|worker| !worker.retiring && worker.admits(job.is_exclusive()))
        };
        let mut workers = self.waiting.iter().rev().filter(can_take);
        let first = *workers.next()?;
        let number = if queue.affinity.is_empty() || queue.affinity.first(first).is_some() {
            first
        } else {
            workers.copied().find(|number| queue.affinity.first(*number).is_some()).unwrap_or(first)
        };
        self.notify(number)
    }

    /// Notifies the waiting workers that could take a job that is bound to them.
    #[must_use]
    pub(super) fn notify_bound(&mut self, queue: &Queue) -> Vec<&'static dyn Waker> {
        let has_some = |number: &usize| queue.takeable_by_worker(*number) > 0;
        let numbers: Vec<usize> = self.waiting.iter().copied().filter(has_some).collect();
        numbers.into_iter().filter_map(|number| self.notify(number)).collect()
    }

    /// The waiting workers; the one that came last is the first.
    pub(super) fn waiting(&self) -> impl Iterator<Item = usize> {
        self.waiting.iter().rev().copied()
    }

    /// Whether one was notified and has not come yet.
    pub(super) fn is_anyone_notified(&self) -> bool {
        self.notified > 0
    }

    pub(super) fn notify(&mut self, number: usize) -> Option<&'static dyn Waker> {
        self.waiting.retain(|waiting| *waiting != number);
        let worker = self.worker_mut(number)?;
        worker.state = WorkerState::Notified;
        let waker = worker.waker;
        self.notified += 1;
        waker
    }
}
