//! What a value is to a type that takes what comes.

use rust_workers_abi::wire;
use serde::de::Visitor;

use super::Source;
use super::access::Elements;
use super::reader::no_unicode;
use crate::element::is_plain;
use crate::fault::Fault;

/// Integers beyond it are not exact in JavaScript.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;

pub(super) fn deserialize<'de, V: Visitor<'de>>(
    source: &mut Source<'de>,
    visitor: V,
) -> Result<V::Value, Fault> {
    let reader = &mut source.reader;
    let tag = reader.byte()?;
    match tag {
        0..wire::FIRST_TAG => visitor.visit_i64(i64::from(tag)),
        wire::UNDEFINED => visitor.visit_unit(),
        wire::NULL => visitor.visit_none(),
        wire::FALSE => visitor.visit_bool(false),
        wire::TRUE => visitor.visit_bool(true),
        wire::INT32 => visitor.visit_i64(i64::from(reader.int32()?)),
        wire::FLOAT64 => {
            let number = reader.float()?;
            let is_integer = number.trunc() == number && number.abs() <= MAX_SAFE;
            if is_integer && !(number == 0.0 && number.is_sign_negative()) {
                visitor.visit_i64(number as i64)
            } else {
                visitor.visit_f64(number)
            }
        }
        wire::BIGINT => big_int(reader.big_int()?, visitor),
        wire::UTF8 => visitor.visit_borrowed_str(reader.text_body()?),
        wire::UTF16 => Err(no_unicode()),
        wire::DATE => visitor.visit_f64(reader.float()?),
        wire::ARRAY | wire::SET => source.sequence(visitor),
        wire::OBJECT | wire::MAP => source.entries(tag, visitor),
        wire::ERROR => source.error_entries(visitor),
        wire::BYTES | wire::BYTES_PART => {
            let (kind, block) = source.block(tag)?;
            if is_plain(kind) {
                visitor.visit_borrowed_bytes(block.bytes())
            } else {
                visitor.visit_seq(Elements::new(kind, block.bytes()))
            }
        }
        wire::SHARED => Err(unexpected("shared memory", &visitor)),
        wire::PORT => Err(unexpected("a port", &visitor)),
        _ => Err(Fault::new("the wire has an unknown tag")),
    }
}

fn unexpected<'de, V: Visitor<'de>>(found: &str, visitor: &V) -> Fault {
    serde::de::Error::invalid_type(serde::de::Unexpected::Other(found), visitor)
}

fn big_int<'de, V: Visitor<'de>>(
    (is_negative, words): (bool, &[[u8; 8]]),
    visitor: V,
) -> Result<V::Value, Fault> {
    let too_big = || Fault::new("a BigInt of more than 128 bits");
    let mut magnitude = 0u128;
    for (index, word) in words.iter().enumerate() {
        let word = u128::from(u64::from_le_bytes(*word));
        match index {
            0 | 1 => magnitude |= word << (64 * index),
            _ if word == 0 => {}
            _ => return Err(too_big()),
        }
    }
    if !is_negative {
        return match u64::try_from(magnitude) {
            Ok(small) => visitor.visit_u64(small),
            Err(_) => visitor.visit_u128(magnitude),
        };
    }
    // Two's complement reaches one further down.
    let value = 0i128.checked_sub_unsigned(magnitude).ok_or_else(too_big)?;
    match i64::try_from(value) {
        Ok(small) => visitor.visit_i64(small),
        Err(_) => visitor.visit_i128(value),
    }
}

/// What JavaScript calls the next value.
pub(super) fn name_of(source: &Source<'_>) -> Result<&'static str, Fault> {
    Ok(match source.reader.peek()? {
        0..wire::FIRST_TAG | wire::INT32 | wire::FLOAT64 => "a number",
        wire::UNDEFINED => "undefined",
        wire::NULL => "null",
        wire::FALSE | wire::TRUE => "a boolean",
        wire::BIGINT => "a BigInt",
        wire::UTF8 | wire::UTF16 => "a string",
        wire::DATE => "a Date",
        wire::ARRAY => "an array",
        wire::SET => "a Set",
        wire::OBJECT => "an object",
        wire::MAP => "a Map",
        wire::ERROR => "an error",
        wire::BYTES | wire::BYTES_PART => "a block of bytes",
        wire::SHARED => "shared memory",
        _ => "a port",
    })
}
