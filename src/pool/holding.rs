//! How entries hold each other up: those with a key, and those of a task with a limit, get permits when they are taken, which are
//! given back when they have ended. Then the next one of the key may be taken.

use super::entry::Entry;
use super::permits::Permits;
use super::position::{Location, QueuePosition, Taker};
use super::queue::Queue;

impl Queue {
    /// What runs, or waited to run, has ended.
    pub(super) fn give_back(&mut self, permits: Permits) {
        if let Some(limit) = permits.limit {
            self.limits.end(limit);
        }
        if let Some(key) = permits.key {
            let next = self.keys.leave(&key, None);
            self.release_all(next);
        }
    }

    /// The keys of these entries are free for them now.
    pub(super) fn release_all(&mut self, positions: impl IntoIterator<Item = QueuePosition>) {
        for position in positions {
            self.held[position.taker() as usize] -= 1;
            match position.0 {
                Location::Native(at) => drop(self.native.release(at)),
                Location::AnyWorker(at) => {
                    self.any_worker.release(at);
                    self.prefer_at(at);
                }
                Location::Worker(number, at) => drop(self.bound[number].release(at)),
                Location::Gate { .. } => unreachable!("it is not in the queue"),
                Location::Orphan(id) => {
                    if let Some(orphan) = self.orphans.get_mut(&id) {
                        orphan.held = false;
                    }
                }
            }
        }
    }

    /// An entry is about to run: what it keeps others from. `worker`: the number of its script worker.
    pub(super) fn begins(&mut self, entry: &Entry, taker: Taker, worker: Option<usize>) -> Permits {
        let limit = self.limits.of(taker, entry.task());
        let key = entry.key().cloned();
        if let Some(limit) = limit {
            self.limits.begin(limit);
        }
        if let Some(key) = &key {
            self.keys.begin(key, taker, worker);
        }
        Permits { key, limit }
    }

    /// An entry that waited is out of the queue, and will not run.
    pub(super) fn leaves(&mut self, entry: &Entry, number: u64, taker: Taker, held: bool) {
        let Some(key) = entry.key() else { return };
        if held {
            self.held[taker as usize] -= 1;
            self.keys.give_up(key, number);
        } else {
            let next = self.keys.leave(key, Some(taker));
            self.release_all(next);
        }
    }
}
