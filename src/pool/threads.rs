//! The pool's state and the rules by which its threads start, sleep, wake and end.
//!
//! # The protocol
//! Everything below is decided under one lock. A thread is in one of four states:
//!
//! * **starting** — it looks at the queue first thing. Not a claim: a parked thread that wakes by itself would take it.
//! * **running** — it holds work.
//! * **searching** — it found the queue empty and looks at [`Shared::hint`] for a moment before it sleeps. At most
//!   one thread searches, so an idle pool burns one core for some microseconds and not all of them.
//! * **parked** — it sleeps on the condition variable.
//! * **claimed** — it was parked, and a submitter has already counted it out of the parked ones. The claim, not
//!   the notification, is what counts: a thread that wakes takes a claim if there is one, else it sleeps on.
//!
//! *Lost wake-up.* A submitter pushes under the lock and then wakes somebody unless a thread is searching. A searcher
//! that gives up re-checks the queue under the same lock before it parks, so a push is seen by the searcher or sees
//! it parked.
//!
//! *One wakes the next.* A searcher that finds work stops searching; if more work waits it wakes another thread
//! before it runs its own. So a burst wakes threads one after the other, and the submitting thread, which is a
//! JavaScript thread, pays for one wake at the most.
//!
//! *Time-out against claim.* A parked thread whose idle time is up ends only if it is not claimed: claims and
//! parked threads are counted, and a thread that leaves takes itself out of `parked`.

use std::time::{Duration, Instant};

use super::batch::Batch;
use super::job::Job;
use super::parallel_for::{ParallelFor, Work};
use super::queue::{Entry, Line, Queue, Ticket};
use super::scripts::Scripts;
use super::stats::{Stats, Tally};
use super::{Config, worker};
use crate::cancel::{CancelToken, Reason};
use crate::error::{Code, Error, Result};
use crate::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering};
use crate::sync::{Arc, Condvar, Mutex, MutexGuard, wait_for};
use crate::tasks::Registry;

/// A pool of native threads over one queue. Cheap to clone; all clones are the same pool.
#[derive(Clone)]
pub struct Pool(pub(super) Arc<Shared>);

/// A submission that was accepted.
#[derive(Debug, Clone, Copy)]
pub struct Accepted {
    /// Its place, for cancelling.
    pub ticket: Ticket,
    /// Whether the queue is full now: the next submission would be refused.
    pub full: bool,
}

/// A submission that was not accepted, with what was submitted.
pub struct Refusal<T> {
    /// Why.
    pub error: Error,
    /// What was submitted.
    pub refused: T,
}

pub(super) struct Shared {
    pub(super) config: Config,
    pub(super) registry: Arc<Registry>,
    made: Instant,
    /// Tasks that were cancelled before any thread had taken them.
    given_up: AtomicU64,
    seen: Seen,
    pub(super) state: Mutex<State>,
    work: Condvar,
    /// Where script workers wait in place.
    pub(super) script_work: Condvar,
}

/// What of the queue can be read without the lock. On cache lines of its own: every submission writes it, and what
/// stands beside it in [`Shared`] is read for every task.
#[repr(align(128))]
struct Seen {
    /// Entries in the queue: for a searching thread.
    hint: AtomicUsize,
    /// The highest priority that waits: for a thread inside a batch.
    top: AtomicI32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// No new work; what was accepted is finished.
    Draining,
}

/// Where one thread stands. Places are used again, and keep what their threads have counted.
struct Place {
    doing: Doing,
    tally: Arc<Tally>,
    /// Stops what runs here when the pool is closed by force: the token of jobs that have none of their own.
    stop: CancelToken,
}

enum Doing {
    /// No thread.
    Vacant,
    Nothing,
    /// Work without a token of its own, or with this one.
    Work(Option<CancelToken>),
    /// Part of another thread's work, with this token.
    Help(CancelToken),
}

/// What a thread needs to know of its place.
pub(super) struct Seat {
    pub(super) number: usize,
    pub(super) tally: Arc<Tally>,
    pub(super) stop: CancelToken,
    /// When the pool was made. Here since where the pool has it every submission writes.
    made: Instant,
}

impl Seat {
    /// How old the pool is.
    pub(super) fn pool_age(&self) -> Duration {
        self.made.elapsed()
    }

    /// How old the pool was at that time.
    pub(super) fn pool_age_at(&self, time: Instant) -> Duration {
        time.saturating_duration_since(self.made)
    }
}

