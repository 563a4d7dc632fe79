//! The locks, atomics, threads and the clock that the engine's protocols use: the real ones; loom's under `cfg(loom)`, for every
//! interleaving of a small model; or shuttle's under `cfg(shuttle)`, for random schedules of a whole pool.

#[cfg(shuttle)]
mod shuttle_model;

#[cfg(not(any(loom, shuttle)))]
mod real {
    pub use parking_lot::{Condvar, Mutex, MutexGuard};
    pub use std::sync::Arc;
    pub use std::sync::atomic;
    pub use std::thread;
    pub use std::time::Instant;

    /// Waits on `condvar` until notified or `timeout` has passed; true when the time was up.
    pub fn wait_for<T>(
        condvar: &Condvar,
        guard: &mut MutexGuard<'_, T>,
        timeout: std::time::Duration,
    ) -> bool {
        condvar.wait_for(guard, timeout).timed_out()
    }

    /// Waits on `condvar` until notified or `deadline` has passed.
    pub fn wait_until<T>(condvar: &Condvar, guard: &mut MutexGuard<'_, T>, deadline: Instant) {
        condvar.wait_until(guard, deadline);
    }
}

#[cfg(loom)]
mod model {
    pub use loom::sync::Arc;
    pub use loom::sync::atomic;
    pub use loom::thread;
    pub use std::time::Instant;

    /// loom's mutex with the methods of parking_lot's.
    pub struct Mutex<T>(loom::sync::Mutex<T>);
    /// loom's guard; an `Option` so that [`Condvar::wait`] can take it through `&mut`.
    pub struct MutexGuard<'a, T>(Option<loom::sync::MutexGuard<'a, T>>);

    impl<T> Mutex<T> {
        pub fn new(value: T) -> Self {
            Mutex(loom::sync::Mutex::new(value))
        }
        pub fn lock(&self) -> MutexGuard<'_, T> {
            MutexGuard(Some(self.0.lock().expect("loom's mutex is never poisoned here")))
        }
    }
    impl<T> std::ops::Deref for MutexGuard<'_, T> {
        type Target = T;
        fn deref(&self) -> &T {
            self.0.as_ref().expect("held")
        }
    }
    impl<T> std::ops::DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.0.as_mut().expect("held")
        }
    }

    /// loom's condition variable with the methods of parking_lot's.
    pub struct Condvar(loom::sync::Condvar);
    impl Condvar {
        pub fn new() -> Self {
            Condvar(loom::sync::Condvar::new())
        }
        pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
            let inner = guard.0.take().expect("held");
            guard.0 = Some(self.0.wait(inner).expect("loom's mutex is never poisoned here"));
        }
        pub fn notify_one(&self) -> bool {
            self.0.notify_one();
            true
        }
        pub fn notify_all(&self) -> usize {
            self.0.notify_all();
            0
        }
    }

    /// Under loom time does not pass: a timed wait is a plain one.
    pub fn wait_for<T>(condvar: &Condvar, guard: &mut MutexGuard<'_, T>, _: std::time::Duration) -> bool {
        condvar.wait(guard);
        false
    }

    /// Under loom time does not pass: a timed wait is a plain one.
    pub fn wait_until<T>(condvar: &Condvar, guard: &mut MutexGuard<'_, T>, _: Instant) {
        condvar.wait(guard);
    }
}

#[cfg(loom)]
pub use model::*;
#[cfg(not(any(loom, shuttle)))]
pub use real::*;
#[cfg(shuttle)]
pub use shuttle_model::*;

/// A size: `small` in a model, so that what happens at a boundary happens there often.
pub const fn sized(full: usize, small: usize) -> usize {
    if cfg!(any(loom, shuttle)) { small } else { full }
}
