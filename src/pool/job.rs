//! One accepted task, from the queue to its one answer.

use super::keys::Key;
use super::outbox::{Outbox, Reply};
use crate::cancel::CancelToken;
use crate::sync::Instant;
use crate::value::Payload;

/// How the input of a script's job reaches its worker. JavaScript knows these numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputPath {
    /// With the job.
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

/// One task that waits for a thread.
pub struct Job {
    /// Native: the task's number, as the pool's [`Execute`](super::Execute) knows it. Of a script: its function's number.
    pub(super) task: usize,
    pub(super) input: Payload,
    /// A job without one is stopped only by a forced close, through its thread's token.
    pub(super) token: Option<CancelToken>,
    pub(super) reply: Reply,
    pub(super) queued_at: Instant,
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
    /// Of a script: whether a running job of the pool has submitted it, and waits for it. A pool that closes takes it.
    pub(super) nested: bool,
    /// Of a script, bound to a worker: whether its owner could send the input to another one as well.
    pub(super) movable: bool,
}

impl Job {
    /// A job for the task number `task`, to be answered to `outbox` under `id`.
    pub fn new(
        id: u64,
        outbox: &'static dyn Outbox,
        task: usize,
        input: Payload,
        token: Option<CancelToken>,
    ) -> Self {
        let reply = Reply::new(id, outbox);
        let queued_at = Instant::now();
        let inherited = Inherited::default();
        Job {
            task,
            input,
            token,
            reply,
            queued_at,
            key: None,
            path: InputPath::Queue,
            exclusive: false,
            call_form: 0,
            inherited,
            nested: false,
            movable: false,
        }
    }

    /// A native job that is to be deposited: it counts as submitted when it is collected.
    pub fn to_deposit(
        id: u64,
        outbox: &'static dyn Outbox,
        task: usize,
        input: Payload,
        made: Instant,
    ) -> Self {
        let (reply, inherited) = (Reply::new(id, outbox), Inherited::default());
        let (token, path, exclusive) = (None, InputPath::Queue, false);
        Job {
            task,
            input,
            token,
            reply,
            queued_at: made,
            key: None,
            path,
            exclusive,
            call_form: 0,
            inherited,
            nested: false,
            movable: false,
        }
    }

    /// It has a key.
    #[must_use]
    pub fn keyed(self, key: String) -> Self {
        Job { key: Some(Key::new(key)), ..self }
    }

    /// For a script: its input takes this path.
    #[must_use]
    pub fn by(self, path: InputPath) -> Self {
        Job { path, ..self }
    }

    /// For a script: a running job of the same pool waits for it.
    #[must_use]
    pub fn nested(self) -> Self {
        Job { nested: true, ..self }
    }

    /// For a script: it may be bound to another worker before it begins, by its owner.
    #[must_use]
    pub fn movable(self) -> Self {
        Job { movable: true, ..self }
    }

    /// For a script: its tasks get this from it.
    #[must_use]
    pub fn inherits(self, inherited: Inherited) -> Self {
        Job { inherited, ..self }
    }

    /// For a script: its worker may have to be ended with it, so the worker must run nothing else meanwhile.
    #[must_use]
    pub fn exclusive(self) -> Self {
        Job { exclusive: true, ..self }
    }

    /// For a script: its worker calls the function in this form.
    #[must_use]
    pub fn called(self, call_form: u64) -> Self {
        Job { call_form, ..self }
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
