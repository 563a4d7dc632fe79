//! A queue that one thread reads and many push to, in lines: threads that push often have lines of their own, so that they do
//! not wait for each other, nor for the reader.
//!
//! # The protocol
//! Each line has a lock. One word holds what all threads must agree on: a *due* bit for each line, whether the reader is
//! *awake*, and whether it waits *in place*.
//!
//! *Pushing.* Under the lock of its line a thread adds the item; if the line was empty, it also sets the due bit and *awake*
//! in one step. If that step finds the reader neither awake nor in place, this thread must wake it, and no other must; if it
//! finds the reader in place, this thread must end that wait. A line that was not empty has its due bit, or the reader is
//! about to empty it: nothing is left to do.
//!
//! *Reading.* The reader clears due bits, and then empties those lines, each under its lock. An item that is added in between
//! is taken along; one that is added later finds the line empty and sets the bit again.
//!
//! *Going to sleep.* In one step from "awake, nothing due" to "asleep": a line that becomes due before makes the step fail, one
//! that becomes due later finds the reader asleep and wakes it. So no wake is lost.
//!
//! *Order.* Items of one line keep their order. Line 0 is the common one: whatever was pushed to any line before an item of line
//! 0 was pushed (by the same thread, or known to it) is read before that item. For this the reader empties line 0 first, clears
//! the other due bits only then, and puts the items of line 0 last. The due bit is set under the line's lock, so a thread that
//! finds a line not empty knows that its bit is set, or that the line is being emptied.

use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::{Mutex, MutexGuard, sized};

/// How many lines there are, the common one included.
pub const LINES: usize = sized(16, 3);

/// The line for everything that must keep its order.
pub const COMMON: usize = 0;

const DUE: u32 = (1 << LINES) - 1;
const DUE_COMMON: u32 = 1 << COMMON;
const AWAKE: u32 = 1 << 31;
const IN_PLACE: u32 = 1 << 30;

/// Items for which an empty line keeps its memory.
const KEPT: usize = 16 * 1024;

/// What the thread that has pushed an item must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Pushed {
    /// Nothing: the reader knows, or another thread tells it.
    Known,
    /// Wake the reader.
    Wake,
    /// End the reader's wait in place.
    EndWait,
    /// Nothing: the queue is closed, and the item was dropped.
    Dropped,
}

// Two cache lines, since processors fetch them in pairs.
#[repr(align(128))]
struct Line<T>(Mutex<Items<T>>);

struct Items<T> {
    items: Vec<T>,
    closed: bool,
}

#[repr(align(128))]
struct Word(AtomicU32);

/// See the head of the file.
pub struct Lines<T> {
    word: Word,
    lines: [Line<T>; LINES],
}

impl<T> Default for Lines<T> {
    fn default() -> Self {
        let line = |_| Line(Mutex::new(Items { items: Vec::new(), closed: false }));
        Lines { word: Word(AtomicU32::new(0)), lines: std::array::from_fn(line) }
    }
}

impl<T> Lines<T> {
    /// Adds an item to a line, from any thread.
    #[inline]
    pub fn push(&self, line: usize, item: T) -> Pushed {
        let mut inner = self.lock(line);
        if inner.closed {
            drop(inner);
            // Outside the lock: its drop may push.
            drop(item);
            return Pushed::Dropped;
        }
        let first = inner.items.is_empty();
        inner.items.push(item);
        if !first {
            return Pushed::Known;
        }
        let before = self.word.0.fetch_or(1 << line | AWAKE, Ordering::SeqCst);
        drop(inner);
        if before & AWAKE != 0 {
            Pushed::Known
        } else if before & IN_PLACE != 0 {
            Pushed::EndWait
        } else {
            Pushed::Wake
        }
    }

