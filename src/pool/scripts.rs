//! Script workers: JavaScript threads that take from the same pool.
//!
//! They are not ours: a worker is a JavaScript environment that comes by, takes a job, answers it and takes the
//! next, each in one call. The pool keeps for each a *seat*, which its owner opens before the worker is started and
//! evicts after it has ended. Jobs for scripts wait in a line of their own, since only script workers can take them;
//! limit, priorities, tickets and counters are the pool's.
//!
//! # The protocol
//! All of it is decided under the pool's lock. A seat is
//!
//! * **opened** — its worker is starting;
//! * **waiting** — its worker found nothing and went back to its event loop; it will be rung;
//! * **rung** — it was waiting, and has been told to come;
//! * **at work** — it holds jobs, or is between two;
//! * **left** — its worker takes no more: it was told to leave, or its environment has ended.
//!
//! *Lost wake-up.* A worker becomes *waiting* under the lock that found the line empty; whoever pushes later finds it
//! waiting. A push rings a waiting seat unless those already rung are as many as the jobs that wait.
//!
//! *A rung worker that never comes* (it was terminated) holds no job: its job is still in the line. When its
//! environment ends, or its owner evicts it, the next waiting seat is rung in its place.
//!
//! *A worker that ends with jobs in hand.* They stay with the seat until the owner evicts it, which gives it their
//! ids: only the owner knows why the worker has ended, and answers them so. Nothing is run twice.
//!
//! # Lines
//! A job waits in the line of all workers, or, when its input can only go to one (it is on its way there beside the
//! queue), in the line of that worker's seat: it is *bound*. A worker takes from both, the higher priority first, then
//! the older. What is bound to a worker that ends was not begun: eviction makes *orphans* of it, which the owner binds
//! to another seat ([`Pool::rebind`]) or answers ([`Pool::disown_orphan`]).
//!
//! A job may want its worker *alone*, because ending the job may need ending the worker. It is taken by a worker that
//! has nothing at hand, which then takes nothing more until it is done; at the head of the line it lets nobody pass, so
//! that it does not wait for ever.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::job::{Job, Reply, Road};
use super::queue::{Entry, Line, Queue, Ticket};
use super::stats::{Ended, Stats, Tally};
use super::threads::{Phase, Shared, State};
use super::{Accepted, Pool, Refusal};
use crate::cancel::{CancelToken, Reason};
use crate::error::{Code, Error, Result};
use crate::sync::{Arc, MutexGuard, wait_for};
use crate::value::{Envelope, Payload, Value};

/// How a script worker is reached: the event queue of its environment.
pub trait Waker: Send + Sync {
    /// There may be work: come and take it.
    fn ring(&self);
    /// The job `id`, which that worker runs, should stop.
    fn stop(&self, id: u64, reason: Reason);
}

/// What a script made of a job.
#[derive(Debug)]
pub enum ScriptOutcome {
    /// It returned this.
    Done(Payload),
    /// It threw this.
    Failed(Envelope),
    /// What it returned or threw goes to the owner by a way of JavaScript's own.
    Beside {
        /// Whether it was thrown.
        failed: bool,
        /// The key of the worker's seat: names the way.
        from: u64,
    },
    /// Its time was up before it ended: whatever it came to is for nobody.
    Late {
        /// As in `Beside`, where something came that way.
        beside: Option<u64>,
    },
}

impl ScriptOutcome {
    fn late(self) -> Self {
        let beside = match self {
            ScriptOutcome::Beside { from, .. } => Some(from),
            _ => None,
        };
        ScriptOutcome::Late { beside }
    }
}

/// A job that was finished: to be sent once the lock is free.
struct Answered {
    reply: Reply,
    outcome: ScriptOutcome,
    late: bool,
}

impl Answered {
    fn send(self) {
        self.reply.send_script(if self.late { self.outcome.late() } else { self.outcome });
    }
}

/// What a worker is to do next.
pub enum Step {
    /// Run this.
    Run {
        /// Its id, to answer it by.
        id: u64,
        /// The number of the script's function, as given to [`Pool::submit_script`].
        function: usize,
        /// Its input.
        input: Payload,
        /// By which it may be stopped.
        token: Option<CancelToken>,
        /// How the input comes; [`Road::Asked`]: not yet.
        road: Road,
    },
    /// Nothing waits: go back to the event loop until rung.
    Wait,
    /// The pool needs this worker no more: end.
    Leave,
}

