//! Exceptions that reached the end of a task: which are a limit's, and how the others go to the host.

use crate::definition::Definition;
use crate::errors;
use crate::host::Failure;
use crate::world::js::Value;
use crate::world::stage::Stage;

/// What the interpreter's errors say when there was no memory for what they would say.
const NO_MEMORY_TO_SAY_SO: [&str; 2] = ["", "Invalid error message"];

/// The limit that ended the task with this exception, if one did.
pub(crate) fn limit_of(stage: &Stage, definition: &Definition, exception: &Value<'_>) -> Option<Failure> {
    let watch = stage.watch();
    if watch.was_stopped() {
        return Some(errors::stopped());
    }
    if !exception.is_error() {
        // Without memory for an error there is none.
        return watch
            .ran_out_of_memory()
            .then(|| errors::memory(definition.options.memory))
            .filter(|_| is_nothing(exception));
    }
    let text = |name: &str| {
        exception
            .get(name)
            .and_then(|value| value.with_text(|text| String::from_utf8_lossy(text).into_owned()))
    };
    let (name, message) = (text("name").unwrap_or_default(), text("message").unwrap_or_default());
    if watch.ran_out_of_memory()
        && (message == "out of memory"
            || name == "InternalError" && NO_MEMORY_TO_SAY_SO.contains(&message.as_str()))
    {
        return Some(errors::memory(definition.options.memory));
    }
    if (name == "RangeError" || name == "InternalError")
        && message.starts_with("Maximum call stack size exceeded")
        || message == "stack overflow"
    {
        return Some(errors::stack(definition.options.stack));
    }
    None
}

fn is_nothing(value: &Value<'_>) -> bool {
    value.tag() == rust_workers_quickjs::JS_TAG_NULL
        || value.tag() == rust_workers_quickjs::JS_TAG_UNINITIALIZED
}

/// What a source throws while it is compiled or evaluated, as the error of `pool.light`.
pub(crate) fn failure_of(
    stage: &Stage,
    function: &str,
    definition: &Definition,
    exception: &Value<'_>,
) -> Failure {
    limit_of(stage, definition, exception).unwrap_or_else(|| source_failure(function, exception))
}

/// The error of a source.
pub(crate) fn source_failure(function: &str, exception: &Value<'_>) -> Failure {
    let text = |value: &Value<'_>| {
        value.with_text(|text| String::from_utf8_lossy(text).into_owned()).unwrap_or_default()
    };
    let said = text(exception);
    drop(exception.context().exception());
    let place = exception.get("stack").map(|stack| text(&stack)).unwrap_or_default();
    let place = place.trim().trim_start_matches("at ").lines().next().unwrap_or_default().to_owned();
    let place = if place.is_empty() { String::new() } else { format!(" ({place})") };
    errors::source(format!("the source of '{function}' is refused: {said}{place}"))
}
