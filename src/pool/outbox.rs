//! Where answers go, and the promise to answer each job once.

use crate::cancel::Reason;
use crate::error::{Code, Error, Result};
use crate::value::{Envelope, Payload, Value};

/// Takes the answers: the event queue of the JavaScript thread that asked, or a thread that waits for its one answer
/// (the unit test below has such an outbox).
///
/// The pool calls it with no lock held, on the thread that ended the job, which may be the one that cancels it or closes
/// the pool.
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
                ScriptOutcome::Failed(_) | ScriptOutcome::ViaFallback { .. } => {
                    Err(Error::new(Code::TaskFailed, "the script threw"))
                }
            },
        );
    }
}

/// How a script's job ended.
#[derive(Debug)]
pub enum ScriptOutcome {
    /// It returned this.
    Done(Payload),
    /// It threw this.
    Failed(Envelope),
    /// What it returned or threw goes to the owner by the native fallback: a port of Node's beside the queue.
    ViaFallback {
        /// Whether it was thrown.
        failed: bool,
        /// The key of the worker's registration: names the port.
        from: u64,
    },
    /// Its time was up before it ended: nobody waits for what it returned or threw.
    Late {
        /// As `from` in `ViaFallback`, when it went that way.
        via_fallback: Option<u64>,
    },
}

impl ScriptOutcome {
    /// The same of a job whose time was up before.
    pub(super) fn late(self) -> Self {
        let via_fallback = match self {
            ScriptOutcome::ViaFallback { from, .. } => Some(from),
            _ => None,
        };
        ScriptOutcome::Late { via_fallback }
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
