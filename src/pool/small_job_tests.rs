//! Small tasks on real threads: by the intake, many at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::test_tasks::{ECHO, FAIL, HOLD, SLEEP, TestTasks};
use super::*;
use crate::cancel::{CancelToken, Reason};
use crate::error::{Code, Result};
use crate::value::{Payload, Value};

/// A pool, and the one thread that puts tasks into its intake.
struct Owner {
    pool: Pool,
    memory: Arc<IntakeMemory>,
    outbox: &'static Answers,
    answers: Receiver<(u64, Result<Value>)>,
    tail: AtomicU32,
    next: AtomicU64,
}

struct Answers(Sender<(u64, Result<Value>)>);

impl Outbox for Answers {
    fn settle(&self, _: usize, id: u64, outcome: Result<Value>) {
        // Nobody listens to the pool of a test that has ended.
        let _ = self.0.send((id, outcome));
    }
}

impl Owner {
    fn new(config: Config) -> Self {
        let (sender, answers) = unbounded();
        let outbox: &'static Answers = Box::leak(Box::new(Answers(sender)));
        let pool = Pool::new(config, Arc::new(TestTasks));
        let memory = pool.open_intake(outbox).expect("the first");
        assert!(pool.open_intake(outbox).is_none(), "a pool has one intake");
        Owner { pool, memory, outbox, answers, tail: AtomicU32::new(0), next: AtomicU64::new(1) }
    }

    fn with_threads(threads: usize) -> Self {
        Owner::new(Config { max_threads: threads, ..Config::default() })
    }

    /// Puts a task into the intake without a call, but one that makes room. True when a call is needed.
    fn put_silently(&self, task: usize, input: Option<f64>) -> (u64, bool) {
        let (tail, id) =
            (self.tail.fetch_add(1, Ordering::Relaxed), self.next.fetch_add(1, Ordering::Relaxed));
        if !self.memory.has_room(tail) {
            self.pool.look_at_intake();
        }
        (id, self.memory.put(tail, id, task, input))
    }

    fn put(&self, task: usize, input: f64) -> u64 {
        let (id, needs_call) = self.put_silently(task, Some(input));
        if needs_call {
            self.pool.look_at_intake();
        }
        id
    }

    /// Deposits a task, and puts its record.
    fn deposit(&self, task: usize, input: f64) -> u64 {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let input = Payload::Value(Value::Array(vec![Value::Number(input)]));
        assert!(self.pool.deposit(|made| Job::to_deposit(id, self.outbox, task, input, made)));
        let tail = self.tail.fetch_add(1, Ordering::Relaxed);
        if !self.memory.has_room(tail) {
            self.pool.look_at_intake();
        }
        if self.memory.put_deposit(tail) {
            self.pool.look_at_intake();
        }
        id
    }

    fn submit(&self, task: usize, input: f64, priority: i32, token: Option<CancelToken>) -> (u64, Accepted) {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let job = Job::new(id, self.outbox, task, Payload::Value(Value::Number(input)), token);
        (id, self.pool.submit(job, priority, Target::Native).ok().expect("accepted"))
    }

    fn answer(&self) -> (u64, Result<Value>) {
        self.answers.recv_timeout(Duration::from_secs(30)).expect("an answer")
    }

    /// Makes the pool take a task for a short one. More than once where the machine is busy with other things.
    fn teach(&self, task: usize, input: f64) {
        for _ in 0..100 {
            for _ in 0..1_000 {
                self.put(task, input);
            }
            for _ in 0..1_000 {
                self.answer().1.unwrap();
            }
            if self.is_short(task) {
                return;
            }
        }
        panic!("{}", self.pool.0.estimates.of(task));
    }

    fn is_short(&self, task: usize) -> bool {
        self.pool.0.estimates.of(task) < 1_000
    }

    /// Keeps the one thread busy for a while, so that it takes together what comes now. The id of the task that does so.
    fn hold(&self, short: usize) -> u64 {
        loop {
            self.teach(short, 0.0);
            let (holder, _) = self.submit(HOLD, 50.0, 0, None);
            until(|| self.pool.stats().queued == 0);
            // The thread measures nothing more before it has ended that task.
            if self.is_short(short) {
                return holder;
            }
            self.answer().1.unwrap();
        }
    }

