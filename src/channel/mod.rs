//! Message channels: two ports, each with an inbox that the other end fills.
//!
//! ```
//! use rust_workers::channel::{Message, Received, channel};
//! use rust_workers::value::Envelope;
//!
//! let (near, far) = channel(None);
//! near.post(Message::from(Envelope { wire: vec![1], parts: vec![] }));
//! near.close();
//! // What was posted before the close is delivered before it.
//! let Received::Message(message) = far.take_one() else { unreachable!() };
//! assert_eq!(*message.wire, [1]);
//! assert!(matches!(far.take_one(), Received::Closed));
//! ```
//!
//! * `message` — what is posted, and the answers to posting and taking.
//! * `inbox` — the state machine of one end, with the protocol told at its head.
//! * `port` — the two ends put together: post, take, close, change of owner.
//! * `blocking` — the forms that put the calling thread to sleep.
//! * `handle` — the face a native task gets.
//! * `set` — all ports of one JavaScript environment, for its teardown.
//! * `transit` — ports that travel by key, through something that can carry only text.
//! * `discard` — dropping messages without recursion.

mod blocking;
mod discard;
mod handle;
mod inbox;
mod message;
mod port;
mod set;
mod transit;
mod wire;

#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(all(test, not(loom)))]
mod port_tests;
#[cfg(all(test, not(loom)))]
mod speed_tests;
#[cfg(all(test, not(loom)))]
mod stress_tests;
#[cfg(all(test, not(loom)))]
mod test_support;

pub use handle::{PortHandle, ReceiveError};
pub use message::{Message, Posted, Received, Refusal, Refused, Side, Taken};
pub use port::{Owner, Port, PortId, PortInTransit, channel};
pub use set::PortSet;
pub use transit::{Transit, TransitKey};
pub use wire::Wire;
