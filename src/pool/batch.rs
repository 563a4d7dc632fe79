//! Many inputs of one task under one promise.
//!
//! A batch is one entry of the queue. It stays at the front while it has inputs left, and every thread that takes it
//! works on a chunk of them. Chunks grow while they run quickly, so that thousands of tiny inputs cost one lock
//! for many, and a single long one makes no other thread wait.
//!
//! Every input is counted once, before the batch is answered: as completed or failed, or as cancelled when it was dropped
//! because another one failed, or the batch was stopped. Once no input is left to take, the batch leaves the queue,
//! before it is answered too.

use std::time::Duration;

use super::batch_items::{BatchInputs, Chunk, Items};
use super::execute::{Execute, Helpers};
use super::outbox::{Outbox, Reply, Trip};
use super::position::QueuePosition;
use super::task_observer::{End, Ended};
use crate::cancel::{CancelToken, Reason};
use crate::error::{Error, Result};
use crate::panic::guard;
use crate::sync::{Instant, Mutex};

/// A chunk that took less than this may be followed by one of twice the size.
const QUICK: Duration = Duration::from_micros(50);
const LARGEST_CHUNK: usize = 1024;
/// Stands where the index of the failing input would, when the batch as a whole was given up.
const ABANDONED: usize = usize::MAX;

/// Many inputs of one task, answered together and in order.
pub struct Batch {
    pub(super) id: u64,
    pub(super) task: usize,
    pub(super) priority: i32,
    pub(super) token: CancelToken,
    pub(super) queued_at: Instant,
    pub(super) outbox: &'static dyn Outbox,
    state: Mutex<State>,
}

struct State {
    items: Items,
    /// Inputs neither answered nor given up.
    remaining: usize,
    failure: Option<(usize, Error)>,
    reply: Option<Reply>,
    /// Where it waits.
    position: Option<QueuePosition>,
    trip: Option<Trip>,
    /// Whether a thread has run, or runs, some of it.
    started: bool,
}

impl State {
    /// The error of a batch that ends for this reason.
    fn error_of(&self, reason: Reason) -> Error {
        if self.started { reason.into_error() } else { reason.into_error_before() }
    }

    /// Gives up the inputs that no thread has taken; how many they are.
    fn give_up_rest(&mut self) -> usize {
        let rest = self.items.give_up();
        self.remaining -= rest;
        rest
    }
}

/// The pool whose thread works on a batch, as the batch sees it.
pub(super) trait BatchHost {
    /// The thread has taken so many inputs, and begins to run them.
    fn begins(&self, count: usize);
    /// `count` inputs have run: when they began, and how long they took together.
    fn ran(&self, _count: usize, _began: Instant, _took: Duration) {}
    /// They have ended so.
    fn traced(&self, _began: Instant, _took: Duration, _outcome: &Result<()>) {}
    /// The error of a task that has panicked.
    fn panicked(&self, panic: Error) -> Error;
    /// Inputs have ended. Called before the batch is answered, and with the batch's lock held: it takes none.
    fn ended(&self, ended: Ended);
    /// No input is left to take: the batch need not wait in the queue any more.
    fn exhausted(&self);
    /// Whether the thread should look at the queue again.
    fn should_leave(&self) -> bool;
}

impl Batch {
    /// A batch of `count` inputs for the task at index `task`, to be answered to `outbox`
    /// under `id`.
    pub fn new(
        id: u64,
        outbox: &'static dyn Outbox,
        task: usize,
        priority: i32,
        inputs: BatchInputs,
        count: usize,
        token: CancelToken,
    ) -> Self {
        let state = State {
            items: Items::new(inputs, count),
            remaining: count,
            failure: None,
            reply: Some(Reply::new(id, outbox)),
            position: None,
            trip: None,
            started: false,
        };
        Batch { id, task, priority, token, queued_at: Instant::now(), outbox, state: Mutex::new(state) }
    }

    /// The same, whose outputs are dropped: the answer is their number.
    #[must_use]
    pub fn without_outputs(self) -> Self {
        self.state.lock().items.drop_outputs();
        self
    }

    /// Drops a refused batch without an answer: the caller has the refusal itself.
    pub fn disown(&self) {
        if let Some(reply) = self.state.lock().reply.take() {
            reply.forget();
        }
    }

    /// Whether a thread has run, or runs, some of it.
    pub(super) fn has_started(&self) -> bool {
        self.state.lock().started
    }

    /// How many inputs no thread has taken.
    pub(super) fn waiting(&self) -> usize {
        self.state.lock().items.waiting()
    }

    /// Told by the queue when it was accepted.
    pub(super) fn set_position(&self, position: QueuePosition, trip: Trip) {
        let mut state = self.state.lock();
        (state.position, state.trip) = (Some(position), Some(trip));
    }

    /// Where it waits, or has waited.
    pub(super) fn position(&self) -> Option<QueuePosition> {
        self.state.lock().position
    }

