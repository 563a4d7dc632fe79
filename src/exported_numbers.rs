//! Numbers that JavaScript knows too.
//!
//! A module declares its own as constants and lists them by name with [`numbers!`](crate::numbers!); the lists of a module
//! are its `NUMBERS`, by group, and `api/constants.rs` exports them all. So each number is written once, and the two
//! languages cannot disagree.

/// Numbers by name.
pub type Numbers = &'static [(&'static str, f64)];

/// The numbers of a module by group.
pub type Groups = &'static [(&'static str, Numbers)];

/// A list of constants by their names; `NAME = value` gives a value another name.
#[macro_export]
macro_rules! numbers {
    ($($name:ident $(= $value:expr)?),* $(,)?) => {{
        // By way of i64, which enums can be cast to as well. None is above 2^53.
        #[allow(
            trivial_numeric_casts,
            clippy::cast_lossless,
            clippy::cast_possible_truncation,
            clippy::cast_possible_wrap,
            clippy::cast_precision_loss
        )]
        const LIST: $crate::exported_numbers::Numbers =
            &[$((stringify!($name), $crate::numbers!(@value $name $($value)?) as i64 as f64)),*];
        LIST
    }};
    (@value $name:ident $value:expr) => { $value };
    (@value $name:ident) => { $name };
}
