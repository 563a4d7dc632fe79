//! How the event loop that owns a port is woken, and the number by which it knows the port.

/// Wakes the event loop that takes from a port. It gets the port's number, and takes later, on its own thread.
///
/// Both methods are called on any thread, without a lock held. A call may come late (see "late wake" in `inbox.rs`), and
/// before `attach` has returned: note the number, do not act on it inside the call.
pub trait PortWaker: Send + Sync {
    /// Something is due: take with [`Port::take_batch`](super::Port::take_batch) until it, or [`Port::end_turn`](super::Port::end_turn), answers anything but
    /// [`Taken::More`](super::Taken::More). Until then no further call comes for this port.
    fn wake(&self, port: PortId);
    /// There is room in the inbox of the other end, or the channel is closed: try again to post the refused message. Called
    /// once for each [`Port::want_room`](super::Port::want_room) that answered [`Refusal::Full`](super::Refusal::Full).
    fn room(&self, port: PortId);
}

/// The number of a port in this process. It stays with the end when the port moves, and is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortId(pub(super) u64);

impl PortId {
    /// The number: below 2^53, so that JavaScript holds it exactly.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl From<u64> for PortId {
    fn from(number: u64) -> Self {
        PortId(number)
    }
}
