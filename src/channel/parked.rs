//! Ports that travel by number, through something that can carry only a number: a message of Node's own, or the
//! `workerData` of a Worker.
//!
//! A port in one of our own messages needs none of this: it rides in the envelope and closes with it. A parked
//! port is kept alive by the table until it is claimed; if what carried the number may be lost unseen, whoever
//! finds out claims the port and drops it.
//!
//! A plain process-wide lock, outside the protocol of the inboxes: nothing is woken, posted or dropped under it.

use std::collections::HashMap;
use std::sync::LazyLock;

use parking_lot::Mutex;

use super::port::{PortId, PortInTransit};

static PARKED: LazyLock<Mutex<HashMap<PortId, PortInTransit>>> = LazyLock::new(Mutex::default);

impl PortInTransit {
    /// Leaves the port in the process-wide table, to be claimed by its number, once, from any thread.
    pub fn park(self) -> PortId {
        let id = self.id();
        // An end has one token at a time, so there was none of that number.
        let before = PARKED.lock().insert(id, self);
        debug_assert!(before.is_none(), "one end, two tokens");
        id
    }
}

/// Takes a parked port out of the table; `None` when no port of that number is parked (any more).
pub fn claim(id: PortId) -> Option<PortInTransit> {
    PARKED.lock().remove(&id)
}

/// How many ports are parked: for statistics and leak tests.
pub fn parked_count() -> usize {
    PARKED.lock().len()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::channel::{Message, Posted, Received, channel};

    #[test]
    fn a_parked_port_is_kept_alive_and_claimed_once() {
        let (near, far) = channel(None);
        let id = far.detach().unwrap().park();
        drop(far);
        assert_eq!(near.post(Message::default()), Posted::Queued);
        let there = claim(id).unwrap().attach(None);
        assert_eq!(there.id(), id);
        assert!(claim(id).is_none());
        assert!(matches!(there.take_one(), Received::Message(_)));
    }

    #[test]
    fn a_claimed_port_that_is_dropped_closes() {
        let (near, far) = channel(None);
        let id = far.detach().unwrap().park();
        drop(claim(id));
        assert!(matches!(near.take_one(), Received::Closed));
    }
}
