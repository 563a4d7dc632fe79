//! Tables whose entries JavaScript names by numbers.

use std::cell::{RefCell, RefMut};

/// Entries by handle. The handle of an entry that is gone is used again. Used on the environment's own thread only.
pub(crate) struct Handles<T>(RefCell<Slots<T>>);

struct Slots<T> {
    entries: Vec<Option<T>>,
    vacant: Vec<u32>,
}

impl<T> Default for Handles<T> {
    fn default() -> Self {
        Handles(RefCell::new(Slots { entries: Vec::new(), vacant: Vec::new() }))
    }
}

impl<T> Handles<T> {
    /// Adds an entry; its handle.
    pub(crate) fn insert(&self, entry: T) -> u32 {
        let mut slots = self.0.borrow_mut();
        if let Some(handle) = slots.vacant.pop() {
            slots.entries[handle as usize] = Some(entry);
            return handle;
        }
        slots.entries.push(Some(entry));
        // Memory ends long before the numbers do.
        u32::try_from(slots.entries.len() - 1).unwrap_or(u32::MAX)
    }

    /// Runs `work` on an entry, which stays where it is; `work` must not come back to this table.
    pub(crate) fn with<R>(&self, handle: u32, work: impl FnOnce(&T) -> R) -> Option<R> {
        self.0.borrow().entries.get(handle as usize)?.as_ref().map(work)
    }

    /// An entry to work on; the table must not be touched meanwhile.
    pub(crate) fn get_mut(&self, handle: u32) -> Option<RefMut<'_, T>> {
        RefMut::filter_map(self.0.borrow_mut(), |slots| slots.entries.get_mut(handle as usize)?.as_mut()).ok()
    }

    /// Whether there is an entry of this handle.
    pub(crate) fn contains(&self, handle: u32) -> bool {
        self.with(handle, |_| ()).is_some()
    }

    /// A copy of an entry.
    pub(crate) fn get(&self, handle: u32) -> Option<T>
    where
        T: Clone,
    {
        self.with(handle, T::clone)
    }

    /// Takes an entry out. The caller drops it: that may be the last use of much, and come back here.
    pub(crate) fn remove(&self, handle: u32) -> Option<T> {
        let mut slots = self.0.borrow_mut();
        let entry = slots.entries.get_mut(handle as usize)?.take()?;
        slots.vacant.push(handle);
        Some(entry)
    }

    /// Takes all entries out.
    pub(crate) fn take_all(&self) -> impl Iterator<Item = T> {
        let mut slots = self.0.borrow_mut();
        slots.vacant.clear();
        std::mem::take(&mut slots.entries).into_iter().flatten()
    }
}
