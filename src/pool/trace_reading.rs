//! What a trace records under the pool's lock, and how readers read it all. `trace.rs` has the records.

use super::outbox::Reply;
use super::position::Taker;
use super::script_state::Running;
use super::state::{Pool, State};
use super::task_observer::Age;
use super::trace::{Cursor, SAMPLE, Slice, Slices, TraceNumbers, TraceState, lane, show};

impl State {
    /// A script worker has finished a job, or ended with it.
    pub(super) fn trace_script(&mut self, worker: usize, slice: impl FnOnce() -> Slice) {
        let capacity = self.trace.capacity;
        if capacity > 0 {
            self.trace.scripts.entry(worker).or_default().push(capacity, slice());
        }
    }

    /// The queue has changed.
    pub(super) fn trace_queue(&mut self, now: impl FnOnce() -> Age) {
        if self.trace.capacity == 0 {
            return;
        }
        let sample = (now(), self.waiting(Taker::Native), self.waiting(Taker::Script));
        let TraceState { capacity, queue, sampled, .. } = &mut self.trace;
        match queue.last_mut() {
            Some(last) if sample.0.saturating_sub(*sampled) < SAMPLE => *last = sample,
            _ => {
                *sampled = sample.0;
                queue.push(*capacity, sample);
            }
        }
    }
}

/// The slice of a job in a worker's hands.
pub(super) fn slice_of(running: &Running, began: Age) -> Slice {
    let Running { reply, task, queued_at, .. } = running;
    Slice::begun(Reply::id(reply), *task, *queued_at, began)
}

impl Pool {
    /// Begins to keep so many records of each thread, for one more reader: where that begins to read.
    pub fn open_trace(&self, capacity: usize) {
        let mut state = self.0.lock();
        state.trace.readers.push(capacity.max(1));
        self.set_traces(&mut state);
    }

    /// A reader that wanted so many is gone. Without any other, what was kept is dropped.
    pub fn close_trace(&self, capacity: usize) {
        let mut state = self.0.lock();
        let readers = &mut state.trace.readers;
        if let Some(at) = readers.iter().position(|reader| *reader == capacity.max(1)) {
            readers.swap_remove(at);
        }
        self.set_traces(&mut state);
        if state.trace.capacity > 0 {
            return;
        }
        let TraceState { scripts, queue, .. } = &mut state.trace;
        let dropped = (std::mem::take(scripts), std::mem::take(queue));
        let slots: Vec<_> = state.threads.shared_parts().cloned().collect();
        drop(state);
        drop(dropped);
        for slot in slots {
            drop(std::mem::take(&mut *slot.slices.lock()));
        }
    }

    fn set_traces(&self, state: &mut State) {
        state.trace.capacity = state.trace.readers.iter().copied().max().unwrap_or(0);
        self.0.set_traces(state.trace.capacity);
    }

    /// What has happened since the cursors.
    pub fn read_trace(&self, cursors: Vec<Cursor>) -> TraceNumbers {
        let mut state = self.0.lock();
        let now = self.0.age();
        state.trace_queue(|| now);
        let mut numbers = TraceNumbers::new(cursors, now);
        numbers.lane((lane::QUEUE, 0), &state.trace.queue, &[], |(at, native, script)| {
            #[allow(clippy::cast_precision_loss)] // as above
            ([*at as f64, *native as f64, *script as f64, 0.0, 0.0, 0.0, 0.0], false)
        });
        let none = Slices::default();
        let mut workers: Vec<usize> = state.trace.scripts.keys().copied().collect();
        workers.extend(state.scripts.workers().map(|(number, _)| number));
        workers.sort_unstable();
        workers.dedup();
        for number in workers {
            let running = state.scripts.worker(number).map_or(&[][..], |worker| &worker.running);
            let under_way: Vec<Slice> =
                running.iter().map(|running| slice_of(running, state.age_at(running.started))).collect();
            let ring = state.trace.scripts.get(&number).unwrap_or(&none);
            numbers.lane((lane::SCRIPT, number), ring, &under_way, show);
        }
        let slots: Vec<_> = state.threads.shared_parts().cloned().collect();
        drop(state);
        for (number, slot) in slots.into_iter().enumerate() {
            numbers.lane((lane::NATIVE, number), &slot.slices.lock(), &[], show);
        }
        numbers
    }

    /// The name of the task that a record has as one number; `None` for one that there is not.
    pub fn traced_name(&self, code: u32) -> Option<String> {
        let number = code as usize / 2;
        match code.is_multiple_of(2) {
            true => Some(self.0.tasks.name(number).to_owned()),
            false => self.script_function_name(number),
        }
    }
}
