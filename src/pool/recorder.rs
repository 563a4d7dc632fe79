//! How a native thread records the times of the tasks that it runs, and what a trace wants to know of them.
//!
//! Of short tasks that run one after the other without a look at the clock (a group, `worker.rs`) all begin when the first does, and
//! each is recorded with the mean. So their waits are the same where they were submitted together: equal ones are
//! counted, and all of a group is recorded at its end, under the lock of the thread's own record. For a reader that means: what
//! it sees lags behind the answers by a group at the most, and by nothing once the thread has answered all it holds.

use super::cpu_clock::CpuClock;
use super::state::Pool;
use super::task_observer::Age;
use super::task_times::TimesByTask;
use super::threads::WorkerSlot;
use super::trace::Slice;
use crate::sync::Mutex;

/// The recorder of one thread.
pub(super) struct Recorder<'a> {
    times: &'a Mutex<TimesByTask>,
    /// The waits of the group's tasks, and how many waited so long.
    waits: Vec<(Age, u64)>,
    clock: CpuClock,
}

impl<'a> Recorder<'a> {
    /// One that records into `times`.
    pub(super) fn new(times: &'a Mutex<TimesByTask>) -> Self {
        Recorder { times, waits: Vec::new(), clock: CpuClock::default() }
    }

    /// Something begins that is expected to run for so long.
    pub(super) fn begin(&mut self, expected: Age) {
        self.clock.begin(expected);
    }

    /// A task of the group that begins has waited for so long.
    pub(super) fn waited(&mut self, wait: Age) {
        match self.waits.last_mut() {
            Some((last, count)) if *last == wait => *count += 1,
            _ => self.waits.push((wait, 1)),
        }
    }

    /// The group of `count` tasks has run, for so many nanoseconds together.
    pub(super) fn end(&mut self, task: usize, count: u64, ran: Age) {
        let cpu = self.clock.end(ran);
        let mut times = self.times.lock();
        let times = times.of(task);
        for (wait, count) in self.waits.drain(..) {
            times.wait.record(wait, count);
        }
        times.ran(ran, count, cpu);
    }

    /// `count` inputs of a batch have waited for so long, and run for so many nanoseconds together.
    pub(super) fn ran(&self, task: usize, count: u64, wait: Age, ran: Age) {
        let mut times = self.times.lock();
        let times = times.of(task);
        times.wait.record(wait, count);
        times.ran(ran, count, 0);
    }

    /// What began has ended, and ran for so long: its CPU time is that of this task.
    pub(super) fn end_cpu(&mut self, task: usize, ran: Age) {
        let cpu = self.clock.end(ran);
        self.times.lock().of(task).cpu += cpu;
    }
}

/// Records what the thread does, while somebody traces. True when somebody does.
#[inline]
pub(super) fn trace(pool: &Pool, slot: &WorkerSlot, slice: impl FnOnce(&Pool) -> Slice) -> bool {
    let capacity = pool.0.traces();
    if capacity > 0 {
        slot.shared.slices.lock().push(capacity, slice(pool));
    }
    capacity > 0
}
