//! Behaviours of script workers in a pool. Plain threads stand for JavaScript environments.

// A refusal holds the whole job, and a job has no `Debug`.
#![allow(clippy::err_expect, clippy::ok_expect)]

use crate::cancel::{CancelToken, Reason};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::test_tasks::{CALL, SLEEP, TestTasks};
use super::*;
use crate::error::{Code, Result};
use crate::sync::Instant;
use crate::value::{Payload, Value};

/// Keeps every answer by the job's id, and panics if the pool answers a job twice.
#[derive(Default)]
struct Answers(Mutex<HashMap<u64, std::result::Result<Value, Code>>>, Mutex<Vec<Asked>>);

impl Answers {
    fn leak() -> &'static Answers {
        Box::leak(Box::default())
    }

    fn of(&self, id: u64) -> Option<std::result::Result<Value, Code>> {
        self.0.lock().unwrap().get(&id).cloned()
    }
}

impl Outbox for Answers {
    fn settle(&self, _: usize, id: u64, outcome: Result<Value>) {
        let before = self.0.lock().unwrap().insert(id, outcome.map_err(|error| error.code()));
        assert!(before.is_none(), "job {id} was answered twice");
    }

    fn call(&self, _: usize, asked: Asked, _: Payload) {
        self.1.lock().unwrap().push(asked);
    }
}

/// Waits for what another thread brings about.
fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "it did not come");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Counts a worker's notifications, and keeps the stops that the pool asked the worker for.
#[derive(Default)]
struct RecordingWaker {
    notifications: AtomicUsize,
    looks: AtomicUsize,
    stops: Mutex<Vec<(u64, Reason)>>,
    grants: Mutex<Vec<(u64, u32)>>,
}

impl RecordingWaker {
    fn leak() -> &'static RecordingWaker {
        Box::leak(Box::default())
    }

    fn notifications(&self) -> usize {
        self.notifications.load(Ordering::Relaxed)
    }

    fn looks(&self) -> usize {
        self.looks.load(Ordering::Relaxed)
    }
}

impl Waker for RecordingWaker {
    fn notify(&self) {
        self.notifications.fetch_add(1, Ordering::Relaxed);
    }

    fn notify_awake(&self) {
        self.looks.fetch_add(1, Ordering::Relaxed);
    }

    fn stop(&self, id: u64, reason: Reason) {
        self.stops.lock().unwrap().push((id, reason));
    }

    fn grant_parts(&self, id: u64, count: u32) {
        self.grants.lock().unwrap().push((id, count));
    }
}

/// The running job 1 waits for it.
const OF_1: WaitedBy = WaitedBy { waiter: Waiter::Job(1), blocks: false };

fn pool(workers: usize, max_queue: usize) -> Pool {
    let pool = Pool::new(Config { max_threads: 1, max_queue, ..Config::default() }, Arc::new(TestTasks));
    pool.resize_scripts(0, workers, 1);
    pool
}

fn job(id: u64, answers: &'static Answers, token: Option<CancelToken>) -> Job {
    Job::new(id, answers, 0, Payload::Value(Value::Number(1.0)), token)
}

fn submit(pool: &Pool, id: u64, answers: &'static Answers) -> Accepted {
    submit_with(pool, id, answers, 0).ok().expect("accepted")
}

#[allow(clippy::result_large_err)]
fn submit_with(
    pool: &Pool,
    id: u64,
    answers: &'static Answers,
    priority: i32,
) -> std::result::Result<Accepted, SubmitError<Job>> {
    pool.submit(job(id, answers, None), priority, Target::AnyWorker)
}

fn join(pool: &Pool, waker: &'static RecordingWaker) -> usize {
    let number = pool.register_worker().expect("open");
    assert!(pool.worker_joined(number, waker));
    number
}

fn done() -> ScriptOutcome {
    ScriptOutcome::Done(Payload::Value(Value::Bool(true)))
}

fn id_of(step: &Step) -> Option<u64> {
    match step {
        Step::Run { id, .. } => Some(*id),
        Step::Wait | Step::Ask | Step::Leave => None,
    }
}

#[test]
fn a_worker_answers_and_takes_the_next_in_one_step() {
    let (pool, answers) = (pool(1, usize::MAX), Answers::leak());
    let worker = join(&pool, RecordingWaker::leak());
    for id in 1..=3 {
        submit(&pool, id, answers);
    }
    assert_eq!(id_of(&pool.script_step(worker, None, IdleWait::Never)), Some(1));
    assert_eq!(id_of(&pool.script_step(worker, Some((1, done())), IdleWait::Never)), Some(2));
    assert_eq!(answers.of(1), Some(Ok(Value::Bool(true))));
    assert_eq!(answers.of(2), None);
    pool.script_finish(worker, 2, done());
    assert_eq!(answers.of(2), Some(Ok(Value::Bool(true))));
    assert_eq!(id_of(&pool.script_step(worker, None, IdleWait::Never)), Some(3));
    assert!(matches!(pool.script_step(worker, Some((3, done())), IdleWait::Never), Step::Wait));
    let stats = pool.stats();
    assert_eq!((stats.completed, stats.queued, stats.running, stats.workers), (3, 0, 0, 1));
}

#[test]
fn a_registration_is_taken_back_only_before_its_worker_has_joined() {
    let (pool, answers) = (pool(2, usize::MAX), Answers::leak());
    let starting = pool.register_worker().expect("open");
    assert!(pool.revoke_worker(starting));
    assert!(!pool.revoke_worker(starting), "once");
    assert!(!pool.worker_joined(starting, RecordingWaker::leak()), "it comes too late");
    let joined = join(&pool, RecordingWaker::leak());
    assert!(!pool.revoke_worker(joined));
    assert_eq!(pool.stats().idle_workers, 0, "it sets itself up");
    submit(&pool, 1, answers);
    assert_eq!(pool.scripts_wanting(None), 1);
    assert_eq!(pool.scripts_wanting(Some(joined)), 0, "it is about to take the job");
    assert_eq!(pool.stats().idle_workers, 1);
    assert_eq!(id_of(&pool.script_step(joined, None, IdleWait::Never)), Some(1));
    assert!(!pool.revoke_worker(joined));
    assert!(!pool.revoke_worker(99));
}

