//! The interpreter and its memory.
//!
//! Each thread of a pool has a *stage*: a region of memory in which one interpreter stands (QuickJS-NG, through `quickjs`). It is made once,
//! and a picture of it is kept. A *world* is what a tenant sees: that picture and the few bytes that differ, where its functions are. To
//! begin a task is to set the stage to the tenant's world, which is a copy of what the task before has changed: microseconds, whatever that was.
//! So nothing is left of a task, nothing has to be cleaned up after one that was stopped in the middle, and a thousand tenants are a thousand
//! times a few kilobytes.

pub(crate) mod convert;
#[cfg_attr(not(target_os = "linux"), path = "no_guard.rs")]
pub(crate) mod guard;
pub(crate) mod host_functions;
pub(crate) mod image;
pub(crate) mod js;
pub(crate) mod region;
pub(crate) mod stage;
pub(crate) mod watch;