    /// Moves all items into `batch`; `spare` is memory to use again. For the reader, which is awake afterwards: it must come
    /// back, or [`rest`](Lines::rest).
    pub fn take(&self, batch: &mut impl Extend<T>, spare: &mut Vec<T>) {
        let mut common = Vec::new();
        if self.word.0.fetch_or(AWAKE, Ordering::SeqCst) & DUE == 0 {
            return;
        }
        if self.word.0.fetch_and(!DUE_COMMON, Ordering::SeqCst) & DUE_COMMON != 0 {
            std::mem::swap(spare, &mut common);
            std::mem::swap(&mut self.lock(COMMON).items, &mut common);
        }
        let mut due = self.word.0.fetch_and(!(DUE & !DUE_COMMON), Ordering::SeqCst) & DUE & !DUE_COMMON;
        while due != 0 {
            let line = due.trailing_zeros() as usize;
            due &= due - 1;
            std::mem::swap(&mut self.lock(line).items, spare);
            batch.extend(spare.drain(..));
            if spare.capacity() > KEPT {
                *spare = Vec::new();
            }
        }
        batch.extend(common.drain(..));
        if common.capacity() > spare.capacity() && common.capacity() <= KEPT {
            *spare = common;
        }
    }

    /// Ends the reader's turn, or its wait in place. True when items are due; false when none is: the reader is asleep then.
    pub fn rest(&self) -> bool {
        self.leave(0)
    }

    /// Begins a wait in place. False when items are due. The caller ends it by [`rest`](Lines::rest).
    pub fn begin_wait(&self) -> bool {
        !self.leave(IN_PLACE)
    }

    /// From awake to `state`, unless items are due.
    fn leave(&self, state: u32) -> bool {
        let mut word = self.word.0.load(Ordering::SeqCst);
        loop {
            if word & DUE != 0 {
                self.word.0.fetch_and(!IN_PLACE, Ordering::SeqCst);
                return true;
            }
            match self.word.0.compare_exchange(word, state, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => return false,
                Err(now) => word = now,
            }
        }
    }

    /// Whether the reader is neither awake nor waits in place, just now.
    pub fn is_asleep(&self) -> bool {
        self.word.0.load(Ordering::SeqCst) & (AWAKE | IN_PLACE) == 0
    }

    /// Drops all items, and all that still come.
    pub fn close(&self) {
        for line in 0..LINES {
            let mut inner = self.lock(line);
            inner.closed = true;
            let items = std::mem::take(&mut inner.items);
            drop(inner);
            // Outside the lock: an item's drop may push.
            drop(items);
        }
    }

    fn lock(&self, line: usize) -> MutexGuard<'_, Items<T>> {
        self.lines[line].0.lock()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::sync::mpsc;

    use super::*;

    fn taken<T>(lines: &Lines<T>) -> Vec<T> {
        let mut batch = Vec::new();
        lines.take(&mut batch, &mut Vec::new());
        batch
    }

    #[test]
    fn the_first_push_wakes_and_the_others_do_not() {
        let lines = Lines::default();
        assert!(lines.is_asleep());
        assert_eq!(lines.push(2, 1), Pushed::Wake);
        assert!(!lines.is_asleep());
        assert_eq!(lines.push(2, 2), Pushed::Known);
        assert_eq!(lines.push(5, 3), Pushed::Known);
        assert_eq!(lines.push(COMMON, 4), Pushed::Known);
        assert_eq!(lines.push(1, 5), Pushed::Known);
        assert_eq!(taken(&lines), [5, 1, 2, 3, 4], "the common line comes last");
        assert_eq!(lines.push(5, 6), Pushed::Known, "the reader is awake");
        assert!(lines.rest());
        assert_eq!(taken(&lines), [6]);
        assert!(!lines.rest());
        assert_eq!(lines.push(COMMON, 7), Pushed::Wake);
    }

    #[test]
    fn a_wait_in_place_is_ended_by_the_first_push() {
        let lines = Lines::default();
        assert!(taken::<u32>(&lines).is_empty());
        assert!(lines.begin_wait());
        assert!(!lines.is_asleep());
        assert_eq!(lines.push(3, 1), Pushed::EndWait);
        assert_eq!(lines.push(4, 2), Pushed::Known);
        assert!(lines.rest());
        assert!(!lines.begin_wait(), "items are due");
        assert_eq!(taken(&lines), [1, 2]);
        assert!(lines.begin_wait());
        assert!(!lines.rest());
        assert_eq!(lines.push(3, 3), Pushed::Wake);
    }

    #[test]
    fn a_closed_queue_drops_what_it_has_and_what_comes() {
        let (lines, item) = (Lines::default(), Arc::new(()));
        let _ = lines.push(1, item.clone());
        lines.close();
        assert_eq!(Arc::strong_count(&item), 1);
        assert_eq!(lines.push(1, item.clone()), Pushed::Dropped);
        assert_eq!(Arc::strong_count(&item), 1);
        assert!(taken(&lines).is_empty());
    }

