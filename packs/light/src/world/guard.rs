//! Which pages of a region were written to: so that setting a world back looks at those, and not at all of it.
//!
//! The pages of a region that stands as its picture says are protected. The first write to each is a fault, whose handler takes the
//! protection away and notes the page, for good: what one call writes to, the next one does as a rule (the allocator's head, counts of
//! references), so after some calls there are no more faults. What is not noted is as the picture has it, whatever code did.
//!
//! The handler of SIGSEGV is the process's. It looks at faults of protection inside of guarded regions alone, and passes all others to the
//! handler that was there before: Node's, whose WebAssembly has faults of its own. Should someone else have put a handler in its place,
//! regions are not guarded any more ([`Guard::is_sound`]), and worlds are compared as a whole. So they are on systems other than Linux, with
//! pages of another size, and with `RUST_WORKERS_LIGHT_GUARD=off` in the environment (for debuggers that stop at each signal).
//!
//! Unsafe: a signal handler, which touches atomics and calls `mprotect` alone; protection of memory that the region owns.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::region::PAGE;

/// Regions that can be guarded at a time: threads of all pools. More are compared as a whole.
const PLACES: usize = 256;
/// The most pages of one of them, in words of bits.
const WORDS: usize = 16;
/// The most pages of one of them.
const MOST: usize = WORDS * 64;

/// What the handler knows of a guarded region.
struct Place {
    taken: AtomicBool,
    /// Where it begins and ends; both 0: nothing is protected.
    start: AtomicUsize,
    end: AtomicUsize,
    /// Its pages that may be written to.
    open: [AtomicU64; WORDS],
}

static PLACES_OF_ALL: [Place; PLACES] = [const {
    Place {
        taken: AtomicBool::new(false),
        start: AtomicUsize::new(0),
        end: AtomicUsize::new(0),
        open: [const { AtomicU64::new(0) }; WORDS],
    }
}; PLACES];

/// The handler that was there before ours; `None`: ours is not there.
static BEFORE: OnceLock<Option<libc::sigaction>> = OnceLock::new();

/// A guarded region. It is dropped before the region's memory is given back.
pub(crate) struct Guard {
    place: &'static Place,
    start: usize,
    pages: usize,
}

impl Guard {
    /// Protects `len` bytes from `start`, a whole number of pages, until the guard is dropped. `None`: that is not possible.
    ///
    /// # Safety
    /// The memory is the caller's alone, is used by this thread alone, and outlives the guard.
    pub(crate) unsafe fn new(start: *mut u8, len: usize) -> Option<Guard> {
        let pages = len / PAGE;
        if pages > MOST || !is_handled() || !reaches_this_thread() {
            return None;
        }
        let place = PLACES_OF_ALL.iter().find(|place| !place.taken.swap(true, Ordering::Acquire))?;
        let start = start.expose_provenance();
        place.open.iter().for_each(|word| word.store(0, Ordering::Relaxed));
        place.start.store(start, Ordering::Relaxed);
        place.end.store(start + pages * PAGE, Ordering::Relaxed);
        let guard = Guard { place, start, pages };
        // Dropped if it fails.
        protect(start, pages * PAGE, libc::PROT_READ).then_some(guard)
    }

    /// Whether writes are still seen: nobody has put a handler of theirs in the place of ours.
    pub(crate) fn is_sound(&self) -> bool {
        is_ours()
    }

    /// The pages that may differ from what they were at first, as of now.
    pub(crate) fn written(&self) -> Pages {
        let words = self.pages.div_ceil(64);
        let mut bits = [0; WORDS];
        for (bits, word) in bits.iter_mut().zip(&self.place.open).take(words) {
            *bits = word.load(Ordering::Relaxed);
        }
        Pages { bits, word: 0, words }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        protect(self.start, self.pages * PAGE, libc::PROT_READ | libc::PROT_WRITE);
        self.place.end.store(0, Ordering::Relaxed);
        self.place.start.store(0, Ordering::Relaxed);
        self.place.taken.store(false, Ordering::Release);
    }
}

/// Numbers of pages, ascending.
pub(crate) struct Pages {
    bits: [u64; WORDS],
    word: usize,
    words: usize,
}

impl Pages {
    /// How many are left.
    pub(crate) fn len(&self) -> usize {
        self.bits.iter().map(|word| word.count_ones() as usize).sum()
    }
}

impl Iterator for Pages {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while self.word < self.words {
            let bits = &mut self.bits[self.word];
            if *bits != 0 {
                let bit = bits.trailing_zeros() as usize;
                *bits &= *bits - 1;
                return Some(self.word * 64 + bit);
            }
            self.word += 1;
        }
        None
    }
}

fn protect(start: usize, len: usize, protection: i32) -> bool {
    let start = std::ptr::with_exposed_provenance_mut::<c_void>(start);
    // SAFETY: the range is a guarded region's, whose owner is on this thread: see `Guard::new`.
    unsafe { libc::mprotect(start, len, protection) == 0 }
}

