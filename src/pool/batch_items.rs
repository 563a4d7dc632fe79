//! The inputs and the outputs of a batch.
//!
//! Inputs that are all numbers stay in the memory in which they came, eight bytes each; one becomes a [`Value`] where it runs.
//! Outputs that are all numbers take the place of their inputs there, and outputs that are all undefined are only counted. So
//! a batch of numbers touches no memory of its own, and nothing of it is encoded or decoded. A `Value` takes five times as much,
//! and new memory costs more than the task: for `noop` and `echo` this brought a third to a half of the time.

use crate::error::{Code, Error, Result};
use crate::panic::guard;
use crate::value::{Bytes, Payload, Value};

/// The inputs of a batch, as they are submitted.
pub enum BatchInputs {
    /// An array, to be decoded.
    Array(Payload),
    /// Numbers only: `f64`s.
    Numbers(Bytes),
}

/// The outputs of a batch, in order.
pub enum Outputs {
    /// So many times undefined.
    Undefined(usize),
    /// Numbers only: `f64`s.
    Numbers(Bytes),
    /// Any.
    Values(Vec<Value>),
}

impl Outputs {
    /// The same as an array.
    pub fn into_value(self) -> Value {
        Value::Array(match self {
            Outputs::Undefined(count) => vec![Value::Undefined; count],
            Outputs::Numbers(numbers) => values_of(&numbers),
            Outputs::Values(values) => values,
        })
    }
}

fn numbers_of(memory: &Bytes) -> &[f64] {
    bytemuck::cast_slice(memory.as_slice())
}

fn values_of(memory: &Bytes) -> Vec<Value> {
    numbers_of(memory).iter().copied().map(Value::Number).collect()
}

/// Some inputs on their way through a thread, and what came of them. Its memory is used for one chunk after the other.
#[derive(Default)]
pub(super) struct Chunk {
    first: usize,
    numbers: Vec<f64>,
    values: Vec<Value>,
    outputs: ChunkOutputs,
}

/// The outputs of a chunk: undefined all of them, until there is another one; then numbers, until there is another one.
#[derive(Default)]
struct ChunkOutputs {
    undefined: usize,
    numbers: Vec<f64>,
    values: Vec<Value>,
}

impl ChunkOutputs {
    fn len(&self) -> usize {
        self.undefined + self.numbers.len() + self.values.len()
    }

    #[inline]
    fn push(&mut self, value: Value) {
        match value {
            Value::Undefined if self.numbers.is_empty() && self.values.is_empty() => self.undefined += 1,
            Value::Number(number) if self.undefined == 0 && self.values.is_empty() => self.numbers.push(number),
            value => self.push_other(value),
        }
    }

    fn push_other(&mut self, value: Value) {
        self.as_values().push(value);
    }

    /// The same as values.
    fn as_values(&mut self) -> &mut Vec<Value> {
        self.values.extend(std::iter::repeat_n(Value::Undefined, std::mem::take(&mut self.undefined)));
        self.values.extend(self.numbers.drain(..).map(Value::Number));
        &mut self.values
    }

    fn clear(&mut self) {
        self.undefined = 0;
        self.numbers.clear();
        self.values.clear();
    }
}

impl Chunk {
    /// The index of its first input.
    pub(super) fn first(&self) -> usize {
        self.first
    }

    /// How many inputs have run.
    pub(super) fn done(&self) -> usize {
        self.outputs.len()
    }

    /// Runs its inputs, up to the first that fails.
    pub(super) fn run(&mut self, mut run: impl FnMut(Value) -> Result<Value>) -> Result<()> {
        for number in self.numbers.drain(..) {
            self.outputs.push(run(Value::Number(number))?);
        }
        for value in self.values.drain(..) {
            self.outputs.push(run(value)?);
        }
        Ok(())
    }
}

/// Inputs that no thread has taken.
enum Inputs {
    /// Sealed until the first thread takes some, which decodes them so that the submitter need not.
    Sealed(Payload, usize),
    Values(std::vec::IntoIter<Value>),
    /// Those from this index on.
    Numbers(Bytes, usize),
}

/// The outputs so far. Of inputs that have not run yet, the value means nothing.
enum Gathered {
    Undefined,
    /// In the memory of the inputs.
    Numbers,
    Values(Vec<Value>),
}

/// The inputs and outputs of a batch.
pub(super) struct Items {
    count: usize,
    /// The index of the next input to take.
    next: usize,
    inputs: Inputs,
    /// None before the first.
    outputs: Option<Gathered>,
}

