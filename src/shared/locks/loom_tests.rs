//! Models of the locks' protocols: the code of `mutex` and `rw_lock` itself on loom's atomics.
//!
//! The counters below are loaded and stored in two relaxed steps, so an exact sum needs both mutual exclusion and
//! the ordering from an unlock to the next lock. A lost wake-up is a deadlock, which loom reports.

use std::time::Duration;

use loom::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::super::error::SharedError;
use super::super::region_id::RegionId;
use super::super::wait::{CellAddress, Kind, Outcome, WaitTable, WaiterHandle};
use super::cells::Cells;
use super::death::reap_owner;
use super::owner::{LockContext, Owners};
use super::pending::acquired;
use super::{mutex, rw_lock};
use crate::sync::{Arc, thread};

const ADDRESS: CellAddress = CellAddress { region: RegionId(1), offset: 4 };
const FOREVER: Duration = Duration::from_secs(1_000_000);

struct World {
    table: WaitTable,
    owners: Owners,
    words: [AtomicU32; 6],
    sum: AtomicUsize,
}

fn world() -> Arc<World> {
    Arc::new(World {
        table: WaitTable::new(1, 1),
        owners: Owners::new(),
        words: std::array::from_fn(|_| AtomicU32::new(0)),
        sum: AtomicUsize::new(0),
    })
}

fn model(preemptions: usize, check: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(check);
}

/// A request that waits, for a model's thread.
fn request(owner: u32) -> rw_lock::SlowRequest {
    rw_lock::SlowRequest { owner, wait: true, callback: None }
}

fn outcome(mut waiter: WaiterHandle<'_>) -> Outcome {
    loop {
        if let Some(outcome) = waiter.wait_slice(FOREVER) {
            return outcome;
        }
    }
}

impl World {
    fn context(&self) -> LockContext<'_> {
        LockContext { table: &self.table, owners: &self.owners }
    }

    fn cells(&self, count: usize) -> Cells<'_, '_, AtomicU32> {
        Cells { words: &self.words[..count], address: ADDRESS, closed: &|| false, context: self.context() }
    }

    fn mutex(&self) -> mutex::Protocol<'_, '_, AtomicU32> {
        mutex::Protocol(self.cells(4))
    }

    fn rw_lock(&self) -> rw_lock::Protocol<'_, '_, AtomicU32> {
        rw_lock::Protocol(self.cells(self.words.len()))
    }

    fn lock(&self, me: u32) -> Result<(), SharedError> {
        let mutex = self.mutex();
        if mutex.lock_fast(me) {
            return Ok(());
        }
        for lost in 0.. {
            let Some(waiter) = mutex.lock_slow(me, lost, None)? else { return Ok(()) };
            match outcome(waiter) {
                Outcome::Woken => {}
                ended => return acquired(ended).map(drop),
            }
        }
        unreachable!()
    }

    fn read(&self, me: u32) -> u32 {
        let lock = self.rw_lock();
        if let Some(slot) = lock.read_fast(me) {
            return slot;
        }
        match lock.acquire_slow(Kind::Read, request(me)).unwrap() {
            rw_lock::Attempt::Acquired(slot) => slot,
            rw_lock::Attempt::Queued(waiter) => acquired(outcome(waiter)).unwrap(),
            rw_lock::Attempt::Busy => unreachable!(),
        }
    }

    fn write(&self, me: u32) {
        match self.rw_lock().acquire_slow(Kind::Write, request(me)).unwrap() {
            rw_lock::Attempt::Acquired(_) => {}
            rw_lock::Attempt::Queued(waiter) => assert_eq!(outcome(waiter), Outcome::Granted(0)),
            rw_lock::Attempt::Busy => unreachable!(),
        }
    }

    fn increment(&self) {
        let now = self.sum.load(Ordering::Relaxed);
        self.sum.store(now + 1, Ordering::Relaxed);
    }

    fn sum(&self) -> usize {
        self.sum.load(Ordering::SeqCst)
    }
}

#[test]
fn loom_a_mutex_excludes_and_loses_no_wake_up() {
    model(3, || {
        let world = world();
        let others: Vec<_> = (0..2)
            .map(|_| {
                let world = world.clone();
                let me = world.owners.admit().unwrap();
                thread::spawn(move || {
                    world.lock(me).unwrap();
                    world.increment();
                    world.mutex().unlock(me).unwrap();
                })
            })
            .collect();
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_eq!(world.sum(), 2);
        assert_eq!(world.words[1].load(Ordering::SeqCst), 0);
    });
}

#[test]
fn loom_three_lockers_all_get_in() {
    model(2, || {
        let world = world();
        let owners: Vec<_> = (0..3).map(|_| world.owners.admit().unwrap()).collect();
        let others: Vec<_> = owners[1..]
            .iter()
            .map(|me| {
                let (world, me) = (world.clone(), *me);
                thread::spawn(move || {
                    world.lock(me).unwrap();
                    world.increment();
                    world.mutex().unlock(me).unwrap();
                })
            })
            .collect();
        world.lock(owners[0]).unwrap();
        world.increment();
        world.mutex().unlock(owners[0]).unwrap();
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_eq!(world.sum(), 3);
    });
}

