//! Both directions together: round trips, the golden vectors shared with JavaScript, and bytes gone bad.

use serde_json::Value as Json;

use super::decode::decode_with;
use super::encode::encode_with;
use super::shapes::Shapes;
use super::*;
use crate::Code;

const VECTORS: &str = include_str!("../../__test__/fixtures/wire-vectors.json");

fn text(json: &Json) -> &str {
    json.as_str().expect("a string")
}

fn list(json: &Json) -> &[Json] {
    json.as_array().expect("a list")
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
}

fn bigint(decimal: &str) -> BigInt {
    let magnitude = decimal.trim_start_matches('-');
    let mut words: Vec<u64> = Vec::new();
    for digit in magnitude.bytes() {
        let mut carry = u128::from(digit - b'0');
        for word in &mut words {
            carry += u128::from(*word) * 10;
            *word = carry as u64;
            carry >>= 64;
        }
        if carry > 0 {
            words.push(carry as u64);
        }
    }
    BigInt { negative: decimal.starts_with('-'), words }
}

fn kind(name: &str) -> BytesKind {
    *BytesKind::ALL.iter().find(|kind| kind.describe().ends_with(&format!(" {name}"))).expect("a kind")
}

/// The value that a notation describes (`__test__/support/wire-notation.js` reads the same).
fn build(json: &Json, named: &mut Vec<(String, Value)>) -> Value {
    let parts = list(json);
    let pairs = |json: &Json, named: &mut Vec<(String, Value)>| -> Vec<(Value, Value)> {
        list(json).iter().map(|pair| (build(&pair[0], named), build(&pair[1], named))).collect()
    };
    let keyed = |pairs: Vec<(Value, Value)>| -> Vec<(Text, Value)> {
        pairs
            .into_iter()
            .map(|(key, value)| match key {
                Value::Text(key) => (key, value),
                other => panic!("{other:?} as a key"),
            })
            .collect()
    };
    match text(&parts[0]) {
        "undefined" => Value::Undefined,
        "null" => Value::Null,
        "bool" => Value::Bool(parts[1].as_bool().expect("a boolean")),
        "number" => Value::Number(text(&parts[1]).parse().expect("a number")),
        "bigint" => Value::BigInt(bigint(text(&parts[1]))),
        "string" => text(&parts[1]).into(),
        "repeat" => text(&parts[1]).repeat(parts[2].as_u64().expect("a count") as usize).into(),
        "utf16" => {
            let units = list(&parts[1]).iter().map(|unit| unit.as_u64().expect("a unit") as u16);
            Value::Text(Text::from_utf16(units.collect()))
        }
        "date" => Value::Date(text(&parts[1]).parse().expect("a time")),
        "array" => Value::Array(list(&parts[1]).iter().map(|item| build(item, named)).collect()),
        "set" => Value::Set(list(&parts[1]).iter().map(|item| build(item, named)).collect()),
        "map" => Value::Map(pairs(&parts[1], named)),
        "object" => Value::Object(keyed(pairs(&parts[1], named))),
        "bytes" => Bytes::of(kind(text(&parts[1])), &unhex(text(&parts[2]))).into(),
        "zeros" => {
            let kind = kind(text(&parts[1]));
            let elements = parts[2].as_u64().expect("a count") as usize;
            Bytes::owned(kind, Words::zeroed(elements * kind.element_size()).expect("little")).into()
        }
        "error" => Value::Error(Box::new(ErrorValue {
            name: text(&parts[1]).into(),
            message: text(&parts[2]).into(),
            stack: parts[3].as_str().map(Text::from),
            properties: keyed(pairs(&parts[4], named)),
        })),
        "named" => {
            let items = list(&parts[2]).iter().map(|item| build(item, named)).collect();
            named.push((text(&parts[1]).to_owned(), Value::Array(items)));
            named.last().expect("just pushed").1.clone()
        }
        "same" => {
            let name = text(&parts[1]);
            named.iter().find(|(known, _)| known == name).map_or(Value::Undefined, |(_, value)| value.clone())
        }
        other => panic!("no notation {other}"),
    }
}

/// NaN is a value like any other here.
fn same(left: &Value, right: &Value) -> bool {
    format!("{left:?}") == format!("{right:?}")
        && match (left, right) {
            (Value::Bytes(left), Value::Bytes(right)) => left == right,
            _ => true,
        }
}

fn vectors() -> Json {
    serde_json::from_str(VECTORS).expect("the fixture is JSON")
}

