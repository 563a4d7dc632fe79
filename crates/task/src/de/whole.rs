//! A value read as it is, and a value that nobody wants.

use rust_workers_abi::wire;

use super::Source;
use super::reader::no_unicode;
use crate::element::element_size;
use crate::fault::Fault;
use crate::value::{BytesKind, ErrorValue, Value};

/// Any value.
pub(super) fn read(source: &mut Source<'_>) -> Result<Value, Fault> {
    let reader = &mut source.reader;
    let tag = reader.byte()?;
    Ok(match tag {
        0..wire::FIRST_TAG => Value::Number(f64::from(tag)),
        wire::UNDEFINED => Value::Undefined,
        wire::NULL => Value::Null,
        wire::FALSE => Value::Bool(false),
        wire::TRUE => Value::Bool(true),
        wire::INT32 => Value::Number(f64::from(reader.int32()?)),
        wire::FLOAT64 => Value::Number(reader.float()?),
        wire::BIGINT => {
            let (is_negative, words) = reader.big_int()?;
            Value::BigInt(is_negative, words.iter().map(|word| u64::from_le_bytes(*word)).collect())
        }
        wire::UTF8 => Value::String(reader.text_body()?.to_owned()),
        wire::UTF16 => return Err(no_unicode()),
        wire::DATE => Value::Date(reader.float()?),
        wire::ARRAY => Value::Array(values(source)?),
        wire::SET => Value::Set(values(source)?),
        wire::OBJECT => Value::Object(source.deeper(properties)?),
        wire::MAP => {
            let count = source.values(2)?;
            Value::Map(source.deeper(|source| {
                let pair = |index| {
                    let within = |fault: Fault| fault.at_index(index);
                    Ok((read(source).map_err(within)?, read(source).map_err(within)?))
                };
                (0..count).map(pair).collect::<Result<_, Fault>>()
            })?)
        }
        wire::ERROR => Value::Error(Box::new(source.deeper(error)?)),
        wire::BYTES | wire::BYTES_PART => {
            let (kind, block) = source.block(tag)?;
            let bytes = block.bytes();
            if !bytes.len().is_multiple_of(element_size(kind)) {
                return Err(Fault::new("the wire has a typed array that ends within an element"));
            }
            let kind =
                BytesKind::of(kind).ok_or_else(|| Fault::new("the wire has a block of an unknown kind"))?;
            Value::Bytes(kind, bytes.to_vec())
        }
        wire::SHARED => {
            return Err(Fault::new("shared memory, expected a value: take it as rust_workers_task::Shared"));
        }
        wire::PORT => return Err(Fault::new("a port, expected a value: take it as rust_workers_task::Port")),
        _ => return Err(Fault::new("the wire has an unknown tag")),
    })
}

fn values(source: &mut Source<'_>) -> Result<Vec<Value>, Fault> {
    let count = source.values(1)?;
    source.deeper(|source| {
        // A value takes more memory than its byte in the wire: it grows with what is there.
        let mut values = Vec::with_capacity(count.min(1_024));
        for index in 0..count {
            values.push(read(source).map_err(|fault| fault.at_index(index))?);
        }
        Ok(values)
    })
}

fn properties(source: &mut Source<'_>) -> Result<Vec<(String, Value)>, Fault> {
    let count = source.values(2)?;
    let mut properties = Vec::with_capacity(count.min(1_024));
    for _ in 0..count {
        let key = source.reader.text()?;
        let value = read(source).map_err(|fault| fault.at_key(key))?;
        properties.push((key.to_owned(), value));
    }
    Ok(properties)
}

fn error(source: &mut Source<'_>) -> Result<ErrorValue, Fault> {
    let class = source.reader.text()?.to_owned();
    let flags = source.reader.byte()?;
    let mut text = |flag| (flags & flag != 0).then(|| source.reader.text().map(str::to_owned)).transpose();
    let name = text(wire::ERROR_HAS_NAME)?;
    let message = text(wire::ERROR_HAS_MESSAGE)?;
    let stack = text(wire::ERROR_HAS_STACK)?;
    Ok(ErrorValue { class, name, message, stack, properties: properties(source)? })
}

/// Goes past a value, whatever it is.
pub(super) fn skip(source: &mut Source<'_>) -> Result<(), Fault> {
    let reader = &mut source.reader;
    match reader.byte()? {
        0..=wire::TRUE => {}
        wire::INT32 | wire::PORT => drop(reader.take(4)?),
        wire::FLOAT64 | wire::DATE => drop(reader.take(8)?),
        wire::BIGINT => drop(reader.big_int()?),
        wire::UTF8 => {
            let len = reader.count()? as usize;
            reader.take(len)?;
        }
        wire::UTF16 => {
            let units = reader.count()? as usize;
            reader.take(units.saturating_mul(2))?;
        }
        wire::BYTES_PART | wire::SHARED => drop(reader.take(5)?),
        wire::BYTES => {
            reader.byte()?;
            let len = reader.count()? as usize;
            reader.take(len)?;
        }
        wire::ARRAY | wire::SET => skip_many(source, 1)?,
        wire::OBJECT | wire::MAP => skip_many(source, 2)?,
        wire::ERROR => {
            source.deeper(|source| {
                source.reader.text()?;
                let flags = source.reader.byte()?;
                for _ in 0..(flags & 7).count_ones() {
                    skip(source)?;
                }
                Ok(())
            })?;
            skip_many(source, 2)?;
        }
        _ => return Err(Fault::new("the wire has an unknown tag")),
    }
    Ok(())
}

/// `times` values for each of a count.
fn skip_many(source: &mut Source<'_>, times: usize) -> Result<(), Fault> {
    let count = source.values(times)?;
    source.deeper(|source| (0..count * times).try_for_each(|_| skip(source)))
}
