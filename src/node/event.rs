//! The events that other threads send to a JavaScript environment.

use std::sync::Arc;
use std::time::Instant;

use super::js::Reference;
use crate::cancel::Reason;
use crate::channel::PortId;
use crate::error::{Error, Result};
use crate::pool::{Asked, Outputs, Report, ReportCell, ScriptOutcome, Trip};
use crate::shared;
use crate::value::{Bytes, Envelope, ErrorValue, INLINE_BYTES, Part, Payload, Text, Value, encode};

/// Something for the environment's thread to do.
pub(crate) enum Event {
    /// The answer to a job, and the way that it has gone, where that was measured.
    Settled { id: u64, answer: Answer, trip: Option<Trip> },
    /// A pool's last thread has ended.
    PoolClosed { pool: u32 },
    /// The queue of a pool that others have open too has room again.
    PoolRoom { pool: u32 },
    /// A script reported on its job `id`.
    Progress { id: u64, answer: Answer },
    /// The same, of a job of which only the latest report is wanted: it is in the cell.
    LatestProgress { id: u64, cell: Arc<ReportCell<Answer>> },
    /// A native task has reported how far it is.
    TaskReport { id: u64, report: Report },
    /// A native task calls a function: an array of its id, the function's name and its input.
    Call { asked: Asked, answer: Answer },
    /// The task waits no more for the call of this number.
    CallOver { number: u64 },
    /// A part of the result of job `id`.
    Part { id: u64, answer: Answer },
    /// The script worker of this key has sent its first message by the fallback port: it is ready.
    WorkerReady { key: u64 },
    /// The script worker of this key asks for the memory of the input of the job `id` itself, instead of a copy; of 0: for jobs that
    /// are bound to others.
    InputWanted { id: u64, key: u64 },
    /// Everything that was pushed before it has been delivered.
    Fence { id: u64 },
    /// To a script worker: there may be work.
    Work,
    /// To a script worker: its job `id` should stop.
    Stop { id: u64, reason: Reason },
    /// To a script worker: its job `id` may give so many more parts of its result.
    Grant { id: u64, count: u32 },
    /// A wait for a lock has ended: the granted number, or the error.
    LockEnded { id: u64, outcome: shared::Result<u32> },
    /// A port has something to take.
    PortDue(PortId),
    /// There is room at the other end of a port that had asked for it.
    PortRoom(PortId),
    /// An async wait on a cell has ended, by a notify or because its region closed.
    WaitEnded { id: u64, woken: bool },
    /// A reference to release.
    Release(Reference),
}

/// The outcome of a job, ready for JavaScript.
pub(crate) enum Answer {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    /// An array of so many undefineds.
    Undefineds(usize),
    /// An array of numbers, as `f64`s.
    Numbers(Bytes),
    /// Bytes that do not ride in a wire.
    Bytes(Bytes),
    /// Anything else, in its wire form.
    Envelope(Envelope),
    Error(Error),
    /// The value that a script threw, in its wire form.
    Rejected(Envelope),
    /// It comes another way: the next message of the script worker of this key.
    ViaFallback {
        failed: bool,
        from: u64,
    },
    /// The same, of a task whose time was up before: the value is wanted no more.
    Late {
        from: u64,
    },
    /// A report: the task has started, at this moment.
    TaskStarted(Instant),
}

impl Answer {
    /// Bytes that the environment's thread may have to copy.
    pub(super) fn size(&self) -> usize {
        match self {
            Answer::Bytes(bytes) | Answer::Numbers(bytes) => bytes.len(),
            Answer::Envelope(Envelope { wire, parts }) | Answer::Rejected(Envelope { wire, parts }) => {
                let part = |part: &Part| match part {
                    Part::Bytes(bytes) => bytes.len(),
                    // JavaScript has a long text where it is.
                    Part::Text(_) | Part::Port(_) | Part::Shared(_) => 0,
                };
                wire.len() + parts.iter().map(part).sum::<usize>()
            }
            _ => 0,
        }
    }

    /// Prepared as far as it can be: encoding is done here, on the thread that has the value.
    fn of_value(value: Value) -> Self {
        match value {
            Value::Undefined => Answer::Undefined,
            Value::Null => Answer::Null,
            Value::Bool(flag) => Answer::Bool(flag),
            Value::Number(number) => Answer::Number(number),
            Value::Bytes(bytes) if bytes.is_foreign() || bytes.len() > INLINE_BYTES => Answer::Bytes(bytes),
            value => match encode(value) {
                Ok(envelope) => Answer::Envelope(envelope),
                Err(error) => Answer::Error(error),
            },
        }
    }
}

impl From<Error> for Answer {
    /// An error that its task has named itself comes as what a script throws.
    fn from(error: Error) -> Self {
        let Some(own) = error.own() else { return Answer::Error(error) };
        let message = error.message();
        let thrown = ErrorValue {
            name: Text::from(own.name.as_str()),
            message: Text::from(message),
            stack: Some(Text::from(format!("{}: {message}\n    at {}", own.name, own.place))),
            properties: vec![(Text::from("code"), Value::from(own.code.as_str()))],
        };
        encode(Value::Error(Box::new(thrown))).map_or_else(Answer::Error, Answer::Rejected)
    }
}

impl From<Payload> for Answer {
    fn from(payload: Payload) -> Self {
        match payload {
            Payload::Value(value) => Answer::of_value(value),
            Payload::Envelope(envelope) => Answer::Envelope(envelope),
        }
    }
}

impl From<Result<Value>> for Answer {
    fn from(outcome: Result<Value>) -> Self {
        outcome.map_or_else(Answer::from, Answer::of_value)
    }
}

impl From<Result<Outputs>> for Answer {
    fn from(outcome: Result<Outputs>) -> Self {
        match outcome {
            #[allow(clippy::cast_precision_loss)] // a count
            Ok(Outputs::Dropped(count)) => Answer::Number(count as f64),
            Ok(Outputs::Undefined(count)) => Answer::Undefineds(count),
            Ok(Outputs::Numbers(numbers)) => Answer::Numbers(numbers),
            Ok(Outputs::Values(values)) => Answer::of_value(Value::Array(values)),
            Err(error) => error.into(),
        }
    }
}

impl From<ScriptOutcome> for Answer {
    fn from(outcome: ScriptOutcome) -> Self {
        match outcome {
            ScriptOutcome::Done(payload) => payload.into(),
            ScriptOutcome::Failed(envelope) => Answer::Rejected(envelope),
            ScriptOutcome::ViaFallback { failed, from } => Answer::ViaFallback { failed, from },
            ScriptOutcome::Late { via_fallback: Some(from), .. } => Answer::Late { from },
            ScriptOutcome::Late { via_fallback: None, reason } => Answer::Error(reason.into_error()),
        }
    }
}

impl From<shared::Result<u32>> for Answer {
    fn from(outcome: shared::Result<u32>) -> Self {
        match outcome {
            Ok(granted) => Answer::Number(f64::from(granted)),
            Err(error) => Answer::Error(error.into()),
        }
    }
}
