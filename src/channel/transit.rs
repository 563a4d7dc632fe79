//! Ports that travel by key, through something that can carry only text: a message of Node's own, or the `workerData`
//! of a Worker.
//!
//! A port in one of our own messages needs none of this: it rides in the envelope and closes with it.
//!
//! # The key
//!
//! Whoever has the key gets the port, so a key cannot be guessed: 128 bits of a keyed hash (SipHash, keyed by the
//! system's random numbers when the process first needs one) over a counter. A value that merely looks like a port on its
//! way claims nothing.
//!
//! # From here to there
//!
//! The key must stand in the message before anybody knows whether the message will leave: reading it may run user code,
//! and it may be refused. So the sender first *announces* a port and gets a key, with the port still in its hands and of
//! full use; when the message has left, it *parks* the port under that key; when the message was refused, it *withdraws*
//! the key, and nothing has happened to the port.
//!
//! ```text
//!   nothing ──announce──▶ Announced ──park──▶ Parked ──claim──▶ nothing
//!                             └────withdraw────┬──forget───────▶ nothing
//! ```
//!
//! The message may arrive, on another thread, before the sender has come back to park the port. So a claim of an
//! announced port waits: for as long as the sender takes to return from posting, or until it ends (an environment that
//! ends withdraws what it has announced). The sender itself never waits for its own announcement: it is told that
//! there is no such port.
//!
//! A parked port is kept alive by the table until it is claimed. If what carried the key may be lost unseen, whoever
//! finds out *forgets* the port: by its number, which only those know who hold the other end. That may be before the
//! sender has parked it; it is then dropped when it is parked.
//!
//! One lock, outside the protocol of the inboxes: nothing is woken, posted or dropped under it.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::str::FromStr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::port::{PortId, PortInTransit};
use crate::sync::{Condvar, Mutex};

/// By what a port in transit is claimed. As text: 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TransitKey(u128);

impl TransitKey {
    fn fresh() -> Self {
        static SECRET: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        static COUNT: AtomicU64 = AtomicU64::new(0);
        // `Relaxed`: only uniqueness is owed.
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let half = |which: u8| u128::from(SECRET.hash_one((count, which)));
        TransitKey(half(0) << 64 | half(1))
    }
}

impl fmt::Display for TransitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for TransitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the key: it is a secret.
        f.write_str("TransitKey")
    }
}

impl FromStr for TransitKey {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let is_key = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_key { u128::from_str_radix(text, 16).map(TransitKey).map_err(|_| ()) } else { Err(()) }
    }
}

enum Entry {
    Announced { by: u64, port: PortId },
    Parked(PortInTransit),
}

impl Entry {
    fn announces(&self, id: PortId) -> bool {
        matches!(self, Entry::Announced { port, .. } if *port == id)
    }
}

#[derive(Default)]
struct Table {
    entries: HashMap<TransitKey, Entry>,
    /// The keys of what is parked.
    by_port: HashMap<PortId, TransitKey>,
}

impl Table {
    fn take(&mut self, key: TransitKey) -> Option<PortInTransit> {
        match self.entries.remove(&key) {
            Some(Entry::Parked(port)) => {
                self.by_port.remove(&port.id());
                Some(port)
            }
            _ => None,
        }
    }
}

/// The ports on their way.
pub struct Transit {
    table: Mutex<Table>,
    /// An announced port was parked, or withdrawn.
    settled: Condvar,
}

impl Transit {
    #[allow(clippy::new_without_default)] // there is one, and those of tests
    pub fn new() -> Self {
        Transit { table: Mutex::new(Table::default()), settled: Condvar::new() }
    }

