//! The process-wide table of object shapes, for the codec in `lib/codec/`.

use napi_derive::napi;

use crate::node::List;
use crate::value::{Text, shapes};

/// The number of a key list, or -1 when the table is full.
#[napi(catch_unwind)]
pub fn intern_shape(keys: Vec<String>) -> i32 {
    let keys: Vec<Text> = keys.into_iter().map(Text::from).collect();
    shapes::intern(&keys).and_then(|id| i32::try_from(id).ok()).unwrap_or(-1)
}

/// The key list of a number.
#[napi(catch_unwind)]
pub fn shape_keys(id: u32) -> Option<List<String>> {
    shapes::get(id).map(|keys| List(keys.iter().map(|key| key.to_str().into_owned()).collect()))
}
