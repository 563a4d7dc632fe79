//! Every kind of input, output, error and help of the host, through the attribute and the C interface.
#![allow(missing_docs)]
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::time::Duration;

use rust_workers_task::testing::{self, SharedMemory, Stop};
use rust_workers_task::{
    Array, BigInt, Block, Bytes, BytesKind, Context, Date, Error, Map, Port, Received, Set, Shared, Slice,
    SliceMut, StopReason, Value, task,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Serialize, Deserialize, Debug, PartialEq, Default)]
#[serde(deny_unknown_fields)]
struct Point {
    x: f64,
    #[serde(default)]
    label: Option<String>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
enum Shape {
    Dot,
    Circle(f64),
    Line(f64, f64),
    Box { width: u64 },
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct All {
    points: Vec<Point>,
    shapes: Vec<Shape>,
    pair: (i8, u16),
    by_name: BTreeMap<String, i64>,
    by_number: BTreeMap<u32, bool>,
    real_map: Map<BTreeMap<i32, String>>,
    real_set: Set<BTreeSet<String>>,
    when: Date,
    big: u128,
    below: i128,
    wrapped: BigInt<u64>,
    bytes: Bytes,
    floats: Array<f32>,
    #[serde(with = "serde_bytes")]
    by_serde_bytes: Vec<u8>,
    letter: char,
    nothing: (),
    none: Option<u8>,
}

#[task]
fn all(input: All) -> All {
    input
}

fn all_of_it() -> All {
    All {
        points: vec![Point { x: -0.5, label: Some("ä€😀".into()) }, Point::default()],
        shapes: vec![Shape::Dot, Shape::Circle(1.5), Shape::Line(1.0, 2.0), Shape::Box { width: 1 << 52 }],
        pair: (-128, 65_535),
        by_name: [("a".into(), -(1 << 53) + 1), ("__proto__".into(), 2)].into(),
        by_number: [(7, true)].into(),
        real_map: Map([(-3, "c".to_owned())].into()),
        real_set: Set(["s".to_owned()].into()),
        when: Date(1.7e12),
        big: u128::MAX,
        below: i128::MIN,
        wrapped: BigInt(5),
        bytes: Array(vec![9; 5_000]),
        floats: Array(vec![0.5; 3]),
        by_serde_bytes: vec![1, 2, 3],
        letter: 'ß',
        nothing: (),
        none: None,
    }
}

#[test]
fn a_value_of_every_kind_comes_back() {
    assert_eq!(testing::task("all").input(&all_of_it()).run::<All>().unwrap(), all_of_it());
    let value = testing::task("all").input(&all_of_it()).run::<Value>().unwrap();
    assert_eq!(value.get("real_map"), Some(&Value::Map(vec![(Value::Number(-3.0), "c".into())])));
    assert_eq!(value.get("real_set"), Some(&Value::Set(vec!["s".into()])));
    assert_eq!(value.get("when"), Some(&Value::Date(1.7e12)));
    assert_eq!(value.get("wrapped"), Some(&Value::BigInt(false, vec![5])));
    assert_eq!(value.get("nothing"), Some(&Value::Undefined));
    assert_eq!(value.get("none"), Some(&Value::Null));
    assert_eq!(value.get("floats").and_then(Value::elements::<f32>), Some(vec![0.5; 3]));
    assert_eq!(value.get("by_number"), Some(&Value::Object(vec![("7".into(), true.into())])));
}

#[task]
fn echo(input: Value) -> Value {
    input
}

#[test]
fn a_dynamic_value_stays_what_it_was() {
    let error = rust_workers_task::ErrorValue {
        class: "TypeError".into(),
        name: Some("Own".into()),
        message: None,
        stack: Some("at x".into()),
        properties: vec![("code".into(), 1.into()), ("cause".into(), Value::Error(Box::default()))],
    };
    let value = Value::Array(vec![
        Value::Undefined,
        Value::Null,
        Value::Number(-0.0),
        Value::Number(1e300),
        Value::BigInt(true, vec![1, 2, 3]),
        Value::Error(Box::new(error)),
        Value::Map(vec![(Value::Object(vec![]), Value::Set(vec![]))]),
        Value::Bytes(BytesKind::Buffer, vec![1; 3]),
        Value::Bytes(BytesKind::Float16Array, vec![0; 4_000]),
    ]);
    let back = testing::task("echo").input(&value).run::<Value>().unwrap();
    assert_eq!(back, value);
    let Value::Array(values) = back else { panic!("no array") };
    assert!(values[2].as_f64().unwrap().is_sign_negative());
}

#[task]
fn sum(numbers: &[f64]) -> f64 {
    numbers.iter().sum()
}

#[task]
fn double(numbers: &mut [f64]) -> &mut [f64] {
    numbers.iter_mut().for_each(|number| *number *= 2.0);
    numbers
}

#[task]
fn length(text: &str) -> usize {
    text.len()
}

#[task]
fn range(length: usize) -> Vec<u32> {
    (0..length as u32).collect()
}

#[task]
fn nested(mut input: HashMap<String, SliceMut<'_, i16>>) -> SliceMut<'_, i16> {
    let mut slice = input.remove("data").expect("data");
    slice.reverse();
    slice
}

#[task]
fn allocated<'a>(length: usize, context: &'a Context<'a>) -> Result<Block<'a, f64>, Error> {
    let mut block = context.alloc(length)?;
    block.fill(1.5);
    Ok(block.truncate(length / 2))
}

#[test]
fn typed_arrays_are_slices() {
    for length in [0, 1, 3, 127, 129, 4_000] {
        let numbers: Vec<f64> = (0..length).map(f64::from).collect();
        assert_eq!(
            testing::task("sum").array(numbers.clone()).run::<f64>().unwrap(),
            numbers.iter().sum::<f64>()
        );
        let doubled: Vec<f64> = numbers.iter().map(|number| number * 2.0).collect();
        let run = || testing::task("double").array(numbers.clone());
        assert_eq!(run().run::<Value>().unwrap().elements::<f64>(), Some(doubled));
        assert_eq!(run().returns_its_input().unwrap(), length > 128);
    }
    let data = Array((0..1_000i16).collect::<Vec<_>>());
    let back = testing::task("nested").input(&HashMap::from([("data", &data)])).run::<Array<i16>>().unwrap();
    assert_eq!(back.0, (0..1_000).rev().collect::<Vec<i16>>());
    assert_eq!(testing::task("range").input(&3).run::<Value>().unwrap().elements(), Some(vec![0u32, 1, 2]));
    for length in [0, 1, 10_000] {
        let halves = testing::task("allocated").input(&length).run::<Array<f64>>().unwrap();
        assert_eq!(halves.0, vec![1.5; length / 2]);
    }
    assert_eq!(testing::task("length").input("äß").run::<u8>().unwrap(), 4);
}

#[task]
fn numbers(numbers: Vec<f64>) -> f64 {
    numbers.iter().sum()
}

#[task]
fn borrowed(data: Vec<Slice<u8>>) -> usize {
    data.iter().map(|slice| slice.len()).sum()
}

#[test]
fn a_vec_is_a_typed_array_or_an_array() {
    assert_eq!(testing::task("numbers").array(vec![1.0, 2.5]).run::<f64>().unwrap(), 3.5);
    assert_eq!(testing::task("numbers").input(&[1, 2]).run::<f64>().unwrap(), 3.0);
    let blocks = [Array(vec![1u8; 3]), Array(vec![2; 2_000])];
    assert_eq!(testing::task("borrowed").input(&blocks).run::<usize>().unwrap(), 2_003);
}

fn refusal(task: &str, input: &(impl Serialize + ?Sized)) -> String {
    let error = testing::task(task).input(input).run::<Value>().unwrap_err();
    assert!(error.is_invalid_input(), "{error:?}");
    error.to_string()
}

#[task(name = "points.count")]
fn count_points(points: Vec<Point>) -> usize {
    points.len()
}

#[test]
fn what_is_not_taken_is_named_by_its_path() {
    assert_eq!(
        refusal("points.count", &json!([{ "x": 1 }, { "x": "a" }])),
        "input[1].x: the string \"a\", expected f64"
    );
    assert_eq!(refusal("points.count", &json!([{}])), "input[0]: missing field `x`");
    assert_eq!(refusal("points.count", &()), "input: undefined, expected a sequence");
    assert_eq!(refusal("points.count", &json!([[1]])), "input[0]: an array, expected struct Point");
    assert!(refusal("points.count", &json!([{ "x": 1, "y": 2 }])).starts_with("input[0].y: unknown field"));
    assert_eq!(refusal("sum", &json!([1])), "input: an array, expected a Float64Array");
    assert_eq!(refusal("sum", &Array(vec![1u8])), "input: a Uint8Array, expected a Float64Array");
    assert_eq!(refusal("double", &json!({})), "input: an object, expected a Float64Array");
    assert_eq!(refusal("range", &-1), "input: the number -1, expected usize");
    assert_eq!(refusal("range", &1.5), "input: the number 1.5, expected usize");
    assert_eq!(refusal("total", &5), "input: the number 5, expected a port of a MessageChannel");
    let deep = (0..300).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    let error = std::panic::catch_unwind(|| testing::task("echo").input(&deep));
    assert!(error.is_err());
}

#[derive(Debug)]
struct Custom;
impl std::fmt::Display for Custom {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("custom")
    }
}
impl std::error::Error for Custom {}

#[task]
fn fail(how: &str) -> Result<u64, Error> {
    match how {
        "own" => Err(Error::new("no such tile").with_name("RangeError").with_code("TILE")),
        "std" => Err(Custom.into()),
        "input" => Err(Error::invalid_input("of no use")),
        "large" => Ok(u64::MAX),
        "panic" => panic!("at {}", how),
        _ => Ok(how.parse()?),
    }
}

#[task]
fn fail_by_text() -> Result<(), String> {
    Err("plain text".to_owned())
}

#[task]
fn fail_by_box() -> Result<(), Box<dyn std::error::Error>> {
    Err(Box::new(Custom))
}

#[test]
fn errors_keep_what_they_are() {
    let fail = |how: &str| testing::task("fail").input(how).run::<u64>().unwrap_err();
    let shown = |error: &Error| format!("{}/{}/{error}", error.name(), error.code());
    assert_eq!(shown(&fail("own")), "RangeError/TILE/no such tile");
    assert_eq!(shown(&fail("std")), "Custom//custom");
    assert_eq!(shown(&fail("x")), "ParseIntError//invalid digit found in string");
    assert!(fail("input").is_invalid_input());
    assert!(
        fail("large").to_string().starts_with("output: the integer 18446744073709551615 is no exact number")
    );
    let panicked = fail("panic");
    assert!(panicked.is_panic());
    assert!(panicked.to_string().starts_with("at panic (at crates/task/tests/tasks.rs:"), "{panicked}");
    assert_eq!(testing::task("fail_by_text").run::<()>().unwrap_err().to_string(), "plain text");
    assert_eq!(testing::task("fail_by_box").run::<()>().unwrap_err().to_string(), "custom");
    assert_eq!(testing::task("fail").input("12").run::<u64>().unwrap(), 12);
}

#[task]
fn wait(context: &Context) -> Result<(), Error> {
    context.progress(&json!({ "step": 1 }))?;
    context.sleep(Duration::from_secs(600))
}

#[task]
fn spin(context: &Context) -> Result<(), Error> {
    loop {
        context.check()?;
        std::thread::yield_now();
    }
}

#[task]
fn why(context: &Context) -> String {
    format!("{:?}", context.stop_reason())
}

#[test]
fn a_run_is_stopped_in_every_way() {
    let stop = Stop::new();
    let result = testing::task("wait").stop(&stop).on_progress(|_| stop.cancel()).run::<()>();
    assert!(result.unwrap_err().is_stopped());
    let result = testing::task("spin").timeout(Duration::from_millis(5)).run::<()>();
    assert!(result.unwrap_err().is_stopped());
    let result = testing::task("wait").timeout(Duration::from_millis(5)).run::<()>();
    assert!(result.unwrap_err().is_stopped());
    let closing = Stop::new();
    closing.close();
    assert_eq!(
        testing::task("why").stop(&closing).run::<String>().unwrap(),
        format!("{:?}", Some(StopReason::Closing))
    );
    assert_eq!(testing::task("why").run::<String>().unwrap(), "None");
}

#[task(parallel)]
fn squares(mut numbers: Vec<f64>, context: &Context) -> Result<Vec<f64>, Error> {
    context.parallel_chunks(&mut numbers, 10, |_, chunk, part| {
        part.check()?;
        chunk.iter_mut().for_each(|number| *number *= *number);
        Ok(())
    })?;
    Ok(numbers)
}

#[task(parallel)]
fn part_fails(how: &str, context: &Context) -> Result<(), Error> {
    context.parallel_for(100, |index, part| match how {
        _ if index != 50 => Ok(()),
        "panic" => panic!("part {index}"),
        "stop" => part.sleep(Duration::from_secs(600)),
        _ => Err(Error::new("part failed").with_code("PART")),
    })
}

#[test]
fn parts_run_on_threads_and_fail_as_one() {
    for threads in [1, 4] {
        let numbers: Vec<f64> = (0..95).map(f64::from).collect();
        let squares: Vec<f64> = numbers.iter().map(|number| number * number).collect();
        let run = testing::task("squares").array(numbers).threads(threads).run::<Vec<f64>>();
        assert_eq!(run.unwrap(), squares);
        let fail = |how: &str| {
            let run = testing::task("part_fails").input(how).threads(threads);
            run.timeout(Duration::from_millis(50)).run::<()>().unwrap_err()
        };
        assert_eq!((fail("fail").code(), fail("fail").message()), ("PART", "part failed"));
        assert!(fail("panic").is_panic() && fail("panic").message().starts_with("part 50 (at "));
        assert!(fail("stop").is_stopped());
    }
}

#[test]
fn each_part_is_done_once() {
    testing::with_context(|context| {
        let done: Vec<AtomicUsize> = (0..100).map(|_| AtomicUsize::new(0)).collect();
        context
            .parallel_for(done.len(), |index, _| {
                done[index].fetch_add(1, Ordering::Relaxed);
                Ok(())
            })
            .unwrap();
        assert!(done.iter().all(|times| times.load(Ordering::Relaxed) == 1));
    });
}

#[task(in_place)]
fn shared(memory: Shared) -> Result<Shared, Error> {
    for cell in memory.cells::<AtomicI32>()? {
        cell.fetch_add(1, Ordering::Relaxed);
    }
    memory.write(4, &[7i32]);
    Ok(memory)
}

#[test]
fn shared_memory_is_changed_where_it_is() {
    let memory = SharedMemory::new(&[1i32, 2, 3]);
    assert!(testing::task("shared").input(&memory).returns_its_input().unwrap());
    assert_eq!(memory.to_vec::<i32>(), [2, 7, 4]);
    assert_eq!(refusal("shared", &Array(vec![1])), "input: an array, expected shared memory");
}

#[task]
fn total(port: Port) -> Result<f64, Error> {
    let mut total = 0.0;
    loop {
        match port.recv_timeout::<f64>(Duration::from_secs(60))? {
            Received::Message(number) => {
                total += number;
                port.send(&total)?;
            }
            Received::Closed => return Ok(total),
            Received::TimedOut => return Err(Error::new("nobody sends")),
        }
    }
}

#[task]
fn first(port: Port) -> Result<Option<f64>, Error> {
    port.recv()
}

#[test]
fn ports_carry_values_both_ways() {
    let (ours, theirs) = testing::channel();
    let sums = std::thread::scope(|scope| {
        scope.spawn(move || testing::task("total").input(&theirs).run::<f64>().unwrap());
        let sums: Vec<f64> = [1.0, 2.5]
            .map(|number| {
                ours.send(&number).unwrap();
                ours.recv().unwrap().unwrap()
            })
            .into();
        drop(ours);
        sums
    });
    assert_eq!(sums, [1.0, 3.5]);
    let (ours, theirs) = testing::channel();
    ours.send("text").unwrap();
    let error = testing::task("first").input(&theirs).run::<Value>().unwrap_err();
    assert_eq!(error.to_string(), "message: the string \"text\", expected f64");
    let stop = Stop::new();
    stop.cancel();
    let (_ours, theirs) = testing::channel();
    assert!(testing::task("first").input(&theirs).stop(&stop).run::<Value>().unwrap_err().is_stopped());
}

#[task]
fn asks(number: f64, context: &Context) -> Result<f64, Error> {
    context.call_js("double", &number)
}

#[test]
fn scripts_are_called_and_their_errors_kept() {
    let script = |name: &str, input: Value| match input.as_f64() {
        Some(number) if name == "double" && number > 0.0 => Ok(Value::Number(number * 2.0)),
        _ => Err(Error::new("not above zero").with_name("RangeError").with_code("LOW")),
    };
    assert_eq!(testing::task("asks").input(&4).on_call(script).run::<f64>().unwrap(), 8.0);
    let error = testing::task("asks").input(&-4).on_call(script).run::<f64>().unwrap_err();
    assert_eq!((error.name(), error.code(), error.message()), ("RangeError", "LOW", "not above zero"));
    let error = testing::task("asks").input(&4).run::<f64>().unwrap_err();
    assert!(error.to_string().contains("on_call"));
}

#[test]
fn a_panic_of_a_listener_is_the_tests_own() {
    let run = || testing::task("wait").on_progress(|_| panic!("mine")).run::<()>();
    let panic = std::panic::catch_unwind(run).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"mine"));
}

#[test]
fn tasks_are_found_by_name() {
    let names = testing::names();
    assert!(names.contains(&"points.count") && !names.contains(&"count_points"), "{names:?}");
    assert!(std::panic::catch_unwind(|| testing::task("nobody")).is_err());
}