#[test]
fn what_each_worker_runs_and_has_done_is_counted() {
    let (pool, answers) = (pool(2, usize::MAX), Answers::leak());
    let workers = [join(&pool, RecordingWaker::leak()), join(&pool, RecordingWaker::leak())];
    for id in 1..=3 {
        submit(&pool, id, answers);
    }
    pool.script_step(workers[1], None, IdleWait::Never);
    pool.script_step(workers[1], Some((1, done())), IdleWait::Never);
    pool.script_step(workers[0], None, IdleWait::Never);
    assert_eq!(pool.worker_counts(), [0, 1, 0, 1, 1, 1]);
    let to_first = job(4, answers, None);
    assert!(pool.submit(to_first, 0, Target::Worker(workers[0])).is_ok());
    pool.script_step(workers[0], Some((3, done())), IdleWait::Never);
    pool.retract(workers[0], 4);
    assert_eq!(pool.worker_counts(), [0, 0, 1, 1, 1, 1], "a job that was taken back is not done");
}

#[test]
fn a_worker_is_notified_of_a_job_for_it_alone() {
    let (pool, answers) = (pool(2, usize::MAX), Answers::leak());
    let wakers = [RecordingWaker::leak(), RecordingWaker::leak()];
    let workers = wakers.map(|waker| join(&pool, waker));
    for worker in workers {
        assert!(matches!(pool.script_step(worker, None, IdleWait::Never), Step::Wait));
    }
    assert!(pool.submit(job(1, answers, None), 0, Target::Worker(workers[0])).is_ok());
    pool.notify_worker(workers[0]);
    pool.notify_worker(99);
    assert_eq!(wakers.map(RecordingWaker::notifications), [1, 0]);
    assert!(matches!(pool.script_step(workers[1], None, IdleWait::Never), Step::Wait));
    assert_eq!(id_of(&pool.script_step(workers[0], None, IdleWait::Never)), Some(1));
}

#[test]
fn what_waits_is_cancelled_and_what_runs_goes_on() {
    let (pool, answers) = (pool(1, usize::MAX), Answers::leak());
    let worker = join(&pool, RecordingWaker::leak());
    for id in 1..=3 {
        submit(&pool, id, answers);
    }
    assert!(pool.submit(job(4, answers, None), 0, Target::Worker(worker)).is_ok());
    assert!(pool.submit(job(5, answers, None), 0, Target::NoWorker).is_ok());
    assert_eq!(id_of(&pool.script_step(worker, None, IdleWait::Never)), Some(1));
    assert_eq!(pool.cancel_waiting(Reason::Cancelled), 4);
    assert_eq!(pool.cancel_waiting(Reason::Cancelled), 0);
    for id in 2..=5 {
        assert_eq!(answers.of(id).unwrap().unwrap_err(), Code::TaskCancelled, "{id}");
    }
    assert_eq!(answers.of(1), None);
    submit(&pool, 6, answers);
    assert_eq!(id_of(&pool.script_step(worker, Some((1, done())), IdleWait::Never)), Some(6));
    pool.close(false, None);
    assert_eq!(pool.cancel_waiting(Reason::PoolClosed), 0);
    pool.script_finish(worker, 6, done());
    let stats = pool.stats();
    assert_eq!((stats.submitted, stats.completed, stats.cancelled, stats.queued), (6, 2, 4, 0));
}

#[test]
fn priorities_come_first_among_scripts() {
    let (pool, answers) = (pool(1, usize::MAX), Answers::leak());
    let worker = join(&pool, RecordingWaker::leak());
    for (id, priority) in [(1, 0), (2, 5), (3, -1), (4, 5)] {
        submit_with(&pool, id, answers, priority).ok().expect("accepted");
    }
    let mut order = Vec::new();
    let mut finished = None;
    while let Some(id) = id_of(&pool.script_step(worker, finished.take(), IdleWait::Never)) {
        order.push(id);
        finished = Some((id, done()));
    }
    assert_eq!(order, [2, 4, 1, 3]);
}

#[test]
fn each_submitted_job_notifies_one_waiting_worker() {
    let (pool, answers) = (pool(2, usize::MAX), Answers::leak());
    let (first, second) = (RecordingWaker::leak(), RecordingWaker::leak());
    let workers = [join(&pool, first), join(&pool, second)];
    for worker in workers {
        assert!(matches!(pool.script_step(worker, None, IdleWait::Never), Step::Wait));
    }
    let Accepted { needs_worker, .. } = submit_with(&pool, 1, answers, 0).ok().expect("accepted");
    assert!(!needs_worker);
    assert_eq!(first.notifications() + second.notifications(), 1);
    assert_eq!(second.notifications(), 1, "the worker that began to wait last has the warmer cache");
    submit(&pool, 2, answers);
    assert_eq!((first.notifications(), second.notifications()), (1, 1));
    let Accepted { needs_worker, .. } = submit_with(&pool, 3, answers, 0).ok().expect("accepted");
    assert!(needs_worker, "no waiting worker is left to be notified");
}

#[test]
fn a_notified_worker_that_ends_lets_another_worker_be_notified() {
    let (pool, answers) = (pool(2, usize::MAX), Answers::leak());
    let (first, second) = (RecordingWaker::leak(), RecordingWaker::leak());
    let workers = [join(&pool, first), join(&pool, second)];
    for worker in workers {
        pool.script_step(worker, None, IdleWait::Never);
    }
    submit(&pool, 1, answers);
    assert_eq!((first.notifications(), second.notifications()), (0, 1));
    pool.unregister_worker(workers[1]);
    assert_eq!(first.notifications(), 1);
    assert!(pool.evict_worker(workers[1]).0.is_empty());
    assert_eq!(id_of(&pool.script_step(workers[0], None, IdleWait::Never)), Some(1));
}

#[test]
fn evicting_a_dead_worker_returns_its_jobs_once() {
    let (pool, answers) = (pool(1, usize::MAX), Answers::leak());
    let dead = join(&pool, RecordingWaker::leak());
    for id in 1..=3 {
        submit(&pool, id, answers);
    }
    pool.script_step(dead, None, IdleWait::Never);
    pool.script_step(dead, None, IdleWait::Never);
    assert_eq!(pool.jobs_of_worker(dead), [1, 2]);
    pool.unregister_worker(dead);
    assert_eq!(pool.evict_worker(dead), (vec![1, 2], vec![]));
    assert_eq!(pool.evict_worker(dead), (vec![], vec![]));
    assert_eq!(answers.of(1), None, "the owner answers");
    let next = join(&pool, RecordingWaker::leak());
    assert_eq!(next, dead, "the number is used again");
    assert_eq!(id_of(&pool.script_step(next, None, IdleWait::Never)), Some(3));
    assert_eq!(pool.stats().failed, 2);
}

