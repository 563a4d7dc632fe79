//! The C interface between rust-workers and native packs: `include/rust_workers.h` in Rust. The header says what each function does;
//! here stand the same types, in the same order, under the names that Rust gives such things.
//!
//! A test compares the two (`layout` in `crates/abi/tests`): sizes, offsets and numbers.
#![no_std]

use core::ffi::{CStr, c_char, c_void};

/// `RW_ABI`.
pub const ABI: u32 = 1;
/// `RW_PACK_SYMBOL`.
pub const PACK_SYMBOL: &CStr = c"rust_workers_pack";

/// `rw_text`: UTF-8, with no zero at its end.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Text {
    /// Its bytes; may be null where there are none.
    pub data: *const c_char,
    /// How many.
    pub len: usize,
}

impl Text {
    /// No text.
    pub const EMPTY: Text = Text { data: core::ptr::null(), len: 0 };

    /// A text that lives as long as its use.
    pub const fn of(text: &str) -> Self {
        Text { data: text.as_ptr().cast(), len: text.len() }
    }
}

/// Kinds of parts: `RW_PART_…`.
pub mod part {
    /// A block of bytes.
    pub const BYTES: u32 = 0;
    /// Shared memory.
    pub const SHARED: u32 = 1;
    /// A port.
    pub const PORT: u32 = 2;
}

/// `rw_part`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// One of [`part`].
    pub kind: u32,
    /// 0.
    pub reserved: u32,
    /// The memory; null for a port.
    pub data: *mut u8,
    /// Its length in bytes.
    pub len: usize,
}

/// `rw_value`: a value in its wire form, and its parts.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Value {
    /// The wire.
    pub wire: *const u8,
    /// Its length in bytes.
    pub wire_len: usize,
    /// The parts; may be null where there are none.
    pub parts: *const Part,
    /// How many.
    pub parts_len: usize,
}

impl Value {
    /// Nothing: no wire.
    pub const EMPTY: Value =
        Value { wire: core::ptr::null(), wire_len: 0, parts: core::ptr::null(), parts_len: 0 };
}

/// Outcomes: `RW_OK` and so on.
pub mod outcome {
    #![allow(missing_docs)]
    pub const OK: i32 = 0;
    pub const STOPPED: i32 = 1;
    pub const FAILED: i32 = 2;
    pub const INVALID_INPUT: i32 = 3;
    pub const PANICKED: i32 = 4;
    pub const CLOSED: i32 = 5;
    pub const TIMED_OUT: i32 = 6;
    pub const REFUSED: i32 = 7;
    pub const FULL: i32 = 8;
}

/// Why a call should stop: `RW_RUN_ON`, `RW_STOP_…`.
pub mod stop {
    #![allow(missing_docs)]
    pub const RUN_ON: u32 = 0;
    pub const CANCELLED: u32 = 1;
    pub const TIMEOUT: u32 = 2;
    pub const CLOSING: u32 = 3;
}

/// `RW_FOREVER`.
pub const FOREVER: u64 = u64::MAX;

/// `rw_error`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Error {
    /// Of this struct.
    pub size: u32,
    /// 0.
    pub reserved: u32,
    /// The class; empty: `Error`.
    pub name: Text,
    /// `error.code`; empty: `ERR_RW_TASK_FAILED`.
    pub code: Text,
    /// `error.message`.
    pub message: Text,
}

/// `rw_call`: one run of a task.
#[repr(C)]
#[derive(Debug)]
pub struct Call {
    opaque: [u8; 0],
}

/// `rw_part_fn`.
pub type PartFn = unsafe extern "C" fn(call: *mut Call, index: usize, data: *mut c_void) -> i32;

/// `rw_host`: what the host gives a running task.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)] // the header
pub struct Host {
    pub size: u32,
    pub abi: u32,
    pub stop_reason: unsafe extern "C" fn(*mut Call) -> u32,
    pub sleep: unsafe extern "C" fn(*mut Call, u64) -> i32,
    pub alloc: unsafe extern "C" fn(*mut Call, usize) -> *mut u8,
    pub set_result: unsafe extern "C" fn(*mut Call, *const Value) -> i32,
    pub set_error: unsafe extern "C" fn(*mut Call, *const Error),
    pub progress: unsafe extern "C" fn(*mut Call, *const Value) -> i32,
    pub threads: unsafe extern "C" fn(*mut Call) -> usize,
    pub parallel_for: unsafe extern "C" fn(*mut Call, usize, PartFn, *mut c_void) -> i32,
    pub port_receive: unsafe extern "C" fn(*mut Call, usize, u64, *mut Value) -> i32,
    pub port_send: unsafe extern "C" fn(*mut Call, usize, u64, *const Value) -> i32,
    pub call_js: unsafe extern "C" fn(*mut Call, Text, *const Value, *mut Value) -> i32,
    pub release: unsafe extern "C" fn(*mut Call, *const Value),
}

/// Facts about a task: `RW_TASK_…`.
pub mod flags {
    /// It changes shared memory where it is.
    pub const IN_PLACE: u32 = 1;
    /// It uses `parallel_for`.
    pub const PARALLEL: u32 = 2;
    /// It uses shared memory by atomic operations.
    pub const ATOMIC: u32 = 4;
}

/// `rw_run_fn`.
pub type RunFn = unsafe extern "C" fn(*const Host, *mut Call, *const Value, *mut c_void) -> i32;

