//! `sha256`, `sha512`, `blake3` and `crc32`.

use sha2::{Digest, Sha256, Sha512};

use super::data::Data;
use super::input::{Input, InputError, InputResult, Options};
use super::{Context, Task};
use crate::error::Result;
use crate::shared::{SharedRange, bulk, take};
use crate::sync::{Arc, Mutex};
use crate::value::{Bytes, BytesKind, SharedBytes, Text, Value};

/// Bytes between two checkpoints, each well under a millisecond even without hardware help.
const SHA_BLOCK: usize = 128 << 10;
/// BLAKE3 hashes many kilobytes side by side: a large block keeps its widest path busy.
const BLAKE3_BLOCK: usize = 512 << 10;
const CRC_BLOCK: usize = 512 << 10;

/// Bytes that one thread hashes of shared memory when several do: a power of two, for BLAKE3's tree.
const SECTION: usize = 1 << 20;

const TAKES: &str =
    "bytes, shared memory or a string, or { data, encoding?: 'buffer' | 'hex', parallel?: boolean }";

/// The form in which a digest is wanted.
#[derive(Clone, Copy)]
enum Encoding {
    Buffer,
    Hex,
}

impl Input for Encoding {
    fn from_value(value: Value) -> InputResult<Self> {
        match &*Text::from_value(value)?.to_str() {
            "buffer" => Ok(Encoding::Buffer),
            "hex" => Ok(Encoding::Hex),
            other => Err(InputError::unknown_value(other)),
        }
    }
}

impl Encoding {
    fn encode(self, digest: &[u8]) -> Result<Value> {
        Ok(match self {
            Encoding::Buffer => Bytes::copy_from(BytesKind::Buffer, digest)?.into(),
            Encoding::Hex => hex(digest).into(),
        })
    }
}

struct Message {
    data: Data,
    encoding: Encoding,
    /// Whether other threads help, with shared memory and an algorithm that allows it.
    parallel: bool,
}

impl Input for Message {
    fn from_value(value: Value) -> InputResult<Self> {
        if !matches!(value, Value::Object(_)) {
            return Ok(Message {
                data: Data::from_value(value)?,
                encoding: Encoding::Buffer,
                parallel: false,
            });
        }
        Options::read(value, |options| {
            let data = options.required("data")?;
            Ok(Message {
                data,
                encoding: options.optional("encoding")?.unwrap_or(Encoding::Buffer),
                parallel: options.optional("parallel")?.unwrap_or(false),
            })
        })
    }
}

/// `sha256` of bytes or a string (FIPS 180-4): a Buffer of 32 bytes, or hex.
pub(super) fn sha256() -> Task {
    Task::new("sha256", TAKES, |message: Message, context| sha2::<Sha256>(&message, context)).parallel()
}

/// `sha512` of bytes or a string (FIPS 180-4): a Buffer of 64 bytes, or hex.
pub(super) fn sha512() -> Task {
    Task::new("sha512", TAKES, |message: Message, context| sha2::<Sha512>(&message, context)).parallel()
}

/// `blake3` of bytes or a string: a Buffer of 32 bytes, or hex.
pub(super) fn blake3() -> Task {
    Task::new("blake3", TAKES, |message: Message, context| {
        if let Data::Shared(shared) = &message.data
            && message.parallel
            && shared.len() > SECTION
        {
            return message.encoding.encode(blake3_together(shared, context)?.as_bytes());
        }
        let mut hasher = blake3::Hasher::new();
        message.data.blocks(BLAKE3_BLOCK, context, |block| {
            hasher.update(block);
        })?;
        message.encoding.encode(hasher.finalize().as_bytes())
    })
    .parallel()
}

/// `crc32` of bytes or a string (IEEE, as zlib's): an unsigned 32-bit number.
pub(super) fn crc32() -> Task {
    Task::new("crc32", TAKES_PLAIN, |Message { data, parallel, .. }: Message, context| {
        if let Data::Shared(shared) = &data
            && parallel
        {
            return crc32_together(shared, context);
        }
        let mut hasher = crc32fast::Hasher::new();
        data.blocks(CRC_BLOCK, context, |block| hasher.update(block))?;
        Ok(hasher.finalize())
    })
    .parallel()
}

const TAKES_PLAIN: &str = "bytes, shared memory or a string, or { data, parallel?: boolean }";

