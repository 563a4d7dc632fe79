//! Which kind of thread takes an entry of the queue, and where the entry waits.

/// A kind of thread that takes entries. A new kind (light tasks, WebAssembly) gets a variant here, a line in `queue.rs`, its
/// capacity in `admission.rs`, and its way of being woken in `submit.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taker {
    /// The pool's own threads: they run native tasks.
    Native,
    /// Script workers: JavaScript threads that run functions of the pool's script.
    Script,
}

impl Taker {
    /// All of them.
    pub(super) const ALL: [Taker; 2] = [Taker::Native, Taker::Script];
}

/// The taker that a job is submitted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Any native thread.
    Native,
    /// Any script worker.
    AnyWorker,
    /// The script worker of this number: the job is *bound* to it, since its input can only go there.
    Worker(usize),
    /// No script worker yet: the job is an *orphan* from the start, since its input can only go to one worker and there
    /// is none.
    NoWorker,
}

impl Target {
    /// Which kind of thread that is.
    pub fn taker(self) -> Taker {
        match self {
            Target::Native => Taker::Native,
            Target::AnyWorker | Target::Worker(_) | Target::NoWorker => Taker::Script,
        }
    }
}

/// Where in the queue an entry waits, for as long as it waits there. A script's job that loses its worker moves to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuePosition(pub(super) Location);

/// A line, and a position in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Location {
    Native(LinePosition),
    AnyWorker(LinePosition),
    Worker(usize, LinePosition),
    /// Among the orphans: the job of this id.
    Orphan(u64),
    /// Before the gate (`gate.rs`), and by the same name in the queue, once it has gone through.
    Gate {
        taker: Taker,
        priority: i32,
        order: u64,
    },
}

/// The number of a limit (`task_limits.rs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LimitId(u32);

impl LimitId {
    pub(super) fn new(index: usize) -> Self {
        LimitId(index as u32)
    }

    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A position in one line: a priority, and a number that no other entry of the pool ever has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LinePosition {
    pub(super) priority: i32,
    pub(super) number: u64,
    /// That of its task.
    pub(super) limit: Option<LimitId>,
}

impl QueuePosition {
    /// Of a script's job that waits for a worker that it can be bound to.
    pub fn of_orphan(id: u64) -> Self {
        QueuePosition(Location::Orphan(id))
    }

    /// Which kind of thread takes the entry.
    pub fn taker(self) -> Taker {
        match self.0 {
            Location::Native(_) => Taker::Native,
            Location::Gate { taker, .. } => taker,
            Location::AnyWorker(_) | Location::Worker(..) | Location::Orphan(_) => Taker::Script,
        }
    }
}