/// Which worker may take a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// Any.
    Any,
    /// The one at this seat: the job is bound to it.
    Seat(usize),
    /// None yet: it is an orphan from the start, since its input can only go to one worker and none is there.
    Nobody,
}

/// How long a worker may wait in [`Pool::script_step`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitPolicy {
    /// Take what is there, else be registered as waiting.
    Take,
    /// As `Take`, after waiting in place for at most this long.
    Linger(Duration),
    /// Wait in place for at most this long; without being registered, so the worker must come again by itself.
    Block(Duration),
}

struct Running {
    reply: Reply,
    token: Option<CancelToken>,
    started: Instant,
    alone: bool,
    /// The input of a job that asks its owner for it, until either has claimed it.
    input: Option<Payload>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum WorkerState {
    Opened,
    Waiting,
    Rung,
    AtWork,
    Left,
}

struct Place {
    stand: WorkerState,
    bell: Option<&'static dyn Waker>,
    running: Vec<Running>,
    /// Jobs whose input goes, or has gone, to this worker.
    bound: Queue,
    /// Whether its worker wants to end: it takes what is bound to it, and nothing more.
    retiring: bool,
    tally: Arc<Tally>,
}

impl Place {
    /// Whether its worker may begin this job now.
    fn admits(&self, job: &Job) -> bool {
        if job.alone { self.running.is_empty() } else { !self.running.iter().any(|running| running.alone) }
    }

    fn load(&self) -> usize {
        self.running.len() + self.bound.len()
    }
}

/// The script side of a pool's state.
pub(super) struct Scripts {
    pub(super) queue: Queue,
    /// Seats are used again, and keep what their workers have counted.
    places: Vec<Option<Place>>,
    vacant: Vec<(usize, Arc<Tally>, Queue)>,
    /// Bound jobs whose worker has ended before it began them.
    orphans: Vec<(i32, Job)>,
    /// Waiting seats; the one that came last is rung first, so that the others may grow old.
    waiting: Vec<usize>,
    rung: usize,
    /// Workers that wait in place.
    blocked: usize,
    /// Jobs that run.
    busy: usize,
    /// Jobs that all workers together may run.
    capacity: usize,
    /// Jobs whose worker has ended, or that no worker could be had for: their owner has answered them.
    evicted: u64,
    /// Those among them that were to be stopped anyway.
    stopped: u64,
    /// Whether the pool was closed by force: what ends now was dropped.
    forced: bool,
    /// The names of the script's functions, by number; 0 is what handles a task that names none.
    functions: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Scripts {
            queue: Queue::new(),
            places: Vec::new(),
            vacant: Vec::new(),
            orphans: Vec::new(),
            waiting: Vec::new(),
            rung: 0,
            blocked: 0,
            busy: 0,
            capacity: 0,
            evicted: 0,
            stopped: 0,
            forced: false,
            functions: vec![String::new()],
            numbers: HashMap::from([(String::new(), 0)]),
        }
    }

    /// Jobs that wait, in whichever line.
    fn waiting_jobs(&self) -> usize {
        let bound: usize = self.places.iter().flatten().map(|place| place.bound.len()).sum();
        self.queue.len() + bound + self.orphans.len()
    }

    /// Jobs that wait beyond what free workers will take.
    pub(super) fn excess(&self) -> usize {
        self.waiting_jobs().saturating_sub(self.free())
    }

    /// Jobs that could run beside those that do.
    fn free(&self) -> usize {
        self.capacity - self.busy.min(self.capacity)
    }

    /// Whether nothing waits and every worker is gone.
    pub(super) fn is_done(&self) -> bool {
        self.queue.len() == 0 && self.orphans.is_empty() && self.places.iter().all(Option::is_none)
    }

    /// Takes out the entry at `ticket`, if it still waits.
    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<Entry> {
        match ticket.line() {
            Line::Bound(seat) => self.places.get_mut(seat)?.as_mut()?.bound.remove(ticket),
            Line::Scripts => self.queue.remove(ticket),
            Line::Orphans(id) => self.remove_orphan(id),
            Line::Native => None,
        }
    }

