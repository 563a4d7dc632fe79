//! The token by which a task learns that it must stop.
//!
//! A token is one atomic byte, shared by the caller, the pool and the task. It moves once, from live to one of the
//! reasons, and never back. The store is `Release` and the load `Acquire`, so a task that sees the reason also sees
//! everything that the cancelling thread wrote before it.
//!
//! A running task polls the token ([`CancelToken::check`]). A *blocked* thread does not: [`CancelToken::cancel`] wakes it.
//! A thread that sleeps on the token itself uses [`CancelToken::sleep`]; a thread that sleeps on a condition variable of
//! another module (a port, a lock, a cell) registers a waker with [`CancelToken::on_cancel`].
//!
//! # The protocol of a blocked thread
//! ```text
//! let registration = token.on_cancel(move || { drop(shared.mutex.lock()); shared.condvar.notify_all() });
//! let mut guard = shared.mutex.lock();
//! loop {
//!     if let Some(reason) = token.reason() { break Err(reason) }      // before each sleep, under the lock
//!     if what it waits for is there        { break Ok(..) }
//!     sleep on shared.condvar until token.sooner(its own time limit)  // the deadline wakes nobody: see below
//! }
//! // the registration is dropped here, or earlier
//! ```
//!
//! *Cancelled before it registers.* The reason is stored before the cancelling thread takes the wakers out, and both that
//! and the registering happen under the token's lock. So a waker is either taken out by the cancelling thread, or
//! registered after it: then the reason is visible to the registering thread, the token keeps no waker, and the thread
//! sees the reason at its first check.
//!
//! *Cancelled between the check and the sleep.* The waker takes the lock under which the thread checks and falls asleep,
//! before it notifies: the thread has then either not checked yet, and sees the reason, or is asleep, and is woken.
//! That is why the waker must take that lock, and why it must be registered before the check.
//!
//! *The wait ends while the token is being cancelled.* Dropping the registration takes the waker back, unless the
//! cancelling thread has taken it out first: then it may run, once, after the drop. So a waker owns what it touches, and
//! an additional notification must be harmless.
//!
//! *A deadline passes.* No thread watches the clock for a token: a blocked thread bounds its own sleep by
//! [`CancelToken::sooner`], and the check after it reports [`Reason::TimedOut`].
//!
//! *Locks.* Wakers run on the cancelling thread, outside the token's lock, so a waker may take locks of its own, and the
//! token's lock may be taken (by registering, dropping a registration, or sleeping) under any lock. In return, no thread
//! may call [`CancelToken::cancel`] while it holds a lock that a waker takes.

use std::time::Duration;

use crate::error::{Code, Error, Result};
use crate::exported_numbers::{Groups, Numbers};
use crate::numbers;
use crate::sync::atomic::{AtomicU8, Ordering};
use crate::sync::{Arc, Condvar, Instant, Mutex, wait_for};

const LIVE: u8 = 0;

/// Why a task must stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    /// The caller aborted it.
    Cancelled = 1,
    /// Its time is up.
    TimedOut = 2,
    /// The pool was destroyed, or the JavaScript thread that owned it ended.
    PoolClosed = 3,
    /// Its deadline has passed.
    DeadlinePassed = 4,
}

/// The reasons, for JavaScript.
pub const NUMBERS: Groups = &[("REASONS", REASONS)];

const REASONS: Numbers = numbers! {
    CANCELLED = Reason::Cancelled, TIMED_OUT = Reason::TimedOut, POOL_CLOSED = Reason::PoolClosed,
    DEADLINE_PASSED = Reason::DeadlinePassed,
};

impl Reason {
    /// The reason of this number; none for a number that names none.
    pub fn of(number: u32) -> Option<Self> {
        [Reason::Cancelled, Reason::TimedOut, Reason::PoolClosed, Reason::DeadlinePassed]
            .into_iter()
            .find(|reason| *reason as u32 == number)
    }

    /// Whether a clock gave it: then it is that of one task, also where several are cancelled together.
    pub fn is_time(self) -> bool {
        matches!(self, Reason::TimedOut | Reason::DeadlinePassed)
    }

