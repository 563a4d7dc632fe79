//! Pools that several environments have open under one name: one queue and one set of threads for all of them.
//!
//! The registry has a name for as long as anybody has the pool open. Each opening counts once: it is given back when its pool
//! object closes, or was forgotten, or when its environment ends. Who gives back the last one closes the pool, and takes its
//! name out under the same lock, so that whoever opens the name next makes a new pool and gets none that is closing.
//!
//! An opening ends only its own jobs. So all of them are cancellable by their ids (`jobs.rs`), which know their handle, and the
//! pool itself is never closed by force.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::pool::Pool;

struct Named {
    pool: Pool,
    openings: usize,
    /// What the first opening has said of the pool, for the others to compare.
    settings: String,
}

static NAMED: Mutex<Option<HashMap<String, Named>>> = Mutex::new(None);

/// Opens the pool of this name, or the one that `make` makes; and what its first opening has said of it.
fn open(name: &str, settings: &str, make: impl FnOnce() -> Pool) -> (Pool, String) {
    let mut all = NAMED.lock();
    let named = all.get_or_insert_default().entry(name.to_owned()).or_insert_with(|| Named {
        pool: make(),
        openings: 0,
        settings: settings.to_owned(),
    });
    named.openings += 1;
    (named.pool.clone(), named.settings.clone())
}

/// Gives an opening back. The pool, if it was the last.
fn give_back(name: &str) -> Option<Pool> {
    let mut all = NAMED.lock();
    let named = all.as_mut()?.get_mut(name)?;
    named.openings -= 1;
    if named.openings > 0 {
        return None;
    }
    all.as_mut()?.remove(name).map(|named| named.pool)
}

/// An opening that was not given back.
struct Opening {
    name: String,
    /// Whether the pool will tell it of room.
    asked: Arc<AtomicBool>,
}

/// The openings of an environment, by the handles of their pools. Used on its own thread only.
#[derive(Default)]
pub(crate) struct Openings(RefCell<HashMap<u32, Opening>>);

impl Openings {
    /// Opens the pool of this name, which `make` makes if nobody has it open, and `add` gives a handle: that, and what its first
    /// opening has said of it.
    pub(super) fn open(
        &self,
        name: String,
        settings: &str,
        make: impl FnOnce() -> Pool,
        add: impl FnOnce(Pool) -> u32,
    ) -> (u32, String) {
        let (pool, settings) = open(&name, settings, make);
        let handle = add(pool);
        self.0.borrow_mut().insert(handle, Opening { name, asked: Arc::default() });
        (handle, settings)
    }

    /// Gives the opening of this handle back. None where it is no opening, or was given back before; the pool, if it was the last.
    pub(super) fn give_back(&self, handle: u32) -> Option<Option<Pool>> {
        self.0.borrow_mut().remove(&handle).map(|opening| give_back(&opening.name))
    }

    /// The environment has ended, and its jobs with it.
    pub(super) fn close(&self) {
        for opening in self.0.take().into_values() {
            if let Some(last) = give_back(&opening.name) {
                last.close(false, None);
            }
        }
    }

    /// The pool of this handle is to tell when its queue has room: the flag to take back then; none where it was asked before.
    pub(super) fn asks(&self, handle: u32) -> Option<Arc<AtomicBool>> {
        let openings = self.0.borrow();
        let asked = &openings.get(&handle)?.asked;
        (!asked.swap(true, Ordering::Relaxed)).then(|| Arc::clone(asked))
    }
}
