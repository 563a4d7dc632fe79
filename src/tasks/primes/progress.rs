//! How far a search is, for the caller's `onProgress`.

use crate::error::Result;
use crate::tasks::Context;
use crate::value::{Text, Value};

/// A report follows each so many numbers: some milliseconds of work.
const STRIDE: u64 = 10_000_000;

/// Reports `{ upTo, found }`, where the caller listens.
pub(super) struct Progress<'a> {
    context: &'a Context<'a>,
    /// How often `STRIDE` has been passed; none where nobody listens.
    strides: Option<u64>,
}

impl<'a> Progress<'a> {
    pub(super) fn new(context: &'a Context<'a>) -> Self {
        Progress { context, strides: context.reports().then_some(0) }
    }

    /// All primes up to there have been found, so many.
    pub(super) fn passed(&mut self, up_to: u64, found: u64) -> Result<()> {
        let Some(before) = self.strides else { return Ok(()) };
        let strides = up_to / STRIDE;
        if strides == before {
            return Ok(());
        }
        self.strides = Some(strides);
        #[allow(clippy::cast_precision_loss)] // far below 2^53
        let entry = |name, number: u64| (Text::from(name), Value::Number(number as f64));
        let report = vec![entry("upTo", up_to), entry("found", found)];
        self.context.progress(Value::Object(report))
    }
}
