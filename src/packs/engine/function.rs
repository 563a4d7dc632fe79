//! The task as which a function of an addon runs. All of them are one task, `addon function`, in counters and traces; which function
//! it is stands with its submission.

use std::sync::LazyLock;

use rust_workers_abi as abi;

use super::under_way;
use crate::error::{Code, Error, Result};
use crate::packs::run::run_function;
use crate::packs::task::{Data, PackTask};
use crate::tasks::{Context, Run, Task, TaskFacts, builtin};
use crate::value::Value;

const NAME: &str = "addon function";

static NUMBER: LazyLock<Option<usize>> = LazyLock::new(|| {
    let facts = TaskFacts {
        name: NAME,
        takes: "what its addon says",
        in_place: false,
        parallel: true,
        wakes_plain: false,
    };
    let numbers = builtin().add_pack(vec![Task::of(facts, Box::new(AddonFunction))]);
    numbers.ok().map(|numbers| numbers.start)
});

static TASK: LazyLock<PackTask> = LazyLock::new(|| PackTask {
    name: NAME,
    takes: None,
    flags: abi::flags::PARALLEL,
    run: nothing,
    data: Data(std::ptr::null_mut()),
    path: "another addon".into(),
});

/// Its number in the registry; none where that is full.
pub(super) fn number() -> Option<usize> {
    *NUMBER
}

/// What the task is given for a submission.
pub(super) fn input(id: u64, input: Value) -> Value {
    #[allow(clippy::cast_precision_loss)] // below 2^53
    Value::Array(vec![Value::Number(id as f64), input])
}

struct AddonFunction;

impl Run for AddonFunction {
    fn run(&self, input: Value, context: &Context<'_>) -> Result<Value> {
        let submission = match input {
            Value::Array(pair) => <[Value; 2]>::try_from(pair).ok(),
            _ => None,
        };
        if let Some([Value::Number(id), input]) = submission
            && let Some((run, data)) = under_way::function_of(id as u64)
        {
            return run_function(&TASK, run, data, input, context);
        }
        Err(Error::new(
            Code::Internal,
            "a function of an addon runs that nobody has submitted; please report this",
        ))
    }
}

/// In the place of a function, which each submission has its own of.
#[allow(unsafe_code)] // as the interface has it
unsafe extern "C" fn nothing(
    _: *const abi::Host,
    _: *mut abi::Call,
    _: *const abi::Value,
    _: *mut std::ffi::c_void,
) -> i32 {
    abi::outcome::REFUSED
}
