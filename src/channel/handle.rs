//! One end of a channel as a native task has it, bound to the task's cancel token.

use std::fmt;
use std::time::Duration;

use super::message::{Message, Received, Refusal, Refused};
use super::port::{Port, PortInTransit};
use crate::cancel::{CancelToken, Reason};
use crate::error::{Code, Error};
use crate::value::{Envelope, Limits, PortValue, Value, decode, encode, is_for_javascript};
use crate::wait_limit::WaitLimit;

/// How long a task that waits for room goes without a look for a message: the two have condition variables of their own.
const LOOK: Duration = Duration::from_millis(5);

/// Why nothing was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiveError {
    /// No message waits.
    Empty,
    /// The other end has closed and everything it had posted was received; or this end is closed.
    Closed,
    /// The task must stop.
    Cancelled(Reason),
    /// A message came whose payload only a JavaScript thread can receive. It is dropped; the next may be readable.
    JavaScriptOnly,
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ReceiveError::Empty => "no message waits: receive again later",
            ReceiveError::Closed => "the channel is closed: open a new one",
            ReceiveError::Cancelled(_) => "the task was told to stop while it waited for a message",
            ReceiveError::JavaScriptOnly => {
                "the message holds something only a JavaScript thread can receive: post plain values to a task"
            }
        })
    }
}

impl std::error::Error for ReceiveError {}

impl ReceiveError {
    /// As the error of the task.
    pub fn into_error(self) -> Error {
        match self {
            ReceiveError::Cancelled(reason) => reason.into_error(),
            other => Error::new(Code::TaskFailed, other.to_string()),
        }
    }
}

/// One end of a channel that a native task owns. Dropping it closes the channel, after the other end has
/// received what was sent.
pub struct PortHandle {
    port: Port,
    cancel: CancelToken,
}

impl PortHandle {
    /// Takes over a port that was transferred to a task.
    pub fn new(port: PortInTransit, cancel: CancelToken) -> Self {
        PortHandle { port: port.attach(None), cancel }
    }

    /// Sends, waiting for room in a bounded channel; ends early when the task must stop.
    pub fn send(&self, envelope: Envelope) -> Result<(), Refused> {
        self.port.post_blocking(Message::from(envelope), self.limit())
    }

    /// Sends if there is room; does not look at the cancel token.
    pub fn try_send(&self, envelope: Envelope) -> Result<(), Refused> {
        self.port.try_post(Message::from(envelope))
    }

    /// Receives, waiting for a message; ends early when the task must stop.
    pub fn recv(&self) -> Result<Envelope, ReceiveError> {
        opened(self.port.receive(self.limit()).map_err(ReceiveError::Cancelled)?)
    }

    /// As [`PortHandle::recv`], waiting no longer than `timeout`; `Empty` once that has passed.
    pub fn recv_within(&self, timeout: Duration) -> Result<Envelope, ReceiveError> {
        opened(self.port.receive(self.limit().within(timeout)).map_err(ReceiveError::Cancelled)?)
    }

    /// As [`PortHandle::send`], waiting no longer than `timeout`.
    pub fn send_within(&self, envelope: Envelope, timeout: Duration) -> Result<(), Refused> {
        self.port.post_blocking(Message::from(envelope), self.limit().within(timeout))
    }

    /// Receives a message that waits already; does not look at the cancel token.
    pub fn try_recv(&self) -> Result<Envelope, ReceiveError> {
        opened(self.port.take_one())
    }

    /// Sends a value; false when nobody is left to receive it, or when a message came while it waited for room, which is
    /// dropped: the word to stop of a reader that does not read on.
    ///
    /// # Errors
    /// The reason to stop, that the value has no wire form, or that the message is nothing a task can read.
    pub fn send_value_until_message(&self, value: Value) -> crate::Result<bool> {
        let mut refused = match self.try_send(encode(value)?) {
            Ok(()) => return Ok(true),
            Err(refused) => refused,
        };
        loop {
            match refused.why {
                Refusal::Full | Refusal::TimedOut => {
                    if self.try_recv_value()?.is_some() {
                        return Ok(false);
                    }
                }
                Refusal::Cancelled(reason) => return Err(reason.into_error()),
                _ => return Ok(false),
            }
            refused = match self.port.post_blocking(refused.message, self.limit().within(LOOK)) {
                Ok(()) => return Ok(true),
                Err(refused) => refused,
            };
        }
    }

    /// Receives the value of a message that waits already, if there is one.
    ///
    /// # Errors
    /// That the message is nothing a task can read.
    pub fn try_recv_value(&self) -> crate::Result<Option<Value>> {
        match self.try_recv() {
            Ok(envelope) => decode(envelope, Limits::default()).map(Some),
            Err(ReceiveError::Empty | ReceiveError::Closed) => Ok(None),
            Err(error) => Err(error.into_error()),
        }
    }

    fn limit(&self) -> WaitLimit<'_> {
        WaitLimit::new(Some(&self.cancel))
    }

    #[cfg(all(test, not(loom)))]
    pub(super) fn port(&self) -> &Port {
        &self.port
    }
}

impl PortValue {
    /// The port, as a task has it that `cancel` can stop; `None` when it was taken before.
    pub fn open(&self, cancel: CancelToken) -> Option<PortHandle> {
        self.take().map(|port| PortHandle::new(port.into(), cancel))
    }
}

fn opened(received: Received) -> Result<Envelope, ReceiveError> {
    match received {
        Received::Message(message) if message.fallback.is_none() && !is_for_javascript(&message.wire) => {
            Ok(message.into())
        }
        Received::Message(_) => Err(ReceiveError::JavaScriptOnly),
        Received::Empty => Err(ReceiveError::Empty),
        Received::Closed | Received::Gone => Err(ReceiveError::Closed),
    }
}
