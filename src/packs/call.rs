//! What one run of a pack's task has, behind the `rw_call` that the host's functions take.
//!
//! It stands on the stack of the thread that runs the task, and is that thread's. A part of `parallel_for` has one of its own, with less.
//!
//! *Memory.* What the pack has pointers to, the input's blocks, what it has allocated and what it was shown, stays until the call
//! ends: only then a result takes its blocks along. So a result is read with empty blocks in their places ([`Result`]), which are
//! filled at the end ([`Call::take_result`]): a second result, or one that is refused, costs the pack nothing.

// A call is found by the pointer that the pack was given, and reads what the pack points to.
#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::thread::ThreadId;

use rust_workers_abi as abi;

use super::task::{Failed, PackTask, Told};
use super::wire::{self, Blocks, Held, Written, fits, malformed};
use crate::channel::PortHandle;
use crate::error::{Code, Error, Result};
use crate::tasks::Context;
use crate::value::{Bytes, BytesKind, Limits, PortValue, Value, Words};

/// Stands at the head of each call that lives.
const LIVE: u64 = 0x7277_5f63_616c_6c21;

/// One run of a task, or one part of its `parallel_for`.
#[repr(C)]
pub(super) struct Call<'a> {
    live: Cell<u64>,
    thread: ThreadId,
    pub(super) task: &'static PackTask,
    pub(super) context: &'a Context<'a>,
    pub(super) error: RefCell<Option<Told>>,
    /// What `parallel_for` has ended with, which is the call's error unless it sets one itself.
    pub(super) of_parts: RefCell<Option<Error>>,
    /// None in a part of `parallel_for`.
    pub(super) whole: Option<Whole>,
}

/// What only a whole call has.
pub(super) struct Whole {
    input: Shown,
    /// The ports of the input that the task has used, by the index of their part.
    pub(super) ports: RefCell<HashMap<usize, PortHandle>>,
    memory: RefCell<Memory>,
    /// The last result.
    result: RefCell<Option<Result<Placed>>>,
    /// What the task was shown and has not released, by the address of its wire.
    shown: RefCell<HashMap<usize, Box<Shown>>>,
}

/// What the task has allocated.
#[derive(Default)]
struct Memory {
    blocks: Vec<Words>,
    by_address: HashMap<usize, usize>,
}

/// A value that a pack sees.
pub(super) struct Shown {
    wire: Vec<u8>,
    held: Vec<Held>,
    parts: Vec<abi::Part>,
}

/// A result, its blocks empty, and what belongs into each of them, in the order of the wire.
struct Placed {
    value: Value,
    blocks: Vec<Block>,
}

/// What a block of a result is.
#[derive(Clone, Copy)]
enum Block {
    /// It is in its place.
    Own,
    /// So many bytes from the beginning of what was allocated.
    Allocated(usize, usize),
    /// A part of the input.
    OfInput(usize),
}

impl Shown {
    pub(super) fn of(value: Value) -> Result<Self> {
        let Written { wire, parts: mut held } = wire::write(value)?;
        let parts = held.iter_mut().map(part_of).collect::<Result<_>>()?;
        Ok(Shown { wire, held, parts })
    }

    /// As the interface has it; good for as long as this is where it is.
    pub(super) fn as_abi(&self) -> abi::Value {
        abi::Value {
            wire: self.wire.as_ptr(),
            wire_len: self.wire.len(),
            parts: self.parts.as_ptr(),
            parts_len: self.parts.len(),
        }
    }

    /// The shared memory in it.
    pub(super) fn shared(&self) -> impl Iterator<Item = &crate::value::SharedBytes> {
        self.held.iter().filter_map(|held| if let Held::Shared(shared) = held { Some(shared) } else { None })
    }
}

fn part_of(held: &mut Held) -> Result<abi::Part> {
    let part = |kind, data, len| abi::Part { kind, reserved: 0, data, len };
    Ok(match held {
        Held::Bytes(bytes) => {
            let bytes = bytes.as_mut_slice();
            part(abi::part::BYTES, bytes.as_mut_ptr(), bytes.len())
        }
        Held::Shared(shared) => {
            let cells =
                shared.access().cells::<std::sync::atomic::AtomicU8>(shared.offset(), shared.len())?;
            // Atomics may be written to through a shared reference.
            part(abi::part::SHARED, cells.as_ptr().cast_mut().cast(), cells.len())
        }
        Held::Port(_) => part(abi::part::PORT, std::ptr::null_mut(), 0),
    })
}

