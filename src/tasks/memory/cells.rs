//! Tasks on single cells of shared memory: `atomicAdd`, `atomicWait`, `atomicNotify`, `atomicPingPong`.

use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use super::elements::{as_big_int, as_number, big_int, modulo, with_type};
use crate::error::{Code, Error, Result};
use crate::shared::atomics::{self, Rmw};
use crate::shared::wait::{Expected, Waited, notify, wait};
use crate::shared::{Access, notify_plain};
use crate::tasks::input::{Input, InputError, InputResult, Options, Whole};
use crate::tasks::{Context, Task};
use crate::value::{BytesKind, SharedBytes, Value};

/// The owner token of a native task that waits: none, its cancel token ends the wait.
const NO_OWNER: u32 = 0;
/// The greatest count: 2^53 - 1.
const SAFE: u64 = (1 << 53) - 1;
/// Adds between two checkpoints: well under a millisecond, also when other threads want the cell.
const ADDS: u64 = 4_096;
/// Parts of a parallel `atomicAdd` have no fewer adds than this.
const PART: u64 = 1 << 15;

/// One element of shared memory.
struct Cell {
    shared: SharedBytes,
    offset: usize,
}

impl Cell {
    fn from_options(options: &mut Options) -> InputResult<Self> {
        let shared = match options.required::<Value>("buffer")? {
            Value::Shared(shared) if shared.kind() == BytesKind::ArrayBuffer => {
                let whole = shared.len() / 4 * 4;
                shared.view(BytesKind::Int32, 0, whole).ok_or_else(|| InputError::wrong_kind("a buffer"))?
            }
            Value::Shared(shared) => shared,
            other => return Err(InputError::wrong_type(&other).of_option("buffer")),
        };
        let size = shared.kind().element_size();
        let Whole(index) = options.optional::<Whole<SAFE>>("index")?.unwrap_or(Whole(0));
        let length = shared.len() / size;
        if index >= length as u64 {
            return Err(InputError::out_of_range(format_args!("index {index} of {length} elements")));
        }
        let offset = shared.offset() + index as usize * size;
        Ok(Cell { shared, offset })
    }

    fn access(&self) -> &Access {
        self.shared.access()
    }

    /// The value that a wait expects; refused for elements that no thread can wait on.
    fn expected(&self, value: &Value) -> InputResult<Expected> {
        let expected = match self.shared.kind() {
            BytesKind::Int32 => {
                as_number(value).map(|number| Expected::I32((modulo(number) as u32).cast_signed()))
            }
            BytesKind::BigInt64 => as_big_int(value).map(|low| Expected::I64(low.cast_signed())),
            other => return Err(InputError::wrong_kind(other.describe()).of_option("buffer")),
        };
        expected.ok_or_else(|| InputError::wrong_type(value).of_option("value"))
    }
}

struct Add {
    cell: Cell,
    operand: u64,
    count: u64,
    parallel: bool,
}

impl Input for Add {
    fn from_value(value: Value) -> InputResult<Self> {
        Options::read(value, |options| {
            let cell = Cell::from_options(options)?;
            let kind = cell.shared.kind();
            let value = options.optional::<Value>("value")?.unwrap_or(Value::Number(1.0));
            let operand = match kind {
                BytesKind::Float16
                | BytesKind::Float32
                | BytesKind::Float64
                | BytesKind::Uint8Clamped
                | BytesKind::DataView => {
                    return Err(InputError::wrong_kind(kind.describe()).of_option("buffer"));
                }
                _ => as_number(&value).map(modulo).or_else(|| as_big_int(&value)),
            };
            let Whole(count) = options.optional::<Whole<SAFE>>("count")?.unwrap_or(Whole(1));
            Ok(Add {
                cell,
                operand: operand.ok_or_else(|| InputError::wrong_type(&value).of_option("value"))?,
                count,
                parallel: options.optional("parallel")?.unwrap_or(false),
            })
        })
    }
}

/// `atomicAdd`: adds to one element, again and again; returns the element's value after the last of its own adds.
pub(in crate::tasks) fn atomic_add() -> Task {
    Task::new(
        "atomicAdd",
        "{ buffer: shared memory of integers, index?, value?, count?, parallel?: boolean }",
        |Add { cell, operand, count, parallel }: Add, context| {
            let parts = if parallel && context.threads() > 1 {
                count.div_ceil(PART).clamp(1, 4 * context.threads() as u64)
            } else {
                1
            };
            let (shared, offset) = (cell.shared.clone(), cell.offset);
            context.parallel_for(parts as usize, move |part, context| {
                let part = part as u64;
                let mine = count * (part + 1) / parts - count * part / parts;
                add_some(&shared, offset, operand, mine, context)
            })?;
            read_cell(&cell)
        },
    )
    .parallel()
}

fn add_some(
    shared: &SharedBytes,
    offset: usize,
    operand: u64,
    count: u64,
    context: &Context<'_>,
) -> Result<()> {
    macro_rules! add {
        ($($kind:ident $type:ty,)*) => {
            match shared.kind() {
                $(BytesKind::$kind => {
                    let cell = shared.access().cell(offset)?;
                    let mut left = count;
                    while left > 0 {
                        context.checkpoint()?;
                        let step = left.min(ADDS);
                        for _ in 0..step {
                            <$type as atomics::Integer>::rmw(cell, Rmw::Add, operand as $type);
                        }
                        left -= step;
                    }
                    Ok(())
                })*
                _ => Err(Error::new(Code::Internal, "the elements of 'atomicAdd' were not checked")),
            }
        };
    }
    add! {
        Int8 i8, Uint8 u8, Buffer u8, Int16 i16, Uint16 u16, Int32 i32, Uint32 u32, BigInt64 i64, BigUint64 u64,
    }
}

