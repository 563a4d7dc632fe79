//! Telling those who wait for room in the queue, where their own tasks do not tell them: several threads share one pool.
//!
//! Whoever waits asks once for each time. A flag outside the lock says whether anybody has asked, so that a pool whose owner is
//! alone pays one load for each entry that is taken.

use super::position::Taker;
use super::state::{Pool, State};

impl Pool {
    /// Calls `tell` once the queue is at most half full, and a task would be accepted: at once, if that is so.
    pub fn when_room(&self, tell: Box<dyn FnOnce() + Send>) {
        let mut state = self.0.lock();
        state.when_room.push(tell);
        self.0.set_room_is_wanted(true);
        drop(state);
        self.tell_of_room();
    }

    /// There may be more room in the queue.
    #[inline]
    pub(super) fn tell_of_room(&self) {
        if self.0.room_is_wanted() {
            self.tell_who_wants_room();
        }
    }

    fn tell_who_wants_room(&self) {
        let mut state = self.0.lock();
        if !self.has_room(&state) {
            return;
        }
        let tell = std::mem::take(&mut state.when_room);
        self.0.set_room_is_wanted(false);
        drop(state);
        for tell in tell {
            tell();
        }
    }

    fn has_room(&self, state: &State) -> bool {
        let config = &self.0.config;
        let limit = state.limit(Taker::Native, config);
        !state.is_open()
            || state.total_excess() <= config.max_queue / 2 && !state.is_full(Taker::Native, limit)
    }
}
