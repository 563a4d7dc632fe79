//! What the tests of this folder share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::{Message, Owner, Port, PortId, Received};
use crate::value::{Envelope, Part};

/// A message that is a number.
pub(super) fn numbered(number: u64) -> Message {
    Message::from(Envelope { wire: number.to_le_bytes().to_vec(), parts: Vec::new() })
}

/// The number a message is.
pub(super) fn number(message: &Message) -> u64 {
    u64::from_le_bytes(message.envelope.wire.as_slice().try_into().expect("a numbered message"))
}

/// A message that carries a port.
pub(super) fn carrying(port: &Port) -> Message {
    let transit = port.detach().expect("an open port of one's own");
    Message::from(Envelope { wire: Vec::new(), parts: vec![Part::Port(transit)] })
}

/// The port a message carries, attached to nobody.
pub(super) fn carried(message: Message) -> Option<Port> {
    message.envelope.parts.into_iter().find_map(|part| match part {
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
