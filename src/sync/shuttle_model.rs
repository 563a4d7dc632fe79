//! What the engine's protocols use, under shuttle's scheduler: shuttle's locks, atomics and threads, and a clock of the model's.
//!
//! # Time
//! shuttle knows no time, so there is a clock of its own for each execution. A look at it moves it on by some nanoseconds, and now
//! and then by as much as makes a thread late. Which looks do so is random, and part of the schedule: a schedule that is replayed
//! has the same times.
//!
//! A wait with a limit has a thread beside it, its timer. Where the scheduler lets the timer run before another thread has
//! notified the waiting one, the wait has timed out, and the clock is where the limit was. So a time-out may come at any
//! moment, and comes at last. A limit that is [`NEVER`] or longer does not come: there a notification that was lost is a deadlock,
//! which shuttle reports, and not only a delay.

use std::sync::Mutex as StdMutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use shuttle::future::batch_semaphore::{BatchSemaphore, Fairness};
use shuttle::rand::{Rng, RngCore, thread_rng};

pub use std::sync::Arc;

/// shuttle's atomics. All of their operations are sequentially consistent.
pub mod atomic {
    pub use shuttle::sync::atomic::*;

    /// Nothing is left to do.
    pub fn fence(_: Ordering) {}
}

/// shuttle's threads.
pub mod thread {
    pub use shuttle::thread::*;

    /// Lets others run, which takes a while.
    pub fn yield_now() {
        super::CLOCK.advance(10_000);
        shuttle::thread::yield_now();
    }
}

/// From here on a limit never comes.
const NEVER: Duration = Duration::from_secs(60);

/// The clock of an execution, in nanoseconds.
struct Clock {
    now: AtomicU64,
    /// One look in so many finds that much time has passed; 0: none does.
    leaps: u64,
}

shuttle::lazy_static! {
    static ref CLOCK: Clock = Clock { now: AtomicU64::new(0), leaps: [0, 8, 64][thread_rng().gen_range(0..3)] };
}

// No switch of threads happens in here, so loads and stores need not be one step.
impl Clock {
    fn look(&self) -> u64 {
        let random = thread_rng().next_u64();
        let leap =
            if self.leaps > 0 && random.is_multiple_of(self.leaps) { (random >> 32) % 500_000 } else { 0 };
        self.advance(60 + (random >> 16) % 128 + leap)
    }

    fn advance(&self, nanos: u64) -> u64 {
        let now = self.now.load(Ordering::Relaxed) + nanos;
        self.now.store(now, Ordering::Relaxed);
        now
    }

    fn advance_to(&self, moment: Instant) {
        self.now.fetch_max(moment.0, Ordering::Relaxed);
    }
}

/// A moment of the model's clock, in nanoseconds since its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

/// With the methods of std's that the engine uses.
impl Instant {
    pub fn now() -> Self {
        Instant(CLOCK.look())
    }
    pub fn elapsed(&self) -> Duration {
        Instant::now().saturating_duration_since(*self)
    }
    pub fn saturating_duration_since(&self, earlier: Instant) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
    pub fn checked_add(&self, time: Duration) -> Option<Instant> {
        self.0.checked_add(u64::try_from(time.as_nanos()).ok()?).map(Instant)
    }
}

impl std::ops::Add<Duration> for Instant {
    type Output = Instant;
    fn add(self, time: Duration) -> Instant {
        self.checked_add(time).expect("a moment that can be represented")
    }
}

impl std::ops::Sub for Instant {
    type Output = Duration;
    fn sub(self, earlier: Instant) -> Duration {
        self.saturating_duration_since(earlier)
    }
}

/// shuttle's mutex with the methods of parking_lot's.
pub struct Mutex<T>(shuttle::sync::Mutex<T>);

/// shuttle's guard; an `Option` so that [`Condvar::wait`] can let go of it through `&mut`.
pub struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    held: Option<shuttle::sync::MutexGuard<'a, T>>,
}

impl<T> Mutex<T> {
    pub fn new(value: T) -> Self {
        Mutex(shuttle::sync::Mutex::new(value))
    }
    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard { mutex: self, held: Some(self.0.lock().unwrap_or_else(PoisonError::into_inner)) }
    }
}

impl<T> std::ops::Deref for MutexGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.held.as_ref().expect("held")
    }
}

impl<T> std::ops::DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.held.as_mut().expect("held")
    }
}

const WAITING: u8 = 0;
const NOTIFIED: u8 = 1;
const TIMED_OUT: u8 = 2;

/// A thread that waits.
struct Waiter {
    state: AtomicU8,
    /// What it sleeps on.
    woken: BatchSemaphore,
}

impl Waiter {
    /// Ends the wait, unless it has ended.
    fn end(&self, how: u8) -> bool {
        let ends = self.state.compare_exchange(WAITING, how, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if ends {
            self.woken.release(1);
        }
        ends
    }

    fn waits(&self) -> bool {
        self.state.load(Ordering::Relaxed) == WAITING
    }
}

/// A condition variable with the methods of parking_lot's. Not shuttle's, whose waits know no time-out.
pub struct Condvar(StdMutex<Vec<Arc<Waiter>>>);

impl Condvar {
    pub fn new() -> Self {
        Condvar(StdMutex::new(Vec::new()))
    }

    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        self.wait_at_most(guard, Duration::MAX);
    }

    /// Which of the waiting threads is woken is random.
    pub fn notify_one(&self) -> bool {
        let mut waiters = self.waiters();
        if waiters.is_empty() {
            return false;
        }
        let chosen = thread_rng().gen_range(0..waiters.len());
        let waiter = waiters.swap_remove(chosen);
        drop(waiters);
        waiter.end(NOTIFIED)
    }

    pub fn notify_all(&self) -> usize {
        let waiters = std::mem::take(&mut *self.waiters());
        waiters.iter().filter(|waiter| waiter.end(NOTIFIED)).count()
    }

    /// Those that still wait.
    fn waiters(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Waiter>>> {
        let mut waiters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiters.retain(|waiter| waiter.waits());
        waiters
    }

    /// True when the time was up.
    fn wait_at_most<T>(&self, guard: &mut MutexGuard<'_, T>, limit: Duration) -> bool {
        let waiter = Arc::new(Waiter {
            state: AtomicU8::new(WAITING),
            woken: BatchSemaphore::new(0, Fairness::StrictlyFair),
        });
        self.waiters().push(Arc::clone(&waiter));
        if limit < NEVER {
            let (waiter, until) = (Arc::clone(&waiter), Instant::now() + limit);
            thread::spawn(move || {
                if waiter.waits() {
                    CLOCK.advance_to(until);
                }
                waiter.end(TIMED_OUT);
            });
        }
        guard.held = None;
        waiter.woken.acquire_blocking(1).expect("it is never closed");
        guard.held = guard.mutex.lock().held;
        waiter.state.load(Ordering::Relaxed) == TIMED_OUT
    }
}

impl Default for Condvar {
    fn default() -> Self {
        Condvar::new()
    }
}

/// Waits on `condvar` until notified or `timeout` has passed; true when the time was up.
pub fn wait_for<T>(condvar: &Condvar, guard: &mut MutexGuard<'_, T>, timeout: Duration) -> bool {
    condvar.wait_at_most(guard, timeout)
}

/// Waits on `condvar` until notified or `deadline` has passed.
pub fn wait_until<T>(condvar: &Condvar, guard: &mut MutexGuard<'_, T>, deadline: Instant) {
    condvar.wait_at_most(guard, deadline.saturating_duration_since(Instant::now()));
}
