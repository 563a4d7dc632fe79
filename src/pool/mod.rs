//! The pool: one queue, and the threads that take from it: native threads of its own, and script workers.
//!
//! The pool does not know the tasks that it runs: they are handed in as an [`Execute`].
//!
//! * `config` — the settings of a pool; `capacity` — how many may run at once, while that changes.
//! * `execute` — the two seams between the pool and the tasks: [`Execute`] and [`Helpers`].
//! * `outbox` — where answers go, and the promise to answer once; `caller` — who waits for a running task;
//!   `reports` — how far it is; `call` — a function that it calls; `calling` — threads that wait for that.
//! * `job`, `batch`, `parallel_for` — one task; many inputs of one task; one task split over the threads;
//!   `batch_items` — the inputs and outputs of a batch; `output_list` — outputs, compact while they are of one kind.
//! * `position` — [`Taker`], [`Target`] and [`QueuePosition`]: which kind of thread takes an entry, and where it waits.
//! * `entry` — what waits; `rank` — which of two entries comes first: priorities with aging; `priority_queue` — one line: its order,
//!   removal from the middle.
//! * `intake` — where JavaScript puts small tasks without a call; `small_jobs` — how they get into the queue; `estimates` — how long tasks run, as far as is known.
//! * `queue` — the pool's queue: a line for each taker; `script_queue` — its part for script workers; `gate` — where entries wait
//!   before it, if the order is to be repeated; `steps` — how they go through.
//! * `line` — what waits for one kind of taker, or one worker; `keys` — tasks that do not run at the same time; `task_limits` — how
//!   many of one name run; `permits`, `holding` — what a task holds of both, and how it is given back; `affinity` — which worker
//!   would rather take which job; `release` — who is told when a task no longer waits for another.
//! * `admission` — how many entries may wait: the one rule against `maxQueue`.
//! * `deadlock` — whether a job that a running job submits could ever run.
//! * `room` — who waits for room in a queue that several fill.
//! * `task_observer` — the trait through which each step of a task is reported; `counters` — the counters, which observe;
//!   `stats` — a pool at one moment.
//! * `task_times` — histograms of how long tasks wait and run; `recorder`, `cpu_clock` — how a native thread fills them;
//!   `times` — those of a pool at one moment; `trace`, `trace_reading` — what it does, task by task, while somebody traces it.
//! * `threads` — the native threads' slots and counts; `parking` — how they sleep, wake and end, with the protocol.
//! * `worker` — one native thread: its start (name, size of the stack), and its life: take, run, report; `batch_worker` — its work on
//!   a batch; `task_helpers` — a task that is split over the threads.
//! * `script_state` — the script workers' state machine, with the protocol; `scripts` — the calls of a worker; `script_owner` — those
//!   of the owner about them; `script_jobs` — jobs that are bound to one worker, or asked for; `script_functions` — their functions' names.
//! * `state` — all of it under one lock; `submit` — submitting, cancelling and closing.

mod admission;
mod affinity;
mod batch;
mod batch_items;
mod batch_worker;
mod call;
mod caller;
mod calling;
mod capacity;
mod config;
mod counters;
mod cpu_clock;
mod deadlock;
mod entry;
mod estimates;
mod execute;
mod gate;
mod holding;
mod intake;
mod job;
mod keys;
mod line;
mod moved_jobs;
mod outbox;
mod output_list;
mod parallel_for;
mod parking;
mod permits;
mod position;
mod priority_queue;
mod queue;
mod rank;
mod recorder;
mod release;
mod reports;
mod room;
mod script_functions;
mod script_jobs;
mod script_owner;
mod script_queue;
mod script_state;
mod scripts;
mod small_jobs;
mod state;
mod stats;
mod steps;
mod submit;
mod task_helpers;
mod task_limits;
mod task_observer;
mod task_times;
mod thread_log;
mod threads;
mod times;
mod trace;
mod trace_reading;
mod worker;

#[cfg(all(test, not(any(loom, shuttle))))]
mod model_tests;
#[cfg(all(test, not(loom)))]
mod pool_tests;
#[cfg(all(test, not(loom)))]
mod priority_queue_tests;
#[cfg(all(test, not(loom)))]
mod resize_tests;
#[cfg(all(test, not(loom)))]
mod script_tests;
#[cfg(all(test, shuttle))]
pub(crate) mod shuttle_tests;
#[cfg(all(test, not(loom)))]
mod small_job_tests;
#[cfg(all(test, not(loom)))]
mod test_tasks;

use crate::exported_numbers::Groups;

pub use batch::Batch;
pub use batch_items::{BatchInputs, Outputs};
pub use call::{Asked, CallOutcome};
pub use config::Config;
pub use cpu_clock::CpuClock;
pub use execute::{Execute, Helpers, Tasks};
pub use intake::IntakeMemory;
pub use job::{Inherited, InputPath, Job, WaitedBy, Waiter};
pub use outbox::{Outbox, ScriptOutcome, Trip};
pub use output_list::OutputList;
pub use parallel_for::PartWork;
pub use position::{QueuePosition, Taker, Target};
pub use reports::{Report, ReportCell, WantedReports};
pub use script_state::Waker;
pub use scripts::{IdleWait, Step};
pub use state::Pool;
pub use stats::Stats;
pub use submit::{Accepted, SubmitError};
pub use task_limits::TaskLimit;
pub use task_times::{QUANTILES, Summary, Times, nanos};
pub use thread_log::log_threads;
pub use times::{PoolTimes, TimesOfTask};
pub use trace::{Cursor, Ring, TraceNumbers, WIDTH, lane};

/// For JavaScript.
pub const NUMBERS: Groups = &[("INTAKE", intake::INTAKE), ("TRACE", trace::TRACE)];
