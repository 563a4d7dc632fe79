//! Values from JavaScript.
//!
//! `lib/worker-pool.js` decides the form, since only JavaScript can look at a value cheaply; this file copies or
//! pins the memory and does not look inside. Decoding is left to the thread that runs the task.

use napi::bindgen_prelude::sys;

use super::environment::Environment;
use super::js::{Js, JsValue, Status};
use super::pin::PinnedBytes;
use super::region::open_region;
use crate::room;
use crate::value::{Bytes, BytesKind, Envelope, Part, Payload, Value};

/// How a value stands in the arguments of a call. The same numbers stand in `lib/forms.js`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InputForm {
    /// `input` is undefined, null, a boolean or a number.
    Direct,
    /// `input` is a `Uint8Array` to copy, and this is what it is a view of.
    Copy(BytesKind),
    /// `input` is a `Uint8Array` over memory that only Rust will touch.
    Pin(BytesKind),
    /// `input` is a `Uint8Array` that begins with `length` bytes of an encoded value.
    Wire,
}

impl InputForm {
    /// The low byte names the form, the next one the kind of bytes.
    pub(crate) fn from_number(number: u32) -> Option<Self> {
        let kind = || BytesKind::from_wire(u8::try_from(number >> 8).ok()?);
        match number & 0xff {
            0 => Some(InputForm::Direct),
            1 => Some(InputForm::Copy(kind()?)),
            2 => Some(InputForm::Pin(kind()?)),
            3 => Some(InputForm::Wire),
            _ => None,
        }
    }
}

/// No status of Node's: there is no memory for the value.
pub(crate) const NO_MEMORY: Status = Status(-1);

/// Reads one input. `length` and `parts` belong to the wire form.
pub(crate) fn read_payload(
    js: Js<'_>,
    environment: &'static Environment,
    form: InputForm,
    input: JsValue,
    length: JsValue,
    parts: JsValue,
) -> Result<Payload, Status> {
    match form {
        InputForm::Direct => read_direct(js, input).map(Payload::Value),
        InputForm::Copy(kind) => Ok(Payload::Value(Value::Bytes(copy_bytes(js, kind, input)?))),
        InputForm::Pin(kind) => Ok(Payload::Value(Value::Bytes(pin_bytes(js, environment, kind, input)?))),
        InputForm::Wire => read_envelope(js, environment, input, length, parts).map(Payload::Envelope),
    }
}

/// Reads a batch's inputs: the wire form of an array, or (form `Copy(Float64)`) the numbers themselves.
pub(crate) fn read_inputs(
    js: Js<'_>,
    environment: &'static Environment,
    form: InputForm,
    input: JsValue,
    length: JsValue,
    parts: JsValue,
) -> Result<Payload, Status> {
    if form == InputForm::Copy(BytesKind::Float64) {
        let bytes = copy_bytes(js, BytesKind::Float64, input)?;
        let numbers: &[f64] = bytemuck::cast_slice(bytes.as_slice());
        let mut values = room::for_items(numbers.len()).map_err(|_| NO_MEMORY)?;
        values.extend(numbers.iter().copied().map(Value::Number));
        return Ok(Payload::Value(Value::Array(values)));
    }
    read_envelope(js, environment, input, length, parts).map(Payload::Envelope)
}

fn read_direct(js: Js<'_>, input: JsValue) -> Result<Value, Status> {
    match js.type_of(input)? {
        sys::ValueType::napi_number => js.read_number(input).map(Value::Number),
        sys::ValueType::napi_undefined => Ok(Value::Undefined),
        sys::ValueType::napi_null => Ok(Value::Null),
        sys::ValueType::napi_boolean => js.read_bool(input).map(Value::Bool),
        _ => Err(Status::INVALID),
    }
}

/// Runs `read` on the bytes of a `Uint8Array`.
fn with_view<T>(js: Js<'_>, view: JsValue, read: impl FnOnce(&[u8]) -> T) -> Result<T, Status> {
    let (data, length) = js.view(view)?;
    if data.is_null() || length == 0 {
        return Ok(read(&[]));
    }
    // SAFETY: Node has just said that the view's memory begins here and is this long. JavaScript does not run until
    // this call returns. The caller never passes a view of shared memory here (`lib/` sends that another way).
    let bytes = unsafe { std::slice::from_raw_parts(data, length) };
    Ok(read(bytes))
}

fn copy_bytes(js: Js<'_>, kind: BytesKind, view: JsValue) -> Result<Bytes, Status> {
    with_view(js, view, |bytes| Bytes::copy_from(kind, bytes))?.map_err(|_| NO_MEMORY)
}

fn pin_bytes(
    js: Js<'_>,
    environment: &'static Environment,
    kind: BytesKind,
    view: JsValue,
) -> Result<Bytes, Status> {
    let pinned = PinnedBytes::new(js, environment.events(), view)?;
    Ok(Bytes::foreign(kind, Box::new(pinned)))
}

/// `parts` is undefined, or the one `Uint8Array` to copy, or an array of pairs: a `Uint8Array`, and whether it is to be pinned instead of copied, or
/// null when it covers the whole of a SharedArrayBuffer, which is aliased; or the handle of a port that moves, and how
/// many messages of its last batch were shown.
pub(crate) fn read_envelope(
    js: Js<'_>,
    environment: &'static Environment,
    input: JsValue,
    length: JsValue,
    parts: JsValue,
) -> Result<Envelope, Status> {
    let length = js.read_u32(length)? as usize;
    let wire = with_view(js, input, |bytes| bytes.get(..length).map(room::copy))?.ok_or(Status::INVALID)?;
    let wire = wire.map_err(|_| NO_MEMORY)?;
    let mut envelope = Envelope { wire, parts: Vec::new() };
    if js.type_of(parts)? != sys::ValueType::napi_object {
        return Ok(envelope);
    }
    if js.is_typed_array(parts)? {
        envelope.parts.push(Part::Bytes(copy_bytes(js, BytesKind::ArrayBuffer, parts)?));
    } else {
        let count = js.array_length(parts)? / 2;
        for index in 0..count {
            let view = js.get(parts, index * 2)?;
            let how = js.get(parts, index * 2 + 1)?;
            if js.type_of(view)? == sys::ValueType::napi_number {
                let (handle, shown) = (js.read_u32(view)?, js.read_u32(how)? as usize);
                envelope.parts.extend(environment.ports().detach(handle, shown)?.map(Part::from));
                continue;
            }
            if js.type_of(how)? == sys::ValueType::napi_null {
                let region = open_region(js, environment, view)?;
                envelope.parts.push(Part::Shared(region.access().map_err(|_| Status::INVALID)?));
                continue;
            }
            let pinned = js.read_bool(how)?;
            let bytes = if pinned {
                pin_bytes(js, environment, BytesKind::ArrayBuffer, view)?
            } else {
                copy_bytes(js, BytesKind::ArrayBuffer, view)?
            };
            envelope.parts.push(Part::Bytes(bytes));
        }
    }
    Ok(envelope)
}
