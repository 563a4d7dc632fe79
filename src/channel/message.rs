//! What is posted, and the answers to posting and taking.

use std::fmt;

use super::wire::Wire;
use crate::cancel::Reason;
use crate::value::{Envelope, Part};

/// What an inbox holds.
#[derive(Debug, Default)]
pub struct Message {
    /// The value in its wire form.
    pub wire: Wire,
    /// What rides beside the wire.
    pub parts: Vec<Part>,
    /// Set when the payload rides in Node's own companion port and this only holds its place in the order.
    pub side: Option<Side>,
}

/// How a payload that rides aside stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// As it is.
    Plain,
    /// In a wrapper, with what else the receiving end must know. No other message may be looked at before it was.
    Wrapped,
    /// As `Wrapped`, and after it comes the shared memory that the message introduces, by itself: so that the other end
    /// gets that also where it cannot read the rest.
    Introducing,
}

impl From<Envelope> for Message {
    fn from(envelope: Envelope) -> Self {
        Message { wire: envelope.wire.into(), parts: envelope.parts, side: None }
    }
}

impl From<Message> for Envelope {
    fn from(message: Message) -> Self {
        Envelope { wire: message.wire.into_vec(), parts: message.parts }
    }
}

/// What became of a message given to [`Port::post`](super::Port::post).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posted {
    /// It waits in the other end's inbox.
    Queued,
    /// It waits in the other end's inbox, which now holds more than its capacity.
    Over,
    /// One of the ends is closed; the message was dropped, as Node does.
    Closed,
    /// This handle no longer owns its end; the message was dropped, as Node does.
    Detached,
    /// It carried the very port it was posted to. Nobody could ever receive it: it was dropped, and the channel
    /// closed with it, as Node does.
    Looped,
}

/// Why a message was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The other end's inbox holds as many messages as it may.
    Full,
    /// One of the ends is closed.
    Closed,
    /// This handle no longer owns its end: the port was transferred.
    Detached,
    /// The message carries the very port it was posted to.
    Looped,
    /// No room appeared in the time given.
    TimedOut,
    /// The task that waited for room was told to stop.
    Cancelled(Reason),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Full => "the channel is full: wait for room, or give it a larger capacity",
            Refusal::Closed => "the channel is closed",
            Refusal::Detached => "the port was transferred: use it where it went",
            Refusal::Looped => "a port cannot be posted to itself: nobody could receive it",
            Refusal::TimedOut => "the channel stayed full for the whole of the time given",
            Refusal::Cancelled(_) => "the task was told to stop while it waited for room in the channel",
        })
    }
}

/// A message that was not taken, handed back with the reason.
#[derive(Debug)]
pub struct Refused {
    /// The message, untouched.
    pub message: Message,
    /// Why.
    pub why: Refusal,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)
    }
}

impl std::error::Error for Refused {}

/// What is left after a batch was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Messages are left. No wake will come for them: the owner keeps the turn and must take again.
    More,
    /// Nothing is left; the next message brings a wake.
    Empty,
    /// Nothing is left and the other end has closed. Said exactly once for each port: emit `close`.
    Closed,
    /// This end is closed (and said so, or closed itself), or this handle was detached. Nothing to do.
    Gone,
}

/// What one call for one message gave.
#[derive(Debug)]
pub enum Received {
    /// The oldest message.
    Message(Message),
    /// There was none (in the time given).
    Empty,
    /// There is none and the other end has closed. Said exactly once for each port: emit `close`.
    Closed,
    /// This end is closed (and said so, or closed itself), or this handle was detached.
    Gone,
}
