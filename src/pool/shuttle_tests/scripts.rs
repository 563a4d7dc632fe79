//! Jobs of scripts, on threads that do what a worker does: ask for a job, run it, answer it, sleep in an event loop, and end in
//! the middle.

use std::time::Duration;

use super::*;
use crate::cancel::{CancelToken, Reason};
use crate::error::{Code, Error};
use crate::lines::COMMON;
use crate::pool::{Config, Execute, Helpers, IdleWait, InputPath, Job, Pool, QueuePosition};
use crate::pool::{ScriptOutcome, Step, Target, TaskLimit, Waker};
use crate::sync::{Instant, thread};
use crate::value::Payload;

/// So many workers are started at the most; the last ones do not end by themselves.
const WORKERS: usize = 64;
const MORTAL: usize = 40;

struct NoTasks;
impl Execute for NoTasks {
    fn execute(&self, _: usize, _: Payload, _: &CancelToken, _: &dyn Helpers) -> Result<Value> {
        unreachable!("the pool has no native task")
    }
    fn name(&self, _: usize) -> &str {
        "none"
    }
}

#[derive(Clone, Copy)]
struct ScriptJob {
    exclusive: bool,
    may_end_early: bool,
    key: Option<usize>,
}

/// The event loop of a worker, as the pool reaches it. It lives for ever; the bell is that of the present execution.
struct WorkerDoor(StdMutex<Option<Arc<Bell>>>);

thread_local! {
    static DOORS: &'static [WorkerDoor] =
        Box::leak((0..WORKERS).map(|_| WorkerDoor(StdMutex::new(None))).collect());
}

impl WorkerDoor {
    fn bell(&self) -> Arc<Bell> {
        self.0.lock().unwrap().clone().expect("the worker was started")
    }
}

impl Waker for WorkerDoor {
    fn notify(&self) {
        self.bell().ring();
    }

    /// Whether the worker sleeps is not known here: the message that follows wakes it.
    fn notify_awake(&self) {}

    fn stop(&self, _: u64, _: Reason) {}

    fn grant_parts(&self, _: u64, _: u32) {}
}

/// A worker, on its own thread.
struct Worker {
    record: Arc<Record<ScriptJob>>,
    pool: Pool,
    number: usize,
    bell: Arc<Bell>,
    is_mortal: bool,
    /// Workers that ask for jobs of others.
    asking: Arc<StdMutex<Vec<usize>>>,
    /// Jobs that it runs.
    held: Vec<u64>,
}

impl Worker {
    fn dies(&self, chance: usize) -> bool {
        self.is_mortal && once_in(chance)
    }

    /// The job's end.
    fn outcome(&self, id: u64) -> ScriptOutcome {
        match below(4) {
            0 => ScriptOutcome::ViaFallback { failed: true, from: 0 },
            _ => ScriptOutcome::Done(Payload::Value(Value::Number(id as f64))),
        }
    }

    fn finished(&mut self) -> Option<(u64, ScriptOutcome)> {
        if self.held.is_empty() || self.held.len() == 1 && once_in(3) {
            return None;
        }
        let id = self.held.swap_remove(below(self.held.len()));
        self.record.leaves(id);
        let outcome = self.outcome(id);
        if once_in(4) {
            self.pool.script_finish(self.number, id, outcome);
            return None;
        }
        Some((id, outcome))
    }

