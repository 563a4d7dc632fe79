//! The pool beside a simple model (`spec.rs`), over random steps: tasks are submitted, taken, finished and taken back, workers join,
//! leave and die, the pool is resized, emptied and closed. After each step both must agree on what comes next for every taker.
//!
//! Everything is on one thread, with a clock of its own, so a seed repeats a run: it is printed where the two disagree, and
//! `RW_MODEL_SEED` runs it alone. The pool's own native threads do not take part: the test takes their places in its table, and
//! takes for them what they would take.

mod spec;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use self::spec::{Model, Rules, Wants};
use super::entry::Entry;
use super::position::Taker;
use super::queue::Taken;
use super::test_tasks::TestTasks;
use super::*;
use crate::cancel::{CancelToken, Reason};
use crate::error::Result;
use crate::value::{Payload, Value};

const STEPS: usize = 1_000_000;
const STEPS_OF_A_RUN: usize = 5_000;
/// Tasks of these numbers have a limit: of native ones and of a script's functions.
const LIMITED: [&str; 2] = ["first", "second"];
const KEYS: usize = 5;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// Counts how often each task was answered.
#[derive(Default)]
struct Answers(Mutex<HashMap<u64, usize>>);

impl Outbox for Answers {
    fn settle(&self, _: usize, id: u64, _: Result<Value>) {
        *self.0.lock().unwrap().entry(id).or_default() += 1;
    }
}

/// Whether a worker was notified since it came last.
#[derive(Default)]
struct Bell(AtomicBool);

impl Waker for Bell {
    fn notify(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
    fn notify_awake(&self) {
        self.notify();
    }
    fn stop(&self, _: u64, _: Reason) {}
    fn grant_parts(&self, _: u64, _: u32) {}
}

struct Worker {
    bell: &'static Bell,
    running: Vec<u64>,
    /// Whether it sleeps in its event loop.
    waits: bool,
}

struct Run {
    random: Random,
    pool: Pool,
    model: Model,
    answers: &'static Answers,
    /// The clock, in nanoseconds, and how far a step moves it.
    now: u64,
    pace: usize,
    /// The time by which the last was ordered.
    latest: u64,
    next_id: u64,
    /// Where tasks wait, and how they are stopped.
    positions: BTreeMap<u64, (QueuePosition, CancelToken)>,
    /// What each native thread runs; by its place in the table.
    threads: BTreeMap<usize, Option<Entry>>,
    max_threads: usize,
    workers: BTreeMap<usize, Worker>,
    concurrency: usize,
    capacity: usize,
    /// Answered by their owner, the test.
    answered: BTreeSet<u64>,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let aging = random.of(&[None, Some(0), Some(1_000), Some(20_000_000), Some(10_000_000_000)]);
        let newest_first = random.once_in(3);
        let of_limits = vec![1 + random.below(2), 1 + random.below(3)];
        let rules = Rules {
            aging,
            newest_first,
            of_key: 1 + random.below(4) / 2,
            of_limits: if random.once_in(3) { Vec::new() } else { of_limits },
            max_queue: random.of(&[usize::MAX, usize::MAX, 0, 1, 5, 20]),
        };
        let (max_threads, most_workers, concurrency) =
            (1 + random.below(4), 1 + random.below(4), 1 + random.below(2));
        let limit = |(number, most): (usize, &usize)| TaskLimit {
            native: Some(number),
            function: Some(LIMITED[number].to_owned()),
            most: *most,
        };
        let config = Config {
            max_threads,
            aging: aging.map(Duration::from_nanos),
            newest_first,
            key_limit: rules.of_key,
            task_limits: rules.of_limits.iter().enumerate().map(limit).collect(),
            max_queue: rules.max_queue,
            ..Config::default()
        };
        let pool = Pool::new(config, Arc::new(TestTasks));
        pool.resize_scripts(0, most_workers, concurrency);
        let answers: &'static Answers = Box::leak(Box::default());
        let mut run = Run {
            pace: random.of(&[100, 10_000, 30_000_000]),
            random,
            pool,
            model: Model::new(rules),
            answers,
            now: 0,
            latest: 0,
            next_id: 0,
            positions: BTreeMap::new(),
            threads: BTreeMap::new(),
            max_threads,
            workers: BTreeMap::new(),
            concurrency,
            capacity: most_workers * concurrency,
            answered: BTreeSet::new(),
        };
        run.add_threads(max_threads);
        run
    }

