//! The ends of message channels that one JavaScript environment owns.
//!
//! JavaScript names a port by its *handle*, which is used again once the port is gone; wakes name it by its number, since
//! they may come late. The head of `port_batch.rs` describes how messages are taken.

use std::cell::{Cell, OnceCell, RefCell, RefMut};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::core::Core;
use super::event::Event;
use super::event_queue::EventQueue;
use super::handles::Handles;
use super::js::{Js, JsValue, ReleasableMemory, Result, Status};
use super::port_batch::{Found, OutOfBandMessage, PartsArray, PortState, ReceiveBuffer, take_number};
use crate::channel::{
    Fallback, Message, Port, PortId, PortInTransit, PortWaker, Posted, Received, Refusal, Taken, Transit,
    TransitKey,
};

/// The result of a post, as a number.
pub(super) mod posted {
    use crate::exported_numbers::Numbers;
    use crate::numbers;

    /// JavaScript gets nothing for it: no number need be made.
    pub(super) const QUEUED: u32 = 0;
    pub(super) const OVER: u32 = 1;
    pub(super) const CLOSED: u32 = 2;
    pub(super) const DETACHED: u32 = 3;
    pub(super) const LOOPED: u32 = 4;
    pub(super) const FULL: u32 = 5;

    /// For JavaScript.
    pub(in crate::node) const NUMBERS: Numbers = numbers! { OVER, CLOSED, DETACHED, LOOPED, FULL };
}

/// How a payload stands in the native fallback.
pub(super) mod fallback {
    use crate::exported_numbers::Numbers;
    use crate::numbers;

    /// As the value itself.
    pub(super) const PLAIN: u32 = 1;
    /// In a wrapper.
    pub(super) const WRAPPED: u32 = 2;
    /// In a wrapper, and the shared memory that the message introduces comes after it, by itself.
    pub(super) const INTRODUCING: u32 = 3;

    /// For JavaScript.
    pub(in crate::node) const NUMBERS: Numbers = numbers! { PLAIN, WRAPPED, INTRODUCING };
}

/// Where a port is that no environment has.
pub(super) mod transit {
    use crate::exported_numbers::Numbers;
    use crate::numbers;

    pub(super) const NONE: u32 = 0;
    /// It may be in transit any moment.
    pub(super) const ANNOUNCED: u32 = 1;
    /// It is in transit, and no thread posts through it.
    pub(super) const DEPOSITED: u32 = 2;

    /// For JavaScript.
    pub(in crate::node) const NUMBERS: Numbers = numbers! { ANNOUNCED, DEPOSITED };
}

/// Where the port of this number is.
pub(crate) fn transit_state(port: PortId) -> u32 {
    let ports = Transit::of_process();
    // In this order: it goes from the one to the other.
    let announced = ports.is_announced(port);
    match (ports.is_deposited(port), announced) {
        (true, _) => transit::DEPOSITED,
        (false, true) => transit::ANNOUNCED,
        (false, false) => transit::NONE,
    }
}

