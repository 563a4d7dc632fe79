//! The pools of one environment, and what it does as the owner of their script workers.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::core::Core;
use super::event::Event;
use super::guests::{Guest, Guests};
use super::handles::Handles;
use super::js::{Js, JsValue, Result};
use super::memory::copy;
use super::named_pools::Openings;
use super::registration::{offer_registration, take_registration};
use crate::cancel::Reason;
use crate::pool::{Cursor, Pool, PoolTimes, QueuePosition};
use crate::value::{Payload, Value};

/// The pools that an environment's JavaScript has made, by handle.
#[derive(Clone, Copy)]
pub(crate) struct Pools<'environment> {
    pub(super) core: &'static Core,
    pub(super) table: &'environment Handles<Pool>,
    pub(super) openings: &'environment Openings,
    pub(super) guests: &'environment Guests,
}

/// The jobs of a worker that has ended, by their ids.
#[derive(Default)]
pub(crate) struct Evicted {
    /// Those that it ran, for the owner to answer.
    pub(crate) ran: Vec<u64>,
    /// Those that it would have run: to be bound to another, or disowned and answered.
    pub(crate) orphans: Vec<u64>,
}

impl Pools<'_> {
    /// Adds a pool; its handle.
    pub(crate) fn add(self, pool: Pool) -> u32 {
        self.core.round_trips().open(&pool);
        self.table.insert(pool)
    }

    /// Opens the pool of this name, which `make` makes if nobody has it open: its handle, and what its first opening has said of it.
    pub(crate) fn open_named(
        self,
        name: String,
        settings: &str,
        make: impl FnOnce() -> Pool,
    ) -> (u32, String) {
        self.openings.open(name, settings, make, |pool| self.add(pool))
    }

    /// Makes known who else submits to a pool by this handle.
    pub(crate) fn add_guest(self, handle: u32, guest: Arc<dyn Guest>) {
        self.guests.insert(handle, guest);
    }

    /// Who else submits to it.
    pub(crate) fn guest(self, handle: u32) -> Option<Arc<dyn Guest>> {
        self.guests.get(handle)
    }

    /// An event comes when the queue of a pool has room to which others submit too: its own jobs alone would not tell.
    pub(crate) fn tell_of_room(self, handle: u32) {
        let asked = self.openings.asks(handle).or_else(|| self.guests.asks(handle));
        let Some(asked) = asked else { return };
        let events = self.core.events();
        let tell = move || {
            asked.store(false, Ordering::Relaxed);
            events.push(Event::PoolRoom { pool: handle });
        };
        self.with(handle, |pool| pool.when_room(Box::new(tell)));
    }

    /// Answers what was submitted to an opened pool by this handle: all of it, or what waits. How many entries waited.
    fn end_own(self, handle: u32, reason: Reason, only_waiting: bool) -> usize {
        let of_guest = self.guests.get(handle).map_or(0, |guest| guest.end(reason, only_waiting));
        of_guest + self.core.jobs().end_of(handle, reason, only_waiting)
    }

    /// Runs `work` on a pool, without touching its reference count; none once it is removed.
    pub(crate) fn with<T>(self, pool: u32, work: impl FnOnce(&Pool) -> T) -> Option<T> {
        self.table.with(pool, work)
    }

    /// The memory of a pool's intake, as an ArrayBuffer. None where the runtime knows no memory of Rust's, and for a pool that
    /// is gone.
    pub(crate) fn open_intake<'call>(self, js: Js<'call>, pool: u32) -> Result<Option<JsValue<'call>>> {
        let memory = self.with(pool, |pool| pool.open_intake(self.core.events())).flatten();
        memory.map_or(Ok(None), |memory| js.buffer_over(memory))
    }

    /// Closes a pool; with `announce` its event comes when its last thread has ended. Of a pool that others have open too, the
    /// event comes at once; by force only its own jobs are ended, and it stays open.
    pub(crate) fn close(self, pool: u32, force: bool, announce: bool) {
        let Some(engine) = self.table.get(pool) else { return };
        let guest = self.guests.get(pool);
        if let Some(guest) = &guest {
            guest.close();
        }
        if engine.is_shared() && force {
            self.end_own(pool, Reason::PoolClosed, false);
            return;
        }
        let events = self.core.events();
        let tell: Box<dyn FnOnce() + Send> = Box::new(move || events.push(Event::PoolClosed { pool }));
        let tell = announce.then_some(tell);
        if !engine.is_shared() {
            return engine.close(force, tell);
        }
        match (self.openings.give_back(pool), tell) {
            (Some(Some(last)), tell) => last.close(false, tell),
            // What its guest has under way is its own: the pool does not end with it, so it is waited for here.
            (_, Some(tell)) => match guest {
                Some(guest) => guest.when_idle(tell),
                None => tell(),
            },
            (_, None) => {}
        }
    }

    /// Answers all that waits, of a pool that others have open too only its own; how many entries that were.
    pub(crate) fn cancel_waiting(self, handle: u32, reason: Reason) -> usize {
        let waiting = |pool: &Pool| if pool.is_shared() { None } else { Some(pool.cancel_waiting(reason)) };
        match self.with(handle, waiting) {
            Some(Some(count)) => count,
            Some(None) => self.end_own(handle, reason, true),
            None => 0,
        }
    }

    /// Lets go of a pool that has closed; its handle may be used again.
    pub(crate) fn remove(self, pool: u32) {
        self.guests.remove(pool);
        let removed = self.table.remove(pool);
        if let Some(pool) = &removed {
            self.core.round_trips().close(pool.number());
        }
    }

    /// The times of a pool's tasks; none once it is removed. With `reset` they begin anew.
    pub(crate) fn times(self, pool: u32, reset: bool) -> Option<PoolTimes> {
        self.with(pool, |pool| {
            let mut times = pool.times(reset);
            self.core
                .round_trips()
                .read(pool.number(), reset, |task, trips| times.add_round_trips(task, trips));
            times
        })
    }

    /// Keeps the last so many records of each thread of a pool, for one more trace.
    pub(crate) fn open_trace(self, pool: u32, capacity: usize) {
        self.with(pool, |pool| {
            self.core.round_trips().open_trace(pool.number(), capacity);
            pool.open_trace(capacity);
        });
    }

    /// A trace that wanted so many has ended.
    pub(crate) fn close_trace(self, pool: u32, capacity: usize) {
        self.with(pool, |pool| {
            self.core.round_trips().close_trace(pool.number(), capacity);
            pool.close_trace(capacity);
        });
    }

    /// What a pool has done since the cursors, as the bytes of numbers.
    pub(crate) fn read_trace<'call>(
        self,
        js: Js<'call>,
        pool: u32,
        cursors: Vec<Cursor>,
    ) -> Result<Option<JsValue<'call>>> {
        let read = self.with(pool, |pool| {
            let mut numbers = pool.read_trace(cursors);
            self.core.round_trips().show_answers(pool.number(), &mut numbers);
            numbers.numbers
        });
        read.map_or(Ok(None), |numbers| copy(js, self.core, bytemuck::cast_slice(&numbers)).map(Some))
    }

    /// Registers a worker that is about to be started: its number, and the key by which it accepts the registration. None
    /// when the pool needs no worker any more.
    pub(crate) fn register_worker(self, pool: u32) -> Option<(usize, u64)> {
        let pool = self.table.get(pool)?;
        let number = pool.register_worker()?;
        Some((number, offer_registration(pool, number, self.core.events())))
    }

    /// Evicts a worker that has ended, whether it had accepted its registration or not.
    pub(crate) fn evict_worker(self, pool: u32, number: usize, key: u64) -> Evicted {
        drop(take_registration(key));
        let (ran, orphans) = self.with(pool, |pool| pool.evict_worker(number)).unwrap_or_default();
        ran.iter().for_each(|id| self.core.jobs().forget(*id));
        orphans.iter().for_each(|id| self.core.jobs().moved(*id, QueuePosition::of_orphan(*id)));
        Evicted { ran, orphans }
    }

    /// Binds an orphan to a worker, where its input is the message of that number. False when that
    /// worker takes no more.
    pub(crate) fn rebind(self, pool: u32, id: u64, worker: usize, message: f64) -> bool {
        let input = Payload::Value(Value::Number(message));
        let position = self.with(pool, |pool| pool.rebind(id, worker, input)).flatten();
        if let Some(position) = position {
            self.core.jobs().moved(id, position);
        }
        position.is_some()
    }

    /// Takes jobs that another worker has not begun, for the caller to bind to this one, which is idle: their ids.
    pub(crate) fn unbind_for(self, pool: u32, worker: usize) -> Vec<u64> {
        let ids = self.with(pool, |pool| pool.unbind_for(worker)).unwrap_or_default();
        ids.iter().for_each(|id| self.core.jobs().moved(*id, QueuePosition::of_orphan(*id)));
        ids
    }

    /// Takes back a job whose input could not be sent to the worker that it is bound to.
    pub(crate) fn retract(self, pool: u32, worker: usize, id: u64) {
        self.with(pool, |pool| pool.retract(worker, id));
        self.core.jobs().forget(id);
    }

    /// Gives up a job whose worker has ended, for the caller to answer.
    pub(crate) fn disown_orphan(self, pool: u32, id: u64) {
        self.with(pool, |pool| pool.disown_orphan(id));
        self.core.jobs().forget(id);
    }

    /// Takes all that waits for a script worker out of the queue: its ids, for the caller to answer.
    pub(crate) fn drain_scripts(self, pool: u32) -> Vec<u64> {
        let ids = self.with(pool, Pool::drain_scripts).unwrap_or_default();
        ids.iter().for_each(|id| self.core.jobs().forget(*id));
        ids
    }
}
