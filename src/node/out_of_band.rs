//! How JavaScript gets an answer: a form and a number on the call buffer, and out of band the values that do not fit there.

use super::core::Core;
use super::event::Answer;
use super::js::{Js, JsValue, Result};
use super::memory::{copy, hand_over, show_parts};
use crate::error::{Code, Error};
use crate::value::Envelope;

/// How an answer stands on the call buffer.
pub(super) mod form {
    use crate::exported_numbers::Numbers;
    use crate::numbers;

    pub(in crate::node) const UNDEFINED: u8 = 0;
    pub(in crate::node) const NULL: u8 = 1;
    pub(in crate::node) const TRUE: u8 = 2;
    pub(in crate::node) const FALSE: u8 = 3;
    /// The value is in `numbers`.
    pub(in crate::node) const NUMBER: u8 = 4;
    /// The kind is in `numbers`, the memory the next value out of band.
    pub(in crate::node) const BYTES: u8 = 5;
    /// `numbers` tells where the wire stands: see [`OutOfBand::show`](super::OutOfBand::show).
    pub(in crate::node) const WIRE: u8 = 6;
    /// The wire and the array of parts are the next two values out of band.
    pub(in crate::node) const WIRE_OUT_OF_BAND: u8 = 7;
    /// The code and the message are the next two values out of band; `numbers` has [`STARTED`], or 0.
    pub(in crate::node) const ERROR: u8 = 8;
    /// As `WIRE` and `WIRE_OUT_OF_BAND`, of what a script threw.
    pub(in crate::node) const REJECTED: u8 = 9;
    pub(in crate::node) const REJECTED_OUT_OF_BAND: u8 = 10;
    /// The value is the next message of the script worker whose key is in `numbers`.
    pub(in crate::node) const VIA_FALLBACK: u8 = 11;
    pub(in crate::node) const VIA_FALLBACK_REJECTED: u8 = 12;
    /// As `VIA_FALLBACK`, of a task whose time was up before: the value is wanted no more.
    pub(in crate::node) const VIA_FALLBACK_LATE: u8 = 13;
    /// An array of undefineds; `numbers` tells how many.
    pub(in crate::node) const UNDEFINEDS: u8 = 14;
    /// An array of numbers, as a Float64Array has them: their bytes stand where `WIRE` has those of a value.
    pub(in crate::node) const NUMBERS_IN_WIRE: u8 = 15;
    /// The same; the memory is the next value out of band.
    pub(in crate::node) const NUMBERS_OUT_OF_BAND: u8 = 16;
    /// The same error as that of an entry before; `numbers` tells where its two values are among those out of band, times two,
    /// and [`STARTED`] as above.
    pub(in crate::node) const ERROR_AGAIN: u8 = 17;
    /// A report and no value: a script's task that may run for a limited time has started, so many milliseconds ago.
    pub(in crate::node) const TASK_STARTED: u8 = 18;

    /// Of the error of a task whose deadline has passed: the task had started.
    pub(in crate::node) const STARTED: u8 = 1;

    /// For JavaScript.
    pub(in crate::node) const NUMBERS: Numbers = numbers! {
        UNDEFINED, NULL, TRUE, FALSE, NUMBER, BYTES, WIRE, WIRE_OUT_OF_BAND, ERROR, REJECTED, REJECTED_OUT_OF_BAND,
        VIA_FALLBACK, VIA_FALLBACK_REJECTED, VIA_FALLBACK_LATE, UNDEFINEDS, NUMBERS_IN_WIRE, NUMBERS_OUT_OF_BAND,
        ERROR_AGAIN, TASK_STARTED, STARTED,
    };
}

/// Values out of band: in an array made when the first is added, or in one that JavaScript keeps for them, whose elements
/// are there already.
pub(super) struct OutOfBand<'call> {
    js: Js<'call>,
    array: JsValue<'call>,
    length: u32,
    kept: bool,
    /// The last error, and where it is. Very many tasks may end with the same at once, and texts cost more than all the rest.
    error: Option<(Error, u32)>,
}

impl<'call> OutOfBand<'call> {
    pub(super) fn new(js: Js<'call>) -> Self {
        OutOfBand { js, array: JsValue::NOTHING, length: 0, kept: false, error: None }
    }

