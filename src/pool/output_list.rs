//! A list of the outputs of tasks, compact while all are undefined, or numbers.

use crate::value::Value;

/// Outputs in order: undefineds, of which only the number is kept, or numbers, or values of several kinds. It begins as one of the
/// first two, and changes to the last when another kind comes.
#[derive(Default)]
pub struct OutputList {
    pub(super) undefined: usize,
    pub(super) numbers: Vec<f64>,
    pub(super) values: Vec<Value>,
}

impl OutputList {
    pub(super) fn len(&self) -> usize {
        self.undefined + self.numbers.len() + self.values.len()
    }

    /// Adds the next.
    #[inline]
    pub fn push(&mut self, value: Value) {
        match value {
            Value::Undefined if self.numbers.is_empty() && self.values.is_empty() => self.undefined += 1,
            Value::Number(number) if self.undefined == 0 && self.values.is_empty() => {
                self.numbers.push(number)
            }
            value => self.push_other(value),
        }
    }

    #[inline(never)]
    fn push_other(&mut self, value: Value) {
        if self.values.is_empty() {
            self.as_values();
        }
        self.values.push(value);
    }

    /// All of them, as values.
    #[cfg(test)]
    pub(crate) fn into_values(mut self) -> Vec<Value> {
        std::mem::take(self.as_values())
    }

    /// All of them, as values.
    pub(super) fn as_values(&mut self) -> &mut Vec<Value> {
        self.values.extend(std::iter::repeat_n(Value::Undefined, std::mem::take(&mut self.undefined)));
        self.values.extend(self.numbers.drain(..).map(Value::Number));
        &mut self.values
    }

    pub(super) fn clear(&mut self) {
        self.undefined = 0;
        self.numbers.clear();
        self.values.clear();
    }
}
