//! One accepted task, from the queue to its one answer.

use super::keys::Key;
use super::outbox::{Outbox, Reply};
use super::reports::WantedReports;
use crate::cancel::CancelToken;
use crate::sync::Instant;
use crate::value::Payload;

/// How the input of a script's job reaches its worker. JavaScript knows these numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InputPath {
    /// With the job.
    #[default]
    Queue = 0,
    /// By the native fallback: the job's input is the number of the message that holds it.
    Message = 1,
    /// With the job, which keeps it at first: its owner can give the memory itself instead of a copy, if it is asked
    /// and answers soon. See [`Pool::claim_input`](super::Pool::claim_input).
    OnDemand = 2,
}

/// What tasks get from the task that submits them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Inherited {
    /// The deadline, as JavaScript has it: milliseconds of its clock; 0 for none.
    pub deadline: f64,
    /// The priority.
    pub priority: i32,
}

/// Who waits for a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiter {
    /// The running job of this id, which has submitted it.
    Job(u64),
    /// Code outside of a job, in the worker of this number.
    Worker(usize),
}

/// That a job of a pool, or code in a worker of it, waits for a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitedBy {
    /// Who.
    pub waiter: Waiter,
    /// Whether its worker's thread is blocked meanwhile.
    pub blocks: bool,
}

impl WaitedBy {
    /// The job that waits.
    pub(super) fn job(self) -> Option<u64> {
        match self.waiter {
            Waiter::Job(id) => Some(id),
            Waiter::Worker(_) => None,
        }
    }
}

/// One task that waits for a thread. It is moved several times, so its size counts: see [`Details`].
pub struct Job {
    /// Native: the task's number, as the pool's [`Execute`](super::Execute) knows it. Of a script: its function's number.
    pub(super) task: usize,
    pub(super) input: Payload,
    pub(super) reply: Reply,
    pub(super) queued_at: Instant,
    /// None of a job that is as most are.
    details: Option<Box<Details>>,
}

/// What few jobs have.
#[derive(Default)]
pub(super) struct Details {
    /// A job without one is stopped only by a forced close, through its thread's token.
    pub(super) token: Option<CancelToken>,
    /// Tasks of one key do not run at the same time.
    pub(super) key: Option<Key>,
    /// Of a script: how the input reaches its worker.
    pub(super) path: InputPath,
    /// Of a script: whether its worker runs nothing else meanwhile.
    pub(super) exclusive: bool,
    /// Of a script: how its worker calls the function. The affair of JavaScript (`lib/script-pool/call-form.js`).
    pub(super) call_form: u64,
    /// Of a script: what its tasks get from it.
    pub(super) inherited: Inherited,
    /// Who has submitted it in a worker of the pool, and waits for it. A pool that closes takes it.
    pub(super) waited_by: Option<WaitedBy>,
    /// Of a script, bound to a worker: whether its owner could send the input to another one as well.
    pub(super) movable: bool,
    /// Of a native task: which of its reports are wanted.
    pub(super) reports: WantedReports,
}

// What is larger than 128 bytes is moved by a call, and an entry of the queue has two more words.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Job>() <= 104);

impl Job {
    /// A job for the task number `task`, to be answered to `outbox` under `id`.
    #[inline]
    pub fn new(
        id: u64,
        outbox: &'static dyn Outbox,
        task: usize,
        input: Payload,
        token: Option<CancelToken>,
    ) -> Self {
        let job = Job::to_deposit(id, outbox, task, input, Instant::now());
        if token.is_some() { job.with(|details| details.token = token) } else { job }
    }

    /// A native job that is to be deposited: it counts as submitted when it is collected.
    #[inline]
    pub fn to_deposit(
        id: u64,
        outbox: &'static dyn Outbox,
        task: usize,
        input: Payload,
        made: Instant,
    ) -> Self {
        Job { task, input, reply: Reply::new(id, outbox), queued_at: made, details: None }
    }

