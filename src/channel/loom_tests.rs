//! Every interleaving of small cases: `RUSTFLAGS="--cfg loom" cargo test --lib loom_`
//!
//! A lost wake or notification shows as a deadlock, which loom reports.

use std::collections::VecDeque;
use std::sync::Arc as SharedArc;

use super::{Message, Port, PortId, PortWaker, Posted, Received, Refusal, Taken, Transit, channel};
use crate::blocking::WaitLimit;
use crate::cancel::{CancelToken, Reason};
use crate::sync::{Arc, Condvar, Mutex, thread};
use crate::value::Envelope;

fn numbered(number: u8) -> Message {
    Message::from(Envelope { wire: vec![number], parts: Vec::new() })
}

fn number(message: &Message) -> u8 {
    message.wire[0]
}

/// An event loop in small: sleeps until woken, and does nothing unless woken.
struct Loop {
    line: Arc<(Mutex<u32>, Condvar)>,
}

impl Loop {
    fn new() -> (SharedArc<Self>, Arc<(Mutex<u32>, Condvar)>) {
        let line = Arc::new((Mutex::new(0), Condvar::new()));
        (SharedArc::new(Loop { line: Arc::clone(&line) }), line)
    }

    fn call(&self) {
        *self.line.0.lock() += 1;
        self.line.1.notify_one();
    }
}

impl PortWaker for Loop {
    fn wake(&self, _: PortId) {
        self.call();
    }

    fn room(&self, _: PortId) {
        self.call();
    }
}

fn wait(line: &(Mutex<u32>, Condvar)) {
    let mut calls = line.0.lock();
    while *calls == 0 {
        line.1.wait(&mut calls);
    }
    *calls -= 1;
}

/// Takes by the rules until `Closed`. Returns what `take` moved to the batch, and how many wakes it took.
fn drain_by(
    line: &(Mutex<u32>, Condvar),
    mut take: impl FnMut(&mut Vec<Message>) -> Taken,
) -> (Vec<u8>, u32) {
    let (mut batch, mut wakes) = (Vec::new(), 0);
    loop {
        wait(line);
        wakes += 1;
        loop {
            match take(&mut batch) {
                Taken::More => {}
                Taken::Empty => break,
                Taken::Closed => return (batch.iter().map(number).collect(), wakes),
                Taken::Gone => panic!("the close was missed"),
            }
        }
    }
}

/// One message at a time.
fn drain(port: &Port, line: &(Mutex<u32>, Condvar)) -> (Vec<u8>, u32) {
    drain_by(line, |batch| port.take(1, batch))
}

/// All there is, and a rest when it has been used up.
fn drain_by_stock(port: &Port, line: &(Mutex<u32>, Condvar)) -> (Vec<u8>, u32) {
    let mut stock = VecDeque::new();
    drain_by(line, |batch| match port.take_batch(1, &mut stock) {
        Taken::More => {
            batch.extend(stock.drain(..));
            port.end_turn()
        }
        other => other,
    })
}

fn no_wake_is_lost(drain: fn(&Port, &(Mutex<u32>, Condvar)) -> (Vec<u8>, u32)) {
    loom::model(move || {
        let (near, far) = channel(None);
        let (owner, line) = Loop::new();
        far.set_waker(Some(owner));
        far.listen(true);
        let poster = thread::spawn(move || {
            near.post(numbered(1));
            near.post(numbered(2));
            near.close();
        });
        let (got, wakes) = drain(&far, &line);
        assert_eq!(got, [1, 2]);
        assert!(wakes <= 3, "one for each post and one for the close at most");
        poster.join().unwrap();
    });
}

#[test]
fn loom_no_wake_is_lost_and_none_is_idle() {
    no_wake_is_lost(drain);
}

#[test]
fn loom_taking_all_and_resting_loses_no_wake() {
    no_wake_is_lost(drain_by_stock);
}

#[test]
fn loom_listening_late_misses_nothing() {
    loom::model(|| {
        let (near, far) = channel(None);
        let (owner, line) = Loop::new();
        far.set_waker(Some(owner));
        let poster = thread::spawn(move || {
            near.post(numbered(1));
            near.close();
        });
        far.listen(true);
        assert_eq!(drain(&far, &line).0, [1]);
        poster.join().unwrap();
    });
}

#[test]
fn loom_what_was_posted_before_the_close_is_delivered_before_it() {
    loom::model(|| {
        let (near, far) = channel(None);
        let racing = near.clone();
        let poster = thread::spawn(move || {
            let first = racing.post(numbered(1)) == Posted::Queued;
            let second = racing.post(numbered(2)) == Posted::Queued;
            assert!(first || !second, "closed once is closed for good");
            u8::from(first) + u8::from(second)
        });
        let closer = thread::spawn(move || assert!(near.close()));
        let mut got = 0;
        loop {
            match far.receive(WaitLimit::default()) {
                Ok(Received::Message(message)) => {
                    got += 1;
                    assert_eq!(number(&message), got);
                }
                Ok(Received::Closed) => break,
                other => panic!("a message or the close was expected, not {other:?}"),
            }
        }
        assert_eq!(poster.join().unwrap(), got);
        closer.join().unwrap();
        assert!(matches!(far.take_one(), Received::Gone));
    });
}

