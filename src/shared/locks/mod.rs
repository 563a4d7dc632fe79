//! Locks whose state lives in shared memory, for JavaScript and Rust threads alike.
//!
//! README.md in this folder is the protocol: the cells, the transitions, who notifies whom. JavaScript takes the
//! uncontended path by it with V8's own atomics and calls in here for the rest.
//!
//! * `owner` — tokens of threads, and which of them are alive.
//! * `cells` — where a lock stands, and the word that says what it is.
//! * `pending` — an acquisition that has to wait: in slices, by callback, or blocking.
//! * `mutex`, `rwlock`, `semaphore`, `condvar`, `barrier` — one lock a file.
//! * `any` — a lock of whatever kind, for callers that know it by a handle.

mod any;
mod barrier;
mod cells;
mod condvar;
#[cfg(all(test, loom))]
mod loom_tests;
mod mutex;
mod owner;
mod pending;
mod rwlock;
mod semaphore;
#[cfg(all(test, not(loom)))]
mod tests;

use super::error::Result;
use super::region::Region;
use super::wait::{Kind, Place};

pub use any::{AnyLock, AnyWait, Begun, Told};
pub use barrier::{Barrier, BarrierWait};
pub use condvar::{Condvar, CondvarWait};
pub use mutex::{CONTENDED, Mutex, MutexGuard, MutexRequest, OWNER, POISONED};
pub use owner::{MAX_OWNER, admit_owner, current_owner, owner_died, owner_is_alive};
pub use pending::{Pending, acquired};
pub use rwlock::{DRAINING, MAX_SLOTS, ReadGuard, RwLock, RwRequest, WriteGuard};
pub use semaphore::{MAX_PERMITS, PermitRequest, Semaphore};

/// How often a blocking lock looks at a busy word before it queues: about a microsecond.
const SPINS: u32 = 40;

/// After a death: who waits at this place looks at its lock again.
fn recheck(place: Place, kind: Kind, died_waiting: bool) {
    let Some(region) = Region::by_id(place.region) else { return };
    let looked: Result<()> = match kind {
        Kind::Mutex => Mutex::recheck(&region, place.offset),
        Kind::Read | Kind::Write => RwLock::recheck(&region, place.offset),
        Kind::Semaphore => Semaphore::recheck(&region, place.offset),
        Kind::Barrier if died_waiting => Barrier::party_died(&region, place.offset),
        Kind::Barrier | Kind::Condvar | Kind::Cell => Ok(()),
    };
    // The region closed meanwhile: its waiters have been told.
    let _ = looked;
}
