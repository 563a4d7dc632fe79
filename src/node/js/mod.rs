//! Node-API, made safe to call: the one folder that holds raw `napi_value`s, references and functions.
//!
//! * `call` — the environment of the running call, its values, and how a Node-API function is called.
//! * `values` — making, reading and calling values.
//! * `memory` — the memory of typed arrays and ArrayBuffers.
//! * `kept_memory` — memory that JavaScript gives to Rust for as long as its environment lives.
//! * `external_strings` — strings over memory that Rust looks after.
//! * `external` — values that are a pointer of ours, for other addons.
//! * `reference` — references, which keep a value alive after the call has returned.
//! * `exceptions` — throwing, and taking exceptions.
//! * `function` — functions of ours that JavaScript calls.
//! * `hooks` — the functions that an environment calls by itself: its wake, and its end.
//! * `derive` — where this meets the functions that `napi_derive` makes.
//!
//! # Why it is sound
//! A [`Js`] is only made inside a callback that Node runs on the environment's own thread; it is not `Send`, and its
//! lifetime is that of the callback, which every function of ours takes as any lifetime: so nothing that has it can be kept
//! where it would outlive the callback. Each [`JsValue`] has the lifetime of the `Js` that made it, so no value outlives its
//! handle scope. What outlives a call is a [`Reference`], and only a `Js` of its own environment opens it.
//!
//! We trust facts that Rust cannot see, and name each where it matters: that `lib/` keeps call buffers to itself
//! (`kept_memory`) and hands over pinned memory that nobody else knows (`pinned_bytes.rs`), and that nobody keeps an `Env`
//! of napi-rs (`derive`).

// Every call of Node-API is a foreign function.
#![allow(unsafe_code)]

mod call;
mod derive;
mod exceptions;
mod external;
mod external_strings;
mod function;
mod hooks;
mod kept_memory;
mod memory;
mod reference;
mod values;

pub(crate) use call::{Js, JsValue, Result, Status};
pub(crate) use derive::List;
pub(crate) use external_strings::{StringMemory, external_strings};
pub(crate) use function::{RawFunction, raw};
pub(crate) use hooks::ThreadsafeFunction;
pub(crate) use kept_memory::{KeptMemory, ReleasableMemory};
pub(crate) use memory::{ArrayKind, TypedArrayMemory};
pub(crate) use reference::Reference;
pub(crate) use values::Type;
