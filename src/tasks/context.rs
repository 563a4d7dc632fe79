//! The surroundings of a running task: its cancellation, and the threads that may help.

use std::sync::Arc;
use std::time::Duration;

use crate::cancel::CancelToken;
use crate::error::{Code, Error, Result};
use crate::pool::Helpers;
use crate::value::Value;
use crate::wait_limit::WaitLimit;

/// The surroundings of one run of a task.
pub struct Context<'a> {
    token: &'a CancelToken,
    helpers: Option<&'a dyn Helpers>,
}

impl<'a> Context<'a> {
    /// The surroundings of a task that `token` can stop, and that runs on this thread alone.
    pub fn new(token: &'a CancelToken) -> Self {
        Context { token, helpers: None }
    }

    /// The surroundings of a task that other threads may help.
    pub fn with_helpers(token: &'a CancelToken, helpers: &'a dyn Helpers) -> Self {
        Context { token, helpers: Some(helpers) }
    }

    /// How many threads may work on [`Context::parallel_for`] at the most.
    pub fn threads(&self) -> usize {
        self.helpers.map_or(1, Helpers::max_threads)
    }

    /// Does `work` for every part from 0 to `count`, on this thread and on free ones of the pool; returns when all are
    /// done. The first error of a part, or the reason to stop. A part cannot be split in its turn.
    pub fn parallel_for(
        &self,
        count: usize,
        work: impl Fn(usize, &Context<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Result<()> {
        let Some(helpers) = self.helpers else {
            return (0..count).try_for_each(|part| work(part, self));
        };
        let work = Arc::new(move |part, token: &CancelToken| work(part, &Context::new(token)));
        helpers.parallel_for(count, work, self.token)
    }

    /// Whether the caller wants to know how far the task is: else [`Context::progress`] does nothing.
    #[inline]
    pub fn reports(&self) -> bool {
        self.helpers.is_some_and(Helpers::reports)
    }

    /// Tells the caller how far the task is: `onProgress` gets a copy of the value. Reports come in order, before the answer; where the
    /// caller's event loop is far behind, the task waits here. In a part of [`Context::parallel_for`], and where nobody listens, it does
    /// nothing.
    ///
    /// # Errors
    /// The reason to stop; that the value cannot be sent.
    pub fn progress(&self, report: Value) -> Result<()> {
        self.helpers.map_or(Ok(()), |helpers| helpers.report(report, self.token))
    }

    /// Calls a function by its name, and waits for what it returns or throws (the inner error): a function of the script of the task's pool,
    /// which a worker runs, with the task's deadline and priority; or one that the caller of the task has given. Meanwhile another thread
    /// of the pool may work in place of this one. Not in a part of [`Context::parallel_for`].
    ///
    /// # Errors
    /// The reason to stop; why the function was not called: [`Code::UnknownTask`] where there is none of that name or the pool has no
    /// script, [`Code::Deadlock`] where it could never answer, [`Code::QueueFull`], [`Code::PoolClosed`], and what is wrong with a value.
    pub fn call_js(&self, function: &str, input: Value) -> Result<std::result::Result<Value, Value>> {
        let Some(helpers) = self.helpers else {
            return Err(Error::new(
                Code::InvalidArgValue,
                "a part of parallel_for cannot call JavaScript: the task itself can, before or after its parts",
            ));
        };
        helpers.call(function, input, self.token)
    }

    /// For waits on shared memory: they end when the task must stop.
    pub fn wait_limit(&self) -> WaitLimit<'_> {
        WaitLimit::new(Some(self.token))
    }

    /// A task calls this at least once every millisecond of work: an error when it must stop.
    #[inline]
    pub fn checkpoint(&self) -> Result<()> {
        self.token.check()
    }

    /// The token that stops the task: for a task that blocks in a call of its own.
    pub fn cancel_token(&self) -> &CancelToken {
        self.token
    }

    /// True when the task must stop.
    pub fn cancelled(&self) -> bool {
        self.token.reason().is_some()
    }

    /// Sleeps, unless the task is stopped first.
    pub fn sleep(&self, duration: Duration) -> Result<()> {
        self.token.sleep(duration)
    }

    /// A counter of work that calls [`checkpoint`](Self::checkpoint) once every `units`: for tasks whose steps
    /// differ in size.
    pub fn pace(&self, units: usize) -> Pace<'_> {
        Pace { context: self, units, left: units }
    }
}

/// Counts work and checks for cancellation once in so many units.
pub struct Pace<'a> {
    context: &'a Context<'a>,
    units: usize,
    left: usize,
}

impl Pace<'_> {
    /// To be called before `units` of work: an error when the task should stop.
    #[inline]
    pub fn spend(&mut self, units: usize) -> Result<()> {
        if let Some(left) = self.left.checked_sub(units) {
            self.left = left;
            return Ok(());
        }
        self.left = self.units;
        self.context.checkpoint()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::cancel::Reason;

    #[test]
    fn a_pace_checks_once_in_so_many_units() {
        let token = CancelToken::new(None);
        let context = Context::new(&token);
        let mut pace = context.pace(100);
        token.cancel(Reason::Cancelled);
        pace.spend(60).unwrap();
        pace.spend(40).unwrap();
        assert_eq!(pace.spend(1).unwrap_err().code(), Code::TaskCancelled);
        pace.spend(100).unwrap();
        assert!(pace.spend(1_000_000).is_err());
    }
}
