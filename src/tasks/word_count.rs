//! `wordCount`: lines, words, characters and bytes, as `wc` counts them.
//!
//! A word begins at every byte that is not white space and follows white space or the start: three counts of a
//! property of one byte and its neighbour, so no state runs through the loop and the compiler turns it into vector
//! code. The counts of a run of at most 255 bytes fit in byte-wide lanes.

use super::data::Data;
use super::{Context, Task};
use crate::error::Result;
use crate::value::{Text, Value};

/// Bytes counted in byte-wide lanes: at most 255, and a multiple of every vector's width.
const RUN: usize = 192;
/// Bytes between two checkpoints: some hundred microseconds at most.
const BLOCK: usize = RUN * 2048;

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    lines: u64,
    words: u64,
    characters: u64,
    bytes: u64,
}

impl From<Counts> for Value {
    fn from(counts: Counts) -> Self {
        #[allow(clippy::cast_precision_loss)] // no memory holds 2^53 bytes
        let entry = |name, count| (Text::from(name), Value::Number(count as f64));
        Value::Object(vec![
            entry("lines", counts.lines),
            entry("words", counts.words),
            entry("characters", counts.characters),
            entry("bytes", counts.bytes),
        ])
    }
}

/// `wordCount` of bytes or a string. Lines are newline bytes; words are the longest runs of bytes other than
/// space, `\t`, `\n`, `\v`, `\f` and `\r`; characters are UTF-8 sequences (bytes that do not continue one).
pub(super) fn task() -> Task {
    Task::new("wordCount", "bytes or a string", |data: Data, context| count(&data, context))
}

fn count(data: &Data, context: &Context<'_>) -> Result<Counts> {
    let mut counts = Counts::default();
    // The start is like white space: a word may begin there.
    let mut before = b' ';
    data.blocks(BLOCK, context, |block| {
        counts.add(before, block);
        before = block.last().copied().unwrap_or(before);
    })?;
    Ok(counts)
}

impl Counts {
    /// Counts a block that follows the byte `before`.
    fn add(&mut self, before: u8, block: &[u8]) {
        let Some(&first) = block.first() else { return };
        self.bytes += block.len() as u64;
        self.lines += u64::from(first == b'\n');
        self.words += u64::from(is_space(before) & !is_space(first));
        self.characters += u64::from(begins_character(first));
        // The bytes after the first are counted by pairs.
        for (before, at) in block[..block.len() - 1].chunks(RUN).zip(block[1..].chunks(RUN)) {
            let (mut lines, mut words, mut characters) = (0_u8, 0_u8, 0_u8);
            for (&before, &at) in before.iter().zip(at) {
                lines += u8::from(at == b'\n');
                words += u8::from(is_space(before) & !is_space(at));
                characters += u8::from(begins_character(at));
            }
            self.lines += u64::from(lines);
            self.words += u64::from(words);
            self.characters += u64::from(characters);
        }
    }
}

/// C's `isspace`: `\t`, `\n`, `\v`, `\f`, `\r` and space.
#[inline]
fn is_space(byte: u8) -> bool {
    // `|` and no branch, for vector code.
    (byte == b' ') | (byte.wrapping_sub(b'\t') < 5)
}

#[inline]
fn begins_character(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::tasks::testing::{object, ok, refused, stops_when_cancelled};
    use crate::value::{Bytes, BytesKind};

    fn expect(input: impl Into<Value>, lines: u32, words: u32, characters: u32, bytes: u32) {
        let expected = object([
            ("lines", lines.into()),
            ("words", words.into()),
            ("characters", characters.into()),
            ("bytes", bytes.into()),
        ]);
        assert_eq!(ok("wordCount", input), expected);
    }

    #[test]
    fn it_counts_as_wc_does() {
        expect("", 0, 0, 0, 0);
        expect("one", 0, 1, 3, 3);
        expect(" one\n", 1, 1, 5, 5);
        expect("\none two\tthree\x0bfour\x0cfive\r\nsix\n\n", 4, 6, 31, 31);
        expect("   \n \t ", 1, 0, 7, 7);
        // Only ASCII white space parts words: U+00A0 does not, and U+001C is no white space to C.
        expect("a\u{a0}b c\u{1c}d", 0, 2, 7, 8);
        expect("naïve 日本 😀", 0, 3, 10, 18);
    }

    #[test]
    fn it_takes_any_bytes() {
        expect(Bytes::of(BytesKind::ArrayBuffer, b"\xff\xfe a"), 0, 2, 4, 4);
        expect(Bytes::of(BytesKind::DataView, b"a\nb"), 1, 2, 3, 3);
    }

    #[test]
    fn it_agrees_with_a_byte_by_byte_count_at_every_length() {
        let mut seed = 7_u32;
        let text: Vec<u8> = (0..BLOCK + 3 * RUN)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                b"ab \n\t\r\x0b\x0c\xc3\xa9xyz."[(seed >> 16) as usize % 14]
            })
            .collect();
        let lengths = (0..3 * RUN).chain([BLOCK - 1, BLOCK, BLOCK + 1, BLOCK + RUN + 1, text.len()]);
        for len in lengths {
            let text = &text[..len];
            let mut expected = Counts { bytes: len as u64, ..Counts::default() };
            let mut inside = false;
            for &byte in text {
                let space = matches!(byte, b' ' | 9..=13);
                expected.lines += u64::from(byte == b'\n');
                expected.words += u64::from(!space && !inside);
                expected.characters += u64::from(!(0x80..0xc0).contains(&byte));
                inside = !space;
            }
            let bytes = Bytes::of(BytesKind::Buffer, text);
            assert_eq!(ok("wordCount", bytes), Value::from(expected), "{len} bytes");
        }
    }

    #[test]
    fn it_says_what_it_takes() {
        let error = refused("wordCount", Value::Array(vec![]));
        assert_eq!(error.code(), Code::InvalidInput);
        assert_eq!(error.message(), "task 'wordCount' takes bytes or a string; got an array");
    }

    #[test]
    fn it_stops_when_cancelled() {
        stops_when_cancelled("wordCount", || Bytes::of(BytesKind::Buffer, &vec![b'a'; 64 << 20]).into());
    }
}
