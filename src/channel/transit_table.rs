//! Ports that move by key, through something that can carry only text: a message of Node's own, or the `workerData`
//! of a Worker.
//!
//! A port in one of our own messages needs none of this: it is a part of the envelope and closes with it.
//!
//! # The key
//!
//! Any thread with the key gets the port, so a key cannot be guessed: 128 bits of a keyed hash (SipHash, keyed by the
//! system's random numbers when the process first needs one) over a counter. A value that merely looks like a port in
//! transit claims nothing.
//!
//! # The three steps
//!
//! The key must be in the message before anybody knows whether the message will leave: reading it may run user code,
//! and it may be refused. So the sender first *announces* a port and gets a key, while it keeps the port, of full use;
//! when the message has left, it *deposits* the port under that key; when the message was refused, it *withdraws*
//! the key, and nothing has happened to the port. The receiver *claims* the port by the key.
//!
//! ```text
//!   nothing ──announce──▶ Announced ──deposit──▶ Deposited ──claim──▶ nothing
//!                             └─────withdraw────────┬──forget───────▶ nothing
//! ```
//!
//! The message may arrive, on another thread, before the sender has come back to deposit the port. So a claim of an
//! announced port waits: for as long as the sender takes to return from posting, or until it ends (an environment that
//! ends withdraws what it has announced). The sender itself never waits for its own announcement: it is told that
//! there is no such port.
//!
//! The table keeps a deposited port alive until it is claimed. If the message with the key may be lost unseen, the party
//! that finds out *forgets* the port: by its number, which only the holder of the other end knows. That may be before the
//! sender has deposited it; it is then dropped when it is deposited.
//!
//! There is one lock, outside the protocol of the inboxes: nothing is woken, posted or dropped under it.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::str::FromStr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::port::PortInTransit;
use super::port_waker::PortId;
use crate::sync::{Condvar, Mutex};

/// The key by which a port in transit is claimed. As text: 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TransitKey(u128);

impl TransitKey {
    fn fresh() -> Self {
        static SECRET: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        static COUNT: AtomicU64 = AtomicU64::new(0);
        // `Relaxed`: the number must only be unique.
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
    Deposited(PortInTransit),
}

impl Entry {
    fn announces(&self, id: PortId) -> bool {
        matches!(self, Entry::Announced { port, .. } if *port == id)
    }
}

#[derive(Default)]
struct Table {
    entries: HashMap<TransitKey, Entry>,
    /// The keys of the deposited ports.
    by_port: HashMap<PortId, TransitKey>,
}

impl Table {
    fn take(&mut self, key: TransitKey) -> Option<PortInTransit> {
        match self.entries.remove(&key) {
            Some(Entry::Deposited(port)) => {
                self.by_port.remove(&port.id());
                Some(port)
            }
            _ => None,
        }
    }
}

/// The table of ports in transit.
pub struct Transit {
    table: Mutex<Table>,
    /// An announced port was deposited, or withdrawn.
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

    /// A key for a port that `party`, an environment, is about to send.
    pub fn announce(&self, party: u64, port: PortId) -> TransitKey {
        let key = TransitKey::fresh();
        self.table.lock().entries.insert(key, Entry::Announced { by: party, port });
        key
    }

    /// The message with the key has left: the first to claim it gets the port. If the key is not announced (any more), the
    /// port is dropped, which closes it.
    pub fn deposit(&self, key: TransitKey, port: PortInTransit) {
        let mut table = self.table.lock();
        let unwanted = match table.entries.get_mut(&key) {
            Some(entry @ Entry::Announced { .. }) => {
                let id = port.id();
                *entry = Entry::Deposited(port);
                // There is one `PortInTransit` of an end at a time, so it is deposited once.
                let before = table.by_port.insert(id, key);
                debug_assert!(before.is_none(), "one end is in transit twice");
                None
            }
            _ => Some(port),
        };
        drop(table);
        self.settled.notify_all();
        drop(unwanted);
    }

