//! Who waits for a running task: where it reports how far it is, and whose functions it calls.

use super::batch::Batch;
use super::call::{Call, nobody};
use super::calling::Calling;
use super::job::WaitedBy;
use super::outbox::{Outbox, Reply};
use super::reports::{Reports, prepared};
use super::state::Pool;
use super::threads::WorkerSlot;
use crate::cancel::CancelToken;
use crate::error::Result;
use crate::value::Value;

/// Where the answer of a task goes.
#[derive(Clone, Copy)]
enum Answered<'a> {
    By(&'a Reply),
    /// With the other inputs of the batch, which report nothing.
    With(&'a Batch),
}

/// What few tasks have.
pub(super) struct Details {
    /// A worker's task or code that waits for it.
    pub(super) waited_by: Option<WaitedBy>,
    /// Where the caller wants some.
    pub(super) reports: Option<Reports>,
}

/// The caller of a task, as the thread knows it that runs the task. It is made for each task, so it is small.
#[derive(Clone, Copy)]
pub(super) struct Caller<'a> {
    answered: Answered<'a>,
    slot: &'a WorkerSlot,
    details: Option<&'a Details>,
}

impl<'a> Caller<'a> {
    /// Of a single task.
    #[inline]
    pub(super) fn of(reply: &'a Reply, slot: &'a WorkerSlot, details: Option<&'a Details>) -> Self {
        Caller { answered: Answered::By(reply), slot, details }
    }

    /// Of the inputs of a batch.
    pub(super) fn of_batch(batch: &'a Batch, slot: &'a WorkerSlot) -> Self {
        Caller { answered: Answered::With(batch), slot, details: None }
    }

    fn id(&self) -> u64 {
        match self.answered {
            Answered::By(reply) => reply.id(),
            Answered::With(batch) => batch.id,
        }
    }

    fn outbox(&self) -> Option<&'static dyn Outbox> {
        match self.answered {
            Answered::By(reply) => reply.outbox(),
            Answered::With(batch) => Some(batch.outbox),
        }
    }

    fn reports(&self) -> Option<&'a Reports> {
        self.details?.reports.as_ref()
    }

    /// Whether it wants reports.
    pub(super) fn wants_reports(&self) -> bool {
        self.reports().is_some()
    }

    /// Tells it how far the task is.
    pub(super) fn report(&self, report: Value, token: &CancelToken) -> Result<()> {
        let (Some(reports), Some(outbox)) = (self.reports(), self.outbox()) else { return Ok(()) };
        reports.send(report, token, |report| outbox.report(self.slot.line, self.id(), report))
    }

    /// Calls a function of its JavaScript: what that returned, or threw.
    pub(super) fn call(
        &self,
        pool: &Pool,
        function: &str,
        input: Value,
        token: &CancelToken,
    ) -> Result<std::result::Result<Value, Value>> {
        token.check()?;
        let outbox = self.outbox().ok_or_else(nobody)?;
        #[allow(clippy::cast_precision_loss)] // below 2^53
        let id = Value::Number(self.id() as f64);
        let (payload, _) = prepared(Value::Array(vec![id, Value::from(function), input]))?;
        let (call, asked) = Call::new();
        let (line, thread) = (self.slot.line, self.slot.number);
        pool.begin_call(
            thread,
            Calling { id: self.id(), waited_by: self.details.and_then(|details| details.waited_by) },
        );
        outbox.call(line, asked, payload);
        let outcome = call.wait(token);
        pool.end_call(thread);
        match outcome {
            Ok(answer) => match answer? {
                Ok(returned) => returned.into_value().map(Ok),
                Err(thrown) => thrown.into_value().map(Err),
            },
            Err(reason) => {
                outbox.call_over(line, call.number);
                Err(reason.into_error())
            }
        }
    }
}

impl Pool {
    /// The task that the thread `number` runs is about to call a function. What it keeps others from beyond the limit of its name it gives
    /// back, as a script's task does that waits; its key it keeps.
    fn begin_call(&self, number: usize, calling: Calling) {
        let mut state = self.0.lock();
        let permits = state.threads.begin_call(number, calling);
        if permits.is_empty() {
            self.0.publish(&mut state);
            self.wake_one(state);
        } else {
            state.queue.give_back(permits);
            self.tell_released(state);
        }
    }

    /// It has its answer, or must stop.
    fn end_call(&self, number: usize) {
        let mut state = self.0.lock();
        state.threads.end_call(number);
        self.0.publish(&mut state);
    }
}
