//! Many messages, several threads, random moments: order, loss, capacity, and no deadlock.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::test_support::{carried, carrying, expect_number, number, numbered};
use super::{Message, Port, PortId, PortInTransit, PortWaker, Posted, Received, Refusal, Taken, channel};
use crate::wait_limit::WaitLimit;

/// Past this, something hangs.
const LONG: Duration = Duration::from_secs(60);

/// A small generator (xorshift64*), so that a failure can be run again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % most
    }
}

/// An owner like an event loop: a wake is a line in a queue, and only a wake makes it drain.
struct EventLoop {
    lines: mpsc::Sender<PortId>,
    wakes: AtomicUsize,
}

impl EventLoop {
    fn new() -> (Arc<Self>, mpsc::Receiver<PortId>) {
        let (lines, intake) = mpsc::channel();
        (Arc::new(EventLoop { lines, wakes: AtomicUsize::new(0) }), intake)
    }
}

impl PortWaker for EventLoop {
    fn wake(&self, port: PortId) {
        self.wakes.fetch_add(1, Ordering::Relaxed);
        let _ = self.lines.send(port);
    }

    fn room(&self, port: PortId) {
        let _ = self.lines.send(port);
    }
}

#[test]
fn a_million_messages_arrive_in_order_at_an_owner_that_drains_only_when_woken() {
    const COUNT: u64 = 1_000_000;
    let (near, far) = channel(None);
    let (owner, intake) = EventLoop::new();
    far.set_waker(Some(owner.clone()));
    far.listen(true);
    let poster = thread::spawn(move || {
        for n in 0..COUNT {
            assert_eq!(near.post(numbered(n)), Posted::Queued);
            if n % 4096 == 0 {
                thread::yield_now();
            }
        }
    });
    let (mut next, mut drains, mut batch) = (0, 0, VecDeque::new());
    'all: loop {
        assert_eq!(intake.recv_timeout(LONG).expect("a wake was lost"), far.id());
        loop {
            let mut taken = far.take_batch(1000, &mut batch);
            for message in batch.drain(..) {
                assert_eq!(number(&message), next);
                next += 1;
            }
            if taken == Taken::More {
                taken = far.end_turn();
            }
            match taken {
                Taken::More => {}
                Taken::Empty => break,
                Taken::Closed => break 'all,
                Taken::Gone => panic!("the close was missed"),
            }
        }
        drains += 1;
    }
    poster.join().unwrap();
    assert_eq!(next, COUNT);
    let wakes = owner.wakes.load(Ordering::Relaxed);
    assert!(wakes <= drains + 1, "{wakes} wakes for {drains} drains");
}

#[test]
fn a_million_messages_arrive_in_order_at_a_blocked_thread() {
    const COUNT: u64 = 1_000_000;
    let (near, far) = channel(None);
    let poster = thread::spawn(move || (0..COUNT).all(|n| near.post(numbered(n)) == Posted::Queued));
    for n in 0..COUNT {
        assert_eq!(expect_number(far.receive_slice(LONG)), n);
    }
    assert!(matches!(far.receive_slice(LONG), Received::Closed));
    assert!(poster.join().unwrap());
}

#[test]
fn both_directions_of_a_bounded_channel_run_at_once_and_keep_to_the_capacity() {
    const COUNT: u64 = 100_000;
    const CAPACITY: usize = 7;
    let (near, far) = channel(Some(CAPACITY));
    thread::scope(|scope| {
        for port in [&near, &far] {
            scope.spawn(move || {
                for n in 0..COUNT {
                    port.post_blocking(numbered(n), WaitLimit::default().within(LONG))
                        .expect("room was never told");
                }
            });
            scope.spawn(move || {
                for n in 0..COUNT {
                    assert!(port.len() <= CAPACITY);
                    assert_eq!(expect_number(port.receive_slice(LONG)), n);
                }
            });
        }
    });
}

