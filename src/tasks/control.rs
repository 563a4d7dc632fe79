//! Tasks that compute nothing: for tests, demonstrations and benchmarks of the pool itself.

use std::time::Duration;

use super::input::{Input, InputError, InputResult};
use super::{Context, Task};
use crate::channel::{ReceiveError, Refusal};
use crate::error::Result;
use crate::value::{PortValue, Text, Value};

/// The longest sleep, as for Node's timers: 2^31 - 1 ms, some 24.8 days.
const MAX_SLEEP: f64 = 2_147_483_647.0;

struct Milliseconds(f64);

impl Input for Milliseconds {
    fn from_value(value: Value) -> InputResult<Self> {
        let milliseconds = f64::from_value(value)?;
        if (0.0..=MAX_SLEEP).contains(&milliseconds) {
            Ok(Milliseconds(milliseconds))
        } else {
            Err(InputError::out_of_range(milliseconds))
        }
    }
}

/// `sleep`: holds its thread for some milliseconds, or until cancelled.
pub(super) fn sleep() -> Task {
    Task::new(
        "sleep",
        "a number of milliseconds from 0 to 2^31 - 1",
        |Milliseconds(ms): Milliseconds, context| context.sleep(Duration::from_secs_f64(ms / 1000.0)),
    )
}

/// `panic`: panics with the given message. For testing how a service handles a task that crashes.
pub(super) fn panic() -> Task {
    Task::new("panic", "a message (a string)", |message: Text, _| -> Result<()> {
        panic!("{}", message.to_str())
    })
}

/// `echo`: returns its input. For an object with a port under `port`, it serves that port instead: every message goes
/// back the way it came until the channel closes, and the result is their count.
pub(super) fn echo() -> Task {
    Task::new("echo", "anything", |value: Value, context| match value.get("port") {
        Some(Value::Port(port)) => serve(port, context),
        _ => Ok(value),
    })
}

fn serve(port: &PortValue, context: &Context<'_>) -> Result<Value> {
    let Some(port) = port.open(context.cancel_token().clone()) else { return Ok(Value::Undefined) };
    let mut served = 0_u32;
    loop {
        // In its wire form: nothing need be read to be sent back.
        let message = match port.recv() {
            Ok(message) => message,
            Err(ReceiveError::Closed) => return Ok(Value::from(served)),
            Err(error) => return Err(error.into_error()),
        };
        match port.send(message) {
            Ok(()) => served += 1,
            Err(refused) => match refused.why {
                Refusal::Cancelled(reason) => return Err(reason.into_error()),
                _ => return Ok(Value::from(served)),
            },
        }
    }
}

/// `noop`: takes anything and does nothing.
pub(super) fn noop() -> Task {
    Task::new("noop", "anything", |_: Value, _| Ok(()))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::channel::{Received, channel};
    use crate::error::Code;
    use crate::tasks::testing::{object, ok, refused, run, stops_when_cancelled};
    use crate::value::{Limits, decode, encode};

    #[test]
    fn sleep_takes_its_time() {
        let started = Instant::now();
        assert_eq!(ok("sleep", 12.5), Value::Undefined);
        assert!(started.elapsed() >= Duration::from_micros(12_500));
        assert_eq!(ok("sleep", 0.0), Value::Undefined);
    }

    #[test]
    fn sleep_refuses_what_is_no_duration() {
        for bad in [-1.0, f64::NAN, 2_147_483_648.0, f64::INFINITY] {
            assert_eq!(refused("sleep", bad).code(), Code::OutOfRange, "{bad}");
        }
        assert_eq!(refused("sleep", "1").code(), Code::InvalidInput);
    }

    #[test]
    fn sleep_stops_when_cancelled() {
        stops_when_cancelled("sleep", || Value::from(MAX_SLEEP));
    }

    #[test]
    fn panic_panics_with_its_message() {
        let error = crate::panic::guard(|| run("panic", "as asked {}")).unwrap_err();
        assert_eq!(error.code(), Code::TaskPanicked);
        assert!(error.message().starts_with("as asked {} (at "), "{error}");
    }

    #[test]
    fn echo_serves_a_port_until_the_channel_closes() {
        let (near, far) = channel(None);
        let port = Value::Port(PortValue::new(far.detach().unwrap()));
        for number in 0..3_u32 {
            near.post(encode(Value::from(number)).unwrap().into());
        }
        let served = std::thread::spawn(move || ok("echo", object([("port", port)])));
        for number in 0..3_u32 {
            let Received::Message(message) = near.receive_slice(Duration::from_secs(10)) else { panic!() };
            assert_eq!(decode(message.into(), Limits::default()).unwrap(), Value::from(number));
        }
        near.close();
        assert_eq!(served.join().unwrap(), Value::from(3_u32));
    }

    #[test]
    fn echo_stops_serving_when_cancelled() {
        let ends = std::sync::Mutex::new(Vec::new());
        stops_when_cancelled("echo", || {
            let (near, far) = channel(None);
            ends.lock().unwrap().push(near);
            object([("port", Value::Port(PortValue::new(far.detach().unwrap())))])
        });
    }

    #[test]
    fn echo_gives_back_what_it_got_and_noop_does_not() {
        let value = || object([("a", Value::Array(vec![Value::Null, Value::from("b")]))]);
        assert_eq!(ok("echo", value()), value());
        assert_eq!(ok("noop", value()), Value::Undefined);
    }
}