#[test]
fn loom_both_ends_close_at_once() {
    loom::model(|| {
        let (near, far) = channel(None);
        far.post(numbered(1));
        let other = thread::spawn(move || {
            far.close();
            matches!(far.take_one(), Received::Gone)
        });
        near.close();
        assert!(matches!(near.take_one(), Received::Gone));
        assert!(other.join().unwrap());
    });
}

#[test]
fn loom_a_transfer_loses_and_reorders_no_message_on_its_way_in() {
    loom::model(|| {
        let (near, far) = channel(None);
        let poster = thread::spawn(move || {
            near.post(numbered(1));
            near.post(numbered(2));
            near.close();
        });
        let mut got = Vec::new();
        far.take(1, &mut got);
        let transit = far.detach();
        let Ok(transit) = transit else {
            // `take` may have reported the close only after both messages; with one at most it cannot have.
            panic!("an open port detaches");
        };
        let (owner, line) = Loop::new();
        let there = transit.attach(Some(owner));
        there.listen(true);
        let mut got: Vec<u8> = got.iter().map(number).collect();
        got.extend(drain(&there, &line).0);
        assert_eq!(got, [1, 2]);
        poster.join().unwrap();
    });
}

#[test]
fn loom_what_was_taken_and_not_used_goes_along_once_and_in_order() {
    loom::model(|| {
        let (near, far) = channel(None);
        let (owner, line) = Loop::new();
        far.set_waker(Some(owner));
        far.listen(true);
        near.post(numbered(1));
        let poster = thread::spawn(move || {
            near.post(numbered(2));
            near.close();
        });
        wait(&line);
        // One is used of what there is; the listener goes, comes again, and the port leaves.
        let mut stock = VecDeque::new();
        assert_eq!(far.take_batch(9, &mut stock), Taken::More);
        let mut got: Vec<u8> = stock.drain(..1).map(|message| number(&message)).collect();
        far.put_back(stock.drain(..));
        far.listen(false);
        far.listen(true);
        let there = far.detach().expect("it was not told the end").attach(None);
        there.listen(true);
        loop {
            match there.receive(WaitLimit::default()) {
                Ok(Received::Message(message)) => got.push(number(&message)),
                Ok(Received::Closed) => break,
                other => panic!("a message or the close was expected, not {other:?}"),
            }
        }
        assert_eq!(got, [1, 2]);
        poster.join().unwrap();
    });
}

#[test]
fn loom_a_claim_gets_the_port_however_early_it_comes() {
    loom::model(|| {
        let transit = Arc::new(Transit::new());
        let (near, far) = channel(None);
        near.post(numbered(1));
        let key = transit.announce(1, far.id());
        let there = Arc::clone(&transit);
        let receiver = thread::spawn(move || {
            let port = there.claim(key, 2).expect("it is on its way").attach(None);
            assert!(matches!(port.take_one(), Received::Message(_)));
            assert!(there.claim(key, 2).is_none());
        });
        transit.deposit(key, far.detach().unwrap());
        receiver.join().unwrap();
    });
}

#[test]
fn loom_a_claim_comes_back_when_the_key_is_withdrawn() {
    loom::model(|| {
        let transit = Arc::new(Transit::new());
        let (_near, far) = channel(None);
        let key = transit.announce(1, far.id());
        let there = Arc::clone(&transit);
        let receiver = thread::spawn(move || assert!(there.claim(key, 2).is_none()));
        transit.withdraw(key);
        assert!(far.is_open());
        receiver.join().unwrap();
    });
}

#[test]
fn loom_a_transfer_puts_the_last_owners_posts_before_the_next_owners() {
    loom::model(|| {
        let (near, far) = channel(None);
        let racing = far.clone();
        let last = thread::spawn(move || racing.post(numbered(1)));
        let transit = far.detach().unwrap();
        let next = thread::spawn(move || {
            let there = transit.attach(None);
            assert_eq!(there.post(numbered(2)), Posted::Queued);
        });
        next.join().unwrap();
        let posted = last.join().unwrap();
        let mut got = Vec::new();
        assert_eq!(near.take(9, &mut got), Taken::Closed);
        let got: Vec<u8> = got.iter().map(number).collect();
        match posted {
            Posted::Queued => assert_eq!(got, [1, 2]),
            Posted::Detached => assert_eq!(got, [2]),
            other => panic!("impossible: {other:?}"),
        }
    });
}