#[test]
fn several_writers_and_readers_at_one_narrow_channel_lose_nothing() {
    const EACH: u64 = 20_000;
    const THREADS: u64 = 4;
    let (near, far) = channel(Some(2));
    let sum = AtomicUsize::new(0);
    let received = AtomicUsize::new(0);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let near = near.clone();
                scope.spawn(move || {
                    let mut dice = Dice(0x9e37_79b9 + thread);
                    for n in 0..EACH {
                        let mut message = numbered(n);
                        // Short waits on purpose: leaving by timeout must not swallow a notification.
                        let limit = |dice: &mut Dice| {
                            WaitLimit::default().within(Duration::from_micros(1 + dice.below(50)))
                        };
                        while let Err(refused) = near.post_blocking(message, limit(&mut dice)) {
                            assert_eq!(refused.why, Refusal::TimedOut);
                            message = refused.message;
                        }
                    }
                })
            })
            .collect();
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    match far.receive_slice(LONG) {
                        Received::Message(message) => {
                            sum.fetch_add(usize::try_from(number(&message)).unwrap(), Ordering::Relaxed);
                            received.fetch_add(1, Ordering::Relaxed);
                        }
                        Received::Closed | Received::Gone => break,
                        Received::Empty => panic!("a reader was left asleep"),
                    }
                }
            });
        }
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        near.close();
    });
    assert_eq!(received.into_inner() as u64, EACH * THREADS);
    assert_eq!(sum.into_inner() as u64, THREADS * EACH * (EACH - 1) / 2);
}

#[test]
fn an_awaitable_send_over_room_calls_sends_everything() {
    const COUNT: u64 = 100_000;
    let (near, far) = channel(Some(16));
    let (owner, intake) = EventLoop::new();
    near.set_waker(Some(owner));
    let sender = thread::spawn(move || {
        let mut held: Option<Message> = None;
        let mut next = 0;
        while next < COUNT || held.is_some() {
            let message = held.take().unwrap_or_else(|| {
                next += 1;
                numbered(next - 1)
            });
            if let Err(refused) = near.try_post(message) {
                assert_eq!(refused.why, Refusal::Full);
                held = Some(refused.message);
                if near.want_room() == Err(Refusal::Full) {
                    assert_eq!(intake.recv_timeout(LONG).expect("room was never told"), near.id());
                }
            }
        }
    });
    let (mut next, mut batch) = (0, Vec::new());
    while next < COUNT {
        batch.clear();
        match far.receive_slice(LONG) {
            Received::Message(message) => batch.push(message),
            other => panic!("a message was expected, not {other:?}"),
        }
        far.take(8, &mut batch);
        assert!(batch.len() <= 16);
        for message in &batch {
            assert_eq!(number(message), next);
            next += 1;
        }
    }
    sender.join().unwrap();
}

#[test]
fn a_port_that_travels_between_threads_while_both_ends_post_loses_and_reorders_nothing() {
    const COUNT: u64 = 300_000;
    const THREADS: usize = 3;
    let (near, far) = channel(None);
    // Each thread takes the port from its line, uses it a little, and sends it on to the next.
    let (lines, intakes): (Vec<_>, Vec<_>) =
        (0..THREADS).map(|_| mpsc::channel::<(PortInTransit, u64, u64)>()).unzip();
    let (done, ended) = mpsc::channel::<(Port, u64)>();
    let travellers: Vec<_> = intakes
        .into_iter()
        .enumerate()
        .map(|(index, intake)| {
            let next_line = lines[(index + 1) % THREADS].clone();
            let done = done.clone();
            thread::spawn(move || {
                let mut dice = Dice(7 + index as u64);
                let mut batch = Vec::new();
                while let Ok((transit, mut taken, mut posted)) = intake.recv() {
                    let port = transit.attach(None);
                    for _ in 0..=dice.below(3) {
                        assert_eq!(port.post(numbered(posted)), Posted::Queued);
                        posted += 1;
                    }
                    for _ in 0..=dice.below(200) {
                        let Received::Message(message) = port.take_one() else { break };
                        batch.push(message);
                    }
                    for message in batch.drain(..) {
                        assert_eq!(number(&message), taken);
                        taken += 1;
                    }
                    if taken == COUNT {
                        done.send((port, posted)).unwrap();
                        return;
                    }
                    let onward = port.detach().unwrap();
                    if next_line.send((onward, taken, posted)).is_err() {
                        return;
                    }
                }
            })
        })
        .collect();
    lines[0].send((far.detach().unwrap(), 0, 0)).unwrap();
    drop(lines);
    let reader = {
        let near = near.clone();
        thread::spawn(move || {
            let mut next = 0;
            loop {
                match near.receive_slice(LONG) {
                    Received::Message(message) => {
                        assert_eq!(number(&message), next);
                        next += 1;
                    }
                    Received::Closed => return next,
                    other => panic!("a message or the close was expected, not {other:?}"),
                }
            }
        })
    };
    for n in 0..COUNT {
        assert_eq!(near.post(numbered(n)), Posted::Queued);
        if n % 64 == 0 {
            thread::yield_now();
        }
    }
    let (port, posted) = ended.recv_timeout(LONG).expect("messages were lost");
    port.close();
    assert_eq!(reader.join().unwrap(), posted);
    drop((port, ended));
    travellers.into_iter().for_each(|traveller| traveller.join().unwrap());
}

