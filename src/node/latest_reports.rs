//! Reports of a script's jobs of which the owner wants only the latest (`progress: 'latest'`): one that has not been delivered is
//! replaced by the next. `pool/reports.rs` has the protocol of their cells.
//!
//! *Order.* The event of a report is in the queue's common line before the job's answer, since the worker answers later. A
//! report that goes by the native fallback has an event of its own; the job's cell is let go of before, so that a later report
//! does not come with an earlier event.

use std::cell::RefCell;
use std::sync::Arc;

use crate::pool::ReportCell;

/// The cells of the jobs that a script worker has. Used on its own thread only.
pub(super) struct LatestReports<T>(RefCell<Vec<(u64, Arc<ReportCell<T>>)>>);

impl<T> Default for LatestReports<T> {
    fn default() -> Self {
        LatestReports(RefCell::default())
    }
}

impl<T> LatestReports<T> {
    /// Puts a report of the job `id` into its cell; returns that where an event must follow.
    pub(super) fn put(&self, id: u64, report: T) -> Option<Arc<ReportCell<T>>> {
        let mut cells = self.0.borrow_mut();
        let at = cells.iter().position(|entry| entry.0 == id).unwrap_or_else(|| {
            cells.push((id, Arc::default()));
            cells.len() - 1
        });
        let (_, cell) = &cells[at];
        cell.put(report).then(|| Arc::clone(cell))
    }

    /// The job has ended, or what it reports next must come after something else.
    pub(super) fn forget(&self, id: u64) {
        let mut cells = self.0.borrow_mut();
        if !cells.is_empty() {
            cells.retain(|entry| entry.0 != id);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_report_that_was_not_delivered_is_replaced() {
        let reports = LatestReports::default();
        let first = reports.put(1, 1).expect("the cell was empty");
        assert!(reports.put(1, 2).is_none());
        let other = reports.put(2, 10).expect("another job's");
        assert_eq!(first.take(), Some(2));
        assert!(first.take().is_none());
        let again = reports.put(1, 3).expect("it was taken");
        assert!(Arc::ptr_eq(&first, &again));
        assert_eq!((again.take(), other.take()), (Some(3), Some(10)));
    }

    #[test]
    fn what_comes_after_a_forgotten_cell_has_an_event_of_its_own() {
        let reports = LatestReports::default();
        let first = reports.put(1, 1).expect("the cell was empty");
        reports.forget(1);
        let second = reports.put(1, 2).expect("a cell of its own");
        assert_eq!((first.take(), second.take()), (Some(1), Some(2)));
    }
}
