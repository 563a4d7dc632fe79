//! A wait in which a thread blocks: for a cell or for a lock, to its end or in slices.

use std::time::Duration;

use super::super::error::Result;
use crate::blocking::WaitLimit;

/// A waiter in a queue, and the thread that sleeps until its wait has ended.
pub(in crate::shared) trait BlockingWait: Sized {
    /// The result of a wait that has ended well.
    type Gained;

    /// Sleeps until the wait has ended. `None`: the limit ended the sleep, or the thread was woken and came too late; it is
    /// in the queue still, or again. A wait that has ended counts before the limit.
    fn sleep(&mut self, limit: WaitLimit<'_>) -> Result<Option<Self::Gained>>;

    /// Leaves the queue, and returns true. False if the wait has already ended: the next `sleep` returns how.
    fn cancel(&mut self) -> bool;

    /// Sleeps until the wait has ended; an error when `limit` ends it before.
    fn block(mut self, limit: WaitLimit<'_>) -> Result<Self::Gained> {
        loop {
            if let Some(gained) = self.sleep(limit)? {
                return Ok(gained);
            }
            if let Err(early) = limit.check()
                && self.cancel()
            {
                return Err(early.into());
            }
        }
    }

    /// Sleeps for a slice of time at most, as a JavaScript thread does.
    fn wait_slice(&mut self, slice: Duration) -> Result<Option<Self::Gained>> {
        self.sleep(WaitLimit::default().within(slice))
    }
}
