//! Values of JavaScript for which serde has no word of its own. To any other format of serde they are what they wrap.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

pub(crate) const DATE: &str = "$rust_workers::Date";
pub(crate) const BIG_INT: &str = "$rust_workers::BigInt";
pub(crate) const MAP: &str = "$rust_workers::Map";
pub(crate) const SET: &str = "$rust_workers::Set";
pub(crate) const ERROR: &str = "$rust_workers::Error";
/// Within an error: an integer as one byte, a map without its tag.
pub(crate) const BARE: &str = "$rust_workers::Bare";
pub(crate) const VALUE: &str = "$rust_workers::Value";

/// A `Date`: milliseconds since 1970, NaN when it is invalid.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Date(pub f64);

impl Date {
    /// Its time; `None` when it is invalid.
    pub fn to_system_time(self) -> Option<SystemTime> {
        let time = Duration::try_from_secs_f64(self.0.abs() / 1_000.0).ok()?;
        if self.0 < 0.0 { UNIX_EPOCH.checked_sub(time) } else { UNIX_EPOCH.checked_add(time) }
    }
}

impl From<SystemTime> for Date {
    fn from(time: SystemTime) -> Self {
        let milliseconds = match time.duration_since(UNIX_EPOCH) {
            Ok(since) => since.as_secs_f64() * 1_000.0,
            Err(before) => -before.duration().as_secs_f64() * 1_000.0,
        };
        // A Date has whole milliseconds.
        Date(milliseconds.floor())
    }
}

/// A `BigInt` in JavaScript. Inputs of integer types may be BigInts as they are, and `i128` and `u128` always become BigInts; with
/// this, smaller integers do too. (An `i64` or `u64` becomes a number, which is an error beyond 2^53 - 1.)
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BigInt<I = i128>(pub I);

/// A `Map` in JavaScript, with keys of any type: `Map<HashMap<u32, String>>`. Inputs may also be plain objects. (A plain `HashMap`
/// becomes an object, whose keys are texts.)
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Map<M>(pub M);

/// A `Set` in JavaScript: `Set<HashSet<String>>`. Inputs may also be arrays. (A plain `HashSet` becomes an array.)
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Set<S>(pub S);

macro_rules! wrappers {
    ($($name:ident = $tag:ident, $expected:literal;)*) => {
        $(
            impl<T> From<T> for $name<T> {
                fn from(inner: T) -> Self {
                    $name(inner)
                }
            }

            impl<T> Deref for $name<T> {
                type Target = T;
                fn deref(&self) -> &T {
                    &self.0
                }
            }

            impl<T> DerefMut for $name<T> {
                fn deref_mut(&mut self) -> &mut T {
                    &mut self.0
                }
            }

            impl<T: Serialize> Serialize for $name<T> {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.serialize_newtype_struct($tag, &self.0)
                }
            }

            impl<'de, T: Deserialize<'de>> Deserialize<'de> for $name<T> {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    deserializer.deserialize_newtype_struct($tag, Inner(PhantomData, $expected)).map($name)
                }
            }
        )*
    };
}

wrappers! {
    BigInt = BIG_INT, "a BigInt";
    Map = MAP, "a Map";
    Set = SET, "a Set";
}

/// What a newtype wraps.
struct Inner<T>(PhantomData<T>, &'static str);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Inner<T> {
    type Value = T;
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.1)
    }
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::deserialize(deserializer)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(DATE, &self.0)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfDate;
        impl<'de> Visitor<'de> for OfDate {
            type Value = Date;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a Date")
            }
            fn visit_f64<E: de::Error>(self, milliseconds: f64) -> Result<Date, E> {
                Ok(Date(milliseconds))
            }
            fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Date, D::Error> {
                f64::deserialize(deserializer).map(Date)
            }
        }
        deserializer.deserialize_newtype_struct(DATE, OfDate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_times() {
        let time = UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
        assert_eq!(Date::from(time), Date(1_700_000_000_123.0));
        assert_eq!(Date(1_500.0).to_system_time(), Some(UNIX_EPOCH + Duration::from_millis(1_500)));
        assert_eq!(Date(-1_500.0).to_system_time(), Some(UNIX_EPOCH - Duration::from_millis(1_500)));
        assert_eq!(Date(f64::NAN).to_system_time(), None);
        assert_eq!(Date::from(UNIX_EPOCH - Duration::from_millis(2)), Date(-2.0));
    }
}
