//! Values to JavaScript: one batch of letters, one call of the deliver function.

use std::ffi::c_void;

use napi::bindgen_prelude::sys;

use super::board::Board;
use super::environment::{Delivery, Environment};
use super::js::{Js, JsValue, NOTHING, Status};
use super::mailbox::{Answer, Letter};
use super::pin::PinnedBytes;
use crate::error::Error;
use crate::value::{Bytes, Envelope, Part, Words};

/// How an answer stands on the board. The same numbers stand in `lib/forms.js`.
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
    /// The value comes by a way of JavaScript's own; `numbers` has the id again.
    pub(super) const BESIDE: u8 = 11;
    pub(super) const BESIDE_REJECTED: u8 = 12;
    /// Not an answer: the pool of this handle has closed.
    pub(super) const POOL_CLOSED: u8 = 16;
    /// To a script worker: there may be work.
    pub(super) const SCRIPT_WORK: u8 = 40;
    /// To a script worker: the job of this id should stop; the reason is in `numbers`.
    pub(super) const SCRIPT_STOP: u8 = 41;
    /// Added to the form of a value that is no answer but a report on the way.
    pub(super) const PROGRESS: u8 = 64;
}

/// Values that stand beside the board, in an array made when the first is added.
pub(super) struct Extras<'call> {
    js: Js<'call>,
    array: JsValue,
    length: u32,
}

impl<'call> Extras<'call> {
    pub(super) fn new(js: Js<'call>) -> Self {
        Extras { js, array: NOTHING, length: 0 }
    }

    /// The array, or `NOTHING` when none was added.
    pub(super) fn array(&self) -> JsValue {
        self.array
    }

    fn push(&mut self, value: JsValue) -> Result<(), Status> {
        if self.array == NOTHING {
            self.array = self.js.array(0)?;
        }
        self.js.set(self.array, self.length, value)?;
        self.length += 1;
        Ok(())
    }
}

/// Writes the letters to the board and calls the deliver function, which is told whether there are `more`.
pub(super) fn deliver(
    js: Js<'_>,
    environment: &Environment,
    delivery: &Delivery,
    letters: &mut Vec<Letter>,
    more: bool,
) -> Result<(), Status> {
    let board = &delivery.board;
    let mut extras = Extras::new(js);
    let mut count = 0;
    let mut wire_offset = 0;
    for letter in letters.drain(..) {
        match letter {
            Letter::Release(reference) => {
                js.delete_reference(reference.0)?;
                continue;
            }
            Letter::PoolClosed { pool } => {
                board.put(count, f64::from(pool), form::POOL_CLOSED, 0.0);
            }
            Letter::Work => board.put(count, 0.0, form::SCRIPT_WORK, 0.0),
            Letter::Stop { id, reason } => {
                #[allow(clippy::cast_precision_loss)]
                board.put(count, id as f64, form::SCRIPT_STOP, f64::from(reason as u8));
            }
            Letter::Progress { id, answer } => {
                let mut put = |wire: &[u8]| put_wire(board, &mut wire_offset, wire);
                let (form, number) = place(js, environment, id, answer, &mut extras, &mut put)?;
                #[allow(clippy::cast_precision_loss)]
                board.put(count, id as f64, form::PROGRESS + form, number);
            }
            Letter::Settled { id, answer } => {
                environment.forget(id);
                let mut put = |wire: &[u8]| put_wire(board, &mut wire_offset, wire);
                let (form, number) = place(js, environment, id, answer, &mut extras, &mut put)?;
                #[allow(clippy::cast_precision_loss)]
                board.put(count, id as f64, form, number);
            }
        }
        count += 1;
    }
    if count == 0 && !more {
        return Ok(());
    }
    #[allow(clippy::cast_precision_loss)]
    let count = js.number(count as f64)?;
    let function = js.referenced(delivery.deliver)?;
    let extras = if extras.array == NOTHING { js.undefined()? } else { extras.array };
    js.call(function, &[count, extras, js.boolean(more)?]).map(|_| ())
}

