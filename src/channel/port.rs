//! The two ends put together: post, take, close, change of owner.
//!
//! What touches both ends touches one inbox and then the other, never both at once:
//!
//! * **close**: the closer's own inbox first, which decides whether this call is the one that closes, then the
//!   other is sealed. A post that slips in between (from another thread with the same handle) is a post before the
//!   close, and is delivered. Both ends may close at once: each closes its own inbox and finds the other closed.
//! * **detach**: the own inbox first, which decides whether this call is the one that detaches, then the other's
//!   view of the writer. A post that slips in between is a post before the detach; the token of the transfer does
//!   not exist yet, so no post of the next owner can come before it.
//!
//! A limit: two ports in transit that lie in each other's inboxes (b in a message to d, d in a message to b) can be
//! received by nobody. A port posted to itself is found out and closed; longer rings are not, and hold their memory
//! like a ring of `Arc`s.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc as SharedArc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::discard::discard;
use super::inbox::{After, Inbox, Notify};
use super::message::{Message, Posted, Received, Refusal, Refused, Taken};
use crate::sync::{Arc, Condvar, Mutex};
use crate::value::Part;

/// Who takes from a port on an event loop: woken by number, drains later on its own thread.
///
/// Both methods are called from any thread, without a lock held. They may come late (see "late wake" in
/// `inbox.rs`), and before `attach` has returned: note the number, do not act on it inside the call.
pub trait Owner: Send + Sync {
    /// Something is due: drain with [`Port::take`] until it answers anything but [`Taken::More`]. Until then it is
    /// not called again for this port.
    fn wake(&self, port: PortId);
    /// There is room in the inbox of the other end, or the channel is closed: try again what was refused. Called
    /// once for each [`Port::want_room`] that answered [`Refusal::Full`].
    fn room(&self, port: PortId);
}

/// The number of a port in this process. Stays with the end through transfers; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortId(u64);

impl PortId {
    /// The number: below 2^53, so that JavaScript holds it exactly.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl From<u64> for PortId {
    fn from(number: u64) -> Self {
        PortId(number)
    }
}

/// Ids go in pairs: even for the one end, odd for the other. `Relaxed`: only uniqueness is owed, and that is in
/// the atomicity of the addition.
static NEXT_PAIR: AtomicU64 = AtomicU64::new(2);

/// One end: the inbox and those who sleep at it. On cache lines of its own, as the two ends are busy on different
/// cores.
#[repr(align(128))]
pub(super) struct End {
    pub(super) inbox: Mutex<Inbox>,
    /// Threads asleep for a message.
    pub(super) arrived: Condvar,
    /// Threads asleep for room.
    pub(super) room: Condvar,
}

pub(super) struct Channel {
    pair: u64,
    ends: [End; 2],
}

/// The right to one end in one tenure. Dropping it closes the end, unless it was detached meanwhile.
pub(super) struct Seat {
    channel: Arc<Channel>,
    side: usize,
    tenure: u32,
}

/// A new channel: two ports that belong to nobody yet, which is all a Rust thread needs.
///
/// `capacity` bounds, for each direction, the messages that wait (default: unbounded; 0 counts as 1).
pub fn channel(capacity: Option<usize>) -> (Port, Port) {
    let capacity = capacity.map(|most| most.max(1));
    let end =
        || End { inbox: Mutex::new(Inbox::new(capacity)), arrived: Condvar::new(), room: Condvar::new() };
    let pair = NEXT_PAIR.fetch_add(2, Ordering::Relaxed);
    let channel = Arc::new(Channel { pair, ends: [end(), end()] });
    let port = |side| Port(Arc::new(Seat { channel: Arc::clone(&channel), side, tenure: 0 }));
    (port(0), port(1))
}

impl Seat {
    fn id(&self) -> PortId {
        PortId(self.channel.pair + self.side as u64)
    }

    fn peer_id(&self) -> PortId {
        PortId(self.channel.pair + (1 - self.side) as u64)
    }

    /// The end this seat takes from.
    pub(super) fn own(&self) -> &End {
        &self.channel.ends[self.side]
    }

    /// The end this seat posts to.
    pub(super) fn peer(&self) -> &End {
        &self.channel.ends[1 - self.side]
    }

