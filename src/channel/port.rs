//! The two ends put together: post, take, close, and the move of an end to another owner.
//!
//! An operation that concerns both ends locks one inbox and then the other, never both at once:
//!
//! * **close**: the closing port's own inbox first, which decides whether this call is the one that closes; then the other
//!   inbox is sealed. A post in between (from another thread with the same handle) is a post before the close,
//!   and is delivered. Both ends may close at once: each closes its own inbox and finds the other closed.
//! * **detach**: the own inbox first, which decides whether this call is the one that detaches; then the other inbox's
//!   view of its writer. A post in between is a post before the detach. The [`PortInTransit`] does not exist
//!   yet, so no post of the next owner can come before it.
//!
//! A limit: two ports in transit that lie in each other's inboxes (b in a message to d, d in a message to b) can be
//! received by nobody. A port that is posted to itself is found and closed; longer rings are not, and keep their memory
//! like a ring of `Arc`s.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc as SharedArc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::discard::discard;
use super::inbox::{After, Inbox, Notify};
use super::message::{Message, Posted, Received, Refusal, Refused, Taken};
use super::port_waker::{PortId, PortWaker};
use crate::sync::{Arc, Condvar, Mutex};
use crate::value::{Part, PortPart};

/// Ids go in pairs: even for the one end, odd for the other. `Relaxed`: an id must only be unique, which the atomic
/// addition gives.
static NEXT_PAIR: AtomicU64 = AtomicU64::new(2);

/// One end: the inbox and the threads that sleep at it. On cache lines of its own, as the two ends are busy on different
/// cores.
#[repr(align(128))]
pub(super) struct End {
    pub(super) inbox: Mutex<Inbox>,
    /// Threads asleep for a message.
    pub(super) arrived: Condvar,
    /// Threads asleep for room.
    pub(super) room: Condvar,
}

struct Channel {
    pair: u64,
    ends: [End; 2],
}

/// The right to one end of a channel for one tenure (see `inbox.rs`). Dropping it closes the end, unless the end was
/// detached meanwhile.
pub(super) struct Tenure {
    channel: Arc<Channel>,
    side: usize,
    number: u32,
}

/// A new channel: two ports without an event loop to wake, which is all a Rust thread needs.
///
/// `capacity` bounds, for each direction, the messages that wait (default: unbounded; 0 counts as 1).
pub fn channel(capacity: Option<usize>) -> (Port, Port) {
    let capacity = capacity.map(|most| most.max(1));
    let end =
        || End { inbox: Mutex::new(Inbox::new(capacity)), arrived: Condvar::new(), room: Condvar::new() };
    let pair = NEXT_PAIR.fetch_add(2, Ordering::Relaxed);
    let channel = Arc::new(Channel { pair, ends: [end(), end()] });
    let port = |side| Port(Arc::new(Tenure { channel: Arc::clone(&channel), side, number: 0 }));
    (port(0), port(1))
}

impl Tenure {
    fn id(&self) -> PortId {
        PortId(self.channel.pair + self.side as u64)
    }

    fn peer_id(&self) -> PortId {
        PortId(self.channel.pair + (1 - self.side) as u64)
    }

    /// The end that this port takes from.
    pub(super) fn own(&self) -> &End {
        &self.channel.ends[self.side]
    }

    /// The end that this port posts to.
    pub(super) fn peer(&self) -> &End {
        &self.channel.ends[1 - self.side]
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Makes the threads that sleep here for a message look again. It keeps the channel alive, and may be called late.
    pub(super) fn reader_waker(&self) -> impl FnOnce() + Send + use<> {
        let (channel, side) = (Arc::clone(&self.channel), self.side);
        move || channel.ends[side].notify_all(|end| &end.arrived)
    }

    /// Makes the threads that sleep here for room at the other end look again, as [`Tenure::reader_waker`].
    pub(super) fn writer_waker(&self) -> impl FnOnce() + Send + use<> {
        let (channel, side) = (Arc::clone(&self.channel), 1 - self.side);
        move || channel.ends[side].notify_all(|end| &end.room)
    }

    /// Does what a critical section of the own inbox left to be done.
    pub(super) fn settle_own(&self, after: After) {
        settle(self.own(), after, self.id(), self.peer_id());
    }

    /// Does what a critical section of the other inbox left to be done.
    pub(super) fn settle_peer(&self, after: After) {
        settle(self.peer(), after, self.peer_id(), self.id());
    }

    fn close(&self) -> bool {
        let closed = self.own().inbox.lock().close(self.number);
        let Some(after) = closed else { return false };
        let sealed = self.peer().inbox.lock().seal();
        self.settle_peer(sealed);
        self.settle_own(after);
        true
    }

    /// Whether the message carries the end that it would be posted to.
    pub(super) fn loops(&self, message: &Message) -> bool {
        message.parts.iter().any(|part| match part {
            Part::Port(port) => PortInTransit::of(&**port).is_some_and(|PortInTransit(port)| {
                Arc::ptr_eq(&port.channel, &self.channel) && port.side != self.side
            }),
            _ => false,
        })
    }
}

impl End {
    /// Notifies every thread asleep on a condition variable, after those that are about to sleep have fallen asleep.
    fn notify_all(&self, sleepers: impl FnOnce(&End) -> &Condvar) {
        drop(self.inbox.lock());
        sleepers(self).notify_all();
    }
}

/// Without a lock held: notifies sleeping threads, wakes event loops, and drops messages.
fn settle(end: &End, after: After, reader: PortId, writer: PortId) {
    notify(&end.arrived, after.readers);
    notify(&end.room, after.writers);
    if let Some(waker) = after.wake {
        waker.wake(reader);
    }
    if let Some(waker) = after.room {
        waker.room(writer);
    }
    discard(after.discarded);
}

fn notify(condvar: &Condvar, sleepers: Notify) {
    match sleepers {
        Notify::None => {}
        Notify::One => {
            condvar.notify_one();
        }
        Notify::All => {
            condvar.notify_all();
        }
    }
}

impl Drop for Tenure {
    fn drop(&mut self) {
        self.close();
    }
}

/// A handle on one end of a channel. Clones are the same handle; the end closes when the last clone is dropped.
#[derive(Clone)]
pub struct Port(pub(super) Arc<Tenure>);

impl Port {
    /// The number of this end.
    pub fn id(&self) -> PortId {
        self.0.id()
    }