    /// Takes places in the table of native threads, so that the pool starts none.
    fn add_threads(&mut self, count: usize) {
        let mut state = self.pool.0.lock();
        while self.threads.len() < count {
            let number = state.threads.vacant().number;
            state.threads.started(number);
            state.threads.starting -= 1;
            self.threads.insert(number, None);
        }
    }

    fn step(&mut self) {
        self.now += self.random.below(self.pace) as u64;
        match self.random.below(40) {
            0..=11 => self.submit(),
            12..=18 => self.native(),
            19..=29 => self.script(),
            30..=33 => self.cancel(),
            34 => self.join(),
            35 => self.rebind(),
            36 if self.random.once_in(4) => self.evict(),
            37 if self.random.once_in(4) => self.resize(),
            38 if self.random.once_in(60) => self.empty(),
            39 if self.random.once_in(40) => self.fail_scripts(),
            _ => {}
        }
    }

    fn free(&self) -> [usize; 2] {
        let busy_threads = self.threads.values().flatten().count();
        let busy: usize = self.workers.values().map(|worker| worker.running.len()).sum();
        [self.max_threads.saturating_sub(busy_threads), self.capacity.saturating_sub(busy)]
    }

    fn submit(&mut self) {
        let id = self.next_id;
        self.next_id += 1;
        let numbers: Vec<usize> = self.workers.keys().copied().collect();
        let wants = match self.random.below(8) {
            0..=3 => Wants::Native,
            4..=6 => Wants::AnyWorker,
            _ if numbers.is_empty() => Wants::Nobody,
            _ => Wants::Worker(self.random.of(&numbers)),
        };
        let target = match wants {
            Wants::Native => Target::Native,
            Wants::AnyWorker => Target::AnyWorker,
            Wants::Worker(number) => Target::Worker(number),
            Wants::Nobody => Target::NoWorker,
        };
        let priority = if self.random.once_in(2) { 0 } else { self.random.below(5) as i32 - 2 };
        let key = self.random.once_in(2).then(|| self.random.below(KEYS));
        let kind = self.random.below(4);
        let limit = (kind < self.model.rules.of_limits.len()).then_some(kind);
        let task = match (limit, wants.taker()) {
            (None, _) => 9,
            (Some(limit), Taker::Native) => limit,
            (Some(limit), Taker::Script) => self.pool.script_function(LIMITED[limit]),
        };
        let token = CancelToken::new(None);
        let mut job = Job::new(id, self.answers, task, Payload::Value(Value::Null), Some(token.clone()));
        job.queued_at = self.pool.0.made + Duration::from_nanos(self.now);
        if let Some(key) = key {
            job = job.keyed(format!("key {key}"));
        }
        let accepts = self.model.accepts(wants, key, limit, self.free());
        match self.pool.submit(job, priority, target) {
            Ok(accepted) => {
                assert!(accepts, "task {id} was accepted");
                self.latest = self.now.max(self.latest + 1);
                self.model.submit(id, wants, priority, self.latest, key, limit);
                self.positions.insert(id, (accepted.position, token));
                if let Wants::Worker(number) = wants {
                    // The message with its input comes.
                    self.workers[&number].bell.notify();
                }
            }
            Err(refused) => {
                assert!(!accepts, "task {id} was refused: {:?}", refused.error);
                drop(refused.submission.into_input());
            }
        }
    }

    /// A native thread ends its task, or takes another.
    fn native(&mut self) {
        let numbers: Vec<usize> = self.threads.keys().copied().collect();
        let number = self.random.of(&numbers);
        if let Some(entry) = self.threads.get_mut(&number).and_then(Option::take) {
            self.end_native(number, entry);
        }
        if !self.random.once_in(3) {
            self.take_native(number);
        }
    }

    fn end_native(&mut self, number: usize, entry: Entry) {
        self.model.remove(entry.id());
        let Entry::Job(job) = entry else { panic!("no other was submitted") };
        job.into_reply().send(Ok(Value::Null));
        // As in `Pool::next`.
        let mut state = self.pool.0.lock();
        state.threads.idle(number);
        let permits = state.threads.take_permits(number);
        if !permits.is_empty() {
            state = self.pool.give_back(state, permits);
        }
        if state.threads.has_surplus() {
            state.threads.ended(number);
            self.threads.remove(&number);
        }
    }

