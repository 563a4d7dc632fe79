//! A host that is none: calls the pack's tasks by the C interface, on this thread.
#![allow(
    dead_code,
    unsafe_code,
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    clippy::result_large_err
)] // a test's own host

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::time::{Duration, Instant};

use rust_workers_abi as abi;

/// A value, as tests write and read it.
#[derive(Debug, Clone, PartialEq)]
pub enum Js {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    BigInt(bool, Vec<u64>),
    Text(String),
    Units(Vec<u16>),
    Date(f64),
    Array(Vec<Js>),
    Object(Vec<(String, Js)>),
    Map(Vec<(Js, Js)>),
    Set(Vec<Js>),
    Error { class: String, name: String, message: String, stack: String, more: Vec<(String, Js)> },
    Bytes(u8, Vec<u8>),
}

pub fn text(text: &str) -> Js {
    Js::Text(text.to_owned())
}

impl From<f64> for Js {
    fn from(value: f64) -> Js {
        Js::Number(value)
    }
}

impl Js {
    fn write(&self, out: &mut Vec<u8>) {
        use abi::wire as tag;
        let count = |out: &mut Vec<u8>, tag: u8, count: usize| {
            out.push(tag);
            out.extend((count as u32).to_le_bytes());
        };
        let string = |out: &mut Vec<u8>, text: &str| {
            count(out, tag::UTF8, text.len());
            out.extend(text.as_bytes());
        };
        match self {
            Js::Undefined => out.push(tag::UNDEFINED),
            Js::Null => out.push(tag::NULL),
            Js::Bool(value) => out.push(if *value { tag::TRUE } else { tag::FALSE }),
            Js::Number(value)
                if value.fract() == 0.0 && (0.0..128.0).contains(value) && value.is_sign_positive() =>
            {
                out.push(*value as u8);
            }
            Js::Number(value) => {
                out.push(tag::FLOAT64);
                out.extend(value.to_le_bytes());
            }
            Js::BigInt(negative, words) => {
                out.push(tag::BIGINT);
                out.push(u8::from(*negative));
                out.extend((words.len() as u32).to_le_bytes());
                out.extend(words.iter().flat_map(|word| word.to_le_bytes()));
            }
            Js::Text(text) => string(out, text),
            Js::Units(units) => {
                count(out, tag::UTF16, units.len());
                out.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
            }
            Js::Date(time) => {
                out.push(tag::DATE);
                out.extend(time.to_le_bytes());
            }
            Js::Array(items) | Js::Set(items) => {
                count(out, if matches!(self, Js::Array(_)) { tag::ARRAY } else { tag::SET }, items.len());
                items.iter().for_each(|item| item.write(out));
            }
            Js::Object(items) => {
                count(out, tag::OBJECT, items.len());
                for (key, value) in items {
                    string(out, key);
                    value.write(out);
                }
            }
            Js::Map(items) => {
                count(out, tag::MAP, items.len());
                for (key, value) in items {
                    key.write(out);
                    value.write(out);
                }
            }
            Js::Error { class, name, message, stack, more } => {
                out.push(tag::ERROR);
                string(out, class);
                out.push(7);
                [name, message, stack].iter().for_each(|text| string(out, text));
                out.extend((more.len() as u32).to_le_bytes());
                for (key, value) in more {
                    string(out, key);
                    value.write(out);
                }
            }
            Js::Bytes(kind, bytes) => {
                out.push(tag::BYTES);
                out.push(*kind);
                out.extend((bytes.len() as u32).to_le_bytes());
                out.extend(bytes);
            }
        }
    }

    pub fn wire(&self) -> Vec<u8> {
        let mut out = vec![abi::wire::HEADER];
        self.write(&mut out);
        out
    }

