//! Shapes: the key lists of objects, each under a number, so that the wire has only their values.
//!
//! The table is process-wide and bounded, and forgets nothing: a number stays valid for as long as any thread
//! may hold bytes with it. Reading is one load; only interning takes the lock.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use super::text::Text;

/// The most shapes there may be.
pub const CAPACITY: usize = 4096;
/// An object with more keys has no shape.
pub const MAX_KEYS: usize = 128;
/// The longest key of a shape, in bytes: decoding copies keys, so this bounds what a short wire
/// costs.
pub const MAX_KEY_LENGTH: usize = 256;

/// Cells that remember which key lists were seen once.
const SIGHTS: usize = 1024;

/// A table of shapes.
pub(super) struct Shapes {
    lists: Box<[OnceLock<Arc<[Text]>>]>,
    index: Mutex<Index>,
}

struct Index {
    /// By hash of the key list; several where hashes collide.
    ids: HashMap<u64, Vec<u32>>,
    count: usize,
    /// The hash last seen in each cell. The keys of an object that is made once (a word count, say) must not use up a
    /// number.
    sights: Box<[u64]>,
}

impl Shapes {
    pub(super) fn new(capacity: usize) -> Self {
        Shapes {
            lists: (0..capacity).map(|_| OnceLock::new()).collect(),
            index: Mutex::new(Index {
                ids: HashMap::new(),
                count: 0,
                sights: vec![0; SIGHTS].into_boxed_slice(),
            }),
        }
    }

    /// The one table of the process.
    pub(super) fn global() -> &'static Shapes {
        static SHAPES: OnceLock<Shapes> = OnceLock::new();
        SHAPES.get_or_init(|| Shapes::new(CAPACITY))
    }

    /// The number of this key list, new or known; `None` when the table is full or the list does not qualify.
    pub(super) fn intern(&self, keys: &[Text]) -> Option<u32> {
        let hash = hash_of(keys.iter())?;
        let mut index = self.index.lock();
        self.known(&index, hash, keys.iter()).or_else(|| self.add(&mut index, hash, || keys.into()))
    }

    /// The number of this key list if it has one, or has been asked for before.
    pub(super) fn find<'a, K>(&self, keys: K) -> Option<u32>
    where
        K: ExactSizeIterator<Item = &'a Text> + Clone,
    {
        let hash = hash_of(keys.clone())?;
        let mut index = self.index.lock();
        if let Some(id) = self.known(&index, hash, keys.clone()) {
            return Some(id);
        }
        let cell = usize::try_from(hash % SIGHTS as u64).ok()?;
        if std::mem::replace(&mut index.sights[cell], hash) != hash {
            return None;
        }
        self.add(&mut index, hash, || keys.cloned().collect())
    }

    /// The key list with this number.
    pub(super) fn get(&self, id: u32) -> Option<&Arc<[Text]>> {
        self.lists.get(usize::try_from(id).ok()?)?.get()
    }

    fn known<'a, K>(&self, index: &Index, hash: u64, keys: K) -> Option<u32>
    where
        K: ExactSizeIterator<Item = &'a Text> + Clone,
    {
        let ids = index.ids.get(&hash)?;
        ids.iter().copied().find(|&id| {
            self.get(id).is_some_and(|list| list.len() == keys.len() && list.iter().eq(keys.clone()))
        })
    }

    fn add(&self, index: &mut Index, hash: u64, keys: impl FnOnce() -> Arc<[Text]>) -> Option<u32> {
        let id = index.count;
        self.lists.get(id)?.set(keys()).ok()?;
        index.count += 1;
        let id = u32::try_from(id).ok()?;
        index.ids.entry(hash).or_default().push(id);
        Some(id)
    }
}

/// The hash of a key list; `None` when it does not qualify for a shape.
fn hash_of<'a>(keys: impl ExactSizeIterator<Item = &'a Text>) -> Option<u64> {
    if keys.len() == 0 || keys.len() > MAX_KEYS {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    for key in keys {
        match key {
            Text::Utf8(text) if text.len() <= MAX_KEY_LENGTH => {}
            // JavaScript would get another key than one that is not Unicode text.
            _ => return None,
        }
        key.hash(&mut hasher);
    }
    Some(hasher.finish())
}

/// The number of a key list in the process-wide table, new or known; `None` when the table is full or the
/// list is empty, longer than [`MAX_KEYS`] or has a key longer than [`MAX_KEY_LENGTH`].
pub fn intern(keys: &[Text]) -> Option<u32> {
    Shapes::global().intern(keys)
}

/// The key list with this number in the process-wide table.
pub fn get(id: u32) -> Option<Arc<[Text]>> {
    Shapes::global().get(id).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(names: &[&str]) -> Vec<Text> {
        names.iter().copied().map(Text::from).collect()
    }

    #[test]
    fn a_key_that_is_not_unicode_text_has_no_shape() {
        let odd = [Text::from("a"), Text::from_utf16(vec![0xd800])];
        assert_eq!(Shapes::new(8).intern(&odd), None);
    }

    #[test]
    fn a_key_list_keeps_its_number() {
        let shapes = Shapes::new(8);
        let ab = shapes.intern(&keys(&["a", "b"])).expect("room");
        let ba = shapes.intern(&keys(&["b", "a"])).expect("room");
        assert_ne!(ab, ba, "order is part of the shape");
        assert_eq!(shapes.intern(&keys(&["a", "b"])), Some(ab));
        assert_eq!(shapes.get(ba).map(|list| list.to_vec()), Some(keys(&["b", "a"])));
        assert_eq!(shapes.get(7), None);
        assert_eq!(shapes.get(u32::MAX), None);
    }

    #[test]
    fn a_full_table_keeps_what_it_has() {
        let shapes = Shapes::new(2);
        let first = shapes.intern(&keys(&["a"]));
        assert_eq!(shapes.intern(&keys(&["b"])), Some(1));
        assert_eq!(shapes.intern(&keys(&["c"])), None);
        assert_eq!(shapes.intern(&keys(&["a"])), first);
    }

    #[test]
    fn a_key_list_seen_once_earns_no_number() {
        let shapes = Shapes::new(8);
        let list = keys(&["x", "y"]);
        assert_eq!(shapes.find(list.iter()), None);
        assert_eq!(shapes.find(list.iter()), Some(0));
        assert_eq!(shapes.find(list.iter()), Some(0));
    }

    #[test]
    fn long_lists_and_long_keys_do_not_qualify() {
        let shapes = Shapes::new(8);
        assert_eq!(shapes.intern(&[]), None);
        assert_eq!(shapes.intern(&vec![Text::from("k"); MAX_KEYS + 1]), None);
        assert_eq!(shapes.intern(&[Text::from("k".repeat(MAX_KEY_LENGTH + 1))]), None);
    }

    #[test]
    fn the_process_wide_table_answers_from_any_thread() {
        let list = keys(&["shapes_test_left", "shapes_test_right"]);
        let id = intern(&list).expect("room");
        let seen = std::thread::spawn(move || get(id)).join().expect("no panic");
        assert_eq!(seen.as_deref(), Some(&list[..]));
    }
}
