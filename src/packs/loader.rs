//! Opens libraries, and adds the tasks of those that are packs to the registry.
//!
//! *Once in a process.* What has become of a library is kept by its file, and by the address of its function, which is the same
//! where the system knows the file by another name. Of threads that load one pack at the same time the first calls its function, and the
//! others wait for what becomes of it; those that load other packs do not, so one whose function never returns keeps nobody else. A library
//! that was refused after its function had run is refused in the same words again: the function is called once.
//!
//! *All or nothing.* Every table is read, checked and copied before the first task is registered. Nothing is ever unloaded: threads, and what
//! they leave when they end, may need the library's code. So a library that is no pack stays in the process too.
//!
//! *A library is code.* Opening it runs its constructors, whatever it is; a crash there is the process's.

// It opens libraries, calls a function of theirs, and reads tables through pointers.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::ffi::{c_char, c_int};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, OnceLock};

use libloading::Library;
use parking_lot::Mutex;
use rust_workers_abi as abi;

use super::file::{find, looks_whole, what_else};
use super::host::HOST;
use super::run::Registered;
use super::task::{Data, PackTask};
use crate::error::{Code, Error, Result};
use crate::panic::guard;
use crate::tasks::{Registry, Task, TaskFacts, builtin};

/// The most tasks that a pack may have: more is a table that is none.
const MOST_TASKS: usize = 10_000;
/// The most bytes of a name.
const LONGEST_NAME: usize = 200;
/// The most bytes of another text.
const LONGEST_TEXT: usize = 4_000;
const KNOWN_FLAGS: u32 = abi::flags::IN_PLACE | abi::flags::PARALLEL | abi::flags::ATOMIC;

/// A pack that is loaded.
#[derive(Debug)]
pub struct Pack {
    /// As it calls itself.
    pub name: &'static str,
    /// Its own version.
    pub version: &'static str,
    /// Its file.
    pub path: Arc<str>,
    /// Its tasks, by their numbers in the registry.
    pub tasks: Vec<usize>,
}

/// What has become of a library.
type Outcome = Result<Arc<Pack>>;

#[derive(Default)]
struct Table {
    by_path: HashMap<PathBuf, Outcome>,
    /// By the address of the pack's function.
    by_function: HashMap<usize, Arc<OnceLock<Outcome>>>,
}

/// The packs of a process.
pub struct Packs {
    registry: Arc<Registry>,
    table: Mutex<Table>,
}

static PACKS: LazyLock<Packs> = LazyLock::new(|| Packs::of(builtin()));

impl Packs {
    /// Those whose tasks are in the registry of all pools.
    pub fn global() -> &'static Packs {
        &PACKS
    }

    pub(super) fn of(registry: Arc<Registry>) -> Self {
        Packs { registry, table: Mutex::default() }
    }

    /// Loads the pack in this file, or finds it where it was loaded before.
    ///
    /// # Errors
    /// `PackLoad` and `PackVersion`, which name the file and say what is wrong with it.
    pub fn load(&self, path: &Path) -> Result<Arc<Pack>> {
        let shown = path.display();
        let file = find(path).map_err(|why| fault(&shown, why))?;
        if let Some(outcome) = self.table.lock().by_path.get(&file) {
            return outcome.clone();
        }
        let function = open(&file).map_err(|why| fault(&shown, why))?;
        // Not `fn_addr_eq`: it is the function of one library, which the loader has mapped once.
        let address = function as usize;
        let cell = Arc::clone(self.table.lock().by_function.entry(address).or_default());
        let begin = || {
            guard(|| self.begin(function, &file)).unwrap_or_else(|panic| Err(fault(&shown, panic.message())))
        };
        // Not under the lock: the pack's code runs here.
        let outcome = cell.get_or_init(begin).clone();
        self.table.lock().by_path.insert(file, outcome.clone());
        outcome
    }

    /// Calls the pack's function, and registers its tasks.
    fn begin(&self, function: abi::PackFn, file: &Path) -> Outcome {
        let path: Arc<str> = file.display().to_string().into();
        let read = Read { path: &path };
        let table = read.table(function)?;
        let name = read.name(table.name, "the pack's name")?;
        let version = read.text(table.version, "the pack's version")?.unwrap_or("");
        let tasks = read.tasks(&table)?;
        let facts = |task: &PackTask| TaskFacts {
            name: task.name,
            takes: task.takes.unwrap_or("what its pack says"),
            in_place: task.flags & abi::flags::IN_PLACE != 0,
            parallel: task.flags & abi::flags::PARALLEL != 0,
            wakes_plain: false,
        };
        let registered = |task: PackTask| {
            let facts = facts(&task);
            Task::of(facts, Box::new(Registered(Box::leak(Box::new(task)))))
        };
        let tasks = self.registry.add_pack(tasks.into_iter().map(registered).collect())?;
        Ok(Arc::new(Pack { name, version, path, tasks: tasks.collect() }))
    }
}

