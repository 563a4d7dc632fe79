//! What the tests of this folder share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::{Message, Owner, Port, PortId, Received};
use crate::value::{Envelope, Part};

/// A message that is a number.
pub(super) fn numbered(number: u64) -> Message {
    Message::from(Envelope { wire: number.to_le_bytes().to_vec(), parts: Vec::new() })
}

/// The number a message is.
pub(super) fn number(message: &Message) -> u64 {
    u64::from_le_bytes((*message.wire).try_into().expect("a numbered message"))
}

/// A message that carries a port.
pub(super) fn carrying(port: &Port) -> Message {
    let transit = port.detach().expect("an open port of one's own");
    Message::from(Envelope { wire: Vec::new(), parts: vec![Part::Port(transit)] })
}

/// The port a message carries, attached to nobody.
pub(super) fn carried(message: Message) -> Option<Port> {
    message.parts.into_iter().find_map(|part| match part {
        Part::Port(transit) => Some(transit.attach(None)),
        _ => None,
    })
}

/// The number received, or a panic that says what came instead.
#[track_caller]
pub(super) fn expect_number(received: Received) -> u64 {
    match received {
        Received::Message(message) => number(&message),
        other => panic!("a message was expected, not {other:?}"),
    }
}

/// Returns when `count` threads are asleep at `port` for a message.
pub(super) fn until_readers_sleep(port: &Port, count: usize) {
    until(|| port.0.own().inbox.lock().asleep().0 == count);
}

/// Returns when `count` threads are asleep at `port` for room at the other end.
pub(super) fn until_writers_sleep(port: &Port, count: usize) {
    until(|| port.0.peer().inbox.lock().asleep().1 == count);
}

fn until(mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(30), "no thread went to sleep");
        thread::sleep(Duration::from_micros(200));
    }
}

/// An owner that notes how it was called.
#[derive(Default)]
pub(super) struct Witness {
    wakes: AtomicUsize,
    rooms: AtomicUsize,
    last: Mutex<Option<PortId>>,
}

impl Witness {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(super) fn wakes(&self) -> usize {
        self.wakes.load(Ordering::SeqCst)
    }

    pub(super) fn rooms(&self) -> usize {
        self.rooms.load(Ordering::SeqCst)
    }

    pub(super) fn last(&self) -> Option<PortId> {
        *self.last.lock()
    }
}

impl Owner for Witness {
    fn wake(&self, port: PortId) {
        self.wakes.fetch_add(1, Ordering::SeqCst);
        *self.last.lock() = Some(port);
    }

    fn room(&self, port: PortId) {
        self.rooms.fetch_add(1, Ordering::SeqCst);
        *self.last.lock() = Some(port);
    }
}
