//! The seams between the pool and the tasks: the pool runs an [`Execute`], and gives it [`Helpers`].
//!
//! The pool knows a task by its number alone. So tasks can be added while pools run, and a pool needs none of them to be
//! tested.

use std::sync::Arc;

use super::output_list::OutputList;
use super::parallel_for::PartWork;
use crate::cancel::CancelToken;
use crate::error::Result;
use crate::value::{Payload, Value};

/// The tasks, as a pool sees them.
pub trait Execute: Send + Sync {
    /// Runs the task number `task` on the calling thread. `token` stops it; `helpers` are the threads that may do parts of
    /// its work. It may panic: the pool makes an error of that.
    ///
    /// # Errors
    /// The task's own; the reason of `token`; [`Code::Internal`](crate::error::Code::Internal) for an unknown number.
    fn execute(
        &self,
        task: usize,
        input: Payload,
        token: &CancelToken,
        helpers: &dyn Helpers,
    ) -> Result<Value>;

    /// Runs the task for numbers one after the other, each as [`Execute::execute`] does, and pushes its outputs; up to the first
    /// that fails, or that should not begin because of `token`.
    ///
    /// # Errors
    /// As `execute`, of the input whose output would come next.
    fn execute_numbers(
        &self,
        task: usize,
        inputs: &[f64],
        outputs: &mut OutputList,
        token: &CancelToken,
        helpers: &dyn Helpers,
    ) -> Result<()> {
        for number in inputs {
            token.check()?;
            outputs.push(self.execute(task, Payload::Value(Value::Number(*number)), token, helpers)?);
        }
        Ok(())
    }

    /// The name of a task, for messages.
    fn name(&self, task: usize) -> &str;
}

/// The tasks of a pool. std's `Arc`: loom's holds no trait object, and this one orders nothing.
pub type Tasks = Arc<dyn Execute>;

/// The other threads of the pool that runs a task.
pub trait Helpers: Sync {
    /// How many threads may work on [`Helpers::parallel_for`] at the most, the caller's included.
    fn max_threads(&self) -> usize;

    /// Does the parts 0 to `count` of the calling task's work on this thread and on free ones, and returns when all are
    /// done. `parallel_for.rs` describes how.
    ///
    /// # Errors
    /// The first error of a part, or the reason of `token`.
    fn parallel_for(&self, count: usize, work: PartWork, token: &CancelToken) -> Result<()>;

    /// Whether the task's caller wants its reports.
    fn reports(&self) -> bool {
        false
    }

    /// Tells the task's caller how far it is; nothing where that wants no reports. It may wait: `reports.rs` describes for what.
    ///
    /// # Errors
    /// The reason of `token`; that the value cannot be sent.
    fn report(&self, _report: Value, _token: &CancelToken) -> Result<()> {
        Ok(())
    }

    /// Calls a function of the JavaScript that has submitted the task, and waits for what it returns or throws (the inner error).
    ///
    /// # Errors
    /// The reason of `token`; why the function was not called: [`Code::UnknownTask`](crate::error::Code::UnknownTask) where there is none of that name, or nobody to
    /// ask, `Deadlock` where it could never answer, `QueueFull`, `PoolClosed`.
    fn call(
        &self,
        _function: &str,
        _input: Value,
        _token: &CancelToken,
    ) -> Result<std::result::Result<Value, Value>> {
        Err(super::call::nobody())
    }
}
