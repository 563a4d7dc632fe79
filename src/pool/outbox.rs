//! Where answers go, and the promise to answer each job once.

use std::num::NonZeroU32;

use super::batch_items::Outputs;
use super::call::{Asked, nobody};
use super::position::Taker;
use super::reports::Report;
use super::task_observer::{Age, TaskRef};
use super::task_times::NAMES;
use crate::cancel::Reason;
use crate::error::{Code, Error, Result};
use crate::lines::COMMON;
use crate::value::{Envelope, Payload, Value};

/// Takes the answers: the event queue of the JavaScript thread that asked, or a thread that waits for its one answer
/// (the unit test below has such an outbox).
///
/// The pool calls it with no lock held, on the thread that ended the job, which may be the one that cancels it or closes
/// the pool.
///
/// Jobs hold it by `&'static`: a counted reference would be one more cache line that every job of every thread fights
/// for, and an event queue is never freed anyway (`node/environment.rs` explains why).
pub trait Outbox: Send + Sync {
    /// Takes the one answer to the job that was submitted under `id`. `line`: of the answering thread; answers of different
    /// lines may change their order ([`lines`](crate::lines)).
    fn settle(&self, line: usize, id: u64, outcome: Result<Value>);

    /// As `settle`, of a task whose way has been measured.
    fn settle_measured(&self, line: usize, id: u64, outcome: Result<Value>, _trip: Option<Trip>) {
        self.settle(line, id, outcome);
    }

    /// Takes the one answer to a batch.
    fn settle_batch(&self, id: u64, outcome: Result<Outputs>, _trip: Option<Trip>) {
        self.settle(COMMON, id, outcome.map(Outputs::into_value));
    }

    /// Takes a report of the task `id`, before its answer comes by the same line.
    fn report(&self, _line: usize, _id: u64, _report: Report) {}

    /// Takes a call of a function by a running task: `payload` is an array of the task's id, the function's name and its input. Whoever
    /// answers keeps `asked`; one that is dropped tells the task so.
    fn call(&self, _line: usize, asked: Asked, _payload: Payload) {
        asked.answer(Err(nobody()));
    }

    /// The task that has made the call of this number waits for it no more, and has not got its answer.
    fn call_over(&self, _line: usize, _number: u64) {}

    /// A script worker has taken the job `id`, which may run for a limited time only.
    fn started(&self, _id: u64) {}

    /// Takes the one answer of a script. A value in wire form may stay so.
    fn settle_script(&self, id: u64, outcome: ScriptOutcome, _trip: Option<Trip>) {
        self.settle(
            COMMON,
            id,
            match outcome {
                ScriptOutcome::Done(payload) => payload.into_value(),
                ScriptOutcome::Late { reason, .. } => Err(reason.into_error()),
                ScriptOutcome::Failed(_) | ScriptOutcome::ViaFallback { .. } => {
                    Err(Error::new(Code::TaskFailed, "the script threw"))
                }
            },
        );
    }
}

/// Where an answer comes from, and when its task was submitted: with that, whoever takes the answer knows how long the task's
/// whole way has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trip {
    /// The pool, by its number in the process.
    pub pool: NonZeroU32,
    task: u32,
    /// In nanoseconds since the pool was made.
    pub queued_at: u64,
}

impl Trip {
    pub(super) fn new(pool: NonZeroU32, task: TaskRef, queued_at: Age) -> Self {
        let number = u32::try_from(task.number.min(NAMES)).unwrap_or(u32::MAX);
        Trip { pool, task: number * 2 + u32::from(task.taker == Taker::Script), queued_at }
    }

    /// Which of a pool's tasks it was: a number below [`Trip::TASKS`].
    pub fn task(self) -> usize {
        self.task as usize
    }

    /// How many numbers there are.
    pub const TASKS: usize = 2 * (NAMES + 1);

    /// The task of such a number.
    pub(super) fn task_of(number: usize) -> TaskRef {
        if number.is_multiple_of(2) { TaskRef::native(number / 2) } else { TaskRef::script(number / 2) }
    }
}

/// How a script's job ended.
#[derive(Debug)]
pub enum ScriptOutcome {
    /// It returned this.
    Done(Payload),
    /// It threw this.
    Failed(Envelope),
    /// The value that it returned or threw goes to the owner by the native fallback: a port of Node's, beside the queue.
    ViaFallback {
        /// Whether it was thrown.
        failed: bool,
        /// The key of the worker's registration: names the port.
        from: u64,
    },
    /// Its time was up before it ended: no caller waits for the value.
    Late {
        /// As `from` in `ViaFallback`, when it went that way.
        via_fallback: Option<u64>,
        /// Which of its time limits that was.
        reason: Reason,
    },
}

impl ScriptOutcome {
    /// The same of a job whose time was up before.
    pub(super) fn late(self, reason: Reason) -> Self {
        let via_fallback = match self {
            ScriptOutcome::ViaFallback { from, .. } => Some(from),
            _ => None,
        };
        ScriptOutcome::Late { via_fallback, reason }
    }
}

/// A promise to answer once. Dropped unanswered it answers with [`Code::Internal`], so that nothing accepted is
/// ever lost silently.
pub(super) struct Reply {
    id: u64,
    outbox: Option<&'static dyn Outbox>,
}

