//! Submitting tasks to a pool.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::jobs::{CancelBy, Jobs};
use super::js::{Result as JsResult, Status};
use super::pools::Pools;
use super::refusal::Refusal;
use crate::cancel::{CancelToken, TimeLimits};
use crate::error::{Code, Error};
use crate::pool::{
    Accepted, Batch, BatchInputs, Inherited, InputPath, Job, Pool, Target, WaitedBy, WantedReports,
};
use crate::value::Payload;

type Result<T> = std::result::Result<T, Refusal>;

/// A task that JavaScript submits.
#[derive(Clone, Copy)]
pub(crate) struct Submission {
    /// The handle of the pool.
    pub(crate) pool: u32,
    /// The number of the native task, or of the script's function.
    pub(crate) task: usize,
    /// Under which it is answered.
    pub(crate) id: u64,
    pub(crate) options: SubmitOptions,
}

/// How to schedule a submission.
#[derive(Clone, Copy)]
pub(crate) struct SubmitOptions {
    priority: i32,
    limits: TimeLimits,
    cancel: CancelBy,
    reports: WantedReports,
}

impl SubmitOptions {
    pub(crate) const PLAIN: SubmitOptions = SubmitOptions {
        priority: 0,
        limits: TimeLimits { until: None, run: None },
        cancel: CancelBy::Nothing,
        reports: WantedReports::Nothing,
    };

    /// `limit` is in milliseconds from now, below zero for none; `is_deadline` says what it is. `run`: milliseconds from the
    /// task's start, below zero for none.
    pub(crate) fn new(priority: i32, limit: f64, is_deadline: bool, run: f64, cancel: CancelBy) -> Self {
        let until = Duration::try_from_secs_f64(limit / 1000.0).ok();
        let until = until.and_then(|limit| Instant::now().checked_add(limit)).map(|at| (at, is_deadline));
        #[allow(clippy::cast_possible_truncation)] // milliseconds
        let run = (run >= 0.0).then_some(run as f32);
        SubmitOptions { priority, limits: TimeLimits { until, run }, cancel, reports: WantedReports::Nothing }
    }

    /// Of a native task: which of its reports are wanted.
    pub(crate) fn reporting(self, reports: WantedReports) -> Self {
        SubmitOptions { reports, ..self }
    }

    /// The token by which JavaScript may cancel it, if it may.
    fn token(&self, jobs: &Jobs) -> Option<CancelToken> {
        match self.cancel {
            CancelBy::Nothing => None,
            CancelBy::Itself => Some(CancelToken::limited(self.limits)),
            CancelBy::Group(group) => Some(jobs.group(group)?.with_limits(self.limits)),
        }
    }
}

/// The options that only a script's task has.
pub(crate) struct ScriptOptions {
    /// How its input reaches the worker.
    pub(crate) path: InputPath,
    /// Whether its worker runs nothing else meanwhile.
    pub(crate) exclusive: bool,
    /// Which worker may take it.
    pub(crate) target: Target,
    /// Its key.
    pub(crate) key: Option<String>,
    /// In which form its function is called.
    pub(crate) call_form: u64,
    /// Who waits for it in a worker of the pool.
    pub(crate) waited_by: Option<WaitedBy>,
    pub(crate) movable: bool,
    /// What the tasks that it submits get from it.
    pub(crate) inherited: Inherited,
}

