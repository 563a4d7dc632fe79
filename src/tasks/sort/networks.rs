//! Sorting networks for runs of up to some dozen keys, in vectors.
//!
//! A run is loaded as up to 16 rows, a vector each, and sorted
//! 1. column by column, by the shortest known network for so many rows, each comparison one for all columns;
//! 2. by merging neighbouring columns, then neighbouring groups of 2 columns, and so on, until all rows are one group.
//!
//! Two groups are merged by a bitonic network: each row is compared with the row that mirrors it, the lanes of the two
//! groups exchanged, then the halves likewise, down to single rows, whose lanes are compared at half the distance each time.
//!
//! A run that fills no whole number of rows is filled up with the highest key, which stays behind.
//!
//! Sources: Batcher, "Sorting networks and their applications" (1968); Green's network for 16 and the shortest known ones
//! for 4 and 8 (Knuth, TAOCP 3, 5.3.4); columns, then merges of columns: Bramas, "A novel hybrid quicksort algorithm
//! vectorized using AVX-512" (2017), and Wassenberg et al., "Vectorized and performance-portable quicksort" (2022).

#![cfg(target_arch = "x86_64")]

/// Rows of the largest run.
const ROWS: usize = 16;

/// Puts the lower key into the first row and the higher one into the second, for each pair.
macro_rules! exchange {
    ($v:ident; $(($a:literal $b:literal))*) => {$(
        let (a, b) = ($v[$a], $v[$b]);
        $v[$a] = min(a, b);
        $v[$b] = max(a, b);
    )*};
}

macro_rules! columns {
    (1, $v:ident) => {};
    (2, $v:ident) => { exchange!($v; (0 1)); };
    (4, $v:ident) => { exchange!($v; (0 2)(1 3) (0 1)(2 3) (1 2)); };
    (8, $v:ident) => { exchange!($v;
        (0 2)(1 3)(4 6)(5 7) (0 4)(1 5)(2 6)(3 7) (0 1)(2 3)(4 5)(6 7) (2 4)(3 5) (1 4)(3 6) (1 2)(3 4)(5 6)); };
    (16, $v:ident) => { exchange!($v;
        (0 13)(1 12)(2 15)(3 14)(4 8)(5 6)(7 11)(9 10) (0 5)(1 7)(2 9)(3 4)(6 13)(8 14)(10 15)(11 12)
        (0 1)(2 3)(4 5)(6 8)(7 9)(10 11)(12 13)(14 15) (0 2)(1 3)(4 10)(5 11)(6 7)(8 9)(12 14)(13 15)
        (1 2)(3 12)(4 6)(5 7)(8 10)(9 11)(13 14) (1 4)(2 6)(5 8)(7 10)(9 13)(11 14) (2 4)(3 6)(9 12)(11 13)
        (3 5)(6 8)(7 9)(10 12) (3 4)(5 6)(7 8)(9 10)(11 12) (6 7)(8 9)); };
}

/// Compares the lanes of each row in pairs.
macro_rules! within_rows {
    ($v:ident, $distance:literal) => {
        for row in &mut $v {
            let other = flip::<$distance>(*row);
            *row = upper::<$distance>(min(*row, other), max(*row, other));
        }
    };
}

/// Merges pairs of groups, whose lanes are exchanged by `$flip`.
macro_rules! merge {
    ($v:ident, $rows:literal, $flip:literal, $($distance:literal)*) => {
        let mut size = $rows;
        while size > 1 {
            let mut first = 0;
            while first < $rows {
                for row in first..first + size / 2 {
                    let mirror = 2 * first + size - 1 - row;
                    let (a, b) = ($v[row], flip::<$flip>($v[mirror]));
                    $v[row] = min(a, b);
                    $v[mirror] = max(a, b);
                }
                first += size;
            }
            size /= 2;
        }
        within_rows!($v, $flip);
        $(within_rows!($v, $distance);)*
    };
}

