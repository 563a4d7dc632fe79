//! Bytes and parts of values, as memory of JavaScript's.

use super::core::Core;
use super::js::{Js, JsValue, Result, Status};
use super::pinned_bytes::PinnedBytes;
use crate::channel::Transit;
use crate::value::{Bytes, ForeignBytes, Part};

/// There may be no memory for as much as this or more.
pub(super) const LARGE: usize = 1024 * 1024;

/// The parts of a value that is in its wire form, as an array.
pub(super) fn show_parts<'call>(js: Js<'call>, core: &Core, parts: Vec<Part>) -> Result<JsValue<'call>> {
    let array = js.array(parts.len())?;
    for (index, part) in (0..).zip(parts) {
        let shown = match part {
            Part::Bytes(bytes) => hand_over(js, core, bytes)?,
            Part::Text(text) => js.long_text(text)?,
            // Claimed by its key when the value is read.
            Part::Port(port) => js.string(&Transit::of_process().deposit_new(port.into()).to_string())?,
            // No native task has shared memory to give.
            Part::Shared(_) => return Err(Status::FAILED),
        };
        js.define(array, index, shown)?;
    }
    Ok(array)
}

/// The bytes' memory as JavaScript gets it: the `Uint8Array` it came from, or an ArrayBuffer with a copy.
///
/// A copy and not the memory itself: Node takes no ArrayBuffer over foreign memory on a transfer list (and could not,
/// as it frees the memory with the environment that made it), so a large result would be another thing than a small
/// one. A task that returns its input's memory got that memory from JavaScript (lib/task/encode-input.js), and nothing is
/// copied here.
pub(super) fn hand_over<'call>(js: Js<'call>, core: &Core, bytes: Bytes) -> Result<JsValue<'call>> {
    match bytes.into_memory() {
        Ok(words) => copy(js, core, words.as_slice()),
        Err(foreign) => match foreign.into_any().downcast::<PinnedBytes>() {
            Ok(pinned) if pinned.belongs_to(core.events()) => pinned.into_view(js),
            Ok(pinned) => copy(js, core, pinned.as_slice()),
            Err(_) => Err(Status::FAILED),
        },
    }
}

/// An ArrayBuffer with a copy of `bytes`. An error, and an exception of JavaScript's, when there is no memory for it.
pub(super) fn copy<'call>(js: Js<'call>, core: &Core, bytes: &[u8]) -> Result<JsValue<'call>> {
    if bytes.len() < LARGE {
        return js.array_buffer(bytes);
    }
    // Node-API ends the process when it has no memory; the class throws.
    #[allow(clippy::cast_precision_loss)] // below 2^53
    let length = js.number(bytes.len() as f64)?;
    let buffer = js.construct(core.array_buffer_class(js)?, length)?;
    js.fill_array_buffer(buffer, bytes)?;
    Ok(buffer)
}
