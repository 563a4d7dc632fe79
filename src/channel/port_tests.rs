//! Behaviours of a port, one for each test, on one thread or with one helper thread.

use std::collections::VecDeque;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::test_support::{
    Witness, carried, carrying, expect_number, listening, number, numbered, until_readers_sleep,
    until_writers_sleep,
};
use super::{Message, PortHandle, Posted, ReceiveError, Received, Refusal, Taken, channel};
use crate::cancel::{CancelToken, Reason};
use crate::value::Envelope;
use crate::wait_limit::WaitLimit;

const LONG: Duration = Duration::from_secs(60);
/// A sleeper that was forgotten looks again after this long.
const LATE: Duration = Duration::from_secs(4);

// ── Order and close ─────────────────────────────────────────────────────────────────────────────────────

#[test]
fn messages_arrive_in_order_both_ways() {
    let (near, far) = channel(None);
    for n in 0..10 {
        assert_eq!(near.post(numbered(n)), Posted::Queued);
        assert_eq!(far.post(numbered(100 + n)), Posted::Queued);
    }
    assert_eq!((near.len(), near.backlog()), (10, 10));
    for n in 0..10 {
        assert_eq!(expect_number(far.take_one()), n);
        assert_eq!(expect_number(near.take_one()), 100 + n);
    }
    assert!(matches!(far.take_one(), Received::Empty));
}

#[test]
fn ids_are_never_used_again() {
    let (near, far) = channel(None);
    let (first, second) = (near.id(), far.id());
    assert_eq!((near.peer_id(), far.peer_id()), (second, first));
    drop((near, far));
    let (near, far) = channel(None);
    assert!(near.id() > second && far.id() > near.id() && second > first);
}