    fn close(&self, force: bool) -> Receiver<()> {
        let (sender, closed) = unbounded();
        self.pool.close(force, Some(Box::new(move || sender.send(()).expect("the test listens"))));
        closed
    }
}

fn until(holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30));
        std::thread::yield_now();
    }
}

#[test]
fn tasks_of_the_intake_run_in_order_with_those_that_are_submitted_by_a_call() {
    let owner = Owner::with_threads(1);
    let mut expected = Vec::new();
    for n in 0..20_000 {
        let input = f64::from(n);
        expected.push(match n % 5 {
            4 => owner.submit(ECHO, input, 0, None).0,
            3 => owner.deposit(ECHO, input),
            _ => owner.put(ECHO, input),
        });
    }
    for (n, id) in expected.into_iter().enumerate() {
        let number = Value::Number(n as f64);
        let expected = if n % 5 == 3 { Value::Array(vec![number]) } else { number };
        assert_eq!(owner.answer(), (id, Ok(expected)));
    }
    let stats = owner.pool.stats();
    assert_eq!((stats.submitted, stats.completed, stats.queued), (20_000, 20_000, 0));
    assert!(stats.run > Duration::ZERO && stats.wait > Duration::ZERO, "{stats:?}");
}

#[test]
fn a_deposit_is_taken_once_also_if_its_record_comes_late_or_never() {
    let owner = Owner::with_threads(1);
    let deposit = |id: u64| {
        let input = Payload::Value(Value::Number(0.0));
        assert!(owner.pool.deposit(|made| Job::to_deposit(id, owner.outbox, ECHO, input, made)));
    };
    deposit(1);
    // Somebody looks at the pool between the two steps.
    assert_eq!(owner.pool.stats().submitted, 1);
    assert!(owner.memory.put_deposit(0));
    deposit(2);
    assert!(owner.memory.put_deposit(1));
    // The record of this one never comes.
    deposit(3);
    deposit(4);
    assert!(owner.memory.put_deposit(2));
    owner.pool.look_at_intake();
    let order: Vec<u64> = (0..4).map(|_| owner.answer().0).collect();
    assert_eq!(order, [1, 2, 3, 4]);
    let stats = owner.pool.stats();
    assert_eq!((stats.submitted, stats.completed), (4, 4));
}

#[test]
fn a_pool_without_an_intake_takes_no_deposit() {
    let pool = Pool::new(Config::default(), Arc::new(TestTasks));
    assert!(!pool.deposit(|_| unreachable!("there is nowhere to leave it")));
}

#[test]
fn a_task_without_an_input_gets_undefined() {
    let owner = Owner::with_threads(1);
    let (id, needs_call) = owner.put_silently(ECHO, None);
    assert!(needs_call, "no thread has started yet");
    owner.pool.look_at_intake();
    assert_eq!(owner.answer(), (id, Ok(Value::Undefined)));
}

#[test]
fn who_looks_at_the_pool_sees_what_is_in_the_intake() {
    let owner = Owner::with_threads(1);
    owner.put_silently(ECHO, None);
    let stats = owner.pool.stats();
    assert_eq!((stats.submitted, stats.queued), (1, 1));
    owner.pool.look_at_intake();
    owner.answer().1.unwrap();
}

#[test]
fn a_long_task_holds_nobody_behind_it() {
    let owner = Owner::with_threads(2);
    owner.teach(SLEEP, 0.0);
    let mut short: Vec<u64> = (0..10).map(|_| owner.put(SLEEP, 0.0)).collect();
    let began = Instant::now();
    let long = owner.put(SLEEP, 10_000.0);
    short.extend((0..200).map(|_| owner.put(SLEEP, 0.0)));
    for _ in 0..short.len() {
        let (id, outcome) = owner.answer();
        assert_ne!(id, long, "all others come first");
        outcome.unwrap();
    }
    assert!(began.elapsed() < Duration::from_secs(10));
    let closed = owner.close(true);
    assert_eq!(owner.answer(), (long, Err(Reason::PoolClosed.into_error())));
    closed.recv_timeout(Duration::from_secs(30)).unwrap();
}