    pub(super) fn in_kept(js: Js<'call>, array: JsValue<'call>) -> Self {
        OutOfBand { js, array, length: 0, kept: true, error: None }
    }

    /// The array, or `NOTHING` when none was added.
    pub(super) fn array(&self) -> JsValue<'call> {
        self.array
    }

    /// How many there are.
    pub(super) fn len(&self) -> u32 {
        self.length
    }

    fn push(&mut self, value: JsValue<'call>) -> Result<()> {
        if self.array.is_nothing() {
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

    /// Shows an answer by a form and a number. `put` copies the wire, and returns the number that tells JavaScript where it
    /// is; a wire that does not fit there, and all other parts, are added here. An answer for which JavaScript has no memory
    /// becomes an error.
    pub(super) fn show(
        &mut self,
        core: &Core,
        answer: Answer,
        put: &mut dyn FnMut(&[u8]) -> Option<f64>,
    ) -> Result<(u8, f64)> {
        let before = self.length;
        self.show_whole(core, answer, put).or_else(|_| {
            self.js.clear_exception();
            self.length = before;
            let error = Error::new(
                Code::ValueTooLarge,
                "JavaScript has no memory for the result of the task: ask for less at a time",
            );
            self.show_error(error)
        })
    }

    fn show_whole(
        &mut self,
        core: &Core,
        answer: Answer,
        put: &mut dyn FnMut(&[u8]) -> Option<f64>,
    ) -> Result<(u8, f64)> {
        let (here, out_of_band, envelope) = match answer {
            Answer::Undefined => return Ok((form::UNDEFINED, 0.0)),
            Answer::Null => return Ok((form::NULL, 0.0)),
            Answer::Bool(true) => return Ok((form::TRUE, 0.0)),
            Answer::Bool(false) => return Ok((form::FALSE, 0.0)),
            Answer::Number(number) => return Ok((form::NUMBER, number)),
            #[allow(clippy::cast_precision_loss)] // a count
            Answer::Undefineds(count) => return Ok((form::UNDEFINEDS, count as f64)),
            Answer::Numbers(numbers) => {
                if !numbers.is_foreign()
                    && let Some(place) = put(numbers.as_slice())
                {
                    return Ok((form::NUMBERS_IN_WIRE, place));
                }
                self.push(hand_over(self.js, core, numbers)?)?;
                return Ok((form::NUMBERS_OUT_OF_BAND, 0.0));
            }
            Answer::Bytes(bytes) => {
                let kind = f64::from(bytes.kind() as u8);
                self.push(hand_over(self.js, core, bytes)?)?;
                return Ok((form::BYTES, kind));
            }
            Answer::Error(error) => return self.show_error(error),
            Answer::TaskStarted(at) => {
                return Ok((form::TASK_STARTED, at.elapsed().as_secs_f64() * 1000.0));
            }
            #[allow(clippy::cast_precision_loss)] // a count
            Answer::ViaFallback { failed, from } => {
                return Ok((
                    if failed { form::VIA_FALLBACK_REJECTED } else { form::VIA_FALLBACK },
                    from as f64,
                ));
            }
            #[allow(clippy::cast_precision_loss)] // a count
            Answer::Late { from } => return Ok((form::VIA_FALLBACK_LATE, from as f64)),
            Answer::Envelope(envelope) => (form::WIRE, form::WIRE_OUT_OF_BAND, envelope),
            Answer::Rejected(envelope) => (form::REJECTED, form::REJECTED_OUT_OF_BAND, envelope),
        };
        let Envelope { wire, parts } = envelope;
        if parts.is_empty()
            && let Some(place) = put(&wire)
        {
            return Ok((here, place));
        }
        self.push(copy(self.js, core, &wire)?)?;
        self.push(show_parts(self.js, core, parts)?)?;
        Ok((out_of_band, 0.0))
    }

    fn show_error(&mut self, error: Error) -> Result<(u8, f64)> {
        let started = if error.has_started() { f64::from(form::STARTED) } else { 0.0 };
        if let Some((before, at)) = &self.error
            && *before == error
        {
            return Ok((form::ERROR_AGAIN, f64::from(*at) * 2.0 + started));
        }
        let at = self.length;
        self.push(self.js.string(error.code().as_str())?)?;
        self.push(self.js.string(error.message())?)?;
        self.error = Some((error, at));
        Ok((form::ERROR, started))
    }
}
