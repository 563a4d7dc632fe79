//! A port as part of a value. The module `channel` implements [`PortPart`] and adds the methods that open a port, so that
//! this module does not import `channel`.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

/// A port on its way to a new owner. Dropping it closes the port. `channel::PortInTransit` is the one implementation.
pub trait PortPart: Any + Send + fmt::Debug {}

/// A port that came with a value, for the first task that takes it. Clones are the same port; when the last clone is
/// dropped before that, the port closes. `PortValue::open`, in `channel/handle.rs`, gives a task its end.
#[derive(Clone)]
pub struct PortValue(Arc<Mutex<Option<Box<dyn PortPart>>>>);

impl PortValue {
    /// A port to be sent.
    pub fn new(port: impl PortPart) -> Self {
        PortValue::from(Box::new(port) as Box<dyn PortPart>)
    }

    /// The port, once.
    pub fn take(&self) -> Option<Box<dyn PortPart>> {
        self.0.lock().take()
    }
}

impl From<Box<dyn PortPart>> for PortValue {
    fn from(port: Box<dyn PortPart>) -> Self {
        PortValue(Arc::new(Mutex::new(Some(port))))
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
