//! Values to JavaScript: one batch of events, one call of the deliver function.

use std::collections::VecDeque;

use napi::bindgen_prelude::sys;

use super::call_buffer::CallBuffer;
use super::environment::{Delivery, Environment};
use super::event_queue::{Answer, Event};
use super::js::{Js, JsValue, NOTHING, Status};
use super::pin::PinnedBytes;
use crate::channel::Transit;
use crate::error::{Code, Error};
use crate::value::{Bytes, Envelope, Part};

/// How an answer stands on the call buffer. The same numbers stand in `lib/forms.js`.
mod form {
    pub(super) const UNDEFINED: u8 = 0;
    pub(super) const NULL: u8 = 1;
    pub(super) const TRUE: u8 = 2;
    pub(super) const FALSE: u8 = 3;
    /// The value is in `numbers`.
    pub(super) const NUMBER: u8 = 4;
    /// The kind is in `numbers`, the memory the next of `extras`.
    pub(super) const BYTES: u8 = 5;
    /// `numbers` has the wire's offset, and its length 16 bits higher.
    pub(super) const WIRE: u8 = 6;
    /// The wire and the array of parts are the next two of `extras`.
    pub(super) const WIRE_APART: u8 = 7;
    /// The code and the message are the next two of `extras`.
    pub(super) const ERROR: u8 = 8;
    /// As `WIRE` and `WIRE_APART`, of what a script threw.
    pub(super) const REJECTED: u8 = 9;
    pub(super) const REJECTED_APART: u8 = 10;
    /// The value is the next message of the script worker whose key is in `numbers`.
    pub(super) const BESIDE: u8 = 11;
    pub(super) const BESIDE_REJECTED: u8 = 12;
    /// As `BESIDE`, of a task whose time was up before: nobody wants the value.
    pub(super) const BESIDE_LATE: u8 = 13;
    /// Not an answer: the pool of this handle has closed.
    pub(super) const POOL_CLOSED: u8 = 16;
    /// Not an answer: the port of this number has something to take.
    pub(super) const PORT_DUE: u8 = 32;
    /// Not an answer: the other end of the port of this number has room again.
    pub(super) const PORT_ROOM: u8 = 33;
    /// Not an answer: the async wait of this id has ended; the number says whether it was woken.
    pub(super) const WAIT_ENDED: u8 = 24;
    /// The script worker of this key is ready.
    pub(super) const SCRIPT_READY: u8 = 42;
    /// A job's input is wanted; the worker's key is in `numbers`.
    pub(super) const INPUT_WANTED: u8 = 44;
    /// What was pushed before this has been delivered.
    pub(super) const FENCE: u8 = 43;
    /// To a script worker: there may be work.
    pub(super) const SCRIPT_WORK: u8 = 40;
    /// To a script worker: the job of this id should stop; the reason is in `numbers`.
    pub(super) const SCRIPT_STOP: u8 = 41;
    /// Added to the form of a value that is no answer but a report on the way.
    pub(super) const PROGRESS: u8 = 64;
}

/// Values that stand beside the call buffer: in an array made when the first is added, or in one that JavaScript keeps for
/// them, whose elements are there already.
pub(super) struct Extras<'call> {
    js: Js<'call>,
    array: JsValue,
    length: u32,
    kept: bool,
}

impl<'call> Extras<'call> {
    pub(super) fn new(js: Js<'call>) -> Self {
        Extras { js, array: NOTHING, length: 0, kept: false }
    }

    fn over(js: Js<'call>, array: JsValue) -> Self {
        Extras { js, array, length: 0, kept: true }
    }

    /// The array, or `NOTHING` when none was added.
    pub(super) fn array(&self) -> JsValue {
        self.array
    }

    fn push(&mut self, value: JsValue) -> Result<(), Status> {
        if self.array == NOTHING {
            self.array = self.js.array(0)?;
        }
        if self.kept {
            self.js.set(self.array, self.length, value)?;
        } else {
            self.js.define(self.array, self.length, value)?;
        }
        self.length += 1;
        Ok(())
    }
}

/// Bytes copied in one batch, about: a millisecond's work.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// A batch on its way to the call buffer.
struct Draft<'call, 'env> {
    js: Js<'call>,
    environment: &'env Environment,
    call_buffer: &'env CallBuffer,
    extras: Extras<'call>,
    count: usize,
    wire_offset: usize,
    /// Waits for locks that JavaScript is about to be told of.
    waits_ended: Vec<u64>,
}

