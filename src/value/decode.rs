//! Wire → [`Value`]. Any bytes give a value or an error: no panic, and no allocation beyond what the
//! wire's length and [`Limits::size`] allow.

use super::bytes::{Bytes, BytesKind};
use super::envelope::{Envelope, LongText, Part};
use super::js_value::{BigInt, ErrorValue, Value};
use super::port::PortValue;
use super::shapes::Shapes;
use super::shared::SharedBytes;
use super::tags;
use super::text::Text;
use crate::allocation;
use crate::error::{Code, Error, Result};
use crate::shared::Access;

/// How large a value may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Levels of nesting; every level takes stack on the thread that decodes (below 1 KiB).
    pub depth: u32,
    /// Bytes on the wire; an object counts again for each reference to it.
    pub size: usize,
    /// Bytes that the value takes in memory, about. The smallest items, one byte each on the wire, take some 40 bytes in
    /// memory, and an object's key and value more: so `size` does not limit this.
    pub memory: usize,
}

impl Limits {
    /// 256 levels and 256 MiB, as JavaScript writes them; and 1 GiB, some 25 million items.
    pub const DEFAULT: Limits = Limits { depth: 256, size: 256 << 20, memory: 1 << 30 };
}

impl Default for Limits {
    fn default() -> Self {
        Limits::DEFAULT
    }
}

/// Whether a message refers to something that only another JavaScript thread keeps.
pub fn is_for_javascript(wire: &[u8]) -> bool {
    wire.first().is_some_and(|header| header & tags::KEPT != 0)
}

/// The value in an envelope. Byte blocks among the parts move into it without a copy.
///
/// A message (`lib/codec`, mode 'message') may refer twice to one object, which a [`Value`] cannot: it then
/// has two copies. There is no `Value` for a `RegExp` or a boxed primitive.
///
/// # Errors
/// `MalformedValue` when the bytes are not a value, `ValueTooDeep`, `ValueTooLarge`, `CyclicValue`,
/// `UnsupportedValue`.
pub fn decode(envelope: Envelope, limits: Limits) -> Result<Value> {
    decode_with(envelope, limits, Shapes::global())
}

pub(super) fn decode_with(envelope: Envelope, limits: Limits, shapes: &Shapes) -> Result<Value> {
    if envelope.wire.len() > limits.size {
        return Err(too_large(limits));
    }
    let mut reader = Reader {
        wire: &envelope.wire,
        pos: 0,
        parts: envelope
            .parts
            .into_iter()
            .map(|part| match part {
                Part::Bytes(bytes) => Piece::Bytes(bytes),
                Part::Text(text) => Piece::Text(text),
                Part::Shared(access) => Piece::Shared(access),
                Part::Port(port) => Piece::Port(port.into()),
            })
            .collect(),
        limits,
        shapes,
        depth: 0,
        memory: 0,
        graph: None,
    };
    match reader.byte()? {
        tags::HEADER_TREE => {}
        tags::HEADER_GRAPH => reader.graph = Some(Graph::default()),
        _ => return Err(malformed("no header")),
    }
    let value = reader.value()?;
    if reader.pos != reader.wire.len() {
        return Err(malformed("bytes follow the value"));
    }
    Ok(value)
}

/// Where each object begins on the wire, in the order of their numbers: references back need that.
#[derive(Default)]
struct Graph {
    objects: Vec<Object>,
    /// The number of the next object met.
    next: usize,
    /// Bytes read again so far.
    repeated: usize,
    /// References that are being followed now.
    following: u32,
}

#[derive(Clone, Copy)]
struct Object {
    start: usize,
    /// The length on the wire; `None` while it is being read.
    length: Option<usize>,
    /// The number of the first object at `start`. For the buffer of a view that is the view's, and not its own.
    first: usize,
    /// The buffer of the view at `start`.
    is_buffer: bool,
}

/// A part of the envelope, while the wire is being read.
enum Piece {
    Bytes(Bytes),
    /// May be named more than once.
    Text(LongText),
    /// May be named more than once.
    Shared(Access),
    /// If it is named again, it is the same port.
    Port(PortValue),
    /// Moved into the value already.
    Gone,
}