    fn remove_orphan(&mut self, id: u64) -> Option<Entry> {
        let at = self.orphans.iter().position(|(_, job)| job.reply.id() == id)?;
        Some(Entry::Job(self.orphans.remove(at).1))
    }

    /// Everything that waits, for a pool that is closed by force.
    pub(super) fn give_up(&mut self) -> Vec<Entry> {
        self.forced = true;
        self.drain()
    }

    fn drain(&mut self) -> Vec<Entry> {
        let mut all = self.queue.drain();
        for place in self.places.iter_mut().flatten() {
            all.append(&mut place.bound.drain());
        }
        all.extend(self.orphans.drain(..).map(|(_, job)| Entry::Job(job)));
        all
    }

    pub(super) fn add_to(&self, stats: &mut Stats) {
        for place in self.places.iter().flatten() {
            place.tally.add_to(stats);
            if place.stand != WorkerState::Left {
                stats.workers += 1;
            }
            if place.running.is_empty()
                && matches!(place.stand, WorkerState::Waiting | WorkerState::Rung | WorkerState::AtWork)
            {
                stats.idle_workers += 1;
            }
        }
        for (_, tally, _) in &self.vacant {
            tally.add_to(stats);
        }
        stats.queued += self.waiting_jobs();
        stats.running += self.busy;
        stats.failed += self.evicted;
        stats.cancelled += self.stopped;
    }

    /// The tokens of what runs.
    pub(super) fn tokens(&self) -> impl Iterator<Item = &CancelToken> {
        self.places.iter().flatten().flat_map(|place| &place.running).filter_map(|job| job.token.as_ref())
    }

    /// Calls everybody who waits, for a pool that closes.
    pub(super) fn ring_all(&mut self) -> Vec<&'static dyn Waker> {
        std::iter::from_fn(|| {
            let number = *self.waiting.last()?;
            self.ring(number)
        })
        .collect()
    }

    /// A waiting seat becomes rung; the caller rings its bell outside the lock.
    fn ring(&mut self, number: usize) -> Option<&'static dyn Waker> {
        self.waiting.retain(|waiting| *waiting != number);
        let place = self.places[number].as_mut()?;
        place.stand = WorkerState::Rung;
        self.rung += 1;
        place.bell
    }

    /// Rings for what waits in the line of all, unless enough have been rung.
    fn ring_if_needed(&mut self) -> Option<&'static dyn Waker> {
        if self.queue.len() <= self.rung {
            return None;
        }
        let (_, job) = self.queue.next_job()?;
        let admits = |number: &&usize| {
            self.places[**number].as_ref().is_some_and(|place| !place.retiring && place.admits(job))
        };
        let number = *self.waiting.iter().rev().find(admits)?;
        self.ring(number)
    }

    /// The seat takes no further part, for whatever reason. True when it had not left before.
    fn leave(&mut self, number: usize) -> bool {
        let Some(place) = self.places.get_mut(number).and_then(Option::as_mut) else { return false };
        match std::mem::replace(&mut place.stand, WorkerState::Left) {
            WorkerState::Waiting => self.waiting.retain(|waiting| *waiting != number),
            WorkerState::Rung => self.rung -= 1,
            WorkerState::Left => return false,
            WorkerState::Opened | WorkerState::AtWork => {}
        }
        place.bell = None;
        true
    }

    fn living(&self) -> usize {
        self.places.iter().flatten().filter(|place| place.stand != WorkerState::Left).count()
    }
}

impl Pool {
    /// Says how many jobs all script workers together may run; what waits beyond that counts for the limit.
    pub fn set_script_capacity(&self, capacity: usize) {
        self.0.state.lock().scripts.capacity = capacity;
    }

    /// The number by which the script's function of this name is called.
    pub fn script_function(&self, name: &str) -> usize {
        let scripts = &mut self.0.state.lock().scripts;
        if let Some(number) = scripts.numbers.get(name) {
            return *number;
        }
        let number = scripts.functions.len();
        scripts.functions.push(name.to_owned());
        scripts.numbers.insert(name.to_owned(), number);
        number
    }