/// Writes at most `most` events to the call buffer and calls the deliver function. Events that would make the batch too
/// large stay; of these, or of `more` in the event queue, JavaScript is told, and the caller by `true`.
pub(super) fn deliver(
    js: Js<'_>,
    environment: &Environment,
    delivery: &Delivery,
    events: &mut VecDeque<Event>,
    most: usize,
    more: bool,
) -> Result<bool, Status> {
    let extras = Extras::over(js, js.referenced(delivery.extras)?);
    let mut draft = Draft {
        js,
        environment,
        call_buffer: &delivery.call_buffer,
        extras,
        count: 0,
        wire_offset: 0,
        waits_ended: Vec::new(),
    };
    let mut bytes = 0;
    while draft.count < most && bytes < BATCH_BYTES {
        let Some(event) = events.pop_front() else { break };
        if let Event::Settled { answer, .. } = &event {
            bytes += answer.size();
        }
        draft.put(event)?;
    }
    let more = more || !events.is_empty();
    if draft.count == 0 && !more {
        return Ok(false);
    }
    #[allow(clippy::cast_precision_loss)]
    let count = js.number(draft.count as f64)?;
    let function = js.referenced(delivery.deliver)?;
    let extras = js.number(f64::from(draft.extras.length))?;
    let called = js.call(function, &[count, extras, js.boolean(more)?]);
    // It throws nothing but for a fault of ours (`lib/delivery.js`); that is told, and what it was given it has.
    if called.is_ok() || js.report_exception() {
        // Not before: what JavaScript has not seen, because it was ending, is given back by the teardown.
        environment.locks().forget(&draft.waits_ended);
    }
    Ok(more)
}

impl Draft<'_, '_> {
    fn put(&mut self, event: Event) -> Result<(), Status> {
        match event {
            Event::Release(reference) => self.js.delete_reference(reference.0),
            Event::PoolClosed { pool } => {
                self.put_entry(f64::from(pool), form::POOL_CLOSED, 0.0);
                Ok(())
            }
            Event::WaitEnded { id, woken } => {
                self.environment.waits().ended(id);
                #[allow(clippy::cast_precision_loss)]
                self.put_entry(id as f64, form::WAIT_ENDED, f64::from(u8::from(woken)));
                Ok(())
            }
            Event::PortDue(id) => {
                #[allow(clippy::cast_precision_loss)]
                self.put_entry(id.get() as f64, form::PORT_DUE, 0.0);
                Ok(())
            }
            Event::PortRoom(id) => {
                #[allow(clippy::cast_precision_loss)]
                self.put_entry(id.get() as f64, form::PORT_ROOM, 0.0);
                Ok(())
            }
            Event::LockEnded { id, outcome } => {
                self.waits_ended.push(id);
                let answer = match outcome {
                    Ok(granted) => Answer::Number(f64::from(granted)),
                    Err(error) => Answer::Error(error.into()),
                };
                let (form, number) = self.answer(answer)?;
                #[allow(clippy::cast_precision_loss)]
                self.put_entry(id as f64, form, number);
                Ok(())
            }
            Event::WorkerReady { key } => {
                #[allow(clippy::cast_precision_loss)]
                self.put_entry(key as f64, form::SCRIPT_READY, 0.0);
                Ok(())
            }
            Event::InputWanted { id, key } => {
                #[allow(clippy::cast_precision_loss)]
                self.put_entry(id as f64, form::INPUT_WANTED, key as f64);
                Ok(())
            }
            Event::Fence { id } => {
                #[allow(clippy::cast_precision_loss)]
                self.put_entry(id as f64, form::FENCE, 0.0);
                Ok(())
            }
            Event::Work => {
                self.put_entry(0.0, form::SCRIPT_WORK, 0.0);
                Ok(())
            }
            Event::Stop { id, reason } => {
                #[allow(clippy::cast_precision_loss)]
                self.put_entry(id as f64, form::SCRIPT_STOP, f64::from(reason as u8));
                Ok(())
            }
            Event::Progress { id, answer } => {
                let (form, number) = self.answer(answer)?;
                #[allow(clippy::cast_precision_loss)]
                self.put_entry(id as f64, form::PROGRESS + form, number);
                Ok(())
            }
            Event::Settled { id, answer } => {
                self.environment.forget(id);
                let (form, number) = self.answer(answer)?;
                #[allow(clippy::cast_precision_loss)]
                self.put_entry(id as f64, form, number);
                Ok(())
            }
        }
    }

    fn put_entry(&mut self, id: f64, form: u8, number: f64) {
        self.call_buffer.put(self.count, id, form, number);
        self.count += 1;
    }

    /// Writes what belongs to an answer beside its entry, and returns the entry's form and number.
    #[inline]
    fn answer(&mut self, answer: Answer) -> Result<(u8, f64), Status> {
        let (call_buffer, offset) = (self.call_buffer, &mut self.wire_offset);
        let mut put = |wire: &[u8]| {
            if *offset >= 1 << 16 || !call_buffer.put_wire(*offset, wire) {
                return None;
            }
            let place = *offset | (wire.len() << 16);
            *offset += wire.len();
            #[allow(clippy::cast_precision_loss)]
            Some(place as f64)
        };
        place(self.js, self.environment, answer, &mut self.extras, &mut put)
    }
}

/// Form and number of a value; what needs more room goes to `extras`, a wire if possible to where `put` puts it. What
/// JavaScript has no room for becomes an error.
pub(super) fn place(
    js: Js<'_>,
    environment: &Environment,
    answer: Answer,
    extras: &mut Extras<'_>,
    put: &mut dyn FnMut(&[u8]) -> Option<f64>,
) -> Result<(u8, f64), Status> {
    let before = extras.length;
    place_whole(js, environment, answer, extras, put).or_else(|_| {
        js.clear_exception();
        extras.length = before;
        let error = Error::new(
            Code::ValueTooLarge,
            "JavaScript has no room for what the task came to: ask for less at a time",
        );
        place_whole(js, environment, Answer::Error(error), extras, put)
    })
}

