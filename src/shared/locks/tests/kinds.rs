use super::*;

#[test]
fn the_cells_are_as_the_readme_says() {
    let region = region();
    let cell = |at: usize| atomics::load::<u32>(&region.access().unwrap(), AT + at * 4).unwrap();
    let owner = admit_owner().unwrap();
    let mutex = Mutex::create(&region, AT).unwrap();
    assert_eq!((cell(0), cell(1)), (0x5257_4D01, 0));
    assert_eq!(mutex.try_lock(owner), Ok(true));
    assert_eq!(cell(1), owner);
    let (callback, _outcome) = told();
    let _pending = mutex.begin_lock(admit_owner().unwrap(), callback).unwrap().unwrap();
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
    let (callback, small) = told();
    let _small = semaphore.begin_acquire(other, 1, callback).unwrap().unwrap();
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
    let (callback, _gone) = told();
    let _waits = barrier.begin_wait(dying, callback).unwrap().unwrap();
    let (callback, outcome) = told();
    let _waits_too = barrier.begin_wait(me, callback).unwrap().unwrap();
    owner_died(dying);
    assert_eq!(outcome.try_recv(), Ok(Outcome::Broken));
    assert_eq!(barrier.wait(me, forever()), Err(SharedError::BarrierBroken));
    barrier.reset().unwrap();
    assert_eq!(barrier.wait(me, briefly()), Err(SharedError::TimedOut));
    assert_eq!(barrier.is_broken(), Ok(true));
}
