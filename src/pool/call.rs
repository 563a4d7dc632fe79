//! A running task calls a function of JavaScript, and waits for its answer.
//!
//! # The protocol
//! The thread makes a cell, counts itself among those that call (`calling.rs`), and gives the outbox of its task a promise to answer
//! ([`Asked`]), by the line of its answers. Then it sleeps until the cell is answered, or its task must stop, whichever is first. The promise
//! answers once: it is kept by whoever runs the function, and one that is dropped, with the event queue of an environment that has
//! ended for instance, answers with an error. So no thread waits for an answer that nobody gives.
//!
//! *Races.* Answering and looking for the answer happen under the cell's lock, and the answering thread notifies after it, so no wake is
//! lost. A task that stops tells the outbox so, by the same line: the call is there before its end. An answer that comes after that is
//! dropped with the cell.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::cancel::{CancelToken, Reason};
use crate::error::{Code, Error, Result};
use crate::sync::{Arc, Condvar, Mutex};
use crate::value::Payload;
use crate::wait_limit::{EndedEarly, WaitLimit};

/// Counts the calls of the process: no protocol depends on it.
static CALLS: AtomicU64 = AtomicU64::new(1);

/// What became of a call: what the function returned, or threw; or why it was not called.
pub type CallOutcome = Result<std::result::Result<Payload, Payload>>;

struct Cell {
    outcome: Mutex<Option<CallOutcome>>,
    answered: Condvar,
}

impl Cell {
    fn answer(&self, outcome: CallOutcome) {
        let before = self.outcome.lock().replace(outcome);
        self.answered.notify_all();
        debug_assert!(before.is_none(), "a promise answers once");
        drop(before);
    }
}

/// A call, for the thread that waits for its answer.
pub(super) struct Call {
    pub(super) number: u64,
    cell: Arc<Cell>,
}

impl Call {
    /// A call, and the promise to answer it.
    pub(super) fn new() -> (Self, Asked) {
        let cell = Arc::new(Cell { outcome: Mutex::new(None), answered: Condvar::new() });
        let number = CALLS.fetch_add(1, Ordering::Relaxed);
        (Call { number, cell: Arc::clone(&cell) }, Asked { number, cell: Some(cell) })
    }

    /// Blocks until it is answered; an error when the task must stop before.
    pub(super) fn wait(&self, token: &CancelToken) -> std::result::Result<CallOutcome, Reason> {
        let mut wait = WaitLimit::new(Some(token)).begin();
        let mut outcome = self.cell.outcome.lock();
        loop {
            if let Some(outcome) = outcome.take() {
                return Ok(outcome);
            }
            let waker = || {
                let cell = Arc::clone(&self.cell);
                move || {
                    drop(cell.outcome.lock());
                    cell.answered.notify_all();
                }
            };
            if let Err(EndedEarly::Stopped(reason)) = wait.sleep(&self.cell.answered, &mut outcome, waker) {
                return Err(reason);
            }
        }
    }
}

/// The promise to answer a call once.
pub struct Asked {
    number: u64,
    cell: Option<Arc<Cell>>,
}

impl Asked {
    /// Which of the process's calls it is: a number below 2^53.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Answers.
    pub fn answer(mut self, outcome: CallOutcome) {
        if let Some(cell) = self.cell.take() {
            cell.answer(outcome);
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(cell) = self.cell.take() {
            let message = "the JavaScript thread that the task has called has ended, and answers no more";
            cell.answer(Err(Error::new(Code::PoolClosed, message)));
        }
    }
}

/// The error of a task that has nobody to call.
pub(super) fn nobody() -> Error {
    Error::new(
        Code::UnknownTask,
        "this task was not submitted by JavaScript, so there is no function that it could call: run it by pool.run",
    )
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::sync::Instant;
    use crate::value::Value;

    #[test]
    fn a_promise_that_is_dropped_answers() {
        let (call, asked) = Call::new();
        let waiting = std::thread::spawn(move || call.wait(&CancelToken::new(None)));
        drop(asked);
        let error = waiting.join().unwrap().unwrap().unwrap_err();
        assert_eq!(error.code(), Code::PoolClosed);
    }

    #[test]
    fn whichever_is_first_ends_the_wait() {
        let (call, asked) = Call::new();
        let token = CancelToken::new(None);
        let stopped = token.clone();
        let waiting = std::thread::spawn(move || call.wait(&token).unwrap_err());
        stopped.cancel(Reason::Cancelled);
        assert_eq!(waiting.join().unwrap(), Reason::Cancelled);
        // Nobody waits for it any more.
        asked.answer(Ok(Ok(Payload::Value(Value::Null))));

        let (call, _asked) = Call::new();
        let token = CancelToken::new(Some(Instant::now() + Duration::from_millis(2)));
        assert_eq!(call.wait(&token).unwrap_err(), Reason::TimedOut);

        let (call, asked) = Call::new();
        asked.answer(Ok(Err(Payload::Value(Value::Number(7.0)))));
        assert!(matches!(
            call.wait(&CancelToken::new(None)),
            Ok(Ok(Err(Payload::Value(Value::Number(7.0)))))
        ));
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;
    use crate::value::Value;
    use loom::thread;

    /// One thread waits, one answers or drops the promise, one stops the task: the wait ends, whichever comes first.
    #[test]
    fn loom_a_call_is_answered_or_stopped() {
        for is_dropped in [false, true] {
            loom::model(move || {
                let (call, asked) = Call::new();
                let token = CancelToken::new(None);
                let stopped = token.clone();
                let answering = thread::spawn(move || {
                    if is_dropped { drop(asked) } else { asked.answer(Ok(Ok(Payload::Value(Value::Null)))) }
                });
                let stopping = thread::spawn(move || stopped.cancel(Reason::Cancelled));
                match call.wait(&token) {
                    Ok(outcome) => assert_eq!(outcome.is_ok(), !is_dropped),
                    Err(reason) => assert_eq!(reason, Reason::Cancelled),
                }
                answering.join().unwrap();
                stopping.join().unwrap();
            });
        }
    }

    /// Nothing but the answer wakes the thread.
    #[test]
    fn loom_an_answer_is_not_missed() {
        loom::model(|| {
            let (call, asked) = Call::new();
            let answering = thread::spawn(move || asked.answer(Ok(Ok(Payload::Value(Value::Null)))));
            assert!(call.wait(&CancelToken::new(None)).is_ok());
            answering.join().unwrap();
        });
    }
}