pub(super) struct State {
    queue: Queue,
    /// The line of the script workers, and they themselves.
    pub(super) scripts: Scripts,
    /// Forks that want help, once for each thread they want; before the queue, as they are work begun.
    help: std::collections::VecDeque<Arc<ParallelFor>>,
    pub(super) phase: Phase,
    threads: usize,
    searching: bool,
    parked: usize,
    claims: usize,
    /// Threads that were started and have not looked at the queue yet.
    starting: usize,
    /// Places that are running.
    busy: usize,
    places: Vec<Place>,
    pub(super) submitted: u64,
    when_closed: Vec<Box<dyn FnOnce() + Send>>,
    /// Calls of `close` that are answering what they took from the queue: the pool has not closed before.
    answering: usize,
}

impl Pool {
    /// A pool that runs the tasks of `registry`. Threads start when there is work for them.
    pub fn new(config: Config, registry: Arc<Registry>) -> Self {
        let state = State {
            queue: Queue::new(),
            scripts: Scripts::new(),
            help: std::collections::VecDeque::new(),
            phase: Phase::Open,
            threads: 0,
            searching: false,
            parked: 0,
            claims: 0,
            starting: 0,
            busy: 0,
            places: Vec::new(),
            submitted: 0,
            when_closed: Vec::new(),
            answering: 0,
        };
        Pool(Arc::new(Shared {
            config,
            registry,
            seen: Seen { hint: AtomicUsize::new(0), top: AtomicI32::new(i32::MIN) },
            made: Instant::now(),
            given_up: AtomicU64::new(0),
            state: Mutex::new(state),
            work: Condvar::new(),
            script_work: Condvar::new(),
        }))
    }

    /// The tasks it runs.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// Queues a job; higher `priority` first. Refused when the queue is full, the pool is closing, or the system
    /// gives it no thread at all.
    // The refusal hands the whole job back; it is the rare path.
    #[allow(clippy::result_large_err)]
    pub fn submit(&self, job: Job, priority: i32) -> Result<Accepted, Refusal<Job>> {
        self.push(Entry::Job(job), priority, 1).map_err(|(error, entry)| match entry {
            Entry::Job(refused) => Refusal { error, refused },
            Entry::Batch(_) | Entry::Help(_) => unreachable!("a job went in"),
        })
    }

    /// Queues a batch, as one entry.
    pub fn submit_batch(&self, batch: Arc<Batch>) -> Result<Accepted, Refusal<Arc<Batch>>> {
        let (count, priority) = (batch.waiting(), batch.priority);
        self.push(Entry::Batch(batch), priority, count).map_err(|(error, entry)| match entry {
            Entry::Batch(refused) => Refusal { error, refused },
            Entry::Job(_) | Entry::Help(_) => unreachable!("a batch went in"),
        })
    }

    #[allow(clippy::result_large_err)]
    fn push(&self, entry: Entry, priority: i32, tasks: usize) -> Result<Accepted, (Error, Entry)> {
        let shared = &*self.0;
        let mut state = shared.state.lock();
        if state.phase != Phase::Open {
            return Err((Error::new(Code::PoolClosed, "the pool is closed and takes no more tasks"), entry));
        }
        if state.threads == 0
            && let Err(error) = self.start_thread(&mut state)
        {
            return Err((error, entry));
        }
        let limit = state.native_limit(&shared.config);
        if let Some(error) = shared.native_refusal(&state, limit) {
            return Err((error, entry));
        }
        let batch = if let Entry::Batch(batch) = &entry { Some(Arc::clone(batch)) } else { None };
        let ticket = state.queue.push(priority, entry);
        if let Some(batch) = batch {
            batch.queued_as(ticket);
        }
        let full = state.is_full(limit);
        state.submitted += tasks as u64;
        shared.note_len(&state);
        self.wake_one(state);
        Ok(Accepted { ticket, full })
    }

    /// Makes sure that somebody looks at the queue: a searcher, a parked thread, or a new one.
    fn wake_one(&self, mut state: MutexGuard<'_, State>) {
        let shared = &*self.0;
        if state.searching || state.waiting() <= state.claims + state.starting {
            return;
        }
        if state.parked > 0 {
            state.parked -= 1;
            state.claims += 1;
            drop(state);
            shared.work.notify_one();
        } else if state.threads < shared.config.max_threads {
            // Without a further thread the pool still works: those that run take this up later.
            let _ = self.start_thread(&mut state);
        }
    }