/// A table with the shapes that a vector needs; a full table if the vector needs none.
fn shapes_of(vector: &Json) -> Shapes {
    let Some(lists) = vector["shapes"].as_array() else { return Shapes::new(0) };
    let shapes = Shapes::new(lists.len());
    for keys in lists {
        let keys: Vec<Text> = list(keys).iter().map(|key| text(key).into()).collect();
        shapes.intern(&keys).expect("room");
    }
    shapes
}

fn parts_of(vector: &Json) -> Vec<Part> {
    let sizes = vector["parts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let part = |size: &Json| Words::zeroed(size.as_u64().expect("a size") as usize);
    sizes
        .iter()
        .map(|size| Part::Bytes(Bytes::owned(BytesKind::ArrayBuffer, part(size).expect("little"))))
        .collect()
}

#[test]
fn golden_vectors_hold_in_both_directions() {
    for vector in list(&vectors()["vectors"]) {
        let description = &vector["description"];
        let shapes = shapes_of(vector);
        let envelope = Envelope { wire: unhex(text(&vector["wire"])), parts: parts_of(vector) };
        let decoded = decode_with(envelope, Limits::default(), &shapes);
        if let Some(code) = vector["rustError"].as_str() {
            assert_eq!(decoded.expect_err("refused").code().as_str(), code, "{description}");
            continue;
        }
        let value = build(&vector["value"], &mut Vec::new());
        let decoded = decoded.unwrap_or_else(|error| panic!("{description}: {error}"));
        assert!(same(&decoded, &value), "{description}: {decoded:?} is not {value:?}");
        if vector["mode"] != "message" {
            let envelope = encode_with(value, &shapes).expect("encodes");
            assert_eq!(envelope.wire, unhex(text(&vector["wire"])), "{description}");
            assert_eq!(envelope.parts.len(), parts_of(vector).len(), "{description}");
        }
    }
}

#[test]
fn golden_malformed_bytes_are_refused() {
    for vector in list(&vectors()["malformed"]) {
        let envelope = Envelope { wire: unhex(text(&vector["wire"])), parts: Vec::new() };
        let error = decode_with(envelope, Limits::default(), &Shapes::new(0)).expect_err("refused");
        assert_eq!(error.code(), Code::MalformedValue, "{}", vector["description"]);
    }
}

#[test]
fn every_truncation_is_refused() {
    for vector in list(&vectors()["vectors"]) {
        let wire = unhex(text(&vector["wire"]));
        for length in 0..wire.len() {
            let envelope = Envelope { wire: wire[..length].to_vec(), parts: parts_of(vector) };
            let error = decode_with(envelope, Limits::default(), &shapes_of(vector)).expect_err("cut short");
            assert!(
                matches!(error.code(), Code::MalformedValue | Code::CyclicValue),
                "{} cut at {length}: {error}",
                vector["description"]
            );
        }
    }
}

#[test]
fn bytes_gone_bad_never_panic() {
    // xorshift64*, seeded: a failure can be run again.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below
    };
    let limits = Limits { depth: 64, size: 1 << 16, ..Limits::default() };
    let vectors = vectors();
    let vectors = list(&vectors["vectors"]);
    let mut refused = 0;
    for _ in 0..200_000 {
        let vector = &vectors[random(vectors.len())];
        let mut wire = unhex(&text(&vector["wire"])[..text(&vector["wire"]).len().min(400)]);
        for _ in 0..=random(3) {
            let at = random(wire.len());
            wire[at] = match random(3) {
                0 => random(256) as u8,
                1 => wire[at] ^ (1 << random(8)),
                _ => 0x80 + random(0x24) as u8,
            };
        }
        let envelope = Envelope { wire, parts: parts_of(vector) };
        refused += usize::from(decode_with(envelope, limits, &shapes_of(vector)).is_err());
    }
    assert!(refused > 1000, "the damage did damage");
}

#[test]
fn a_value_survives_the_process_wide_table() {
    let row = |n: u32| {
        Value::Object(vec![
            (Text::from("wire_tests_id"), n.into()),
            (Text::from("wire_tests_name"), "x".into()),
        ])
    };
    let value = Value::Array((0..10).map(row).collect());
    let envelope = encode(value.clone()).expect("encodes");
    assert!(envelope.wire.len() < 200, "all rows but the first are shaped: {}", envelope.wire.len());
    assert_eq!(decode(envelope, Limits::default()).expect("decodes"), value);
}

