//! `lockedAdd`: adds to a number in shared memory that is not atomic, under a mutex beside it. The simplest task that
//! shares a lock with JavaScript: it shows that both exclude each other.

use super::input::{Input, InputError, InputResult, Options, Whole};
use super::{Context, Task};
use crate::error::Result;
use crate::shared::locks::Mutex;
use crate::shared::{Access, atomics};
use crate::value::{SharedBytes, Value};

/// The greatest offset and count: the largest integer that a JavaScript number holds exactly.
const EXACT: u64 = (1 << 53) - 1;

/// The shared memory that holds the lock and the number.
struct Memory(SharedBytes);

impl Input for Memory {
    fn from_value(value: Value) -> InputResult<Self> {
        match value {
            Value::Shared(bytes) => Ok(Memory(bytes)),
            other => Err(InputError::wrong_type(&other)),
        }
    }
}

struct LockedAdd {
    memory: SharedBytes,
    lock: usize,
    counter: usize,
    count: u64,
}

impl Input for LockedAdd {
    fn from_value(value: Value) -> InputResult<Self> {
        Options::read(value, |options| {
            let Whole(lock) = options.required::<Whole<EXACT>>("lock")?;
            let Whole(counter) = options.required::<Whole<EXACT>>("counter")?;
            let Whole(count) = options.required::<Whole<EXACT>>("count")?;
            let Memory(bytes) = options.required("memory")?;
            // Saturates: a number that is no offset on this machine is out of bounds.
            let place =
                |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).saturating_add(bytes.offset());
            Ok(LockedAdd { lock: place(lock), counter: place(counter), count, memory: bytes })
        })
    }
}

pub(super) fn task() -> Task {
    Task::new(
        "lockedAdd",
        "{ memory, lock, counter, count }: shared memory, the offsets of a Mutex and of a float64 in it, and how often to add 1",
        |LockedAdd { memory, lock, counter, count }: LockedAdd, context| {
            let mutex = Mutex::from(memory.region(), lock)?;
            add(&mutex, memory.access(), counter, count, context)
        },
    )
}

/// The number after the last addition.
fn add(mutex: &Mutex, access: &Access, counter: usize, count: u64, context: &Context<'_>) -> Result<f64> {
    let mut last = atomics::read::<f64>(access, counter)?;
    let mut pace = context.pace(1000);
    for _ in 0..count {
        pace.spend(1)?;
        let guard = mutex.lock(context.wait_limit())?;
        last = atomics::read::<f64>(access, counter)? + 1.0;
        atomics::write(access, counter, last)?;
        drop(guard);
    }
    Ok(last)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::thread;

    use super::*;
    use crate::error::Code;
    use crate::shared::Region;
    use crate::sync::Arc;
    use crate::tasks::testing::{object, ok, refused, stops_when_cancelled};

    fn input(region: &Arc<Region>, lock: f64, counter: f64, count: f64) -> Value {
        let memory = SharedBytes::whole(region.access().unwrap());
        object([
            ("memory", Value::Shared(memory)),
            ("lock", Value::Number(lock)),
            ("counter", Value::Number(counter)),
            ("count", Value::Number(count)),
        ])
    }

    #[test]
    fn threads_that_add_under_the_lock_lose_nothing() {
        let region = Region::allocate(64, 64).unwrap();
        Mutex::create(&region, 16).unwrap();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| ok("lockedAdd", input(&region, 16.0, 48.0, 5000.0)));
            }
        });
        assert_eq!(ok("lockedAdd", input(&region, 16.0, 48.0, 0.0)), Value::Number(20_000.0));
    }

    #[test]
    fn it_wants_a_lock_and_a_number_inside_the_memory() {
        let region = Region::allocate(64, 64).unwrap();
        Mutex::create(&region, 16).unwrap();
        assert_eq!(refused("lockedAdd", input(&region, 0.0, 48.0, 1.0)).code(), Code::InvalidArgValue);
        assert_eq!(refused("lockedAdd", input(&region, 16.0, 60.0, 1.0)).code(), Code::OutOfRange);
        assert_eq!(refused("lockedAdd", input(&region, 16.0, 64.0, 1.0)).code(), Code::OutOfRange);
        assert_eq!(refused("lockedAdd", 5.0).code(), Code::InvalidInput);
        let copied = object([
            ("memory", Value::Number(1.0)),
            ("lock", 0.0.into()),
            ("counter", 0.0.into()),
            ("count", 0.0.into()),
        ]);
        assert_eq!(refused("lockedAdd", copied).code(), Code::InvalidInput);
    }

    #[test]
    fn it_stops_when_cancelled_also_while_it_waits_for_the_lock() {
        let region = Region::allocate(64, 64).unwrap();
        let mutex = Mutex::create(&region, 16).unwrap();
        stops_when_cancelled("lockedAdd", || input(&region, 16.0, 48.0, 1e15));
        let owner = crate::shared::locks::admit_owner().unwrap();
        assert!(mutex.try_lock(owner).unwrap());
        stops_when_cancelled("lockedAdd", || input(&region, 16.0, 48.0, 1.0));
    }
}