/// Wakes go into the environment's event queue.
struct Waker(&'static EventQueue);

impl PortWaker for Waker {
    fn wake(&self, port: PortId) {
        self.0.push(Event::PortDue(port));
    }

    fn room(&self, port: PortId) {
        self.0.push(Event::PortRoom(port));
    }
}

/// A port by its handle, and how many messages of its last batch JavaScript has shown. Each call passes it.
#[derive(Clone, Copy)]
pub(crate) struct Cursor {
    pub(crate) port: u32,
    pub(crate) shown: usize,
}

/// All ports of an environment. Used on its own thread only.
#[derive(Default)]
pub(crate) struct Ports {
    states: Handles<PortState>,
    waker: OnceCell<Arc<dyn PortWaker>>,
    receive_buffer: Cell<Option<ReceiveBuffer>>,
    /// Where the encoder writes.
    write_buffer: RefCell<Option<ReleasableMemory<u8>>>,
    out_of_band: OutOfBandMessage,
    /// Keys of ports that are about to leave.
    announced: RefCell<HashSet<TransitKey>>,
}

impl Ports {
    /// Names the arrays a batch is put into: a `Uint8Array` over 32-bit numbers, and one for the wires.
    pub(crate) fn set_receive_buffer<'call>(
        &self,
        js: Js<'call>,
        [lengths, wires]: [JsValue<'call>; 2],
    ) -> Result<()> {
        self.receive_buffer.set(Some(ReceiveBuffer::new(js, lengths, wires)?));
        Ok(())
    }

    /// Names the memory the encoder writes to from now on.
    pub(crate) fn set_write_buffer<'call>(&self, js: Js<'call>, view: JsValue<'call>) -> Result<()> {
        let before = self.write_buffer.replace(Some(ReleasableMemory::new(js, view)?));
        before.map_or(Ok(()), |before| before.release(js))
    }

    /// Takes the port in that waits under a key; its handle and number.
    pub(crate) fn claim(&self, core: &'static Core, key: TransitKey) -> Option<(u32, PortId)> {
        let port = Transit::of_process().claim(key, core.id())?;
        let id = port.id();
        Some((self.states.insert(PortState::new(port.attach(Some(self.waker(core))))), id))
    }

    /// Takes in both ends of a new channel; their handles and numbers.
    pub(crate) fn open(&self, core: &'static Core, ends: (Port, Port)) -> [(u32, PortId); 2] {
        [ends.0, ends.1].map(|port| {
            port.set_waker(Some(self.waker(core)));
            let id = port.id();
            (self.states.insert(PortState::new(port)), id)
        })
    }

    fn waker(&self, core: &'static Core) -> Arc<dyn PortWaker> {
        Arc::clone(self.waker.get_or_init(|| Arc::new(Waker(core.events()))))
    }

    fn with<T>(&self, handle: u32, work: impl FnOnce(&Port) -> T) -> Result<T> {
        self.states.with(handle, |state| work(&state.port)).ok_or(Status::INVALID)
    }

    /// The port of a cursor, which is committed.
    fn committed(&self, at: Cursor) -> Result<RefMut<'_, PortState>> {
        let mut state = self.states.get_mut(at.port).ok_or(Status::INVALID)?;
        state.commit(at.shown)?;
        Ok(state)
    }

    /// Messages wake this environment from now on, or no longer.
    pub(crate) fn listen(&self, at: Cursor, listening: bool) -> Result<()> {
        let mut state = self.committed(at)?;
        // Whether the end is due depends on the messages in the inbox.
        state.put_back();
        state.port.listen(listening);
        Ok(())
    }

    /// Closes a port; another port may get its handle. True when its half of the native fallback is still needed: it tells
    /// that the other end, which is in transit, was lost. That works only if no payload waits in it.
    pub(crate) fn close(&self, at: Cursor) -> Result<bool> {
        let state = self.take_away(at)?;
        let watches =
            Transit::of_process().is_deposited(state.port.peer_id()) && !state.port.any_in_fallback();
        state.port.close();
        Ok(watches)
    }

    /// Takes the port away from this environment, with the messages that were not shown. `None` when it has closed; its
    /// handle is good no longer either way.
    pub(crate) fn detach(&self, at: Cursor) -> Result<Option<PortInTransit>> {
        Ok(self.take_away(at)?.port.detach().ok())
    }

    /// Takes a port out of the table; in its inbox is what was not shown.
    fn take_away(&self, at: Cursor) -> Result<PortState> {
        drop(self.committed(at)?);
        let mut state = self.states.remove(at.port).ok_or(Status::INVALID)?;
        state.put_back();
        Ok(state)
    }

    /// A key for a port that is about to leave; a message carries the key as text.
    pub(crate) fn announce(&self, core: &Core, handle: u32) -> Result<TransitKey> {
        let key = self.with(handle, |port| Transit::of_process().announce(core.id(), port.id()))?;
        self.announced.borrow_mut().insert(key);
        Ok(key)
    }

    /// Detaches and deposits the port, since the message with its key has left. False when the port has closed.
    pub(crate) fn deposit(&self, at: Cursor, key: TransitKey) -> Result<bool> {
        let detached = self.detach(at);
        self.announced.borrow_mut().remove(&key);
        match detached {
            Ok(Some(port)) => {
                Transit::of_process().deposit(key, port);
                Ok(true)
            }
            other => {
                Transit::of_process().withdraw(key);
                other.map(|_| false)
            }
        }
    }

    /// The message with the key did not leave.
    pub(crate) fn withdraw(&self, key: TransitKey) {
        self.announced.borrow_mut().remove(&key);
        Transit::of_process().withdraw(key);
    }

    /// Messages that wait to be shown here.
    pub(crate) fn waiting(&self, at: Cursor) -> Result<usize> {
        let waiting = self.states.with(at.port, PortState::waiting).ok_or(Status::INVALID)?;
        Ok(waiting.saturating_sub(at.shown))
    }

    /// Asks for an event once there is room. Answers as a post would now.
    pub(crate) fn want_room(&self, handle: u32) -> Result<u32> {
        self.with(handle, |port| refusal_number(port.want_room()))
    }

    /// Messages posted here that the other end has not taken.
    pub(crate) fn backlog(&self, handle: u32) -> Result<usize> {
        self.with(handle, Port::backlog)
    }

    /// Posts a message, and returns the result as a number.
    pub(crate) fn post(&self, handle: u32, message: Message) -> Result<u32> {
        self.with(handle, |port| posted_number(port.post(message)))
    }

    /// Posts a placeholder for a message that was posted to the native fallback.
    pub(crate) fn post_placeholder(&self, handle: u32, how: u32) -> Result<u32> {
        let how = match how {
            fallback::PLAIN => Fallback::Plain,
            fallback::WRAPPED => Fallback::Wrapped,
            fallback::INTRODUCING => Fallback::Introducing,
            _ => return Err(Status::INVALID),
        };
        self.post(handle, Message { fallback: Some(how), ..Message::default() })
    }

    /// Posts the first `length` bytes of the write buffer.
    pub(crate) fn post_written(&self, handle: u32, length: usize) -> Result<u32> {
        let wire = self.write_buffer.borrow().as_ref().and_then(|buffer| buffer.copy_out(length));
        let wire = wire.ok_or(Status::INVALID)?;
        self.post(handle, Message { wire, ..Message::default() })
    }

    /// Takes a batch of at most `most`; [`take_number`] lists the results. A message that comes out of band has its parts in
    /// `array`.
    pub(crate) fn take(&self, at: Cursor, most: usize, array: PartsArray<'_>) -> Result<u32> {
        let buffer = self.receive_buffer.get().ok_or(Status::INVALID)?;
        let found = self.committed(at)?.take(most, buffer);
        let adaptive_wait = array.core.adaptive_wait();
        Ok(match found {
            Found::Nothing(left) => take_number(0, left),
            Found::OutOfBand { message, new, left } => {
                adaptive_wait.received(new);
                self.out_of_band.give(message, buffer, array)?;
                take_number(1, left)
            }
            Found::Batch { count, new, left } => {
                adaptive_wait.received(new);
                take_number(count, left)
            }
        })
    }

    /// Takes one message to be shown at once, whether the port listens or not, waiting up to `slice` for it; the rest as of
    /// [`Ports::take`].
    pub(crate) fn receive(&self, at: Cursor, slice: Duration, array: PartsArray<'_>) -> Result<u32> {
        let buffer = self.receive_buffer.get().ok_or(Status::INVALID)?;
        let received = self.committed(at)?.receive(slice);
        Ok(match received {
            Received::Message(message) => {
                self.out_of_band.give(message, buffer, array)?;
                // What is left is not asked.
                take_number(1, Taken::More)
            }
            Received::Empty => take_number(0, Taken::Empty),
            Received::Closed => take_number(0, Taken::Closed),
            Received::Gone => take_number(0, Taken::Gone),
        })
    }

    /// Copies the large wire, or else the block, of the message that came out of band last to a `Uint8Array` of its length.
    pub(crate) fn fill<'call>(&self, js: Js<'call>, view: JsValue<'call>, wire: bool) -> Result<()> {
        self.out_of_band.fill(js, view, wire)
    }

    /// The environment ends.
    pub(super) fn close_all(&self) {
        for key in self.announced.take() {
            Transit::of_process().withdraw(key);
        }
        for mut state in self.states.take_all() {
            state.put_back();
            state.port.close();
        }
        // Their memory ends with the environment; so does the reference that is not released.
        self.receive_buffer.set(None);
        self.write_buffer.replace(None);
    }
}

fn posted_number(posted: Posted) -> u32 {
    match posted {
        Posted::Queued => posted::QUEUED,
        Posted::Over => posted::OVER,
        Posted::Closed => posted::CLOSED,
        Posted::Detached => posted::DETACHED,
        Posted::Looped => posted::LOOPED,
    }
}

fn refusal_number(outcome: std::result::Result<(), Refusal>) -> u32 {
    match outcome {
        Ok(()) => posted::QUEUED,
        Err(Refusal::Full | Refusal::TimedOut | Refusal::Cancelled(_)) => posted::FULL,
        Err(Refusal::Closed) => posted::CLOSED,
        Err(Refusal::Detached) => posted::DETACHED,
        Err(Refusal::Looped) => posted::LOOPED,
    }
}
