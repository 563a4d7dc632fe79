//! The memory through which numbers pass between JavaScript and Rust without a Node-API call for each.
//!
//! Five arrays. Entry `i` of a batch of events stands at index `i` of `ids`, `numbers` and `forms`; encoded values stand
//! one after the other in `wire`. The arguments of the most frequent calls stand in `call`.

use super::js::{Js, JsValue, KeptMemory, Result};
use crate::exported_numbers::Numbers;
use crate::numbers;

/// Events in one batch at the most.
pub(crate) const BATCH: usize = 1024;

/// Numbers in `call`.
const CALL: usize = 16;

/// One number stands for a wire on the buffer: its offset, and its length so many bits higher.
pub(super) const WIRE_LENGTH_SHIFT: u32 = 16;

/// For JavaScript.
pub(super) const NUMBERS: Numbers = numbers! { BATCH, CALL, WIRE_LENGTH_SHIFT };

/// The arrays' memory.
#[derive(Clone, Copy)]
pub(crate) struct CallBuffer {
    ids: KeptMemory<f64>,
    numbers: KeptMemory<f64>,
    forms: KeptMemory<u8>,
    wire: KeptMemory<u8>,
    call: KeptMemory<f64>,
}

impl CallBuffer {
    /// From `Uint8Array`s over the five arrays.
    pub(crate) fn new<'call>(
        js: Js<'call>,
        [ids, numbers, forms, wire, call]: [JsValue<'call>; 5],
    ) -> Result<Self> {
        Ok(CallBuffer {
            ids: KeptMemory::keep(js, ids, BATCH)?,
            numbers: KeptMemory::keep(js, numbers, BATCH)?,
            forms: KeptMemory::keep(js, forms, BATCH)?,
            wire: KeptMemory::keep(js, wire, 1)?,
            call: KeptMemory::keep(js, call, CALL)?,
        })
    }

    /// The first `N` arguments of the call that is running.
    #[inline]
    pub(super) fn arguments<const N: usize>(&self) -> [f64; N] {
        const { assert!(N <= CALL) };
        self.call.read_array()
    }

    /// Writes what the call that is running returns, over its arguments.
    #[inline]
    pub(super) fn answer<const N: usize>(&self, numbers: [f64; N]) {
        const { assert!(N <= CALL) };
        self.call.write_array(numbers);
    }

    /// Writes entry `index`, which must be below [`BATCH`].
    #[inline]
    pub(super) fn put(&self, index: usize, id: f64, form: u8, number: f64) {
        self.ids.write(index, id);
        self.numbers.write(index, number);
        self.forms.write(index, form);
    }

    /// Copies `bytes` to `offset` of the wire, if they fit there.
    pub(super) fn put_wire(&self, offset: usize, bytes: &[u8]) -> bool {
        self.wire.copy_in(offset, bytes)
    }
}
