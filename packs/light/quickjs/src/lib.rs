//! QuickJS-NG's C interface. The bindings and what C has as inline functions are those of `rquickjs-sys` 0.14.0 (LICENSE beside this file).
#![no_std]
#![allow(
    non_upper_case_globals,
    non_camel_case_types,
    non_snake_case,
    unsafe_op_in_unsafe_fn,
    unused_qualifications,
    clippy::all
)]

use ::core::ptr;

// Systems of one group have the same bindings, as far as packs/light uses them.
#[cfg(all(target_pointer_width = "64", not(windows)))]
include!("bindings/x86_64-unknown-linux-gnu.rs");
#[cfg(all(target_pointer_width = "64", windows))]
include!("bindings/x86_64-pc-windows-msvc.rs");
#[cfg(target_pointer_width = "32")]
include!("bindings/armv7-unknown-linux-gnueabihf.rs");

#[cfg(target_pointer_width = "64")]
include!("inlines/ptr_64.rs");
#[cfg(target_pointer_width = "32")]
include!("inlines/ptr_32_nan_boxing.rs");

include!("inlines/common.rs");