/// Whether our handler is there; puts it there the first time.
fn is_handled() -> bool {
    BEFORE.get_or_init(install).is_some() && is_ours()
}

fn install() -> Option<libc::sigaction> {
    if std::env::var_os("RUST_WORKERS_LIGHT_GUARD").is_some_and(|value| value == "off") {
        return None;
    }
    // SAFETY: it has no side.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    if page != PAGE as libc::c_long {
        return None;
    }
    let before = current()?;
    // SAFETY: all zeros is one.
    let mut ours: libc::sigaction = unsafe { std::mem::zeroed() };
    ours.sa_sigaction = on_fault as *const () as usize;
    // On the thread's other stack, if it has one: a stack may be what has ended.
    ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
    // SAFETY: the handler keeps to what a handler may do, and passes on what is not its own.
    let status = unsafe { libc::sigaction(libc::SIGSEGV, &ours, std::ptr::null_mut()) };
    (status == 0).then_some(before)
}

fn current() -> Option<libc::sigaction> {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: it only asks, and there is room for the answer.
    let status = unsafe { libc::sigaction(libc::SIGSEGV, std::ptr::null(), action.as_mut_ptr()) };
    // SAFETY: all zeros is one, and it was filled.
    (status == 0).then(|| unsafe { action.assume_init() })
}

fn is_ours() -> bool {
    current().is_some_and(|action| action.sa_sigaction == on_fault as *const () as usize)
}

/// A fault while its signal is blocked ends the process.
fn reaches_this_thread() -> bool {
    let mut blocked = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: it only asks, and there is room for the answer.
    let status = unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), blocked.as_mut_ptr()) };
    // SAFETY: it was filled, or is all zeros, which is the empty set.
    status == 0 && unsafe { libc::sigismember(blocked.as_ptr(), libc::SIGSEGV) } == 0
}

/// A write to a page of a guarded region that was not written to before; or a fault that is not ours.
extern "C" fn on_fault(signal: i32, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the system gives the signal's facts.
    let facts = unsafe { &*info };
    if facts.si_code == SEGV_ACCERR {
        // SAFETY: of a fault, it is there.
        let address = unsafe { facts.si_addr() }.addr();
        if open(address) {
            return;
        }
    }
    // SAFETY: as given.
    unsafe { pass_on(signal, info, context) }
}

/// The system's number for a fault of protection.
const SEGV_ACCERR: i32 = 2;

/// Lets a page of a guarded region be written to. False: the address is in none.
fn open(address: usize) -> bool {
    for place in &PLACES_OF_ALL {
        let (start, end) = (place.start.load(Ordering::Relaxed), place.end.load(Ordering::Relaxed));
        if !(start..end).contains(&address) {
            continue;
        }
        let page = (address - start) / PAGE;
        place.open[page / 64].fetch_or(1 << (page % 64), Ordering::Relaxed);
        if protect(start + page * PAGE, PAGE, libc::PROT_READ | libc::PROT_WRITE) {
            return true;
        }
        // Each page with a protection of its own is a mapping, of which the system has only so many: all of it then, which is one.
        place.open.iter().for_each(|word| word.store(u64::MAX, Ordering::Relaxed));
        return protect(start, end - start, libc::PROT_READ | libc::PROT_WRITE);
    }
    false
}

/// Does with a fault what would have been done without us.
///
/// # Safety
/// As a handler is called.
unsafe fn pass_on(signal: i32, info: *mut libc::siginfo_t, context: *mut c_void) {
    let before = BEFORE.get().copied().flatten();
    match before {
        Some(action) if action.sa_sigaction != libc::SIG_DFL && action.sa_sigaction != libc::SIG_IGN => {
            if action.sa_flags & libc::SA_SIGINFO != 0 {
                type Handler = extern "C" fn(i32, *mut libc::siginfo_t, *mut c_void);
                // SAFETY: who set it says that it is such a handler.
                let handler: Handler = unsafe { std::mem::transmute(action.sa_sigaction) };
                handler(signal, info, context);
            } else {
                // SAFETY: as above.
                let handler: extern "C" fn(i32) = unsafe { std::mem::transmute(action.sa_sigaction) };
                handler(signal);
            }
        }
        _ => {
            // SAFETY: all zeros is one: the system's own way, which is to end the process when the instruction faults again.
            let usual: libc::sigaction = unsafe { std::mem::zeroed() };
            // SAFETY: as above.
            unsafe { libc::sigaction(signal, &usual, std::ptr::null_mut()) };
            // Sent by somebody, and no fault: it does not come again by itself.
            // SAFETY: the system gives the signal's facts.
            if unsafe { (*info).si_code } <= 0 {
                // SAFETY: it ends the process.
                unsafe { libc::raise(signal) };
            }
        }
    }
}
