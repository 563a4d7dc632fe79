use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::super::wait::{Deliver, Outcome, Patience};
use super::super::{Access, Region, SharedError, atomics, wait};
use super::*;

const AT: usize = 8;

fn region() -> Arc<Region> {
    Region::allocate(512, 512).unwrap()
}

fn forever() -> Patience<'static> {
    Patience::default().within(Duration::from_secs(60))
}

fn briefly() -> Patience<'static> {
    Patience::default().within(Duration::from_millis(15))
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

#[test]
fn the_cells_are_as_the_readme_says() {
    let region = region();
    let cell = |at: usize| atomics::load::<u32>(&region.access().unwrap(), AT + at * 4).unwrap();
    let owner = admit_owner().unwrap();
    let mutex = Mutex::create(&region, AT).unwrap();
    assert_eq!((cell(0), cell(1)), (0x5257_4D01, 0));
    assert_eq!(mutex.try_lock(owner), Ok(true));
    assert_eq!(cell(1), owner);
    let (deliver, _outcome) = told();
    let _pending = mutex.begin_lock(admit_owner().unwrap(), deliver).unwrap().unwrap();
    assert_eq!(cell(1), owner | CONTENDED);
    RwLock::create(&region, AT, 3).unwrap();
    assert_eq!((cell(0), cell(1), cell(2), RwLock::size(28)), (0x5257_5201, 0, 3, 128));
    Semaphore::create(&region, AT, 5, 9).unwrap();
    assert_eq!([cell(0), cell(1), cell(2), cell(3)], [0x5257_5301, 5, 0, 9]);
    Condvar::create(&region, AT).unwrap();
    assert_eq!((cell(0), cell(1)), (0x5257_4301, 0));
    Barrier::create(&region, AT, 4).unwrap();
    assert_eq!([cell(0), cell(1), cell(2), cell(3)], [0x5257_4201, 0, 4, 0]);
}

#[test]
fn garbage_another_kind_and_bad_places_are_not_locks() {
    let region = region();
    assert_eq!(Mutex::from(&region, AT).err(), Some(SharedError::NotALock));
    Mutex::create(&region, AT).unwrap();
    assert!(Mutex::from(&region, AT).is_ok());
    assert_eq!(RwLock::from(&region, AT).err(), Some(SharedError::NotALock));
    assert_eq!(Semaphore::from(&region, AT).err(), Some(SharedError::NotALock));
    assert_eq!(Mutex::create(&region, 12).err(), Some(SharedError::Misaligned { offset: 12, align: 8 }));
    assert!(matches!(Mutex::from(&region, 504), Err(SharedError::OutOfBounds { .. })));
    assert_eq!(RwLock::create(&region, AT, 0).err(), Some(SharedError::BadCount));
    RwLock::create(&region, AT, 2).unwrap();
    atomics::store::<u32>(&region.access().unwrap(), AT + 8, 1_000_000).unwrap();
    assert!(RwLock::from(&region, AT).is_err(), "a slot count that was written over");
    assert_eq!(Semaphore::create(&region, AT, 3, 2).err(), Some(SharedError::BadCount));
    assert_eq!(Barrier::create(&region, AT, 0).err(), Some(SharedError::BadCount));
}

#[test]
fn a_mutex_makes_a_counter_exact() {
    let region = region();
    let mutex = Mutex::create(&region, AT).unwrap();
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let access = region.access().unwrap();
                for _ in 0..ROUNDS {
                    let _guard = mutex.lock(forever()).unwrap();
                    slow_increment(&access, 256);
                }
            });
        }
    });
    println!("mutex, 4 threads: {:?} for each of {}", started.elapsed() / (4 * ROUNDS) as u32, 4 * ROUNDS);
    assert_eq!(atomics::load::<u64>(&region.access().unwrap(), 256), Ok(4 * ROUNDS));
    assert_eq!((word(&region), waiters(&region)), (0, 0));
}

#[test]
fn a_mutex_is_fair_to_callbacks_and_hands_over_in_order() {
    let region = region();
    let mutex = Mutex::create(&region, AT).unwrap();
    let owners: Vec<_> = (0..4).map(|_| admit_owner().unwrap()).collect();
    assert_eq!(mutex.try_lock(owners[0]), Ok(true));
    let pending: Vec<_> = owners[1..]
        .iter()
        .map(|owner| {
            let (deliver, outcome) = told();
            (mutex.begin_lock(*owner, deliver).unwrap().unwrap(), outcome)
        })
        .collect();
    for (at, (_, outcome)) in pending.iter().enumerate() {
        assert!(outcome.try_recv().is_err());
        mutex.unlock(owners[at]).unwrap();
        assert_eq!(outcome.try_recv().map(acquired), Ok(Ok(0)));
        assert_eq!(word(&region) & OWNER, owners[at + 1]);
    }
    mutex.unlock(owners[3]).unwrap();
    assert_eq!(word(&region), 0);
}

