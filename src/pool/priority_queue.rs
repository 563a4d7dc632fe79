//! One line of the queue: by rank (`rank.rs`), and within a priority in order of submission or the reverse.
//!
//! Each priority is a level. A position names a level and a number that no other entry has, so taking one waiting job out of the
//! middle (an abort) drops its input at once and moves nothing. An empty slot stays behind until it is at an end of its level: so the
//! slots at both ends are never empty.
//!
//! Levels are compared by their first entries. While something waits in one of them only, nothing is compared or kept in order for
//! that: levels other than 0 live only while something waits in them, and `order` holds levels only while there is one of these.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::entry::Entry;
use super::position::LinePosition;
use super::rank::{Place, Rank, Rule};
use super::task_observer::Age;
use crate::sync::Arc;

/// The most entries for which an empty line's levels keep memory.
const KEPT_SLOTS: usize = 4096;

struct Slot {
    number: u64,
    /// When the entry was submitted.
    at: Age,
    entry: Option<Entry>,
}

/// What waits at one priority.
struct Level {
    /// By their numbers, which rise.
    slots: VecDeque<Slot>,
    /// Entries that got here after others of higher numbers.
    late: BTreeMap<u64, Slot>,
    /// As which it stands in the queue's order.
    ranked: Option<Rank>,
}

impl Level {
    fn new() -> Self {
        Level { slots: VecDeque::new(), late: BTreeMap::new(), ranked: None }
    }

    fn push(&mut self, slot: Slot) {
        if self.slots.back().is_some_and(|last| last.number > slot.number) {
            self.late.insert(slot.number, slot);
        } else {
            self.slots.push_back(slot);
        }
    }

    /// The slot that comes first.
    fn first(&self, rule: Rule) -> Option<&Slot> {
        let slot = if rule.newest_first { self.slots.back() } else { self.slots.front() };
        if self.late.is_empty() {
            return slot;
        }
        let late = if rule.newest_first { self.late.last_key_value() } else { self.late.first_key_value() };
        match (slot, late) {
            (Some(slot), Some((number, late))) => {
                Some(if rule.within(slot.number, *number).is_lt() { slot } else { late })
            }
            (slot, late) => slot.or(late.map(|(_, slot)| slot)),
        }
    }

    /// Takes out the entry of this number.
    fn take(&mut self, number: u64) -> Option<Entry> {
        let entry = match self.index(number).and_then(|at| self.slots[at].entry.take()) {
            Some(entry) => entry,
            None => return self.late.remove(&number)?.entry,
        };
        while self.slots.front().is_some_and(|slot| slot.entry.is_none()) {
            self.slots.pop_front();
        }
        while self.slots.back().is_some_and(|slot| slot.entry.is_none()) {
            self.slots.pop_back();
        }
        Some(entry)
    }

    /// Where the slot of this number is.
    fn index(&self, number: u64) -> Option<usize> {
        // As a rule nothing is between them that waits elsewhere.
        let guess = usize::try_from(number.checked_sub(self.slots.front()?.number)?).ok()?;
        if self.slots.get(guess).is_some_and(|slot| slot.number == number) {
            return Some(guess);
        }
        self.slots.binary_search_by_key(&number, |slot| slot.number).ok()
    }

    fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.late.values().chain(&self.slots)
    }

    fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.slots().filter_map(|slot| slot.entry.as_ref())
    }
}

/// An entry that waits.
pub(super) struct Waiting {
    pub(super) priority: i32,
    pub(super) number: u64,
    pub(super) at: Age,
    pub(super) entry: Entry,
}

pub(super) struct PriorityQueue {
    rule: Rule,
    zero: Level,
    /// The levels other than 0 in which something waits.
    others: BTreeMap<i32, Level>,
    /// All levels in which something waits, in the order of their first entries; nothing while there are no `others`.
    order: BTreeSet<(Rank, Reverse<i32>)>,
    len: usize,
}

impl PriorityQueue {
    pub(super) fn new(rule: Rule) -> Self {
        PriorityQueue { rule, zero: Level::new(), others: BTreeMap::new(), order: BTreeSet::new(), len: 0 }
    }

    /// How many entries wait.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds an entry, which was submitted `at` that time. No other entry may ever have had the number.
    pub(super) fn push(&mut self, priority: i32, number: u64, at: Age, entry: Entry) {
        let slot = Slot { number, at, entry: Some(entry) };
        if priority == 0 {
            self.zero.push(slot);
        } else {
            self.others.entry(priority).or_insert_with(Level::new).push(slot);
        }
        self.len += 1;
        if !self.others.is_empty() {
            self.set_in_order(priority);
        }
    }

    /// What there is to compare of the first entry, and the entry.
    pub(super) fn first(&self) -> Option<(Place, &Entry)> {
        let (priority, level) = self.first_level()?;
        let slot = level.first(self.rule)?;
        Some((self.place(priority, slot), slot.entry.as_ref()?))
    }

    /// The same of the entry at a position.
    pub(super) fn at(&self, position: LinePosition) -> Option<(Place, &Entry)> {
        let LinePosition { priority, number, .. } = position;
        let level = if priority == 0 { &self.zero } else { self.others.get(&priority)? };
        let slot = level.index(number).map(|at| &level.slots[at]).or_else(|| level.late.get(&number))?;
        Some((self.place(priority, slot), slot.entry.as_ref()?))
    }

