//! A lock by its handle, and waits that nobody will see the end of.

use super::*;

fn told_by() -> (Option<AcquiredCallback>, mpsc::Receiver<Result<u32>>) {
    let (send, receive) = mpsc::channel();
    let told: AcquiredCallback = Box::new(move |outcome| send.send(outcome).unwrap());
    (Some(told), receive)
}

/// The five kinds, 128 bytes apart.
fn all() -> (Arc<Region>, [AnyLock; 5]) {
    let region = Region::allocate(1024, 1024).unwrap();
    Mutex::create(&region, 0).unwrap();
    RwLock::create(&region, 128, 4).unwrap();
    Semaphore::create(&region, 256, 2, 3).unwrap();
    Condvar::create(&region, 384).unwrap();
    Barrier::create(&region, 512, 2).unwrap();
    let locks = [0, 128, 256, 384, 512].map(|offset| AnyLock::find(&region, offset).unwrap());
    (region, locks)
}

#[test]
fn every_kind_is_found_as_what_it_is() {
    let (region, locks) = all();
    assert!(matches!(
        locks,
        [
            AnyLock::Mutex(_),
            AnyLock::RwLock(_),
            AnyLock::Semaphore(_),
            AnyLock::Condvar(_),
            AnyLock::Barrier(_)
        ]
    ));
    assert_eq!(AnyLock::find(&region, 640).err(), Some(SharedError::NotALock));
    assert!(matches!(AnyLock::find(&region, 4).err(), Some(SharedError::Misaligned { .. })));
    assert!(matches!(AnyLock::find(&region, 1024).err(), Some(SharedError::OutOfBounds { .. })));
}

#[test]
fn the_argument_says_what_is_wanted() {
    let (_region, [mutex, rwlock, semaphore, condvar, barrier]) = all();
    let (me, other) = (admit_owner().unwrap(), admit_owner().unwrap());
    assert_eq!(mutex.try_now(0, me), Ok(Some(0)));
    assert_eq!(mutex.try_now(0, other), Ok(None));
    mutex.unlock(0, me, 0).unwrap();

    let slot = rwlock.try_now(AnyLock::READ, me).unwrap().unwrap();
    let beside = rwlock.try_now(AnyLock::READ, other).unwrap().unwrap();
    assert_ne!(slot, beside);
    assert_eq!(rwlock.try_now(AnyLock::WRITE, other), Ok(None));
    rwlock.unlock(AnyLock::READ, me, slot).unwrap();
    rwlock.unlock(AnyLock::READ, other, beside).unwrap();
    assert_eq!(rwlock.try_now(AnyLock::WRITE, other), Ok(Some(0)));
    assert_eq!(rwlock.unlock(AnyLock::WRITE, me, 0), Err(SharedError::NotHeld));

    assert_eq!(semaphore.try_now(2, me), Ok(Some(0)));
    assert_eq!(semaphore.try_now(1, me), Ok(None));
    semaphore.unlock(2, me, 0).unwrap();

    for none in [&condvar, &barrier] {
        assert_eq!(none.try_now(0, me), Err(SharedError::NotALock));
        assert_eq!(none.recover(me), Err(SharedError::NotALock));
    }
}

#[test]
fn the_last_party_leads_and_the_others_follow() {
    let (_region, [.., barrier]) = all();
    let (told, outcome) = told_by();
    let me = admit_owner().unwrap();
    let _wait = barrier.begin(0, me, told).unwrap().unwrap_or_else(|_| panic!("the first party waits"));
    assert_eq!(barrier.begin(0, me, None).unwrap().err(), Some(AnyLock::LEADER));
    assert_eq!(outcome.try_recv(), Ok(Ok(AnyLock::FOLLOWER)));
    let (told, outcome) = told_by();
    let wait = barrier.begin(0, me, told).unwrap().unwrap_or_else(|_| panic!("a new round"));
    barrier.as_barrier().unwrap().abort().unwrap();
    assert_eq!(outcome.try_recv(), Ok(Err(SharedError::BarrierBroken)));
    drop(wait);
}

#[test]
fn what_was_granted_to_a_callback_that_is_abandoned_goes_to_the_next() {
    let (_region, [mutex, rwlock, semaphore, ..]) = all();
    for (lock, argument) in [(mutex, 0), (rwlock, AnyLock::WRITE), (semaphore, 3)] {
        let owners: [u32; 3] = std::array::from_fn(|_| admit_owner().unwrap());
        if let AnyLock::Semaphore(semaphore) = &lock {
            semaphore.release(1).unwrap();
        }
        assert_eq!(lock.try_now(argument, owners[0]), Ok(Some(0)));
        let (told, first) = told_by();
        let unseen = lock.begin(argument, owners[1], told).unwrap().unwrap_or_else(|_| panic!("queued"));
        let (told, second) = told_by();
        let _next = lock.begin(argument, owners[2], told).unwrap().unwrap_or_else(|_| panic!("queued"));
        lock.unlock(argument, owners[0], 0).unwrap();
        assert!(first.try_recv().unwrap().is_ok());
        assert!(second.try_recv().is_err());
        unseen.abandon();
        owner_died(owners[1]);
        assert!(second.try_recv().unwrap().is_ok(), "handed on, and not poisoned");
        lock.unlock(argument, owners[2], 0).unwrap();
        assert_ne!(lock.is_poisoned(), Ok(true));
    }
}

#[test]
fn a_notify_that_reached_an_abandoned_callback_goes_to_the_next() {
    let (_region, [mutex, _, _, condvar, _]) = all();
    let me = admit_owner().unwrap();
    let waits: Vec<_> = (0..2)
        .map(|_| {
            assert_eq!(mutex.try_now(0, me), Ok(Some(0)));
            let (told, outcome) = told_by();
            (condvar.begin_condvar(&mutex, me, told).unwrap(), outcome)
        })
        .collect();
    assert_eq!(condvar.as_condvar().unwrap().notify(1), Ok(1));
    let mut waits = waits.into_iter();
    let (unseen, first) = waits.next().unwrap();
    let (_next, second) = waits.next().unwrap();
    assert_eq!(first.try_recv(), Ok(Ok(0)));
    assert!(second.try_recv().is_err());
    unseen.abandon();
    assert_eq!(second.try_recv(), Ok(Ok(0)));
}

#[test]
fn a_slot_that_was_left_by_the_cells_lets_a_writer_in() {
    let (region, [_, rwlock, semaphore, ..]) = all();
    let (me, other) = (admit_owner().unwrap(), admit_owner().unwrap());
    let slot = rwlock.try_now(AnyLock::READ, me).unwrap().unwrap() as usize;
    let (told, outcome) = told_by();
    let _wait = rwlock.begin(AnyLock::WRITE, other, told).unwrap();
    // As JavaScript leaves: the slot, then a look at the word, then this.
    atomics::store::<u32>(&region.access().unwrap(), 128 + 16 + slot * 4, 0).unwrap();
    assert!(outcome.try_recv().is_err());
    rwlock.grant_next().unwrap();
    assert_eq!(outcome.try_recv(), Ok(Ok(0)));

    assert_eq!(semaphore.try_now(2, me), Ok(Some(0)));
    let (told, outcome) = told_by();
    let _wait = semaphore.begin(1, other, told).unwrap();
    atomics::store::<u32>(&region.access().unwrap(), 256 + 4, 1).unwrap();
    semaphore.grant_next().unwrap();
    assert!(outcome.try_recv().unwrap().is_ok());
}
