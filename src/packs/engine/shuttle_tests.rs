//! Submissions under random schedules (`.ci/shuttle`): threads of an addon submit and stop what they have submitted, while the pool or its
//! object closes. Whatever was accepted is done once, and before the close is told.

// `done` is a function of C.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use rust_workers_abi as abi;

use super::face;
use super::shared_pool::SharedPool;
use super::submissions::{Submission, submit};
use super::under_way::{What, end_submissions, stop};
use crate::cancel::{CancelToken, Reason};
use crate::error::Result;
use crate::packs::task::Data;
use crate::pool::shuttle_tests::{below, explore, once_in};
use crate::pool::{Config, Execute, Helpers, Pool};
use crate::sync::{Arc, thread};
use crate::value::{Payload, Value};

const ECHO: usize = 0;
const YIELD: usize = 1;
/// Runs until it is stopped.
const HANG: usize = 2;

struct Tasks;

impl Execute for Tasks {
    fn execute(&self, task: usize, input: Payload, token: &CancelToken, _: &dyn Helpers) -> Result<Value> {
        match task {
            HANG => token.sleep(std::time::Duration::from_secs(3600))?,
            YIELD => thread::yield_now(),
            _ => {}
        }
        input.into_value()
    }

    fn name(&self, _: usize) -> &str {
        "a task"
    }
}

/// What was submitted: how often `done` was called for it.
#[derive(Default)]
struct Record {
    done: AtomicUsize,
    accepted: AtomicBool,
}

unsafe extern "C" fn done(data: *mut c_void, _: i32, result: *const abi::Value, error: *const abi::Error) {
    assert_eq!(result.is_null(), !error.is_null());
    // SAFETY: the test keeps the records until everything has ended.
    let record = unsafe { &*data.cast::<Record>() };
    record.done.fetch_add(1, Relaxed);
}

/// A thread of an addon.
fn submits(shared: &Arc<SharedPool>, records: &[Record]) {
    let mut own = Vec::new();
    for record in records {
        let (mut id, data) = (0, std::ptr::from_ref(record).cast_mut().cast());
        let task = [ECHO, YIELD, HANG][below(3)];
        let submission = Submission {
            task,
            what: What::Named,
            input: Value::Undefined,
            priority: below(3) as i32,
            timeout: None,
            done,
            data: Data(data),
        };
        if submit(shared, submission, |given| id = given).is_ok() {
            record.accepted.store(true, Relaxed);
            own.push(id);
        }
        if once_in(2) && !own.is_empty() {
            // As `cancel` does, or the thread that watches time limits.
            let id = own[below(own.len())];
            if once_in(2) {
                stop(id, Some(shared), Reason::Cancelled);
            } else {
                stop(id, None, Reason::TimedOut);
            }
        }
    }
}

fn counts(records: &[Vec<Record>]) -> usize {
    records.iter().flatten().map(|record| record.done.load(Relaxed)).sum()
}

#[test]
fn shuttle_what_addons_submit_is_done_once_and_before_the_close_is_told() {
    explore(|| {
        let max_queue = [usize::MAX, 1][below(2)];
        let config = Config { max_threads: 1 + below(2), max_queue, ..Config::default() };
        let pool = Pool::new(config, Arc::new(Tasks));
        let shared = face::open_engine(pool.clone());
        let records: Arc<Vec<Vec<Record>>> =
            Arc::new((0..2).map(|_| (0..3).map(|_| Record::default()).collect()).collect());
        let threads: Vec<_> = (0..2)
            .map(|nth| {
                let (shared, records) = (Arc::clone(&shared), Arc::clone(&records));
                thread::spawn(move || submits(&shared, &records[nth]))
            })
            .collect();
        let at_close = Arc::new((AtomicBool::new(false), AtomicUsize::new(0)));
        let told = {
            let (at_close, records) = (Arc::clone(&at_close), Arc::clone(&records));
            move || {
                at_close.1.store(counts(&records), Relaxed);
                at_close.0.store(true, Relaxed);
            }
        };
        (0..below(12)).for_each(|_| thread::yield_now());
        shared.close();
        // Its object closes, of a pool that others have too; or the pool, by force or not.
        if once_in(3) {
            end_submissions(&shared, Reason::PoolClosed, once_in(2));
            shared.when_idle(Box::new(told));
        } else {
            pool.close(once_in(2), Some(Box::new(told)));
        }
        threads.into_iter().for_each(|thread| thread.join().expect("it submits"));
        // Nothing hangs for ever.
        end_submissions(&shared, Reason::PoolClosed, false);
        while !at_close.0.load(Relaxed) {
            thread::yield_now();
        }
        for record in records.iter().flatten() {
            assert_eq!(record.done.load(Relaxed), usize::from(record.accepted.load(Relaxed)));
        }
        assert_eq!(counts(&records), at_close.1.load(Relaxed), "all was done when the close was told");
        pool.close(true, None);
    });
}
