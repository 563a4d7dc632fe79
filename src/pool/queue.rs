//! The queue: first in, first out within a priority; higher priorities first.
//!
//! Each priority is a lane. A ticket names a lane and a running number in it, so taking one waiting job out of the
//! middle (an abort) is O(1) and drops its input at once; what stays behind is an empty place, skipped later.

use std::collections::VecDeque;

use super::batch::Batch;
use super::job::Job;
use super::parallel_for::ParallelFor;
use crate::sync::Arc;

/// What waits.
pub(super) enum Entry {
    Job(Job),
    Batch(Arc<Batch>),
    /// Another thread's task would be helped; never in the queue itself, see `State::help`.
    Help(Arc<ParallelFor>),
}

/// A place in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    priority: i32,
    number: u64,
    line: Line,
}

/// Who takes what waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// The native threads.
    Native,
    /// Any script worker.
    Scripts,
    /// The script worker at this seat, which has the job's input already.
    Bound(usize),
    /// Nobody yet: the job of this id waits for a script worker that its input can go to.
    Orphans(u64),
}

impl Ticket {
    pub(super) fn in_line(self, line: Line) -> Self {
        Ticket { line, ..self }
    }

    /// Of a script's job that waits for a worker it can be bound to.
    pub fn of_an_orphan(id: u64) -> Self {
        Ticket { priority: 0, number: 0, line: Line::Orphans(id) }
    }

    pub(super) fn line(self) -> Line {
        self.line
    }

    /// Whether it is of a job for a script worker.
    pub fn is_of_a_script(self) -> bool {
        self.line != Line::Native
    }
}

struct Lane {
    priority: i32,
    /// The running number of the first place.
    head: u64,
    places: VecDeque<Option<Entry>>,
}

pub(super) struct Queue {
    /// Highest priority first. Lanes other than 0 live only while something waits in them.
    lanes: Vec<Lane>,
    /// No number below this is given again, also by a lane that comes back.
    fresh: u64,
    len: usize,
}

impl Queue {
    pub(super) fn new() -> Self {
        let lane = Lane { priority: 0, head: 0, places: VecDeque::new() };
        Queue { lanes: vec![lane], fresh: 0, len: 0 }
    }

    /// How many entries wait.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The highest priority that waits; `i32::MIN` when nothing does.
    pub(super) fn top_priority(&self) -> i32 {
        self.lanes.iter().find(|lane| !lane.places.is_empty()).map_or(i32::MIN, |lane| lane.priority)
    }

    /// Adds an entry.
    pub(super) fn push(&mut self, priority: i32, entry: Entry) -> Ticket {
        let at = match self.lanes.binary_search_by(|lane| priority.cmp(&lane.priority)) {
            Ok(at) => at,
            Err(at) => {
                self.lanes.insert(at, Lane { priority, head: self.fresh, places: VecDeque::new() });
                at
            }
        };
        let lane = &mut self.lanes[at];
        let number = lane.head + lane.places.len() as u64;
        lane.places.push_back(Some(entry));
        self.len += 1;
        Ticket { priority, number, line: Line::Native }
    }

    /// The next entry. A batch with inputs left stays in its place and is shared out by reference.
    pub(super) fn pop(&mut self) -> Option<Entry> {
        if self.len == 0 {
            return None;
        }
        for at in 0..self.lanes.len() {
            while let Some(place) = self.lanes[at].places.front() {
                if let Some(Entry::Batch(batch)) = place
                    && batch.waiting() > 1
                {
                    return Some(Entry::Batch(Arc::clone(batch)));
                }
                if let Some(entry) = self.remove_front(at) {
                    self.retire_empty(at);
                    return Some(entry);
                }
            }
        }
        None
    }

