//! The tasks that come by the intake: how they get into the queue, and what becomes of them where no thread runs them.

use std::sync::Arc;

use super::entry::Entry;
use super::intake::{Collected, Intake, IntakeMemory, SmallJob};
use super::job::Job;
use super::outbox::{Outbox, Reply};
use super::position::{Taker, Target};
use super::state::{Pool, Shared, State};
use super::task_observer::{TaskObserver, TaskRef};
use crate::error::Error;
use crate::sync::{Instant, MutexGuard};

impl Pool {
    /// Opens the intake, for tasks that are answered to `outbox`. Its memory; none if it has an intake, or may have none.
    pub fn open_intake(&self, outbox: &'static dyn Outbox) -> Option<Arc<IntakeMemory>> {
        if self.0.config.deterministic.is_some() {
            // What is in the intake waits before no gate.
            return None;
        }
        let intake = Intake::new(outbox);
        let memory = intake.memory();
        self.0.intake.set(intake).ok()?;
        let mut state = self.0.lock();
        state.forget_needs_wake();
        self.0.publish(&mut state);
        Some(memory)
    }

    /// Leaves a task for which its submitter is about to put a record into the intake; false where there is no intake.
    pub fn deposit(&self, job: impl FnOnce(Instant) -> Job) -> bool {
        let intake = self.0.intake.get();
        if let Some(intake) = intake {
            intake.deposit(job(self.0.made));
        }
        intake.is_some()
    }

    /// Moves what is in the intake into the queue, and wakes a thread for it.
    pub fn look_at_intake(&self) {
        let mut state = self.0.lock();
        let needs_thread =
            state.threads.alive() == 0 && state.queue.takeable_by_threads() > 0 && state.is_open();
        if needs_thread && let Err(error) = self.start_thread(&mut state) {
            return self.refuse_all(state, &error);
        }
        self.0.publish(&mut state);
        self.wake_one(state);
    }

    /// There is no thread: answers what waits, which has come by the intake just now.
    fn refuse_all(&self, mut state: MutexGuard<'_, State>, error: &Error) {
        let refused = state.queue.drain(Taker::Native);
        state.answering += 1;
        self.tell_released(state);
        for entry in refused {
            self.refuse(Taker::Native, entry, &|| error.clone());
        }
        self.answered();
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

    /// Moves what is in the intake into the queue.
    pub(super) fn collect(&self, state: &mut State) {
        let Some(intake) = self.intake.get() else { return };
        if !intake.has_new(state.intake_head) {
            return;
        }
        let now = Instant::now();
        let queued_at = self.age_at(now);
        let State { intake_head, queue, tally, .. } = state;
        intake.collect(intake_head, queued_at, |collected| match collected {
            Collected::Small(job) => {
                queue.push_small(job);
                tally.queued(TaskRef::native(job.task as usize), 1, queued_at);
            }
            Collected::Deposit(mut job) => {
                job.queued_at = now;
                tally.queued(TaskRef::native(job.task), 1, queued_at);
                queue.push(Entry::Job(job), 0, queued_at, Target::Native);
            }
        });
    }

    /// Tells the writer whether it must make a call after it has put something into the intake.
    pub(super) fn tell_needs_wake(&self, needs_wake: bool) {
        if let Some(intake) = self.intake.get() {
            intake.set_needs_wake(needs_wake);
        }
    }
}
