//! Packs: loading them.

use std::path::Path;

use napi_derive::napi;

use super::pool::NativeTask;
use crate::packs::Packs;
use crate::tasks::builtin;

/// A pack that is loaded, or why it is not.
#[napi(object, object_from_js = false)]
pub struct LoadedPack {
    /// The code and the message of the error.
    pub error: Option<Vec<String>>,
    pub name: &'static str,
    pub version: &'static str,
    pub path: String,
    pub tasks: Vec<NativeTask>,
}

/// Loads the pack of this file, whose path is absolute, or finds it where this process has loaded it before.
#[napi(catch_unwind)]
pub fn load_pack(path: String) -> LoadedPack {
    match Packs::global().load(Path::new(&path)) {
        Ok(pack) => {
            let registry = builtin();
            let task = |&number: &usize| Some(NativeTask::of(number, registry.at(number)?));
            LoadedPack {
                error: None,
                name: pack.name,
                version: pack.version,
                path: pack.path.to_string(),
                tasks: pack.tasks.iter().filter_map(task).collect(),
            }
        }
        Err(error) => LoadedPack {
            error: Some(vec![error.code().as_str().to_owned(), error.message().to_owned()]),
            name: "",
            version: "",
            path,
            tasks: Vec::new(),
        },
    }
}
