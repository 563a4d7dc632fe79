//! Who holds a lock: tokens, and which of them are alive.
//!
//! JavaScript takes an uncontended lock without a native call, so the token in the lock's cell is the only record
//! of its owner. A token is a number from 1 to [`MAX_OWNER`], handed to one thread (a JavaScript environment, a
//! Rust thread), never used again, and *alive* until [`owner_died`]. Whoever finds a lock held asks whether the
//! token in it is alive; a token that was never handed out counts as dead, so garbage in a cell is an error too
//! and not a hang.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::super::error::{Result, SharedError};
use super::super::wait::{self, Kind, Place, WaitTable};
use crate::sync::Mutex;

/// The greatest token: 27 bits of the lock word.
pub const MAX_OWNER: u32 = (1 << 27) - 1;

/// The living owners.
pub(super) struct Owners {
    state: Mutex<State>,
}

struct State {
    alive: BTreeSet<u32>,
    next: u32,
}

impl Owners {
    pub(super) fn new() -> Self {
        Owners { state: Mutex::new(State { alive: BTreeSet::new(), next: 1 }) }
    }

    pub(super) fn admit(&self) -> Result<u32> {
        let mut state = self.state.lock();
        let token = state.next;
        if token > MAX_OWNER {
            return Err(SharedError::NoMoreOwners);
        }
        state.next += 1;
        state.alive.insert(token);
        Ok(token)
    }

    pub(super) fn alive(&self, token: u32) -> bool {
        self.state.lock().alive.contains(&token)
    }

    pub(super) fn remove(&self, token: u32) -> bool {
        self.state.lock().alive.remove(&token)
    }
}

/// What the protocols of the locks stand on: the process's, or a model's.
#[derive(Clone, Copy)]
pub(super) struct Ground<'g> {
    pub(super) table: &'g WaitTable,
    pub(super) owners: &'g Owners,
}

pub(super) fn ground() -> Ground<'static> {
    static OWNERS: LazyLock<Owners> = LazyLock::new(Owners::new);
    Ground { table: wait::table(), owners: &OWNERS }
}

/// A token for a thread or environment that may own locks and wait on cells.
pub fn admit_owner() -> Result<u32> {
    ground().owners.admit()
}

/// True until [`owner_died`].
pub fn owner_is_alive(token: u32) -> bool {
    ground().owners.alive(token)
}

/// Says that the thread or environment behind a token has ended, or runs no more code.
///
/// Its waits end with `Cancelled`. Every lock it holds that someone waits for is poisoned now and its waiters get
/// [`SharedError::OwnerDied`]; one that nobody waits for is found so by the next who comes. Drop the `Pending`s of
/// the owner *before*: a lock that was granted to a waiter that never saw it is then given back unharmed.
pub fn owner_died(token: u32) {
    reap_owner(ground(), token, super::recheck);
}

/// [`owner_died`] on any ground; `recheck(place, kind, died_waiting)` looks at one lock.
pub(super) fn reap_owner(ground: Ground<'_>, token: u32, recheck: impl Fn(Place, Kind, bool)) {
    if !ground.owners.remove(token) {
        return;
    }
    // In this order: the token is dead before the queues are looked at, and a waiter joins a queue only if the
    // holder is alive, under the lock of that queue. So a waiter either sees the death or is found here. And once
    // its own waits are gone, nobody hands a lock to the dead.
    let waited = ground.table.end_owner(token);
    let mut places = ground.table.lock_places();
    places.extend(waited.iter().filter(|(_, kind)| *kind != Kind::Cell));
    places.sort_by_key(|(place, _)| (place.region, place.offset));
    places.dedup();
    for (place, kind) in places {
        recheck(place, kind, waited.contains(&(place, kind)));
    }
}

/// The token of a Rust thread; the thread's end is its death.
struct OfThread(Cell<u32>);

impl Drop for OfThread {
    fn drop(&mut self) {
        if self.0.get() != 0 {
            owner_died(self.0.get());
        }
    }
}

thread_local! {
    static CURRENT: OfThread = const { OfThread(Cell::new(0)) };
}

/// The token of this Rust thread, admitted at its first use; dead when the thread ends. Not for threads that run
/// JavaScript: those have the token of their environment.
pub fn current_owner() -> Result<u32> {
    CURRENT.with(|current| {
        if current.0.get() == 0 {
            current.0.set(admit_owner()?);
        }
        Ok(current.0.get())
    })
}
