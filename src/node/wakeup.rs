//! The threadsafe function that wakes an environment, safe against teardown.
//!
//! On Node 20 and 22 a call of a threadsafe function that races its environment's teardown is a use after free (fixed in
//! Node 24.14). So every call is made under this lock, and the cleanup hook empties it before Node begins to close the
//! function. Deletable once Node 22 is out of support, but for the cheap check.

// Calls a threadsafe function, which must be alive: the lock sees to that.
#![allow(unsafe_code)]

use parking_lot::Mutex;

use super::js::{Js, Result, ThreadsafeFunction};

/// Wakes the environment's event loop, from any thread, for as long as the environment lives.
pub(super) struct Wakeup(Mutex<Option<ThreadsafeFunction>>);

impl Wakeup {
    pub(super) fn closed() -> Self {
        Wakeup(Mutex::new(None))
    }

    /// From here on it wakes. The environment's cleanup hook, which closes it, must have been added, after the function was
    /// made: hooks run in the reverse of that order.
    pub(super) fn open(&self, function: ThreadsafeFunction) {
        *self.0.lock() = Some(function);
    }

    /// Makes the event loop call the environment's `on_wake`. Nothing happens once the wakeup is closed.
    pub(super) fn wake(&self) {
        let mut function = self.0.lock();
        let Some(alive) = function.as_ref() else { return };
        // SAFETY: the function is alive: the cleanup hook, which was added before this was opened, takes it out under this
        // lock (`close`) before Node may free it, and so does the next line once Node has let go of it.
        if unsafe { alive.call() }.is_err() {
            *function = None;
        }
    }

    /// From here on nobody calls the function, and Node may free it. Called by the environment's cleanup hook.
    pub(super) fn close(&self) {
        let function = self.0.lock().take();
        if let Some(function) = function {
            // SAFETY: taken out of the wakeup, so nobody else calls or releases it; Node's own hook for it, which frees
            // it, runs later.
            let _ = unsafe { function.release() };
        }
    }

    /// Keeps the event loop alive, or lets it end. Only on the environment's own thread, as `js` proves.
    pub(super) fn keep_loop_alive(&self, js: Js<'_>, alive: bool) -> Result<()> {
        match self.0.lock().as_ref() {
            Some(function) if alive => js.hold_loop(function),
            Some(function) => js.release_loop(function),
            None => Ok(()),
        }
    }
}
