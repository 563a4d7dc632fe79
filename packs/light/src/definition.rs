//! What tenants have defined, for all threads: sources compiled to bytecode, once, and what worlds are made with.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

/// One tenant.
pub(crate) struct Definition {
    pub(crate) id: u64,
    /// Names and bytecode, which was compiled here: bytecode from outside is never taken.
    pub(crate) functions: Vec<(String, Vec<u8>)>,
    /// The value of an object on the wire, without a header, whose properties are globals.
    pub(crate) globals: Vec<u8>,
    /// Names of the host's functions.
    pub(crate) host: Vec<String>,
    pub(crate) options: Options,
    dropped: AtomicBool,
}

/// What a tenant may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    /// Bytes, the interpreter's own among them.
    pub(crate) memory: usize,
    /// Bytes of the thread's stack.
    pub(crate) stack: usize,
    pub(crate) clock: bool,
    pub(crate) random: bool,
    /// What a task changes is there for the next one on its thread.
    pub(crate) state: bool,
}

struct Registry {
    definitions: Mutex<HashMap<u64, Arc<Definition>>>,
    next: AtomicU64,
    /// How many have been dropped: threads look whether they have something to drop too.
    drops: AtomicU64,
}

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry {
    definitions: Mutex::new(HashMap::new()),
    next: AtomicU64::new(1),
    drops: AtomicU64::new(0),
});

fn definitions() -> MutexGuard<'static, HashMap<u64, Arc<Definition>>> {
    REGISTRY.definitions.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Definition {
    pub(crate) fn new(
        functions: Vec<(String, Vec<u8>)>,
        globals: Vec<u8>,
        host: Vec<String>,
        options: Options,
    ) -> Arc<Definition> {
        let id = REGISTRY.next.fetch_add(1, Ordering::Relaxed);
        Arc::new(Definition { id, functions, globals, host, options, dropped: AtomicBool::new(false) })
    }

    pub(crate) fn was_dropped(&self) -> bool {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// From now on it can be found by its id.
pub(crate) fn register(definition: &Arc<Definition>) {
    definitions().insert(definition.id, definition.clone());
}

thread_local! {
    /// The one that was found last: most calls are of the same as the one before.
    static LAST: RefCell<Option<Arc<Definition>>> = const { RefCell::new(None) };
}

pub(crate) fn find(id: u64) -> Option<Arc<Definition>> {
    LAST.with_borrow_mut(|last| {
        if let Some(definition) = last
            && definition.id == id
            && !definition.was_dropped()
        {
            return Some(definition.clone());
        }
        last.clone_from(&definitions().get(&id).cloned());
        last.clone()
    })
}

/// Whether it was there.
pub(crate) fn remove(id: u64) -> bool {
    let removed = definitions().remove(&id);
    if let Some(definition) = &removed {
        definition.dropped.store(true, Ordering::Relaxed);
        REGISTRY.drops.fetch_add(1, Ordering::Release);
    }
    removed.is_some()
}

/// Changes whenever something was dropped.
pub(crate) fn drops() -> u64 {
    REGISTRY.drops.load(Ordering::Acquire)
}