    /// The number of the other end.
    pub fn peer_id(&self) -> PortId {
        self.0.peer_id()
    }

    /// Messages that wait to be taken here.
    pub fn len(&self) -> usize {
        self.0.own().inbox.lock().len()
    }

    /// Whether the payload of any message that waits here is in the native fallback.
    pub fn any_in_fallback(&self) -> bool {
        self.0.own().inbox.lock().any_in_fallback()
    }

    /// True when no message waits here.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Messages posted from here that the other end has not taken yet.
    pub fn backlog(&self) -> usize {
        self.0.peer().inbox.lock().len()
    }

    /// Posts as `postMessage` does: never blocks, never fails, never loses a message that can still be received. Past the
    /// capacity the message is queued all the same and the answer says [`Posted::Over`]: by the time of the post
    /// its transfer list has been detached, and `postMessage` has no way to give that back. Senders that should
    /// keep to the capacity use [`Port::try_post`], [`Port::want_room`] or [`Port::post_blocking`].
    pub fn post(&self, message: Message) -> Posted {
        if self.0.loops(&message) {
            return Posted::Looped;
        }
        let pushed = self.0.peer().inbox.lock().push(self.0.number, message);
        match pushed {
            Ok((over, after)) => {
                self.0.settle_peer(after);
                if over { Posted::Over } else { Posted::Queued }
            }
            Err((message, why)) => {
                discard([message].into());
                if why == Refusal::Detached { Posted::Detached } else { Posted::Closed }
            }
        }
    }

    /// Posts if there is room, else hands the message back.
    pub fn try_post(&self, message: Message) -> Result<(), Refused> {
        if self.0.loops(&message) {
            return Err(Refused { message, why: Refusal::Looped });
        }
        let mut inbox = self.0.peer().inbox.lock();
        if let Err(why) = inbox.admits_now(self.0.number) {
            drop(inbox);
            return Err(Refused { message, why });
        }
        let after = inbox.append(message);
        drop(inbox);
        self.0.settle_peer(after);
        Ok(())
    }

    /// Whether a message would be taken now. When the answer is [`Refusal::Full`], the event loop of this end gets one
    /// call of [`PortWaker::room`]; there is one request at a time for an end. A port without a waker is never called.
    ///
    /// For an awaitable `send`: keep a queue of what was refused; ask; on `Ok` or on `room` post what fits, and ask
    /// again while any is left.
    pub fn want_room(&self) -> Result<(), Refusal> {
        let waker = self.0.own().inbox.lock().waker(self.0.number);
        let mut inbox = self.0.peer().inbox.lock();
        match waker {
            Some(waker) => inbox.want_room(self.0.number, waker),
            None => inbox.admits_now(self.0.number),
        }
    }

    /// Moves waiting messages to the end of `batch`: up to `max` of a bounded channel, else all, at no cost.
    /// [`Taken::More`] whenever it moved any: when they are used, take again or call [`Port::end_turn`]. Until then they
    /// can be put back.
    pub fn take_batch(&self, max: usize, batch: &mut VecDeque<Message>) -> Taken {
        let (taken, after) = self.0.own().inbox.lock().take_batch(self.0.number, max, batch);
        self.0.settle_own(after);
        taken
    }

