//! The place of a script worker in a pool, and how its jobs reach it.
//!
//! The pool's owner opens a seat and offers it under a key; the worker takes the offer up under that key when it has
//! started. From then on the worker asks for its jobs itself: see `pool/scripts.rs`.

use std::collections::HashMap;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::environment::Environment;
use super::event_queue::{Answer, Event, EventQueue};
use super::js::{Js, JsValue, Status};
use super::output::{Extras, place};
use crate::cancel::CancelToken;
use crate::pool::{Pool, Road, ScriptOutcome, Step, WaitPolicy};

/// A seat that a worker on its way may take.
struct Offer {
    pool: Pool,
    number: usize,
    owner: &'static EventQueue,
}

static OFFERS: Mutex<Option<HashMap<u64, Offer>>> = Mutex::new(None);
static NEXT_KEY: AtomicU64 = AtomicU64::new(1);

/// Offers the seat `number`; gives the key.
pub(crate) fn offer_seat(pool: Pool, number: usize, owner: &'static EventQueue) -> u64 {
    let key = NEXT_KEY.fetch_add(1, Ordering::Relaxed);
    OFFERS.lock().get_or_insert_default().insert(key, Offer { pool, number, owner });
    key
}

/// Takes an offer back that nobody may have taken up.
pub(crate) fn revoke_seat(key: u64) {
    let offer = OFFERS.lock().as_mut().and_then(|offers| offers.remove(&key));
    drop(offer);
}

/// Takes the offer of `key` up, for the environment whose event queue this is. `inbox` is a `Uint8Array` for wires, which
/// JavaScript keeps to itself.
pub(crate) fn take_offer(
    js: Js<'_>,
    key: u64,
    bell: &'static EventQueue,
    inbox: JsValue,
) -> Result<Option<Seat>, Status> {
    let offer = OFFERS.lock().as_mut().and_then(|offers| offers.remove(&key));
    let Some(Offer { pool, number, owner }) = offer else { return Ok(None) };
    let (data, length) = js.view(inbox)?;
    // Never deleted: it ends with the environment.
    js.reference(inbox)?;
    let data = NonNull::new(data).ok_or(Status::INVALID)?;
    if !pool.join_seat(number, bell) {
        return Ok(None);
    }
    Ok(Some(Seat { pool, number, key, owner, inbox: data, inbox_length: length, tokens: Mutex::default() }))
}

/// A script worker's seat.
pub(crate) struct Seat {
    pool: Pool,
    number: usize,
    /// Never used again, unlike `number`.
    key: u64,
    owner: &'static EventQueue,
    inbox: NonNull<u8>,
    inbox_length: usize,
    /// How the jobs at hand may be stopped.
    tokens: Mutex<Vec<(u64, CancelToken)>>,
}

/// What [`Seat::step`] writes first on the call buffer. The same numbers stand in `lib/script-pool/steps.js`.
mod step {
    pub(super) const WAIT: f64 = 0.0;
    pub(super) const RUN: f64 = 1.0;
    pub(super) const LEAVE: f64 = 2.0;
}

impl Seat {
    /// Answers the job that is finished, takes the next, and shows it: step, id, form, number, function, whether it
    /// may be stopped, the time and whether its input is the message of that number on the call buffer; its wire in the inbox; what has no room there is returned.
    pub(crate) fn step(
        &self,
        js: Js<'_>,
        environment: &Environment,
        finished: Option<(u64, ScriptOutcome)>,
        policy: WaitPolicy,
    ) -> Result<JsValue, Status> {
        if let Some((id, _)) = &finished {
            self.forget_token(*id);
            environment.adaptive_wait().given();
        }
        let step = self.pool.script_step(self.number, finished, policy);
        let (id, function, input, token, road) = match step {
            Step::Run { id, function, input, token, road } => (id, function, input, token, road),
            Step::Wait => {
                environment.answer([step::WAIT]);
                return js.undefined();
            }
            Step::Leave => {
                environment.answer([step::LEAVE]);
                return js.undefined();
            }
        };
        let stoppable = token.is_some();
        if let Some(token) = token {
            self.tokens.lock().push((id, token));
        }
        environment.adaptive_wait().taken(1);
        let mut extras = Extras::new(js);
        let mut put = |wire: &[u8]| self.put_wire(wire);
        let (form, number) = place(js, environment, Answer::of_payload(input), &mut extras, &mut put)?;
        #[allow(clippy::cast_precision_loss)]
        environment.answer([
            step::RUN,
            id as f64,
            f64::from(form),
            number,
            function as f64,
            f64::from(u8::from(stoppable)),
            environment.age().as_secs_f64() * 1000.0,
            f64::from(road as u8),
        ]);
        if road == Road::Asked {
            self.owner.push(Event::InputWanted { id, key: self.key });
        }
        Ok(extras.array())
    }

