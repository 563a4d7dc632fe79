//! Passes over ranges of shared memory that JavaScript may be writing to: racy copies in and out, fills.
//!
//! All of them go by relaxed loads and stores of whole words of 8 bytes, with single bytes at a ragged head and
//! tail (V8's own `TypedArray.prototype.set` on shared memory does the same). Each element of up to 8 bytes that
//! is aligned to its size is read or written whole; nothing is said of the order between elements.
//!
//! *Sizes are mixed*, where others use the cells of the elements meanwhile: JavaScript, whose memory model has such accesses, and tasks
//! that do not take the range. `std::sync::atomic` leaves racing accesses of different sizes out, as C++ does; what is compiled has them:
//! LLVM says for each byte which of the atomic writes an atomic read may see, never that the read is undefined, and the processors that Node
//! runs on access an aligned word as one. No value that is read here is trusted, whichever it is. Single bytes for all would not help: others
//! choose their sizes, and it would cost eight times as much. (Miri refuses such a race; the tests that it runs have none.)

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

use super::atomics::{CellOf, Element, Integer};
use super::error::Result;
use super::region::Access;

/// How many bytes a pass copies before it calls its user: some microseconds of work.
pub const CHUNK: usize = 64 * 1024;
/// The same for users that read the copy more than once.
const BLOCK: usize = 8 * 1024;

/// The three parts of a range: bytes up to the first word, whole words, bytes after the last.
struct Parts<'a> {
    head: &'a [AtomicU8],
    words: &'a [AtomicU64],
    tail: &'a [AtomicU8],
}

impl<'a> Parts<'a> {
    fn of(access: &'a Access, offset: usize, len: usize) -> Result<Self> {
        // The whole range first, so that an error names it and not a part.
        access.cells::<AtomicU8>(offset, len)?;
        let head = (offset.wrapping_neg() % 8).min(len);
        let words = (len - head) / 8;
        let tail = len - head - words * 8;
        Ok(Parts {
            head: access.cells(offset, head)?,
            // A range that is shorter than its head has no aligned start.
            words: if words == 0 { &[] } else { access.cells(offset + head, words)? },
            tail: access.cells(offset + len - tail, tail)?,
        })
    }
}

/// Copies bytes out of shared memory into private memory.
pub fn read_bytes(access: &Access, offset: usize, to: &mut [u8]) -> Result<()> {
    let parts = Parts::of(access, offset, to.len())?;
    let (head, rest) = to.split_at_mut(parts.head.len());
    let (words, tail) = rest.split_at_mut(parts.words.len() * 8);
    for (to, cell) in head.iter_mut().zip(parts.head).chain(tail.iter_mut().zip(parts.tail)) {
        *to = cell.load(Relaxed);
    }
    for (to, cell) in words.as_chunks_mut::<8>().0.iter_mut().zip(parts.words) {
        *to = cell.load(Relaxed).to_ne_bytes();
    }
    Ok(())
}

/// Copies bytes from private memory into shared memory.
pub fn write_bytes(access: &Access, offset: usize, from: &[u8]) -> Result<()> {
    let parts = Parts::of(access, offset, from.len())?;
    let (head, rest) = from.split_at(parts.head.len());
    let (words, tail) = rest.split_at(parts.words.len() * 8);
    for (from, cell) in head.iter().zip(parts.head).chain(tail.iter().zip(parts.tail)) {
        cell.store(*from, Relaxed);
    }
    for (from, cell) in words.as_chunks::<8>().0.iter().zip(parts.words) {
        cell.store(u64::from_ne_bytes(*from), Relaxed);
    }
    Ok(())
}

/// Sets every element of a range of `count`.
pub fn fill<T: Element>(access: &Access, offset: usize, count: usize, value: T) -> Result<()> {
    let bits = value.to_bits();
    let cells = access.cells::<CellOf<T>>(offset, count)?;
    cells.iter().for_each(|cell| T::Bits::store_relaxed(cell, bits));
    Ok(())
}

/// Writes values to cells, as many as both have.
pub fn write_cells<T: Element>(cells: &[CellOf<T>], values: impl IntoIterator<Item = T>) {
    for (cell, value) in cells.iter().zip(values) {
        T::Bits::store_relaxed(cell, value.to_bits());
    }
}

/// Passes `count` elements to `each`, in private copies that stay in the cache of the first level. Each element is read
/// once.
pub fn blocks<T: Element + bytemuck::Pod>(
    access: &Access,
    offset: usize,
    count: usize,
    mut each: impl FnMut(&[T]) -> crate::Result<()>,
) -> crate::Result<()> {
    access.cells::<CellOf<T>>(offset, count)?;
    let mut copy = [0_u64; BLOCK / 8];
    let block = BLOCK / size_of::<T>();
    for first in (0..count).step_by(block) {
        let bytes = block.min(count - first) * size_of::<T>();
        let copy = &mut bytemuck::cast_slice_mut(&mut copy)[..bytes];
        read_bytes(access, offset + first * size_of::<T>(), copy)?;
        each(bytemuck::cast_slice(copy))?;
    }
    Ok(())
}

/// Passes a range to `each` in private copies of up to [`CHUNK`] bytes: for hashes and other streaming kernels.
pub fn chunks(
    access: &Access,
    offset: usize,
    len: usize,
    mut each: impl FnMut(&[u8]) -> crate::Result<()>,
) -> crate::Result<()> {
    Parts::of(access, offset, len)?;
    let mut copy = vec![0; CHUNK.min(len)];
    let mut done = 0;
    while done < len {
        let part = &mut copy[..CHUNK.min(len - done)];
        read_bytes(access, offset + done, part)?;
        each(part)?;
        done += part.len();
    }
    Ok(())
}