    /// The error that a task reports when it stops for this reason.
    pub fn into_error(self) -> Error {
        match self {
            Reason::Cancelled => Error::new(Code::TaskCancelled, "the task was cancelled"),
            Reason::TimedOut => Error::new(Code::TaskTimeout, "the task's time was up"),
            Reason::PoolClosed => Error::new(Code::PoolClosed, "the pool was destroyed while the task ran"),
            Reason::DeadlinePassed => {
                Error::new(Code::Deadline, "the task was still running at its deadline").after_start()
            }
        }
    }

    /// The error of a task that had not begun: the caller can run it elsewhere.
    pub fn into_error_before(self) -> Error {
        match self {
            Reason::PoolClosed => Error::new(Code::PoolClosed, "the pool was closed before the task began"),
            Reason::DeadlinePassed => {
                Error::new(Code::Deadline, "the task could not start before its deadline")
            }
            _ => self.into_error(),
        }
    }
}

/// Wakes one blocked thread, or all threads of one condition variable.
type Waker = Box<dyn FnOnce() + Send>;

/// The registered wakers: a slab, so that adding and removing one costs the same however many there are. It allocates
/// nothing before the first waker.
#[derive(Default)]
struct Wakers {
    slots: Vec<Slot>,
    /// The first vacant slot; `slots.len()` when there is none.
    vacant: usize,
}

enum Slot {
    Waker(Waker),
    /// With the next vacant slot.
    Vacant(usize),
}

impl Wakers {
    fn add(&mut self, waker: Waker) -> usize {
        let at = self.vacant;
        if let Some(slot) = self.slots.get_mut(at) {
            if let Slot::Vacant(next) = std::mem::replace(slot, Slot::Waker(waker)) {
                self.vacant = next;
            }
        } else {
            self.slots.push(Slot::Waker(waker));
            self.vacant = self.slots.len();
        }
        at
    }

    /// The waker at `at`; none when the cancelling thread has taken it out.
    fn remove(&mut self, at: usize) -> Option<Waker> {
        let slot = self.slots.get_mut(at)?;
        let removed = std::mem::replace(slot, Slot::Vacant(self.vacant));
        self.vacant = at;
        match removed {
            Slot::Waker(waker) => Some(waker),
            Slot::Vacant(_) => unreachable!("a registration removes its own waker once"),
        }
    }

    fn take(&mut self) -> impl Iterator<Item = Waker> + use<> {
        std::mem::take(self).slots.into_iter().filter_map(|slot| match slot {
            Slot::Waker(waker) => Some(waker),
            Slot::Vacant(_) => None,
        })
    }
}

struct State {
    reason: AtomicU8,
    wakers: Mutex<Wakers>,
    /// Where [`CancelToken::sleep`] waits, with the lock of the wakers.
    cancelled: Condvar,
}

/// A handle on the cancellation of one task, or of several that are cancelled together, each with time limits of its own.
#[derive(Clone)]
pub struct CancelToken {
    state: Arc<State>,
    deadline: Option<Instant>,
    /// Milliseconds for which the task may run once it has started. A half of a `Duration`: a job's size counts.
    run_limit: Option<f32>,
    /// The reason once `deadline` has passed.
    late: Reason,
}

/// The time limits of one task.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimeLimits {
    /// The moment at which it must end, whether it has started or not; and whether that is its deadline, not a time limit.
    pub until: Option<(Instant, bool)>,
    /// Milliseconds for which it may run once it has started.
    pub run: Option<f32>,
}

impl TimeLimits {
    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        self.until.is_none() && self.run.is_none()
    }
}

/// A waker that stands ready; dropping this takes it back. See the head of this file for the races.
#[must_use = "the waker is taken back when this is dropped"]
pub struct CancelRegistration<'t> {
    token: &'t CancelToken,
    /// `None` when the token was cancelled before.
    slot: Option<usize>,
}

impl Drop for CancelRegistration<'_> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot {
            let waker = self.token.state.wakers.lock().remove(slot);
            // Outside the lock: it may hold the last reference to something whose drop takes locks.
            drop(waker);
        }
    }
}