    pub(super) fn tenure(&self) -> u32 {
        self.tenure
    }

    /// Does what a critical section of the own inbox left to do.
    pub(super) fn settle_own(&self, after: After) {
        settle(self.own(), after, self.id(), self.peer_id());
    }

    /// Does what a critical section of the other inbox left to do.
    pub(super) fn settle_peer(&self, after: After) {
        settle(self.peer(), after, self.peer_id(), self.id());
    }

    fn close(&self) -> bool {
        let closed = self.own().inbox.lock().close(self.tenure);
        let Some(after) = closed else { return false };
        let sealed = self.peer().inbox.lock().seal();
        self.settle_peer(sealed);
        self.settle_own(after);
        true
    }

    /// Whether the message carries the end it would be posted to.
    pub(super) fn loops(&self, message: &Message) -> bool {
        message.parts.iter().any(|part| match part {
            Part::Port(port) => Arc::ptr_eq(&port.0.channel, &self.channel) && port.0.side != self.side,
            _ => false,
        })
    }
}

/// Without a lock held: notifies, wakes, and drops what is to be dropped.
fn settle(end: &End, after: After, reader: PortId, writer: PortId) {
    notify(&end.arrived, after.readers);
    notify(&end.room, after.writers);
    if let Some(owner) = after.wake {
        owner.wake(reader);
    }
    if let Some(owner) = after.room {
        owner.room(writer);
    }
    discard(after.discarded);
}

