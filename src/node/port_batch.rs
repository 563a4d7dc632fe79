//! How messages are taken from one port, and put where JavaScript reads them.
//!
//! # Messages that were taken, shown, and left
//!
//! A batch of small messages crosses in one call: their wires stand one after the other in memory that JavaScript made
//! (the receive buffer), their lengths beside it. JavaScript reads them one by one, each when its turn has come, and keeps
//! a cursor: how many of the batch it has shown. That cursor is the one record of the delivered messages. The messages
//! themselves stay here, in the port's `stock`, and every call that touches a port (take, receive, listen, close, detach)
//! brings the cursor and begins by *committing* it: the shown messages are dropped, and the rest is put back in front of the
//! queue.
//! So a port whose listener goes, that moves or is closed carries on exactly there, and a batch whose memory another port
//! has taken meanwhile is simply taken again.
//!
//! For a message that stands for something in the native fallback a number above all lengths stands there.
//!
//! # Out of band
//!
//! A message with parts and one that is large come alone, and are not kept here: JavaScript takes such a message only to
//! show it at once, before any other code runs. `lengths` then holds what it has ([`out_of_band`]), and an array of
//! JavaScript's its parts. The bytes of a large wire and of a single block stay here until JavaScript has made the memory
//! for them ([`OutOfBandMessage::fill`]): memory that cannot be had is an error there, and an ArrayBuffer made by Node-API
//! would be zeroed first.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;

use super::core::Core;
use super::js::{Js, JsValue, KeptMemory, Result, Status};
use super::memory::{LARGE, show_parts};
use crate::channel::{Fallback, Message, Port, Received, Taken, Wire};
use crate::exported_numbers::Numbers;
use crate::numbers;
use crate::value::{Bytes, Part};

/// Messages in one batch at the most; the length of `lengths`.
const BATCH: usize = 1024;
/// Larger wires come out of band, so that one of them does not fill the receive buffer.
const SMALL: usize = 16 * 1024;

/// Stands in `lengths` for a message out of band. After it follow the wire's length in the receive buffer, what the
/// message has, and the length of its block.
const OUT_OF_BAND: u32 = u32::MAX;

/// Stand in `lengths` for a message whose payload is in the native fallback.
const FALLBACK_PLAIN: u32 = u32::MAX - 1;
const FALLBACK_WRAPPED: u32 = u32::MAX - 2;
const FALLBACK_INTRODUCING: u32 = u32::MAX - 3;

/// The parts of an out-of-band message.
mod out_of_band {
    /// The wire is to be fetched by `fill`.
    pub(super) const LARGE_WIRE: u32 = 1;
    /// The parts are in the array.
    pub(super) const PARTS: u32 = 2;
    /// Its one part is to be fetched by `fill`.
    pub(super) const BLOCK: u32 = 4;
}

const LEFT_MORE: u32 = 0;
const LEFT_EMPTY: u32 = 1;
const LEFT_CLOSED: u32 = 2;
const LEFT_GONE: u32 = 3;

/// The messages that are left after a batch.
fn left_number(left: Taken) -> u32 {
    match left {
        Taken::More => LEFT_MORE,
        Taken::Empty => LEFT_EMPTY,
        Taken::Closed => LEFT_CLOSED,
        Taken::Gone => LEFT_GONE,
    }
}

/// So many bits above the number of messages, the result of a take says which messages are left.
const LEFT_SHIFT: u32 = 12;
const _: () = assert!(BATCH < 1 << LEFT_SHIFT);

/// The result of a take: how many messages it took, and which are left.
pub(super) fn take_number(count: usize, left: Taken) -> u32 {
    u32::try_from(count).unwrap_or(0) | left_number(left) << LEFT_SHIFT
}

