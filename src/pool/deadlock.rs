//! Whether a job that a running job submits to its own pool could ever run.
//!
//! A job that waits for jobs which it has submitted has something meanwhile that these may need: its key; its worker, where it blocks
//! the worker's thread, or answers a message. So jobs may wait for each other in a circle, and would for ever. Every such circle is closed
//! by a submission, as nothing else makes a running job wait for another. So each submission of such a job is looked at, under
//! the pool's lock, and refused where it closes one ([`Code::Deadlock`]). Jobs that are there already can all end.
//!
//! What can end is found by going from what certainly does (a job that runs and waits for nothing) to what needs only that:
//!
//! * a job that runs: its worker's thread, and all jobs that it waits for;
//! * a native task that has called a function: the job that is the function's run;
//! * a worker's thread: the job for which it is blocked, if it is;
//! * a job that waits in the queue: its key, and a taker. A key admits the next as soon as one of those that have it can end. A worker
//!   can take a job if its thread goes on, and the jobs that it runs can end or make way (`waits`). Native threads wait for
//!   no job, but where all that there may be have called functions (`calling.rs`): then a native task needs one of these to end. A worker that may still be started takes anything.
//!
//! Limits of tasks' names are given back by a job that waits. Jobs that have not begun wait for nothing but their turn, so that
//! those ahead of another in the line of its key need not be looked at. A job counts as waiting for what it has submitted until
//! that has ended, whether or not its code awaits it: nobody knows.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::entry::Entry;
use super::gate::Gate;
use super::job::{Job, WaitedBy, Waiter};
use super::keys::Key;
use super::position::Target;
use super::script_state::{Running, Scripts, WorkerRegistration, WorkerState};
use super::state::State;
use super::threads::Threads;
use crate::error::{Code, Error};

/// Where a job is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// A native thread runs it, and it waits for a function that it has called.
    Calling,
    /// It runs on this worker; `yields`: the worker can run others meanwhile.
    Running { worker: usize, yields: bool },
    /// It waits for such a taker; `held`: and for its key before that.
    Queued { target: Target, held: bool },
    /// It waits before the gate, and has no key yet.
    Gated(Target),
}

struct Node<'state> {
    id: u64,
    at: At,
    key: Option<&'state Key>,
    /// The job that waits for it, and the worker whose thread does.
    waiter: Option<u64>,
    blocks: Option<usize>,
    can_end: bool,
}

impl<'state> Node<'state> {
    fn new(
        scripts: &Scripts,
        id: u64,
        at: At,
        key: Option<&'state Key>,
        waited_by: Option<WaitedBy>,
    ) -> Self {
        let waiter = waited_by.and_then(|by| by.job());
        let blocks = waited_by.filter(|by| by.blocks).and_then(|by| match by.waiter {
            Waiter::Job(id) => scripts.worker_of(id),
            Waiter::Worker(number) => Some(number),
        });
        // A wait that was over early has left a job behind that is being stopped.
        let blocks = blocks.filter(|number| scripts.worker(*number).is_some_and(|worker| worker.blocked));
        Node { id, at, key, waiter, blocks, can_end: false }
    }

    fn of(scripts: &Scripts, job: &'state Job, at: At) -> Self {
        Node::new(scripts, job.reply.id(), at, job.key(), job.waiter())
    }

    fn has_key(&self) -> bool {
        match self.at {
            At::Running { .. } | At::Calling => true,
            At::Queued { held, .. } => !held,
            At::Gated(_) => false,
        }
    }
}

/// What keeps others from ending: how many nodes that are not known to end.
#[derive(Default)]
struct Stuck<'state> {
    /// Jobs for which a job waits, by its id.
    awaited: HashMap<u64, usize>,
    /// Jobs for which a worker's thread is blocked, by the worker's number.
    blocking: HashMap<usize, usize>,
    /// Jobs that a worker runs, and that do not make way.
    running: HashMap<usize, usize>,
    /// All jobs that a worker runs.
    kept: HashMap<usize, usize>,
    /// Jobs that have a key.
    holders: HashMap<&'state Key, usize>,
    /// Native tasks that call.
    calling: usize,
}

impl<'state> Stuck<'state> {
    fn count(&mut self, node: &Node<'state>, change: impl Fn(&mut usize)) {
        if let Some(id) = node.waiter {
            change(self.awaited.entry(id).or_default());
        }
        if let Some(worker) = node.blocks {
            change(self.blocking.entry(worker).or_default());
        }
        if let At::Running { worker, yields } = node.at {
            change(self.kept.entry(worker).or_default());
            if !yields {
                change(self.running.entry(worker).or_default());
            }
        }
        if node.at == At::Calling {
            change(&mut self.calling);
        }
        if let Some(key) = node.key.filter(|_| node.has_key()) {
            change(self.holders.entry(key).or_default());
        }
    }

