//! Locks whose state is in shared memory, for JavaScript and Rust threads alike.
//!
//! README.md in this folder is the protocol: the cells, the transitions, which operation wakes whom. JavaScript takes the
//! uncontended path by it with V8's own atomics and calls in here for the rest.
//!
//! * `owner` — owner tokens, and which of them are alive; `death` — what the end of an owner does to its locks and waits.
//! * `cells` — where a lock is, and the word that says which kind it is.
//! * `pending` — an acquisition that has to wait: in slices, by callback, or blocking.
//! * `mutex`, `rw_lock`, `semaphore`, `condvar`, `barrier` — one lock in each file.
//! * `guards` — mutex and readers-writer lock as a Rust thread holds them.
//! * `any` — a lock of any kind, for callers that know it by a handle.

mod any;
mod barrier;
mod cells;
mod condvar;
mod death;
mod guards;
#[cfg(all(test, loom))]
mod loom_tests;
mod mutex;
mod owner;
mod pending;
mod rw_lock;
mod semaphore;
#[cfg(all(test, not(loom)))]
mod tests;

use crate::exported_numbers::{Groups, Numbers};
use crate::numbers;

pub use any::{AcquiredCallback, Acquisition, AnyLock, AnyWait};
pub use barrier::{Barrier, BarrierWait};
pub use cells::waiters_at;
pub use condvar::{Condvar, CondvarWait};
pub use death::owner_died;
pub use guards::{MutexGuard, ReadGuard, WriteGuard, current_owner};
pub use mutex::{Mutex, MutexRequest};
pub use owner::{admit_owner, is_owner_alive};
pub use pending::Pending;
pub use rw_lock::{RwLock, RwRequest};
pub use semaphore::{PermitRequest, Semaphore};

/// The numbers of the locks that JavaScript knows.
pub const NUMBERS: Groups = &[
    ("LOCKS", LOCKS),
    ("MUTEX", mutex::NUMBERS),
    ("RW_LOCK", rw_lock::NUMBERS),
    ("SEMAPHORE", semaphore::NUMBERS),
    ("CONDVAR", condvar::NUMBERS),
    ("BARRIER", barrier::NUMBERS),
];

const LOCKS: Numbers = numbers! {
    ALIGNMENT = cells::ALIGNMENT, LEAST_CELLS = cells::LEAST_CELLS,
    READ = AnyLock::READ, WRITE = AnyLock::WRITE, LEADER = AnyLock::LEADER,
};
