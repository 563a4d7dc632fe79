//! Reports of jobs of which the owner wants only the latest (`progress: 'latest'`): one that has not been delivered is
//! replaced by the next.
//!
//! # The protocol
//! Each such job has a cell. The worker puts a report into it; where the cell was empty, it also pushes an event that has the cell.
//! The owner's thread takes what is there when it delivers the event. So there is at most one event of a job in the queue, however
//! fast it reports, and that event brings what the job reported last.
//!
//! *Races.* Putting and taking are one step each, under the cell's lock. A report that is put before the owner takes is taken along,
//! or has replaced one that was there; one that is put after finds the cell empty and pushes an event of its own. So each
//! report is delivered, or a later one of its job is.
//!
//! *Order.* The event of a report is in the queue's common line before the job's answer, since the worker answers later. A
//! report that goes by the native fallback has an event of its own; the job's cell is let go of before, so that a later report
//! does not come with an earlier event.

use std::cell::RefCell;
use std::sync::Arc;

use parking_lot::Mutex;

/// The report of a job that was not delivered yet.
pub(crate) struct ReportCell<T>(Mutex<Option<T>>);

impl<T> ReportCell<T> {
    /// Puts a report in place of the one that is there. True when there was none: an event must follow.
    fn put(&self, report: T) -> bool {
        let replaced = self.0.lock().replace(report);
        // Outside the lock: it may be large.
        let was_empty = replaced.is_none();
        drop(replaced);
        was_empty
    }

    /// Takes the report, to deliver it.
    pub(super) fn take(&self) -> Option<T> {
        self.0.lock().take()
    }
}

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
            cells.push((id, Arc::new(ReportCell(Mutex::new(None)))));
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

    #[test]
    fn each_report_is_delivered_or_a_later_one_is() {
        const REPORTS: u32 = 20_000;
        let (sender, receiver) = std::sync::mpsc::channel::<Arc<ReportCell<u32>>>();
        let worker = std::thread::spawn(move || {
            let reports = LatestReports::default();
            for n in 1..=REPORTS {
                if let Some(cell) = reports.put(7, n) {
                    sender.send(cell).unwrap();
                }
            }
        });
        let mut last = 0;
        for cell in receiver {
            let seen = cell.take().expect("an event brings a report");
            assert!(seen > last, "each event brings a later report");
            last = seen;
        }
        worker.join().unwrap();
        assert_eq!(last, REPORTS);
    }
}
