//! Message channels: two ports, each with an inbox that the other end fills.
//!
//! ```
//! use rust_workers::channel::{Message, Received, channel};
//! use rust_workers::value::Envelope;
//!
//! let (near, far) = channel(None);
//! near.post(Message::from(Envelope { wire: vec![1], parts: vec![] }));
//! near.close();
//! // A message that was posted before the close is delivered before it.
//! let Received::Message(message) = far.take_one() else { unreachable!() };
//! assert_eq!(*message.wire, [1]);
//! assert!(matches!(far.take_one(), Received::Closed));
//! ```
//!
//! * `message` — messages, and the results of posting and taking; `wire` — a message's bytes.
//! * `inbox` — the state machine of one end, with the protocol at its head.
//! * `port` — the two ends put together: post, take, close, change of owner.
//! * `port_waker` — how the event loop that owns a port is woken.
//! * `blocking` — the forms that put the calling thread to sleep.
//! * `handle` — one end as a native task has it.
//! * `transit_table` — ports that move by key, through something that can carry only text.
//! * `discard` — dropping messages without recursion.

mod blocking;
mod discard;
mod handle;
mod inbox;
mod message;
mod port;
mod port_waker;
mod transit_table;
mod wire;

#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(all(test, not(loom)))]
mod port_tests;
#[cfg(all(test, not(loom)))]
mod stress_tests;
#[cfg(all(test, not(loom)))]
mod test_support;

pub use handle::{PortHandle, ReceiveError};
pub use message::{Fallback, Message, Posted, Received, Refusal, Refused, Taken};
pub use port::{Port, PortInTransit, channel};
pub use port_waker::{PortId, PortWaker};
pub use transit_table::{Transit, TransitKey};
pub use wire::Wire;