    /// The name of the function with this number.
    pub fn script_function_name(&self, number: usize) -> Option<String> {
        self.0.state.lock().scripts.functions.get(number).cloned()
    }

    /// Queues a job for a script worker; its `task` is the number of the script's function. With the acceptance comes
    /// whether no worker could be told of it: the owner then starts one, if it may.
    ///
    /// A seat whose worker has left refuses with [`Code::Internal`]: the owner takes another.
    #[allow(clippy::result_large_err)]
    pub fn submit_script(
        &self,
        job: Job,
        priority: i32,
        whom: For,
    ) -> Result<(Accepted, bool), Refusal<Job>> {
        let shared = &*self.0;
        let mut state = shared.state.lock();
        if state.phase != Phase::Open {
            let error = Error::new(Code::PoolClosed, "the pool is closed and takes no more tasks");
            return Err(Refusal { error, refused: job });
        }
        let (waiting, limit) = match shared.script_line(&state) {
            Ok(line) => line,
            Err(error) => return Err(Refusal { error, refused: job }),
        };
        let scripts = &mut state.scripts;
        let (ticket, bell) = match whom {
            For::Seat(number) => match scripts.bind(number, priority, job) {
                Ok(bound) => bound,
                Err(refused) => {
                    let error = Error::new(Code::Internal, "the worker at this seat takes no more");
                    return Err(Refusal { error, refused });
                }
            },
            For::Any => {
                let ticket = scripts.queue.push(priority, Entry::Job(job)).in_line(Line::Scripts);
                (ticket, scripts.ring_if_needed())
            }
            For::Nobody => {
                let ticket = Ticket::of_an_orphan(job.reply.id());
                scripts.orphans.push((priority, job));
                (ticket, None)
            }
        };
        let full = waiting.saturating_add(1) >= limit;
        let blocked = scripts.blocked;
        let alone = whom == For::Any && bell.is_none() && blocked == 0;
        state.submitted += 1;
        drop(state);
        self.tell_blocked(blocked, whom != For::Any);
        if let Some(bell) = bell {
            bell.ring();
        }
        Ok((Accepted { ticket, full }, alone))
    }

    /// Why a submission for a script would be refused now: the queue has reached its limit.
    pub fn script_refusal(&self) -> Option<Error> {
        let shared = &*self.0;
        let state = shared.state.lock();
        if state.phase == Phase::Open { shared.script_line(&state).err() } else { None }
    }

    /// Wakes who waits in place: for a job that is bound all of them, as it is for one.
    fn tell_blocked(&self, blocked: usize, bound: bool) {
        match (blocked, bound) {
            (0, _) => {}
            (_, false) => drop(self.0.script_work.notify_one()),
            (_, true) => drop(self.0.script_work.notify_all()),
        }
    }

    /// The seat for a job whose input can only go to one worker: the least loaded, with the number of jobs it has at
    /// hand or bound to it; and how many wait for any worker. `None` when no worker lives or is starting.
    pub fn least_loaded_seat(&self) -> Option<(usize, usize, usize)> {
        let state = self.0.state.lock();
        let queued = state.scripts.queue.len();
        let places = state.scripts.places.iter().enumerate();
        places
            .filter_map(|(number, place)| Some((number, place.as_ref()?)))
            .filter(|(_, place)| place.stand != WorkerState::Left && !place.retiring)
            // One that runs a task alone may do so for ever; one that starts comes after one that is there.
            .min_by_key(|(_, place)| {
                (place.running.iter().any(|job| job.alone), place.load(), place.stand == WorkerState::Opened)
            })
            .map(|(number, place)| (number, place.load(), queued))
    }

    /// Binds an orphan to another seat, where its input will come beside the queue as `input` says: its new ticket. `None`
    /// when the seat takes no more; the job stays an orphan.
    pub fn rebind(&self, id: u64, seat: usize, input: Payload) -> Option<Ticket> {
        let mut state = self.0.state.lock();
        let scripts = &mut state.scripts;
        let at = scripts.orphans.iter().position(|(_, job)| job.reply.id() == id)?;
        let (priority, job) = scripts.orphans.remove(at);
        let (ticket, bell) = match scripts.bind(seat, priority, Job { input, ..job }) {
            Ok(bound) => bound,
            Err(job) => {
                scripts.orphans.insert(at, (priority, job));
                return None;
            }
        };
        let blocked = scripts.blocked;
        drop(state);
        self.tell_blocked(blocked, true);
        if let Some(bell) = bell {
            bell.ring();
        }
        Some(ticket)
    }

