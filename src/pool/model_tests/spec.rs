//! The simple model: a list of all tasks, which is looked through for every question. It says what `docs/scheduling.md` says.

use std::collections::HashMap;

use crate::pool::position::Taker;

/// As `affinity.rs` has it, in nanoseconds.
const KEPT: u64 = 50_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    Native,
    AnyWorker,
    Worker(usize),
    /// It waits for a worker that it can be bound to.
    Nobody,
}

impl Wants {
    pub(super) fn taker(self) -> Taker {
        if self == Wants::Native { Taker::Native } else { Taker::Script }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) id: u64,
    pub(super) wants: Wants,
    pub(super) priority: i32,
    pub(super) at: u64,
    pub(super) key: Option<usize>,
    pub(super) limit: Option<usize>,
    pub(super) runs: bool,
    /// Whether its key lets it run.
    admitted: bool,
    /// The worker that had run its key last when that let it run.
    preferred: Option<usize>,
}

pub(super) struct Rules {
    pub(super) aging: Option<u64>,
    pub(super) newest_first: bool,
    pub(super) of_key: usize,
    pub(super) of_limits: Vec<usize>,
    pub(super) max_queue: usize,
}

pub(super) struct Model {
    pub(super) rules: Rules,
    /// In order of submission.
    pub(super) tasks: Vec<Task>,
    pub(super) last_worker: HashMap<usize, usize>,
}

impl Model {
    pub(super) fn new(rules: Rules) -> Self {
        Model { rules, tasks: Vec::new(), last_worker: HashMap::new() }
    }

    fn rank(&self, task: &Task) -> i128 {
        let priority = i128::from(task.priority);
        self.rules.aging.map_or(-priority, |aging| i128::from(task.at) - priority * i128::from(aging))
    }

    /// Whether the first of two comes before the other.
    fn is_before(&self, one: &Task, other: &Task) -> bool {
        if one.priority == other.priority {
            return if self.rules.newest_first { one.id > other.id } else { one.id < other.id };
        }
        (self.rank(one), -one.priority) < (self.rank(other), -other.priority)
    }

    pub(super) fn waiting(&self) -> impl Iterator<Item = &Task> {
        self.tasks.iter().filter(|task| !task.runs)
    }

    fn running_of(&self, limit: usize) -> usize {
        self.tasks.iter().filter(|task| task.runs && task.limit == Some(limit)).count()
    }

    pub(super) fn room(&self, limit: usize) -> usize {
        self.rules.of_limits[limit] - self.running_of(limit)
    }

    /// Of each key the first so many are admitted.
    fn admit(&mut self) {
        let mut alive: HashMap<usize, usize> = HashMap::new();
        for task in &mut self.tasks {
            let Some(key) = task.key else {
                task.admitted = true;
                continue;
            };
            let before = alive.entry(key).or_default();
            if *before < self.rules.of_key && !task.admitted {
                task.admitted = true;
                task.preferred = self.last_worker.get(&key).copied();
            }
            *before += 1;
        }
    }

    pub(super) fn submit(
        &mut self,
        id: u64,
        wants: Wants,
        priority: i32,
        at: u64,
        key: Option<usize>,
        limit: Option<usize>,
    ) {
        let (runs, admitted, preferred) = (false, false, None);
        self.tasks.push(Task { id, wants, priority, at, key, limit, runs, admitted, preferred });
        self.admit();
    }

    /// Takes out a task that has ended, or waits no more.
    pub(super) fn remove(&mut self, id: u64) {
        self.tasks.retain(|task| task.id != id);
        self.admit();
    }

    pub(super) fn begin(&mut self, id: u64, worker: Option<usize>) {
        let task = self.tasks.iter_mut().find(|task| task.id == id).expect("it waits");
        task.runs = true;
        if let (Some(key), Some(worker)) = (task.key, worker) {
            self.last_worker.insert(key, worker);
        }
    }

    /// The tasks that may be taken now, but for the order.
    pub(super) fn takeable(&self, wants: Wants) -> Vec<&Task> {
        let is_open = |task: &&Task| task.limit.is_none_or(|limit| self.room(limit) > 0);
        self.waiting().filter(|task| task.wants == wants && task.admitted).filter(is_open).collect()
    }

    /// How many of them could all be taken together.
    pub(super) fn count(&self, wants: Wants) -> usize {
        let all = self.takeable(wants);
        let limited = |limit: usize| all.iter().filter(|task| task.limit == Some(limit)).count();
        let free = all.iter().filter(|task| task.limit.is_none()).count();
        free + (0..self.rules.of_limits.len())
            .map(|limit| limited(limit).min(self.room(limit)))
            .sum::<usize>()
    }

