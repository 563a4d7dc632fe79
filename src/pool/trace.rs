//! What a pool does, task by task, while somebody traces it: bounded rings that its threads fill, and readers with cursors.
//!
//! While nobody traces, a thread reads one word that never changes ([`Shared::traces`](super::state::Shared::traces)): how many
//! records a ring keeps, none. While somebody does, each task is a record of its own (no groups, `worker.rs`), written by the thread
//! that runs it to a ring of its own, under a lock that only readers want too. Records of script workers and of the queue's length
//! are written under the pool's lock. A full ring drops its oldest record, and a reader learns how many it has missed.
//!
//! A record is written when its task begins, and completed when it has ended: so a reader sees what is under way. A reader's
//! cursor stays before that, and gets it again when it has ended.

use std::collections::{BTreeMap, VecDeque};

use super::position::Taker;
use super::task_observer::{Age, End, TaskRef};
use crate::exported_numbers::Numbers;
use crate::numbers;

/// For JavaScript.
pub(super) const TRACE: Numbers = numbers! {
    NATIVE = lane::NATIVE, SCRIPT = lane::SCRIPT, QUEUE = lane::QUEUE, DELIVERED = lane::DELIVERED, LANE, WIDTH,
    UNDER_WAY = outcome::UNDER_WAY, FAILED = outcome::FAILED, CANCELLED = outcome::CANCELLED, HELPED = outcome::HELPED,
};

/// What a lane tells of.
pub mod lane {
    /// A native thread.
    pub const NATIVE: u32 = 0;
    /// A script worker.
    pub const SCRIPT: u32 = 1;
    /// How much waits in the queue.
    pub const QUEUE: u32 = 2;
    /// Answers that JavaScript has got.
    pub const DELIVERED: u32 = 3;
}

/// Numbers before the records of a lane, and numbers of a record.
pub(super) const LANE: usize = 5;
/// See `LANE`.
pub const WIDTH: usize = 7;

/// How a task stands.
mod outcome {
    pub(super) const UNDER_WAY: u32 = 0;
    pub(super) const COMPLETED: u32 = 1;
    pub(super) const FAILED: u32 = 2;
    pub(super) const CANCELLED: u32 = 3;
    /// Parts of another thread's task.
    pub(super) const HELPED: u32 = 4;
}

/// Samples of the queue's length are so many nanoseconds apart.
pub(super) const SAMPLE: Age = 50_000;

/// Records in their order, the last so many of them.
pub struct Ring<T> {
    records: VecDeque<T>,
    /// How many were ever pushed.
    pushed: u64,
}

impl<T> Default for Ring<T> {
    fn default() -> Self {
        Ring { records: VecDeque::new(), pushed: 0 }
    }
}

impl<T> Ring<T> {
    /// Adds a record; of more than `capacity` the oldest is dropped.
    pub fn push(&mut self, capacity: usize, record: T) {
        while self.records.len() >= capacity.max(1) {
            self.records.pop_front();
        }
        self.records.push_back(record);
        self.pushed += 1;
    }

    /// The record that was pushed last.
    pub fn last_mut(&mut self) -> Option<&mut T> {
        self.records.back_mut()
    }

    pub(super) fn take_back(&mut self) {
        if self.records.pop_back().is_some() {
            self.pushed -= 1;
        }
    }

    /// The records since the cursor, and how many of them are not there any more.
    pub fn since(&self, cursor: u64) -> (impl Iterator<Item = &T>, u64) {
        let oldest = self.pushed - self.records.len() as u64;
        let first = cursor.clamp(oldest, self.pushed);
        let missed = first - cursor.min(first);
        (self.records.iter().skip((first - oldest) as usize), missed)
    }

    /// The cursor after all records.
    pub fn end(&self) -> u64 {
        self.pushed
    }

