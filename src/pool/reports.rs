//! Reports of running tasks: how far they are, for the `onProgress` of their callers.
//!
//! A native task's reports go by the line of its thread, as its answer does, so they come in order and before the answer. What was
//! reported and not delivered is limited: a task that is faster than its caller's event loop waits there, as long as it may run, or it would
//! fill the memory. Of a task of which only the latest report is wanted none waits.
//!
//! # The protocol of the latest
//! Each such task has a cell. Who reports puts the report into it; where the cell was empty, it also pushes an event that has the cell.
//! The owner's thread takes what is there when it delivers the event. So there is at most one event of a task in the queue, however
//! fast it reports, and that event brings what the task reported last.
//!
//! *Races.* Putting and taking are one step each, under the cell's lock. A report that is put before the owner takes is taken along,
//! or has replaced one that was there; one that is put after finds the cell empty and pushes an event of its own. So each
//! report is delivered, or a later one of its task is.
//!
//! # The protocol of all
//! A report takes room in its task's window, and gives it back when it is dropped: delivered, skipped, or with the event queue of an
//! environment that has ended. Both happen under the window's lock, and whoever gives room back notifies after that, so no wake is lost.

use std::sync::OnceLock;

use crate::cancel::CancelToken;
use crate::error::Result;
use crate::sync::{Arc, Condvar, Mutex, sized};
use crate::value::{Envelope, INLINE_BYTES, Part, Payload, Value, encode};
use crate::wait_limit::{EndedEarly, WaitLimit};

/// Which reports of a task are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WantedReports {
    /// None: nobody listens.
    #[default]
    Nothing,
    /// Each.
    All,
    /// Of those that were not delivered the latest.
    Latest,
}

/// So many reports of a task may wait to be delivered, or so many bytes.
const MOST: usize = sized(1024, 2);
const MOST_BYTES: usize = 16 << 20;

/// The report of a task of which only the latest is wanted.
pub struct ReportCell<T>(Mutex<Option<T>>);

impl<T> Default for ReportCell<T> {
    fn default() -> Self {
        ReportCell(Mutex::new(None))
    }
}

impl<T> ReportCell<T> {
    /// Puts a report in place of the one that is there. True when there was none: an event must follow.
    pub fn put(&self, report: T) -> bool {
        let replaced = self.0.lock().replace(report);
        // Outside the lock: it may be large.
        let was_empty = replaced.is_none();
        drop(replaced);
        was_empty
    }

    /// Takes the report, to deliver it.
    pub fn take(&self) -> Option<T> {
        self.0.lock().take()
    }
}

/// What is under way of a task's reports.
#[derive(Default)]
struct UnderWay {
    count: usize,
    bytes: usize,
}

struct Window {
    under_way: Mutex<UnderWay>,
    changed: Condvar,
}

/// Room in a window, until it is dropped.
struct Room {
    window: Arc<Window>,
    bytes: usize,
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut under_way = self.window.under_way.lock();
        under_way.count -= 1;
        under_way.bytes -= self.bytes;
        drop(under_way);
        self.window.changed.notify_all();
    }
}

impl Window {
    /// Waits for room, as long as the task may run.
    fn enter(window: &Arc<Window>, bytes: usize, token: &CancelToken) -> Result<Room> {
        let mut wait = WaitLimit::new(Some(token)).begin();
        let mut under_way = window.under_way.lock();
        while under_way.count >= MOST || under_way.bytes >= MOST_BYTES {
            let waker = || {
                let window = Arc::clone(window);
                move || {
                    drop(window.under_way.lock());
                    window.changed.notify_all();
                }
            };
            if let Err(EndedEarly::Stopped(reason)) = wait.sleep(&window.changed, &mut under_way, waker) {
                return Err(reason.into_error());
            }
        }
        under_way.count += 1;
        under_way.bytes += bytes;
        drop(under_way);
        Ok(Room { window: Arc::clone(window), bytes })
    }
}

/// A report on its way to the caller of its task.
pub struct Report(Form);

enum Form {
    One(Payload, Room),
    Latest(Arc<ReportCell<Payload>>),
}

impl Report {
    /// The report, to deliver it; none where a later one was delivered in its place.
    pub fn take(self) -> Option<Payload> {
        match self.0 {
            Form::One(payload, _room) => Some(payload),
            Form::Latest(cell) => cell.take(),
        }
    }

    /// Bytes that the thread which delivers it may have to copy.
    pub fn size(&self) -> usize {
        match &self.0 {
            Form::One(_, room) => room.bytes,
            Form::Latest(_) => 0,
        }
    }
}

/// The reports of one run, of which some are wanted.
pub(super) struct Reports {
    wanted: WantedReports,
    cell: OnceLock<Arc<ReportCell<Payload>>>,
    window: OnceLock<Arc<Window>>,
}

impl Reports {
    pub(super) fn new(wanted: WantedReports) -> Self {
        Reports { wanted, cell: OnceLock::new(), window: OnceLock::new() }
    }

    /// Takes a report; `tell` sends it to the caller.
    pub(super) fn send(&self, report: Value, token: &CancelToken, tell: impl FnOnce(Report)) -> Result<()> {
        // Encoded here, on the thread that has the value.
        let (payload, bytes) = prepared(report)?;
        if self.wanted == WantedReports::Latest {
            let cell = self.cell.get_or_init(Arc::default);
            if cell.put(payload) {
                tell(Report(Form::Latest(Arc::clone(cell))));
            }
            return Ok(());
        }
        let window = self.window.get_or_init(|| {
            Arc::new(Window { under_way: Mutex::new(UnderWay::default()), changed: Condvar::new() })
        });
        let room = Window::enter(window, bytes, token)?;
        tell(Report(Form::One(payload, room)));
        Ok(())
    }
}

