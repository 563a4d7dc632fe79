//! The intake: where a JavaScript thread puts small tasks without a call, and the pool's threads find them.
//!
//! It is a ring of records in memory that both sides know. A record is a task with a number, or nothing, as its input, that
//! nothing ends early; or it tells of a *deposit*: a task with another input, which a call has left beside the ring under
//! a lock of its own, with the record before which it comes. One thread writes: the pool's owner. Whoever holds the pool's lock
//! reads: `Shared::lock` (`small_jobs.rs`) moves what is in the ring into the queue first of all. So nobody who looks at the queue misses a task that was submitted before.
//!
//! # The protocol
//! The writer fills the record at *tail*, stores the next *tail*, and then loads *needs wake*. If that says so, it makes a call
//! (`Pool::look_at_intake` in `small_jobs.rs`) by which a thread is woken; if the ring is full (*head* is too far behind), by which it is emptied.
//!
//! *needs wake* is 0 only while some thread will look at the queue soon by itself: it searches, was woken, or is about to finish
//! a short chunk while another dozes (`parking.rs`). A thread that takes this back, since it goes to sleep or begins something long,
//! stores 1 and then loads *tail* again. Both sides store first and load after, all sequentially consistent: either the writer
//! sees the 1, and calls, or the thread sees the record. So no record stays unseen.
//!
//! When a task was submitted is not in its record: that is when it is collected, which is at the end of the JavaScript
//! thread's turn at the latest, since the writer makes a call then.
//!
//! Records have no priority and no limit: JavaScript puts a task here only when the queue certainly has room for it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::job::Job;
use super::outbox::{Outbox, Reply};
use super::task_observer::Age;
use crate::exported_numbers::Numbers;
use crate::numbers;
use crate::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
use crate::sync::{Mutex, sized};

/// Records in the ring, a power of two.
const RECORDS: usize = sized(2048, 2);

/// Numbers in a record: the task's id; its number times [`KINDS`], and which kind of record it is; the input.
const RECORD: usize = 3;

const KINDS: usize = 4;
const WITHOUT_INPUT: usize = 0;
const WITH_NUMBER: usize = 1;
const DEPOSIT: usize = 2;

/// Where things are, in numbers of 32 bits and of 64 bits.
const TAIL: usize = 0;
const HEAD: usize = 32;
const NEEDS_WAKE: usize = 33;
const FIRST: usize = 32;

/// For JavaScript.
pub(super) const INTAKE: Numbers = numbers! {
    RECORDS, RECORD, KINDS, WITHOUT_INPUT, WITH_NUMBER, DEPOSIT, TAIL, HEAD, NEEDS_WAKE, FIRST,
};

/// The memory that both sides know. Each group of fields has cache lines of its own: they have different writers.
#[repr(C, align(128))]
pub struct IntakeMemory {
    tail: AtomicU32,
    gap: [u32; 31],
    head: AtomicU32,
    needs_wake: AtomicU32,
    other_gap: [u32; 30],
    records: [[AtomicU64; RECORD]; RECORDS],
}

impl Default for IntakeMemory {
    fn default() -> Self {
        IntakeMemory {
            tail: AtomicU32::new(0),
            gap: [0; 31],
            head: AtomicU32::new(0),
            needs_wake: AtomicU32::new(1),
            other_gap: [0; 30],
            records: std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0))),
        }
    }
}

/// A task from the intake.
#[derive(Debug, Clone, Copy)]
pub(super) struct SmallJob {
    pub(super) id: u64,
    pub(super) input: Option<f64>,
    pub(super) queued_at: Age,
    pub(super) task: u32,
}

/// What comes out of the intake.
pub(super) enum Collected {
    Small(SmallJob),
    Deposit(Job),
}

/// The intake of a pool.
pub(super) struct Intake {
    memory: Arc<IntakeMemory>,
    outbox: &'static dyn Outbox,
    /// Each with how far the writer was before it. A leaf: no other lock is taken under it.
    deposits: Mutex<VecDeque<(u32, Job)>>,
    /// How many there are.
    deposited: AtomicUsize,
}

