//! One accepted task, from the queue to its one answer.

use std::time::Instant;

use super::ScriptOutcome;
use crate::cancel::{CancelToken, Reason};
use crate::error::{Code, Error, Result};
use crate::value::{Payload, Value};

/// Where answers go: the event queue of the JavaScript thread that asked.
///
/// Jobs hold it by `&'static`: a counted reference would be one more cache line that every job of every thread fights
/// for, and an event queue is never freed anyway (`node/environment.rs` tells why).
pub trait Outbox: Send + Sync {
    /// Takes the one answer to the job that was submitted under `id`.
    fn settle(&self, id: u64, outcome: Result<Value>);

    /// Takes the one answer of a script. What is in wire form may stay so.
    fn settle_script(&self, id: u64, outcome: ScriptOutcome) {
        self.settle(
            id,
            match outcome {
                ScriptOutcome::Done(payload) => payload.into_value(),
                ScriptOutcome::Late { .. } => Err(Reason::TimedOut.into_error()),
                ScriptOutcome::Failed(_) | ScriptOutcome::Beside { .. } => {
                    Err(Error::new(Code::TaskFailed, "the script threw"))
                }
            },
        );
    }
}

/// A promise to answer once. Dropped unanswered it answers with [`Code::Internal`], so that nothing accepted is
/// ever lost silently.
pub(super) struct Reply {
    id: u64,
    outbox: Option<&'static dyn Outbox>,
}

impl Reply {
    pub(super) fn new(id: u64, outbox: &'static dyn Outbox) -> Self {
        Reply { id, outbox: Some(outbox) }
    }

    pub(super) fn send(mut self, outcome: Result<Value>) {
        if let Some(outbox) = self.outbox.take() {
            outbox.settle(self.id, outcome);
        }
    }

    pub(super) fn send_script(mut self, outcome: ScriptOutcome) {
        if let Some(outbox) = self.outbox.take() {
            outbox.settle_script(self.id, outcome);
        }
    }

    /// The id under which it will be answered.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// The obligation, taken out of its job.
    pub(super) fn take(&mut self) -> Reply {
        Reply { id: self.id, outbox: self.outbox.take() }
    }

    /// Gives the obligation up: the caller was told another way.
    pub(super) fn forget(mut self) {
        self.outbox = None;
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if let Some(outbox) = self.outbox.take() {
            let error = Error::new(Code::Internal, "the task was dropped unanswered; please report this");
            outbox.settle(self.id, Err(error));
        }
    }
}

/// How the input of a script's job reaches its worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Road {
    /// With the job.
    Queue = 0,
    /// Beside the queue: the job's input is the number of the message that holds it.
    Message = 1,
    /// With the job, which keeps it at first: its owner can give the memory itself instead of a copy, if it is asked
    /// and answers soon. See [`Pool::claim_input`](super::Pool::claim_input).
    Asked = 2,
}

/// One task waiting for a thread.
pub struct Job {
    /// Index into the pool's registry.
    pub(super) task: usize,
    pub(super) input: Payload,
    /// A job without one is stopped only by a forced close, through its thread's token.
    pub(super) token: Option<CancelToken>,
    pub(super) reply: Reply,
    pub(super) queued_at: Instant,
    /// Of a script: how the input reaches its worker.
    pub(super) road: Road,
    /// Of a script: whether its worker runs nothing else meanwhile.
    pub(super) alone: bool,
}

impl Job {
    /// A job for the task at index `task`, to be answered to `outbox` under `id`.
    pub fn new(
        id: u64,
        outbox: &'static dyn Outbox,
        task: usize,
        input: Payload,
        token: Option<CancelToken>,
    ) -> Self {
        let reply = Reply::new(id, outbox);
        Job { task, input, token, reply, queued_at: Instant::now(), road: Road::Queue, alone: false }
    }

    /// For a script: its input takes this road.
    #[must_use]
    pub fn by(self, road: Road) -> Self {
        Job { road, ..self }
    }

    /// For a script: its worker may have to be ended with it, so it is to run nothing else meanwhile.
    #[must_use]
    pub fn alone(self) -> Self {
        Job { alone: true, ..self }
    }

    /// Takes the input back from a job that was refused: the caller is told by the refusal itself.
    pub fn into_input(self) -> Payload {
        self.reply.forget();
        self.input
    }
}
