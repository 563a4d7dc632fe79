//! The engine of a pool, for other addons.

use std::sync::Arc;

use napi_derive::napi;

use crate::cancel::Reason;
use crate::node::{Arguments, Call, Environment, Export, Guest, JsValue, Returned, export};
use crate::packs::{SharedPool, end_submissions, open_engine as shared_pool_of};

/// The raw exports by name.
pub(super) const EXPORTS: &[Export] = &[(c"openEngine", export(open_engine))];

/// `rw_submit` of other addons, as the environment that has the pool knows it.
struct Addons(Arc<SharedPool>);

impl Guest for Addons {
    fn name_tasks(&self, tasks: Vec<(String, usize)>) {
        self.0.name_tasks(tasks);
    }

    fn close(&self) {
        self.0.close();
    }

    fn end(&self, reason: Reason, only_waiting: bool) -> usize {
        end_submissions(&self.0, reason, only_waiting)
    }

    fn when_idle(&self, then: Box<dyn FnOnce() + Send>) {
        self.0.when_idle(then);
    }
}

/// `openEngine(pool)`: the External that other addons take; nothing for a pool that is gone. Once for each pool object.
fn open_engine<'call>(call: Call<'call>, [pool]: Arguments<'call, 1>) -> Returned<'call> {
    let (pools, handle) = (call.environment.pools(), call.js.read_u32(pool)?);
    let Some(shared) = pools.with(handle, |pool| shared_pool_of(pool.clone())) else {
        return Ok(JsValue::NOTHING);
    };
    let external = call.js.external(Arc::clone(&shared), rust_workers_abi::ENGINE_TAG)?;
    pools.add_guest(handle, Arc::new(Addons(shared)));
    Ok(external)
}

/// From now on other addons may name these native tasks of packs too.
#[napi(catch_unwind)]
pub fn name_engine_tasks(
    env: napi::Env,
    pool: u32,
    names: Vec<String>,
    numbers: Vec<u32>,
) -> napi::Result<()> {
    if let Some(guest) = Environment::of(&env)?.pools().guest(pool) {
        guest.name_tasks(names.into_iter().zip(numbers.into_iter().map(|number| number as usize)).collect());
    }
    Ok(())
}