    fn goes_on(&self, worker: usize) -> bool {
        self.blocking.get(&worker).is_none_or(|count| *count == 0)
    }

    fn takes(&self, worker: usize) -> bool {
        self.goes_on(worker) && self.running.get(&worker).is_none_or(|count| *count == 0)
    }

    fn leaves(&self, worker: usize) -> bool {
        self.goes_on(worker) && self.kept.get(&worker).is_none_or(|count| *count == 0)
    }
}

/// All that takes part, and what it goes by.
struct Graph<'state> {
    nodes: Vec<Node<'state>>,
    scripts: &'state Scripts,
    threads: &'state Threads,
    /// How many may have a key.
    most: usize,
    /// Whether a worker may still be started.
    can_start: bool,
    /// Whether another may be started in the place of one that leaves.
    is_replaced: bool,
}

impl Graph<'_> {
    /// Finds out which can end.
    fn settle(&mut self) {
        // What was submitted later first: a chain is through in one round then.
        self.nodes.sort_by_key(|node| Reverse(node.id));
        let mut stuck = Stuck::default();
        for node in &self.nodes {
            stuck.count(node, |count| *count += 1);
        }
        loop {
            let mut found = false;
            for at in 0..self.nodes.len() {
                let node = &self.nodes[at];
                if !node.can_end && self.ends(node, &stuck) {
                    stuck.count(node, |count| *count -= 1);
                    self.nodes[at].can_end = true;
                    found = true;
                }
            }
            if !found {
                return;
            }
        }
    }

    fn ends(&self, node: &Node<'_>, stuck: &Stuck<'_>) -> bool {
        match node.at {
            At::Running { worker, .. } => {
                stuck.goes_on(worker) && stuck.awaited.get(&node.id).is_none_or(|count| *count == 0)
            }
            At::Calling => stuck.awaited.get(&node.id).is_none_or(|count| *count == 0),
            At::Queued { target, held } => {
                (!held || self.key_ends(node, stuck)) && self.has_taker(target, stuck)
            }
            At::Gated(target) => self.key_ends(node, stuck) && self.has_taker(target, stuck),
        }
    }

    fn key_ends(&self, node: &Node<'_>, stuck: &Stuck<'_>) -> bool {
        node.key.is_none_or(|key| stuck.holders.get(key).is_none_or(|count| *count < self.most))
    }

    fn has_taker(&self, target: Target, stuck: &Stuck<'_>) -> bool {
        match target {
            Target::Native => self.threads.can_take() || stuck.calling < self.threads.calling(),
            Target::Worker(number) if self.scripts.worker(number).is_some() => stuck.takes(number),
            Target::Worker(_) | Target::AnyWorker | Target::NoWorker => {
                self.can_start || self.scripts.workers().any(|worker| self.is_or_makes_taker(worker, stuck))
            }
        }
    }

    /// Whether a worker can take a job, or leave a place for one that can.
    fn is_or_makes_taker(&self, worker: (usize, &WorkerRegistration), stuck: &Stuck<'_>) -> bool {
        if is_taker(worker) { stuck.takes(worker.0) } else { self.is_replaced && stuck.leaves(worker.0) }
    }
}

fn is_taker((_, worker): (usize, &WorkerRegistration)) -> bool {
    worker.state != WorkerState::Left && !worker.retiring
}

impl Scripts {
    /// Whether a worker may be started beside those that live.
    fn can_start(&self) -> bool {
        self.living() < self.most
    }

    /// Jobs that wait for others which they, or code in their worker, have submitted.
    pub(super) fn waiting_jobs(&self) -> usize {
        let waits = |worker: &WorkerRegistration, job: &Running| job.waits || job.holds || worker.blocked;
        self.workers().map(|(_, worker)| worker.running.iter().filter(|job| waits(worker, job)).count()).sum()
    }

    /// Whether a worker may take a job for this target, without a look at what jobs wait for.
    pub(super) fn may_take(&self, target: Target) -> bool {
        match target {
            Target::Native => true,
            Target::Worker(number) => self.worker(number).is_none_or(|worker| !worker.blocked),
            Target::AnyWorker | Target::NoWorker => self.has_taker(),
        }
    }

