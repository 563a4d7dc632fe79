//! Native tasks: by calls, by the intake, in batches and in parts.

use std::time::Duration;

use super::*;
use crate::cancel::{CancelToken, Reason};
use crate::error::{Code, Error};
use crate::pool::{Accepted, Batch, BatchInputs, Config, Execute, Helpers, IntakeMemory, Job, Pool};
use crate::pool::{PartWork, Target, TaskLimit};
use crate::sync::{Instant, thread};
use crate::value::Payload;

/// Gives its input back.
const ECHO: usize = 0;
/// So does this one, and lets other threads run meanwhile, as often as it takes to be late.
const YIELD: usize = 1;
const FAIL: usize = 2;
const PANIC: usize = 3;
const SLEEP: usize = 4;
/// Does three parts, with other threads.
const SPLIT: usize = 5;
const TASKS: usize = 6;
/// Sleeps until it is cancelled.
const HANG: usize = 6;
/// Ends when all other tasks have been answered.
const BLOCK: usize = 7;

struct Task {
    number: usize,
    priority: i32,
    /// Who has submitted it.
    by: usize,
    /// How many inputs a batch has, whose ids come after its own.
    items: u64,
    may_end_early: bool,
    key: Option<usize>,
}

type NativeRecord = Record<Task>;

struct RecordingTasks {
    record: Arc<NativeRecord>,
    /// Lets the task that blocks end.
    release: Arc<Bell>,
    /// Whether one task that yields may run at a time.
    is_limited: bool,
}

/// In the place of a key: the task that yields, where only one may run.
const LIMITED: usize = usize::MAX;

/// A task that is under way, until it is dropped.
struct Inside<'a>(&'a NativeRecord, u64);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.leaves(self.1);
    }
}

fn id_of(input: &Value) -> u64 {
    match input {
        Value::Number(id) => *id as u64,
        Value::Array(values) => id_of(&values[0]),
        other => panic!("no input of these tests: {other:?}"),
    }
}

impl Execute for RecordingTasks {
    fn execute(
        &self,
        task: usize,
        input: Payload,
        token: &CancelToken,
        helpers: &dyn Helpers,
    ) -> Result<Value> {
        let input = input.into_value()?;
        let id = id_of(&input);
        self.record.begins(id);
        let key = self.record.accepted.lock().unwrap().get(&id).and_then(|task| task.key);
        let _inside = Inside(&self.record, id);
        key.into_iter().for_each(|key| self.record.enters(key, id));
        if self.is_limited && task == YIELD {
            self.record.enters(LIMITED, id);
        }
        match task {
            ECHO => {}
            YIELD => {
                for _ in 0..3 {
                    thread::yield_now();
                    token.check()?;
                }
            }
            FAIL => return Err(Error::new(Code::TaskFailed, "on purpose")),
            // Without the hook, which would report it as a failure.
            PANIC => std::panic::resume_unwind(Box::new("on purpose")),
            SLEEP => token.sleep(Duration::from_micros(300))?,
            HANG => token.sleep(Duration::from_secs(3600))?,
            BLOCK => self.release.wait(),
            SPLIT => {
                let done = Arc::new(StdMutex::new(Vec::new()));
                let work: PartWork = {
                    let done = Arc::clone(&done);
                    Arc::new(move |part, _| {
                        thread::yield_now();
                        done.lock().unwrap().push(part);
                        Ok(())
                    })
                };
                helpers.parallel_for(3, work, token)?;
                let mut done = done.lock().unwrap();
                done.sort_unstable();
                assert_eq!(*done, [0, 1, 2], "each part once");
            }
            _ => panic!("no task"),
        }
        Ok(input)
    }

    fn name(&self, _: usize) -> &str {
        "a task"
    }
}

/// One that submits to the pool.
struct Submitter {
    record: Arc<NativeRecord>,
    pool: Pool,
    by: usize,
    /// Of the owner, unless the queue has a limit.
    intake: Option<Arc<IntakeMemory>>,
    tail: u32,
    /// Whether it has put something into the intake of which it must make a call yet.
    must_call: bool,
    cancellable: Vec<(Accepted, CancelToken)>,
    hanging: Vec<(Accepted, CancelToken)>,
    /// Whether it changes the size of the pool.
    resizes: bool,
}