    fn place(&self, priority: i32, slot: &Slot) -> Place {
        Place { rank: self.rule.rank(priority, slot.at), priority, at: slot.at, number: slot.number }
    }

    /// The entries, in no certain order of priorities.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        std::iter::once(&self.zero).chain(self.others.values()).flat_map(Level::iter)
    }

    /// The first of the entries that are meant, by looking at all.
    pub(super) fn first_that(&self, is_meant: impl Fn(&Entry) -> bool) -> Option<Place> {
        let levels =
            std::iter::once((0, &self.zero)).chain(self.others.iter().map(|(at, level)| (*at, level)));
        let slots = levels.flat_map(|(priority, level)| level.slots().map(move |slot| (priority, slot)));
        let meant = slots.filter(|(_, slot)| slot.entry.as_ref().is_some_and(&is_meant));
        let places = meant.map(|(priority, slot)| self.place(priority, slot));
        places.min_by(|one, other| self.rule.compare(one, other))
    }

    /// The next entry. A batch with inputs left stays in its slot and is shared out by reference.
    pub(super) fn pop(&mut self) -> Option<Entry> {
        let (priority, level) = self.first_level()?;
        let first = level.first(self.rule)?;
        if let Some(Entry::Batch(batch)) = &first.entry
            && batch.waiting() > 1
        {
            return Some(Entry::Batch(Arc::clone(batch)));
        }
        let number = first.number;
        self.take(priority, number)
    }

    /// Takes out the entry at a position, if it still waits.
    pub(super) fn remove(&mut self, position: LinePosition) -> Option<Entry> {
        self.take(position.priority, position.number)
    }

    /// The priority and the number of the job of this id, if it waits here; by looking at all.
    pub(super) fn find_job(&self, id: u64) -> Option<(i32, u64)> {
        let is_it = |slot: &&Slot| slot.entry.as_ref().is_some_and(|entry| entry.is_job(id));
        let levels =
            std::iter::once((0, &self.zero)).chain(self.others.iter().map(|(at, level)| (*at, level)));
        let mut found = levels.filter_map(|(priority, level)| {
            let slot = level.late.values().chain(&level.slots).find(is_it)?;
            Some((priority, slot.number))
        });
        found.next()
    }

    /// Everything that waits, by priority and in order of submission. However much that is, nothing is moved before it is looked
    /// at.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Waiting> + use<> {
        let PriorityQueue { zero, others, .. } = std::mem::replace(self, PriorityQueue::new(self.rule));
        let mut below = others;
        let above = below.split_off(&0);
        let levels = above.into_iter().rev().chain([(0, zero)]).chain(below.into_iter().rev());
        levels.flat_map(|(priority, Level { slots, late, .. })| {
            late.into_values().chain(slots).filter_map(move |Slot { number, at, entry }| {
                entry.map(|entry| Waiting { priority, number, at, entry })
            })
        })
    }

    /// Whether it keeps no level but 0, and nothing in order.
    #[cfg(all(test, not(loom)))]
    pub(super) fn is_of_one_level(&self) -> bool {
        self.others.is_empty() && self.order.is_empty()
    }

    /// The level whose first entry comes first, and its priority.
    fn first_level(&self) -> Option<(i32, &Level)> {
        if self.others.is_empty() {
            return Some((0, &self.zero));
        }
        let (_, Reverse(priority)) = self.order.first()?;
        let level = if *priority == 0 { &self.zero } else { self.others.get(priority)? };
        Some((*priority, level))
    }

    /// Takes out the entry of this number; and a level that has become empty.
    fn take(&mut self, priority: i32, number: u64) -> Option<Entry> {
        let level = if priority == 0 { &mut self.zero } else { self.others.get_mut(&priority)? };
        let entry = level.take(number)?;
        self.len -= 1;
        if priority == 0 && level.slots.is_empty() && level.slots.capacity() > KEPT_SLOTS {
            // A burst's memory goes back once the queue has run empty after it.
            level.slots = VecDeque::new();
        }
        if !self.others.is_empty() {
            self.set_in_order(priority);
        }
        Some(entry)
    }

    /// The level's first entry may be another now, and there are `others`, or have been.
    fn set_in_order(&mut self, priority: i32) {
        self.set_one_in_order(priority);
        match self.others.is_empty() {
            true => {
                self.order.clear();
                self.zero.ranked = None;
            }
            false if priority != 0 && self.zero.ranked.is_none() => self.set_one_in_order(0),
            false => {}
        }
    }

    fn set_one_in_order(&mut self, priority: i32) {
        let level = if priority == 0 { Some(&mut self.zero) } else { self.others.get_mut(&priority) };
        let Some(level) = level else { return };
        let rank = level.first(self.rule).map(|slot| self.rule.rank(priority, slot.at));
        let before = std::mem::replace(&mut level.ranked, rank);
        if before == rank {
            return;
        }
        if let Some(before) = before {
            self.order.remove(&(before, Reverse(priority)));
        }
        match rank {
            Some(rank) => drop(self.order.insert((rank, Reverse(priority)))),
            None if priority != 0 => drop(self.others.remove(&priority)),
            None => {}
        }
    }
}