/// `rw_task`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Task {
    /// Of this struct.
    pub size: u32,
    /// Of [`flags`].
    pub flags: u32,
    /// Its name, with a zero at its end.
    pub name: *const c_char,
    /// Completes "task '…' takes …"; may be null.
    pub takes: *const c_char,
    /// Runs it.
    pub run: Option<RunFn>,
    /// For `run`.
    pub data: *mut c_void,
}

/// `rw_pack`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Pack {
    /// Of this struct.
    pub size: u32,
    /// [`ABI`] of the pack.
    pub abi: u32,
    /// Its name, with a zero at its end.
    pub name: *const c_char,
    /// Its version, with a zero at its end.
    pub version: *const c_char,
    /// Its tasks.
    pub tasks: *const *const Task,
    /// How many.
    pub tasks_len: usize,
}

/// `rw_pack_fn`: what a pack exports under [`PACK_SYMBOL`].
pub type PackFn = unsafe extern "C" fn(*const Host, *mut *const c_char) -> *const Pack;

/// `rw_pool`: a pool, by a counted reference.
#[repr(C)]
#[derive(Debug)]
pub struct Pool {
    opaque: [u8; 0],
}

/// `rw_done_fn`.
pub type DoneFn = unsafe extern "C" fn(*mut c_void, i32, *const Value, *const Error);

/// `rw_submission`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Submission {
    /// Of this struct.
    pub size: u32,
    /// As of `pool.run`.
    pub priority: i32,
    /// The name of a native task, with a zero at its end; null: `run` is the task.
    pub task: *const c_char,
    /// Where `task` is null.
    pub run: Option<RunFn>,
    /// The input; copied.
    pub input: Value,
    /// From now on; [`FOREVER`].
    pub timeout_ns: u64,
    /// Called once it is accepted and has ended.
    pub done: Option<DoneFn>,
    /// For `done` and `run`.
    pub data: *mut c_void,
}

/// `rw_engine`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)] // the header
pub struct Engine {
    pub size: u32,
    pub abi: u32,
    pub pool: *mut Pool,
    pub retain: unsafe extern "C" fn(*mut Pool) -> *mut Pool,
    pub release: unsafe extern "C" fn(*mut Pool),
    pub submit: unsafe extern "C" fn(*mut Pool, *const Submission, *mut u64) -> i32,
    pub cancel: unsafe extern "C" fn(*mut Pool, u64) -> i32,
    pub threads: unsafe extern "C" fn(*mut Pool) -> usize,
}

/// `RW_ENGINE_TAG_LOWER` and `RW_ENGINE_TAG_UPPER`.
pub const ENGINE_TAG: [u64; 2] = [0x5d1f_7a30_c2b9_4e86, 0x9b64_e01f_3ad8_5c27];

/// The wire form: tags.
pub mod wire {
    #![allow(missing_docs)] // the end of the header
    pub const HEADER: u8 = 0x01;
    /// Below this a byte is a small integer itself.
    pub const FIRST_TAG: u8 = 0x80;
    pub const UNDEFINED: u8 = 0x80;
    pub const NULL: u8 = 0x81;
    pub const FALSE: u8 = 0x82;
    pub const TRUE: u8 = 0x83;
    pub const INT32: u8 = 0x84;
    pub const FLOAT64: u8 = 0x85;
    pub const BIGINT: u8 = 0x86;
    pub const UTF8: u8 = 0x88;
    pub const UTF16: u8 = 0x89;
    pub const DATE: u8 = 0x8a;
    pub const ARRAY: u8 = 0x8b;
    pub const OBJECT: u8 = 0x8f;
    pub const MAP: u8 = 0x90;
    pub const SET: u8 = 0x91;
    pub const ERROR: u8 = 0x92;
    pub const BYTES: u8 = 0x93;
    pub const BYTES_PART: u8 = 0x94;
    pub const SHARED: u8 = 0xa0;
    pub const PORT: u8 = 0xa1;
    /// Flags of an error.
    pub const ERROR_HAS_MESSAGE: u8 = 1;
    pub const ERROR_HAS_STACK: u8 = 2;
    pub const ERROR_HAS_NAME: u8 = 4;
    /// Levels of nesting.
    pub const MAX_DEPTH: usize = 256;
}

/// The JavaScript type of a block of bytes: `RW_ARRAY_BUFFER` and so on.
pub mod bytes {
    #![allow(missing_docs)]
    pub const ARRAY_BUFFER: u8 = 0;
    pub const BUFFER: u8 = 1;
    pub const DATA_VIEW: u8 = 2;
    pub const INT8_ARRAY: u8 = 3;
    pub const UINT8_ARRAY: u8 = 4;
    pub const UINT8_CLAMPED_ARRAY: u8 = 5;
    pub const INT16_ARRAY: u8 = 6;
    pub const UINT16_ARRAY: u8 = 7;
    pub const INT32_ARRAY: u8 = 8;
    pub const UINT32_ARRAY: u8 = 9;
    pub const FLOAT32_ARRAY: u8 = 10;
    pub const FLOAT64_ARRAY: u8 = 11;
    pub const BIG_INT64_ARRAY: u8 = 12;
    pub const BIG_UINT64_ARRAY: u8 = 13;
    pub const FLOAT16_ARRAY: u8 = 14;
}