    /// Until it leaves, or dies.
    fn run(&mut self) {
        loop {
            let idle = match below(4) {
                0 => IdleWait::Linger(Duration::from_micros(300)),
                // Not while it has something to do.
                1 if self.held.is_empty() => IdleWait::Block(Duration::from_micros(300)),
                _ => IdleWait::Never,
            };
            let finished = self.finished();
            match self.pool.script_step(self.number, finished, idle) {
                Step::Run { id, input, path, .. } => {
                    self.record.begins(id);
                    let key = self.record.accepted.lock().unwrap()[&id].key;
                    key.into_iter().for_each(|key| self.record.enters(key, id));
                    let of = |id: &u64| self.record.accepted.lock().unwrap()[id].exclusive;
                    assert!(self.held.is_empty() || !of(&id) && !of(&self.held[0]), "{id} runs alone");
                    self.held.push(id);
                    // Its owner may have claimed it before.
                    let input =
                        if path == InputPath::OnDemand { self.pool.claim_input(id) } else { Some(input) };
                    let expected = Value::Number(id as f64);
                    assert!(input.is_none_or(|input| input.into_value() == Ok(expected)));
                    if self.dies(12) {
                        return;
                    }
                    thread::yield_now();
                }
                Step::Ask => {
                    self.asking.lock().unwrap().push(self.number);
                    self.record.events.bell.ring();
                }
                Step::Wait if !self.held.is_empty() || matches!(idle, IdleWait::Block(_)) => {}
                Step::Wait => {
                    if self.dies(8) {
                        let only_idle = once_in(2);
                        if self.pool.retire_worker(self.number, only_idle) {
                            return;
                        }
                        if !only_idle {
                            // What is bound to it may have to wait for another worker: the next step decides.
                            continue;
                        }
                    }
                    if self.dies(12) {
                        return;
                    }
                    self.bell.wait();
                }
                Step::Leave => {
                    for id in std::mem::take(&mut self.held) {
                        self.record.leaves(id);
                        self.pool.script_finish(self.number, id, self.outcome(id));
                    }
                    return;
                }
            }
        }
    }
}

/// The thread that owns the pool.
struct Owner {
    record: Arc<Record<ScriptJob>>,
    pool: Pool,
    started: usize,
    bells: HashMap<usize, Arc<Bell>>,
    ended: Arc<StdMutex<Vec<usize>>>,
    asking: Arc<StdMutex<Vec<usize>>>,
    orphans: Vec<u64>,
    tokens: Vec<(u64, QueuePosition, CancelToken)>,
    is_forced: bool,
}

impl Owner {
    fn start_worker(&mut self) {
        if self.started == WORKERS {
            return;
        }
        let Some(number) = self.pool.register_worker() else { return };
        let (door, bell) = (&DOORS.with(|doors| *doors)[self.started], Arc::new(Bell::new()));
        *door.0.lock().unwrap() = Some(Arc::clone(&bell));
        self.bells.insert(number, Arc::clone(&bell));
        let (record, pool, ended) = (Arc::clone(&self.record), self.pool.clone(), Arc::clone(&self.ended));
        let asking = Arc::clone(&self.asking);
        let is_mortal = self.started < MORTAL;
        self.started += 1;
        // Before it can find that nothing is there for it.
        self.place_orphans();
        thread::spawn(move || {
            let mut worker = Worker { record, pool, number, bell, is_mortal, asking, held: Vec::new() };
            if !worker.dies(12) && worker.pool.worker_joined(number, door) {
                worker.run();
            }
            // Those that it has not ended run no more.
            worker.held.iter().for_each(|id| worker.record.leaves(*id));
            if once_in(2) {
                worker.pool.unregister_worker(number);
            }
            ended.lock().unwrap().push(number);
            worker.record.events.bell.ring();
        });
    }

    /// Sees to workers that have ended, and to that jobs which wait have a worker.
    fn look_after_workers(&mut self) {
        let ended = std::mem::take(&mut *self.ended.lock().unwrap());
        for number in ended {
            self.bells.remove(&number);
            let (ran, orphans) = self.pool.evict_worker(number);
            self.orphans.extend(orphans);
            ran.into_iter().for_each(|id| self.answer(id));
        }
        if self.pool.scripts_waiting() > 0 && self.bells.is_empty() {
            self.start_worker();
        }
        self.place_orphans();
        self.answer_asking();
    }