    /// Which of these comes first. Those of each limit, and those without, offer one; of each priority only the first counts.
    fn first<'a>(&self, all: &[&'a Task]) -> Option<&'a Task> {
        let leads = |task: &&&Task, all: &[&Task]| {
            !all.iter().any(|other| other.priority == task.priority && self.is_before(other, task))
        };
        let best = |all: &[&'a Task]| -> Option<&'a Task> {
            let leading = all.iter().filter(|task| leads(task, all));
            leading.copied().reduce(|one, other| if self.is_before(other, one) { other } else { one })
        };
        let limits = std::iter::once(None).chain((0..self.rules.of_limits.len()).map(Some));
        let offered: Vec<&Task> = limits
            .filter_map(|limit| {
                let own: Vec<&Task> = all.iter().copied().filter(|task| task.limit == limit).collect();
                best(&own)
            })
            .collect();
        best(&offered)
    }

    pub(super) fn next_native(&self) -> Option<u64> {
        self.first(&self.takeable(Wants::Native)).map(|task| task.id)
    }

    pub(super) fn next_for(&self, worker: usize) -> Option<u64> {
        let any = self.first(&self.takeable(Wants::AnyWorker));
        let preferred =
            |task: &&Task| task.wants == Wants::AnyWorker && task.admitted && task.preferred == Some(worker);
        let own = self.waiting().filter(preferred).min_by_key(|task| (-task.priority, task.id));
        let own = own.filter(|own| own.limit.is_none_or(|limit| self.room(limit) > 0));
        let any = match (any, own) {
            (Some(first), Some(own))
                if own.priority == first.priority && own.at.abs_diff(first.at) <= KEPT
                    || self.is_before(own, first) =>
            {
                Some(own)
            }
            (any, _) => any,
        };
        let bound = self.first(&self.takeable(Wants::Worker(worker)));
        match (any, bound) {
            (Some(any), Some(bound)) => Some(if self.is_before(bound, any) { bound.id } else { any.id }),
            (any, bound) => any.or(bound).map(|task| task.id),
        }
    }

    pub(super) fn worker_ended(&mut self, worker: usize) {
        self.last_worker.retain(|_, last| *last != worker);
        for task in &mut self.tasks {
            task.preferred = task.preferred.filter(|preferred| *preferred != worker);
            if !task.runs && task.wants == Wants::Worker(worker) {
                task.wants = Wants::Nobody;
            }
        }
    }

    /// How many wait for this kind, and how many of them whatever is free: for their key, or their limit.
    pub(super) fn waiting_and_blocked(&self, taker: Taker) -> (usize, usize) {
        let waiting = self.waiting().filter(|task| task.wants.taker() == taker).count();
        let mut lines: Vec<Wants> =
            self.waiting().map(|task| task.wants).filter(|wants| wants.taker() == taker).collect();
        lines.sort_by_key(|wants| format!("{wants:?}"));
        lines.dedup();
        let takeable: usize = lines
            .iter()
            .map(|wants| match wants {
                Wants::Nobody => self.waiting().filter(|task| task.wants == *wants && task.admitted).count(),
                wants => self.count(*wants),
            })
            .sum();
        (waiting, waiting - takeable)
    }

    /// Whether a task would be accepted, with so many free takers of its kind and of the other.
    pub(super) fn accepts(
        &self,
        wants: Wants,
        key: Option<usize>,
        limit: Option<usize>,
        free: [usize; 2],
    ) -> bool {
        let max = self.rules.max_queue;
        let excess = |taker: Taker| {
            let (waiting, blocked) = self.waiting_and_blocked(taker);
            blocked + (waiting - blocked).saturating_sub(free[taker as usize])
        };
        let taker = wants.taker();
        let other = if taker == Taker::Native { Taker::Script } else { Taker::Native };
        let (waiting, blocked) = self.waiting_and_blocked(taker);
        let room =
            max.saturating_add(free[taker as usize]).saturating_sub(excess(other)).saturating_sub(blocked);
        if waiting - blocked >= room {
            return false;
        }
        let of_key = |key| self.tasks.iter().filter(|task| task.key == Some(key)).count();
        let line = if taker == Taker::Native { Wants::Native } else { Wants::AnyWorker };
        let before = |limit| {
            self.waiting()
                .filter(|task| task.wants == line && task.admitted && task.limit == Some(limit))
                .count()
        };
        let waits = key.is_some_and(|key| of_key(key) >= self.rules.of_key)
            || limit.is_some_and(|limit| before(limit) >= self.room(limit));
        !waits || excess(taker) + excess(other) < max
    }
}