    /// Whether there is, or may be, a worker for jobs that wait for any, without a look at what jobs wait for.
    pub(super) fn has_taker(&self) -> bool {
        let takes =
            |worker: &WorkerRegistration| !worker.blocked && !worker.running.iter().any(|job| job.holds);
        self.can_start() || self.workers().any(|worker| is_taker(worker) && takes(worker.1))
    }
}

impl State {
    /// Why a job must not be accepted: jobs would wait for each other for ever.
    pub(super) fn deadlock(&self, job: &Job, target: Target) -> Option<Error> {
        let waited_by = job.waiter()?;
        let key = job.key();
        let is_busy = key.is_some_and(|key| self.queue.keys.is_busy(key));
        let is_free = match target {
            Target::Native => self.threads.can_take(),
            Target::AnyWorker | Target::NoWorker => self.scripts.has_taker(),
            Target::Worker(_) => false,
        };
        if !is_busy && is_free {
            return None;
        }
        // A worker that leaves is replaced by another for what its jobs submit.
        let waiting_at = match waited_by.waiter {
            Waiter::Job(id) => self.scripts.worker_of(id),
            Waiter::Worker(number) => Some(number),
        };
        let leaves = waiting_at
            .and_then(|number| self.scripts.worker(number))
            .is_some_and(|worker| !is_taker((0, worker)));
        let mut graph = self.graph(self.scripts.can_start() || leaves);
        let at = At::Queued { target, held: is_busy };
        // Not yet in the queue: it has no key, if nobody else has it.
        let node = Node::new(&self.scripts, u64::MAX, at, key, Some(waited_by));
        graph.nodes.push(node);
        graph.settle();
        let node = graph.nodes.iter().find(|node| node.id == u64::MAX)?;
        if node.can_end {
            return None;
        }
        let waits_for_key = is_busy && {
            let mut stuck = Stuck::default();
            for other in graph.nodes.iter().filter(|other| !other.can_end) {
                stuck.count(other, |count| *count += 1);
            }
            !graph.key_ends(node, &stuck)
        };
        Some(deadlock_error(key.filter(|_| waits_for_key), target))
    }

    /// The ids of the scripts' jobs that wait in the queue, and could not run if no worker could be started beside those that are there.
    pub(super) fn stuck_scripts(&self) -> Vec<u64> {
        let mut graph = self.graph(false);
        graph.settle();
        let is_stuck = |node: &&Node<'_>| {
            let (At::Queued { target, .. } | At::Gated(target)) = node.at else { return false };
            !node.can_end && target != Target::Native
        };
        graph.nodes.iter().filter(is_stuck).map(|node| node.id).collect()
    }

    fn graph(&self, can_start: bool) -> Graph<'_> {
        let scripts = &self.scripts;
        let mut nodes = Vec::new();
        for (number, worker) in scripts.workers() {
            nodes.extend(worker.running.iter().map(|job| {
                let at = At::Running { worker: number, yields: job.waits };
                Node::new(scripts, job.reply.id(), at, job.permits.key(), job.waited_by)
            }));
        }
        for (calling, key) in self.threads.calls() {
            nodes.push(Node::new(scripts, calling.id, At::Calling, key, calling.waited_by));
        }
        self.queue.for_each_job(|job, target, held| {
            nodes.push(Node::of(scripts, job, At::Queued { target, held }));
        });
        for (entry, target) in self.gate.iter().flat_map(Gate::iter) {
            if let Entry::Job(job) = entry {
                nodes.push(Node::of(scripts, job, At::Gated(target)));
            }
        }
        let takers = scripts.workers().filter(|worker| is_taker(*worker)).count();
        Graph {
            nodes,
            scripts,
            threads: &self.threads,
            most: self.queue.keys.most(),
            can_start,
            is_replaced: takers < scripts.most,
        }
    }
}

fn deadlock_error(key: Option<&Key>, target: Target) -> Error {
    let message = match key {
        None if target == Target::Native => "it would wait for ever for a thread: all native threads wait for functions of JavaScript that their tasks have \
             called, and those wait for native tasks, this one among them. Run fewer such tasks at a time"
            .to_owned(),
        Some(key) => format!(
            "it would wait for ever for its key '{key}': a task that has the key waits for this one, directly or by others. Leave the \
             key out, or submit the task when the other has ended"
        ),
        None => "it would wait for ever for a worker: those that could take it are blocked by runSync, or answer a message, and wait for \
                 this task, directly or by others. Await run() instead, run a native task, or give the pool more threads"
            .to_owned(),
    };
    Error::new(Code::Deadlock, message)
}
