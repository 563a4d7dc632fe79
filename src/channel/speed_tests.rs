//! Figures, not verdicts: `cargo test --release --lib channel::speed -- --ignored --nocapture --test-threads 1`

use std::hint::black_box;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::test_support::numbered;
use super::{Message, Owner, PortId, Received, Taken, channel};

struct Waker(mpsc::Sender<()>);

impl Owner for Waker {
    fn wake(&self, _: PortId) {
        let _ = self.0.send(());
    }

    fn room(&self, _: PortId) {}
}

#[test]
#[ignore = "a measurement"]
fn post_and_take_on_one_thread() {
    const COUNT: u32 = 1_000_000;
    for (what, make) in [
        ("an empty message", (|_| Message::default()) as fn(u64) -> Message),
        ("8 bytes of wire (one allocation)", numbered),
    ] {
        let (near, far) = channel(None);
        let (mut posting, mut taking) = (Duration::ZERO, Duration::ZERO);
        let mut batch = Vec::new();
        for _ in 0..COUNT / 1000 {
            let started = Instant::now();
            for n in 0..1000 {
                black_box(near.post(make(n)));
            }
            posting += started.elapsed();
            let started = Instant::now();
            far.take(1000, &mut batch);
            batch.clear();
            taking += started.elapsed();
        }
        println!("{what}: post {:?}, take and drop {:?} each", posting / COUNT, taking / COUNT);
    }
}

#[test]
#[ignore = "a measurement"]
fn bursts_between_two_threads() {
    const COUNT: u32 = 3_000_000;
    for (what, make) in
        [("empty messages", (|_| Message::default()) as fn(u64) -> Message), ("8 bytes of wire", numbered)]
    {
        for round in 0..3 {
            let (near, far) = channel(None);
            let (sender, wakes) = mpsc::channel();
            far.set_owner(Some(Arc::new(Waker(sender))));
            far.listen(true);
            let started = Instant::now();
            let poster = thread::spawn(move || {
                for n in 0..COUNT {
                    near.post(make(u64::from(n)));
                }
            });
            let (mut batch, mut got, mut turns) = (Vec::new(), 0, 0);
            'all: while wakes.recv().is_ok() {
                turns += 1;
                loop {
                    let taken = far.take(1000, &mut batch);
                    got += batch.len();
                    batch.clear();
                    match taken {
                        Taken::More => {}
                        Taken::Empty => break,
                        Taken::Closed | Taken::Gone => break 'all,
                    }
                }
            }
            let each = started.elapsed() / COUNT;
            poster.join().unwrap();
            assert_eq!(got, COUNT as usize);
            println!(
                "{what}, round {round}: {each:?} each, {} k/s, {turns} wakes",
                1_000_000 / each.as_nanos()
            );
        }
    }
}

#[test]
#[ignore = "a measurement"]
fn round_trip_of_two_blocked_threads() {
    const COUNT: u32 = 50_000;
    let (near, far) = channel(None);
    let echo = thread::spawn(move || {
        while let Received::Message(message) = far.receive_slice(Duration::from_secs(5)) {
            far.post(message);
        }
    });
    let started = Instant::now();
    for n in 0..COUNT {
        near.post(numbered(u64::from(n)));
        let Received::Message(_) = near.receive_slice(Duration::from_secs(5)) else { panic!("no echo") };
    }
    println!("round trip {:?}", started.elapsed() / COUNT);
    near.close();
    echo.join().unwrap();
}
