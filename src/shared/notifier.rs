//! Wakes for those who wait by plain `Atomics.wait`.
//!
//! They sleep in V8's own list, which only `Atomics.notify` on a JavaScript thread reaches (facts/node-api.md C1–C3). So
//! a Rust thread asks a *notifier*: a JavaScript thread that does nothing but take such requests. A region knows the
//! notifiers that were given its buffer, one for each environment that has one; any of them will do.
//!
//! States of a request: *asked* → *taken* by the notifier → *answered* with how many it woke. A notifier that ends drops
//! its end of the channel, and with it the requests not taken; the asker then tries the next, or says 0. The asker waits
//! in slices, so its cancel token is heard too.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use parking_lot::Mutex;

use super::error::Result;
use super::region::{Access, RegionId};
use super::wait::{SLICE, WaitPolicy};

/// One `Atomics.notify` to be made.
#[derive(Debug)]
pub struct NotifyRequest {
    /// The buffer.
    pub region: RegionId,
    /// The byte offset of the element.
    pub offset: usize,
    /// The size of the element in bytes: 4 or 8.
    pub size: usize,
    /// How many to wake at the most.
    pub count: usize,
    /// Where to say how many were woken.
    pub answer: Sender<usize>,
}

type Notifiers = HashMap<RegionId, Vec<(u64, Sender<NotifyRequest>)>>;

static NOTIFIERS: LazyLock<Mutex<Notifiers>> = LazyLock::new(Mutex::default);

/// The end of a notifier's requests that its environment keeps.
pub struct NotifierDesk {
    environment: u64,
    sender: Sender<NotifyRequest>,
}

impl NotifierDesk {
    /// A desk for the notifier of an environment, and where it takes its requests.
    pub fn new(environment: u64) -> (Self, Receiver<NotifyRequest>) {
        let (sender, receiver) = unbounded();
        (NotifierDesk { environment, sender }, receiver)
    }

    /// From here on requests for this region may come here.
    pub fn serve(&self, region: RegionId) {
        let mut notifiers = NOTIFIERS.lock();
        let known = notifiers.entry(region).or_default();
        if !known.iter().any(|(environment, _)| *environment == self.environment) {
            known.push((self.environment, self.sender.clone()));
        }
    }

    /// Requests for this region come here no more: its buffer is gone.
    pub fn forget(&self, region: RegionId) {
        let mut notifiers = NOTIFIERS.lock();
        if let Some(known) = notifiers.get_mut(&region) {
            known.retain(|(environment, _)| *environment != self.environment);
            if known.is_empty() {
                notifiers.remove(&region);
            }
        }
    }
}

impl Drop for NotifierDesk {
    fn drop(&mut self) {
        NOTIFIERS.lock().retain(|_, known| {
            known.retain(|(environment, _)| *environment != self.environment);
            !known.is_empty()
        });
    }
}

/// Wakes up to `count` who wait by `Atomics.wait` on the element at a byte offset, and says how many; 0 when no
/// notifier knows the buffer.
pub fn notify_plain(
    access: &Access,
    offset: usize,
    size: usize,
    count: usize,
    policy: WaitPolicy<'_>,
) -> Result<usize> {
    if count == 0 {
        return Ok(0);
    }
    let region = access.region().id();
    let notifiers: Vec<_> = NOTIFIERS.lock().get(&region).cloned().unwrap_or_default();
    for (_, notifier) in notifiers {
        let (answer, answered) = bounded(1);
        if notifier.send(NotifyRequest { region, offset, size, count, answer }).is_err() {
            continue;
        }
        // It does not answer the call of a channel whose notifier died with its thread: that is what the limit is for.
        for _ in 0..40 {
            policy.slice()?;
            match answered.recv_timeout(SLICE.min(Duration::from_millis(25))) {
                Ok(woken) => return Ok(woken),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
    Ok(0)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::Region;
    use super::*;

    #[test]
    fn a_request_is_answered_by_a_notifier_that_knows_the_region() {
        let access = Region::allocate(64, 64).unwrap().access().unwrap();
        let (desk, receiver) = NotifierDesk::new(1_000_001);
        assert_eq!(notify_plain(&access, 8, 4, 3, WaitPolicy::default()), Ok(0), "nobody knows it yet");
        desk.serve(access.region().id());
        desk.serve(access.region().id());
        let notifier = std::thread::spawn(move || {
            let request = receiver.recv().unwrap();
            assert_eq!((request.offset, request.size, request.count), (8, 4, 3));
            request.answer.send(2).unwrap();
        });
        assert_eq!(notify_plain(&access, 8, 4, 3, WaitPolicy::default()), Ok(2));
        notifier.join().unwrap();
        desk.forget(access.region().id());
        assert_eq!(notify_plain(&access, 8, 4, 3, WaitPolicy::default()), Ok(0));
    }

    #[test]
    fn a_notifier_that_is_gone_is_asked_no_more() {
        let access = Region::allocate(64, 64).unwrap().access().unwrap();
        let (desk, _receiver) = NotifierDesk::new(1_000_002);
        desk.serve(access.region().id());
        drop(desk);
        assert_eq!(notify_plain(&access, 0, 4, 1, WaitPolicy::default()), Ok(0));
    }
}
