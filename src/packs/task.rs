//! A task of a pack, and what its outcomes mean.

// `data` of a task is a pointer that goes to other threads.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::sync::Arc;

use rust_workers_abi::{self as abi, outcome};

use crate::cancel::Reason;
use crate::error::{Code, Error, OwnError};

/// `data` of a task: only its pack knows what it is.
#[derive(Clone, Copy)]
pub(super) struct Data(pub(super) *mut c_void);

// SAFETY: nothing here looks at what it points to; the interface says that a pack's functions run on any thread, several at a time.
unsafe impl Send for Data {}
// SAFETY: as above.
unsafe impl Sync for Data {}

/// A task of a pack.
pub(super) struct PackTask {
    pub(super) name: &'static str,
    /// Completes "task '…' takes …", if the pack says so.
    pub(super) takes: Option<&'static str>,
    pub(super) flags: u32,
    pub(super) run: abi::RunFn,
    pub(super) data: Data,
    /// The library's file.
    pub(super) path: Arc<str>,
}

/// The error that a task has set.
#[derive(Default)]
pub(super) struct Told {
    pub(super) name: String,
    pub(super) code: String,
    pub(super) message: String,
}

/// What a run has left that has not succeeded.
pub(super) struct Failed {
    /// The error that it has set.
    pub(super) told: Option<Told>,
    /// What its `parallel_for` has ended with.
    pub(super) of_parts: Option<Error>,
    /// What was wrong with its last result.
    pub(super) refused: Option<Error>,
    /// Why it should stop.
    pub(super) stopped: Option<Reason>,
}

impl PackTask {
    /// What an outcome other than RW_OK means for the caller.
    pub(super) fn failure(&self, outcome: i32, failed: Failed, input: &str) -> Error {
        let (Failed { told, of_parts, refused, stopped }, name) = (failed, self.name);
        let refused = refused.map(|error| self.bad_result(&error));
        match outcome {
            outcome::STOPPED => match stopped {
                Some(reason) => reason.into_error(),
                None => self.at_fault("returned RW_STOPPED, and nobody had told it to stop"),
            },
            outcome::FAILED => match (told, of_parts.or(refused)) {
                (Some(told), _) => self.own_error(told),
                (None, Some(error)) => error,
                (None, None) => {
                    self.at_fault("returned RW_FAILED without an error: call rw_host.set_error before")
                }
            },
            outcome::INVALID_INPUT => {
                if let (None, Some(of_parts)) = (&told, &of_parts) {
                    return of_parts.clone();
                }
                let got = told.map(|told| told.message).filter(|message| !message.is_empty());
                let got = got.as_deref().unwrap_or(input);
                let message = match self.takes {
                    Some(takes) => format!("task '{name}' takes {takes}; got {got}"),
                    None => format!("task '{name}' does not take its input; got {got}"),
                };
                Error::new(Code::InvalidInput, message)
            }
            outcome::PANICKED => match (told, of_parts.or(refused)) {
                (Some(told), _) => Error::new(Code::TaskPanicked, told.message),
                (None, Some(error)) => error,
                (None, None) => {
                    Error::new(Code::TaskPanicked, format!("task '{name}' panicked, and did not say how"))
                }
            },
            other => self.at_fault(format_args!(
                "returned {other}, which is no outcome of a task: RW_OK, RW_STOPPED, RW_FAILED, RW_INVALID_INPUT and RW_PANICKED are"
            )),
        }
    }

    fn own_error(&self, told: Told) -> Error {
        let Told { name, code, message } = told;
        if name.is_empty() && code.is_empty() {
            return Error::new(Code::TaskFailed, message);
        }
        let or = |given: String, usual: &str| if given.is_empty() { usual.to_owned() } else { given };
        let own = OwnError {
            name: or(name, "Error"),
            code: or(code, Code::TaskFailed.as_str()),
            place: format!("task '{}' ({})", self.name, self.path),
        };
        Error::of_task(own, message)
    }

    /// The task does not keep to the interface.
    fn at_fault(&self, how: impl std::fmt::Display) -> Error {
        Error::new(Code::TaskFailed, format!("task '{}' of {} {how}", self.name, self.path))
    }

    /// The task has said that it succeeded, and its result is no value.
    pub(super) fn bad_result(&self, error: &Error) -> Error {
        Error::new(
            error.code(),
            format!("the result of task '{}' of {} was refused: {}", self.name, self.path, error.message()),
        )
    }
}