/// Passes each section of shared memory to `hash` on any free thread; the results in order.
fn by_section<T: Send + 'static>(
    shared: &SharedBytes,
    context: &Context<'_>,
    hash: impl Fn(&SharedRange, usize, usize, &Context<'_>) -> Result<T> + Send + Sync + 'static,
) -> Result<Vec<T>> {
    let range: SharedRange = take(shared.access(), shared.offset(), shared.len(), context.wait_limit())?;
    let sections: Vec<_> =
        (0..shared.len()).step_by(SECTION).map(|first| (first, SECTION.min(shared.len() - first))).collect();
    let results: Arc<Mutex<Vec<Option<T>>>> = Arc::new(Mutex::new(sections.iter().map(|_| None).collect()));
    let place = Arc::clone(&results);
    context.parallel_for(sections.len(), move |part, context| {
        let (first, length) = sections[part];
        let result = hash(&range, first, length, context)?;
        place.lock()[part] = Some(result);
        Ok(())
    })?;
    let mut results = results.lock();
    Ok(results.drain(..).flatten().collect())
}

/// BLAKE3 is a tree: its subtrees are hashed apart and their chaining values merged.
fn blake3_together(shared: &SharedBytes, context: &Context<'_>) -> Result<blake3::Hash> {
    use blake3::hazmat::{ChainingValue, HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};
    /// The root of some neighbouring subtrees: the left child is the greatest power of two of them.
    fn merge(values: &[ChainingValue]) -> ChainingValue {
        let [value] = values else {
            let (left, right) = values.split_at(values.len().next_power_of_two() / 2);
            return merge_subtrees_non_root(&merge(left), &merge(right), Mode::Hash);
        };
        *value
    }
    let values = by_section(shared, context, |range, first, length, context| {
        let mut hasher = blake3::Hasher::new();
        hasher.set_input_offset(first as u64);
        bulk::chunks(range.access(), range.range().start + first, length, |block| {
            context.checkpoint()?;
            hasher.update(block);
            Ok(())
        })?;
        Ok(hasher.finalize_non_root())
    })?;
    let (left, right) = values.split_at(values.len().next_power_of_two() / 2);
    Ok(merge_subtrees_root(&merge(left), &merge(right), Mode::Hash))
}

/// CRCs of neighbouring sections combine.
fn crc32_together(shared: &SharedBytes, context: &Context<'_>) -> Result<u32> {
    let sections = by_section(shared, context, |range, first, length, context| {
        let mut hasher = crc32fast::Hasher::new();
        bulk::chunks(range.access(), range.range().start + first, length, |block| {
            context.checkpoint()?;
            hasher.update(block);
            Ok(())
        })?;
        Ok(hasher)
    })?;
    let mut all = crc32fast::Hasher::new();
    sections.iter().for_each(|section| all.combine(section));
    Ok(all.finalize())
}

