//! How many entries may wait: the one rule against `maxQueue`, for takers of every kind.
//!
//! `maxQueue` counts the entries that wait *beyond those that free takers will take*, whether or not these takers have
//! looked at the queue yet: so the limit does not depend on how quickly a thread wakes, or comes back after an answer. It is
//! one limit for the whole queue: entries that wait beyond the free takers of one kind leave less room for the others.
//! An entry that waits for its key or for the limit of its task counts, however many takers are free.

use super::config::Config;
use super::position::Taker;
use super::state::State;
use crate::error::{Code, Error};

impl State {
    /// How many takers of a kind could take up an entry now.
    fn free(&self, taker: Taker) -> usize {
        match taker {
            Taker::Native => self.threads.free(),
            Taker::Script => self.scripts.free(),
        }
    }

    /// How many entries wait for takers of a kind: in the queue, or behind the task that a thread runs.
    pub(super) fn waiting(&self, taker: Taker) -> usize {
        match taker {
            Taker::Native => self.queue.waiting(taker) + self.gated(taker) + self.threads.taken(),
            Taker::Script => self.queue.waiting(taker) + self.gated(taker),
        }
    }

    /// Takers that count as busy though they have answered all that they held.
    fn returning(&self, taker: Taker) -> usize {
        match taker {
            Taker::Native => self.threads.returning(),
            // A worker answers and takes its next job in one step.
            Taker::Script => 0,
        }
    }

    /// How many of the waiting entries a taker could take now.
    fn takeable(&self, taker: Taker) -> usize {
        self.waiting(taker) - self.queue.blocked(taker)
    }

    /// Entries that wait beyond what free takers of their kind will take.
    fn excess(&self, taker: Taker) -> usize {
        let blocked = self.queue.blocked(taker);
        let excess = blocked + (self.waiting(taker) - blocked).saturating_sub(self.free(taker));
        // Counting them takes a look at every slot: only where it makes a difference.
        if excess == 0 { 0 } else { excess.saturating_sub(self.returning(taker)) }
    }

    /// The same for the whole queue.
    pub(super) fn total_excess(&self) -> usize {
        Taker::ALL.iter().map(|taker| self.excess(*taker)).sum()
    }

    /// How many entries that can be taken may wait for takers of a kind; takers that are returning are left out.
    #[inline]
    pub(super) fn limit(&self, taker: Taker, config: &Config) -> usize {
        if config.max_queue == usize::MAX {
            return usize::MAX;
        }
        let others: usize =
            Taker::ALL.iter().filter(|other| **other != taker).map(|other| self.excess(*other)).sum();
        let room = config.max_queue.saturating_add(self.free(taker));
        room.saturating_sub(others).saturating_sub(self.queue.blocked(taker))
    }

    /// Whether no more entry may wait for takers of a kind, whose [`State::limit`] this is.
    #[inline]
    pub(super) fn is_full(&self, taker: Taker, limit: usize) -> bool {
        if limit == usize::MAX {
            return false;
        }
        let waiting = self.takeable(taker);
        waiting >= limit && waiting >= limit.saturating_add(self.returning(taker))
    }

    /// Why an entry for takers of a kind would be refused; `limit` is that kind's.
    pub(super) fn refusal(&self, taker: Taker, limit: usize, config: &Config) -> Option<Error> {
        self.is_full(taker, limit).then(|| queue_full(config.max_queue, self.total_excess()))
    }

    /// Why an entry would be refused that free takers could not take.
    pub(super) fn refusal_to_wait(&self, taker: Taker, config: &Config) -> Option<Error> {
        let excess = self.total_excess();
        // A taker that returns may be the one that it waits for.
        let is_full =
            excess >= config.max_queue && excess + 1 > config.max_queue.saturating_add(self.returning(taker));
        is_full.then(|| queue_full(config.max_queue, excess))
    }
}

fn queue_full(limit: usize, waiting: usize) -> Error {
    let message = match (limit, waiting) {
        (0, _) => "every thread is busy, and maxQueue is 0: no task may wait".to_owned(),
        (_, 1) => format!("the queue is full: 1 task waits for a busy thread, and maxQueue is {limit}"),
        _ => format!("the queue is full: {waiting} tasks wait for busy threads, and maxQueue is {limit}"),
    };
    // `queueSize` counts those too for which a thread is free, or about to start: it may be above the limit.
    Error::new(Code::QueueFull, format!("{message}; wait for 'drain', or raise maxQueue"))
}
