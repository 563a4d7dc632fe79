//! Wakes for threads that wait by plain `Atomics.wait`.
//!
//! They sleep in V8's own list of waiters. V8 offers no way to it but `Atomics.notify`, called on a JavaScript thread: a
//! wake of the operating system for the same address does not reach them. So a Rust thread asks a *notifier*: a JavaScript
//! thread that does nothing but take such requests. A region knows the notifiers that have its buffer, one for each
//! environment that has one; any of them can do it.
//!
//! States of a request: *asked* → *taken* by the notifier → *answered* with how many it woke. A notifier that ends drops
//! its end of the channel, and with it the requests that it has not taken or not answered; the asking thread then tries the
//! next notifier, or answers 0.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
// Not the switch of `crate::sync`: a mutex of loom cannot be in a static.
use parking_lot::Mutex as StaticMutex;

use super::error::Result;
use super::region::Access;
use super::region_id::RegionId;
use crate::blocking::WaitLimit;
use crate::sync::{Arc, Condvar, Mutex};

/// How long an asking thread waits for one notifier: a JavaScript thread that dies in the middle of a request may keep its
/// channel, and then it neither answers nor drops the request.
const PATIENCE: Duration = Duration::from_secs(1);

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
    /// Where the notifier says how many it woke.
    pub answer: NotifyAnswer,
}

/// The answer to one request. Dropping it unsent says that the notifier has ended.
pub struct NotifyAnswer(Arc<Answer>);

struct Answer {
    state: Mutex<AnswerState>,
    changed: Condvar,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum AnswerState {
    Awaited,
    Woken(usize),
    /// The notifier dropped the request.
    Lost,
}

impl Answer {
    fn settle(&self, answer: AnswerState) {
        let mut state = self.state.lock();
        if *state == AnswerState::Awaited {
            *state = answer;
            drop(state);
            self.changed.notify_all();
        }
    }

    /// How many were woken; `None` when the notifier has ended. Or the limit ended the wait.
    fn wait(answer: &Arc<Answer>, limit: WaitLimit<'_>) -> Result<Option<usize>> {
        let mut blocked = limit.begin();
        let mut state = answer.state.lock();
        loop {
            match *state {
                AnswerState::Awaited => blocked.sleep(&answer.changed, &mut state, || {
                    let answer = Arc::clone(answer);
                    move || {
                        drop(answer.state.lock());
                        answer.changed.notify_all();
                    }
                })?,
                AnswerState::Woken(count) => return Ok(Some(count)),
                AnswerState::Lost => return Ok(None),
            }
        }
    }
}

impl NotifyAnswer {
    /// Says how many were woken. If the asking thread no longer waits, the answer is dropped.
    pub fn send(self, woken: usize) {
        self.0.settle(AnswerState::Woken(woken));
    }
}

impl Drop for NotifyAnswer {
    fn drop(&mut self) {
        self.0.settle(AnswerState::Lost);
    }
}

impl fmt::Debug for NotifyAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NotifyAnswer")
    }
}

type Notifiers = HashMap<RegionId, Vec<(u64, Sender<NotifyRequest>)>>;

static NOTIFIERS: LazyLock<StaticMutex<Notifiers>> = LazyLock::new(StaticMutex::default);

/// An environment's notifier, as those that ask know it. Dropping it ends that.
pub struct NotifierHandle {
    environment: u64,
    sender: Sender<NotifyRequest>,
}

impl NotifierHandle {
    /// A handle for the notifier of an environment, and the channel from which it takes its requests.
    pub fn new(environment: u64) -> (Self, Receiver<NotifyRequest>) {
        let (sender, receiver) = unbounded();
        (NotifierHandle { environment, sender }, receiver)
    }

    /// From here on requests for this region may come to the notifier.
    pub fn serve(&self, region: RegionId) {
        let mut notifiers = NOTIFIERS.lock();
        let known = notifiers.entry(region).or_default();
        if !known.iter().any(|(environment, _)| *environment == self.environment) {
            known.push((self.environment, self.sender.clone()));
        }
    }
}

