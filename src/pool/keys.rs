//! Keys: tasks of one key do not run at the same time, and begin in order of submission.
//!
//! A key *admits* as many entries as may run at a time, one unless the pool's limit says more, in order of submission, whatever
//! their priorities. One that is admitted waits for a taker like any other; the rest are held (`line.rs`) and have a *ticket*
//! here. When an admitted one has ended, or is taken out of the queue, the next ticket's entry is admitted and released. So
//! every step takes the same time, however many wait.
//!
//! A key also knows which script worker ran it last. That is kept for some keys of which nothing waits or runs.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::position::{QueuePosition, Taker};

/// A key, as tasks have it. std's `Arc`: it orders nothing.
pub(super) type Key = Arc<String>;

/// So many keys are remembered of which nothing waits or runs.
const REMEMBERED: usize = 4096;

/// Of an entry that is held.
struct Ticket {
    number: u64,
    /// None once it was taken out of the queue.
    position: Option<QueuePosition>,
}

#[derive(Default)]
struct State {
    /// How many are admitted.
    admitted: usize,
    /// Those among them that wait, by taker.
    waiting: [usize; Taker::ALL.len()],
    /// By number. The first and the last are of entries that wait.
    tickets: VecDeque<Ticket>,
    last_worker: Option<usize>,
    /// When nothing of it was left, as `Keys::clock` counts.
    idle_since: u64,
}

pub(super) struct Keys {
    most: usize,
    states: HashMap<Key, State>,
    /// Keys of which nothing was left, and when.
    idle: VecDeque<(Key, u64)>,
    clock: u64,
}

impl State {
    fn trim(&mut self) {
        while self.tickets.front().is_some_and(|ticket| ticket.position.is_none()) {
            self.tickets.pop_front();
        }
        while self.tickets.back().is_some_and(|ticket| ticket.position.is_none()) {
            self.tickets.pop_back();
        }
    }

    fn ticket(&mut self, number: u64) -> Option<&mut Ticket> {
        let at = self.tickets.binary_search_by_key(&number, |ticket| ticket.number).ok()?;
        self.tickets.get_mut(at)
    }

    /// Admits the one that is next, if there is room: its position.
    fn admit_next(&mut self, most: usize) -> Option<QueuePosition> {
        if self.admitted >= most {
            return None;
        }
        let position = self.tickets.pop_front()?.position?;
        self.admitted += 1;
        self.waiting[position.taker() as usize] += 1;
        self.trim();
        Some(position)
    }
}

impl Keys {
    /// `most`: how many tasks of one key may run at a time.
    pub(super) fn new(most: usize) -> Self {
        Keys { most, states: HashMap::new(), idle: VecDeque::new(), clock: 0 }
    }

    /// How many tasks of one key may run at a time.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// Whether an entry of this key that came now would be held.
    pub(super) fn is_busy(&self, key: &Key) -> bool {
        self.states.get(key).is_some_and(|state| state.admitted >= self.most)
    }

    /// Whether this key has room beside those that wait for a taker, and so many that run. Threads that have ended a task and not given
    /// its key back yet are not among them.
    pub(super) fn has_room(&self, key: &Key, running: usize) -> bool {
        self.states.get(key).is_none_or(|state| state.waiting.iter().sum::<usize>() + running < self.most)
    }

    /// An entry of this key has come. False when it is to be held, which gives it a ticket.
    pub(super) fn admit(&mut self, key: &Key, number: u64, position: QueuePosition) -> bool {
        let state = match self.states.get_mut(key) {
            Some(state) => state,
            None => self.states.entry(Arc::clone(key)).or_default(),
        };
        let admitted = state.admitted < self.most;
        if admitted {
            state.admitted += 1;
            state.waiting[position.taker() as usize] += 1;
        } else {
            state.tickets.push_back(Ticket { number, position: Some(position) });
        }
        admitted
    }

    /// The entry of this number is held, and waits at another position now.
    pub(super) fn moved(&mut self, key: &Key, number: u64, position: QueuePosition) {
        if let Some(ticket) = self.states.get_mut(key).and_then(|state| state.ticket(number)) {
            ticket.position = Some(position);
        }
    }

    /// One that was admitted begins; `worker`: the number of its script worker.
    pub(super) fn begin(&mut self, key: &Key, taker: Taker, worker: Option<usize>) {
        if let Some(state) = self.states.get_mut(key) {
            state.waiting[taker as usize] -= 1;
            state.last_worker = worker.or(state.last_worker);
        }
    }

    /// One that was held is out of the queue.
    pub(super) fn give_up(&mut self, key: &Key, number: u64) {
        let Some(state) = self.states.get_mut(key) else { return };
        if let Some(ticket) = state.ticket(number) {
            ticket.position = None;
        }
        state.trim();
    }

    /// One that was admitted has ended; or is out of the queue, where it waited for this taker. The position of the next.
    pub(super) fn leave(&mut self, key: &Key, waited: Option<Taker>) -> Option<QueuePosition> {
        let state = self.states.get_mut(key)?;
        state.admitted -= 1;
        if let Some(taker) = waited {
            state.waiting[taker as usize] -= 1;
        }
        let next = state.admit_next(self.most);
        if state.admitted == 0 {
            self.rests(key);
        }
        next
    }

    /// Nothing of a key is left.
    fn rests(&mut self, key: &Key) {
        let Some(state) = self.states.get_mut(key) else { return };
        if state.last_worker.is_none() {
            self.states.remove(key);
            return;
        }
        self.clock += 1;
        state.idle_since = self.clock;
        self.idle.push_back((Arc::clone(key), self.clock));
        if self.idle.len() > REMEMBERED
            && let Some((key, since)) = self.idle.pop_front()
            && let Some(state) = self.states.get(&key)
            && state.admitted == 0
            && state.idle_since == since
        {
            self.states.remove(&key);
        }
    }

    /// All that waited for this taker is out of the queue: the positions of those that are next.
    pub(super) fn drained(&mut self, taker: Taker) -> Vec<QueuePosition> {
        let mut released = Vec::new();
        let mut resting = Vec::new();
        for (key, state) in &mut self.states {
            if state.admitted == 0 {
                continue;
            }
            state.admitted -= std::mem::take(&mut state.waiting[taker as usize]);
            state.tickets.retain(|ticket| ticket.position.is_some_and(|position| position.taker() != taker));
            released.extend(std::iter::from_fn(|| state.admit_next(self.most)));
            if state.admitted == 0 {
                resting.push(Arc::clone(key));
            }
        }
        resting.iter().for_each(|key| self.rests(key));
        released
    }

    /// The script worker that ran this key last, if it lives.
    pub(super) fn last_worker(&self, key: &Key) -> Option<usize> {
        self.states.get(key)?.last_worker
    }

    /// A script worker has ended; its number may be another's.
    pub(super) fn worker_ended(&mut self, number: usize) {
        for state in self.states.values_mut() {
            state.last_worker = state.last_worker.filter(|last| *last != number);
        }
        // Nothing is known of them any more.
        self.states.retain(|_, state| state.admitted > 0 || state.last_worker.is_some());
    }

    /// How many are known.
    #[cfg(all(test, not(any(loom, shuttle))))]
    pub(super) fn len(&self) -> usize {
        self.states.len()
    }
}