    /// Takes back a job that was bound to a seat and whose input could not be sent there, as if it had never been
    /// submitted. It may be in its worker's hands, which learns of it another way.
    pub fn retract(&self, seat: usize, id: u64) {
        let mut state = self.0.state.lock();
        state.submitted -= 1;
        if let Some((reply, _, _)) = state.drop_running(seat, id) {
            reply.forget();
            return;
        }
        let scripts = &mut state.scripts;
        let bound = scripts.places.get_mut(seat).and_then(Option::as_mut).map(|place| &mut place.bound);
        let job = bound.and_then(|bound| bound.remove_job(id));
        drop(state);
        if let Some(job) = job {
            drop(job.into_input());
        }
    }

    /// Gives an orphan up: the caller answers it. With `stopped` it counts as cancelled, else as failed.
    pub fn disown_orphan(&self, id: u64, stopped: bool) {
        let mut state = self.0.state.lock();
        let scripts = &mut state.scripts;
        let Some(at) = scripts.orphans.iter().position(|(_, job)| job.reply.id() == id) else { return };
        let (_, job) = scripts.orphans.remove(at);
        *(if stopped { &mut scripts.stopped } else { &mut scripts.evicted }) += 1;
        drop(job.into_input());
        self.announce_if_closed(state);
    }

    /// How many jobs wait for a script worker.
    pub fn scripts_waiting(&self) -> usize {
        self.0.state.lock().scripts.waiting_jobs()
    }

    /// Opens a seat for a worker that is about to be started; `None` when the pool is closed and nothing waits.
    pub fn open_seat(&self) -> Option<usize> {
        let mut state = self.0.state.lock();
        if state.phase != Phase::Open && state.scripts.waiting_jobs() == 0 {
            return None;
        }
        let scripts = &mut state.scripts;
        let (number, tally, bound) = scripts.vacant.pop().unwrap_or_else(|| {
            scripts.places.push(None);
            (scripts.places.len() - 1, Arc::default(), Queue::new())
        });
        let (running, retiring) = (Vec::new(), false);
        scripts.places[number] =
            Some(Place { stand: WorkerState::Opened, bell: None, running, bound, retiring, tally });
        Some(number)
    }

    /// The worker of an opened seat has started. False when the seat is gone.
    pub fn join_seat(&self, number: usize, bell: &'static dyn Waker) -> bool {
        let mut state = self.0.state.lock();
        match state.scripts.places.get_mut(number) {
            Some(Some(place)) if place.stand == WorkerState::Opened => {
                place.stand = WorkerState::AtWork;
                place.bell = Some(bell);
                true
            }
            _ => false,
        }
    }

    /// Answers the job that the worker at `number` has finished, if any, and gives it its next step.
    pub fn script_step(
        &self,
        number: usize,
        finished: Option<(u64, ScriptOutcome)>,
        policy: WaitPolicy,
    ) -> Step {
        let shared = &*self.0;
        let now = Instant::now();
        let mut state = shared.state.lock();
        let Some(place) = state.scripts.places.get_mut(number).and_then(Option::as_mut) else {
            return Step::Leave;
        };
        if place.stand == WorkerState::Rung {
            place.stand = WorkerState::AtWork;
            state.scripts.rung -= 1;
        } else if place.stand == WorkerState::Waiting {
            // It comes unrung: from a timer of its own, say.
            place.stand = WorkerState::AtWork;
            state.scripts.waiting.retain(|waiting| *waiting != number);
        }
        let Some((id, outcome)) = finished else { return self.take_step(state, number, policy, now) };
        let answer = state.take_running(number, id, outcome, now);
        // Both in one critical section; the answer goes out once the lock is free.
        let taken = shared.pop_script(&mut state, number, now);
        let more = state.scripts.ring_if_needed();
        drop(state);
        if let Some(answered) = answer {
            answered.send();
        }
        if let Some(bell) = more {
            bell.ring();
        }
        match taken {
            Some(job) => self.start(number, job, policy),
            None => self.take_step(shared.state.lock(), number, policy, now),
        }
    }

