//! Tasks in Rust for the thread pools of [rust-workers](https://github.com/rust-workers/rust-workers), a package for Node.js.
//!
//! A task is a function with an attribute, in a library of `crate-type = ["cdylib"]`:
//!
//! ```
//! use rust_workers_task::{Context, Error, task};
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! struct Area {
//!     width: usize,
//!     height: usize,
//! }
//!
//! #[task]
//! fn checkerboard(area: Area, context: &Context) -> Result<Vec<u8>, Error> {
//!     let mut pixels = Vec::new();
//!     for row in 0..area.height {
//!         context.check()?;
//!         pixels.extend((0..area.width).map(|column| if (row + column) % 2 == 0 { 0 } else { 255u8 }));
//!     }
//!     Ok(pixels)
//! }
//!
//! // A test needs no Node.js:
//! let pixels = rust_workers_task::testing::task("checkerboard")
//!     .input(&serde_json::json!({ "width": 3, "height": 1 }))
//!     .run::<rust_workers_task::Bytes>()
//!     .unwrap();
//! assert_eq!(pixels[..], [0, 255, 0]);
//! ```
//!
//! JavaScript loads the library with `pool.use('target/release/libname.so')` and runs `await pool.run('checkerboard', area)`, which
//! gives a `Uint8Array`. The package's page "Native packs" goes through it step by step.
//!
//! # Inputs and outputs
//!
//! Every type that implements serde's traits. On top of that:
//!
//! | Rust | JavaScript |
//! |---|---|
//! | `&[u8]`, `&[f64]`, … as the input | a typed array, where it stands: no copy |
//! | `&mut [u8]`, `&mut [f64]`, … as the input | the same, to be changed in place; returned, it arrives as that memory |
//! | `Vec<u8>`, `Vec<f64>`, … as the output | `Uint8Array`, `Float64Array`, … |
//! | [`Array`], [`Bytes`], [`Slice`], [`SliceMut`], [`Block`] anywhere in a value | typed arrays; a nested `Vec<u8>` is an array of numbers |
//! | [`Date`], [`BigInt`], [`Map`], [`Set`] | what they are called |
//! | [`Shared`] | shared memory |
//! | [`Port`] | a port of a `MessageChannel` |
//! | [`Value`] | anything |
//!
//! `None` is `null` and `()` is `undefined`; both are taken for either. An enum is a string, or an object with one property, as in JSON.

// The attribute names this crate, also in its own tests.
extern crate self as rust_workers_task;

mod arrays;
mod context;
mod de;
mod element;
mod error;
mod fault;
mod panic;
mod port;
mod raw;
mod registry;
mod ser;
mod shared;
mod special;
pub mod testing;
mod value;

pub use arrays::{Array, Block, Bytes, Slice, SliceMut};
pub use context::{Context, PartContext, StopReason};
pub use element::Element;
pub use error::Error;
pub use port::{Port, Received};
pub use raw::Cells;
pub use rust_workers_task_macros::task;
pub use shared::Shared;
pub use special::{BigInt, Date, Map, Set};
pub use value::{BytesKind, ErrorValue, Value};

/// What a task may return: a value, or why there is none.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[doc(hidden)]
#[path = "glue.rs"]
pub mod __private;

/// The programs of the page at crates.io.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
