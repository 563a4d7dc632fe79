//! The state machine of one end, and the argument why no message is lost, reordered or delivered twice.
//!
//! # States
//!
//! An inbox belongs to its *reader* (the port that takes from it) and is filled by its *writer* (the other end).
//! It moves one way only:
//!
//! ```text
//!   Open ──writer closes──▶ Sealed ──reader takes the last message and is told `Closed`──▶ Closed
//!     └───────────────reader closes─────────┴──────────────────────────────────────────────▶
//! ```
//!
//! * **Open**: messages are queued.
//! * **Sealed**: no message is queued any more; those that wait are still delivered.
//! * **Closed**: nothing waits and nothing is queued. The queue is emptied in the same critical section that
//!   enters the state, so no message can be stranded in a closed inbox.
//!
//! `Closed` is answered by the one call that moves Sealed to Closed, under the lock: hence *exactly once*, and
//! *after everything posted before*.
//!
//! # Locks
//!
//! There is one mutex for each inbox, and every field below is read and written under it; there are no atomics beside it.
//! So the only memory ordering used is the mutex's own: what a thread did before its critical section is visible to
//! the threads that enter a later one. A message's bytes are written before `push` and read after a take: visible.
//! No thread ever holds two inbox locks; an operation that concerns both ends does its work at one and then at the other,
//! and the file that does so argues for the order (`port.rs`). No lock is held while an event loop is woken, a sleeper is
//! notified or a message is dropped: the critical section returns an [`After`] that says what is to be done.
//!
//! # Ownership: tenures
//!
//! An end is owned by at most one party at a time. Every change of owner raises the end's *tenure*, in its own
//! inbox (`reader`) and then in its writer's view of it, the other inbox (`writer`). A handle remembers the tenure
//! in which it was made, and each operation compares it under the lock that it takes anyway. So a handle that was detached
//! can neither take what belongs to the next owner nor post in its name, even when two threads race: an
//! operation is either wholly before the detach or refused. Messages stay in the inbox all along, so a transfer
//! moves none and loses none; and as the `PortInTransit` exists only after both tenures were raised, the
//! next owner's posts come after all posts of the last owner.
//!
//! # The one-wake rule
//!
//! `woken` says which side has the turn. False: the event loop is idle, and the thread that makes something *due* for it
//! sets
//! `woken` and wakes it. True: the event loop has been or is being woken, and nobody wakes it again. The event loop hands
//! the turn back (sets it false) only by `take_batch` or `end_turn`, in the same critical section that saw the queue empty,
//! or, while the port does not listen, that saw nothing due. So:
//!
//! * *No lost wake*: a push is either before that critical section, and then its message was seen there, or after
//!   it, and then it finds `woken` false and wakes.
//! * *At most one*: between two drains that end in `Empty` there is one transition false → true.
//!
//! Due is: a message, when the port listens; the end of a sealed inbox, when the port listens or no message is
//! in front of it (as in Node, where a port that was not started still emits `close`).
//!
//! Races that remain, and are harmless:
//!
//! * *Late wake*: a waker is called after the lock was released, so the call may arrive when the event loop has drained by
//!   itself, or has detached the port. An event loop answers a wake by taking from the port of that number, if it still
//!   has one. Wakes decided never outnumber drains by more than one.
//! * *Wake before attach returns*: an event loop may be woken for a port whose `attach` has not returned yet.
//!   It must not look the port up inside `wake`, only note the number, as an event queue does.
//!
//! # Sleepers
//!
//! Threads blocked for a message (or for room) are counted under the lock before they sleep, so a push (a take)
//! that finds the count zero need not notify, and one that finds it above zero does. While a reader sleeps the
//! event loop is not woken as well: the sleeper has the turn. A notified sleeper may leave for another reason (timeout,
//! cancel) and a notification carries no message, so every thread that leaves, for whatever reason, passes the
//! turn on by [`Inbox::reader_leaves`] / [`Inbox::writer_leaves`]: messages left wake the next sleeper, else the
//! event loop; room left wakes the next sleeper. This rule is what makes `notify_one` enough. (A cancelled token notifies
//! all sleepers of a condition variable, as it cannot choose its own; the others look again and sleep on.)
//!
//! # Room
//!
//! High water is the capacity, low water one below it: any room at all counts as room. A wider gap would save
//! wakes but could hold a sender back from room that exists, and with it a reader that waits for what the sender
//! would have said: a deadlock. Readers that take in batches free many places at once, which saves the same wakes.

