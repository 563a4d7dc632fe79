use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::super::locks::admit_owner;
use super::super::{Access, Region, SharedError, atomics};
use super::*;
use crate::cancel::{CancelToken, Reason};
use crate::sync::Instant;
use crate::wait_limit::WaitLimit;

/// An owner that no other test ends.
const ME: u32 = u32::MAX;
const LONG: Duration = Duration::from_secs(30);

fn access() -> Access {
    Region::allocate(64, 64).unwrap().access().unwrap()
}

fn address(access: &Access, offset: usize) -> CellAddress {
    CellAddress { region: access.region().id(), offset }
}

fn waiter(access: &Access, offset: usize) -> WaiterHandle<'static> {
    match enqueue(access, offset, Expected::I32(0), ME, None).unwrap() {
        Enqueued::Waiting(waiter) => waiter,
        Enqueued::NotEqual => panic!("the cell is zero"),
    }
}

#[test]
fn a_wait_on_another_value_does_not_wait() {
    let access = access();
    atomics::store(&access, 8, -5_i64).unwrap();
    let limit = WaitLimit::default();
    assert_eq!(wait(&access, 8, Expected::I64(-6), ME, limit), Ok(Waited::NotEqual));
    assert_eq!(wait(&access, 8, Expected::I32(0), ME, limit), Ok(Waited::NotEqual), "the low half is -5");
    assert_eq!(table().waiters(address(&access, 8)), 0);
}

#[test]
fn a_wait_times_out_in_its_time_and_leaves_the_queue() {
    let access = access();
    let started = Instant::now();
    let limit = WaitLimit::default().within(Duration::from_millis(20));
    assert_eq!(wait(&access, 8, Expected::I64(0), ME, limit), Ok(Waited::TimedOut));
    assert!(started.elapsed() >= Duration::from_millis(20));
    assert_eq!(notify(&access, 8, 1), Ok(0));
}

#[test]
fn bounds_and_alignment_are_checked_first() {
    let access = access();
    assert_eq!(
        enqueue(&access, 2, Expected::I32(0), ME, None).err(),
        Some(SharedError::Misaligned { offset: 2, align: 4 })
    );
    assert!(enqueue(&access, 4, Expected::I64(0), ME, None).is_err());
    assert!(notify(&access, 64, 1).is_err());
}

#[test]
fn threads_and_callbacks_are_woken_in_the_order_they_came() {
    let access = access();
    let (send, order) = mpsc::channel();
    let mut waiters: Vec<_> = (0..6)
        .map(|number| {
            let send = send.clone();
            let callback: Option<OutcomeCallback> = (number % 2 == 1)
                .then(|| Box::new(move |outcome| send.send((number, outcome)).unwrap()) as _);
            match enqueue(&access, 0, Expected::I32(0), ME, callback).unwrap() {
                Enqueued::Waiting(waiter) => waiter,
                Enqueued::NotEqual => unreachable!(),
            }
        })
        .collect();
    let mut woken = |number: usize| {
        if number % 2 == 1 {
            order.try_recv().ok().map(|(got, outcome)| (got == number).then_some(outcome).unwrap())
        } else {
            waiters[number].wait_slice(Duration::ZERO)
        }
    };
    for number in 0..6 {
        assert_eq!(woken(number), None);
        assert_eq!(notify(&access, 0, 1), Ok(1));
        assert_eq!(woken(number), Some(Outcome::Woken));
    }
    assert_eq!(notify(&access, 0, 1), Ok(0));
}

#[test]
fn notify_counts_and_wakes_no_more_than_asked() {
    let access = access();
    let mut waiters: Vec<_> = (0..5).map(|_| waiter(&access, 4)).collect();
    let other = waiter(&access, 8);
    assert_eq!(notify(&access, 4, 0), Ok(0));
    assert_eq!(notify(&access, 4, 2), Ok(2));
    let woken: Vec<_> =
        waiters.iter_mut().map(|waiter| waiter.wait_slice(Duration::ZERO).is_some()).collect();
    assert_eq!(woken, [true, true, false, false, false]);
    assert_eq!(notify(&access, 4, usize::MAX), Ok(3));
    drop(other);
    assert_eq!(table().waiters(address(&access, 8)), 0);
}

