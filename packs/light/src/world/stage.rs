//! A stage: one interpreter in one region, made once for a thread, and set to a tenant's world before each task.
//!
//! Unsafe: the interpreter's callbacks get a pointer to the [`Core`], which is boxed and outlives the interpreter (whose memory is the core's
//! region); addresses of the interpreter's own are kept over restores, because they are the same in each of its pictures. A region is
//! borrowed by a callback, or by Rust code that calls nothing of the interpreter meanwhile: never by both.
#![allow(unsafe_code)]

use std::cell::{Cell, RefCell, UnsafeCell};
use std::ffi::c_void;
use std::sync::Arc;

use rust_workers_quickjs as sys;

use super::host_functions;
use super::image::{Base, Image, Page};
use super::js::{Context, Outcome, Promise, Raw, Thrown, Value};
use super::region::Region;
use super::watch::Watch;
use crate::definition::Definition;

/// Memory of a stage, beyond what its tasks may have: for what is split up, and for the interpreter itself.
const SPARE: usize = 2;
/// More than this beyond a world is given back to the system after the task.
const KEPT: usize = 1 << 20;

/// So often in a row a stage is set back to one world until its memory is watched for what tasks write to: that costs as much as some dozen
/// comparisons of all of it.
const WATCHED_FROM: u32 = 64;

/// What native code of the interpreter and of this pack may need beyond the limit that the interpreter keeps.
const RESERVED: usize = 160 << 10;
/// A thread with less than this left runs no light code: everything is too deep.
const LEAST_STACK: usize = 4 << 10;

/// What the interpreter's callbacks need.
pub(crate) struct Core {
    region: UnsafeCell<Region>,
    pub(crate) watch: Watch,
    pub(crate) helpers: Cell<Option<Raw>>,
    /// Whose world it is.
    pub(crate) definition: RefCell<Option<Arc<Definition>>>,
}

/// See the head of the file.
pub(crate) struct Stage {
    core: Box<Core>,
    ctx: *mut sys::JSContext,
    base: Base,
    capacity: usize,
    /// What a task has left is still there.
    dirty: bool,
    /// How often in a row the stage was set back to the world that stands there.
    repeats: u32,
    /// The pages that tasks in this world have written to, while its memory is watched, as they are in its picture.
    written: Vec<Page>,
}

/// What instantiating a definition gave.
pub(crate) struct World {
    image: Image,
    functions: Vec<Raw>,
}

impl World {
    pub(crate) fn size(&self) -> usize {
        self.image.size() + self.functions.len() * size_of::<Raw>() + size_of::<World>()
    }
}

/// The functions of the prelude.
#[derive(Clone)]
pub(crate) struct Helpers<'w> {
    context: Context<'w>,
    list: Raw,
}

impl Core {
    #[allow(clippy::mut_from_ref)] // One at a time: see the head of the file.
    fn region(&self) -> &mut Region {
        // SAFETY: nobody else has it: see the head of the file.
        unsafe { &mut *self.region.get() }
    }

    /// # Safety
    /// `opaque` is what the stage gave the interpreter.
    pub(crate) unsafe fn of<'a>(opaque: *mut c_void) -> &'a Core {
        // SAFETY: by the contract; the core outlives the interpreter.
        unsafe { &*opaque.cast::<Core>() }
    }

    /// # Safety
    /// `ctx` is the context of a stage's interpreter.
    pub(crate) unsafe fn of_context<'a>(ctx: *mut sys::JSContext) -> &'a Core {
        // SAFETY: by the contract.
        let runtime = unsafe { sys::JS_GetRuntime(ctx) };
        // SAFETY: as above.
        let opaque = unsafe { sys::JS_GetRuntimeOpaque(runtime) };
        // SAFETY: the stage set it.
        unsafe { Core::of(opaque) }
    }

    pub(crate) fn helpers_of<'w>(&self, context: Context<'w>) -> Option<Helpers<'w>> {
        self.helpers.get().map(|list| Helpers { context, list })
    }
}

