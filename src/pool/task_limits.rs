//! How many tasks of one name may run at a time.
//!
//! Each limited task has a line of its own beside the others (`line.rs`), which is closed while as many of its tasks run as may. So
//! those that wait for their limit are passed over as a whole.

use std::collections::HashMap;

use super::position::{LimitId, Taker};

/// The limit of a task, as a program gives it: of a native task, of a function of the script, or of both under one name.
#[derive(Debug, Clone)]
pub struct TaskLimit {
    /// The number of the native task.
    pub native: Option<usize>,
    /// The name of the function.
    pub function: Option<String>,
    /// How many may run.
    pub most: usize,
}

#[derive(Default)]
pub(super) struct TaskLimits {
    /// Which limit a task has, by its number; for each taker.
    of: [HashMap<usize, LimitId>; Taker::ALL.len()],
    /// How many more may run, by limit.
    room: Vec<usize>,
}

impl TaskLimits {
    /// `number`: that of a function of this name.
    pub(super) fn new(limits: &[TaskLimit], mut number: impl FnMut(&str) -> usize) -> Self {
        let mut all = TaskLimits::default();
        for TaskLimit { native, function, most } in limits {
            let id = LimitId::new(all.room.len());
            all.room.push(*most);
            let function = function.as_deref().map(&mut number);
            for (taker, task) in [(Taker::Native, *native), (Taker::Script, function)] {
                all.of[taker as usize].extend(task.map(|task| (task, id)));
            }
        }
        all
    }

    /// Whether no task has one.
    pub(super) fn is_empty(&self) -> bool {
        self.room.is_empty()
    }

    pub(super) fn count(&self) -> usize {
        self.room.len()
    }

    /// The limit of a task.
    pub(super) fn of(&self, taker: Taker, task: usize) -> Option<LimitId> {
        if self.is_empty() { None } else { self.of[taker as usize].get(&task).copied() }
    }

    /// How many more tasks of this limit may begin.
    pub(super) fn room(&self, index: usize) -> usize {
        self.room[index]
    }

    pub(super) fn begin(&mut self, limit: LimitId) {
        self.room[limit.index()] -= 1;
    }

    pub(super) fn end(&mut self, limit: LimitId) {
        self.room[limit.index()] += 1;
    }
}