    /// Takes out the entry at `ticket`, if it still waits.
    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<Entry> {
        let at = self.lanes.binary_search_by(|lane| ticket.priority.cmp(&lane.priority)).ok()?;
        let lane = &mut self.lanes[at];
        let index = usize::try_from(ticket.number.checked_sub(lane.head)?).ok()?;
        let entry = lane.places.get_mut(index)?.take()?;
        self.len -= 1;
        // Empty places in front go now, so a queue emptied by aborts holds no memory of it.
        while let Some(None) = self.lanes[at].places.front() {
            self.remove_front(at);
        }
        self.retire_empty(at);
        Some(entry)
    }

    /// The job that [`Queue::pop`] would give, and its priority.
    pub(super) fn next_job(&self) -> Option<(i32, &Job)> {
        if self.len == 0 {
            return None;
        }
        self.lanes.iter().find_map(|lane| {
            lane.places.iter().flatten().find_map(|entry| match entry {
                Entry::Job(job) => Some((lane.priority, job)),
                Entry::Batch(_) | Entry::Help(_) => None,
            })
        })
    }

    /// Takes out the job of this id, if it still waits; by looking at all of them.
    pub(super) fn remove_job(&mut self, id: u64) -> Option<Job> {
        let ticket = self.lanes.iter().find_map(|lane| {
            let is_it =
                |place: &Option<Entry>| matches!(place, Some(Entry::Job(job)) if job.reply.id() == id);
            let at = lane.places.iter().position(is_it)?;
            let number = lane.head + at as u64;
            Some(Ticket { priority: lane.priority, number, line: Line::Native })
        })?;
        match self.remove(ticket) {
            Some(Entry::Job(job)) => Some(job),
            _ => None,
        }
    }

    /// Everything that waits, in order.
    pub(super) fn drain(&mut self) -> Vec<Entry> {
        self.drain_with_priorities().into_iter().map(|(_, entry)| entry).collect()
    }

    /// Everything that waits, in order, each with its priority.
    pub(super) fn drain_with_priorities(&mut self) -> Vec<(i32, Entry)> {
        let mut all = Vec::with_capacity(self.len);
        while let Some(lane) = self.lanes.first_mut() {
            self.fresh = self.fresh.max(lane.head + lane.places.len() as u64);
            let priority = lane.priority;
            all.extend(lane.places.drain(..).flatten().map(|entry| (priority, entry)));
            self.lanes.remove(0);
        }
        self.lanes.push(Lane { priority: 0, head: self.fresh, places: VecDeque::new() });
        self.len = 0;
        all
    }

    fn remove_front(&mut self, at: usize) -> Option<Entry> {
        let lane = &mut self.lanes[at];
        let place = lane.places.pop_front()?;
        lane.head += 1;
        if place.is_some() {
            self.len -= 1;
        }
        place
    }

