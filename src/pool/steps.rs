//! The queue of a pool together with what waits before its gate (`gate.rs`), where it has one; and the steps by which entries go
//! through.

use std::cmp::Reverse;

use super::entry::Entry;
use super::gate::{Gate, Gated};
use super::job::Job;
use super::keys::Key;
use super::position::{Location, QueuePosition, Taker, Target};
use super::queue::Drained;
use super::state::{Pool, State};
use super::task_observer::Age;

impl State {
    /// Adds an entry.
    pub(super) fn enqueue(
        &mut self,
        entry: Entry,
        priority: i32,
        queued_at: Age,
        target: Target,
    ) -> QueuePosition {
        match &mut self.gate {
            Some(gate) if target != Target::NoWorker => gate.add(entry, priority, queued_at, target),
            _ => self.queue.push(entry, priority, queued_at, target),
        }
    }

    /// Takes out the entry at a position, if it still waits there.
    pub(super) fn remove(&mut self, position: QueuePosition) -> Option<Entry> {
        let Location::Gate { taker, priority, order } = position.0 else {
            return self.queue.remove(position);
        };
        let gate = self.gate.as_mut()?;
        if let Some(gated) = gate.line(taker).remove(&(Reverse(priority), order)) {
            return Some(gated.entry);
        }
        let (_, passed) = *gate.passed.iter().find(|(before, _)| *before == position)?;
        self.queue.remove(passed)
    }

    /// Takes out everything that waits for takers of one kind.
    pub(super) fn drain(&mut self, taker: Taker) -> Drained {
        let queued = self.queue.drain(taker);
        let Some(gate) = &mut self.gate else { return queued };
        let gated = std::mem::take(gate.line(taker));
        Box::new(queued.chain(gated.into_values().map(|gated| gated.entry)))
    }

    /// How many entries wait before the gate.
    pub(super) fn gated(&self, taker: Taker) -> usize {
        self.gate.as_ref().map_or(0, |gate| gate.len(taker))
    }

    /// Whether nothing waits before the gate.
    pub(super) fn gate_is_empty(&self) -> bool {
        self.gate.as_ref().is_none_or(Gate::is_empty)
    }

    /// Jobs that are bound to the worker `number`.
    pub(super) fn bound_to(&self, number: usize) -> usize {
        self.queue.bound_to(number) + self.gate.as_ref().map_or(0, |gate| gate.bound_to(number).len())
    }

    /// Makes orphans of the jobs that are bound to the worker `number`: their ids. Their positions change by that.
    pub(super) fn orphan_bound(&mut self, number: usize) -> Vec<u64> {
        let mut ids = self.queue.orphan_bound(number);
        let Some(gate) = &mut self.gate else { return ids };
        for place in gate.bound_to(number) {
            let Some(Gated { queued_at, entry, .. }) = gate.scripts.remove(&place) else { continue };
            if let Entry::Job(job) = &entry {
                ids.push(job.reply.id());
            }
            self.queue.push(entry, place.0.0, queued_at, Target::NoWorker);
        }
        ids
    }

    /// Takes out the job of this id that is bound to the worker `number`.
    pub(super) fn remove_bound(&mut self, number: usize, id: u64) -> Option<Job> {
        if let Some(job) = self.queue.remove_bound(number, id) {
            return Some(job);
        }
        let gate = self.gate.as_mut()?;
        let is_it = |gated: &Gated| matches!(&gated.entry, Entry::Job(job) if job.reply.id() == id);
        let place = gate.bound_to(number).into_iter().find(|place| is_it(&gate.scripts[place]))?;
        match gate.scripts.remove(&place)?.entry {
            Entry::Job(job) => Some(job),
            Entry::Batch(_) | Entry::Small(_) => unreachable!("no task of a script"),
        }
    }
}

impl Pool {
    /// Lets one entry through the gate, unless one that went through is not answered yet. Whether it is for a script worker and none could
    /// be told of it: then the owner starts one, if it may.
    pub fn step(&self) -> bool {
        let mut state = self.0.lock();
        if state.gate.is_none() || self.is_under_way(&state) {
            return false;
        }
        let (native, scripts) = (state.threads.max().get(), state.scripts.capacity.get());
        let State { gate: Some(gate), queue, scripts: workers, .. } = &mut *state else { return false };
        // What would wait behind the gate keeps the others before it, which may be what it waits for.
        // A key that a native thread is about to give back does not: when that is depends on the thread, and nobody would ask again.
        let has_room = |key: &Key| queue.keys.has_room(key, workers.running_of(key));
        let can_pass = |entry: &Entry, target| entry.key().is_none_or(has_room) && workers.may_take(target);
        let Some((before, priority, gated)) = gate.choose(native, scripts, can_pass) else { return false };
        let Gated { queued_at, target, entry } = gated;
        if Taker::ALL.iter().all(|taker| queue.waiting(*taker) == 0) {
            gate.passed.clear();
        }
        gate.passed.push((before, queue.push(entry, priority, queued_at, target)));
        if let Target::Worker(number) = target {
            let waker = state.scripts.worker(number).and_then(|worker| worker.waker);
            self.wake_worker(state, target);
            // The message with the input has woken the worker before.
            if let Some(waker) = waker {
                waker.notify();
            }
            return false;
        }
        if target.taker() == Taker::Script {
            return self.wake_worker(state, target);
        }
        self.0.publish(&mut state);
        self.wake_one(state);
        false
    }