macro_rules! merges {
    ($v:ident, $rows:literal, 4) => {
        merge!($v, $rows, 1,);
        merge!($v, $rows, 3, 1);
    };
    ($v:ident, $rows:literal, 8) => {
        merges!($v, $rows, 4);
        merge!($v, $rows, 7, 2 1);
    };
    ($v:ident, $rows:literal, 16) => {
        merges!($v, $rows, 8);
        merge!($v, $rows, 15, 4 2 1);
    };
}

macro_rules! networks {
    ($module:ident $features:literal $key:ident $lanes:tt: $($size:ident $rows:tt)*) => {
        pub(super) mod $module {
            use crate::tasks::sort::lanes::$module::*;
            use crate::tasks::sort::networks::ROWS;

            /// The longest run.
            pub(in crate::tasks::sort) const LONGEST: usize = ROWS * LANES;

            $(
                #[target_feature(enable = $features)]
                fn $size(from: &[$key], len: usize, to: &mut [$key]) {
                    let from = from[..$rows * LANES].as_chunks::<LANES>().0;
                    let mut v = [splat(0); $rows];
                    for row in 0..$rows {
                        v[row] = load(&from[row]);
                    }
                    // All rows before the last half are full.
                    for row in $rows / 2..$rows {
                        v[row] = pad(v[row], len.saturating_sub(row * LANES));
                    }
                    columns!($rows, v);
                    merges!(v, $rows, $lanes);
                    let to = to[..$rows * LANES].as_chunks_mut::<LANES>().0;
                    for row in 0..$rows {
                        store(&mut to[row], v[row]);
                    }
                }
            )*

            /// Sorts the `len` keys at the beginning of one slice into another. Both have room for a whole number of rows,
            /// which is a power of two; what follows the keys may be any keys, and is any keys afterwards.
            #[target_feature(enable = $features)]
            fn sort(from: &[$key], len: usize, to: &mut [$key]) {
                match len.div_ceil(LANES).next_power_of_two() {
                    $($rows => $size(from, len, to),)*
                    _ => unreachable!("a run is no longer than LONGEST"),
                }
            }

            /// Sorts each run of `from` into its place in `to`, where runs end at `ends`. Runs that are too long are
            /// copied as they are, and passed to `long`.
            #[target_feature(enable = $features)]
            pub(in crate::tasks::sort) fn sort_runs(
                from: &[$key],
                to: &mut [$key],
                ends: &[u32],
                long: &mut Vec<std::ops::Range<usize>>,
            ) {
                let mut start = 0;
                for &end in ends {
                    let end = end as usize;
                    let len = end - start;
                    let room = len.div_ceil(LANES).next_power_of_two() * LANES;
                    if len > LONGEST {
                        to[start..end].copy_from_slice(&from[start..end]);
                        long.push(start..end);
                    } else if len > 1 && to.len() - start >= room {
                        // The runs behind this one are written after it.
                        sort(&from[start..start + room], len, &mut to[start..start + room]);
                    } else if len > 0 {
                        let (mut unsorted, mut sorted) = ([0; LONGEST], [0; LONGEST]);
                        unsorted[..len].copy_from_slice(&from[start..end]);
                        sort(&unsorted, len, &mut sorted);
                        to[start..end].copy_from_slice(&sorted[..len]);
                    }
                    start = end;
                }
            }
        }
    };
}

networks! { avx512_64 "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512dq,avx512vl" u64 8:
row 1 rows_2 2 rows_4 4 rows_8 8 rows_16 16 }
networks! { avx512_32 "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512dq,avx512vl" u32 16:
row 1 rows_2 2 rows_4 4 rows_8 8 rows_16 16 }
networks! { avx2_64 "avx2,bmi1,bmi2,lzcnt,popcnt" u64 4:
row 1 rows_2 2 rows_4 4 rows_8 8 rows_16 16 }
networks! { avx2_32 "avx2,bmi1,bmi2,lzcnt,popcnt" u32 8:
row 1 rows_2 2 rows_4 4 rows_8 8 rows_16 16 }