#[test]
fn slices_keep_the_position_in_the_queue() {
    let access = access();
    let (mut first, mut second) = (waiter(&access, 0), waiter(&access, 0));
    for _ in 0..5 {
        assert_eq!(first.wait_slice(Duration::from_millis(1)), None);
    }
    assert_eq!(notify(&access, 0, 1), Ok(1), "between two slices");
    assert_eq!(second.wait_slice(Duration::from_millis(1)), None);
    assert_eq!(first.wait_slice(LONG), Some(Outcome::Woken));
}

#[test]
fn cancel_says_whether_a_notify_was_first() {
    let access = access();
    let (mut first, mut second) = (waiter(&access, 0), waiter(&access, 0));
    assert!(second.cancel());
    assert!(second.cancel() || second.wait_slice(Duration::ZERO).is_none(), "left for good");
    assert_eq!(notify(&access, 0, 5), Ok(1));
    assert!(!first.cancel());
    assert_eq!(first.wait_slice(Duration::ZERO), Some(Outcome::Woken));
}

#[test]
fn a_wake_up_that_nobody_saw_goes_to_the_next() {
    let access = access();
    let (first, mut second) = (waiter(&access, 0), waiter(&access, 0));
    assert_eq!(notify(&access, 0, 1), Ok(1));
    drop(first);
    assert_eq!(second.wait_slice(Duration::ZERO), Some(Outcome::Woken));
    let (mut seen, mut waits) = (waiter(&access, 0), waiter(&access, 0));
    notify(&access, 0, 1).unwrap();
    assert_eq!(seen.wait_slice(Duration::ZERO), Some(Outcome::Woken));
    drop(seen);
    assert_eq!(waits.wait_slice(Duration::ZERO), None, "a wake-up that was seen is not given twice");
}

#[test]
fn the_end_of_an_owner_ends_its_waits_only() {
    let access = access();
    let (dying, living) = (admit_owner().unwrap(), admit_owner().unwrap());
    let (send, told) = mpsc::channel();
    let callback = Box::new(move |outcome| send.send(outcome).unwrap());
    let _kept = enqueue(&access, 0, Expected::I32(0), dying, Some(callback)).unwrap();
    let other = access.clone();
    let sleeper = std::thread::spawn(move || wait(&other, 0, Expected::I32(0), dying, WaitLimit::default()));
    let Ok(Enqueued::Waiting(mut stays)) = enqueue(&access, 0, Expected::I32(0), living, None) else {
        panic!()
    };
    while table().waiters(address(&access, 0)) < 3 {
        std::thread::yield_now();
    }
    assert_eq!(table().end_owner(dying).len(), 2);
    assert_eq!(told.try_recv(), Ok(Outcome::Cancelled));
    assert_eq!(sleeper.join().unwrap(), Err(SharedError::Cancelled));
    assert_eq!(stays.wait_slice(Duration::ZERO), None);
}

#[test]
fn a_token_stops_a_wait_that_has_no_time_limit() {
    let access = access();
    let token = CancelToken::new(None);
    std::thread::scope(|scope| {
        let sleeper = scope.spawn(|| wait(&access, 0, Expected::I32(0), ME, WaitLimit::new(Some(&token))));
        while table().waiters(address(&access, 0)) == 0 {
            std::thread::yield_now();
        }
        token.cancel(Reason::Cancelled);
        assert_eq!(sleeper.join().unwrap(), Err(SharedError::Stopped(Reason::Cancelled)));
    });
    assert_eq!(table().waiters(address(&access, 0)), 0);
}

#[test]
fn the_deadline_of_a_token_stops_a_wait() {
    let access = access();
    let token = CancelToken::new(Some(Instant::now() + Duration::from_millis(20)));
    let waited = wait(&access, 0, Expected::I32(0), ME, WaitLimit::new(Some(&token)).within(LONG));
    assert_eq!(waited, Err(SharedError::Stopped(Reason::TimedOut)));
}

