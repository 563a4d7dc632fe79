//! The whole panic policy.
//!
//! A panic never crosses an FFI boundary and never ends a pool thread: [`guard`] wraps every task and
//! every exported function that could panic, and turns the panic into [`Code::TaskPanicked`] with its message
//! and its place in the source. Guarded code prints no report to stderr: the message is in the error instead.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;

use crate::error::{Code, Error, Result};

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// Runs `work`; a panic in it becomes an [`Error`].
pub fn guard<T>(work: impl FnOnce() -> T) -> Result<T> {
    HOOK.call_once(install_hook);
    let outer = GUARDED.replace(true);
    // AssertUnwindSafe: the values that the closure touched are dropped with it, or belong to locks without poisoning whose
    // critical sections run no foreign code.
    let outcome = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    outcome.map_err(into_error)
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