impl Submitter {
    fn task(&self, number: usize, priority: i32, may_end_early: bool) -> Task {
        Task { number, priority, by: self.by, items: 0, may_end_early, key: None }
    }

    fn submit(&mut self, number: usize) {
        let deadline = once_in(4).then(|| Instant::now() + Duration::from_micros(20));
        let token = once_in(2).then(|| CancelToken::new(deadline));
        let priority = if once_in(3) { below(3) as i32 - 1 } else { 0 };
        // Those of a key would wait for each other, whatever their priorities, and for ever for the one that blocks.
        let key = (priority == 0 && number != BLOCK && once_in(3)).then(|| below(2));
        let accepted = self.offer(number, priority, token.as_ref(), key);
        self.cancellable.extend(accepted.zip(token));
    }

    fn submit_hanging(&mut self) {
        let token = CancelToken::new(None);
        let accepted = self.offer(HANG, 0, Some(&token), None);
        self.hanging.extend(accepted.map(|accepted| (accepted, token)));
    }

    /// Submits a task by a call; `None` where it is refused.
    fn offer(
        &self,
        number: usize,
        priority: i32,
        token: Option<&CancelToken>,
        key: Option<usize>,
    ) -> Option<Accepted> {
        let id = self.record.next_ids(1);
        self.record.accept(id, Task { key, ..self.task(number, priority, token.is_some()) });
        let input = Payload::Value(Value::Number(id as f64));
        let mut job = Job::new(id, self.record.outbox, number, input, token.cloned());
        if let Some(key) = key {
            job = job.keyed(format!("{key}"));
        }
        self.pool
            .submit(job, priority, Target::Native)
            .map_err(|refused| {
                assert!(matches!(refused.error.code(), Code::QueueFull | Code::PoolClosed));
                self.record.refused(id);
                refused.submission.into_reply().forget();
            })
            .ok()
    }

    fn end_hanging(&mut self) {
        for (accepted, token) in std::mem::take(&mut self.hanging) {
            self.pool.cancel(accepted.position, &token, Reason::Cancelled);
        }
    }

    fn submit_batch(&mut self) {
        let items = 1 + below(4);
        let id = self.record.next_ids(1 + items);
        let (token, number) = (CancelToken::new(None), [ECHO, YIELD, FAIL][below(3)]);
        let task = Task { items: items as u64, ..self.task(number, 0, true) };
        self.record.accept(id, task);
        let inputs = (1..=items).map(|item| Value::Number((id + item as u64) as f64)).collect();
        let inputs = BatchInputs::Array(Payload::Value(Value::Array(inputs)));
        let batch = Arc::new(Batch::new(id, self.record.outbox, number, 0, inputs, items, token.clone()));
        match self.pool.submit_batch(batch) {
            Ok(accepted) => self.cancellable.push((accepted, token)),
            Err(refused) => {
                self.record.refused(id);
                refused.submission.disown();
            }
        }
    }

    fn make_room(&self, intake: &IntakeMemory) {
        if !intake.has_room(self.tail) {
            self.pool.look_at_intake();
            assert!(intake.has_room(self.tail), "the ring was emptied");
        }
    }

    fn was_put(&mut self, needs_call: bool) {
        self.tail = self.tail.wrapping_add(1);
        self.must_call |= needs_call;
        // At once, or at the end of the owner's turn.
        if once_in(2) {
            self.end_turn();
        }
    }

    /// What JavaScript does before its thread goes back to the event loop.
    fn end_turn(&mut self) {
        if std::mem::take(&mut self.must_call) {
            self.pool.look_at_intake();
        }
    }

    fn put(&mut self, number: usize) {
        let Some(intake) = self.intake.clone() else { return self.submit(number) };
        let id = self.record.next_ids(1);
        self.record.accept(id, self.task(number, 0, false));
        self.make_room(&intake);
        let needs_call = intake.put(self.tail, id, number, Some(id as f64));
        self.was_put(needs_call);
    }

    fn deposit(&mut self, number: usize) {
        let Some(intake) = self.intake.clone() else { return self.submit(number) };
        let id = self.record.next_ids(1);
        self.record.accept(id, self.task(number, 0, false));
        let input = Payload::Value(Value::Array(vec![Value::Number(id as f64)]));
        let outbox = self.record.outbox;
        assert!(self.pool.deposit(|made| Job::to_deposit(id, outbox, number, input, made)));
        self.make_room(&intake);
        let needs_call = intake.put_deposit(self.tail);
        self.was_put(needs_call);
    }