fn fault(path: &impl std::fmt::Display, why: impl std::fmt::Display) -> Error {
    Error::new(Code::PackLoad, format!("the pack '{path}' does not load: {why}"))
}

/// Opens a library, for good, and finds the function of a pack in it.
fn open(file: &Path) -> Result<abi::PackFn, String> {
    looks_whole(file)?;
    // SAFETY: what runs by opening it is the code of the program's choice; see the head of this file.
    let library = unsafe { open_library(file) };
    let library = library.map_err(|error| {
        what_else(file)
            .unwrap_or_else(|| format!("it is no library that this process can open: {}", reason(&error)))
    })?;
    // Before anything else can end this: nothing is unloaded.
    let library = Box::leak(Box::new(library));
    // SAFETY: the name is that of the interface, which says of which type it is.
    let function = unsafe { library.get::<abi::PackFn>(abi::PACK_SYMBOL.to_bytes_with_nul()) };
    function.map(|function| *function).map_err(|_| {
        // SAFETY: it is only looked for.
        let addon = unsafe { library.get::<*const ()>(b"napi_register_module_v1\0") };
        if addon.is_ok() { NO_PACK_BUT_ADDON } else { NO_PACK }.to_owned()
    })
}

/// Of a library that does not export the function of a pack.
const NO_PACK: &str = "it is a library, and no pack: it does not export the function 'rust_workers_pack'. In Rust, put \
    #[rust_workers_task::task] on a function of the crate that is the library; in C, RW_PACK at the end of a file";
const NO_PACK_BUT_ADDON: &str = "it is an addon, and no pack: load it by `require`. It can have a pool's threads by `pool.engine` (docs/shared-engine.md)";

/// # Safety
/// The constructors of the library run.
#[cfg(unix)]
unsafe fn open_library(file: &Path) -> Result<Library, libloading::Error> {
    use libloading::os::unix;
    // At once: a function that is missing should be missed now, and not when a task calls it.
    // SAFETY: the caller's.
    unsafe { unix::Library::open(Some(file), unix::RTLD_NOW | unix::RTLD_LOCAL) }.map(Into::into)
}

/// # Safety
/// The constructors of the library run.
#[cfg(not(unix))]
unsafe fn open_library(file: &Path) -> Result<Library, libloading::Error> {
    use libloading::os::windows;
    // Libraries that it needs may stand beside it.
    let flags = windows::LOAD_LIBRARY_SEARCH_DEFAULT_DIRS | windows::LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR;
    // SAFETY: the caller's.
    unsafe { windows::Library::load_with_flags(file, flags) }.map(Into::into)
}

/// What the system says, without the words of libloading.
fn reason(error: &libloading::Error) -> String {
    match error {
        libloading::Error::DlOpen { source } => source.to_string(),
        other => std::error::Error::source(other).map_or_else(|| other.to_string(), ToString::to_string),
    }
}

/// Reads the tables of the pack in this file.
struct Read<'a> {
    path: &'a str,
}

