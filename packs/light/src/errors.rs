//! The errors that the pack itself raises.

use rust_workers_abi::outcome;

use crate::host::Failure;

fn failed(name: &'static str, code: &'static str, message: String) -> Failure {
    Failure { outcome: outcome::FAILED, name, code, message }
}

/// The task used all the memory that it may have.
pub(crate) fn memory(limit: usize) -> Failure {
    failed(
        "LightMemoryError",
        "ERR_RW_LIGHT_MEMORY",
        format!(
            "the light task needs more memory than it may have ({limit} bytes): raise pool.light's `memory`, or give it less at once"
        ),
    )
}

/// It went too deep.
pub(crate) fn stack(limit: usize) -> Failure {
    failed(
        "LightStackError",
        "ERR_RW_LIGHT_STACK",
        format!(
            "the light task goes deeper than its stack of {limit} bytes: raise pool.light's `stack` (and the pool's `stackSize`), or recurse less"
        ),
    )
}

/// It waits for ever.
pub(crate) fn unsettled(name: &str) -> Failure {
    failed(
        "LightUnsettledError",
        "ERR_RW_LIGHT_UNSETTLED",
        format!(
            "'{name}' waits for a promise that nothing will settle: light code has no timers and no events, only functions of `host`"
        ),
    )
}

/// A source that does not compile, or is no function.
pub(crate) fn source(message: String) -> Failure {
    failed("LightSourceError", "ERR_RW_LIGHT_SOURCE", message)
}

/// The tenant is closed.
pub(crate) fn unknown() -> Failure {
    failed(
        "LightClosedError",
        "ERR_RW_LIGHT_CLOSED",
        "this light object is closed: pool.light makes another one".to_owned(),
    )
}

/// What is no wire, or none of these tasks'.
pub(crate) fn input() -> Failure {
    Failure {
        outcome: outcome::INVALID_INPUT,
        name: "",
        code: "",
        message: "the tasks of light are called by pool.light alone".to_owned(),
    }
}

/// A port in the arguments.
pub(crate) fn port() -> Failure {
    failed(
        "TypeError",
        "ERR_RW_UNSUPPORTED_VALUE",
        "light code takes no ports: give it a function of `host` instead".to_owned(),
    )
}

/// Shared memory for code that could keep it: the task has it until it ends.
pub(crate) fn shared() -> Failure {
    failed(
        "UnsupportedValueError",
        "ERR_RW_UNSUPPORTED_VALUE",
        "light code with `state` takes no shared memory, which it could keep longer than the task has it: give it bytes, or no `state`".to_owned(),
    )
}

pub(crate) fn stopped() -> Failure {
    Failure { outcome: outcome::STOPPED, name: "", code: "", message: String::new() }
}

pub(crate) fn cyclic(name: &str, path: &str) -> Failure {
    failed(
        "CyclicValueError",
        "ERR_RW_CYCLIC_VALUE",
        format!("the result of '{name}' contains itself at result{path}"),
    )
}

pub(crate) fn too_deep(name: &str) -> Failure {
    failed(
        "ValueTooDeepError",
        "ERR_RW_VALUE_TOO_DEEP",
        format!("the result of '{name}' is nested deeper than 256 levels"),
    )
}

pub(crate) fn too_large(name: &str, limit: usize) -> Failure {
    failed(
        "ValueTooLargeError",
        "ERR_RW_VALUE_TOO_LARGE",
        format!("the result of '{name}' is larger than the task's memory ({limit} bytes)"),
    )
}

pub(crate) fn unsupported(name: &str, path: &str, what: &str) -> Failure {
    failed(
        "UnsupportedValueError",
        "ERR_RW_UNSUPPORTED_VALUE",
        format!("the result of '{name}' cannot leave light code: result{path} is {what}"),
    )
}

pub(crate) fn no_room(memory: usize) -> Failure {
    failed(
        "LightMemoryError",
        "ERR_RW_LIGHT_MEMORY",
        format!("the system has no memory for light tasks of {memory} bytes"),
    )
}

/// A fault of ours.
pub(crate) fn internal(message: &str) -> Failure {
    Failure { outcome: outcome::PANICKED, name: "", code: "", message: message.to_owned() }
}
