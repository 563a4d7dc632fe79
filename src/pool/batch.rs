//! Many inputs of one task under one promise.
//!
//! A batch is one entry of the queue. It stays at the front while it has inputs left, and every thread that takes it
//! works on a chunk of them. Chunks grow while they run quickly, so that thousands of tiny inputs cost one lock
//! for many, and a single long one makes no other thread wait.
//!
//! Every input is counted once, before the batch is answered: as completed or failed, or as cancelled when it was dropped
//! because another one failed, or the batch was stopped. Once no input is left to take, the batch leaves the queue,
//! before it is answered too.

use std::time::{Duration, Instant};

use super::outbox::{Outbox, Reply};
use super::position::QueuePosition;
use super::task_observer::Ended;
use crate::cancel::{CancelToken, Reason};
use crate::error::{Code, Error, Result};
use crate::panic::guard;
use crate::sync::Mutex;
use crate::value::{Payload, Value};

/// A chunk that took less than this may be followed by one of twice the size.
const QUICK: Duration = Duration::from_micros(50);
const LARGEST_CHUNK: usize = 1024;
/// Stands where the index of the failing input would, when the batch as a whole was given up.
const ABANDONED: usize = usize::MAX;

/// Many inputs of one task, answered together and in order.
pub struct Batch {
    pub(super) task: usize,
    pub(super) priority: i32,
    pub(super) token: CancelToken,
    pub(super) queued_at: Instant,
    state: Mutex<State>,
}

/// The inputs: sealed until the first thread takes some, which decodes them so that the submitter need not.
enum Inputs {
    Sealed(Payload, usize),
    Open(std::vec::IntoIter<Value>),
}

impl Inputs {
    fn len(&self) -> usize {
        match self {
            Inputs::Sealed(_, count) => *count,
            Inputs::Open(inputs) => inputs.len(),
        }
    }

    /// Breaks the seal.
    fn open(&mut self) -> Result<&mut std::vec::IntoIter<Value>> {
        if let Inputs::Sealed(payload, count) = self {
            let (payload, count) = (std::mem::replace(payload, Payload::Value(Value::Undefined)), *count);
            let inputs = match guard(|| payload.into_value())?? {
                Value::Array(inputs) if inputs.len() == count => inputs,
                other => return Err(Error::new(Code::Internal, format!("a batch of {}", other.describe()))),
            };
            *self = Inputs::Open(inputs.into_iter());
        }
        match self {
            Inputs::Open(inputs) => Ok(inputs),
            Inputs::Sealed(..) => unreachable!("opened above"),
        }
    }
}

struct State {
    inputs: Inputs,
    next: usize,
    outputs: Vec<Value>,
    /// Inputs neither answered nor given up.
    remaining: usize,
    failure: Option<(usize, Error)>,
    reply: Option<Reply>,
    /// Where it waits.
    position: Option<QueuePosition>,
}

impl State {
    /// Gives up the inputs that no thread has taken; how many they are.
    fn give_up_rest(&mut self) -> usize {
        let rest = self.inputs.len();
        self.remaining -= rest;
        self.inputs = Inputs::Open(Vec::new().into_iter());
        rest
    }
}

/// The pool whose thread works on a batch, as the batch sees it.
pub(super) trait BatchHost {
    /// Inputs have ended. Called before the batch is answered, and with the batch's lock held: it takes none.
    fn ended(&self, ended: Ended);
    /// No input is left to take: the batch need not wait in the queue any more.
    fn exhausted(&self);
    /// Whether the thread should look at the queue again.
    fn should_leave(&self) -> bool;
}

/// Some inputs, and where their outputs belong.
pub(super) struct Chunk {
    first: usize,
    inputs: Vec<Value>,
}

impl Batch {
    /// A batch of `count` inputs, an array in `inputs`, for the task at index `task`, to be answered to `outbox`
    /// under `id`.
    pub fn new(
        id: u64,
        outbox: &'static dyn Outbox,
        task: usize,
        priority: i32,
        inputs: Payload,
        count: usize,
        token: CancelToken,
    ) -> Self {
        let state = State {
            inputs: Inputs::Sealed(inputs, count),
            next: 0,
            outputs: Vec::new(),
            remaining: count,
            failure: None,
            reply: Some(Reply::new(id, outbox)),
            position: None,
        };
        Batch { task, priority, token, queued_at: Instant::now(), state: Mutex::new(state) }
    }

