//! Everything that comes back to a JavaScript environment: one queue, one wake.
//!
//! # The one-wake rule
//! An event is pushed under the lock. The pushing thread that finds the queue *asleep* marks it *awake* and, after
//! releasing the lock, wakes the event loop through the wakeup; all others only push. The environment's thread takes a
//! bounded batch; it marks the queue asleep again under the lock only when it has left it empty, else JavaScript asks for
//! the next batch in the next turn of its loop: continuations, timers and I/O come between two batches.
//!
//! *Waiting in place.* The environment's thread may stay awake after a batch and wait here for the next event
//! (`adaptive_wait.rs`); the first pushing thread wakes it. It leaves by the same rule, asleep only if the queue is empty.
//!
//! *Lost wake-up.* Asleep is only ever set together with "empty" under the lock, so an event pushed later finds it
//! asleep and wakes. *Closed* is final: events are dropped, outside the lock.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::event::Event;
use super::pin_count::PinCount;
use super::wakeup::Wakeup;
use super::watchdog::{self, Watched};
use crate::cancel::Reason;
use crate::error::Result;
use crate::pool::{Outbox, ScriptOutcome, Waker};
use crate::value::Value;

/// Events for which an empty queue keeps its memory.
const KEPT: usize = 16 * 1024;

/// Ends a wait in place if the watchdog does not get to run.
const BACKSTOP: Duration = Duration::from_millis(20);

/// An environment's event queue.
pub(crate) struct EventQueue {
    inbox: Mutex<Inbox>,
    /// For the environment's own thread, while it waits in place.
    came: Condvar,
    wakeup: Wakeup,
    pins: PinCount,
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
            pins: PinCount::default(),
        }
    }

    pub(super) fn wakeup(&self) -> &Wakeup {
        &self.wakeup
    }

    pub(super) fn pins(&self) -> &PinCount {
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

    /// Waits in place for an event, for a moment. False when none has come: then the queue is asleep. Only on the
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

    /// Ends the turn of an environment that has stayed awake. False when the queue is empty, and asleep.
    pub(super) fn rest(&self) -> bool {
        self.inbox.lock().rest()
    }

    /// Drops the events in the queue, and all that still come.
    pub(super) fn close(&self) {
        let mut inbox = self.inbox.lock();
        inbox.closed = true;
        let events = std::mem::take(&mut inbox.events);
        drop(inbox);
        // Outside the lock: an event's drop may push.
        drop(events);
    }
}

impl Watched for EventQueue {
    fn tick(&self) -> bool {
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
}

impl Outbox for EventQueue {
    /// Runs on the pool's thread: what can be prepared is prepared here and not on the JavaScript thread.
    fn settle(&self, id: u64, outcome: Result<Value>) {
        self.push(Event::Settled { id, answer: outcome.into() });
    }

    fn settle_script(&self, id: u64, outcome: ScriptOutcome) {
        self.push(Event::Settled { id, answer: outcome.into() });
    }
}

impl Waker for EventQueue {
    fn notify(&self) {
        self.push(Event::Work);
    }

    fn notify_awake(&self) {
        let mut inbox = self.inbox.lock();
        if !inbox.awake || inbox.closed {
            return;
        }
        inbox.events.push_back(Event::Work);
        let in_place = std::mem::take(&mut inbox.in_place);
        drop(inbox);
        if in_place {
            self.came.notify_one();
        }
    }

    fn stop(&self, id: u64, reason: Reason) {
        self.push(Event::Stop { id, reason });
    }
}
