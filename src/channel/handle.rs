//! The face a native task gets: one end, bound to the task's cancel token.

use std::fmt;
use std::time::Duration;

use super::message::{Message, Received, Refusal, Refused};
use super::port::{Port, PortInTransit};
use crate::cancel::{CancelToken, Reason};
use crate::error::{Code, Error};
use crate::value::{Envelope, Limits, Value, decode, encode, is_for_javascript};

/// Why nothing was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiveError {
    /// Nothing came in the time given.
    Empty,
    /// The other end has closed and everything it had posted was received; or this end is closed.
    Closed,
    /// The task was told to stop.
    Cancelled(Reason),
    /// A message came whose payload only a JavaScript thread can receive. It is gone; the next may be fine.
    JavaScriptOnly,
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ReceiveError::Empty => "no message came in the time given",
            ReceiveError::Closed => "the channel is closed",
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

/// One end of a channel in the hands of a native task. Dropping it closes the channel, after the other end has
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

    /// The port itself: for what this face does not show.
    pub fn port(&self) -> &Port {
        &self.port
    }

    /// Sends, waiting for room in a bounded channel; ends early when the task is to stop.
    pub fn send(&self, envelope: Envelope) -> Result<(), Refused> {
        self.port.post_blocking(Message::from(envelope), None, Some(&self.cancel))
    }

    /// Sends if there is room; does not look at the cancel token.
    pub fn try_send(&self, envelope: Envelope) -> Result<(), Refused> {
        self.port.try_post(Message::from(envelope))
    }

    /// Receives, waiting for a message; ends early when the task is to stop.
    pub fn recv(&self) -> Result<Envelope, ReceiveError> {
        // `interrupt` is meant for JavaScript threads; here it only means to look again.
        loop {
            match self.wait(None) {
                Err(ReceiveError::Empty) => {}
                outcome => return outcome,
            }
        }
    }

    /// Receives, waiting up to `timeout` for a message; ends early when the task is to stop.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Envelope, ReceiveError> {
        self.wait(Some(timeout))
    }

    /// Receives what is there; does not look at the cancel token.
    pub fn try_recv(&self) -> Result<Envelope, ReceiveError> {
        opened(self.port.take_one())
    }

    /// Sends a value; false when nobody is left to receive it. Waits for room in a bounded channel.
    ///
    /// # Errors
    /// The reason to stop, or that the value has no wire form.
    pub fn send_value(&self, value: Value) -> crate::Result<bool> {
        match self.send(encode(value)?) {
            Ok(()) => Ok(true),
            Err(Refused { why: Refusal::Cancelled(reason), .. }) => Err(reason.into_error()),
            Err(_) => Ok(false),
        }
    }

    /// Receives a value, waiting for one; `None` when the channel has closed.
    ///
    /// # Errors
    /// The reason to stop, or that the message is nothing a task can read.
    pub fn recv_value(&self) -> crate::Result<Option<Value>> {
        match self.recv() {
            Ok(envelope) => decode(envelope, Limits::default()).map(Some),
            Err(ReceiveError::Closed) => Ok(None),
            Err(error) => Err(error.into_error()),
        }
    }

    /// Receives the value that is there, if any.
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

    fn wait(&self, timeout: Option<Duration>) -> Result<Envelope, ReceiveError> {
        opened(self.port.receive(timeout, Some(&self.cancel)).map_err(ReceiveError::Cancelled)?)
    }
}

fn opened(received: Received) -> Result<Envelope, ReceiveError> {
    match received {
        Received::Message(message) if message.side.is_none() && !is_for_javascript(&message.wire) => {
            Ok(message.into())
        }
        Received::Message(_) => Err(ReceiveError::JavaScriptOnly),
        Received::Empty => Err(ReceiveError::Empty),
        Received::Closed | Received::Gone => Err(ReceiveError::Closed),
    }
}
