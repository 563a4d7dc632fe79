//! All ports of one JavaScript environment, for its teardown.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::port::{Port, PortId};

/// The ports an environment owns, by number. After [`PortSet::close_all`] it takes no more.
///
/// A plain lock, never held while a port is closed, woken or dropped.
pub struct PortSet {
    /// `None` once closed.
    ports: Mutex<Option<HashMap<PortId, Port>>>,
}

impl Default for PortSet {
    fn default() -> Self {
        PortSet::new()
    }
}

impl PortSet {
    /// An empty set.
    pub fn new() -> Self {
        PortSet { ports: Mutex::new(Some(HashMap::new())) }
    }

    /// Adds a port. False when the environment has ended: the port is closed instead.
    pub fn insert(&self, port: Port) -> bool {
        let mut ports = self.ports.lock();
        match ports.as_mut() {
            Some(ports) => {
                ports.insert(port.id(), port);
                true
            }
            None => {
                drop(ports);
                port.close();
                false
            }
        }
    }

    /// The port of that number.
    pub fn get(&self, id: PortId) -> Option<Port> {
        self.ports.lock().as_ref()?.get(&id).cloned()
    }

    /// Takes a port out, when it was closed or detached. Dropping the last handle closes it.
    pub fn remove(&self, id: PortId) -> Option<Port> {
        self.ports.lock().as_mut()?.remove(&id)
    }

    /// How many ports there are.
    pub fn len(&self) -> usize {
        self.ports.lock().as_ref().map_or(0, HashMap::len)
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes every thread blocked for a message at one of these ports come back empty-handed.
    pub fn interrupt_all(&self) {
        let ports: Vec<Port> = self.ports.lock().iter().flat_map(HashMap::values).cloned().collect();
        ports.iter().for_each(Port::interrupt);
    }

    /// The environment ends: closes every port, and every port that is added later.
    pub fn close_all(&self) {
        let ports = self.ports.lock().take();
        for port in ports.iter().flat_map(HashMap::values) {
            port.close();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::channel::{Message, Posted, Received, channel};

    #[test]
    fn the_end_of_an_environment_closes_its_ports_and_later_ones() {
        let set = PortSet::new();
        let (near, far) = channel(None);
        near.post(Message::default());
        assert!(set.insert(near));
        assert_eq!(set.len(), 1);
        set.close_all();
        assert!(matches!(far.take_one(), Received::Message(_)));
        assert!(matches!(far.take_one(), Received::Closed));

        let (late, other) = channel(None);
        assert!(!set.insert(late));
        assert!(matches!(other.take_one(), Received::Closed));
        assert!(set.is_empty());
    }

    #[test]
    fn a_detached_port_is_not_closed_with_its_former_environment() {
        let set = PortSet::new();
        let (near, far) = channel(None);
        let id = near.id();
        set.insert(near);
        let transit = set.get(id).unwrap().detach().unwrap();
        set.close_all();
        assert_eq!(far.post(Message::default()), Posted::Queued);
        let there = transit.attach(None);
        assert!(matches!(there.take_one(), Received::Message(_)));
    }
}