    /// Answers a job without taking another.
    pub fn script_finish(&self, number: usize, id: u64, outcome: ScriptOutcome) {
        let taken = self.0.state.lock().take_running(number, id, outcome, Instant::now());
        if let Some(answered) = taken {
            answered.send();
        }
    }

    fn take_step(
        &self,
        mut state: MutexGuard<'_, State>,
        number: usize,
        policy: WaitPolicy,
        now: Instant,
    ) -> Step {
        let shared = &*self.0;
        let mut wait = match policy {
            WaitPolicy::Linger(time) | WaitPolicy::Block(time) => time,
            WaitPolicy::Take => Duration::ZERO,
        };
        let until = now + wait;
        loop {
            if state
                .scripts
                .places
                .get(number)
                .and_then(Option::as_ref)
                .is_none_or(|it| it.stand == WorkerState::Left)
            {
                return Step::Leave;
            }
            if let Some(job) = shared.pop_script(&mut state, number, now) {
                let more = state.scripts.ring_if_needed();
                drop(state);
                if let Some(bell) = more {
                    bell.ring();
                }
                return self.start(number, job, policy);
            }
            let draining = state.phase == Phase::Draining;
            let ends = state.scripts.places[number].as_ref().is_some_and(|place| {
                place.bound.len() == 0 && (place.retiring || (draining && place.running.is_empty()))
            });
            if ends {
                state.scripts.leave(number);
                let more = state.scripts.ring_if_needed();
                drop(state);
                if let Some(bell) = more {
                    bell.ring();
                }
                return Step::Leave;
            }
            if wait > Duration::ZERO {
                state.scripts.blocked += 1;
                wait_for(&shared.script_work, &mut state, wait);
                state.scripts.blocked -= 1;
                wait = until.saturating_duration_since(Instant::now());
                continue;
            }
            if !matches!(policy, WaitPolicy::Block(_))
                && let Some(place) = state.scripts.places[number].as_mut()
            {
                place.stand = WorkerState::Waiting;
                state.scripts.waiting.push(number);
            }
            // It may have been rung for a job that another has taken, or that wants a worker alone.
            let more = state.scripts.ring_if_needed();
            drop(state);
            if let Some(bell) = more {
                bell.ring();
            }
            return Step::Wait;
        }
    }

    /// Workers that wait in place.
    #[cfg(all(test, not(loom)))]
    pub(super) fn blocked_workers(&self) -> usize {
        self.0.state.lock().scripts.blocked
    }

    /// A job that its worker is about to run: unless it should have stopped already.
    fn start(&self, number: usize, taken: (u64, Job), policy: WaitPolicy) -> Step {
        let (id, Job { task, input, token, road, .. }) = taken;
        if let Some(reason) = token.as_ref().and_then(CancelToken::reason) {
            let mut state = self.0.state.lock();
            if let Some((reply, _, _)) = state.drop_running(number, id) {
                state.scripts.stopped += 1;
                drop(state);
                reply.send(Err(reason.into_error_before()));
                return self.take_step(self.0.state.lock(), number, policy, Instant::now());
            }
        }
        Step::Run { id, function: task, input, token, road }
    }

    /// The worker at `number` ends of its own will: it is given nothing more, but what is bound to it. With `only_idle`
    /// just when it has waited in vain and more than `keep` workers live. True when it may go now; else, unless
    /// `only_idle`, [`Step::Leave`] tells it when.
    pub fn leave_seat(&self, number: usize, only_idle: bool, keep: usize) -> bool {
        let mut state = self.0.state.lock();
        let scripts = &mut state.scripts;
        if only_idle {
            let waiting = scripts
                .places
                .get(number)
                .and_then(Option::as_ref)
                .is_some_and(|it| it.stand == WorkerState::Waiting && it.bound.len() == 0);
            if !waiting || scripts.living() <= keep {
                return false;
            }
        } else if let Some(place) = scripts.places.get_mut(number).and_then(Option::as_mut)
            && place.bound.len() > 0
        {
            place.retiring = true;
            return false;
        }
        self.seat_left(state, number)
    }

    /// The environment of the worker at `number` has ended.
    pub fn abandon_seat(&self, number: usize) {
        self.seat_left(self.0.state.lock(), number);
    }