/// One thread takes all of them together, and no other is awake.
#[test]
fn what_a_thread_has_taken_is_watched_also_where_others_sleep_or_were_never_started() {
    for started in 0..3 {
        let owner = Owner::with_threads(2);
        let held: Vec<u64> = (0..started).map(|_| owner.submit(HOLD, 10.0, 0, None).0).collect();
        held.iter().for_each(|_| owner.answer().1.map(drop).unwrap());
        until(|| {
            let state = owner.pool.0.lock();
            state.threads.parked == started && state.threads.dozing.is_none()
        });
        owner.pool.0.estimates.learn(SLEEP, 1_000, 60_000);
        let long = owner.put_silently(SLEEP, Some(10_000.0)).0;
        let short: Vec<u64> = (0..200).map(|_| owner.put_silently(SLEEP, Some(0.0)).0).collect();
        owner.pool.look_at_intake();
        let answered: Vec<u64> = short.iter().map(|_| owner.answer().0).collect();
        assert!(!answered.contains(&long), "with {started} threads");
        owner.close(true).recv_timeout(Duration::from_secs(30)).unwrap();
    }
}

#[test]
fn a_long_task_holds_nobody_behind_it_though_no_other_thread_has_started() {
    let owner = Owner::with_threads(2);
    owner.pool.0.estimates.learn(SLEEP, 1, 100);
    let long = owner.put_silently(SLEEP, Some(10_000.0)).0;
    owner.pool.look_at_intake();
    // Before the thread that starts now looks at the queue, or else with a call.
    for _ in 0..5 {
        owner.put(SLEEP, 0.0);
    }
    for _ in 0..5 {
        let (id, outcome) = owner.answer();
        assert_ne!(id, long, "all others come first");
        outcome.unwrap();
    }
    let closed = owner.close(true);
    assert_eq!(owner.answer().0, long);
    closed.recv_timeout(Duration::from_secs(30)).unwrap();
}

#[test]
fn a_graceful_close_runs_what_was_put_without_a_call_before_any_thread_has_started() {
    let owner = Owner::with_threads(1);
    let id = owner.put_silently(ECHO, None).0;
    let closed = owner.close(false);
    assert_eq!(owner.answer(), (id, Ok(Value::Undefined)));
    closed.recv_timeout(Duration::from_secs(30)).unwrap();
}

#[test]
fn a_higher_priority_comes_before_what_a_thread_has_taken() {
    let owner = Owner::with_threads(1);
    let holder = owner.hold(SLEEP);
    let long = owner.put(SLEEP, 200.0);
    let others: Vec<u64> = (0..20).map(|_| owner.put(SLEEP, 0.0)).collect();
    assert_eq!(owner.answer().0, holder);
    until(|| owner.pool.0.lock().threads.taken() > 0);
    let (urgent, _) = owner.submit(SLEEP, 0.0, 5, None);
    let order: Vec<u64> = (0..22).map(|_| owner.answer().0).collect();
    // The thread may not have begun the long one yet.
    assert!(order[..2] == [long, urgent] || order[..2] == [urgent, long], "{order:?}");
    assert_eq!(order[2..], others);
}

#[test]
fn a_forced_close_answers_what_is_in_the_intake_and_what_a_thread_has_taken() {
    let owner = Owner::with_threads(1);
    let holder = owner.hold(SLEEP);
    let long = owner.put(SLEEP, 10_000.0);
    let mut dropped: Vec<u64> = (0..20).map(|_| owner.put(SLEEP, 0.0)).collect();
    assert_eq!(owner.answer().0, holder);
    until(|| owner.pool.0.lock().threads.taken() > 0);
    dropped.push(owner.put_silently(SLEEP, None).0);
    let closed = owner.close(true);
    let mut answers: HashMap<u64, Result<Value>> = (0..22).map(|_| owner.answer()).collect();
    assert_eq!(answers.remove(&long), Some(Err(Reason::PoolClosed.into_error())));
    for id in dropped {
        assert_eq!(answers.remove(&id), Some(Err(Reason::PoolClosed.into_error_before())));
    }
    closed.recv_timeout(Duration::from_secs(30)).unwrap();
    let stats = owner.pool.stats();
    assert_eq!((stats.cancelled, stats.queued, stats.threads), (22, 0, 0));
}

