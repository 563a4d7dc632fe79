//! One thread that ends waits in place which take too long.
//!
//! A timeout of its own for each wait would do the same, but arming and disarming a timer that is due sooner than the
//! kernel's next tick costs more than the sleep itself (17 µs a round trip became 21 on the development machine; with
//! this thread it became 10). The thread lives while there is something to watch, and a second longer.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// A wait that is as old as this is ended the next time the thread looks.
const TICK: Duration = Duration::from_micros(500);
/// For so long the thread stays when there is nothing to watch.
const STAY: Duration = Duration::from_secs(1);

/// Where threads wait in place.
pub(super) trait Watched: Sync {
    /// Ends a wait that was there already at the last tick. False when nothing has waited since: no more ticks are
    /// needed.
    fn tick(&self) -> bool;
}

struct Watch {
    watched: Vec<&'static dyn Watched>,
    running: bool,
}

static WATCH: Mutex<Watch> = Mutex::new(Watch { watched: Vec::new(), running: false });
static ADDED: Condvar = Condvar::new();

/// Calls `tick` every 500 µs until it says that no more is needed. False when there is no thread for it.
pub(super) fn watch(watched: &'static dyn Watched) -> bool {
    let mut watch = WATCH.lock();
    if !watch.running {
        let thread = std::thread::Builder::new().name("rust-workers-watchdog".into()).stack_size(64 * 1024);
        if thread.spawn(run).is_err() {
            return false;
        }
        watch.running = true;
    }
    watch.watched.push(watched);
    drop(watch);
    ADDED.notify_one();
    true
}

fn run() {
    let mut watch = WATCH.lock();
    loop {
        if watch.watched.is_empty() {
            ADDED.wait_for(&mut watch, STAY);
            if watch.watched.is_empty() {
                watch.running = false;
                return;
            }
        }
        let mut watched = std::mem::take(&mut watch.watched);
        drop(watch);
        std::thread::sleep(TICK);
        watched.retain(|watched| watched.tick());
        watch = WATCH.lock();
        watch.watched.append(&mut watched);
    }
}
