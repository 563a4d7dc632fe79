//! How much CPU time a thread has used: the thread's own clock, read only where that is cheap beside what is measured.
//!
//! A look at that clock is a system call on most systems, of some hundred nanoseconds. So a task that is expected to run for less
//! than [`WORTH`] is taken to use the CPU all the time. Where such a task ran for longer after all, its CPU time is what the
//! thread has used since the clock was last looked at, and no more than the time that it ran.

use cpu_time::ThreadTime;

use super::task_observer::Age;
use super::task_times::nanos;

/// Tasks that run for longer than this, in nanoseconds, have the clock looked at: two looks cost less than a hundredth.
pub(super) const WORTH: Age = 50_000;

/// The CPU time of the calling thread in nanoseconds; `None` where the system does not tell.
fn thread_time() -> Option<Age> {
    ThreadTime::try_now().ok().map(|time| nanos(time.as_duration()))
}

/// The CPU clock of one thread, which alone uses it.
#[derive(Default)]
pub struct CpuClock {
    /// When what is measured began, if the clock was looked at.
    began: Option<Age>,
    /// What the clock showed last, and what was taken to be used since.
    seen: Age,
}

impl CpuClock {
    /// Something begins that is expected to run for so long.
    pub fn begin(&mut self, expected: Age) {
        self.began = if expected > WORTH { thread_time() } else { None };
        self.seen = self.began.unwrap_or(self.seen);
    }

    /// It has ended after so many nanoseconds: the CPU time that it has used.
    pub fn end(&mut self, ran: Age) -> Age {
        let began = self.began.take();
        if began.is_none() && ran <= WORTH {
            self.seen += ran;
            return ran;
        }
        let Some(now) = thread_time() else { return ran };
        let used = now.saturating_sub(began.unwrap_or(self.seen)).min(ran);
        self.seen = now;
        used
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn spin(time: Duration) {
        let began = thread_time();
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            if let (Some(began), Some(now)) = (began, thread_time())
                && now - began >= nanos(time)
            {
                return;
            }
        }
    }

    #[test]
    fn a_thread_that_sleeps_uses_no_cpu_time_and_one_that_works_does() {
        for expected in [0, u64::MAX] {
            let mut clock = CpuClock::default();
            // So that it has been looked at before.
            clock.begin(u64::MAX);
            clock.end(1);
            let began = Instant::now();
            clock.begin(expected);
            std::thread::sleep(Duration::from_millis(200));
            let slept = clock.end(nanos(began.elapsed()));
            assert!(slept < 100_000_000, "{slept} ns of CPU while it slept, expected {expected}");
            let began = Instant::now();
            clock.begin(expected);
            spin(Duration::from_millis(20));
            let ran = nanos(began.elapsed());
            let spun = clock.end(ran);
            assert!((19_000_000..=ran).contains(&spun), "{spun} ns of CPU of {ran}, expected {expected}");
        }
    }

    #[test]
    fn what_is_short_is_taken_to_use_the_cpu() {
        let mut clock = CpuClock::default();
        clock.begin(100);
        assert_eq!(clock.end(640), 640);
        assert_eq!(clock.end(WORTH), WORTH);
    }
}