    fn start_thread(&self, state: &mut State) -> Result<()> {
        let vacant = state.places.iter().position(|place| matches!(place.doing, Doing::Vacant));
        let number = vacant.unwrap_or_else(|| {
            let stop = CancelToken::new(None);
            state.places.push(Place { doing: Doing::Vacant, tally: Arc::default(), stop });
            state.places.len() - 1
        });
        let place = &mut state.places[number];
        let (tally, stop) = (Arc::clone(&place.tally), place.stop.clone());
        let seat = Seat { number, tally, stop, made: self.0.made };
        let pool = self.clone();
        let started = std::thread::Builder::new()
            .name(format!("{}-{number}", self.0.config.name))
            .stack_size(self.0.config.stack_size)
            .spawn(move || worker::run(&pool, &seat));
        match started {
            Ok(_) => {
                place.doing = Doing::Nothing;
                state.threads += 1;
                state.starting += 1;
                Ok(())
            }
            Err(error) => Err(Error::new(
                Code::ThreadSpawn,
                format!(
                    "the system gave the pool no thread ({error}); lower maxThreads or stackSize, or raise the limit"
                ),
            )),
        }
    }

    /// The next work for thread `number`, which waits for it here; `None` when the thread should end.
    /// `fresh` on a thread's first call.
    pub(super) fn next(&self, number: usize, fresh: bool) -> Option<Entry> {
        let shared = &*self.0;
        let mut state = shared.state.lock();
        let place = &mut state.places[number];
        if !matches!(std::mem::replace(&mut place.doing, Doing::Nothing), Doing::Vacant | Doing::Nothing) {
            state.busy -= 1;
        }
        if fresh {
            state.starting -= 1;
        }
        let mut searched = false;
        loop {
            let help = state.help.pop_front().map(Entry::Help);
            if let Some(entry) = help.or_else(|| state.queue.pop()) {
                shared.note_len(&state);
                // Of a batch it has nothing before it takes some, which another thread may have done.
                let holds_nothing = matches!(entry, Entry::Batch(_));
                state.places[number].tally.set_answered(holds_nothing);
                state.places[number].doing = match &entry {
                    Entry::Job(job) => Doing::Work(job.token.clone()),
                    Entry::Batch(batch) => Doing::Work(Some(batch.token.clone())),
                    Entry::Help(fork) => Doing::Help(fork.token.clone()),
                };
                state.busy += 1;
                // One wakes the next (see the head of this file).
                self.wake_one(state);
                return Some(entry);
            }
            if state.phase == Phase::Draining {
                return self.end_thread(number, state);
            }
            if !searched && !state.searching && shared.config.spins() {
                searched = true;
                state.searching = true;
                drop(state);
                shared.search();
                state = shared.state.lock();
                state.searching = false;
                continue;
            }
            state.parked += 1;
            let may_end = state.threads > shared.config.min_threads;
            let timed_out = if may_end {
                wait_for(&shared.work, &mut state, shared.config.idle_timeout)
            } else {
                shared.work.wait(&mut state);
                false
            };
            if state.claims > 0 {
                state.claims -= 1;
            } else {
                // Not claimed: a time-out, a spurious wake-up, or a closing pool.
                state.parked -= 1;
                if timed_out && state.waiting() == 0 && state.threads > shared.config.min_threads {
                    return self.end_thread(number, state);
                }
            }
            searched = false;
        }
    }

    fn end_thread(&self, number: usize, mut state: MutexGuard<'_, State>) -> Option<Entry> {
        state.threads -= 1;
        state.places[number].doing = Doing::Vacant;
        self.announce_if_closed(state);
        None
    }

    pub(super) fn announce_if_closed(&self, mut state: MutexGuard<'_, State>) {
        let idle = state.threads == 0 && state.answering == 0 && state.scripts.is_done();
        if state.phase == Phase::Draining && idle {
            let announce = std::mem::take(&mut state.when_closed);
            drop(state);
            for tell in announce {
                tell();
            }
        }
    }

    /// Stops a waiting or running job or batch. A waiting one is answered at once; a running one at its next
    /// checkpoint. True when it was still waiting.
    pub fn cancel(&self, ticket: Ticket, token: &CancelToken, reason: Reason) -> bool {
        token.cancel(reason);
        let removed = {
            let mut state = self.0.state.lock();
            let removed = match ticket.line() {
                Line::Native => state.queue.remove(ticket),
                Line::Scripts | Line::Bound(_) | Line::Orphans(_) => state.scripts.remove(ticket),
            };
            self.0.note_len(&state);
            removed
        };
        let waited = removed.is_some();
        if let Some(entry) = removed {
            self.give_up(entry, reason);
            // It may have been the last that a closing pool waited for.
            self.announce_if_closed(self.0.state.lock());
        }
        waited
    }

