//! `light.define`: compiles the functions of a tenant, tries them out on this thread, and gives the tenant's id.
//!
//! Input: `[names, sources, globals, host, memory, stack, flags]`; flags: 1 clock, 2 random, 4 state.

use crate::definition::{self, Definition, Options};
use crate::errors;
use crate::failure::source_failure;
use crate::host::{Call, Failure, Shown};
use crate::stages::with_stage;
use crate::wire::cursor::{Cursor, Malformed};
use crate::wire::output::Output;
use crate::world::js::Thrown;
use crate::world::stage::Stage;

/// Bytes of all sources of a tenant.
const LONGEST: usize = 1 << 20;
/// Bytes that compiling a byte of a source may take, half of them: the stage's region is twice its tasks' memory.
const COMPILER: usize = 512;

struct Request<'a> {
    names: Vec<&'a str>,
    sources: Vec<&'a str>,
    globals: &'a [u8],
    host: Vec<&'a str>,
    options: Options,
}

fn texts<'a>(cursor: &mut Cursor<'a>) -> Result<Vec<&'a str>, Malformed> {
    (0..cursor.begin_array()?).map(|_| cursor.text()).collect()
}

fn request<'a>(wire: &'a [u8]) -> Result<Request<'a>, Malformed> {
    let mut cursor = Cursor::new(wire)?;
    if cursor.begin_array()? != 7 {
        return Err(Malformed);
    }
    let (names, sources) = (texts(&mut cursor)?, texts(&mut cursor)?);
    let globals = cursor.value()?;
    let host = texts(&mut cursor)?;
    let (memory, stack, flags) = (cursor.integer()? as usize, cursor.integer()? as usize, cursor.integer()?);
    if names.len() != sources.len() {
        return Err(Malformed);
    }
    let options =
        Options { memory, stack, clock: flags & 1 != 0, random: flags & 2 != 0, state: flags & 4 != 0 };
    Ok(Request { names, sources, globals, host, options })
}

fn compile(stage: &Stage, name: &str, source: &str) -> Result<Vec<u8>, Failure> {
    let context = stage.context();
    // As an expression; a comment may end it.
    let script = format!("({source}\n)");
    let compiled = stage
        .watch()
        .unlimited(|| context.compile(&script, name, 1).and_then(|compiled| context.bytecode(&compiled)));
    compiled.map_err(|Thrown| source_failure(name, &context.exception()))
}

pub(crate) fn run(call: Call, input: Shown<'_>) -> Result<(), Failure> {
    let request = request(input.wire).map_err(|Malformed| errors::input())?;
    let options = request.options;
    let length: usize = request.sources.iter().map(|source| source.len()).sum();
    if length > LONGEST {
        return Err(errors::source(format!(
            "the sources are {length} bytes: all of a pool.light together may be {LONGEST}"
        )));
    }
    // The compiler has the whole stage: see `Watch::unlimited`.
    let definition = with_stage(options.memory.max(length * COMPILER), |worlds| {
        worlds.stage.watch().begin(Some(call), options.memory);
        worlds.stage.set_empty();
        worlds.stage.limit_stack(options.stack);
        let mut functions = Vec::new();
        for (name, source) in request.names.iter().zip(&request.sources) {
            let bytecode = compile(&worlds.stage, name, source).map_err(|failure| {
                let watch = worlds.stage.watch();
                if watch.was_stopped() {
                    errors::stopped()
                } else if watch.ran_out_of_memory() {
                    errors::memory(options.memory)
                } else {
                    failure
                }
            })?;
            functions.push(((*name).to_owned(), bytecode));
        }
        let host = request.host.iter().map(|name| (*name).to_owned()).collect();
        let definition = Definition::new(functions, request.globals.to_vec(), host, options);
        worlds.enter(&definition)?;
        Ok(definition)
    })??;
    let mut output = Output::new(64);
    let id = output.number(definition.id as f64);
    if id.is_err() || !call.set_result(output.wire(), &[]) {
        return Err(errors::internal("the id of a definition was refused"));
    }
    definition::register(&definition);
    Ok(())
}