impl CancelToken {
    /// A live token; with a deadline it also reports [`Reason::TimedOut`] from then on.
    pub fn new(deadline: Option<Instant>) -> Self {
        let state = State {
            reason: AtomicU8::new(LIVE),
            wakers: Mutex::new(Wakers::default()),
            cancelled: Condvar::new(),
        };
        CancelToken { state: Arc::new(state), deadline, run_limit: None, late: Reason::TimedOut }
    }

    /// A live token with these limits.
    pub fn limited(limits: TimeLimits) -> Self {
        CancelToken::new(None).with_limits(limits)
    }

    /// Another task's token, which is cancelled together with this one; its deadline is its own.
    #[must_use]
    pub fn with_deadline(&self, deadline: Option<Instant>) -> Self {
        CancelToken { state: Arc::clone(&self.state), deadline, run_limit: None, late: Reason::TimedOut }
    }

    /// The same for a task with these limits.
    #[must_use]
    pub fn with_limits(&self, limits: TimeLimits) -> Self {
        let (state, is_deadline) = (Arc::clone(&self.state), limits.until.is_some_and(|(_, is_it)| is_it));
        let late = if is_deadline { Reason::DeadlinePassed } else { Reason::TimedOut };
        CancelToken { state, deadline: limits.until.map(|(at, _)| at), run_limit: limits.run, late }
    }

    /// Whether the time for which the task runs is limited.
    pub fn limits_run(&self) -> bool {
        self.run_limit.is_some()
    }

    /// The task starts: from now on the time for which it runs counts. It is the owner of this very handle; other handles of the
    /// same token, by which it is cancelled, need not know.
    pub fn start(&mut self, now: impl FnOnce() -> Instant) {
        let Some(limit) = self.run_limit else { return };
        let limit = Duration::from_secs_f64(f64::from(limit.max(0.0)) / 1000.0);
        let Some(end) = now().checked_add(limit) else { return };
        if self.deadline.is_none_or(|deadline| end < deadline) {
            self.deadline = Some(end);
            self.late = Reason::TimedOut;
        }
    }

    /// Asks the task to stop, and wakes the threads that are blocked for it. The first reason counts; later calls do
    /// nothing. Call it without holding a lock that a registered waker takes.
    pub fn cancel(&self, reason: Reason) {
        let state = &*self.state;
        if state.reason.compare_exchange(LIVE, reason as u8, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            // Under the lock after the store: a sleeper or a registering thread either sees the reason or is woken.
            let wakers = state.wakers.lock().take();
            state.cancelled.notify_all();
            for wake in wakers {
                wake();
            }
        }
    }

    /// The reason to stop, if there is one.
    pub fn reason(&self) -> Option<Reason> {
        match self.state.reason.load(Ordering::Acquire) {
            LIVE => match self.deadline {
                Some(deadline) if Instant::now() >= deadline => Some(self.late),
                _ => None,
            },
            1 => Some(Reason::Cancelled),
            2 => Some(Reason::TimedOut),
            3 => Some(Reason::PoolClosed),
            _ => Some(Reason::DeadlinePassed),
        }
    }

    /// Whether [`CancelToken::cancel`] was called; a deadline alone does not count.
    pub(crate) fn was_cancelled(&self) -> bool {
        self.state.reason.load(Ordering::Acquire) != LIVE
    }

    /// An error when the task must stop: for `?` inside loops.
    pub fn check(&self) -> Result<()> {
        self.reason().map_or(Ok(()), |reason| Err(reason.into_error()))
    }

    /// The reason when `now` is beyond the task's time.
    pub fn late_at(&self, now: Instant) -> Option<Reason> {
        self.deadline.is_some_and(|deadline| now >= deadline).then_some(self.late)
    }

    /// When the task's time is up.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The earlier of `until` and the deadline (`None`: never): the end of a blocked thread's next sleep.
    pub fn sooner(&self, until: Option<Instant>) -> Option<Instant> {
        match (until, self.deadline) {
            (Some(until), Some(deadline)) => Some(until.min(deadline)),
            (until, deadline) => until.or(deadline),
        }
    }