    fn retire_empty(&mut self, at: usize) {
        let lane = &mut self.lanes[at];
        if !lane.places.is_empty() {
            return;
        }
        if lane.priority == 0 {
            // A burst's memory goes back once the queue has run empty after it.
            if lane.places.capacity() > 4096 {
                lane.places = VecDeque::new();
            }
        } else {
            self.fresh = self.fresh.max(lane.head);
            self.lanes.remove(at);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::cancel::CancelToken;
    use crate::error::Result;
    use crate::pool::Outbox;
    use crate::pool::batch::Observe;
    use crate::pool::stats::Ended;
    use crate::value::{Payload, Value};

    struct Nowhere;
    impl Outbox for Nowhere {
        fn settle(&self, _: u64, _: Result<Value>) {}
    }

    /// Leaves after the first chunk.
    struct OneChunk;
    impl Observe for OneChunk {
        fn ended(&self, _: Ended) {}
        fn exhausted(&self) {}
        fn should_leave(&self) -> bool {
            true
        }
    }

    fn job(task: usize) -> Entry {
        Entry::Job(Job::new(0, &Nowhere, task, Payload::Value(Value::Null), None))
    }

    fn push(queue: &mut Queue, priority: i32, task: usize) -> Ticket {
        queue.push(priority, job(task))
    }

    fn task_of(entry: Option<Entry>) -> Option<usize> {
        match entry? {
            Entry::Job(job) => Some(job.task),
            Entry::Batch(batch) => Some(batch.task),
            Entry::Help(_) => None,
        }
    }

    #[test]
    fn higher_priorities_come_first_and_equals_in_order() {
        let mut queue = Queue::new();
        for (priority, task) in [(0, 1), (5, 2), (0, 3), (-1, 4), (5, 5)] {
            push(&mut queue, priority, task);
        }
        let order: Vec<usize> = std::iter::from_fn(|| task_of(queue.pop())).collect();
        assert_eq!(order, [2, 5, 1, 3, 4]);
        assert_eq!(queue.len(), 0);
        assert_eq!(queue.lanes.len(), 1, "empty lanes are gone");
    }

    #[test]
    fn a_ticket_takes_out_its_own_entry_once() {
        let mut queue = Queue::new();
        let tickets: Vec<Ticket> = (0..5).map(|task| push(&mut queue, 0, task)).collect();
        assert_eq!(task_of(queue.remove(tickets[2])), Some(2));
        assert_eq!(task_of(queue.remove(tickets[2])), None);
        assert_eq!(task_of(queue.pop()), Some(0));
        assert_eq!(task_of(queue.remove(tickets[0])), None, "it was taken");
        assert_eq!(task_of(queue.remove(tickets[4])), Some(4));
        let rest: Vec<usize> = std::iter::from_fn(|| task_of(queue.pop())).collect();
        assert_eq!(rest, [1, 3]);
    }

    #[test]
    fn a_lane_that_comes_back_does_not_answer_to_old_tickets() {
        let mut queue = Queue::new();
        let old = push(&mut queue, 7, 1);
        queue.pop();
        push(&mut queue, 7, 2);
        assert_eq!(task_of(queue.remove(old)), None);
        let older = push(&mut queue, 0, 3);
        queue.drain();
        push(&mut queue, 0, 4);
        assert_eq!(task_of(queue.remove(older)), None);
        assert_eq!(queue.len(), 1);
    }

    #[test]
    fn a_batch_is_shared_out_until_its_last_input() {
        let mut queue = Queue::new();
        let inputs = Payload::Value(Value::Array(vec![Value::Null; 2]));
        let batch = Arc::new(Batch::new(0, &Nowhere, 9, 0, inputs, 2, CancelToken::new(None)));
        queue.push(0, Entry::Batch(batch));
        assert_eq!(task_of(queue.pop()), Some(9));
        let Some(Entry::Batch(batch)) = queue.pop() else { panic!("the batch is shared") };
        assert_eq!(queue.len(), 1);
        batch.work(Ok, &OneChunk);
        assert_eq!(task_of(queue.pop()), Some(9));
        assert_eq!(queue.len(), 0, "whoever takes the last input takes it out of the queue");
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
        let mut queue = Queue::new();
        let mut model: Vec<(i32, u64, usize)> = Vec::new();
        let mut tickets: Vec<(Ticket, usize)> = Vec::new();
        for step in 0..20_000_u64 {
            let task = usize::try_from(step).expect("64-bit");
            match next() % 3 {
                0 => {
                    let priority = i32::try_from(next() % 4).expect("small") - 2;
                    tickets.push((queue.push(priority, job(task)), task));
                    model.push((-priority, step, task));
                }
                1 => {
                    model.sort_unstable();
                    let expected = (!model.is_empty()).then(|| model.remove(0).2);
                    assert_eq!(task_of(queue.pop()), expected);
                }
                _ if !tickets.is_empty() => {
                    let at = usize::try_from(next()).expect("64-bit") % tickets.len();
                    let (ticket, task) = tickets.swap_remove(at);
                    let expected =
                        model.iter().position(|entry| entry.2 == task).map(|at| model.remove(at).2);
                    assert_eq!(task_of(queue.remove(ticket)), expected);
                }
                _ => {}
            }
            assert_eq!(queue.len(), model.len());
        }
    }
}
