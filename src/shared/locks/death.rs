//! The death of an owner: its waits end, and the locks it holds are poisoned. README.md, "Death against a lock attempt", has
//! the race with those that are about to wait.

use super::super::error::Result;
use super::super::region::Region;
use super::super::wait::{CellAddress, Kind};
use super::barrier::Barrier;
use super::mutex::Mutex;
use super::owner::{LockContext, context};
use super::rw_lock::RwLock;
use super::semaphore::Semaphore;

/// Says that the thread or environment of a token has ended, or runs no more code.
///
/// Its waits end with `Cancelled`. Every lock it holds that someone waits for is poisoned now and its waiters get
/// [`SharedError::OwnerDied`](super::super::SharedError::OwnerDied); a lock that nobody waits for is found poisoned by the
/// next thread that wants it. Drop the `Pending`s of the owner *before*: a lock that was granted to a waiter that never saw
/// it is then given back unharmed.
pub fn owner_died(token: u32) {
    reap_owner(context(), token, recheck);
}

/// [`owner_died`] in any context; `recheck(address, kind, died_waiting)` looks at one lock.
pub(super) fn reap_owner(context: LockContext<'_>, token: u32, recheck: impl Fn(CellAddress, Kind, bool)) {
    if !context.owners.remove(token) {
        return;
    }
    // In this order: the token is dead before the queues are looked at, and a waiter joins a queue only if the
    // holder is alive, under the lock of that queue. So a waiter either sees the death or is found here. And once
    // its own waits are gone, nobody hands a lock to the dead.
    let waited = context.table.end_owner(token);
    let mut locks = context.table.lock_addresses();
    locks.extend(waited.iter().filter(|(_, kind)| *kind != Kind::Cell));
    locks.sort_by_key(|(address, _)| (address.region, address.offset));
    locks.dedup();
    for (address, kind) in locks {
        recheck(address, kind, waited.contains(&(address, kind)));
    }
}

/// After a death: looks again at the lock whose waiters queue at this address.
fn recheck(address: CellAddress, kind: Kind, died_waiting: bool) {
    let Some(region) = Region::by_id(address.region) else { return };
    // Waiters queue at cell 1.
    let offset = address.offset - 4;
    let looked: Result<()> = match kind {
        Kind::Mutex => Mutex::known(&region, offset).recheck(),
        Kind::Read | Kind::Write => RwLock::from(&region, offset).and_then(|lock| lock.grant_next()),
        Kind::Semaphore => Semaphore::known(&region, offset).grant_next(),
        Kind::Barrier if died_waiting => Barrier::known(&region, offset).abort(),
        Kind::Barrier | Kind::Condvar | Kind::Cell => Ok(()),
    };
    // The region closed meanwhile: its waiters have been notified.
    let _ = looked;
}