impl Stage {
    /// A stage whose tasks may have up to `memory` bytes. `None`: the system has not that much.
    pub(crate) fn new(memory: usize) -> Option<Stage> {
        let region = Region::new(memory.checked_mul(SPARE)?)?;
        let watch = Watch::default();
        watch.end();
        let core = Box::new(Core {
            region: UnsafeCell::new(region),
            watch,
            helpers: Cell::new(None),
            definition: RefCell::new(None),
        });
        let opaque = std::ptr::from_ref::<Core>(&core).cast_mut().cast::<c_void>();
        let functions = sys::JSMallocFunctions {
            js_calloc: Some(allocate_zeroed),
            js_malloc: Some(allocate),
            js_free: Some(free),
            js_realloc: Some(reallocate),
            js_malloc_usable_size: Some(usable_size),
        };
        // SAFETY: the functions work with the core, which outlives the interpreter.
        let runtime = unsafe { sys::JS_NewRuntime2(&functions, opaque) };
        if runtime.is_null() {
            return None;
        }
        // SAFETY: the runtime lives.
        unsafe { sys::JS_SetRuntimeOpaque(runtime, opaque) };
        // SAFETY: as above; the handler works with the core.
        unsafe { sys::JS_SetInterruptHandler(runtime, Some(interrupt), opaque) };
        // SAFETY: as above.
        unsafe { sys::JS_SetHostPromiseRejectionTracker(runtime, Some(rejected), opaque) };
        // SAFETY: as above.
        let ctx = unsafe { sys::JS_NewContextRaw(runtime) };
        if ctx.is_null() {
            return None;
        }
        // SAFETY: the context was made on this thread, and lives as long as the region.
        let context = unsafe { Context::from_raw(ctx) };
        let helpers = prepare(context).ok()?;
        core.helpers.set(Some(helpers.into_raw()));
        let base = Base::take(core.region());
        Some(Stage { core, ctx, base, capacity: memory, dirty: false, repeats: 0, written: Vec::new() })
    }

    /// How much memory its tasks may have.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(crate) fn watch(&self) -> &Watch {
        &self.core.watch
    }

    /// The interpreter, for as long as the stage is borrowed.
    pub(crate) fn context(&self) -> Context<'_> {
        // SAFETY: the context lives as long as the stage, which stays on its thread.
        unsafe { Context::from_raw(self.ctx) }
    }

    pub(crate) fn helpers(&self) -> Helpers<'_> {
        Helpers { context: self.context(), list: self.core.helpers.get().unwrap_or(sys::JS_UNDEFINED) }
    }

    /// Sets the stage to where nobody has been.
    pub(crate) fn set_empty(&mut self) {
        let before = self.core.region().extent();
        self.core.region().unwatch();
        self.repeats = 0;
        self.base.restore(self.core.region());
        self.tidy(before);
        *self.core.definition.borrow_mut() = None;
        self.dirty = true;
    }

    /// Sets the stage to a world; nothing is left of the task before.
    pub(crate) fn set(&mut self, world: &World, definition: &Arc<Definition>) {
        let same =
            self.core.definition.borrow().as_ref().is_some_and(|current| Arc::ptr_eq(current, definition));
        if same && !self.dirty {
            return;
        }
        let before = self.core.region().extent();
        self.repeats = if same { self.repeats.wrapping_add(1) } else { 0 };
        self.restore(&world.image);
        self.tidy(before);
        if !same {
            *self.core.definition.borrow_mut() = Some(definition.clone());
        }
        self.dirty = false;
    }

    /// Sets the region to a picture: the one that it was set to before, where `repeats` is not 0.
    fn restore(&mut self, image: &Image) {
        let region = self.core.region();
        // Asked each time, which is a call of the system: a handler that came after ours would take the next fault for a crash.
        if self.repeats > 0
            && let Some(guard) = region.guard().filter(|guard| guard.is_sound())
        {
            let written = guard.written();
            if written.len() != self.written.len() {
                self.written = written.map(|number| image.page(number, &self.base)).collect();
            }
            image.restore_pages(region, &mut self.written);
            debug_assert!(image.stands_in(region, &self.base), "a page was written to, and was not noted");
            return;
        }
        region.unwatch();
        self.written.clear();
        image.restore(region, &self.base);
        if self.repeats == WATCHED_FROM {
            region.watch(image.extent());
        }
    }

    /// A task begins, which changes the world.
    pub(crate) fn touch(&mut self) {
        self.dirty = true;
    }

    /// Whose world stands here, if what its tasks have left counts.
    pub(crate) fn with_state(&self) -> Option<Arc<Definition>> {
        let current = self.core.definition.borrow();
        current.as_ref().filter(|definition| definition.options.state && !self.dirty).cloned()
    }

    /// Takes what stands here as the world from now on.
    pub(crate) fn save(&mut self, world: &mut World) {
        world.image = Image::take(self.core.region(), &self.base);
    }

    fn tidy(&mut self, before: usize) {
        let after = self.core.region().extent();
        if before > after + KEPT {
            self.core.region().release(after, before);
        }
    }

    /// Takes what stands on the stage as the world of `definition`, with its functions.
    pub(crate) fn keep(&mut self, functions: Vec<Raw>, definition: &Arc<Definition>) -> World {
        *self.core.definition.borrow_mut() = Some(definition.clone());
        World { image: Image::take(self.core.region(), &self.base), functions }
    }

    /// Host functions find their names in the definition.
    pub(crate) fn announce(&self, definition: &Arc<Definition>) {
        *self.core.definition.borrow_mut() = Some(definition.clone());
    }

    /// From this call on, as deep as `stack` bytes, and not deeper than the thread's own stack allows.
    pub(crate) fn limit_stack(&self, stack: usize) {
        let left = stacker::remaining_stack().map_or(stack, |left| left.saturating_sub(RESERVED));
        self.context().limit_stack(stack.min(left).max(LEAST_STACK));
    }

    /// What the first promise was rejected with that nobody has seen to.
    pub(crate) fn unhandled(&self) -> Option<Value<'_>> {
        let mut reasons = self.watch().unhandled().into_iter().map(|reason| self.context().own(reason));
        reasons.next()
    }

    /// A function of the world that the stage is set to.
    pub(crate) fn function(&self, world: &World, index: usize) -> Option<Value<'_>> {
        world.functions.get(index).map(|raw| self.context().share(*raw))
    }
}

