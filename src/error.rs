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
    /// An argument has the right type and an impossible value.
    InvalidArgValue = "ERR_RW_INVALID_ARG_VALUE",
    /// A number lies outside the range that is allowed.
    OutOfRange = "ERR_RW_OUT_OF_RANGE",
    /// No task of that name is registered.
    UnknownTask = "ERR_RW_UNKNOWN_TASK",
    /// A task was given an input it does not take.
    InvalidInput = "ERR_RW_INVALID_INPUT",
    /// A value holds something that cannot cross to a Rust thread.
    UnsupportedValue = "ERR_RW_UNSUPPORTED_VALUE",
    /// A value refers to itself.
    CyclicValue = "ERR_RW_CYCLIC_VALUE",
    /// A value is nested too deeply.
    ValueTooDeep = "ERR_RW_VALUE_TOO_DEEP",
    /// A value is too large.
    ValueTooLarge = "ERR_RW_VALUE_TOO_LARGE",
    /// Bytes that should be an encoded value are not.
    MalformedValue = "ERR_RW_MALFORMED_VALUE",
    /// The queue holds as many tasks as it may.
    QueueFull = "ERR_RW_QUEUE_FULL",
    /// The pool takes no more tasks.
    PoolClosed = "ERR_RW_POOL_CLOSED",
    /// The operating system would not give the pool a thread.
    ThreadSpawn = "ERR_RW_THREAD_SPAWN",
    /// The task was cancelled.
    TaskCancelled = "ERR_RW_TASK_CANCELLED",
    /// The task's time was up.
    TaskTimeout = "ERR_RW_TASK_TIMEOUT",
    /// The task panicked; its thread lives on.
    TaskPanicked = "ERR_RW_TASK_PANICKED",
    /// The task itself reported an error.
    TaskFailed = "ERR_RW_TASK_FAILED",
    /// The last JavaScript thread that kept a shared memory alive has ended.
    MemoryClosed = "ERR_RW_MEMORY_CLOSED",
    /// Another task works on part of a range of shared memory.
    RangeBusy = "ERR_RW_RANGE_BUSY",
    /// The thread that held the lock ended without unlocking it.
    LockPoisoned = "ERR_RW_LOCK_POISONED",
    /// The caller unlocks what it does not hold.
    LockNotHeld = "ERR_RW_LOCK_NOT_HELD",
    /// The caller would block on a lock that it holds itself.
    LockDeadlock = "ERR_RW_LOCK_DEADLOCK",
    /// A party of the barrier gave up or died.
    BarrierBroken = "ERR_RW_BARRIER_BROKEN",
    /// All owner tokens of the process have been used up.
    NoMoreOwners = "ERR_RW_NO_MORE_OWNERS",
    /// A fault in rust-workers itself; please report it.
    Internal = "ERR_RW_INTERNAL",
}

/// What went wrong, in a form that crosses threads and becomes a JavaScript error of the right class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    code: Code,
    message: Cow<'static, str>,
}

impl Error {
    /// An error with a code and a sentence that says what to do.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Error { code, message: message.into() }
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The sentence for a person.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The same error with a longer sentence in front.
    #[must_use]
    pub fn context(self, prefix: impl fmt::Display) -> Self {
        Error { code: self.code, message: format!("{prefix}: {}", self.message).into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.message, self.code.as_str())
    }
}

impl std::error::Error for Error {}
