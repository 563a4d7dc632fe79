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

use super::batch::Batch;
use super::intake::SmallJob;
use super::job::Job;
use super::keys::Key;
use super::position::LinePosition;
use super::rank::{Place, Rank, Rule};
use super::task_observer::Age;
use crate::cancel::CancelToken;
use crate::sync::{Arc, Instant};

/// The most entries for which an empty line's levels keep memory.
const KEPT_SLOTS: usize = 4096;

/// An entry of the queue.
pub(super) enum Entry {
    Small(SmallJob),
    // Not boxed: to allocate and free a box, on two threads, costs more than to move it.
    Job(Job),
    Batch(Arc<Batch>),
}

impl Entry {
    /// The id under which it is answered, and when it was submitted.
    pub(super) fn submission(&self, age_at: impl Fn(Instant) -> Age) -> (u64, Age) {
        match self {
            Entry::Small(job) => (job.id, job.queued_at),
            Entry::Job(job) => (job.reply.id(), age_at(job.queued_at)),
            Entry::Batch(batch) => (batch.id, age_at(batch.queued_at)),
        }
    }

    /// The number of its task.
    pub(super) fn task(&self) -> usize {
        match self {
            Entry::Small(job) => job.task as usize,
            Entry::Job(job) => job.task,
            Entry::Batch(batch) => batch.task,
        }
    }

    /// Its key.
    pub(super) fn key(&self) -> Option<&Key> {
        match self {
            Entry::Job(job) => job.key(),
            Entry::Small(_) | Entry::Batch(_) => None,
        }
    }

    /// Under which a single task is answered.
    pub(super) fn id(&self) -> u64 {
        match self {
            Entry::Small(job) => job.id,
            Entry::Job(job) => job.reply.id(),
            Entry::Batch(_) => unreachable!("it is no single task"),
        }
    }

    pub(super) fn is_job(&self, id: u64) -> bool {
        matches!(self, Entry::Job(job) if job.reply.id() == id)
    }

    /// By which it may be stopped.
    pub(super) fn token(&self) -> Option<CancelToken> {
        match self {
            Entry::Small(_) => None,
            Entry::Job(job) => job.token().cloned(),
            Entry::Batch(batch) => Some(batch.token.clone()),
        }
    }