#[test]
fn cancelling_removes_a_waiting_job_and_asks_the_worker_of_a_running_job_to_stop() {
    let (pool, answers, waker) = (pool(1, usize::MAX), Answers::leak(), RecordingWaker::leak());
    let worker = join(&pool, waker);
    let tokens = [CancelToken::new(None), CancelToken::new(None)];
    let positions: Vec<QueuePosition> = (1..)
        .zip(&tokens)
        .map(|(id, token)| {
            pool.submit(job(id, answers, Some(token.clone())), 0, Target::AnyWorker)
                .map_err(|refusal| refusal.error)
                .expect("accepted")
                .position
        })
        .collect();
    assert_eq!(id_of(&pool.script_step(worker, None, IdleWait::Never)), Some(1));
    assert!(!pool.cancel(positions[0], &tokens[0], Reason::Cancelled), "the job runs");
    assert_eq!(pool.stop_script(1, Reason::Cancelled), Some(worker));
    assert_eq!(*waker.stops.lock().unwrap(), [(1, Reason::Cancelled)]);
    assert!(pool.cancel(positions[1], &tokens[1], Reason::TimedOut), "the job was waiting");
    assert_eq!(answers.of(2), Some(Err(Code::TaskTimeout)));
    assert_eq!(pool.stop_script(2, Reason::TimedOut), None);
    assert!(matches!(pool.script_step(worker, Some((1, done())), IdleWait::Never), Step::Wait));
    let stats = pool.stats();
    assert_eq!(
        (stats.cancelled, stats.completed),
        (2, 0),
        "the job that was stopped while it ran counts as cancelled"
    );
}

#[test]
fn no_worker_begins_a_job_whose_time_is_up() {
    let (pool, answers) = (pool(1, usize::MAX), Answers::leak());
    let worker = join(&pool, RecordingWaker::leak());
    let late = CancelToken::new(Some(Instant::now()));
    pool.submit(job(1, answers, Some(late)), 0, Target::AnyWorker).ok().expect("accepted");
    submit(&pool, 2, answers);
    assert_eq!(id_of(&pool.script_step(worker, None, IdleWait::Never)), Some(2));
    assert_eq!(answers.of(1), Some(Err(Code::TaskTimeout)));
    assert_eq!(pool.stats().running, 1);
}

#[test]
fn a_worker_passes_over_any_number_of_jobs_that_were_stopped() {
    let (pool, answers) = (pool(1, usize::MAX), Answers::leak());
    let worker = join(&pool, RecordingWaker::leak());
    let group = CancelToken::new(None);
    let soon = Some(Instant::now() + Duration::from_secs(3600));
    for id in 1..=100_000 {
        let token = group.with_deadline(if id % 2 == 0 { soon } else { None });
        pool.submit(job(id, answers, Some(token)), 0, Target::AnyWorker).ok().expect("accepted");
    }
    submit(&pool, 100_001, answers);
    group.cancel(Reason::Cancelled);
    // On a small stack, as a worker may have one.
    let step = std::thread::scope(|scope| {
        let step = || id_of(&pool.script_step(worker, None, IdleWait::Never));
        std::thread::Builder::new().stack_size(64 * 1024).spawn_scoped(scope, step).unwrap().join().unwrap()
    });
    assert_eq!(step, Some(100_001));
    assert_eq!(answers.of(1), Some(Err(Code::TaskCancelled)));
    assert_eq!(answers.of(100_000), Some(Err(Code::TaskCancelled)));
    assert_eq!(pool.stats().cancelled, 100_000);
}

#[test]
fn one_limit_holds_for_native_and_script_jobs() {
    let (pool, answers) = (pool(1, 1), Answers::leak());
    // The pool may have one worker, which takes one job; the second job waits.
    submit(&pool, 1, answers);
    let accepted = submit_with(&pool, 2, answers, 0).ok().expect("accepted");
    assert!(accepted.full);
    let refused = submit_with(&pool, 3, answers, 0).expect_err("full");
    assert_eq!(refused.error.code(), Code::QueueFull);
    drop(refused.submission.into_input());
    // The native thread is free and takes one native job. A second native job would wait, but job 2 already waits.
    let native = |id| Job::new(id, answers, SLEEP, Payload::Value(Value::Number(200.0)), None);
    assert!(pool.submit(native(4), 0, Target::Native).is_ok());
    let refused = pool.submit(native(5), 0, Target::Native).expect_err("full");
    assert_eq!(refused.error.code(), Code::QueueFull);
    drop(refused.submission.into_input());
    pool.close(true, None);
}

#[test]
fn a_closing_pool_waits_for_its_scripts_and_then_its_workers_leave() {
    let (pool, answers, waker) = (pool(1, usize::MAX), Answers::leak(), RecordingWaker::leak());
    let worker = join(&pool, waker);
    submit(&pool, 1, answers);
    let closed = Arc::new(AtomicUsize::new(0));
    let tell = Arc::clone(&closed);
    pool.close(
        false,
        Some(Box::new(move || {
            tell.fetch_add(1, Ordering::SeqCst);
        })),
    );
    assert_eq!(id_of(&pool.script_step(worker, None, IdleWait::Never)), Some(1));
    assert_eq!(pool.register_worker(), None, "no worker is needed any more");
    assert!(matches!(pool.script_step(worker, Some((1, done())), IdleWait::Never), Step::Leave));
    assert_eq!(closed.load(Ordering::SeqCst), 0, "the worker has not ended yet");
    pool.evict_worker(worker);
    assert_eq!(closed.load(Ordering::SeqCst), 1);
    assert_eq!(answers.of(1), Some(Ok(Value::Bool(true))));
}

