//! Helpers for the tests of the locks; one file for each family of locks.

mod any;
mod kinds;
mod mutex;
mod rw_lock;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::super::error::Result;
use super::super::wait::{BlockingWait, CellAddress, Outcome, OutcomeCallback};
use super::super::{Access, Region, SharedError, atomics, wait};
use super::mutex::{CONTENDED, OWNER};
use super::pending::acquired;
use super::*;
use crate::blocking::WaitLimit;

const AT: usize = 8;

fn region() -> Arc<Region> {
    Region::allocate(512, 512).unwrap()
}

fn forever() -> WaitLimit<'static> {
    WaitLimit::default().within(Duration::from_secs(60))
}

fn briefly() -> WaitLimit<'static> {
    WaitLimit::default().within(Duration::from_millis(15))
}

fn word(region: &Arc<Region>) -> u32 {
    atomics::load(&region.access().unwrap(), AT + 4).unwrap()
}

fn waiters(region: &Arc<Region>) -> usize {
    wait::table().waiters(CellAddress { region: region.id(), offset: AT + 4 })
}

fn until(condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(30), "it never came");
        std::thread::yield_now();
    }
}

/// A callback that sends the outcome it gets.
fn told() -> (Option<OutcomeCallback>, mpsc::Receiver<Outcome>) {
    let (send, outcomes) = mpsc::channel();
    (Some(Box::new(move |outcome| send.send(outcome).unwrap())), outcomes)
}

/// Two loads and stores that only exclusion makes one step.
fn slow_increment(access: &Access, offset: usize) {
    let now = atomics::read::<u64>(access, offset).unwrap();
    atomics::write(access, offset, now + 1).unwrap();
}

const ROUNDS: u64 = if cfg!(miri) { 10 } else { 20_000 };