    /// Jobs that have gone through, and whose worker was blocked before it took them, perhaps for one that waits before the gate.
    fn blocked_behind(state: &State) -> usize {
        let blocked = !state.scripts.has_taker();
        if blocked { state.queue.waiting(Taker::Script) - state.queue.orphans() } else { 0 }
    }

    /// Whether a task is behind the gate that has not ended, and waits for no task that it has submitted.
    fn is_under_way(&self, state: &State) -> bool {
        let totals = self.totals(state);
        let ended = totals.completed + totals.failed + totals.cancelled;
        let waits = state.gate.as_ref().map_or(0, Gate::tasks)
            + state.queue.orphans()
            + state.scripts.waiting_jobs()
            + state.threads.calling()
            + Self::blocked_behind(state);
        totals.submitted > ended + waits as u64
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use crate::cancel::Reason;
    use crate::error::Code;
    use crate::pool::Config;
    use crate::pool::pool_tests::Bench;
    use crate::pool::test_tasks::{ECHO, SLEEP};
    use crate::value::Value;

    fn bench(seed: u64, max_threads: usize) -> Bench {
        Bench::new(Config { deterministic: Some(seed), max_threads, ..Config::default() })
    }

    /// Runs so many tasks that were submitted before, one at a time: their ids, in order.
    fn run(bench: &Bench, count: usize) -> Vec<u64> {
        let step = |_| {
            assert!(!bench.pool.step());
            bench.answer().0
        };
        (0..count).map(step).collect()
    }

    #[test]
    fn nothing_begins_before_a_step_and_each_step_begins_one_of_the_first() {
        for max_threads in [1, 3] {
            let bench = bench(5, max_threads);
            (0..8).for_each(|id| drop(bench.submit(id, ECHO, 1.0)));
            assert_eq!((bench.pool.stats().queued, bench.pool.stats().running), (8, 0));
            let order = run(&bench, 8);
            let mut waiting: Vec<u64> = (0..8).collect();
            for id in &order {
                let at = waiting.iter().position(|other| other == id).expect("once");
                assert!(at < max_threads, "{order:?}");
                waiting.remove(at);
            }
            assert_eq!(order.is_sorted(), max_threads == 1);
            bench.close(false).recv().unwrap();
        }
    }

    #[test]
    fn a_step_does_nothing_while_one_is_under_way() {
        let bench = bench(1, 4);
        let sleeper = bench.submit(0, SLEEP, 60_000.0);
        bench.pool.step();
        bench.wait_until("it runs", |stats| stats.running == 1);
        bench.submit_batch(1, ECHO, vec![Value::Number(1.0); 50]);
        bench.submit(2, ECHO, 1.0);
        bench.pool.step();
        assert_eq!(bench.pool.stats().queued, 2);
        bench.pool.cancel(sleeper.0, &sleeper.1, Reason::Cancelled);
        assert_eq!(bench.answer().0, 0);
        let mut rest = run(&bench, 2);
        rest.sort_unstable();
        assert_eq!(rest, [1, 2]);
        assert_eq!(bench.pool.stats().completed, 51);
    }

    #[test]
    fn what_waits_before_the_gate_can_be_cancelled_and_a_closing_pool_has_its_steps() {
        let bench = bench(1, 2);
        let positions: Vec<_> = (0..6).map(|id| bench.submit(id, ECHO, 1.0)).collect();
        bench.pool.cancel(positions[3].0, &positions[3].1, Reason::Cancelled);
        let (id, outcome) = bench.answer();
        assert_eq!((id, outcome.unwrap_err().code()), (3, Code::TaskCancelled));
        let closed = bench.close(false);
        let mut ids = run(&bench, 5);
        ids.sort_unstable();
        assert_eq!(ids, [0, 1, 2, 4, 5]);
        closed.recv().unwrap();
    }

    #[test]
    fn a_forced_close_answers_what_waits_before_the_gate() {
        let bench = bench(1, 2);
        (0..6).for_each(|id| drop(bench.submit(id, ECHO, 1.0)));
        let closed = bench.close(true);
        for _ in 0..6 {
            assert_eq!(bench.answer().1.unwrap_err().code(), Code::PoolClosed);
        }
        closed.recv().unwrap();
        assert!(!bench.pool.step());
    }
}
