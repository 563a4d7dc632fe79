//! The settings of a pool.

use std::time::Duration;

use super::rank::Rule;
use super::task_limits::TaskLimit;
use crate::os_thread::set_priority;

/// The settings of a pool. `api/` checks and fills them; the engine takes them as they are.
#[derive(Debug, Clone)]
pub struct Config {
    /// Threads kept even when idle, until [`Pool::resize`](super::Pool::resize) says otherwise.
    pub min_threads: usize,
    /// Threads started at the most; at least 1. As `min_threads`.
    pub max_threads: usize,
    /// Who has said how many, by a number of the caller's.
    pub max_threads_from: u32,
    /// How long a thread above `min_threads` waits for work before it ends.
    pub idle_timeout: Duration,
    /// In how much time a waiting entry gains a level of priority; none for strict priorities.
    pub aging: Option<Duration>,
    /// Whether the newest entry of a priority comes first.
    pub newest_first: bool,
    /// How many tasks of one key may run at a time; at least 1.
    pub key_limit: usize,
    /// How many tasks of one name may run at a time, for some names.
    pub task_limits: Vec<TaskLimit>,
    /// The seed by which the order of its decisions can be repeated; none for a pool that is as quick as it can.
    pub deterministic: Option<u64>,
    /// How many entries may wait in the queue; `usize::MAX` for no limit.
    pub max_queue: usize,
    /// Whether several submitters have it open, each with jobs of its own to end.
    pub shared: bool,
    /// The stack of each thread in bytes.
    pub stack_size: usize,
    /// Threads are named `<name>-<number>`; script workers' threads `<name>-js<number>`.
    pub name: String,
    /// The priority of its threads, as [`os_thread`](crate::os_thread) has it; none for that of the thread that starts them.
    pub priority: Option<i32>,
}

impl Config {
    /// Makes the calling thread, which is about to take part, known to the system as one of this pool.
    pub(super) fn adopt_thread(&self) {
        if let Some(priority) = self.priority {
            set_priority(priority);
        }
    }

    pub(super) fn rule(&self) -> Rule {
        Rule::new(self.aging, self.newest_first)
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            min_threads: 0,
            max_threads: std::thread::available_parallelism().map_or(1, usize::from),
            max_threads_from: 0,
            idle_timeout: Duration::from_secs(10),
            aging: Some(Duration::from_secs(10)),
            newest_first: false,
            key_limit: 1,
            task_limits: Vec::new(),
            deterministic: None,
            max_queue: usize::MAX,
            shared: false,
            stack_size: 2 * 1024 * 1024,
            name: "rust-workers".to_owned(),
            priority: None,
        }
    }
}
