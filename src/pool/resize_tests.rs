//! A pool that gets another size while it works, on real threads.

use std::time::Duration;

use super::pool_tests::Bench;
use super::test_tasks::{ECHO, SLEEP};
use super::*;
use crate::cancel::Reason;
use crate::value::Value;

fn bench(min_threads: usize, max_threads: usize) -> Bench {
    let idle_timeout = Duration::from_secs(3600);
    Bench::new(Config { min_threads, max_threads, idle_timeout, ..Config::default() })
}

#[test]
fn waiting_tasks_get_the_threads_that_a_pool_grows_by() {
    let bench = bench(0, 1);
    let sleepers: Vec<_> = (0..4).map(|id| bench.submit(id, SLEEP, 60_000.0)).collect();
    bench.wait_until("one runs", |stats| stats.running == 1);
    bench.pool.resize(0, 3, 7);
    bench.wait_until("three run", |stats| stats.running == 3 && stats.queued == 1);
    let stats = bench.pool.stats();
    assert_eq!((stats.min_threads, stats.max_threads, stats.max_threads_from), (0, 3, 7));
    for (position, token) in &sleepers {
        bench.pool.cancel(*position, token, Reason::Cancelled);
    }
    sleepers.iter().for_each(|_| assert!(bench.answer().1.is_err()));
    bench.close(false).recv().unwrap();
}

#[test]
fn threads_that_are_too_many_finish_their_tasks_and_idle_ones_end_at_once() {
    let bench = bench(4, 4);
    let sleepers: Vec<_> = (0..4).map(|id| bench.submit(id, SLEEP, 60_000.0)).collect();
    bench.wait_until("all run", |stats| stats.running == 4);
    let stop = |at: usize| bench.pool.cancel(sleepers[at].0, &sleepers[at].1, Reason::Cancelled);
    stop(0);
    stop(1);
    bench.wait_until("two are idle", |stats| stats.idle == 2);
    bench.pool.resize(0, 1, 0);
    // It is not their idle time, of an hour.
    bench.wait_until("the idle ones have ended", |stats| stats.threads == 2);
    let waiting: Vec<u64> = (10..20).collect();
    waiting.iter().for_each(|id| drop(bench.submit(*id, ECHO, *id as f64)));
    assert_eq!((bench.pool.stats().running, bench.pool.stats().queued), (2, 10));
    stop(2);
    bench.wait_until("one of those that ran has ended", |stats| stats.threads == 1);
    stop(3);
    let mut answers: Vec<u64> = (0..14).map(|_| bench.answer().0).collect();
    answers.sort_unstable();
    assert_eq!(answers, [vec![0, 1, 2, 3], waiting].concat());
    assert_eq!(bench.pool.stats().threads, 1);
    bench.close(false).recv().unwrap();
}

#[test]
fn a_thread_that_was_kept_ends_when_fewer_are_kept() {
    let idle_timeout = Duration::from_millis(1);
    let bench = Bench::new(Config { min_threads: 2, max_threads: 2, idle_timeout, ..Config::default() });
    bench.submit(0, SLEEP, 1.0);
    bench.submit(1, SLEEP, 1.0);
    bench.wait_until("both are idle", |stats| stats.idle == 2 && stats.completed == 2);
    bench.pool.resize(1, 2, 0);
    bench.wait_until("one of them has ended", |stats| stats.threads == 1);
    bench.pool.resize(0, 2, 0);
    bench.wait_until("so has the other", |stats| stats.threads == 0);
    bench.submit(2, ECHO, 1.0);
    bench.close(false).recv().unwrap();
}

#[test]
fn threads_leave_a_batch_that_is_under_way_and_others_join_it() {
    let bench = bench(0, 3);
    let inputs = vec![Value::Number(2.0); 2_000];
    let (position, token) = bench.submit_batch(1, SLEEP, inputs);
    bench.wait_until("all work on it", |stats| stats.running == 3);
    bench.pool.resize(0, 1, 0);
    bench.wait_until("one is left", |stats| stats.running == 1 && stats.threads == 1);
    bench.pool.resize(0, 2, 0);
    bench.wait_until("two work on it", |stats| stats.running == 2 && stats.threads == 2);
    bench.pool.cancel(position, &token, Reason::Cancelled);
    assert_eq!(bench.answer().0, 1);
    bench.close(false).recv().unwrap();
}

#[test]
fn the_limit_of_the_queue_follows_the_size() {
    let bench = Bench::new(Config { max_threads: 1, max_queue: 1, ..Config::default() });
    let sleepers: Vec<_> = (0..2).map(|id| bench.submit(id, SLEEP, 60_000.0)).collect();
    bench.wait_until("one runs", |stats| stats.running == 1);
    assert!(bench.pool.refusal(Taker::Native).is_some());
    assert!(!bench.pool.is_half_empty());
    bench.pool.resize(0, 2, 0);
    bench.wait_until("both run", |stats| stats.running == 2);
    assert!(bench.pool.refusal(Taker::Native).is_none() && bench.pool.is_half_empty());
    bench.submit(2, ECHO, 1.0);
    assert!(bench.pool.refusal(Taker::Native).is_some());
    bench.pool.resize(0, 1, 0);
    // Both go on: nobody is free before both have ended.
    assert!(bench.pool.refusal(Taker::Native).is_some() && bench.pool.stats().running == 2);
    for (position, token) in &sleepers {
        bench.pool.cancel(*position, token, Reason::Cancelled);
    }
    (0..3).for_each(|_| drop(bench.answer()));
    bench.close(false).recv().unwrap();
}

#[test]
fn a_pool_may_be_resized_all_the_time_and_loses_nothing() {
    let bench = Bench::new(Config { max_threads: 2, idle_timeout: Duration::ZERO, ..Config::default() });
    const TASKS: u64 = 3_000;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0_usize.. {
                let stats = bench.pool.stats();
                if stats.completed >= TASKS {
                    return;
                }
                let max = 1 + n % 4;
                bench.pool.resize(n % (max + 1), max, 0);
                std::thread::yield_now();
            }
        });
        for id in 0..TASKS {
            bench.submit(id, ECHO, id as f64);
        }
    });
    let mut answers: Vec<u64> = (0..TASKS).map(|_| bench.answer().0).collect();
    answers.sort_unstable();
    assert_eq!(answers, (0..TASKS).collect::<Vec<u64>>());
    bench.close(false).recv().unwrap();
}
