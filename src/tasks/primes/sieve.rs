//! A segmented sieve of Eratosthenes over the wheel of 30.
//!
//! One byte stands for 30 numbers, one bit for each of the 8 that 2, 3 and 5 do not divide; a set bit is a
//! composite. The multiples `p·q` of a prime `p` with `q ≡ r (mod 30)` lie `p` bytes apart and always at the same
//! bit, so each base prime strikes in 8 plain strides. A segment stays in the cache while all base primes pass over
//! it. Multiples of 7, 11, 13 and 17 come from a pattern that repeats every 7·11·13·17 bytes, copied in whole.
//!
//! Method: Sorenson, "An Introduction to Prime Number Sieves" (1990); the wheel layout is that of primesieve.

use crate::error::Result;
use crate::tasks::{Context, Pace};

/// The numbers that a byte's bits stand for, the lowest bit first.
pub(super) const RESIDUES: [u64; 8] = [1, 7, 11, 13, 17, 19, 23, 29];
/// The primes that have no bit.
const WHEEL_PRIMES: [u32; 3] = [2, 3, 5];

const PATTERN_PRIMES: [u64; 4] = [7, 11, 13, 17];
const PATTERN_LEN: usize = 7 * 11 * 13 * 17;

/// Strikes between two checkpoints: about a tenth of a millisecond.
const STRIKES: usize = 1 << 16;

/// The primes up to `limit` that have no bit.
pub(super) fn wheel_primes(limit: u64) -> impl Iterator<Item = u32> {
    WHEEL_PRIMES.into_iter().filter(move |&prime| u64::from(prime) <= limit)
}

/// A base prime and where it strikes next.
struct Striker {
    prime: u32,
    /// The bit that each stride sets.
    bits: [u8; 8],
    /// The byte each stride sets next, counted from the start of the next segment.
    next: [u32; 8],
}

impl Striker {
    /// Starts at the prime's square: smaller multiples have smaller factors.
    fn new(prime: u32, segment_start: u64) -> Self {
        let p = u64::from(prime);
        let mut bits = [0; 8];
        let mut next = [0; 8];
        for (stride, residue) in RESIDUES.into_iter().enumerate() {
            let q = p + (residue + 30 - p % 30) % 30;
            let multiple = p * q;
            bits[stride] = 1 << bit_of(multiple % 30);
            next[stride] = (multiple / 30 - segment_start) as u32;
        }
        Striker { prime, bits, next }
    }

    fn strike(&mut self, segment: &mut [u8]) {
        let step = self.prime as usize;
        for (next, bit) in self.next.iter_mut().zip(self.bits) {
            let mut at = *next as usize;
            while let Some(byte) = segment.get_mut(at) {
                *byte |= bit;
                at += step;
            }
            *next = (at - segment.len()) as u32;
        }
    }
}

/// A sieve that hands out one segment after another.
pub(super) struct Sieve<'a> {
    limit: u64,
    segment_words: usize,
    /// The first byte of the next segment.
    start: u64,
    pattern: Vec<u8>,
    base: std::vec::IntoIter<u32>,
    waiting: Option<u32>,
    strikers: Vec<Striker>,
    pace: Pace<'a>,
}

impl<'a> Sieve<'a> {
    /// A sieve of the numbers up to `limit`.
    pub(super) fn new(limit: u64, context: &'a Context<'_>) -> Result<Self> {
        context.checkpoint()?;
        let mut base = base_primes(limit.isqrt()).into_iter();
        let waiting = base.next();
        // The first-level cache while its strides are short against it; with many large primes, whose strides
        // mostly step over a segment, the second level.
        let segment_words = if limit <= 2_000_000_000 { 4 << 10 } else { 16 << 10 };
        Ok(Sieve {
            limit,
            segment_words,
            start: 0,
            pattern: pattern(),
            base,
            waiting,
            strikers: Vec::new(),
            pace: context.pace(STRIKES),
        })
    }