    /// Hands the turn back if nothing waits: [`Taken::Empty`], and the next message brings a wake. [`Taken::More`] says
    /// that the caller must take again.
    pub fn end_turn(&self) -> Taken {
        self.0.own().inbox.lock().end_turn(self.0.number)
    }

    /// Puts messages that [`Port::take_batch`] moved, and nobody used, back to the front: before the port is detached
    /// (they move along), closed, or stops listening.
    pub fn put_back(&self, messages: impl DoubleEndedIterator<Item = Message>) {
        let after = self.0.own().inbox.lock().put_back(self.0.number, messages);
        self.0.settle_own(after);
    }

    /// The oldest message, whether the port listens or not: `receiveMessageOnPort`.
    pub fn take_one(&self) -> Received {
        let mut after = After::default();
        let mut inbox = self.0.own().inbox.lock();
        let received = inbox.take_one(self.0.number, &mut after);
        inbox.reader_leaves(&mut after);
        drop(inbox);
        self.0.settle_own(after);
        received
    }

    /// Gives the port to an event loop, which is woken for it, or, with `None`, to a Rust thread that asks by itself.
    /// For an event loop the port does not listen at first (as in Node, until `start`); for a Rust thread it does.
    pub fn set_waker(&self, waker: Option<SharedArc<dyn PortWaker>>) {
        let after = self.0.own().inbox.lock().adopt(self.0.number, waker);
        self.0.settle_own(after);
    }

    /// Whether messages wake the event loop and [`Port::take_batch`] gives them: `start`, and the coming and going of
    /// `message` listeners.
    pub fn listen(&self, listening: bool) {
        let after = self.0.own().inbox.lock().listen(self.0.number, listening);
        self.0.settle_own(after);
    }

    /// Closes the channel: the other end still gets the messages that were posted from here, and then the close; what waits
    /// here is dropped. True when this call closed it, false when it was closed or detached before.
    pub fn close(&self) -> bool {
        self.0.close()
    }

    /// Takes the end away from its owner, with all messages that wait in it, for the next owner. From here on this
    /// handle and its clones are of no use: posting answers [`Posted::Detached`], taking [`Taken::Gone`].
    ///
    /// # Errors
    /// [`Refusal::Detached`] when that was done before; [`Refusal::Closed`] when this end is closed.
    pub fn detach(&self) -> Result<PortInTransit, Refusal> {
        let tenure = &self.0;
        let (number, after) = tenure.own().inbox.lock().detach(tenure.number)?;
        let before = tenure.peer().inbox.lock().writer_detached();
        tenure.settle_own(after);
        tenure.settle_peer(before);
        Ok(PortInTransit(Tenure { channel: Arc::clone(&tenure.channel), side: tenure.side, number }))
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Port({})", self.id().0)
    }
}

/// A port between two owners. Messages gather in it; if it is dropped undelivered, it closes.
pub struct PortInTransit(Tenure);

impl PortInTransit {
    /// The number of the end; the same before, during and after.
    pub fn id(&self) -> PortId {
        self.0.id()
    }

    /// Gives the port to its next owner: see [`Port::set_waker`].
    pub fn attach(self, waker: Option<SharedArc<dyn PortWaker>>) -> Port {
        let port = Port(Arc::new(self.0));
        port.set_waker(waker);
        port
    }

    /// The port that a part of an envelope is.
    fn of(part: &dyn PortPart) -> Option<&PortInTransit> {
        (part as &dyn Any).downcast_ref()
    }
}

impl PortPart for PortInTransit {}

impl From<PortInTransit> for Part {
    fn from(port: PortInTransit) -> Part {
        Part::Port(Box::new(port))
    }
}

impl From<Box<dyn PortPart>> for PortInTransit {
    fn from(part: Box<dyn PortPart>) -> PortInTransit {
        let port = (part as Box<dyn Any>).downcast().expect("there are no ports but those of this module");
        *port
    }
}

impl fmt::Debug for PortInTransit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PortInTransit({})", self.id().0)
    }
}

/// What tests ask for.
#[cfg(test)]
impl Port {
    /// True when this handle owns its end and the end is not closed. A port whose other end has closed counts as
    /// open until a call has answered that it closed.
    pub(super) fn is_open(&self) -> bool {
        self.0.own().inbox.lock().is_held(self.0.number)
    }

    /// Takes up to `max` messages as an event loop does, and answers what is left: what it took beyond them goes back, and
    /// it ends its turn when nothing is left.
    pub(super) fn take(&self, max: usize, out: &mut Vec<Message>) -> Taken {
        let mut batch = VecDeque::new();
        let taken = self.take_batch(max, &mut batch);
        if taken != Taken::More {
            return taken;
        }
        out.extend(batch.drain(..max.min(batch.len())));
        self.put_back(batch.drain(..));
        let left = self.end_turn();
        if left != Taken::More {
            return left;
        }
        // Messages, or the end.
        let left = self.take_batch(max, &mut batch);
        self.put_back(batch.drain(..));
        left
    }
}
