//! What one JavaScript environment owns, from module load to teardown.
//!
//! It is made when Node loads the module for an environment and is never freed: Node may still hand its address to a
//! threadsafe function's callback after every finalizer has run (facts/node-api.md A6). What it holds is let go of in
//! [`teardown`]; some hundred bytes stay.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use napi::bindgen_prelude::sys;

use super::adaptive_wait::AdaptiveWait;
use super::call_buffer::{BATCH, CallBuffer};
use super::event_queue::{Event, EventQueue};
use super::js::{Arguments, Js, JsValue, NOTHING, Status};
use super::locks::Locks;
use super::output;
use super::ports::Ports;
use super::script_worker::Seat;
use super::waits::Waits;
use crate::cancel::{CancelToken, Reason};
use crate::panic::guard;
use crate::pool::{Pool, Ticket};
use crate::shared::Region;

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// How long one delivery may follow the other before timers and I/O get their turn.
///
/// Node calls a threadsafe function's callback up to a thousand times in one turn of the event loop, as long as it is
/// woken meanwhile. Where each answer makes the next task, and takes a millisecond to copy, that would be a second.
const TURN: Duration = Duration::from_millis(2);

/// One JavaScript environment: the main thread's, or a worker's.
pub(crate) struct Environment {
    /// Never used again, unlike addresses: names this environment to the engine.
    id: u64,
    made: Instant,
    events: EventQueue,
    pools: RefCell<Vec<Option<Pool>>>,
    cancellable: RefCell<HashMap<u64, Cancellable>>,
    locks: Locks,
    delivery: RefCell<Option<Delivery>>,
    /// Where a pool's script worker sits, in the environment of one.
    seat: RefCell<Option<Seat>>,
    /// Events taken and not delivered yet; kept from batch to batch for its memory.
    batch: Cell<VecDeque<Event>>,
    /// When the event loop was last known to begin a turn.
    turn_began: Cell<Option<Instant>>,
    adaptive_wait: AdaptiveWait,
    /// How many hold the event loop: it is kept alive while any does.
    holds: Cell<u32>,
    ports: Ports,
    waits: Waits,
    /// The class ArrayBuffer, as it was when the module was loaded.
    array_buffer: Cell<Option<sys::napi_ref>>,
    /// Functions of the language that our `Atomics` needs: see `api/atomics.rs`.
    helpers: Cell<Option<[sys::napi_ref; 3]>>,
}

/// A job that may be cancelled by its id.
struct Cancellable {
    pool: Pool,
    ticket: Ticket,
    token: CancelToken,
}

/// How answers reach JavaScript.
pub(super) struct Delivery {
    pub(super) deliver: sys::napi_ref,
    /// An array of twice `BATCH` elements, for what stands beside the call buffer.
    pub(super) extras: sys::napi_ref,
    pub(super) call_buffer: CallBuffer,
}