#[test]
fn a_blocked_locker_that_loses_twice_is_handed_the_lock() {
    let region = region();
    let mutex = Mutex::create(&region, AT).unwrap();
    let (greedy, patient) = (admit_owner().unwrap(), admit_owner().unwrap());
    assert_eq!(mutex.try_lock(greedy), Ok(true));
    let mut pending = mutex.begin_lock(patient, None).unwrap().unwrap();
    for _ in 0..2 {
        mutex.unlock(greedy).unwrap();
        assert_eq!(mutex.try_lock(greedy), Ok(true), "faster than the one that wakes up");
        assert_eq!(pending.wait_slice(Duration::ZERO), Ok(None));
    }
    mutex.unlock(greedy).unwrap();
    assert_eq!(mutex.try_lock(greedy), Ok(false));
    assert_eq!(pending.wait_slice(Duration::ZERO), Ok(Some(0)));
    mutex.unlock(patient).unwrap();
}

#[test]
fn a_mutex_that_is_not_to_be_had_is_given_up_in_time() {
    let region = region();
    let mutex = Mutex::create(&region, AT).unwrap();
    let (me, other) = (admit_owner().unwrap(), admit_owner().unwrap());
    mutex.lock_raw(me, forever()).unwrap();
    assert_eq!(mutex.lock_raw(other, briefly()), Err(SharedError::TimedOut));
    assert_eq!(mutex.lock_raw(me, forever()), Err(SharedError::WouldDeadlock));
    assert_eq!(mutex.unlock(other), Err(SharedError::NotHeld));
    assert_eq!(waiters(&region), 0);
    mutex.unlock(me).unwrap();
    assert_eq!(mutex.unlock(me), Err(SharedError::NotHeld));
}

#[test]
fn giving_up_after_a_wake_up_wakes_the_next() {
    let region = region();
    let mutex = Mutex::create(&region, AT).unwrap();
    let owners: Vec<_> = (0..3).map(|_| admit_owner().unwrap()).collect();
    mutex.lock_raw(owners[0], forever()).unwrap();
    let mut first = mutex.begin_lock(owners[1], None).unwrap().unwrap();
    let mut second = mutex.begin_lock(owners[2], None).unwrap().unwrap();
    mutex.unlock(owners[0]).unwrap();
    assert!(first.cancel(), "it was woken and has not taken the lock");
    assert_eq!(second.wait_slice(Duration::ZERO), Ok(Some(0)));
    // The same by a drop: a thread that dies between two slices.
    let third = mutex.begin_lock(owners[0], None).unwrap().unwrap();
    let mut fourth = mutex.begin_lock(owners[1], None).unwrap().unwrap();
    mutex.unlock(owners[2]).unwrap();
    drop(third);
    assert_eq!(fourth.wait_slice(Duration::ZERO), Ok(Some(0)));
}

#[test]
fn the_death_of_an_owner_is_an_error_and_can_be_recovered() {
    let region = region();
    let mutex = Mutex::create(&region, AT).unwrap();
    let (dying, me) = (admit_owner().unwrap(), admit_owner().unwrap());
    mutex.lock_raw(dying, forever()).unwrap();
    let (deliver, outcome) = told();
    let _pending = mutex.begin_lock(me, deliver).unwrap().unwrap();
    std::thread::scope(|scope| {
        let blocked = scope.spawn(|| mutex.lock(forever()).map(drop));
        until(|| waiters(&region) == 2);
        owner_died(dying);
        assert_eq!(blocked.join().unwrap(), Err(SharedError::OwnerDied));
    });
    assert_eq!(outcome.try_recv().map(acquired), Ok(Err(SharedError::OwnerDied)));
    assert_eq!(mutex.try_lock(me), Err(SharedError::OwnerDied), "poisoned for those who come later");
    assert_eq!(mutex.is_poisoned(), Ok(true));
    assert_eq!(mutex.recover(me), Ok(true));
    assert_eq!(mutex.recover(me), Ok(false), "once");
    mutex.unlock(me).unwrap();
    assert_eq!(word(&region), 0);
    mutex.lock_raw(me, forever()).unwrap();
    mutex.unlock(me).unwrap();
}

