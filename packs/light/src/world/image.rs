//! Pictures of a world: what stood in a region at one moment, so that it can be set back.
//!
//! A *base* has all pages; an *image* has the bytes that differ from its base. Both belong to the region they were taken of: the memory is full
//! of addresses of itself.

use std::ops::Range;

use super::region::{PAGE, Region};

/// The end of the region, where its allocator has its last mark.
const TAIL: usize = 64;
/// What differs is looked for in steps of so many bytes; what is closer together than that is one piece.
const GRAIN: usize = 64;

/// All of a world.
pub(crate) struct Base {
    pages: Vec<u8>,
    tail: Vec<u8>,
}

/// What a world has beyond its base.
pub(crate) struct Image {
    /// Where the contents belong, ascending; no piece goes over the end of a page.
    pieces: Box<[Piece]>,
    /// The pieces' bytes, one after the other.
    contents: Box<[u8]>,
    /// How many bytes of the region count.
    extent: usize,
    tail: Box<[u8]>,
}

/// A page of a world.
pub(crate) struct Page {
    number: usize,
    contents: Box<[u8; PAGE]>,
    /// The part of it that tasks leave changed.
    changing: Range<usize>,
}

impl Page {
    fn restore(&mut self, to: &mut [u8]) {
        // What one task has changed, the next one has too, as a rule: a few bytes, which are written without a look.
        to[self.changing.clone()].copy_from_slice(&self.contents[self.changing.clone()]);
        if *to == *self.contents {
            return;
        }
        for (start, end) in differing(to, Some(&*self.contents)) {
            to[start..end].copy_from_slice(&self.contents[start..end]);
            let all = if self.changing.is_empty() { start..end } else { self.changing.clone() };
            self.changing = all.start.min(start)..all.end.max(end);
        }
    }
}

/// Some bytes of one page.
#[derive(Clone, Copy)]
struct Piece {
    /// From the beginning of the region.
    at: u32,
    /// From the beginning of the contents.
    from: u32,
    len: u32,
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

    fn page(&self, number: usize) -> Option<&[u8]> {
        self.pages.get(number * PAGE..(number + 1) * PAGE)
    }
}

impl Image {
    /// Takes a picture of what differs from `base`.
    pub(crate) fn take(region: &mut Region, base: &Base) -> Image {
        let extent = region.extent();
        let bytes = region.bytes();
        let mut pieces = Vec::new();
        let mut contents = Vec::new();
        for (number, page) in bytes[..extent].chunks_exact(PAGE).enumerate() {
            if base.page(number) == Some(page) {
                continue;
            }
            for (start, end) in differing(page, base.page(number)) {
                let (at, from) = ((number * PAGE + start) as u32, contents.len() as u32);
                pieces.push(Piece { at, from, len: (end - start) as u32 });
                contents.extend_from_slice(&page[start..end]);
            }
        }
        Image {
            pieces: pieces.into(),
            contents: contents.into(),
            extent,
            tail: bytes[bytes.len() - TAIL..].into(),
        }
    }

    /// How much memory this takes.
    pub(crate) fn size(&self) -> usize {
        self.contents.len() + size_of_val(&*self.pieces) + size_of::<Image>() + TAIL
    }

    /// How many bytes of the region count.
    pub(crate) fn extent(&self) -> usize {
        self.extent
    }

    /// Sets the region back to this.
    pub(crate) fn restore(&self, region: &mut Region, base: &Base) {
        let bytes = region.bytes();
        let mut pieces = &*self.pieces;
        for (number, to) in bytes[..self.extent].chunks_exact_mut(PAGE).enumerate() {
            let own = pieces.iter().take_while(|piece| piece.page() == number).count();
            self.restore_page(number, to, &pieces[..own], base);
            pieces = &pieces[own..];
        }
        let end = bytes.len() - TAIL;
        bytes[end..].copy_from_slice(&self.tail);
    }

    /// Its page of this number.
    pub(crate) fn page(&self, number: usize, base: &Base) -> Page {
        let mut contents = Box::new([0; PAGE]);
        let first = self.pieces.partition_point(|piece| piece.page() < number);
        let own = self.pieces[first..].iter().take_while(|piece| piece.page() == number).count();
        self.restore_page(number, &mut *contents, &self.pieces[first..first + own], base);
        Page { number, contents, changing: 0..0 }
    }

    /// Sets the region back to this where only these pages of it, and what does not count, may be other than here.
    pub(crate) fn restore_pages(&self, region: &mut Region, pages: &mut [Page]) {
        let bytes = region.bytes();
        for page in pages {
            page.restore(&mut bytes[page.number * PAGE..(page.number + 1) * PAGE]);
        }
        let end = bytes.len() - TAIL;
        bytes[end..].copy_from_slice(&self.tail);
    }

    /// Whether the region is as this has it, all that counts; then it is.
    pub(crate) fn stands_in(&self, region: &mut Region, base: &Base) -> bool {
        let before = region.bytes()[..self.extent].to_vec();
        self.restore(region, base);
        before == region.bytes()[..self.extent]
    }

    /// `own`: the pieces of this page.
    fn restore_page(&self, number: usize, to: &mut [u8], own: &[Piece], base: &Base) {
        let mut done = 0;
        for piece in own {
            let (start, len) = (piece.at as usize % PAGE, piece.len as usize);
            let from = piece.from as usize;
            base.copy_to(number, to, done, start);
            copy_if_other(&mut to[start..start + len], &self.contents[from..from + len]);
            done = start + len;
        }
        base.copy_to(number, to, done, PAGE);
    }
}

impl Piece {
    fn page(&self) -> usize {
        self.at as usize / PAGE
    }
}

impl Base {
    /// Sets some bytes of a page back to this. Pages that the base has not are an image's own, from one end to the other.
    fn copy_to(&self, number: usize, to: &mut [u8], start: usize, end: usize) {
        if start < end
            && let Some(page) = self.page(number)
        {
            copy_if_other(&mut to[start..end], &page[start..end]);
        }
    }
}

/// Where a page differs from the one of the base, from and to.
fn differing(page: &[u8], base: Option<&[u8]>) -> Vec<(usize, usize)> {
    let Some(base) = base else { return vec![(0, page.len())] };
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (index, (own, other)) in page.chunks(GRAIN).zip(base.chunks(GRAIN)).enumerate() {
        if own == other {
            continue;
        }
        let (start, end) = (index * GRAIN, index * GRAIN + own.len());
        match found.last_mut() {
            Some(last) if start - last.1 <= GRAIN => last.1 = end,
            _ => found.push((start, end)),
        }
    }
    found
}

/// Most memory is as it was: to compare it costs less than to write it.
fn copy_if_other(to: &mut [u8], from: &[u8]) {
    if to != from {
        to.copy_from_slice(from);
    }
}
