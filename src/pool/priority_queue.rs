//! One line of the queue: first in, first out within a priority; higher priorities first.
//!
//! Each priority is a level. A position names a level and a running number in it, so taking one waiting job out of the
//! middle (an abort) is O(1) and drops its input at once. An empty slot stays behind until it is the first of its level: so a
//! first slot is never empty, and a level with slots has an entry.

use std::collections::VecDeque;

use super::batch::Batch;
use super::intake::SmallJob;
use super::job::Job;
use super::position::LinePosition;
use crate::cancel::CancelToken;
use crate::sync::Arc;

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
    /// The number of its task.
    pub(super) fn task(&self) -> usize {
        match self {
            Entry::Small(job) => job.task as usize,
            Entry::Job(job) => job.task,
            Entry::Batch(batch) => batch.task,
        }
    }

    /// By which it may be stopped.
    pub(super) fn token(&self) -> Option<CancelToken> {
        match self {
            Entry::Small(_) => None,
            Entry::Job(job) => job.token.clone(),
            Entry::Batch(batch) => Some(batch.token.clone()),
        }
    }

    /// Whether it may be taken together with others: one task that nothing ends early.
    pub(super) fn is_sharable(&self) -> bool {
        match self {
            Entry::Small(_) => true,
            Entry::Job(job) => job.token.is_none(),
            Entry::Batch(_) => false,
        }
    }
}

struct Level {
    priority: i32,
    /// The running number of the first slot.
    head: u64,
    slots: VecDeque<Option<Entry>>,
}

pub(super) struct PriorityQueue {
    /// Highest priority first. Levels other than 0 live only while something waits in them.
    levels: Vec<Level>,
    /// No number below this is assigned again, also by a level that comes back.
    fresh: u64,
    len: usize,
}

impl PriorityQueue {
    pub(super) fn new() -> Self {
        let level = Level { priority: 0, head: 0, slots: VecDeque::new() };
        PriorityQueue { levels: vec![level], fresh: 0, len: 0 }
    }

    /// How many entries wait.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The highest priority that waits; `i32::MIN` when nothing does.
    pub(super) fn top_priority(&self) -> i32 {
        self.first_level().map_or(i32::MIN, |at| self.levels[at].priority)
    }

    /// Adds an entry.
    pub(super) fn push(&mut self, priority: i32, entry: Entry) -> LinePosition {
        let at = match self.levels.binary_search_by(|level| priority.cmp(&level.priority)) {
            Ok(at) => at,
            Err(at) => {
                self.levels.insert(at, Level { priority, head: self.fresh, slots: VecDeque::new() });
                at
            }
        };
        let level = &mut self.levels[at];
        let number = level.head + level.slots.len() as u64;
        level.slots.push_back(Some(entry));
        self.len += 1;
        LinePosition { priority, number }
    }

    /// Adds a small task, at priority 0.
    pub(super) fn push_small(&mut self, job: SmallJob) {
        self.push(0, Entry::Small(job));
    }

    /// The first entry, and its priority.
    pub(super) fn first(&self) -> Option<(i32, &Entry)> {
        let level = &self.levels[self.first_level()?];
        level.slots.front()?.as_ref().map(|entry| (level.priority, entry))
    }

