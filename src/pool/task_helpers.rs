//! How a task is split over the threads of its pool.

use super::caller::Caller;
use super::execute::Helpers;
use super::parallel_for::{ParallelFor, PartWork};
use super::state::Pool;
use crate::cancel::CancelToken;
use crate::error::Result;
use crate::sync::Arc;
use crate::value::Value;

/// The threads that may help the task of this number.
pub(super) struct TaskHelpers<'a> {
    pub(super) pool: &'a Pool,
    pub(super) task: usize,
    pub(super) caller: Caller<'a>,
}

impl Helpers for TaskHelpers<'_> {
    fn max_threads(&self) -> usize {
        self.pool.0.lock().threads.max().get()
    }

    fn parallel_for(&self, count: usize, work: PartWork, token: &CancelToken) -> Result<()> {
        self.pool.parallel_for_task(self.task, count, work, token)
    }

    fn reports(&self) -> bool {
        self.caller.wants_reports()
    }

    fn report(&self, report: Value, token: &CancelToken) -> Result<()> {
        self.caller.report(report, token)
    }

    fn call(
        &self,
        function: &str,
        input: Value,
        token: &CancelToken,
    ) -> Result<std::result::Result<Value, Value>> {
        self.caller.call(self.pool, function, input, token)
    }
}

impl Pool {
    fn parallel_for_task(
        &self,
        task: usize,
        count: usize,
        work: PartWork,
        token: &CancelToken,
    ) -> Result<()> {
        let (pool, shared) = (self, &*self.0);
        let parts = Arc::new(ParallelFor::new(task, count, work, token.clone()));
        let mut helpers = 0;
        if count > 1 {
            let mut state = shared.lock();
            helpers = count.min(state.threads.max().get()).saturating_sub(1);
            state.queue.offer(&parts, helpers);
            shared.publish(&mut state);
            pool.wake_one(state);
        }
        parts.run_parts();
        if helpers > 0 {
            let mut state = shared.lock();
            state.queue.withdraw(&parts);
            shared.publish(&mut state);
        }
        parts.end()
    }
}

/// For what tests run outside of a task.
#[cfg(all(test, not(loom)))]
impl Helpers for Pool {
    fn max_threads(&self) -> usize {
        self.0.lock().threads.max().get()
    }

    fn parallel_for(&self, count: usize, work: PartWork, token: &CancelToken) -> Result<()> {
        self.parallel_for_task(0, count, work, token)
    }
}
