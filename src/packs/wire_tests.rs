//! Values there and back, and wires that are none.
//!
//! `RUST_WORKERS_FUZZ_SECONDS` makes the random test go on for so long; by default it is some thousand rounds.

use std::time::{Duration, Instant};

use rust_workers_abi::wire as tags;

use super::wire::{Blocks, Held, fits, malformed, read, write};
use crate::error::{Code, Result};
use crate::value::{
    BigInt, Bytes, BytesKind, ErrorValue, Limits, PortValue, Text, Value, Words, decode, encode,
};

/// The parts that a value was written with.
struct Parts(Vec<Option<Held>>);

impl Blocks for Parts {
    fn block(&mut self, index: usize, kind: BytesKind) -> Result<Bytes> {
        match self.0.get_mut(index).and_then(Option::take) {
            Some(Held::Bytes(bytes)) => {
                fits(kind, bytes.len())?;
                Ok(bytes.with_kind(kind))
            }
            _ => Err(malformed("no such part")),
        }
    }

    fn port(&mut self, _: usize) -> Result<PortValue> {
        Err(malformed("no such part"))
    }
}

fn there_and_back(value: Value) -> Result<Value> {
    let written = write(value)?;
    read(&written.wire, &mut Parts(written.parts.into_iter().map(Some).collect()), Limits::DEFAULT)
}

/// Numbers without a pattern (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn text(&mut self) -> Text {
        let length = self.below(6);
        if self.below(8) == 0 {
            return Text::Utf16(vec![0xd800; length + 1]);
        }
        let letters = ['a', 'é', '漢', '😀', '\0', '"'];
        Text::Utf8((0..length).map(|_| letters[self.below(letters.len())]).collect())
    }

    fn number(&mut self) -> f64 {
        let special = [0.0, -0.0, 127.0, 128.0, -1.0, 2147483648.0, f64::INFINITY, 1.5];
        special.get(self.below(12)).copied().unwrap_or_else(|| f64::from(self.next() as i32))
    }

    fn pairs(&mut self, depth: usize) -> Vec<(Text, Value)> {
        (0..self.below(4)).map(|_| (self.text(), self.value(depth))).collect()
    }

    fn items(&mut self, depth: usize) -> Vec<Value> {
        (0..self.below(5)).map(|_| self.value(depth)).collect()
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 9 } else { 14 }) {
            0 => Value::Undefined,
            1 => Value::Null,
            2 => Value::Bool(self.below(2) == 0),
            3 | 4 => Value::Number(self.number()),
            5 => {
                let words: Vec<u64> = (0..self.below(3)).map(|_| self.next() | 1).collect();
                Value::BigInt(BigInt { negative: self.below(2) == 0 && !words.is_empty(), words })
            }
            6 => Value::Text(self.text()),
            7 => Value::Date(self.number()),
            8 => {
                let kind = BytesKind::ALL[self.below(15)];
                let bytes = vec![self.next() as u8; self.below(40) * kind.element_size()];
                Value::Bytes(Bytes::of(kind, &bytes))
            }
            9 => Value::Array(self.items(depth - 1)),
            10 => Value::Set(self.items(depth - 1)),
            11 => Value::Map(
                (0..self.below(3)).map(|_| (self.value(depth - 1), self.value(depth - 1))).collect(),
            ),
            12 => Value::Object(self.pairs(depth - 1)),
            _ => Value::Error(Box::new(ErrorValue {
                name: self.text(),
                message: self.text(),
                stack: (self.below(2) == 0).then(|| self.text()),
                properties: self.pairs(depth - 1),
            })),
        }
    }
}

/// What to compare: NaN is no equal of itself, and -0 is one of 0.
fn shown(value: &Value) -> String {
    format!("{value:?}")
}

fn rounds(usual: usize, mut round: impl FnMut(usize)) {
    let seconds = std::env::var("RUST_WORKERS_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let until = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut done = 0;
    while until.map_or(done < usual, |until| Instant::now() < until) {
        round(done);
        done += 1;
    }
}

#[test]
fn values_come_back_as_they_went() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    rounds(3_000, |round| {
        let value = random.value(4);
        let back = there_and_back(value.clone()).expect("a value of few levels");
        assert_eq!(shown(&back), shown(&value), "round {round}");
        // As between threads: what a pack gives is what JavaScript gets.
        let across = decode(encode(back).expect("encodes"), Limits::DEFAULT).expect("decodes");
        assert_eq!(shown(&across), shown(&value), "round {round}");
    });
}

