//! How native threads sleep, wake and end. `worker.rs` starts them.
//!
//! # The protocol
//! Everything below is decided under the pool's lock. A thread is in one of five states:
//!
//! * **starting** — it looks at the queue first thing. Not a claim: a parked thread that wakes by itself would take it.
//! * **running** — it holds work.
//! * **searching** — it found the queue empty and looks at the queue's hints for a moment before it sleeps. At most
//!   one thread searches, so an idle pool burns one core for some microseconds and not all of them.
//! * **parked** — it sleeps on the condition variable.
//! * **claimed** — it was parked, and a submitter has already counted it out of the parked ones. The claim, not
//!   the notification, is what counts: a thread that wakes takes a claim if there is one, else it sleeps on.
//!
//! *Lost wake-up.* A submitter pushes under the lock and then wakes a thread unless one is searching. A searcher
//! that gives up re-checks the queue under the same lock before it parks, so a push is seen by the searcher or sees
//! it parked.
//!
//! *One wakes the next.* A searcher that finds work stops searching; if more work waits it wakes another thread
//! before it runs its own. So a burst wakes threads one after the other, and the submitting thread, which is a
//! JavaScript thread, pays for one wake at the most.
//!
//! *Short tasks.* A thread takes as many tasks at once as should run for [`CHUNK`] together, by what was measured of them. To
//! wake another thread costs about as much, so nobody does that while a thread *should be back soon*, unless more
//! waits than it will take next. That relies on an estimate; so it is done only while one of the parked threads *dozes*:
//! it wakes by itself every [`DOZE`], looks at the queue, and takes over what a late thread has taken and not begun. A
//! thread dozes instead of sleeping as long as others have begun something since it looked last.
//!
//! *Watched.* Whoever has taken several tasks, or stops dozing while others have, sees to it that one thread dozes or looks
//! around: otherwise those behind a long task would wait for it while other threads sleep.
//!
//! *The intake.* `intake.rs` has the protocol: a thread that goes to sleep, or begins something long, publishes whether the
//! writer must wake a thread from then on, and looks at the intake once more.
//!
//! *Calls.* A thread whose task waits for a function of JavaScript counts as awake and does not count against the limit (`calling.rs`). So
//! when it has its answer more may be awake than may be: the next that is idle parks, whatever waits, since as many as may be are awake and
//! look at the queue when they are done. A thread is woken, or started, only while fewer are awake than may be.
//!
//! *Another size.* `Pool::resize` changes how many threads there may be, under the lock, and wakes all that sleep: those that are
//! too many end when they look next, and the others learn how long they may stay. A thread that ends so may have taken a claim:
//! it wakes another in its place. Its tasks it runs first, a batch it leaves after the chunk that it has. One thread is always
//! left, since there may be at least one.
//!
//! *Time-out against claim.* A parked thread whose idle time is up ends only if it is not claimed: claims and
//! parked threads are counted, and a thread that leaves takes itself out of `parked`.

use std::sync::OnceLock;
use std::thread::available_parallelism;
use std::time::Duration;

use super::config::Config;
use super::estimates::CHUNK;
use super::position::Taker;
use super::queue::Taken;
use super::rank::Place;
use super::script_state::Waker;
use super::state::{Phase, Pool, Shared, State};
use super::task_observer::Age;
use super::threads::Activity;
use crate::sync::{Instant, MutexGuard, sized, thread, wait_for};

/// A search takes, with all, about what parking and being woken would cost: so long it yields its core between two looks.
const SEARCH: Duration = Duration::from_micros(15);
/// Before that it looks so often, with so many spins between.
const SPINNING_LOOKS: usize = sized(16, 1);
const SPINS: u32 = 8;

/// How long a dozing thread sleeps.
const DOZE: Duration = Duration::from_millis(1);
/// After so many naps in which nothing was begun it falls asleep.
const NAPS: u32 = 3;

impl Pool {
    /// From now on `min` threads are kept even when idle, and there may be `max`, at least 1, as `from` has said. What runs goes on,
    /// and what waits stays in the queue.
    pub fn resize(&self, min: usize, max: usize, from: u32) {
        let shared = &*self.0;
        let mut state = shared.lock();
        state.threads.resize(min, max.max(1), from, shared.age());
        shared.publish(&mut state);
        shared.thread_work.notify_all();
        shared.nap.notify_all();
        // More may run now: each that takes something wakes the next.
        self.wake_one(state);
        self.tell_of_room();
    }

