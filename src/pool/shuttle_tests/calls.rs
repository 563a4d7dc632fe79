//! Native tasks that call functions, which run native tasks of the same pool and wait for them: no pool stands still.

use std::collections::{HashMap, VecDeque};

use super::*;
use crate::cancel::{CancelToken, Reason};
use crate::error::Code;
use crate::pool::{Asked, Config, Execute, Helpers, Job, Target, WaitedBy, Waiter};
use crate::sync::thread;
use crate::value::Payload;

/// Gives its input back.
const ECHO: usize = 0;
/// Calls a function, once or twice.
const CALL: usize = 1;

struct CallingTasks;

impl Execute for CallingTasks {
    fn execute(
        &self,
        task: usize,
        input: Payload,
        token: &CancelToken,
        helpers: &dyn Helpers,
    ) -> Result<Value> {
        let input = input.into_value()?;
        if task == CALL {
            for _ in 0..1 + below(2) {
                // What the function throws does not matter here; why it was not called does.
                let _ = helpers.call("function", Value::Null, token)?;
            }
        } else {
            thread::yield_now();
        }
        Ok(input)
    }

    fn name(&self, _: usize) -> &str {
        "a task"
    }
}

enum Message {
    Settled(u64, Result<Value>),
    Call(u64, Asked),
    Closed,
}

#[derive(Default)]
struct Inbox {
    messages: StdMutex<VecDeque<Message>>,
}

struct Owner(StdMutex<Option<(Arc<Inbox>, Arc<Bell>)>>);

thread_local! {
    static OWNER: &'static Owner = Box::leak(Box::new(Owner(StdMutex::new(None))));
}

impl Owner {
    fn push(&self, message: Message) {
        let (inbox, bell) = self.0.lock().unwrap().clone().expect("an execution is under way");
        inbox.messages.lock().unwrap().push_back(message);
        bell.ring();
    }
}

impl Outbox for Owner {
    fn settle(&self, _: usize, id: u64, outcome: Result<Value>) {
        self.push(Message::Settled(id, outcome));
    }

    fn call(&self, _: usize, asked: Asked, payload: Payload) {
        let Ok(Value::Array(parts)) = payload.into_value() else { panic!("an array") };
        let Value::Number(task) = parts[0] else { panic!("the task's id") };
        self.push(Message::Call(task as u64, asked));
    }
}

struct Program {
    pool: Pool,
    outbox: &'static Owner,
    next: u64,
    /// Tasks under way, with their tokens where they have some.
    open: HashMap<u64, Option<CancelToken>>,
    /// Calls whose function waits for the task of this id.
    waiting: HashMap<u64, Asked>,
    refused: usize,
}

impl Program {
    fn submit(&mut self, task: usize, waiter: Option<u64>) -> Option<u64> {
        self.next += 1;
        let id = self.next;
        // As what is submitted in a worker, a nested task can be stopped.
        let token = (waiter.is_some() || once_in(2)).then(|| CancelToken::new(None));
        let mut job =
            Job::new(id, self.outbox, task, Payload::Value(Value::Number(id as f64)), token.clone());
        if let Some(waiter) = waiter {
            job = job.waited_by(WaitedBy { waiter: Waiter::Job(waiter), blocks: false });
        }
        if once_in(4) {
            job = job.keyed(format!("{}", below(2)));
        }
        match self.pool.submit(job, 0, Target::Native) {
            Ok(_) => {
                self.open.insert(id, token);
                Some(id)
            }
            Err(refused) => {
                assert!(
                    matches!(refused.error.code(), Code::Deadlock | Code::PoolClosed),
                    "{}",
                    refused.error
                );
                assert!(waiter.is_some() || refused.error.code() == Code::PoolClosed);
                self.refused += 1;
                refused.submission.into_reply().forget();
                None
            }
        }
    }

    /// What the function does.
    fn called(&mut self, task: u64, asked: Asked) {
        match below(8) {
            0 => drop(asked),
            1 => asked.answer(Ok(Err(Payload::Value(Value::Null)))),
            2 | 3 => asked.answer(Ok(Ok(Payload::Value(Value::Null)))),
            _ => {
                let nested = if once_in(2) && self.next < 14 { CALL } else { ECHO };
                match self.submit(nested, Some(task)) {
                    Some(id) => drop(self.waiting.insert(id, asked)),
                    None => asked.answer(Ok(Err(Payload::Value(Value::Null)))),
                }
            }
        }
    }

    fn read(&mut self, message: Message) -> bool {
        match message {
            Message::Call(task, asked) => self.called(task, asked),
            Message::Closed => return true,
            Message::Settled(id, outcome) => {
                assert!(self.open.remove(&id).is_some(), "{id} is answered once");
                if let Some(asked) = self.waiting.remove(&id) {
                    asked.answer(outcome.map(|value| Ok(Payload::Value(value))));
                }
            }
        }
        false
    }
}

fn program() {
    let (inbox, bell) = (Arc::new(Inbox::default()), Arc::new(Bell::new()));
    let outbox = OWNER.with(|owner| *owner);
    *outbox.0.lock().unwrap() = Some((Arc::clone(&inbox), Arc::clone(&bell)));
    let config = Config {
        max_threads: 1 + below(2),
        idle_timeout: std::time::Duration::from_micros([500, 3_600_000_000][below(2)]),
        stack_size: STACK,
        name: String::new(),
        ..Config::default()
    };
    let pool = Pool::new(config, Arc::new(CallingTasks));
    if once_in(2) {
        pool.0.estimates.learn(CALL, 1, 100);
        pool.0.estimates.learn(ECHO, 1, 100);
    }
    let (open, waiting) = (HashMap::new(), HashMap::new());
    let mut program = Program { pool: pool.clone(), outbox, next: 0, open, waiting, refused: 0 };
    for _ in 0..2 + below(5) {
        program.submit(if once_in(4) { ECHO } else { CALL }, None);
    }
    let (mut left, mut is_closing) = (below(4), false);
    loop {
        let message = inbox.messages.lock().unwrap().pop_front();
        if let Some(message) = message {
            if program.read(message) {
                break;
            }
            if left > 0 && once_in(3) {
                left -= 1;
                match below(3) {
                    0 => drop(program.submit(CALL, None)),
                    1 => {
                        if let Some(token) = program.open.values().flatten().next() {
                            token.cancel(Reason::Cancelled);
                        }
                    }
                    _ => pool.resize(0, 1 + below(2), 0),
                }
            }
            continue;
        }
        // Also while tasks call: a pool that closes finishes them.
        if !is_closing && (program.open.is_empty() || once_in(6)) {
            is_closing = true;
            let owner = outbox;
            pool.close(once_in(4), Some(Box::new(move || owner.push(Message::Closed))));
            left = 0;
            continue;
        }
        bell.wait();
    }
    assert!(program.open.is_empty(), "all are answered before it has closed: {:?}", program.open.keys());
    let stats = pool.stats();
    assert_eq!((stats.queued, stats.running, stats.threads, stats.idle), (0, 0, 0, 0), "{stats:?}");
    assert_eq!(pool.0.lock().threads.calling(), 0);
}

#[test]
fn shuttle_tasks_that_call_never_stop_the_pool() {
    explore(program);
}
