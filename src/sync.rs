//! The locks, atomics and threads that the engine's protocols use: the real ones, or loom's under `cfg(loom)`.

#[cfg(not(loom))]
mod real {
    pub use parking_lot::{Condvar, Mutex, MutexGuard};
    pub use std::sync::Arc;
    pub use std::sync::atomic;
    pub use std::thread;

    /// Waits on `condvar` until notified or `timeout` has passed; true when the time was up.
    pub fn wait_for<T>(
        condvar: &Condvar,
        guard: &mut MutexGuard<'_, T>,
        timeout: std::time::Duration,
    ) -> bool {
        condvar.wait_for(guard, timeout).timed_out()
    }

    /// Waits on `condvar` until notified or `deadline` has passed.
    pub fn wait_until<T>(condvar: &Condvar, guard: &mut MutexGuard<'_, T>, deadline: std::time::Instant) {
        condvar.wait_until(guard, deadline);
    }
}

#[cfg(loom)]
mod model {
    pub use loom::sync::Arc;
    pub use loom::sync::atomic;
    pub use loom::thread;

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
    pub fn wait_until<T>(condvar: &Condvar, guard: &mut MutexGuard<'_, T>, _: std::time::Instant) {
        condvar.wait(guard);
    }
}

#[cfg(loom)]
pub use model::*;
#[cfg(not(loom))]
pub use real::*;