#[test]
fn a_thread_that_leaks_its_lock_poisons_it_by_its_end_and_a_panic_too() {
    let region = region();
    let mutex = Mutex::create(&region, AT).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| std::mem::forget(mutex.lock(forever()).unwrap())).join().unwrap();
    });
    assert_eq!(mutex.lock(forever()).err(), Some(SharedError::OwnerDied));
    let me = current_owner().unwrap();
    assert_eq!(mutex.recover(me), Ok(true));
    mutex.unlock(me).unwrap();
    let panicked = crate::panic::guard(|| {
        let _guard = mutex.lock(forever()).unwrap();
        panic!("in the middle");
    });
    assert!(panicked.is_err());
    assert_eq!(mutex.lock(forever()).err(), Some(SharedError::OwnerDied));
}

#[test]
fn a_token_that_was_never_given_out_is_an_error_and_not_a_hang() {
    let region = region();
    let mutex = Mutex::create(&region, AT).unwrap();
    atomics::store::<u32>(&region.access().unwrap(), AT + 4, OWNER - 5).unwrap();
    assert_eq!(mutex.lock(forever()).err(), Some(SharedError::OwnerDied));
}

#[test]
fn a_waiter_that_dies_lets_the_next_in() {
    let region = region();
    let mutex = Mutex::create(&region, AT).unwrap();
    let owners: Vec<_> = (0..3).map(|_| admit_owner().unwrap()).collect();
    mutex.lock_raw(owners[0], forever()).unwrap();
    let (deliver, dead_outcome) = told();
    let _dead = mutex.begin_lock(owners[1], deliver).unwrap().unwrap();
    let (deliver, outcome) = told();
    let _next = mutex.begin_lock(owners[2], deliver).unwrap().unwrap();
    owner_died(owners[1]);
    assert_eq!(dead_outcome.try_recv(), Ok(Outcome::Cancelled));
    mutex.unlock(owners[0]).unwrap();
    assert_eq!(outcome.try_recv(), Ok(Outcome::Granted(0)));
}

