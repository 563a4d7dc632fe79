//! What the operating system knows of a pool's threads: their names and their priority.
//!
//! Only Linux has a priority for each thread that any program may lower, by the same number that `nice` has for a process. On
//! the other systems the functions about it do nothing.

/// How many bytes of a thread's name Linux shows.
const SHOWN: usize = 15;

/// The lowest priority that a thread of Linux may have.
const NICEST: i32 = 19;

/// The name of thread `number` of a pool, whose kind stands before the number: `<pool>-<kind><number>`. On Linux the pool's name
/// is cut where the system would cut the number.
pub fn name_of(pool: &str, kind: &str, number: usize) -> String {
    let end = format!("-{kind}{number}");
    if !cfg!(target_os = "linux") {
        return format!("{pool}{end}");
    }
    let mut room = SHOWN.saturating_sub(end.len()).min(pool.len());
    while !pool.is_char_boundary(room) {
        room -= 1;
    }
    format!("{}{end}", &pool[..room])
}

/// Gives the calling thread a name. A thread that Rust starts has one; a JavaScript thread gets it so.
pub fn set_name(name: &str) {
    #[cfg(target_os = "linux")]
    if let Ok(name) = std::ffi::CString::new(name) {
        // A system that refuses this shows another name, which harms nothing.
        let _ = rustix::thread::set_name(&name);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = name;
}

/// The priority of a thread that is to be `increment` nicer than the calling one; none where nothing is to be changed, or can be.
pub fn nicer_by(increment: i32) -> Option<i32> {
    #[cfg(target_os = "linux")]
    if increment > 0 {
        let own = rustix::process::getpriority_process(None).ok()?;
        return Some(own.saturating_add(increment).min(NICEST));
    }
    let _ = (increment, NICEST);
    None
}

/// Gives the calling thread a priority that [`nicer_by`] has made.
pub fn set_priority(priority: i32) {
    #[cfg(target_os = "linux")]
    {
        // Any thread may lower its own. A sandbox may refuse that, and the thread works all the same.
        let _ = rustix::process::setpriority_process(None, priority);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = priority;
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_number_is_always_in_the_part_of_a_name_that_is_shown() {
        assert_eq!(name_of("rust-workers", "", 7), "rust-workers-7");
        assert_eq!(name_of("rust-workers", "", 1023), "rust-worke-1023");
        assert_eq!(name_of("a pool with a long name", "js", 12), "a pool wit-js12");
        assert_eq!(name_of("", "", 0), "-0");
        // A character of several bytes is not cut in two.
        assert_eq!(name_of("ääääääää", "", 3), "ääääää-3");
        assert_eq!(name_of("x", "", usize::MAX), format!("-{}", usize::MAX));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_thread_takes_the_name_and_the_priority() {
        let before = rustix::process::getpriority_process(None).unwrap();
        assert_eq!(nicer_by(0), None);
        assert_eq!(nicer_by(3), Some((before + 3).min(NICEST)));
        assert_eq!(nicer_by(i32::MAX), Some(NICEST));
        std::thread::spawn(move || {
            set_name("of-this-test");
            set_priority(NICEST);
            let name = std::fs::read_to_string("/proc/thread-self/comm").unwrap();
            assert_eq!(name, "of-this-test\n");
            assert_eq!(rustix::process::getpriority_process(None).unwrap(), NICEST);
        })
        .join()
        .unwrap();
        assert_eq!(rustix::process::getpriority_process(None).unwrap(), before, "of that thread alone");
    }
}