fn sha2<H: Digest>(message: &Message, context: &Context<'_>) -> Result<Value> {
    let mut hasher = H::new();
    message.data.blocks(SHA_BLOCK, context, |block| hasher.update(block))?;
    message.encoding.encode(&hasher.finalize())
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::tasks::testing::{object, ok, refused, stops_when_cancelled};

    fn hex_of(task: &str, data: impl Into<Value>) -> String {
        match ok(task, object([("data", data.into()), ("encoding", Value::from("hex"))])) {
            Value::Text(text) => text.to_str().into_owned(),
            other => panic!("{other:?}"),
        }
    }

    fn buffer(bytes: &[u8]) -> Value {
        Bytes::of(BytesKind::Buffer, bytes).into()
    }

    #[test]
    fn sha256_gives_the_digests_of_fips_180() {
        assert_eq!(hex_of("sha256", ""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(
            hex_of("sha256", "abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            hex_of("sha256", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        );
        // A million times 'a': longer than one block between checkpoints.
        assert_eq!(
            hex_of("sha256", buffer(&vec![b'a'; 1_000_000])),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        );
    }

    #[test]
    fn sha512_gives_the_digests_of_fips_180() {
        assert_eq!(
            hex_of("sha512", "abc"),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        );
        assert_eq!(
            hex_of("sha512", buffer(&vec![b'a'; 1_000_000])),
            "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb\
             de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b"
        );
    }

    #[test]
    fn blake3_gives_the_digests_of_its_published_vectors() {
        // test_vectors.json of the BLAKE3 team: the input is 0, 1, …, 250, 0, 1, …
        let input = |len: u32| -> Vec<u8> { (0..len).map(|i| (i % 251) as u8).collect() };
        let known = [
            (0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
            (1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"),
            (1023, "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11"),
            (1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"),
            (1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"),
            (102_400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085"),
        ];
        for (len, digest) in known {
            assert_eq!(hex_of("blake3", buffer(&input(len))), digest, "{len} bytes");
        }
        // Longer than one block between checkpoints: the same as in one piece.
        let long = input(3_000_001);
        assert_eq!(hex_of("blake3", buffer(&long)), blake3::hash(&long).to_hex().as_str());
    }

    #[test]
    fn crc32_gives_the_published_check_value() {
        assert_eq!(ok("crc32", "123456789"), Value::from(0xcbf4_3926_u32));
        assert_eq!(ok("crc32", ""), Value::from(0_u32));
        let long = vec![b'x'; 2_000_003];
        assert_eq!(ok("crc32", buffer(&long)), Value::from(crc32fast::hash(&long)));
    }

    #[test]
    fn a_digest_is_a_buffer_unless_hex_is_asked_for() {
        let expected = buffer(&Sha256::digest("abc"));
        assert_eq!(ok("sha256", "abc"), expected);
        assert_eq!(ok("sha256", object([("data", Value::from("abc"))])), expected);
        let named = object([("data", Value::from("abc")), ("encoding", Value::from("buffer"))]);
        assert_eq!(ok("sha256", named), expected);
    }

    #[test]
    fn a_string_is_hashed_as_utf8_and_a_view_by_its_bytes() {
        assert_eq!(ok("sha256", "é"), ok("sha256", buffer(&[0xc3, 0xa9])));
        let lone = Value::Text(Text::from_utf16(vec![0x61, 0xd800]));
        assert_eq!(ok("sha256", lone), ok("sha256", "a\u{fffd}"));
        let view = Bytes::of(BytesKind::Uint16, &[1, 2, 3, 4]);
        assert_eq!(ok("blake3", view), ok("blake3", buffer(&[1, 2, 3, 4])));
    }

    fn shared(bytes: &[u8]) -> Value {
        use crate::shared::{Region, bulk};
        let access = Region::allocate(bytes.len() + 8, bytes.len() + 8).unwrap().access().unwrap();
        bulk::write_bytes(&access, 3, bytes).unwrap();
        let whole = SharedBytes::whole(access);
        Value::Shared(whole.view(BytesKind::Uint8, 3, bytes.len()).unwrap())
    }

    #[test]
    fn a_range_of_shared_memory_hashes_as_its_bytes_do_by_one_thread_or_by_many() {
        let lengths = [0, 1, 63, 70_000, SECTION, SECTION + 1, 3 * SECTION - 5, 5 * SECTION + 77];
        for length in lengths {
            let bytes: Vec<u8> = (0..length).map(|i| (i * 7 + i / 251) as u8).collect();
            for task in ["sha256", "sha512", "blake3", "crc32"] {
                let expected = ok(task, buffer(&bytes));
                assert_eq!(ok(task, shared(&bytes)), expected, "{task} of {length}");
                let input = object([("data", shared(&bytes)), ("parallel", true.into())]);
                assert_eq!(ok(task, input), expected, "{task} of {length} in parallel");
            }
        }
    }

    #[test]
    fn they_say_what_they_take() {
        let error = refused("blake3", 1.0);
        assert_eq!(error.code(), Code::InvalidInput);
        assert_eq!(
            error.message(),
            "task 'blake3' takes bytes, shared memory or a string, \
             or { data, encoding?: 'buffer' | 'hex', parallel?: boolean }; got a number"
        );
        let error = refused("sha256", object([("data", "".into()), ("encoding", "base64".into())]));
        assert!(error.message().ends_with("got 'base64' for option 'encoding'"), "{error}");
        assert!(refused("sha512", object([])).message().ends_with("got undefined for option 'data'"));
        assert_eq!(refused("crc32", Value::Null).code(), Code::InvalidInput);
    }

    #[test]
    fn they_stop_when_cancelled() {
        let long = || buffer(&vec![0; 64 << 20]);
        for task in ["sha256", "sha512", "blake3", "crc32"] {
            stops_when_cancelled(task, long);
        }
    }
}
