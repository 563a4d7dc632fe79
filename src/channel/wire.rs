//! A message's bytes: short ones in place, so that most messages need no allocation, which one thread would
//! have to make and another to free.

use std::fmt;
use std::ops::Deref;

/// The most bytes that are in place: a number, a short string, an object of a few keys. A `Wire` then has 40 bytes.
const SHORT: usize = 38;

/// Some bytes, owned.
pub struct Wire(Store);

enum Store {
    Short { length: u8, bytes: [u8; SHORT] },
    Long(Vec<u8>),
}

impl Wire {
    /// The bytes as a vector.
    pub fn into_vec(self) -> Vec<u8> {
        match self.0 {
            Store::Short { length, bytes } => bytes[..usize::from(length)].to_vec(),
            Store::Long(bytes) => bytes,
        }
    }
}

impl From<&[u8]> for Wire {
    fn from(given: &[u8]) -> Self {
        if given.len() > SHORT {
            return Wire(Store::Long(given.to_vec()));
        }
        let mut bytes = [0; SHORT];
        bytes[..given.len()].copy_from_slice(given);
        #[allow(clippy::cast_possible_truncation)] // at most SHORT
        Wire(Store::Short { length: given.len() as u8, bytes })
    }
}

impl From<Vec<u8>> for Wire {
    fn from(given: Vec<u8>) -> Self {
        if given.len() > SHORT { Wire(Store::Long(given)) } else { Wire::from(given.as_slice()) }
    }
}

impl Default for Wire {
    fn default() -> Self {
        Wire::from([].as_slice())
    }
}

impl Deref for Wire {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Store::Short { length, bytes } => &bytes[..usize::from(*length)],
            Store::Long(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wire({} bytes)", self.len())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_out_as_they_went_in_at_every_length() {
        for length in 0..100 {
            let bytes: Vec<u8> = (0..length).collect();
            let (of_slice, of_vec) = (Wire::from(bytes.as_slice()), Wire::from(bytes.clone()));
            assert_eq!((&*of_slice, &*of_vec), (bytes.as_slice(), bytes.as_slice()));
            assert_eq!((of_slice.into_vec(), of_vec.into_vec()), (bytes.clone(), bytes));
        }
        assert!(Wire::default().is_empty());
    }

    #[test]
    fn a_wire_takes_forty_bytes() {
        assert_eq!(size_of::<Wire>(), 40);
    }
}