#[test]
fn readers_share_and_writers_exclude() {
    let region = region();
    let lock = RwLock::create(&region, AT, 8).unwrap();
    let (readers, writers) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let together = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (lock, region, readers, writers, together) = (&lock, &region, &readers, &writers, &together);
            scope.spawn(move || {
                let access = region.access().unwrap();
                for round in 0..ROUNDS / 4 {
                    if (round + thread) % 4 == 0 {
                        let _guard = lock.write(forever()).unwrap();
                        assert_eq!(writers.fetch_add(1, Ordering::SeqCst), 0);
                        assert_eq!(readers.load(Ordering::SeqCst), 0);
                        slow_increment(&access, 256);
                        writers.fetch_sub(1, Ordering::SeqCst);
                    } else {
                        let _guard = lock.read(forever()).unwrap();
                        together.fetch_max(readers.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        assert_eq!(writers.load(Ordering::SeqCst), 0);
                        readers.fetch_sub(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    let writes =
        (0..4).map(|thread| (0..ROUNDS / 4).filter(|round| (round + thread) % 4 == 0).count() as u64);
    assert_eq!(atomics::load::<u64>(&region.access().unwrap(), 256), Ok(writes.sum()));
    assert_eq!((word(&region), waiters(&region)), (0, 0));
}

#[test]
fn two_readers_are_inside_at_once_and_slots_run_out() {
    let region = region();
    let lock = RwLock::create(&region, AT, 2).unwrap();
    let owners: Vec<_> = (0..4).map(|_| admit_owner().unwrap()).collect();
    assert_eq!(lock.try_read(owners[0]), Ok(Some(0)));
    assert_eq!(lock.try_read(owners[1]), Ok(Some(1)));
    assert_eq!(lock.try_read(owners[2]), Ok(None));
    assert_eq!(lock.try_write(owners[2]), Ok(false));
    let (deliver, outcome) = told();
    let _pending = lock.begin_read(owners[2], deliver).unwrap().ok().unwrap();
    assert_eq!(lock.read_unlock(owners[3], 0), Err(SharedError::NotHeld));
    lock.read_unlock(owners[0], 0).unwrap();
    assert_eq!(outcome.try_recv(), Ok(Outcome::Granted(0)));
    lock.read_unlock(owners[1], 1).unwrap();
    lock.read_unlock(owners[2], 0).unwrap();
    assert_eq!(lock.try_write(owners[3]), Ok(true));
    assert_eq!(lock.try_read(owners[0]), Ok(None));
    lock.write_unlock(owners[3]).unwrap();
}

#[test]
fn a_waiting_writer_is_not_overtaken_and_readers_after_it_come_in_together() {
    let region = region();
    let lock = RwLock::create(&region, AT, 4).unwrap();
    let owners: Vec<_> = (0..4).map(|_| admit_owner().unwrap()).collect();
    let slot = lock.try_read(owners[0]).unwrap().unwrap();
    let (deliver, write) = told();
    let _writer = lock.begin_write(owners[1], deliver).unwrap().unwrap();
    assert_eq!(lock.try_read(owners[2]), Ok(None), "the writer was first");
    let (deliver, read_a) = told();
    let _a = lock.begin_read(owners[2], deliver).unwrap().ok().unwrap();
    let (deliver, read_b) = told();
    let _b = lock.begin_read(owners[3], deliver).unwrap().ok().unwrap();
    assert_eq!(lock.read_raw(owners[0], forever()), Err(SharedError::WouldDeadlock));
    assert_eq!(lock.write_raw(owners[0], forever()), Err(SharedError::WouldDeadlock));
    lock.read_unlock(owners[0], slot).unwrap();
    assert_eq!(write.try_recv(), Ok(Outcome::Granted(0)));
    assert!(read_a.try_recv().is_err());
    lock.write_unlock(owners[1]).unwrap();
    assert!(matches!(read_a.try_recv(), Ok(Outcome::Granted(_))));
    assert!(matches!(read_b.try_recv(), Ok(Outcome::Granted(_))));
}

#[test]
fn a_writer_that_gives_up_while_readers_leave_lets_the_others_in() {
    let region = region();
    let lock = RwLock::create(&region, AT, 4).unwrap();
    let owners: Vec<_> = (0..3).map(|_| admit_owner().unwrap()).collect();
    let slot = lock.try_read(owners[0]).unwrap().unwrap();
    let mut writer = lock.begin_write(owners[1], None).unwrap().unwrap();
    let (deliver, read) = told();
    let _reader = lock.begin_read(owners[2], deliver).unwrap().ok().unwrap();
    assert_eq!(writer.wait_slice(Duration::from_millis(1)), Ok(None));
    assert!(writer.cancel());
    let Ok(Outcome::Granted(second)) = read.try_recv() else { panic!("the reader comes in") };
    lock.read_unlock(owners[0], slot).unwrap();
    lock.read_unlock(owners[2], second).unwrap();
    assert_eq!(word(&region), 0);
}

#[test]
fn dead_readers_are_cleared_and_a_dead_writer_poisons() {
    let region = region();
    let lock = RwLock::create(&region, AT, 2).unwrap();
    let (reader, writer, me) = (admit_owner().unwrap(), admit_owner().unwrap(), admit_owner().unwrap());
    lock.try_read(reader).unwrap().unwrap();
    let (deliver, write) = told();
    let _pending = lock.begin_write(writer, deliver).unwrap().unwrap();
    owner_died(reader);
    assert_eq!(write.try_recv(), Ok(Outcome::Granted(0)), "a dead reader holds nobody up");
    let (deliver, read) = told();
    let _waits = lock.begin_read(me, deliver).unwrap().ok().unwrap();
    owner_died(writer);
    assert_eq!(read.try_recv().map(acquired), Ok(Err(SharedError::OwnerDied)));
    assert_eq!(lock.try_read(me), Err(SharedError::OwnerDied));
    assert_eq!(lock.write_raw(me, forever()), Err(SharedError::OwnerDied));
    assert_eq!(lock.recover(me), Ok(true));
    lock.write_unlock(me).unwrap();
    assert_eq!(lock.try_read(me), Ok(Some(0)));
}

#[test]
fn a_writer_that_dies_before_it_is_let_in_poisons_nothing() {
    let region = region();
    let lock = RwLock::create(&region, AT, 2).unwrap();
    let (reader, writer, me) = (admit_owner().unwrap(), admit_owner().unwrap(), admit_owner().unwrap());
    let slot = lock.try_read(reader).unwrap().unwrap();
    let (deliver, _outcome) = told();
    let _draining = lock.begin_write(writer, deliver).unwrap().unwrap();
    let (deliver, read) = told();
    let _waits = lock.begin_read(me, deliver).unwrap().ok().unwrap();
    owner_died(writer);
    let Ok(Outcome::Granted(mine)) = read.try_recv() else { panic!("let in") };
    lock.read_unlock(reader, slot).unwrap();
    lock.read_unlock(me, mine).unwrap();
    assert_eq!(lock.try_write(me), Ok(true));
}

#[test]
fn a_semaphore_never_lets_more_in_than_it_has() {
    let region = region();
    let semaphore = Semaphore::create(&region, AT, 3, 3).unwrap();
    let inside = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for thread in 0..4_u32 {
            let (semaphore, inside) = (&semaphore, &inside);
            scope.spawn(move || {
                let me = current_owner().unwrap();
                for round in 0..(ROUNDS / 4) as u32 {
                    let permits = 1 + (round + thread) % 3;
                    semaphore.acquire(me, permits, forever()).unwrap();
                    assert!(inside.fetch_add(permits, Ordering::SeqCst) + permits <= 3);
                    inside.fetch_sub(permits, Ordering::SeqCst);
                    semaphore.release(permits).unwrap();
                }
            });
        }
    });
    assert_eq!(semaphore.available(), Ok(3));
    assert_eq!(semaphore.release(1), Err(SharedError::BadCount));
    assert_eq!(semaphore.acquire(1, 4, forever()), Err(SharedError::BadCount));
}

#[test]
fn a_great_request_is_not_overtaken_and_its_leaving_lets_small_ones_in() {
    let region = region();
    let semaphore = Semaphore::create(&region, AT, 1, 4).unwrap();
    let (me, other) = (admit_owner().unwrap(), admit_owner().unwrap());
    let mut great = semaphore.begin_acquire(me, 3, None).unwrap().unwrap();
    assert_eq!(semaphore.try_acquire(1), Ok(false), "behind the great one");
    let (deliver, small) = told();
    let _small = semaphore.begin_acquire(other, 1, deliver).unwrap().unwrap();
    semaphore.release(1).unwrap();
    assert!(small.try_recv().is_err());
    assert!(great.cancel());
    assert_eq!(small.try_recv(), Ok(Outcome::Granted(1)));
    let unseen = semaphore.begin_acquire(me, 2, None).unwrap().unwrap();
    semaphore.release(1).unwrap();
    assert_eq!(semaphore.available(), Ok(0), "granted");
    drop(unseen);
    assert_eq!(semaphore.available(), Ok(2), "and given back unseen");
    assert_eq!(semaphore.acquire(me, 4, briefly()), Err(SharedError::TimedOut));
}

#[test]
fn a_condvar_carries_a_bounded_queue() {
    let region = region();
    let mutex = Mutex::create(&region, AT).unwrap();
    let (filled, emptied) = (Condvar::create(&region, 32).unwrap(), Condvar::create(&region, 48).unwrap());
    let total = if cfg!(miri) { 20 } else { 5_000_u64 };
    let taken = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let (me, access) = (current_owner().unwrap(), region.access().unwrap());
                for _ in 0..total {
                    mutex.lock_raw(me, forever()).unwrap();
                    while atomics::read::<u64>(&access, 256).unwrap() == 4 {
                        assert_eq!(emptied.wait(&mutex, me, forever()), Ok(true));
                    }
                    slow_increment(&access, 256);
                    filled.notify(1).unwrap();
                    mutex.unlock(me).unwrap();
                }
            });
            scope.spawn(|| {
                let (me, access) = (current_owner().unwrap(), region.access().unwrap());
                for _ in 0..total {
                    mutex.lock_raw(me, forever()).unwrap();
                    while atomics::read::<u64>(&access, 256).unwrap() == 0 {
                        assert_eq!(filled.wait(&mutex, me, forever()), Ok(true));
                    }
                    let held = atomics::read::<u64>(&access, 256).unwrap();
                    atomics::write(&access, 256, held - 1).unwrap();
                    taken.lock().unwrap().push(held);
                    emptied.notify(1).unwrap();
                    mutex.unlock(me).unwrap();
                }
            });
        }
    });
    let taken = taken.into_inner().unwrap();
    assert_eq!(taken.len() as u64, 2 * total);
    assert!(taken.iter().all(|held| (1..=4).contains(held)));
}