impl Intake {
    pub(super) fn new(outbox: &'static dyn Outbox) -> Self {
        Intake {
            memory: Arc::default(),
            outbox,
            deposits: Mutex::new(VecDeque::new()),
            deposited: AtomicUsize::new(0),
        }
    }

    /// Leaves a task for which the writer, who calls this, is about to put a record into the ring.
    pub(super) fn deposit(&self, job: Job) {
        let mut deposits = self.deposits.lock();
        deposits.push_back((self.tail(), job));
        self.deposited.store(deposits.len(), Ordering::Relaxed);
    }

    /// Whether there is something that was not collected up to `head`. Certain of the calling thread's own.
    pub(super) fn has_new(&self, head: u32) -> bool {
        self.tail() != head || self.deposited.load(Ordering::Relaxed) > 0
    }

    /// Takes what has come since `head`, in order of submission. To be called under the pool's lock.
    pub(super) fn collect(&self, head: &mut u32, queued_at: Age, mut take: impl FnMut(Collected)) {
        let tail = self.tail();
        while *head != tail {
            match self.read(*head, queued_at) {
                Some(small) => take(Collected::Small(small)),
                None => self.take_deposits(*head, &mut take),
            }
            *head = head.wrapping_add(1);
        }
        // The record of one may be about to come, or never comes, where the writer's stack was used up.
        self.take_deposits(tail, &mut take);
        self.memory.head.store(tail, Ordering::Release);
    }

    /// Takes the deposits that come before the record `end`. A later one must wait: records before it may not be seen yet.
    fn take_deposits(&self, end: u32, take: &mut impl FnMut(Collected)) {
        if self.deposited.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut deposits = self.deposits.lock();
        while deposits.front().is_some_and(|(before, _)| before.wrapping_sub(end).cast_signed() <= 0) {
            take(Collected::Deposit(deposits.pop_front().expect("it was seen just now").1));
        }
        self.deposited.store(deposits.len(), Ordering::Relaxed);
    }

    pub(super) fn memory(&self) -> Arc<IntakeMemory> {
        Arc::clone(&self.memory)
    }

    /// The promise to answer one of its tasks.
    pub(super) fn reply_to(&self, job: &SmallJob) -> Reply {
        Reply::new(job.id, self.outbox)
    }

    /// How far the writer is.
    pub(super) fn tail(&self) -> u32 {
        self.memory.tail.load(Ordering::SeqCst)
    }

    /// Whether the writer must make a call after it has put something in.
    pub(super) fn set_needs_wake(&self, needs_wake: bool) {
        self.memory.needs_wake.store(u32::from(needs_wake), Ordering::SeqCst);
        // The next load of `tail` comes after it. (The sequentially consistent operations alone would do; loom knows that
        // order of fences only.)
        fence(Ordering::SeqCst);
    }

    /// Whether it has something, as far as can be seen without the lock.
    pub(super) fn seems_filled(&self) -> bool {
        self.memory.tail.load(Ordering::Relaxed) != self.memory.head.load(Ordering::Relaxed)
    }

    /// Reads the record at `head`; `None` where it only tells of a deposit.
    fn read(&self, head: u32, queued_at: Age) -> Option<SmallJob> {
        let record = &self.memory.records[head as usize % RECORDS];
        // Relaxed: the load of `tail` has brought them.
        let [id, task, input] = std::array::from_fn(|at| f64::from_bits(record[at].load(Ordering::Relaxed)));
        let (task, kind) = (task as usize / KINDS, task as usize % KINDS);
        let input = (kind == WITH_NUMBER).then_some(input);
        (kind != DEPOSIT).then_some(SmallJob { id: id as u64, input, queued_at, task: task as u32 })
    }
}

#[cfg(test)]
impl IntakeMemory {
    /// What JavaScript does (`lib/pool/intake.js`), but for its calls. `tail`: how many it has put before; there must be room.
    /// True when it must make a call.
    pub(super) fn put(&self, tail: u32, id: u64, task: usize, input: Option<f64>) -> bool {
        let kind = if input.is_some() { WITH_NUMBER } else { WITHOUT_INPUT };
        self.put_kind(tail, id, task * KINDS + kind, input)
    }