    /// Mutably, those since a cursor.
    pub fn since_mut(&mut self, cursor: u64) -> impl Iterator<Item = &mut T> {
        let oldest = self.pushed - self.records.len() as u64;
        self.records.iter_mut().skip((cursor.clamp(oldest, self.pushed) - oldest) as usize)
    }
}

/// One task on a thread; or a chunk of a batch, or parts of another thread's task.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slice {
    id: u64,
    task: u32,
    queued_at: Age,
    began: Age,
    ended: Age,
    /// How many inputs.
    count: u32,
    outcome: u32,
}

impl Slice {
    /// A task begins.
    pub(super) fn begun(id: u64, task: TaskRef, queued_at: Age, began: Age) -> Self {
        let outcome = outcome::UNDER_WAY;
        Slice { id, task: code_of(task), queued_at, began, ended: 0, count: 1, outcome }
    }

    /// It ends.
    pub(super) fn ended(self, at: Age, end: End) -> Self {
        let outcome = match end {
            End::Completed => outcome::COMPLETED,
            End::Failed => outcome::FAILED,
            End::Cancelled => outcome::CANCELLED,
        };
        Slice { ended: at, outcome, ..self }
    }

    /// It is so many inputs.
    pub(super) fn of(self, count: usize) -> Self {
        Slice { count: u32::try_from(count).unwrap_or(u32::MAX), ..self }
    }

    /// A thread has helped another's task.
    pub(super) fn helped(task: usize, began: Age, ended: Age) -> Self {
        let slice = Slice::begun(0, TaskRef::native(task), began, began);
        Slice { ended, outcome: outcome::HELPED, ..slice }
    }

    #[allow(clippy::cast_precision_loss)] // ids are below 2^53; of times a microsecond is shown
    fn numbers(&self) -> [f64; WIDTH] {
        let Slice { id, task, queued_at, began, ended, count, outcome } = *self;
        [
            id as f64,
            f64::from(task),
            queued_at as f64,
            began as f64,
            ended as f64,
            f64::from(count),
            f64::from(outcome),
        ]
    }
}

/// A task as one number.
fn code_of(task: TaskRef) -> u32 {
    u32::try_from(task.number * 2 + usize::from(task.taker == Taker::Script)).unwrap_or(u32::MAX)
}

/// The ring of a thread.
pub(super) type Slices = Ring<Slice>;

impl Slices {
    /// The record that was pushed last has ended.
    pub(super) fn end_last(&mut self, at: Age, end: End) {
        if let Some(last) = self.last_mut() {
            *last = last.ended(at, end);
        }
    }

    /// The record that was pushed last was none.
    pub(super) fn forget_last(&mut self) {
        self.take_back();
    }
}

/// What stands under the pool's lock.
#[derive(Default)]
pub(super) struct TraceState {
    /// How many records each reader wants.
    pub(super) readers: Vec<usize>,
    /// What rings keep: the most that a reader wants; 0 without one.
    pub(super) capacity: usize,
    /// By worker.
    pub(super) scripts: BTreeMap<usize, Slices>,
    /// Of the queue: when, and how much waits for native threads and for workers.
    pub(super) queue: Ring<(Age, usize, usize)>,
    pub(super) sampled: Age,
}

/// Where a reader stands in a lane.
#[derive(Debug, Clone, Copy)]
pub struct Cursor {
    /// Which lane: what it tells of, and the number of the thread.
    pub kind: u32,
    /// See `kind`.
    pub number: usize,
    /// What it has read.
    pub read: u64,
}

/// What a reader gets: all as numbers. First the time; then each lane: what it tells of, its thread's number, the cursor for the
/// next reading, how many records were missed, how many come; and those, [`WIDTH`] numbers each.
pub struct TraceNumbers {
    cursors: Vec<Cursor>,
    /// For JavaScript.
    pub numbers: Vec<f64>,
}

impl TraceNumbers {
    pub(super) fn new(cursors: Vec<Cursor>, now: Age) -> Self {
        #[allow(clippy::cast_precision_loss)] // of times a microsecond is shown
        TraceNumbers { cursors, numbers: vec![now as f64] }
    }