    /// Binds jobs to workers that ask for them.
    fn answer_asking(&mut self) {
        let asking = std::mem::take(&mut *self.asking.lock().unwrap());
        for number in asking {
            for id in self.pool.unbind_for(number) {
                let input = Payload::Value(Value::Number(id as f64));
                let Some(position) = self.pool.rebind(id, number, input) else {
                    self.orphans.push(id);
                    continue;
                };
                self.moved(id, position);
                // It may have been evicted meanwhile, and its number be that of another.
                self.bells.get(&number).into_iter().for_each(|bell| bell.ring());
            }
        }
        self.place_orphans();
    }

    fn moved(&mut self, id: u64, position: QueuePosition) {
        if let Some(token) = self.tokens.iter_mut().find(|token| token.0 == id) {
            token.1 = position;
        }
    }

    fn place_orphans(&mut self) {
        for id in std::mem::take(&mut self.orphans) {
            self.place_orphan(id);
        }
    }

    fn place_orphan(&mut self, id: u64) {
        if self.is_forced {
            // The pool has answered it.
            return;
        }
        let input = Payload::Value(Value::Number(id as f64));
        let number = self.pool.least_loaded_worker().map(|(number, ..)| number);
        match number.and_then(|number| Some((number, self.pool.rebind(id, number, input)?))) {
            Some((number, position)) => {
                self.moved(id, position);
                self.bells[&number].ring();
            }
            // It may have been cancelled.
            None if number.is_none() && once_in(4) && self.pool.scripts_waiting() > 0 => {
                let waited = self.pool.scripts_waiting();
                self.pool.disown_orphan(id);
                if self.pool.scripts_waiting() < waited {
                    self.answer(id);
                }
            }
            None => self.orphans.push(id),
        }
    }

    fn answer(&self, id: u64) {
        let error = Error::new(Code::TaskFailed, "its worker has ended");
        self.record.events.push(COMMON, id, Err(error));
    }

    fn submit(&mut self, is_bound: bool) {
        let id = self.record.next_ids(1);
        let deadline = once_in(4).then(|| Instant::now() + Duration::from_micros(20));
        let token = once_in(2).then(|| CancelToken::new(deadline));
        let exclusive = !is_bound && once_in(5);
        let key = once_in(3).then(|| below(2));
        self.record.accept(id, ScriptJob { exclusive, may_end_early: token.is_some(), key });
        let input = Payload::Value(Value::Number(id as f64));
        let mut job = Job::new(id, self.record.outbox, 0, input, token.clone());
        if exclusive {
            job = job.exclusive();
        }
        if let Some(key) = key {
            job = job.keyed(format!("{key}"));
        }
        if is_bound && !once_in(4) {
            job = job.movable();
        }
        if !is_bound && once_in(4) {
            job = job.by(InputPath::OnDemand);
        }
        let number = if is_bound { self.pool.least_loaded_worker().map(|(number, ..)| number) } else { None };
        let target = match (is_bound, number) {
            (false, _) => Target::AnyWorker,
            (true, Some(number)) => Target::Worker(number),
            (true, None) => Target::NoWorker,
        };
        match self.pool.submit(job, below(2) as i32, target) {
            Ok(accepted) => {
                self.tokens.extend(token.map(|token| (id, accepted.position, token)));
                match target {
                    // Its input follows.
                    Target::Worker(number) => self.bells[&number].ring(),
                    Target::NoWorker => self.orphans.push(id),
                    _ if accepted.needs_worker && self.bells.len() < 3 => self.start_worker(),
                    _ => {}
                }
            }
            Err(refused) => {
                assert!(matches!(refused.error.code(), Code::QueueFull | Code::Internal));
                self.record.refused(id);
                drop(refused.submission.into_input());
            }
        }
    }