impl Drop for NotifierHandle {
    fn drop(&mut self) {
        NOTIFIERS.lock().retain(|_, known| {
            known.retain(|(environment, _)| *environment != self.environment);
            !known.is_empty()
        });
    }
}

/// Wakes up to `count` threads that wait by `Atomics.wait` on the element at a byte offset, and returns how many; 0 when no
/// notifier knows the buffer.
pub fn notify_plain(
    access: &Access,
    offset: usize,
    size: usize,
    count: usize,
    limit: WaitLimit<'_>,
) -> Result<usize> {
    if count == 0 {
        return Ok(0);
    }
    let region = access.region().id();
    let notifiers: Vec<_> = NOTIFIERS.lock().get(&region).cloned().unwrap_or_default();
    for (_, notifier) in notifiers {
        let answer = Arc::new(Answer { state: Mutex::new(AnswerState::Awaited), changed: Condvar::new() });
        let request = NotifyRequest { region, offset, size, count, answer: NotifyAnswer(answer.clone()) };
        if notifier.send(request).is_err() {
            continue;
        }
        match Answer::wait(&answer, limit.within(PATIENCE)) {
            Ok(Some(woken)) => return Ok(woken),
            Ok(None) => {}
            // The caller's own limit, or this notifier does not answer.
            Err(_) => limit.check()?,
        }
    }
    Ok(0)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::{Region, SharedError};
    use super::*;
    use crate::cancel::{CancelToken, Reason};

    #[test]
    fn a_request_is_answered_by_a_notifier_that_knows_the_region() {
        let access = Region::allocate(64, 64).unwrap().access().unwrap();
        let (notifier, receiver) = NotifierHandle::new(1_000_001);
        assert_eq!(notify_plain(&access, 8, 4, 3, WaitLimit::default()), Ok(0), "nobody knows it yet");
        notifier.serve(access.region().id());
        notifier.serve(access.region().id());
        let thread = std::thread::spawn(move || {
            let request = receiver.recv().unwrap();
            assert_eq!((request.offset, request.size, request.count), (8, 4, 3));
            request.answer.send(2);
        });
        assert_eq!(notify_plain(&access, 8, 4, 3, WaitLimit::default()), Ok(2));
        thread.join().unwrap();
    }

    #[test]
    fn a_notifier_that_is_gone_is_asked_no_more() {
        let access = Region::allocate(64, 64).unwrap().access().unwrap();
        let (notifier, _receiver) = NotifierHandle::new(1_000_002);
        notifier.serve(access.region().id());
        drop(notifier);
        assert_eq!(notify_plain(&access, 0, 4, 1, WaitLimit::default()), Ok(0));
    }

    #[test]
    fn a_notifier_that_ends_during_a_request_is_followed_by_the_next() {
        let access = Region::allocate(64, 64).unwrap().access().unwrap();
        let (first, requests) = NotifierHandle::new(1_000_003);
        let (second, more) = NotifierHandle::new(1_000_004);
        first.serve(access.region().id());
        second.serve(access.region().id());
        std::thread::scope(|scope| {
            scope.spawn(move || drop(requests.recv().unwrap()));
            scope.spawn(move || more.recv().unwrap().answer.send(5));
            assert_eq!(notify_plain(&access, 0, 4, 9, WaitLimit::default()), Ok(5));
        });
    }

    #[test]
    fn a_cancelled_task_does_not_wait_for_the_notifier() {
        let access = Region::allocate(64, 64).unwrap().access().unwrap();
        let (notifier, requests) = NotifierHandle::new(1_000_005);
        notifier.serve(access.region().id());
        let token = CancelToken::new(None);
        std::thread::scope(|scope| {
            let asking = scope.spawn(|| notify_plain(&access, 0, 4, 1, WaitLimit::new(Some(&token))));
            let request = requests.recv().unwrap();
            token.cancel(Reason::Cancelled);
            assert_eq!(asking.join().unwrap(), Err(SharedError::Stopped(Reason::Cancelled)));
            request.answer.send(1);
        });
    }
}
