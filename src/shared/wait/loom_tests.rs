//! Models of the table: every interleaving of a few threads.

use std::time::Duration;

use loom::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::super::region_id::RegionId;
use super::*;
use crate::cancel::{CancelToken, Reason};
use crate::sync::{Arc, thread};
use crate::wait_limit::{EndedEarly, WaitLimit};

const ADDRESS: CellAddress = CellAddress { region: RegionId(1), offset: 0 };
const FOREVER: Duration = Duration::from_secs(1_000_000);

struct World {
    table: WaitTable,
    cell: AtomicU32,
    count: AtomicUsize,
}

fn world() -> Arc<World> {
    Arc::new(World { table: WaitTable::new(1, 1), cell: AtomicU32::new(0), count: AtomicUsize::new(0) })
}

impl World {
    fn enqueue(&self, owner: u32) -> Option<WaiterHandle<'_>> {
        match self.table.enqueue(ADDRESS, owner, None, || Ok(self.cell.load(Ordering::SeqCst) == 0)) {
            Ok(Enqueued::Waiting(waiter)) => Some(waiter),
            _ => None,
        }
    }

    /// Under loom a slice has no end but a wake-up: a lost one is a deadlock, which loom reports.
    fn wait(&self, owner: u32) -> Option<Outcome> {
        let mut waiter = self.enqueue(owner)?;
        loop {
            if let Some(outcome) = waiter.wait_slice(FOREVER) {
                return Some(outcome);
            }
        }
    }
}

#[test]
fn loom_a_store_and_notify_is_never_missed() {
    loom::model(|| {
        let world = world();
        let other = world.clone();
        let waiter = thread::spawn(move || other.wait(1));
        world.cell.store(1, Ordering::SeqCst);
        let notified = world.table.notify(ADDRESS, 1);
        // Either it saw the store, or it slept and was woken and counted.
        let woken = waiter.join().unwrap();
        assert_eq!(woken, (notified == 1).then_some(Outcome::Woken));
    });
}

#[test]
fn loom_a_notify_that_the_counter_spares_is_never_missed() {
    loom::model(|| {
        let world = world();
        let other = world.clone();
        let waiter = thread::spawn(move || other.wait(1));
        // Without an order of its own: the counter has to give it one.
        world.cell.store(1, Ordering::Relaxed);
        let spared = world.table.counters()[0].fetch_add(0, Ordering::SeqCst) == 0;
        let notified = if spared { 0 } else { world.table.notify(ADDRESS, 1) };
        assert_eq!(waiter.join().unwrap(), (notified == 1).then_some(Outcome::Woken));
        assert_eq!(world.table.counters()[0].load(Ordering::SeqCst), 0);
    });
}

#[test]
fn loom_one_notify_wakes_one_of_two() {
    // Unbounded, three threads take minutes; two preemptions find what there is to find in this one.
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(|| {
        let world = world();
        let waiters: Vec<_> = (0..2)
            .map(|owner| {
                let world = world.clone();
                thread::spawn(move || world.wait(owner).is_some())
            })
            .collect();
        let first = world.table.notify(ADDRESS, 1);
        assert!(first <= 1);
        world.cell.store(1, Ordering::SeqCst);
        let rest = world.table.notify(ADDRESS, usize::MAX);
        let slept: usize = waiters.into_iter().map(|waiter| usize::from(waiter.join().unwrap())).sum();
        assert_eq!(slept, first + rest);
    });
}

#[test]
fn loom_cancel_or_notify_wins_and_never_both() {
    loom::model(|| {
        let world = world();
        let other = world.clone();
        let waiter = thread::spawn(move || {
            let mut waiter = other.enqueue(1).expect("the cell stays zero");
            let left = waiter.cancel();
            let outcome = waiter.wait_slice(Duration::ZERO);
            assert_eq!(outcome.is_some(), !left);
            usize::from(!left)
        });
        let notified = world.table.notify(ADDRESS, 1);
        assert_eq!(waiter.join().unwrap(), notified);
    });
}

#[test]
fn loom_a_dropped_waiter_passes_its_wake_up_on() {
    loom::model(|| {
        let world = world();
        let dropped = world.enqueue(1).expect("waits");
        let other = world.clone();
        let waiter = thread::spawn(move || {
            if other.wait(2).is_some() {
                other.count.fetch_add(1, Ordering::SeqCst);
            }
        });
        let notifier = {
            let world = world.clone();
            thread::spawn(move || world.table.notify(ADDRESS, 1))
        };
        drop(dropped);
        let notified = notifier.join().unwrap();
        world.cell.store(1, Ordering::SeqCst);
        let rest = world.table.notify(ADDRESS, 1);
        waiter.join().unwrap();
        // A wake-up given to the dropped waiter reached the other, or there was no other yet.
        assert!(world.count.load(Ordering::SeqCst) <= notified + rest);
    });
}

#[test]
fn loom_the_end_of_an_owner_wakes_its_sleeper() {
    loom::model(|| {
        let world = world();
        let other = world.clone();
        let waiter = thread::spawn(move || other.wait(7));
        world.cell.store(1, Ordering::SeqCst);
        let ended = world.table.end_owner(7).len();
        assert_eq!(waiter.join().unwrap(), (ended == 1).then_some(Outcome::Cancelled));
    });
}

#[test]
fn loom_a_cancelled_token_wakes_its_sleeper() {
    loom::model(|| {
        let (world, token) = (world(), CancelToken::new(None));
        let (other, waits) = (world.clone(), token.clone());
        let waiter = thread::spawn(move || {
            let mut waiter = other.enqueue(1).expect("the cell stays zero");
            let slept = waiter.sleep(WaitLimit::new(Some(&waits)));
            assert_eq!(slept, Err(EndedEarly::Stopped(Reason::Cancelled)));
            assert!(waiter.cancel(), "it is in the queue still");
        });
        token.cancel(Reason::Cancelled);
        waiter.join().unwrap();
        assert_eq!(world.table.waiters(ADDRESS), 0);
    });
}

#[test]
fn loom_a_token_that_is_cancelled_during_a_notify_loses_no_wake_up() {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(|| {
        let (world, token) = (world(), CancelToken::new(None));
        let (other, waits) = (world.clone(), token.clone());
        let waiter = thread::spawn(move || {
            let mut waiter = other.enqueue(1).expect("the cell stays zero");
            match waiter.sleep(WaitLimit::new(Some(&waits))) {
                Ok(outcome) => assert_eq!(outcome, Outcome::Woken),
                Err(_) if waiter.cancel() => return 0,
                Err(_) => assert_eq!(waiter.outcome(), Some(Outcome::Woken)),
            }
            1
        });
        let canceller = thread::spawn(move || token.cancel(Reason::Cancelled));
        let notified = world.table.notify(ADDRESS, 1);
        assert_eq!(waiter.join().unwrap(), notified);
        canceller.join().unwrap();
    });
}