#[test]
fn parts_move_through_without_a_copy() {
    let bytes = Bytes::owned(BytesKind::Float64, Words::zeroed(4096).expect("little"));
    let place = bytes.as_slice().as_ptr();
    let envelope = encode(Value::Array(vec![bytes.into()])).expect("encodes");
    let Value::Array(items) = decode(envelope, Limits::default()).expect("decodes") else {
        panic!("an array")
    };
    let [Value::Bytes(bytes)] = &items[..] else { panic!("one block") };
    assert_eq!((bytes.as_slice().as_ptr(), bytes.kind()), (place, BytesKind::Float64));
}

fn long_text(text: &str, is_wide: bool) -> Part {
    let bytes = if is_wide {
        text.encode_utf16().flat_map(u16::to_ne_bytes).collect::<Vec<_>>()
    } else {
        text.chars().map(|character| u8::try_from(character).expect("Latin-1")).collect()
    };
    Part::Text(LongText::new(Words::copy_from(&bytes).expect("little"), is_wide))
}

#[test]
fn long_texts_are_read_from_their_parts_also_twice() {
    let parts = || vec![long_text("\u{e9}t\u{e9}", false), long_text("\u{6f22}\u{1f600}", true)];
    let decoded = |wire: &[u8]| {
        decode(Envelope { wire: wire.to_vec(), parts: parts() }, Limits::default())
            .map_err(|error| error.code())
    };
    assert_eq!(decoded(&[1, tags::TEXT_PART, 0, 0, 0, 0]), Ok(Value::Text("\u{e9}t\u{e9}".into())));
    assert_eq!(decoded(&[1, tags::TEXT_PART, 1, 0, 0, 0]), Ok(Value::Text("\u{6f22}\u{1f600}".into())));
    // [a, a], where a is ["été"].
    let item = [tags::ARRAY, 1, 0, 0, 0, tags::TEXT_PART, 0, 0, 0, 0];
    let twice = [&[0x11, tags::ARRAY, 2, 0, 0, 0], &item[..], &[tags::REF, 1, 0, 0, 0]].concat();
    let one = Value::Array(vec![Value::Text("\u{e9}t\u{e9}".into())]);
    assert_eq!(decoded(&twice), Ok(Value::Array(vec![one.clone(), one])));
    assert_eq!(decoded(&[1, tags::TEXT_PART, 2, 0, 0, 0]), Err(Code::MalformedValue));
    assert_eq!(decoded(&[1, tags::TEXT_PART, 0, 0]), Err(Code::MalformedValue));
    assert_eq!(decoded(&[1, tags::BYTES_PART, 4, 0, 0, 0, 0]), Err(Code::MalformedValue));
}

#[test]
fn long_texts_count_as_memory_each_time_they_are_read() {
    let limits = Limits { memory: 1000, ..Limits::default() };
    let read = |times: u8| {
        let mut wire = vec![1, tags::ARRAY, times, 0, 0, 0];
        for _ in 0..times {
            wire.extend([tags::TEXT_PART, 0, 0, 0, 0]);
        }
        decode(Envelope { wire, parts: vec![long_text(&"x".repeat(400), false)] }, limits)
    };
    assert!(read(1).is_ok());
    assert_eq!(read(3).expect_err("too much").code(), Code::ValueTooLarge);
}

fn nested_arrays(levels: usize) -> Vec<u8> {
    let mut wire = vec![tags::HEADER_TREE];
    for _ in 0..levels {
        wire.extend_from_slice(&[tags::ARRAY, 1, 0, 0, 0]);
    }
    wire.push(tags::NULL);
    wire
}

#[test]
fn the_default_depth_fits_a_small_stack() {
    let small = std::thread::Builder::new().stack_size(256 * 1024);
    let thread = small.spawn(|| {
        let envelope = |levels| Envelope { wire: nested_arrays(levels), parts: Vec::new() };
        assert!(decode(envelope(256), Limits::default()).is_ok());
        decode(envelope(257), Limits::default()).map_err(|error| error.code()).err()
    });
    assert_eq!(thread.expect("a thread").join().expect("no panic"), Some(Code::ValueTooDeep));
}

#[test]
fn references_cannot_blow_a_value_up() {
    // Each array holds the one before it twice: 2^40 leaves in some 500 bytes.
    let mut wire = vec![tags::HEADER_GRAPH];
    for _ in 0..40 {
        wire.extend_from_slice(&[tags::ARRAY, 2, 0, 0, 0]);
    }
    wire.extend_from_slice(&[tags::NULL, tags::NULL]);
    for id in (1..40u32).rev() {
        wire.push(tags::REF);
        wire.extend_from_slice(&id.to_le_bytes());
    }
    let limits = Limits { size: 1 << 20, ..Limits::default() };
    let error = decode(Envelope { wire, parts: Vec::new() }, limits).expect_err("too large");
    assert_eq!(error.code(), Code::ValueTooLarge);
}