    fn read(bytes: &mut &[u8], parts: &[Vec<u8>]) -> Js {
        use abi::wire as tag;
        fn take<'a>(bytes: &mut &'a [u8], count: usize) -> &'a [u8] {
            let (taken, rest) = bytes.split_at(count);
            *bytes = rest;
            taken
        }
        let u32 = |bytes: &mut &[u8]| u32::from_le_bytes(take(bytes, 4).try_into().unwrap()) as usize;
        let f64 = |bytes: &mut &[u8]| f64::from_le_bytes(take(bytes, 8).try_into().unwrap());
        let string = |bytes: &mut &[u8]| match Js::read(bytes, parts) {
            Js::Text(text) => text,
            Js::Units(units) => String::from_utf16_lossy(&units),
            other => panic!("no text: {other:?}"),
        };
        match take(bytes, 1)[0] {
            small @ 0..128 => Js::Number(f64::from(small)),
            tag::UNDEFINED => Js::Undefined,
            tag::NULL => Js::Null,
            tag::FALSE => Js::Bool(false),
            tag::TRUE => Js::Bool(true),
            tag::INT32 => Js::Number(f64::from(i32::from_le_bytes(take(bytes, 4).try_into().unwrap()))),
            tag::FLOAT64 => Js::Number(f64(bytes)),
            tag::BIGINT => {
                let negative = take(bytes, 1)[0] == 1;
                let words = u32(bytes);
                let words =
                    take(bytes, words * 8).chunks(8).map(|word| u64::from_le_bytes(word.try_into().unwrap()));
                Js::BigInt(negative, words.collect())
            }
            tag::UTF8 => {
                let len = u32(bytes);
                Js::Text(String::from_utf8(take(bytes, len).to_vec()).unwrap())
            }
            tag::UTF16 => {
                let len = u32(bytes);
                Js::Units(
                    take(bytes, len * 2)
                        .chunks(2)
                        .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
                        .collect(),
                )
            }
            tag::DATE => Js::Date(f64(bytes)),
            tag::ARRAY => Js::Array((0..u32(bytes)).map(|_| Js::read(bytes, parts)).collect()),
            tag::SET => Js::Set((0..u32(bytes)).map(|_| Js::read(bytes, parts)).collect()),
            tag::OBJECT => {
                Js::Object((0..u32(bytes)).map(|_| (string(bytes), Js::read(bytes, parts))).collect())
            }
            tag::MAP => {
                Js::Map((0..u32(bytes)).map(|_| (Js::read(bytes, parts), Js::read(bytes, parts))).collect())
            }
            tag::ERROR => {
                let class = string(bytes);
                let flags = take(bytes, 1)[0];
                let mut given = |flag: u8| if flags & flag != 0 { string(bytes) } else { String::new() };
                let (name, message, stack) = (given(4), given(1), given(2));
                let more = (0..u32(bytes)).map(|_| (string(bytes), Js::read(bytes, parts))).collect();
                Js::Error { class, name, message, stack, more }
            }
            tag::BYTES => {
                let kind = take(bytes, 1)[0];
                let len = u32(bytes);
                Js::Bytes(kind, take(bytes, len).to_vec())
            }
            tag::BYTES_PART => {
                let kind = take(bytes, 1)[0];
                Js::Bytes(kind, parts[u32(bytes)].clone())
            }
            other => panic!("unknown tag {other:x}"),
        }
    }

    pub fn of_wire(wire: &[u8], parts: &[Vec<u8>]) -> Js {
        let mut rest = &wire[1..];
        let value = Js::read(&mut rest, parts);
        assert!(rest.is_empty(), "{} bytes are left over", rest.len());
        value
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    pub outcome: i32,
    pub result: Option<Js>,
    pub name: String,
    pub code: String,
    pub message: String,
}

type HostFunction<'a> = dyn Fn(&str, Js) -> Result<Js, Js> + 'a;

/// One run.
pub struct Run<'a> {
    pub stop_at: Option<Instant>,
    /// Stops after so much of the thread's own time, from then on.
    pub stop_after_work: Option<(cpu_time::ThreadTime, Duration)>,
    pub host: Option<&'a HostFunction<'a>>,
    /// What the host answers, whatever these bytes are.
    pub raw_answer: Option<Vec<u8>>,
    pub reports: RefCell<Vec<Js>>,
    pub shared: Option<&'a [u64]>,
    pub blocks: RefCell<Vec<Box<[u64]>>>,
    pub answers: RefCell<Vec<Vec<u8>>>,
    pub result: RefCell<Option<Js>>,
    pub error: RefCell<(String, String, String)>,
    pub asked: Cell<u64>,
}

impl Default for Run<'_> {
    fn default() -> Self {
        Run {
            stop_at: Some(Instant::now() + Duration::from_secs(60)),
            stop_after_work: None,
            host: None,
            raw_answer: None,
            reports: RefCell::default(),
            shared: None,
            blocks: RefCell::default(),
            answers: RefCell::default(),
            result: RefCell::default(),
            error: RefCell::default(),
            asked: Cell::new(0),
        }
    }
}

unsafe fn of<'a>(call: *mut abi::Call) -> &'a Run<'a> {
    unsafe { &*call.cast::<Run<'a>>() }
}