    /// Adds a lane. `under_way`: the record that the reader gets again, for which `is_under_way` holds, and others that are in
    /// no ring.
    #[allow(clippy::cast_precision_loss)] // counts
    pub fn lane<T>(
        &mut self,
        (kind, number): (u32, usize),
        ring: &Ring<T>,
        under_way: &[T],
        show: impl Fn(&T) -> ([f64; WIDTH], bool),
    ) {
        let of = self.cursors.iter().find(|cursor| (cursor.kind, cursor.number) == (kind, number));
        let (records, missed) = ring.since(of.map_or(0, |cursor| cursor.read));
        let (mut next, head) = (ring.end(), self.numbers.len());
        self.numbers.extend([f64::from(kind), number as f64, 0.0, missed as f64, 0.0]);
        let mut count = 0;
        for (record, in_ring) in
            records.map(|record| (record, true)).chain(under_way.iter().map(|record| (record, false)))
        {
            let (numbers, is_under_way) = show(record);
            next -= u64::from(in_ring && is_under_way);
            self.numbers.extend(numbers);
            count += 1;
        }
        (self.numbers[head + 2], self.numbers[head + 4]) = (next as f64, f64::from(count));
    }
}

/// How a reader gets a slice; and whether that gets it again.
pub(super) fn show(slice: &Slice) -> ([f64; WIDTH], bool) {
    (slice.numbers(), slice.outcome == outcome::UNDER_WAY)
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn a_ring_keeps_the_last_records_and_tells_what_a_reader_has_missed() {
        let mut ring = Ring::default();
        let read = |ring: &Ring<u64>, cursor| {
            let (records, missed) = ring.since(cursor);
            (records.copied().collect::<Vec<_>>(), missed)
        };
        assert_eq!(read(&ring, 0), (vec![], 0));
        for record in 0..10 {
            ring.push(4, record);
        }
        assert_eq!(read(&ring, 0), (vec![6, 7, 8, 9], 6));
        assert_eq!(read(&ring, 7), (vec![7, 8, 9], 0));
        assert_eq!(read(&ring, 10), (vec![], 0));
        // A reader of a ring that was dropped meanwhile.
        assert_eq!(read(&ring, 99), (vec![], 0));
        ring.push(2, 10);
        assert_eq!(read(&ring, 9), (vec![9, 10], 0));
        ring.take_back();
        assert_eq!((read(&ring, 0).0, ring.end()), (vec![9], 10));
    }

    #[test]
    fn a_record_under_way_is_read_again_when_it_has_ended() {
        let mut ring = Slices::default();
        let slice = |id| Slice::begun(id, TaskRef::native(3), 5, 10);
        ring.push(8, slice(1).ended(20, End::Failed));
        ring.push(8, slice(2));
        let read = |ring: &Slices, read| {
            let cursor = Cursor { kind: lane::NATIVE, number: 0, read };
            let mut numbers = TraceNumbers::new(vec![cursor], 99);
            numbers.lane((lane::NATIVE, 0), ring, &[], show);
            numbers.numbers
        };
        let first = read(&ring, 0);
        assert_eq!(first[..=LANE], [99.0, 0.0, 0.0, 1.0, 0.0, 2.0]);
        assert_eq!(first[1 + LANE..1 + LANE + WIDTH], [1.0, 6.0, 5.0, 10.0, 20.0, 1.0, 2.0]);
        assert_eq!(first[1 + LANE + WIDTH + 6], 0.0, "it is under way");
        ring.end_last(30, End::Completed);
        let again = read(&ring, 1);
        assert_eq!(again[..=LANE], [99.0, 0.0, 0.0, 2.0, 0.0, 1.0]);
        assert_eq!(again[1 + LANE..], [2.0, 6.0, 5.0, 10.0, 30.0, 1.0, 1.0]);
    }
}
