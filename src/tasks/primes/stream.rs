//! Primes as they are found, one message each.

use super::sieve::{RESIDUES, Sieve, wheel_primes};
use crate::channel::PortHandle;
use crate::error::Result;
use crate::tasks::Context;
use crate::value::{PortValue, Value};

/// Messages between two looks for an order to stop.
const STRIDE: u32 = 64;

/// Posts every prime up to `limit` until any message comes, or the channel closes. The result is the
/// count of primes posted. A bounded channel sets the pace; the reader of an unbounded one may find very many waiting.
pub(super) fn stream(limit: u64, port: &PortValue, context: &Context<'_>) -> Result<Value> {
    let Some(port) = port.open(context.cancel_token().clone()) else { return Ok(Value::Undefined) };
    let mut posted = 0;
    for prime in wheel_primes(limit) {
        if !post(&port, u64::from(prime), &mut posted)? {
            return Ok(Value::from(posted));
        }
    }
    let mut sieve = Sieve::new(limit, context)?;
    let mut segment = vec![0_u64; sieve.segment_words()];
    let mut start = 0_u64;
    while let Some(used) = sieve.next(&mut segment)? {
        for (index, word) in segment[..used].iter().enumerate() {
            let base = start + index as u64 * 240;
            let mut unmarked = !u64::from_le(*word);
            while unmarked != 0 {
                let bit = unmarked.trailing_zeros();
                let prime = base + u64::from(bit / 8) * 30 + RESIDUES[(bit % 8) as usize];
                if !post(&port, prime, &mut posted)? {
                    return Ok(Value::from(posted));
                }
                unmarked &= unmarked - 1;
            }
        }
        start += used as u64 * 240;
    }
    Ok(Value::from(posted))
}

/// False when it is time to stop.
fn post(port: &PortHandle, prime: u64, posted: &mut u32) -> Result<bool> {
    if posted.is_multiple_of(STRIDE) && port.try_recv_value()?.is_some() {
        return Ok(false);
    }
    #[allow(clippy::cast_precision_loss)] // far below 2^53
    let sent = port.send_value_until_message(Value::Number(prime as f64))?;
    *posted += u32::from(sent);
    Ok(sent)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::time::Duration;

    use crate::channel::{Port, Received, channel};
    use crate::tasks::testing::{object, ok, stops_when_cancelled};
    use crate::value::{Limits, PortValue, Value, decode, encode};

    fn input(limit: f64, far: &Port) -> Value {
        object([("limit", limit.into()), ("port", Value::Port(PortValue::new(far.detach().unwrap())))])
    }

    fn next(near: &Port) -> Option<Value> {
        match near.receive_slice(Duration::from_secs(10)) {
            Received::Message(message) => Some(decode(message.into(), Limits::default()).unwrap()),
            _ => None,
        }
    }

    #[test]
    fn every_prime_is_a_message_in_order() {
        let (near, far) = channel(None);
        assert_eq!(ok("primes", input(1e6, &far)), Value::from(78_498_u32));
        let Value::Bytes(list) = ok("primes", object([("limit", 1e6.into()), ("list", true.into())])) else {
            panic!("a list");
        };
        for prime in bytemuck::cast_slice::<u8, u32>(list.as_slice()) {
            assert_eq!(next(&near), Some(Value::from(*prime)));
        }
        assert_eq!(next(&near), None, "the port closes with the task");
    }

    #[test]
    fn it_stops_when_told_and_when_nobody_listens_any_more() {
        let (near, far) = channel(Some(10));
        let value = input(1e10, &far);
        let task = std::thread::spawn(move || ok("primes", value));
        assert_eq!(next(&near), Some(Value::from(2_u32)));
        near.post(encode(Value::from("stop")).unwrap().into());
        while next(&near).is_some() {}
        let Value::Number(posted) = task.join().unwrap() else { panic!("a count") };
        assert!(posted < 1_000.0, "{posted}");

        // A reader that does not read on: no room comes.
        let (near, far) = channel(Some(10));
        let value = input(1e10, &far);
        let task = std::thread::spawn(move || ok("primes", value));
        assert_eq!(next(&near), Some(Value::from(2_u32)));
        near.post(encode(Value::from("stop")).unwrap().into());
        assert!(matches!(task.join().unwrap(), Value::Number(posted) if posted <= 11.0));

        let (near, far) = channel(Some(10));
        let value = input(1e10, &far);
        let task = std::thread::spawn(move || ok("primes", value));
        assert_eq!(next(&near), Some(Value::from(2_u32)));
        near.close();
        assert!(matches!(task.join().unwrap(), Value::Number(posted) if posted <= 11.0));
    }

    #[test]
    fn it_stops_when_cancelled() {
        let ends = std::sync::Mutex::new(Vec::new());
        stops_when_cancelled("primes", || {
            let (near, far) = channel(Some(1));
            ends.lock().unwrap().push(near);
            input(1e10, &far)
        });
    }
}
