//! Tasks on memory: `sum`, `fill`, `histogram`, and those on single cells of shared memory.
//!
//! * `elements` — their inputs: typed arrays, copied or moved in, or shared memory, aliased.
//! * `sum`, `fill`, `histogram` — passes over a range, on several threads if wanted; `total` — what a sum adds up.
//! * `cells` — `atomicAdd`, `atomicWait`, `atomicNotify`, `atomicPingPong`.
//!
//! # Ranges
//! A pass that writes takes its range of shared memory exclusively, one that reads takes it shared with other readers
//! (`shared/exclusive.rs` describes which claim waits for which). The tasks on cells are atomic and take nothing.

mod cells;
mod elements;
mod fill;
mod histogram;
mod sum;
mod total;

pub(super) use cells::{atomic_add, atomic_notify, atomic_ping_pong, atomic_wait};
pub(super) use elements::{Parallel, Subject};
pub(super) use fill::fill;
pub(super) use histogram::histogram;
pub(super) use sum::sum;