    /// Answers a job, and takes no other.
    pub(crate) fn finish(&self, id: u64, outcome: ScriptOutcome) {
        self.forget_token(id);
        self.pool.script_finish(self.number, id, outcome);
    }

    /// Shows the input of a job that was asked for and has not come: form, number, and whether it is here, on the call buffer;
    /// the rest as in `step`.
    pub(crate) fn claim_input(
        &self,
        js: Js<'_>,
        environment: &Environment,
        id: u64,
    ) -> Result<JsValue, Status> {
        let Some(input) = self.pool.claim_input(id) else {
            environment.answer([0.0, 0.0, 0.0]);
            return js.undefined();
        };
        let mut extras = Extras::new(js);
        let mut put = |wire: &[u8]| self.put_wire(wire);
        let (form, number) = place(js, environment, Answer::of_payload(input), &mut extras, &mut put)?;
        environment.answer([f64::from(form), number, 1.0]);
        Ok(extras.array())
    }

    /// The outcome whose value the worker has sent beside the queue.
    pub(crate) fn outcome_beside(&self, failed: bool) -> ScriptOutcome {
        ScriptOutcome::Beside { failed, from: self.key }
    }

    /// Tells the job's owner how far it is, by a message beside the queue.
    pub(crate) fn report_beside(&self, id: u64) {
        self.report(id, Answer::Beside { failed: false, from: self.key });
    }

    /// Tells the owner that the worker is ready, and has told more by a message beside the queue.
    pub(crate) fn tell_ready(&self) {
        self.owner.push(Event::WorkerReady { key: self.key });
    }

    /// Tells the job's owner how far it is.
    pub(crate) fn report(&self, id: u64, answer: Answer) {
        self.owner.push(Event::Progress { id, answer });
    }

    /// Why the job should stop, if it should: the number of the reason, else 0.
    pub(crate) fn stop_reason(&self, id: u64) -> u8 {
        let tokens = self.tokens.lock();
        tokens
            .iter()
            .find(|entry| entry.0 == id)
            .and_then(|entry| entry.1.reason())
            .map_or(0, |reason| reason as u8)
    }

    pub(crate) fn function_name(&self, number: usize) -> Option<String> {
        self.pool.script_function_name(number)
    }

    /// Leaves of the worker's own will: see [`Pool::leave_seat`].
    pub(crate) fn leave(&self, only_idle: bool, keep: usize) -> bool {
        self.pool.leave_seat(self.number, only_idle, keep)
    }

    /// The environment ends.
    pub(crate) fn abandon(self) {
        self.pool.abandon_seat(self.number);
    }

    fn forget_token(&self, id: u64) {
        let mut tokens = self.tokens.lock();
        if !tokens.is_empty() {
            tokens.retain(|entry| entry.0 != id);
        }
    }

    fn put_wire(&self, wire: &[u8]) -> Option<f64> {
        if wire.len() > self.inbox_length {
            return None;
        }
        // SAFETY: the wire fits, as just checked; the inbox was given for this, is kept alive by a reference that is
        // never deleted, and JavaScript does not run meanwhile.
        unsafe { self.inbox.copy_from_nonoverlapping(NonNull::from(wire).cast(), wire.len()) };
        #[allow(clippy::cast_precision_loss)]
        Some(wire.len() as f64)
    }
}
