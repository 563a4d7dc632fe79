//! The ends of message channels that one JavaScript environment owns.
//!
//! JavaScript names a port by its *handle*, an index here that is given again once the port is gone; wakes name it by
//! its number, since they may come late.
//!
//! # What was taken, what was shown, what is left
//!
//! A batch of small messages crosses in one call: their wires stand one after the other in memory that JavaScript made
//! (`slab`), their lengths beside it. JavaScript reads them one by one, each when its turn has come, and keeps a cursor:
//! how many of the batch it has shown. That cursor is the one fact about what was delivered. The messages themselves stay
//! here, in the seat's `stock`, and every call that touches a seat (take, receive, listen, detach) brings the cursor and
//! begins by *committing* it: what was shown is dropped, the rest is no batch any more and first in line. So a port
//! whose listener goes, that moves or is closed carries on exactly there, and a batch whose memory another port has
//! taken meanwhile is simply taken again.
//!
//! For a message that stands for something in Node's own companion port (`side`) a number above all lengths stands
//! there. A message with parts and one that is large come alone, and are not kept here: JavaScript takes such a message
//! only to show it at once, before any other code runs. `lengths` then holds what it has ([`apart`]), and `extras` its
//! parts. The bytes of a large wire and of a single block stay here until JavaScript has made the memory for them
//! ([`Ports::fill`]): memory that cannot be had is an error there, and an ArrayBuffer made by Node-API would be zeroed
//! first.

use std::cell::{Cell, OnceCell, RefCell, RefMut};
use std::collections::{HashSet, VecDeque};
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

use napi::bindgen_prelude::sys;

use super::environment::Environment;
use super::event_queue::{Event, EventQueue};
use super::input::read_envelope;
use super::js::{Js, JsValue, Status};
use super::output::{LARGE, memories};
use crate::channel::{
    Fallback, Message, Port, PortId, PortInTransit, PortWaker, Posted, Received, Refusal, Taken, Transit,
    TransitKey, Wire,
};
use crate::value::{Bytes, Part};

/// Messages in one batch at the most; the length of `lengths`.
const BATCH: usize = 1024;
/// Stands in `lengths` for a message that comes alone. After it follow the wire's length in the slab, what the message
/// has, and the length of its block.
const APART: u32 = u32::MAX;

/// WorkerState in `lengths` for a message whose payload is in the companion.
const SIDE_PLAIN: u32 = u32::MAX - 1;
const SIDE_WRAPPED: u32 = u32::MAX - 2;
const SIDE_INTRODUCING: u32 = u32::MAX - 3;

/// What a message that comes alone has; the same numbers stand in `lib/ports/native.js`.
mod apart {
    /// The wire is to be fetched by `fill`.
    pub(super) const LARGE: u32 = 1;
    /// The parts are in `extras`.
    pub(super) const PARTS: u32 = 2;
    /// Its one part is to be fetched by `fill`.
    pub(super) const BLOCK: u32 = 4;
}

/// Larger wires come apart, so that one of them does not fill the slab.
const SMALL: usize = 16 * 1024;

/// What became of a post, as a number. The same numbers stand in `lib/ports/native.js`.
mod posted {
    pub(super) const QUEUED: u32 = 0;
    pub(super) const OVER: u32 = 1;
    pub(super) const CLOSED: u32 = 2;
    pub(super) const DETACHED: u32 = 3;
    pub(super) const LOOPED: u32 = 4;
    pub(super) const FULL: u32 = 5;
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

/// A port, and what was taken from its inbox and not shown yet.
struct Seat {
    port: Port,
    /// Oldest first.
    stock: VecDeque<Message>,
    /// So many of them, at the front, are the batch that JavaScript has.
    batch: usize,
    /// So many of them have been counted as taken.
    counted: usize,
}

impl Seat {
    fn new(port: Port) -> Self {
        Seat { port, stock: VecDeque::new(), batch: 0, counted: 0 }
    }

    /// JavaScript has shown the first `shown` of its batch; the rest is no batch any more.
    fn commit(&mut self, shown: usize) -> Result<(), Status> {
        if shown > self.batch {
            return Err(Status::INVALID);
        }
        self.stock.drain(..shown);
        self.counted = self.counted.saturating_sub(shown);
        self.batch = 0;
        Ok(())
    }

