//! Pins keep a region's memory alive, and count the threads that work on it.
//!
//! A **pin** belongs to one JavaScript environment: it keeps the memory alive for as long as that
//! environment lives, and no longer. An **owner** belongs to Rust: it keeps the memory alive until the region is dropped.
//! A **user** is a Rust thread that may access the memory now.
//!
//! States: *open* (at least one pin, or an owner) → *closed* (the last pin is being released). Never back.
//!
//! * Rule 1: a use may begin only while open. A use that has begun may be doubled at any time.
//! * Rule 2: a pin that is not the last is released at once: another pin keeps the memory for every user.
//! * Rule 3: the last pin closes first, then waits until there are no users, and only then is released. So the memory
//!   outlives every use, whichever environment ends first.
//! * Rule 4: between closing and waiting, the caller ends every wait (`on_close`), so that a user that
//!   waits for a notify does not hold the ending environment up.
//!
//! Races: all of these are changes under one lock, so *begin against close*, *pin against close* and *two
//! environments that end at once* each have an order, and the rules hold in either.

use crate::panic::{LONG, step, waits_long};
use crate::sync::{Condvar, Mutex, wait_for};

/// Keeps memory alive until it is dropped. It is dropped on the thread that releases the pin; if the memory can
/// only be freed on one thread, its `Drop` must send it there.
pub type Keep = Box<dyn Send + Sync>;

struct State {
    owner: Option<Keep>,
    pins: Vec<(u64, Keep)>,
    users: usize,
    closed: bool,
}

/// The pins and the users of one region.
pub(super) struct Pins {
    state: Mutex<State>,
    idle: Condvar,
}

impl Pins {
    /// Open, kept by Rust.
    pub(super) fn owned(owner: Keep) -> Self {
        Self::with(Some(owner), Vec::new())
    }

    /// Open, kept by one environment.
    pub(super) fn pinned(environment: u64, keep: Keep) -> Self {
        Self::with(None, vec![(environment, keep)])
    }

    fn with(owner: Option<Keep>, pins: Vec<(u64, Keep)>) -> Self {
        let state = State { owner, pins, users: 0, closed: false };
        Pins { state: Mutex::new(state), idle: Condvar::new() }
    }

    /// Adds a pin of this environment unless it has one; false when closed.
    pub(super) fn pin(&self, environment: u64, keep: impl FnOnce() -> Keep) -> bool {
        let mut state = self.state.lock();
        if state.closed {
            return false;
        }
        if !state.pins.iter().any(|(held, _)| *held == environment) {
            state.pins.push((environment, keep()));
        }
        true
    }

    /// Begins a use; false when closed.
    pub(super) fn enter(&self) -> bool {
        let mut state = self.state.lock();
        if state.closed {
            return false;
        }
        state.users += 1;
        true
    }

    /// Doubles a use that has begun: allowed when closed too, since closing waits for the first use.
    pub(super) fn enter_again(&self) {
        self.state.lock().users += 1;
    }

    /// Ends a use.
    pub(super) fn leave(&self) {
        let mut state = self.state.lock();
        state.users -= 1;
        let last = state.users == 0 && state.closed;
        drop(state);
        if last {
            self.idle.notify_all();
        }
    }

    /// True once the last pin is being released.
    pub(super) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// Users at work now.
    #[cfg(all(test, not(loom)))]
    pub(super) fn users(&self) -> usize {
        self.state.lock().users
    }

    /// Releases this environment's pin by the rules above. True when that closed the region.
    pub(super) fn release(&self, environment: u64, on_close: impl FnOnce()) -> bool {
        let mut state = self.state.lock();
        let Some(at) = state.pins.iter().position(|(held, _)| *held == environment) else {
            return false;
        };
        let last = state.pins.len() == 1 && state.owner.is_none();
        if last {
            state.closed = true;
            drop(state);
            // If it panics, the memory must outlive the uses all the same.
            step("closing a region", on_close);
            state = self.state.lock();
            let mut is_told = false;
            while state.users > 0 {
                // Models know no time.
                if is_told || cfg!(any(loom, shuttle)) {
                    self.idle.wait(&mut state);
                } else if wait_for(&self.idle, &mut state, LONG) && state.users > 0 {
                    is_told = true;
                    waits_long("shared memory");
                }
            }
        }
        // Closed: no pin is added any more, so this one is where it was. Not closed: the lock was held throughout.
        let (_, keep) = state.pins.swap_remove(at);
        drop(state);
        // Outside the lock: its `Drop` is code of another module.
        drop(keep);
        last
    }
}

