//! A JavaScript value, as a native task sees it.

use super::bytes::Bytes;
use super::port::PortValue;
use super::shared::SharedBytes;
use super::text::Text;

/// A JavaScript value, as Rust threads see it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `undefined`
    Undefined,
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number
    Number(f64),
    /// A BigInt
    BigInt(BigInt),
    /// A string
    Text(Text),
    /// An ArrayBuffer, Buffer, typed array or DataView
    Bytes(Bytes),
    /// A SharedArrayBuffer, a SharedBuffer, or a view of one
    Shared(SharedBytes),
    /// A port of a message channel
    Port(PortValue),
    /// A Date: milliseconds since the epoch, NaN when invalid
    Date(f64),
    /// An array
    Array(Vec<Value>),
    /// A plain object, its own enumerable string keys in order
    Object(Vec<(Text, Value)>),
    /// A Map, in insertion order
    Map(Vec<(Value, Value)>),
    /// A Set, in insertion order
    Set(Vec<Value>),
    /// An Error
    Error(Box<ErrorValue>),
}

/// A BigInt: sign and magnitude.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BigInt {
    /// True below zero.
    pub negative: bool,
    /// The magnitude's 64-bit words, the lowest first; no leading zero words, empty for 0n.
    pub words: Vec<u64>,
}

/// A JavaScript Error.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorValue {
    /// `error.name`, which also picks the class (`TypeError`, `RangeError`, …)
    pub name: Text,
    /// `error.message`
    pub message: Text,
    /// `error.stack`, where there is one
    pub stack: Option<Text>,
    /// Own enumerable properties, and `cause` where there is one
    pub properties: Vec<(Text, Value)>,
}

impl Value {
    /// The value's name in error messages.
    pub fn describe(&self) -> &'static str {
        match self {
            Value::Undefined => "undefined",
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::BigInt(_) => "a BigInt",
            Value::Text(_) => "a string",
            Value::Bytes(bytes) => bytes.kind().describe(),
            Value::Shared(_) => "shared memory",
            Value::Port(_) => "a MessagePort",
            Value::Date(_) => "a Date",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
            Value::Map(_) => "a Map",
            Value::Set(_) => "a Set",
            Value::Error(_) => "an Error",
        }
    }

    /// The value of an object's own key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Object(entries) => entries.iter().find(|(name, _)| *name == *key).map(|(_, value)| value),
            _ => None,
        }
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Value::Number(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Value::Number(f64::from(number))
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Value::Bool(flag)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(Text::from(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(Text::from(text))
    }
}

impl From<Bytes> for Value {
    fn from(bytes: Bytes) -> Self {
        Value::Bytes(bytes)
    }
}

impl From<()> for Value {
    fn from((): ()) -> Self {
        Value::Undefined
    }
}
