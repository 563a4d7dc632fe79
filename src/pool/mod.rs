//! The pool: one queue and the threads that take from it.

mod cancel;

pub use cancel::{CancelToken, Reason};
