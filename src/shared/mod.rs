//! Shared memory: one block of bytes for JavaScript and Rust threads.
//!
//! * `region` — the block, and the only `unsafe` of this module; `region_id` — its name; `pins` — what keeps it alive.
//! * [`atomics`] — JavaScript's `Atomics` on every integer width, and plain floats.
//! * [`bulk`] — racy copies, fills and passes over ranges, by relaxed words.
//! * `exclusive` — the ranges that tasks take; `claims` — which task waits for which.
//! * [`wait`] — the wait table: blocked threads and callbacks in one queue.
//! * `notifier` — how a Rust thread reaches those that wait by plain `Atomics.wait`.
//! * [`locks`] — Mutex, RwLock, Semaphore, Condvar and Barrier in shared memory.
//!
//! # Race and safety
//! JavaScript may write to a region at any moment, also while a Rust task works on it, also to a range that a task
//! has taken exclusively (the ranges order Rust tasks among themselves and do not bind JavaScript). The effect of such a
//! write is unspecified *values*: torn elements, a sum that counts an element before or after, a sorted range
//! that was written over. It cannot cause undefined behaviour in Rust, since the only Rust references to the bytes are
//! references to atomics.

pub mod atomics;
pub mod bulk;
mod claims;
mod error;
mod exclusive;
pub mod locks;
mod notifier;
mod pins;
mod region;
mod region_id;
pub mod wait;

pub use error::{Result, SharedError};
pub use exclusive::{ExclusiveRange, SharedRange, TakenRange, take, try_take};
pub use notifier::{NotifierHandle, NotifyAnswer, NotifyRequest, notify_plain};
pub use pins::Keep;
pub use region::{Access, Cell, Region};
pub use region_id::RegionId;
