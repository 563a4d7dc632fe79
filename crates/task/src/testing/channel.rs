//! Message channels of tests.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rust_workers_abi::outcome;
use serde::de::DeserializeOwned;
use serde::ser::{Serialize, Serializer};

use super::memory;
use crate::error::Error;
use crate::port::PORT;
use crate::raw::Input;
use crate::{de, ser};

/// Messages of one direction.
#[derive(Default)]
struct Line {
    state: Mutex<(VecDeque<Vec<u8>>, bool)>,
    changed: Condvar,
}

impl Line {
    fn push(&self, wire: Vec<u8>) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.1 {
            return false;
        }
        state.0.push_back(wire);
        drop(state);
        self.changed.notify_all();
        true
    }

    fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.changed.notify_all();
    }

    /// A message, or why there is none. `stops` is asked every millisecond.
    fn pop(&self, until: Option<Instant>, stops: &dyn Fn() -> bool) -> Result<Vec<u8>, i32> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(wire) = state.0.pop_front() {
                return Ok(wire);
            }
            if state.1 {
                return Err(outcome::CLOSED);
            }
            if stops() {
                return Err(outcome::STOPPED);
            }
            if until.is_some_and(|until| until <= Instant::now()) {
                return Err(outcome::TIMED_OUT);
            }
            let waited = self.changed.wait_timeout(state, Duration::from_millis(1));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// One end of a channel: in the input of a run it is a port of the task; otherwise the test sends and receives by it. It is closed
/// when it is dropped.
pub struct End(Arc<Side>);

pub(super) struct Side {
    inbox: Arc<Line>,
    outbox: Arc<Line>,
}

impl Drop for Side {
    fn drop(&mut self) {
        self.inbox.close();
        self.outbox.close();
    }
}

/// Two ends of a channel.
pub fn channel() -> (End, End) {
    let (here, there) = (Arc::new(Line::default()), Arc::new(Line::default()));
    let side = |inbox: &Arc<Line>, outbox: &Arc<Line>| {
        End(Arc::new(Side { inbox: inbox.clone(), outbox: outbox.clone() }))
    };
    (side(&here, &there), side(&there, &here))
}

impl Side {
    pub(super) fn send(&self, wire: Vec<u8>) -> bool {
        self.outbox.push(wire)
    }

    pub(super) fn receive(&self, until: Option<Instant>, stops: &dyn Fn() -> bool) -> Result<Vec<u8>, i32> {
        self.inbox.pop(until, stops)
    }
}

impl End {
    /// Sends a message. `false`: the other end is closed.
    pub fn send<T: Serialize + ?Sized>(&self, message: &T) -> Result<bool, Error> {
        let (wire, _) = ser::to_wire(message, None).map_err(|fault| fault.of("message"))?;
        Ok(self.0.send(wire))
    }

    /// The next message within a minute. `None`: the other end is closed, or none came.
    pub fn recv<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        let until = Instant::now() + Duration::from_secs(60);
        match self.0.receive(Some(until), &|| false) {
            Ok(wire) => de::from_input(&Input::of_wire(&wire)).map(Some).map_err(|fault| fault.of("message")),
            Err(_) => Ok(None),
        }
    }
}

impl Serialize for End {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        memory::pass(memory::Thing::Port(self.0.clone()), |number| {
            serializer.serialize_newtype_struct(PORT, &number)
        })
    }
}
