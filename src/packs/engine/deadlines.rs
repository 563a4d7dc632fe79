//! Ends submissions whose time is up: those that wait, and those that run and sleep. One thread for the process, from the first
//! submission with a limit on. (A task that JavaScript submits has a timer of its event loop.)

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::LazyLock;

use super::under_way;
use crate::cancel::Reason;
use crate::panic::guard;
use crate::sync::{Condvar, Instant, Mutex, wait_until};

#[derive(Default)]
struct Watched {
    /// The soonest first.
    due: BinaryHeap<Reverse<(Instant, u64)>>,
    /// When there are so many, those that have been answered are dropped.
    sweep_at: usize,
}

/// Below this many nothing is swept.
const FEW: usize = 1024;

struct Watch {
    watched: Mutex<Watched>,
    /// There is a sooner one.
    sooner: Condvar,
}

static WATCH: LazyLock<&'static Watch> = LazyLock::new(|| {
    let watch: &Watch =
        Box::leak(Box::new(Watch { watched: Mutex::new(Watched::default()), sooner: Condvar::new() }));
    // Without a thread a limit still ends what runs, at its next look.
    let _ = std::thread::Builder::new().name("rust-workers-deadlines".to_owned()).spawn(move || watch.run());
    watch
});

/// Ends the submission `id` at that time, if it has not been answered.
pub(super) fn watch(at: Instant, id: u64) {
    let watch = *WATCH;
    let mut watched = watch.watched.lock();
    let is_sooner = watched.due.peek().is_none_or(|Reverse((first, _))| at < *first);
    watched.due.push(Reverse((at, id)));
    if watched.due.len() > watched.sweep_at.max(FEW) {
        watched.due.retain(|Reverse((_, id))| under_way::is_under_way(*id));
        watched.sweep_at = 2 * watched.due.len();
    }
    drop(watched);
    if is_sooner {
        watch.sooner.notify_one();
    }
}

impl Watch {
    fn run(&self) {
        let mut watched = self.watched.lock();
        loop {
            match watched.due.peek().map(|Reverse((at, _))| *at) {
                None => self.sooner.wait(&mut watched),
                Some(at) if at > Instant::now() => wait_until(&self.sooner, &mut watched, at),
                Some(_) => {
                    let due = watched.due.pop();
                    drop(watched);
                    if let Some(Reverse((_, id))) = due {
                        // `done` is called here, of one that waits.
                        drop(guard(|| under_way::stop(id, None, Reason::TimedOut)));
                    }
                    watched = self.watched.lock();
                }
            }
        }
    }
}
