//! Events to JavaScript: one batch, one call of the deliver function.

use std::cell::Cell;
use std::collections::VecDeque;

use super::call_buffer::{CallBuffer, WIRE_LENGTH_SHIFT};
use super::core::Core;
use super::event::{Answer, Event};
use super::js::{Js, Reference, Result};
use super::locks::Locks;
use super::out_of_band::OutOfBand;
use super::round_trips::Arrivals;
use super::waits::Waits;

/// How an event that is no answer stands on the call buffer.
pub(super) mod form {
    use crate::exported_numbers::Numbers;
    use crate::numbers;

    /// The pool of this handle has closed.
    pub(super) const POOL_CLOSED: u8 = 20;
    /// The queue of the pool of this handle has room. Nothing reads it: what looks after each batch sees that.
    pub(super) const POOL_ROOM: u8 = 21;
    /// The async wait of this id has ended; the number says whether it was woken.
    pub(super) const WAIT_ENDED: u8 = 24;
    /// The port of this number has something to take.
    pub(super) const PORT_DUE: u8 = 32;
    /// The other end of the port of this number has room again.
    pub(super) const PORT_ROOM: u8 = 33;
    /// To a script worker: there may be work.
    pub(super) const SCRIPT_WORK: u8 = 40;
    /// To a script worker: the job of this id should stop; the reason is in `numbers`.
    pub(super) const SCRIPT_STOP: u8 = 41;
    /// The script worker of this key is ready.
    pub(super) const SCRIPT_READY: u8 = 42;
    /// All events that were pushed before this one have been delivered.
    pub(super) const FENCE: u8 = 43;
    /// A job's input is wanted; the worker's key is in `numbers`.
    pub(super) const INPUT_WANTED: u8 = 44;
    /// To a script worker: the job of this id may give more parts of its result; how many is in `numbers`.
    pub(super) const SCRIPT_GRANT: u8 = 45;
    /// The task that has made the call of this number waits for it no more.
    pub(super) const NATIVE_CALL_OVER: u8 = 46;
    /// Added to the form of a value that is no answer but a report on the way.
    pub(super) const PROGRESS: u8 = 64;
    /// The same for a value that is a part of the result.
    pub(super) const PART: u8 = 128;
    /// The same for what a task calls a function with; the id is the call's number.
    pub(super) const NATIVE_CALL: u8 = 192;

    /// For JavaScript.
    pub(in crate::node) const NUMBERS: Numbers = numbers! {
        POOL_CLOSED, WAIT_ENDED, PORT_DUE, PORT_ROOM, SCRIPT_WORK, SCRIPT_STOP, SCRIPT_READY, FENCE, INPUT_WANTED,
        SCRIPT_GRANT, NATIVE_CALL_OVER, PROGRESS, PART, NATIVE_CALL,
    };
}

/// Bytes copied in one batch, about: a millisecond's work.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// The tables of an environment that keep entries until JavaScript gets the event of their end.
#[derive(Clone, Copy)]
pub(super) struct Tables<'environment> {
    pub(super) core: &'static Core,
    pub(super) locks: &'environment Locks,
    pub(super) waits: &'environment Waits,
}

/// What a batch is given to.
pub(super) struct Receiver {
    /// `deliver(count, out of band, more, quiet)`; where it is not quiet, the last is left out.
    pub(super) deliver: Reference,
    /// An array of twice `BATCH` elements, for values out of band.
    pub(super) out_of_band: Reference,
}

/// A batch on its way to the call buffer.
struct Draft<'call, 'environment> {
    js: Js<'call>,
    tables: Tables<'environment>,
    call_buffer: CallBuffer,
    out_of_band: OutOfBand<'call>,
    count: usize,
    wire_offset: usize,
    /// Waits for locks whose outcome JavaScript is about to get.
    waits_ended: Vec<u64>,
    trips: Arrivals<'environment>,
}

/// Writes at most `most` events to the call buffer and calls the deliver function. Events that would make the batch too
/// large stay, where a delivery inside of the call finds them; of these, or of `more` in the event queue, JavaScript is told, and the
/// caller by `true`. `quiet`: nothing of the user's may run.
pub(super) fn deliver(
    js: Js<'_>,
    tables: Tables<'_>,
    receiver: &Receiver,
    waiting: &Cell<VecDeque<Event>>,
    most: usize,
    more: bool,
    quiet: bool,
) -> Result<bool> {
    let mut draft = Draft {
        js,
        tables,
        call_buffer: tables.core.call_buffer()?,
        out_of_band: OutOfBand::in_kept(js, js.referenced(&receiver.out_of_band)?),
        count: 0,
        wire_offset: 0,
        waits_ended: Vec::new(),
        trips: tables.core.round_trips().arrivals(),
    };
    let (mut events, mut bytes) = (waiting.take(), 0);
    while draft.count < most && bytes < BATCH_BYTES {
        let Some(event) = events.pop_front() else { break };
        bytes += match &event {
            Event::Settled { answer, .. } => answer.size(),
            Event::TaskReport { report, .. } => report.size(),
            _ => 0,
        };
        if let Err(status) = draft.put(event) {
            waiting.set(events);
            draft.trips.record();
            return Err(status);
        }
    }
    let more = more || !events.is_empty();
    draft.trips.record();
    waiting.set(events);
    if draft.count == 0 && !more {
        return Ok(false);
    }
    #[allow(clippy::cast_precision_loss)] // at most BATCH
    let count = js.number(draft.count as f64)?;
    let function = js.referenced(&receiver.deliver)?;
    let out_of_band = js.number(f64::from(draft.out_of_band.len()))?;
    let began = draft.trips.begins();
    let more_js = js.boolean(more)?;
    let called = match quiet {
        true => js.call(function, &[count, out_of_band, more_js, js.boolean(true)?]),
        false => js.call(function, &[count, out_of_band, more_js]),
    };
    draft.trips.ends(began);
    // It throws only by a fault of ours (`lib/delivery.js`), which is reported. The batch is delivered even then.
    if called.is_ok() || js.report_exception() {
        // Not before: the teardown returns the grants that JavaScript has not seen because it was ending.
        tables.locks.forget(&draft.waits_ended);
    }
    Ok(more)
}

