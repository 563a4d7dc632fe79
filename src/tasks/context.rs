//! What a running task sees.

use std::time::Duration;

use crate::error::Result;
use crate::pool::CancelToken;

/// The surroundings of one run of a task.
pub struct Context<'a> {
    token: &'a CancelToken,
}

impl<'a> Context<'a> {
    /// The surroundings of a task that `token` can stop.
    pub fn new(token: &'a CancelToken) -> Self {
        Context { token }
    }

    /// To be called at least once every millisecond of work: an error when the task should stop.
    #[inline]
    pub fn checkpoint(&self) -> Result<()> {
        self.token.check()
    }

    /// True when the task should stop.
    pub fn cancelled(&self) -> bool {
        self.token.reason().is_some()
    }

    /// Sleeps, unless the task is stopped first.
    pub fn sleep(&self, duration: Duration) -> Result<()> {
        self.token.sleep(duration)
    }
}