impl Environment {
    /// Makes the environment's state and its wake, in the one order that teardown relies on.
    pub(crate) fn create(js: Js<'_>) -> Result<&'static Environment, Status> {
        // Threads run our code from here on: the image must stay mapped even when Node unloads the addon.
        napi::bindgen_prelude::retain_current_module_for_unload_safety();
        let environment: &'static Environment = Box::leak(Box::new(Environment {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            made: Instant::now(),
            events: EventQueue::new(),
            pools: RefCell::default(),
            cancellable: RefCell::default(),
            locks: Locks::default(),
            delivery: RefCell::default(),
            seat: RefCell::default(),
            ports: Ports::default(),
            waits: Waits::default(),
            array_buffer: Cell::default(),
            helpers: Cell::default(),
            batch: Cell::default(),
            turn_began: Cell::default(),
            adaptive_wait: AdaptiveWait::default(),
            holds: Cell::new(0),
        }));
        let address = environment.address();
        // `hasRef` is how async hooks (Jest's --detectOpenHandles) learn that this handle holds nothing while idle.
        let resource = js.object()?;
        js.set_named(resource, c"hasRef", js.function(c"hasRef", has_ref, address)?)?;
        let function = js.threadsafe_function(resource, address, on_wake)?;
        js.release_loop(function)?;
        js.add_cleanup_hook(teardown, address)?;
        js.set_instance_data(address)?;
        environment.array_buffer.set(Some(js.reference(js.array_buffer_class()?)?));
        environment.events.wakeup().open(function);
        Ok(environment)
    }

    pub(crate) fn address(&'static self) -> *mut c_void {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    /// # Safety
    /// `address` must have come from [`Environment::address`].
    pub(crate) unsafe fn at(address: *mut c_void) -> &'static Environment {
        // SAFETY: environments are leaked, so the address stays valid; only shared references to them exist.
        unsafe { &*address.cast::<Environment>() }
    }

    /// The environment of the running callback.
    pub(crate) fn of(js: Js<'_>) -> Result<&'static Environment, Status> {
        let address = js.instance_data()?;
        if address.is_null() {
            return Err(Status(sys::Status::napi_generic_failure));
        }
        // SAFETY: only `create` sets the instance data.
        Ok(unsafe { Environment::at(address) })
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// A clock for its JavaScript.
    pub(crate) fn age(&self) -> Duration {
        self.made.elapsed()
    }

    pub(crate) fn events(&self) -> &EventQueue {
        &self.events
    }

    /// Its part in exchanges with other threads.
    pub(crate) fn adaptive_wait(&self) -> &AdaptiveWait {
        &self.adaptive_wait
    }

    /// Its locks and its waits for them.
    pub(crate) fn locks(&self) -> &Locks {
        &self.locks
    }

    /// The ends of message channels that it owns.
    pub(crate) fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Names the JavaScript function and the arrays through which answers are delivered. `settle` is a function where
    /// the thread may wait in place for the next event: see `adaptive_wait.rs`.
    pub(crate) fn open(
        &self,
        js: Js<'_>,
        deliver: JsValue,
        arrays: [JsValue; 5],
        settle: JsValue,
        extras: JsValue,
    ) -> Result<(), Status> {
        if js.type_of(settle)? == sys::ValueType::napi_function {
            self.adaptive_wait.allow(js.reference(settle)?);
        }
        let delivery = Delivery {
            deliver: js.reference(deliver)?,
            extras: js.reference(extras)?,
            call_buffer: CallBuffer::new(js, arrays)?,
        };
        self.delivery.replace(Some(delivery));
        Ok(())
    }

    /// The class ArrayBuffer.
    pub(super) fn array_buffer_class(&self, js: Js<'_>) -> Result<JsValue, Status> {
        js.referenced(self.array_buffer.get().ok_or(Status(sys::Status::napi_generic_failure))?)
    }

    /// The arguments that JavaScript has put on the call buffer for the call that is running.
    pub(crate) fn arguments<const N: usize>(&self) -> Option<[f64; N]> {
        self.delivery.borrow().as_ref().map(|delivery| delivery.call_buffer.arguments())
    }

    /// Writes what the call that is running returns on the call buffer.
    pub(crate) fn answer<const N: usize>(&self, numbers: [f64; N]) {
        if let Some(delivery) = self.delivery.borrow().as_ref() {
            delivery.call_buffer.answer(numbers);
        }
    }

    /// Makes this the environment of a script worker.
    pub(crate) fn sit(&self, seat: Seat) {
        self.seat.replace(Some(seat));
    }

    /// Runs `with` on this script worker's seat.
    pub(crate) fn with_seat<T>(&self, with: impl FnOnce(&Seat) -> T) -> Option<T> {
        self.seat.borrow().as_ref().map(with)
    }

    pub(crate) fn waits(&self) -> &Waits {
        &self.waits
    }

    /// Keeps functions of JavaScript for [`Environment::helper`].
    pub(crate) fn set_helpers(&self, js: Js<'_>, [a, b, c]: [JsValue; 3]) -> Result<(), Status> {
        self.helpers.set(Some([js.reference(a)?, js.reference(b)?, js.reference(c)?]));
        Ok(())
    }

    /// The helper function of this number.
    pub(crate) fn helper(&self, js: Js<'_>, number: usize) -> Result<JsValue, Status> {
        let helpers = self.helpers.get().ok_or(Status(sys::Status::napi_generic_failure))?;
        js.referenced(helpers[number])
    }

    /// Adds a pool; its handle is an index here.
    pub(crate) fn add_pool(&self, pool: Pool) -> u32 {
        let mut pools = self.pools.borrow_mut();
        let vacant = pools.iter().position(Option::is_none).unwrap_or_else(|| {
            pools.push(None);
            pools.len() - 1
        });
        pools[vacant] = Some(pool);
        u32::try_from(vacant).unwrap_or(u32::MAX)
    }

    pub(crate) fn pool(&self, handle: u32) -> Option<Pool> {
        self.pools.borrow().get(handle as usize).cloned().flatten()
    }

    pub(crate) fn has_pool(&self, handle: u32) -> bool {
        self.with_pool(handle, |_| ()).is_some()
    }

    /// Runs `with` on the pool, without touching its reference count.
    pub(crate) fn with_pool<T>(&self, handle: u32, with: impl FnOnce(&Pool) -> T) -> Option<T> {
        self.pools.borrow().get(handle as usize)?.as_ref().map(with)
    }

    /// Lets go of a pool that has closed.
    pub(crate) fn remove_pool(&self, handle: u32) {
        if let Some(place) = self.pools.borrow_mut().get_mut(handle as usize) {
            *place = None;
        }
    }

    /// Remembers how to cancel the job `id`.
    pub(crate) fn remember(&self, id: u64, pool: Pool, ticket: Ticket, token: CancelToken) {
        self.cancellable.borrow_mut().insert(id, Cancellable { pool, ticket, token });
    }

    /// The job `id` waits at another place now.
    pub(crate) fn moved(&self, id: u64, ticket: Ticket) {
        if let Some(cancellable) = self.cancellable.borrow_mut().get_mut(&id) {
            cancellable.ticket = ticket;
        }
    }

    /// Forgets a job that has been answered.
    pub(crate) fn forget(&self, id: u64) {
        let mut cancellable = self.cancellable.borrow_mut();
        if !cancellable.is_empty() {
            cancellable.remove(&id);
        }
    }

    /// Cancels the job `id`, if it has not been answered. Gives the seat of the script worker that runs it.
    pub(crate) fn cancel(&self, id: u64, reason: Reason) -> Option<usize> {
        let Cancellable { pool, ticket, token } = self.cancellable.borrow_mut().remove(&id)?;
        let waited = pool.cancel(ticket, &token, reason);
        if waited || !ticket.is_of_a_script() { None } else { pool.stop_script(id, reason) }
    }

    /// One more holds the event loop, or one less.
    pub(crate) fn hold_loop(&self, js: Js<'_>, hold: bool) -> Result<(), Status> {
        let before = self.holds.get();
        let now = if hold { before + 1 } else { before.saturating_sub(1) };
        self.holds.set(now);
        if (before == 0) == (now == 0) {
            return Ok(());
        }
        self.events.wakeup().keep_loop_alive(js, hold)
    }

    /// The event queue has woken the event loop: delivers a batch, or asks for a turn of the loop before.
    fn woken(&'static self, js: Js<'_>) {
        self.adaptive_wait.woken();
        if self.is_in_turn() {
            self.deliver(js);
        } else {
            self.drain(js, 0, false);
        }
    }

    /// The event loop has begun a turn, as was asked for: delivers a batch.
    pub(crate) fn resume(&'static self, js: Js<'_>) {
        self.turn_began.set(Some(Instant::now()));
        self.deliver(js);
    }

    fn is_in_turn(&self) -> bool {
        self.turn_began.get().is_some_and(|began| began.elapsed() < TURN)
    }

    /// Delivers a batch; and more, for which it waits in place, as long as that is worth while.
    fn deliver(&'static self, js: Js<'_>) {
        let mut stays = self.adaptive_wait.is_worth_while();
        let mut more = self.drain(js, BATCH, stays);
        while stays && !more {
            let in_turn = self.is_in_turn() && self.settle(js).is_ok();
            self.adaptive_wait.exchanged();
            stays = in_turn && self.adaptive_wait.is_worth_while();
            let came = if stays { self.events.wait_in_place() } else { self.events.rest() };
            if came {
                more = self.drain(js, if in_turn { BATCH } else { 0 }, stays);
            } else {
                if stays {
                    self.adaptive_wait.in_vain();
                }
                break;
            }
        }
        self.adaptive_wait.asleep();
    }

    /// Runs what listeners have left to be run: it may be what the other thread waits for.
    fn settle(&self, js: Js<'_>) -> Result<(), Status> {
        let function = self.adaptive_wait.settle().ok_or(Status(sys::Status::napi_generic_failure))?;
        // It throws nothing (`lib/runtime/turn.js`) unless the environment is ending.
        js.call(js.referenced(function)?, &[]).map(drop).inspect_err(|_| {
            js.report_exception();
        })
    }

    /// Delivers at most `most` events. When some are left, JavaScript is told so, and calls `resume` in the next turn
    /// of its loop; so is the caller. With `stays`, the event queue stays awake: the caller comes back to it.
    fn drain(&self, js: Js<'_>, most: usize, stays: bool) -> bool {
        let delivery = self.delivery.borrow();
        let Some(delivery) = delivery.as_ref() else { return false };
        let mut events = self.batch.take();
        let more = self.events.take(most.saturating_sub(events.len()), &mut events, stays);
        let more = output::deliver(js, self, delivery, &mut events, most, more).unwrap_or_else(|_| {
            // The environment is ending, and nobody is left to tell; or else this tells.
            js.report_exception();
            false
        });
        // What a listener that ran an event loop of its own has left.
        events.append(&mut self.batch.take());
        self.batch.set(events);
        more
    }
}

/// The threadsafe function's callback.
unsafe extern "C" fn on_wake(env: sys::napi_env, _: JsValue, context: *mut c_void, _: *mut c_void) {
    if env.is_null() {
        // The environment is gone. There is no payload, so there is nothing to free.
        return;
    }
    // SAFETY: Node runs this callback on the environment's thread with its live environment.
    let js = unsafe { Js::new(env) };
    // SAFETY: the context is the address given in `create`.
    let environment = unsafe { Environment::at(context) };
    // A panic here is a fault of ours; it must not cross into Node, nor pass unseen.
    if let Err(panic) = guard(|| environment.woken(js)) {
        js.report_fault(&format!("{}; please report this", panic.message()));
    }
}

/// `hasRef()` of the resource that async hooks are shown.
unsafe extern "C" fn has_ref(env: sys::napi_env, info: sys::napi_callback_info) -> JsValue {
    // SAFETY: Node has just called this with them.
    let Ok(arguments) = (unsafe { Arguments::<0>::read(env, info) }) else { return NOTHING };
    // SAFETY: the function was made in `create` with the environment's address.
    let environment = unsafe { Environment::at(arguments.data) };
    arguments.js.boolean(environment.holds.get() > 0).unwrap_or(NOTHING)
}

/// The cleanup hook: the order is told at the head of this folder's `mod.rs`.
unsafe extern "C" fn teardown(address: *mut c_void) {
    // SAFETY: the hook was registered with this address.
    let environment = unsafe { Environment::at(address) };
    let _ = guard(|| {
        if let Some(function) = environment.events.wakeup().close() {
            // SAFETY: taken out of the wakeup, so nobody else calls or releases it; Node's own hook for it runs later.
            unsafe {
                sys::napi_release_threadsafe_function(function, sys::ThreadsafeFunctionReleaseMode::release)
            };
        }
        environment.events.close();
        drop(environment.batch.take());
        environment.delivery.replace(None);
        environment.ports.close_all();
        drop(environment.cancellable.take());
        if let Some(seat) = environment.seat.take() {
            seat.abandon();
        }
        for pool in environment.pools.take().into_iter().flatten() {
            pool.close(true, None);
        }
        environment.locks.close();
        environment.waits.close();
        environment.events.pins().wait_for_none();
        Region::release_all_pins(environment.id);
    });
}
