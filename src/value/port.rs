//! A port as part of a value.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::cancel::CancelToken;
use crate::channel::{PortHandle, PortInTransit};

/// A port that came with a value, for one taker. Clones are the same port; when the last is dropped untaken, it closes.
#[derive(Clone)]
pub struct PortValue(Arc<Mutex<Option<PortInTransit>>>);

impl PortValue {
    /// A port to be sent.
    pub fn new(port: PortInTransit) -> Self {
        PortValue(Arc::new(Mutex::new(Some(port))))
    }

    /// The port, once.
    pub fn take(&self) -> Option<PortInTransit> {
        self.0.lock().take()
    }

    /// The port in the hands of a task that `cancel` can stop; `None` when it was taken before.
    pub fn open(&self, cancel: CancelToken) -> Option<PortHandle> {
        self.take().map(|port| PortHandle::new(port, cancel))
    }
}

impl PartialEq for PortValue {
    /// The same port, not an equal one.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for PortValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PortValue")
    }
}
