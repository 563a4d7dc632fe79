//! Dropping messages without recursion.
//!
//! A message may carry a port, whose inbox holds messages that carry ports, and so on: dropped naively, a chain of
//! ten thousand is ten thousand nested `drop` calls. Here the outermost call on a thread drops in a loop, and the
//! calls nested in it only add to its list. It must not be called with a lock held.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use super::message::Message;

type Pile = VecDeque<Message>;

struct Heap {
    busy: Cell<bool>,
    piles: RefCell<Vec<Pile>>,
}

impl Heap {
    fn new() -> Self {
        Heap { busy: Cell::new(false), piles: RefCell::new(Vec::new()) }
    }
}

#[cfg(not(loom))]
thread_local! { static HEAP: Heap = Heap::new(); }
#[cfg(loom)]
loom::thread_local! { static HEAP: Heap = Heap::new(); }

/// Marks the outermost call; a panic in a payload's `Drop` leaves the rest to the next call on this thread.
struct Turn<'a>(&'a Cell<bool>);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// Drops `pile`, and then, in a loop, the messages that this discards in turn.
pub(super) fn discard(pile: Pile) {
    if pile.is_empty() {
        return;
    }
    let mut pile = Some(pile);
    // On a thread whose locals are already gone the pile is dropped here, when `pile` goes out of scope.
    let _ = HEAP.try_with(|heap| {
        heap.piles.borrow_mut().extend(pile.take());
        if heap.busy.replace(true) {
            return;
        }
        let _turn = Turn(&heap.busy);
        loop {
            // In its own statement: the borrow must end before the messages are dropped.
            let next = heap.piles.borrow_mut().pop();
            let Some(next) = next else { break };
            drop(next);
        }
    });
}
