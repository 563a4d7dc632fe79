//! The pack that the host asks for.

use std::ffi::{CString, c_char, c_void};
use std::ptr;
use std::sync::OnceLock;

use rust_workers_abi as abi;

use super::entry::run_task;
use crate::registry::{Registration, refusal, tasks};

/// A text that ends with a zero and lives as long as the process. The attribute has refused names with a zero.
fn forever(text: &str) -> *const c_char {
    CString::new(text).unwrap_or_default().into_raw()
}

struct Pack(abi::Pack);

// SAFETY: made once, and only read from then on.
unsafe impl Sync for Pack {}
// SAFETY: as above.
unsafe impl Send for Pack {}

fn make_pack(tasks: &[&'static Registration]) -> abi::Pack {
    let (name, version) = tasks.first().map_or(("", ""), |task| task.package);
    let made: Vec<*const abi::Task> = tasks
        .iter()
        .map(|task| {
            let takes = if task.takes.is_empty() { ptr::null() } else { forever(task.takes) };
            let data: *const Registration = *task;
            let task = abi::Task {
                size: size_of::<abi::Task>() as u32,
                flags: task.flags,
                name: forever(task.name),
                takes,
                run: Some(run_task),
                data: data.cast_mut().cast::<c_void>(),
            };
            ptr::from_ref(Box::leak(Box::new(task)))
        })
        .collect();
    let tasks_len = made.len();
    abi::Pack {
        size: size_of::<abi::Pack>() as u32,
        abi: abi::ABI,
        name: forever(name),
        version: forever(version),
        tasks: made.leak().as_ptr(),
        tasks_len,
    }
}

/// What the host looks for in the library: its tasks.
///
/// # Safety
/// As the header says: `host` is valid as long as the process, and `error` may be written to.
#[unsafe(no_mangle)]
#[allow(unreachable_pub)] // the linker reaches it
pub unsafe extern "C" fn rust_workers_pack(
    host: *const abi::Host,
    error: *mut *const c_char,
) -> *const abi::Pack {
    static PACK: OnceLock<Pack> = OnceLock::new();
    // SAFETY: every host begins with its size, whatever its version.
    let size = unsafe { (*host).size };
    // SAFETY: and then its version.
    let version = unsafe { (*host).abi };
    // Made of texts of ours, in memory that an allocator of ours gives: it does not panic.
    let tasks = tasks();
    match refusal(version, size as usize, &tasks) {
        None => &raw const PACK.get_or_init(|| Pack(make_pack(&tasks))).0,
        Some(why) => {
            // SAFETY: the host gives a place for it.
            unsafe { *error = forever(&why) };
            ptr::null()
        }
    }
}
