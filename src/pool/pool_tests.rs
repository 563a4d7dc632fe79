//! The pool as a whole, on real threads.

use crate::cancel::{CancelToken, Reason};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::test_tasks::{ECHO, FAIL, NoHelpers, PANIC, SLEEP, TestTasks, VARIED};
use super::*;
use crate::error::{Code, Result};
use crate::sync::Instant;
use crate::value::{Bytes, BytesKind, Payload, Value};

/// An outbox that hands every answer to the test.
struct Answers(Sender<(u64, Result<Value>)>);

impl Outbox for Answers {
    fn settle(&self, _: usize, id: u64, outcome: Result<Value>) {
        self.0.send((id, outcome)).expect("the test listens");
    }
}

pub(super) struct Bench {
    pub(super) pool: Pool,
    outbox: &'static Answers,
    answers: Receiver<(u64, Result<Value>)>,
}

impl Bench {
    pub(super) fn new(config: Config) -> Self {
        Bench::with_tasks(config, Arc::new(TestTasks))
    }

    pub(super) fn with_tasks(config: Config, tasks: Arc<dyn Execute>) -> Self {
        let (sender, answers) = unbounded();
        Bench { pool: Pool::new(config, tasks), outbox: Box::leak(Box::new(Answers(sender))), answers }
    }

    pub(super) fn with_threads(threads: usize) -> Self {
        Bench::new(Config { max_threads: threads, ..Config::default() })
    }

    pub(super) fn job(&self, id: u64, task: usize, input: impl Into<Value>, token: &CancelToken) -> Job {
        Job::new(id, self.outbox, task, Payload::Value(input.into()), Some(token.clone()))
    }

    pub(super) fn submit(
        &self,
        id: u64,
        task: usize,
        input: impl Into<Value>,
    ) -> (QueuePosition, CancelToken) {
        let token = CancelToken::new(None);
        let job = self.job(id, task, input, &token);
        (self.pool.submit(job, 0, Target::Native).ok().expect("accepted").position, token)
    }

    pub(super) fn submit_batch(
        &self,
        id: u64,
        task: usize,
        inputs: Vec<Value>,
    ) -> (QueuePosition, CancelToken) {
        let count = inputs.len();
        self.submit_inputs(id, task, BatchInputs::Array(Payload::Value(Value::Array(inputs))), count)
    }

    pub(super) fn submit_numbers(
        &self,
        id: u64,
        task: usize,
        inputs: &[f64],
    ) -> (QueuePosition, CancelToken) {
        let bytes = Bytes::of(BytesKind::Float64, bytemuck::cast_slice(inputs));
        self.submit_inputs(id, task, BatchInputs::Numbers(bytes), inputs.len())
    }

    pub(super) fn submit_inputs(
        &self,
        id: u64,
        task: usize,
        inputs: BatchInputs,
        count: usize,
    ) -> (QueuePosition, CancelToken) {
        let token = CancelToken::new(None);
        let batch = Batch::new(id, self.outbox, task, 0, inputs, count, token.clone());
        (self.pool.submit_batch(Arc::new(batch)).ok().expect("accepted").position, token)
    }

    pub(super) fn answer(&self) -> (u64, Result<Value>) {
        self.answers.recv_timeout(Duration::from_secs(30)).expect("an answer")
    }

    pub(super) fn close(&self, force: bool) -> Receiver<()> {
        let (sender, closed) = unbounded();
        self.pool.close(force, Some(Box::new(move || sender.send(()).expect("the test listens"))));
        closed
    }

