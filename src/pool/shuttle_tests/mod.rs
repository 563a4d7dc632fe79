//! A whole pool under random schedules (`.ci/shuttle`): random programs of what its owner and its threads do, of which every step is
//! chosen by shuttle. `native` has the native tasks, `calls` those that call functions, `scripts` the jobs of scripts.
//!
//! A failure prints its schedule: put it into a file, and name that in `RW_SHUTTLE_REPLAY`, to run that one again.

mod calls;
mod native;
mod scripts;

use std::collections::HashMap;
use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

use shuttle::rand::{Rng, thread_rng};
use shuttle::scheduler::{PctScheduler, RandomScheduler};

use super::{Outbox, Pool};
use crate::error::Result;
use crate::lines::{Lines, Pushed};
use crate::sync::{Arc, Condvar, Mutex, thread};
use crate::value::Value;

/// Runs a program under many schedules: shuttle's random ones, and those of PCT, which has few changes between threads.
pub(crate) fn explore(program: fn()) {
    let program = move || {
        // PCT refuses programs whose first run leaves it no choice between threads, and a random one may start none.
        let others = [(); 2].map(|()| thread::spawn(thread::yield_now));
        others.into_iter().for_each(|other| other.join().expect("it does nothing"));
        program();
    };
    let mut config = shuttle::Config::new();
    config.stack_size = STACK;
    config.silence_warnings = true;
    if let Ok(file) = std::env::var("RW_SHUTTLE_REPLAY") {
        return shuttle::replay_from_file(program, file);
    }
    let schedules =
        std::env::var("RW_SHUTTLE_SCHEDULES").map_or(2_000, |count| count.parse().expect("a number"));
    let random = RandomScheduler::new(schedules / 2);
    shuttle::Runner::new(random, config.clone()).run(program);
    let few_changes = PctScheduler::new(4, schedules - schedules / 2);
    shuttle::Runner::new(few_changes, config).run(program);
}

const STACK: usize = 256 * 1024;

/// A random number below `end`; part of the schedule.
pub(crate) fn below(end: usize) -> usize {
    thread_rng().gen_range(0..end)
}

/// Whether something that happens once in so many times happens now.
pub(crate) fn once_in(times: usize) -> bool {
    below(times) == 0
}

/// What a thread waits for: set once, and taken once.
struct Bell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Bell {
    fn new() -> Self {
        Bell { rung: Mutex::new(false), changed: Condvar::new() }
    }

    fn ring(&self) {
        *self.rung.lock() = true;
        self.changed.notify_one();
    }

    fn wait(&self) {
        let mut rung = self.rung.lock();
        while !*rung {
            self.changed.wait(&mut rung);
        }
        *rung = false;
    }
}

/// The event loop of the thread that owns a pool: where answers go. Only the owner reads.
struct EventLoop {
    lines: Lines<(u64, Result<Value>)>,
    bell: Bell,
    /// How many answers were given.
    settled: AtomicUsize,
}

impl EventLoop {
    fn push(&self, line: usize, id: u64, outcome: Result<Value>) {
        self.settled.fetch_add(1, Relaxed);
        match self.lines.push(line, (id, outcome)) {
            Pushed::Known => {}
            Pushed::Wake | Pushed::EndWait => self.bell.ring(),
            Pushed::Dropped => panic!("the event loop has not ended"),
        }
    }
}

/// The outbox of all executions of a test: it leads to the event loop of the present one. Outboxes live for ever.
struct Door(StdMutex<Option<Arc<EventLoop>>>);

thread_local! {
    static DOOR: &'static Door = Box::leak(Box::new(Door(StdMutex::new(None))));
}

impl Outbox for Door {
    fn settle(&self, line: usize, id: u64, outcome: Result<Value>) {
        let events = self.0.lock().unwrap().clone().expect("an execution is under way");
        events.push(line, id, outcome);
    }
}

