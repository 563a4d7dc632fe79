//! `light.drop`: forgets a tenant. Threads let go of its worlds at their next task. Input: its id.

use crate::definition;
use crate::errors;
use crate::host::{Call, Failure, Shown};
use crate::wire::cursor::Cursor;

pub(crate) fn run(_call: Call, input: Shown<'_>) -> Result<(), Failure> {
    let id = Cursor::new(input.wire).and_then(|mut cursor| cursor.integer());
    definition::remove(id.map_err(|_| errors::input())?);
    Ok(())
}
