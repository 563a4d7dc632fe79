//! The jobs of one environment that JavaScript may cancel by their ids.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::cancel::{CancelToken, Reason};
use crate::pool::{Pool, Ticket};

/// How to cancel a job.
struct Cancellable {
    pool: Pool,
    ticket: Ticket,
    token: CancelToken,
}

/// Jobs by id, from when they are submitted until they are answered. Used on the environment's own thread only.
#[derive(Default)]
pub(crate) struct Jobs(RefCell<HashMap<u64, Cancellable>>);

impl Jobs {
    /// Remembers how to cancel the job `id`.
    pub(super) fn remember(&self, id: u64, pool: Pool, ticket: Ticket, token: CancelToken) {
        self.0.borrow_mut().insert(id, Cancellable { pool, ticket, token });
    }

    /// The job `id` waits at another position now.
    pub(super) fn moved(&self, id: u64, ticket: Ticket) {
        if let Some(job) = self.0.borrow_mut().get_mut(&id) {
            job.ticket = ticket;
        }
    }

    /// Forgets a job that has been answered.
    pub(super) fn forget(&self, id: u64) {
        let mut jobs = self.0.borrow_mut();
        if !jobs.is_empty() {
            jobs.remove(&id);
        }
    }

    /// Cancels the job `id`, if it has not been answered. Gives the number of the script worker that runs it.
    pub(crate) fn cancel(&self, id: u64, reason: Reason) -> Option<usize> {
        let Cancellable { pool, ticket, token } = self.0.borrow_mut().remove(&id)?;
        let waited = pool.cancel(ticket, &token, reason);
        if waited || !ticket.is_of_a_script() { None } else { pool.stop_script(id, reason) }
    }

    /// The environment ends: its jobs are ended by their pools.
    pub(super) fn close(&self) {
        drop(self.0.take());
    }
}
