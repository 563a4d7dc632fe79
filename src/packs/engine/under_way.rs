//! What other addons have submitted, until it is answered.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rust_workers_abi as abi;

use super::shared_pool::SharedPool;
use crate::cancel::{CancelToken, Reason};
use crate::packs::task::Data;
use crate::pool::QueuePosition;

#[derive(Clone, Copy)]
pub(super) enum What {
    Named,
    /// A function of the addon.
    Function(abi::RunFn),
}

/// A submission under way.
pub(super) struct Entry {
    pub(super) shared: Arc<SharedPool>,
    pub(super) what: What,
    pub(super) done: abi::DoneFn,
    /// For `done`, and for the function.
    pub(super) data: Data,
    pub(super) token: CancelToken,
    /// None until it is known.
    position: Option<QueuePosition>,
}

impl Entry {
    pub(super) fn new(
        shared: Arc<SharedPool>,
        what: What,
        done: abi::DoneFn,
        data: Data,
        token: CancelToken,
    ) -> Self {
        Entry { shared, what, done, data, token, position: None }
    }
}

/// Entries by id, in several tables, so that threads seldom meet at one lock. Nothing is done under a lock but with the table.
const TABLES: usize = 16;
static UNDER_WAY: [Mutex<Option<HashMap<u64, Entry>>>; TABLES] = [const { Mutex::new(None) }; TABLES];

/// Does `work` on the table that has this id.
fn with_table<T>(id: u64, work: impl FnOnce(&mut HashMap<u64, Entry>) -> T) -> T {
    work(UNDER_WAY[(id % TABLES as u64) as usize].lock().get_or_insert_default())
}

pub(super) fn insert(id: u64, entry: Entry) {
    with_table(id, |table| table.insert(id, entry));
}

/// Takes it out: whoever does so ends it.
pub(super) fn remove(id: u64) -> Option<Entry> {
    with_table(id, |table| table.remove(&id))
}

/// Its position is known. Whether it is still under way.
pub(super) fn place(id: u64, position: QueuePosition) -> bool {
    with_table(id, |table| table.get_mut(&id).map(|entry| entry.position = Some(position)).is_some())
}

/// Whether it has not been answered.
pub(super) fn is_under_way(id: u64) -> bool {
    with_table(id, |table| table.contains_key(&id))
}

/// The function of a submission, and its data.
pub(super) fn function_of(id: u64) -> Option<(abi::RunFn, Data)> {
    with_table(id, |table| match table.get(&id)? {
        Entry { what: What::Function(run), data, .. } => Some((*run, *data)),
        Entry { what: What::Named, .. } => None,
    })
}

/// Asks a submission to stop, of this pool if one is given. Whether it was there.
pub(super) fn stop(id: u64, of: Option<&Arc<SharedPool>>, reason: Reason) -> bool {
    let found = with_table(id, |table| {
        let entry = table.get(&id).filter(|entry| of.is_none_or(|of| Arc::ptr_eq(of, &entry.shared)))?;
        Some((Arc::clone(&entry.shared), entry.token.clone(), entry.position))
    });
    let Some((shared, token, position)) = found else { return false };
    token.cancel(reason);
    if let Some(position) = position {
        shared.pool.take_out(&[position], reason, |_| {});
    }
    true
}

/// Asks all that is under way of a pool to stop, for `reason`, or what of it still waits; how much of it waited.
pub fn end_submissions(shared: &Arc<SharedPool>, reason: Reason, only_waiting: bool) -> usize {
    let mut own = Vec::new();
    for table in &UNDER_WAY {
        let table = table.lock();
        let entries = table.iter().flat_map(HashMap::values);
        let entries = entries.filter(|entry| Arc::ptr_eq(&entry.shared, shared));
        own.extend(entries.map(|entry| (entry.token.clone(), entry.position)));
    }
    let positions: Vec<_> = own.iter().filter_map(|(_, position)| *position).collect();
    if !only_waiting {
        own.iter().for_each(|(token, _)| token.cancel(reason));
    }
    shared.pool.take_out(&positions, reason, |_| {})
}
