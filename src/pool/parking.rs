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
//! *Time-out against claim.* A parked thread whose idle time is up ends only if it is not claimed: claims and
//! parked threads are counted, and a thread that leaves takes itself out of `parked`.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::config::Config;
use super::queue::Taken;
use super::state::{Phase, Pool, Shared, State};
use super::threads::Activity;
use crate::sync::{MutexGuard, wait_for};

/// How long a thread searches: about what parking and being woken would cost.
const SEARCH: Duration = Duration::from_micros(20);
/// A search looks so often, with so many spins between, before it yields its core between two looks.
const SPINNING_LOOKS: u32 = 16;
const SPINS: u32 = 8;

impl Pool {
    /// Makes sure that a thread looks at the queue: a searcher, a parked thread, or a new one.
    pub(super) fn wake_one(&self, mut state: MutexGuard<'_, State>) {
        let shared = &*self.0;
        let threads = &mut state.threads;
        let looking = threads.claims + threads.starting;
        if threads.searching || state.queue.takeable_by_threads() <= looking {
            return;
        }
        if state.threads.parked > 0 {
            state.threads.parked -= 1;
            state.threads.claims += 1;
            drop(state);
            shared.thread_work.notify_one();
        } else if state.threads.alive() < shared.config.max_threads {
            // Without a further thread the pool still works: those that run take this up later.
            let _ = self.start_thread(&mut state);
        }
    }

    /// The next work for thread `number`, which waits for it here; `None` when the thread must end.
    /// `fresh` on a thread's first call.
    pub(super) fn next(&self, number: usize, fresh: bool) -> Option<Taken> {
        let shared = &*self.0;
        let mut state = shared.state.lock();
        state.threads.idle(number);
        if fresh {
            state.threads.starting -= 1;
        }
        let mut searched = false;
        loop {
            if let Some(taken) = state.queue.take_native() {
                shared.publish_hints(&state.queue);
                let (activity, answered) = match &taken {
                    Taken::Job(job) => (Activity::Running(job.token.clone()), false),
                    // It holds no input before it takes some, which another thread may have done.
                    Taken::Batch(batch) => (Activity::Running(Some(batch.token.clone())), true),
                    Taken::Steal(parts) => (Activity::Stealing(parts.token.clone()), false),
                };
                state.threads.begin(number, activity, answered);
                // One wakes the next (see the head of this file).
                self.wake_one(state);
                return Some(taken);
            }
            if state.phase == Phase::Draining {
                return self.end_thread(number, state);
            }
            if !searched && !state.threads.searching && shared.config.searches() {
                searched = true;
                state.threads.searching = true;
                drop(state);
                shared.search();
                state = shared.state.lock();
                state.threads.searching = false;
                continue;
            }
            state.threads.parked += 1;
            let timed_out = if state.threads.alive() > shared.config.min_threads {
                wait_for(&shared.thread_work, &mut state, shared.config.idle_timeout)
            } else {
                shared.thread_work.wait(&mut state);
                false
            };
            if state.threads.claims > 0 {
                state.threads.claims -= 1;
            } else {
                // Not claimed: a time-out, a spurious wake-up, or a closing pool.
                state.threads.parked -= 1;
                let is_extra = state.threads.alive() > shared.config.min_threads;
                if timed_out && state.queue.takeable_by_threads() == 0 && is_extra {
                    return self.end_thread(number, state);
                }
            }
            searched = false;
        }
    }

    fn end_thread(&self, number: usize, mut state: MutexGuard<'_, State>) -> Option<Taken> {
        state.threads.ended(number);
        self.announce_if_closed(state);
        None
    }
}

impl Config {
    /// Looking for work before parking only helps when another core can bring it meanwhile.
    fn searches(&self) -> bool {
        static CORES: OnceLock<usize> = OnceLock::new();
        *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from)) > 1
    }
}

impl Shared {
    /// Looks at the queue's hints for [`SEARCH`], or until they show work.
    fn search(&self) {
        let started = Instant::now();
        let mut look = 0_u32;
        while !self.seems_takeable() {
            if look < SPINNING_LOOKS {
                for _ in 0..SPINS {
                    std::hint::spin_loop();
                }
            } else {
                // The thread that would bring work may need this very core.
                std::thread::yield_now();
                if started.elapsed() > SEARCH {
                    return;
                }
            }
            look += 1;
        }
    }
}