    /// Threads push to lines of their own and, now and then, a mark to the common one; the reader sleeps in between.
    #[test]
    fn nothing_is_lost_or_read_before_what_it_follows() {
        const THREADS: usize = 4;
        let count = if cfg!(miri) { 50 } else { 40_000 };
        let lines = Arc::new(Lines::<(usize, usize, bool)>::default());
        let (wake, woken) = mpsc::channel();
        let wakes = Arc::new(AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (lines, wake, wakes) = (lines.clone(), wake.clone(), wakes.clone());
                scope.spawn(move || {
                    for number in 0..count {
                        let is_mark = number % 7 == 6;
                        let line = if is_mark { COMMON } else { 1 + thread % 3 };
                        match lines.push(line, (thread, number, is_mark)) {
                            Pushed::Wake => {
                                wakes.fetch_add(1, Ordering::SeqCst);
                                wake.send(()).unwrap();
                            }
                            pushed => assert_eq!(pushed, Pushed::Known),
                        }
                    }
                });
            }
            let (mut seen, mut marks, mut total) = ([0; THREADS], [0; THREADS], 0);
            let mut spare = Vec::new();
            while total < THREADS * count {
                woken.recv().unwrap();
                loop {
                    let mut batch = Vec::new();
                    lines.take(&mut batch, &mut spare);
                    total += batch.len();
                    for (thread, number, is_mark) in batch {
                        if is_mark {
                            assert_eq!(number, marks[thread] * 7 + 6);
                            marks[thread] += 1;
                            assert!(seen[thread] > number - marks[thread], "the mark came too early");
                        } else {
                            assert_eq!(number, seen[thread] + seen[thread] / 6, "in order");
                            seen[thread] += 1;
                        }
                    }
                    if !lines.rest() {
                        break;
                    }
                }
            }
        });
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use loom::sync::Notify;

    use super::*;
    use crate::sync::{Arc, thread};

    struct Loop {
        lines: Lines<u32>,
        woken: Notify,
    }

    impl Loop {
        fn push(&self, line: usize, item: u32) {
            match self.lines.push(line, item) {
                Pushed::Wake => self.woken.notify(),
                pushed => assert_eq!(pushed, Pushed::Known),
            }
        }

        /// Reads until `count` items have come, asleep in between.
        fn read(&self, count: usize) -> Vec<u32> {
            let (mut all, mut spare) = (Vec::new(), Vec::new());
            while all.len() < count {
                self.woken.wait();
                loop {
                    self.lines.take(&mut all, &mut spare);
                    if !self.lines.rest() {
                        break;
                    }
                }
            }
            all
        }
    }

    fn run(lines: [&'static [(usize, u32)]; 2], check: fn(&[u32])) {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(move || {
            let it = Arc::new(Loop { lines: Lines::default(), woken: Notify::new() });
            let pushers = lines.map(|items| {
                let it = it.clone();
                thread::spawn(move || items.iter().for_each(|(line, item)| it.push(*line, *item)))
            });
            let all = it.read(lines.iter().map(|items| items.len()).sum());
            check(&all);
            for pusher in pushers {
                pusher.join().unwrap();
            }
        });
    }

    fn before(all: &[u32], first: u32, second: u32) {
        let at = |item| all.iter().position(|other| *other == item).unwrap();
        assert!(at(first) < at(second), "{all:?}");
    }

    #[test]
    fn loom_a_sleeping_reader_gets_everything_from_two_lines() {
        run([&[(1, 1), (1, 2)], &[(2, 3)]], |all| before(all, 1, 2));
    }

    #[test]
    fn loom_a_sleeping_reader_gets_everything_from_one_line() {
        run([&[(1, 1)], &[(1, 2), (1, 3)]], |all| before(all, 2, 3));
    }

    #[test]
    fn loom_an_item_of_the_common_line_follows_what_was_pushed_before() {
        run([&[(1, 1), (COMMON, 2)], &[(1, 3), (COMMON, 4)]], |all| {
            before(all, 1, 2);
            before(all, 3, 4);
        });
    }
}