#[test]
fn a_forced_close_drops_waiting_jobs_and_notifies_waiting_workers() {
    let (pool, answers, waker) = (pool(2, usize::MAX), Answers::leak(), RecordingWaker::leak());
    let waiting = join(&pool, waker);
    assert!(matches!(pool.script_step(waiting, None, IdleWait::Never), Step::Wait));
    let token = CancelToken::new(None);
    let busy = join(&pool, RecordingWaker::leak());
    pool.submit(job(1, answers, Some(token.clone())), 0, Target::AnyWorker)
        .map_err(|refusal| refusal.error)
        .expect("accepted");
    assert_eq!(id_of(&pool.script_step(busy, None, IdleWait::Never)), Some(1));
    submit(&pool, 2, answers);
    pool.close(true, None);
    assert_eq!(answers.of(2), Some(Err(Code::PoolClosed)));
    assert_eq!(token.reason(), Some(Reason::PoolClosed));
    assert!(waker.notifications() >= 1);
    assert!(matches!(pool.script_step(waiting, None, IdleWait::Never), Step::Leave));
}

#[test]
fn only_an_idle_worker_above_the_minimum_may_retire() {
    let pool = pool(2, usize::MAX);
    let workers = [join(&pool, RecordingWaker::leak()), join(&pool, RecordingWaker::leak())];
    assert!(!pool.retire_worker(workers[0], true), "the worker is not waiting");
    for worker in workers {
        pool.script_step(worker, None, IdleWait::Never);
    }
    pool.resize_scripts(2, 2, 1);
    // It has told them, since they may leave now, or may not.
    workers.iter().for_each(|worker| drop(pool.script_step(*worker, None, IdleWait::Never)));
    assert!(!pool.retire_worker(workers[0], true));
    pool.resize_scripts(1, 2, 1);
    // It has told them, since they may leave now, or may not.
    workers.iter().for_each(|worker| drop(pool.script_step(*worker, None, IdleWait::Never)));
    assert!(pool.retire_worker(workers[0], true));
    assert!(!pool.retire_worker(workers[1], true), "the last of the minimum stays");
}

#[test]
fn a_submitted_job_wakes_a_blocked_worker_without_a_notification() {
    let (pool, answers, waker) = (pool(1, usize::MAX), Answers::leak(), RecordingWaker::leak());
    let worker = join(&pool, waker);
    let started = Instant::now();
    assert!(matches!(pool.script_step(worker, None, IdleWait::Block(Duration::from_millis(20))), Step::Wait));
    assert!(started.elapsed() >= Duration::from_millis(20));
    let other = pool.clone();
    let worker = std::thread::spawn(move || {
        id_of(&other.script_step(worker, None, IdleWait::Block(Duration::from_secs(60))))
    });
    while pool.blocked_workers() == 0 {
        assert!(started.elapsed() < Duration::from_secs(30), "the worker waits");
        std::thread::yield_now();
    }
    submit(&pool, 1, answers);
    assert_eq!(worker.join().unwrap(), Some(1));
    assert_eq!(waker.notifications(), 0);
    assert!(started.elapsed() < Duration::from_secs(30));
}

/// A worker that waits in place on a thread of its own; gives its number and the job that it takes.
fn waiting_in_place(pool: &Pool) -> std::thread::JoinHandle<(usize, Option<u64>)> {
    let worker = join(pool, RecordingWaker::leak());
    let other = pool.clone();
    let thread = std::thread::spawn(move || {
        (worker, id_of(&other.script_step(worker, None, IdleWait::Block(Duration::from_secs(60)))))
    });
    let started = Instant::now();
    while pool.blocked_workers() == 0 {
        assert!(started.elapsed() < Duration::from_secs(30), "the worker waits");
        std::thread::yield_now();
    }
    thread
}

#[test]
fn a_worker_that_waits_in_place_takes_one_job_and_for_the_next_another_is_needed() {
    // Whether the worker has woken between the two is a matter of chance.
    for _ in 0..200 {
        let (pool, answers) = (pool(2, usize::MAX), Answers::leak());
        let worker = waiting_in_place(&pool);
        assert!(!submit(&pool, 1, answers).needs_worker);
        assert!(submit(&pool, 2, answers).needs_worker);
        assert_eq!(worker.join().unwrap().1, Some(1));
    }
}

#[test]
fn the_time_that_a_worker_has_waited_in_place_is_not_run_time() {
    let (pool, answers) = (pool(1, usize::MAX), Answers::leak());
    let worker = waiting_in_place(&pool);
    let submitted = Instant::now();
    submit(&pool, 1, answers);
    let (worker, id) = worker.join().unwrap();
    assert_eq!(id, Some(1));
    pool.script_finish(worker, 1, done());
    let stats = pool.stats();
    assert!(stats.wait + stats.run <= submitted.elapsed(), "{stats:?}");
}

#[test]
fn many_workers_that_die_neither_lose_nor_repeat_a_job() {
    const JOBS: u64 = 4_000;
    let (pool, answers) = (pool(4, usize::MAX), Answers::leak());
    let lost = Arc::new(Mutex::new(Vec::new()));
    let workers: Vec<_> = (0..4_u64)
        .map(|worker| {
            let (pool, lost) = (pool.clone(), Arc::clone(&lost));
            let mut number = join(&pool, RecordingWaker::leak());
            std::thread::spawn(move || {
                let mut turn = worker;
                let mut finished = None;
                loop {
                    turn += 1;
                    match pool.script_step(number, finished.take(), IdleWait::Block(Duration::from_millis(5)))
                    {
                        Step::Run { id, .. } if turn % 97 == 0 => {
                            // This worker dies while it holds a job, and a new worker takes its slot.
                            pool.unregister_worker(number);
                            let (ids, orphans) = pool.evict_worker(number);
                            assert!(orphans.is_empty());
                            assert_eq!(ids, [id]);
                            lost.lock().unwrap().extend(ids);
                            let Some(next) = pool.register_worker() else { return };
                            assert!(pool.worker_joined(next, RecordingWaker::leak()));
                            number = next;
                        }
                        Step::Run { id, .. } => finished = Some((id, done())),
                        Step::Wait => {}
                        Step::Ask => panic!("nothing is bound"),
                        Step::Leave => {
                            pool.evict_worker(number);
                            return;
                        }
                    }
                }
            })
        })
        .collect();
    for id in 1..=JOBS {
        submit(&pool, id, answers);
    }
    pool.close(false, None);
    for worker in workers {
        worker.join().unwrap();
    }
    let lost = lost.lock().unwrap();
    assert!(!lost.is_empty());
    for id in 1..=JOBS {
        assert!(answers.of(id).is_some() != lost.contains(&id), "job {id} is either answered or lost");
    }
}