#[test]
fn loom_a_waiter_that_gives_up_leaves_no_one_asleep() {
    model(2, || {
        let world = world();
        let owners: Vec<_> = (0..3).map(|_| world.owners.admit().unwrap()).collect();
        assert!(world.mutex().lock_fast(owners[0]));
        let (a, b) = (world.clone(), world.clone());
        let (first, second) = (owners[1], owners[2]);
        let gives_up = thread::spawn(move || {
            let mutex = a.mutex();
            match mutex.lock_slow(first, 0, None).unwrap() {
                None => mutex.unlock(first).unwrap(),
                Some(mut waiter) => {
                    // As `Pending::cancel` does.
                    if waiter.cancel() || waiter.wait_slice(Duration::ZERO) == Some(Outcome::Woken) {
                        mutex.moved_on();
                    } else {
                        mutex.unlock(first).unwrap();
                    }
                }
            }
        });
        let stays = thread::spawn(move || {
            b.lock(second).unwrap();
            b.mutex().unlock(second).unwrap();
        });
        world.mutex().unlock(owners[0]).unwrap();
        gives_up.join().unwrap();
        stays.join().unwrap();
    });
}

#[test]
fn loom_a_death_is_an_error_for_those_who_wait_and_never_a_hang() {
    model(3, || {
        let world = world();
        let (dying, me) = (world.owners.admit().unwrap(), world.owners.admit().unwrap());
        assert!(world.mutex().lock_fast(dying));
        let other = world.clone();
        let waiter = thread::spawn(move || other.lock(me));
        reap_owner(world.context(), dying, |_, _, _| world.mutex().recheck());
        assert_eq!(waiter.join().unwrap(), Err(SharedError::OwnerDied));
        assert_eq!(world.mutex().recover(me), Ok(true));
        world.mutex().unlock(me).unwrap();
    });
}

#[test]
fn loom_readers_and_a_writer_exclude_each_other() {
    model(3, || {
        let world = world();
        let (reader, writer) = (world.owners.admit().unwrap(), world.owners.admit().unwrap());
        let other = world.clone();
        let reads = thread::spawn(move || {
            let slot = other.read(reader);
            let first = other.sum.load(Ordering::Relaxed);
            assert_ne!(first, 1, "the writer is in the middle");
            assert_eq!(first, other.sum.load(Ordering::Relaxed));
            other.rw_lock().read_unlock(reader, slot).unwrap();
        });
        world.write(writer);
        world.increment();
        world.increment();
        world.rw_lock().write_unlock(writer, false).unwrap();
        reads.join().unwrap();
        assert_eq!(world.words[1].load(Ordering::SeqCst), 0);
    });
}

#[test]
fn loom_two_writers_and_a_reader_all_get_in() {
    model(2, || {
        let world = world();
        let owners: Vec<_> = (0..3).map(|_| world.owners.admit().unwrap()).collect();
        let (a, b) = (world.clone(), world.clone());
        let (reader, writer) = (owners[1], owners[2]);
        let reads = thread::spawn(move || {
            let slot = a.read(reader);
            a.rw_lock().read_unlock(reader, slot).unwrap();
        });
        let writes = thread::spawn(move || {
            b.write(writer);
            b.increment();
            b.rw_lock().write_unlock(writer, false).unwrap();
        });
        world.write(owners[0]);
        world.increment();
        world.rw_lock().write_unlock(owners[0], false).unwrap();
        reads.join().unwrap();
        writes.join().unwrap();
        assert_eq!(world.sum(), 2);
    });
}

#[test]
fn loom_a_writer_sees_a_reader_in_a_slot_that_was_never_used() {
    model(2, || {
        let world = world();
        let owners: Vec<_> = (0..3).map(|_| world.owners.admit().unwrap()).collect();
        let (first, second, writer) = (owners[0], owners[1], owners[2]);
        // The first slot is taken throughout the start, so the second reader needs another.
        let slot = world.read(first);
        let other = world.clone();
        let reads = thread::spawn(move || {
            let slot = other.read(second);
            let before = other.sum.load(Ordering::Relaxed);
            assert_ne!(before, 1, "the writer is in the middle");
            assert_eq!(before, other.sum.load(Ordering::Relaxed));
            other.rw_lock().read_unlock(second, slot).unwrap();
        });
        world.rw_lock().read_unlock(first, slot).unwrap();
        world.write(writer);
        world.increment();
        world.increment();
        world.rw_lock().write_unlock(writer, false).unwrap();
        reads.join().unwrap();
        assert_eq!(world.words[1].load(Ordering::SeqCst), 0);
    });
}
