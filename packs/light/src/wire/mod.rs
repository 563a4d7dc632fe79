//! The wire form of values: reading and writing its bytes, free of the interpreter.

pub(crate) mod cursor;
pub(crate) mod output;