#[test]
fn no_bytes_make_the_reader_panic_or_take_much() {
    let mut random = Random(0xdead_beef_cafe_f00d);
    let limits = Limits { depth: 256, size: 1 << 20, memory: 1 << 20 };
    let mut read_well = 0;
    rounds(20_000, |_| {
        let written = write(random.value(4)).expect("a value of few levels");
        let mut wire = written.wire;
        for _ in 0..=random.below(4) {
            match random.below(6) {
                0 if wire.len() > 1 => wire.truncate(1 + random.below(wire.len() - 1)),
                1 => wire.extend((0..random.below(9)).map(|_| 0xff)),
                2 => {
                    let at = random.below(wire.len());
                    wire.insert(at, random.next() as u8);
                }
                3 => {
                    let at = random.below(wire.len());
                    let count = u32::MAX >> random.below(32);
                    for (to, from) in wire[at..].iter_mut().zip(count.to_le_bytes()) {
                        *to = from;
                    }
                }
                _ => {
                    let at = random.below(wire.len());
                    wire[at] = random.next() as u8;
                }
            }
        }
        let mut parts = Parts(written.parts.into_iter().map(Some).collect());
        match read(&wire, &mut parts, limits) {
            // Whatever it is, it is a value.
            Ok(value) => {
                read_well += 1;
                assert!(there_and_back(value).is_ok());
            }
            Err(error) => assert!(
                matches!(
                    error.code(),
                    Code::MalformedValue | Code::ValueTooDeep | Code::ValueTooLarge | Code::UnsupportedValue
                ),
                "{error}"
            ),
        }
    });
    assert!(read_well > 0, "some are left whole enough");
}

fn read_bytes(wire: &[u8]) -> Result<Value> {
    read(wire, &mut Parts(Vec::new()), Limits::DEFAULT)
}

#[test]
fn counts_are_held_to_the_bytes_that_are_there() {
    for tag in [tags::ARRAY, tags::SET, tags::MAP, tags::OBJECT, tags::UTF8, tags::UTF16] {
        let wire = [tags::HEADER, tag, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(read_bytes(&wire).unwrap_err().code(), Code::MalformedValue, "{tag:#x}");
    }
    // Many small items are held to the memory that they take.
    let count = 40_000_000_u32;
    let mut wire = vec![tags::HEADER, tags::ARRAY];
    wire.extend(count.to_le_bytes());
    wire.resize(wire.len() + count as usize, tags::UNDEFINED);
    assert_eq!(read_bytes(&wire).unwrap_err().code(), Code::ValueTooLarge);
}

#[test]
fn tags_of_this_process_alone_are_refused() {
    // Shapes, references, views, Latin-1: not of this wire form.
    for tag in [0x87, 0x8c, 0x8d, 0x8e, 0x95, 0x96, 0x97, 0x99, 0x9a, 0x9b, 0x9c, 0xa2, 0xc1, 0xff] {
        let wire = [tags::HEADER, tag, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(read_bytes(&wire).unwrap_err().code(), Code::MalformedValue, "{tag:#x}");
    }
    assert_eq!(read_bytes(&[0x11, 1]).unwrap_err().code(), Code::MalformedValue);
    assert_eq!(read_bytes(&[]).unwrap_err().code(), Code::MalformedValue);
    assert_eq!(read_bytes(&[tags::HEADER]).unwrap_err().code(), Code::MalformedValue);
}

#[test]
fn levels_are_counted_both_ways() {
    let nest = |levels: usize| (0..levels).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    assert!(there_and_back(nest(tags::MAX_DEPTH)).is_ok());
    assert_eq!(there_and_back(nest(tags::MAX_DEPTH + 1)).unwrap_err().code(), Code::ValueTooDeep);
    let deep: Vec<u8> = [tags::HEADER].into_iter().chain([tags::ARRAY, 1, 0, 0, 0].repeat(100_000)).collect();
    assert_eq!(read_bytes(&deep).unwrap_err().code(), Code::ValueTooDeep);
}

#[test]
fn a_block_is_moved_and_not_copied() {
    let bytes = Bytes::owned(BytesKind::Float64, Words::zeroed(16).expect("little"));
    let place = bytes.as_slice().as_ptr();
    let Value::Bytes(back) = there_and_back(Value::Bytes(bytes)).expect("a value") else { panic!("bytes") };
    assert_eq!((back.as_slice().as_ptr(), back.kind()), (place, BytesKind::Float64));
}
