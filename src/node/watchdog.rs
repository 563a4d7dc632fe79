//! One thread that ends waits in place which take too long.
//!
//! A timeout of its own for each wait would do the same, but arming and disarming a timer that is due sooner than the
//! kernel's next tick costs more than the sleep itself (17 µs a round trip became 21 on the development machine; with
//! this thread it became 10). The thread lives while somebody waits, and a second longer.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::event_queue::EventQueue;

/// A wait that is as old as this is ended the next time the thread looks.
pub(super) const TICK: Duration = Duration::from_micros(500);
/// For so long the thread stays when there is nobody to look after.
const STAY: Duration = Duration::from_secs(1);

struct Watch {
    queues: Vec<&'static EventQueue>,
    running: bool,
}

static WATCH: Mutex<Watch> = Mutex::new(Watch { queues: Vec::new(), running: false });
static SOMEBODY: Condvar = Condvar::new();

/// Looks after an event queue until its `tick` says that nobody waits there any more. False when there is no thread for it.
pub(super) fn watch(events: &'static EventQueue) -> bool {
    let mut watch = WATCH.lock();
    if !watch.running {
        let thread = std::thread::Builder::new().name("rust-workers-watchdog".into()).stack_size(64 * 1024);
        if thread.spawn(run).is_err() {
            return false;
        }
        watch.running = true;
    }
    watch.queues.push(events);
    drop(watch);
    SOMEBODY.notify_one();
    true
}

fn run() {
    let mut watch = WATCH.lock();
    loop {
        if watch.queues.is_empty() {
            SOMEBODY.wait_for(&mut watch, STAY);
            if watch.queues.is_empty() {
                watch.running = false;
                return;
            }
        }
        let mut queues = std::mem::take(&mut watch.queues);
        drop(watch);
        std::thread::sleep(TICK);
        queues.retain(|events| events.tick());
        watch = WATCH.lock();
        watch.queues.append(&mut queues);
    }
}