impl<'a> Call<'a> {
    fn new(task: &'static PackTask, context: &'a Context<'a>, whole: Option<Whole>) -> Self {
        Call {
            live: Cell::new(LIVE),
            thread: std::thread::current().id(),
            task,
            context,
            error: RefCell::default(),
            of_parts: RefCell::default(),
            whole,
        }
    }

    /// The run of a task for this input.
    pub(super) fn whole(task: &'static PackTask, context: &'a Context<'a>, input: Shown) -> Self {
        let whole = Whole {
            input,
            ports: RefCell::default(),
            memory: RefCell::default(),
            result: RefCell::default(),
            shown: RefCell::default(),
        };
        Call::new(task, context, Some(whole))
    }

    /// A part of its `parallel_for`.
    pub(super) fn part(task: &'static PackTask, context: &'a Context<'a>) -> Self {
        Call::new(task, context, None)
    }

    /// As a pack has it.
    pub(super) fn as_abi(&self) -> *mut abi::Call {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    /// The call that a pack names, if it is one that lives.
    ///
    /// # Safety
    /// `call` must be null, or have come from [`Call::as_abi`] of a call whose memory is still there.
    pub(super) unsafe fn of<'c>(call: *mut abi::Call) -> Option<&'c Call<'c>> {
        let call: *const Call<'c> = call.cast_const().cast();
        if call.is_null() || !call.is_aligned() {
            return None;
        }
        // SAFETY: the caller says that it is a call's memory; nothing refers to it uniquely, as all that changes is in cells.
        let call = unsafe { &*call };
        (call.live.get() == LIVE).then_some(call)
    }

    /// Whether the calling thread is its own: the cells of others must not be touched.
    pub(super) fn is_here(&self) -> bool {
        std::thread::current().id() == self.thread
    }

    /// What the task was given.
    pub(super) fn input(&self) -> Option<&Shown> {
        self.whole.as_ref().map(|whole| &whole.input)
    }

    /// What it has left, where it has not succeeded.
    pub(super) fn failed(&self) -> Failed {
        let stopped = self.context.cancel_token().reason();
        let result = self.whole.as_ref().and_then(|whole| whole.result.take());
        let refused = result.and_then(Result::err);
        Failed { told: self.error.take(), of_parts: self.of_parts.take(), refused, stopped }
    }

    /// The result, its blocks in their places; undefined where none was set.
    ///
    /// # Errors
    /// What was wrong with the last one.
    pub(super) fn take_result(&mut self) -> Result<Value> {
        let Some(whole) = &mut self.whole else { return Ok(Value::Undefined) };
        let Some(placed) = whole.result.take() else { return Ok(Value::Undefined) };
        let Placed { mut value, blocks } = placed?;
        if blocks.iter().any(|block| !matches!(block, Block::Own)) {
            let memory = &mut whole.memory.get_mut().blocks;
            fill(&mut value, &mut blocks.into_iter(), memory, &mut whole.input.held);
        }
        Ok(value)
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.live.set(0);
    }
}

/// Puts the blocks of a result into their places, in the order in which they were read.
fn fill(
    value: &mut Value,
    blocks: &mut impl Iterator<Item = Block>,
    memory: &mut [Words],
    input: &mut [Held],
) {
    match value {
        Value::Bytes(bytes) => {
            let kind = bytes.kind();
            let block = match blocks.next() {
                Some(Block::Allocated(index, len)) => {
                    let mut words = std::mem::take(&mut memory[index]);
                    words.truncate(len);
                    Bytes::owned(kind, words)
                }
                Some(Block::OfInput(index)) => {
                    let gone = Held::Bytes(Bytes::owned(kind, Words::default()));
                    match std::mem::replace(&mut input[index], gone) {
                        Held::Bytes(block) => block.with_kind(kind),
                        Held::Shared(_) | Held::Port(_) => return,
                    }
                }
                Some(Block::Own) | None => return,
            };
            *bytes = block;
        }
        Value::Array(items) | Value::Set(items) => {
            items.iter_mut().for_each(|item| fill(item, blocks, memory, input));
        }
        Value::Map(entries) => {
            for (key, value) in entries {
                fill(key, blocks, memory, input);
                fill(value, blocks, memory, input);
            }
        }
        Value::Object(entries) => {
            entries.iter_mut().for_each(|(_, value)| fill(value, blocks, memory, input));
        }
        Value::Error(error) => {
            error.properties.iter_mut().for_each(|(_, value)| fill(value, blocks, memory, input));
        }
        _ => {}
    }
}