    /// Puts the record of a deposit.
    pub(super) fn put_deposit(&self, tail: u32) -> bool {
        self.put_kind(tail, 0, DEPOSIT, None)
    }

    fn put_kind(&self, tail: u32, id: u64, task: usize, input: Option<f64>) -> bool {
        let record = &self.records[tail as usize % RECORDS];
        for (field, number) in record.iter().zip([id as f64, task as f64, input.unwrap_or_default()]) {
            field.store(number.to_bits(), Ordering::Relaxed);
        }
        self.tail.store(tail.wrapping_add(1), Ordering::SeqCst);
        fence(Ordering::SeqCst);
        self.needs_wake.load(Ordering::SeqCst) != 0
    }

    /// Whether there is room for one more.
    #[cfg(not(loom))]
    pub(super) fn has_room(&self, tail: u32) -> bool {
        (tail.wrapping_sub(self.head.load(Ordering::SeqCst)) as usize) < RECORDS
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use std::time::Instant;

    use super::*;
    use crate::error::Result;
    use crate::sync::{Condvar, Mutex, thread};
    use crate::value::{Payload, Value};

    struct Nowhere;
    impl Outbox for Nowhere {
        fn settle(&self, _: usize, _: u64, _: Result<Value>) {}
    }

    /// A pool of one thread, as far as the intake's protocol goes.
    struct Pool {
        intake: Intake,
        /// How much was collected, and whether a call has said that there is more.
        state: Mutex<(u32, bool)>,
        called: Condvar,
    }

    impl Pool {
        fn put(&self, tail: u32, id: u64) {
            if self.intake.memory.put(tail, id, 0, None) {
                self.state.lock().1 = true;
                self.called.notify_one();
            }
        }

        fn deposit(&self, tail: u32, id: u64) {
            let input = Payload::Value(Value::Undefined);
            self.intake.deposit(Job::to_deposit(id, &Nowhere, 0, input, Instant::now()));
            if self.intake.memory.put_deposit(tail) {
                self.state.lock().1 = true;
                self.called.notify_one();
            }
        }

        /// A thread: collects until it has `count` tasks, and sleeps in between.
        fn take(&self, count: usize) -> Vec<u64> {
            let mut taken = Vec::new();
            let mut state = self.state.lock();
            loop {
                self.intake.collect(&mut state.0, 0, |collected| {
                    taken.push(match collected {
                        Collected::Small(job) => job.id,
                        Collected::Deposit(job) => id_of(job),
                    });
                });
                if taken.len() == count {
                    return taken;
                }
                // It goes to sleep.
                self.intake.set_needs_wake(true);
                if !self.intake.has_new(state.0) {
                    while !state.1 {
                        self.called.wait(&mut state);
                    }
                }
                state.1 = false;
                self.intake.set_needs_wake(false);
            }
        }
    }

    fn id_of(job: Job) -> u64 {
        let reply = job.into_reply();
        let id = reply.id();
        reply.forget();
        id
    }

    fn pool() -> Arc<Pool> {
        let intake = Intake::new(&Nowhere);
        intake.set_needs_wake(false);
        Arc::new(Pool { intake, state: Mutex::new((0, false)), called: Condvar::new() })
    }

    #[test]
    fn loom_a_thread_that_goes_to_sleep_misses_no_task() {
        loom::model(|| {
            let pool = pool();
            let writer = pool.clone();
            let writer = thread::spawn(move || {
                writer.put(0, 7);
                writer.put(1, 8);
            });
            assert_eq!(pool.take(2), [7, 8]);
            writer.join().unwrap();
        });
    }

    #[test]
    fn loom_a_deposit_does_not_overtake_the_record_before_it() {
        loom::model(|| {
            let pool = pool();
            let writer = pool.clone();
            let writer = thread::spawn(move || {
                writer.put(0, 7);
                writer.deposit(1, 8);
            });
            assert_eq!(pool.take(2), [7, 8]);
            writer.join().unwrap();
        });
    }
}
