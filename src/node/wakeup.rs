//! The threadsafe function behind an environment's wake, safe against teardown.
//!
//! On Node 20 and 22 a call of a threadsafe function that races its environment's teardown is a use after free
//! (facts/node-api.md A6; fixed in Node 24.14). So every call is made under this lock, and the cleanup hook empties it
//! before Node begins to close the function. Deletable once Node 22 is out of support, but for the cheap check.

use std::ptr::null_mut;

use napi::bindgen_prelude::sys;
use parking_lot::Mutex;

use super::js::{Js, Status};

struct Function(sys::napi_threadsafe_function);

// SAFETY: Node documents threadsafe functions as callable from any thread; the lock around this orders all calls
// before the function's release.
unsafe impl Send for Function {}

/// Wakes the environment's event loop, from any thread, for as long as the environment lives.
pub(crate) struct Wakeup(Mutex<Option<Function>>);

impl Wakeup {
    pub(super) fn closed() -> Self {
        Wakeup(Mutex::new(None))
    }

    pub(super) fn open(&self, function: sys::napi_threadsafe_function) {
        *self.0.lock() = Some(Function(function));
    }

    /// Makes the event loop call `on_wake`. Nothing happens once the wakeup is closed.
    pub(super) fn wake(&self) {
        let mut function = self.0.lock();
        let Some(Function(raw)) = *function else { return };
        // SAFETY: the function is alive: `close` takes it out under this lock before Node may free it.
        let status = unsafe {
            sys::napi_call_threadsafe_function(raw, null_mut(), sys::ThreadsafeFunctionCallMode::nonblocking)
        };
        if status == sys::Status::napi_closing {
            // Node has let go of it on this thread's behalf: it must not be touched again.
            *function = None;
        }
    }

    /// From here on nobody calls the function. Returns it to the one caller that closes.
    pub(super) fn close(&self) -> Option<sys::napi_threadsafe_function> {
        self.0.lock().take().map(|function| function.0)
    }

    /// Keeps the event loop alive, or lets it go. Only on the environment's own thread, as `js` proves.
    pub(super) fn keep_loop_alive(&self, js: Js<'_>, alive: bool) -> Result<(), Status> {
        match *self.0.lock() {
            Some(Function(raw)) if alive => js.hold_loop(raw),
            Some(Function(raw)) => js.release_loop(raw),
            None => Ok(()),
        }
    }
}