impl Read<'_> {
    fn fault(&self, why: impl std::fmt::Display) -> Error {
        fault(&self.path, why)
    }

    /// What the pack's function returns.
    fn table(&self, function: abi::PackFn) -> Result<abi::Pack> {
        let mut error: *const c_char = std::ptr::null();
        // SAFETY: it is a function of this type by the interface, called once; the table of the host lives as long as the process.
        let table = unsafe { function(&raw const HOST, &raw mut error) };
        if table.is_null() {
            let message = self.text(error, "its message")?;
            return Err(match message {
                Some(message) => self.fault(format_args!("it refused: {message}")),
                None => self.fault(format_args!(
                    "it refused, without saying why; it may be made for another version of the interface than {}",
                    abi::ABI
                )),
            });
        }
        if !table.is_aligned() {
            return Err(self.fault("its table is at an odd address"));
        }
        // SAFETY: every version of the table begins with two numbers, its size and its version.
        let [size, version] = unsafe { table.cast::<[u32; 2]>().read() };
        if version != abi::ABI {
            return Err(Error::new(
                Code::PackVersion,
                format!(
                    "the pack '{}' is made for version {version} of the interface, and this rust-workers has version {}: \
                     build it with the header or the crate of this rust-workers",
                    self.path,
                    abi::ABI
                ),
            ));
        }
        if (size as usize) < size_of::<abi::Pack>() {
            return Err(self.fault(format_args!("its table says that it has {size} bytes, and is larger")));
        }
        // SAFETY: it is a table of this version, and as large as that.
        Ok(unsafe { table.read() })
    }

    fn tasks(&self, table: &abi::Pack) -> Result<Vec<PackTask>> {
        let count = table.tasks_len;
        if count == 0 || count > MOST_TASKS {
            return Err(
                self.fault(format_args!("it has {count} tasks, where 1 to {MOST_TASKS} are possible"))
            );
        }
        if table.tasks.is_null() || !table.tasks.is_aligned() {
            return Err(self.fault("its list of tasks is null"));
        }
        // SAFETY: the table says that so many pointers are there; null and the number are checked.
        let list = unsafe { std::slice::from_raw_parts(table.tasks, count) };
        let mut tasks: Vec<PackTask> = Vec::with_capacity(count);
        let mut names = std::collections::HashSet::new();
        for (index, &task) in list.iter().enumerate() {
            let task = self.task(task, index)?;
            if !names.insert(task.name) {
                return Err(self.fault(format_args!("it has two tasks named '{}'", task.name)));
            }
            tasks.push(task);
        }
        Ok(tasks)
    }

    fn task(&self, task: *const abi::Task, index: usize) -> Result<PackTask> {
        if task.is_null() || !task.is_aligned() {
            return Err(self.fault(format_args!("its task {index} is null")));
        }
        // SAFETY: every version of the struct begins with its size.
        let size = unsafe { task.cast::<u32>().read() };
        if (size as usize) < size_of::<abi::Task>() {
            return Err(
                self.fault(format_args!("its task {index} says that it has {size} bytes, and is larger"))
            );
        }
        // SAFETY: it is as large as this version has it.
        let abi::Task { flags, name, takes, run, data, .. } = unsafe { task.read() };
        let name = self.name(name, format_args!("the name of its task {index}"))?;
        let takes = self.text(takes, format_args!("what its task '{name}' takes"))?;
        let run = run.ok_or_else(|| self.fault(format_args!("its task '{name}' has no function")))?;
        if flags & !KNOWN_FLAGS != 0 {
            return Err(
                self.fault(format_args!("its task '{name}' has flags {flags:#x}, of which some are unknown"))
            );
        }
        Ok(PackTask { name, takes, flags, run, data: Data(data), path: self.path.into() })
    }

    /// A name that a task or a pack can have.
    fn name(&self, text: *const c_char, what: impl std::fmt::Display) -> Result<&'static str> {
        let name = self.text(text, &what)?.unwrap_or("");
        let why = if name.is_empty() {
            "is empty"
        } else if name.len() > LONGEST_NAME {
            "is too long"
        } else if name.contains(':') {
            "has a colon, which is for prefixes such as 'native:'"
        } else if name.chars().any(char::is_control) {
            "has characters that cannot be seen"
        } else {
            return Ok(name);
        };
        Err(self.fault(format_args!("{what} {why}")))
    }

    /// A text that ends with a zero; nothing for null. It is kept for as long as the process lives, as the pack is.
    fn text(&self, text: *const c_char, what: impl std::fmt::Display) -> Result<Option<&'static str>> {
        if text.is_null() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        loop {
            // SAFETY: the interface says that it ends with a zero, and nothing behind that is read.
            let byte = unsafe { text.wrapping_add(bytes.len()).read() };
            match byte as c_int & 0xff {
                0 => break,
                byte => bytes.push(byte as u8),
            }
            if bytes.len() > LONGEST_TEXT {
                return Err(self.fault(format_args!("{what} is longer than {LONGEST_TEXT} bytes")));
            }
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text.leak())),
            Err(_) => Err(self.fault(format_args!("{what} is no UTF-8"))),
        }
    }
}
