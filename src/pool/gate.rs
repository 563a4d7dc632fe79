//! The gate of a pool whose scheduling decisions can be repeated (`deterministic` in its options).
//!
//! What is submitted waits before the gate instead of in the queue. The owner asks for a *step* (`steps.rs`) at moments that its own
//! program decides: then one entry goes through, if nothing is under way, chosen at random among those that a pool of this size
//! could be running: the first in order, as many as there are native threads, and of scripts as many as workers run at a time. So
//! any order may come that could come in another pool, and each comes again with the same seed, if the program submits the same.
//!
//! Behind the gate everything is as in other pools: the queue never has more than the one entry, and work in parts still has
//! helpers. Whether something is under way is known by the counters: a task is counted as ended before it is answered, so the owner who has
//! an answer finds the way free.
//!
//! This file is what waits before the gate, and the choice; `steps.rs` has the gate and the queue together.
//!
//! Orphans (`queue.rs`) wait behind the gate, but cannot run: they come back before it when they are bound to a worker.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::config::Config;
use super::entry::Entry;
use super::position::{Location, QueuePosition, Taker, Target};
use super::task_observer::Age;

/// Where an entry waits before the gate: those of a higher priority come first, and within a priority in this order.
pub(super) type Place = (Reverse<i32>, u64);

/// An entry before the gate.
pub(super) struct Gated {
    pub(super) queued_at: Age,
    pub(super) target: Target,
    pub(super) entry: Entry,
}

pub(super) struct Gate {
    random: Random,
    next: u64,
    newest_first: bool,
    native: BTreeMap<Place, Gated>,
    pub(super) scripts: BTreeMap<Place, Gated>,
    /// The entries that went through since the queue was empty: where they waited, and where they wait in the queue.
    pub(super) passed: Vec<(QueuePosition, QueuePosition)>,
}

impl Gate {
    /// That of a pool with these settings; none where the order is not to be repeated.
    pub(super) fn new(config: &Config) -> Option<Self> {
        Some(Gate {
            random: Random(config.deterministic?),
            next: 0,
            newest_first: config.newest_first,
            native: BTreeMap::new(),
            scripts: BTreeMap::new(),
            passed: Vec::new(),
        })
    }

    pub(super) fn line(&mut self, taker: Taker) -> &mut BTreeMap<Place, Gated> {
        match taker {
            Taker::Native => &mut self.native,
            Taker::Script => &mut self.scripts,
        }
    }

    pub(super) fn add(
        &mut self,
        entry: Entry,
        priority: i32,
        queued_at: Age,
        target: Target,
    ) -> QueuePosition {
        let order = if self.newest_first { u64::MAX - self.next } else { self.next };
        self.next += 1;
        let taker = target.taker();
        self.line(taker).insert((Reverse(priority), order), Gated { queued_at, target, entry });
        QueuePosition(Location::Gate { taker, priority, order })
    }

    pub(super) fn len(&self, taker: Taker) -> usize {
        match taker {
            Taker::Native => self.native.len(),
            Taker::Script => self.scripts.len(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.native.is_empty() && self.scripts.is_empty()
    }

    /// How many tasks wait here: a batch is as many as it has inputs.
    pub(super) fn tasks(&self) -> usize {
        let count = |gated: &Gated| if let Entry::Batch(batch) = &gated.entry { batch.waiting() } else { 1 };
        self.native.values().chain(self.scripts.values()).map(count).sum()
    }

    /// All that waits here.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Entry, Target)> {
        self.native.values().chain(self.scripts.values()).map(|gated| (&gated.entry, gated.target))
    }

    /// Takes out one of the first so many of each kind that can pass.
    pub(super) fn choose(
        &mut self,
        native: usize,
        scripts: usize,
        can_pass: impl Fn(&Entry, Target) -> bool,
    ) -> Option<(QueuePosition, i32, Gated)> {
        let first = |line: &BTreeMap<Place, Gated>, count, taker| -> Vec<(Taker, Place)> {
            let passing = line.iter().filter(|(_, gated)| can_pass(&gated.entry, gated.target));
            passing.take(count).map(|(place, _)| (taker, *place)).collect()
        };
        let mut all = first(&self.native, native, Taker::Native);
        all.extend(first(&self.scripts, scripts, Taker::Script));
        if all.is_empty() {
            return None;
        }
        let (taker, place) = all[self.random.below(all.len())];
        let (taker, place) = self.first_of_key(taker, place);
        let gated = self.line(taker).remove(&place)?;
        let (Reverse(priority), order) = place;
        Some((QueuePosition(Location::Gate { taker, priority, order }), priority, gated))
    }

    /// Tasks of one key go in order of submission: where the first of the same key waits.
    fn first_of_key(&self, taker: Taker, place: Place) -> (Taker, Place) {
        let line = if taker == Taker::Native { &self.native } else { &self.scripts };
        let Some(key) = line.get(&place).and_then(|gated| gated.entry.key()) else { return (taker, place) };
        let native = self.native.iter().map(|(place, gated)| (Taker::Native, *place, gated));
        let scripts = self.scripts.iter().map(|(place, gated)| (Taker::Script, *place, gated));
        let of_key = native.chain(scripts).filter(|(_, _, gated)| gated.entry.key() == Some(key));
        let submitted = |order: u64| if self.newest_first { u64::MAX - order } else { order };
        let first = of_key.min_by_key(|(_, (_, order), _)| submitted(*order));
        first.map_or((taker, place), |(taker, place, _)| (taker, place))
    }

    /// The places of the jobs that are bound to the worker `number`.
    pub(super) fn bound_to(&self, number: usize) -> Vec<Place> {
        let is_bound = |(_, gated): &(&Place, &Gated)| gated.target == Target::Worker(number);
        self.scripts.iter().filter(is_bound).map(|(place, _)| *place).collect()
    }
}

/// A sequence of numbers that looks random and is the same for the same seed: splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, each about as often.
    fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_each_about_as_often() {
        let numbers = |seed| {
            let mut random = Random(seed);
            (0..6_000).map(|_| random.below(6)).collect::<Vec<usize>>()
        };
        assert_eq!(numbers(1), numbers(1));
        assert_ne!(numbers(1)[..40], numbers(2)[..40]);
        for number in 0..6 {
            let count = numbers(9).iter().filter(|other| **other == number).count();
            assert!((900..1_100).contains(&count), "{number}: {count}");
        }
    }
}
