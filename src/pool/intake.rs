//! The intake: where a JavaScript thread puts small tasks without a call, and the pool's threads find them.
//!
//! It is a ring of records in memory that both sides know. A record is a task with a number, or nothing, as its input, that
//! nothing ends early. One thread writes: the pool's owner. Whoever holds the pool's lock reads: [`Shared::lock`] moves what is in
//! the ring into the queue first of all. So nobody who looks at the queue misses a task that was submitted before.
//!
//! # The protocol
//! The writer fills the record at *tail*, stores the next *tail*, and then loads *needs wake*. If that says so, it makes a call
//! ([`Pool::look_at_intake`]) by which a thread is woken; if the ring is full (*head* is too far behind), by which it is emptied.
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

use super::outbox::{Outbox, Reply};
use super::state::{Pool, Shared, State};
use super::task_observer::{Age, End, TaskObserver, TaskRef};
use crate::error::Error;
use crate::exported_numbers::{Groups, Numbers};
use crate::numbers;
use crate::sync::MutexGuard;
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Records in the ring, a power of two.
#[cfg(not(loom))]
const RECORDS: usize = 2048;
#[cfg(loom)]
const RECORDS: usize = 2;

/// Numbers in a record: the task's id; twice its number, and one more where there is an input; the input.
const RECORD: usize = 3;

/// Where things are, in numbers of 32 bits and of 64 bits.
const TAIL: usize = 0;
const HEAD: usize = 32;
const NEEDS_WAKE: usize = 33;
const FIRST: usize = 32;

/// For JavaScript.
pub const NUMBERS: Groups = &[("INTAKE", INTAKE)];
const INTAKE: Numbers = numbers! { RECORDS, RECORD, TAIL, HEAD, NEEDS_WAKE, FIRST };

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

/// The intake of a pool.
pub(super) struct Intake {
    memory: std::sync::Arc<IntakeMemory>,
    outbox: &'static dyn Outbox,
}

impl Intake {
    /// Whether records have come since `head`.
    fn has_new(&self, head: u32) -> bool {
        self.memory.tail.load(Ordering::SeqCst) != head
    }

    /// Whether it has something, as far as can be seen without the lock.
    pub(super) fn seems_filled(&self) -> bool {
        self.memory.tail.load(Ordering::Relaxed) != self.memory.head.load(Ordering::Relaxed)
    }

    /// Reads the record at `head`.
    fn read(&self, head: u32, queued_at: Age) -> SmallJob {
        let record = &self.memory.records[head as usize % RECORDS];
        // Relaxed: the load of `tail` has brought them.
        let [id, task, input] = std::array::from_fn(|at| f64::from_bits(record[at].load(Ordering::Relaxed)));
        let task = task as u32;
        SmallJob {
            id: id as u64,
            input: (task & 1 == 1).then_some(input),
            queued_at,
            task: task >> 1,
        }
    }
}

impl Pool {
    /// Opens the intake, for tasks that are answered to `outbox`. Its memory; none if it has an intake.
    pub fn open_intake(&self, outbox: &'static dyn Outbox) -> Option<std::sync::Arc<IntakeMemory>> {
        let memory = std::sync::Arc::<IntakeMemory>::default();
        // From here on the pool tells the writer when to wake a thread: it has told nothing yet, so this says "always".
        self.0.intake.set(Intake { memory: memory.clone(), outbox }).ok()?;
        let mut state = self.0.lock();
        state.forget_needs_wake();
        self.0.publish(&mut state);
        Some(memory)
    }

    /// Moves what is in the intake into the queue, and wakes a thread for it.
    pub fn look_at_intake(&self) {
        let mut state = self.0.lock();
        if state.threads.alive() == 0 && state.queue.takeable_by_threads() > 0 && state.is_open() {
            if let Err(error) = self.start_thread(&mut state) {
                return self.refuse_small(state, &error);
            }
        }
        self.0.publish(&mut state);
        self.wake_one(state);
    }

    /// There is no thread: answers the small tasks that wait. What else waits was accepted when there was one, and
    /// waits for the next.
    fn refuse_small(&self, mut state: MutexGuard<'_, State>, error: &Error) {
        let small = state.queue.take_small();
        state.answering += 1;
        self.0.publish(&mut state);
        drop(state);
        for job in &small {
            let task = TaskRef::native(job.task as usize);
            self.0.given_up.lock().ended(task, End::of_error(error), 1);
        }
        self.answer_small(small, error);
        self.answered();
    }

    /// Answers small tasks that no thread will run.
    pub(super) fn answer_small(&self, small: impl IntoIterator<Item = SmallJob>, error: &Error) {
        for job in small {
            self.reply_to(&job).send(Err(error.clone()));
        }
    }

    /// The promise to answer a small task.
    pub(super) fn reply_to(&self, job: &SmallJob) -> Reply {
        let intake = self.0.intake.get().expect("it has come from there");
        Reply::new(job.id, intake.outbox)
    }
}

impl Shared {
    /// The pool's lock, with everything in the queue that was submitted before.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock();
        self.collect(&mut state);
        state
    }

    /// Moves what is in the intake into the queue. True when that was something.
    pub(super) fn collect(&self, state: &mut State) -> bool {
        let Some(intake) = self.intake.get() else { return false };
        let (head, tail) = (state.intake_head, intake.memory.tail.load(Ordering::SeqCst));
        if head == tail {
            return false;
        }
        let (queued_at, mut head) = (self.age(), head);
        while head != tail {
            let job = intake.read(head, queued_at);
            head = head.wrapping_add(1);
            state.queue.push_small(job);
            state.tally.queued(TaskRef::native(job.task as usize), 1, job.queued_at);
        }
        state.intake_head = head;
        // The writer may fill these records again.
        intake.memory.head.store(head, Ordering::Release);
        true
    }

    /// Whether the intake has something that is not in the queue yet.
    pub(super) fn has_new(&self, head: u32) -> bool {
        self.intake.get().is_some_and(|intake| intake.has_new(head))
    }

    /// Tells the writer whether it must make a call after it has put something into the intake.
    pub(super) fn tell_needs_wake(&self, needs_wake: bool) {
        if let Some(intake) = self.intake.get() {
            intake.memory.needs_wake.store(u32::from(needs_wake), Ordering::SeqCst);
        }
    }
}
