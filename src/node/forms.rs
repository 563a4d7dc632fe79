//! How values and events stand in the calls between the two languages: by a form, and a number or values beside it.

use crate::numbers;
use crate::numbers::Numbers;

/// Of an answer, on the call buffer.
pub(super) mod answer {
    pub(in crate::node) const UNDEFINED: u8 = 0;
    pub(in crate::node) const NULL: u8 = 1;
    pub(in crate::node) const TRUE: u8 = 2;
    pub(in crate::node) const FALSE: u8 = 3;
    /// The value is in `numbers`.
    pub(in crate::node) const NUMBER: u8 = 4;
    /// The kind is in `numbers`, the memory the next value out of band.
    pub(in crate::node) const BYTES: u8 = 5;
    /// `numbers` tells where the wire stands.
    pub(in crate::node) const WIRE: u8 = 6;
    /// The wire and the array of parts are the next two values out of band.
    pub(in crate::node) const WIRE_OUT_OF_BAND: u8 = 7;
    /// The code and the message are the next two values out of band.
    pub(in crate::node) const ERROR: u8 = 8;
    /// As `WIRE` and `WIRE_OUT_OF_BAND`, of what a script threw.
    pub(in crate::node) const REJECTED: u8 = 9;
    pub(in crate::node) const REJECTED_OUT_OF_BAND: u8 = 10;
    /// The value is the next message of the script worker whose key is in `numbers`.
    pub(in crate::node) const BESIDE: u8 = 11;
    pub(in crate::node) const BESIDE_REJECTED: u8 = 12;
    /// As `BESIDE`, of a task whose time was up before: the value is wanted no more.
    pub(in crate::node) const BESIDE_LATE: u8 = 13;
}

/// Of an event that is no answer, on the call buffer.
pub(super) mod event {
    /// The pool of this handle has closed.
    pub(in crate::node) const POOL_CLOSED: u8 = 16;
    /// The async wait of this id has ended; the number says whether it was woken.
    pub(in crate::node) const WAIT_ENDED: u8 = 24;
    /// The port of this number has something to take.
    pub(in crate::node) const PORT_DUE: u8 = 32;
    /// The other end of the port of this number has room again.
    pub(in crate::node) const PORT_ROOM: u8 = 33;
    /// To a script worker: there may be work.
    pub(in crate::node) const SCRIPT_WORK: u8 = 40;
    /// To a script worker: the job of this id should stop; the reason is in `numbers`.
    pub(in crate::node) const SCRIPT_STOP: u8 = 41;
    /// The script worker of this key is ready.
    pub(in crate::node) const SCRIPT_READY: u8 = 42;
    /// What was pushed before this has been delivered.
    pub(in crate::node) const FENCE: u8 = 43;
    /// A job's input is wanted; the worker's key is in `numbers`.
    pub(in crate::node) const INPUT_WANTED: u8 = 44;
    /// Added to the form of a value that is no answer but a report on the way.
    pub(in crate::node) const PROGRESS: u8 = 64;
}

/// Of a value in the arguments of a call; the kind of bytes stands in the second byte.
pub(super) mod input {
    pub(in crate::node) const INPUT_DIRECT: u32 = 0;
    pub(in crate::node) const INPUT_COPY: u32 = 1;
    pub(in crate::node) const INPUT_PIN: u32 = 2;
    pub(in crate::node) const INPUT_WIRE: u32 = 3;
}

pub(super) const NUMBERS: Numbers = {
    use answer::*;
    use event::*;
    use input::*;
    numbers! {
        UNDEFINED, NULL, TRUE, FALSE, NUMBER, BYTES, WIRE, WIRE_OUT_OF_BAND, ERROR, REJECTED, REJECTED_OUT_OF_BAND,
        BESIDE, BESIDE_REJECTED, BESIDE_LATE,
        POOL_CLOSED, WAIT_ENDED, PORT_DUE, PORT_ROOM, SCRIPT_WORK, SCRIPT_STOP, SCRIPT_READY, FENCE, INPUT_WANTED,
        PROGRESS,
        INPUT_DIRECT, INPUT_COPY, INPUT_PIN, INPUT_WIRE,
    }
};
