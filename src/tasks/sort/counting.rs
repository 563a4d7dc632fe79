//! Counting sort for elements of 8 and 16 bits: one pass to count each value, one to write them out.

use super::order::{BLOCK, Order, gather_nans, restore};
use crate::error::Result;
use crate::tasks::Context;

/// Below this the table of 65,536 counts costs more than comparing.
const FEW: usize = 4_096;

pub(super) fn sort8<O: Order<u8>>(elements: &mut [u8], context: &Context<'_>) -> Result<()> {
    let mut counts = [0_usize; 1 << 8];
    // A quarter of a millisecond each, as runs of one value count at a few cycles each.
    for block in elements.chunks(4 * BLOCK) {
        context.checkpoint()?;
        for &bits in block {
            counts[usize::from(O::key(bits))] += 1;
        }
    }
    write_out(elements, &counts, |key| O::bits(key as u8), context)
}

pub(super) fn sort16<O: Order<u16>>(elements: &mut [u16], context: &Context<'_>) -> Result<()> {
    let elements = gather_nans::<u16, O>(elements, context, |_| ())?;
    if elements.len() < FEW {
        for cell in elements.iter_mut() {
            *cell = O::key(*cell);
        }
        elements.sort_unstable();
        restore::<u16, O>(elements);
        return Ok(());
    }
    let mut counts = vec![0_usize; 1 << 16];
    for block in elements.chunks(2 * BLOCK) {
        context.checkpoint()?;
        for &bits in block {
            counts[usize::from(O::key(bits))] += 1;
        }
    }
    write_out(elements, &counts, |key| O::bits(key as u16), context)
}

fn write_out<K: Copy>(
    elements: &mut [K],
    counts: &[usize],
    bits: impl Fn(usize) -> K,
    context: &Context<'_>,
) -> Result<()> {
    let mut pace = context.pace(8 * BLOCK);
    let mut rest = elements;
    for (key, &count) in counts.iter().enumerate() {
        let (run, after) = rest.split_at_mut(count);
        for part in run.chunks_mut(8 * BLOCK) {
            pace.spend(part.len())?;
            part.fill(bits(key));
        }
        rest = after;
    }
    Ok(())
}
