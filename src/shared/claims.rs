//! The claims of tasks on ranges of one region: which task waits for which.
//!
//! Each region has one queue of claims, in the order in which they were made. A claim is *granted* when no earlier
//! claim that is still there conflicts with it; two claims conflict when their ranges overlap and at least one of
//! them is exclusive. So claims that do not overlap never disturb each other, readers work side by side, and a
//! claim waits only for those made before it: none starves (a reader that comes after a waiting writer waits
//! too). A claim that gives up is removed, and the others look again.
//!
//! A task that holds one range and waits for a second may deadlock with one that does the reverse: take ranges
//! with a time limit, or in the order of `(RegionId, offset)`.

use std::collections::VecDeque;
use std::ops::Range;

use super::error::{Result, SharedError};
use crate::sync::{Arc, Condvar, Mutex};
use crate::wait_limit::WaitLimit;

struct Claim {
    id: u64,
    range: Range<usize>,
    exclusive: bool,
}

impl Claim {
    fn conflicts(&self, other: &Claim) -> bool {
        (self.exclusive || other.exclusive)
            && self.range.start < other.range.end
            && other.range.start < self.range.end
    }
}

struct Queue {
    claims: VecDeque<Claim>,
    next: u64,
    /// The region has closed: no claim waits any more.
    closed: bool,
}

impl Queue {
    fn granted(&self, id: u64) -> bool {
        let Some(at) = self.claims.iter().position(|claim| claim.id == id) else { return false };
        !self.claims.range(..at).any(|earlier| earlier.conflicts(&self.claims[at]))
    }
}

/// The claims on one region.
pub(super) struct Claims {
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl Claims {
    pub(super) fn new() -> Self {
        let queue = Queue { claims: VecDeque::new(), next: 0, closed: false };
        Claims { queue: Mutex::new(queue), changed: Condvar::new() }
    }

    /// The region has closed: ends every wait, and refuses those to come.
    pub(super) fn close(&self) {
        self.queue.lock().closed = true;
        self.changed.notify_all();
    }

    /// Ends a claim.
    pub(super) fn remove(&self, id: u64) {
        self.queue.lock().claims.retain(|claim| claim.id != id);
        self.changed.notify_all();
    }

    /// Queues a claim and waits until it is granted; without a limit it fails instead of waiting. The number is for
    /// [`Claims::remove`].
    pub(super) fn claim(
        claims: &Arc<Claims>,
        range: Range<usize>,
        exclusive: bool,
        limit: Option<WaitLimit<'_>>,
    ) -> Result<u64> {
        let mut queue = claims.queue.lock();
        let id = queue.next;
        queue.next += 1;
        queue.claims.push_back(Claim { id, range, exclusive });
        let mut blocked = limit.map(WaitLimit::begin);
        let refused = loop {
            if queue.granted(id) {
                return Ok(id);
            }
            if queue.closed {
                break SharedError::RegionClosed;
            }
            let Some(blocked) = &mut blocked else { break SharedError::RangeBusy };
            if let Err(early) = blocked.sleep(&claims.changed, &mut queue, || Claims::waker(claims)) {
                break early.into();
            }
        };
        drop(queue);
        claims.remove(id);
        Err(refused)
    }

    /// Makes every task that waits look again: for a token that is cancelled.
    fn waker(claims: &Arc<Claims>) -> impl FnOnce() + Send + use<> {
        let claims = Arc::clone(claims);
        move || {
            drop(claims.queue.lock());
            claims.changed.notify_all();
        }
    }

    /// How many claims there are, granted or waiting.
    #[cfg(all(test, not(loom)))]
    pub(super) fn len(&self) -> usize {
        self.queue.lock().claims.len()
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;
    use crate::cancel::{CancelToken, Reason};
    use crate::sync::thread;

    #[test]
    fn loom_a_claim_is_granted_or_cancelled_and_never_left_asleep() {
        // Unbounded, three threads take a minute.
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(|| {
            let claims = Arc::new(Claims::new());
            let token = CancelToken::new(None);
            let held = Claims::claim(&claims, 0..8, true, None).expect("nobody else");
            let (other, waits) = (Arc::clone(&claims), token.clone());
            let waiter = thread::spawn(move || {
                let taken = Claims::claim(&other, 4..12, true, Some(WaitLimit::new(Some(&waits))));
                taken.map(|id| other.remove(id))
            });
            let other = Arc::clone(&claims);
            let holder = thread::spawn(move || other.remove(held));
            token.cancel(Reason::Cancelled);
            let taken = waiter.join().unwrap();
            assert!(matches!(taken, Ok(()) | Err(SharedError::Stopped(Reason::Cancelled))));
            holder.join().unwrap();
            let last = Claims::claim(&claims, 0..12, true, None);
            assert!(last.is_ok(), "a claim that gave up left nothing behind");
        });
    }

    #[test]
    fn loom_cancelling_one_task_wakes_it_while_another_holds_on() {
        loom::model(|| {
            let claims = Arc::new(Claims::new());
            let token = CancelToken::new(None);
            let held = Claims::claim(&claims, 0..8, true, None).expect("nobody else");
            let (other, waits) = (Arc::clone(&claims), token.clone());
            let waiter =
                thread::spawn(move || Claims::claim(&other, 0..8, false, Some(WaitLimit::new(Some(&waits)))));
            token.cancel(Reason::PoolClosed);
            assert_eq!(waiter.join().unwrap(), Err(SharedError::Stopped(Reason::PoolClosed)));
            claims.remove(held);
        });
    }

    #[test]
    fn loom_a_region_that_closes_ends_the_wait() {
        loom::model(|| {
            let claims = Arc::new(Claims::new());
            let held = Claims::claim(&claims, 0..8, true, None).expect("nobody else");
            let other = Arc::clone(&claims);
            let waiter = thread::spawn(move || Claims::claim(&other, 0..8, true, Some(WaitLimit::default())));
            claims.close();
            assert_eq!(waiter.join().unwrap(), Err(SharedError::RegionClosed));
            claims.remove(held);
        });
    }
}