    fn cancel(&mut self) {
        if self.cancellable.is_empty() {
            return;
        }
        let (accepted, token) = self.cancellable.swap_remove(below(self.cancellable.len()));
        if once_in(2) {
            token.cancel(Reason::Cancelled);
            self.pool.take_out(&[accepted.position], Reason::Cancelled, |_| {});
        } else {
            self.pool.cancel(accepted.position, &token, Reason::Cancelled);
        }
    }

    fn step(&mut self) {
        match below(18) {
            0..=3 => self.put(ECHO),
            4 => self.put(below(TASKS)),
            5 | 6 => self.deposit(if once_in(2) { ECHO } else { below(TASKS) }),
            7..=9 => self.submit(below(TASKS)),
            10 => self.submit_batch(),
            11 | 12 => self.cancel(),
            13 => {
                let stats = self.pool.stats();
                let ended = stats.completed + stats.failed + stats.cancelled;
                assert!(ended <= stats.submitted && stats.idle <= stats.threads, "{stats:?}");
            }
            14 => {
                self.pool.refusal(crate::pool::Taker::Native);
            }
            15 => self.submit_hanging(),
            16 if self.resizes => {
                let max = 1 + below(3);
                self.pool.resize(below(max + 1), max, 0);
            }
            _ => thread::yield_now(),
        }
    }
}

fn program() {
    let record = NativeRecord::new();
    let max_threads = 1 + below(3);
    let limit = TaskLimit { native: Some(YIELD), function: None, most: 1 };
    let config = Config {
        max_threads,
        min_threads: below(max_threads + 1),
        idle_timeout: Duration::from_micros([500, 3_600_000_000][below(2)]),
        max_queue: if once_in(4) { below(4) } else { usize::MAX },
        task_limits: if once_in(3) { vec![limit] } else { Vec::new() },
        stack_size: STACK,
        name: String::new(),
        ..Config::default()
    };
    let resizes = once_in(2);
    let has_intake = config.max_queue == usize::MAX;
    let release = Arc::new(Bell::new());
    let is_limited = !config.task_limits.is_empty();
    let tasks = RecordingTasks { record: Arc::clone(&record), release: Arc::clone(&release), is_limited };
    let pool = Pool::new(config, Arc::new(tasks));
    for task in [ECHO, YIELD, FAIL, PANIC, SLEEP, BLOCK] {
        if once_in(2) {
            pool.0.estimates.learn(task, 1, 100);
        }
    }
    let intake = has_intake.then(|| pool.open_intake(record.outbox).expect("the first"));
    let submitter = |by, intake| Submitter {
        record: Arc::clone(&record),
        pool: pool.clone(),
        by,
        intake,
        tail: 0,
        must_call: false,
        cancellable: Vec::new(),
        hanging: Vec::new(),
        resizes,
    };
    let mut owner = submitter(0, intake);
    let other = once_in(3).then(|| {
        let mut other = submitter(1, None);
        thread::spawn(move || {
            for _ in 0..1 + below(4) {
                other.step();
            }
            other.end_hanging();
            // A pool with an intake is closed by its owner.
            if !has_intake && once_in(4) {
                other.record.close(&other.pool, once_in(2));
            }
        })
    });
    let mut answers = Answers::default();
    for _ in 0..2 + below(12) {
        match below(8) {
            0 => answers.turn(&record.events),
            1 if answers.0.len() < record.accepted.lock().unwrap().len() => {
                owner.end_turn();
                owner.end_hanging();
                wait_for_answer(&record, &mut answers, other.is_some());
            }
            _ => owner.step(),
        }
    }
    // It needs a second thread.
    if max_threads > 1 && !resizes && once_in(4) {
        owner.end_hanging();
        block_one_thread(&mut owner, &mut answers, &release, other.is_none());
    }
    let forced = once_in(2);
    if !forced || once_in(2) {
        owner.end_hanging();
    }
    let mut other = other;
    if once_in(2) {
        // What it submits is accepted.
        other.take().map_or(Ok(()), thread::JoinHandle::join).unwrap();
    }
    record.close(&pool, forced);
    if !forced && once_in(4) {
        record.close(&pool, true);
    }
    other.map_or(Ok(()), thread::JoinHandle::join).unwrap();
    while !record.has_closed() {
        record.events.bell.wait();
    }
    answers.turn(&record.events);
    check(&record, &pool, &answers, if resizes { 3 } else { max_threads });
}

