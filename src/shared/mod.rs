//! Shared memory: one block of bytes for JavaScript and Rust threads.
//!
//! * `region` — the block, its identity, and the only `unsafe` of this room; `pins` — who keeps it alive.
//! * [`atomics`] — JavaScript's `Atomics` on every integer width, and plain floats.
//! * [`bulk`] — racy copies, fills and passes over ranges, by relaxed words.
//! * `exclusive` — tasks that take a range: who waits for whom, and how a kernel gets a slice.
//! * [`wait`] — the wait table: blocking and callback waiters in one FIFO.
//! * `notifier` — how a Rust thread reaches those who wait by plain `Atomics.wait`.
//! * [`locks`] — Mutex, RwLock, Semaphore, Condvar and Barrier in shared memory.
//!
//! # Race and safety
//! JavaScript may write to a region at any moment, also while a Rust task works on it, also to a range that a task
//! has taken exclusively (the ranges order Rust tasks among themselves and bind no JavaScript). What such a writer
//! may cause is unspecified *values*: torn elements, a sum that counts an element before or after, a sorted range
//! that was written over. It cannot cause undefined behaviour in Rust, since no Rust reference but one to atomics
//! ever stands on the bytes.

pub mod atomics;
pub mod bulk;
mod error;
mod exclusive;
pub mod locks;
mod notifier;
mod pins;
mod region;
pub mod wait;

pub use error::{Result, SharedError};
pub use exclusive::{ExclusiveRange, SharedRange, take, try_take};
pub use notifier::{NotifierDesk, NotifyRequest, notify_plain};
pub use pins::Keep;
pub use region::{Access, Cell, Region, RegionId};
