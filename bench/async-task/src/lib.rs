//! Two exports for the benchmarks: the no-op task of napi-rs' `AsyncTask`, which runs on libuv's threads, and the processor
//! time of the calling thread, which Node 20 cannot tell.

use napi::bindgen_prelude::AsyncTask;
use napi::{Env, Result, Task};
use napi_derive::napi;

pub struct Noop;

impl Task for Noop {
    type Output = ();
    type JsValue = ();

    fn compute(&mut self) -> Result<()> {
        Ok(())
    }

    fn resolve(&mut self, _env: Env, (): ()) -> Result<()> {
        Ok(())
    }
}

#[napi]
pub fn noop() -> AsyncTask<Noop> {
    AsyncTask::new(Noop)
}

/// Microseconds of processor time that the calling thread has used.
#[cfg(unix)]
#[napi]
pub fn thread_cpu_micros() -> Result<f64> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the answer.
    if unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) } != 0 {
        return Err(std::io::Error::last_os_error().into());
    }
    Ok(time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3)
}
