//! The table of built-in tasks.

use std::sync::{Arc, OnceLock};

use super::{Registry, control, fibonacci, hash, locked_add, memory, primes, sort, sum_sqrt, word_count};

static BUILTIN: OnceLock<Arc<Registry>> = OnceLock::new();

/// All tasks that come with the package. Their names are public API.
pub fn builtin() -> Arc<Registry> {
    let registry = BUILTIN.get_or_init(|| {
        let registry = Registry::new();
        let tasks = [
            control::noop(),
            control::echo(),
            control::sleep(),
            control::panic(),
            fibonacci::task(),
            primes::task(),
            sum_sqrt::task(),
            hash::sha256(),
            hash::sha512(),
            hash::blake3(),
            hash::crc32(),
            sort::task(),
            word_count::task(),
            memory::sum(),
            memory::fill(),
            memory::histogram(),
            memory::atomic_add(),
            memory::atomic_wait(),
            memory::atomic_notify(),
            memory::atomic_ping_pong(),
            locked_add::task(),
        ];
        for task in tasks {
            registry.add(task).expect("the built-in names differ");
        }
        Arc::new(registry)
    });
    Arc::clone(registry)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::tasks::{Task, TaskFacts};

    #[test]
    fn every_task_is_found_under_its_name() {
        let registry = builtin();
        for name in [
            "atomicAdd",
            "atomicNotify",
            "atomicPingPong",
            "atomicWait",
            "blake3",
            "crc32",
            "echo",
            "fibonacci",
            "fill",
            "histogram",
            "lockedAdd",
            "noop",
            "panic",
            "primes",
            "sha256",
            "sha512",
            "sleep",
            "sort",
            "sum",
            "sumSqrt",
            "wordCount",
        ] {
            let index = registry.number_of(name).unwrap();
            assert_eq!(registry.at(index).unwrap().facts().name, name);
        }
        assert_eq!(registry.tasks().count(), 21);
    }

    #[test]
    fn the_facts_agree_with_what_the_tasks_take() {
        let registry = builtin();
        let of = |fact: fn(&TaskFacts) -> bool| -> Vec<&str> {
            registry.tasks().map(Task::facts).filter(|facts| fact(facts)).map(|facts| facts.name).collect()
        };
        assert_eq!(of(|facts| facts.in_place), ["sort", "fill"]);
        assert_eq!(of(|facts| facts.wakes_plain), ["atomicNotify"]);
        assert_eq!(of(|facts| facts.parallel), of(|facts| facts.takes.contains("parallel?: boolean")));
        assert_eq!(of(|facts| facts.parallel).len(), 9);
    }
}
