//! Waits of an environment's JavaScript on cells of shared memory: what stands in the wait table for it, and what it
//! keeps alive meanwhile.
//!
//! A waiter's place is named by its region, and a region without an owner in Rust is forgotten; so every wait keeps its
//! region, and so does every handle that JavaScript holds on one.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::event_queue::{Event, EventQueue};
use crate::shared::wait::{Enqueued, Expected, Outcome, WaiterHandle, enqueue};
use crate::shared::{NotifierHandle, NotifyRequest, Region, Result};

/// The owner token of plain waits: none. Their tickets are let go one by one.
pub(crate) const NO_OWNER: u32 = 0;

/// The waits and the regions that one environment's JavaScript holds.
#[derive(Default)]
pub(crate) struct Waits {
    /// `waitAsync`, by id.
    pending: RefCell<HashMap<u64, Pending>>,
    /// Regions that wrappers of JavaScript hold, by handle.
    held: RefCell<Vec<Option<Arc<Region>>>>,
    /// Where native tasks ask this environment's notifier, once it has one.
    desk: RefCell<Option<NotifierHandle>>,
}

/// A `waitAsync` that has not ended.
struct Pending {
    ticket: WaiterHandle<'static>,
    /// Keeps the region's name.
    _region: Arc<Region>,
}

impl Waits {
    /// Queues the async waiter `id`, whose outcome comes as an event; false when the cell holds another value.
    pub(crate) fn begin(
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
        let Enqueued::Waiting(ticket) = enqueued else { return Ok(false) };
        self.pending.borrow_mut().insert(id, Pending { ticket, _region: region });
        Ok(true)
    }

    /// Gives up the waiter `id`. False when it has been woken: the event is on its way, or has come.
    pub(crate) fn cancel(&self, id: u64) -> bool {
        let mut pending = self.pending.borrow_mut();
        let left = pending.get_mut(&id).is_some_and(|waiter| waiter.ticket.cancel());
        if left {
            pending.remove(&id);
        }
        left
    }

    /// Forgets a waiter whose event has come.
    pub(super) fn ended(&self, id: u64) {
        self.pending.borrow_mut().remove(&id);
    }

    /// Holds a region; its handle.
    pub(crate) fn hold(&self, region: Arc<Region>) -> u32 {
        let mut held = self.held.borrow_mut();
        let vacant = held.iter().position(Option::is_none).unwrap_or_else(|| {
            held.push(None);
            held.len() - 1
        });
        held[vacant] = Some(region);
        u32::try_from(vacant).unwrap_or(u32::MAX)
    }

    /// The region of a handle.
    pub(crate) fn held(&self, handle: u32) -> Option<Arc<Region>> {
        self.held.borrow().get(handle as usize).cloned().flatten()
    }

    /// Lets a handle go.
    pub(crate) fn release(&self, handle: u32) {
        let released = self.held.borrow_mut().get_mut(handle as usize).and_then(Option::take);
        drop(released);
    }

    /// Opens the desk of a notifier for this environment.
    pub(crate) fn open_desk(&self, environment: u64) -> crossbeam_channel::Receiver<NotifyRequest> {
        let (desk, receiver) = NotifierHandle::new(environment);
        self.desk.replace(Some(desk));
        receiver
    }

    /// Lets requests for a held region come to the desk.
    pub(crate) fn serve(&self, handle: u32) {
        if let (Some(desk), Some(region)) = (self.desk.borrow().as_ref(), self.held(handle)) {
            desk.serve(region.id());
        }
    }

    /// No more requests come.
    pub(crate) fn close_desk(&self) {
        drop(self.desk.take());
    }

    /// The environment ends: nobody is left to be woken.
    pub(super) fn close(&self) {
        for mut waiter in self.pending.take().into_values() {
            waiter.ticket.cancel();
        }
        self.close_desk();
        drop(self.held.take());
    }
}