#[test]
fn a_condvar_times_out_with_the_mutex_held_and_needs_it() {
    let region = region();
    let mutex = Mutex::create(&region, AT).unwrap();
    let condvar = Condvar::create(&region, 32).unwrap();
    let me = admit_owner().unwrap();
    assert_eq!(condvar.wait(&mutex, me, briefly()), Err(SharedError::NotHeld));
    mutex.lock_raw(me, forever()).unwrap();
    assert_eq!(condvar.wait(&mutex, me, briefly()), Ok(false));
    assert_eq!(word(&region), me, "held again");
    assert_eq!(condvar.notify(9), Ok(0));
}

#[test]
fn a_barrier_holds_everyone_for_every_round_and_has_one_leader() {
    let region = region();
    let barrier = Barrier::create(&region, AT, 3).unwrap();
    let (arrived, leaders) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let rounds = if cfg!(miri) { 4 } else { 1_000 };
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let me = current_owner().unwrap();
                for round in 0..rounds {
                    arrived.fetch_add(1, Ordering::SeqCst);
                    let leader = barrier.wait(me, forever()).unwrap();
                    leaders.fetch_add(usize::from(leader), Ordering::SeqCst);
                    assert!(arrived.load(Ordering::SeqCst) >= (round + 1) * 3);
                    barrier.wait(me, forever()).unwrap();
                }
            });
        }
    });
    assert_eq!(leaders.into_inner(), rounds);
}

