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

/// The caller of a task, as the thread knows it that runs the task.
#[derive(Clone, Copy)]
pub(super) struct Caller<'a> {
    id: u64,
    outbox: Option<&'static dyn Outbox>,
    slot: &'a WorkerSlot,
    /// A worker's task or code that waits for it.
    waited_by: Option<WaitedBy>,
    /// Where it wants some.
    reports: Option<&'a Reports>,
}

impl<'a> Caller<'a> {
    /// Of a single task.
    #[inline]
    pub(super) fn of(
        reply: &Reply,
        slot: &'a WorkerSlot,
        waited_by: Option<WaitedBy>,
        reports: Option<&'a Reports>,
    ) -> Self {
        Caller { id: reply.id(), outbox: reply.outbox(), slot, waited_by, reports }
    }

    /// Of the inputs of a batch, which report nothing.
    pub(super) fn of_batch(batch: &Batch, slot: &'a WorkerSlot) -> Self {
        Caller { id: batch.id, outbox: Some(batch.outbox), slot, waited_by: None, reports: None }
    }

    /// Whether it wants reports.
    pub(super) fn wants_reports(&self) -> bool {
        self.reports.is_some()
    }

    /// Tells it how far the task is.
    pub(super) fn report(&self, report: Value, token: &CancelToken) -> Result<()> {
        let (Some(reports), Some(outbox)) = (self.reports, self.outbox) else { return Ok(()) };
        reports.send(report, token, |report| outbox.report(self.slot.line, self.id, report))
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
        let outbox = self.outbox.ok_or_else(nobody)?;
        #[allow(clippy::cast_precision_loss)] // below 2^53
        let id = Value::Number(self.id as f64);
        let (payload, _) = prepared(Value::Array(vec![id, Value::from(function), input]))?;
        let (call, asked) = Call::new();
        let (line, thread) = (self.slot.line, self.slot.number);
        pool.begin_call(thread, Calling { id: self.id, waited_by: self.waited_by });
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
