//! What can go wrong on shared memory.

use std::fmt;

use crate::blocking::EndedEarly;
use crate::cancel::Reason;
use crate::error::{Code, Error};

/// A result of this room.
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
        /// What it must be a multiple of.
        align: usize,
    },
    /// The memory is not one a region can stand on: not aligned to 8, or longer than its maximum.
    BadMemory,
    /// The last JavaScript environment that kept the memory alive is ending.
    RegionClosed,
    /// Part of the range is taken by another task, and the caller would not wait.
    RangeBusy,
    /// The time the caller gave was up.
    TimedOut,
    /// The caller's cancel token was set.
    Stopped(Reason),
    /// The waiter was cancelled because the thread or environment that owns it is ending.
    Cancelled,
    /// The thread that held the lock ended without unlocking: what the lock protects may be half changed.
    /// `recover` takes the lock all the same and clears the state.
    OwnerDied,
    /// There is no lock of this kind (or of this version) at the offset.
    NotALock,
    /// The caller unlocks what it does not hold.
    NotHeld,
    /// The caller would block on a lock that it holds itself.
    WouldDeadlock,
    /// The barrier was broken: a party died, or someone called `abort`. `reset` mends it.
    BarrierBroken,
    /// A count outside its range: no parties, more permits than the maximum, more reader slots than allowed.
    BadCount,
    /// A billion owner tokens have been used up.
    NoMoreOwners,
}

impl fmt::Display for SharedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SharedError::OutOfBounds { offset, size, len } => {
                write!(f, "{size} bytes at offset {offset} do not lie inside the {len} bytes of the buffer")
            }
            SharedError::Misaligned { offset, align } => {
                write!(f, "offset {offset} must be a multiple of {align}")
            }
            SharedError::BadMemory => f.write_str("the memory must be aligned to 8 bytes"),
            SharedError::RegionClosed => {
                f.write_str("the thread that shared this memory has ended; keep the buffer in a thread that lives on")
            }
            SharedError::RangeBusy => f.write_str("another task works on part of this range; wait for it first"),
            SharedError::TimedOut => f.write_str("the time was up before the wait ended"),
            SharedError::Stopped(reason) => f.write_str(reason.into_error().message()),
            SharedError::Cancelled => f.write_str("the waiting thread is ending"),
            SharedError::OwnerDied => f.write_str(
                "the thread that held the lock ended without unlocking it; check the data, then call recover()",
            ),
            SharedError::NotALock => {
                f.write_str("there is no lock of this kind at this offset; create one there first")
            }
            SharedError::NotHeld => f.write_str("the lock is not held by the caller"),
            SharedError::WouldDeadlock => {
                f.write_str("this thread holds the lock already and would wait for itself; unlock it first")
            }
            SharedError::BarrierBroken => f.write_str("the barrier was broken; call reset() to use it again"),
            SharedError::BadCount => f.write_str("the count is outside the range that is allowed"),
            SharedError::NoMoreOwners => f.write_str("no owner tokens are left in this process"),
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