#[test]
fn closing_a_region_sends_its_waiters_away_and_does_not_wait_for_them() {
    let base = Box::into_raw(vec![0_u64; 2].into_boxed_slice()).cast::<u8>();
    // Only region.rs may use `unsafe`, so the test opens the region through a function there.
    let region = super::super::region::open_for_tests(base, 16, 77);
    let (waiting, held) = (region.clone(), region.access().unwrap());
    let sleeper = std::thread::spawn(move || {
        let access = waiting.access().unwrap();
        wait(&access, 0, Expected::I32(0), ME, WaitLimit::default())
    });
    while table().waiters(address(&held, 0)) == 0 {
        std::thread::yield_now();
    }
    let closing = region.clone();
    let closer = std::thread::spawn(move || closing.release_pin(77));
    assert_eq!(sleeper.join().unwrap(), Err(SharedError::RegionClosed));
    assert_eq!(
        enqueue(&held, 0, Expected::I32(0), ME, None).err(),
        Some(SharedError::RegionClosed),
        "a use that began before the close cannot fall asleep any more"
    );
    drop(held);
    assert!(closer.join().unwrap());
}

#[test]
fn ping_pong_loses_no_wake_up() {
    let rounds = if cfg!(miri) { 20 } else { 100_000 };
    let region = Region::allocate(16, 16).unwrap();
    let play = |mine: i32, theirs: i32| {
        let access = region.access().unwrap();
        for _ in 0..rounds {
            while atomics::load::<i32>(&access, 8).unwrap() != mine {
                let limit = WaitLimit::default().within(LONG);
                let waited = wait(&access, 8, Expected::I32(theirs), ME, limit).unwrap();
                assert_ne!(waited, Waited::TimedOut, "a wake-up was lost");
            }
            atomics::store(&access, 8, theirs).unwrap();
            notify(&access, 8, 1).unwrap();
        }
    };
    let started = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| play(0, 1));
        scope.spawn(|| play(1, 0));
    });
    println!("{rounds} round trips in {:?}", started.elapsed());
    assert_eq!(table().waiters(address(&region.access().unwrap(), 8)), 0);
}

#[test]
fn every_notify_is_one_wake_up_under_slices_cancels_and_drops() {
    let rounds = if cfg!(miri) { 20 } else { 4_000 };
    let region = Region::allocate(8, 8).unwrap();
    let (woken, notified) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let waiters: Vec<_> = (0..3)
            .map(|thread| {
                let (region, woken) = (&region, &woken);
                scope.spawn(move || {
                    let access = region.access().unwrap();
                    for round in 0..rounds {
                        let mut waiter = waiter(&access, 0);
                        let slice = Duration::from_micros(((round * 7 + thread * 3) % 40) as u64);
                        let mut ended = waiter.wait_slice(slice);
                        if ended.is_none() && !waiter.cancel() {
                            ended = waiter.wait_slice(Duration::ZERO);
                            assert!(ended.is_some(), "not cancelled is woken");
                        }
                        woken.fetch_add(usize::from(ended.is_some()), Ordering::Relaxed);
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            let access = region.access().unwrap();
            while !done.load(Ordering::Relaxed) {
                notified.fetch_add(notify(&access, 0, 2).unwrap(), Ordering::Relaxed);
                std::thread::yield_now();
            }
        });
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(woken.into_inner(), notified.into_inner());
}

#[test]
fn a_callback_may_use_the_table_and_a_cancelled_one_is_let_go() {
    let access = access();
    let again = access.clone();
    let held = Arc::new(());
    let alive = held.clone();
    let (send, told) = mpsc::channel();
    let callback = Box::new(move |_| send.send(notify(&again, 0, 1)).unwrap());
    let _first = enqueue(&access, 0, Expected::I32(0), ME, Some(callback)).unwrap();
    let Ok(Enqueued::Waiting(mut second)) =
        enqueue(&access, 0, Expected::I32(0), ME, Some(Box::new(move |_| drop(alive))))
    else {
        panic!()
    };
    assert!(second.cancel());
    assert_eq!(Arc::strong_count(&held), 1);
    assert_eq!(notify(&access, 0, 1), Ok(1));
    assert_eq!(told.recv().unwrap(), Ok(0));
}