    fn seat_left(&self, mut state: MutexGuard<'_, State>, number: usize) -> bool {
        let left = state.scripts.leave(number);
        // If it was rung and never came, somebody else must.
        let bell = if left { state.scripts.ring_if_needed() } else { None };
        drop(state);
        if let Some(bell) = bell {
            bell.ring();
        }
        left
    }

    /// Clears a seat whose worker has ended: the ids of the jobs that it ran, which the caller answers; and of those that
    /// were bound to it, which are orphans from now on.
    pub fn evict_seat(&self, number: usize) -> (Vec<u64>, Vec<u64>) {
        self.abandon_seat(number);
        let mut state = self.0.state.lock();
        let scripts = &mut state.scripts;
        let Some(mut place) = scripts.places.get_mut(number).and_then(Option::take) else {
            return (Vec::new(), Vec::new());
        };
        scripts.busy -= place.running.len();
        let mut ran = Vec::with_capacity(place.running.len());
        for Running { reply, token, .. } in place.running {
            let stopped = scripts.forced || token.is_some_and(|token| token.was_cancelled());
            *(if stopped { &mut scripts.stopped } else { &mut scripts.evicted }) += 1;
            ran.push(reply.id());
            reply.forget();
        }
        let mut orphans = Vec::with_capacity(place.bound.len());
        for (priority, entry) in place.bound.drain_with_priorities() {
            if let Entry::Job(job) = entry {
                // Its ticket does not find it any more; the owner is told to look for it here.
                orphans.push(job.reply.id());
                scripts.orphans.push((priority, job));
            }
        }
        scripts.vacant.push((number, place.tally, place.bound));
        self.announce_if_closed(state);
        (ran, orphans)
    }

    /// The ids of the jobs at a seat.
    pub fn jobs_at(&self, number: usize) -> Vec<u64> {
        let state = self.0.state.lock();
        let place = state.scripts.places.get(number).and_then(Option::as_ref);
        place.map_or(Vec::new(), |place| place.running.iter().map(|job| job.reply.id()).collect())
    }

    /// Takes every job that waits for a script worker out of the queue, and gives their ids: the caller answers them.
    pub fn drain_scripts(&self) -> Vec<u64> {
        let mut state = self.0.state.lock();
        let entries = state.scripts.drain();
        state.scripts.evicted += entries.len() as u64;
        let ids = entries.into_iter().filter_map(|entry| match entry {
            Entry::Job(job) => {
                let id = job.reply.id();
                job.reply.forget();
                Some(id)
            }
            Entry::Batch(_) | Entry::Help(_) => None,
        });
        let ids = ids.collect();
        self.announce_if_closed(state);
        ids
    }

    /// Takes the input of a running job that came by [`Road::Asked`]: whoever is first, its owner, which then sends the
    /// memory itself, or its worker, which makes do with a copy when the owner does not answer. `None` for the other.
    pub fn claim_input(&self, id: u64) -> Option<Payload> {
        let mut state = self.0.state.lock();
        let number = state.seat_of(id)?;
        let running = &mut state.scripts.places[number].as_mut()?.running;
        running.iter_mut().find(|job| job.reply.id() == id)?.input.take()
    }

    /// Tells the worker that runs the job `id` that it should stop; gives its seat.
    pub fn stop_script(&self, id: u64, reason: Reason) -> Option<usize> {
        let state = self.0.state.lock();
        let number = state.seat_of(id)?;
        let bell = state.scripts.places[number].as_ref()?.bell;
        drop(state);
        if let Some(bell) = bell {
            bell.stop(id, reason);
        }
        Some(number)
    }
}

impl Scripts {
    /// Puts a job into the line of a seat; hands it back when the worker there takes no more.
    #[allow(clippy::result_large_err)]
    fn bind(
        &mut self,
        number: usize,
        priority: i32,
        job: Job,
    ) -> std::result::Result<(Ticket, Option<&'static dyn Waker>), Job> {
        let place = match self.places.get_mut(number) {
            Some(Some(place)) if place.stand != WorkerState::Left && !place.retiring => place,
            _ => return Err(job),
        };
        let admits = place.admits(&job);
        let ticket = place.bound.push(priority, Entry::Job(job)).in_line(Line::Bound(number));
        let rings = admits && place.stand == WorkerState::Waiting;
        let bell = if rings { self.ring(number) } else { None };
        Ok((ticket, bell))
    }