    fn take_native(&mut self, number: usize) {
        if !self.threads.contains_key(&number) {
            return;
        }
        let expected = self.model.next_native();
        let mut state = self.pool.0.lock();
        let taken = self.pool.take(&mut state, number, 0);
        self.pool.0.publish(&mut state);
        drop(state);
        let taken = taken.map(|taken| match taken {
            Taken::Job(entry, _) => entry,
            Taken::Batch(..) | Taken::Steal(_) => panic!("nothing of it was submitted"),
        });
        assert_eq!(taken.as_ref().map(Entry::id), expected, "native thread {number} takes");
        if let Some(entry) = taken {
            self.model.begin(entry.id(), None);
            self.threads.insert(number, Some(entry));
        }
    }

    /// A worker that was notified comes, or one ends a task.
    fn script(&mut self) {
        let numbers: Vec<usize> = self.workers.keys().copied().collect();
        if numbers.is_empty() {
            return;
        }
        let number = self.random.of(&numbers);
        let worker = &self.workers[&number];
        let comes = worker.bell.0.load(Ordering::Relaxed) || !worker.waits;
        if !worker.running.is_empty() && self.random.once_in(2) {
            let at = self.random.below(worker.running.len());
            self.end_script(number, at);
        } else if comes && worker.running.len() < self.concurrency {
            self.ask(number, None);
        }
    }

    fn end_script(&mut self, number: usize, at: usize) {
        let id = self.workers.get_mut(&number).expect("it lives").running.swap_remove(at);
        self.model.remove(id);
        let outcome = ScriptOutcome::Done(Payload::Value(Value::Null));
        if self.random.once_in(4) {
            self.pool.script_finish(number, id, outcome);
            self.workers.get_mut(&number).expect("it lives").waits = false;
        } else {
            self.ask(number, Some((id, outcome)));
        }
    }

    fn ask(&mut self, number: usize, finished: Option<(u64, ScriptOutcome)>) {
        let expected = self.model.next_for(number);
        let worker = self.workers.get_mut(&number).expect("it lives");
        worker.bell.0.store(false, Ordering::Relaxed);
        let step = self.pool.script_step(number, finished, IdleWait::Never);
        let taken = match step {
            Step::Run { id, .. } => Some(id),
            Step::Wait => None,
            Step::Leave => panic!("worker {number} was told to leave"),
            Step::Ask => panic!("no job of it is movable"),
        };
        assert_eq!(taken, expected, "worker {number} takes");
        worker.waits = taken.is_none();
        if let Some(id) = taken {
            worker.running.push(id);
            self.model.begin(id, Some(number));
        }
    }

    /// The program aborts a task, wherever it is.
    fn cancel(&mut self) {
        let ids: Vec<u64> = self.model.tasks.iter().map(|task| task.id).collect();
        if ids.is_empty() {
            return;
        }
        let id = self.random.of(&ids);
        let waits = self.model.waiting().any(|task| task.id == id);
        let (position, _) = &self.positions[&id];
        assert_eq!(self.pool.take_out(&[*position], Reason::Cancelled, |_| {}), usize::from(waits));
        if waits {
            self.model.remove(id);
        }
    }

    fn join(&mut self) {
        if self.workers.len() * self.concurrency >= self.capacity {
            return;
        }
        let number = self.pool.register_worker().expect("the pool is open");
        let bell: &'static Bell = Box::leak(Box::default());
        assert!(self.pool.worker_joined(number, bell));
        self.workers.insert(number, Worker { bell, running: Vec::new(), waits: false });
    }

    /// A worker's thread has ended, whatever it was at.
    fn evict(&mut self) {
        let numbers: Vec<usize> = self.workers.keys().copied().collect();
        if numbers.is_empty() {
            return;
        }
        let number = self.random.of(&numbers);
        let worker = self.workers.remove(&number).expect("it lives");
        let bound: BTreeSet<u64> = self
            .model
            .waiting()
            .filter(|task| task.wants == Wants::Worker(number))
            .map(|task| task.id)
            .collect();
        self.model.worker_ended(number);
        let (ran, orphans) = self.pool.evict_worker(number);
        assert_eq!(ran.iter().collect::<BTreeSet<_>>(), worker.running.iter().collect());
        assert_eq!(orphans.iter().copied().collect::<BTreeSet<_>>(), bound);
        for id in ran {
            self.model.remove(id);
            self.answered.insert(id);
        }
        for id in orphans {
            self.positions.get_mut(&id).expect("it was accepted").0 = QueuePosition::of_orphan(id);
        }
    }