fn place_whole(
    js: Js<'_>,
    environment: &Environment,
    answer: Answer,
    extras: &mut Extras<'_>,
    put: &mut dyn FnMut(&[u8]) -> Option<f64>,
) -> Result<(u8, f64), Status> {
    let mut wire = |Envelope { wire, parts }: Envelope, here: u8, apart: u8| {
        if parts.is_empty()
            && let Some(place) = put(&wire)
        {
            return Ok((here, place));
        }
        extras.push(copy(js, environment, &wire)?)?;
        extras.push(memories(js, environment, parts)?)?;
        Ok((apart, 0.0))
    };
    Ok(match answer {
        Answer::Undefined => (form::UNDEFINED, 0.0),
        Answer::Null => (form::NULL, 0.0),
        Answer::Bool(true) => (form::TRUE, 0.0),
        Answer::Bool(false) => (form::FALSE, 0.0),
        Answer::Number(number) => (form::NUMBER, number),
        Answer::Bytes(bytes) => {
            let kind = f64::from(bytes.kind() as u8);
            extras.push(memory(js, environment, bytes)?)?;
            (form::BYTES, kind)
        }
        Answer::Envelope(envelope) => return wire(envelope, form::WIRE, form::WIRE_APART),
        Answer::Rejected(envelope) => return wire(envelope, form::REJECTED, form::REJECTED_APART),
        Answer::Error(error) => {
            extras.push(js.string(error.code().as_str())?)?;
            extras.push(js.string(error.message())?)?;
            (form::ERROR, 0.0)
        }
        #[allow(clippy::cast_precision_loss)]
        Answer::Beside { failed, from } => {
            (if failed { form::BESIDE_REJECTED } else { form::BESIDE }, from as f64)
        }
        #[allow(clippy::cast_precision_loss)]
        Answer::Late { from } => (form::BESIDE_LATE, from as f64),
    })
}

pub(super) fn memories(js: Js<'_>, environment: &Environment, parts: Vec<Part>) -> Result<JsValue, Status> {
    let array = js.array(parts.len())?;
    for (index, part) in (0..).zip(parts) {
        let bytes = match part {
            Part::Bytes(bytes) => bytes,
            // Claimed by its key when the value is read.
            Part::Port(port) => {
                let key = Transit::of_process().deposit_new(port.into());
                js.define(array, index, js.string(&key.to_string())?)?;
                continue;
            }
            // No native task has shared memory to give.
            Part::Shared(_) => return Err(Status(sys::Status::napi_generic_failure)),
        };
        js.define(array, index, memory(js, environment, bytes)?)?;
    }
    Ok(array)
}

/// Memory from this size on may be more than there is.
pub(super) const LARGE: usize = 1024 * 1024;

/// The bytes' memory as JavaScript gets it: the `Uint8Array` it came from, or an ArrayBuffer with a copy.
///
/// A copy and not the memory itself: Node takes no ArrayBuffer over foreign memory on a transfer list (and could not,
/// as it frees the memory with the environment that made it), so a large result would be another thing than a small
/// one. A task that gives back its input's memory had it from JavaScript (lib/inputs.js), and nothing is copied here.
fn memory(js: Js<'_>, environment: &Environment, bytes: Bytes) -> Result<JsValue, Status> {
    match bytes.into_memory() {
        Ok(words) => copy(js, environment, words.as_slice()),
        Err(foreign) => match foreign.into_any().downcast::<PinnedBytes>() {
            Ok(pinned) if pinned.belongs_to(environment.events()) => pinned.into_view(js),
            Ok(pinned) => copy(js, environment, crate::value::ForeignBytes::as_slice(&*pinned)),
            Err(_) => Err(Status(sys::Status::napi_generic_failure)),
        },
    }
}

/// An ArrayBuffer with a copy of `bytes`. An error, and an exception of JavaScript's, when there is no memory for it.
pub(super) fn copy(js: Js<'_>, environment: &Environment, bytes: &[u8]) -> Result<JsValue, Status> {
    let (buffer, data) = if bytes.len() < LARGE {
        js.array_buffer(bytes.len())?
    } else {
        // Node-API ends the process when it has no memory; the class throws.
        #[allow(clippy::cast_precision_loss)] // below 2^53
        let length = js.number(bytes.len() as f64)?;
        let buffer = js.construct(environment.array_buffer_class(js)?, length)?;
        let (data, length) = js.array_buffer_memory(buffer)?;
        if length != bytes.len() {
            return Err(Status(sys::Status::napi_generic_failure));
        }
        (buffer, data)
    };
    if !bytes.is_empty() {
        // SAFETY: the buffer has just been made with this length, and nothing else knows it.
        unsafe { data.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    }
    Ok(buffer)
}
