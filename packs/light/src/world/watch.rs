//! What limits the task that runs: how much memory it may have, and whether it should stop.
//!
//! The interpreter asks here from its own callbacks, so everything is behind a shared reference. It stands outside the region: to set a world
//! back changes nothing here.

use std::cell::{Cell, RefCell};

use super::js::Raw;
use crate::host::Call;

/// Bytes that are never much of a native loop's memory.
const SMALL: usize = 1024;

/// So many rejections are remembered at once: a loop that makes them may not fill memory that is not its own.
const REJECTIONS: usize = 1 << 16;

/// Of one stage.
#[derive(Default)]
pub(crate) struct Watch {
    call: Cell<Option<Call>>,
    /// Bytes that the region may have in use.
    limit: Cell<usize>,
    /// Nothing is refused: see [`Self::unlimited`].
    unlimited: Cell<bool>,
    /// Memory was refused for want of it.
    memory: Cell<bool>,
    /// The task was told to stop.
    stop: Cell<bool>,
    /// Promises that were rejected and that nobody has seen to, by their identity, with what they were rejected with.
    unhandled: RefCell<Vec<(usize, Raw)>>,
}

impl Watch {
    /// From now on `call` runs.
    pub(crate) fn begin(&self, call: Option<Call>, limit: usize) {
        self.call.set(call);
        self.limit.set(limit);
        self.unlimited.set(false);
        self.memory.set(false);
        self.stop.set(false);
        self.unhandled.borrow_mut().clear();
    }

    /// Nothing runs.
    pub(crate) fn end(&self) {
        self.call.set(None);
        self.limit.set(usize::MAX);
    }

    pub(crate) fn call(&self) -> Option<Call> {
        self.call.get()
    }

    /// Asks the host, and remembers that it said so.
    pub(crate) fn should_stop(&self) -> bool {
        if !self.stop.get() && self.call.get().is_some_and(Call::should_stop) {
            self.stop.set(true);
        }
        self.stop.get()
    }

    /// Whether the task has been told to stop.
    pub(crate) fn was_stopped(&self) -> bool {
        self.stop.get()
    }

    /// How much may be in use when `size` bytes are asked for; nothing at all once the task should stop, so that native loops that allocate
    /// end too. Small blocks are not refused for that: the interpreter asks for its objects in several, and some (bound functions) end the
    /// process when there is one and not the next.
    pub(crate) fn limit(&self, size: usize) -> usize {
        if self.unlimited.get() {
            usize::MAX
        } else if size > SMALL && self.should_stop() {
            0
        } else {
            self.limit.get()
        }
    }

    /// Does `work` with all the memory of the stage, whether the task should stop or not: the interpreter's compiler, and its reader of
    /// bytecode, do not survive that memory is refused. How much they need is bounded by the source's length.
    pub(crate) fn unlimited<R>(&self, work: impl FnOnce() -> R) -> R {
        self.unlimited.set(true);
        let result = work();
        self.unlimited.set(false);
        result
    }

    /// Memory was refused.
    pub(crate) fn refused(&self) {
        if !self.stop.get() {
            self.memory.set(true);
        }
    }

    pub(crate) fn ran_out_of_memory(&self) -> bool {
        self.memory.get()
    }

    /// A promise was rejected. Whether the reason's reference was taken over.
    pub(crate) fn rejected(&self, promise: usize, reason: Raw) -> bool {
        let mut unhandled = self.unhandled.borrow_mut();
        let room = unhandled.len() < REJECTIONS;
        if room {
            unhandled.push((promise, reason));
        }
        room
    }

    /// Somebody has seen to a rejection after all: its reason.
    pub(crate) fn handled(&self, promise: usize) -> Option<Raw> {
        let mut unhandled = self.unhandled.borrow_mut();
        let index = unhandled.iter().rposition(|(other, _)| *other == promise)?;
        Some(unhandled.remove(index).1)
    }

    /// The reasons of rejections that nobody has seen to, the first one first.
    pub(crate) fn unhandled(&self) -> Vec<Raw> {
        self.unhandled.borrow_mut().drain(..).map(|(_, reason)| reason).collect()
    }
}
