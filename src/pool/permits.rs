//! What a task that runs keeps others from: those of its key, and those beyond the limit of its name. `holding.rs` has who gets them.

use super::keys::Key;
use super::position::LimitId;

/// What a task that runs keeps others from.
#[derive(Default)]
pub(super) struct Permits {
    pub(super) key: Option<Key>,
    pub(super) limit: Option<LimitId>,
}

impl Permits {
    pub(super) fn is_empty(&self) -> bool {
        self.key.is_none() && self.limit.is_none()
    }

    pub(super) fn key(&self) -> Option<&Key> {
        self.key.as_ref()
    }

    /// Takes out what belongs to a limit; the key stays.
    pub(super) fn take_limit(&mut self) -> Permits {
        Permits { key: None, limit: self.limit.take() }
    }
}