    /// Makes sure that a thread looks at the queue, and at what others have taken: a searcher, a parked thread, or a new one.
    pub(super) fn wake_one(&self, mut state: MutexGuard<'_, State>) {
        let shared = &*self.0;
        let threads = &state.threads;
        let looking = threads.claims + threads.starting;
        let is_seen = threads.searching
            || state.queue.takeable_by_threads() <= looking
            // A thread that comes back soon takes so much next.
            || threads.comes_by_itself() && state.queue.estimate(&shared.estimates) <= CHUNK;
        if is_seen && !threads.is_unwatched() {
            return;
        }
        if !state.threads.may_wake() {
            return;
        }
        if state.threads.parked > 0 {
            let dozing = state.threads.claim();
            shared.publish(&mut state);
            drop(state);
            let place = if dozing { &shared.nap } else { &shared.thread_work };
            place.notify_one();
        } else {
            // Without a further thread the pool still works: those that run take this up later.
            let _ = self.start_thread(&mut state);
            shared.publish(&mut state);
        }
    }

    /// The next work for thread `number`, which waits for it here, and the time; `None` when the thread must end. `now`: when it
    /// was done with its work before. `fresh` on a thread's first call.
    pub(super) fn next(&self, number: usize, fresh: bool, mut now: Age) -> Option<(Taken, Age)> {
        let shared = &*self.0;
        let mut state = shared.lock();
        state.threads.idle(number);
        if shared.room_is_wanted() {
            drop(state);
            self.tell_of_room();
            state = shared.lock();
        }
        if fresh {
            state.threads.starting -= 1;
        }
        let permits = state.threads.take_permits(number);
        if !permits.is_empty() {
            state = self.give_back(state, permits);
        }
        let (mut searched, mut naps, mut begun) = (false, 0, state.threads.begun);
        loop {
            if state.threads.has_surplus() {
                return self.end_surplus(number, state);
            }
            // More are awake than may be, since one that had called has its answer: this one sleeps, for calls to come.
            let is_over = state.threads.is_over();
            if !is_over && let Some(taken) = self.take(&mut state, number, now) {
                shared.publish(&mut state);
                // One wakes the next (see the head of this file).
                self.wake_one(state);
                self.tell_of_room();
                return Some((taken, now));
            }
            // What a thread has taken and not begun may have to be taken over; and what waits for its key may be released.
            if state.has_no_more(Taker::Native) && state.threads.taken() == 0 {
                return self.end_thread(number, state);
            }
            if !is_over && !searched && !state.threads.searching && shared.config.searches() {
                searched = true;
                state.threads.searching = true;
                shared.publish(&mut state);
                drop(state);
                shared.search();
                state = shared.lock();
                state.threads.searching = false;
                now = shared.age();
                continue;
            }
            let dozes = !is_over
                && state.threads.dozing.is_none()
                && (state.threads.alive() > 1 && naps < NAPS || state.threads.taken() > 0);
            state.threads.parked += 1;
            if dozes {
                state.threads.dozing = Some(number);
            }
            shared.publish(&mut state);
            if !is_over && state.queue.takeable_by_threads() > 0 {
                // It came by the intake in the last moment.
                state.threads.parked -= 1;
                state.threads.woke(number);
                continue;
            }
            let timed_out = if dozes {
                let nap = if state.threads.taken() > 0 { DOZE } else { DOZE.min(shared.config.idle_timeout) };
                wait_for(&shared.nap, &mut state, nap);
                naps = if state.threads.begun == begun { naps + 1 } else { 0 };
                begun = state.threads.begun;
                false
            } else if state.threads.alive() > state.threads.min() {
                wait_for(&shared.thread_work, &mut state, shared.config.idle_timeout)
            } else {
                shared.thread_work.wait(&mut state);
                false
            };
            state.threads.woke(number);
            shared.collect(&mut state);
            if state.threads.claims > 0 {
                state.threads.claims -= 1;
                naps = 0;
            } else {
                // Not claimed: a time-out, a spurious wake-up, or a closing pool.
                state.threads.parked -= 1;
                let is_extra = state.threads.alive() > state.threads.min();
                // What waits for its key needs a thread later.
                let is_needed = state.threads.alive() == 1 && state.queue.waiting(Taker::Native) > 0;
                if timed_out && state.queue.takeable_by_threads() == 0 && is_extra && !is_needed {
                    return self.end_thread(number, state);
                }
            }
            now = shared.age();
            searched = dozes;
        }
    }