/// For JavaScript.
pub(super) const NUMBERS: Numbers = numbers! {
    BATCH, OUT_OF_BAND, FALLBACK_PLAIN, FALLBACK_INTRODUCING,
    LARGE_WIRE = out_of_band::LARGE_WIRE, PARTS = out_of_band::PARTS, BLOCK = out_of_band::BLOCK,
    LEFT_SHIFT, LEFT_EMPTY, LEFT_CLOSED,
};

/// Whether a message fits into a batch beside others.
fn is_small(message: &Message) -> bool {
    message.parts.is_empty() && message.wire.len() <= SMALL
}

/// A port, and the messages that were taken from its inbox and not shown yet.
pub(super) struct PortState {
    pub(super) port: Port,
    /// Oldest first.
    stock: VecDeque<Message>,
    /// So many of them, at the front, are the batch that JavaScript has.
    batch: usize,
    /// So many of them have been counted as taken.
    counted: usize,
}

/// The messages that there were to take.
pub(super) enum Found {
    Nothing(Taken),
    /// One message that comes out of band; `new`: how many are taken for the first time.
    OutOfBand {
        message: Message,
        new: usize,
        left: Taken,
    },
    /// So many small ones are in the receive buffer.
    Batch {
        count: usize,
        new: usize,
        left: Taken,
    },
}

impl PortState {
    pub(super) fn new(port: Port) -> Self {
        PortState { port, stock: VecDeque::new(), batch: 0, counted: 0 }
    }

    /// JavaScript has shown the first `shown` of its batch; the rest is no batch any more.
    pub(super) fn commit(&mut self, shown: usize) -> Result<()> {
        if shown > self.batch {
            return Err(Status::INVALID);
        }
        self.stock.drain(..shown);
        self.counted = self.counted.saturating_sub(shown);
        self.batch = 0;
        Ok(())
    }

    /// Puts the messages that are left back where they came from.
    pub(super) fn put_back(&mut self) {
        (self.batch, self.counted) = (0, 0);
        if !self.stock.is_empty() {
            self.port.put_back(self.stock.drain(..));
        }
    }

    /// Messages that wait to be shown, those of a batch too.
    pub(super) fn waiting(&self) -> usize {
        self.stock.len() + self.port.len()
    }

    /// Takes a batch of at most `most`, after the shown messages are committed.
    pub(super) fn take(&mut self, most: usize, buffer: ReceiveBuffer) -> Found {
        let most = most.min(BATCH);
        if self.stock.is_empty() {
            let left = self.port.take_batch(most, &mut self.stock);
            if self.stock.is_empty() {
                return Found::Nothing(left);
            }
        }
        if self.stock.front().is_some_and(|message| !is_small(message)) {
            let message = self.stock.pop_front().unwrap_or_default();
            let new = usize::from(self.counted == 0);
            self.counted = self.counted.saturating_sub(1);
            return Found::OutOfBand { message, new, left: self.left() };
        }
        let mut offset = 0;
        for (index, message) in self.stock.iter().take(most).enumerate() {
            if !is_small(message) {
                break;
            }
            let Some(length) = buffer.put(index, offset, message) else { break };
            offset += length;
            self.batch = index + 1;
        }
        Found::Batch { count: self.batch, new: self.count_new(), left: self.left() }
    }

    /// Takes one message to be shown at once, whether the port listens or not, waiting up to `slice` for it; after what was
    /// shown is committed.
    pub(super) fn receive(&mut self, slice: Duration) -> Received {
        self.counted = self.counted.saturating_sub(1);
        match self.stock.pop_front() {
            Some(message) => Received::Message(message),
            None if slice.is_zero() => self.port.take_one(),
            None => self.port.receive_slice(slice),
        }
    }

    /// Whether JavaScript must come again for more.
    fn left(&self) -> Taken {
        if self.stock.len() > self.batch { Taken::More } else { self.port.end_turn() }
    }

    /// How many of the batch are taken for the first time.
    fn count_new(&mut self) -> usize {
        let new = self.batch.saturating_sub(self.counted);
        self.counted += new;
        new
    }
}