use std::collections::VecDeque;
use std::sync::Arc;

use super::message::{Message, Received, Refusal, Taken};
use super::port_waker::PortWaker;

/// A queue that had grown beyond this many messages frees its memory when it is empty.
const KEPT_CAPACITY: usize = 8192;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    Sealed,
    Closed,
}

/// How many sleepers to notify.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Notify {
    #[default]
    None,
    One,
    All,
}

/// Work that a critical section leaves to be done without the lock.
#[derive(Default)]
pub(super) struct After {
    /// Tell the reader's event loop that it has something to take.
    pub(super) wake: Option<Arc<dyn PortWaker>>,
    /// Tell the writer's event loop that there is room.
    pub(super) room: Option<Arc<dyn PortWaker>>,
    /// Threads asleep for a message.
    pub(super) readers: Notify,
    /// Threads asleep for room.
    pub(super) writers: Notify,
    /// Messages to drop.
    pub(super) discarded: VecDeque<Message>,
}

/// One end's inbox. Every method is one critical section of its lock.
pub(super) struct Inbox {
    queue: VecDeque<Message>,
    capacity: usize,
    stage: Stage,
    /// The tenure of the party that takes from here.
    reader: u32,
    /// The tenure of the party that posts to here.
    writer: u32,
    /// Wakes the event loop that takes from here; none while a Rust thread does.
    waker: Option<Arc<dyn PortWaker>>,
    listening: bool,
    woken: bool,
    readers_asleep: usize,
    writers_asleep: usize,
    room_wanted: Option<Arc<dyn PortWaker>>,
}

