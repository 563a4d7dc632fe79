//! A range of shared memory as a task's input: aliased, never copied.

use std::fmt;
use std::sync::Arc;

use super::bytes::BytesKind;
use crate::shared::{Access, Region};

/// A range of a region, with the JavaScript type that it came as. The memory stays while this lives.
#[derive(Clone)]
pub struct SharedBytes {
    access: Access,
    kind: BytesKind,
    offset: usize,
    len: usize,
}

impl SharedBytes {
    /// The whole region, as a SharedArrayBuffer.
    pub fn whole(access: Access) -> Self {
        let len = access.len();
        SharedBytes { access, kind: BytesKind::ArrayBuffer, offset: 0, len }
    }

    /// A part of it as another type; `None` when the part is not inside it, or is not made of whole, aligned elements.
    #[must_use]
    pub fn view(&self, kind: BytesKind, offset: usize, len: usize) -> Option<Self> {
        let size = kind.element_size();
        let inside = offset.checked_add(len).is_some_and(|end| end <= self.len);
        let at = self.offset.wrapping_add(offset);
        (inside && at.is_multiple_of(size) && len.is_multiple_of(size)).then(|| SharedBytes {
            access: self.access.clone(),
            kind,
            offset: at,
            len,
        })
    }

    /// The memory, in use.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// The region.
    pub fn region(&self) -> &Arc<Region> {
        self.access.region()
    }

    /// The type of its elements.
    pub fn kind(&self) -> BytesKind {
        self.kind
    }

    /// The offset of the first byte in the region.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The length in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl PartialEq for SharedBytes {
    /// The same range of the same memory.
    fn eq(&self, other: &Self) -> bool {
        let name = |of: &Self| (of.region().id(), of.kind, of.offset, of.len);
        name(self) == name(other)
    }
}

impl fmt::Debug for SharedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SharedBytes({:?}, {} bytes at {} of {:?})",
            self.kind,
            self.len,
            self.offset,
            self.region()
        )
    }
}