    /// Takes the next job for the worker at `number` out of its line: the higher priority first, then the older.
    fn pop_for(&mut self, number: usize) -> Option<Job> {
        let place = self.places.get_mut(number)?.as_mut()?;
        let common = if place.retiring { None } else { self.queue.next_job() };
        let bound = place.bound.next_job();
        let takes_bound = match (common, bound) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some((priority, job)), Some((own_priority, own))) => {
                own_priority > priority || (own_priority == priority && own.queued_at < job.queued_at)
            }
        };
        let (_, next) = if takes_bound { bound? } else { common? };
        if !place.admits(next) {
            return None;
        }
        let line = if takes_bound { &mut place.bound } else { &mut self.queue };
        match line.pop() {
            Some(Entry::Job(job)) => Some(job),
            _ => None,
        }
    }
}

impl Shared {
    /// How many jobs wait for scripts, and how many may; an error where one more would be too many.
    fn script_line(&self, state: &State) -> Result<(usize, usize), Error> {
        let excess = state.native_excess(&self.config);
        let limit = self.config.max_queue.saturating_add(state.scripts.free()).saturating_sub(excess);
        let waiting = if limit == usize::MAX { 0 } else { state.scripts.waiting_jobs() };
        if waiting >= limit { Err(self.queue_full(waiting + excess)) } else { Ok((waiting, limit)) }
    }

    fn pop_script(&self, state: &mut State, number: usize, now: Instant) -> Option<(u64, Job)> {
        let mut job = state.scripts.pop_for(number)?;
        let place = state.scripts.places.get_mut(number)?.as_mut()?;
        let reply = job.reply.take();
        let id = reply.id();
        place.tally.waited(now.saturating_duration_since(job.queued_at));
        let input = (job.road == Road::Asked)
            .then(|| std::mem::replace(&mut job.input, Payload::Value(Value::Undefined)));
        place.running.push(Running {
            reply,
            token: job.token.clone(),
            started: now,
            alone: job.alone,
            input,
        });
        state.scripts.busy += 1;
        Some((id, job))
    }
}

impl State {
    fn seat_of(&self, id: u64) -> Option<usize> {
        let holds = |place: &Place| place.running.iter().any(|job| job.reply.id() == id);
        self.scripts.places.iter().position(|place| place.as_ref().is_some_and(holds))
    }

    fn drop_running(&mut self, number: usize, id: u64) -> Option<(Reply, Instant, Option<CancelToken>)> {
        let place = self.scripts.places.get_mut(number)?.as_mut()?;
        let at = place.running.iter().position(|job| job.reply.id() == id)?;
        let job = place.running.swap_remove(at);
        self.scripts.busy -= 1;
        Some((job.reply, job.started, job.token))
    }

    /// Takes out a job that was finished, and counts it. What it comes to is the outcome, unless its time was up before.
    fn take_running(
        &mut self,
        number: usize,
        id: u64,
        outcome: ScriptOutcome,
        now: Instant,
    ) -> Option<Answered> {
        let (reply, started, token) = self.drop_running(number, id)?;
        let tally = &self.scripts.places[number].as_ref()?.tally;
        tally.ran(now.saturating_duration_since(started));
        let mut ended = Ended::default();
        // It may have seen that its time is up before the owner has: then it is told so by this.
        let late = token.as_ref().and_then(CancelToken::deadline).is_some_and(|deadline| now >= deadline);
        *match &outcome {
            // Its caller has been answered before: it was stopped, whatever it came to.
            _ if late || token.is_some_and(|token| token.was_cancelled()) => &mut ended.cancelled,
            ScriptOutcome::Done(_) | ScriptOutcome::Beside { failed: false, .. } => &mut ended.completed,
            ScriptOutcome::Failed(_) | ScriptOutcome::Beside { failed: true, .. } => &mut ended.failed,
            ScriptOutcome::Late { .. } => &mut ended.cancelled,
        } += 1;
        tally.add(ended);
        Some(Answered { reply, outcome, late })
    }
}
