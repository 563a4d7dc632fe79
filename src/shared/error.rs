//! Errors of operations on shared memory.

use std::fmt;

use crate::blocking::EndedEarly;
use crate::cancel::Reason;
use crate::error::{Code, Error};

/// A result of this module.
pub type Result<T, E = SharedError> = std::result::Result<T, E>;

/// Why an operation on shared memory was refused or given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SharedError {
    /// The bytes asked for do not all lie inside the region (`RangeError` in JavaScript).
    OutOfBounds {
        /// First byte asked for.
        offset: usize,
        /// How many bytes.
        size: usize,
        /// Bytes in the region.
        len: usize,
    },
    /// The offset is not a multiple of the element's size (`RangeError` in JavaScript).
    Misaligned {
        /// First byte asked for.
        offset: usize,
        /// The number that it must be a multiple of.
        align: usize,
    },
    /// The memory cannot be a region: it is not aligned to 8, or longer than its maximum.
    BadMemory,
    /// The last JavaScript environment that kept the memory alive is ending.
    RegionClosed,
    /// Another task has taken part of the range, and the caller does not wait.
    RangeBusy,
    /// The caller's time limit has passed.
    TimedOut,
    /// The caller's token was cancelled, or its deadline has passed.
    Stopped(Reason),
    /// The waiter was cancelled because the thread or environment that owns it is ending.
    Cancelled,
    /// The thread that held the lock ended without unlocking it: what the lock protects may be half changed.
    /// `recover` takes the lock all the same and clears the poison.
    OwnerDied,
    /// There is no lock of this kind (and of this version) at the offset.
    NotALock,
    /// The caller unlocks a lock that it does not hold.
    NotHeld,
    /// The caller would block on a lock that it holds itself.
    WouldDeadlock,
    /// The barrier was broken: a party died or gave up, or `abort` was called. `reset` makes it new.
    BarrierBroken,
    /// A count outside its range: no parties, more permits than the maximum, more reader slots than allowed.
    BadCount,
    /// All owner tokens (2^27 - 1) have been used.
    NoMoreOwners,
}

impl fmt::Display for SharedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SharedError::OutOfBounds { offset, size, len } => {
                write!(f, "{size} bytes at offset {offset} are not inside the buffer of {len} bytes")
            }
            SharedError::Misaligned { offset, align } => {
                write!(f, "offset {offset} must be a multiple of {align}")
            }
            SharedError::BadMemory => f.write_str("the memory must be aligned to 8 bytes: pass a SharedArrayBuffer"),
            SharedError::RegionClosed => {
                f.write_str("the thread that shared this memory has ended; keep the buffer in a thread that lives longer")
            }
            SharedError::RangeBusy => f.write_str("another task is working on part of this range; wait until it has ended"),
            SharedError::TimedOut => f.write_str("the wait timed out; wait longer, or find out why nobody ended it"),
            SharedError::Stopped(reason) => f.write_str(reason.into_error().message()),
            SharedError::Cancelled => f.write_str("the thread that waits is ending"),
            SharedError::OwnerDied => f.write_str(
                "the thread that held the lock ended without unlocking it; check the data, then call recover()",
            ),
            SharedError::NotALock => {
                f.write_str("there is no lock of this kind at this offset; create one there first")
            }
            SharedError::NotHeld => f.write_str("this thread does not hold the lock; lock it before you unlock it"),
            SharedError::WouldDeadlock => {
                f.write_str("this thread holds the lock already and would wait for itself; unlock it first")
            }
            SharedError::BarrierBroken => f.write_str("the barrier was broken; call reset() to use it again"),
            SharedError::BadCount => f.write_str("the count is out of range; see the limits of this lock"),
            SharedError::NoMoreOwners => f.write_str("this process has no owner tokens left; restart it"),
        }
    }
}

impl std::error::Error for SharedError {}

impl From<EndedEarly> for SharedError {
    fn from(ended: EndedEarly) -> SharedError {
        match ended {
            EndedEarly::TimedOut => SharedError::TimedOut,
            EndedEarly::Stopped(reason) => SharedError::Stopped(reason),
        }
    }
}

impl From<SharedError> for Error {
    fn from(error: SharedError) -> Error {
        let code = match error {
            SharedError::Stopped(reason) => return reason.into_error(),
            SharedError::OutOfBounds { .. } | SharedError::Misaligned { .. } | SharedError::BadCount => {
                Code::OutOfRange
            }
            SharedError::BadMemory | SharedError::NotALock => Code::InvalidArgValue,
            SharedError::Cancelled => Code::TaskCancelled,
            SharedError::TimedOut => Code::TaskTimeout,
            SharedError::RegionClosed => Code::MemoryClosed,
            SharedError::RangeBusy => Code::RangeBusy,
            SharedError::OwnerDied => Code::LockPoisoned,
            SharedError::NotHeld => Code::LockNotHeld,
            SharedError::WouldDeadlock => Code::LockDeadlock,
            SharedError::BarrierBroken => Code::BarrierBroken,
            SharedError::NoMoreOwners => Code::NoMoreOwners,
        };
        Error::new(code, error.to_string())
    }
}