#[test]
fn a_source_is_kept_until_its_owner_drops_it() {
    let pool = pool(1, usize::MAX);
    assert_eq!(pool.source(1), None);
    pool.keep_source(1, "one".to_owned());
    pool.keep_source(2, "two".to_owned());
    pool.drop_source(1);
    pool.drop_source(3);
    assert_eq!((pool.source(1), pool.source(2)), (None, Some("two".to_owned())));
}

#[test]
fn a_job_keeps_the_form_of_its_call() {
    let (pool, answers) = (pool(1, usize::MAX), Answers::leak());
    let worker = join(&pool, RecordingWaker::leak());
    let form = (1 << 50) + 5;
    pool.submit(job(1, answers, None).called(form), 0, Target::AnyWorker).ok().expect("accepted");
    submit(&pool, 2, answers);
    let form_of = |step: &Step| match step {
        Step::Run { id, call_form, .. } => Some((*id, *call_form)),
        Step::Wait | Step::Ask | Step::Leave => None,
    };
    assert_eq!(form_of(&pool.script_step(worker, None, IdleWait::Never)), Some((1, form)));
    assert_eq!(form_of(&pool.script_step(worker, Some((1, done())), IdleWait::Never)), Some((2, 0)));
}

#[test]
fn grants_reach_the_worker_that_runs_the_job_also_when_it_takes_no_more() {
    let (pool, answers) = (pool(2, usize::MAX), Answers::leak());
    let (waker, other) = (RecordingWaker::leak(), RecordingWaker::leak());
    let (worker, _) = (join(&pool, waker), join(&pool, other));
    submit(&pool, 1, answers);
    pool.grant_parts(1, 3);
    assert!(waker.grants.lock().unwrap().is_empty(), "the job has not begun");
    assert_eq!(id_of(&pool.script_step(worker, None, IdleWait::Never)), Some(1));
    pool.grant_parts(1, 4);
    pool.unregister_worker(worker);
    pool.grant_parts(1, 5);
    pool.grant_parts(2, 6);
    assert_eq!(*waker.grants.lock().unwrap(), [(1, 4), (1, 5)]);
    assert!(other.grants.lock().unwrap().is_empty());
    assert_eq!(pool.stop_script(1, Reason::Cancelled), Some(worker));
    assert_eq!(*waker.stops.lock().unwrap(), [(1, Reason::Cancelled)]);
    pool.script_finish(worker, 1, done());
    pool.grant_parts(1, 7);
    assert_eq!(waker.grants.lock().unwrap().len(), 2);
}

/// Submits a job that is bound to `worker`, as a job is whose input is a message to that worker.
fn bind(pool: &Pool, id: u64, answers: &'static Answers, worker: usize) -> Accepted {
    let job = job(id, answers, None).by(InputPath::Message);
    pool.submit(job, 0, Target::Worker(worker)).ok().expect("accepted")
}

#[test]
fn only_its_worker_takes_a_bound_job_and_all_jobs_keep_one_order() {
    let (pool, answers) = (pool(2, usize::MAX), Answers::leak());
    let (mine, other) = (join(&pool, RecordingWaker::leak()), join(&pool, RecordingWaker::leak()));
    submit(&pool, 1, answers);
    bind(&pool, 2, answers, mine);
    submit(&pool, 3, answers);
    bind(&pool, 4, answers, mine);
    assert_eq!(pool.scripts_waiting(), 4);
    assert_eq!(id_of(&pool.script_step(other, None, IdleWait::Never)), Some(1));
    assert_eq!(id_of(&pool.script_step(other, Some((1, done())), IdleWait::Never)), Some(3));
    assert!(matches!(pool.script_step(other, Some((3, done())), IdleWait::Never), Step::Wait));
    assert_eq!(id_of(&pool.script_step(mine, None, IdleWait::Never)), Some(2));
    submit_with(&pool, 5, answers, 1).ok().expect("accepted");
    assert_eq!(
        id_of(&pool.script_step(mine, Some((2, done())), IdleWait::Never)),
        Some(5),
        "a higher priority"
    );
    assert_eq!(id_of(&pool.script_step(mine, Some((5, done())), IdleWait::Never)), Some(4));
}

#[test]
fn a_bound_job_notifies_its_worker_which_notifies_another_for_the_free_job() {
    let (pool, answers) = (pool(2, usize::MAX), Answers::leak());
    let (wakers, workers): (Vec<_>, Vec<_>) = (0..2)
        .map(|_| {
            let waker = RecordingWaker::leak();
            (waker, join(&pool, waker))
        })
        .unzip();
    for worker in &workers {
        assert!(matches!(pool.script_step(*worker, None, IdleWait::Never), Step::Wait));
    }
    bind(&pool, 1, answers, workers[1]);
    assert_eq!((wakers[0].notifications(), wakers[1].notifications()), (0, 0), "a message wakes it");
    assert_eq!((wakers[0].looks(), wakers[1].looks()), (0, 1), "where it is awake, it looks");
    // Worker 1 came last to wait, so it is notified first, and has a bound job.
    submit(&pool, 2, answers);
    assert_eq!((wakers[0].notifications(), wakers[1].notifications()), (0, 1));
    assert_eq!(id_of(&pool.script_step(workers[1], None, IdleWait::Never)), Some(1));
    assert_eq!(
        wakers[0].notifications(),
        1,
        "a worker that takes its bound job notifies another worker for the job that waits"
    );
    assert_eq!(id_of(&pool.script_step(workers[0], None, IdleWait::Never)), Some(2));
}