#[test]
fn loom_a_blocked_reader_passes_the_turn_to_the_owner() {
    loom::model(|| {
        let (near, far) = channel(None);
        let (owner, line) = Loop::new();
        far.set_waker(Some(owner));
        far.listen(true);
        let blocked = far.clone();
        let reader = thread::spawn(move || match blocked.receive(WaitLimit::default()) {
            Ok(Received::Message(message)) => number(&message),
            other => panic!("a message was expected, not {other:?}"),
        });
        near.post(numbered(1));
        near.post(numbered(2));
        assert_eq!(reader.join().unwrap(), 1);
        wait(&line);
        let mut got = Vec::new();
        assert_eq!(far.take(9, &mut got), Taken::Empty);
        assert_eq!(got.iter().map(number).collect::<Vec<_>>(), [2]);
    });
}

#[test]
fn loom_two_blocked_writers_get_the_room_of_two_takes() {
    loom::model(|| {
        let (near, far) = channel(Some(1));
        near.post(numbered(0));
        let writers = [1, 2].map(|n| {
            let near = near.clone();
            thread::spawn(move || near.post_blocking(numbered(n), WaitLimit::default()).unwrap())
        });
        let mut sum = 0;
        for _ in 0..3 {
            match far.receive(WaitLimit::default()) {
                Ok(Received::Message(message)) => sum += number(&message),
                other => panic!("a message was expected, not {other:?}"),
            }
        }
        assert_eq!(sum, 3);
        writers.into_iter().for_each(|writer| writer.join().unwrap());
    });
}

#[test]
fn loom_an_owner_that_waits_for_room_is_told() {
    loom::model(|| {
        let (near, far) = channel(Some(1));
        let (owner, line) = Loop::new();
        near.set_waker(Some(owner));
        near.post(numbered(1));
        let reader = thread::spawn(move || {
            assert!(matches!(far.take_one(), Received::Message(_)));
            far
        });
        if near.want_room() == Err(Refusal::Full) {
            wait(&line);
        }
        near.try_post(numbered(2)).unwrap();
        let far = reader.join().unwrap();
        assert!(matches!(far.take_one(), Received::Message(_)));
    });
}

#[test]
fn loom_a_cancelled_reader_wakes_and_takes_no_message_with_it() {
    loom::model(|| {
        let (near, far) = channel(None);
        let token = CancelToken::new(None);
        let (blocked, waits) = (far.clone(), token.clone());
        let reader = thread::spawn(move || match blocked.receive(WaitLimit::new(Some(&waits))) {
            Ok(Received::Message(message)) => {
                assert_eq!(number(&message), 1);
                true
            }
            Err(Reason::Cancelled) => false,
            other => panic!("a message or the reason was expected, not {other:?}"),
        });
        let canceller = thread::spawn(move || token.cancel(Reason::Cancelled));
        near.post(numbered(1));
        let taken = reader.join().unwrap();
        assert_eq!(far.len(), usize::from(!taken));
        canceller.join().unwrap();
    });
}

#[test]
fn loom_a_cancelled_reader_leaves_the_message_to_the_other_reader() {
    // Unbounded, four threads take minutes.
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(|| {
        let (near, far) = channel(None);
        let token = CancelToken::new(None);
        let (blocked, waits) = (far.clone(), token.clone());
        let gives_up = thread::spawn(move || {
            matches!(blocked.receive(WaitLimit::new(Some(&waits))), Ok(Received::Message(_)))
        });
        let stays = far.clone();
        let stays =
            thread::spawn(move || matches!(stays.receive(WaitLimit::default()), Ok(Received::Message(_))));
        near.post(numbered(1));
        token.cancel(Reason::Cancelled);
        // One of them has the message; the other gets the end.
        near.close();
        let (first, second) = (gives_up.join().unwrap(), stays.join().unwrap());
        assert!(first ^ second, "one message, one reader");
    });
}

#[test]
fn loom_a_cancelled_writer_wakes_with_its_message_in_hand() {
    loom::model(|| {
        let (near, far) = channel(Some(1));
        near.post(numbered(0));
        let token = CancelToken::new(None);
        let (blocked, waits) = (near.clone(), token.clone());
        let writer =
            thread::spawn(move || match blocked.post_blocking(numbered(1), WaitLimit::new(Some(&waits))) {
                Ok(()) => true,
                Err(refused) => {
                    assert_eq!(refused.why, Refusal::Cancelled(Reason::Cancelled));
                    assert_eq!(number(&refused.message), 1);
                    false
                }
            });
        token.cancel(Reason::Cancelled);
        let posted = writer.join().unwrap();
        assert!(!posted, "there was no room");
        assert_eq!(far.len(), 1);
    });
}