impl Items {
    pub(super) fn new(inputs: BatchInputs, count: usize) -> Self {
        let inputs = match inputs {
            BatchInputs::Array(payload) => Inputs::Sealed(payload, count),
            BatchInputs::Numbers(memory) => Inputs::Numbers(memory, 0),
        };
        Items { count, next: 0, inputs, outputs: None }
    }

    /// How many inputs no thread has taken.
    pub(super) fn waiting(&self) -> usize {
        match &self.inputs {
            Inputs::Sealed(_, count) => *count,
            Inputs::Values(inputs) => inputs.len(),
            Inputs::Numbers(memory, next) => numbers_of(memory).len() - next,
        }
    }

    /// Breaks the seal.
    fn open(&mut self) -> Result<()> {
        if let Inputs::Sealed(payload, count) = &mut self.inputs {
            let payload = std::mem::replace(payload, Payload::Value(Value::Undefined));
            let inputs = match guard(|| payload.into_value())?? {
                Value::Array(inputs) if inputs.len() == *count => inputs,
                other => return Err(Error::new(Code::Internal, format!("a batch of {}", other.describe()))),
            };
            self.inputs = Inputs::Values(inputs.into_iter());
        }
        Ok(())
    }

    /// Moves the next inputs into the chunk, `most` at the most; how many these are.
    pub(super) fn take(&mut self, most: usize, chunk: &mut Chunk) -> Result<usize> {
        self.open()?;
        chunk.first = self.next;
        chunk.numbers.clear();
        chunk.values.clear();
        chunk.outputs.clear();
        let taken = most.min(self.waiting());
        match &mut self.inputs {
            Inputs::Sealed(..) => unreachable!("opened above"),
            Inputs::Values(inputs) => chunk.values.extend(inputs.take(taken)),
            Inputs::Numbers(memory, next) => {
                chunk.numbers.extend_from_slice(&numbers_of(memory)[*next..*next + taken]);
                *next += taken;
            }
        }
        self.next += taken;
        Ok(taken)
    }

    /// Drops the inputs that no thread has taken; how many these are. There will be no outputs.
    pub(super) fn give_up(&mut self) -> usize {
        let rest = self.waiting();
        self.inputs = Inputs::Values(Vec::new().into_iter());
        self.outputs = None;
        rest
    }

    /// Stores the outputs of a chunk, all of whose inputs have run.
    pub(super) fn put(&mut self, chunk: &mut Chunk) {
        let (first, outputs) = (chunk.first, &mut chunk.outputs);
        match (&self.outputs, &mut self.inputs) {
            (None | Some(Gathered::Undefined), _) if outputs.undefined > 0 => {
                self.outputs = Some(Gathered::Undefined);
            }
            (None | Some(Gathered::Numbers), Inputs::Numbers(memory, _)) if !outputs.numbers.is_empty() => {
                let memory: &mut [f64] = bytemuck::cast_slice_mut(memory.as_mut_slice());
                memory[first..first + outputs.numbers.len()].copy_from_slice(&outputs.numbers);
                self.outputs = Some(Gathered::Numbers);
            }
            _ => self.put_values(first, outputs),
        }
    }

    fn put_values(&mut self, first: usize, outputs: &mut ChunkOutputs) {
        let mut all = match (self.outputs.take(), &self.inputs) {
            (Some(Gathered::Values(values)), _) => values,
            // Those that have not run yet come later; the memory goes on to be that of their inputs.
            (Some(Gathered::Numbers), Inputs::Numbers(memory, _)) => values_of(memory),
            _ => Vec::new(),
        };
        // Chunks come back in any order. What nothing was put in is undefined.
        if all.len() <= first {
            all.reserve_exact(self.count - all.len());
            all.resize(first, Value::Undefined);
            all.append(outputs.as_values());
        } else {
            // It ends before, since another one that has come back begins there, or the list is as long as the batch.
            for (slot, output) in all[first..].iter_mut().zip(outputs.as_values().drain(..)) {
                *slot = output;
            }
        }
        self.outputs = Some(Gathered::Values(all));
    }

    /// The outputs of all inputs, of which each has run.
    pub(super) fn finish(&mut self) -> Outputs {
        let inputs = std::mem::replace(&mut self.inputs, Inputs::Values(Vec::new().into_iter()));
        match (self.outputs.take(), inputs) {
            (Some(Gathered::Values(mut values)), _) => {
                values.resize(self.count, Value::Undefined);
                Outputs::Values(values)
            }
            (Some(Gathered::Numbers), Inputs::Numbers(memory, _)) => Outputs::Numbers(memory),
            _ => Outputs::Undefined(self.count),
        }
    }
}