#[test]
fn jobs_bound_to_a_dead_worker_can_be_rebound_disowned_or_cancelled() {
    let (pool, answers) = (pool(1, usize::MAX), Answers::leak());
    let dead = join(&pool, RecordingWaker::leak());
    for id in 1..=3 {
        bind(&pool, id, answers, dead);
    }
    assert_eq!(id_of(&pool.script_step(dead, None, IdleWait::Never)), Some(1));
    assert_eq!(pool.evict_worker(dead), (vec![1], vec![2, 3]));
    let refused =
        pool.submit(job(9, answers, None), 0, Target::Worker(dead)).err().expect("the worker is gone");
    assert_eq!(refused.error.code(), Code::Internal);
    drop(refused.submission.into_input());
    let next = join(&pool, RecordingWaker::leak());
    let message = Payload::Value(Value::Number(7.0));
    let position = pool.rebind(2, next, message).expect("bound");
    assert!(pool.rebind(2, next, Payload::Value(Value::Null)).is_none(), "the job is no orphan any more");
    pool.disown_orphan(3);
    let Step::Run { id: 2, input: Payload::Value(Value::Number(number)), path: InputPath::Message, .. } =
        pool.script_step(next, None, IdleWait::Never)
    else {
        panic!("the worker runs the orphan with its new message");
    };
    assert!((number - 7.0).abs() < f64::EPSILON);
    assert!(!pool.cancel(position, &CancelToken::new(None), Reason::Cancelled), "the job runs");
    pool.script_finish(next, 2, done());
    // A job without a worker, which is cancelled before there is one.
    let orphan = pool.submit(job(4, answers, None), 0, Target::NoWorker).ok().expect("accepted");
    assert_eq!(pool.scripts_waiting(), 1);
    assert!(pool.cancel(orphan.position, &CancelToken::new(None), Reason::Cancelled));
    assert_eq!(answers.of(4), Some(Err(Code::TaskCancelled)));
    let stats = pool.stats();
    assert_eq!((stats.submitted, stats.completed, stats.failed, stats.cancelled), (4, 1, 2, 1));
}

#[test]
fn an_exclusive_job_waits_for_an_empty_worker_and_no_later_job_overtakes_it() {
    let (pool, answers) = (pool(4, usize::MAX), Answers::leak());
    let waker = RecordingWaker::leak();
    let (first, second) = (join(&pool, RecordingWaker::leak()), join(&pool, waker));
    submit(&pool, 1, answers);
    assert_eq!(id_of(&pool.script_step(first, None, IdleWait::Never)), Some(1));
    pool.submit(job(2, answers, None).exclusive(), 0, Target::AnyWorker).ok().expect("accepted");
    submit(&pool, 3, answers);
    assert!(matches!(pool.script_step(first, None, IdleWait::Never), Step::Wait), "the worker is not empty");
    assert_eq!(id_of(&pool.script_step(second, None, IdleWait::Never)), Some(2));
    assert!(
        matches!(pool.script_step(second, None, IdleWait::Never), Step::Wait),
        "the job would not be alone on the worker any more"
    );
    assert_eq!(id_of(&pool.script_step(first, None, IdleWait::Never)), Some(3));
    submit(&pool, 4, answers);
    assert_eq!(waker.notifications(), 0, "the pool does not notify a worker that could not take the job");
    assert_eq!(id_of(&pool.script_step(second, Some((2, done())), IdleWait::Never)), Some(4));
}

#[test]
fn a_retracted_job_counts_as_never_submitted() {
    let (pool, answers) = (pool(1, usize::MAX), Answers::leak());
    let worker = join(&pool, RecordingWaker::leak());
    bind(&pool, 1, answers, worker);
    pool.retract(worker, 1);
    bind(&pool, 2, answers, worker);
    assert_eq!(id_of(&pool.script_step(worker, None, IdleWait::Never)), Some(2));
    pool.retract(worker, 2);
    assert!(matches!(pool.script_step(worker, None, IdleWait::Never), Step::Wait));
    assert_eq!((answers.of(1), answers.of(2)), (None, None));
    let stats = pool.stats();
    assert_eq!((stats.submitted, stats.running, stats.queued), (0, 0, 0));
}

#[test]
fn an_input_on_demand_can_be_claimed_once() {
    let (pool, answers) = (pool(1, usize::MAX), Answers::leak());
    let worker = join(&pool, RecordingWaker::leak());
    pool.submit(job(1, answers, None).by(InputPath::OnDemand), 0, Target::AnyWorker).ok().expect("accepted");
    assert!(pool.claim_input(1).is_none(), "no worker runs the job");
    let Step::Run { path: InputPath::OnDemand, input: Payload::Value(Value::Undefined), .. } =
        pool.script_step(worker, None, IdleWait::Never)
    else {
        panic!("the worker runs the job without its input");
    };
    assert!(pool.claim_input(1).is_some());
    assert!(pool.claim_input(1).is_none());
}

#[test]
fn a_retiring_worker_runs_its_bound_jobs_first() {
    let (pool, answers) = (pool(1, usize::MAX), Answers::leak());
    let worker = join(&pool, RecordingWaker::leak());
    bind(&pool, 1, answers, worker);
    submit(&pool, 2, answers);
    assert!(!pool.retire_worker(worker, false));
    assert!(pool.least_loaded_worker().is_none(), "the pool binds no more jobs to the worker");
    assert_eq!(id_of(&pool.script_step(worker, None, IdleWait::Never)), Some(1));
    assert!(matches!(pool.script_step(worker, Some((1, done())), IdleWait::Never), Step::Leave));
    assert_eq!(pool.scripts_waiting(), 1, "the free job stays for another worker");
}

#[test]
fn workers_that_are_too_many_leave_when_they_have_done_what_they_have_and_the_idle_ones_go_first() {
    let (pool, answers) = (pool(3, usize::MAX), Answers::leak());
    let wakers = [RecordingWaker::leak(), RecordingWaker::leak(), RecordingWaker::leak()];
    let [first, second, third] = wakers.map(|waker| join(&pool, waker));
    submit(&pool, 1, answers);
    submit(&pool, 2, answers);
    assert_eq!(id_of(&pool.script_step(first, None, IdleWait::Never)), Some(1));
    assert_eq!(id_of(&pool.script_step(second, None, IdleWait::Never)), Some(2));
    assert!(matches!(pool.script_step(third, None, IdleWait::Never), Step::Wait));
    let bound = pool.submit(job(3, answers, None), 0, Target::Worker(first));
    bound.map_err(|refusal| refusal.error).expect("accepted");
    pool.resize_scripts(0, 2, 1);
    assert_eq!(wakers[2].notifications(), 1, "it waits, and is told");
    assert!(matches!(pool.script_step(third, None, IdleWait::Never), Step::Leave));
    pool.resize_scripts(0, 1, 1);
    // One of the two that run something. Neither is to be given up with what it has.
    submit(&pool, 4, answers);
    let done = |id| Some((id, ScriptOutcome::Done(Payload::Value(Value::Undefined))));
    let mut left = 0;
    for (worker, id) in [(first, 1), (second, 2)] {
        let mut step = pool.script_step(worker, done(id), IdleWait::Never);
        while let Some(id) = id_of(&step) {
            assert!(id == 4 || worker == first && id == 3);
            step = pool.script_step(worker, done(id), IdleWait::Never);
        }
        left += usize::from(matches!(step, Step::Leave));
    }
    assert_eq!(left, 1);
    assert_eq!((pool.stats().workers, pool.stats().completed), (1, 4));
    for id in 1..=4 {
        assert!(matches!(answers.of(id), Some(Ok(_))), "{id}");
    }
}

