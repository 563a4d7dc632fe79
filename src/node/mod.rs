//! The only room that knows Node-API.
//!
//! * `js` — one thin method for each Node-API call we make.
//! * `environment` — what one JavaScript environment owns, from module load to teardown.
//! * `call buffer` — the memory through which a batch of answers reaches JavaScript.
//! * `event_queue` — everything that comes back to an environment: one queue, one wake.
//! * `adaptive_wait` — when a worker thread waits in place, for a moment, for what comes next.
//! * `watchdog` — one thread that ends such waits.
//! * `wakeup` — the threadsafe function behind the wake, safe against teardown.
//! * `pin` — JavaScript memory that Rust holds alone for a while.
//! * `region` — JavaScript's shared memory as regions of the engine.
//! * `script_worker` — the place of a script worker in a pool, and how its jobs reach it.
//! * `process` — what the operating system tells of the process.
//! * `locks` — who the environment is to locks in shared memory, and what it waits for.
//! * `ports` — the ends of message channels that the environment owns.
//! * `typed_array` — an element of a typed array, for `Atomics` in Rust; `waits` — JavaScript that waits on cells.
//! * `input`, `output` — values from and to JavaScript.
//!
//! # Teardown
//! One order, for every way an environment can end (a worker's natural end, `terminate()`, `process.exit()` in a
//! worker, the main thread's natural end). The hook is registered after the threadsafe function, so by the LIFO rule
//! of Node it runs before Node begins to close that function:
//!
//! 1. the wakeup closes: from here no thread calls the threadsafe function;
//! 2. the event queue closes: what is in it and what still comes is dropped;
//! 3. its ports close: the other ends are told, and tasks that wait at them come back;
//! 4. if it is a script worker's, its seat is abandoned: it is rung no more, and what it held waits for the owner;
//!    the environment's pools are closed by force: waiting tasks are dropped, running ones are asked to stop;
//! 5. what the environment waits for at locks is given up, and then it is declared dead as an owner: who waits
//!    elsewhere for a lock that it holds, a pool's task too, is told now;
//! 6. its waits on shared memory leave the wait table, and the regions that its JavaScript held are let go;
//! 7. the hook waits until no thread holds memory that this environment's heap owns, pinned or shared (at most until
//!    the running task's next checkpoint).
//!
//! `process.exit()` and a fatal error on the main thread run no hook: pool threads are then ended with the process
//! in the middle of whatever they do, which is harmless, as they own nothing outside it.

mod adaptive_wait;
mod call_buffer;
mod environment;
mod event_queue;
mod input;
mod js;
mod locks;
mod output;
mod pin;
mod ports;
mod process;
mod region;
mod script_worker;
mod typed_array;
mod waits;
mod wakeup;
mod watchdog;

pub(crate) use environment::Environment;
pub(crate) use event_queue::{Answer, Event};
pub(crate) use input::{InputForm, NO_MEMORY, read_inputs, read_payload};
pub(crate) use js::{Arguments, Js, JsValue, NOTHING, RawFunction, Status};
pub(crate) use process::process_random;
pub(crate) use region::open_region;
pub(crate) use script_worker::{offer_seat, revoke_seat, take_offer};
pub(crate) use typed_array::TypedArray;
pub(crate) use waits::NO_OWNER;