/// The element as JavaScript reads it.
fn read_cell(cell: &Cell) -> Result<Value> {
    use super::elements::Scalar;
    with_type!(cell.shared.kind(), T => {
        let element = atomics::read::<T>(cell.access(), cell.offset)?;
        Ok(if T::BIG { big_int(element.to_i128()) } else { Value::Number(element.to_f64()) })
    }, else Err(Error::new(Code::Internal, "the elements were not checked")))
}

struct Wait {
    cell: Cell,
    expected: Expected,
    timeout: Option<Duration>,
}

impl Input for Wait {
    fn from_value(value: Value) -> InputResult<Self> {
        Options::read(value, |options| {
            let cell = Cell::from_options(options)?;
            let expected = cell.expected(&options.required("value")?)?;
            let timeout = match options.optional::<f64>("timeout")? {
                // As `Atomics.wait` has it: NaN is no limit, below zero is none at all.
                Some(milliseconds) if !milliseconds.is_nan() => {
                    Duration::try_from_secs_f64(milliseconds.max(0.0) / 1000.0).ok()
                }
                _ => None,
            };
            Ok(Wait { cell, expected, timeout })
        })
    }
}

/// `atomicWait`: `Atomics.wait` on a pool thread, which it holds meanwhile.
pub(in crate::tasks) fn atomic_wait() -> Task {
    Task::new(
        "atomicWait",
        "{ buffer: shared memory of Int32 or BigInt64 elements, value, index?, timeout?: milliseconds }",
        |Wait { cell, expected, timeout }: Wait, context| {
            let limit = context.wait_limit();
            let limit = timeout.map_or(limit, |timeout| limit.within(timeout));
            let waited = wait(cell.access(), cell.offset, expected, NO_OWNER, limit)?;
            Ok(Value::from(match waited {
                Waited::Ok => "ok",
                Waited::NotEqual => "not-equal",
                Waited::TimedOut => "timed-out",
            }))
        },
    )
}

struct Notify {
    cell: Cell,
    count: usize,
}

impl Input for Notify {
    fn from_value(value: Value) -> InputResult<Self> {
        Options::read(value, |options| {
            let cell = Cell::from_options(options)?;
            if !matches!(cell.shared.kind(), BytesKind::Int32 | BytesKind::BigInt64) {
                return Err(InputError::wrong_kind(cell.shared.kind().describe()).of_option("buffer"));
            }
            let count = match options.optional::<f64>("count")? {
                // The cast saturates, and makes 0 of NaN and of numbers below zero.
                Some(count) => count as usize,
                None => usize::MAX,
            };
            Ok(Notify { cell, count })
        })
    }
}

/// `atomicNotify`: wakes the threads that wait on an element, also by plain `Atomics.wait`; returns how many.
pub(in crate::tasks) fn atomic_notify() -> Task {
    Task::new(
        "atomicNotify",
        "{ buffer: shared memory of Int32 or BigInt64 elements, index?, count? }",
        |Notify { cell, count }: Notify, context| {
            let woken = notify(cell.access(), cell.offset, count)?;
            let size = cell.shared.kind().element_size();
            let others = notify_plain(cell.access(), cell.offset, size, count - woken, context.wait_limit())?;
            #[allow(clippy::cast_precision_loss)]
            Ok(Value::Number((woken + others) as f64))
        },
    )
    .wakes_plain()
}

struct PingPong {
    cell: Cell,
    rounds: u64,
}

impl Input for PingPong {
    fn from_value(value: Value) -> InputResult<Self> {
        Options::read(value, |options| {
            let cell = Cell::from_options(options)?;
            if cell.shared.kind() != BytesKind::Int32 {
                return Err(InputError::wrong_kind(cell.shared.kind().describe()).of_option("buffer"));
            }
            let Whole(rounds) = options.required::<Whole<{ (1 << 30) - 1 }>>("rounds")?;
            Ok(PingPong { cell, rounds })
        })
    }
}

/// `atomicPingPong`: the other side of a game on an Int32 element that holds an even number at first. It waits until
/// the element is odd, adds 1 and notifies, `rounds` times. To measure wakes with.
pub(in crate::tasks) fn atomic_ping_pong() -> Task {
    Task::new(
        "atomicPingPong",
        "{ buffer: shared memory of Int32 elements, rounds: 0 to 2^30 - 1, index? }",
        |PingPong { cell, rounds }: PingPong, context| -> Result<()> {
            let access = cell.access();
            let element = access.cell::<AtomicI32>(cell.offset)?;
            for _ in 0..rounds {
                loop {
                    let found = element.load(Ordering::SeqCst);
                    if found & 1 == 1 {
                        break;
                    }
                    wait(access, cell.offset, Expected::I32(found), NO_OWNER, context.wait_limit())?;
                }
                element.fetch_add(1, Ordering::SeqCst);
                notify(access, cell.offset, 1)?;
                context.checkpoint()?;
            }
            Ok(())
        },
    )
}