#[test]
fn the_limit_of_the_queue_follows_the_number_of_workers() {
    let (pool, answers) = (pool(1, 1), Answers::leak());
    let worker = join(&pool, RecordingWaker::leak());
    submit(&pool, 1, answers);
    assert_eq!(id_of(&pool.script_step(worker, None, IdleWait::Never)), Some(1));
    assert!(submit(&pool, 2, answers).full);
    assert!(pool.refusal(Taker::Script).is_some());
    pool.resize_scripts(0, 2, 1);
    assert!(submit(&pool, 3, answers).full, "one more is free");
    pool.resize_scripts(0, 1, 1);
    assert!(pool.refusal(Taker::Script).is_some());
    assert_eq!((pool.stats().queued, pool.is_half_empty()), (2, false));
}

#[test]
fn a_job_that_waits_for_others_of_its_pool_takes_none_of_its_workers_capacity() {
    let (pool, answers) = (pool(1, 0), Answers::leak());
    let worker = join(&pool, RecordingWaker::leak());
    let outer = job(1, answers, Some(CancelToken::new(None))).exclusive();
    pool.submit(outer, 0, Target::AnyWorker).ok().expect("accepted");
    assert_eq!(id_of(&pool.script_step(worker, None, IdleWait::Never)), Some(1));
    // Nothing may wait, and the one worker is busy.
    assert!(pool.submit(job(2, answers, None).waited_by(OF_1), 0, Target::AnyWorker).is_err());
    pool.script_waits(worker, 1, true);
    assert_eq!((pool.jobs_of_worker(worker), pool.waiting_jobs_of_worker(worker)), (vec![1], vec![1]));
    pool.submit(job(3, answers, None).waited_by(OF_1), 0, Target::AnyWorker).ok().expect("accepted");
    assert!(pool.submit(job(4, answers, None), 0, Target::AnyWorker).is_err(), "one at a time");
    assert_eq!(
        id_of(&pool.script_step(worker, None, IdleWait::Never)),
        Some(3),
        "beside one that wanted its worker alone"
    );
    assert_eq!(pool.stats().running, 2);
    // A pool that closes takes what its jobs wait for, and nothing else.
    pool.close(false, None);
    pool.script_finish(worker, 3, done());
    assert!(pool.submit(job(5, answers, None), 0, Target::AnyWorker).is_err());
    pool.submit(job(6, answers, None).waited_by(OF_1).exclusive(), 0, Target::AnyWorker)
        .ok()
        .expect("accepted");
    assert_eq!(id_of(&pool.script_step(worker, None, IdleWait::Never)), Some(6));
    pool.script_waits(worker, 1, false);
    pool.script_waits(worker, 1, false);
    pool.script_waits(worker, 99, true);
    pool.script_finish(worker, 6, done());
    pool.script_waits(worker, 1, true);
    pool.script_finish(worker, 1, done());
    assert_eq!(pool.stats().running, 0);
    pool.close(true, None);
    assert!(
        pool.submit(job(7, answers, None).waited_by(OF_1), 0, Target::AnyWorker).is_err(),
        "by force it takes none"
    );
}

fn bind_movable(pool: &Pool, job: Job, worker: usize) {
    let job = job.by(InputPath::Message).movable();
    pool.submit(job, 0, Target::Worker(worker)).ok().expect("accepted");
}

#[test]
fn an_idle_worker_asks_once_for_what_another_has_not_begun_and_gets_half_of_it() {
    let (pool, answers) = (pool(2, usize::MAX), Answers::leak());
    let (busy, idle) = (join(&pool, RecordingWaker::leak()), join(&pool, RecordingWaker::leak()));
    assert!(matches!(pool.script_step(busy, None, IdleWait::Never), Step::Wait));
    for id in 1..=4 {
        bind_movable(&pool, job(id, answers, None), busy);
    }
    bind(&pool, 5, answers, busy);
    assert!(
        matches!(pool.script_step(idle, None, IdleWait::Never), Step::Wait),
        "the other one is about to look"
    );
    assert_eq!(id_of(&pool.script_step(busy, None, IdleWait::Never)), Some(1));
    assert!(matches!(pool.script_step(idle, None, IdleWait::Linger(Duration::from_secs(60))), Step::Ask));
    assert!(matches!(pool.script_step(idle, None, IdleWait::Never), Step::Wait), "once");
    assert!(pool.unbind_for(busy).is_empty(), "it is at something");
    assert_eq!(pool.unbind_for(idle), [2, 3]);
    assert_eq!(pool.scripts_waiting(), 4);
    for id in [2, 3] {
        pool.rebind(id, idle, Payload::Value(Value::Number(7.0))).expect("bound");
    }
    assert_eq!(id_of(&pool.script_step(idle, None, IdleWait::Never)), Some(2));
    assert_eq!(id_of(&pool.script_step(idle, Some((2, done())), IdleWait::Never)), Some(3));
    assert!(matches!(pool.script_step(idle, Some((3, done())), IdleWait::Never), Step::Ask));
    assert_eq!(id_of(&pool.script_step(busy, Some((1, done())), IdleWait::Never)), Some(4));
    assert!(pool.unbind_for(idle).is_empty(), "what is left can go to the one worker alone");
    assert!(matches!(pool.script_step(idle, None, IdleWait::Never), Step::Wait));
    assert_eq!(id_of(&pool.script_step(busy, Some((4, done())), IdleWait::Never)), Some(5));
}

