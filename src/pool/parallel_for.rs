//! One task's work split over the pool's threads.
//!
//! The thread that runs the task does parts itself until none is left, and free threads steal some of them meanwhile. So it
//! depends on no other thread: when all are busy it does everything alone. Then it waits for the parts that other threads
//! are *in the middle of*, which are running and end by themselves.
//!
//! *A thread that comes late* finds no part left, or no work (the parallel-for has ended), and goes. It holds the work only
//! while it has a part: whatever the work keeps alive, memory of JavaScript included, is released before the task is answered.
//!
//! *After a failure* no further part is begun; the first error is that of the whole.

use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::panic::guard;
use crate::sync::{Condvar, Mutex};

/// The work on one part, given its number.
pub type PartWork = std::sync::Arc<dyn Fn(usize, &CancelToken) -> Result<()> + Send + Sync>;

struct State {
    /// None once the parallel-for has ended.
    work: Option<PartWork>,
    next: usize,
    running: usize,
    failure: Option<Error>,
}

/// A task's work in parts.
pub(super) struct ParallelFor {
    /// The number of the task whose work it is.
    pub(super) task: usize,
    count: usize,
    pub(super) token: CancelToken,
    state: Mutex<State>,
    none_running: Condvar,
}

impl ParallelFor {
    pub(super) fn new(task: usize, count: usize, work: PartWork, token: CancelToken) -> Self {
        let state = State { work: Some(work), next: 0, running: 0, failure: None };
        ParallelFor { task, count, token, state: Mutex::new(state), none_running: Condvar::new() }
    }

    /// Does parts until none is left to begin.
    pub(super) fn run_parts(&self) {
        while let Some((part, work)) = self.begin() {
            let outcome = self.token.check().and_then(|()| {
                guard(|| work(part, &self.token))
                    .unwrap_or_else(|panic| Err(panic.context(format_args!("part {part}"))))
            });
            drop(work);
            let mut state = self.state.lock();
            state.running -= 1;
            if let Err(error) = outcome
                && state.failure.is_none()
            {
                state.failure = Some(error);
            }
            if state.running == 0 {
                drop(state);
                self.none_running.notify_all();
            }
        }
    }

    fn begin(&self) -> Option<(usize, PartWork)> {
        let mut state = self.state.lock();
        if state.next == self.count || state.failure.is_some() {
            return None;
        }
        let work = state.work.clone()?;
        let part = state.next;
        state.next += 1;
        state.running += 1;
        Some((part, work))
    }

    /// Waits until no thread has a part; the task's own thread calls it after its [`ParallelFor::run_parts`].
    pub(super) fn end(&self) -> Result<()> {
        let mut state = self.state.lock();
        while state.running > 0 {
            self.none_running.wait(&mut state);
        }
        let work = state.work.take();
        let failure = state.failure.take();
        drop(state);
        drop(work);
        failure.map_or(Ok(()), Err)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::cancel::Reason;
    use crate::error::Code;
    use crate::pool::test_tasks::TestTasks;
    use crate::pool::{Config, Helpers, Pool};
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::time::{Duration, Instant};

    fn pool(threads: usize) -> Pool {
        Pool::new(Config { max_threads: threads, ..Config::default() }, Arc::new(TestTasks))
    }

    #[test]
    fn every_part_is_done_once_and_several_threads_take_part() {
        let pool = pool(4);
        let done: Arc<Vec<AtomicUsize>> = Arc::new((0..200).map(|_| AtomicUsize::new(0)).collect());
        let threads = Arc::new(Mutex::new(std::collections::HashSet::new()));
        let (counts, who) = (done.clone(), threads.clone());
        let started = Instant::now();
        let work: PartWork = Arc::new(move |part, _| {
            counts[part].fetch_add(1, SeqCst);
            who.lock().insert(std::thread::current().id());
            // The first one ends when another thread has taken part.
            while part == 0 && who.lock().len() == 1 {
                assert!(started.elapsed() < Duration::from_secs(30), "no other thread helps");
                std::thread::yield_now();
            }
            Ok(())
        });
        pool.parallel_for(200, work, &CancelToken::new(None)).unwrap();
        assert!(done.iter().all(|count| count.load(SeqCst) == 1));
        assert!(threads.lock().len() > 1, "others have helped");
        pool.close(false, None);
    }

    #[test]
    fn it_ends_though_no_thread_ever_steals() {
        let pool = pool(1);
        let done = Arc::new(AtomicUsize::new(0));
        let counted = done.clone();
        pool.parallel_for(
            10,
            Arc::new(move |_, _| {
                counted.fetch_add(1, SeqCst);
                Ok(())
            }),
            &CancelToken::new(None),
        )
        .unwrap();
        assert_eq!(done.load(SeqCst), 10);
    }

    #[test]
    fn the_first_failure_ends_it_and_a_panic_is_one() {
        let pool = pool(3);
        let done = Arc::new(AtomicUsize::new(0));
        let counted = done.clone();
        let work: PartWork = Arc::new(move |part, _| {
            counted.fetch_add(1, SeqCst);
            assert!(part != 3, "boom");
            // So that the others have not done them all before the panic is caught.
            std::thread::sleep(Duration::from_micros(100));
            Ok(())
        });
        let error = pool.parallel_for(10_000, work, &CancelToken::new(None)).unwrap_err();
        assert_eq!(error.code(), Code::TaskPanicked);
        assert!(error.message().contains("boom"), "{}", error.message());
        assert!(done.load(SeqCst) < 10_000);
        pool.close(false, None);
    }

    #[test]
    fn a_cancelled_token_stops_it_between_parts() {
        let pool = pool(2);
        let token = CancelToken::new(None);
        let canceller = token.clone();
        let done = Arc::new(AtomicUsize::new(0));
        let counted = done.clone();
        let work: PartWork = Arc::new(move |part, _| {
            counted.fetch_add(1, SeqCst);
            if part == 2 {
                canceller.cancel(Reason::Cancelled);
            }
            Ok(())
        });
        let error = pool.parallel_for(100_000, work, &token).unwrap_err();
        assert_eq!(error.code(), Code::TaskCancelled);
        // Nobody begins another part after that.
        assert!(done.load(SeqCst) < 100_000);
        pool.close(false, None);
    }

    #[test]
    fn what_the_work_holds_is_released_when_it_returns() {
        let pool = pool(4);
        for _ in 0..200 {
            let held = Arc::new(());
            let inside = held.clone();
            let work: PartWork = Arc::new(move |_, _| {
                std::hint::black_box(&inside);
                Ok(())
            });
            pool.parallel_for(8, work, &CancelToken::new(None)).unwrap();
            assert_eq!(Arc::strong_count(&held), 1);
        }
        pool.close(false, None);
    }
}
