//! Any JavaScript value.

use std::cell::RefCell;
use std::fmt;

use rust_workers_abi::bytes;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::arrays::Raw;
use crate::element::{ARRAY_NAMES, Element};
use crate::error::Error;
use crate::special::{BARE, BIG_INT, DATE, ERROR, MAP, SET, VALUE};

/// Any JavaScript value but shared memory and ports, for tasks that take what they are given. It owns what it has: bytes are copied.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `undefined`.
    #[default]
    Undefined,
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A BigInt: whether it is below zero, and its magnitude, the lowest word first.
    BigInt(bool, Vec<u64>),
    /// A string.
    String(String),
    /// A Date, in milliseconds since 1970.
    Date(f64),
    /// An array.
    Array(Vec<Value>),
    /// A plain object, in the order of its keys.
    Object(Vec<(String, Value)>),
    /// A Map, in its order.
    Map(Vec<(Value, Value)>),
    /// A Set, in its order.
    Set(Vec<Value>),
    /// An error.
    Error(Box<ErrorValue>),
    /// A typed array, buffer or view.
    Bytes(BytesKind, Vec<u8>),
}

/// An error as a value.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ErrorValue {
    /// The name of its class: `TypeError`.
    pub class: String,
    /// A name of its own.
    pub name: Option<String>,
    /// Its message.
    pub message: Option<String>,
    /// Its stack.
    pub stack: Option<String>,
    /// Its other properties, `code` and `cause` among them.
    pub properties: Vec<(String, Value)>,
}

/// What JavaScript has as a block of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
#[allow(missing_docs)] // their names are JavaScript's
pub enum BytesKind {
    ArrayBuffer = bytes::ARRAY_BUFFER,
    Buffer = bytes::BUFFER,
    DataView = bytes::DATA_VIEW,
    Int8Array = bytes::INT8_ARRAY,
    Uint8Array = bytes::UINT8_ARRAY,
    Uint8ClampedArray = bytes::UINT8_CLAMPED_ARRAY,
    Int16Array = bytes::INT16_ARRAY,
    Uint16Array = bytes::UINT16_ARRAY,
    Int32Array = bytes::INT32_ARRAY,
    Uint32Array = bytes::UINT32_ARRAY,
    Float32Array = bytes::FLOAT32_ARRAY,
    Float64Array = bytes::FLOAT64_ARRAY,
    BigInt64Array = bytes::BIG_INT64_ARRAY,
    BigUint64Array = bytes::BIG_UINT64_ARRAY,
    Float16Array = bytes::FLOAT16_ARRAY,
}

impl BytesKind {
    const ALL: [BytesKind; 15] = [
        BytesKind::ArrayBuffer,
        BytesKind::Buffer,
        BytesKind::DataView,
        BytesKind::Int8Array,
        BytesKind::Uint8Array,
        BytesKind::Uint8ClampedArray,
        BytesKind::Int16Array,
        BytesKind::Uint16Array,
        BytesKind::Int32Array,
        BytesKind::Uint32Array,
        BytesKind::Float32Array,
        BytesKind::Float64Array,
        BytesKind::BigInt64Array,
        BytesKind::BigUint64Array,
        BytesKind::Float16Array,
    ];

    pub(crate) fn of(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

impl Value {
    /// The property of an object, or of an error.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let properties = match self {
            Value::Object(properties) => properties,
            Value::Error(error) => &error.properties,
            _ => return None,
        };
        properties.iter().find(|(own, _)| own == key).map(|(_, value)| value)
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(text) = self { Some(text) } else { None }
    }

    /// The number.
    pub fn as_f64(&self) -> Option<f64> {
        if let Value::Number(number) = self { Some(*number) } else { None }
    }

    /// The elements of a typed array, copied; `None` if it is none of that element type.
    pub fn elements<T: Element>(&self) -> Option<Vec<T>> {
        match self {
            Value::Bytes(kind, bytes)
                if crate::element::shows(T::KIND, *kind as u8)
                    && bytes.len().is_multiple_of(size_of::<T>()) =>
            {
                Some(bytemuck::allocation::pod_collect_to_vec(bytes))
            }
            _ => None,
        }
    }

