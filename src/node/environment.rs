//! One JavaScript environment and all that it owns, from module load to teardown.
//!
//! It is made when Node loads the module for an environment and is never freed: Node may still hand its address to a
//! threadsafe function's callback after every finalizer has run. What it holds is let go of in [`Environment::tear_down`];
//! some hundred bytes stay.

use std::cell::RefCell;
use std::ffi::CStr;
use std::time::Duration;

use napi::bindgen_prelude::Object;

use super::atomics::{Atomics, Language};
use super::batch::Tables;
use super::call_buffer::CallBuffer;
use super::core::Core;
use super::delivery::Delivery;
use super::guests::Guests;
use super::handles::Handles;
use super::input::InputReader;
use super::js::{Js, JsValue, RawFunction, Result, raw};
use super::locks::Locks;
use super::named_pools::Openings;
use super::notifier::Notifier;
use super::pools::Pools;
use super::ports::Ports;
use super::script_worker::ScriptWorker;
use super::waits::Waits;
use crate::cancel::Reason;
use crate::panic::step;
use crate::pool::Pool;
use crate::shared::Region;

/// One JavaScript environment: the main thread's, or a worker's.
pub(crate) struct Environment {
    core: Core,
    delivery: Delivery,
    pools: Handles<Pool>,
    /// Those among them that others may have open too.
    openings: Openings,
    guests: Guests,
    /// In the environment of a pool's script worker.
    script_worker: RefCell<Option<ScriptWorker>>,
    ports: Ports,
    locks: Locks,
    waits: Waits,
    notifier: Notifier,
    language: Language,
}

impl Environment {
    /// Makes the environment of a module that is being loaded, and gives the module its functions.
    pub(crate) fn open(env: &napi::Env, exports: &Object<'_>, tables: &[&[Export]]) -> Result<()> {
        let js = Js::of_derived(env);
        let environment = Environment::create(js)?;
        tables.iter().try_for_each(|functions| js.export(exports, functions, environment))
    }

