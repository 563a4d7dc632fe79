//! The forms that put the calling thread to sleep: for Rust threads, and in slices for JavaScript threads.
//!
//! Both directions have the same shape: under the lock, try; if there is nothing to do, be counted as a sleeper and wait.
//! A thread that was counted passes the turn on when it leaves, for whatever reason (see "Sleepers" in `inbox.rs`). What
//! ends a wait early, and how a cancelled token wakes the thread, is in `crate::wait_limit`.

use std::time::Duration;

use super::inbox::After;
use super::message::{Message, Received, Refusal, Refused};
use super::port::Port;
use crate::cancel::Reason;
use crate::wait_limit::{EndedEarly, WaitLimit};

impl Port {
    /// The oldest message, waiting up to `slice` for one. For a JavaScript thread: call it from a small JavaScript
    /// function in a loop, with slices of 100 ms or less, so that `terminate` gets its turn in between.
    pub fn receive_slice(&self, slice: Duration) -> Received {
        self.receive(WaitLimit::default().within(slice)).unwrap_or(Received::Empty)
    }

    /// The oldest message, waiting for one as long as `limit` allows. [`Received::Empty`] says that its time limit has
    /// passed.
    ///
    /// # Errors
    /// The reason to stop of the limit's token. The token comes first: a message that waits already stays in the inbox.
    pub fn receive(&self, limit: WaitLimit<'_>) -> Result<Received, Reason> {
        let tenure = &*self.0;
        let end = tenure.own();
        let mut blocked = limit.begin();
        let mut after = After::default();
        let mut inbox = end.inbox.lock();
        let outcome = loop {
            if let Some(reason) = limit.stopped() {
                break Err(reason);
            }
            match inbox.take_one(tenure.number(), &mut after) {
                Received::Empty => {}
                received => break Ok(received),
            }
            inbox.reader_sleeps();
            let slept = blocked.sleep(&end.arrived, &mut inbox, || tenure.reader_waker());
            inbox.reader_wakes();
            match slept {
                Ok(()) => {}
                Err(EndedEarly::TimedOut) => break Ok(Received::Empty),
                Err(EndedEarly::Stopped(reason)) => break Err(reason),
            }
        };
        inbox.reader_leaves(&mut after);
        drop(inbox);
        tenure.settle_own(after);
        outcome
    }

    /// Posts, waiting for room as long as `limit` allows (its token is looked at first). Several waiting threads get room
    /// in no promised order.
    ///
    /// # Errors
    /// The message with the reason: [`Refusal::TimedOut`], [`Refusal::Cancelled`], [`Refusal::Closed`],
    /// [`Refusal::Detached`] or [`Refusal::Looped`].
    pub fn post_blocking(&self, message: Message, limit: WaitLimit<'_>) -> Result<(), Refused> {
        let tenure = &*self.0;
        if tenure.loops(&message) {
            return Err(Refused { message, why: Refusal::Looped });
        }
        let end = tenure.peer();
        let mut blocked = limit.begin();
        let mut inbox = end.inbox.lock();
        let why = loop {
            if let Some(reason) = limit.stopped() {
                break Refusal::Cancelled(reason);
            }
            match inbox.admits_now(tenure.number()) {
                Ok(()) => {
                    let mut after = inbox.append(message);
                    inbox.writer_leaves(&mut after);
                    drop(inbox);
                    tenure.settle_peer(after);
                    return Ok(());
                }
                Err(Refusal::Full) => {}
                Err(why) => break why,
            }
            inbox.writer_sleeps();
            let slept = blocked.sleep(&end.room, &mut inbox, || tenure.writer_waker());
            inbox.writer_wakes();
            match slept {
                Ok(()) => {}
                Err(EndedEarly::TimedOut) => break Refusal::TimedOut,
                Err(EndedEarly::Stopped(reason)) => break Refusal::Cancelled(reason),
            }
        };
        let mut after = After::default();
        inbox.writer_leaves(&mut after);
        drop(inbox);
        tenure.settle_peer(after);
        Err(Refused { message, why })
    }
}
