//! The functions that an environment calls by itself: its wake, and its end.

use std::any::TypeId;
use std::ffi::c_void;
use std::ptr::{from_mut, from_ref, null_mut};

use napi::bindgen_prelude::sys;

use super::call::{Js, JsValue, Result, Status, ask, check, tell};
use super::function::the_one;
use crate::panic::guard;

/// Wakes an environment's event loop from any thread.
pub(crate) struct ThreadsafeFunction {
    raw: sys::napi_threadsafe_function,
    /// The environment it belongs to; only compared.
    env: sys::napi_env,
}

// SAFETY: Node documents that threadsafe functions may be called and released on any thread; what may not takes a `Js`,
// which only the environment's own thread has. The other pointer is not followed.
unsafe impl Send for ThreadsafeFunction {}

impl ThreadsafeFunction {
    /// Has the event loop call the function. An error means that Node has let go of it on this thread's behalf: it must
    /// not be touched again.
    ///
    /// # Safety
    /// Node must not free the function meanwhile: its environment's cleanup hook must not have ended.
    pub(crate) unsafe fn call(&self) -> Result<()> {
        let mode = sys::ThreadsafeFunctionCallMode::nonblocking;
        // SAFETY: the function is alive, as the caller warrants.
        let status = unsafe { sys::napi_call_threadsafe_function(self.raw, null_mut(), mode) };
        // The queue has no limit; what else Node says does not matter, as the next call tries again.
        if status == sys::Status::napi_closing { Err(Status(status)) } else { Ok(()) }
    }

    /// Lets go of the function: Node may free it from here on.
    ///
    /// # Safety
    /// As of [`ThreadsafeFunction::call`].
    pub(crate) unsafe fn release(self) -> Result<()> {
        let mode = sys::ThreadsafeFunctionReleaseMode::release;
        // SAFETY: the function is alive, as the caller warrants.
        check(unsafe { sys::napi_release_threadsafe_function(self.raw, mode) })
    }
}

impl<'call> Js<'call> {
    /// A threadsafe function without a payload and without a JavaScript function: it only wakes `on_wake`. `resource` is
    /// what async hooks are shown for it.
    pub(crate) fn threadsafe_function<D, F>(
        self,
        resource: JsValue<'call>,
        data: &'static D,
        _on_wake: F,
    ) -> Result<ThreadsafeFunction>
    where
        F: Copy + 'static + for<'wake> Fn(Js<'wake>, &'static D),
    {
        // Async hooks, and so Jest, show this name to programs.
        let name = self.string("rust-workers mailbox")?.raw;
        let (none, data) = (null_mut(), from_ref(data).cast_mut().cast());
        let callback = Some(wake::<D, F> as WakeCallback);
        let (queue, threads, finalizer) = (0, 1, None);
        ask!(
            null_mut(),
            napi_create_threadsafe_function(
                self.env,
                none,
                resource.raw,
                name,
                queue,
                threads,
                null_mut(),
                finalizer,
                data,
                callback
            )
        )
        .map(|raw| ThreadsafeFunction { raw, env: self.env })
    }

    /// The function keeps the event loop alive from here on.
    pub(crate) fn hold_loop(self, function: &ThreadsafeFunction) -> Result<()> {
        self.owns_function(function)?;
        tell!(napi_ref_threadsafe_function(self.env, function.raw))
    }

    /// The event loop may end, as far as the function is concerned.
    pub(crate) fn release_loop(self, function: &ThreadsafeFunction) -> Result<()> {
        self.owns_function(function)?;
        tell!(napi_unref_threadsafe_function(self.env, function.raw))
    }

    /// A `Js` of its environment proves that a function is alive: Node frees it when it was let go of, which takes it from
    /// its holder (`wakeup.rs`), and else with the environment. An address is not used again meanwhile.
    fn owns_function(self, function: &ThreadsafeFunction) -> Result<()> {
        if function.env == self.env { Ok(()) } else { Err(Status::INVALID) }
    }

    /// Has `hook` called on this thread when the environment ends. Hooks run in the reverse of this order.
    pub(crate) fn add_cleanup_hook<D, F>(self, data: &'static D, _hook: F) -> Result<()>
    where
        F: Copy + 'static + Fn(&'static D),
    {
        let data = from_ref(data).cast_mut().cast();
        tell!(napi_add_env_cleanup_hook(self.env, Some(cleanup::<D, F>), data))
    }

    /// Keeps `data` for [`Js::instance_data`], for as long as the environment lives and beyond.
    pub(crate) fn set_instance_data<D>(self, data: &'static D) -> Result<()> {
        let data = Box::leak(Box::new(InstanceData { kind: TypeId::of::<D>(), data: from_ref(data).cast() }));
        tell!(napi_set_instance_data(self.env, from_mut(data).cast(), None, null_mut()))
    }

    /// The data that was kept for this environment; an error when it is no `D`.
    pub(crate) fn instance_data<D>(self) -> Result<&'static D> {
        let kept = ask!(null_mut(), napi_get_instance_data(self.env))?.cast::<InstanceData>();
        // SAFETY: only `set_instance_data` keeps anything (napi-rs does not, of itself), and what it keeps it leaks. The data is
        // this addon's alone: Node has it for each addon by itself.
        let kept = unsafe { kept.cast_const().as_ref() }.ok_or(Status::FAILED)?;
        if kept.kind != TypeId::of::<D>() {
            return Err(Status::FAILED);
        }
        // SAFETY: it was made from a `&'static D`, by its kind, on this thread, to which the environment is bound.
        Ok(unsafe { &*kept.data.cast::<D>() })
    }
}

/// The value of an environment's instance data.
struct InstanceData {
    kind: TypeId,
    data: *const c_void,
}

type WakeCallback = unsafe extern "C" fn(sys::napi_env, sys::napi_value, *mut c_void, *mut c_void);

/// # Safety
/// Only Node may call it, for a function that [`Js::threadsafe_function`] has made.
unsafe extern "C" fn wake<D, F>(env: sys::napi_env, _: sys::napi_value, context: *mut c_void, _: *mut c_void)
where
    D: 'static,
    F: Copy + 'static + for<'wake> Fn(Js<'wake>, &'static D),
{
    if env.is_null() {
        // The environment is gone. There is no payload, so there is nothing to free.
        return;
    }
    // SAFETY: `threadsafe_function` was given one, on this thread.
    let on_wake = unsafe { the_one::<F>() };
    // SAFETY: Node runs this callback on the environment's thread with its live environment; `on_wake` takes any lifetime,
    // and `js` does not leave this body.
    let js = unsafe { Js::new(env) };
    // SAFETY: the context is the `&'static D` that the function was made with.
    let data = unsafe { &*context.cast::<D>().cast_const() };
    // A panic here is a fault of ours; it must not cross into Node, nor pass unseen.
    if let Err(panic) = guard(|| on_wake(js, data)) {
        js.report_fault(&format!("{}; please report this", panic.message()));
    }
}

/// # Safety
/// Only Node may call it, for a hook that [`Js::add_cleanup_hook`] has added.
unsafe extern "C" fn cleanup<D, F>(data: *mut c_void)
where
    D: 'static,
    F: Copy + 'static + Fn(&'static D),
{
    // SAFETY: `add_cleanup_hook` was given one, on this thread.
    let hook = unsafe { the_one::<F>() };
    // SAFETY: the data is the `&'static D` that the hook was added with.
    let data = unsafe { &*data.cast::<D>().cast_const() };
    // Nobody is left to report a panic to; the hook reports its own panics (`environment.rs`).
    let _ = guard(|| hook(data));
}
