//! Everything that comes back to a JavaScript environment: one queue, one wake.
//!
//! # The one-wake rule
//! Events are pushed from any thread; the one that finds the environment's thread asleep wakes its event loop through the
//! wakeup, and all others only push ([`Lines`] has the protocol). The environment's thread takes what is there and delivers it
//! in bounded batches; it goes to sleep only when nothing is left, else JavaScript asks for the next batch in the next turn of its
//! loop: continuations, timers and I/O come between two batches.
//!
//! A pool's native threads push answers to lines of their own; everything else is pushed to the common line, so it
//! is delivered after all that its thread knows to have been pushed before.
//!
//! *Waiting in place.* The environment's thread may stay awake after a batch and wait here for the next event
//! (`adaptive_wait.rs`); the first pushing thread ends that wait. It leaves by the same rule, asleep only if nothing is due. So
//! does a thread that blocks until its task is answered (`block`), wherever in its turn it was.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::event::{Answer, Event};
use super::pin_count::PinCount;
use super::wakeup::Wakeup;
use super::watchdog::{self, Watched};
use crate::cancel::Reason;
use crate::error::Result;
use crate::lines::{COMMON, Lines, Pushed};
use crate::pool::{Asked, Outbox, Outputs, Report, ScriptOutcome, Trip, Waker};
use crate::value::{Payload, Value};

/// Ends a wait in place if the watchdog does not get to run.
const BACKSTOP: Duration = Duration::from_millis(20);

/// An environment's event queue.
pub(crate) struct EventQueue {
    lines: Lines<Event>,
    closed: AtomicBool,
    place: Mutex<Place>,
    /// For the environment's own thread, while it waits in place.
    came: Condvar,
    wakeup: Wakeup,
    pins: PinCount,
}

/// Where the environment's thread waits in place.
#[derive(Default)]
struct Place {
    /// Whether it does.
    occupied: bool,
    /// How often it has, and as of when the watchdog has seen it, if that looks this way.
    waits: u64,
    seen: u64,
    watched: bool,
}

impl EventQueue {
    pub(super) fn new() -> Self {
        EventQueue {
            lines: Lines::default(),
            closed: AtomicBool::new(false),
            place: Mutex::default(),
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
        self.push_to(COMMON, event);
    }

    #[inline]
    fn push_to(&self, line: usize, event: Event) {
        match self.lines.push(line, event) {
            Pushed::Known | Pushed::Dropped => {}
            Pushed::Wake => self.wakeup.wake(),
            Pushed::EndWait => {
                // Under the lock: the thread is about to sleep on `came`, or does.
                self.place.lock().occupied = false;
                self.came.notify_one();
            }
        }
    }

    /// Moves all events into `batch`; `spare` is memory to use again. True when the caller must come back: because more than
    /// `most` are in the batch, or because it stays awake, by [`EventQueue::wait_in_place`] or [`EventQueue::rest`].
    pub(super) fn take(
        &self,
        most: usize,
        batch: &mut VecDeque<Event>,
        spare: &mut Vec<Event>,
        stay_awake: bool,
    ) -> bool {
        self.lines.take(batch, spare);
        let left = batch.len() > most;
        left || (!stay_awake && self.lines.rest())
    }

    /// Waits in place for an event, for a moment. False when none has come: then the queue is asleep. Only on the
    /// environment's own thread.
    pub(super) fn wait_in_place(&'static self) -> bool {
        let mut place = self.place.lock();
        if !self.closed.load(Ordering::Relaxed) && self.lines.begin_wait() {
            place.occupied = true;
            place.waits += 1;
            if !std::mem::replace(&mut place.watched, true) {
                drop(place);
                let watched = watchdog::watch(self);
                place = self.place.lock();
                place.watched = watched;
                place.occupied &= watched;
            }
            while place.occupied && !self.came.wait_for(&mut place, BACKSTOP).timed_out() {}
            place.occupied = false;
        }
        self.lines.rest()
    }

    /// Blocks the environment's thread until an event is due, or the time is up. True when events are due: then the queue is
    /// awake, and the caller takes them. Only on the environment's own thread, from wherever that is.
    pub(super) fn block(&self, time: Duration) -> bool {
        let mut place = self.place.lock();
        if !self.closed.load(Ordering::Relaxed) && self.lines.begin_wait() {
            place.occupied = true;
            let until = Instant::now() + time;
            // The watchdog may end it sooner: it has not forgotten the wait before.
            while place.occupied && !self.came.wait_until(&mut place, until).timed_out() {}
            place.occupied = false;
        }
        self.lines.rest()
    }

    /// Ends the turn of an environment that has stayed awake. False when nothing is due, and the queue asleep.
    pub(super) fn rest(&self) -> bool {
        self.lines.rest()
    }

    /// Drops the events in the queue, and all that still come.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        self.lines.close();
    }
}

impl Watched for EventQueue {
    fn tick(&self) -> bool {
        let mut place = self.place.lock();
        let waits = place.waits;
        if std::mem::replace(&mut place.seen, waits) != waits {
            return true;
        }
        if std::mem::take(&mut place.occupied) {
            drop(place);
            self.came.notify_one();
            return true;
        }
        place.watched = false;
        false
    }
}

impl Outbox for EventQueue {
    /// Runs on the pool's thread: what can be prepared is prepared here and not on the JavaScript thread.
    fn settle(&self, line: usize, id: u64, outcome: Result<Value>) {
        self.settle_measured(line, id, outcome, None);
    }

    fn settle_measured(&self, line: usize, id: u64, outcome: Result<Value>, trip: Option<Trip>) {
        self.push_to(line, Event::Settled { id, answer: outcome.into(), trip });
    }

    fn report(&self, line: usize, id: u64, report: Report) {
        self.push_to(line, Event::TaskReport { id, report });
    }

    fn call(&self, line: usize, asked: Asked, payload: Payload) {
        self.push_to(line, Event::Call { asked, answer: payload.into() });
    }

    fn call_over(&self, line: usize, number: u64) {
        self.push_to(line, Event::CallOver { number });
    }

    fn started(&self, id: u64) {
        self.push(Event::Progress { id, answer: Answer::TaskStarted(Instant::now()) });
    }

    fn settle_batch(&self, id: u64, outcome: Result<Outputs>, trip: Option<Trip>) {
        self.push(Event::Settled { id, answer: outcome.into(), trip });
    }

    fn settle_script(&self, id: u64, outcome: ScriptOutcome, trip: Option<Trip>) {
        self.push(Event::Settled { id, answer: outcome.into(), trip });
    }
}

impl Waker for EventQueue {
    fn notify(&self) {
        self.push(Event::Work);
    }

    fn notify_awake(&self) {
        if !self.lines.is_asleep() {
            self.push(Event::Work);
        }
    }

    fn stop(&self, id: u64, reason: Reason) {
        self.push(Event::Stop { id, reason });
    }

    fn grant_parts(&self, id: u64, count: u32) {
        self.push(Event::Grant { id, count });
    }
}