    /// What is left goes back where it came from.
    fn put_back(&mut self) {
        (self.batch, self.counted) = (0, 0);
        if !self.stock.is_empty() {
            self.port.put_back(self.stock.drain(..));
        }
    }

    /// Whether JavaScript must come again for more.
    fn left(&self) -> Taken {
        if self.stock.len() > self.batch { Taken::More } else { self.port.end_turn() }
    }

    /// How many of the batch are taken for the first time.
    fn count(&mut self) -> usize {
        let new = self.batch.saturating_sub(self.counted);
        self.counted += new;
        new
    }
}

/// Memory that JavaScript made, keeps to itself and never detaches; a reference keeps it for good.
#[derive(Clone, Copy)]
struct Memory {
    data: NonNull<u8>,
    length: usize,
}

impl Memory {
    fn of(js: Js<'_>, view: JsValue) -> Result<Self, Status> {
        let (data, length) = js.view(view)?;
        Ok(Memory { data: NonNull::new(data).ok_or(Status::INVALID)?, length })
    }
}

/// Where a batch is put.
#[derive(Clone, Copy)]
struct Intake {
    lengths: NonNull<u32>,
    slab: Memory,
}

impl Intake {
    fn put_length(self, index: usize, length: u32) {
        assert!(index < BATCH, "a batch holds {BATCH} messages");
        // SAFETY: below BATCH, the length the array was checked to have.
        let place = unsafe { self.lengths.add(index) };
        // SAFETY: in bounds and aligned as checked when it was named; JavaScript does not run meanwhile.
        unsafe { place.write(length) };
    }

    /// Puts a small message at `index`, its wire at `offset`; the wire's length.
    fn put(self, index: usize, offset: usize, message: &Message) -> usize {
        let wire = &message.wire;
        let length = match message.fallback {
            None => u32::try_from(wire.len()).unwrap_or(APART),
            Some(Fallback::Plain) => SIDE_PLAIN,
            Some(Fallback::Wrapped) => SIDE_WRAPPED,
            Some(Fallback::Introducing) => SIDE_INTRODUCING,
        };
        self.put_length(index, length);
        self.put_wire(offset, wire);
        wire.len()
    }

    fn put_wire(self, offset: usize, wire: &[u8]) {
        assert!(offset + wire.len() <= self.slab.length, "the batch fits the slab");
        // SAFETY: within the slab, by the check above.
        let place = unsafe { self.slab.data.add(offset) };
        // SAFETY: `wire` fits there, as checked, and cannot overlap JavaScript's memory.
        unsafe { place.copy_from_nonoverlapping(NonNull::from(wire).cast(), wire.len()) };
    }
}

/// All ports of an environment. Only its own thread comes here.
#[derive(Default)]
pub(crate) struct Ports {
    seats: RefCell<Vec<Option<Seat>>>,
    /// Handles to be given again.
    vacant: RefCell<Vec<u32>>,
    waker: OnceCell<Arc<dyn PortWaker>>,
    intake: Cell<Option<Intake>>,
    /// Where the encoder writes, and the reference that keeps it.
    outgoing: Cell<Option<(Memory, sys::napi_ref)>>,
    /// The large wire and the block of the message that was given apart last.
    wire: RefCell<Option<Wire>>,
    block: RefCell<Option<Bytes>>,
    /// Keys of ports that are about to leave.
    announced: RefCell<HashSet<TransitKey>>,
}

/// Whether a message fits into a batch beside others.
fn is_small(message: &Message) -> bool {
    message.parts.is_empty() && message.wire.len() <= SMALL
}

impl Ports {
    /// Names the arrays a batch is put into: a `Uint8Array` over `BATCH` 32-bit numbers, and one for the wires.
    pub(crate) fn name_intake(&self, js: Js<'_>, lengths: JsValue, slab: JsValue) -> Result<(), Status> {
        let (numbers, slab_memory) = (Memory::of(js, lengths)?, Memory::of(js, slab)?);
        let lengths_data = numbers.data.cast::<u32>();
        if numbers.length < BATCH * 4 || !lengths_data.is_aligned() || slab_memory.length < SMALL {
            return Err(Status::INVALID);
        }
        // Strong references that are never deleted: they end with the environment.
        js.reference(lengths)?;
        js.reference(slab)?;
        self.intake.set(Some(Intake { lengths: lengths_data, slab: slab_memory }));
        Ok(())
    }