#[test]
fn what_was_posted_before_the_close_comes_before_it_and_the_close_comes_once() {
    let (near, far) = channel(None);
    near.post(numbered(1));
    near.post(numbered(2));
    assert!(near.close());
    assert!(!near.close());
    assert!(far.is_open());
    let mut batch = Vec::new();
    assert_eq!(far.take(1, &mut batch), Taken::More);
    assert_eq!(far.take(10, &mut batch), Taken::Closed);
    assert_eq!(batch.iter().map(number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(far.take(10, &mut batch), Taken::Gone);
    assert!(matches!(far.take_one(), Received::Gone));
    assert!(!far.is_open());
    assert_eq!(near.take(10, &mut batch), Taken::Gone);
}

#[test]
fn posting_to_a_closed_channel_is_dropped_or_handed_back() {
    let (near, far) = channel(None);
    far.close();
    assert_eq!(near.post(numbered(1)), Posted::Closed);
    let refused = near.try_post(numbered(2)).unwrap_err();
    assert_eq!((refused.why, number(&refused.message)), (Refusal::Closed, 2));
    let refused = near.post_blocking(numbered(3), WaitLimit::default()).unwrap_err();
    assert_eq!((refused.why, number(&refused.message)), (Refusal::Closed, 3));
    assert_eq!(far.post(numbered(4)), Posted::Closed);
    assert!(matches!(near.take_one(), Received::Closed));
}

#[test]
fn both_ends_may_close_and_neither_is_told() {
    let (near, far) = channel(None);
    assert!(near.close());
    assert!(far.close());
    assert!(matches!(near.take_one(), Received::Gone));
    assert!(matches!(far.take_one(), Received::Gone));
}

#[test]
fn dropping_the_last_handle_closes() {
    let (near, far) = channel(None);
    let clone = near.clone();
    drop(near);
    assert!(matches!(far.take_one(), Received::Empty));
    drop(clone);
    assert!(matches!(far.take_one(), Received::Closed));
}

#[test]
fn closing_drops_what_waits_in_the_own_inbox_with_the_ports_it_carries() {
    let (near, far) = channel(None);
    let (inner, outer) = channel(None);
    near.post(carrying(&inner));
    far.close();
    assert!(matches!(outer.take_one(), Received::Closed));
}

// ── The owner's wakes ───────────────────────────────────────────────────────────────────────────────────

#[test]
fn an_owner_is_woken_once_until_it_has_drained() {
    let (near, far, waker) = listening();
    for n in 0..5 {
        near.post(numbered(n));
    }
    assert_eq!((waker.wakes(), waker.last()), (1, Some(far.id())));
    let mut batch = Vec::new();
    assert_eq!(far.take(3, &mut batch), Taken::More);
    near.post(numbered(5));
    assert_eq!(waker.wakes(), 1, "the owner still has the turn");
    assert_eq!(far.take(3, &mut batch), Taken::Empty);
    near.post(numbered(6));
    assert_eq!(waker.wakes(), 2);
    assert_eq!(batch.iter().map(number).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn an_owner_that_does_not_listen_is_not_woken_and_misses_nothing() {
    let (near, far) = channel(None);
    let waker = Witness::new();
    far.set_waker(Some(waker.clone()));
    near.post(numbered(1));
    near.post(numbered(2));
    assert_eq!(waker.wakes(), 0);
    let mut batch = Vec::new();
    assert_eq!(far.take(9, &mut batch), Taken::Empty);
    assert!(batch.is_empty());
    assert_eq!(expect_number(far.take_one()), 1, "receiveMessageOnPort takes without listening");
    far.listen(true);
    assert_eq!(waker.wakes(), 1);
    far.listen(false);
    near.post(numbered(3));
    assert_eq!(waker.wakes(), 1);
    far.listen(true);
    assert_eq!(waker.wakes(), 2);
    assert_eq!(far.take(9, &mut batch), Taken::Empty);
    assert_eq!(batch.iter().map(number).collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn an_owner_that_does_not_listen_sees_the_close_when_no_message_is_before_it() {
    let (near, far) = channel(None);
    let waker = Witness::new();
    far.set_waker(Some(waker.clone()));
    near.post(numbered(1));
    near.close();
    assert_eq!(waker.wakes(), 0, "a message is in front of the close");
    assert_eq!(far.take(9, &mut Vec::new()), Taken::Empty, "it is not passed over");
    assert_eq!(expect_number(far.take_one()), 1);
    assert_eq!(waker.wakes(), 1);
    assert_eq!(far.take(9, &mut Vec::new()), Taken::Closed);
}

#[test]
fn the_next_owner_is_woken_for_what_gathered_in_transit() {
    let (near, far, first) = listening();
    near.post(numbered(1));
    let transit = far.detach().unwrap();
    near.post(numbered(2));
    near.close();
    let second = Witness::new();
    let there = transit.attach(Some(second.clone()));
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    there.listen(true);
    assert_eq!((second.wakes(), second.last()), (1, Some(far.id())));
    let mut batch = Vec::new();
    assert_eq!(there.take(9, &mut batch), Taken::Closed);
    assert_eq!(batch.iter().map(number).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn an_owner_gets_a_port_that_closed_in_transit() {
    let (near, far) = channel(None);
    let transit = far.detach().unwrap();
    near.close();
    let waker = Witness::new();
    let there = transit.attach(Some(waker.clone()));
    assert_eq!(waker.wakes(), 1);
    assert_eq!(there.take(9, &mut Vec::new()), Taken::Closed);
}

#[test]
fn while_a_thread_is_blocked_for_a_message_the_owner_is_not_woken_as_well() {
    let (near, far, waker) = listening();
    let blocked = far.clone();
    let reader = thread::spawn(move || blocked.receive_slice(LONG));
    until_readers_sleep(&far, 1);
    near.post(numbered(1));
    assert_eq!(expect_number(reader.join().unwrap()), 1);
    assert_eq!(waker.wakes(), 0);
    near.post(numbered(2));
    assert_eq!(waker.wakes(), 1);
}

#[test]
fn a_blocked_reader_that_leaves_messages_behind_passes_the_turn_to_the_owner() {
    // Whether the reader finds two messages or leaves the second one to come is a matter of chance.
    for _ in 0..200 {
        let (near, far, waker) = listening();
        let blocked = far.clone();
        let reader = thread::spawn(move || blocked.receive_slice(LONG));
        until_readers_sleep(&far, 1);
        near.post(numbered(1));
        near.post(numbered(2));
        assert_eq!(expect_number(reader.join().unwrap()), 1);
        assert_eq!(waker.wakes(), 1);
        assert_eq!(expect_number(far.take_one()), 2);
    }
}

// ── Capacity ────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_full_channel_refuses_and_hands_back_and_post_goes_over_and_says_so() {
    let (near, far) = channel(Some(2));
    near.try_post(numbered(1)).unwrap();
    assert_eq!(near.post(numbered(2)), Posted::Queued);
    let refused = near.try_post(numbered(3)).unwrap_err();
    assert_eq!((refused.why, number(&refused.message)), (Refusal::Full, 3));
    assert_eq!(near.post(refused.message), Posted::Over);
    assert_eq!(expect_number(far.take_one()), 1);
    assert_eq!(near.try_post(numbered(4)).unwrap_err().why, Refusal::Full, "two still wait");
    assert_eq!(expect_number(far.take_one()), 2);
    near.try_post(numbered(4)).unwrap();
    far.try_post(numbered(9)).unwrap();
    assert_eq!(far.len(), 2);
}

#[test]
fn a_capacity_of_nothing_counts_as_one() {
    let (near, _far) = channel(Some(0));
    near.try_post(numbered(1)).unwrap();
    assert_eq!(near.try_post(numbered(2)).unwrap_err().why, Refusal::Full);
}

#[test]
fn an_owner_that_wants_room_is_told_once() {
    let (near, far) = channel(Some(2));
    let sender = Witness::new();
    near.set_waker(Some(sender.clone()));
    assert_eq!(near.want_room(), Ok(()));
    near.post(numbered(1));
    near.post(numbered(2));
    assert_eq!(near.want_room(), Err(Refusal::Full));
    assert_eq!(sender.rooms(), 0);
    far.take_one();
    assert_eq!((sender.rooms(), sender.last()), (1, Some(near.id())));
    far.take_one();
    assert_eq!(sender.rooms(), 1);
}

#[test]
fn an_owner_that_wants_room_hears_of_the_close() {
    let (near, far) = channel(Some(1));
    let sender = Witness::new();
    near.set_waker(Some(sender.clone()));
    near.post(numbered(1));
    assert_eq!(near.want_room(), Err(Refusal::Full));
    far.close();
    assert_eq!(sender.rooms(), 1);
    assert_eq!(near.want_room(), Err(Refusal::Closed));
}

#[test]
fn a_thread_that_waits_for_room_gets_it() {
    let (near, far) = channel(Some(1));
    near.post(numbered(1));
    let blocked = near.clone();
    let writer = thread::spawn(move || blocked.post_blocking(numbered(2), WaitLimit::default().within(LONG)));
    until_writers_sleep(&near, 1);
    assert_eq!(far.len(), 1);
    assert_eq!(expect_number(far.take_one()), 1);
    assert_eq!(expect_number(far.receive_slice(LONG)), 2);
    writer.join().unwrap().unwrap();
}

#[test]
fn waiting_for_room_ends_by_timeout_cancel_close_and_detach_with_the_message_in_hand() {
    let (near, far) = channel(Some(1));
    near.post(numbered(1));
    let limit = WaitLimit::default().within(Duration::from_millis(5));
    let refused = near.post_blocking(numbered(2), limit).unwrap_err();
    assert_eq!((refused.why, number(&refused.message)), (Refusal::TimedOut, 2));

    let blocked = |port: &super::Port, cancel: Option<CancelToken>| {
        let waiting = port.clone();
        let writer = thread::spawn(move || {
            waiting.post_blocking(numbered(3), WaitLimit::new(cancel.as_ref())).unwrap_err()
        });
        until_writers_sleep(port, 1);
        writer
    };
    let token = CancelToken::new(None);
    let writer = blocked(&near, Some(token.clone()));
    token.cancel(Reason::Cancelled);
    let refused = writer.join().unwrap();
    assert_eq!((refused.why, number(&refused.message)), (Refusal::Cancelled(Reason::Cancelled), 3));

    let writer = blocked(&near, None);
    let near = {
        let transit = near.detach().unwrap();
        assert_eq!(writer.join().unwrap().why, Refusal::Detached);
        transit.attach(None)
    };
    let writer = blocked(&near, None);
    far.close();
    assert_eq!(writer.join().unwrap().why, Refusal::Closed);
}

#[test]
fn a_writer_that_is_cancelled_as_it_is_notified_passes_the_room_on() {
    for _ in 0..10 {
        let (near, far) = channel(Some(1));
        near.post(numbered(0));
        let token = CancelToken::new(None);
        thread::scope(|scope| {
            // The first in line is cancelled just before there is room, which may be offered to it.
            scope.spawn(|| near.post_blocking(numbered(1), WaitLimit::new(Some(&token))));
            until_writers_sleep(&near, 1);
            let second = scope.spawn(|| near.post_blocking(numbered(2), WaitLimit::default().within(LATE)));
            until_writers_sleep(&near, 2);
            token.cancel(Reason::Cancelled);
            let started = Instant::now();
            assert_eq!(expect_number(far.take_one()), 0);
            second.join().unwrap().expect("there is room");
            assert!(started.elapsed() < LATE / 2, "it came by its time running out");
        });
        assert_eq!(expect_number(far.take_one()), 2);
    }
}

// ── Blocking receive ────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_blocked_reader_gets_the_message_and_the_close() {
    let (near, far) = channel(None);
    let blocked = far.clone();
    let (tell, told) = mpsc::channel();
    let reader = thread::spawn(move || {
        tell.send(blocked.receive_slice(LONG)).unwrap();
        blocked.receive_slice(LONG)
    });
    until_readers_sleep(&far, 1);
    near.post(numbered(7));
    assert_eq!(expect_number(told.recv().unwrap()), 7);
    until_readers_sleep(&far, 1);
    near.close();
    assert!(matches!(reader.join().unwrap(), Received::Closed));
}

#[test]
fn a_slice_ends_empty_when_its_time_is_up() {
    let (_near, far) = channel(None);
    let started = Instant::now();
    assert!(matches!(far.receive_slice(Duration::from_millis(15)), Received::Empty));
    assert!(started.elapsed() >= Duration::from_millis(15));
}

#[test]
fn a_reader_is_released_when_its_port_is_detached_or_closed_under_it() {
    for close in [false, true] {
        let (_near, far) = channel(None);
        let blocked = far.clone();
        let reader = thread::spawn(move || blocked.receive_slice(LONG));
        until_readers_sleep(&far, 1);
        let transit = if close { far.close().then_some(None) } else { far.detach().ok().map(Some) };
        assert!(transit.is_some());
        assert!(matches!(reader.join().unwrap(), Received::Gone));
    }
}

#[test]
fn a_cancelled_reader_stops() {
    let (_near, far) = channel(None);
    let token = CancelToken::new(None);
    let cancel = token.clone();
    let blocked = far.clone();
    let reader = thread::spawn(move || blocked.receive(WaitLimit::new(Some(&cancel))));
    until_readers_sleep(&far, 1);
    token.cancel(Reason::PoolClosed);
    assert!(matches!(reader.join().unwrap(), Err(Reason::PoolClosed)));
}

#[test]
fn a_reader_that_is_cancelled_as_it_is_notified_passes_the_message_on() {
    for _ in 0..10 {
        let (near, far) = channel(None);
        let token = CancelToken::new(None);
        thread::scope(|scope| {
            scope.spawn(|| far.receive(WaitLimit::new(Some(&token))));
            until_readers_sleep(&far, 1);
            let second = scope.spawn(|| far.receive_slice(LATE));
            until_readers_sleep(&far, 2);
            token.cancel(Reason::Cancelled);
            let started = Instant::now();
            near.post(numbered(1));
            assert_eq!(expect_number(second.join().unwrap()), 1);
            assert!(started.elapsed() < LATE / 2, "it came by its time running out");
        });
    }
}

// ── Transfer ────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_detached_handle_is_spent_and_its_drop_closes_nothing() {
    let (near, far) = channel(None);
    let transit = far.detach().unwrap();
    assert_eq!(far.detach().unwrap_err(), Refusal::Detached);
    assert_eq!(far.post(numbered(1)), Posted::Detached);
    assert_eq!(far.try_post(numbered(1)).unwrap_err().why, Refusal::Detached);
    assert!(matches!(far.take_one(), Received::Gone));
    assert!(!far.close());
    drop(far);
    near.post(numbered(2));
    let there = transit.attach(None);
    assert_eq!(expect_number(there.take_one()), 2);
    assert_eq!(there.post(numbered(3)), Posted::Queued);
    assert_eq!(expect_number(near.take_one()), 3);
}

#[test]
fn a_closed_port_cannot_be_detached() {
    let (near, far) = channel(None);
    near.close();
    assert_eq!(near.detach().unwrap_err(), Refusal::Closed);
    let transit = far.detach().expect("it was not told of the close yet");
    assert!(matches!(transit.attach(None).take_one(), Received::Closed));
}

#[test]
fn a_port_travels_in_a_message_of_another() {
    let (near, far) = channel(None);
    let (inner, outer) = channel(None);
    outer.post(numbered(1));
    near.post(carrying(&inner));
    outer.post(numbered(2));
    let Received::Message(message) = far.take_one() else { panic!("a message was posted") };
    let there = carried(message).expect("it carries a port");
    assert_eq!(expect_number(there.take_one()), 1);
    assert_eq!(expect_number(there.take_one()), 2);
    assert!(matches!(there.take_one(), Received::Empty));
}

#[test]
fn a_port_dropped_in_transit_closes() {
    let (near, far) = channel(None);
    near.post(numbered(1));
    drop(carrying(&far));
    assert!(matches!(near.take_one(), Received::Closed));
    assert_eq!(near.post(numbered(2)), Posted::Closed);
}

#[test]
fn a_port_posted_to_itself_closes_the_channel() {
    let (near, far) = channel(None);
    let refused = near.try_post(carrying(&far)).unwrap_err();
    assert_eq!(refused.why, Refusal::Looped);
    let far = carried(refused.message).unwrap();
    assert_eq!(near.post(carrying(&far)), Posted::Looped);
    assert!(matches!(near.take_one(), Received::Closed));
}

#[test]
fn a_chain_of_ten_thousand_ports_inside_each_other_is_dropped_without_recursion() {
    let dropper = || {
        let (first, mut outer) = channel(None);
        let mut last = None;
        for _ in 0..10_000 {
            // A new channel whose near end holds, in its inbox, the chain so far.
            let (near, far) = channel(None);
            far.post(carrying(&outer));
            last = Some(far.detach().unwrap());
            outer = near;
        }
        drop(last);
        let message = carrying(&outer);
        drop(outer);
        drop(message);
        assert!(matches!(first.take_one(), Received::Closed), "the innermost port has closed as well");
    };
    // A stack that would not hold ten thousand nested drops.
    thread::Builder::new().stack_size(64 * 1024).spawn(dropper).unwrap().join().unwrap();
}

// ── A native task's handle ───────────────────────────────────────────────────────────────────────────────

#[test]
fn a_task_sends_and_receives_envelopes() {
    let (near, far) = channel(Some(4));
    let task = PortHandle::new(far.detach().unwrap(), CancelToken::new(None));
    near.post(numbered(1));
    assert_eq!(task.recv().unwrap().wire, 1u64.to_le_bytes());
    assert_eq!(task.try_recv().unwrap_err(), ReceiveError::Empty);
    near.post(Message { fallback: Some(super::Fallback::Plain), ..Message::default() });
    assert_eq!(task.recv().unwrap_err(), ReceiveError::JavaScriptOnly);
    task.send(numbered(5).into()).unwrap();
    task.try_send(numbered(6).into()).unwrap();
    drop(task);
    assert_eq!(expect_number(near.take_one()), 5);
    assert_eq!(expect_number(near.take_one()), 6);
    assert!(matches!(near.take_one(), Received::Closed));
}

#[test]
fn a_task_that_is_told_to_stop_leaves_its_port() {
    let (near, far) = channel(Some(1));
    let token = CancelToken::new(None);
    let task = Arc::new(PortHandle::new(far.detach().unwrap(), token.clone()));
    let waiting = Arc::clone(&task);
    let reader = thread::spawn(move || waiting.recv());
    until_readers_sleep(task.port(), 1);
    token.cancel(Reason::Cancelled);
    assert_eq!(reader.join().unwrap().unwrap_err(), ReceiveError::Cancelled(Reason::Cancelled));
    assert_eq!(task.send(Envelope::default()).unwrap_err().why, Refusal::Cancelled(Reason::Cancelled));
    assert!(near.is_empty());
}

#[test]
fn what_was_taken_and_not_used_travels_with_the_port() {
    let (near, far, _waker) = listening();
    for n in 0..5 {
        near.post(numbered(n));
    }
    near.close();
    let mut stock = VecDeque::new();
    // `take` does not report the end together with messages, since these might be put back.
    assert_eq!(far.take_batch(9, &mut stock), Taken::More);
    far.put_back(stock.drain(2..));
    let there = far.detach().unwrap().attach(None);
    for n in 2..5 {
        assert_eq!(expect_number(there.take_one()), n);
    }
    assert!(matches!(there.take_one(), Received::Closed));
}

#[test]
fn the_turn_goes_back_when_the_stock_is_used_and_nothing_more_waits() {
    let (near, far, witness) = listening();
    let mut stock = VecDeque::new();
    for n in 0..5 {
        near.post(numbered(n));
    }
    assert_eq!(far.take_batch(2, &mut stock), Taken::More);
    assert_eq!(stock.drain(..).map(|message| number(&message)).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    near.post(numbered(5));
    assert_eq!(witness.wakes(), 1, "whoever has the turn is not woken");
    assert_eq!(far.end_turn(), Taken::More);
    assert_eq!(far.take_batch(2, &mut stock), Taken::More);
    stock.clear();
    assert_eq!(far.end_turn(), Taken::Empty);
    near.post(numbered(6));
    assert_eq!(witness.wakes(), 2);
}

#[test]
fn of_a_bounded_channel_no_more_is_taken_than_asked_for() {
    let (near, far) = channel(Some(4));
    let mut stock = VecDeque::new();
    for n in 0..4 {
        near.post(numbered(n));
    }
    assert_eq!(far.take_batch(3, &mut stock), Taken::More);
    assert_eq!((stock.len(), near.backlog()), (3, 1));
    far.put_back(stock.drain(..));
    for n in 0..4 {
        assert_eq!(expect_number(far.take_one()), n);
    }
}

#[test]
fn what_comes_back_to_a_port_that_has_closed_is_dropped_without_a_lock() {
    let (near, far) = channel(None);
    let (other, moving) = channel(None);
    near.post(carrying(&moving));
    let mut stock = VecDeque::new();
    assert_eq!(far.take_batch(1, &mut stock), Taken::More);
    // With the message a port is dropped, and with that the other end of this very channel: both close.
    assert_eq!(other.post(carrying(&near)), Posted::Queued);
    far.close();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        far.put_back(stock.drain(..));
        tell.send(()).unwrap();
    });
    assert_eq!(told.recv_timeout(LONG / 2), Ok(()));
    assert!(matches!(other.take_one(), Received::Closed));
}