#[test]
fn ports_sent_through_three_hops_keep_their_messages_in_order() {
    const PORTS: u64 = 500;
    const EACH: u64 = 40;
    let (first, hop1) = channel(None);
    let (second, hop2) = channel(None);
    let (third, hop3) = channel(None);
    let relay = |from: Port, to: Port| {
        thread::spawn(move || {
            while let Received::Message(message) = from.receive_slice(LONG) {
                let port = carried(message).expect("it carries a port");
                assert_eq!(to.post(carrying(&port)), Posted::Queued);
            }
        })
    };
    let relays = [relay(hop1, second), relay(hop2, third)];
    let sink = thread::spawn(move || {
        let mut ports = 0;
        while let Received::Message(message) = hop3.receive_slice(LONG) {
            let port = carried(message).expect("it carries a port");
            for n in 0..EACH {
                assert_eq!(expect_number(port.receive_slice(LONG)), n);
            }
            assert!(matches!(port.receive_slice(LONG), Received::Closed));
            ports += 1;
        }
        ports
    });
    for _ in 0..PORTS {
        let (near, far) = channel(None);
        for n in 0..EACH {
            if n == EACH / 2 {
                first.post(carrying(&far));
            }
            near.post(numbered(n));
        }
    }
    first.close();
    assert_eq!(sink.join().unwrap(), PORTS);
    relays.into_iter().for_each(|relay| relay.join().unwrap());
}

#[test]
fn ports_that_hold_each_other_are_closed_from_both_sides_without_deadlock() {
    for round in 0..2_000 {
        let (a, b) = channel(None);
        let (c, d) = channel(None);
        let (witness, inner) = channel(None);
        // b's inbox holds d, and c's inbox (d's messages) holds a further port.
        d.post(carrying(&inner));
        a.post(carrying(&d));
        b.post(numbered(round));
        let one = thread::spawn(move || drop((a, c)));
        let two = thread::spawn(move || drop(b));
        one.join().unwrap();
        two.join().unwrap();
        assert!(matches!(witness.take_one(), Received::Closed));
    }
}

#[test]
fn posts_that_race_a_close_are_delivered_before_it_or_refused() {
    // The poster gives up after so many: a closer that is not scheduled must not make it run for ever.
    const MOST: u64 = 5_000;
    for round in 0..1_000 {
        let (near, far) = channel(None);
        let racing = near.clone();
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let poster = thread::spawn(move || {
            let mut posted = 0;
            while posted < MOST && racing.post(numbered(posted)) == Posted::Queued {
                posted += 1;
                seen.store(true, Ordering::Release);
            }
            posted
        });
        while round % 2 == 0 && !stop.load(Ordering::Acquire) {
            std::hint::spin_loop();
        }
        near.close();
        let posted = poster.join().unwrap();
        let mut batch = Vec::new();
        assert_eq!(far.take(usize::MAX, &mut batch), Taken::Closed);
        assert!(batch.iter().map(number).eq(0..posted));
    }
}