    /// The number up to which it has been filled.
    pub(super) fn up_to(&self) -> u64 {
        (self.start * 30).saturating_sub(1).min(self.limit)
    }

    /// How many words a segment has, but for the last.
    pub(super) fn segment_words(&self) -> usize {
        self.segment_words
    }

    /// How many words all segments have together.
    pub(super) fn total_words(&self) -> usize {
        (self.limit / 240 + 1) as usize
    }

    /// Fills the next segment, a set bit for each number that is no prime or above the limit; returns the number of
    /// words used, or `None` after the last. A word's bytes are in order of address.
    pub(super) fn next(&mut self, words: &mut [u64]) -> Result<Option<usize>> {
        let left = self.total_words() as u64 - self.start / 8;
        let used = left.min(words.len() as u64) as usize;
        if used == 0 {
            return Ok(None);
        }
        let segment: &mut [u8] = bytemuck::cast_slice_mut(&mut words[..used]);
        self.pace.spend(segment.len() / 8)?;
        self.lay_pattern(segment);
        self.wake_strikers(self.start + segment.len() as u64);
        for striker in &mut self.strikers {
            self.pace.spend(8 + 8 * segment.len() / striker.prime as usize)?;
            striker.strike(segment);
        }
        self.start += segment.len() as u64;
        if self.start * 30 > self.limit {
            let first = self.start - segment.len() as u64;
            strike_above(segment, first, self.limit);
        }
        Ok(Some(used))
    }

    fn lay_pattern(&self, segment: &mut [u8]) {
        let mut from = (self.start % PATTERN_LEN as u64) as usize;
        let mut at = 0;
        while at < segment.len() {
            let len = (PATTERN_LEN - from).min(segment.len() - at);
            segment[at..at + len].copy_from_slice(&self.pattern[from..from + len]);
            at += len;
            from = 0;
        }
        if self.start == 0 {
            // The pattern strikes its own primes; and 1 is no prime.
            segment[0] &= !0b1_1110;
            segment[0] |= 1;
        }
    }

    /// Takes on the base primes whose squares lie before byte `end`.
    fn wake_strikers(&mut self, end: u64) {
        while let Some(prime) = self.waiting {
            if u64::from(prime) * u64::from(prime) / 30 >= end {
                break;
            }
            self.strikers.push(Striker::new(prime, self.start));
            self.waiting = self.base.next();
        }
    }
}

fn bit_of(residue: u64) -> usize {
    RESIDUES.iter().position(|&r| r == residue).expect("a product of numbers coprime to 30")
}

fn pattern() -> Vec<u8> {
    let mut pattern = vec![0; PATTERN_LEN];
    for prime in PATTERN_PRIMES {
        for residue in RESIDUES {
            let multiple = prime * residue;
            let bit = 1 << bit_of(multiple % 30);
            for byte in pattern.iter_mut().skip((multiple / 30) as usize).step_by(prime as usize) {
                *byte |= bit;
            }
        }
    }
    pattern
}

/// The primes from 19 to `root`, by a plain sieve: `root` is 100,000 at most.
fn base_primes(root: u64) -> Vec<u32> {
    let root = root as usize;
    let mut composite = vec![false; root + 1];
    let mut primes = Vec::new();
    for n in 2..=root {
        if composite[n] {
            continue;
        }
        if n > 17 {
            primes.push(n as u32);
        }
        for multiple in composite.iter_mut().skip(n * n).step_by(n) {
            *multiple = true;
        }
    }
    primes
}

fn strike_above(segment: &mut [u8], first: u64, limit: u64) {
    let kept = (limit / 30).saturating_sub(first) as usize;
    for (index, byte) in segment.iter_mut().enumerate().skip(kept) {
        for (bit, residue) in RESIDUES.into_iter().enumerate() {
            if (first + index as u64) * 30 + residue > limit {
                *byte |= 1 << bit;
            }
        }
    }
}
