//! Pictures of a world: what stood in a region at one moment, so that it can be set back.
//!
//! A *base* has all pages; an *image* has those that differ from its base. Both belong to the region they were taken of: the memory is full of
//! addresses of itself.

use super::region::{PAGE, Region};

/// The end of the region, where its allocator has its last mark.
const TAIL: usize = 64;

/// All of a world.
pub(crate) struct Base {
    pages: Vec<u8>,
    tail: Vec<u8>,
}

/// What a world has beyond its base.
pub(crate) struct Image {
    /// Which pages, ascending.
    numbers: Vec<u32>,
    /// Their contents, one after the other.
    contents: Vec<u8>,
    /// How many bytes of the region count.
    extent: usize,
    tail: Vec<u8>,
}

impl Base {
    /// Takes a picture.
    pub(crate) fn take(region: &mut Region) -> Base {
        let extent = region.extent();
        let bytes = region.bytes();
        Base { pages: bytes[..extent].to_vec(), tail: bytes[bytes.len() - TAIL..].to_vec() }
    }

    /// Sets the region back to this.
    pub(crate) fn restore(&self, region: &mut Region) {
        let bytes = region.bytes();
        for (to, from) in bytes.chunks_exact_mut(PAGE).zip(self.pages.chunks_exact(PAGE)) {
            copy_if_other(to, from);
        }
        let end = bytes.len() - TAIL;
        bytes[end..].copy_from_slice(&self.tail);
    }
}

impl Image {
    /// Takes a picture of what differs from `base`.
    pub(crate) fn take(region: &mut Region, base: &Base) -> Image {
        let extent = region.extent();
        let bytes = region.bytes();
        let mut numbers = Vec::new();
        let mut contents = Vec::new();
        for (number, page) in bytes[..extent].chunks_exact(PAGE).enumerate() {
            if base.pages.get(number * PAGE..(number + 1) * PAGE) != Some(page) {
                numbers.push(number as u32);
                contents.extend_from_slice(page);
            }
        }
        Image { numbers, contents, extent, tail: bytes[bytes.len() - TAIL..].to_vec() }
    }

    /// How much memory this takes.
    pub(crate) fn size(&self) -> usize {
        self.contents.len() + self.numbers.len() * 4 + size_of::<Image>() + TAIL
    }

    /// Sets the region back to this.
    pub(crate) fn restore(&self, region: &mut Region, base: &Base) {
        let bytes = region.bytes();
        let mut own = self.numbers.iter().zip(self.contents.chunks_exact(PAGE)).peekable();
        for (number, to) in bytes[..self.extent].chunks_exact_mut(PAGE).enumerate() {
            let from = match own.next_if(|(own, _)| **own as usize == number) {
                Some((_, page)) => page,
                None => &base.pages[number * PAGE..(number + 1) * PAGE],
            };
            copy_if_other(to, from);
        }
        let end = bytes.len() - TAIL;
        bytes[end..].copy_from_slice(&self.tail);
    }
}

/// Most pages are as they were: to compare them costs less than to write them.
fn copy_if_other(to: &mut [u8], from: &[u8]) {
    if to != from {
        to.copy_from_slice(from);
    }
}