unsafe fn shown(value: *const abi::Value) -> Js {
    let value = unsafe { &*value };
    let parts = if value.parts_len == 0 {
        &[][..]
    } else {
        unsafe { std::slice::from_raw_parts(value.parts, value.parts_len) }
    };
    let parts: Vec<Vec<u8>> = parts
        .iter()
        .map(|part| unsafe { std::slice::from_raw_parts(part.data, part.len) }.to_vec())
        .collect();
    Js::of_wire(unsafe { std::slice::from_raw_parts(value.wire, value.wire_len) }, &parts)
}

unsafe fn string(text: abi::Text) -> String {
    String::from_utf8(unsafe { std::slice::from_raw_parts(text.data.cast(), text.len) }.to_vec()).unwrap()
}

unsafe extern "C" fn stop_reason(call: *mut abi::Call) -> u32 {
    let run = unsafe { of(call) };
    run.asked.set(run.asked.get() + 1);
    let late = run.stop_at.is_some_and(|at| Instant::now() >= at)
        || run.stop_after_work.is_some_and(|(from, work)| from.elapsed() >= work);
    u32::from(late) * abi::stop::TIMEOUT
}
unsafe extern "C" fn sleep(_: *mut abi::Call, _: u64) -> i32 {
    abi::outcome::REFUSED
}
unsafe extern "C" fn alloc(call: *mut abi::Call, len: usize) -> *mut u8 {
    let mut block = vec![0u64; len.div_ceil(8).max(1)].into_boxed_slice();
    let data = block.as_mut_ptr().cast();
    unsafe { of(call) }.blocks.borrow_mut().push(block);
    data
}
unsafe extern "C" fn set_result(call: *mut abi::Call, value: *const abi::Value) -> i32 {
    *unsafe { of(call) }.result.borrow_mut() = Some(unsafe { shown(value) });
    abi::outcome::OK
}
unsafe extern "C" fn set_error(call: *mut abi::Call, error: *const abi::Error) {
    let error = unsafe { &*error };
    *unsafe { of(call) }.error.borrow_mut() =
        unsafe { (string(error.name), string(error.code), string(error.message)) };
}
unsafe extern "C" fn progress(call: *mut abi::Call, value: *const abi::Value) -> i32 {
    unsafe { of(call) }.reports.borrow_mut().push(unsafe { shown(value) });
    abi::outcome::OK
}
unsafe extern "C" fn threads(_: *mut abi::Call) -> usize {
    1
}
unsafe extern "C" fn parallel_for(_: *mut abi::Call, _: usize, _: abi::PartFn, _: *mut c_void) -> i32 {
    abi::outcome::REFUSED
}
unsafe extern "C" fn receive(_: *mut abi::Call, _: usize, _: u64, _: *mut abi::Value) -> i32 {
    abi::outcome::REFUSED
}
unsafe extern "C" fn send(_: *mut abi::Call, _: usize, _: u64, _: *const abi::Value) -> i32 {
    abi::outcome::REFUSED
}
unsafe extern "C" fn call_js(
    call: *mut abi::Call,
    name: abi::Text,
    input: *const abi::Value,
    output: *mut abi::Value,
) -> i32 {
    let run = unsafe { of(call) };
    if let Some(wire) = &run.raw_answer {
        unsafe { *output = abi::Value { wire: wire.as_ptr(), wire_len: wire.len(), ..abi::Value::EMPTY } };
        return abi::outcome::OK;
    }
    let Some(host) = run.host else { return abi::outcome::STOPPED };
    let answer = host(&unsafe { string(name) }, unsafe { shown(input) });
    let (outcome, value) = match answer {
        Ok(value) => (abi::outcome::OK, value),
        Err(value) => (abi::outcome::FAILED, value),
    };
    let wire = value.wire();
    unsafe { *output = abi::Value { wire: wire.as_ptr(), wire_len: wire.len(), ..abi::Value::EMPTY } };
    run.answers.borrow_mut().push(wire);
    outcome
}
unsafe extern "C" fn release(_: *mut abi::Call, _: *const abi::Value) {}

pub static HOST: abi::Host = abi::Host {
    size: size_of::<abi::Host>() as u32,
    abi: abi::ABI,
    stop_reason,
    sleep,
    alloc,
    set_result,
    set_error,
    progress,
    threads,
    parallel_for,
    port_receive: receive,
    port_send: send,
    call_js,
    release,
};

