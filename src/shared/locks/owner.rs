//! Owner tokens: how a lock's cells name the owner that holds it, and which owners are alive.
//!
//! JavaScript takes an uncontended lock without a native call, so the token in the lock's cell is the only record
//! of its owner. A token is a number from 1 to [`MAX_OWNER`], given to one thread (a JavaScript environment, a
//! Rust thread), never used again, and *alive* until the owner dies (`death.rs`). A thread that finds a lock held asks
//! whether the token in it is alive; a token that was never given out counts as dead, so garbage in a cell is an error
//! and not a hang.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::super::error::{Result, SharedError};
use super::super::wait::{self, WaitTable};
use crate::sync::Mutex;

/// The greatest token: 27 bits of the lock word.
pub(super) const MAX_OWNER: u32 = (1 << 27) - 1;

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

/// The wait table and the owners that the protocols of the locks use: the process's, or a model's.
#[derive(Clone, Copy)]
pub(super) struct LockContext<'g> {
    pub(super) table: &'g WaitTable,
    pub(super) owners: &'g Owners,
}

/// Those of the process.
pub(super) fn context() -> LockContext<'static> {
    static OWNERS: LazyLock<Owners> = LazyLock::new(Owners::new);
    LockContext { table: wait::table(), owners: &OWNERS }
}

/// Whether the owner of a token is alive.
pub fn is_owner_alive(token: u32) -> bool {
    context().owners.alive(token)
}

/// A token for a thread or environment that may own locks and wait on cells.
pub fn admit_owner() -> Result<u32> {
    context().owners.admit()
}