    /// Whether it may be taken together with others: one task that nothing ends early, and that has no key.
    pub(super) fn is_sharable(&self) -> bool {
        match self {
            Entry::Small(_) => true,
            Entry::Job(job) => job.token().is_none() && job.key().is_none(),
            Entry::Batch(_) => false,
        }
    }
}

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

    #[inline]
    fn push(&mut self, slot: Slot) {
        if self.slots.back().is_some_and(|last| last.number > slot.number) {
            self.late.insert(slot.number, slot);
        } else {
            self.slots.push_back(slot);
        }
    }

    /// The slot that comes first.
    #[inline]
    fn first(&self, rule: Rule) -> Option<&Slot> {
        let slot = if rule.newest_first { self.slots.back() } else { self.slots.front() };
        if self.late.is_empty() { slot } else { self.first_with_late(slot, rule) }
    }

    fn first_with_late<'a>(&'a self, slot: Option<&'a Slot>, rule: Rule) -> Option<&'a Slot> {
        let late = if rule.newest_first { self.late.last_key_value() } else { self.late.first_key_value() };
        match (slot, late) {
            (Some(slot), Some((number, late))) => {
                Some(if rule.within(slot.number, *number).is_lt() { slot } else { late })
            }
            (slot, late) => slot.or(late.map(|(_, slot)| slot)),
        }
    }

    /// Takes out the entry that comes first.
    #[inline]
    fn pop(&mut self, rule: Rule) -> Option<Entry> {
        if rule.newest_first || !self.late.is_empty() {
            let number = self.first(rule)?.number;
            return self.take(number);
        }
        let entry = self.slots.pop_front()?.entry;
        while self.slots.front().is_some_and(|slot| slot.entry.is_none()) {
            self.slots.pop_front();
        }
        entry
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

    /// A burst's memory goes back once the queue has run empty after it.
    fn give_memory_back(&mut self) {
        if self.slots.capacity() > KEPT_SLOTS {
            self.slots = VecDeque::new();
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.late.values().chain(&self.slots).filter_map(|slot| slot.entry.as_ref())
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
    #[inline]
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
    #[inline]
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

    #[inline]
    fn place(&self, priority: i32, slot: &Slot) -> Place {
        Place { rank: self.rule.rank(priority, slot.at), priority, at: slot.at, number: slot.number }
    }

    /// The entries, in no certain order of priorities.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        std::iter::once(&self.zero).chain(self.others.values()).flat_map(Level::iter)
    }

    /// The rank of the first entry.
    #[inline]
    pub(super) fn first_rank(&self) -> Option<Rank> {
        let (priority, level) = self.first_level()?;
        Some(self.rule.rank(priority, level.first(self.rule)?.at))
    }

    /// The next entry and its place, where `admits` says so. A batch with inputs left stays in its slot and is shared out by
    /// reference.
    #[inline]
    pub(super) fn pop_if(&mut self, admits: impl FnOnce(&Place, &Entry) -> bool) -> Option<(Place, Entry)> {
        let rule = self.rule;
        let (priority, level) = self.first_level()?;
        let slot = level.first(rule)?;
        let (place, entry) = (self.place(priority, slot), slot.entry.as_ref()?);
        if !admits(&place, entry) {
            return None;
        }
        if let Entry::Batch(batch) = entry
            && batch.waiting() > 1
        {
            return Some((place, Entry::Batch(Arc::clone(batch))));
        }
        let level = if priority == 0 { &mut self.zero } else { self.others.get_mut(&priority)? };
        let entry = level.pop(rule)?;
        self.took(priority);
        Some((place, entry))
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

    /// The level whose first entry comes first, and its priority.
    #[inline]
    fn first_level(&self) -> Option<(i32, &Level)> {
        if self.others.is_empty() { Some((0, &self.zero)) } else { self.first_of_several() }
    }

    fn first_of_several(&self) -> Option<(i32, &Level)> {
        let (_, Reverse(priority)) = self.order.first()?;
        let level = if *priority == 0 { &self.zero } else { self.others.get(priority)? };
        Some((*priority, level))
    }

    /// Takes out the entry of this number.
    fn take(&mut self, priority: i32, number: u64) -> Option<Entry> {
        let level = if priority == 0 { &mut self.zero } else { self.others.get_mut(&priority)? };
        let entry = level.take(number)?;
        self.took(priority);
        Some(entry)
    }

    /// An entry of this priority was taken out: takes out a level that has become empty.
    #[inline]
    fn took(&mut self, priority: i32) {
        self.len -= 1;
        if priority == 0 && self.zero.slots.is_empty() {
            self.zero.give_memory_back();
        }
        if !self.others.is_empty() {
            self.set_in_order(priority);
        }
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

#[cfg(all(test, not(loom)))]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::error::Error;
    use crate::error::Result;
    use crate::pool::BatchInputs;
    use crate::pool::Outbox;
    use crate::pool::batch::BatchHost;
    use crate::pool::task_observer::Ended;
    use crate::pool::test_tasks::{ECHO, NoHelpers, TestTasks};
    use crate::value::{Payload, Value};

    struct Nowhere;
    impl Outbox for Nowhere {
        fn settle(&self, _: usize, _: u64, _: Result<Value>) {}
    }

    /// Leaves after the first chunk.
    struct OneChunk;
    impl BatchHost for OneChunk {
        fn begins(&self, _: usize) {}
        fn panicked(&self, panic: Error) -> Error {
            panic
        }
        fn ended(&self, _: Ended) {}
        fn exhausted(&self) {}
        fn should_leave(&self) -> bool {
            true
        }
    }

    fn job(task: usize) -> Entry {
        Entry::Job(Job::new(0, &Nowhere, task, Payload::Value(Value::Null), None))
    }

    /// A line with strict priorities, and the number of the next entry.
    struct Line(PriorityQueue, u64);

    fn line() -> Line {
        Line(PriorityQueue::new(Rule::new(None, false)), 0)
    }

    impl Line {
        fn push(&mut self, priority: i32, task: usize) -> LinePosition {
            self.push_at(priority, task, 0)
        }

        fn push_at(&mut self, priority: i32, task: usize, at: Age) -> LinePosition {
            self.1 += 1;
            self.0.push(priority, self.1, at, job(task));
            LinePosition { priority, number: self.1, limit: None }
        }

        fn pop(&mut self) -> Option<usize> {
            self.0.pop_if(|_, _| true).map(|(_, entry)| entry.task())
        }

        fn remove(&mut self, position: LinePosition) -> Option<usize> {
            self.0.remove(position).map(|entry| entry.task())
        }

        fn order(&mut self) -> Vec<usize> {
            std::iter::from_fn(|| self.pop()).collect()
        }
    }

    #[test]
    fn higher_priorities_come_first_and_equals_in_order() {
        let mut line = line();
        for (priority, task) in [(0, 1), (5, 2), (0, 3), (-1, 4), (5, 5)] {
            line.push(priority, task);
        }
        assert_eq!(line.order(), [2, 5, 1, 3, 4]);
        assert_eq!(line.0.len(), 0);
        assert!(line.0.others.is_empty() && line.0.order.is_empty(), "empty levels are gone");
    }

    #[test]
    fn what_has_waited_long_enough_comes_before_a_higher_priority() {
        let mut line = Line(PriorityQueue::new(Rule::new(Some(Duration::from_nanos(10)), false)), 0);
        // By priority, and when it came: its rank.
        for (task, (priority, at)) in
            [(0, 0), (1, 5), (0, 4), (2, 23), (1, 15), (-1, 2)].into_iter().enumerate()
        {
            line.push_at(priority, task, at);
        }
        assert_eq!(line.order(), [1, 0, 3, 2, 4, 5]);
    }

    #[test]
    fn the_newest_may_come_first_within_a_priority() {
        let mut line = Line(PriorityQueue::new(Rule::new(None, true)), 0);
        let positions: Vec<LinePosition> = [(0, 1), (5, 2), (0, 3), (-1, 4), (5, 5), (0, 6)]
            .map(|(priority, task)| line.push(priority, task))
            .into();
        assert_eq!(line.pop(), Some(5));
        assert_eq!(line.remove(positions[5]), Some(6));
        line.push(0, 7);
        assert_eq!(line.remove(positions[5]), None, "its slot is another's now");
        assert_eq!(line.order(), [2, 7, 3, 1, 4]);
    }

    #[test]
    fn an_entry_that_comes_late_stands_where_its_number_says() {
        for (newest_first, order) in [(false, [1, 2, 3, 4, 5]), (true, [5, 4, 3, 2, 1])] {
            let mut queue = PriorityQueue::new(Rule::new(None, newest_first));
            for number in [2, 4, 3, 5, 1] {
                queue.push(0, number, 0, job(number as usize));
            }
            assert_eq!(queue.first().map(|(place, _)| place.number), Some(order[0] as u64));
            let taken: Vec<usize> =
                std::iter::from_fn(|| queue.pop_if(|_, _| true)).map(|(_, entry)| entry.task()).collect();
            assert_eq!(taken, order);
        }
    }

    #[test]
    fn a_position_takes_out_its_own_entry_once() {
        let mut line = line();
        let positions: Vec<LinePosition> = (0..5).map(|task| line.push(0, task)).collect();
        assert_eq!(line.remove(positions[2]), Some(2));
        assert_eq!(line.remove(positions[2]), None);
        assert_eq!(line.pop(), Some(0));
        assert_eq!(line.remove(positions[0]), None, "it was taken");
        assert_eq!(line.remove(positions[4]), Some(4));
        assert_eq!(line.order(), [1, 3]);
    }

    #[test]
    fn a_priority_of_which_nothing_waits_any_more_is_not_the_highest() {
        let mut line = line();
        for priority in 1..=3 {
            line.push(priority, 1);
            let aborted = [line.push(priority, 2), line.push(priority, 3)];
            for position in aborted {
                line.remove(position);
            }
            line.push(0, 4);
            assert_eq!(line.pop(), Some(1));
            assert_eq!(line.0.first().map(|(place, _)| place.priority), Some(0));
            assert!(line.0.others.is_empty());
        }
    }

    #[test]
    fn a_level_that_comes_back_does_not_answer_to_old_positions() {
        let mut line = line();
        let old = line.push(7, 1);
        line.pop();
        line.push(7, 2);
        assert_eq!(line.remove(old), None);
        let older = line.push(0, 3);
        drop(line.0.drain());
        line.push(0, 4);
        assert_eq!(line.remove(older), None);
        assert_eq!(line.0.len(), 1);
    }

    #[test]
    fn everything_can_be_taken_out_in_the_order_of_priorities_and_submission() {
        let mut line = line();
        for (priority, task) in [(0, 1), (5, 2), (0, 3), (-1, 4), (5, 5), (-7, 6)] {
            line.push(priority, task);
        }
        line.0.push(5, 0, 0, job(7));
        let all: Vec<(i32, usize)> =
            line.0.drain().map(|waiting| (waiting.priority, waiting.entry.task())).collect();
        assert_eq!(all, [(5, 7), (5, 2), (5, 5), (0, 1), (0, 3), (-1, 4), (-7, 6)]);
        assert_eq!(line.order(), [0; 0]);
    }

    #[test]
    fn a_batch_is_shared_out_until_its_last_input() {
        let mut queue = PriorityQueue::new(Rule::new(None, false));
        let inputs = BatchInputs::Array(Payload::Value(Value::Array(vec![Value::Null; 2])));
        let batch = Arc::new(Batch::new(0, &Nowhere, ECHO, 0, inputs, 2, CancelToken::new(None)));
        queue.push(0, 0, 0, Entry::Batch(batch));
        assert_eq!(queue.pop_if(|_, _| true).map(|(_, entry)| entry.task()), Some(ECHO));
        let Some((_, Entry::Batch(batch))) = queue.pop_if(|_, _| true) else { panic!("the batch is shared") };
        assert_eq!(queue.len(), 1);
        batch.work(&TestTasks, &NoHelpers, &OneChunk);
        assert_eq!(queue.pop_if(|_, _| true).map(|(_, entry)| entry.task()), Some(ECHO));
        assert_eq!(queue.len(), 0, "the thread that takes the last input takes it out of the queue");
    }

    /// Of each priority the first in order; of these the lowest rank, then the highest priority.
    fn expected(model: &[(i32, Age, usize)], aging: Option<i64>, newest_first: bool) -> Option<usize> {
        let mut firsts: BTreeMap<i32, (Age, usize)> = BTreeMap::new();
        for (priority, at, task) in model {
            let first = firsts.entry(*priority).or_insert((*at, *task));
            if newest_first {
                *first = (*at, *task);
            }
        }
        let rank = |priority: i32, at: Age| aging.map_or(0, |aging| at as i64 - i64::from(priority) * aging);
        firsts
            .into_iter()
            .min_by_key(|(priority, (at, _))| (rank(*priority, *at), -priority))
            .map(|(_, (_, task))| task)
    }

    #[test]
    fn the_queue_agrees_with_a_plain_model_over_random_steps() {
        let rules = [None, Some(0), Some(7), Some(1_000)].map(|aging| [(aging, false), (aging, true)]);
        for (aging, newest_first) in rules.concat() {
            agrees_with_a_plain_model(aging, newest_first);
        }
    }

    fn agrees_with_a_plain_model(aging: Option<i64>, newest_first: bool) {
        let mut random = 0x9E37_79B9_7F4A_7C15_u64;
        let mut next = move || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random
        };
        let rule = Rule::new(aging.map(|aging| Duration::from_nanos(aging.cast_unsigned())), newest_first);
        let mut line = Line(PriorityQueue::new(rule), 0);
        let mut model: Vec<(i32, Age, usize)> = Vec::new();
        let mut positions: Vec<(LinePosition, usize)> = Vec::new();
        for step in 0..20_000_u64 {
            let task = usize::try_from(step).expect("64-bit");
            match next() % 3 {
                0 => {
                    let priority = i32::try_from(next() % 4).expect("small") - 2;
                    positions.push((line.push_at(priority, task, step), task));
                    model.push((priority, step, task));
                }
                1 => {
                    let expected = expected(&model, aging, newest_first);
                    model.retain(|entry| Some(entry.2) != expected);
                    assert_eq!(
                        line.pop(),
                        expected,
                        "step {step}, aging {aging:?}, newest first {newest_first}"
                    );
                }
                _ if !positions.is_empty() => {
                    let at = usize::try_from(next()).expect("64-bit") % positions.len();
                    let (position, task) = positions.swap_remove(at);
                    let expected =
                        model.iter().position(|entry| entry.2 == task).map(|at| model.remove(at).2);
                    assert_eq!(line.remove(position), expected);
                }
                _ => {}
            }
            assert_eq!(line.0.len(), model.len());
        }
    }
}
