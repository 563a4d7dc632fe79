//! Makes a tenant's world on an empty stage: globals, the host's functions, its own functions from bytecode.

use std::sync::Arc;

use crate::definition::Definition;
use crate::errors;
use crate::failure::failure_of;
use crate::host::Failure;
use crate::wire::cursor::{Cursor, Item};
use crate::world::convert::{self, Refusal};
use crate::world::host_functions;
use crate::world::js::{Raw, Thrown};
use crate::world::stage::Stage;

/// The functions, whose references stay in the world.
pub(crate) fn instantiate(stage: &Stage, definition: &Arc<Definition>) -> Result<Vec<Raw>, Failure> {
    stage.announce(definition);
    stage.limit_stack(definition.options.stack);
    let mut functions = Vec::with_capacity(definition.functions.len());
    prepare(stage, definition).map_err(|refusal| match refusal {
        Refusal::Thrown => failure_of(stage, "globals", definition, &stage.context().exception()),
        Refusal::Malformed => errors::input(),
        Refusal::Port => errors::port(),
    })?;
    for (name, bytecode) in &definition.functions {
        let raw = function(stage, name, bytecode)
            .map_err(|Thrown| failure_of(stage, name, definition, &stage.context().exception()))?;
        functions.push(raw.ok_or_else(|| {
            errors::source(format!(
                "'{name}' is no function: its source must be one, such as '(a, b) => a + b'"
            ))
        })?);
    }
    Ok(functions)
}

fn prepare(stage: &Stage, definition: &Definition) -> Result<(), Refusal> {
    let (helpers, context) = (stage.helpers(), stage.context());
    let options = definition.options;
    if !options.clock {
        helpers.take_clock()?;
    }
    if options.random {
        host_functions::add_random(context)?;
    } else {
        helpers.take_random()?;
    }
    for (index, name) in definition.host.iter().enumerate() {
        host_functions::add_host(context, name, index)?;
    }
    let mut cursor = Cursor::at(&definition.globals);
    let Item::Object(count) = cursor.item()? else { return Err(Refusal::Malformed) };
    let global = context.global();
    for _ in 0..count {
        let name = cursor.text()?;
        let value = convert::read(&helpers, &mut cursor, &[])?;
        global.define_hidden(name, value)?;
    }
    Ok(())
}

/// `None`: it is no function.
#[allow(unsafe_code)] // Bytecode: see `Definition::functions`.
fn function(stage: &Stage, name: &str, bytecode: &[u8]) -> Result<Option<Raw>, Thrown> {
    let context = stage.context();
    // SAFETY: the definition's bytecode was compiled by this process.
    let script = stage.watch().unlimited(|| unsafe { context.load(bytecode) })?;
    let function = context.evaluate(script)?;
    if !function.is_function() {
        return Ok(None);
    }
    if function.get("name")?.with_text(<[u8]>::is_empty)? {
        function.define_hidden("name", context.text(name)?)?;
    }
    context.global().define_hidden(name, function.clone())?;
    Ok(Some(function.into_raw()))
}