    fn with(mut self, set: impl FnOnce(&mut Details)) -> Self {
        set(self.details.get_or_insert_default());
        self
    }

    /// It has a key.
    #[must_use]
    pub fn keyed(self, key: String) -> Self {
        self.with(|details| details.key = Some(Key::new(key)))
    }

    /// For a script: its input takes this path.
    #[must_use]
    pub fn by(self, path: InputPath) -> Self {
        if path == InputPath::Queue { self } else { self.with(|details| details.path = path) }
    }

    /// It was submitted in a worker of the same pool, where somebody waits for it.
    #[must_use]
    pub fn waited_by(self, waited_by: WaitedBy) -> Self {
        self.with(|details| details.waited_by = Some(waited_by))
    }

    /// A native task, of whose reports these are wanted.
    #[must_use]
    pub fn reporting(self, reports: WantedReports) -> Self {
        if reports == WantedReports::Nothing { self } else { self.with(|details| details.reports = reports) }
    }

    /// For a script: it may be bound to another worker before it begins, by its owner.
    #[must_use]
    pub fn movable(self) -> Self {
        self.with(|details| details.movable = true)
    }

    /// For a script: its tasks get this from it.
    #[must_use]
    pub fn inherits(self, inherited: Inherited) -> Self {
        if inherited == Inherited::default() {
            return self;
        }
        self.with(|details| details.inherited = inherited)
    }

    /// For a script: its worker may have to be ended with it, so the worker must run nothing else meanwhile.
    #[must_use]
    pub fn exclusive(self) -> Self {
        self.with(|details| details.exclusive = true)
    }

    /// For a script: its worker calls the function in this form.
    #[must_use]
    pub fn called(self, call_form: u64) -> Self {
        if call_form == 0 { self } else { self.with(|details| details.call_form = call_form) }
    }

    /// The same job with another input.
    #[must_use]
    pub(super) fn with_input(self, input: Payload) -> Self {
        Job { input, ..self }
    }

    /// By which it may be stopped.
    pub(super) fn token(&self) -> Option<&CancelToken> {
        self.details.as_ref()?.token.as_ref()
    }

    pub(super) fn take_token(&mut self) -> Option<CancelToken> {
        self.details.as_mut()?.token.take()
    }

    /// Starts its token: its time to run begins.
    pub(super) fn start(&mut self, now: impl FnOnce() -> Instant) {
        if let Some(token) = self.details.as_mut().and_then(|details| details.token.as_mut()) {
            token.start(now);
        }
    }

    pub(super) fn key(&self) -> Option<&Key> {
        self.details.as_ref()?.key.as_ref()
    }

    pub(super) fn path(&self) -> InputPath {
        self.details.as_ref().map_or(InputPath::Queue, |details| details.path)
    }

    pub(super) fn is_exclusive(&self) -> bool {
        self.details.as_ref().is_some_and(|details| details.exclusive)
    }

    /// Who waits for it.
    pub(super) fn waiter(&self) -> Option<WaitedBy> {
        self.details.as_ref()?.waited_by
    }

    /// Which of its reports are wanted, if any.
    pub(super) fn reports(&self) -> Option<WantedReports> {
        let wanted = self.details.as_ref()?.reports;
        (wanted != WantedReports::Nothing).then_some(wanted)
    }

    pub(super) fn is_movable(&self) -> bool {
        self.details.as_ref().is_some_and(|details| details.movable)
    }

    /// What few have; the job has it no more.
    pub(super) fn take_details(&mut self) -> Details {
        self.details.take().map_or_else(Details::default, |details| *details)
    }

    /// Drops the input: the task will not run.
    pub(super) fn into_reply(self) -> Reply {
        self.reply
    }

    /// Takes the input back from a job that was refused, and drops the job without an answer: the caller has the refusal
    /// itself.
    pub fn into_input(self) -> Payload {
        self.reply.forget();
        self.input
    }
}
