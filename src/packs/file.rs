//! The file of a pack: where a path leads to; and in words, what it may be that is there, or was meant, where that is no pack.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Component, Path, PathBuf};

/// What Cargo makes by default, instead of a library that a program can load.
const CRATE_TYPE: &str = "put `crate-type = [\"cdylib\"]` under `[lib]` in Cargo.toml, and build again";

/// The file that a path leads to, by its own name.
pub(super) fn find(path: &Path) -> Result<PathBuf, String> {
    let found = fs::metadata(path).and_then(|about| Ok((path.canonicalize()?, about)));
    match found {
        Ok((_, about)) if about.is_dir() => {
            Err("it is a directory; give the library in it, such as target/release/libmy_tasks.so".to_owned())
        }
        Ok((_, about)) if !about.is_file() => Err("it is no regular file".to_owned()),
        Ok((file, _)) => Ok(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(missing(path)),
        Err(error) => Err(format!("it cannot be read: {error}")),
    }
}

/// For a path that leads nowhere: what is near it.
fn missing(path: &Path) -> String {
    const NONE: &str = "there is no such file";
    if let Some(file) = beside(path, is_library) {
        return format!("{NONE}; there is {}", file.display());
    }
    if let Some(file) = in_target(path) {
        return format!("{NONE}; there is {}: build this one, or give that path", file.display());
    }
    let useless = beside(path, |extension| extension == "rlib" || extension == "a" || extension.is_empty());
    match useless {
        Some(file) if file.extension().is_none() => {
            format!(
                "{NONE}; there is {}, a program: put the tasks into src/lib.rs; {CRATE_TYPE}",
                file.display()
            )
        }
        Some(file) => format!("{NONE}; there is {}, which no program can load: {CRATE_TYPE}", file.display()),
        None => format!("{NONE}; build it, or check the path"),
    }
}

fn is_library(extension: &OsStr) -> bool {
    extension == "so" || extension == "dylib" || extension == "dll"
}

/// A name without what differs from system to system, and between a package and its library.
fn plain(file: &Path) -> Option<String> {
    let stem = file.file_stem()?.to_str()?.replace('-', "_");
    Some(stem.strip_prefix("lib").map_or(stem.clone(), str::to_owned))
}

/// A file of such an extension (empty: of none) in the same folder, with the same name but for what `plain` leaves out.
fn beside(path: &Path, extension: impl Fn(&OsStr) -> bool) -> Option<PathBuf> {
    let wanted = plain(path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut near: Vec<PathBuf> = fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| extension(file.extension().unwrap_or_default()))
        .filter(|file| file.is_file() && plain(file).as_ref() == Some(&wanted))
        .collect();
    near.sort();
    near.into_iter().next()
}

/// The same library in another folder of Cargo's: of the other profile, or of a workspace around the package.
fn in_target(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?;
    let target = path.ancestors().find(|folder| folder.file_name() == Some(OsStr::new("target")))?;
    let is_debug =
        path.strip_prefix(target).ok()?.components().next() == Some(Component::Normal(OsStr::new("debug")));
    let profiles = if is_debug { ["debug", "release"] } else { ["release", "debug"] };
    let packages = target.parent()?.ancestors();
    packages
        .flat_map(|package| profiles.map(|profile| package.join("target").join(profile).join(name)))
        .find(|file| file.is_file())
}

/// A library that ends too early, as one that is just being copied, would end the process by SIGBUS when it is opened: the system
/// maps what its head promises. So the head of an ELF file of this machine's kind is compared with the file's length.
pub(super) fn looks_whole(file: &Path) -> Result<(), String> {
    let look = || -> io::Result<Option<bool>> {
        let mut file = fs::File::open(file)?;
        let length = file.metadata()?.len();
        let mut head = [0; 64];
        if file.read(&mut head)? < 64 || head[..6] != *b"\x7fELF\x02\x01" {
            return Ok(None);
        }
        let number = |bytes: &[u8], at: usize| {
            bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes)
        };
        let (table, size) = (number(&head, 32), usize::from(u16::from_le_bytes([head[54], head[55]])));
        let count = usize::from(u16::from_le_bytes([head[56], head[57]]));
        if size < 56 {
            return Ok(None);
        }
        let mut segments = vec![0; size * count];
        file.seek(SeekFrom::Start(table))?;
        if file.read_exact(&mut segments).is_err() {
            return Ok(Some(false));
        }
        let ends = |segment: &[u8]| number(segment, 8).saturating_add(number(segment, 32)) <= length;
        Ok(Some(segments.chunks_exact(size).all(ends)))
    };
    match look() {
        Ok(Some(false)) => {
            Err("it ends too early: it was not copied as a whole, or is still being written".to_owned())
        }
        Ok(_) => Ok(()),
        Err(error) => Err(format!("it cannot be read: {error}")),
    }
}

/// What a file is that the system does not open as a library, by how it begins, and what to do.
pub(super) fn what_else(file: &Path) -> Option<String> {
    let mut head = Vec::new();
    fs::File::open(file).ok()?.take(256).read_to_end(&mut head).ok()?;
    let of = |system: &str| {
        format!("it is a file for {system}, and this is {}: build it here", std::env::consts::OS)
    };
    match &*head {
        [] => Some("it is empty: build it again".to_owned()),
        [b'!', b'<', b'a', b'r', b'c', b'h', b'>', ..] => {
            Some(format!("it is a static library, which no program can load: {CRATE_TYPE}"))
        }
        [0x7f, b'E', b'L', b'F', ..] if cfg!(not(any(target_os = "linux", target_os = "android"))) => {
            Some(of("linux"))
        }
        [0x7f, b'E', b'L', b'F', ..] if cfg!(target_os = "linux") => elf(&head),
        [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..] | [0xca, 0xfe, 0xba, 0xbe, ..]
            if cfg!(not(target_vendor = "apple")) =>
        {
            Some(of("macos"))
        }
        [b'M', b'Z', ..] if cfg!(not(windows)) => Some(of("windows")),
        _ if head.iter().all(|byte| matches!(byte, b'\t' | b'\r' | b'\n' | b' '..)) => {
            Some("it is a text; compile it, and give the library that this makes".to_owned())
        }
        _ => None,
    }
}

/// For an ELF file of another CPU than this one, and for one that is not linked: so.
fn elf(head: &[u8]) -> Option<String> {
    let number = |at: usize| Some(u16::from_le_bytes([*head.get(at)?, *head.get(at + 1)?]));
    let own = match std::env::consts::ARCH {
        "x86_64" => 62,
        "aarch64" => 183,
        _ => return None,
    };
    let machine = number(18)?;
    let name = match machine {
        3 => "32-bit x86",
        40 => "32-bit ARM",
        62 => "x86_64",
        183 => "aarch64",
        _ => "another kind of CPU",
    };
    if machine != own {
        return Some(format!(
            "it is a file for {name}, and this is {}: build it here",
            std::env::consts::ARCH
        ));
    }
    (number(16)? == 1)
        .then(|| "it is an object file: link it to a library, as `cc -shared -o tasks.so` does".to_owned())
}