#[test]
fn a_graceful_close_runs_what_is_in_the_intake() {
    let owner = Owner::with_threads(2);
    let ids: Vec<u64> = (0..500).map(|n| owner.put_silently(FAIL, Some(f64::from(n - 250))).0).collect();
    owner.pool.look_at_intake();
    let late = owner.put_silently(ECHO, None).0;
    let closed = owner.close(false);
    let answers: HashMap<u64, Result<Value>> = (0..501).map(|_| owner.answer()).collect();
    closed.recv_timeout(Duration::from_secs(30)).unwrap();
    assert_eq!(answers[&late], Ok(Value::Undefined));
    let failed =
        ids.iter().filter(|id| answers[*id].as_ref().is_err_and(|error| error.code() == Code::TaskFailed));
    assert_eq!(failed.count(), 250);
}

/// Nobody calls but when the memory says so, and the writer does not come back: each task must be seen all the same.
#[test]
fn no_task_stays_unseen_while_threads_fall_asleep() {
    let owner = Owner::with_threads(3);
    owner.teach(ECHO, 0.0);
    let mut pause = 0_u32;
    for round in 0..3_000_u32 {
        let count = 1 + round % 3;
        for n in 0..count {
            owner.put(ECHO, f64::from(n));
        }
        for _ in 0..count {
            owner.answer().1.unwrap();
        }
        // Between none and some ten microseconds: as long as a search takes, and longer; now and then as long as a nap.
        pause = (pause * 31 + 7) % 401;
        let until = Instant::now()
            + if round % 100 == 0 {
                Duration::from_millis(5)
            } else {
                Duration::from_nanos(u64::from(pause) * 100)
            };
        while Instant::now() < until {
            std::hint::spin_loop();
        }
    }
}

/// Random steps of one owner: each task is answered once, whatever happens to it.
#[test]
fn every_task_is_answered_once_over_random_steps() {
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    for round in 0..60 {
        let owner = Owner::new(Config {
            max_threads: 1 + next(4) as usize,
            idle_timeout: Duration::from_micros(next(3) * 500),
            ..Config::default()
        });
        let (mut waiting, mut cancellable) = (HashMap::new(), Vec::new());
        let mut answered = 0;
        let mut count = |waiting: &mut HashMap<u64, ()>, (id, _): (u64, Result<Value>)| {
            assert!(waiting.remove(&id).is_some(), "answered twice, or never submitted: {id}");
            answered += 1;
        };
        for _ in 0..next(4_000) {
            match next(20) {
                0..=9 => {
                    waiting.insert(owner.put(ECHO, 1.0), ());
                }
                10..=13 => {
                    waiting.insert(owner.deposit(ECHO, 1.0), ());
                }
                14 => {
                    let millis = if next(8) == 0 { 2.0 } else { 0.0 };
                    waiting.insert(owner.put(SLEEP, millis), ());
                }
                15 | 16 => {
                    let token = (next(2) == 0).then(|| CancelToken::new(None));
                    let priority = next(3) as i32 - 1;
                    let (id, accepted) = owner.submit(ECHO, 1.0, priority, token.clone());
                    waiting.insert(id, ());
                    cancellable.extend(token.map(|token| (accepted.position, token)));
                }
                17 => {
                    if let Some((position, token)) = cancellable.pop() {
                        owner.pool.cancel(position, &token, Reason::Cancelled);
                    }
                }
                18 => std::thread::sleep(Duration::from_micros(next(1_500))),
                _ => owner.answers.try_iter().for_each(|answer| count(&mut waiting, answer)),
            }
        }
        let closed = owner.close(round % 3 == 0);
        while !waiting.is_empty() {
            let answer = owner.answer();
            count(&mut waiting, answer);
        }
        closed.recv_timeout(Duration::from_secs(30)).unwrap();
        let stats = owner.pool.stats();
        assert_eq!(stats.submitted, answered);
        assert_eq!(stats.submitted, stats.completed + stats.failed + stats.cancelled);
        assert!(owner.answers.try_recv().is_err(), "nothing was answered twice");
    }
}