    /// The one of this process.
    pub fn of_process() -> &'static Transit {
        static TRANSIT: LazyLock<Transit> = LazyLock::new(Transit::new);
        &TRANSIT
    }

    /// A key for a port that `party` is about to send.
    pub fn announce(&self, party: u64, port: PortId) -> TransitKey {
        let key = TransitKey::fresh();
        self.table.lock().entries.insert(key, Entry::Announced { by: party, port });
        key
    }

    /// The message with the key has left: whoever claims it gets the port. Without an announcement (any more) the port is
    /// dropped, which closes it.
    pub fn park(&self, key: TransitKey, port: PortInTransit) {
        let mut table = self.table.lock();
        let unwanted = match table.entries.get_mut(&key) {
            Some(entry @ Entry::Announced { .. }) => {
                let id = port.id();
                *entry = Entry::Parked(port);
                // An end has one token at a time, so it is parked once.
                let before = table.by_port.insert(id, key);
                debug_assert!(before.is_none(), "one end, two tokens");
                None
            }
            _ => Some(port),
        };
        drop(table);
        self.settled.notify_all();
        drop(unwanted);
    }

    /// Announces and parks a port at once.
    pub fn leave(&self, port: PortInTransit) -> TransitKey {
        // Party 0 is nobody, and nobody claims in between.
        let key = self.announce(0, port.id());
        self.park(key, port);
        key
    }

    /// The message with the key did not leave.
    pub fn withdraw(&self, key: TransitKey) {
        let mut table = self.table.lock();
        if let Some(Entry::Announced { .. }) = table.entries.get(&key) {
            table.entries.remove(&key);
        }
        drop(table);
        self.settled.notify_all();
    }

    /// Takes the port of this key, once; waits for it while another party has yet to park it. `None` when there is none
    /// (any more).
    pub fn claim(&self, key: TransitKey, party: u64) -> Option<PortInTransit> {
        let mut table = self.table.lock();
        loop {
            match table.entries.get(&key) {
                Some(Entry::Announced { by, .. }) if *by != party => self.settled.wait(&mut table),
                Some(Entry::Parked(_)) => return table.take(key),
                _ => return None,
            }
        }
    }

    /// Closes the port of this number, if it is parked or as soon as it is: what carried its key was lost.
    pub fn forget(&self, port: PortId) {
        let mut table = self.table.lock();
        let key = table.by_port.get(&port).copied();
        let lost = key.and_then(|key| table.take(key));
        if lost.is_none() {
            // The news may come before the sender has come back to park it, which then finds no announcement.
            table.entries.retain(|_, entry| !entry.announces(port));
        }
        drop(table);
        self.settled.notify_all();
        drop(lost);
    }

    /// Closes the port of this key, as [`Transit::forget`].
    pub fn drop_key(&self, key: TransitKey) {
        let mut table = self.table.lock();
        let lost = table.take(key);
        drop(table);
        self.settled.notify_all();
        drop(lost);
    }

    /// Whether the port of this number is parked.
    pub fn is_parked(&self, port: PortId) -> bool {
        self.table.lock().by_port.contains_key(&port)
    }

    /// Whether the port of this number is announced, and may be parked any moment.
    pub fn is_announced(&self, port: PortId) -> bool {
        self.table.lock().entries.values().any(|entry| entry.announces(port))
    }

    /// How many ports are parked: for leak tests.
    pub fn parked_count(&self) -> usize {
        self.table.lock().by_port.len()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::thread;

    use super::*;
    use crate::channel::{Message, Posted, Received, channel};

    #[test]
    fn a_parked_port_is_kept_alive_and_claimed_once() {
        let transit = Transit::new();
        let (near, far) = channel(None);
        let id = far.id();
        let key = transit.leave(far.detach().unwrap());
        drop(far);
        assert_eq!(near.post(Message::default()), Posted::Queued);
        let there = transit.claim(key, 1).unwrap().attach(None);
        assert_eq!(there.id(), id);
        assert!(transit.claim(key, 1).is_none());
        assert!(matches!(there.take_one(), Received::Message(_)));
        assert_eq!(transit.parked_count(), 0);
    }

    #[test]
    fn a_forgotten_port_closes() {
        let transit = Transit::new();
        let (near, far) = channel(None);
        let (other, lost) = channel(None);
        let key = transit.leave(far.detach().unwrap());
        transit.forget(far.id());
        transit.forget(far.id());
        assert!(matches!(near.take_one(), Received::Closed));
        assert!(transit.claim(key, 1).is_none());
        transit.drop_key(transit.leave(lost.detach().unwrap()));
        assert!(matches!(other.take_one(), Received::Closed));
    }

    #[test]
    fn a_port_that_is_forgotten_before_it_is_parked_closes_when_it_is() {
        for by_number in [true, false] {
            let transit = Transit::new();
            let (near, far) = channel(None);
            let (_, other) = channel(None);
            let (key, of_other) = (transit.announce(1, far.id()), transit.announce(1, other.id()));
            if by_number {
                transit.forget(far.id())
            } else {
                transit.drop_key(key)
            }
            assert!(far.is_open(), "it may stay");
            transit.park(key, far.detach().unwrap());
            assert!(matches!(near.take_one(), Received::Closed));
            transit.park(of_other, other.detach().unwrap());
            assert!(transit.claim(of_other, 2).is_some());
        }
    }

    #[test]
    fn a_claim_waits_for_who_announced_the_port() {
        let transit = Transit::new();
        let (near, far) = channel(None);
        let key = transit.announce(1, far.id());
        assert!(transit.claim(key, 1).is_none(), "not for its own");
        thread::scope(|scope| {
            let claim = scope.spawn(|| transit.claim(key, 2));
            transit.park(key, far.detach().unwrap());
            assert!(claim.join().unwrap().is_some());
        });
        assert!(matches!(near.take_one(), Received::Closed));
    }

    #[test]
    fn a_withdrawn_key_ends_the_wait_and_a_port_parked_too_late_closes() {
        let transit = Transit::new();
        let (near, far) = channel(None);
        let key = transit.announce(1, far.id());
        thread::scope(|scope| {
            let claim = scope.spawn(|| transit.claim(key, 2));
            transit.withdraw(key);
            assert!(claim.join().unwrap().is_none());
        });
        assert!(far.is_open());
        transit.park(key, far.detach().unwrap());
        assert!(matches!(near.take_one(), Received::Closed));
    }

    #[test]
    fn keys_are_text_and_no_two_are_alike() {
        let keys: Vec<TransitKey> = (0..100).map(|_| TransitKey::fresh()).collect();
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[..index].contains(key));
            assert_eq!(key.to_string().parse(), Ok(*key));
        }
        for text in ["", "1", "+0000000000000000000000000000001", "g0000000000000000000000000000001"] {
            assert_eq!(text.parse::<TransitKey>(), Err(()));
        }
    }
}