    /// The owner binds a task to another worker, or gives it up.
    fn rebind(&mut self) {
        let orphans: Vec<u64> =
            self.model.waiting().filter(|task| task.wants == Wants::Nobody).map(|task| task.id).collect();
        let numbers: Vec<usize> = self.workers.keys().copied().collect();
        if orphans.is_empty() {
            return;
        }
        let id = self.random.of(&orphans);
        if numbers.is_empty() || self.random.once_in(4) {
            self.model.remove(id);
            self.pool.disown_orphan(id);
            self.answered.insert(id);
            return;
        }
        let number = self.random.of(&numbers);
        let position = self.pool.rebind(id, number, Payload::Value(Value::Null)).expect("it lives");
        self.positions.get_mut(&id).expect("it was accepted").0 = position;
        let task = self.model.tasks.iter_mut().find(|task| task.id == id).expect("it waits");
        task.wants = Wants::Worker(number);
        self.workers[&number].bell.notify();
    }

    fn resize(&mut self) {
        self.max_threads = 1 + self.random.below(5);
        self.add_threads(self.max_threads);
        self.pool.resize(0, self.max_threads, 0);
        let idle: Vec<usize> =
            self.threads.iter().filter(|(_, runs)| runs.is_none()).map(|(number, _)| *number).collect();
        let mut state = self.pool.0.lock();
        for number in idle {
            if state.threads.has_surplus() {
                state.threads.ended(number);
                self.threads.remove(&number);
            }
        }
    }

    /// Everything that waits is given up.
    fn empty(&mut self) {
        let waiting: Vec<u64> = self.model.waiting().map(|task| task.id).collect();
        assert_eq!(self.pool.cancel_waiting(Reason::Cancelled), waiting.len());
        self.model.tasks.retain(|task| task.runs);
    }

    /// The script does not load: all that waits for a worker is rejected.
    fn fail_scripts(&mut self) {
        let waiting: BTreeSet<u64> = self
            .model
            .waiting()
            .filter(|task| task.wants.taker() == Taker::Script)
            .map(|task| task.id)
            .collect();
        assert_eq!(self.pool.drain_scripts().into_iter().collect::<BTreeSet<_>>(), waiting);
        waiting.iter().for_each(|id| self.model.tasks.retain(|task| task.id != *id));
        // Others may be next of their keys.
        self.model.remove(u64::MAX);
        self.answered.extend(waiting);
    }

    /// What both know without taking anything.
    fn check(&self) {
        let state = self.pool.0.lock();
        for taker in Taker::ALL {
            let (waiting, blocked) = self.model.waiting_and_blocked(taker);
            assert_eq!(
                (state.queue.waiting(taker), state.queue.blocked(taker)),
                (waiting, blocked),
                "{taker:?}"
            );
        }
        assert_eq!(state.queue.takeable_by_threads(), self.model.count(Wants::Native));
        assert_eq!(state.queue.takeable_by_any_worker(), self.model.count(Wants::AnyWorker));
        assert!(state.queue.keys.len() <= KEYS);
        drop(state);
        // A worker that sleeps has nothing to do, unless another has been told.
        let asleep = |worker: &&Worker| worker.waits && !worker.bell.0.load(Ordering::Relaxed);
        let comes = |worker: &Worker| {
            let is_told = worker.bell.0.load(Ordering::Relaxed);
            is_told || !worker.waits && worker.running.len() < self.concurrency
        };
        let some_told = self.workers.values().any(comes);
        if self.workers.values().any(|worker| asleep(&worker)) {
            assert!(some_told || self.model.count(Wants::AnyWorker) == 0, "no worker was told of a task");
        }
        for (number, worker) in &self.workers {
            let takeable = self.model.count(Wants::Worker(*number));
            assert!(
                !asleep(&worker) || takeable == 0,
                "worker {number} was not told of a task that is bound to it"
            );
        }
    }