    /// Moves some inputs into `chunk`: how many.
    fn take(&self, most: usize, chunk: &mut Chunk, host: &impl BatchHost) -> usize {
        let mut state = self.state.lock();
        let taken = match state.items.take(most, chunk) {
            Ok(taken) => taken,
            Err(error) => {
                state.failure = Some((ABANDONED, error));
                let failed = state.give_up_rest();
                host.ended(Ended { failed, ..Ended::default() });
                drop(state);
                host.exhausted();
                self.answer_if_done(self.state.lock());
                return 0;
            }
        };
        let is_last = taken > 0 && state.items.waiting() == 0;
        state.started |= taken > 0 && self.token.reason().is_none();
        drop(state);
        if is_last {
            host.exhausted();
        }
        taken
    }

    /// Runs inputs until none is left, the host says to look at the queue again, or the batch was stopped.
    pub(super) fn work(&self, tasks: &dyn Execute, helpers: &dyn Helpers, host: &impl BatchHost) {
        let (mut size, mut chunk) = (1, Chunk::default());
        loop {
            let taken = self.take(size, &mut chunk, host);
            if taken == 0 {
                break;
            }
            host.begins(taken);
            let started = Instant::now();
            let outcome = match self.token.reason() {
                Some(reason) => Err(reason.into_error()),
                None => guard(|| chunk.run(tasks, self.task, &self.token_from(started), helpers))
                    .unwrap_or_else(|panic| Err(host.panicked(panic))),
            };
            let took = started.elapsed();
            let failed = outcome.as_ref().is_err_and(|error| End::of_error(error) == End::Failed);
            host.ran(chunk.done() + usize::from(failed), started, took);
            host.traced(started, took, &outcome);
            // Where the time of each run is limited, each is a chunk.
            let is_quick = took < QUICK && !self.token.limits_run();
            self.put(taken, &mut chunk, outcome.err(), host);
            size = if is_quick { (size * 2).min(LARGEST_CHUNK) } else { (size / 2).max(1) };
            if host.should_leave() {
                break;
            }
        }
    }

    /// The token of inputs that start now.
    fn token_from(&self, now: Instant) -> CancelToken {
        let mut token = self.token.clone();
        token.start(|| now);
        token
    }

    /// Stores the outputs of a chunk of `taken` inputs, of which the next has failed, if there is an error; answers when this was
    /// the last.
    fn put(&self, taken: usize, chunk: &mut Chunk, error: Option<Error>, host: &impl BatchHost) {
        let (index, completed) = (chunk.first() + chunk.done(), chunk.done());
        let mut ended = Ended { completed, ..Ended::default() };
        let mut state = self.state.lock();
        if let Some(error) = error {
            ended.add_error(&error);
            match (self.token.reason(), &state.failure) {
                // It was stopped, as a whole or by another input's failure: not this input's fault.
                (Some(_), Some(_)) | (None, Some((ABANDONED, _))) => {}
                (Some(reason), None) => state.failure = Some((ABANDONED, state.error_of(reason))),
                (None, Some((earlier, _))) if *earlier < index => {}
                (None, _) => state.failure = Some((index, error)),
            }
            // The rest would be thrown away: give it up, and stop the threads that work on more.
            let rest = state.give_up_rest();
            ended.cancelled += taken - completed - 1 + rest;
            // Not under the lock: wakers take locks of their own, and the queue's lock comes before this one. This chunk
            // still counts as remaining, so no other thread answers meanwhile.
            drop(state);
            self.token.cancel(Reason::Cancelled);
            if rest > 0 {
                host.exhausted();
            }
            state = self.state.lock();
        } else if state.failure.is_none() {
            state.items.put(chunk);
        }
        host.ended(ended);
        state.remaining -= taken;
        self.answer_if_done(state);
    }

    /// Gives up every input that no thread has taken, for `reason`. `count` gets their number, before the batch is
    /// answered.
    pub(super) fn abandon(&self, reason: Reason, count: impl FnOnce(usize)) {
        self.token.cancel(reason);
        let mut state = self.state.lock();
        if state.failure.is_none() {
            state.failure = Some((ABANDONED, state.error_of(reason)));
        }
        count(state.give_up_rest());
        self.answer_if_done(state);
    }

    fn answer_if_done(&self, mut state: crate::sync::MutexGuard<'_, State>) {
        if state.remaining > 0 {
            return;
        }
        let Some(reply) = state.reply.take() else { return };
        let outcome = match state.failure.take() {
            None => Ok(state.items.finish()),
            Some((ABANDONED, error)) => Err(error),
            Some((index, error)) => Err(error.context(format_args!("input {index}"))),
        };
        let trip = state.trip.filter(|_| End::of(&outcome) != End::Cancelled);
        // The outbox takes locks of its own.
        drop(state);
        reply.send_batch(outcome, trip);
    }
}
