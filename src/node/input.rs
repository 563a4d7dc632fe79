//! Values from JavaScript.
//!
//! `lib/task/encode-input.js` decides the form, since only JavaScript can look at a value cheaply; this file copies or pins the memory
//! and does not look inside. Decoding is left to the thread that runs the task.

// Reads memory of JavaScript's in place.
#![allow(unsafe_code)]

use super::core::Core;
use super::js::{Js, JsValue, Result, Status, Type};
use super::pinned_bytes::PinnedBytes;
use super::ports::{Cursor, Ports};
use super::region::open_region;
use crate::allocation;
use crate::exported_numbers::Numbers;
use crate::numbers;
use crate::pool::BatchInputs;
use crate::value::{Bytes, BytesKind, Envelope, Part, Payload, Value};

/// How a value stands in the arguments of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InputForm {
    /// `value` is undefined, null, a boolean or a number.
    Direct,
    /// `value` is a `Uint8Array` to copy, and this is what it is a view of.
    Copy(BytesKind),
    /// `value` is a `Uint8Array` over memory that only Rust will touch.
    Pin(BytesKind),
    /// `value` is a `Uint8Array` that begins with `length` bytes of an encoded value.
    Wire,
}

const DIRECT: u32 = 0;
const COPY: u32 = 1;
const PIN: u32 = 2;
const WIRE: u32 = 3;
/// Where the kind of bytes begins: the low byte names the form.
const KIND_SHIFT: u32 = 8;

/// The forms, for JavaScript.
pub(super) const NUMBERS: Numbers = numbers! { DIRECT, COPY, PIN, WIRE, KIND_SHIFT };

impl InputForm {
    fn from_number(number: u32) -> Result<Self> {
        let kind = || {
            let kind = u8::try_from(number >> KIND_SHIFT).ok().and_then(BytesKind::from_wire);
            kind.ok_or(Status::INVALID)
        };
        match number & 0xff {
            DIRECT => Ok(InputForm::Direct),
            COPY => Ok(InputForm::Copy(kind()?)),
            PIN => Ok(InputForm::Pin(kind()?)),
            WIRE => Ok(InputForm::Wire),
            _ => Err(Status::INVALID),
        }
    }
}

/// A value in the arguments of a call.
#[derive(Clone, Copy)]
pub(crate) struct Input<'call> {
    form: InputForm,
    value: JsValue<'call>,
    /// Of the wire form: how many bytes of `value` it has, and its parts.
    length: usize,
    parts: JsValue<'call>,
}

impl<'call> Input<'call> {
    /// From four arguments.
    pub(crate) fn of_arguments(
        js: Js<'call>,
        [form, value, length, parts]: [JsValue<'call>; 4],
    ) -> Result<Self> {
        let form = InputForm::from_number(js.read_u32(form)?)?;
        let length = if form == InputForm::Wire { js.read_u32(length)? as usize } else { 0 };
        Ok(Input { form, value, length, parts })
    }

    /// From two arguments, where form and length stand on the call buffer.
    pub(crate) fn of_call_buffer(
        form: u32,
        length: f64,
        [value, parts]: [JsValue<'call>; 2],
    ) -> Result<Self> {
        Ok(Input { form: InputForm::from_number(form)?, value, length: length as usize, parts })
    }
}

/// Reads values from the arguments of the call that is running.
#[derive(Clone, Copy)]
pub(crate) struct InputReader<'call> {
    js: Js<'call>,
    core: &'static Core,
    /// From where ports leave that are in a value.
    ports: &'static Ports,
}

impl<'call> InputReader<'call> {
    pub(super) fn new(js: Js<'call>, core: &'static Core, ports: &'static Ports) -> Self {
        InputReader { js, core, ports }
    }

    /// Reads one value.
    pub(crate) fn read(self, input: Input<'call>) -> Result<Payload> {
        let bytes = |bytes| Payload::Value(Value::Bytes(bytes));
        match input.form {
            InputForm::Direct => self.direct(input.value).map(Payload::Value),
            InputForm::Copy(kind) => self.copy(kind, input.value).map(bytes),
            InputForm::Pin(kind) => self.pin(kind, input.value).map(bytes),
            InputForm::Wire => {
                self.read_envelope(input.value, input.length, input.parts).map(Payload::Envelope)
            }
        }
    }

    /// Reads a batch's inputs: the wire form of an array, or (forms of `Float64`) the numbers themselves.
    pub(crate) fn read_many(self, input: Input<'call>) -> Result<BatchInputs> {
        let numbers = match input.form {
            InputForm::Copy(kind @ BytesKind::Float64) => self.copy(kind, input.value),
            InputForm::Pin(kind @ BytesKind::Float64) => self.pin(kind, input.value),
            _ => return self.read_array(input),
        };
        numbers.map(BatchInputs::Numbers)
    }

