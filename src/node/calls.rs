//! Calls of functions by tasks that this environment has submitted: the promises to answer them, until JavaScript does.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::pool::{Asked, CallOutcome};

/// The calls that JavaScript has been told of, by number. Used on the environment's own thread only.
#[derive(Default)]
pub(crate) struct Calls(RefCell<HashMap<u64, Asked>>);

impl Calls {
    /// JavaScript is about to be told of a call: its number.
    pub(super) fn open(&self, asked: Asked) -> u64 {
        let number = asked.number();
        self.0.borrow_mut().insert(number, asked);
        number
    }

    /// Answers a call, if its task still waits for it.
    pub(crate) fn answer(&self, number: u64, outcome: CallOutcome) {
        let asked = self.0.borrow_mut().remove(&number);
        if let Some(asked) = asked {
            asked.answer(outcome);
        }
    }

    /// Its task waits for it no more.
    pub(super) fn over(&self, number: u64) {
        let asked = self.0.borrow_mut().remove(&number);
        drop(asked);
    }

    /// The environment ends: those that are open are answered so.
    pub(super) fn close(&self) {
        drop(self.0.take());
    }
}
