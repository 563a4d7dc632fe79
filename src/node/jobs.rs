//! The jobs of one environment that JavaScript may cancel by their ids.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::cancel::{CancelToken, Reason};
use crate::pool::{Pool, QueuePosition, Taker};

/// How to cancel a job.
struct Cancellable {
    pool: Pool,
    position: QueuePosition,
    token: CancelToken,
}

/// Jobs by id, from when they are submitted until they are answered. Used on the environment's own thread only.
#[derive(Default)]
pub(crate) struct Jobs(RefCell<HashMap<u64, Cancellable>>);

impl Jobs {
    /// Remembers how to cancel the job `id`.
    pub(super) fn remember(&self, id: u64, pool: Pool, position: QueuePosition, token: CancelToken) {
        self.0.borrow_mut().insert(id, Cancellable { pool, position, token });
    }

    /// The job `id` waits at another position now.
    pub(super) fn moved(&self, id: u64, position: QueuePosition) {
        if let Some(job) = self.0.borrow_mut().get_mut(&id) {
            job.position = position;
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
        let Cancellable { pool, position, token } = self.0.borrow_mut().remove(&id)?;
        let waited = pool.cancel(position, &token, reason);
        if waited || position.taker() != Taker::Script { None } else { pool.stop_script(id, reason) }
    }

    /// The environment ends: its jobs are ended by their pools.
    pub(super) fn close(&self) {
        drop(self.0.take());
    }
}
