//! A port of a MessageChannel in a task.

use std::time::Duration;

use rust_workers_abi::FOREVER;
use serde::Serialize;
use serde::de::{self, Deserialize, DeserializeOwned, Deserializer, Visitor};

use crate::context::nanoseconds;
use crate::error::Error;
use crate::raw::{self, Call, Waited};
use crate::{de as from_wire, ser};

pub(crate) const PORT: &str = "$rust_workers::Port";

/// What a wait for a message has come to.
#[derive(Debug, Clone, PartialEq)]
pub enum Received<T> {
    /// A message.
    Message(T),
    /// The other end is closed, and all its messages were received.
    Closed,
    /// Nothing came in time.
    TimedOut,
}

/// A port of a `MessageChannel` of rust-workers, which was part of the task's input. Waits end with an error as soon as the task
/// should stop.
#[derive(Clone, Copy)]
pub struct Port<'a> {
    call: Call<'a>,
    index: usize,
}

impl Port<'_> {
    /// The next message, whenever it comes; `None` when the other end is closed and all its messages were received.
    ///
    /// ```
    /// # use rust_workers_task::{Error, Port};
    /// #[rust_workers_task::task]
    /// fn total(port: Port) -> Result<f64, Error> {
    ///     let mut total = 0.0;
    ///     while let Some(number) = port.recv::<f64>()? {
    ///         total += number;
    ///     }
    ///     Ok(total)
    /// }
    /// # let (ours, theirs) = rust_workers_task::testing::channel();
    /// # ours.send(&1.5).unwrap();
    /// # ours.send(&2).unwrap();
    /// # drop(ours);
    /// # assert_eq!(rust_workers_task::testing::task("total").input(&theirs).run::<f64>().unwrap(), 3.5);
    /// ```
    pub fn recv<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        match self.receive(FOREVER)? {
            Received::Message(message) => Ok(Some(message)),
            Received::Closed | Received::TimedOut => Ok(None),
        }
    }

    /// The next message, if one comes in this time.
    pub fn recv_timeout<T: DeserializeOwned>(&self, time: Duration) -> Result<Received<T>, Error> {
        self.receive(nanoseconds(time))
    }

    fn receive<T: DeserializeOwned>(&self, timeout: u64) -> Result<Received<T>, Error> {
        Ok(match self.call.receive(self.index, timeout)? {
            Waited::Done(message) => {
                let value = from_wire::from_input(&message.input()).map_err(|fault| fault.of("message"))?;
                Received::Message(value)
            }
            Waited::Closed => Received::Closed,
            Waited::TimedOut => Received::TimedOut,
        })
    }

    /// Sends a copy. Waits for room where the channel has a limit. `false`: the other end is closed.
    pub fn send<T: Serialize + ?Sized>(&self, message: &T) -> Result<bool, Error> {
        Ok(matches!(self.post(message, FOREVER)?, Received::Message(())))
    }

    /// Sends a copy, if there is room within this time.
    pub fn send_timeout<T: Serialize + ?Sized>(
        &self,
        message: &T,
        time: Duration,
    ) -> Result<Received<()>, Error> {
        self.post(message, nanoseconds(time))
    }

    fn post<T: Serialize + ?Sized>(&self, message: &T, timeout: u64) -> Result<Received<()>, Error> {
        let (wire, _) = ser::to_wire(message, None).map_err(|fault| fault.of("message"))?;
        Ok(match self.call.send(self.index, timeout, &wire)? {
            Waited::Done(()) => Received::Message(()),
            Waited::Closed => Received::Closed,
            Waited::TimedOut => Received::TimedOut,
        })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Port<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfTag;
        impl<'de> Visitor<'de> for OfTag {
            type Value = Port<'de>;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a port of a MessageChannel")
            }
            fn visit_borrowed_bytes<E: de::Error>(self, tag: &'de [u8]) -> Result<Self::Value, E> {
                let (call, index) =
                    raw::take_port(tag).ok_or_else(|| E::invalid_type(de::Unexpected::Bytes(tag), &self))?;
                Ok(Port { call, index })
            }
        }
        deserializer.deserialize_newtype_struct(PORT, OfTag)
    }
}

impl std::fmt::Debug for Port<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Port({})", self.index)
    }
}