/// Splits `count` elements into at most `parts` runs of nearly equal length, none empty: `(first, length)`.
/// Runs but the last are multiples of `grain` long; with a grain of a cache line no two runs share one.
pub fn split(count: usize, parts: usize, grain: usize) -> impl Iterator<Item = (usize, usize)> {
    let grain = grain.max(1);
    let run = count.div_ceil(parts.max(1)).next_multiple_of(grain).max(grain);
    (0..count).step_by(run).map(move |first| (first, run.min(count - first)))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::{Region, SharedError, atomics};
    use super::*;

    #[test]
    fn copies_are_exact_at_every_offset_and_length() {
        let access = Region::allocate(64, 64).unwrap().access().unwrap();
        let bytes: Vec<u8> = (1..=64).collect();
        for offset in 0..20 {
            for len in 0..30 {
                fill(&access, 0, 64, 0xEE_u8).unwrap();
                write_bytes(&access, offset, &bytes[..len]).unwrap();
                let mut all = [0; 64];
                read_bytes(&access, 0, &mut all).unwrap();
                assert_eq!(&all[offset..offset + len], &bytes[..len]);
                assert!(all[..offset].iter().chain(&all[offset + len..]).all(|byte| *byte == 0xEE));
                let mut part = vec![0; len];
                read_bytes(&access, offset, &mut part).unwrap();
                assert_eq!(part, &bytes[..len]);
            }
        }
    }

    #[test]
    fn a_fill_stays_inside_its_range() {
        let access = Region::allocate(40, 40).unwrap().access().unwrap();
        fill(&access, 3, 30, 7_u8).unwrap();
        let mut all = [0; 40];
        read_bytes(&access, 0, &mut all).unwrap();
        assert!(all.iter().enumerate().all(|(at, byte)| *byte == if (3..33).contains(&at) { 7 } else { 0 }));
        fill(&access, 8, 2, -1.5_f64).unwrap();
        assert_eq!(atomics::read::<f64>(&access, 16), Ok(-1.5));
        assert_eq!(atomics::read::<u8>(&access, 24), Ok(7));
    }

    #[test]
    fn ranges_out_of_bounds_are_refused_whole() {
        let access = Region::allocate(20, 24).unwrap().access().unwrap();
        let refused = Err(SharedError::OutOfBounds { offset: 15, size: 6, len: 20 });
        assert_eq!(write_bytes(&access, 15, &[1; 6]), refused);
        assert_eq!(fill(&access, 15, 6, 1_u8), refused);
        assert_eq!(atomics::read::<u8>(&access, 15), Ok(0), "nothing was written");
        assert_eq!(fill::<u16>(&access, 1, 2, 1), Err(SharedError::Misaligned { offset: 1, align: 2 }));
        assert!(chunks(&access, 21, 0, |_| panic!("no bytes")).is_err());
        assert!(blocks::<u16>(&access, 1, 2, |_| panic!("no elements")).is_err());
    }

    #[test]
    fn copies_in_parts_hold_each_element_once() {
        let count = if cfg!(miri) { 300 } else { 100_003 };
        let access = Region::allocate(count, count).unwrap().access().unwrap();
        let bytes: Vec<u8> = (0..count).map(|at| (at * 7 % 251) as u8).collect();
        write_bytes(&access, 0, &bytes).unwrap();
        let mut joined = Vec::new();
        chunks(&access, 5, count - 5, |part| {
            joined.extend_from_slice(part);
            Ok(())
        })
        .unwrap();
        assert_eq!(joined, &bytes[5..]);
        let mut elements = Vec::new();
        blocks::<u16>(&access, 6, (count - 6) / 2, |part| {
            elements.extend_from_slice(part);
            Ok(())
        })
        .unwrap();
        assert_eq!(bytemuck::cast_slice::<u16, u8>(&elements), &bytes[6..6 + (count - 6) / 2 * 2]);
    }

    #[test]
    fn an_error_stops_a_pass() {
        let access = Region::allocate(4 * CHUNK, 4 * CHUNK).unwrap().access().unwrap();
        let mut calls = 0;
        let mut stop = || {
            calls += 1;
            if calls % 2 == 0 { Err(crate::cancel::Reason::Cancelled.into_error()) } else { Ok(()) }
        };
        assert!(blocks::<u32>(&access, 0, CHUNK, |_| stop()).is_err());
        assert!(chunks(&access, 0, 4 * CHUNK, |_| stop()).is_err());
        assert_eq!(calls, 4);
    }

    #[test]
    fn a_split_covers_everything_once() {
        for (count, parts, grain) in [(0, 3, 1), (1, 3, 8), (10, 3, 1), (100, 4, 8), (7, 100, 1), (64, 1, 8)]
        {
            let runs: Vec<_> = split(count, parts, grain).collect();
            assert!(runs.len() <= parts && runs.iter().all(|(_, len)| *len > 0));
            assert_eq!(runs.iter().map(|(_, len)| len).sum::<usize>(), count);
            assert!(runs.windows(2).all(|pair| pair[0].0 + pair[0].1 == pair[1].0));
            assert!(runs.iter().all(|(first, _)| first % grain == 0));
        }
    }
}
