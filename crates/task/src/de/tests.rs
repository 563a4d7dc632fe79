//! Random values there and back, and wires that somebody has changed.

use super::*;
use crate::ser;
use crate::value::{BytesKind, ErrorValue, Value};

/// xorshift64*
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }

    fn text(&mut self) -> String {
        let length = self.below(5);
        (0..length).map(|_| ['a', 'ß', '€', '😀', '\0'][self.below(5)]).collect()
    }

    fn some_text(&mut self) -> Option<String> {
        (self.below(2) == 0).then(|| self.text())
    }

    fn value(&mut self, depth: usize) -> Value {
        let many = self.below(4);
        match self.below(if depth == 0 { 8 } else { 13 }) {
            0 => Value::Undefined,
            1 => Value::Null,
            2 => Value::Bool(many == 0),
            3 => Value::Number([0.0, 127.0, 128.0, -1.0, 1e10, 0.5, f64::INFINITY, -2e9][self.below(8)]),
            4 => Value::String(self.text()),
            5 => Value::Date(self.below(1 << 30) as f64),
            6 => Value::BigInt(many == 1, (0..many).map(|word| word as u64 + 1).collect()),
            7 => {
                let kind = BytesKind::of(self.below(15) as u8).unwrap_or(BytesKind::Buffer);
                Value::Bytes(kind, vec![many as u8; many * 8])
            }
            8 => Value::Array((0..many).map(|_| self.value(depth - 1)).collect()),
            9 => Value::Object((0..many).map(|_| (self.text(), self.value(depth - 1))).collect()),
            10 => Value::Map((0..many).map(|_| (self.value(depth - 1), self.value(depth - 1))).collect()),
            11 => Value::Set((0..many).map(|_| self.value(depth - 1)).collect()),
            _ => Value::Error(Box::new(ErrorValue {
                class: self.text(),
                name: self.some_text(),
                message: self.some_text(),
                stack: self.some_text(),
                properties: (0..many).map(|_| (self.text(), self.value(depth - 1))).collect(),
            })),
        }
    }
}

const ROUNDS: u64 = if cfg!(miri) { 20 } else { 3_000 };

fn read<'de, T: Deserialize<'de>>(input: &'de Input<'_>) -> Result<T, Fault> {
    from_input(input)
}

#[test]
fn random_values_come_back() {
    for seed in 1..ROUNDS {
        let value = Random(seed).value(4);
        let (wire, parts) = ser::to_wire(&value, None).unwrap();
        assert!(parts.is_empty());
        let input = Input::of_wire(&wire);
        assert_eq!(read::<Value>(&input).unwrap(), value, "seed {seed}");
        let mut source = Source::new(&input).unwrap();
        source.skip().unwrap();
        source.end().unwrap();
    }
}

/// Takes as many ways of the reader as there are.
fn read_in_every_way(wire: &[u8]) -> usize {
    #[derive(serde::Deserialize)]
    #[allow(dead_code)]
    struct Strict<'a> {
        a: Option<&'a str>,
        b: Option<Vec<f64>>,
        #[serde(flatten)]
        rest: std::collections::HashMap<String, Loose>,
    }
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    #[allow(dead_code)]
    enum Loose {
        Number(f64),
        Text(String),
        Many(Vec<Loose>),
        Other(std::collections::BTreeMap<String, Loose>),
    }
    #[derive(serde::Deserialize)]
    #[allow(dead_code)]
    enum Choice {
        A,
        B(i32),
        C { a: u8 },
    }
    let input = || Input::of_wire(wire);
    let taken = [
        read::<Value>(&input()).is_ok(),
        read::<Strict<'_>>(&input()).is_ok(),
        read::<Loose>(&input()).is_ok(),
        read::<Choice>(&input()).is_ok(),
        read::<de::IgnoredAny>(&input()).is_ok(),
        read::<serde_json::Value>(&input()).is_ok(),
        read::<crate::SliceMut<'_, f64>>(&input()).is_ok(),
        read::<crate::Slice<'_, u16>>(&input()).is_ok(),
        read::<Vec<crate::Bytes>>(&input()).is_ok(),
        read::<(i128, u64)>(&input()).is_ok(),
        read::<crate::Shared<'_>>(&input()).is_ok(),
        read::<crate::Port<'_>>(&input()).is_ok(),
        read::<crate::Map<Vec<u8>>>(&input()).is_ok(),
    ];
    taken.into_iter().filter(|taken| *taken).count()
}

#[test]
fn changed_wires_are_errors_or_other_values() {
    let mut taken = 0;
    for seed in 1..ROUNDS {
        let mut random = Random(seed);
        let (mut wire, _) = ser::to_wire(&random.value(4), None).unwrap();
        taken += read_in_every_way(&wire);
        for _ in 0..4 {
            let at = random.below(wire.len());
            match random.below(3) {
                0 => wire[at] = random.below(256) as u8,
                1 => wire.truncate(at.max(1)),
                _ => wire.insert(at, 0x80 + random.below(0x22) as u8),
            }
            taken += read_in_every_way(&wire);
        }
    }
    assert!(taken > 0);
}

#[test]
fn counts_and_depth_are_checked() {
    let fault = |wire: &[u8]| read::<Value>(&Input::of_wire(wire)).unwrap_err().to_string();
    assert_eq!(fault(&[]), "value: the wire ends too early");
    assert_eq!(fault(&[2, 0]), "value: the wire is of an unknown form");
    assert_eq!(fault(&[1, 0, 0]), "value: the wire is longer than its value");
    assert_eq!(fault(&[1, wire::ARRAY, 255, 255, 255, 255]), "value: the wire ends too early");
    assert_eq!(
        fault(&[1, wire::BYTES_PART, 4, 0, 0, 0, 0]),
        "value: the wire names a part that is no block, or a block twice"
    );
    let mut deep = vec![1];
    for _ in 0..300 {
        deep.extend([wire::ARRAY, 1, 0, 0, 0]);
    }
    deep.push(0);
    assert!(fault(&deep).ends_with("it is nested more than 256 levels deep"));
    assert!(read::<de::IgnoredAny>(&Input::of_wire(&deep)).is_err());
}
