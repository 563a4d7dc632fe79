//! Reads a wire: tags and what belongs to them, each step checked.

use rust_workers_abi::wire as tag;

/// The wire is none: cut off, an unknown tag, a text that is no UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// A place in a wire.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
}

/// What stands at a place.
pub(crate) enum Item<'a> {
    Undefined,
    Null,
    Boolean(bool),
    Int(i32),
    Float(f64),
    /// Below zero; the magnitude's words, the lowest first, eight bytes each.
    BigInt(bool, &'a [u8]),
    Text(&'a str),
    /// UTF-16, little endian.
    Units(&'a [u8]),
    Date(f64),
    /// So many values follow.
    Array(u32),
    /// So many keys with their values.
    Object(u32),
    Map(u32),
    Set(u32),
    Error(ErrorHead<'a>),
    Bytes(u8, &'a [u8]),
    BytesPart(u8, u32),
    Shared(u8, u32),
    Port,
}

/// The beginning of an error; its properties follow.
pub(crate) struct ErrorHead<'a> {
    pub(crate) class: &'a str,
    pub(crate) name: Option<&'a str>,
    pub(crate) message: Option<&'a str>,
    pub(crate) stack: Option<&'a str>,
    pub(crate) properties: u32,
}

impl<'a> Cursor<'a> {
    /// Behind the header of a wire.
    pub(crate) fn new(wire: &'a [u8]) -> Result<Cursor<'a>, Malformed> {
        match wire.split_first() {
            Some((&tag::HEADER, bytes)) => Ok(Cursor { bytes }),
            _ => Err(Malformed),
        }
    }

    /// At a value without a header.
    pub(crate) fn at(bytes: &'a [u8]) -> Cursor<'a> {
        Cursor { bytes }
    }

    /// How many bytes are left.
    pub(crate) fn left(&self) -> usize {
        self.bytes.len()
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or(Malformed)?;
        self.bytes = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.take(N)?.try_into().map_err(|_| Malformed)
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        Ok(self.array::<1>()?[0])
    }

    fn u32(&mut self) -> Result<u32, Malformed> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn f64(&mut self) -> Result<f64, Malformed> {
        Ok(f64::from_le_bytes(self.array()?))
    }

    /// A count of values, each of which takes a byte at least.
    fn count(&mut self) -> Result<u32, Malformed> {
        let count = self.u32()?;
        if count as usize > self.bytes.len() { Err(Malformed) } else { Ok(count) }
    }

    /// What stands here; then the cursor stands behind it, or at the first value in it.
    pub(crate) fn item(&mut self) -> Result<Item<'a>, Malformed> {
        Ok(match self.byte()? {
            small @ ..tag::FIRST_TAG => Item::Int(i32::from(small)),
            tag::UNDEFINED => Item::Undefined,
            tag::NULL => Item::Null,
            tag::FALSE => Item::Boolean(false),
            tag::TRUE => Item::Boolean(true),
            tag::INT32 => Item::Int(i32::from_le_bytes(self.array()?)),
            tag::FLOAT64 => Item::Float(self.f64()?),
            tag::BIGINT => {
                let negative = self.byte()? == 1;
                let words = self.u32()? as usize;
                Item::BigInt(negative, self.take(words.checked_mul(8).ok_or(Malformed)?)?)
            }
            tag::UTF8 => Item::Text(self.utf8()?),
            tag::UTF16 => {
                let units = self.u32()? as usize;
                Item::Units(self.take(units.checked_mul(2).ok_or(Malformed)?)?)
            }
            tag::DATE => Item::Date(self.f64()?),
            tag::ARRAY => Item::Array(self.count()?),
            tag::OBJECT => Item::Object(self.count()?),
            tag::MAP => Item::Map(self.count()?),
            tag::SET => Item::Set(self.count()?),
            tag::ERROR => Item::Error(self.error()?),
            tag::BYTES => {
                let kind = self.byte()?;
                let len = self.u32()? as usize;
                Item::Bytes(kind, self.take(len)?)
            }
            tag::BYTES_PART => Item::BytesPart(self.byte()?, self.u32()?),
            tag::SHARED => Item::Shared(self.byte()?, self.u32()?),
            tag::PORT => {
                self.u32()?;
                Item::Port
            }
            _ => return Err(Malformed),
        })
    }

    fn utf8(&mut self) -> Result<&'a str, Malformed> {
        let len = self.u32()? as usize;
        std::str::from_utf8(self.take(len)?).map_err(|_| Malformed)
    }

    fn error(&mut self) -> Result<ErrorHead<'a>, Malformed> {
        let class = self.text()?;
        let flags = self.byte()?;
        let mut given = |flag| if flags & flag != 0 { self.text().map(Some) } else { Ok(None) };
        let name = given(tag::ERROR_HAS_NAME)?;
        let message = given(tag::ERROR_HAS_MESSAGE)?;
        let stack = given(tag::ERROR_HAS_STACK)?;
        Ok(ErrorHead { class, name, message, stack, properties: self.count()? })
    }

    /// A text with its tag; one that is no Unicode reads as empty (of names, which are for people).
    pub(crate) fn text(&mut self) -> Result<&'a str, Malformed> {
        match self.item()? {
            Item::Text(text) => Ok(text),
            Item::Units(_) => Ok(""),
            _ => Err(Malformed),
        }
    }

    /// An array's count.
    pub(crate) fn begin_array(&mut self) -> Result<u32, Malformed> {
        match self.item()? {
            Item::Array(count) => Ok(count),
            _ => Err(Malformed),
        }
    }

    /// A number that is no fraction.
    pub(crate) fn integer(&mut self) -> Result<u64, Malformed> {
        match self.item()? {
            Item::Int(value) => u64::try_from(value).map_err(|_| Malformed),
            Item::Float(value) if value >= 0.0 && value.fract() == 0.0 => Ok(value as u64),
            _ => Err(Malformed),
        }
    }

    /// The value that stands here, as bytes; the cursor then stands behind it.
    pub(crate) fn value(&mut self) -> Result<&'a [u8], Malformed> {
        let begin = self.bytes;
        let mut open: u64 = 1;
        while open > 0 {
            open -= 1;
            open += match self.item()? {
                Item::Array(count) | Item::Set(count) => u64::from(count),
                Item::Object(count) | Item::Map(count) => 2 * u64::from(count),
                Item::Error(head) => 2 * u64::from(head.properties),
                _ => 0,
            };
        }
        Ok(&begin[..begin.len() - self.bytes.len()])
    }
}
