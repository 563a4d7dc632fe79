//! How a script worker finds its pool: the pool's owner registers it and offers the registration under a key; the worker
//! accepts that under the same key when it has started.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::event_queue::EventQueue;
use crate::pool::Pool;

/// A worker's registration in a pool.
#[derive(Clone)]
pub(super) struct Registration {
    pub(super) pool: Pool,
    /// The worker's number in the pool; given again once the worker has been evicted.
    pub(super) number: usize,
    /// Never used again.
    pub(super) key: u64,
    /// The event queue of the pool's owner.
    pub(super) owner: &'static EventQueue,
}

static OFFERS: Mutex<Option<HashMap<u64, Registration>>> = Mutex::new(None);
static NEXT_KEY: AtomicU64 = AtomicU64::new(1);

/// Offers the registration of the worker `number`; its key.
pub(super) fn offer_registration(pool: Pool, number: usize, owner: &'static EventQueue) -> u64 {
    let key = NEXT_KEY.fetch_add(1, Ordering::Relaxed);
    OFFERS.lock().get_or_insert_default().insert(key, Registration { pool, number, key, owner });
    key
}

/// The calling thread is that of the worker with this offer: it gets the name and the priority of the pool's threads.
pub(crate) fn adopt_thread_of(key: u64) {
    let offers = OFFERS.lock();
    let Some(Registration { pool, number, .. }) = offers.as_ref().and_then(|offers| offers.get(&key)) else {
        return;
    };
    pool.adopt_worker_thread(*number);
}

/// Takes the offer of this key: the worker accepts it, or the owner revokes it. None when it was taken before.
pub(super) fn take_registration(key: u64) -> Option<Registration> {
    OFFERS.lock().as_mut().and_then(|offers| offers.remove(&key))
}
