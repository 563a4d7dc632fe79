//! The times of a pool's tasks at one moment.

use super::outbox::Trip;
use super::position::Taker;
use super::state::Pool;
use super::task_observer::TaskRef;
use super::task_times::{NAMES, TaskTimes, Times, TimesByTask};

/// The times of one task.
pub struct TimesOfTask {
    /// `None` for the tasks that have no record of their own, since there are so many.
    pub name: Option<String>,
    /// Which kind of thread runs it.
    pub taker: Taker,
    /// From submission until it begins.
    pub wait: Times,
    /// From there until it has ended.
    pub run: Times,
    /// From submission until JavaScript has the answer.
    pub round_trip: Times,
    /// CPU time of all that have run, in nanoseconds.
    pub cpu: u64,
    task: TaskRef,
}

impl TimesOfTask {
    fn new(name: Option<String>, task: TaskRef) -> Self {
        let none = Times::default;
        TimesOfTask { name, taker: task.taker, wait: none(), run: none(), round_trip: none(), cpu: 0, task }
    }
}

/// The times of a pool's tasks.
pub struct PoolTimes {
    pool: Pool,
    /// By task; no task twice.
    pub tasks: Vec<TimesOfTask>,
}

impl Pool {
    /// The times of its tasks until now; with `reset` they begin anew.
    pub fn times(&self, reset: bool) -> PoolTimes {
        let (mut native, mut script) = (TimesByTask::default(), TimesByTask::default());
        let slots: Vec<_> = {
            let mut state = self.0.lock();
            script.take(&mut state.script_times, reset);
            state.threads.shared_parts().cloned().collect()
        };
        // Each under its own lock, which its thread wants: not under the pool's.
        for slot in slots {
            native.take(&mut slot.times.lock(), reset);
        }
        let mut times = PoolTimes { pool: self.clone(), tasks: Vec::new() };
        let kinds = [(Taker::Native, native), (Taker::Script, script)];
        for (taker, records) in kinds {
            for (number, TaskTimes { wait, run, cpu, .. }) in records.into_records() {
                let of = times.of(TaskRef { taker, number });
                (of.wait, of.run, of.cpu) = (wait, run, cpu);
            }
        }
        times
    }

    /// The name of a task, unless it shares its record with others.
    fn task_name(&self, task: TaskRef) -> Option<String> {
        match task {
            TaskRef { number: NAMES, .. } => None,
            TaskRef { taker: Taker::Native, number } => Some(self.0.tasks.name(number).to_owned()),
            TaskRef { taker: Taker::Script, number } => self.script_function_name(number),
        }
    }
}

impl PoolTimes {
    fn of(&mut self, task: TaskRef) -> &mut TimesOfTask {
        let at = self.tasks.iter().position(|times| times.task == task).unwrap_or_else(|| {
            self.tasks.push(TimesOfTask::new(self.pool.task_name(task), task));
            self.tasks.len() - 1
        });
        &mut self.tasks[at]
    }

    /// Those of all tasks together.
    pub fn total(&self) -> TimesOfTask {
        let mut total = TimesOfTask::new(None, TaskRef::native(NAMES));
        for task in &self.tasks {
            total.wait.add(&task.wait);
            total.run.add(&task.run);
            total.round_trip.add(&task.round_trip);
            total.cpu += task.cpu;
        }
        total
    }

    /// Adds the round trips of the task of this number ([`Trip::task`]).
    pub fn add_round_trips(&mut self, task: usize, trips: &Times) {
        if trips.count() > 0 {
            self.of(Trip::task_of(task)).round_trip.add(trips);
        }
    }
}
