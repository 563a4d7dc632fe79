//! Numbers in the calls of script pools, and what they mean to the pool.

use std::time::Duration;

use crate::numbers;
use crate::numbers::Numbers;
use crate::pool::{IdleWait, InputPath, Target};

/// What a worker is to do next; the first number on the call buffer.
pub(super) const STEP_WAIT: u32 = 0;
pub(super) const STEP_RUN: u32 = 1;
pub(super) const STEP_LEAVE: u32 = 2;

/// How a worker waits for it.
const TAKE: u32 = 0;
const LINGER: u32 = 1;
const BLOCK: u32 = 2;

/// How a job ended, added to the form of its value.
pub(super) const END_DONE: u32 = 0;
pub(super) const END_FAILED: u32 = 1 << 16;
pub(super) const END_BESIDE: u32 = 2 << 16;
pub(super) const END_BESIDE_FAILED: u32 = 3 << 16;
/// Where that stands.
pub(super) const END_MASK: u32 = 0xffff << 16;

/// In place of a worker's number: any worker may take the job, or it waits for one that its input can go to.
const ANY_WORKER: i32 = -1;
const NO_WORKER: i32 = -2;

/// The form of a value that goes by a message beside the queue; its number stands in place of its length.
const BESIDE: i32 = -1;

/// Bits of what a submission has found: no worker could be told of the job; the queue is full now.
const NEEDS_WORKER: u8 = 1;
const FULL: u8 = 2;

pub(super) const NUMBERS: Numbers = numbers! {
    STEP_WAIT, STEP_RUN, STEP_LEAVE,
    TAKE, LINGER, BLOCK,
    END_FAILED, END_BESIDE, END_BESIDE_FAILED,
    ANY_WORKER, NO_WORKER,
    BY_QUEUE = InputPath::Queue, BY_MESSAGE = InputPath::Message, ASKED = InputPath::OnDemand,
    BESIDE,
    NEEDS_WORKER, FULL,
};

/// How long a worker waits.
pub(crate) fn idle_wait(how: f64, milliseconds: f64) -> IdleWait {
    let time = Duration::try_from_secs_f64(milliseconds / 1000.0).unwrap_or(Duration::ZERO);
    match how as u32 {
        LINGER => IdleWait::Linger(time),
        BLOCK => IdleWait::Block(time),
        _ => IdleWait::Never,
    }
}

/// The worker that a job is for.
pub(crate) fn target(worker: f64) -> Target {
    match worker as i32 {
        ANY_WORKER => Target::AnyWorker,
        NO_WORKER => Target::NoWorker,
        _ => Target::Worker(worker as usize),
    }
}

/// Whether a value of this form goes by a message beside the queue.
pub(crate) fn is_beside(form: f64) -> bool {
    form < 0.0
}

/// What a submission has found, as bits.
pub(crate) fn found(needs_worker: bool, full: bool) -> u8 {
    (if needs_worker { NEEDS_WORKER } else { 0 }) | (if full { FULL } else { 0 })
}