    /// Answers what no thread will take, and counts it before.
    fn give_up(&self, entry: Entry, reason: Reason) {
        let count = |tasks: usize| {
            self.0.given_up.fetch_add(tasks as u64, Ordering::Relaxed);
        };
        match entry {
            Entry::Job(job) => {
                count(1);
                job.reply.send(Err(reason.into_error_before()));
            }
            Entry::Batch(batch) => batch.abandon(reason, count),
            Entry::Help(_) => {}
        }
    }

    /// A batch has no input left to take: takes it out of the queue, if it still waits there.
    pub(super) fn retire(&self, batch: &Batch) {
        let Some(ticket) = batch.ticket() else { return };
        let mut state = self.0.state.lock();
        let removed = state.queue.remove(ticket);
        if removed.is_some() {
            self.0.note_len(&state);
        }
        // Outside the lock: it may be the last reference.
        drop(state);
        drop(removed);
    }

    /// Why a submission of native work would be refused now: the queue has reached its limit.
    pub fn refusal(&self) -> Option<Error> {
        let shared = &*self.0;
        let state = shared.state.lock();
        if state.phase != Phase::Open {
            return None;
        }
        shared.native_refusal(&state, state.native_limit(&shared.config))
    }

    /// Whether the queue, with what free threads will take left out, is at most half full.
    pub fn is_half_empty(&self) -> bool {
        let state = self.0.state.lock();
        let waiting = state.native_excess(&self.0.config) + state.scripts.excess();
        waiting <= self.0.config.max_queue / 2
    }

    /// Closes the pool: nothing new is accepted, and `when_closed` is called once the last thread has ended.
    /// Without `force` all accepted work is finished; with it, what waits is answered with [`Code::PoolClosed`]
    /// and what runs is asked to stop. May be called again, to force a close that was graceful.
    pub fn close(&self, force: bool, when_closed: Option<Box<dyn FnOnce() + Send>>) {
        let shared = &*self.0;
        let mut state = shared.state.lock();
        state.phase = Phase::Draining;
        state.when_closed.extend(when_closed);
        let mut dropped = if force { state.queue.drain() } else { Vec::new() };
        if force {
            dropped.append(&mut state.scripts.give_up());
        }
        let bells = state.scripts.ring_all();
        let stopped: Vec<CancelToken> = if force { state.tokens().cloned().collect() } else { Vec::new() };
        shared.note_len(&state);
        state.answering += 1;
        // Parked threads end by themselves once they wake: no claims are needed for that.
        shared.work.notify_all();
        shared.script_work.notify_all();
        drop(state);
        for bell in bells {
            bell.ring();
        }
        for entry in dropped {
            self.give_up(entry, Reason::PoolClosed);
        }
        for token in stopped {
            token.cancel(Reason::PoolClosed);
        }
        let mut state = shared.state.lock();
        state.answering -= 1;
        self.announce_if_closed(state);
    }

    /// The pool's counters at this moment.
    pub fn stats(&self) -> Stats {
        let state = self.0.state.lock();
        let mut stats = Stats { taken_at: self.0.made.elapsed(), ..Stats::default() };
        for place in &state.places {
            place.tally.add_to(&mut stats);
        }
        stats.submitted = state.submitted;
        stats.cancelled += self.0.given_up.load(Ordering::Relaxed);
        stats.threads = state.threads;
        stats.most_threads = state.places.len();
        let at_work = state.busy - state.returning();
        let helping = state.places.iter().filter(|place| matches!(place.doing, Doing::Help(_))).count();
        stats.running = at_work - helping;
        stats.idle = state.threads - at_work;
        stats.queued = state.queue.len();
        state.scripts.add_to(&mut stats);
        stats
    }

    /// The most threads it has.
    pub fn max_threads(&self) -> usize {
        self.0.config.max_threads
    }