/// A value as it is delivered, and how many bytes it has.
pub(super) fn prepared(value: Value) -> Result<(Payload, usize)> {
    match value {
        Value::Undefined | Value::Null | Value::Bool(_) | Value::Number(_) => Ok((Payload::Value(value), 0)),
        Value::Bytes(bytes) if bytes.len() > INLINE_BYTES => {
            let size = bytes.len();
            Ok((Payload::Value(Value::Bytes(bytes)), size))
        }
        value => {
            let envelope = encode(value)?;
            let size = size_of_envelope(&envelope);
            Ok((Payload::Envelope(envelope), size))
        }
    }
}

fn size_of_envelope(Envelope { wire, parts }: &Envelope) -> usize {
    let part = |part: &Part| match part {
        Part::Bytes(bytes) => bytes.len(),
        Part::Text(text) => text.as_bytes().len(),
        Part::Port(_) | Part::Shared(_) => 0,
    };
    wire.len() + parts.iter().map(part).sum::<usize>()
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use std::sync::mpsc::{Sender, channel};
    use std::time::Duration;

    use super::*;
    use crate::cancel::Reason;
    use crate::error::Code;

    fn send(reports: &Reports, to: &Sender<Report>, number: u32, token: &CancelToken) -> Result<()> {
        reports.send(Value::from(number), token, |report| to.send(report).unwrap())
    }

    fn number(report: Report) -> Option<f64> {
        match report.take()? {
            Payload::Value(Value::Number(number)) => Some(number),
            _ => panic!("a number"),
        }
    }

    #[test]
    fn a_report_that_was_not_delivered_is_replaced() {
        let (to, reports) = channel();
        let (sent, token) = (Reports::new(WantedReports::Latest), CancelToken::new(None));
        for n in [1, 2, 3] {
            send(&sent, &to, n, &token).unwrap();
        }
        assert_eq!(number(reports.try_recv().unwrap()), Some(3.0));
        assert!(reports.try_recv().is_err(), "one event for all");
        send(&sent, &to, 4, &token).unwrap();
        assert_eq!(number(reports.try_recv().unwrap()), Some(4.0));
    }

    #[test]
    fn a_task_that_floods_waits_until_its_reports_are_delivered() {
        let (to, reports) = channel();
        let flood = std::thread::spawn(move || {
            let (sent, token) = (Reports::new(WantedReports::All), CancelToken::new(None));
            for n in 0..10 * MOST {
                send(&sent, &to, n as u32, &token).unwrap();
            }
        });
        let mut waiting = Vec::new();
        while let Ok(report) = reports.recv_timeout(Duration::from_millis(50)) {
            waiting.push(report);
        }
        assert_eq!(waiting.len(), MOST, "the rest waits");
        let mut next = 0.0;
        for report in waiting {
            assert_eq!(number(report), Some(next));
            next += 1.0;
        }
        while next < (10 * MOST) as f64 {
            assert_eq!(number(reports.recv().unwrap()), Some(next));
            next += 1.0;
        }
        flood.join().unwrap();
    }

    #[test]
    fn bytes_count_and_one_large_report_gets_through() {
        let (to, reports) = channel();
        let (sent, token) = (Reports::new(WantedReports::All), CancelToken::new(None));
        let large = |token: &CancelToken| {
            let text = "x".repeat(MOST_BYTES + 1);
            sent.send(Value::from(text.as_str()), token, |report| to.send(report).unwrap())
        };
        large(&token).unwrap();
        let limited = CancelToken::new(Some(crate::sync::Instant::now() + Duration::from_millis(5)));
        assert_eq!(large(&limited).unwrap_err().code(), Code::TaskTimeout);
        drop(reports.recv().unwrap());
        large(&token).unwrap();
    }

    #[test]
    fn a_task_that_waits_for_room_can_be_stopped() {
        let (to, reports) = channel();
        let token = CancelToken::new(None);
        let stopped = token.clone();
        let flood = std::thread::spawn(move || {
            let sent = Reports::new(WantedReports::All);
            (0..).find_map(|n: u32| send(&sent, &to, n, &token).err()).unwrap()
        });
        let kept: Vec<_> = (0..MOST).map(|_| reports.recv().unwrap()).collect();
        stopped.cancel(Reason::Cancelled);
        assert_eq!(flood.join().unwrap().code(), Code::TaskCancelled);
        drop(kept);
    }

    #[test]
    fn each_report_is_delivered_or_a_later_one_is() {
        const REPORTS: u32 = 20_000;
        let (to, reports) = channel();
        let worker = std::thread::spawn(move || {
            let (sent, token) = (Reports::new(WantedReports::Latest), CancelToken::new(None));
            for n in 1..=REPORTS {
                send(&sent, &to, n, &token).unwrap();
            }
        });
        let mut last = 0.0;
        while last < f64::from(REPORTS) {
            let seen = number(reports.recv().unwrap()).expect("an event brings a report");
            assert!(seen > last, "each event brings a later report");
            last = seen;
        }
        worker.join().unwrap();
    }
}
