//! Seals: how a thread distinguishes a message of ours from user data that looks like one.
//!
//! Where messages of users go as they are (a Worker's messages, `workerData`, environment data), a message with objects
//! of ours is marked by a name and a *stamp*. Both are derived from a key that no JavaScript sees: nobody can guess the
//! name, and nobody who has seen it (with stamps) can make another stamp. A stamp is valid for one route, and for one
//! number on it, so that an echo of the message opens nothing.
//!
//! On a route that keeps the order of messages, the numbers count up, and the receiver accepts none that is not above the
//! last. On a route without an order, the number is *single*: it is stored here when it is issued, and removed when
//! it is redeemed.
//!
//! Several images of this library may be in one process (two copies of the package). They know each other's name and
//! stamps where the system gives a process random bytes that all of its code can read; each message says which
//! image it is from, since the objects of one image are of no use to another.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

// Not the switch of `crate::sync`: loom has no part in it, and its mutexes are no statics.
use parking_lot::Mutex;

/// The most single numbers that may be out. A message that waits while a million others are lost is no longer accepted.
const MOST_SINGLES: usize = 1 << 20;

static KEY: OnceLock<[u8; 32]> = OnceLock::new();

/// Where a stamp is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The kind of route, a number of the caller's.
    pub kind: u32,
    /// The thread that the route leads to or comes from.
    pub thread: u64,
    /// The image whose message it is.
    pub image: u64,
}

/// Makes the key, the first time. `process` are random bytes that are the same for every image in this process, where the
/// system has such bytes.
pub fn open(process: Option<[u8; 16]>) {
    KEY.get_or_init(|| match process {
        Some(random) => blake3::derive_key("rust-workers seals of a process", &random),
        None => own_random(),
    });
}

/// Random bytes of this image: the keys of the standard library's hash maps, which it gets from the system, behind a
/// function that does not reveal them. They are no secret that may outlive the process.
fn own_random() -> [u8; 32] {
    let source = RandomState::new();
    let mut seed = [0; 32];
    for (i, word) in seed.chunks_exact_mut(8).enumerate() {
        word.copy_from_slice(&source.hash_one(i).to_le_bytes());
    }
    seed
}

/// A name or a stamp, as text: 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag([u8; 32]);

impl Tag {
    fn of(bytes: [u8; 16]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 32];
        for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        Tag(text)
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

fn tag(message: &[u8]) -> [u8; 16] {
    let key = KEY.get_or_init(own_random);
    let hash = blake3::keyed_hash(key, message);
    let mut tag = [0; 16];
    tag.copy_from_slice(&hash.as_bytes()[..16]);
    tag
}

/// The name that marks a message which may be ours, the same for all images.
pub fn name() -> Tag {
    Tag::of(tag(b"name"))
}

/// Which image this is: a hash of an address, which no other image has while both are loaded. JavaScript holds it exactly.
pub fn image() -> u64 {
    let address = std::ptr::from_ref(&KEY).addr() as u64;
    let [a, b, c, d, e, f, ..] = tag(&address.to_le_bytes());
    u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
}

/// The stamp of one message.
pub fn stamp(route: Route, number: u64) -> Tag {
    let mut message = [0; 28];
    message[..4].copy_from_slice(&route.kind.to_le_bytes());
    message[4..12].copy_from_slice(&route.thread.to_le_bytes());
    message[12..20].copy_from_slice(&route.image.to_le_bytes());
    message[20..].copy_from_slice(&number.to_le_bytes());
    Tag::of(tag(&message))
}

/// Numbers that are accepted once.
struct Singles {
    last: u64,
    out: BTreeSet<u64>,
}

static SINGLES: Mutex<Singles> = Mutex::new(Singles { last: 0, out: BTreeSet::new() });

/// A new number that can be redeemed once, by any thread.
pub fn issue() -> u64 {
    let mut singles = SINGLES.lock();
    singles.last += 1;
    let number = singles.last;
    singles.out.insert(number);
    if singles.out.len() > MOST_SINGLES {
        singles.out.pop_first();
    }
    number
}

/// Whether the number was out; it is out no longer.
pub fn redeem(number: u64) -> bool {
    SINGLES.lock().out.remove(&number)
}

/// A few bits for each JavaScript thread, by its number in Node, which is never used again.
static THREADS: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// A number that no program reaches.
const MOST_THREADS: usize = 1 << 24;

/// Sets bits of a thread.
pub fn note(thread: usize, bits: u8) {
    if thread >= MOST_THREADS {
        return;
    }
    let mut threads = THREADS.lock();
    if threads.len() <= thread {
        threads.resize(thread + 1, 0);
    }
    threads[thread] |= bits;
}

/// The bits of a thread.
pub fn notes(thread: usize) -> u8 {
    THREADS.lock().get(thread).copied().unwrap_or(0)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const ROUTE: Route = Route { kind: 1, thread: 2, image: 3 };

    #[test]
    fn a_stamp_is_for_one_message_of_one_route() {
        let stamp_of = |kind, thread, image, number| stamp(Route { kind, thread, image }, number);
        assert_eq!(stamp(ROUTE, 4), stamp_of(1, 2, 3, 4));
        let others = [stamp_of(0, 2, 3, 4), stamp_of(1, 0, 3, 4), stamp_of(1, 2, 0, 4), stamp_of(1, 2, 3, 5)];
        for (i, other) in others.iter().enumerate() {
            assert_ne!(stamp(ROUTE, 4), *other, "{i}");
            assert_ne!(name(), *other, "{i}");
        }
        // The fields are of a fixed length each: two routes never give the same bytes.
        assert_ne!(stamp_of(0, 0x0100_0000_0000_0000, 0, 0), stamp_of(0, 0, 1, 0));
    }

    #[test]
    fn a_tag_is_written_byte_by_byte() {
        let bytes = [0xfe, 0, 1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0, 0, 0, 0, 0x10, 0xff];
        assert_eq!(Tag::of(bytes).as_str(), "fe000123456789abcdef0000000010ff");
    }

    #[test]
    fn a_single_number_is_accepted_once() {
        let (first, second) = (issue(), issue());
        assert_ne!(first, second);
        assert!(redeem(second));
        assert!(!redeem(second));
        assert!(redeem(first));
        assert!(!redeem(u64::MAX));
    }

    #[test]
    fn the_bits_of_a_thread_stay_with_it() {
        note(70, 1);
        note(70, 4);
        assert_eq!((notes(70), notes(69), notes(1 << 30)), (5, 0, 0));
        note(usize::MAX, 1);
    }
}
