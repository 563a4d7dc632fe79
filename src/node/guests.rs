//! What else submits to the pools of an environment, beside its JavaScript: other addons, by the engine of a pool. This room does not
//! know how; it says when a pool closes, and waits for what they have under way where the pool itself does not.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::cancel::Reason;

/// Who submits to a pool by one of its handles.
pub(crate) trait Guest: Send + Sync {
    /// Other tasks of packs may be named from now on: their names and numbers.
    fn name_tasks(&self, tasks: Vec<(String, usize)>);
    /// Submits nothing more. What is under way goes on.
    fn close(&self);
    /// Asks what it has under way to stop, or what of it waits; how much of it waited.
    fn end(&self, reason: Reason, only_waiting: bool) -> usize;
    /// Calls `then` once it has nothing under way.
    fn when_idle(&self, then: Box<dyn FnOnce() + Send>);
}

#[derive(Clone)]
struct Known {
    guest: Arc<dyn Guest>,
    /// Whether the pool will tell of room.
    asked: Arc<AtomicBool>,
}

/// The guests of an environment's pools, by the pools' handles. Used on its own thread only.
#[derive(Default)]
pub(crate) struct Guests(RefCell<HashMap<u32, Known>>);

impl Guests {
    pub(super) fn insert(&self, handle: u32, guest: Arc<dyn Guest>) {
        self.0.borrow_mut().insert(handle, Known { guest, asked: Arc::default() });
    }

    pub(super) fn get(&self, handle: u32) -> Option<Arc<dyn Guest>> {
        self.0.borrow().get(&handle).map(|known| Arc::clone(&known.guest))
    }

    pub(super) fn remove(&self, handle: u32) {
        let removed = self.0.borrow_mut().remove(&handle);
        drop(removed);
    }

    /// The pool of this handle is to tell when its queue has room: the flag to take back then; none where there is no guest, or it was
    /// asked before.
    pub(super) fn asks(&self, handle: u32) -> Option<Arc<AtomicBool>> {
        let asked = self.0.borrow().get(&handle).map(|known| Arc::clone(&known.asked))?;
        (!asked.swap(true, Ordering::Relaxed)).then_some(asked)
    }

    /// Takes all out, with their handles.
    pub(super) fn take_all(&self) -> impl Iterator<Item = (u32, Arc<dyn Guest>)> {
        self.0.take().into_iter().map(|(handle, known)| (handle, known.guest))
    }
}
