//! From the interpreter to the wire. Getters are called, as structured clone calls them; what cannot cross is refused with its path.

use rust_workers_abi::{Part, bytes as kind, wire as tag};

use super::{MAX_DEPTH, TYPED_ARRAYS};
use crate::wire::output::{Output, TooLarge};
use crate::world::js::{Promise, Thrown, Value};
use crate::world::stage::Helpers;

/// Why a value does not go out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unwritten {
    /// A getter threw, or the interpreter had no memory for a text, or the task was stopped.
    Thrown,
    /// It is larger than its limit.
    TooLarge,
    /// It is nested deeper than values may be; or it contains itself: the path.
    TooDeep,
    Cyclic(String),
    /// The path, and what stands there.
    Unsupported(String, String),
}

impl From<Thrown> for Unwritten {
    fn from(Thrown: Thrown) -> Self {
        Unwritten::Thrown
    }
}

impl From<TooLarge> for Unwritten {
    fn from(TooLarge: TooLarge) -> Self {
        Unwritten::TooLarge
    }
}

/// Writes a value to the end of `output`. `part` copies long blocks to where the host wants them; `should_stop` is asked now and then.
pub(crate) fn write<'w>(
    helpers: &Helpers<'w>,
    value: &Value<'w>,
    output: &mut Output,
    part: &dyn Fn(&[u8]) -> Option<Part>,
    should_stop: &dyn Fn() -> bool,
) -> Result<(), Unwritten> {
    Writer { helpers, output, part, should_stop, open: Vec::new(), path: Vec::new(), written: 0 }.value(value)
}

struct Writer<'r, 'w> {
    helpers: &'r Helpers<'w>,
    output: &'r mut Output,
    part: &'r dyn Fn(&[u8]) -> Option<Part>,
    should_stop: &'r dyn Fn() -> bool,
    /// The objects that the one at hand stands in.
    open: Vec<usize>,
    path: Vec<String>,
    written: usize,
}