struct Reader<'a> {
    wire: &'a [u8],
    pos: usize,
    parts: Vec<Piece>,
    limits: Limits,
    shapes: &'a Shapes,
    depth: u32,
    /// Bytes of memory asked for so far.
    memory: usize,
    graph: Option<Graph>,
}

// A level of nesting is a chain of calls in here, and a pool's stack may be small: code that only one kind of value needs
// is in its own function, never inlined, so that its locals do not take stack in every level.
impl Reader<'_> {
    fn value(&mut self) -> Result<Value> {
        let start = self.pos;
        let tag = self.byte()?;
        Ok(match tag {
            0..tags::FIRST_TAG => Value::Number(f64::from(tag)),
            tags::UNDEFINED => Value::Undefined,
            tags::NULL => Value::Null,
            tags::FALSE => Value::Bool(false),
            tags::TRUE => Value::Bool(true),
            tags::INT32 => Value::Number(f64::from(i32::from_le_bytes(self.array()?))),
            tags::FLOAT64 => Value::Number(f64::from_le_bytes(self.array()?)),
            tags::BIGINT => self.bigint()?,
            tags::LATIN1 | tags::UTF16 | tags::TEXT_PART | tags::SHORT_LATIN1.. => {
                Value::Text(self.text_of(tag)?)
            }
            tags::REF => self.reference()?,
            _ => self.object_at(start, tag)?,
        })
    }

    /// Anything that has a number in a graph.
    fn object_at(&mut self, start: usize, tag: u8) -> Result<Value> {
        let id = self.enter(start, 0, false)?;
        self.depth += 1;
        if self.depth > self.limits.depth {
            let levels = self.limits.depth;
            return Err(Error::new(
                Code::ValueTooDeep,
                format!("the value is nested more than {levels} levels deep: flatten it"),
            ));
        }
        let value = match tag {
            tags::DATE => Value::Date(f64::from_le_bytes(self.array()?)),
            tags::ARRAY => {
                let count = self.count(1)?;
                Value::Array(self.items(count)?)
            }
            tags::ARRAY_TAILED => self.tailed_array()?,
            tags::SHAPED | tags::SHAPED_HOLEY => self.shaped()?,
            tags::OBJECT => Value::Object(self.pairs()?),
            tags::MAP => self.map()?,
            tags::SET => {
                let count = self.count(1)?;
                Value::Set(self.items(count)?)
            }
            tags::ERROR => self.error()?,
            tags::BYTES | tags::BYTES_PART => self.bytes(tag, start, id)?,
            tags::VIEW => self.view()?,
            tags::REGEXP => return Err(unsupported("a RegExp: pass its source as a string")),
            tags::BOXED => return Err(unsupported("a boxed primitive: pass the primitive")),
            tags::SHARED => self.shared()?,
            tags::PORT => self.port()?,
            _ => return Err(malformed("unknown tag")),
        };
        self.depth -= 1;
        self.leave(id, start);
        Ok(value)
    }

    #[inline(never)]
    fn map(&mut self) -> Result<Value> {
        let count = self.count(2)?;
        let mut entries = self.reserve(count)?;
        for _ in 0..count {
            entries.push((self.value()?, self.value()?));
        }
        Ok(Value::Map(entries))
    }

    #[inline(never)]
    fn bytes(&mut self, tag: u8, start: usize, id: usize) -> Result<Value> {
        let kind = self.kind()?;
        let bytes = if tag == tags::BYTES { self.inline_bytes(kind)? } else { self.part(kind)? };
        if kind != BytesKind::ArrayBuffer {
            let buffer = self.enter(start, id, true)?;
            self.leave(buffer, start);
        }
        Ok(Value::Bytes(bytes))
    }

    /// Records the next object of a graph and returns its number. For the buffer of a view, `first` is the view's
    /// number.
    fn enter(&mut self, start: usize, first: usize, is_buffer: bool) -> Result<usize> {
        let Some(graph) = &mut self.graph else { return Ok(0) };
        let id = graph.next;
        graph.next += 1;
        let object = Object { start, length: None, first: if is_buffer { first } else { id }, is_buffer };
        // If it is read again through a reference, it is recorded already.
        if id == graph.objects.len() {
            allocation::more(&mut graph.objects, 1)?;
            graph.objects.push(object);
            self.charge(size_of::<Object>())?;
        }
        Ok(id)
    }

    fn leave(&mut self, id: usize, start: usize) {
        let pos = self.pos;
        if let Some(object) = self.graph.as_mut().and_then(|graph| graph.objects.get_mut(id)) {
            object.length = Some(pos - start);
        }
    }

    /// A reference to an earlier object, which is read again from where it began.
    #[inline(never)]
    fn reference(&mut self) -> Result<Value> {
        let id = self.u32()?;
        let graph = self.graph.as_mut().ok_or_else(|| malformed("a reference in a tree"))?;
        let object = *usize::try_from(id)
            .ok()
            .and_then(|id| graph.objects.get(id))
            .ok_or_else(|| malformed("a reference to nothing"))?;
        let Some(length) = object.length else {
            return Err(Error::new(
                Code::CyclicValue,
                "the value refers back to itself, which a task cannot take: pass a value without cycles",
            ));
        };
        graph.repeated = graph.repeated.saturating_add(length);
        if graph.repeated > self.limits.size - self.wire.len() {
            return Err(too_large(self.limits));
        }
        graph.following += 1;
        let next = std::mem::replace(&mut graph.next, object.first);
        let pos = std::mem::replace(&mut self.pos, object.start);
        let value = self.value()?;
        self.pos = pos;
        if let Some(graph) = &mut self.graph {
            graph.next = next;
            graph.following -= 1;
        }
        Ok(match value {
            Value::Bytes(bytes) if object.is_buffer => Value::Bytes(bytes.with_kind(BytesKind::ArrayBuffer)),
            value => value,
        })
    }

    #[inline(never)]
    fn items(&mut self, count: usize) -> Result<Vec<Value>> {
        let mut items = self.reserve(count)?;
        for _ in 0..count {
            items.push(self.value()?);
        }
        Ok(items)
    }

    #[inline(never)]
    fn pairs(&mut self) -> Result<Vec<(Text, Value)>> {
        let count = self.count(2)?;
        let mut pairs = self.reserve(count)?;
        for _ in 0..count {
            pairs.push((self.text()?, self.value()?));
        }
        Ok(pairs)
    }

    /// Holes become `undefined`; an array's named properties are dropped, as a [`Value`] cannot have them.
    #[inline(never)]
    fn tailed_array(&mut self) -> Result<Value> {
        let length = usize::try_from(self.u32()?).map_err(|_| malformed("a length"))?;
        // Holes take no bytes on the wire, but memory.
        let mut items = self.reserve(length)?;
        while items.len() < length && self.peek() != Some(tags::TAIL) {
            items.push(self.value()?);
        }
        if self.byte()? != tags::TAIL {
            return Err(malformed("an array without a tail"));
        }
        items.resize(length, Value::Undefined);
        for (key, value) in self.pairs()? {
            let key = key.to_str();
            let index = key.parse().ok().filter(|index: &usize| *index < length && index.to_string() == key);
            if let Some(index) = index {
                items[index] = value;
            }
        }
        Ok(Value::Array(items))
    }

    #[inline(never)]
    fn shaped(&mut self) -> Result<Value> {
        let id = self.u32()?;
        let shapes = self.shapes;
        let keys = shapes.get(id).ok_or_else(|| malformed("unknown shape"))?;
        let mut entries = self.reserve(keys.len())?;
        // The keys are not on the wire.
        self.charge(keys.iter().map(Text::size).sum())?;
        for key in keys.iter() {
            if self.peek() == Some(tags::HOLE) {
                self.byte()?;
            } else {
                entries.push((key.clone(), self.value()?));
            }
        }
        Ok(Value::Object(entries))
    }

    #[inline(never)]
    fn error(&mut self) -> Result<Value> {
        let mut name = self.text()?;
        let flags = self.byte()?;
        if flags & tags::ERROR_HAS_NAME != 0 {
            name = self.text()?;
        }
        let message = if flags & tags::ERROR_HAS_MESSAGE != 0 { self.text()? } else { Text::from("") };
        let stack = if flags & tags::ERROR_HAS_STACK != 0 { Some(self.text()?) } else { None };
        let properties = self.pairs()?;
        Ok(Value::Error(Box::new(ErrorValue { name, message, stack, properties })))
    }

    #[inline(never)]
    fn bigint(&mut self) -> Result<Value> {
        let negative = self.byte()? == 1;
        let count = self.count(8)?;
        let mut words = self.reserve(count)?;
        for _ in 0..count {
            words.push(u64::from_le_bytes(self.array()?));
        }
        while words.last() == Some(&0) {
            words.pop();
        }
        Ok(Value::BigInt(BigInt { negative: negative && !words.is_empty(), words }))
    }

    fn kind(&mut self) -> Result<BytesKind> {
        BytesKind::from_wire(self.byte()?).ok_or_else(|| malformed("unknown kind of bytes"))
    }

    fn inline_bytes(&mut self, kind: BytesKind) -> Result<Bytes> {
        let length = self.count(1)?;
        let bytes = self.take(length)?;
        fits(kind, bytes.len())?;
        Bytes::copy_from(kind, bytes)
    }

    fn part(&mut self, kind: BytesKind) -> Result<Bytes> {
        let index = self.u32()?;
        let part = usize::try_from(index)
            .ok()
            .and_then(|index| self.parts.get_mut(index))
            .ok_or_else(|| malformed("no such part"))?;
        let Piece::Bytes(held) = part else { return Err(malformed("a part named twice")) };
        let length = held.len();
        fits(kind, length)?;
        let bytes = match &mut self.graph {
            None => match std::mem::replace(part, Piece::Gone) {
                Piece::Bytes(bytes) => bytes,
                _ => unreachable!("it was checked above"),
            },
            // A later reference may need the part again.
            Some(graph) => {
                if graph.following > 0 {
                    graph.repeated = graph.repeated.saturating_add(length);
                }
                Bytes::copy_from(kind, held.as_slice())?
            }
        };
        Ok(bytes.with_kind(kind))
    }

    #[inline(never)]
    fn port(&mut self) -> Result<Value> {
        let index = usize::try_from(self.u32()?).unwrap_or(usize::MAX);
        match self.parts.get(index) {
            Some(Piece::Port(port)) => Ok(Value::Port(port.clone())),
            _ => Err(malformed("no such port")),
        }
    }

    /// Shared memory: the part, and which of its bytes as which type.
    #[inline(never)]
    fn shared(&mut self) -> Result<Value> {
        let index = usize::try_from(self.u32()?).unwrap_or(usize::MAX);
        let Some(Piece::Shared(access)) = self.parts.get(index) else {
            return Err(malformed("no such shared part"));
        };
        let whole = SharedBytes::whole(access.clone());
        let kind = self.kind()?;
        let (offset, length) = (f64::from_le_bytes(self.array()?), f64::from_le_bytes(self.array()?));
        // Casts saturate: a number that is not a length is out of bounds.
        whole
            .view(kind, offset as usize, length as usize)
            .map(Value::Shared)
            .ok_or_else(|| malformed("a view of shared memory does not fit it"))
    }

    /// A view of a buffer that other views may share: here it gets its own copy of its range.
    #[inline(never)]
    fn view(&mut self) -> Result<Value> {
        let kind = self.kind()?;
        let offset = usize::try_from(self.u32()?).map_err(|_| malformed("an offset"))?;
        let length = usize::try_from(self.u32()?).map_err(|_| malformed("a length"))?;
        let buffer = match self.value()? {
            Value::Bytes(buffer) => buffer,
            Value::Shared(buffer) => {
                let view = buffer.view(kind, offset, length);
                return view.map(Value::Shared).ok_or_else(|| malformed("a view out of bounds"));
            }
            _ => return Err(malformed("a view of no buffer")),
        };
        let end = offset.checked_add(length);
        let range = end.and_then(|end| buffer.as_slice().get(offset..end));
        fits(kind, length)?;
        let range = range.ok_or_else(|| malformed("a view out of bounds"))?;
        self.charge(length)?;
        Ok(Value::Bytes(Bytes::copy_from(kind, range)?))
    }

    /// A long string, which has units of this machine.
    #[inline(never)]
    fn text_part(&mut self) -> Result<Text> {
        let index = usize::try_from(self.u32()?).unwrap_or(usize::MAX);
        let Some(Piece::Text(text)) = self.parts.get(index) else {
            return Err(malformed("no such text"));
        };
        self.memory = self.memory.saturating_add(text.as_bytes().len());
        if self.memory > self.limits.memory {
            return Err(too_much_memory(self.limits));
        }
        if text.is_wide() {
            Text::from_native_utf16(text.as_bytes())
        } else {
            Text::from_latin1(text.as_bytes())
        }
    }

    fn text(&mut self) -> Result<Text> {
        let tag = self.byte()?;
        self.text_of(tag)
    }

    #[inline(never)]
    fn text_of(&mut self, tag: u8) -> Result<Text> {
        match tag {
            tags::SHORT_LATIN1.. => Text::from_latin1(self.take(usize::from(tag - tags::SHORT_LATIN1))?),
            tags::LATIN1 => {
                let length = self.count(1)?;
                self.charge(length)?;
                Text::from_latin1(self.take(length)?)
            }
            tags::TEXT_PART => self.text_part(),
            tags::UTF16 => {
                let length = self.count(2)?;
                self.charge(length * 2)?;
                Text::from_utf16_bytes(self.take(length * 2)?)
            }
            _ => Err(malformed("a string is missing")),
        }
    }

    /// A count of items that take at least `size` bytes each on the wire, which bounds it.
    fn count(&mut self, size: usize) -> Result<usize> {
        let count = usize::try_from(self.u32()?).map_err(|_| malformed("a count"))?;
        match count.checked_mul(size) {
            Some(total) if total <= self.wire.len() - self.pos => Ok(count),
            _ => Err(malformed("they end too early")),
        }
    }

    /// An empty vector with capacity for `count` items, if the limit on memory allows it.
    fn reserve<T>(&mut self, count: usize) -> Result<Vec<T>> {
        self.charge(count.saturating_mul(size_of::<T>()))?;
        allocation::for_items(count)
    }

    fn charge(&mut self, bytes: usize) -> Result<()> {
        self.memory = self.memory.saturating_add(bytes);
        if self.memory > self.limits.memory { Err(too_much_memory(self.limits)) } else { Ok(()) }
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn peek(&self) -> Option<u8> {
        self.wire.get(self.pos).copied()
    }

    fn byte(&mut self) -> Result<u8> {
        let byte = self.peek().ok_or_else(|| malformed("they end too early"))?;
        self.pos += 1;
        Ok(byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (bytes, _) = self
            .wire
            .get(self.pos..)
            .and_then(|rest| rest.split_first_chunk::<N>())
            .ok_or_else(|| malformed("they end too early"))?;
        self.pos += N;
        Ok(*bytes)
    }
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let end = self.pos.checked_add(length);
        let bytes = end.and_then(|end| self.wire.get(self.pos..end));
        let bytes = bytes.ok_or_else(|| malformed("they end too early"))?;
        self.pos += length;
        Ok(bytes)
    }
}

fn fits(kind: BytesKind, length: usize) -> Result<()> {
    if length.is_multiple_of(kind.element_size()) {
        Ok(())
    } else {
        Err(malformed("bytes that are no whole number of elements"))
    }
}

fn malformed(what: &'static str) -> Error {
    Error::new(Code::MalformedValue, format!("these bytes are not an encoded value: {what}"))
}

fn unsupported(what: &'static str) -> Error {
    Error::new(Code::UnsupportedValue, format!("a task cannot take {what}"))
}

/// Not inlined: see the head of `Reader`.
#[cold]
#[inline(never)]
fn too_much_memory(limits: Limits) -> Error {
    Error::new(
        Code::ValueTooLarge,
        format!(
            "the value takes more than {} bytes of memory, at {} an item: pass typed arrays, or less at a time",
            limits.memory,
            size_of::<Value>(),
        ),
    )
}

fn too_large(limits: Limits) -> Error {
    Error::new(
        Code::ValueTooLarge,
        format!("the value takes more than {} bytes: pass less at a time, or typed arrays", limits.size),
    )
}
