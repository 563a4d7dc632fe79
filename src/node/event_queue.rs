//! Everything that comes back to a JavaScript environment: one queue, one wake.
//!
//! # The one-wake rule
//! An event is pushed under the lock. The pusher that finds the event queue *asleep* marks it *awake* and, after
//! releasing the lock, wakes the event loop through the wakeup; all others only push. The environment's thread takes a
//! bounded batch; it marks the event queue asleep again under the lock only when it has left it empty, else JavaScript asks
//! for the next batch in the next turn of its loop: continuations, timers and I/O come between two batches.
//!
//! *Waiting in place.* The environment's thread may stay awake after a batch and wait here for the next event
//! (`adaptive_wait.rs`); the first pusher wakes it. It leaves by the same rule, asleep only if the event queue is empty.
//!
//! *Lost wake-up.* Asleep is only ever set together with "empty" under the lock, so an event pushed later finds it
//! asleep and wakes. *Closed* is final: events are dropped, outside the lock.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::pin::{Pins, Reference};
use super::wakeup::Wakeup;
use super::watchdog;
use crate::cancel::Reason;
use crate::channel::PortId;
use crate::error::{Error, Result};
use crate::pool::{Outbox, ScriptOutcome, Waker};
use crate::shared;
use crate::value::{Bytes, Envelope, INLINE_BYTES, Part, Payload, Value, encode};

/// Events for which an empty event queue keeps room.
const KEPT: usize = 16 * 1024;

/// Ends a wait in place if the watchdog does not get to run.
const BACKSTOP: Duration = Duration::from_millis(20);

/// Something for the environment's thread to do.
pub(crate) enum Event {
    /// The answer to a job.
    Settled { id: u64, answer: Answer },
    /// A pool's last thread has ended.
    PoolClosed { pool: u32 },
    /// A script reported on its job `id`.
    Progress { id: u64, answer: Answer },
    /// The script worker whose seat has this key has sent its first message beside the queue: it is ready.
    WorkerReady { key: u64 },
    /// The worker whose seat has this key would have the memory of the input of the job `id` itself, and not a copy.
    InputWanted { id: u64, key: u64 },
    /// Everything that was pushed before it has been delivered.
    Fence { id: u64 },
    /// To a script worker: there may be work.
    Work,
    /// To a script worker: its job `id` should stop.
    Stop { id: u64, reason: Reason },
    /// A wait for a lock has ended: what was granted, or why not.
    LockEnded { id: u64, outcome: shared::Result<u32> },
    /// A port has something to take.
    PortDue(PortId),
    /// There is room at the other end of a port that had asked for it.
    PortRoom(PortId),
    /// An async wait on a cell has ended, by a notify or because its region closed.
    WaitEnded { id: u64, woken: bool },
    /// A reference to let go of.
    Release(Reference),
}

/// What a job came to, ready to be shown to JavaScript.
pub(crate) enum Answer {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    /// Bytes that do not ride in a wire.
    Bytes(Bytes),
    /// Anything else, in its wire form.
    Envelope(Envelope),
    Error(Error),
    /// What a script threw, in its wire form.
    Rejected(Envelope),
    /// It comes another way: the next message of the script worker whose seat has this key.
    Beside {
        failed: bool,
        from: u64,
    },
    /// The same, of a task whose time was up before: what came is for nobody.
    Late {
        from: u64,
    },
}

impl Answer {
    /// Bytes that the environment's thread may have to copy.
    pub(super) fn size(&self) -> usize {
        match self {
            Answer::Bytes(bytes) => bytes.len(),
            Answer::Envelope(Envelope { wire, parts }) | Answer::Rejected(Envelope { wire, parts }) => {
                let part = |part: &Part| match part {
                    Part::Bytes(bytes) => bytes.len(),
                    Part::Port(_) | Part::Shared(_) => 0,
                };
                wire.len() + parts.iter().map(part).sum::<usize>()
            }
            _ => 0,
        }
    }
}

/// An environment's event queue.
pub(crate) struct EventQueue {
    inbox: Mutex<Inbox>,
    /// For the environment's own thread, while it waits in place.
    came: Condvar,
    wakeup: Wakeup,
    pins: Pins,
}

#[derive(Default)]
struct Inbox {
    events: VecDeque<Event>,
    awake: bool,
    /// Whether the environment's thread waits in place.
    in_place: bool,
    /// How often it has, and as of when the watchdog has seen it, if that looks this way.
    waits: u64,
    seen: u64,
    watched: bool,
    closed: bool,
}

impl Inbox {
    fn rest(&mut self) -> bool {
        self.awake = !self.events.is_empty();
        self.awake
    }
}

impl EventQueue {
    pub(super) fn new() -> Self {
        EventQueue {
            inbox: Mutex::default(),
            came: Condvar::new(),
            wakeup: Wakeup::closed(),
            pins: Pins::default(),
        }
    }

    pub(crate) fn wakeup(&self) -> &Wakeup {
        &self.wakeup
    }

    pub(super) fn pins(&self) -> &Pins {
        &self.pins
    }

