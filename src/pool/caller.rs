//! Who waits for a running task: where it reports how far it is.

use super::outbox::{Outbox, Reply};
use super::reports::Reports;
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
    /// Where it wants some.
    reports: Option<&'a Reports>,
}

impl<'a> Caller<'a> {
    /// Of a single task.
    #[inline]
    pub(super) fn of(reply: &Reply, slot: &'a WorkerSlot, reports: Option<&'a Reports>) -> Self {
        Caller { id: reply.id(), outbox: reply.outbox(), slot, reports }
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
}
