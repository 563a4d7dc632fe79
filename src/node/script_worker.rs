//! A script worker's side of its pool: how its jobs reach it, and their outcomes the pool.
//!
//! The worker asks for its jobs itself: see `pool/scripts.rs`.

use std::cell::{Cell, RefCell};

use super::core::Core;
use super::event::{Answer, Event};
use super::event_queue::EventQueue;
use super::input::{Input, InputReader};
use super::js::{Js, JsValue, KeptMemory, Result, Status};
use super::latest_reports::LatestReports;
use super::out_of_band::OutOfBand;
use super::registration::{Registration, take_registration};
use crate::cancel::CancelToken;
use crate::pool::{CpuClock, IdleWait, InputPath, ScriptOutcome, Step};
use crate::value::Payload;

/// The first number that [`ScriptWorker::step`] writes on the call buffer.
pub(super) mod step {
    use crate::exported_numbers::Numbers;
    use crate::numbers;

    pub(super) const WAIT: f64 = 0.0;
    pub(super) const RUN: f64 = 1.0;
    pub(super) const LEAVE: f64 = 2.0;

    /// For JavaScript.
    pub(in crate::node) const NUMBERS: Numbers = numbers! { WAIT, RUN };
}

/// How many numbers there are for paths: the form of a call stands above them.
pub(crate) const PATHS: u64 = 4;

/// How a job ended, `SHIFT` bits above the form of its value.
pub(super) mod end {
    use crate::exported_numbers::Numbers;
    use crate::numbers;

    pub(super) const SHIFT: u32 = 16;
    pub(super) const DONE: u32 = 0;
    pub(super) const FAILED: u32 = 1;
    pub(super) const VIA_FALLBACK: u32 = 2;
    pub(super) const VIA_FALLBACK_FAILED: u32 = 3;

    /// For JavaScript.
    pub(in crate::node) const NUMBERS: Numbers =
        numbers! { SHIFT, FAILED, VIA_FALLBACK, VIA_FALLBACK_FAILED };
}

/// An environment that is a script worker of a pool. Used on its own thread only.
pub(crate) struct ScriptWorker {
    registration: Registration,
    /// Where JavaScript finds the wire of an input.
    inbox: KeptMemory<u8>,
    /// The cancel tokens of the jobs that the worker has.
    tokens: RefCell<Vec<(u64, CancelToken)>>,
    /// Its jobs of which only the latest report is wanted.
    latest: LatestReports<Answer>,
    cpu: CpuTime,
}

/// The CPU time of the job that the worker runs, if it runs no other meanwhile.
#[derive(Default)]
struct CpuTime {
    clock: RefCell<CpuClock>,
    measured: Cell<Option<u64>>,
    open: Cell<usize>,
}

impl CpuTime {
    /// The worker is about to run a job; `measures`: it should run for so long that a look at the clock is cheap.
    fn begin(&self, id: u64, measures: bool) {
        self.open.set(self.open.get() + 1);
        self.measured.set((measures && self.open.get() == 1).then_some(id));
        if self.measured.get().is_some() {
            self.clock.borrow_mut().begin(u64::MAX);
        }
    }

    /// It has ended: the CPU time that it took, in nanoseconds, where it was measured.
    fn end(&self, id: u64) -> Option<u64> {
        self.open.set(self.open.get().saturating_sub(1));
        if self.measured.get() != Some(id) {
            return None;
        }
        self.measured.set(None);
        Some(self.clock.borrow_mut().end(u64::MAX))
    }
}