    fn read_array(self, input: Input<'call>) -> Result<BatchInputs> {
        let envelope = self.read_envelope(input.value, input.length, input.parts)?;
        Ok(BatchInputs::Array(Payload::Envelope(envelope)))
    }

    /// Reads the wire form of a value: `wire` is a `Uint8Array` that begins with its `length` bytes. `parts` is undefined,
    /// or the one `Uint8Array` to copy, or the one text of
    /// Latin-1 characters, or an array of pairs: a text, and whether it has others than these; a `Uint8Array`, and whether it is to be pinned instead of
    /// copied, or null when it covers the whole of a SharedArrayBuffer, which is aliased; or the handle of a port that
    /// moves, and how many messages of its last batch were shown.
    pub(crate) fn read_envelope(
        self,
        wire: JsValue<'call>,
        length: usize,
        parts: JsValue<'call>,
    ) -> Result<Envelope> {
        let js = self.js;
        let wire = self.with_view(wire, |bytes| bytes.get(..length).map(allocation::copy))?;
        let wire = wire.ok_or(Status::INVALID)?.map_err(|_| Status::NO_MEMORY)?;
        let mut envelope = Envelope { wire, parts: Vec::new() };
        match js.type_of(parts)? {
            Type::Object => {}
            Type::String => {
                envelope.parts.push(Part::Text(js.read_long_text(parts, false)?));
                return Ok(envelope);
            }
            _ => return Ok(envelope),
        }
        if js.is_typed_array(parts)? {
            envelope.parts.push(Part::Bytes(self.copy(BytesKind::ArrayBuffer, parts)?));
            return Ok(envelope);
        }
        for index in 0..js.array_length(parts)? / 2 {
            let (part, how) = (js.get(parts, index * 2)?, js.get(parts, index * 2 + 1)?);
            envelope.parts.extend(self.part(part, how)?);
        }
        Ok(envelope)
    }

    /// One pair of `parts`; none for a port that has closed.
    fn part(self, part: JsValue<'call>, how: JsValue<'call>) -> Result<Option<Part>> {
        let js = self.js;
        let type_of_part = js.type_of(part)?;
        if type_of_part == Type::String {
            return Ok(Some(Part::Text(js.read_long_text(part, js.read_bool(how)?)?)));
        }
        if type_of_part == Type::Number {
            let at = Cursor { port: js.read_u32(part)?, shown: js.read_u32(how)? as usize };
            return Ok(self.ports.detach(at)?.map(Part::from));
        }
        if js.type_of(how)? == Type::Null {
            let region = open_region(js, self.core, part)?;
            return Ok(Some(Part::Shared(region.access().map_err(|_| Status::INVALID)?)));
        }
        let kind = BytesKind::ArrayBuffer;
        let bytes = if js.read_bool(how)? { self.pin(kind, part) } else { self.copy(kind, part) };
        bytes.map(|bytes| Some(Part::Bytes(bytes)))
    }

    fn direct(self, value: JsValue<'call>) -> Result<Value> {
        match self.js.type_of(value)? {
            Type::Number => self.js.read_number(value).map(Value::Number),
            Type::Undefined => Ok(Value::Undefined),
            Type::Null => Ok(Value::Null),
            Type::Boolean => self.js.read_bool(value).map(Value::Bool),
            _ => Err(Status::INVALID),
        }
    }

    fn copy(self, kind: BytesKind, view: JsValue<'call>) -> Result<Bytes> {
        self.with_view(view, |bytes| Bytes::copy_from(kind, bytes))?.map_err(|_| Status::NO_MEMORY)
    }

    fn pin(self, kind: BytesKind, view: JsValue<'call>) -> Result<Bytes> {
        let pinned = PinnedBytes::new(self.js, self.core.events(), view)?;
        Ok(Bytes::foreign(kind, Box::new(pinned)))
    }

    /// Runs `read`, which must not come back to JavaScript, on the bytes of a `Uint8Array`.
    fn with_view<T>(self, view: JsValue<'call>, read: impl FnOnce(&[u8]) -> T) -> Result<T> {
        let view = self.js.view(view)?;
        // `lib/` sends shared memory as a part to be aliased.
        if !self.js.is_array_buffer(view.buffer)? {
            return Err(Status::INVALID);
        }
        // SAFETY: JavaScript has not run since the view was described, and does not until `read` returns, as its callers in this
        // file see to. The memory is not shared, as just checked; if some of it is pinned, it is by this very call, which no
        // other thread knows of yet.
        let bytes = unsafe { view.bytes() };
        Ok(read(bytes))
    }
}