impl Whole {
    /// Zero bytes for the task; where they begin.
    pub(super) fn allocate(&self, len: usize) -> Result<*mut u8> {
        let mut memory = self.memory.borrow_mut();
        // Never none: each block has an address of its own.
        let mut words = Words::zeroed(len.max(1))?;
        words.truncate(len);
        let index = memory.blocks.len();
        crate::allocation::more(&mut memory.blocks, 1)?;
        memory.blocks.push(words);
        let start = memory.blocks[index].as_mut_slice().as_mut_ptr();
        memory.by_address.insert(start.addr(), index);
        Ok(start)
    }

    /// Takes a value for the result.
    ///
    /// # Errors
    /// What is wrong with it, which is also the outcome of the task unless another result follows.
    pub(super) fn set_result(&self, result: Result<Borrowed<'_>>) -> Result<()> {
        let read = result.and_then(|borrowed| {
            let mut places = Places::new(self, borrowed.parts);
            let value = wire::read(borrowed.wire, &mut places, Limits::DEFAULT)?;
            Ok(Placed { value, blocks: places.blocks })
        });
        let told = read.as_ref().map(|_| ()).map_err(Clone::clone);
        let before = self.result.replace(Some(read));
        drop(before);
        told
    }

    /// The port of this part of the input.
    pub(super) fn port(&self, index: usize) -> Option<PortValue> {
        match self.input.held.get(index) {
            Some(Held::Port(port)) => Some(port.clone()),
            _ => None,
        }
    }

    /// Shows a value to the task until it releases it.
    pub(super) fn show(&self, value: Value) -> Result<abi::Value> {
        let shown = Box::new(Shown::of(value)?);
        let seen = shown.as_abi();
        self.shown.borrow_mut().insert(seen.wire.addr(), shown);
        Ok(seen)
    }

    /// Frees what was shown.
    pub(super) fn release(&self, wire: *const u8) {
        let shown = self.shown.borrow_mut().remove(&wire.addr());
        // After the borrow: a port in it closes, which runs code of the channel.
        drop(shown);
    }
}

/// A value that a pack shows, as slices. Good for the call of the host's function.
pub(super) struct Borrowed<'a> {
    pub(super) wire: &'a [u8],
    pub(super) parts: &'a [abi::Part],
}

impl<'a> Borrowed<'a> {
    /// # Errors
    /// That the pointers or lengths cannot be those of a value.
    ///
    /// # Safety
    /// `value` must be null or point to an `rw_value`, of which both pointers are null or point to as many items as it says, for `'a`.
    pub(super) unsafe fn read(value: *const abi::Value) -> Result<Self> {
        if value.is_null() || !value.is_aligned() {
            return Err(malformed("the pointer to it is null"));
        }
        // SAFETY: the caller's word; it is not null.
        let abi::Value { wire, wire_len, parts, parts_len } = unsafe { value.read() };
        if wire.is_null() || wire_len == 0 {
            return Err(malformed("it has no wire"));
        }
        if wire_len > Limits::DEFAULT.size {
            return Err(Error::new(
                Code::ValueTooLarge,
                format!("the value has a wire of {wire_len} bytes: pass blocks of bytes as parts"),
            ));
        }
        // SAFETY: the caller's word; it is not null, and of a size that is checked.
        let wire = unsafe { std::slice::from_raw_parts(wire, wire_len) };
        if parts_len == 0 {
            return Ok(Borrowed { wire, parts: &[] });
        }
        // Each is named by some bytes of the wire, or it is not needed.
        if parts.is_null() || !parts.is_aligned() || parts_len > wire_len {
            return Err(malformed("its parts are null, or more than its wire can name"));
        }
        // SAFETY: the caller's word; it is not null, is aligned, and the number is checked.
        let parts = unsafe { std::slice::from_raw_parts(parts, parts_len) };
        Ok(Borrowed { wire, parts })
    }
}