/// What an execution knows of its tasks.
struct Record<T> {
    outbox: &'static Door,
    events: Arc<EventLoop>,
    next: AtomicU64,
    accepted: StdMutex<HashMap<u64, T>>,
    /// The ids of tasks in the order in which they began to run.
    began: StdMutex<Vec<u64>>,
    /// The task of each key that runs.
    of_keys: StdMutex<HashMap<usize, u64>>,
    /// How many answers there were when the pool had closed.
    closed_after: AtomicUsize,
    closed: AtomicBool,
    /// Whether it was closed by force.
    is_forced: AtomicBool,
}

impl<T> Record<T> {
    fn new() -> Arc<Self> {
        let (lines, bell) = (Lines::default(), Bell::new());
        let events = Arc::new(EventLoop { lines, bell, settled: AtomicUsize::new(0) });
        let outbox = DOOR.with(|door| *door);
        *outbox.0.lock().unwrap() = Some(Arc::clone(&events));
        Arc::new(Record {
            outbox,
            events,
            next: AtomicU64::new(1),
            accepted: StdMutex::new(HashMap::new()),
            began: StdMutex::new(Vec::new()),
            of_keys: StdMutex::default(),
            closed_after: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            is_forced: AtomicBool::new(false),
        })
    }

    fn next_ids(&self, count: usize) -> u64 {
        self.next.fetch_add(count as u64, Relaxed)
    }

    /// A task will be submitted: it may begin before the call that submits it has returned.
    fn accept(&self, id: u64, task: T) {
        self.accepted.lock().unwrap().insert(id, task);
    }

    fn refused(&self, id: u64) -> T {
        self.accepted.lock().unwrap().remove(&id).expect("it was submitted")
    }

    fn begins(&self, id: u64) {
        let mut began = self.began.lock().unwrap();
        assert!(!began.contains(&id), "{id} runs twice");
        began.push(id);
    }

    /// A task of a key begins: no other of that key may run.
    fn enters(&self, key: usize, id: u64) {
        let other = self.of_keys.lock().unwrap().insert(key, id);
        assert_eq!(other, None, "{id} and another of the key {key} run at a time");
    }

    /// A task ends, if it has a key.
    fn leaves(&self, id: u64) {
        self.of_keys.lock().unwrap().retain(|_, other| *other != id);
    }

    fn has_closed(&self) -> bool {
        self.closed.load(Relaxed)
    }

    fn close(self: &Arc<Self>, pool: &Pool, force: bool)
    where
        T: Send + 'static,
    {
        self.is_forced.fetch_or(force, Relaxed);
        let record = Arc::clone(self);
        let when_closed = move || {
            record.closed_after.store(record.events.settled.load(Relaxed), Relaxed);
            record.closed.store(true, Relaxed);
            record.events.bell.ring();
        };
        pool.close(force, Some(Box::new(when_closed)));
    }
}

/// The answers that the owner has read.
#[derive(Default)]
struct Answers(HashMap<u64, Result<Value>>);

impl Answers {
    /// A turn of the owner's event loop: reads what there is. The loop is asleep afterwards.
    fn turn(&mut self, events: &EventLoop) {
        let (mut batch, mut spare) = (Vec::new(), Vec::new());
        loop {
            events.lines.take(&mut batch, &mut spare);
            self.read(batch.drain(..));
            if !events.lines.rest() {
                return;
            }
        }
    }

    fn read(&mut self, batch: impl IntoIterator<Item = (u64, Result<Value>)>) {
        for (id, outcome) in batch {
            assert!(self.0.insert(id, outcome).is_none(), "{id} was answered twice");
        }
    }

    /// Waits in its event loop until the next answers have come, or in place as `receiveSync` does.
    fn wait(&mut self, events: &EventLoop) {
        let before = self.0.len();
        self.turn(events);
        if self.0.len() > before {
            return;
        }
        if once_in(3) {
            let mut batch = Vec::new();
            events.lines.take(&mut batch, &mut Vec::new());
            if batch.is_empty() && events.lines.begin_wait() {
                events.bell.wait();
            }
            self.read(batch);
        } else {
            events.bell.wait();
        }
        self.turn(events);
    }
}