    /// Names the memory the encoder writes to from now on.
    pub(crate) fn name_outgoing(&self, js: Js<'_>, view: JsValue) -> Result<(), Status> {
        let named = (Memory::of(js, view)?, js.reference(view)?);
        if let Some((_, before)) = self.outgoing.replace(Some(named)) {
            js.delete_reference(before)?;
        }
        Ok(())
    }

    /// Takes a port in and gives its handle.
    pub(crate) fn adopt(&self, environment: &'static Environment, port: PortInTransit) -> u32 {
        let port = port.attach(Some(self.waker(environment)));
        self.seat(port)
    }

    /// Takes in both ends of a new channel.
    pub(crate) fn open(&self, environment: &'static Environment, ends: (Port, Port)) -> [(u32, PortId); 2] {
        [ends.0, ends.1].map(|port| {
            port.set_waker(Some(self.waker(environment)));
            let id = port.id();
            (self.seat(port), id)
        })
    }

    fn waker(&self, environment: &'static Environment) -> Arc<dyn PortWaker> {
        Arc::clone(self.waker.get_or_init(|| Arc::new(Waker(environment.events()))))
    }

    fn seat(&self, port: Port) -> u32 {
        let mut seats = self.seats.borrow_mut();
        let seat = Some(Seat::new(port));
        if let Some(handle) = self.vacant.borrow_mut().pop() {
            seats[handle as usize] = seat;
            return handle;
        }
        seats.push(seat);
        u32::try_from(seats.len() - 1).unwrap_or(u32::MAX)
    }

    fn with<T>(&self, handle: u32, with: impl FnOnce(&Port) -> T) -> Result<T, Status> {
        self.seats
            .borrow()
            .get(handle as usize)
            .and_then(Option::as_ref)
            .map(|seat| with(&seat.port))
            .ok_or(Status::INVALID)
    }

    fn seat_of(&self, handle: u32) -> Result<RefMut<'_, Seat>, Status> {
        RefMut::filter_map(self.seats.borrow_mut(), |seats| seats.get_mut(handle as usize)?.as_mut())
            .map_err(|_| Status::INVALID)
    }

    fn remove(&self, handle: u32) -> Result<Seat, Status> {
        let seat =
            self.seats.borrow_mut().get_mut(handle as usize).and_then(Option::take).ok_or(Status::INVALID)?;
        self.vacant.borrow_mut().push(handle);
        Ok(seat)
    }

    /// Messages wake this environment from now on, or no longer; `shown` of the last batch were.
    pub(crate) fn listen(&self, handle: u32, shown: usize, listening: bool) -> Result<(), Status> {
        let mut seat = self.seat_of(handle)?;
        seat.commit(shown)?;
        // What is due is judged by what is in the inbox.
        seat.put_back();
        seat.port.listen(listening);
        Ok(())
    }

    /// Closes a port; its handle may be given again. True when its half of the companion is still of use: to tell that the
    /// other end, which is on its way, was lost. It closes by that only if no payload waits in it.
    pub(crate) fn close(&self, handle: u32) -> Result<bool, Status> {
        let mut seat = self.remove(handle)?;
        seat.put_back();
        let watches = Transit::of_process().is_deposited(seat.port.peer_id()) && !seat.port.any_in_fallback();
        seat.port.close();
        Ok(watches)
    }

    /// Takes the port away from this environment, with the messages of the last batch from `shown` on. `None` when it
    /// has closed; its handle is good no longer either way.
    pub(crate) fn detach(&self, handle: u32, shown: usize) -> Result<Option<PortInTransit>, Status> {
        self.seat_of(handle)?.commit(shown)?;
        let mut seat = self.remove(handle)?;
        seat.put_back();
        Ok(seat.port.detach().ok())
    }

    /// A key for a port that is about to leave in something that carries only text.
    pub(crate) fn announce(&self, environment: &Environment, handle: u32) -> Result<TransitKey, Status> {
        let key = Transit::of_process().announce(environment.id(), self.seat_of(handle)?.port.id());
        self.announced.borrow_mut().insert(key);
        Ok(key)
    }

