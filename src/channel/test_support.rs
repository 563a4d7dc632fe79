//! Helpers for the tests of this folder.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::{Message, Port, PortId, PortInTransit, PortWaker, Received, channel};
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
    Message::from(Envelope { wire: Vec::new(), parts: vec![transit.into()] })
}

/// The port that a message carries, without an event loop.
pub(super) fn carried(message: Message) -> Option<Port> {
    message.parts.into_iter().find_map(|part| match part {
        Part::Port(port) => Some(PortInTransit::from(port).attach(None)),
        _ => None,
    })
}

/// A channel whose second port listens, and the waker of that port.
pub(super) fn listening() -> (Port, Port, Arc<Witness>) {
    let (near, far) = channel(None);
    let waker = Witness::new();
    far.set_waker(Some(waker.clone()));
    far.listen(true);
    (near, far, waker)
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

/// A waker that notes how it was called.
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

impl PortWaker for Witness {
    fn wake(&self, port: PortId) {
        self.wakes.fetch_add(1, Ordering::SeqCst);
        *self.last.lock() = Some(port);
    }

    fn room(&self, port: PortId) {
        self.rooms.fetch_add(1, Ordering::SeqCst);
        *self.last.lock() = Some(port);
    }
}
