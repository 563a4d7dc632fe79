//! Waits of an environment's JavaScript on cells of shared memory: what stands in the wait table for it, and what it
//! keeps alive meanwhile.
//!
//! A waiter's place is named by its region, and a region without an owner in Rust is forgotten; so every wait keeps its
//! region, and so does every handle that JavaScript holds on one.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::event::Event;
use super::event_queue::EventQueue;
use super::handles::Handles;
use crate::shared::wait::{CellAddress, Enqueued, Expected, Outcome, WaiterHandle, enqueue, table};
use crate::shared::{Region, Result};

/// The owner token of plain waits: none. Their handles are dropped one by one.
pub(super) const NO_OWNER: u32 = 0;

/// The waits and the regions that one environment's JavaScript holds.
#[derive(Default)]
pub(crate) struct Waits {
    /// `waitAsync`, by id.
    pending: RefCell<HashMap<u64, Pending>>,
    /// Regions that wrappers of JavaScript hold.
    held: Handles<Arc<Region>>,
}

/// A `waitAsync` that has not ended.
struct Pending {
    waiter: WaiterHandle<'static>,
    /// Keeps the region's name.
    _region: Arc<Region>,
}

impl Waits {
    /// Queues the async waiter `id`, whose outcome comes as an event; false when the cell holds another value.
    pub(super) fn begin(
        &self,
        events: &'static EventQueue,
        region: Arc<Region>,
        offset: usize,
        expected: Expected,
        id: u64,
    ) -> Result<bool> {
        let deliver = move |outcome| {
            events.push(Event::WaitEnded { id, woken: matches!(outcome, Outcome::Woken) });
        };
        let access = region.access()?;
        let enqueued = enqueue(&access, offset, expected, NO_OWNER, Some(Box::new(deliver)))?;
        let Enqueued::Waiting(waiter) = enqueued else { return Ok(false) };
        self.pending.borrow_mut().insert(id, Pending { waiter, _region: region });
        Ok(true)
    }

    /// Gives up the waiter `id`. False when it has been woken: the event is on its way, or has come.
    pub(crate) fn cancel(&self, id: u64) -> bool {
        let mut pending = self.pending.borrow_mut();
        let left = pending.get_mut(&id).is_some_and(|pending| pending.waiter.cancel());
        if left {
            pending.remove(&id);
        }
        left
    }

    /// Forgets a waiter whose event has come.
    pub(super) fn ended(&self, id: u64) {
        self.pending.borrow_mut().remove(&id);
    }

    /// The regions that JavaScript holds, and with them their waiters' meeting places.
    pub(crate) fn held(&self) -> &Handles<Arc<Region>> {
        &self.held
    }

    /// How many wait on a cell of a held region in the table of Rust: for tests.
    pub(crate) fn count(&self, handle: u32, offset: usize) -> usize {
        let region = self.held.with(handle, |region| region.id());
        region.map_or(0, |region| table().waiters(CellAddress { region, offset }))
    }

    /// The environment ends: nobody is left to be woken.
    pub(super) fn close(&self) {
        for mut pending in self.pending.take().into_values() {
            pending.waiter.cancel();
        }
        self.held.take_all().for_each(drop);
    }
}