impl ScriptWorker {
    /// Accepts the registration of this key, for the environment of this event queue; none when the offer was revoked, or
    /// the pool needs the worker no more. `inbox` is a `Uint8Array` that JavaScript keeps to itself.
    pub(crate) fn accept_registration<'call>(
        js: Js<'call>,
        key: u64,
        waker: &'static EventQueue,
        inbox: JsValue<'call>,
    ) -> Result<Option<Self>> {
        let Some(registration) = take_registration(key) else { return Ok(None) };
        let inbox = KeptMemory::keep(js, inbox, 1)?;
        if !registration.pool.worker_joined(registration.number, waker) {
            return Ok(None);
        }
        Ok(Some(ScriptWorker {
            registration,
            inbox,
            tokens: RefCell::default(),
            latest: LatestReports::default(),
            cpu: CpuTime::default(),
        }))
    }

    /// The outcome of a job in the arguments of a call: its form has the number of an [`end`] 16 bits higher.
    pub(crate) fn read_outcome<'call>(
        &self,
        reader: InputReader<'call>,
        form: u32,
        length: f64,
        values: [JsValue<'call>; 2],
    ) -> Result<ScriptOutcome> {
        let how = form >> end::SHIFT;
        if how == end::VIA_FALLBACK || how == end::VIA_FALLBACK_FAILED {
            let failed = how == end::VIA_FALLBACK_FAILED;
            return Ok(ScriptOutcome::ViaFallback { failed, from: self.registration.key });
        }
        let payload = reader.read(Input::of_call_buffer(form & 0xffff, length, values)?)?;
        match (how, payload) {
            (end::DONE, payload) => Ok(ScriptOutcome::Done(payload)),
            (end::FAILED, Payload::Envelope(envelope)) => Ok(ScriptOutcome::Failed(envelope)),
            _ => Err(Status::INVALID),
        }
    }

    /// Answers the job that is finished, takes the next, and shows it on the call buffer: step, id, form, number, function,
    /// whether it may be stopped, the time, the path of its input with the form of its call above it, its deadline and its
    /// priority. The input's wire is in the inbox; the parts that
    /// do not fit there are returned.
    pub(crate) fn step<'call>(
        &self,
        js: Js<'call>,
        core: &Core,
        finished: Option<(u64, ScriptOutcome)>,
        idle: IdleWait,
    ) -> Result<JsValue<'call>> {
        let has_answered = finished.is_some();
        let finished = finished.map(|(id, outcome)| {
            self.forget_job(id);
            core.adaptive_wait().sent();
            (self.cpu.end(id), (id, outcome))
        });
        let (cpu, finished) = finished.unzip();
        let Registration { pool, number, key, owner } = &self.registration;
        let mut step = pool.measured_step(*number, finished, cpu.flatten(), idle);
        while matches!(step, Step::Ask) {
            owner.push(Event::InputWanted { id: 0, key: *key });
            step = pool.script_step(*number, None, idle);
        }
        let (id, function, input, token, path, call_form, inherited, is_new, measures) = match step {
            Step::Run { id, function, input, token, path, call_form, inherited, is_new, measures } => {
                (id, function, input, token, path, call_form, inherited, is_new, measures)
            }
            Step::Wait | Step::Ask => {
                core.answer([step::WAIT]);
                return js.undefined();
            }
            Step::Leave => {
                core.answer([step::LEAVE]);
                return js.undefined();
            }
        };
        let stoppable = token.is_some();
        if let Some(token) = token {
            self.tokens.borrow_mut().push((id, token));
        }
        if has_answered && is_new {
            // The caller had the answer and submitted the next before this worker could look again, as on one core.
            core.adaptive_wait().exchanged();
        }
        core.adaptive_wait().received(1);
        let (form, number, rest) = self.show(js, core, input)?;
        #[allow(clippy::cast_precision_loss)] // counts, and below 2^53
        core.answer([
            step::RUN,
            id as f64,
            form,
            number,
            function as f64,
            f64::from(u8::from(stoppable)),
            core.age().as_secs_f64() * 1000.0,
            (path as u64 + PATHS * call_form) as f64,
            inherited.deadline,
            f64::from(inherited.priority),
        ]);
        self.cpu.begin(id, measures);
        if path == InputPath::OnDemand {
            owner.push(Event::InputWanted { id, key: *key });
        }
        Ok(rest)
    }

    /// Answers a job, and takes no other.
    pub(crate) fn finish(&self, core: &Core, id: u64, outcome: ScriptOutcome) {
        core.adaptive_wait().sent();
        self.forget_job(id);
        let cpu = self.cpu.end(id);
        self.registration.pool.measured_finish(self.registration.number, id, outcome, cpu);
    }

    /// Shows the input of a job that was asked for and has not come: form, number, and whether it is here, on the call
    /// buffer; the rest as in `step`.
    pub(crate) fn claim_input<'call>(&self, js: Js<'call>, core: &Core, id: u64) -> Result<JsValue<'call>> {
        let Some(input) = self.registration.pool.claim_input(id) else {
            core.answer([0.0, 0.0, 0.0]);
            return js.undefined();
        };
        let (form, number, rest) = self.show(js, core, input)?;
        core.answer([form, number, 1.0]);
        Ok(rest)
    }

    /// Form and number of an input, and what is out of band of it.
    fn show<'call>(&self, js: Js<'call>, core: &Core, input: Payload) -> Result<(f64, f64, JsValue<'call>)> {
        let mut out_of_band = OutOfBand::new(js);
        #[allow(clippy::cast_precision_loss)] // below 2^53
        let mut put = |wire: &[u8]| self.inbox.copy_in(0, wire).then_some(wire.len() as f64);
        let (form, number) = out_of_band.show(core, input.into(), &mut put)?;
        Ok((f64::from(form), number, out_of_band.array()))
    }

    /// Notifies the owner that the worker is ready, and has sent details by a message of the fallback port.
    pub(crate) fn report_ready(&self) {
        self.registration.owner.push(Event::WorkerReady { key: self.registration.key });
    }

    /// Sends a progress report to the job's owner.
    pub(crate) fn report(&self, id: u64, progress: Payload) {
        self.push_report(id, progress.into());
    }

    /// Sends a progress report that replaces the job's report before it, where that has not been delivered.
    pub(crate) fn report_latest(&self, id: u64, progress: Payload) {
        if let Some(cell) = self.latest.put(id, progress.into()) {
            self.registration.owner.push(Event::LatestProgress { id, cell });
        }
    }

    /// Announces to the job's owner a progress report that went by the fallback port.
    pub(crate) fn report_via_fallback(&self, id: u64) {
        self.latest.forget(id);
        self.push_report(id, Answer::ViaFallback { failed: false, from: self.registration.key });
    }

    /// Sends a part of the job's result to its owner.
    pub(crate) fn give_part(&self, id: u64, part: Payload) {
        self.registration.owner.push(Event::Part { id, answer: part.into() });
    }

    /// Announces to the job's owner a part that went by the fallback port.
    pub(crate) fn give_part_via_fallback(&self, id: u64) {
        let answer = Answer::ViaFallback { failed: false, from: self.registration.key };
        self.registration.owner.push(Event::Part { id, answer });
    }

    fn push_report(&self, id: u64, answer: Answer) {
        self.registration.owner.push(Event::Progress { id, answer });
    }

    /// Why the job should stop, if it should: the number of the reason, else 0.
    pub(crate) fn stop_reason(&self, id: u64) -> u8 {
        let tokens = self.tokens.borrow();
        let token = tokens.iter().find(|entry| entry.0 == id);
        token.and_then(|entry| entry.1.reason()).map_or(0, |reason| reason as u8)
    }

    /// A job waits for jobs that it has submitted to its pool, or goes on.
    pub(crate) fn waits(&self, id: u64, waits: bool) {
        self.registration.pool.script_waits(self.registration.number, id, waits);
    }

    /// A job that answers a message waits for jobs that it has submitted to its pool, or goes on.
    pub(crate) fn holds(&self, id: u64, holds: bool) {
        self.registration.pool.script_holds(self.registration.number, id, holds);
    }

    /// The worker's thread is blocked until a job has ended that it is about to submit, or goes on.
    pub(crate) fn blocks(&self, id: u64, blocks: bool) {
        self.registration.pool.script_blocks(self.registration.number, id, blocks);
    }

    /// The name of the script's function of this number.
    pub(crate) fn function_name(&self, number: usize) -> Option<String> {
        self.registration.pool.script_function_name(number)
    }

    /// The source that the pool's owner keeps under this number.
    pub(crate) fn source(&self, number: u64) -> Option<String> {
        self.registration.pool.source(number)
    }

    /// Ends the worker's membership of its own will: see [`Pool::retire_worker`](crate::pool::Pool::retire_worker).
    pub(crate) fn leave(&self, only_idle: bool) -> bool {
        self.registration.pool.retire_worker(self.registration.number, only_idle)
    }

    /// Whether the pool closes.
    pub(crate) fn pool_closes(&self) -> bool {
        self.registration.pool.closes()
    }

    /// The environment ends.
    pub(super) fn abandon(self) {
        self.registration.pool.unregister_worker(self.registration.number);
    }

    fn forget_job(&self, id: u64) {
        self.latest.forget(id);
        let mut tokens = self.tokens.borrow_mut();
        if !tokens.is_empty() {
            tokens.retain(|entry| entry.0 != id);
        }
    }
}