impl Reply {
    pub(super) fn new(id: u64, outbox: &'static dyn Outbox) -> Self {
        Reply { id, outbox: Some(outbox) }
    }

    pub(super) fn send(self, outcome: Result<Value>) {
        self.send_on(COMMON, outcome, None);
    }

    /// Sends the answer by the line of the calling thread.
    pub(super) fn send_on(mut self, line: usize, outcome: Result<Value>, trip: Option<Trip>) {
        if let Some(outbox) = self.outbox.take() {
            outbox.settle_measured(line, self.id, outcome, trip);
        }
    }

    pub(super) fn send_batch(mut self, outcome: Result<Outputs>, trip: Option<Trip>) {
        if let Some(outbox) = self.outbox.take() {
            outbox.settle_batch(self.id, outcome, trip);
        }
    }

    pub(super) fn send_script(mut self, outcome: ScriptOutcome, trip: Option<Trip>) {
        if let Some(outbox) = self.outbox.take() {
            outbox.settle_script(self.id, outcome, trip);
        }
    }

    /// Says that the job has been taken.
    pub(super) fn started(&self) -> impl FnOnce() + use<> {
        let (outbox, id) = (self.outbox, self.id);
        move || {
            if let Some(outbox) = outbox {
                outbox.started(id);
            }
        }
    }

    /// Where the answer goes.
    pub(super) fn outbox(&self) -> Option<&'static dyn Outbox> {
        self.outbox
    }

    /// The id under which it will be answered.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// The obligation, taken out of its job.
    pub(super) fn take(&mut self) -> Reply {
        Reply { id: self.id, outbox: self.outbox.take() }
    }

    /// Drops the obligation: the caller has its answer already.
    pub(super) fn forget(mut self) {
        self.outbox = None;
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if let Some(outbox) = self.outbox.take() {
            let error = Error::new(Code::Internal, "the task was dropped unanswered; please report this");
            outbox.settle(COMMON, self.id, Err(error));
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::cancel::CancelToken;
    use crate::pool::test_tasks::{ECHO, PANIC, SLEEP, TestTasks};
    use crate::pool::{Config, Job, Pool, Target};
    use crate::sync::{Condvar, Instant, Mutex, wait_for};

    /// The outbox of a thread that submits one task at a time and blocks until it is answered.
    struct Blocking {
        /// The id of the task under way, and its answer.
        answer: Mutex<(u64, Option<Result<Value>>)>,
        settled: Condvar,
    }

    impl Blocking {
        fn leak() -> &'static Self {
            Box::leak(Box::new(Blocking { answer: Mutex::new((0, None)), settled: Condvar::new() }))
        }

        fn run(
            &'static self,
            pool: &Pool,
            task: usize,
            input: f64,
            token: Option<CancelToken>,
        ) -> Result<Value> {
            let id = {
                let mut answer = self.answer.lock();
                answer.0 += 1;
                answer.0
            };
            let job = Job::new(id, self, task, Payload::Value(Value::Number(input)), token);
            if let Err(refused) = pool.submit(job, 0, Target::Native) {
                drop(refused.submission.into_input());
                return Err(refused.error);
            }
            let mut answer = self.answer.lock();
            loop {
                if let Some(outcome) = answer.1.take() {
                    return outcome;
                }
                let timed_out = wait_for(&self.settled, &mut answer, Duration::from_secs(30));
                assert!(!timed_out, "every task is answered");
            }
        }
    }

    impl Outbox for Blocking {
        fn settle(&self, _: usize, id: u64, outcome: Result<Value>) {
            let mut answer = self.answer.lock();
            assert_eq!(id, answer.0);
            assert!(answer.1.replace(outcome).is_none());
            drop(answer);
            self.settled.notify_one();
        }
    }

    #[test]
    fn a_thread_can_block_until_its_task_is_answered() {
        let pool =
            Pool::new(Config { max_threads: 2, max_queue: 2, ..Config::default() }, Arc::new(TestTasks));
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let outbox = Blocking::leak();
                    for n in 0..2_000 {
                        let n = f64::from(n);
                        assert_eq!(outbox.run(&pool, ECHO, n, None), Ok(Value::Number(n)));
                    }
                    assert_eq!(outbox.run(&pool, PANIC, 0.0, None).unwrap_err().code(), Code::TaskPanicked);
                });
            }
        });
        let outbox = Blocking::leak();
        let soon = CancelToken::new(Some(Instant::now() + Duration::from_millis(20)));
        assert_eq!(outbox.run(&pool, SLEEP, 60_000.0, Some(soon)), Err(Reason::TimedOut.into_error()));
        let (token, closing) = (CancelToken::new(None), pool.clone());
        let canceller = token.clone();
        let canceller = std::thread::spawn(move || canceller.cancel(Reason::Cancelled));
        assert_eq!(outbox.run(&pool, SLEEP, 60_000.0, Some(token)), Err(Reason::Cancelled.into_error()));
        canceller.join().unwrap();
        let closer = std::thread::spawn(move || {
            while closing.stats().running == 0 {
                std::thread::yield_now();
            }
            closing.close(true, None);
        });
        assert_eq!(outbox.run(&pool, SLEEP, 60_000.0, None), Err(Reason::PoolClosed.into_error()));
        assert_eq!(outbox.run(&pool, ECHO, 0.0, None).unwrap_err().code(), Code::PoolClosed);
        closer.join().unwrap();
    }
}
