//! How events reach an environment's JavaScript: when a batch is delivered, and when the thread waits for the next.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::batch::{self, Receiver, Tables};
use super::call_buffer::BATCH;
use super::event::Event;
use super::js::{Js, JsValue, Reference, Result, Type};

/// How long one delivery may follow the other before timers and I/O get their turn.
///
/// Node calls a threadsafe function's callback up to a thousand times in one turn of the event loop, as long as it is
/// woken meanwhile. Where each answer makes the next task, and takes a millisecond to copy, that would be a second.
const TURN: Duration = Duration::from_millis(2);

/// The functions and arrays of JavaScript by which events are delivered.
struct Opened {
    receiver: Receiver,
    /// Runs what listeners have left to be run; only where the thread may wait in place.
    settle: Option<Reference>,
}

/// The delivery of one environment. Used on its own thread only.
#[derive(Default)]
pub(super) struct Delivery {
    opened: RefCell<Option<Opened>>,
    /// Events taken and not delivered yet; kept from batch to batch for its memory.
    batch: Cell<VecDeque<Event>>,
    /// Memory to take events into.
    spare: Cell<Vec<Event>>,
    /// Whether the thread is blocked: nothing of the user's may run.
    quiet: Cell<bool>,
    /// When the event loop was last known to begin a turn.
    turn_began: Cell<Option<Instant>>,
}

impl Delivery {
    /// Names the deliver function, the function that settles where the thread may wait in place (`adaptive_wait.rs`), and the
    /// array for values out of band. True when there is waiting in place.
    pub(super) fn open<'call>(
        &self,
        js: Js<'call>,
        [deliver, settle, out_of_band]: [JsValue<'call>; 3],
    ) -> Result<bool> {
        let waits = js.type_of(settle)? == Type::Function;
        let settle = if waits { Some(js.reference(settle)?) } else { None };
        let receiver = Receiver { deliver: js.reference(deliver)?, out_of_band: js.reference(out_of_band)? };
        if let Some(before) = self.opened.replace(Some(Opened { receiver, settle })) {
            let Opened { receiver: Receiver { deliver, out_of_band }, settle } = before;
            [deliver, out_of_band].into_iter().chain(settle).try_for_each(|it| js.release(it))?;
        }
        Ok(waits)
    }

    /// The event queue has woken the event loop: delivers a batch, or asks for a turn of the loop before.
    pub(super) fn woken(&self, js: Js<'_>, tables: Tables<'_>) {
        tables.core.adaptive_wait().woken();
        if self.is_in_turn() {
            self.deliver(js, tables);
        } else {
            self.drain(js, tables, 0, false);
        }
    }

    /// The event loop has begun a turn, as was asked for: delivers a batch.
    pub(super) fn resume(&self, js: Js<'_>, tables: Tables<'_>) {
        self.turn_began.set(Some(Instant::now()));
        self.deliver(js, tables);
    }

    /// Blocks the thread until an event is due, or the time is up, and delivers a batch of what is due. Nothing of the user's
    /// runs meanwhile, as JavaScript is told with the batch.
    pub(super) fn wait(&self, js: Js<'_>, tables: Tables<'_>, time: Duration) {
        let batch = self.batch.take();
        let is_left = !batch.is_empty();
        self.batch.set(batch);
        if is_left || tables.core.events().block(time) {
            self.quiet.set(true);
            self.drain(js, tables, BATCH, false);
            self.quiet.set(false);
        }
    }

    fn is_in_turn(&self) -> bool {
        self.turn_began.get().is_some_and(|began| began.elapsed() < TURN)
    }

    /// Delivers a batch; and more, for which it waits in place, as long as that is worth while.
    fn deliver(&self, js: Js<'_>, tables: Tables<'_>) {
        let (events, adaptive_wait) = (tables.core.events(), tables.core.adaptive_wait());
        let mut stays = adaptive_wait.is_worth_while();
        let mut more = self.drain(js, tables, BATCH, stays);
        while stays && !more {
            let in_turn = self.is_in_turn() && self.settle(js);
            adaptive_wait.exchanged();
            stays = in_turn && adaptive_wait.is_worth_while();
            let came = if stays { events.wait_in_place() } else { events.rest() };
            if came {
                more = self.drain(js, tables, if in_turn { BATCH } else { 0 }, stays);
            } else {
                if stays {
                    adaptive_wait.in_vain();
                }
                break;
            }
        }
        adaptive_wait.asleep();
    }

    /// Runs what listeners have left to be run: it may be what the other thread waits for. False when that failed.
    fn settle(&self, js: Js<'_>) -> bool {
        let opened = self.opened.borrow();
        let Some(settle) = opened.as_ref().and_then(|opened| opened.settle.as_ref()) else { return false };
        // It throws nothing (`lib/runtime/turn.js`) unless the environment is ending.
        let settled = js.referenced(settle).and_then(|function| js.call(function, &[]));
        if settled.is_err() {
            js.report_exception();
        }
        settled.is_ok()
    }

    /// Delivers at most `most` events. When some are left, JavaScript learns that, and calls `resume` in the next turn
    /// of its loop; so is the caller. With `stays`, the event queue stays awake: the caller comes back to it.
    fn drain(&self, js: Js<'_>, tables: Tables<'_>, most: usize, stays: bool) -> bool {
        let opened = self.opened.borrow();
        let Some(opened) = opened.as_ref() else { return false };
        let (mut events, mut spare) = (self.batch.take(), self.spare.take());
        let more = tables.core.events().take(most, &mut events, &mut spare, stays);
        self.batch.set(events);
        self.spare.set(spare);
        let more = batch::deliver(js, tables, &opened.receiver, &self.batch, most, more, self.quiet.get());
        more.unwrap_or_else(|_| {
            // If the environment is ending, nobody is left to report to; otherwise this reports the error.
            js.report_exception();
            false
        })
    }

    /// The environment ends: nothing is delivered any more.
    pub(super) fn close(&self) {
        drop(self.batch.take());
        drop(self.spare.take());
        // Not released: its references end with the environment.
        self.opened.replace(None);
    }
}
