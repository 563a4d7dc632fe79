//! The only module that knows Node-API.
//!
//! From the bottom up; a file imports only files above it in this list:
//!
//! * `js` — Node-API, made safe to call: values, references, functions bound to their call and environment.
//! * `handles` — tables whose entries JavaScript names by numbers. `process` — what the system knows about the process.
//! * `pin_count`, `wakeup`, `watchdog` — how many pins are held; the threadsafe function behind the wake, safe against
//!   teardown; one thread that ends waits in place.
//! * `event`, `event_queue` — the events for an environment: one queue, one wake.
//! * `kept_value`, `pinned_bytes` — values, and memory, of JavaScript's that Rust holds for a while.
//! * `adaptive_wait` — when a worker thread waits in place, for a moment, for the next event.
//! * `call_buffer`, `jobs` — the memory through which batches and arguments pass; jobs that may be cancelled. `calls` — calls of
//!   functions by jobs.
//! * `core` — the facts about an environment that all its parts may use.
//! * `memory`, `out_of_band` — answers to JavaScript: bytes as memory, all else by a form and a number.
//! * `shared_strings` — strings over JavaScript's shared memory.
//! * `region`, `typed_array`, `atomics` — JavaScript's shared memory as regions of the engine; `Atomics` in Rust.
//! * `locks`, `waits`, `atomics_wait`, `notifier` — the waits of JavaScript on shared memory.
//! * `port_batch`, `ports` — the ends of message channels that the environment owns.
//! * `input` — values from JavaScript.
//! * `guests` — other addons that submit to the pools.
//! * `refusal`, `registration`, `pools`, `submit` — the environment's pools and their script workers, as their owner;
//!   `named_pools` — pools that several environments have open.
//! * `round_trips` — how long tasks take until JavaScript has their answers.
//! * `script_worker` — the environment as a script worker of another's pool.
//! * `batch`, `delivery` — events to JavaScript.
//! * `environment` — all of it together, from module load to teardown; and the frame of a raw export.
//!
//! # Teardown
//! One order, for every way an environment can end (a worker's natural end, `terminate()`, `process.exit()` in a
//! worker, the main thread's natural end). The hook is registered after the threadsafe function, so by the LIFO rule
//! of Node it runs before Node begins to close that function:
//!
//! 1. the wakeup closes: from here no thread calls the threadsafe function;
//! 2. the event queue closes: its events, and all that still come, are dropped, which tells tasks that have called a function of the
//!    environment;
//! 3. its ports close: the other ends are notified, and tasks that wait at them return;
//! 4. if it is a script worker's, its registration is abandoned: it is woken no more, and the jobs that it held wait for the
//!    owner; the environment's pools are closed by force: waiting tasks are dropped, running ones are asked to stop; of pools that
//!    others have open too, only its own tasks, and it gives them back;
//! 5. the environment's waits for locks end, and then it is declared dead as an owner: threads that wait
//!    elsewhere for a lock that it holds, those of a pool too, are notified now;
//! 6. its waits on shared memory leave the wait table, the regions that its JavaScript held are let go, and its notifier
//!    ends;
//! 7. the hook waits until no thread holds memory that this environment's heap owns, pinned or shared (at most until
//!    the running task's next checkpoint).
//!
//! Each step, and each part of one, is guarded by itself: a panic in it, which is reported on stderr, does not keep the next
//! from being done. On the last step the safety of memory rests: it is done for each region, and waits for its users,
//! whatever panics.
//!
//! `process.exit()` and a fatal error on the main thread run no hook: pool threads are then ended with the process
//! in the middle of their work, which is harmless, as they own nothing outside it.

mod adaptive_wait;
mod atomics;
mod atomics_wait;
mod batch;
mod call_buffer;
mod calls;
mod core;
mod delivery;
mod environment;
mod event;
mod event_queue;
mod guests;
mod handles;
mod input;
mod jobs;
mod js;
mod kept_value;
mod latest_reports;
mod locks;
mod memory;
mod named_pools;
mod notifier;
mod out_of_band;
mod pin_count;
mod pinned_bytes;
mod pools;
mod port_batch;
mod ports;
mod process;
mod refusal;
mod region;
mod registration;
mod round_trips;
mod script_worker;
mod shared_strings;
mod submit;
mod typed_array;
mod waits;
mod wakeup;
mod watchdog;

use crate::exported_numbers::{Groups, Numbers};
use crate::numbers;

pub(crate) use atomics_wait::AsyncWait;
pub(crate) use environment::{Arguments, Call, Environment, Export, Returned, export};
pub(crate) use event::Event;
pub(crate) use guests::Guest;
pub(crate) use input::Input;
pub(crate) use jobs::{CancelBy, Found};
pub(crate) use js::{Js, JsValue, List, Result, Status, Type, external_strings};
pub(crate) use locks::{OwnerKind, WaitMode, owner_kind};
pub(crate) use notifier::{Next, answer_request, next_request};
pub(crate) use port_batch::PartsArray;
pub(crate) use ports::{Cursor, transit_state};
pub(crate) use process::process_random;
pub(crate) use refusal::answer;
pub(crate) use region::open_region;
pub(crate) use registration::adopt_thread_of;
pub(crate) use script_worker::{PATHS, ScriptWorker};
pub(crate) use shared_strings::shared_string;
pub(crate) use submit::{ScriptOptions, Submission, SubmitOptions};

/// The numbers of this module that JavaScript knows.
pub(crate) const NUMBERS: Groups = &[
    ("FORMS", out_of_band::form::NUMBERS),
    ("EVENTS", batch::form::NUMBERS),
    ("INPUTS", input::NUMBERS),
    ("CALL_BUFFER", call_buffer::NUMBERS),
    ("CANCEL_BY", jobs::NUMBERS),
    ("STEPS", script_worker::step::NUMBERS),
    ("ENDS", script_worker::end::NUMBERS),
    ("PORTS", port_batch::NUMBERS),
    ("POSTED", ports::posted::NUMBERS),
    ("FALLBACK", ports::fallback::NUMBERS),
    ("TRANSIT", ports::transit::NUMBERS),
    ("MEMORY", MEMORY),
];

const MEMORY: Numbers = numbers! { LARGE = memory::LARGE };