    /// The next work for thread `number`, if there is some.
    pub(super) fn take(&self, state: &mut State, number: usize, now: Age) -> Option<Taken> {
        let shared = &*self.0;
        if let Some((first, place)) = state.threads.take_over(number, now) {
            state.threads.begin(number, Activity::Running(first.token()), false, false);
            return Some(Taken::Job(first, place));
        }
        let (taken, permits) = state.queue.take_native()?;
        if !permits.is_empty() {
            state.threads.hold(number, permits);
        }
        match &taken {
            Taken::Job(first, place) => {
                let (queue, estimates) = (&mut state.queue, &shared.estimates);
                state.threads.take(number, *place, now, |run| {
                    queue.take_more(first, place.priority, estimates, run);
                });
                let soon = first.is_sharable() && estimates.of(first.task()) <= CHUNK;
                state.threads.begin(number, Activity::Running(first.token()), false, soon);
            }
            // It holds no input before it takes some, which another thread may have done.
            Taken::Batch(batch, _) => {
                state.threads.begin(number, Activity::Running(Some(batch.token.clone())), true, false);
            }
            Taken::Steal(parts) => {
                state.threads.begin(number, Activity::Stealing(parts.token.clone()), false, false);
            }
        }
        Some(taken)
    }

    /// A thread is between two tasks that it has taken, and something waits that goes before them: takes that.
    pub(super) fn take_above(&self, number: usize, begun: &Place) -> Option<Taken> {
        let mut state = self.0.lock();
        let (taken, permits) = state.queue.take_above(Some(begun))?;
        if !permits.is_empty() {
            state.threads.hold(number, permits);
        }
        // As where a thread begins it: a batch's worker holds no input yet.
        let (token, answered) = match &taken {
            Taken::Job(first, _) => (first.token(), false),
            Taken::Batch(batch, _) => (Some(batch.token.clone()), true),
            Taken::Steal(_) => unreachable!("it has no priority"),
        };
        state.threads.turn_to(number, token, answered);
        self.0.publish(&mut state);
        Some(taken)
    }

    /// The thread goes on with the tasks that it has taken.
    pub(super) fn turn_back(&self, number: usize) {
        let mut state = self.0.lock();
        state.threads.turn_to(number, None, true);
        let permits = state.threads.take_permits(number);
        if !permits.is_empty() {
            state.queue.give_back(permits);
            self.tell_released(state);
        }
    }

    /// There are more threads than there may be: this one ends. Others look after what waits.
    fn end_surplus(&self, number: usize, mut state: MutexGuard<'_, State>) -> Option<(Taken, Age)> {
        state.threads.ended(number);
        self.0.publish(&mut state);
        if state.has_no_more(Taker::Native) {
            // Others may sleep since something waited for its key.
            self.0.thread_work.notify_all();
            self.0.nap.notify_all();
        }
        // It may have been woken for a task, or have watched the others.
        self.wake_one(state);
        None
    }

    pub(super) fn end_thread(&self, number: usize, mut state: MutexGuard<'_, State>) -> Option<(Taken, Age)> {
        state.threads.ended(number);
        self.0.publish(&mut state);
        if state.phase == Phase::Draining {
            // Others may have gone to sleep since a thread had tasks that could be taken over.
            self.0.thread_work.notify_all();
        }
        if state.queue.takeable_by_threads() > 0 {
            // It came by the intake in the last moment.
            self.wake_one(state);
            return None;
        }
        let (wakers, any_in_place) = (state.no_more_calls(), state.scripts.blocked > 0);
        self.announce_if_closed(state);
        if any_in_place {
            self.0.script_work.notify_all();
        }
        wakers.into_iter().for_each(Waker::notify);
        None
    }
}

impl Config {
    /// Looking for work before parking only helps when another core can bring it meanwhile.
    fn searches(&self) -> bool {
        static CORES: OnceLock<usize> = OnceLock::new();
        *CORES.get_or_init(|| available_parallelism().map_or(1, usize::from)) > 1
    }
}

impl Shared {
    /// Looks at the queue's hints for a while, or until they show work.
    fn search(&self) {
        for _ in 0..SPINNING_LOOKS {
            if self.seems_takeable() {
                return;
            }
            for _ in 0..SPINS {
                std::hint::spin_loop();
            }
        }
        // Not before: one task at a time comes sooner, and a look at the clock costs as much as a task.
        let started = Instant::now();
        while !self.seems_takeable() {
            // The thread that would bring work may need this very core.
            thread::yield_now();
            if started.elapsed() > SEARCH {
                return;
            }
        }
    }
}