#[test]
fn a_worker_that_waits_is_notified_of_a_bound_job_that_was_released_or_overtaken() {
    let (pool, answers) = (pool(3, usize::MAX), Answers::leak());
    let wakers = [RecordingWaker::leak(), RecordingWaker::leak(), RecordingWaker::leak()];
    let [busy, other, idle] = wakers.map(|waker| join(&pool, waker));
    let keyed = |id| job(id, answers, None).keyed("key".to_owned());
    pool.submit(keyed(1), 0, Target::AnyWorker).ok().expect("accepted");
    assert_eq!(id_of(&pool.script_step(other, None, IdleWait::Never)), Some(1));
    submit(&pool, 2, answers);
    assert_eq!(id_of(&pool.script_step(busy, None, IdleWait::Never)), Some(2));
    bind_movable(&pool, keyed(3), busy);
    assert!(matches!(pool.script_step(idle, None, IdleWait::Never), Step::Wait), "it waits for its key");
    let before = wakers[2].notifications();
    pool.script_finish(other, 1, done());
    assert_eq!(wakers[2].notifications(), before + 1);
    assert!(matches!(pool.script_step(idle, None, IdleWait::Never), Step::Ask));
    assert_eq!(pool.unbind_for(idle), [3]);
    pool.rebind(3, idle, Payload::Value(Value::Null)).expect("bound");
    assert_eq!(id_of(&pool.script_step(idle, None, IdleWait::Never)), Some(3));
    // A job comes before one that is bound to its worker.
    assert!(matches!(pool.script_step(idle, Some((3, done())), IdleWait::Never), Step::Wait));
    pool.script_finish(busy, 2, done());
    let before = wakers[2].notifications();
    bind_movable(&pool, job(4, answers, None), busy);
    submit_with(&pool, 5, answers, 1).ok().expect("accepted");
    assert_eq!(wakers[2].notifications(), before + 1, "of the one that any may take");
    assert_eq!(id_of(&pool.script_step(busy, None, IdleWait::Never)), Some(5));
    assert!(matches!(pool.script_step(idle, None, IdleWait::Never), Step::Ask));
}

#[test]
fn a_worker_that_blocks_while_it_waits_may_end_when_it_is_idle() {
    let (pool, answers) = (pool(2, usize::MAX), Answers::leak());
    let worker = join(&pool, RecordingWaker::leak());
    let block = || IdleWait::Block(Duration::from_millis(1));
    submit(&pool, 1, answers);
    assert_eq!(id_of(&pool.script_step(worker, None, block())), Some(1));
    assert!(!pool.retire_worker(worker, true), "it is at work");
    assert!(matches!(pool.script_step(worker, Some((1, done())), block()), Step::Wait));
    submit(&pool, 2, answers);
    assert!(!pool.retire_worker(worker, true), "the job waits for it to come again");
    assert_eq!(id_of(&pool.script_step(worker, None, block())), Some(2));
    assert!(matches!(pool.script_step(worker, Some((2, done())), block()), Step::Wait));
    assert!(pool.retire_worker(worker, true));
    assert!(matches!(pool.script_step(worker, None, block()), Step::Leave));
}

#[test]
fn nothing_is_stuck_that_waits_for_a_worker_in_the_place_of_one_that_leaves() {
    let (pool, answers) = (pool(2, usize::MAX), Answers::leak());
    let [blocked, leaving] = [(); 2].map(|()| join(&pool, RecordingWaker::leak()));
    submit(&pool, 1, answers);
    assert_eq!(id_of(&pool.script_step(blocked, None, IdleWait::Never)), Some(1));
    submit(&pool, 2, answers);
    assert_eq!(id_of(&pool.script_step(leaving, None, IdleWait::Never)), Some(2));
    assert!(pool.retire_worker(leaving, false), "when it has done what it is at");
    pool.script_blocks(blocked, 1, true);
    let of_1 = WaitedBy { waiter: Waiter::Job(1), blocks: true };
    let accepted = pool.submit(job(3, answers, None).waited_by(of_1), 0, Target::AnyWorker);
    accepted.ok().expect("another comes when the one that leaves has ended");
    assert!(pool.stuck_scripts().is_empty());
    pool.script_finish(leaving, 2, done());
    pool.unregister_worker(leaving);
    assert!(pool.stuck_scripts().is_empty(), "it has left, and its owner has not seen that yet");
    pool.resize_scripts(0, 1, 1);
    assert_eq!(pool.stuck_scripts(), [3], "nobody comes in its place");
    pool.resize_scripts(0, 2, 1);
    assert!(pool.stuck_scripts().is_empty());
    pool.evict_worker(leaving);
    assert_eq!(pool.stuck_scripts(), [3], "if none can be started");
    pool.close(true, None);
}

#[test]
fn workers_of_a_closing_pool_stay_for_native_tasks_that_call() {
    for force in [false, true] {
        let (pool, answers, waker) = (pool(1, usize::MAX), Answers::leak(), RecordingWaker::leak());
        let worker = join(&pool, waker);
        assert!(matches!(pool.script_step(worker, None, IdleWait::Never), Step::Wait));
        let calls = Job::new(1, answers, CALL, Payload::Value(Value::Number(2.0)), None);
        assert!(pool.submit(calls, 0, Target::Native).is_ok());
        let asked = until(|| answers.1.lock().unwrap().pop());
        pool.close(force, None);
        assert_eq!(waker.notifications(), 1, "of the end of the pool");
        if force {
            assert!(matches!(pool.script_step(worker, None, IdleWait::Never), Step::Leave));
            assert_eq!(until(|| answers.of(1)), Err(Code::PoolClosed));
            continue;
        }
        assert!(matches!(pool.script_step(worker, None, IdleWait::Never), Step::Wait), "it may call again");
        asked.answer(Ok(Ok(Payload::Value(Value::Null))));
        let again = until(|| answers.1.lock().unwrap().pop());
        submit_nested(&pool, answers);
        assert_eq!(waker.notifications(), 2, "of the function");
        assert_eq!(id_of(&pool.script_step(worker, None, IdleWait::Never)), Some(2));
        assert!(matches!(pool.script_step(worker, Some((2, done())), IdleWait::Never), Step::Wait));
        again.answer(Ok(Ok(Payload::Value(Value::Null))));
        assert_eq!(until(|| answers.of(1)), Ok(Value::Number(2.0)));
        until(|| (waker.notifications() == 3).then_some(()));
        assert!(matches!(pool.script_step(worker, None, IdleWait::Never), Step::Leave));
    }
}

/// The function that the running job 1 calls.
fn submit_nested(pool: &Pool, answers: &'static Answers) {
    assert!(pool.submit(job(2, answers, None).waited_by(OF_1), 0, Target::AnyWorker).is_ok());
}
