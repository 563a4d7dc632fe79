//! A pool as other addons have it.

// It holds a pointer to itself, for C.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::sync::Arc;

use rust_workers_abi as abi;

use crate::pool::Pool;
use crate::sync::Mutex;
use crate::tasks::builtin;

/// The table for C, with a pointer to the pool that it stands in.
#[repr(transparent)]
struct Face(abi::Engine);

// SAFETY: nothing in it changes; the pointer is to what other threads may have too.
unsafe impl Send for Face {}
// SAFETY: as above.
unsafe impl Sync for Face {}

/// A pool that other addons may submit to, by one of its JavaScript objects. It begins with its `rw_engine`, and is what `rw_pool` is.
#[repr(C)]
pub struct SharedPool {
    face: Face,
    pub(super) pool: Pool,
    /// The tasks of packs that the object uses, by their names.
    tasks: Mutex<HashMap<String, usize>>,
    state: Mutex<State>,
}

struct State {
    is_open: bool,
    under_way: usize,
    /// To be called once nothing is under way.
    when_idle: Vec<Box<dyn FnOnce() + Send>>,
}

impl SharedPool {
    /// For one object of a pool, with the functions of this table.
    pub(super) fn new(pool: Pool, table: fn(*mut abi::Pool) -> abi::Engine) -> Arc<Self> {
        let state = State { is_open: true, under_way: 0, when_idle: Vec::new() };
        Arc::new_cyclic(|this: &std::sync::Weak<SharedPool>| SharedPool {
            face: Face(table(this.as_ptr().cast_mut().cast())),
            pool,
            tasks: Mutex::new(HashMap::new()),
            state: Mutex::new(state),
        })
    }

    /// From now on submissions may name these tasks too.
    pub fn name_tasks(&self, tasks: impl IntoIterator<Item = (String, usize)>) {
        self.tasks.lock().extend(tasks);
    }

    /// The number of a native task.
    pub(super) fn task(&self, name: &str) -> Option<usize> {
        let of_pack = self.tasks.lock().get(name).copied();
        of_pack.or_else(|| builtin().number_of(name))
    }

    /// Takes no more submissions. Those under way go on.
    pub fn close(&self) {
        self.state.lock().is_open = false;
    }

    /// Calls `then` once nothing is under way, on whichever thread that is seen.
    pub fn when_idle(&self, then: Box<dyn FnOnce() + Send>) {
        let mut state = self.state.lock();
        if state.under_way > 0 {
            state.when_idle.push(then);
            return;
        }
        drop(state);
        then();
    }

    /// One more is under way, if it is open.
    pub(super) fn begin(&self) -> bool {
        let mut state = self.state.lock();
        state.under_way += usize::from(state.is_open);
        state.is_open
    }

    /// One has ended.
    pub(super) fn finish(&self) {
        let mut state = self.state.lock();
        state.under_way -= 1;
        let idle = if state.under_way == 0 { std::mem::take(&mut state.when_idle) } else { Vec::new() };
        drop(state);
        idle.into_iter().for_each(|then| then());
    }
}
