//! The whole panic policy.
//!
//! A panic never crosses an FFI boundary and never ends a pool thread: [`guard`] wraps every task and
//! every raw exported function and callback, and turns the panic into [`Code::TaskPanicked`] with its message
//! and its place in the source. Guarded code prints no report to stderr: the message is in the error instead.
//! Derived exports are guarded by napi-rs (`#[napi(catch_unwind)]`), which throws the message.
//!
//! Where several things must be done whatever becomes of the others, at the end of a thread, each is a [`step`].

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::io::Write;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;
use std::time::Duration;

use crate::error::{Code, Error, Result};

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// Runs `work`; a panic in it becomes an [`Error`].
pub fn guard<T>(work: impl FnOnce() -> T) -> Result<T> {
    // Under shuttle, whose threads are one to the cells above, its own hook reports every panic.
    if !cfg!(shuttle) {
        HOOK.call_once(install_hook);
    }
    let outer = GUARDED.replace(true);
    // AssertUnwindSafe: the values that the closure touched are dropped with it, or belong to locks without poisoning whose
    // critical sections run no foreign code.
    let outcome = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    outcome.map_err(into_error)
}

/// Runs one of several steps at the end of a thread, of which each must be done, whatever becomes of the others. A panic is a
/// fault of ours, and is reported on stderr, since no caller is left to report it to.
pub fn step(name: &str, work: impl FnOnce()) {
    step_told_to(&mut std::io::stderr(), name, work);
}

/// How long the end of a thread waits for native tasks before it says so.
pub const LONG: Duration = Duration::from_secs(2);

/// Says on stderr that the end of a thread waits for `what` of a task which does not end: nobody would know else why a process hangs.
pub fn waits_long(what: &str) {
    // Where this cannot be written, nobody reads it.
    let _ = writeln!(
        std::io::stderr(),
        "rust-workers: a thread cannot end, since a native task has {what} of it and has not ended {} seconds after it was told to stop. \
         A task of a pack must ask rw_host.stop_reason, or context.check(), at least once in a millisecond",
        LONG.as_secs()
    );
}

fn step_told_to(told: &mut impl Write, name: &str, work: impl FnOnce()) {
    if let Err(panic) = guard(work) {
        // Where this cannot be written, nobody reads it.
        let _ = writeln!(
            told,
            "rust-workers: {name} at the end of a thread has failed: {}; please report this",
            panic.message()
        );
    }
}

fn install_hook() {
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
        if GUARDED.get() {
            let place = info.location().map(|at| format!("{}:{}", at.file(), at.line()));
            PLACE.set(place);
        } else {
            previous(info);
        }
    }));
}

fn into_error(payload: Box<dyn Any + Send>) -> Error {
    let text = payload
        .downcast_ref::<&'static str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned());
    // A payload whose own Drop panics must not take the thread with it.
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
    let message = match PLACE.take() {
        Some(place) => format!("{text} (at {place})"),
        None => text,
    };
    Error::new(Code::TaskPanicked, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_message_and_place() {
        let error = guard(|| panic!("boom {}", 7)).unwrap_err();
        assert_eq!(error.code(), Code::TaskPanicked);
        assert!(error.message().starts_with("boom 7 (at src/panic.rs:"), "{}", error.message());
    }

    #[test]
    fn a_step_that_panics_is_told_and_the_next_is_done() {
        let (mut told, mut done) = (Vec::new(), Vec::new());
        step_told_to(&mut told, "the first", || done.push(1));
        step_told_to(&mut told, "the second", || panic!("boom"));
        step_told_to(&mut told, "the third", || done.push(3));
        assert_eq!(done, [1, 3]);
        let told = String::from_utf8(told).unwrap();
        let start = "rust-workers: the second at the end of a thread has failed: boom (at src/panic.rs:";
        assert!(told.starts_with(start) && told.lines().count() == 1, "{told}");
    }

    #[test]
    fn a_step_in_a_step_keeps_the_outer_one_going() {
        let mut done = Vec::new();
        step("the outer one", || {
            (0..3).for_each(|part| {
                step_told_to(&mut Vec::new(), "a part", || {
                    done.push(part);
                    panic!("boom");
                });
            });
        });
        assert_eq!(done, [0, 1, 2]);
    }

    #[test]
    fn a_payload_that_panics_when_dropped_is_survived() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("second");
            }
        }
        let error = guard(|| std::panic::panic_any(Bomb)).unwrap_err();
        assert_eq!(error.code(), Code::TaskPanicked);
        assert_eq!(guard(|| 5), Ok(5));
    }
}
