//! Where notifiers take their requests: the JavaScript side of the protocol at the head of `shared/notifier.rs`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::LazyLock;

use crossbeam_channel::{Receiver, RecvTimeoutError};
use parking_lot::Mutex;

use super::core::Core;
use crate::shared::wait::SLICE;
use crate::shared::{NotifierHandle, NotifyAnswer, NotifyRequest, RegionId};

/// Where notifiers take their requests, by the environment that they serve. Without an entry the notifier must end.
static CHANNELS: LazyLock<Mutex<HashMap<u64, Receiver<NotifyRequest>>>> = LazyLock::new(Mutex::default);

thread_local! {
    /// The request that the notifier of this thread is at.
    static ANSWER: RefCell<Option<NotifyAnswer>> = const { RefCell::new(None) };
}

/// An environment's notifier, once it has one: native tasks send requests to its channel.
#[derive(Default)]
pub(crate) struct Notifier(RefCell<Option<NotifierHandle>>);

impl Notifier {
    /// Opens the notifier's channel; its number is the environment's.
    pub(crate) fn open(&self, core: &Core) -> u64 {
        let (handle, requests) = NotifierHandle::new(core.id());
        self.0.replace(Some(handle));
        CHANNELS.lock().insert(core.id(), requests);
        core.id()
    }

    /// Lets requests for a region come to the notifier's channel.
    pub(crate) fn serve(&self, region: RegionId) {
        if let Some(handle) = self.0.borrow().as_ref() {
            handle.serve(region);
        }
    }

    /// No more requests come, and the notifier ends.
    pub(crate) fn close(&self, core: &Core) {
        CHANNELS.lock().remove(&core.id());
        drop(self.0.take());
    }
}

/// What a notifier does next.
pub(crate) enum Next {
    /// To be answered by [`answer_request`].
    Request { region: RegionId, offset: usize, size: usize, count: usize },
    /// Nothing, for a slice of time.
    Nothing,
    /// The notifier must end.
    End,
}

/// In a notifier: the next request in its channel.
pub(crate) fn next_request(notifier: u64) -> Next {
    let Some(requests) = CHANNELS.lock().get(&notifier).cloned() else { return Next::End };
    match requests.recv_timeout(SLICE) {
        Ok(NotifyRequest { region, offset, size, count, answer }) => {
            ANSWER.set(Some(answer));
            Next::Request { region, offset, size, count }
        }
        Err(RecvTimeoutError::Timeout) => Next::Nothing,
        Err(RecvTimeoutError::Disconnected) => Next::End,
    }
}

/// In a notifier: says how many the last request's notify has woken.
pub(crate) fn answer_request(count: usize) {
    if let Some(answer) = ANSWER.take() {
        answer.send(count);
    }
}
