//! What other addons have submitted, until it is answered.
//!
//! # The races of a submission
//! *Answered before `submit` has returned.* The entry is in the table before the job is in the queue, and the id is written before both.
//! The answer takes the entry out; what `submit` does after that with the entry, it finds gone.
//!
//! *Cancelled before its position is known.* `cancel` stores the reason in the token, and finds no position to take out. `submit`
//! writes the position under the lock of the table, and looks at the token after that: it takes the job out itself then. So does the
//! thread of `deadlines`.
//!
//! *Answered while it is cancelled.* Positions are used once: taking out one that is gone finds nothing.

// It calls functions of other addons.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rust_workers_abi::{self as abi, outcome};

use super::deadlines;
use super::function;
use super::shared_pool::SharedPool;
use crate::cancel::{CancelToken, Reason, TimeLimits};
use crate::error::{Code, Error, Result};
use crate::packs::call::Shown;
use crate::packs::task::Data;
use crate::panic::guard;
use crate::pool::{Job, Outbox, QueuePosition, Target};
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

#[derive(Clone, Copy)]
pub(super) enum What {
    Named,
    /// A function of the addon.
    Function(abi::RunFn),
}

/// A submission under way.
struct Entry {
    shared: Arc<SharedPool>,
    what: What,
    done: abi::DoneFn,
    data: Data,
    token: CancelToken,
    /// None until it is known.
    position: Option<QueuePosition>,
}

/// Entries by id, in several tables, so that threads seldom meet at one lock.
const TABLES: usize = 16;
static UNDER_WAY: [Mutex<Option<HashMap<u64, Entry>>>; TABLES] = [const { Mutex::new(None) }; TABLES];
static NEXT: AtomicU64 = AtomicU64::new(1);

/// Does `work` on the table that has this id.
fn with_table<T>(id: u64, work: impl FnOnce(&mut HashMap<u64, Entry>) -> T) -> T {
    work(UNDER_WAY[(id % TABLES as u64) as usize].lock().get_or_insert_default())
}

/// Answers of jobs become calls of `done`.
struct DoneOutbox;
static DONE: DoneOutbox = DoneOutbox;

impl Outbox for DoneOutbox {
    fn settle(&self, _: usize, id: u64, outcome: Result<Value>) {
        let Some(entry) = with_table(id, |table| table.remove(&id)) else { return };
        let Entry { shared, done, data, token, .. } = entry;
        drop(token);
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
    let entry = Entry { shared: Arc::clone(shared), what, done, data, token: token.clone(), position: None };
    with_table(id, |table| table.insert(id, entry));
    let input = match what {
        What::Named => input,
        What::Function(_) => function::input(id, input),
    };
    let job = Job::new(id, &DONE, task, Payload::Value(input), Some(token.clone()));
    let accepted = match shared.pool.submit(job, priority, Target::Native) {
        Ok(accepted) => accepted,
        Err(refused) => {
            drop(refused.submission.into_input());
            let entry = with_table(id, |table| table.remove(&id));
            shared.finish();
            drop(entry);
            return Err(refused.error);
        }
    };
    let waits = with_table(id, |table| {
        table.get_mut(&id).map(|entry| entry.position = Some(accepted.position)).is_some()
    });
    if waits && let Some(at) = until {
        deadlines::watch(at, id);
    }
    if waits && token.was_cancelled() {
        let reason = token.reason().unwrap_or(Reason::Cancelled);
        shared.pool.take_out(&[accepted.position], reason, |_| {});
    }
    Ok(())
}

/// What `stop` needs of an entry.
type Handle = (Arc<SharedPool>, CancelToken, Option<QueuePosition>);

fn handle(id: u64) -> Option<Handle> {
    with_table(id, |table| {
        let entry = table.get(&id)?;
        Some((Arc::clone(&entry.shared), entry.token.clone(), entry.position))
    })
}

/// Asks it to stop. Whether it was there.
fn stop(handle: Option<Handle>, reason: Reason) -> bool {
    let Some((shared, token, position)) = handle else { return false };
    token.cancel(reason);
    if let Some(position) = position {
        shared.pool.take_out(&[position], reason, |_| {});
    }
    true
}

/// Asks a submission of this pool to stop. Whether it was there.
pub(super) fn cancel(shared: &Arc<SharedPool>, id: u64) -> bool {
    stop(handle(id).filter(|(own, ..)| Arc::ptr_eq(own, shared)), Reason::Cancelled)
}

/// The time of a submission is up.
pub(super) fn expire(id: u64) {
    stop(handle(id), Reason::TimedOut);
}

/// Whether it has not been answered.
pub(super) fn is_under_way(id: u64) -> bool {
    with_table(id, |table| table.contains_key(&id))
}

/// Ends all of a pool, or what of it waits; how much of it waited.
pub(super) fn end_of(shared: &Arc<SharedPool>, reason: Reason, only_waiting: bool) -> usize {
    let mut own = Vec::new();
    for table in &UNDER_WAY {
        let table = table.lock();
        let entries = table.iter().flat_map(HashMap::values);
        own.extend(
            entries
                .filter(|entry| Arc::ptr_eq(&entry.shared, shared))
                .map(|entry| (entry.token.clone(), entry.position)),
        );
    }
    let positions: Vec<_> = own.iter().filter_map(|(_, position)| *position).collect();
    if !only_waiting {
        own.iter().for_each(|(token, _)| token.cancel(reason));
    }
    shared.pool.take_out(&positions, reason, |_| {})
}

/// The function of a submission, and its data.
pub(super) fn function_of(id: u64) -> Option<(abi::RunFn, Data)> {
    with_table(id, |table| match table.get(&id)? {
        Entry { what: What::Function(run), data, .. } => Some((*run, *data)),
        Entry { what: What::Named, .. } => None,
    })
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
