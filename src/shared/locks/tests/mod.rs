//! What the tests of the locks share; one file for each family of locks.

mod any;
mod kinds;
mod mutex;
mod rwlock;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::super::wait::{Deliver, Outcome, WaitPolicy};
use super::super::{Access, Region, SharedError, atomics, wait};
use super::*;

const AT: usize = 8;

fn region() -> Arc<Region> {
    Region::allocate(512, 512).unwrap()
}

fn forever() -> WaitPolicy<'static> {
    WaitPolicy::default().within(Duration::from_secs(60))
}

fn briefly() -> WaitPolicy<'static> {
    WaitPolicy::default().within(Duration::from_millis(15))
}

fn word(region: &Arc<Region>) -> u32 {
    atomics::load(&region.access().unwrap(), AT + 4).unwrap()
}

fn waiters(region: &Arc<Region>) -> usize {
    wait::table().waiters(Place { region: region.id(), offset: AT + 4 })
}

fn until(condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(30), "it never came");
        std::thread::yield_now();
    }
}

/// A callback that sends what it is told.
fn told() -> (Option<Deliver>, mpsc::Receiver<Outcome>) {
    let (send, outcomes) = mpsc::channel();
    (Some(Box::new(move |outcome| send.send(outcome).unwrap())), outcomes)
}

/// Two loads and stores that only exclusion makes one step.
fn slow_increment(access: &Access, offset: usize) {
    let now = atomics::read::<u64>(access, offset).unwrap();
    atomics::write(access, offset, now + 1).unwrap();
}

const ROUNDS: u64 = if cfg!(miri) { 10 } else { 20_000 };