/// Copies a wire to the board, if there is room for it there: gives its place.
fn put_wire(board: &Board, offset: &mut usize, wire: &[u8]) -> Option<f64> {
    if *offset >= 1 << 16 || !board.put_wire(*offset, wire) {
        return None;
    }
    let place = *offset | (wire.len() << 16);
    *offset += wire.len();
    #[allow(clippy::cast_precision_loss)]
    Some(place as f64)
}

/// Form and number of a value; what needs more room goes to `extras`, a wire if possible to where `put` puts it.
pub(super) fn place(
    js: Js<'_>,
    environment: &Environment,
    id: u64,
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
        extras.push(copy(js, &wire)?)?;
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
            push_error(js, extras, &error)?;
            (form::ERROR, 0.0)
        }
        #[allow(clippy::cast_precision_loss)]
        Answer::Beside { failed } => (if failed { form::BESIDE_REJECTED } else { form::BESIDE }, id as f64),
    })
}

fn push_error(js: Js<'_>, extras: &mut Extras<'_>, error: &Error) -> Result<(), Status> {
    extras.push(js.string(error.code().as_str())?)?;
    extras.push(js.string(error.message())?)
}

fn memories(js: Js<'_>, environment: &Environment, parts: Vec<Part>) -> Result<JsValue, Status> {
    let array = js.array(parts.len())?;
    for (index, part) in (0..).zip(parts) {
        let bytes = match part {
            Part::Bytes(bytes) => bytes,
            // No native task has a port to give yet.
            Part::Port(_) => return Err(Status(sys::Status::napi_generic_failure)),
        };
        js.set(array, index, memory(js, environment, bytes)?)?;
    }
    Ok(array)
}

/// Memory from this size on is handed over. Below it a copy (0.1 ms at the most) gives JavaScript a buffer of its own,
/// which, unlike one over foreign memory, Node lets be transferred on.
const HAND_OVER: usize = 1024 * 1024;

/// The bytes' memory as JavaScript gets it: the `Uint8Array` it came from, or an ArrayBuffer.
fn memory(js: Js<'_>, environment: &Environment, bytes: Bytes) -> Result<JsValue, Status> {
    match bytes.into_memory() {
        Ok(words) if words.len() < HAND_OVER => copy(js, words.as_slice()),
        Ok(words) => hand_over(js, words),
        Err(foreign) => match foreign.into_any().downcast::<PinnedBytes>() {
            Ok(pinned) if pinned.belongs_to(environment.mailbox()) => pinned.into_view(js),
            Ok(pinned) => copy(js, crate::value::ForeignBytes::as_slice(&*pinned)),
            Err(_) => Err(Status(sys::Status::napi_generic_failure)),
        },
    }
}

/// An ArrayBuffer with a copy of `bytes`.
fn copy(js: Js<'_>, bytes: &[u8]) -> Result<JsValue, Status> {
    let (buffer, data) = js.array_buffer(bytes.len())?;
    if !bytes.is_empty() {
        // SAFETY: the buffer has just been made with this length, and nothing else knows it.
        unsafe { data.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    }
    Ok(buffer)
}

/// An ArrayBuffer over `words` themselves; a copy where the runtime forbids that (Electron).
fn hand_over(js: Js<'_>, words: Words) -> Result<JsValue, Status> {
    let (mut memory, length) = words.into_parts();
    if length == 0 {
        return copy(js, &[]);
    }
    let data = memory.as_mut_ptr().cast::<c_void>();
    let owner = Box::into_raw(Box::new(memory));
    // SAFETY: `data` is the vector's memory, which stays in place until `free_words` gets its box.
    let made = unsafe { js.external_array_buffer(data, length, Some(free_words), owner.cast()) };
    match made {
        Ok(buffer) => Ok(buffer),
        Err(_) => {
            // SAFETY: refused, so the finalizer will not run: the box is ours again.
            let memory = unsafe { Box::from_raw(owner) };
            copy(js, &bytemuck::cast_slice(&memory)[..length])
        }
    }
}

unsafe extern "C" fn free_words(_: sys::napi_env, _: *mut c_void, owner: *mut c_void) {
    // SAFETY: the hint is the box made in `hand_over`, and Node calls a finalizer once.
    drop(unsafe { Box::from_raw(owner.cast::<Vec<u64>>()) });
}