    /// Drops a refused batch without an answer: the caller has the refusal itself.
    pub fn disown(&self) {
        if let Some(reply) = self.state.lock().reply.take() {
            reply.forget();
        }
    }

    /// How many inputs no thread has taken.
    pub(super) fn waiting(&self) -> usize {
        self.state.lock().inputs.len()
    }

    /// Told by the queue when it was accepted.
    pub(super) fn set_position(&self, position: QueuePosition) {
        self.state.lock().position = Some(position);
    }

    /// Where it waits, or has waited.
    pub(super) fn position(&self) -> Option<QueuePosition> {
        self.state.lock().position
    }

    fn take(&self, most: usize, host: &impl BatchHost) -> Option<Chunk> {
        let mut state = self.state.lock();
        let first = state.next;
        let inputs: Vec<Value> = match state.inputs.open() {
            Ok(inputs) => inputs.by_ref().take(most).collect(),
            Err(error) => {
                state.failure = Some((ABANDONED, error));
                let failed = state.give_up_rest();
                host.ended(Ended { failed, ..Ended::default() });
                drop(state);
                host.exhausted();
                self.answer_if_done(self.state.lock());
                return None;
            }
        };
        state.next += inputs.len();
        let is_last = !inputs.is_empty() && state.inputs.len() == 0;
        drop(state);
        if is_last {
            host.exhausted();
        }
        (!inputs.is_empty()).then_some(Chunk { first, inputs })
    }

    /// Runs inputs until none is left, the host says to look at the queue again, or the batch was stopped.
    pub(super) fn work(&self, mut run: impl FnMut(Value) -> Result<Value>, host: &impl BatchHost) {
        let mut size = 1;
        while let Some(chunk) = self.take(size, host) {
            let started = Instant::now();
            let taken = chunk.inputs.len();
            let mut outputs = Vec::with_capacity(taken);
            let mut failure = None;
            for (offset, input) in chunk.inputs.into_iter().enumerate() {
                match run(input) {
                    Ok(output) => outputs.push(output),
                    Err(error) => {
                        failure = Some((chunk.first + offset, error));
                        break;
                    }
                }
            }
            self.put(chunk.first, taken, outputs, failure, host);
            if started.elapsed() < QUICK {
                size = (size * 2).min(LARGEST_CHUNK);
            } else {
                size = (size / 2).max(1);
            }
            if host.should_leave() {
                break;
            }
        }
    }

    /// Stores a chunk's outputs by their indices; answers when this was the last.
    fn put(
        &self,
        first: usize,
        taken: usize,
        outputs: Vec<Value>,
        failure: Option<(usize, Error)>,
        host: &impl BatchHost,
    ) {
        let mut ended = Ended { completed: outputs.len(), ..Ended::default() };
        let mut state = self.state.lock();
        // Chunks come back in any order: the list must reach this one's end.
        let end = first + outputs.len();
        if state.outputs.len() < end {
            state.outputs.resize(end, Value::Undefined);
        }
        for (slot, output) in state.outputs[first..end].iter_mut().zip(outputs) {
            *slot = output;
        }
        if let Some((index, error)) = failure {
            ended.add_error(&error);
            match (self.token.reason(), &state.failure) {
                // It was stopped, as a whole or by another input's failure: not this input's fault.
                (Some(_), Some(_)) | (None, Some((ABANDONED, _))) => {}
                (Some(reason), None) => state.failure = Some((ABANDONED, reason.into_error())),
                (None, Some((earlier, _))) if *earlier < index => {}
                (None, _) => state.failure = Some((index, error)),
            }
            // The rest would be thrown away: give it up, and stop the threads that work on more.
            let rest = state.give_up_rest();
            ended.cancelled += taken - ended.completed - 1 + rest;
            // Not under the lock: wakers take locks of their own, and the queue's lock comes before this one. This chunk
            // still counts as remaining, so no other thread answers meanwhile.
            drop(state);
            self.token.cancel(Reason::Cancelled);
            if rest > 0 {
                host.exhausted();
            }
            state = self.state.lock();
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
            state.failure = Some((ABANDONED, reason.into_error()));
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
            None => Ok(Value::Array(std::mem::take(&mut state.outputs))),
            Some((ABANDONED, error)) => Err(error),
            Some((index, error)) => Err(error.context(format_args!("input {index}"))),
        };
        // The outbox takes locks of its own.
        drop(state);
        reply.send(outcome);
    }
}
