//! Systems on which regions are not guarded: worlds are compared as a whole. See `guard.rs`.

/// There is none.
pub(crate) enum Guard {}

/// Of no guard.
pub(crate) type Pages = std::iter::Empty<usize>;

impl Guard {
    /// # Safety
    /// As of `guard.rs`; here it does nothing.
    #[allow(unsafe_code)] // The face of the other file.
    pub(crate) unsafe fn new(_start: *mut u8, _len: usize) -> Option<Guard> {
        None
    }

    pub(crate) fn is_sound(&self) -> bool {
        match *self {}
    }

    pub(crate) fn written(&self) -> Pages {
        match *self {}
    }
}