fn notify(condvar: &Condvar, whom: Notify) {
    match whom {
        Notify::None => {}
        Notify::One => {
            condvar.notify_one();
        }
        Notify::All => {
            condvar.notify_all();
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.close();
    }
}

/// A handle on one end of a channel. Clones are the same handle; the end closes when the last is dropped.
#[derive(Clone)]
pub struct Port(pub(super) Arc<Seat>);

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

    /// Whether the payload of any message that waits here rides aside.
    pub fn any_aside(&self) -> bool {
        self.0.own().inbox.lock().any_aside()
    }

    /// True when no message waits here.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Messages posted from here that the other end has not taken yet.
    pub fn backlog(&self) -> usize {
        self.0.peer().inbox.lock().len()
    }

    /// True when this handle owns its end and the end is not closed. A port whose other end has closed counts as
    /// open until it was told so.
    pub fn is_open(&self) -> bool {
        self.0.own().inbox.lock().is_held(self.0.tenure)
    }

    /// Posts as `postMessage` does: never blocks, never fails, never loses what can still be received. Past the
    /// capacity the message is queued all the same and the answer says [`Posted::Over`]: by the time of the post
    /// its transfer list has been detached, and `postMessage` has no way to give that back. Senders that should
    /// heed the capacity use [`Port::try_post`], [`Port::want_room`] or [`Port::post_blocking`].
    pub fn post(&self, message: Message) -> Posted {
        if self.0.loops(&message) {
            return Posted::Looped;
        }
        let pushed = self.0.peer().inbox.lock().push(self.0.tenure, message);
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
        if let Err(why) = inbox.admits_now(self.0.tenure) {
            drop(inbox);
            return Err(Refused { message, why });
        }
        let after = inbox.append(message);
        drop(inbox);
        self.0.settle_peer(after);
        Ok(())
    }

    /// Whether a message would be taken now. When the answer is [`Refusal::Full`], this end's owner has one call
    /// of [`Owner::room`] to come; one request at a time, whoever asked. A port that nobody owns is never called.
    ///
    /// For an awaitable `send`: keep a queue of what was refused; ask; on `Ok` or on `room` post what fits, and ask
    /// again while any is left.
    pub fn want_room(&self) -> Result<(), Refusal> {
        let owner = self.0.own().inbox.lock().owner(self.0.tenure);
        let mut inbox = self.0.peer().inbox.lock();
        match owner {
            Some(owner) => inbox.want_room(self.0.tenure, owner),
            None => inbox.admits_now(self.0.tenure),
        }
    }

    /// Moves up to `max` messages to the end of `out`, oldest first, in one critical section. Gives none while the
    /// owner does not listen. What is left, and whose turn it is, is in the answer.
    pub fn take(&self, max: usize, out: &mut Vec<Message>) -> Taken {
        // Enough for a usual batch, so that the vector need not grow inside the critical section.
        out.reserve(max.min(256));
        let (taken, after) = self.0.own().inbox.lock().take(self.0.tenure, max, out);
        self.0.settle_own(after);
        taken
    }

    /// Moves what waits to the end of `stock`: up to `max` messages of a bounded channel, else all, at no cost.
    /// [`Taken::More`] whenever any were: when they are used, take again, or [`Port::rest`]. Until then they can be put
    /// back.
    pub fn take_stock(&self, max: usize, stock: &mut VecDeque<Message>) -> Taken {
        let (taken, after) = self.0.own().inbox.lock().take_stock(self.0.tenure, max, stock);
        self.0.settle_own(after);
        taken
    }

    /// [`Taken::Empty`], and the next message brings a wake, if nothing waits; [`Taken::More`] if one must take again.
    pub fn rest(&self) -> Taken {
        self.0.own().inbox.lock().rest(self.0.tenure)
    }

    /// Puts back what [`Port::take_stock`] gave and nobody used, before the port is detached: it travels along; or
    /// closed, or listens no more.
    pub fn put_back(&self, messages: impl DoubleEndedIterator<Item = Message>) {
        let after = self.0.own().inbox.lock().put_back(self.0.tenure, messages);
        self.0.settle_own(after);
    }

    /// The oldest message, whether the owner listens or not: `receiveMessageOnPort`.
    pub fn take_one(&self) -> Received {
        let mut after = After::default();
        let mut inbox = self.0.own().inbox.lock();
        let received = inbox.take_one(self.0.tenure, &mut after);
        inbox.reader_leaves(&mut after);
        drop(inbox);
        self.0.settle_own(after);
        received
    }

    /// Gives the port to an owner who is to be woken, or, with `None`, to a Rust thread that asks by itself.
    /// An owner does not listen at first (as in Node, until `start`); a Rust thread does.
    pub fn set_owner(&self, owner: Option<SharedArc<dyn Owner>>) {
        let after = self.0.own().inbox.lock().adopt(self.0.tenure, owner);
        self.0.settle_own(after);
    }

    /// Whether messages wake the owner and [`Port::take`] gives them: `start`, and the coming and going of
    /// `message` listeners.
    pub fn listen(&self, listening: bool) {
        let after = self.0.own().inbox.lock().listen(self.0.tenure, listening);
        self.0.settle_own(after);
    }

    /// Makes every thread that is blocked here for a message return empty-handed: before a JavaScript thread that
    /// is blocked in native code is terminated.
    pub fn interrupt(&self) {
        let after = self.0.own().inbox.lock().interrupt(self.0.tenure);
        self.0.settle_own(after);
    }

    /// Closes the channel: the other end still gets what was posted from here, then is told; what waits here is
    /// dropped. True when this call closed it, false when it was closed or detached before.
    pub fn close(&self) -> bool {
        self.0.close()
    }

    /// Takes the end away from its owner, with all that waits in it, to be given to the next. From here on this
    /// handle and its clones are spent: posting answers [`Posted::Detached`], taking [`Taken::Gone`].
    ///
    /// # Errors
    /// [`Refusal::Detached`] when that was done before; [`Refusal::Closed`] when this end is closed.
    pub fn detach(&self) -> Result<PortInTransit, Refusal> {
        let seat = &self.0;
        let (tenure, after) = seat.own().inbox.lock().detach(seat.tenure)?;
        let before = seat.peer().inbox.lock().writer_detached();
        seat.settle_own(after);
        seat.settle_peer(before);
        Ok(PortInTransit(Seat { channel: Arc::clone(&seat.channel), side: seat.side, tenure }))
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Port({})", self.id().0)
    }
}

/// A port between two owners. Messages gather in it; dropped undelivered, it closes.
pub struct PortInTransit(Seat);

impl PortInTransit {
    /// The number of the end; the same before, during and after.
    pub fn id(&self) -> PortId {
        self.0.id()
    }

    /// Gives the port to its next owner: see [`Port::set_owner`].
    pub fn attach(self, owner: Option<SharedArc<dyn Owner>>) -> Port {
        let port = Port(Arc::new(self.0));
        port.set_owner(owner);
        port
    }
}

impl fmt::Debug for PortInTransit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PortInTransit({})", self.id().0)
    }
}