    /// Announces and deposits a port at once, under a new key.
    pub fn deposit_new(&self, port: PortInTransit) -> TransitKey {
        // No environment has the number 0, and nobody knows the key yet.
        let key = self.announce(0, port.id());
        self.deposit(key, port);
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

    /// Takes the port of this key, once; waits for it while another party has yet to deposit it. `None` when there is none
    /// (any more).
    pub fn claim(&self, key: TransitKey, party: u64) -> Option<PortInTransit> {
        let mut table = self.table.lock();
        loop {
            match table.entries.get(&key) {
                Some(Entry::Announced { by, .. }) if *by != party => self.settled.wait(&mut table),
                Some(Entry::Deposited(_)) => return table.take(key),
                _ => return None,
            }
        }
    }

    /// Closes the port of this number, if it is deposited or as soon as it is: the message with its key was lost.
    pub fn forget(&self, port: PortId) {
        let mut table = self.table.lock();
        let key = table.by_port.get(&port).copied();
        let lost = key.and_then(|key| table.take(key));
        if lost.is_none() {
            // The news may come before the sender has come back to deposit it, which then finds no announcement.
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

    /// Whether the port of this number is deposited.
    pub fn is_deposited(&self, port: PortId) -> bool {
        self.table.lock().by_port.contains_key(&port)
    }

    /// Whether the port of this number is announced, and may be deposited any moment.
    pub fn is_announced(&self, port: PortId) -> bool {
        self.table.lock().entries.values().any(|entry| entry.announces(port))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::thread;

    use super::*;
    use crate::channel::{Message, Posted, Received, channel};

    #[test]
    fn a_deposited_port_is_kept_alive_and_claimed_once() {
        let transit = Transit::new();
        let (near, far) = channel(None);
        let id = far.id();
        let key = transit.deposit_new(far.detach().unwrap());
        drop(far);
        assert_eq!(near.post(Message::default()), Posted::Queued);
        let there = transit.claim(key, 1).unwrap().attach(None);
        assert_eq!(there.id(), id);
        assert!(transit.claim(key, 1).is_none());
        assert!(matches!(there.take_one(), Received::Message(_)));
        assert_eq!(transit.table.lock().by_port.len(), 0);
    }

    #[test]
    fn a_forgotten_port_closes() {
        let transit = Transit::new();
        let (near, far) = channel(None);
        let (other, lost) = channel(None);
        let key = transit.deposit_new(far.detach().unwrap());
        transit.forget(far.id());
        transit.forget(far.id());
        assert!(matches!(near.take_one(), Received::Closed));
        assert!(transit.claim(key, 1).is_none());
        transit.drop_key(transit.deposit_new(lost.detach().unwrap()));
        assert!(matches!(other.take_one(), Received::Closed));
    }

    #[test]
    fn a_port_that_is_forgotten_before_it_is_deposited_closes_when_it_is() {
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
            transit.deposit(key, far.detach().unwrap());
            assert!(matches!(near.take_one(), Received::Closed));
            transit.deposit(of_other, other.detach().unwrap());
            assert!(transit.claim(of_other, 2).is_some());
        }
    }

    #[test]
    fn a_claim_waits_for_the_party_that_announced_the_port() {
        let transit = Transit::new();
        let (near, far) = channel(None);
        let key = transit.announce(1, far.id());
        assert!(transit.claim(key, 1).is_none(), "not for its own");
        thread::scope(|scope| {
            let claim = scope.spawn(|| transit.claim(key, 2));
            transit.deposit(key, far.detach().unwrap());
            assert!(claim.join().unwrap().is_some());
        });
        assert!(matches!(near.take_one(), Received::Closed));
    }

    #[test]
    fn a_withdrawn_key_ends_the_wait_and_a_port_deposited_too_late_closes() {
        let transit = Transit::new();
        let (near, far) = channel(None);
        let key = transit.announce(1, far.id());
        thread::scope(|scope| {
            let claim = scope.spawn(|| transit.claim(key, 2));
            transit.withdraw(key);
            assert!(claim.join().unwrap().is_none());
        });
        assert!(far.is_open());
        transit.deposit(key, far.detach().unwrap());
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