    pub(super) fn wait_until(&self, what: &str, condition: impl Fn(&Stats) -> bool) {
        let started = Instant::now();
        while !condition(&self.pool.stats()) {
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "never came: {what}; {:?}",
                self.pool.stats()
            );
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[test]
fn many_jobs_are_taken_out_at_once_and_the_others_are_told_apart() {
    let bench = Bench::with_threads(1);
    let (_, blocker) = bench.submit(0, SLEEP, 60_000.0);
    bench.wait_until("the thread is busy", |stats| stats.running == 1);
    let positions: Vec<QueuePosition> = (1..=5).map(|id| bench.submit(id, ECHO, 1.0).0).collect();
    assert_eq!(bench.pool.take_out(&positions[1..2], Reason::Cancelled, |_| panic!("it waits")), 1);
    let mut missed = Vec::new();
    assert_eq!(bench.pool.take_out(&positions[..4], Reason::Cancelled, |at| missed.push(at)), 3);
    assert_eq!(missed, [1]);
    assert_eq!(bench.pool.take_out(&positions[..4], Reason::Cancelled, |_| {}), 0);
    blocker.cancel(Reason::Cancelled);
    let outcomes: HashMap<u64, Result<Value>> = (0..6).map(|_| bench.answer()).collect();
    assert_eq!(outcomes[&5], Ok(Value::Number(1.0)));
    assert!((0..5).all(|id| outcomes[&id] == Err(Reason::Cancelled.into_error())));
}

#[test]
fn a_forced_close_answers_very_many_on_a_thread_of_its_own() {
    let bench = Bench::with_threads(1);
    bench.submit(0, SLEEP, 60_000.0);
    for id in 1..=20_000 {
        bench.submit(id, ECHO, 1.0);
    }
    let closed = bench.close(true);
    let mut answers: Vec<u64> = (0..=20_000)
        .map(|_| bench.answer())
        .map(|(id, outcome)| {
            assert_eq!(outcome.unwrap_err().code(), Code::PoolClosed);
            id
        })
        .collect();
    closed.recv_timeout(Duration::from_secs(30)).unwrap();
    answers.sort_unstable();
    assert!(answers.into_iter().eq(0..=20_000));
    assert_eq!(bench.pool.stats().cancelled, 20_001);
}

#[test]
fn one_thread_answers_in_order_of_submission() {
    let bench = Bench::with_threads(1);
    for id in 0..20_000 {
        bench.submit(id, ECHO, 1.0);
    }
    for id in 0..20_000 {
        assert_eq!(bench.answer(), (id, Ok(Value::Number(1.0))));
    }
}

#[test]
fn every_job_of_many_submitters_is_answered_exactly_once() {
    const EACH: u64 = 20_000;
    let bench = Bench::with_threads(4);
    std::thread::scope(|scope| {
        for submitter in 0..4 {
            let bench = &bench;
            scope.spawn(move || {
                for n in 0..EACH {
                    bench.submit(submitter * EACH + n, ECHO, n as f64);
                }
            });
        }
    });
    let mut seen = HashMap::new();
    for _ in 0..4 * EACH {
        let (id, outcome) = bench.answer();
        assert_eq!(outcome, Ok(Value::Number((id % EACH) as f64)));
        *seen.entry(id).or_insert(0) += 1;
    }
    assert_eq!(seen.len(), usize::try_from(4 * EACH).unwrap());
    bench.wait_until("all counted", |stats| stats.completed == 4 * EACH && stats.running == 0);
    assert!(bench.answers.is_empty());
}

#[test]
fn a_panic_is_an_answer_and_the_thread_lives_on() {
    let bench = Bench::with_threads(1);
    for id in 0..100 {
        bench.submit(id, PANIC, id as f64);
        let (answered, outcome) = bench.answer();
        let error = outcome.unwrap_err();
        assert_eq!((answered, error.code()), (id, Code::TaskPanicked));
        assert!(error.message().contains("task 'panic' panicked: on purpose"), "{error}");
    }
    bench.submit(100, ECHO, 5.0);
    assert_eq!(bench.answer(), (100, Ok(Value::Number(5.0))));
    let stats = bench.pool.stats();
    assert_eq!((stats.threads, stats.failed), (1, 100));
}

#[test]
fn higher_priorities_overtake() {
    let bench = Bench::with_threads(1);
    bench.submit(0, SLEEP, 50.0);
    bench.wait_until("the thread is busy", |stats| stats.running == 1);
    for (id, priority) in [(1, 0), (2, 9), (3, -9), (4, 9)] {
        let job = bench.job(id, ECHO, 0.0, &CancelToken::new(None));
        bench.pool.submit(job, priority, Target::Native).ok().expect("accepted");
    }
    let order: Vec<u64> = (0..5).map(|_| bench.answer().0).collect();
    assert_eq!(order, [0, 2, 4, 1, 3]);
}

#[test]
fn a_full_queue_refuses_and_gives_the_input_back() {
    let bench = Bench::new(Config { max_threads: 1, max_queue: 1, ..Config::default() });
    let (_, sleeper) = bench.submit(0, SLEEP, 60_000.0);
    bench.wait_until("the thread is busy", |stats| stats.running == 1);
    bench.submit(1, ECHO, 1.0);
    let refusal = bench
        .pool
        .submit(bench.job(2, ECHO, 2.0, &CancelToken::new(None)), 0, Target::Native)
        .expect_err("full");
    assert_eq!(refusal.error.code(), Code::QueueFull);
    assert!(matches!(refusal.submission.into_input(), Payload::Value(Value::Number(n)) if n == 2.0));
    sleeper.cancel(Reason::Cancelled);
    assert_eq!(bench.answer().1.unwrap_err().code(), Code::TaskCancelled);
    assert_eq!(bench.answer(), (1, Ok(Value::Number(1.0))));
    assert!(bench.answers.is_empty(), "a refused job is not answered besides");
}

#[test]
fn the_limit_counts_what_waits_beyond_the_free_threads() {
    let bench = Bench::new(Config { max_threads: 2, max_queue: 1, ..Config::default() });
    let full: Vec<Option<bool>> = (0..5)
        .map(|id| {
            match bench.pool.submit(bench.job(id, SLEEP, 5_000.0, &CancelToken::new(None)), 0, Target::Native)
            {
                Ok(accepted) => Some(accepted.full),
                Err(refusal) => {
                    drop(refusal.submission.into_input());
                    None
                }
            }
        })
        .collect();
    assert_eq!(full, [Some(false), Some(false), Some(true), None, None]);
    bench.close(true);
    for _ in 0..3 {
        assert_eq!(bench.answer().1.unwrap_err().code(), Code::PoolClosed);
    }
    let none = Bench::new(Config { max_threads: 1, max_queue: 0, ..Config::default() });
    none.submit(0, SLEEP, 20.0);
    assert!(
        none.pool.submit(none.job(1, ECHO, 0.0, &CancelToken::new(None)), 0, Target::Native).is_err(),
        "nothing may wait"
    );
}

#[test]
fn cancelling_a_waiting_job_answers_at_once_and_frees_its_place() {
    let bench = Bench::new(Config { max_threads: 1, max_queue: 1, ..Config::default() });
    let (_, sleeper) = bench.submit(0, SLEEP, 60_000.0);
    bench.wait_until("the thread is busy", |stats| stats.running == 1);
    let (position, token) = bench.submit(1, ECHO, 1.0);
    assert!(bench.pool.cancel(position, &token, Reason::Cancelled));
    let (id, outcome) = bench.answer();
    assert_eq!((id, outcome.unwrap_err().code()), (1, Code::TaskCancelled));
    assert!(!bench.pool.cancel(position, &token, Reason::Cancelled), "once");
    bench.submit(2, ECHO, 2.0);
    sleeper.cancel(Reason::Cancelled);
    assert_eq!(bench.answer().0, 0);
    assert_eq!(bench.answer(), (2, Ok(Value::Number(2.0))));
}

#[test]
fn cancelling_a_running_job_frees_its_thread() {
    let bench = Bench::with_threads(1);
    let (position, token) = bench.submit(0, SLEEP, 60_000.0);
    bench.wait_until("it runs", |stats| stats.running == 1);
    assert!(!bench.pool.cancel(position, &token, Reason::TimedOut), "it was not waiting");
    assert_eq!(bench.answer().1.unwrap_err().code(), Code::TaskTimeout);
    bench.submit(1, ECHO, 3.0);
    assert_eq!(bench.answer(), (1, Ok(Value::Number(3.0))));
    assert_eq!(bench.pool.stats().threads, 1);
}

#[test]
fn a_job_whose_deadline_passed_in_the_queue_is_not_run() {
    let bench = Bench::with_threads(1);
    bench.submit(0, SLEEP, 40.0);
    let token = CancelToken::new(Some(Instant::now() + Duration::from_millis(5)));
    bench.pool.submit(bench.job(1, PANIC, 0.0, &token), 0, Target::Native).ok().expect("accepted");
    assert_eq!(bench.answer().0, 0);
    let (id, outcome) = bench.answer();
    assert_eq!((id, outcome.unwrap_err().code()), (1, Code::TaskTimeout));
}

#[test]
fn a_graceful_close_finishes_what_was_accepted_and_takes_nothing_more() {
    let bench = Bench::with_threads(2);
    for id in 0..500 {
        bench.submit(id, ECHO, 0.0);
    }
    let closed = bench.close(false);
    let refusal = bench
        .pool
        .submit(bench.job(999, ECHO, 0.0, &CancelToken::new(None)), 0, Target::Native)
        .expect_err("closed");
    assert_eq!(refusal.error.code(), Code::PoolClosed);
    drop(refusal.submission.into_input());
    closed.recv_timeout(Duration::from_secs(30)).expect("closed");
    assert_eq!(bench.answers.try_iter().filter(|(_, outcome)| outcome.is_ok()).count(), 500);
    assert_eq!(bench.pool.stats().threads, 0);
    bench.close(true).recv_timeout(Duration::from_secs(30)).expect("closing again is told as well");
}

#[test]
fn a_forced_close_answers_what_waits_and_stops_what_runs() {
    let bench = Bench::with_threads(1);
    bench.submit(0, SLEEP, 60_000.0);
    bench.wait_until("it runs", |stats| stats.running == 1);
    for id in 1..100 {
        bench.submit(id, ECHO, 0.0);
    }
    bench.submit_batch(100, ECHO, vec![Value::Null; 50]);
    let graceful = bench.close(false);
    let forced = bench.close(true);
    graceful.recv_timeout(Duration::from_secs(30)).expect("closed");
    forced.recv_timeout(Duration::from_secs(30)).expect("closed");
    let mut answered: Vec<u64> = bench
        .answers
        .try_iter()
        .map(|(id, outcome)| {
            assert_eq!(outcome.unwrap_err().code(), Code::PoolClosed);
            id
        })
        .collect();
    answered.sort_unstable();
    assert_eq!(answered, (0..=100).collect::<Vec<u64>>());
}

/// An outbox whose thread sees the pool's last thread end while it takes the answer.
struct Slow {
    pool: Pool,
    stop: CancelToken,
    answered: AtomicUsize,
}

impl Outbox for Slow {
    fn settle(&self, _: usize, _: u64, _: Result<Value>) {
        self.stop.cancel(Reason::Cancelled);
        let started = Instant::now();
        while self.pool.stats().threads > 0 {
            assert!(started.elapsed() < Duration::from_secs(30), "the thread ends");
            std::thread::yield_now();
        }
        // It has every chance to announce the end.
        for _ in 0..1_000 {
            std::thread::yield_now();
        }
        self.answered.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_pool_that_closes_waits_for_the_answer_to_a_task_that_is_being_cancelled() {
    let bench = Bench::with_threads(1);
    let (_, stop) = bench.submit(1, SLEEP, 60_000.0);
    bench.wait_until("it runs", |stats| stats.running == 1);
    let slow: &Slow =
        Box::leak(Box::new(Slow { pool: bench.pool.clone(), stop, answered: AtomicUsize::new(0) }));
    let token = CancelToken::new(None);
    let job = Job::new(2, slow, ECHO, Payload::Value(Value::Null), Some(token.clone()));
    let position = bench.pool.submit(job, 0, Target::Native).ok().expect("accepted").position;
    let (sender, closed) = unbounded();
    let tell = move || sender.send(slow.answered.load(Ordering::SeqCst)).expect("the test listens");
    bench.pool.close(false, Some(Box::new(tell)));
    assert!(bench.pool.cancel(position, &token, Reason::Cancelled));
    assert_eq!(closed.recv_timeout(Duration::from_secs(30)), Ok(1), "answered before the pool has closed");
}

#[test]
fn a_forced_close_stops_a_job_without_a_token_of_its_own() {
    let bench = Bench::with_threads(1);
    let job = Job::new(0, bench.outbox, SLEEP, Payload::Value(Value::Number(60_000.0)), None);
    bench.pool.submit(job, 0, Target::Native).ok().expect("accepted");
    bench.wait_until("it runs", |stats| stats.running == 1);
    bench.close(true).recv_timeout(Duration::from_secs(30)).expect("closed");
    assert_eq!(bench.answer().1.unwrap_err().code(), Code::PoolClosed);
}

#[test]
fn a_pool_that_never_ran_closes_at_once() {
    let bench = Bench::with_threads(4);
    bench.close(false).recv_timeout(Duration::from_secs(1)).expect("closed");
}

#[test]
fn idle_threads_above_the_minimum_end_and_come_back() {
    let config = Config {
        min_threads: 1,
        max_threads: 3,
        idle_timeout: Duration::from_millis(20),
        ..Config::default()
    };
    let bench = Bench::new(config.clone());
    let sleepers =
        |bench: &Bench, count| (0..count).map(|id| bench.submit(id, SLEEP, 60_000.0).1).collect::<Vec<_>>();
    for _ in 0..3 {
        let tokens = sleepers(&bench, 3);
        bench.wait_until("all three run", |stats| stats.threads == 3 && stats.running == 3);
        for token in tokens {
            token.cancel(Reason::Cancelled);
            assert_eq!(bench.answer().1.unwrap_err().code(), Code::TaskCancelled);
        }
        bench.wait_until("the minimum", |stats| stats.threads == 1);
    }
    // A thread of a pool without a minimum ends meanwhile.
    let other = Bench::new(Config { min_threads: 0, max_threads: 1, ..config });
    other.submit(0, ECHO, 1.0);
    assert!(other.answer().1.is_ok());
    other.wait_until("its thread has ended", |stats| stats.threads == 0);
    assert_eq!(bench.pool.stats().threads, 1, "the minimum stays");
}

#[test]
fn a_batch_is_answered_once_in_order() {
    let bench = Bench::with_threads(3);
    for id in 0..20 {
        let count = [0, 1, 2, 3, 1000, 50_000][usize::try_from(id % 6).unwrap()];
        let inputs: Vec<Value> = (0..count).map(Value::from).collect();
        if inputs.is_empty() {
            continue;
        }
        bench.submit_batch(id, ECHO, inputs.clone());
        assert_eq!(bench.answer(), (id, Ok(Value::Array(inputs))));
    }
    assert!(bench.answers.is_empty());
}

#[test]
fn a_batch_agrees_with_a_loop_over_random_inputs() {
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut below = move |limit: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % limit
    };
    for threads in [1, 3] {
        let bench = Bench::with_threads(threads);
        for id in 0..400 {
            // How often the task gives something else than what it mostly gives, and whether that is undefined.
            let (count, rarity, undefined) =
                (1 + below([9, 300, 4_000][(id % 3) as usize]), 1 + below(3_000), id % 2);
            let lowest = if id % 5 == 0 { 5 } else { 3 };
            let inputs: Vec<f64> = (0..count)
                .map(|n| {
                    if below(rarity) == 0 {
                        1.0 - below(lowest) as f64
                    } else if undefined == 1 {
                        -1.0
                    } else {
                        n as f64
                    }
                })
                .collect();
            if id % 4 < 2 {
                bench.submit_numbers(id, VARIED, &inputs);
            } else {
                bench.submit_batch(id, VARIED, inputs.iter().copied().map(Value::Number).collect());
            }
            let outputs: Result<Vec<Value>> = inputs
                .iter()
                .map(|input| {
                    let input = Payload::Value(Value::Number(*input));
                    TestTasks.execute(VARIED, input, &CancelToken::new(None), &NoHelpers)
                })
                .collect();
            match (bench.answer(), outputs) {
                ((answered, Ok(outputs)), Ok(expected)) => {
                    assert_eq!((answered, outputs), (id, Value::Array(expected)));
                }
                ((answered, Err(error)), Err(_)) => {
                    let failing = inputs.iter().position(|input| *input == -3.0).expect("one fails");
                    let others = inputs.iter().enumerate().skip(failing).filter(|(_, input)| **input == -3.0);
                    let expected: Vec<String> = if threads == 1 {
                        vec![format!("input {failing}: three")]
                    } else {
                        others.map(|(index, _)| format!("input {index}: three")).collect()
                    };
                    assert_eq!(answered, id);
                    assert!(expected.iter().any(|text| text == error.message()), "{}", error.message());
                }
                (answer, expected) => panic!("{answer:?} instead of {expected:?}"),
            }
        }
        bench.wait_until("quiet", |stats| stats.running == 0 && stats.queued == 0);
        let stats = bench.pool.stats();
        assert_eq!(stats.completed + stats.failed + stats.cancelled, stats.submitted, "{stats:?}");
    }
}

#[test]
fn a_panic_in_a_batch_is_the_failure_of_its_input() {
    let bench = Bench::with_threads(1);
    let mut inputs = vec![3.0; 5_000];
    inputs[2_345] = -4.0;
    bench.submit_numbers(0, VARIED, &inputs);
    bench.submit_batch(1, VARIED, inputs.into_iter().map(Value::Number).collect());
    for id in 0..2 {
        let (answered, outcome) = bench.answer();
        let error = outcome.unwrap_err();
        assert_eq!((answered, error.code()), (id, Code::TaskPanicked));
        assert!(error.message().starts_with("input 2345: task 'varied' panicked: "), "{}", error.message());
    }
}

/// A task that ends when four of it run at once.
#[derive(Default)]
struct Meeting(AtomicUsize);

impl Execute for Meeting {
    fn execute(&self, _: usize, input: Payload, token: &CancelToken, _: &dyn Helpers) -> Result<Value> {
        self.0.fetch_add(1, Ordering::SeqCst);
        while self.0.load(Ordering::SeqCst) < 4 {
            token.check()?;
            std::thread::yield_now();
        }
        input.into_value()
    }

    fn name(&self, _: usize) -> &str {
        "meet"
    }
}

#[test]
fn threads_share_a_batch_out() {
    let config = Config { max_threads: 4, ..Config::default() };
    let bench = Bench::with_tasks(config, Arc::new(Meeting::default()));
    bench.submit_batch(0, 0, vec![Value::Number(1.0); 4]);
    assert!(bench.answer().1.is_ok());
}

#[test]
fn a_failing_input_fails_its_batch_with_its_index_and_stops_the_rest() {
    let bench = Bench::with_threads(2);
    let mut inputs: Vec<Value> = (0..100_000_u32).map(Value::from).collect();
    inputs[7] = Value::Number(-1.0);
    bench.submit_batch(0, FAIL, inputs);
    let error = bench.answer().1.unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::TaskFailed, "input 7: below zero"));
    bench.wait_until("quiet", |stats| stats.running == 0);
    assert!(bench.pool.stats().completed < 100_000);
    assert_eq!(bench.pool.stats().queued, 0);
}

#[test]
fn a_batch_can_be_cancelled_waiting_or_running() {
    let bench = Bench::with_threads(1);
    let (running, running_token) = bench.submit_batch(0, SLEEP, vec![Value::Number(10_000.0); 100]);
    bench.wait_until("it runs", |stats| stats.running == 1);
    let (waiting, waiting_token) = bench.submit_batch(1, SLEEP, vec![Value::Number(10_000.0); 100]);
    bench.pool.cancel(waiting, &waiting_token, Reason::Cancelled);
    let (id, outcome) = bench.answer();
    assert_eq!((id, outcome.unwrap_err().code()), (1, Code::TaskCancelled));
    bench.pool.cancel(running, &running_token, Reason::TimedOut);
    let (id, outcome) = bench.answer();
    assert_eq!((id, outcome.unwrap_err().code()), (0, Code::TaskTimeout));
}

#[test]
fn every_input_is_counted_once_however_its_batch_ends() {
    for round in 0..40_u64 {
        let bench = Bench::with_threads(3);
        let mut failing: Vec<Value> = (0..5_000_u32).map(Value::from).collect();
        failing[usize::try_from(round).expect("small") * 100] = Value::Number(-1.0);
        bench.submit_batch(0, FAIL, failing);
        let (position, token) = bench.submit_batch(1, SLEEP, vec![Value::Number(0.1); 300]);
        bench.submit_batch(2, ECHO, vec![Value::Null; 1_000]);
        if round % 2 == 0 {
            drop(bench.answer());
        }
        bench.pool.cancel(position, &token, Reason::Cancelled);
        let closed = bench.close(round % 4 < 2);
        closed.recv_timeout(Duration::from_secs(30)).expect("closed");
        let stats = bench.pool.stats();
        assert_eq!(stats.submitted, 6_300);
        assert_eq!(stats.completed + stats.failed + stats.cancelled, stats.submitted, "{stats:?}");
        assert_eq!((stats.queued, stats.running), (0, 0));
    }
}

#[test]
fn a_caller_that_has_the_answer_finds_the_thread_free() {
    let bench = Bench::new(Config { max_threads: 1, max_queue: 0, ..Config::default() });
    for id in 0..20_000 {
        // Refused if the thread still counted as busy.
        bench.submit(id, ECHO, 0.0);
        assert_eq!(bench.answer(), (id, Ok(Value::Number(0.0))));
        let stats = bench.pool.stats();
        assert_eq!((stats.running, stats.queued, stats.completed), (0, 0, id + 1));
        assert!(bench.pool.refusal(Taker::Native).is_none() && bench.pool.is_half_empty());
    }
    let (_, token) = bench.submit(0, SLEEP, 10_000.0);
    bench.wait_until("it runs", |stats| stats.running == 1);
    assert!(bench.pool.refusal(Taker::Native).is_some());
    let refused = bench.pool.submit(bench.job(1, ECHO, 0.0, &CancelToken::new(None)), 0, Target::Native);
    let SubmitError { error, submission } = refused.expect_err("refused");
    drop(submission.into_input());
    assert!(error.message().starts_with("every thread is busy, and maxQueue is 0"), "{}", error.message());
    token.cancel(Reason::Cancelled);
    assert_eq!(bench.answer().1.unwrap_err().code(), Code::TaskCancelled);
}

#[test]
fn a_batch_makes_way_for_a_higher_priority() {
    let bench = Bench::with_threads(1);
    bench.submit_batch(0, SLEEP, vec![Value::Number(5.0); 40]);
    bench.wait_until("it runs", |stats| stats.running == 1);
    bench
        .pool
        .submit(bench.job(1, ECHO, 0.0, &CancelToken::new(None)), 1, Target::Native)
        .ok()
        .expect("accepted");
    assert_eq!(bench.answer().0, 1);
    assert_eq!(bench.answer().0, 0);
}

#[test]
fn wakes_are_not_lost_when_work_trickles_in() {
    let bench = Bench::with_threads(2);
    for id in 0..3_000 {
        bench.submit(id, ECHO, 0.0);
        if id % 3 == 0 {
            // Let the threads come to rest in a different phase of their search every time.
            let until = Instant::now() + Duration::from_nanos((id * 37) % 60_000);
            while Instant::now() < until {
                std::hint::spin_loop();
            }
        }
        assert_eq!(bench.answer().0, id);
    }
}

#[test]
fn threads_that_end_while_others_start_lose_no_job() {
    // A parked thread wakes by itself (its time is up at once) while one that was started has not looked at the queue yet.
    let bench = Bench::new(Config { max_threads: 4, idle_timeout: Duration::ZERO, ..Config::default() });
    for round in 0..3_000 {
        for job in 0..4 {
            bench.submit(round * 4 + job, ECHO, 1.0);
            if job == round % 3 {
                std::thread::yield_now();
            }
        }
        for _ in 0..4 {
            assert_eq!(bench.answer().1, Ok(Value::Number(1.0)));
        }
    }
    bench.wait_until("all threads have ended", |stats| stats.threads == 0);
}

#[test]
fn a_job_dropped_unanswered_answers_all_the_same() {
    static ANSWERED: AtomicUsize = AtomicUsize::new(0);
    struct Count;
    impl Outbox for Count {
        fn settle(&self, _: usize, id: u64, outcome: Result<Value>) {
            assert_eq!((id, outcome.unwrap_err().code()), (3, Code::Internal));
            ANSWERED.fetch_add(1, Ordering::SeqCst);
        }
    }
    drop(Job::new(3, &Count, 0, Payload::Value(Value::Null), None));
    assert_eq!(ANSWERED.load(Ordering::SeqCst), 1);
}