/// The parts of a result: memory of the call.
struct Places<'a> {
    whole: &'a Whole,
    parts: &'a [abi::Part],
    /// The blocks of the input by their addresses, but for empty ones.
    of_input: HashMap<usize, usize>,
    /// Which memory was named, by its address.
    named: HashSet<usize>,
    blocks: Vec<Block>,
}

/// The block of bytes at an index.
fn part_at(parts: &[abi::Part], index: usize) -> Result<&abi::Part> {
    let part = parts.get(index).ok_or_else(|| malformed("it names a part that is not there"))?;
    if part.kind == abi::part::BYTES {
        Ok(part)
    } else {
        Err(malformed("a part is of another kind than its value"))
    }
}

impl<'a> Places<'a> {
    fn new(whole: &'a Whole, parts: &'a [abi::Part]) -> Self {
        let blocks =
            || whole.input.parts.iter().enumerate().filter(|(_, part)| part.kind == abi::part::BYTES);
        let of_input = if parts.is_empty() {
            HashMap::new()
        } else {
            blocks().filter(|(_, part)| part.len > 0).map(|(index, part)| (part.data.addr(), index)).collect()
        };
        Places { whole, parts, of_input, named: HashSet::new(), blocks: Vec::new() }
    }

    fn find(&self, part: &abi::Part) -> Result<Block> {
        let memory = self.whole.memory.borrow();
        if let Some(&index) = memory.by_address.get(&part.data.addr()) {
            return if part.len <= memory.blocks[index].len() {
                Ok(Block::Allocated(index, part.len))
            } else {
                Err(malformed("a part is longer than what was allocated for it"))
            };
        }
        let of_input = self.of_input.get(&part.data.addr()).copied();
        of_input.filter(|&index| self.whole.input.parts[index].len == part.len).map(Block::OfInput).ok_or_else(|| {
            malformed("a part is neither memory of rw_host.alloc, from its beginning, nor a whole part of the input")
        })
    }
}

impl Blocks for Places<'_> {
    fn block(&mut self, index: usize, kind: BytesKind) -> Result<Bytes> {
        let part = part_at(self.parts, index)?;
        fits(kind, part.len)?;
        // Of no bytes there is nothing to find: empty blocks of an input may all have one address.
        let block = if part.len == 0 { Block::Own } else { self.find(part)? };
        if part.len > 0 && !self.named.insert(part.data.addr()) {
            return Err(malformed("it names a part twice"));
        }
        self.blocks.push(block);
        Ok(Bytes::owned(kind, Words::default()))
    }

    fn port(&mut self, index: usize) -> Result<PortValue> {
        // A port has no address, by which it could be found: its index is that of its part in the input.
        self.whole
            .port(index)
            .ok_or_else(|| malformed("a port is none of the input's: give the index of its part there"))
    }

    fn stood_in_wire(&mut self) {
        self.blocks.push(Block::Own);
    }
}

/// The parts of a value that is copied.
pub(super) struct Copies<'a> {
    parts: &'a [abi::Part],
    named: HashSet<usize>,
}

impl<'a> Copies<'a> {
    pub(super) fn of(parts: &'a [abi::Part]) -> Self {
        Copies { parts, named: HashSet::new() }
    }
}

impl Blocks for Copies<'_> {
    fn block(&mut self, index: usize, kind: BytesKind) -> Result<Bytes> {
        let part = part_at(self.parts, index)?;
        fits(kind, part.len)?;
        if part.len == 0 {
            return Ok(Bytes::owned(kind, Words::default()));
        }
        if part.data.is_null() || part.len > isize::MAX as usize {
            return Err(malformed("the memory of a part is null, or longer than memory can be"));
        }
        if !self.named.insert(index) {
            return Err(malformed("it names a part twice"));
        }
        // SAFETY: the pack says that so many bytes are there while the host's function runs; the length is checked.
        let bytes = unsafe { std::slice::from_raw_parts(part.data, part.len) };
        Bytes::copy_from(kind, bytes)
    }

    fn port(&mut self, _: usize) -> Result<PortValue> {
        Err(Error::new(Code::UnsupportedValue, "a task cannot send a port on: leave it out"))
    }
}
