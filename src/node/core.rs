//! The facts about an environment that all its parts may use.

use std::cell::{Cell, OnceCell};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::adaptive_wait::AdaptiveWait;
use super::call_buffer::CallBuffer;
use super::calls::Calls;
use super::event_queue::EventQueue;
use super::jobs::Jobs;
use super::js::{Js, JsValue, Reference, Result, Status};
use super::round_trips::RoundTrips;

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// The bottom of an [`Environment`](super::Environment): what its parts stand on.
pub(crate) struct Core {
    /// Never used again, unlike addresses: names this environment to the engine.
    id: u64,
    made: Instant,
    events: EventQueue,
    adaptive_wait: AdaptiveWait,
    call_buffer: Cell<Option<CallBuffer>>,
    jobs: Jobs,
    calls: Calls,
    round_trips: RoundTrips,
    /// How many hold the event loop: it is kept alive while any does.
    holds: Cell<u32>,
    /// The class ArrayBuffer, as it was when the module was loaded.
    array_buffer: OnceCell<Reference>,
}

impl Core {
    pub(super) fn new() -> Self {
        Core {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            made: Instant::now(),
            events: EventQueue::new(),
            adaptive_wait: AdaptiveWait::default(),
            call_buffer: Cell::default(),
            jobs: Jobs::default(),
            calls: Calls::default(),
            round_trips: RoundTrips::default(),
            holds: Cell::new(0),
            array_buffer: OnceCell::new(),
        }
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// A clock for its JavaScript.
    pub(super) fn age(&self) -> Duration {
        self.made.elapsed()
    }

    /// The events for this environment.
    pub(crate) fn events(&self) -> &EventQueue {
        &self.events
    }

    /// Its part in exchanges with other threads.
    pub(crate) fn adaptive_wait(&self) -> &AdaptiveWait {
        &self.adaptive_wait
    }

    /// Its jobs that may be cancelled.
    pub(crate) fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// Calls of functions by its jobs.
    pub(crate) fn calls(&self) -> &Calls {
        &self.calls
    }

    /// How long tasks of its pools take from submission to delivery.
    pub(super) fn round_trips(&self) -> &RoundTrips {
        &self.round_trips
    }

    /// Names the call buffer; none: there are no more calls.
    pub(super) fn set_call_buffer(&self, buffer: Option<CallBuffer>) {
        self.call_buffer.set(buffer);
    }

    /// The call buffer, once it is named.
    #[inline]
    pub(super) fn call_buffer(&self) -> Result<CallBuffer> {
        self.call_buffer.get().ok_or(Status::INVALID)
    }

    /// The arguments that JavaScript has put on the call buffer for the call that is running.
    #[inline]
    pub(crate) fn arguments<const N: usize>(&self) -> Result<[f64; N]> {
        self.call_buffer().map(|buffer| buffer.arguments())
    }

    /// Writes what the call that is running returns on the call buffer.
    #[inline]
    pub(super) fn answer<const N: usize>(&self, numbers: [f64; N]) {
        if let Ok(buffer) = self.call_buffer() {
            buffer.answer(numbers);
        }
    }

    /// Keeps the class ArrayBuffer of the language, which is the global's unless a program has put another in its place.
    pub(super) fn keep_array_buffer_class(&self, js: Js<'_>) -> Result<()> {
        let class = js.named(js.global()?, c"ArrayBuffer")?;
        self.array_buffer.set(js.reference(class)?).map_err(|_| Status::FAILED)
    }

    /// The class ArrayBuffer.
    pub(super) fn array_buffer_class<'call>(&self, js: Js<'call>) -> Result<JsValue<'call>> {
        js.referenced(self.array_buffer.get().ok_or(Status::FAILED)?)
    }

    /// One more holds the event loop, or one less.
    pub(crate) fn hold_loop(&self, js: Js<'_>, hold: bool) -> Result<()> {
        let before = self.holds.get();
        let now = if hold { before + 1 } else { before.saturating_sub(1) };
        self.holds.set(now);
        if (before == 0) == (now == 0) {
            return Ok(());
        }
        self.events.wakeup().keep_loop_alive(js, hold)
    }

    /// Whether the event loop is kept alive.
    pub(super) fn holds_loop(&self) -> bool {
        self.holds.get() > 0
    }
}
