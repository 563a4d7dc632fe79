//! Jobs of a script whose input goes to one worker alone, or is asked for: the owner's calls about them.

use super::position::{QueuePosition, Target};
use super::script_state::Running;
use super::state::{Pool, State};
use super::task_observer::{End, TaskObserver, TaskRef};
use crate::sync::MutexGuard;
use crate::value::Payload;

impl Pool {
    /// Wakes a worker for a job that was pushed, as far as one can take it. True when it is for any worker, and none could
    /// be told: those that wait in place take one job each.
    ///
    /// The input of a job that is bound to a worker follows as a message, which wakes the worker's event loop. So the job does
    /// not: each wake is a system call of the submitting thread, and the first would find the input not there yet.
    pub(super) fn wake_worker(&self, mut state: MutexGuard<'_, State>, target: Target) -> bool {
        let bound_to = match target {
            Target::Worker(number) => state.scripts.worker(number).and_then(|worker| worker.waker),
            Target::Native | Target::AnyWorker | Target::NoWorker => None,
        };
        let waker = match target {
            Target::AnyWorker => state.notify_worker_if_needed(),
            Target::Worker(_) => state.notify_to_ask(),
            Target::Native | Target::NoWorker => None,
        };
        let (waiting, blocked) = (state.queue.takeable_by_any_worker(), state.scripts.blocked);
        // One that waits for its key needs a worker later.
        let has_none = waiting == 0 && state.scripts.living() == 0;
        drop(state);
        match (blocked, target) {
            (0, _) => {}
            (_, Target::AnyWorker) => drop(self.0.script_work.notify_one()),
            // All that wait in place: the job is for one of them.
            _ => drop(self.0.script_work.notify_all()),
        }
        if let Some(waker) = waker {
            waker.notify();
        }
        if let Some(waker) = bound_to {
            waker.notify_awake();
        }
        target == Target::AnyWorker && waker.is_none() && (waiting > blocked || has_none)
    }

    /// Binds an orphan to another worker, where its input will come by the native fallback as `input` says: its new
    /// position. `None` when the worker takes no more; the job stays an orphan.
    pub fn rebind(&self, id: u64, number: usize, input: Payload) -> Option<QueuePosition> {
        let mut state = self.0.lock();
        if !state.scripts.takes_bound(number) {
            return None;
        }
        let position = state.queue.rebind(id, number, input)?;
        self.wake_worker(state, Target::Worker(number));
        Some(position)
    }

    /// Takes back a job that was bound to a worker and whose input could not be sent there, as if it had never been
    /// submitted. It may be in its worker's hands, which learns of it another way.
    pub fn retract(&self, number: usize, id: u64) {
        let mut state = self.0.lock();
        if let Some(Running { reply, task, input, permits, .. }) = state.scripts.take_running(number, id) {
            state.tally.retracted(task);
            if let Some(worker) = state.scripts.worker_mut(number) {
                worker.done -= 1;
            }
            self.release(state, permits);
            reply.forget();
            drop(input);
            return;
        }
        let job = state.remove_bound(number, id);
        if let Some(job) = &job {
            state.tally.retracted(TaskRef::script(job.task));
        }
        self.tell_released(state);
        if let Some(job) = job {
            drop(job.into_input());
        }
    }

    /// Gives an orphan up, which counts as failed: the caller answers it.
    pub fn disown_orphan(&self, id: u64) {
        let mut state = self.0.lock();
        let Some(job) = state.queue.disown(id) else { return };
        state.tally.ended(TaskRef::script(job.task), End::Failed, 1);
        self.tell_released(state);
        self.announce_if_closed(self.0.lock());
        drop(job.into_input());
    }

    /// Takes the input of a running job that came by [`InputPath::OnDemand`](super::InputPath::OnDemand). The first gets
    /// it: its owner, which then sends the memory itself, or its worker, which makes do with a copy when the owner does not
    /// answer. `None` for the other.
    pub fn claim_input(&self, id: u64) -> Option<Payload> {
        let mut state = self.0.lock();
        let number = state.scripts.worker_of(id)?;
        let running = &mut state.scripts.worker_mut(number)?.running;
        running.iter_mut().find(|job| job.reply.id() == id)?.input.take()
    }
}
