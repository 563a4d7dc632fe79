//! The inputs and the outputs of a batch.
//!
//! Inputs that are all numbers stay in the memory in which they came, eight bytes each; one becomes a [`Value`] where it runs.
//! Outputs that are all numbers take the place of their inputs there, and outputs that are all undefined are only counted. So
//! a batch of numbers touches no memory of its own, and nothing of it is encoded or decoded. A `Value` takes five times as much,
//! and new memory costs more than the task: for `noop` and `echo` this brought a third to a half of the time.

use super::execute::{Execute, Helpers};
use super::output_list::OutputList;
use crate::cancel::CancelToken;
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
    /// They were dropped, so many of them.
    Dropped(usize),
    /// So many times undefined.
    Undefined(usize),
    /// Numbers only: `f64`s.
    Numbers(Bytes),
    /// Any.
    Values(Vec<Value>),
}

impl Outputs {
    /// The same as an array; as a number, where they were dropped.
    pub fn into_value(self) -> Value {
        Value::Array(match self {
            Outputs::Undefined(count) => vec![Value::Undefined; count],
            #[allow(clippy::cast_precision_loss)] // a count
            Outputs::Dropped(count) => return Value::Number(count as f64),
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
    outputs: OutputList,
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
    pub(super) fn run(
        &mut self,
        tasks: &dyn Execute,
        task: usize,
        token: &CancelToken,
        helpers: &dyn Helpers,
    ) -> Result<()> {
        tasks.execute_numbers(task, &self.numbers, &mut self.outputs, token, helpers)?;
        for value in self.values.drain(..) {
            token.check()?;
            self.outputs.push(tasks.execute(task, Payload::Value(value), token, helpers)?);
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
    /// None is kept.
    Dropped,
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

    /// Drops the outputs of each chunk: only their number will be told.
    pub(super) fn drop_outputs(&mut self) {
        self.outputs = Some(Gathered::Dropped);
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
            (Some(Gathered::Dropped), _) => {}
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

    fn put_values(&mut self, first: usize, outputs: &mut OutputList) {
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
            (Some(Gathered::Dropped), _) => Outputs::Dropped(self.count),
            _ => Outputs::Undefined(self.count),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::pool::test_tasks::{NoHelpers, TestTasks, VARIED};
    use crate::value::BytesKind;

    const UNDEFINED: f64 = -1.0;
    const TEXT: f64 = -2.0;

    /// Inputs of numbers, and the same as values.
    fn both(inputs: &[f64]) -> [Items; 2] {
        let numbers = Bytes::of(BytesKind::Float64, bytemuck::cast_slice(inputs));
        let values = Value::Array(inputs.iter().copied().map(Value::Number).collect());
        [BatchInputs::Numbers(numbers), BatchInputs::Array(Payload::Value(values))]
            .map(|given| Items::new(given, inputs.len()))
    }

    /// Takes all inputs in chunks of these sizes, runs them, and puts the chunks back in this order.
    fn pass(items: &mut Items, sizes: &[usize], order: &[usize]) -> Outputs {
        let token = CancelToken::new(None);
        let mut chunks: Vec<Chunk> = sizes
            .iter()
            .map(|size| {
                let mut chunk = Chunk::default();
                assert_eq!(items.take(*size, &mut chunk), Ok(*size));
                chunk.run(&TestTasks, VARIED, &token, &NoHelpers).expect("none fails");
                assert_eq!(chunk.done(), *size);
                chunk
            })
            .collect();
        assert_eq!(items.waiting(), 0);
        assert_eq!(items.take(1, &mut Chunk::default()), Ok(0));
        for at in order {
            items.put(&mut chunks[*at]);
        }
        items.finish()
    }

    #[test]
    fn outputs_stay_compact_while_they_are_of_one_kind() {
        let kind = |outputs: &Outputs| match outputs {
            Outputs::Undefined(count) => format!("{count} undefined"),
            Outputs::Numbers(_) => "numbers".to_owned(),
            Outputs::Values(_) => "values".to_owned(),
            Outputs::Dropped(count) => format!("{count} dropped"),
        };
        let cases = [
            ([UNDEFINED; 4], ["4 undefined", "4 undefined"]),
            ([1.0, 2.0, 3.0, 4.0], ["numbers", "values"]),
            ([1.0, 2.0, UNDEFINED, 4.0], ["values", "values"]),
            ([1.0, 2.0, 3.0, TEXT], ["values", "values"]),
        ];
        for (inputs, kinds) in cases {
            let passed = both(&inputs).map(|mut items| kind(&pass(&mut items, &[1, 2, 1], &[2, 0, 1])));
            assert_eq!(passed, kinds, "{inputs:?}");
        }
    }

    #[test]
    fn chunks_of_every_kind_come_back_in_every_order() {
        const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        // What each chunk gives: numbers, undefined, texts, numbers and then another.
        let kinds: [fn(usize) -> f64; 5] = [
            |index| index as f64,
            |_| UNDEFINED,
            |_| TEXT,
            |index| if index % 3 == 2 { UNDEFINED } else { index as f64 },
            |index| if index % 3 == 2 { index as f64 } else { UNDEFINED },
        ];
        let sizes = [3, 3, 3];
        for choice in 0..kinds.len().pow(3) {
            let kind =
                |index: usize| kinds[choice / kinds.len().pow((index / 3) as u32) % kinds.len()](index);
            let inputs: Vec<f64> = (0..9).map(kind).collect();
            let expected: Vec<Value> = inputs
                .iter()
                .map(|input| match *input {
                    UNDEFINED => Value::Undefined,
                    TEXT => Value::from("two"),
                    number => Value::Number(number * 2.0),
                })
                .collect();
            for order in ORDERS {
                for mut items in both(&inputs) {
                    let outputs = pass(&mut items, &sizes, &order).into_value();
                    assert_eq!(outputs, Value::Array(expected.clone()), "{inputs:?} {order:?}");
                }
            }
        }
    }

    #[test]
    fn outputs_that_nobody_wants_are_counted() {
        for mut items in both(&[1.0, TEXT, UNDEFINED, 4.0]) {
            items.drop_outputs();
            let outputs = pass(&mut items, &[1, 2, 1], &[2, 0, 1]);
            assert!(matches!(outputs, Outputs::Dropped(4)));
            assert_eq!(outputs.into_value(), Value::Number(4.0));
        }
    }

    #[test]
    fn what_is_given_up_is_not_taken() {
        for mut items in both(&[1.0, 2.0, 3.0]) {
            let mut chunk = Chunk::default();
            assert_eq!(items.take(1, &mut chunk), Ok(1));
            assert_eq!((items.give_up(), items.waiting()), (2, 0));
            assert_eq!(items.take(1, &mut chunk), Ok(0));
        }
    }

    #[test]
    fn an_array_of_another_length_is_refused() {
        let inputs = BatchInputs::Array(Payload::Value(Value::Array(vec![Value::Null])));
        let error = Items::new(inputs, 2).take(1, &mut Chunk::default()).unwrap_err();
        assert_eq!(error.code(), Code::Internal);
    }
}