#[test]
fn a_party_that_dies_or_gives_up_breaks_the_barrier_until_reset() {
    let region = region();
    let barrier = Barrier::create(&region, AT, 3).unwrap();
    let (dying, me) = (admit_owner().unwrap(), admit_owner().unwrap());
    let (deliver, _gone) = told();
    let _waits = barrier.begin_wait(dying, deliver).unwrap().unwrap();
    let (deliver, outcome) = told();
    let _waits_too = barrier.begin_wait(me, deliver).unwrap().unwrap();
    owner_died(dying);
    assert_eq!(outcome.try_recv(), Ok(Outcome::Broken));
    assert_eq!(barrier.wait(me, forever()), Err(SharedError::BarrierBroken));
    barrier.reset().unwrap();
    assert_eq!(barrier.wait(me, briefly()), Err(SharedError::TimedOut));
    assert_eq!(barrier.is_broken(), Ok(true));
}

#[test]
fn locks_of_a_closing_region_let_their_waiters_go() {
    let base = Box::into_raw(vec![0_u64; 8].into_boxed_slice()).cast::<u8>();
    let region = super::super::region::open_for_tests(base, 64, 78);
    let mutex = Mutex::create(&region, AT).unwrap();
    let me = admit_owner().unwrap();
    mutex.lock_raw(me, forever()).unwrap();
    std::thread::scope(|scope| {
        let blocked = scope.spawn(|| mutex.lock(forever()).map(drop));
        until(|| waiters(&region) == 1);
        assert!(region.release_pin(78));
        assert_eq!(blocked.join().unwrap(), Err(SharedError::RegionClosed));
    });
    assert_eq!(mutex.unlock(me), Err(SharedError::RegionClosed));
}

#[test]
fn owners_that_die_while_others_lock_leave_no_one_asleep() {
    let region = region();
    let mutex = Mutex::create(&region, AT).unwrap();
    let done = AtomicBool::new(false);
    let recovered = AtomicUsize::new(0);
    let deaths = if cfg!(miri) { 3 } else { 200 };
    std::thread::scope(|scope| {
        let lockers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let (me, access) = (current_owner().unwrap(), region.access().unwrap());
                    while recovered.load(Ordering::Relaxed) < deaths {
                        match mutex.lock_raw(me, forever()) {
                            Ok(()) => {}
                            Err(SharedError::OwnerDied) => {
                                if !mutex.recover(me).unwrap() {
                                    continue;
                                }
                                recovered.fetch_add(1, Ordering::Relaxed);
                            }
                            Err(error) => panic!("{error}"),
                        }
                        slow_increment(&access, 256);
                        mutex.unlock(me).unwrap();
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let dying = admit_owner().unwrap();
                let _ = mutex.lock_raw(dying, briefly());
                owner_died(dying);
                std::thread::yield_now();
            }
        });
        lockers.into_iter().for_each(|locker| locker.join().unwrap());
        done.store(true, Ordering::Relaxed);
    });
    assert!(recovered.into_inner() >= deaths);
    let me = current_owner().unwrap();
    assert!(matches!(mutex.lock_raw(me, forever()), Ok(()) | Err(SharedError::OwnerDied)), "not stuck");
}
