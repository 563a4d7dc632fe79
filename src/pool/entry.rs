//! What waits in the queue: a single task, small or not, or many inputs of one.

use super::batch::Batch;
use super::intake::SmallJob;
use super::job::Job;
use super::keys::Key;
use super::task_observer::Age;
use crate::cancel::CancelToken;
use crate::sync::{Arc, Instant};

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