    fn cancel(&mut self) {
        if self.tokens.is_empty() {
            return;
        }
        let (id, position, token) = self.tokens.swap_remove(below(self.tokens.len()));
        let position = if self.orphans.contains(&id) { QueuePosition::of_orphan(id) } else { position };
        if !self.pool.cancel(position, &token, Reason::Cancelled) {
            self.pool.stop_script(id, Reason::Cancelled);
        }
        self.orphans.retain(|orphan| *orphan != id || !token.was_cancelled());
    }

    fn step(&mut self, answers: &mut Answers) {
        match below(13) {
            0..=4 => self.submit(false),
            5 | 6 => self.submit(true),
            7 => self.cancel(),
            8 if self.bells.len() < 3 => self.start_worker(),
            9 => {
                let id = 1 + below(self.record.next.load(Relaxed) as usize) as u64;
                drop(self.pool.claim_input(id));
            }
            10 => answers.turn(&self.record.events),
            11 if once_in(3) => {
                let most = 1 + below(3);
                self.pool.resize_scripts(below(most + 1), most, 1);
            }
            _ => self.look_after_workers(),
        }
    }
}

fn program() {
    let record = Record::new();
    let max_queue = if once_in(4) { 1 + below(4) } else { usize::MAX };
    let limit = TaskLimit { native: None, function: Some(String::new()), most: 1 + below(2) };
    let task_limits = if once_in(3) { vec![limit] } else { Vec::new() };
    let pool = Pool::new(Config { max_queue, task_limits, ..Config::default() }, Arc::new(NoTasks));
    pool.resize_scripts(0, 3, 1);
    let mut owner = Owner {
        record: Arc::clone(&record),
        pool: pool.clone(),
        started: 0,
        bells: HashMap::new(),
        ended: Arc::default(),
        asking: Arc::default(),
        orphans: Vec::new(),
        tokens: Vec::new(),
        is_forced: false,
    };
    let mut answers = Answers::default();
    let most = if once_in(8) { 60 } else { 12 };
    for _ in 0..2 + below(most) {
        owner.step(&mut answers);
    }
    // Now and then all jobs are answered before the pool closes.
    while once_in(2) && answers.0.len() < record.accepted.lock().unwrap().len() {
        owner.look_after_workers();
        let before = answers.0.len();
        answers.turn(&record.events);
        if before == answers.0.len() {
            record.events.bell.wait();
        }
    }
    let has_tokens = !owner.tokens.is_empty();
    if has_tokens && once_in(2) {
        owner.cancel();
    }
    owner.is_forced = once_in(2);
    record.close(&pool, owner.is_forced);
    while !record.has_closed() {
        owner.look_after_workers();
        answers.turn(&record.events);
        record.events.bell.wait();
    }
    answers.turn(&record.events);
    check(&owner, &answers);
}

fn check(owner: &Owner, answers: &Answers) {
    let accepted = owner.record.accepted.lock().unwrap();
    let began = owner.record.began.lock().unwrap();
    for (id, job) in accepted.iter() {
        let has_begun = began.contains(id);
        match answers.0.get(id).unwrap_or_else(|| panic!("{id} was not answered")) {
            Ok(value) => assert!(has_begun && *value == Value::Number(*id as f64), "{id}: {value:?}"),
            Err(error) => match error.code() {
                Code::TaskFailed => {}
                Code::TaskCancelled | Code::TaskTimeout => assert!(job.may_end_early, "{id}: {error}"),
                Code::PoolClosed => assert!(owner.is_forced, "{id}: {error}"),
                _ => panic!("{id}: {error}"),
            },
        }
    }
    assert_eq!(answers.0.len(), accepted.len(), "nothing else was answered");
    let stats = owner.pool.stats();
    let ended = stats.completed + stats.failed + stats.cancelled;
    assert_eq!((stats.submitted, ended), (accepted.len() as u64, accepted.len() as u64), "{stats:?}");
    assert_eq!((stats.queued, stats.running, stats.workers), (0, 0, 0), "{stats:?}");
}

#[test]
fn shuttle_jobs_of_scripts_are_answered_once_whatever_their_workers_do() {
    explore(program);
}
