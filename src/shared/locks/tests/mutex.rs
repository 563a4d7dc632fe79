use super::*;

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
            let (callback, outcome) = told();
            (mutex.begin_lock(*owner, callback).unwrap().unwrap(), outcome)
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
    let (callback, outcome) = told();
    let _pending = mutex.begin_lock(me, callback).unwrap().unwrap();
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
    let (callback, dead_outcome) = told();
    let _dead = mutex.begin_lock(owners[1], callback).unwrap().unwrap();
    let (callback, outcome) = told();
    let _next = mutex.begin_lock(owners[2], callback).unwrap().unwrap();
    owner_died(owners[1]);
    assert_eq!(dead_outcome.try_recv(), Ok(Outcome::Cancelled));
    mutex.unlock(owners[0]).unwrap();
    assert_eq!(outcome.try_recv(), Ok(Outcome::Granted(0)));
}

#[test]
fn locks_of_a_closing_region_let_their_waiters_go() {
    let base = Box::into_raw(vec![0_u64; 8].into_boxed_slice()).cast::<u8>();
    let region = super::super::super::region::open_for_tests(base, 64, 78);
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