/// A task that was taken for a short one does not end, and holds nobody behind it.
fn block_one_thread(owner: &mut Submitter, answers: &mut Answers, release: &Bell, is_alone: bool) {
    let record = Arc::clone(&owner.record);
    owner.put(BLOCK);
    for _ in 0..below(4) {
        if once_in(2) { owner.put(ECHO) } else { owner.deposit(ECHO) }
    }
    owner.end_turn();
    // Others may still submit, and be refused.
    while is_alone && answers.0.len() + 1 < record.accepted.lock().unwrap().len() {
        answers.wait(&record.events);
    }
    release.ring();
}

/// Waits for one answer, where one is certain to come.
fn wait_for_answer(record: &NativeRecord, answers: &mut Answers, others_submit: bool) {
    // Tasks of another thread may still be refused.
    let own = record.accepted.lock().unwrap().iter().filter(|(_, task)| task.by == 0).count();
    let read = answers.0.keys().filter(|id| record.accepted.lock().unwrap()[id].by == 0).count();
    if own > read || !others_submit {
        let before = answers.0.len();
        while answers.0.len() == before {
            answers.wait(&record.events);
        }
    }
}

fn check(record: &NativeRecord, pool: &Pool, answers: &Answers, max_threads: usize) {
    let accepted = record.accepted.lock().unwrap();
    let began = record.began.lock().unwrap();
    assert_eq!(record.closed_after.load(Relaxed), accepted.len(), "it has closed after the last answer");
    let (mut submitted, mut exact, mut ended) = (0, true, [0_u64; 3]);
    for (id, task) in accepted.iter() {
        let answer = answers.0.get(id).unwrap_or_else(|| panic!("{id} was not answered"));
        let has_begun = if task.items > 0 {
            (1..=task.items).all(|item| began.contains(&(id + item)))
        } else {
            began.contains(id)
        };
        submitted += task.items.max(1);
        // Of a batch that has failed or was stopped, some inputs may have run.
        exact &= task.items == 0 || answer.is_ok();
        match answer {
            Ok(value) => {
                assert!(has_begun && !matches!(task.number, FAIL | PANIC), "{id}: {value:?}");
                match value {
                    Value::Array(outputs) if task.items > 0 => {
                        let ids: Vec<u64> = outputs.iter().map(id_of).collect();
                        assert_eq!(ids, (id + 1..=id + task.items).collect::<Vec<u64>>());
                    }
                    value => assert_eq!(id_of(value), *id),
                }
                ended[0] += task.items.max(1);
            }
            Err(error) => match error.code() {
                Code::TaskFailed => {
                    assert!(task.number == FAIL && (has_begun || task.items > 0), "{id}: {error}");
                    ended[1] += 1;
                }
                Code::TaskPanicked => {
                    assert!(task.number == PANIC && has_begun, "{id}: {error}");
                    ended[1] += 1;
                }
                Code::TaskCancelled | Code::TaskTimeout => {
                    assert!(task.may_end_early, "{id}: {error}");
                    ended[2] += 1;
                }
                Code::PoolClosed => {
                    assert!(record.is_forced.load(Relaxed), "{id}: {error}");
                    ended[2] += 1;
                }
                _ => panic!("{id}: {error}"),
            },
        }
    }
    assert_eq!(answers.0.len(), accepted.len(), "nothing else was answered");
    let stats = pool.stats();
    assert_eq!(stats.submitted, submitted, "{stats:?}");
    let counted = [stats.completed, stats.failed, stats.cancelled];
    assert_eq!(counted.iter().sum::<u64>(), submitted, "{stats:?}");
    assert!(!exact || counted == ended, "{stats:?} {ended:?}");
    assert_eq!((stats.queued, stats.running, stats.threads, stats.idle), (0, 0, 0, 0), "{stats:?}");
    if max_threads == 1 {
        let mut last = HashMap::new();
        for id in began.iter() {
            let Some(task) = accepted.get(id) else { continue };
            if let Some(before) = last.insert((task.by, task.priority), *id) {
                assert!(before < *id, "{id} has begun after {before}");
            }
        }
    }
}

#[test]
fn shuttle_native_tasks_are_answered_once_and_in_order() {
    explore(program);
}