    /// Closes the pool; gracefully, everything that waits still runs.
    fn close(mut self) {
        let closed = Arc::new(AtomicBool::new(false));
        let tell = Arc::clone(&closed);
        let force = self.random.once_in(3);
        // Orphans would wait for their owner.
        while !force && self.model.waiting().any(|task| task.wants == Wants::Nobody) {
            self.rebind();
        }
        self.pool.close(force, Some(Box::new(move || tell.store(true, Ordering::Relaxed))));
        if force {
            self.model.tasks.retain(|task| task.runs);
        }
        let mut turns = 0;
        while !self.model.tasks.is_empty() {
            let numbers: Vec<usize> = self.threads.keys().copied().collect();
            for number in numbers {
                if let Some(entry) = self.threads.get_mut(&number).and_then(Option::take) {
                    self.end_native(number, entry);
                }
                self.take_native(number);
            }
            if self.workers.is_empty() && self.model.waiting().any(|task| task.wants.taker() == Taker::Script)
            {
                self.join();
            }
            let numbers: Vec<usize> = self.workers.keys().copied().collect();
            for number in numbers {
                self.work_to_the_end(number);
            }
            turns += 1;
            assert!(turns < 10_000, "nothing ends any more: {:?}", self.model.tasks);
        }
        // Nobody has anything to do: all go.
        for number in std::mem::take(&mut self.threads).into_keys() {
            assert!(self.pool.next_for_closing(number));
        }
        for (number, worker) in std::mem::take(&mut self.workers) {
            assert!(
                !worker.waits || worker.bell.0.load(Ordering::Relaxed),
                "worker {number} was told that all is done"
            );
            assert!(matches!(self.pool.script_step(number, None, IdleWait::Never), Step::Leave));
            assert_eq!(self.pool.evict_worker(number), (Vec::new(), Vec::new()));
        }
        assert!(closed.load(Ordering::Relaxed), "the pool has closed");
        let answers = self.answers.0.lock().unwrap();
        for id in self.positions.keys() {
            let count = answers.get(id).copied().unwrap_or(0) + usize::from(self.answered.contains(id));
            assert_eq!(count, 1, "answers to task {id}");
        }
    }

    fn work_to_the_end(&mut self, number: usize) {
        let worker = &self.workers[&number];
        let comes = worker.bell.0.load(Ordering::Relaxed) || !worker.waits;
        if !worker.running.is_empty() {
            let id = self.workers.get_mut(&number).expect("it lives").running.swap_remove(0);
            self.model.remove(id);
            self.pool.script_finish(number, id, ScriptOutcome::Done(Payload::Value(Value::Null)));
            self.workers.get_mut(&number).expect("it lives").waits = false;
        } else if comes {
            let expected = self.model.next_for(number);
            self.workers[&number].bell.0.store(false, Ordering::Relaxed);
            match self.pool.script_step(number, None, IdleWait::Never) {
                Step::Run { id, .. } => {
                    assert_eq!(Some(id), expected);
                    self.model.begin(id, Some(number));
                    self.workers.get_mut(&number).expect("it lives").running.push(id);
                }
                Step::Wait => {
                    assert_eq!(None, expected);
                    self.workers.get_mut(&number).expect("it lives").waits = true;
                }
                Step::Ask => panic!("no job of it is movable"),
                Step::Leave => {
                    assert_eq!(None, expected);
                    self.workers.remove(&number);
                    assert_eq!(self.pool.evict_worker(number), (Vec::new(), Vec::new()));
                }
            }
        }
    }
}

fn run(seed: u64) {
    let mut run = Run::new(seed);
    for _ in 0..STEPS_OF_A_RUN {
        run.step();
        run.check();
    }
    run.close();
}

#[test]
fn the_pool_agrees_with_a_simple_model_over_a_million_steps() {
    if let Some(seed) = std::env::var("RW_MODEL_SEED").ok().and_then(|seed| seed.parse().ok()) {
        return run(seed);
    }
    for seed in 0..(STEPS / STEPS_OF_A_RUN) as u64 {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(seed))) {
            eprintln!("the pool and the model disagree: RW_MODEL_SEED={seed}");
            resume_unwind(panic);
        }
    }
}

impl Pool {
    /// As `next` does for a thread of a pool that closes and has nothing more to do.
    fn next_for_closing(&self, number: usize) -> bool {
        let state = self.0.lock();
        let has_no_more = state.has_no_more(Taker::Native);
        if has_no_more {
            drop(self.end_thread(number, state));
        }
        has_no_more
    }
}