    /// Adds an event, from any thread.
    pub(crate) fn push(&self, event: Event) {
        let mut inbox = self.inbox.lock();
        if inbox.closed {
            drop(inbox);
            drop(event);
            return;
        }
        inbox.events.push_back(event);
        let in_place = std::mem::take(&mut inbox.in_place);
        let wake = !std::mem::replace(&mut inbox.awake, true);
        drop(inbox);
        if in_place {
            self.came.notify_one();
        } else if wake {
            self.wakeup.wake();
        }
    }

    /// Moves at most `most` events into `batch`. True when some are left: the caller must come back for them. So it
    /// must when it stays awake, by [`EventQueue::wait_in_place`] or [`EventQueue::rest`].
    pub(super) fn take(&self, most: usize, batch: &mut VecDeque<Event>, stay_awake: bool) -> bool {
        let mut inbox = self.inbox.lock();
        let count = inbox.events.len().min(most);
        batch.extend(inbox.events.drain(..count));
        let left = !inbox.events.is_empty();
        inbox.awake = left || stay_awake;
        if !left && inbox.events.capacity() > KEPT {
            // A burst's memory goes back once it has passed.
            inbox.events = VecDeque::new();
        }
        left
    }

    /// Waits in place for an event, for a moment. False when none has come: then the event queue is asleep. Only on the
    /// environment's own thread.
    pub(super) fn wait_in_place(&'static self) -> bool {
        let mut inbox = self.inbox.lock();
        if inbox.events.is_empty() && !inbox.closed {
            inbox.in_place = true;
            inbox.waits += 1;
            if !std::mem::replace(&mut inbox.watched, true) {
                drop(inbox);
                let watched = watchdog::watch(self);
                inbox = self.inbox.lock();
                inbox.watched = watched;
                inbox.in_place &= watched;
            }
            while inbox.in_place && !self.came.wait_for(&mut inbox, BACKSTOP).timed_out() {}
            inbox.in_place = false;
        }
        inbox.rest()
    }

    /// Ends the turn of an environment that has stayed awake. False when the event queue is empty, and asleep.
    pub(super) fn rest(&self) -> bool {
        self.inbox.lock().rest()
    }

    /// For the watchdog: ends a wait that was there already when it last looked. False when it need look no more.
    pub(super) fn tick(&self) -> bool {
        let mut inbox = self.inbox.lock();
        let waits = inbox.waits;
        if std::mem::replace(&mut inbox.seen, waits) != waits {
            return true;
        }
        if std::mem::take(&mut inbox.in_place) {
            drop(inbox);
            self.came.notify_one();
            return true;
        }
        inbox.watched = false;
        false
    }

    /// Drops what is in it and everything that still comes.
    pub(super) fn close(&self) {
        let mut inbox = self.inbox.lock();
        inbox.closed = true;
        let events = std::mem::take(&mut inbox.events);
        drop(inbox);
        // Outside the lock: an event's drop may push.
        drop(events);
    }
}

impl Answer {
    /// Prepared as far as it can be.
    fn of_value(value: Value) -> Self {
        match value {
            Value::Undefined => Answer::Undefined,
            Value::Null => Answer::Null,
            Value::Bool(flag) => Answer::Bool(flag),
            Value::Number(number) => Answer::Number(number),
            Value::Bytes(bytes) if bytes.is_foreign() || bytes.len() > INLINE_BYTES => Answer::Bytes(bytes),
            value => match encode(value) {
                Ok(envelope) => Answer::Envelope(envelope),
                Err(error) => Answer::Error(error),
            },
        }
    }

    pub(crate) fn of_payload(payload: Payload) -> Self {
        match payload {
            Payload::Value(value) => Answer::of_value(value),
            Payload::Envelope(envelope) => Answer::Envelope(envelope),
        }
    }
}

impl Outbox for EventQueue {
    /// Runs on the pool's thread: whatever can be prepared is prepared here and not on the JavaScript thread.
    fn settle(&self, id: u64, outcome: Result<Value>) {
        let answer = match outcome {
            Ok(value) => Answer::of_value(value),
            Err(error) => Answer::Error(error),
        };
        self.push(Event::Settled { id, answer });
    }

    fn settle_script(&self, id: u64, outcome: ScriptOutcome) {
        let answer = match outcome {
            ScriptOutcome::Done(payload) => Answer::of_payload(payload),
            ScriptOutcome::Failed(envelope) => Answer::Rejected(envelope),
            ScriptOutcome::Beside { failed, from } => Answer::Beside { failed, from },
            ScriptOutcome::Late { beside: Some(from) } => Answer::Late { from },
            ScriptOutcome::Late { beside: None } => Answer::Error(Reason::TimedOut.into_error()),
        };
        self.push(Event::Settled { id, answer });
    }
}

impl Waker for EventQueue {
    fn ring(&self) {
        self.push(Event::Work);
    }

    fn stop(&self, id: u64, reason: Reason) {
        self.push(Event::Stop { id, reason });
    }
}