    /// What a function of JavaScript has thrown.
    pub(crate) fn into_error(self) -> Error {
        let Value::Error(error) = &self else {
            let text = self.as_str().map_or_else(|| format!("{self:?}"), str::to_owned);
            return Error::new(text);
        };
        let name = error.name.as_ref().unwrap_or(&error.class);
        let shown = Error::new(error.message.as_deref().unwrap_or(""));
        let shown = if name == "Error" { shown } else { shown.with_name(name.clone()) };
        match self.get("code").and_then(Value::as_str) {
            Some(code) => shown.with_code(code.to_owned()),
            None => shown,
        }
    }
}

macro_rules! from {
    ($($type:ty => $make:expr;)*) => {
        $(
            impl From<$type> for Value {
                fn from(value: $type) -> Self {
                    ($make)(value)
                }
            }
        )*
    };
}

from! {
    bool => Value::Bool;
    f64 => Value::Number;
    i32 => |value| Value::Number(f64::from(value));
    u32 => |value| Value::Number(f64::from(value));
    &str => |value: &str| Value::String(value.to_owned());
    String => Value::String;
    Vec<Value> => Value::Array;
    () => |()| Value::Undefined;
}

thread_local! {
    /// How a value comes from the deserializer to [`Value`], past serde's words.
    static READ: RefCell<Option<Value>> = const { RefCell::new(None) };
}

/// Lays the value down while `visit` runs.
pub(crate) fn hand<T>(value: Value, visit: impl FnOnce() -> T) -> T {
    READ.set(Some(value));
    let done = visit();
    READ.set(None);
    done
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Value;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value")
            }
            fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
                Ok(READ.take().unwrap_or_default())
            }
            fn visit_none<E: de::Error>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
                Value::deserialize(deserializer)
            }
            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
                Ok(Value::Bool(value))
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
                Ok(Value::Number(value as f64))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
                Ok(Value::Number(value as f64))
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
                Ok(Value::Number(value))
            }
            fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
                Ok(Value::String(value.to_owned()))
            }
            fn visit_bytes<E: de::Error>(self, value: &[u8]) -> Result<Value, E> {
                Ok(Value::Bytes(BytesKind::Uint8Array, value.to_vec()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Value, A::Error> {
                let mut array = Vec::new();
                while let Some(value) = values.next_element()? {
                    array.push(value);
                }
                Ok(Value::Array(array))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut properties: A) -> Result<Value, A::Error> {
                let mut object = Vec::new();
                while let Some(property) = properties.next_entry()? {
                    object.push(property);
                }
                Ok(Value::Object(object))
            }
            fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
                deserializer.deserialize_any(self)
            }
        }
        deserializer.deserialize_newtype_struct(VALUE, Any)
    }
}

/// Pairs as a map.
struct Pairs<'a, K>(&'a [(K, Value)]);

impl<K: Serialize> Serialize for Pairs<'_, K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// A newtype of that name.
struct Named<T>(&'static str, T);

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(self.0, &self.1)
    }
}

impl Serialize for ErrorValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut flags = 0;
        let mut texts = Vec::new();
        // In the order of the wire, which is not that of the flags.
        for (flag, text) in [(4, &self.name), (1, &self.message), (2, &self.stack)] {
            if let Some(text) = text {
                flags |= flag;
                texts.push(text);
            }
        }
        let mut parts = serializer.serialize_seq(Some(texts.len() + 3))?;
        parts.serialize_element(&self.class)?;
        parts.serialize_element(&Named(BARE, flags))?;
        for text in texts {
            parts.serialize_element(text)?;
        }
        parts.serialize_element(&Named(BARE, Pairs(&self.properties)))?;
        parts.end()
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Undefined => serializer.serialize_unit(),
            Value::Null => serializer.serialize_none(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Number(value) => serializer.serialize_f64(*value),
            Value::String(value) => serializer.serialize_str(value),
            Value::Array(values) => values.serialize(serializer),
            Value::Object(properties) => Pairs(properties).serialize(serializer),
            Value::Date(value) => serializer.serialize_newtype_struct(DATE, value),
            Value::Map(pairs) => serializer.serialize_newtype_struct(MAP, &Pairs(pairs)),
            Value::Set(values) => serializer.serialize_newtype_struct(SET, values),
            Value::Error(error) => serializer.serialize_newtype_struct(ERROR, &**error),
            Value::Bytes(kind, bytes) => {
                serializer.serialize_newtype_struct(ARRAY_NAMES[usize::from(*kind as u8)], &Raw(bytes))
            }
            Value::BigInt(is_negative, words) => {
                let mut bytes = vec![u8::from(*is_negative)];
                bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
                serializer.serialize_newtype_struct(BIG_INT, &Raw(&bytes))
            }
        }
    }
}
