//! `light.run`: calls a function of a tenant.
//!
//! Input: `[id, index, arguments]`. Result: what the function gave; in an array of one where that is an array; and where it threw,
//! `[0, what it threw]`.

use rust_workers_abi::wire as tag;

use crate::definition::{self, Definition};
use crate::errors;
use crate::failure::limit_of;
use crate::host::{Call, Failure, Shown};
use crate::stages::{Worlds, with_stage};
use crate::wire::cursor::{Cursor, Malformed};
use crate::wire::output::Output;
use crate::world::convert::{self, Refusal, Unwritten};
use crate::world::js::{Thrown, Value};
use crate::world::stage::{Helpers, Settled};

pub(crate) fn run(call: Call, input: Shown<'_>) -> Result<(), Failure> {
    let (id, index, cursor) = request(input.wire).map_err(|Malformed| errors::input())?;
    let definition = definition::find(id).ok_or_else(errors::unknown)?;
    if definition.options.state && input.has_shared() {
        return Err(errors::shared());
    }
    with_stage(definition.options.memory, |worlds| {
        worlds.stage.watch().begin(Some(call), definition.options.memory);
        worlds.enter(&definition)?;
        if !definition.options.state {
            worlds.stage.touch();
        }
        Task { call, worlds, definition: &definition, index }.run(cursor, input)
    })?
}

fn request(wire: &[u8]) -> Result<(u64, usize, Cursor<'_>), Malformed> {
    let mut cursor = Cursor::new(wire)?;
    if cursor.begin_array()? != 3 {
        return Err(Malformed);
    }
    Ok((cursor.integer()?, cursor.integer()? as usize, cursor))
}

struct Task<'t> {
    call: Call,
    worlds: &'t mut Worlds,
    definition: &'t Definition,
    index: usize,
}

