//! The side of the C interface: every use of a pointer that the host gives, or is given.
//!
//! What it rests on, beside the rules in `include/rust_workers.h`:
//!
//!  - The host gives `run` a host, a call and an input that are valid until `run` returns, on this thread. [`Call`] and [`Input`] are
//!    made of them there, with that lifetime; they are neither `Send` nor `Sync`.
//!  - A part of the input is lent once: [`Input`] marks it, so a `&mut` to its memory is the only reference there is.
//!  - Memory of shared parts is seen through atomics only.
#![allow(unsafe_code)]

mod call;
mod entry;
mod handoff;
mod input;
mod pack;

pub(crate) use call::{Call, Waited};
pub use entry::Frame;
pub(crate) use entry::{Allocated, Memory, Placed, outcome_of, run_task};
pub(crate) use handoff::{Given, give, take_cells, take_memory, take_port};
pub use input::Cells;
pub(crate) use input::{Input, cast_cells};