/// A keep of tests, which says when it was dropped.
#[cfg(test)]
pub(super) struct DropFlag(pub(super) crate::sync::Arc<crate::sync::atomic::AtomicBool>);

#[cfg(test)]
impl Drop for DropFlag {
    fn drop(&mut self) {
        self.0.store(true, crate::sync::atomic::Ordering::SeqCst);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::sync::Arc;
    use crate::sync::atomic::{AtomicBool, Ordering};

    fn keep() -> (Keep, Arc<AtomicBool>) {
        let dropped = Arc::new(AtomicBool::new(false));
        (Box::new(DropFlag(dropped.clone())), dropped)
    }

    #[test]
    fn the_last_pin_waits_for_the_users() {
        let (pin, dropped) = keep();
        let pins = Arc::new(Pins::pinned(1, pin));
        assert!(pins.enter());
        let other = pins.clone();
        let closer = std::thread::spawn(move || other.release(1, || ()));
        while !pins.is_closed() {
            std::thread::yield_now();
        }
        assert!(!pins.enter(), "closed to new users");
        // The closer has every chance to go on.
        for _ in 0..1_000 {
            std::thread::yield_now();
            assert!(!dropped.load(Ordering::SeqCst), "a user still works");
        }
        pins.leave();
        assert!(closer.join().unwrap());
        assert!(dropped.load(Ordering::SeqCst));
    }

    #[test]
    fn a_pin_beside_others_goes_at_once_with_users_at_work() {
        let (first, first_dropped) = keep();
        let (second, second_dropped) = keep();
        let pins = Pins::pinned(1, first);
        assert!(pins.pin(2, || second));
        assert!(pins.enter());
        assert!(!pins.release(1, || panic!("not the last")));
        assert!(first_dropped.load(Ordering::SeqCst));
        assert!(!second_dropped.load(Ordering::SeqCst));
        assert!(pins.enter(), "still open");
    }

    #[test]
    fn one_environment_pins_once_and_releases_what_it_has() {
        let (first, _) = keep();
        let pins = Pins::pinned(1, first);
        assert!(pins.pin(1, || panic!("has one already")));
        assert!(!pins.release(7, || panic!("never pinned")));
        assert!(pins.release(1, || ()));
        assert!(!pins.pin(2, || panic!("closed")));
    }

    #[test]
    fn a_panic_at_closing_releases_nothing_under_a_use() {
        let (keep, dropped) = keep();
        let pins = Pins::pinned(1, keep);
        assert!(pins.enter());
        let closed = std::thread::scope(|scope| {
            let closer = scope.spawn(|| pins.release(1, || panic!("boom")));
            while !pins.is_closed() {
                std::thread::yield_now();
            }
            for _ in 0..1_000 {
                std::thread::yield_now();
                assert!(!dropped.load(Ordering::SeqCst), "a use is left");
            }
            pins.leave();
            closer.join().unwrap()
        });
        assert!(closed && dropped.load(Ordering::SeqCst));
    }

    #[test]
    fn owned_memory_never_closes() {
        let (owner, dropped) = keep();
        let (pin, _) = keep();
        let pins = Pins::owned(owner);
        assert!(pins.pin(1, || pin));
        assert!(pins.enter());
        assert!(!pins.release(1, || panic!("Rust owns it")));
        assert!(pins.enter());
        drop(pins);
        assert!(dropped.load(Ordering::SeqCst));
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;
    use crate::sync::atomic::{AtomicBool, Ordering};
    use crate::sync::{Arc, thread};

    #[test]
    fn loom_memory_outlives_a_user_whatever_environment_ends_first() {
        loom::model(|| {
            let gone: Vec<_> = (0..2).map(|_| Arc::new(AtomicBool::new(false))).collect();
            let pins = Arc::new(Pins::pinned(1, Box::new(DropFlag(gone[0].clone()))));
            assert!(pins.pin(2, || Box::new(DropFlag(gone[1].clone()))));
            let closers: Vec<_> = [1, 2]
                .map(|environment| {
                    let pins = pins.clone();
                    thread::spawn(move || pins.release(environment, || ()))
                })
                .into_iter()
                .collect();
            if pins.enter() {
                let dead = gone.iter().all(|flag| flag.load(Ordering::SeqCst));
                assert!(!dead, "a pin keeps the memory for a user at work");
                pins.leave();
            }
            let closed: Vec<_> = closers.into_iter().map(|closer| closer.join().unwrap()).collect();
            assert_eq!(closed.iter().filter(|last| **last).count(), 1, "one of them was the last");
        });
    }
}
