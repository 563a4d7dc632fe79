//! The tasks of a library, and the pack that the host asks for.

use rust_workers_abi as abi;

use crate::error::Error;
use crate::raw::Frame;

/// A task, as the attribute tells of it.
pub struct Registration {
    /// As `pool.run` takes it.
    pub name: &'static str,
    /// Completes "task '…' takes …"; empty: nothing.
    pub takes: &'static str,
    /// `RW_TASK_…`.
    pub flags: u32,
    /// Runs it, and sets its result.
    pub run: for<'f> fn(&'f Frame<'f>) -> Result<(), Error>,
    /// The package that it is in, and that one's version.
    pub package: (&'static str, &'static str),
    /// Where it stands.
    pub place: (&'static str, u32),
}

inventory::collect!(Registration);

/// All tasks, by name.
pub(crate) fn tasks() -> Vec<&'static Registration> {
    let mut tasks: Vec<_> = inventory::iter::<Registration>.into_iter().collect();
    tasks.sort_by_key(|task| task.name);
    tasks
}

/// What stands in the way of the host's use of these tasks.
pub(crate) fn refusal(host_abi: u32, host_size: usize, tasks: &[&Registration]) -> Option<String> {
    if cfg!(panic = "abort") {
        return Some(
            "it was built with panic = \"abort\", so a panic in a task would end the process: remove that from its [profile.release]"
                .to_owned(),
        );
    }
    if host_abi != abi::ABI || host_size < size_of::<abi::Host>() {
        return Some(format!(
            "it was built for version {} of the interface, and this rust-workers has version {host_abi}",
            abi::ABI
        ));
    }
    if tasks.is_empty() {
        return Some("it has no task: put #[rust_workers_task::task] on a function".to_owned());
    }
    tasks.windows(2).find(|pair| pair[0].name == pair[1].name).map(|pair| {
        let [(file, line), (other_file, other_line)] = [pair[0].place, pair[1].place];
        format!("two of its tasks are named '{}': {file}:{line} and {other_file}:{other_line}", pair[0].name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(name: &'static str, line: u32) -> Registration {
        Registration {
            name,
            takes: "",
            flags: 0,
            run: |_| Ok(()),
            package: ("p", "1"),
            place: ("lib.rs", line),
        }
    }

    #[test]
    fn says_why_there_is_no_pack() {
        let (one, same, other) = (task("a", 1), task("a", 2), task("b", 3));
        let size = size_of::<abi::Host>();
        let why = |abi, size, tasks: &[&Registration]| refusal(abi, size, tasks).unwrap_or_default();
        assert_eq!(why(abi::ABI, size, &[&one, &other]), "");
        assert_eq!(why(abi::ABI, size + 8, &[&one, &other]), "");
        assert!(why(abi::ABI, size, &[]).contains("has no task"));
        let twice = why(abi::ABI, size, &[&one, &same, &other]);
        assert!(twice.ends_with("named 'a': lib.rs:1 and lib.rs:2"), "{twice}");
        assert!(why(2, size, &[&one]).ends_with("has version 2"));
        assert!(why(abi::ABI, size - 8, &[&one]).contains("version 1"));
    }
}