#[test]
fn a_wire_beyond_the_size_limit_is_refused() {
    let envelope = encode(Value::from("x".repeat(100))).expect("encodes");
    let error = decode(envelope, Limits { size: 100, ..Limits::default() }).expect_err("too large");
    assert_eq!(error.code(), Code::ValueTooLarge);
}

/// A wire of one collection of `count` items of a byte each.
fn crowded(tag: u8, count: u32) -> Envelope {
    let mut wire = vec![tags::HEADER_TREE, tag];
    wire.extend_from_slice(&count.to_le_bytes());
    wire.resize(wire.len() + 2 * count as usize, tags::UNDEFINED);
    Envelope { wire, parts: Vec::new() }
}

fn refused(envelope: Envelope, limits: Limits) -> Option<Code> {
    decode(envelope, limits).map_err(|error| error.code()).err()
}

#[test]
fn what_a_wire_asks_for_is_bounded() {
    let limits = Limits { memory: 1 << 20, ..Limits::default() };
    // An item takes a byte of the wire and some forty of memory.
    let most = (1 << 20) / size_of::<Value>() as u32;
    for (tag, most) in [(tags::ARRAY, most), (tags::SET, most), (tags::MAP, most / 2)] {
        assert_eq!(refused(crowded(tag, most + 1), limits), Some(Code::ValueTooLarge), "{tag:#x}");
    }
    // Below the limit it is read: to its end, where bytes are left over.
    assert_eq!(refused(crowded(tags::ARRAY, most), limits), Some(Code::MalformedValue));

    // Holes take no bytes on the wire.
    let mut wire = vec![tags::HEADER_TREE, tags::ARRAY_TAILED];
    wire.extend_from_slice(&u32::MAX.to_le_bytes());
    wire.extend_from_slice(&[tags::TAIL, 0, 0, 0, 0]);
    assert_eq!(refused(Envelope { wire, parts: Vec::new() }, limits), Some(Code::ValueTooLarge));
}

#[test]
fn what_many_small_collections_ask_for_is_added_up() {
    let limits = Limits { memory: 1 << 16, ..Limits::default() };
    let mut wire = vec![tags::HEADER_TREE, tags::ARRAY];
    wire.extend_from_slice(&1000_u32.to_le_bytes());
    for _ in 0..1000 {
        wire.extend_from_slice(&[tags::ARRAY, 2, 0, 0, 0, tags::NULL, tags::NULL]);
    }
    let envelope = || Envelope { wire: wire.clone(), parts: Vec::new() };
    assert_eq!(refused(envelope(), limits), Some(Code::ValueTooLarge));
    assert_eq!(refused(envelope(), Limits::default()), None);
}

#[test]
fn keys_that_the_wire_has_not_are_counted() {
    let keys: Vec<Text> = (0..100).map(|i| Text::from(format!("wire_tests_{i:0>200}"))).collect();
    let id = shapes::intern(&keys).expect("room");
    let mut wire = vec![tags::HEADER_TREE, tags::ARRAY];
    wire.extend_from_slice(&100_u32.to_le_bytes());
    for _ in 0..100 {
        wire.push(tags::SHAPED);
        wire.extend_from_slice(&id.to_le_bytes());
        wire.extend_from_slice(&[tags::NULL; 100]);
    }
    // Two megabytes of keys for ten kilobytes.
    let limits = Limits { memory: 2 << 20, ..Limits::default() };
    assert_eq!(refused(Envelope { wire, parts: Vec::new() }, limits), Some(Code::ValueTooLarge));
}

#[test]
fn texts_of_every_form_come_out_whole() {
    let texts = ["", "plain", "é".repeat(100).as_str(), "漢字", "😀"].map(Text::from);
    for text in texts.into_iter().chain([Text::from_utf16(vec![0xd800, 0x61])]) {
        let envelope = encode(Value::Text(text.clone())).expect("encodes");
        assert_eq!(decode(envelope, Limits::default()).expect("decodes"), Value::Text(text));
    }
    // A well-formed text as UTF-16, which no writer of ours makes.
    let mut wire = vec![tags::HEADER_TREE, tags::UTF16, 3, 0, 0, 0];
    wire.extend("a😀".encode_utf16().flat_map(u16::to_le_bytes));
    let value = decode(Envelope { wire, parts: Vec::new() }, Limits::default()).expect("decodes");
    assert_eq!(value, Value::from("a😀"));
}