impl<'w> Writer<'_, 'w> {
    fn path(&self) -> String {
        self.path.concat()
    }

    fn unsupported(&self, what: impl Into<String>) -> Unwritten {
        Unwritten::Unsupported(self.path(), what.into())
    }

    fn value(&mut self, value: &Value<'w>) -> Result<(), Unwritten> {
        use rust_workers_quickjs as sys;
        self.written += 1;
        if self.written.is_multiple_of(1024) && (self.should_stop)() {
            return Err(Unwritten::Thrown);
        }
        match value.tag() {
            sys::JS_TAG_INT => self.output.int(value.as_int())?,
            sys::JS_TAG_BOOL => self.output.tag(if value.as_int() != 0 { tag::TRUE } else { tag::FALSE })?,
            sys::JS_TAG_NULL => self.output.tag(tag::NULL)?,
            sys::JS_TAG_UNDEFINED => self.output.tag(tag::UNDEFINED)?,
            sys::JS_TAG_FLOAT64 => self.output.number(value.as_float())?,
            sys::JS_TAG_STRING | sys::JS_TAG_STRING_ROPE => self.text(value)?,
            sys::JS_TAG_BIG_INT | sys::JS_TAG_SHORT_BIG_INT => self.bigint(value)?,
            sys::JS_TAG_SYMBOL => return Err(self.unsupported("a symbol")),
            sys::JS_TAG_OBJECT => self.object(value)?,
            _ => return Err(self.unsupported("something that is no value")),
        }
        Ok(())
    }

    fn text(&mut self, value: &Value<'w>) -> Result<(), Unwritten> {
        let output = &mut *self.output;
        let written =
            value.with_text(|bytes| std::str::from_utf8(bytes).ok().map(|text| output.text(text)))?;
        match written {
            Some(written) => written?,
            None => value.with_units(|units| output.units(units))??,
        }
        Ok(())
    }

    fn bigint(&mut self, value: &Value<'w>) -> Result<(), Unwritten> {
        if value.tag() == rust_workers_quickjs::JS_TAG_SHORT_BIG_INT {
            let number = value.to_i64_of_bigint()?;
            let magnitude = number.unsigned_abs();
            let words: &[u64] = if magnitude == 0 { &[] } else { &[magnitude] };
            return Ok(self.output.bigint(number < 0, words)?);
        }
        let hex = self.helpers.bigint_hex(value)?;
        let (negative, words) = hex.with_text(|text| {
            let (negative, digits) = text.strip_prefix(b"-").map_or((false, text), |digits| (true, digits));
            let words: Vec<u64> = digits
                .rchunks(16)
                .map(|digits| digits.iter().fold(0, |word, digit| word << 4 | u64::from(hex_digit(*digit))))
                .collect();
            (negative, words)
        })?;
        Ok(self.output.bigint(negative, &words)?)
    }

    fn object(&mut self, value: &Value<'w>) -> Result<(), Unwritten> {
        let identity = value.identity();
        if self.open.contains(&identity) {
            return Err(Unwritten::Cyclic(self.path()));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(Unwritten::TooDeep);
        }
        self.open.push(identity);
        self.of_kind(value)?;
        self.open.pop();
        Ok(())
    }

    fn of_kind(&mut self, value: &Value<'w>) -> Result<(), Unwritten> {
        if value.is_function() {
            return Err(self.unsupported("a function"));
        }
        if value.is_proxy() {
            return Err(self.unsupported("a Proxy"));
        }
        if value.is_array() {
            return self.array(value);
        }
        if value.class() == self.helpers.plain_class() {
            return self.plain(value);
        }
        if value.is_error() {
            return self.error(value);
        }
        if value.is_date() {
            return Ok(self.output.float(tag::DATE, self.helpers.date_time(value)?.to_number()?)?);
        }
        if value.is_map() || value.is_set() {
            return self.collection(value);
        }
        if value.is_buffer() {
            return self.block(kind::ARRAY_BUFFER, value, 0, None);
        }
        if let Some(of) = value.typed_array_kind() {
            let Some(index) = TYPED_ARRAYS.iter().position(|kind| *kind == of) else {
                return Err(self.unsupported("a typed array that is not known"));
            };
            let (buffer, offset, len) = value.view()?;
            return self.block(kind::INT8_ARRAY + index as u8, &buffer, offset, Some(len));
        }
        if value.is_data_view() {
            let parts = self.helpers.data_view_parts(value)?;
            let (offset, len) = (parts.get_index(1)?.to_number()?, parts.get_index(2)?.to_number()?);
            return self.block(kind::DATA_VIEW, &parts.get_index(0)?, offset as usize, Some(len as usize));
        }
        Err(self.unsupported(match value.promise() {
            Promise::None => format!("of the class {}", value.class_name()),
            _ => "a promise (await it)".to_owned(),
        }))
    }

    fn within(&mut self, step: String, value: &Value<'w>) -> Result<(), Unwritten> {
        self.path.push(step);
        self.value(value)?;
        self.path.pop();
        Ok(())
    }

    fn array(&mut self, value: &Value<'w>) -> Result<(), Unwritten> {
        let length = u32::try_from(value.length()?).map_err(|_| TooLarge)?;
        self.output.counted(tag::ARRAY, length as usize)?;
        for index in 0..length {
            let item = value.get_index(index)?;
            if item.is_object() {
                self.within(format!("[{index}]"), &item)?
            } else {
                self.element(index, &item)?
            }
        }
        Ok(())
    }

    /// Most elements are no objects, and then nobody needs their path unless they are refused.
    fn element(&mut self, index: u32, item: &Value<'w>) -> Result<(), Unwritten> {
        self.value(item).map_err(|refusal| match refusal {
            Unwritten::Unsupported(path, what) => Unwritten::Unsupported(format!("{path}[{index}]"), what),
            refusal => refusal,
        })
    }

    fn plain(&mut self, value: &Value<'w>) -> Result<(), Unwritten> {
        let keys = value.keys()?;
        self.output.counted(tag::OBJECT, keys.len())?;
        for key in keys {
            let name = key.name()?;
            let property = value.get_key(&key)?;
            self.output.text(&name)?;
            self.within(format!(".{name}"), &property)?;
        }
        Ok(())
    }

    fn collection(&mut self, value: &Value<'w>) -> Result<(), Unwritten> {
        let (what, list) = if value.is_map() {
            (tag::MAP, self.helpers.map_entries(value)?)
        } else {
            (tag::SET, self.helpers.set_values(value)?)
        };
        let length = u32::try_from(list.length()?).map_err(|_| TooLarge)?;
        let each = if what == tag::MAP { 2 } else { 1 };
        self.output.counted(what, (length / each) as usize)?;
        for index in 0..length {
            let step = if what == tag::MAP {
                format!(".entries[{}][{}]", index / 2, index % 2)
            } else {
                format!(".values[{index}]")
            };
            self.within(step, &list.get_index(index)?)?;
        }
        Ok(())
    }

    /// Its name, message and stack, and what else it has: `code` and `cause` among them.
    fn error(&mut self, value: &Value<'w>) -> Result<(), Unwritten> {
        let parts = self.helpers.error_parts(value)?;
        let (class, name, message, stack, names) = (
            parts.get_index(0)?,
            parts.get_index(1)?,
            parts.get_index(2)?,
            parts.get_index(3)?,
            parts.get_index(4)?,
        );
        self.output.tag(tag::ERROR)?;
        self.text(&class)?;
        self.output.byte(tag::ERROR_HAS_MESSAGE | tag::ERROR_HAS_STACK | tag::ERROR_HAS_NAME)?;
        for text in [&name, &message, &stack] {
            self.text(text)?;
        }
        let count = u32::try_from(names.length()?).map_err(|_| TooLarge)?;
        self.output.properties(count as usize)?;
        for index in 0..count {
            let name = names.get_index(index)?;
            let name = name.with_text(|text| String::from_utf8_lossy(text).into_owned())?;
            let property = value.get(&name)?;
            self.output.text(&name)?;
            self.within(format!(".{name}"), &property)?;
        }
        Ok(())
    }

    fn block(
        &mut self,
        kind: u8,
        buffer: &Value<'w>,
        offset: usize,
        len: Option<usize>,
    ) -> Result<(), Unwritten> {
        if buffer.class() == self.helpers.shared_class() {
            return Err(self.unsupported("shared memory, which stays where it came from"));
        }
        let (output, part) = (&mut *self.output, self.part);
        buffer.with_bytes(|bytes| {
            let end = len.map_or(bytes.len(), |len| offset.saturating_add(len));
            output.block(kind, bytes.get(offset..end).unwrap_or_default(), part)
        })??;
        Ok(())
    }
}

fn hex_digit(digit: u8) -> u8 {
    (digit as char).to_digit(16).unwrap_or_default() as u8
}