    /// Registers `wake`, which [`CancelToken::cancel`] calls at most once, on its own thread and with no lock of the token
    /// held. It must not block for long and must not panic. When the token is cancelled already, `wake` is dropped
    /// uncalled: check [`CancelToken::reason`] after this and before you sleep. The head of this file has the protocol.
    ///
    /// Adding and removing are O(1) and allocate (the box of `wake`): call this only once the thread is about to block.
    pub fn on_cancel(&self, wake: impl FnOnce() + Send + 'static) -> CancelRegistration<'_> {
        let waker: Waker = Box::new(wake);
        let mut wakers = self.state.wakers.lock();
        // The lock orders this load after the store of a `cancel` that has taken the wakers out.
        if self.was_cancelled() {
            drop(wakers);
            return CancelRegistration { token: self, slot: None };
        }
        let slot = Some(wakers.add(waker));
        CancelRegistration { token: self, slot }
    }

    /// Sleeps for `duration` or until cancelled, whichever is first.
    pub fn sleep(&self, duration: Duration) -> Result<()> {
        let state = &*self.state;
        let until = self.sooner(Instant::now().checked_add(duration));
        let mut wakers = state.wakers.lock();
        loop {
            self.check()?;
            let Some(until) = until else {
                state.cancelled.wait(&mut wakers);
                continue;
            };
            let now = Instant::now();
            if now >= until {
                // A deadline that cut the sleep short was reported by `check` above on this same turn or is now.
                return self.check();
            }
            wait_for(&state.cancelled, &mut wakers, until - now);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    #[test]
    fn the_first_reason_counts() {
        let token = CancelToken::new(None);
        assert_eq!(token.reason(), None);
        token.cancel(Reason::TimedOut);
        token.cancel(Reason::Cancelled);
        assert_eq!(token.reason(), Some(Reason::TimedOut));
        assert_eq!(token.check().unwrap_err().code(), Code::TaskTimeout);
    }

    #[test]
    fn a_deadline_in_the_past_is_a_timeout() {
        let token = CancelToken::new(Some(Instant::now()));
        assert_eq!(token.reason(), Some(Reason::TimedOut));
    }

    #[test]
    fn a_deadline_has_a_reason_of_its_own_and_the_time_of_a_run_counts_from_its_start() {
        let now = Instant::now();
        let (past, far) = (now, now + Duration::from_secs(3600));
        let passed = CancelToken::limited(TimeLimits { until: Some((past, true)), run: None });
        assert_eq!(passed.reason(), Some(Reason::DeadlinePassed));
        assert_eq!(passed.check().unwrap_err().code(), Code::Deadline);
        assert!(
            passed.check().unwrap_err().has_started()
                && !Reason::DeadlinePassed.into_error_before().has_started()
        );
        let mut run = CancelToken::limited(TimeLimits { until: Some((far, true)), run: Some(0.0) });
        assert_eq!(run.reason(), None, "it has not started");
        let cancels = run.clone();
        run.start(|| now);
        assert_eq!(run.reason(), Some(Reason::TimedOut));
        assert_eq!(cancels.reason(), None);
        let mut sooner = CancelToken::limited(TimeLimits { until: Some((past, true)), run: Some(1e9) });
        sooner.start(|| now);
        assert_eq!(sooner.reason(), Some(Reason::DeadlinePassed));
        for reason in [Reason::Cancelled, Reason::TimedOut, Reason::PoolClosed, Reason::DeadlinePassed] {
            assert_eq!(Reason::of(reason as u32), Some(reason));
            let token = CancelToken::new(None);
            token.cancel(reason);
            assert_eq!(token.reason(), Some(reason));
        }
        assert_eq!(Reason::of(0).or(Reason::of(5)), None);
    }

    #[test]
    fn the_sooner_of_two_times_is_taken() {
        let now = Instant::now();
        let later = now + Duration::from_secs(1);
        let token = CancelToken::new(Some(later));
        assert_eq!(token.sooner(None), Some(later));
        assert_eq!(token.sooner(Some(now)), Some(now));
        assert_eq!(token.sooner(Some(later + Duration::from_secs(1))), Some(later));
        assert_eq!(CancelToken::new(None).sooner(Some(now)), Some(now));
        assert_eq!(CancelToken::new(None).sooner(None), None);
    }

    #[test]
    fn a_sleeper_is_woken_by_cancel() {
        let started = Instant::now();
        // Whether it is asleep already, or just about to be, is a matter of chance.
        for _ in 0..200 {
            let token = CancelToken::new(None);
            let other = token.clone();
            let (tell, told) = std::sync::mpsc::channel();
            let sleeper = std::thread::spawn(move || {
                tell.send(()).unwrap();
                other.sleep(Duration::from_secs(60))
            });
            told.recv().unwrap();
            token.cancel(Reason::Cancelled);
            assert_eq!(sleeper.join().unwrap().unwrap_err().code(), Code::TaskCancelled);
        }
        assert!(started.elapsed() < Duration::from_secs(30), "none of them has slept to its end");
    }

    #[test]
    fn a_sleep_ends_at_the_deadline_with_a_timeout() {
        let token = CancelToken::new(Some(Instant::now() + Duration::from_millis(15)));
        assert_eq!(token.sleep(Duration::from_secs(60)).unwrap_err().code(), Code::TaskTimeout);
    }

    #[test]
    fn a_sleep_that_is_not_cancelled_takes_its_time() {
        let token = CancelToken::new(None);
        let started = Instant::now();
        token.sleep(Duration::from_millis(15)).unwrap();
        assert!(started.elapsed() >= Duration::from_millis(15));
    }

    fn counter() -> (Arc<AtomicUsize>, impl Fn(usize) -> Box<dyn FnOnce() + Send>) {
        let called = Arc::new(AtomicUsize::new(0));
        let counted = called.clone();
        let waker = move |weight| -> Box<dyn FnOnce() + Send> {
            let counted = counted.clone();
            Box::new(move || {
                counted.fetch_add(weight, SeqCst);
            })
        };
        (called, waker)
    }

    #[test]
    fn cancel_calls_the_registered_wakers_once_and_not_those_taken_back() {
        let token = CancelToken::new(None);
        let (called, waker) = counter();
        let kept = [1, 10, 100].map(|weight| token.on_cancel(waker(weight)));
        let [first, second, third] = kept;
        drop(second);
        drop(first);
        // These two take the slots that are vacant, and another one a new slot.
        let more = [1_000, 10_000, 100_000].map(|weight| token.on_cancel(waker(weight)));
        assert_eq!(token.state.wakers.lock().slots.len(), 4);
        token.cancel(Reason::Cancelled);
        token.cancel(Reason::TimedOut);
        assert_eq!(called.load(SeqCst), 111_100);
        drop((third, more));
        assert_eq!(called.load(SeqCst), 111_100);
    }

    #[test]
    fn a_waker_that_comes_too_late_is_dropped_uncalled() {
        let token = CancelToken::new(None);
        token.cancel(Reason::PoolClosed);
        let (called, waker) = counter();
        let held = Arc::new(());
        let (inside, wake) = (held.clone(), waker(1));
        let registration = token.on_cancel(move || {
            drop(inside);
            wake();
        });
        assert_eq!(Arc::strong_count(&held), 1);
        drop(registration);
        assert_eq!(called.load(SeqCst), 0);
    }

    #[test]
    fn what_a_waker_holds_is_let_go_of_with_its_registration() {
        let token = CancelToken::new(None);
        let held = Arc::new(());
        let inside = held.clone();
        let registration = token.on_cancel(move || drop(inside));
        assert_eq!(Arc::strong_count(&held), 2);
        drop(registration);
        assert_eq!(Arc::strong_count(&held), 1);
    }

    #[test]
    fn a_waker_may_use_the_token() {
        let token = CancelToken::new(None);
        let inside = token.clone();
        let registration = token.on_cancel(move || {
            inside.cancel(Reason::TimedOut);
            drop(inside.on_cancel(|| panic!("the token is cancelled")));
            assert!(inside.sleep(Duration::from_secs(60)).is_err());
        });
        token.cancel(Reason::Cancelled);
        assert_eq!(token.reason(), Some(Reason::Cancelled));
        drop(registration);
    }

    #[test]
    fn a_token_nobody_waits_on_has_allocated_nothing_for_wakers() {
        let token = CancelToken::new(None);
        assert_eq!(token.state.wakers.lock().slots.capacity(), 0);
        token.cancel(Reason::Cancelled);
        assert_eq!(token.state.wakers.lock().slots.capacity(), 0);
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;
    use crate::sync::atomic::AtomicUsize;
    use crate::sync::thread;

    /// A lock and a condition variable, as a module has them that blocks threads.
    struct Gate {
        open: Mutex<bool>,
        changed: Condvar,
    }

    impl Gate {
        fn new() -> Arc<Self> {
            Arc::new(Gate { open: Mutex::new(false), changed: Condvar::new() })
        }

        /// A blocked thread as the head of this file has it. True when the gate was opened, false when it was cancelled.
        fn wait(gate: &Arc<Gate>, token: &CancelToken) -> bool {
            let inside = gate.clone();
            let registration = token.on_cancel(move || {
                drop(inside.open.lock());
                inside.changed.notify_all();
            });
            let mut open = gate.open.lock();
            let outcome = loop {
                if token.reason().is_some() {
                    break false;
                }
                if *open {
                    break true;
                }
                gate.changed.wait(&mut open);
            };
            drop(open);
            drop(registration);
            outcome
        }
    }

    #[test]
    fn loom_cancel_reaches_a_thread_that_registers_checks_and_sleeps() {
        loom::model(|| {
            let (gate, token) = (Gate::new(), CancelToken::new(None));
            let (other_gate, other) = (gate.clone(), token.clone());
            let waiter = thread::spawn(move || Gate::wait(&other_gate, &other));
            token.cancel(Reason::Cancelled);
            assert!(!waiter.join().unwrap());
        });
    }

    #[test]
    fn loom_cancel_reaches_every_thread_that_is_blocked() {
        // Three threads: without a bound this takes hours.
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(2);
        model.check(|| {
            let (gate, token) = (Gate::new(), CancelToken::new(None));
            let (other_gate, other) = (gate.clone(), token.clone());
            let waiter = thread::spawn(move || Gate::wait(&other_gate, &other));
            let canceller = token.clone();
            let canceller = thread::spawn(move || canceller.cancel(Reason::TimedOut));
            assert!(!Gate::wait(&gate, &token));
            assert!(!waiter.join().unwrap());
            canceller.join().unwrap();
        });
    }

    #[test]
    fn loom_a_wait_that_ends_by_itself_races_with_cancel() {
        loom::model(|| {
            let (gate, token) = (Gate::new(), CancelToken::new(None));
            let (other_gate, other) = (gate.clone(), token.clone());
            let waiter = thread::spawn(move || Gate::wait(&other_gate, &other));
            let canceller = token.clone();
            let canceller = thread::spawn(move || canceller.cancel(Reason::Cancelled));
            *gate.open.lock() = true;
            gate.changed.notify_all();
            // Either way it ends: a registration that is dropped meanwhile loses nobody's wake-up.
            let _ = waiter.join().unwrap();
            canceller.join().unwrap();
        });
    }

    #[test]
    fn loom_a_waker_runs_at_most_once_and_is_dropped_either_way() {
        loom::model(|| {
            let token = CancelToken::new(None);
            let called = Arc::new(AtomicUsize::new(0));
            let canceller = token.clone();
            let canceller = thread::spawn(move || canceller.cancel(Reason::Cancelled));
            let counted = called.clone();
            let registration = token.on_cancel(move || {
                counted.fetch_add(1, Ordering::Relaxed);
            });
            drop(registration);
            canceller.join().unwrap();
            assert!(called.load(Ordering::Relaxed) <= 1);
            // loom's Arc checks at the end of the model that nothing has leaked.
        });
    }

    #[test]
    fn loom_a_sleep_on_the_token_is_woken() {
        loom::model(|| {
            let token = CancelToken::new(None);
            let other = token.clone();
            let sleeper = thread::spawn(move || other.sleep(Duration::MAX));
            token.cancel(Reason::PoolClosed);
            assert!(sleeper.join().unwrap().is_err());
        });
    }
}