impl Inbox {
    /// An open inbox without an event loop at either end.
    pub(super) fn new(capacity: Option<usize>) -> Self {
        Inbox {
            queue: VecDeque::new(),
            capacity: capacity.unwrap_or(usize::MAX),
            stage: Stage::Open,
            reader: 0,
            writer: 0,
            waker: None,
            listening: true,
            woken: false,
            readers_asleep: 0,
            writers_asleep: 0,
            room_wanted: None,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn any_in_fallback(&self) -> bool {
        self.queue.iter().any(|message| message.fallback.is_some())
    }

    /// Threads asleep for a message, and for room.
    #[cfg(all(test, not(loom)))]
    pub(super) fn asleep(&self) -> (usize, usize) {
        (self.readers_asleep, self.writers_asleep)
    }

    fn has_room(&self) -> bool {
        self.queue.len() < self.capacity
    }

    /// Gives the event loop the turn if something is due and nobody has it.
    fn due(&mut self) -> Option<Arc<dyn PortWaker>> {
        if self.woken || self.readers_asleep > 0 {
            return None;
        }
        let waker = self.waker.as_ref()?;
        let due = match self.stage {
            Stage::Open => self.listening && !self.queue.is_empty(),
            Stage::Sealed => self.listening || self.queue.is_empty(),
            Stage::Closed => false,
        };
        due.then(|| {
            self.woken = true;
            Arc::clone(waker)
        })
    }

    // ── The writer's side ──────────────────────────────────────────────────────────────────────────────

    /// Whether a writer of this tenure may post at all.
    fn admits(&self, writer: u32) -> Result<(), Refusal> {
        if self.writer != writer {
            Err(Refusal::Detached)
        } else if self.stage != Stage::Open {
            Err(Refusal::Closed)
        } else {
            Ok(())
        }
    }

    /// Whether a writer of this tenure may post now, within the capacity.
    pub(super) fn admits_now(&self, writer: u32) -> Result<(), Refusal> {
        self.admits(writer)?;
        if self.has_room() { Ok(()) } else { Err(Refusal::Full) }
    }

    /// Queues a message whatever the capacity is; true when it is exceeded. Hands the message back when not open.
    pub(super) fn push(
        &mut self,
        writer: u32,
        message: Message,
    ) -> Result<(bool, After), (Message, Refusal)> {
        if let Err(why) = self.admits(writer) {
            return Err((message, why));
        }
        let after = self.append(message);
        Ok((self.queue.len() > self.capacity, after))
    }

    /// Queues a message; the caller has seen, under this same lock, that it is admitted.
    pub(super) fn append(&mut self, message: Message) -> After {
        self.queue.push_back(message);
        let mut after = After::default();
        if self.readers_asleep > 0 {
            after.readers = Notify::One;
        } else {
            after.wake = self.due();
        }
        after
    }

    /// Asks for one call of `room` when there is room; `Ok` says that there is room now, and no call will come.
    pub(super) fn want_room(&mut self, writer: u32, waker: Arc<dyn PortWaker>) -> Result<(), Refusal> {
        let answer = self.admits_now(writer);
        if answer == Err(Refusal::Full) {
            self.room_wanted = Some(waker);
        }
        answer
    }

    pub(super) fn writer_sleeps(&mut self) {
        self.writers_asleep += 1;
    }

    pub(super) fn writer_wakes(&mut self) {
        self.writers_asleep -= 1;
    }

    /// Passes the turn on (see "Sleepers"): room that is left is offered to the next writer.
    pub(super) fn writer_leaves(&mut self, after: &mut After) {
        if self.writers_asleep > 0 && self.has_room() && after.writers == Notify::None {
            after.writers = Notify::One;
        }
    }

    /// The writer has closed: the messages that wait are delivered, and then the close.
    pub(super) fn seal(&mut self) -> After {
        if self.stage != Stage::Open {
            return After::default();
        }
        self.stage = Stage::Sealed;
        self.room_wanted = None;
        After { wake: self.due(), readers: Notify::All, writers: Notify::All, ..After::default() }
    }

    /// The writer's end has changed hands.
    pub(super) fn writer_detached(&mut self) -> After {
        self.writer += 1;
        self.room_wanted = None;
        After { writers: Notify::All, ..After::default() }
    }

    // ── The reader's side ──────────────────────────────────────────────────────────────────────────────

    /// Whether a handle of this tenure owns an end that still lives.
    pub(super) fn is_held(&self, reader: u32) -> bool {
        self.reader == reader && self.stage != Stage::Closed
    }

    /// The waker of the event loop, where this tenure holds the end.
    pub(super) fn waker(&self, reader: u32) -> Option<Arc<dyn PortWaker>> {
        if self.is_held(reader) { self.waker.clone() } else { None }
    }

    /// Gives the inbox to an event loop, or to a Rust thread: then it listens at once.
    pub(super) fn adopt(&mut self, reader: u32, waker: Option<Arc<dyn PortWaker>>) -> After {
        if !self.is_held(reader) {
            return After::default();
        }
        self.listening = waker.is_none();
        self.waker = waker;
        self.woken = false;
        After { wake: self.due(), ..After::default() }
    }

    /// Whether messages wake the event loop.
    pub(super) fn listen(&mut self, reader: u32, listening: bool) -> After {
        if !self.is_held(reader) {
            return After::default();
        }
        self.listening = listening;
        if !listening {
            // The turn goes back. Whether the end is due (which it may be without listening) is decided again.
            self.woken = false;
        }
        After { wake: self.due(), ..After::default() }
    }

    /// Moves waiting messages to the end of `batch`, if the port listens; up to `max` where the capacity counts
    /// them, else all at once: the two queues change places, so that a thread that posts need not wait meanwhile. `Closed`
    /// and `Empty` are only answered by a call that moved nothing: what was moved may still come back
    /// ([`Inbox::put_back`]).
    pub(super) fn take_batch(
        &mut self,
        reader: u32,
        max: usize,
        batch: &mut VecDeque<Message>,
    ) -> (Taken, After) {
        if !self.is_held(reader) {
            return (Taken::Gone, After::default());
        }
        let mut after = After::default();
        if self.listening && !self.queue.is_empty() {
            if self.capacity == usize::MAX && batch.is_empty() {
                std::mem::swap(&mut self.queue, batch);
                self.freed(batch.len(), &mut after);
            } else {
                let count = self.queue.len().min(max);
                batch.extend(self.queue.drain(..count));
                self.freed(count, &mut after);
            }
            self.woken = self.waker.is_some();
            return (Taken::More, after);
        }
        if self.ends() {
            return (Taken::Closed, after);
        }
        self.woken = false;
        (Taken::Empty, after)
    }

    /// Hands the turn back after all that was taken has been used, if nothing more waits.
    pub(super) fn end_turn(&mut self, reader: u32) -> Taken {
        if !self.is_held(reader) || self.stage != Stage::Open || !self.queue.is_empty() {
            return Taken::More;
        }
        self.woken = false;
        Taken::Empty
    }

    /// Messages that were taken and not used come back, to the front, in their order.
    pub(super) fn put_back(
        &mut self,
        reader: u32,
        messages: impl DoubleEndedIterator<Item = Message>,
    ) -> After {
        if !self.is_held(reader) {
            return After { discarded: messages.collect(), ..After::default() };
        }
        for message in messages.rev() {
            self.queue.push_front(message);
        }
        After { wake: self.due(), ..After::default() }
    }

    /// The oldest message, whether the port listens or not.
    pub(super) fn take_one(&mut self, reader: u32, after: &mut After) -> Received {
        if !self.is_held(reader) {
            return Received::Gone;
        }
        match self.queue.pop_front() {
            Some(message) => {
                self.freed(1, after);
                Received::Message(message)
            }
            None if self.ends() => Received::Closed,
            None => Received::Empty,
        }
    }

    /// Sealed and empty becomes Closed: true for the one caller that sees it happen.
    fn ends(&mut self) -> bool {
        let ends = self.stage == Stage::Sealed && self.queue.is_empty();
        if ends {
            self.stage = Stage::Closed;
            self.waker = None;
        }
        ends
    }

    /// After `count` messages were taken: notifies the threads that wait for room, and frees the memory of a large empty
    /// queue.
    fn freed(&mut self, count: usize, after: &mut After) {
        if count > 0 && self.has_room() {
            after.room = self.room_wanted.take();
            after.writers = match (self.writers_asleep, count) {
                (0, _) => Notify::None,
                (_, 1) => Notify::One,
                _ => Notify::All,
            };
        }
        if self.queue.is_empty() && self.queue.capacity() > KEPT_CAPACITY {
            after.discarded = std::mem::take(&mut self.queue);
        }
    }

    pub(super) fn reader_sleeps(&mut self) {
        self.readers_asleep += 1;
    }

    pub(super) fn reader_wakes(&mut self) {
        self.readers_asleep -= 1;
    }

    /// Passes the turn on (see "Sleepers"): messages that are left go to the next sleeper, else to the event loop.
    pub(super) fn reader_leaves(&mut self, after: &mut After) {
        if self.readers_asleep == 0 {
            after.wake = self.due();
        } else if !self.queue.is_empty() {
            after.readers = Notify::One;
        }
    }

    /// The reader closes: the messages that wait are dropped, and none is queued from here on. `None`: not the reader.
    pub(super) fn close(&mut self, reader: u32) -> Option<After> {
        if !self.is_held(reader) {
            return None;
        }
        self.stage = Stage::Closed;
        self.waker = None;
        Some(After {
            wake: None,
            // The writer's event loop may wait for room that never comes. The event makes it try again, and the post is
            // refused.
            room: self.room_wanted.take(),
            readers: Notify::All,
            writers: Notify::All,
            discarded: std::mem::take(&mut self.queue),
        })
    }

    /// The reader's end is taken from its owner; the number of the next tenure.
    pub(super) fn detach(&mut self, reader: u32) -> Result<(u32, After), Refusal> {
        if self.reader != reader {
            return Err(Refusal::Detached);
        }
        if self.stage == Stage::Closed {
            return Err(Refusal::Closed);
        }
        self.reader += 1;
        self.waker = None;
        self.listening = true;
        self.woken = false;
        Ok((self.reader, After { readers: Notify::All, ..After::default() }))
    }
}
