//! What follows where entries can be taken that waited for their key or their limit: those who may take them are told.
//!
//! A task gives its permits back under the pool's lock: a script worker in the step in which it answers, a native thread when it
//! looks at the queue again. So nothing is between the end of a task and the release of the next. An entry that waits so keeps its
//! takers: the last native thread does not end, nor the last script worker; in a closing pool none does. When the last of these
//! entries is gone from a closing pool, they are told of that too.

use super::permits::Permits;
use super::position::Taker;
use super::script_state::Waker;
use super::state::{Phase, Pool, State};
use crate::sync::MutexGuard;

impl State {
    /// The script workers that are to be notified, once the lock is free.
    fn workers_to_notify(&mut self) -> Vec<&'static dyn Waker> {
        let mut wakers: Vec<_> = std::iter::from_fn(|| self.notify_worker_if_needed()).collect();
        wakers.extend(self.scripts.notify_bound(&self.queue));
        if self.has_no_more(Taker::Script) {
            wakers.extend(self.scripts.notify_all());
        }
        wakers
    }

    /// Whether takers of this kind have nothing more to wait for, as the pool closes.
    pub(super) fn has_no_more(&self, taker: Taker) -> bool {
        let is_expected = taker == Taker::Script && self.expects_calls();
        self.phase == Phase::Draining && self.queue.waiting(taker) == 0 && !is_expected
    }

    /// Whether native tasks may call functions, as others of this pool did: then the script workers of a closing pool stay. Each call
    /// would start one else.
    pub(super) fn expects_calls(&self) -> bool {
        self.threads.may_call() && !self.scripts.is_forced()
    }

    /// A native thread has ended. The script workers that may go now, since it was the last: to be notified, once the lock is free.
    pub(super) fn no_more_calls(&mut self) -> Vec<&'static dyn Waker> {
        if self.has_no_more(Taker::Script) { self.scripts.notify_all() } else { Vec::new() }
    }
}

impl Pool {
    /// A job of a script has ended: gives back what it held.
    pub(super) fn release(&self, mut state: MutexGuard<'_, State>, permits: Permits) {
        if !permits.is_empty() {
            state.queue.give_back(permits);
            self.tell_released(state);
        }
    }

    /// A script worker takes no further part: others are told of what it would have taken.
    pub(super) fn tell_left(&self, mut state: MutexGuard<'_, State>) {
        let mut wakers: Vec<_> = state.notify_worker_if_needed().into_iter().collect();
        if state.has_no_more(Taker::Script) {
            wakers.extend(state.scripts.notify_all());
        }
        drop(state);
        wakers.into_iter().for_each(Waker::notify);
    }

    /// Entries may have been released: tells those who may take them.
    pub(super) fn tell_released(&self, mut state: MutexGuard<'_, State>) {
        let shared = &*self.0;
        let wakers = state.workers_to_notify();
        shared.publish(&mut state);
        if state.has_no_more(Taker::Native) {
            shared.thread_work.notify_all();
            shared.nap.notify_all();
        }
        if state.scripts.blocked > 0 {
            shared.script_work.notify_all();
        }
        self.wake_one(state);
        wakers.into_iter().for_each(Waker::notify);
    }

    /// A native thread that looks at the queue next gives back what its task held.
    pub(super) fn give_back<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        permits: Permits,
    ) -> MutexGuard<'a, State> {
        state.queue.give_back(permits);
        let wakers = state.workers_to_notify();
        self.0.publish(&mut state);
        if wakers.is_empty() && state.scripts.blocked == 0 {
            return state;
        }
        drop(state);
        self.0.script_work.notify_all();
        wakers.into_iter().for_each(Waker::notify);
        self.0.lock()
    }
}