impl Run<'_> {
    pub fn stop_after(milliseconds: u64) -> Self {
        Run { stop_at: Some(Instant::now() + Duration::from_millis(milliseconds)), ..Run::default() }
    }

    /// Runs a task of the pack with a wire as it is.
    pub fn raw(&self, task: &str, wire: &[u8]) -> Ended {
        let pack = unsafe { rust_workers_light::rust_workers_pack(&raw const HOST, std::ptr::null_mut()) };
        let pack = unsafe { &*pack };
        let tasks = unsafe { std::slice::from_raw_parts(pack.tasks, pack.tasks_len) };
        let task = tasks
            .iter()
            .map(|task| unsafe { &**task })
            .find(|found| unsafe { std::ffi::CStr::from_ptr(found.name) }.to_str() == Ok(task))
            .expect("a task of the pack");
        let part = self.shared.map(|words| abi::Part {
            kind: abi::part::SHARED,
            reserved: 0,
            data: words.as_ptr().cast_mut().cast(),
            len: size_of_val(words),
        });
        let input = abi::Value {
            wire: wire.as_ptr(),
            wire_len: wire.len(),
            parts: part.as_ref().map_or(std::ptr::null(), std::ptr::from_ref),
            parts_len: usize::from(part.is_some()),
        };
        self.result.take();
        self.error.take();
        let call = std::ptr::from_ref(self).cast_mut().cast();
        let outcome = unsafe { task.run.unwrap()(&raw const HOST, call, &input, task.data) };
        let (name, code, message) = self.error.take();
        Ended { outcome, result: self.result.take(), name, code, message }
    }

    pub fn task(&self, task: &str, input: Js) -> Ended {
        self.raw(task, &input.wire())
    }
}

/// What a tenant is made with.
pub struct Tenant {
    pub functions: Vec<(&'static str, String)>,
    pub globals: Vec<(String, Js)>,
    pub host: Vec<&'static str>,
    pub memory: usize,
    pub stack: usize,
    pub flags: u32,
}

impl Default for Tenant {
    fn default() -> Self {
        Tenant {
            functions: Vec::new(),
            globals: Vec::new(),
            host: Vec::new(),
            memory: 8 << 20,
            stack: 256 << 10,
            flags: 0,
        }
    }
}

impl Tenant {
    pub fn of(source: &str) -> Tenant {
        Tenant { functions: vec![("f", source.to_owned())], ..Tenant::default() }
    }

    pub fn define(&self, run: &Run) -> Ended {
        let texts = |list: Vec<&str>| Js::Array(list.into_iter().map(text).collect());
        run.task(
            "light.define",
            Js::Array(vec![
                texts(self.functions.iter().map(|(name, _)| *name).collect()),
                texts(self.functions.iter().map(|(_, source)| source.as_str()).collect()),
                Js::Object(self.globals.clone()),
                texts(self.host.clone()),
                Js::Number(self.memory as f64),
                Js::Number(self.stack as f64),
                Js::Number(f64::from(self.flags)),
            ]),
        )
    }

    pub fn id(&self) -> f64 {
        let ended = self.define(&Run::default());
        match ended.result {
            Some(Js::Number(id)) => id,
            _ => panic!("not defined: {ended:?}"),
        }
    }
}

/// Calls the first function of a tenant.
pub fn call(run: &Run, id: f64, arguments: Vec<Js>) -> Ended {
    run.task("light.run", Js::Array(vec![Js::Number(id), Js::Number(0.0), Js::Array(arguments)]))
}

/// The result of a source with arguments: `Err` of what it threw, or how it failed.
pub fn eval(source: &str, arguments: Vec<Js>) -> Result<Js, Ended> {
    result(call(&Run::default(), Tenant::of(source).id(), arguments))
}

/// What a run gave.
pub fn result(ended: Ended) -> Result<Js, Ended> {
    match ended.result.clone() {
        Some(Js::Array(mut boxed)) if boxed.len() == 1 => Ok(boxed.remove(0)),
        Some(Js::Array(_)) | None => Err(ended),
        Some(value) => Ok(value),
    }
}

/// The error that a run's code threw.
pub fn thrown(ended: Result<Js, Ended>) -> Js {
    match ended {
        Err(Ended { result: Some(Js::Array(mut pair)), .. }) if pair.len() == 2 => pair.remove(1),
        other => panic!("nothing was thrown: {other:?}"),
    }
}

/// The code with which a run failed.
pub fn code(ended: Result<Js, Ended>) -> String {
    match ended {
        Err(Ended { result: None, code, .. }) => code,
        other => panic!("did not fail: {other:?}"),
    }
}