    /// What has the key left: the port is detached, and waits to be claimed. False when it has closed.
    pub(crate) fn park(&self, handle: u32, shown: usize, key: TransitKey) -> Result<bool, Status> {
        let detached = self.detach(handle, shown);
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

    /// What has the key did not leave.
    pub(crate) fn withdraw(&self, key: TransitKey) {
        self.announced.borrow_mut().remove(&key);
        Transit::of_process().withdraw(key);
    }

    /// Messages that wait to be shown here, when `shown` of the last batch were.
    pub(crate) fn waiting(&self, handle: u32, shown: usize) -> Result<usize, Status> {
        let seat = self.seat_of(handle)?;
        Ok((seat.stock.len() + seat.port.len()).saturating_sub(shown))
    }

    /// Asks for an event when there is room; what is true now is the answer, as of a post.
    pub(crate) fn want_room(&self, handle: u32) -> Result<u32, Status> {
        self.with(handle, |port| refusal_number(port.want_room()))
    }

    /// Messages posted here that the other end has not taken.
    pub(crate) fn backlog(&self, handle: u32) -> Result<usize, Status> {
        self.with(handle, Port::backlog)
    }

    /// Posts the first `length` bytes of the encoder's memory.
    pub(crate) fn post(&self, handle: u32, length: usize) -> Result<u32, Status> {
        let (memory, _) = self.outgoing.get().ok_or(Status::INVALID)?;
        if length > memory.length {
            return Err(Status::INVALID);
        }
        // SAFETY: `length` bytes begin there, as checked; the reference keeps them, and JavaScript does not run
        // until this call returns.
        let bytes = unsafe { std::slice::from_raw_parts(memory.data.as_ptr(), length) };
        let message = Message { wire: bytes.into(), ..Message::default() };
        self.with(handle, |port| post(port, message))
    }

    /// Posts a message from `view` with its parts; see `read_envelope`.
    pub(crate) fn post_with(
        &self,
        js: Js<'_>,
        environment: &'static Environment,
        handle: u32,
        view: JsValue,
        length: JsValue,
        parts: JsValue,
    ) -> Result<u32, Status> {
        let envelope = read_envelope(js, environment, view, length, parts)?;
        self.with(handle, |port| post(port, envelope.into()))
    }

    /// Posts a message that holds the place of what was posted to the companion.
    pub(crate) fn post_place(&self, handle: u32, side: Fallback) -> Result<u32, Status> {
        let message = Message { fallback: Some(side), ..Message::default() };
        self.with(handle, |port| post(port, message))
    }

    /// Takes a batch of at most `most`, after `shown` of the last were. The answer is the count, and 4096 times what is
    /// left: see [`left_number`].
    pub(crate) fn take(
        &self,
        js: Js<'_>,
        environment: &'static Environment,
        handle: u32,
        shown: usize,
        most: usize,
        extras: JsValue,
    ) -> Result<u32, Status> {
        let intake = self.intake.get().ok_or(Status::INVALID)?;
        let mut held = self.seat_of(handle)?;
        let seat = &mut *held;
        seat.commit(shown)?;
        let most = most.min(BATCH);
        if seat.stock.is_empty() {
            let left = seat.port.take_batch(most, &mut seat.stock);
            if seat.stock.is_empty() {
                return Ok(left_number(left) * 4096);
            }
        }
        if seat.stock.front().is_some_and(|message| !is_small(message)) {
            let message = seat.stock.pop_front().unwrap_or_default();
            let count = usize::from(seat.counted == 0);
            seat.counted = seat.counted.saturating_sub(1);
            let left = left_number(seat.left());
            drop(held);
            environment.adaptive_wait().taken(count);
            self.give_apart(js, environment, intake, message, extras)?;
            return Ok(1 + left * 4096);
        }
        let mut offset = 0;
        for (index, message) in seat.stock.iter().take(most).enumerate() {
            if !is_small(message) || offset + message.wire.len() > intake.slab.length {
                break;
            }
            offset += intake.put(index, offset, message);
            seat.batch = index + 1;
        }
        environment.adaptive_wait().taken(seat.count());
        Ok(u32::try_from(seat.batch).unwrap_or(0) + left_number(seat.left()) * 4096)
    }

    /// Takes one message to be shown at once, whether the port listens or not, waiting up to `slice` for it; `shown` and
    /// the answer as of `take`.
    pub(crate) fn receive(
        &self,
        js: Js<'_>,
        environment: &'static Environment,
        handle: u32,
        shown: usize,
        slice: Duration,
        extras: JsValue,
    ) -> Result<u32, Status> {
        let intake = self.intake.get().ok_or(Status::INVALID)?;
        let mut held = self.seat_of(handle)?;
        let seat = &mut *held;
        seat.commit(shown)?;
        seat.counted = seat.counted.saturating_sub(1);
        let received = match seat.stock.pop_front() {
            Some(message) => Received::Message(message),
            None if slice.is_zero() => seat.port.take_one(),
            None => seat.port.receive_slice(slice),
        };
        drop(held);
        let message = match received {
            Received::Message(message) => message,
            Received::Empty => return Ok(left_number(Taken::Empty) * 4096),
            Received::Closed => return Ok(left_number(Taken::Closed) * 4096),
            Received::Gone => return Ok(left_number(Taken::Gone) * 4096),
        };
        if is_small(&message) {
            intake.put(0, 0, &message);
        } else {
            self.give_apart(js, environment, intake, message, extras)?;
        }
        Ok(1)
    }

    /// A message that comes alone. Its wire comes in the slab if it fits there.
    fn give_apart(
        &self,
        js: Js<'_>,
        environment: &'static Environment,
        intake: Intake,
        message: Message,
        extras: JsValue,
    ) -> Result<(), Status> {
        let Message { wire, mut parts, .. } = message;
        let mut has = 0;
        intake.put_length(0, APART);
        intake.put_length(1, u32::try_from(wire.len()).unwrap_or(APART));
        if wire.len() <= intake.slab.length {
            intake.put_wire(0, &wire);
        } else {
            has |= apart::LARGE;
            self.wire.replace(Some(wire));
        }
        match parts.pop() {
            Some(Part::Bytes(bytes)) if parts.is_empty() && !bytes.is_foreign() && bytes.len() < LARGE => {
                has |= apart::BLOCK;
                intake.put_length(3, u32::try_from(bytes.len()).unwrap_or(APART));
                self.block.replace(Some(bytes));
            }
            Some(last) => {
                has |= apart::PARTS;
                parts.push(last);
                js.set(extras, 0, memories(js, environment, parts)?)?;
            }
            None => {}
        }
        intake.put_length(2, has);
        Ok(())
    }

    /// Copies the wire, or else the block, of the message that was given apart last to a `Uint8Array` of its length.
    pub(crate) fn fill(&self, js: Js<'_>, view: JsValue, wire: bool) -> Result<(), Status> {
        if wire {
            let wire = self.wire.take().ok_or(Status::INVALID)?;
            return fill(js, view, &wire);
        }
        let block = self.block.take().ok_or(Status::INVALID)?;
        fill(js, view, block.as_slice())
    }

    /// The environment ends.
    pub(super) fn close_all(&self) {
        for key in self.announced.take() {
            Transit::of_process().withdraw(key);
        }
        let seats = self.seats.take();
        for mut seat in seats.into_iter().flatten() {
            seat.put_back();
            seat.port.close();
        }
    }
}

fn fill(js: Js<'_>, view: JsValue, bytes: &[u8]) -> Result<(), Status> {
    let (data, length) = js.view(view)?;
    if length != bytes.len() || (data.is_null() && length > 0) {
        return Err(Status::INVALID);
    }
    if length > 0 {
        // SAFETY: the view is as long as the bytes, as checked; it is JavaScript's own new memory, so they do not
        // overlap, and JavaScript does not run until this returns.
        unsafe { data.copy_from_nonoverlapping(bytes.as_ptr(), length) };
    }
    Ok(())
}

fn post(port: &Port, message: Message) -> u32 {
    match port.post(message) {
        Posted::Queued => posted::QUEUED,
        Posted::Over => posted::OVER,
        Posted::Closed => posted::CLOSED,
        Posted::Detached => posted::DETACHED,
        Posted::Looped => posted::LOOPED,
    }
}

fn refusal_number(outcome: Result<(), Refusal>) -> u32 {
    match outcome {
        Ok(()) => posted::QUEUED,
        Err(Refusal::Full | Refusal::TimedOut | Refusal::Cancelled(_)) => posted::FULL,
        Err(Refusal::Closed) => posted::CLOSED,
        Err(Refusal::Detached) => posted::DETACHED,
        Err(Refusal::Looped) => posted::LOOPED,
    }
}

/// What is left after a batch, as a number.
fn left_number(taken: Taken) -> u32 {
    match taken {
        Taken::More => 0,
        Taken::Empty => 1,
        Taken::Closed => 2,
        Taken::Gone => 3,
    }
}