/// The language's objects, the host's functions that all worlds have, and the prelude.
fn prepare(context: Context<'_>) -> Outcome<'_> {
    let ctx = context.raw();
    let intrinsics: [unsafe extern "C" fn(*mut sys::JSContext) -> i32; 11] = [
        sys::JS_AddIntrinsicBaseObjects,
        sys::JS_AddIntrinsicDate,
        sys::JS_AddIntrinsicEval,
        sys::JS_AddIntrinsicRegExp,
        sys::JS_AddIntrinsicJSON,
        sys::JS_AddIntrinsicProxy,
        sys::JS_AddIntrinsicMapSet,
        sys::JS_AddIntrinsicTypedArrays,
        sys::JS_AddIntrinsicPromise,
        sys::JS_AddIntrinsicBigInt,
        sys::JS_AddIntrinsicWeakRef,
    ];
    for add in intrinsics {
        // SAFETY: the context lives.
        if unsafe { add(ctx) } < 0 {
            return Err(Thrown);
        }
    }
    host_functions::add_progress(context)?;
    let prelude = context.compile(include_str!("prelude.js"), "rust-workers", 1)?;
    let bytecode = context.bytecode(&prelude)?;
    // SAFETY: it was compiled just now.
    let prelude = unsafe { context.load(&bytecode) }?;
    context.evaluate(prelude)
}

impl<'w> Helpers<'w> {
    pub(crate) fn context(&self) -> Context<'w> {
        self.context
    }

    fn at(&self, index: u32) -> Outcome<'w> {
        self.context.share(self.list).get_index(index)
    }

    fn call(&self, index: u32, arguments: &[&Value<'w>]) -> Outcome<'w> {
        self.at(index)?.call(&self.context.undefined(), arguments)
    }

    pub(crate) fn map_entries(&self, map: &Value<'w>) -> Outcome<'w> {
        self.call(0, &[map])
    }

    pub(crate) fn set_values(&self, set: &Value<'w>) -> Outcome<'w> {
        self.call(1, &[set])
    }

    pub(crate) fn make_map(&self, entries: &Value<'w>) -> Outcome<'w> {
        self.call(2, &[entries])
    }

    pub(crate) fn make_set(&self, values: &Value<'w>) -> Outcome<'w> {
        self.call(3, &[values])
    }

    pub(crate) fn make_bigint(&self, hex: &Value<'w>, negative: &Value<'w>) -> Outcome<'w> {
        self.call(4, &[hex, negative])
    }

    pub(crate) fn bigint_hex(&self, value: &Value<'w>) -> Outcome<'w> {
        self.call(5, &[value])
    }

    pub(crate) fn make_data_view(&self, buffer: &Value<'w>) -> Outcome<'w> {
        self.call(6, &[buffer])
    }

    pub(crate) fn data_view_parts(&self, view: &Value<'w>) -> Outcome<'w> {
        self.call(7, &[view])
    }

    pub(crate) fn date_time(&self, date: &Value<'w>) -> Outcome<'w> {
        self.call(8, &[date])
    }

    pub(crate) fn make_error(
        &self,
        class: &Value<'w>,
        message: &Value<'w>,
        name: &Value<'w>,
        stack: &Value<'w>,
    ) -> Outcome<'w> {
        self.call(9, &[class, message, name, stack])
    }

    pub(crate) fn error_parts(&self, error: &Value<'w>) -> Outcome<'w> {
        self.call(10, &[error])
    }

    pub(crate) fn take_clock(&self) -> Result<(), Thrown> {
        self.call(11, &[]).map(drop)
    }

    pub(crate) fn take_random(&self) -> Result<(), Thrown> {
        self.call(12, &[]).map(drop)
    }

    /// The class of `{}`.
    pub(crate) fn plain_class(&self) -> u32 {
        self.at(13).map_or(0, |value| value.class())
    }

    /// The class of shared memory.
    pub(crate) fn shared_class(&self) -> u32 {
        self.at(14).map_or(0, |value| value.class())
    }

    /// What a promise was settled with, once all that can settle it has run; anything else as it is.
    pub(crate) fn settle(&self, value: Value<'w>) -> Result<Settled<'w>, Thrown> {
        loop {
            match value.promise() {
                Promise::None => return Ok(Settled::Value(value)),
                Promise::Fulfilled => return Ok(Settled::Value(value.promise_result())),
                Promise::Rejected => {
                    value.mark_handled();
                    return Ok(Settled::Thrown(value.promise_result()));
                }
                Promise::Pending if !self.context.run_job()? => return Ok(Settled::Never),
                Promise::Pending => {}
            }
        }
    }
}

/// How a call ended.
pub(crate) enum Settled<'w> {
    Value(Value<'w>),
    Thrown(Value<'w>),
    /// It waits for a promise that nothing will settle.
    Never,
}

unsafe extern "C" fn allocate(opaque: *mut c_void, size: sys::size_t) -> *mut c_void {
    // SAFETY: the interpreter gives back what the stage gave it.
    let core = unsafe { Core::of(opaque) };
    let block = core.region().allocate(size as usize, core.watch.limit(size as usize));
    if block.is_null() {
        core.watch.refused();
    }
    block.cast()
}

unsafe extern "C" fn allocate_zeroed(
    opaque: *mut c_void,
    count: sys::size_t,
    size: sys::size_t,
) -> *mut c_void {
    let Some(size) = (count as usize).checked_mul(size as usize) else { return std::ptr::null_mut() };
    // SAFETY: as given.
    let block = unsafe { allocate(opaque, size as sys::size_t) };
    if !block.is_null() {
        // SAFETY: the block has `size` bytes.
        unsafe { std::ptr::write_bytes(block.cast::<u8>(), 0, size) };
    }
    block
}

unsafe extern "C" fn free(opaque: *mut c_void, block: *mut c_void) {
    if block.is_null() {
        return;
    }
    // SAFETY: the interpreter gives back what the stage gave it.
    let core = unsafe { Core::of(opaque) };
    // SAFETY: the interpreter frees blocks of its own, once.
    unsafe { core.region().free(block.cast()) };
}

unsafe extern "C" fn reallocate(opaque: *mut c_void, block: *mut c_void, size: sys::size_t) -> *mut c_void {
    if block.is_null() {
        // SAFETY: as given.
        return unsafe { allocate(opaque, size) };
    }
    // SAFETY: the interpreter gives back what the stage gave it.
    let core = unsafe { Core::of(opaque) };
    // SAFETY: the block is one of its own.
    let moved =
        unsafe { core.region().reallocate(block.cast(), size as usize, core.watch.limit(size as usize)) };
    if moved.is_null() {
        core.watch.refused();
    }
    moved.cast()
}

unsafe extern "C" fn usable_size(block: *const c_void) -> sys::size_t {
    if block.is_null() {
        return 0;
    }
    // SAFETY: the interpreter asks for blocks of its own.
    unsafe { Region::size_of(block.cast()) as sys::size_t }
}

unsafe extern "C" fn interrupt(_runtime: *mut sys::JSRuntime, opaque: *mut c_void) -> i32 {
    // SAFETY: the interpreter gives back what the stage gave it.
    let core = unsafe { Core::of(opaque) };
    i32::from(core.watch.should_stop())
}

unsafe extern "C" fn rejected(
    ctx: *mut sys::JSContext,
    promise: sys::JSValue,
    reason: sys::JSValue,
    handled: bool,
    opaque: *mut c_void,
) {
    // SAFETY: the interpreter gives back what the stage gave it.
    let core = unsafe { Core::of(opaque) };
    // SAFETY: the context lives during the call.
    let context = unsafe { Context::from_raw(ctx) };
    let promise = context.share(promise).identity();
    if handled {
        drop(core.watch.handled(promise).map(|reason| context.own(reason)));
    } else if core.watch.rejected(promise, reason) {
        // The list holds it.
        let _ = context.share(reason).into_raw();
    }
}