impl Draft<'_, '_> {
    fn put(&mut self, event: Event) -> Result<()> {
        match event {
            Event::Settled { id, answer, trip } => {
                self.trips.ended(id, trip);
                self.tables.core.jobs().forget(id);
                self.put_answer(id, 0, answer)?;
            }
            Event::Progress { id, answer } => self.put_answer(id, form::PROGRESS, answer)?,
            Event::LatestProgress { id, cell } => {
                if let Some(answer) = cell.take() {
                    self.put_answer(id, form::PROGRESS, answer)?;
                }
            }
            Event::TaskReport { id, report } => {
                if let Some(report) = report.take() {
                    self.put_answer(id, form::PROGRESS, report.into())?;
                }
            }
            Event::Call { asked, answer } => {
                let calls = self.tables.core.calls();
                let number = calls.open(asked);
                // Where JavaScript is not told, nobody would answer.
                self.put_answer(number, form::NATIVE_CALL, answer).inspect_err(|_| calls.over(number))?;
            }
            Event::CallOver { number } => {
                self.tables.core.calls().over(number);
                self.put_entry(number, form::NATIVE_CALL_OVER, 0.0);
            }
            Event::Part { id, answer } => self.put_answer(id, form::PART, answer)?,
            Event::Grant { id, count } => self.put_entry(id, form::SCRIPT_GRANT, f64::from(count)),
            Event::LockEnded { id, outcome } => {
                self.waits_ended.push(id);
                self.put_answer(id, 0, outcome.into())?;
            }
            Event::PoolClosed { pool } => self.put_entry(u64::from(pool), form::POOL_CLOSED, 0.0),
            Event::PoolRoom { pool } => self.put_entry(u64::from(pool), form::POOL_ROOM, 0.0),
            Event::WaitEnded { id, woken } => {
                self.tables.waits.ended(id);
                self.put_entry(id, form::WAIT_ENDED, f64::from(u8::from(woken)));
            }
            Event::PortDue(port) => self.put_entry(port.get(), form::PORT_DUE, 0.0),
            Event::PortRoom(port) => self.put_entry(port.get(), form::PORT_ROOM, 0.0),
            Event::WorkerReady { key } => self.put_entry(key, form::SCRIPT_READY, 0.0),
            #[allow(clippy::cast_precision_loss)] // a count
            Event::InputWanted { id, key } => self.put_entry(id, form::INPUT_WANTED, key as f64),
            Event::Fence { id } => self.put_entry(id, form::FENCE, 0.0),
            Event::Work => self.put_entry(0, form::SCRIPT_WORK, 0.0),
            Event::Stop { id, reason } => {
                self.put_entry(id, form::SCRIPT_STOP, f64::from(reason as u8));
            }
            Event::Release(reference) => self.js.release(reference)?,
        }
        Ok(())
    }

    fn put_entry(&mut self, id: u64, form: u8, number: f64) {
        #[allow(clippy::cast_precision_loss)] // below 2^53
        self.call_buffer.put(self.count, id as f64, form, number);
        self.count += 1;
    }

    /// Writes an entry for a value, and what belongs to it beside the entry.
    #[inline]
    fn put_answer(&mut self, id: u64, add: u8, answer: Answer) -> Result<()> {
        let (call_buffer, offset) = (self.call_buffer, &mut self.wire_offset);
        // Tells the wire's offset, and its length.
        let mut put = |wire: &[u8]| {
            if *offset >= 1 << WIRE_LENGTH_SHIFT || !call_buffer.put_wire(*offset, wire) {
                return None;
            }
            let place = *offset | (wire.len() << WIRE_LENGTH_SHIFT);
            // Numbers are read in place, eight bytes each.
            *offset += wire.len().next_multiple_of(8);
            #[allow(clippy::cast_precision_loss)] // below 2^53
            Some(place as f64)
        };
        let (form, number) = self.out_of_band.show(self.tables.core, answer, &mut put)?;
        self.put_entry(id, add + form, number);
        Ok(())
    }
}
