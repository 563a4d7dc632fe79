//! From the wire to the interpreter.

use rust_workers_abi::{Part, bytes as kind, part};

use super::{MAX_DEPTH, TYPED_ARRAYS};
use crate::wire::cursor::{Cursor, ErrorHead, Item, Malformed};
use crate::world::js::{Context, Outcome, Thrown, Value};
use crate::world::stage::Helpers;

/// Why a value does not come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The interpreter threw: for want of memory, as a rule.
    Thrown,
    /// The wire is none.
    Malformed,
    /// A port.
    Port,
}

impl From<Thrown> for Refusal {
    fn from(Thrown: Thrown) -> Self {
        Refusal::Thrown
    }
}

impl From<Malformed> for Refusal {
    fn from(Malformed: Malformed) -> Self {
        Refusal::Malformed
    }
}

/// Reads the value at the cursor.
pub(crate) fn read<'w>(
    helpers: &Helpers<'w>,
    cursor: &mut Cursor<'_>,
    parts: &[Part],
) -> Result<Value<'w>, Refusal> {
    Reader { helpers, context: helpers.context(), parts }.value(cursor, 0)
}

struct Reader<'r, 'w> {
    helpers: &'r Helpers<'w>,
    context: Context<'w>,
    parts: &'r [Part],
}

impl<'w> Reader<'_, 'w> {
    fn value(&self, cursor: &mut Cursor<'_>, depth: usize) -> Result<Value<'w>, Refusal> {
        if depth > MAX_DEPTH {
            return Err(Refusal::Malformed);
        }
        let context = self.context;
        Ok(match cursor.item()? {
            Item::Undefined => context.undefined(),
            Item::Null => context.null(),
            Item::Boolean(value) => context.boolean(value),
            Item::Int(value) => context.int(value),
            Item::Float(value) => context.number(value),
            Item::BigInt(negative, words) => self.bigint(negative, words)?,
            Item::Text(text) => context.text(text)?,
            Item::Units(bytes) => {
                let units: Vec<u16> =
                    bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
                context.text_utf16(&units)?
            }
            Item::Date(time) => context.date(time)?,
            Item::Array(count) => context.array(self.values(cursor, count, depth)?)?,
            Item::Object(count) => {
                let object = context.object()?;
                self.properties(&object, cursor, count, depth)?;
                object
            }
            Item::Map(count) => {
                let entries = count.checked_mul(2).ok_or(Malformed)?;
                let entries = context.array(self.values(cursor, entries, depth)?)?;
                self.helpers.make_map(&entries)?
            }
            Item::Set(count) => {
                let values = context.array(self.values(cursor, count, depth)?)?;
                self.helpers.make_set(&values)?
            }
            Item::Error(head) => self.error(head, cursor, depth)?,
            Item::Bytes(kind, bytes) => {
                let buffer = context.buffer(bytes)?;
                self.view(kind, buffer, bytes.len())?
            }
            Item::BytesPart(kind, index) => {
                let bytes = self.part(index, part::BYTES)?.bytes();
                let buffer = context.buffer(bytes)?;
                self.view(kind, buffer, bytes.len())?
            }
            Item::Shared(kind, index) => {
                let part = self.part(index, part::SHARED)?;
                let buffer = context.shared_buffer(part.data, part.len)?;
                self.view(kind, buffer, part.len)?
            }
            Item::Port => return Err(Refusal::Port),
        })
    }

    fn part(&self, index: u32, kind: u32) -> Result<&Part, Malformed> {
        self.parts.get(index as usize).filter(|part| part.kind == kind).ok_or(Malformed)
    }

    fn values(&self, cursor: &mut Cursor<'_>, count: u32, depth: usize) -> Result<Vec<Value<'w>>, Refusal> {
        if count as usize > cursor.left() {
            return Err(Refusal::Malformed);
        }
        (0..count).map(|_| self.value(cursor, depth + 1)).collect()
    }

    fn properties(
        &self,
        object: &Value<'w>,
        cursor: &mut Cursor<'_>,
        count: u32,
        depth: usize,
    ) -> Result<(), Refusal> {
        for _ in 0..count {
            let key = cursor.text()?;
            let value = self.value(cursor, depth + 1)?;
            object.define(key, value)?;
        }
        Ok(())
    }

    fn bigint(&self, negative: bool, words: &[u8]) -> Outcome<'w> {
        let words: Vec<u64> = words
            .chunks_exact(8)
            .map(|word| word.try_into().map(u64::from_le_bytes).unwrap_or_default())
            .collect();
        match words.as_slice() {
            [] => self.context.bigint_u64(0),
            [word] if !negative => self.context.bigint_u64(*word),
            [word] if *word <= i64::MAX as u64 => self.context.bigint_i64(-(*word as i64)),
            words => {
                let mut text = String::from("0x");
                for word in words.iter().rev() {
                    text.push_str(&format!("{word:016x}"));
                }
                let text = self.context.text(&text)?;
                self.helpers.make_bigint(&text, &self.context.boolean(negative))
            }
        }
    }

    fn error(
        &self,
        head: ErrorHead<'_>,
        cursor: &mut Cursor<'_>,
        depth: usize,
    ) -> Result<Value<'w>, Refusal> {
        let given = |text: Option<&str>| match text {
            Some(text) => self.context.text(text),
            None => Ok(self.context.undefined()),
        };
        let class = self.context.text(head.class)?;
        let (name, message, stack) = (given(head.name)?, given(head.message)?, given(head.stack)?);
        let error = self.helpers.make_error(&class, &message, &name, &stack)?;
        for _ in 0..head.properties {
            let key = cursor.text()?;
            let value = self.value(cursor, depth + 1)?;
            if key == "cause" { error.define_hidden(key, value)? } else { error.define(key, value)? }
        }
        Ok(error)
    }

    /// What stands over a buffer.
    fn view(&self, of: u8, buffer: Value<'w>, len: usize) -> Result<Value<'w>, Refusal> {
        let index = match of {
            kind::ARRAY_BUFFER => return Ok(buffer),
            kind::DATA_VIEW => return Ok(self.helpers.make_data_view(&buffer)?),
            // A Buffer of Node's is one here.
            kind::BUFFER => usize::from(kind::UINT8_ARRAY - kind::INT8_ARRAY),
            of => usize::from(of.checked_sub(kind::INT8_ARRAY).ok_or(Malformed)?),
        };
        let size = [1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 2].get(index).ok_or(Malformed)?;
        if !len.is_multiple_of(*size) {
            return Err(Refusal::Malformed);
        }
        Ok(self.context.typed_array(&buffer, TYPED_ARRAYS[index])?)
    }
}

/// The bytes of a part that the task has to itself.
trait Bytes {
    fn bytes(&self) -> &[u8];
}

impl Bytes for Part {
    #[allow(unsafe_code)] // What the interface promises of a part of this kind, which `Reader::part` has checked.
    fn bytes(&self) -> &[u8] {
        if self.data.is_null() {
            return &[];
        }
        // SAFETY: the task has the block to itself, and it stays until the call ends.
        unsafe { std::slice::from_raw_parts(self.data, self.len) }
    }
}