/// Where a batch is put.
#[derive(Clone, Copy)]
pub(super) struct ReceiveBuffer {
    lengths: KeptMemory<u32>,
    wires: KeptMemory<u8>,
}

impl ReceiveBuffer {
    /// From a `Uint8Array` over `BATCH` 32-bit numbers, and one for the wires.
    pub(super) fn new<'call>(js: Js<'call>, lengths: JsValue<'call>, wires: JsValue<'call>) -> Result<Self> {
        Ok(ReceiveBuffer {
            lengths: KeptMemory::keep(js, lengths, BATCH)?,
            wires: KeptMemory::keep(js, wires, SMALL)?,
        })
    }

    /// Puts a small message at `index`, its wire at `offset`; the wire's length, or none where the wire does not fit.
    fn put(self, index: usize, offset: usize, message: &Message) -> Option<usize> {
        let wire = &message.wire;
        if !self.wires.copy_in(offset, wire) {
            return None;
        }
        let length = match message.fallback {
            None => u32::try_from(wire.len()).unwrap_or(OUT_OF_BAND),
            Some(Fallback::Plain) => FALLBACK_PLAIN,
            Some(Fallback::Wrapped) => FALLBACK_WRAPPED,
            Some(Fallback::Introducing) => FALLBACK_INTRODUCING,
        };
        self.lengths.write(index, length);
        Some(wire.len())
    }
}

/// The array of JavaScript's that takes the parts of a message out of band.
#[derive(Clone, Copy)]
pub(crate) struct PartsArray<'call> {
    pub(crate) js: Js<'call>,
    pub(crate) core: &'static Core,
    pub(crate) array: JsValue<'call>,
}

impl PartsArray<'_> {
    fn put(self, parts: Vec<Part>) -> Result<()> {
        self.js.set(self.array, 0, show_parts(self.js, self.core, parts)?)
    }
}

/// The parts of the last out-of-band message that are still here.
#[derive(Default)]
pub(super) struct OutOfBandMessage {
    wire: RefCell<Option<Wire>>,
    block: RefCell<Option<Bytes>>,
}

impl OutOfBandMessage {
    /// Gives one message that is to be shown at once.
    pub(super) fn give(&self, message: Message, buffer: ReceiveBuffer, array: PartsArray<'_>) -> Result<()> {
        if is_small(&message) && buffer.put(0, 0, &message).is_some() {
            return Ok(());
        }
        let Message { wire, mut parts, .. } = message;
        let number = |length| u32::try_from(length).unwrap_or(OUT_OF_BAND);
        let mut has = 0;
        buffer.lengths.write(0, OUT_OF_BAND);
        buffer.lengths.write(1, number(wire.len()));
        if !buffer.wires.copy_in(0, &wire) {
            has |= out_of_band::LARGE_WIRE;
            self.wire.replace(Some(wire));
        }
        match parts.pop() {
            Some(Part::Bytes(bytes)) if parts.is_empty() && !bytes.is_foreign() && bytes.len() < LARGE => {
                has |= out_of_band::BLOCK;
                buffer.lengths.write(3, number(bytes.len()));
                self.block.replace(Some(bytes));
            }
            Some(last) => {
                has |= out_of_band::PARTS;
                parts.push(last);
                array.put(parts)?;
            }
            None => {}
        }
        buffer.lengths.write(2, has);
        Ok(())
    }

    /// Copies the wire, or else the block, to a `Uint8Array` of its length.
    pub(super) fn fill<'call>(&self, js: Js<'call>, view: JsValue<'call>, wire: bool) -> Result<()> {
        if wire {
            let wire = self.wire.take().ok_or(Status::INVALID)?;
            return js.fill_view(view, &wire);
        }
        let block = self.block.take().ok_or(Status::INVALID)?;
        js.fill_view(view, block.as_slice())
    }
}