impl Task<'_> {
    fn run(self, cursor: Cursor<'_>, input: Shown<'_>) -> Result<(), Failure> {
        let result = self.answer(cursor, input);
        if result.is_err() {
            // A task that was stopped, or that failed by a limit, leaves nothing to the next one, whatever the tenant's option says.
            self.worlds.stage.touch();
        }
        result
    }

    fn answer(&self, mut cursor: Cursor<'_>, input: Shown<'_>) -> Result<(), Failure> {
        let stage = &self.worlds.stage;
        let helpers = stage.helpers();
        stage.limit_stack(self.definition.options.stack);
        let name = self.definition.functions.get(self.index).map_or("", |(name, _)| name.as_str());
        let world = self.worlds.world(self.definition.id);
        let function = world.and_then(|world| stage.function(world, self.index)).ok_or_else(errors::input)?;
        let arguments = self.arguments(&helpers, &mut cursor, input)?;
        let arguments: Vec<&Value<'_>> = arguments.iter().collect();
        let settled =
            function.call(&stage.context().undefined(), &arguments).and_then(|value| helpers.settle(value));
        match settled {
            _ if stage.watch().was_stopped() => Err(errors::stopped()),
            Ok(Settled::Value(value)) => {
                // A mistake that nobody sees is worse than a result that is late: as in Node, it ends the task.
                if let Some(reason) = stage.unhandled() {
                    return self.thrown(&helpers, reason, name);
                }
                let mut output = Output::new(self.definition.options.memory);
                let boxed = value.is_array();
                let written =
                    self.begin(&mut output, boxed).and_then(|()| self.write(&helpers, &value, &mut output));
                self.send(written, output, name)
            }
            Ok(Settled::Thrown(thrown)) => self.thrown(&helpers, thrown, name),
            Ok(Settled::Never) => Err(errors::unsettled(name)),
            Err(Thrown) => self.thrown(&helpers, stage.context().exception(), name),
        }
    }

    fn arguments<'w>(
        &self,
        helpers: &Helpers<'w>,
        cursor: &mut Cursor<'_>,
        input: Shown<'_>,
    ) -> Result<Vec<Value<'w>>, Failure> {
        let count = cursor.begin_array().map_err(|Malformed| errors::input())?;
        (0..count)
            .map(|_| {
                convert::read(helpers, cursor, input.parts).map_err(|refusal| match refusal {
                    Refusal::Malformed => errors::input(),
                    Refusal::Port => errors::port(),
                    Refusal::Thrown if self.worlds.stage.watch().was_stopped() => errors::stopped(),
                    Refusal::Thrown => errors::memory(self.definition.options.memory),
                })
            })
            .collect()
    }

    fn begin(&self, output: &mut Output, boxed: bool) -> Result<(), Unwritten> {
        if boxed {
            output.counted(tag::ARRAY, 1)?;
        }
        Ok(())
    }

    fn write<'w>(
        &self,
        helpers: &Helpers<'w>,
        value: &Value<'w>,
        output: &mut Output,
    ) -> Result<(), Unwritten> {
        let watch = self.worlds.stage.watch();
        convert::write(helpers, value, output, &|bytes| self.call.part(bytes), &|| watch.should_stop())
    }

    /// Sends what was written, or says why it was not.
    fn send(&self, written: Result<(), Unwritten>, output: Output, name: &str) -> Result<(), Failure> {
        let limit = self.definition.options.memory;
        let stage = &self.worlds.stage;
        match written {
            Ok(()) if self.call.set_result(output.wire(), output.parts()) => Ok(()),
            Ok(()) => Err(errors::too_deep(name)),
            Err(_) if stage.watch().was_stopped() => Err(errors::stopped()),
            Err(Unwritten::Thrown) => self.thrown(&stage.helpers(), stage.context().exception(), name),
            Err(Unwritten::TooLarge) => Err(errors::too_large(name, limit)),
            Err(Unwritten::TooDeep) => Err(errors::too_deep(name)),
            Err(Unwritten::Cyclic(path)) => Err(errors::cyclic(name, &path)),
            Err(Unwritten::Unsupported(path, what)) => Err(errors::unsupported(name, &path, &what)),
        }
    }

    /// The task ends with what the code threw, unless that was a limit's doing.
    fn thrown<'w>(&self, helpers: &Helpers<'w>, thrown: Value<'w>, name: &str) -> Result<(), Failure> {
        let stage = &self.worlds.stage;
        if let Some(failure) = limit_of(stage, self.definition, &thrown) {
            return Err(failure);
        }
        if thrown.is_uncatchable() {
            return Err(errors::stopped());
        }
        let mut output = Output::new(self.definition.options.memory);
        let written = self.write_thrown(helpers, &thrown, &mut output);
        match written {
            Ok(()) if self.call.set_result(output.wire(), output.parts()) => Ok(()),
            _ if stage.watch().was_stopped() => Err(errors::stopped()),
            // What is thrown cannot cross as it is: as a text, then.
            _ => {
                drop(stage.context().exception());
                let text =
                    thrown.with_text(|text| String::from_utf8_lossy(text).into_owned()).unwrap_or_default();
                drop(stage.context().exception());
                let mut output = Output::new(usize::MAX);
                let message = format!("'{name}' threw something that cannot leave light code: {text}");
                let written = output
                    .counted(tag::ARRAY, 2)
                    .and_then(|()| output.int(0))
                    .and_then(|()| output.error("Error", &message));
                if written.is_err() || !self.call.set_result(output.wire(), &[]) {
                    return Err(errors::internal("an error of light code was refused"));
                }
                Ok(())
            }
        }
    }

    fn write_thrown<'w>(
        &self,
        helpers: &Helpers<'w>,
        thrown: &Value<'w>,
        output: &mut Output,
    ) -> Result<(), Unwritten> {
        output.counted(tag::ARRAY, 2)?;
        output.int(0)?;
        self.write(helpers, thrown, output)
    }
}
