//! Submitting, and telling the end.
//!
//! # The races of a submission
//! *Answered before `submit` has returned.* The entry is in the table before the job is in the queue, and the id is written before both.
//! The answer takes the entry out; what `submit` does after that with the entry, it finds gone.
//!
//! *Cancelled before its position is known.* `stop` stores the reason in the token, and finds no position to take out. `submit`
//! writes the position under the lock of the table, and looks at the token after that: it takes the job out itself then.
//!
//! *Answered while it is cancelled.* Positions are used once: taking out one that is gone finds nothing.

// It calls functions of other addons.
#![allow(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rust_workers_abi::{self as abi, outcome};

use super::shared_pool::SharedPool;
use super::under_way::{self, Entry, What};
use super::{deadlines, function};
use crate::cancel::{CancelToken, Reason, TimeLimits};
use crate::error::{Code, Error, Result};
use crate::packs::call::Shown;
use crate::packs::task::Data;
use crate::panic::guard;
use crate::pool::{Job, Outbox, Target};
use crate::sync::Instant;
use crate::value::{Payload, Value};

/// What is submitted.
pub(super) struct Submission {
    /// Its number in the registry.
    pub(super) task: usize,
    pub(super) what: What,
    pub(super) input: Value,
    pub(super) priority: i32,
    /// From now on.
    pub(super) timeout: Option<Duration>,
    pub(super) done: abi::DoneFn,
    /// For `done`, and for the function.
    pub(super) data: Data,
}

static NEXT: AtomicU64 = AtomicU64::new(1);

/// Answers of jobs become calls of `done`.
struct DoneOutbox;
static DONE: DoneOutbox = DoneOutbox;

impl Outbox for DoneOutbox {
    fn settle(&self, _: usize, id: u64, outcome: Result<Value>) {
        let Some(Entry { shared, done, data, .. }) = under_way::remove(id) else { return };
        // A panic of ours must not keep the pool from going on; `done` itself must not unwind.
        let _ = guard(|| tell(done, data, outcome));
        shared.finish();
    }
}

/// Submits; `told` gets the id before anything else can happen to it.
///
/// # Errors
/// Why it was refused: then `done` is not called.
pub(super) fn submit(shared: &Arc<SharedPool>, submission: Submission, told: impl FnOnce(u64)) -> Result<()> {
    let Submission { task, what, input, priority, timeout, done, data } = submission;
    if !shared.begin() {
        return Err(Error::new(Code::PoolClosed, "the pool is closed and takes no more tasks"));
    }
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    told(id);
    let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let token = CancelToken::limited(TimeLimits { until: until.map(|at| (at, false)), run: None });
    under_way::insert(id, Entry::new(Arc::clone(shared), what, done, data, token.clone()));
    let input = match what {
        What::Named => input,
        What::Function(_) => function::input(id, input),
    };
    let job = Job::new(id, &DONE, task, Payload::Value(input), Some(token.clone()));
    let accepted = match shared.pool.submit(job, priority, Target::Native) {
        Ok(accepted) => accepted,
        Err(refused) => {
            drop(refused.submission.into_input());
            let entry = under_way::remove(id);
            shared.finish();
            drop(entry);
            return Err(refused.error);
        }
    };
    let waits = under_way::place(id, accepted.position);
    if waits && let Some(at) = until {
        deadlines::watch(at, id);
    }
    if waits && token.was_cancelled() {
        let reason = token.reason().unwrap_or(Reason::Cancelled);
        shared.pool.take_out(&[accepted.position], reason, |_| {});
    }
    Ok(())
}

/// Calls `done` with what has become of its submission.
fn tell(done: abi::DoneFn, data: Data, outcome: Result<Value>) {
    let (outcome, shown, error) = match outcome.and_then(Shown::of) {
        Ok(shown) => (outcome::OK, Some(shown), None),
        Err(error) => (outcome_of(error.code()), None, Some(error)),
    };
    let result = shown.as_ref().map(Shown::as_abi);
    let error = error.as_ref().map(|error| {
        let own = error.own();
        abi::Error {
            size: size_of::<abi::Error>() as u32,
            reserved: 0,
            name: abi::Text::of(own.map_or("Error", |own| &own.name)),
            code: abi::Text::of(own.map_or(error.code().as_str(), |own| &own.code)),
            message: abi::Text::of(error.message()),
        }
    });
    let result = result.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let error = error.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the addon says that its function may be called so, from any thread; its code stays in the process (`pin`).
    unsafe { done(data.0, outcome, result, error) };
}

fn outcome_of(code: Code) -> i32 {
    match code {
        Code::TaskCancelled | Code::TaskTimeout | Code::Deadline | Code::PoolClosed => outcome::STOPPED,
        _ => outcome::FAILED,
    }
}
