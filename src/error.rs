//! Every error the engine can report, with its stable code.
//!
//! The JavaScript side keeps the same list in `lib/errors.js`; `__test__/errors.test.js` holds the two equal.

use std::borrow::Cow;
use std::fmt;

/// A result of the engine.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// A stable error code. The text form is what `error.code` says in JavaScript.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// All codes, in declaration order.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The code of this text form.
            pub fn of(text: &str) -> Option<Code> {
                Code::ALL.iter().copied().find(|code| code.as_str() == text)
            }

            /// The text form, `ERR_RW_…`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text,)* }
            }
        }
    };
}

codes! {
    /// An argument has the wrong type.
    InvalidArgType = "ERR_RW_INVALID_ARG_TYPE",
    /// An argument has the right type, and a value that is not allowed.
    InvalidArgValue = "ERR_RW_INVALID_ARG_VALUE",
    /// A number lies outside the range that is allowed.
    OutOfRange = "ERR_RW_OUT_OF_RANGE",
    /// No task of that name is registered.
    UnknownTask = "ERR_RW_UNKNOWN_TASK",
    /// A task got an input that it does not accept.
    InvalidInput = "ERR_RW_INVALID_INPUT",
    /// A value contains something that a Rust thread cannot have.
    UnsupportedValue = "ERR_RW_UNSUPPORTED_VALUE",
    /// A value refers to itself.
    CyclicValue = "ERR_RW_CYCLIC_VALUE",
    /// A value is nested too deeply.
    ValueTooDeep = "ERR_RW_VALUE_TOO_DEEP",
    /// A value is too large.
    ValueTooLarge = "ERR_RW_VALUE_TOO_LARGE",
    /// Bytes that should be an encoded value are not one.
    MalformedValue = "ERR_RW_MALFORMED_VALUE",
    /// The queue is full.
    QueueFull = "ERR_RW_QUEUE_FULL",
    /// The pool accepts no more tasks.
    PoolClosed = "ERR_RW_POOL_CLOSED",
    /// The operating system did not start a thread for the pool.
    ThreadSpawn = "ERR_RW_THREAD_SPAWN",
    /// The task was cancelled.
    TaskCancelled = "ERR_RW_TASK_CANCELLED",
    /// Tasks would wait for each other for ever.
    Deadlock = "ERR_RW_DEADLOCK",
    /// The task's time was up.
    TaskTimeout = "ERR_RW_TASK_TIMEOUT",
    /// The task's deadline has passed.
    Deadline = "ERR_RW_DEADLINE",
    /// The task panicked; its thread goes on.
    TaskPanicked = "ERR_RW_TASK_PANICKED",
    /// The task itself reported an error.
    TaskFailed = "ERR_RW_TASK_FAILED",
    /// The last JavaScript thread that kept a block of shared memory alive has ended.
    MemoryClosed = "ERR_RW_MEMORY_CLOSED",
    /// Another task is working on part of a range of shared memory.
    RangeBusy = "ERR_RW_RANGE_BUSY",
    /// The thread that held the lock ended without unlocking it.
    LockPoisoned = "ERR_RW_LOCK_POISONED",
    /// The caller unlocks a lock that it does not hold.
    LockNotHeld = "ERR_RW_LOCK_NOT_HELD",
    /// The caller would block on a lock that it holds itself.
    LockDeadlock = "ERR_RW_LOCK_DEADLOCK",
    /// A party of the barrier gave up or died, or the barrier was aborted.
    BarrierBroken = "ERR_RW_BARRIER_BROKEN",
    /// All owner tokens of the process have been used up.
    NoMoreOwners = "ERR_RW_NO_MORE_OWNERS",
    /// A file is no pack, or does not load.
    PackLoad = "ERR_RW_PACK_LOAD",
    /// A pack is of another version of the interface.
    PackVersion = "ERR_RW_PACK_VERSION",
    /// A fault in rust-workers itself; please report it.
    Internal = "ERR_RW_INTERNAL",
}

/// An error of the engine, which threads can exchange and which becomes a JavaScript error of the right class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    code: Code,
    message: Cow<'static, str>,
    /// Of a task whose deadline has passed: whether it had started.
    started: bool,
    /// Of a task that has named its error itself.
    own: Option<Box<OwnError>>,
}

/// What a task of a pack says of its error, beside the message. JavaScript gets an error of just that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnError {
    /// The name, or that of a class of the language: `RangeError`.
    pub name: String,
    /// `error.code`.
    pub code: String,
    /// Where it comes from, for a line of its stack.
    pub place: String,
}

impl Error {
    /// An error with a code, and a message that says what happened and what to do.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Error { code, message: message.into(), started: false, own: None }
    }

    /// The error of a task that has named it itself.
    pub fn of_task(own: OwnError, message: String) -> Self {
        Error { own: Some(Box::new(own)), ..Error::new(Code::TaskFailed, message) }
    }

    /// What its task has said of it.
    pub fn own(&self) -> Option<&OwnError> {
        self.own.as_deref()
    }

    /// The same error of a task that had started.
    #[must_use]
    pub fn after_start(self) -> Self {
        Error { started: true, ..self }
    }

    /// Of a task whose deadline has passed: whether it had started.
    pub fn has_started(&self) -> bool {
        self.started
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The message, for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The same error with more words before its message.
    #[must_use]
    pub fn context(self, prefix: impl fmt::Display) -> Self {
        Error { message: format!("{prefix}: {}", self.message).into(), ..self }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.message, self.code.as_str())
    }
}

impl std::error::Error for Error {}
