//! The tasks of the pack.

pub(crate) mod define;
pub(crate) mod release;
pub(crate) mod run;
