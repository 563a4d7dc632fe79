//! The tasks that come by the intake: how they get into the queue, and what becomes of them where no thread runs them.

use std::sync::Arc;

use super::intake::{Intake, IntakeMemory, SmallJob};
use super::outbox::{Outbox, Reply};
use super::state::{Pool, Shared, State};
use super::task_observer::{End, TaskObserver, TaskRef};
use crate::error::Error;
use crate::sync::MutexGuard;

impl Pool {
    /// Opens the intake, for tasks that are answered to `outbox`. Its memory; none if it has an intake.
    pub fn open_intake(&self, outbox: &'static dyn Outbox) -> Option<Arc<IntakeMemory>> {
        let intake = Intake::new(outbox);
        let memory = intake.memory();
        self.0.intake.set(intake).ok()?;
        let mut state = self.0.lock();
        state.forget_needs_wake();
        self.0.publish(&mut state);
        Some(memory)
    }

    /// Moves what is in the intake into the queue, and wakes a thread for it.
    pub fn look_at_intake(&self) {
        let mut state = self.0.lock();
        let needs_thread =
            state.threads.alive() == 0 && state.queue.takeable_by_threads() > 0 && state.is_open();
        if needs_thread && let Err(error) = self.start_thread(&mut state) {
            return self.refuse_small(state, &error);
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
        self.0.intake.get().expect("it has come from there").reply_to(job)
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
        let (head, tail) = (state.intake_head, intake.tail());
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
        intake.set_head(head);
        true
    }

    /// Whether the intake has something that is not in the queue yet.
    pub(super) fn has_new(&self, head: u32) -> bool {
        self.intake.get().is_some_and(|intake| intake.tail() != head)
    }

    /// Tells the writer whether it must make a call after it has put something into the intake.
    pub(super) fn tell_needs_wake(&self, needs_wake: bool) {
        if let Some(intake) = self.intake.get() {
            intake.set_needs_wake(needs_wake);
        }
    }
}