    /// Does `count` parts of the calling task's work on this thread and on those that are free; the head of `parallel_for.rs`
    /// tells how. The first error of a part, or the token's reason.
    pub fn fork(&self, count: usize, work: Work, token: &CancelToken) -> Result<()> {
        let fork = Arc::new(ParallelFor::new(count, work, token.clone()));
        let helpers = count.min(self.0.config.max_threads).saturating_sub(1);
        if helpers > 0 {
            let mut state = self.0.state.lock();
            state.help.extend(std::iter::repeat_n(Arc::clone(&fork), helpers));
            self.0.note_len(&state);
            self.wake_one(state);
        }
        fork.help();
        if helpers > 0 {
            let mut state = self.0.state.lock();
            state.help.retain(|other| !Arc::ptr_eq(other, &fork));
            self.0.note_len(&state);
        }
        fork.end()
    }

    /// Whether something of a higher priority waits: a batch makes way for it between two chunks.
    pub(super) fn outranked(&self, priority: i32) -> bool {
        self.0.seen.top.load(Ordering::Relaxed) > priority
    }
}

impl State {
    /// Native entries that wait beyond what free threads will take. What these will take does not count as waiting,
    /// whether or not they have come round to it yet: so the limit does not depend on how quickly a thread wakes, or
    /// comes back from what it has just answered.
    pub(super) fn native_excess(&self, config: &Config) -> usize {
        let excess = self.queue.len().saturating_sub(config.max_threads - self.busy);
        if excess == 0 { 0 } else { excess.saturating_sub(self.returning()) }
    }

    /// How many may wait in the native line.
    fn native_limit(&self, config: &Config) -> usize {
        let free = config.max_threads - self.busy;
        config.max_queue.saturating_add(free).saturating_sub(self.scripts.excess())
    }

    /// Whether the native line has reached its limit; `limit` takes busy threads for busy.
    fn is_full(&self, limit: usize) -> bool {
        let waiting = self.queue.len();
        waiting >= limit && waiting >= limit.saturating_add(self.returning())
    }

    /// Threads that count as busy, hold nothing that is not answered, and have not come back yet.
    fn returning(&self) -> usize {
        let is_returning =
            |place: &&Place| matches!(place.doing, Doing::Work(_)) && place.tally.has_answered();
        self.places.iter().filter(is_returning).count()
    }

    /// What a thread could take up now.
    fn waiting(&self) -> usize {
        self.queue.len() + self.help.len()
    }

    /// Every token by which something that runs can be stopped.
    fn tokens(&self) -> impl Iterator<Item = &CancelToken> {
        self.places
            .iter()
            .flat_map(|place| match &place.doing {
                Doing::Work(own) => [Some(&place.stop), own.as_ref()],
                Doing::Help(own) => [Some(&place.stop), Some(own)],
                Doing::Vacant | Doing::Nothing => [Some(&place.stop), None],
            })
            .flatten()
            .chain(self.scripts.tokens())
    }
}

impl Config {
    /// Looking for work before parking only helps when another core can bring it meanwhile.
    fn spins(&self) -> bool {
        use std::sync::OnceLock;
        static CORES: OnceLock<usize> = OnceLock::new();
        *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from)) > 1
    }
}

impl Shared {
    pub(super) fn queue_full(&self, waiting: usize) -> Error {
        let most = self.config.max_queue;
        let message = match (most, waiting) {
            (0, _) => "every thread is busy, and maxQueue is 0: no task may wait".to_owned(),
            (_, 1) => format!("the queue is full: 1 task waits, and maxQueue is {most}"),
            _ => format!("the queue is full: {waiting} tasks wait, and maxQueue is {most}"),
        };
        Error::new(Code::QueueFull, format!("{message}; wait for 'drain', or raise maxQueue"))
    }

    fn native_refusal(&self, state: &State, limit: usize) -> Option<Error> {
        let full = state.is_full(limit);
        full.then(|| self.queue_full(state.native_excess(&self.config) + state.scripts.excess()))
    }

    fn note_len(&self, state: &State) {
        // Relaxed: they only end a search or a batch early; the queue itself is read under the lock.
        self.seen.hint.store(state.waiting(), Ordering::Relaxed);
        self.seen.top.store(state.queue.top_priority(), Ordering::Relaxed);
    }

    /// Looks at the hint for some 20 µs: about what parking and being woken would cost.
    fn search(&self) {
        let started = Instant::now();
        let mut turn = 0_u32;
        while self.seen.hint.load(Ordering::Relaxed) == 0 {
            if turn < 16 {
                for _ in 0..8 {
                    std::hint::spin_loop();
                }
            } else {
                // The thread that would bring work may need this very core.
                std::thread::yield_now();
                if started.elapsed() > Duration::from_micros(20) {
                    return;
                }
            }
            turn += 1;
        }
    }
}
