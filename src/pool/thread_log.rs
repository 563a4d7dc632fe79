//! Lines on stderr about the starts and ends of native threads, for whoever looks for a fault: off unless it is asked for.

// Not from `sync`: it is no part of a protocol.
use std::sync::atomic::{AtomicBool, Ordering};

static IS_ON: AtomicBool = AtomicBool::new(false);

/// From now on the threads of all pools tell of their starts and ends.
pub fn log_threads() {
    IS_ON.store(true, Ordering::Relaxed);
}

/// What happens to the calling thread. In the form of Node's `util.debuglog`.
pub(super) fn log(name: &str, what: &str) {
    if IS_ON.load(Ordering::Relaxed) {
        eprintln!("RUST-WORKERS {}: native thread '{name}' {what}", std::process::id());
    }
}
