//! Messages, and the results of posting and taking.

use std::fmt;

use super::wire::Wire;
use crate::cancel::Reason;
use crate::value::{Envelope, Part};

/// What an inbox holds.
#[derive(Debug, Default)]
pub struct Message {
    /// The value in its wire form.
    pub wire: Wire,
    /// The parts that the wire names by index.
    pub parts: Vec<Part>,
    /// Set when the payload is in the native fallback (a port of Node's), and this only holds its place in the order.
    pub fallback: Option<Fallback>,
}

/// In which form a payload is in the native fallback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// As it is.
    Plain,
    /// In a wrapper, with more that the receiving end must know. It must read this message before it looks at any other.
    Wrapped,
    /// As `Wrapped`. After it comes the shared memory that the message introduces, by itself, so that the other end
    /// gets the memory also where it cannot read the rest.
    Introducing,
}

impl From<Envelope> for Message {
    fn from(envelope: Envelope) -> Self {
        Message { wire: envelope.wire.into(), parts: envelope.parts, fallback: None }
    }
}

impl From<Message> for Envelope {
    fn from(message: Message) -> Self {
        Envelope { wire: message.wire.into_vec(), parts: message.parts }
    }
}

/// The result of [`Port::post`](super::Port::post).
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
    /// It carried the port it was posted to. Nobody could ever receive it, so it was dropped, and the channel
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
    /// The message carries the port it was posted to.
    Looped,
    /// There was no room within the time limit.
    TimedOut,
    /// The task that waited for room must stop.
    Cancelled(Reason),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Full => "the channel is full: wait for room, or give it a larger capacity",
            Refusal::Closed => "the channel is closed: open a new one",
            Refusal::Detached => "the port was transferred: use it where it went",
            Refusal::Looped => {
                "a port cannot be posted to itself, as nobody could receive it: post it to another port"
            }
            Refusal::TimedOut => {
                "the channel was full until the time limit: wait longer, or give it a larger capacity"
            }
            Refusal::Cancelled(_) => "the task was told to stop while it waited for room in the channel",
        })
    }
}

/// A message that was not taken, with the reason.
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

/// The messages that are left after a take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Messages are left. No wake comes for them: the caller keeps the turn and must take again.
    More,
    /// Nothing is left; the next message brings a wake.
    Empty,
    /// Nothing is left and the other end has closed. Answered exactly once for each port: emit `close`.
    Closed,
    /// This end is closed (and `Closed` was answered, or it closed itself), or this handle was detached. Nothing to do.
    Gone,
}

/// The result of a call for one message.
#[derive(Debug)]
pub enum Received {
    /// The oldest message.
    Message(Message),
    /// There was none (within the time limit).
    Empty,
    /// There is none and the other end has closed. Answered exactly once for each port: emit `close`.
    Closed,
    /// This end is closed (and `Closed` was answered, or it closed itself), or this handle was detached.
    Gone,
}