    /// Makes the environment's state and its wake, in the one order that teardown relies on.
    fn create(js: Js<'_>) -> Result<&'static Environment> {
        // Threads run our code from here on: the image must stay mapped even when Node unloads the addon.
        napi::bindgen_prelude::retain_current_module_for_unload_safety();
        let environment: &'static Environment = Box::leak(Box::new(Environment {
            core: Core::new(),
            delivery: Delivery::default(),
            pools: Handles::default(),
            openings: Openings::default(),
            guests: Guests::default(),
            script_worker: RefCell::default(),
            ports: Ports::default(),
            locks: Locks::default(),
            waits: Waits::default(),
            notifier: Notifier::default(),
            language: Language::default(),
        }));
        let core = &environment.core;
        // `hasRef` is how async hooks (Jest's --detectOpenHandles) learn that this handle holds nothing while idle.
        let resource = js.object()?;
        let has_ref = raw(|js, core: &'static Core, []| js.boolean(core.holds_loop()));
        js.set_named(resource, c"hasRef", js.function(c"hasRef", &has_ref, core)?)?;
        let function = js.threadsafe_function(resource, environment, |js, environment: &'static Self| {
            environment.delivery.woken(js, environment.tables());
        })?;
        js.release_loop(&function)?;
        js.add_cleanup_hook(environment, Environment::tear_down)?;
        js.set_instance_data(environment)?;
        core.keep_array_buffer_class(js)?;
        core.events().wakeup().open(function);
        Ok(environment)
    }

    /// The environment of the running call of a derived function.
    pub(crate) fn of(env: &napi::Env) -> Result<&'static Environment> {
        Js::of_derived(env).instance_data()
    }

    /// Names the memory, functions and arrays of JavaScript by which it is called, and calls: the deliver function, the five
    /// arrays of the call buffer, the function that settles, and the array for values out of band.
    pub(crate) fn open_delivery<'call>(
        &self,
        js: Js<'call>,
        functions: [JsValue<'call>; 3],
        call_buffer: [JsValue<'call>; 5],
    ) -> Result<()> {
        self.core.set_call_buffer(Some(CallBuffer::new(js, call_buffer)?));
        let waits = self.delivery.open(js, functions)?;
        self.core.adaptive_wait().allow(waits);
        Ok(())
    }

    /// The event loop has begun a turn, as was asked for: delivers a batch.
    pub(crate) fn resume(&'static self, js: Js<'_>) {
        self.delivery.resume(js, self.tables());
    }

    /// Blocks the thread until events are due, or the time is up, and delivers a batch of them.
    pub(crate) fn wait(&'static self, js: Js<'_>, time: Duration) {
        self.delivery.wait(js, self.tables(), time);
    }

    fn tables(&'static self) -> Tables<'static> {
        Tables { core: &self.core, locks: &self.locks, waits: &self.waits }
    }

    /// The core, which all its parts use.
    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    /// The pools that it has made.
    pub(crate) fn pools(&'static self) -> Pools<'static> {
        Pools { core: &self.core, table: &self.pools, openings: &self.openings, guests: &self.guests }
    }

    /// Makes this the environment of a script worker.
    pub(crate) fn set_script_worker(&self, worker: ScriptWorker) {
        self.script_worker.replace(Some(worker));
    }

    /// Runs `work` on what this environment is as a script worker; none where it is not.
    pub(crate) fn with_script_worker<T>(&self, work: impl FnOnce(&ScriptWorker) -> T) -> Option<T> {
        self.script_worker.borrow().as_ref().map(work)
    }

    /// The ends of message channels that it owns.
    pub(crate) fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Its locks and its waits for them.
    pub(crate) fn locks(&self) -> &Locks {
        &self.locks
    }

    /// Its waits on cells.
    pub(crate) fn waits(&self) -> &Waits {
        &self.waits
    }

    /// Its part in notifying plain waits.
    pub(crate) fn notifier(&self) -> &Notifier {
        &self.notifier
    }

    /// Functions of the language.
    pub(crate) fn language(&self) -> &Language {
        &self.language
    }

    /// The cleanup hook: the head of this folder's `mod.rs` lists its steps and their order. A panic in a part of one must
    /// not keep the rest from being done: least of all the last two, on which the safety of memory rests.
    fn tear_down(&'static self) {
        let events = self.core.events();
        step("closing the wakeup", || events.wakeup().close());
        step("closing the event queue", || events.close());
        step("dropping what was to be delivered", || {
            self.core.set_call_buffer(None);
            self.delivery.close();
        });
        step("closing its ports", || self.ports.close_all());
        step("forgetting its jobs", || self.core.jobs().close());
        step("ending the calls of its jobs", || self.core.calls().close());
        step("leaving its pool", || {
            if let Some(worker) = self.script_worker.take() {
                worker.abandon();
            }
        });
        step("ending what other addons have submitted by it", || {
            for (handle, guest) in self.guests.take_all() {
                guest.close();
                // A pool of its own answers all that it has when it closes, in the next step.
                if self.pools.with(handle, Pool::is_shared).unwrap_or(false) {
                    step("ending it for a pool", || {
                        guest.end(Reason::PoolClosed, false);
                    });
                }
            }
        });
        step("closing its own pools", || {
            let own = self.pools.take_all().filter(|pool| !pool.is_shared());
            own.for_each(|pool| step("closing a pool", || pool.close(true, None)));
        });
        step("giving back the pools that it had open", || {
            self.openings.close();
        });
        step("giving up its locks", || self.locks.close());
        step("giving up its waits", || self.waits.close());
        step("closing its notifier", || self.notifier.close(&self.core));
        step("waiting for its pinned memory", || events.pins().wait_for_none());
        step("waiting for its shared memory", || Region::release_all_pins(self.core.id()));
    }
}

/// A call of a raw export that is running.
#[derive(Clone, Copy)]
pub(crate) struct Call<'call> {
    pub(crate) js: Js<'call>,
    pub(crate) environment: &'static Environment,
}

impl<'call> Call<'call> {
    pub(crate) fn core(self) -> &'static Core {
        self.environment.core()
    }

    /// A reader for the values in its arguments.
    pub(crate) fn inputs(self) -> InputReader<'call> {
        InputReader::new(self.js, self.core(), self.environment.ports())
    }

    /// `Atomics` for it.
    pub(crate) fn atomics(self) -> Atomics<'call> {
        Atomics::new(self.js, self.environment.language())
    }
}

/// The arguments of a raw export; missing ones are `undefined`.
pub(crate) type Arguments<'call, const N: usize> = [JsValue<'call>; N];

/// The result of a raw export; a status is thrown.
pub(crate) type Returned<'call> = Result<JsValue<'call>>;

/// A raw export by its name.
pub(crate) type Export = (&'static CStr, RawFunction<Environment>);

/// Makes a function a raw export.
pub(crate) const fn export<F, const N: usize>(function: F) -> RawFunction<Environment>
where
    F: Copy + Send + Sync + 'static + for<'call> Fn(Call<'call>, Arguments<'call, N>) -> Returned<'call>,
{
    raw(move |js, environment, arguments| function(Call { js, environment }, arguments))
}