    /// The entries in the order in which they would be taken.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.levels.iter().flat_map(|level| level.slots.iter().flatten())
    }

    /// The next entry. A batch with inputs left stays in its slot and is shared out by reference.
    pub(super) fn pop(&mut self) -> Option<Entry> {
        let at = self.first_level()?;
        match self.levels[at].slots.front()? {
            Some(Entry::Batch(batch)) if batch.waiting() > 1 => Some(Entry::Batch(Arc::clone(batch))),
            _ => self.take(at, 0),
        }
    }

    /// Takes out the entry at a position, if it still waits.
    pub(super) fn remove(&mut self, position: LinePosition) -> Option<Entry> {
        let at = self.levels.binary_search_by(|level| position.priority.cmp(&level.priority)).ok()?;
        let index = position.number.checked_sub(self.levels[at].head)?;
        self.take(at, usize::try_from(index).ok()?)
    }

    /// The job that [`PriorityQueue::pop`] would give, and its priority.
    pub(super) fn next_job(&self) -> Option<(i32, &Job)> {
        let level = &self.levels[self.first_level()?];
        match level.slots.front()? {
            Some(Entry::Job(job)) => Some((level.priority, job)),
            _ => None,
        }
    }

    /// Takes out the job of this id, if it still waits; by looking at all of them.
    pub(super) fn remove_job(&mut self, id: u64) -> Option<Job> {
        let position = self.levels.iter().find_map(|level| {
            let is_it = |slot: &Option<Entry>| matches!(slot, Some(Entry::Job(job)) if job.reply.id() == id);
            let at = level.slots.iter().position(is_it)?;
            Some(LinePosition { priority: level.priority, number: level.head + at as u64 })
        })?;
        match self.remove(position) {
            Some(Entry::Job(job)) => Some(job),
            _ => None,
        }
    }

    /// Everything that waits, in order, each with its priority. However much that is, nothing is moved before it is looked at.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (i32, Entry)> + use<> {
        self.fresh =
            self.levels.iter().map(|level| level.head + level.slots.len() as u64).fold(self.fresh, u64::max);
        self.len = 0;
        let fresh = Level { priority: 0, head: self.fresh, slots: VecDeque::new() };
        let levels = std::mem::replace(&mut self.levels, vec![fresh]);
        levels.into_iter().flat_map(|Level { priority, slots, .. }| {
            slots.into_iter().flatten().map(move |entry| (priority, entry))
        })
    }

    /// The first level in which something waits.
    fn first_level(&self) -> Option<usize> {
        self.levels.iter().position(|level| !level.slots.is_empty())
    }

    /// Takes out the entry in a slot, and the empty slots that are first then; and a level that has become empty.
    fn take(&mut self, at: usize, index: usize) -> Option<Entry> {
        let level = &mut self.levels[at];
        let entry = level.slots.get_mut(index)?.take()?;
        self.len -= 1;
        while let Some(None) = level.slots.front() {
            level.slots.pop_front();
            level.head += 1;
        }
        if level.slots.is_empty() {
            if level.priority != 0 {
                self.fresh = self.fresh.max(level.head);
                self.levels.remove(at);
            } else if level.slots.capacity() > KEPT_SLOTS {
                // A burst's memory goes back once the queue has run empty after it.
                level.slots = VecDeque::new();
            }
        }
        Some(entry)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::cancel::CancelToken;
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
        fn begins(&self) {}
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

    fn push(queue: &mut PriorityQueue, priority: i32, task: usize) -> LinePosition {
        queue.push(priority, job(task))
    }

    fn task_of(entry: Option<Entry>) -> Option<usize> {
        entry.map(|entry| entry.task())
    }

    #[test]
    fn higher_priorities_come_first_and_equals_in_order() {
        let mut queue = PriorityQueue::new();
        for (priority, task) in [(0, 1), (5, 2), (0, 3), (-1, 4), (5, 5)] {
            push(&mut queue, priority, task);
        }
        let order: Vec<usize> = std::iter::from_fn(|| task_of(queue.pop())).collect();
        assert_eq!(order, [2, 5, 1, 3, 4]);
        assert_eq!(queue.len(), 0);
        assert_eq!(queue.levels.len(), 1, "empty levels are gone");
    }

    #[test]
    fn a_position_takes_out_its_own_entry_once() {
        let mut queue = PriorityQueue::new();
        let positions: Vec<LinePosition> = (0..5).map(|task| push(&mut queue, 0, task)).collect();
        assert_eq!(task_of(queue.remove(positions[2])), Some(2));
        assert_eq!(task_of(queue.remove(positions[2])), None);
        assert_eq!(task_of(queue.pop()), Some(0));
        assert_eq!(task_of(queue.remove(positions[0])), None, "it was taken");
        assert_eq!(task_of(queue.remove(positions[4])), Some(4));
        let rest: Vec<usize> = std::iter::from_fn(|| task_of(queue.pop())).collect();
        assert_eq!(rest, [1, 3]);
    }

    #[test]
    fn a_priority_of_which_nothing_waits_any_more_is_not_the_highest() {
        let mut queue = PriorityQueue::new();
        for priority in 1..=3 {
            push(&mut queue, priority, 1);
            let aborted = [push(&mut queue, priority, 2), push(&mut queue, priority, 3)];
            for position in aborted {
                queue.remove(position);
            }
            push(&mut queue, 0, 4);
            assert_eq!(task_of(queue.pop()), Some(1));
            assert_eq!(queue.top_priority(), 0);
            assert_eq!(queue.levels.len(), 1);
        }
    }

    #[test]
    fn a_level_that_comes_back_does_not_answer_to_old_positions() {
        let mut queue = PriorityQueue::new();
        let old = push(&mut queue, 7, 1);
        queue.pop();
        push(&mut queue, 7, 2);
        assert_eq!(task_of(queue.remove(old)), None);
        let older = push(&mut queue, 0, 3);
        drop(queue.drain());
        push(&mut queue, 0, 4);
        assert_eq!(task_of(queue.remove(older)), None);
        assert_eq!(queue.len(), 1);
    }

    #[test]
    fn a_batch_is_shared_out_until_its_last_input() {
        let mut queue = PriorityQueue::new();
        let inputs = BatchInputs::Array(Payload::Value(Value::Array(vec![Value::Null; 2])));
        let batch = Arc::new(Batch::new(0, &Nowhere, ECHO, 0, inputs, 2, CancelToken::new(None)));
        queue.push(0, Entry::Batch(batch));
        assert_eq!(task_of(queue.pop()), Some(ECHO));
        let Some(Entry::Batch(batch)) = queue.pop() else { panic!("the batch is shared") };
        assert_eq!(queue.len(), 1);
        batch.work(&TestTasks, &NoHelpers, &OneChunk);
        assert_eq!(task_of(queue.pop()), Some(ECHO));
        assert_eq!(queue.len(), 0, "the thread that takes the last input takes it out of the queue");
    }

    #[test]
    fn the_queue_agrees_with_a_plain_model_over_random_steps() {
        let mut random = 0x9E37_79B9_7F4A_7C15_u64;
        let mut next = move || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random
        };
        let mut queue = PriorityQueue::new();
        let mut model: Vec<(i32, u64, usize)> = Vec::new();
        let mut positions: Vec<(LinePosition, usize)> = Vec::new();
        for step in 0..20_000_u64 {
            let task = usize::try_from(step).expect("64-bit");
            match next() % 3 {
                0 => {
                    let priority = i32::try_from(next() % 4).expect("small") - 2;
                    positions.push((queue.push(priority, job(task)), task));
                    model.push((-priority, step, task));
                }
                1 => {
                    model.sort_unstable();
                    let expected = (!model.is_empty()).then(|| model.remove(0).2);
                    assert_eq!(task_of(queue.pop()), expected);
                }
                _ if !positions.is_empty() => {
                    let at = usize::try_from(next()).expect("64-bit") % positions.len();
                    let (position, task) = positions.swap_remove(at);
                    let expected =
                        model.iter().position(|entry| entry.2 == task).map(|at| model.remove(at).2);
                    assert_eq!(task_of(queue.remove(position)), expected);
                }
                _ => {}
            }
            assert_eq!(queue.len(), model.len());
        }
    }
}
