//! The numbers that both languages know, for `lib/constants.js`.

use std::fmt::Write as _;
use std::sync::LazyLock;

use napi_derive::napi;

use super::{locks, pool as pool_calls, scripts, waits};
use crate::exported_numbers::Groups;
use crate::{cancel, node, pool, shared, value};

/// Those of the calls themselves.
const API: Groups = &[
    ("CANCELLED_TASK", pool_calls::NUMBERS),
    ("SUBMISSION", pool_calls::SUBMISSION),
    ("SCRIPTS", scripts::NUMBERS),
    ("LOCK_WAITS", locks::NUMBERS),
    ("ASYNC_WAITS", waits::NUMBERS),
];

const ROOMS: &[Groups] =
    &[value::NUMBERS, shared::locks::NUMBERS, cancel::NUMBERS, pool::NUMBERS, node::NUMBERS, API];

static TEXT: LazyLock<String> = LazyLock::new(|| {
    let mut text = String::from("{");
    for (group, numbers) in ROOMS.iter().copied().flatten() {
        let _ = write!(text, "\"{group}\":{{");
        for (name, number) in *numbers {
            let _ = write!(text, "\"{name}\":{number},");
        }
        close(&mut text);
        text.push(',');
    }
    close(&mut text);
    text
});

/// Ends a list, whose last item has a comma.
fn close(text: &mut String) {
    text.pop();
    text.push('}');
}

/// All of them as JSON, by group and name: one call, and quickly made into objects by JavaScript.
#[napi(catch_unwind)]
pub fn constants() -> &'static str {
    &TEXT
}