impl Pools<'_> {
    /// Submits one native task, whose input `read` reads.
    pub(crate) fn submit(
        self,
        submission: Submission,
        key: Option<String>,
        waited_by: Option<WaitedBy>,
        read: impl FnOnce() -> JsResult<Payload>,
    ) -> Result<Accepted> {
        let Submission { pool, task, id, options } = submission;
        let input = self.input(pool, read)?;
        // A job that nothing may end early needs no token.
        let kept = options.token(self.core.jobs());
        let limits = options.limits;
        let token = kept.clone().or_else(|| (!limits.is_none()).then(|| CancelToken::limited(limits)));
        let mut job = Job::new(id, self.core.events(), task, input, token).reporting(options.reports);
        if let Some(key) = key {
            job = job.keyed(key);
        }
        if let Some(waited_by) = waited_by {
            job = job.waited_by(waited_by);
        }
        self.submit_job(submission, job, Target::Native, kept)
    }

    /// Leaves one native task, whose input `read` reads, for the record that JavaScript is about to put into the pool's intake.
    pub(crate) fn deposit(
        self,
        submission: Submission,
        read: impl FnOnce() -> JsResult<Payload>,
    ) -> Result<()> {
        let Submission { pool, task, id, .. } = submission;
        let input = self.input(pool, read)?;
        let job = |made| Job::to_deposit(id, self.core.events(), task, input, made);
        let deposited = self.with(pool, |pool| pool.deposit(job));
        if deposited == Some(true) { Ok(()) } else { Err(unknown_pool()) }
    }

    /// Submits a task of a script.
    pub(crate) fn submit_script(
        self,
        submission: Submission,
        script: ScriptOptions,
        read: impl FnOnce() -> JsResult<Payload>,
    ) -> Result<Accepted> {
        let Submission { pool, task, id, options } = submission;
        let input = self.input(pool, read)?;
        let token = options.token(self.core.jobs());
        let job = Job::new(id, self.core.events(), task, input, token.clone());
        let mut job = job.by(script.path).called(script.call_form).inherits(script.inherited);
        if script.movable {
            job = job.movable();
        }
        if let Some(waited_by) = script.waited_by {
            job = job.waited_by(waited_by);
        }
        if script.exclusive {
            job = job.exclusive();
        }
        if let Some(key) = script.key {
            job = job.keyed(key);
        }
        self.submit_job(submission, job, script.target, token)
    }

    /// Submits a native task with `count` inputs at once, which `read` reads; where outputs are not kept, their number is the answer.
    pub(crate) fn submit_batch(
        self,
        submission: Submission,
        count: usize,
        keeps_outputs: bool,
        read: impl FnOnce() -> JsResult<BatchInputs>,
    ) -> Result<Accepted> {
        let Submission { pool, task, id, options } = submission;
        let inputs = self.input(pool, read)?;
        // Its own in any case: a failing input cancels the others.
        let token = CancelToken::limited(options.limits);
        let kept = (!matches!(options.cancel, CancelBy::Nothing)).then(|| token.clone());
        let batch = Batch::new(id, self.core.events(), task, options.priority, inputs, count, token);
        let batch = if keeps_outputs { batch } else { batch.without_outputs() };
        self.submit_to(submission, kept, |pool| {
            pool.submit_batch(Arc::new(batch)).map_err(|refused| {
                refused.submission.disown();
                refused.error
            })
        })
    }

    fn submit_job(
        self,
        submission: Submission,
        job: Job,
        target: Target,
        kept: Option<CancelToken>,
    ) -> Result<Accepted> {
        let priority = submission.options.priority;
        self.submit_to(submission, kept, |pool| {
            pool.submit(job, priority, target).map_err(|refused| {
                drop(refused.submission.into_input());
                refused.error
            })
        })
    }

    /// Submits; what is accepted can be cancelled by its id, where there is a token to keep for that.
    fn submit_to(
        self,
        submission: Submission,
        kept: Option<CancelToken>,
        submit: impl FnOnce(&Pool) -> std::result::Result<Accepted, Error>,
    ) -> Result<Accepted> {
        let submitted = self.with(submission.pool, |pool| {
            let accepted = submit(pool)?;
            if let Some(token) = kept {
                let in_group = matches!(submission.options.cancel, CancelBy::Group(_));
                self.core.jobs().remember(
                    submission.id,
                    (submission.pool, pool.clone()),
                    accepted.position,
                    token,
                    in_group,
                );
            }
            Ok(accepted)
        });
        submitted.unwrap_or_else(|| Err(unknown_pool()))
    }

    /// Reads an input, but not for a pool that is gone: then the objects on the input's transfer list stay where they are.
    fn input<T>(self, pool: u32, read: impl FnOnce() -> JsResult<T>) -> Result<T> {
        if !self.table.contains(pool) {
            return Err(unknown_pool());
        }
        read().map_err(|status| match status {
            Status::NO_MEMORY => {
                let message =
                    "there is no memory for the input: pass less at a time, or give it away by `transfer`";
                Error::new(Code::ValueTooLarge, message).into()
            }
            status => status.into(),
        })
    }
}

fn unknown_pool() -> Refusal {
    Error::new(Code::PoolClosed, "the pool is closed and takes no more tasks").into()
}
