//! The order of one line: priorities, aging, the newest first; entries taken out of the middle; a plain model.

use std::collections::BTreeMap;
use std::time::Duration;

use super::batch::Batch;
use super::entry::Entry;
use super::job::Job;
use super::position::LinePosition;
use super::priority_queue::PriorityQueue;
use super::rank::Rule;
use super::task_observer::Age;
use crate::cancel::CancelToken;
use crate::error::Error;
use crate::error::Result;
use crate::pool::BatchInputs;
use crate::pool::Outbox;
use crate::pool::batch::BatchHost;
use crate::pool::task_observer::Ended;
use crate::pool::test_tasks::{ECHO, NoHelpers, TestTasks};
use crate::sync::Arc;
use crate::value::{Payload, Value};

struct Nowhere;
impl Outbox for Nowhere {
    fn settle(&self, _: usize, _: u64, _: Result<Value>) {}
}

/// Leaves after the first chunk.
struct OneChunk;
impl BatchHost for OneChunk {
    fn begins(&self, _: usize) {}
    fn panicked(&self, panic: Error) -> Error {
        panic
    }
    fn ended(&self, _: Ended) {}
    fn exhausted(&self) {}
    fn should_leave(&self) -> bool {
        true
    }
}

fn job(task: usize) -> Entry {
    Entry::Job(Job::new(0, &Nowhere, task, Payload::Value(Value::Null), None))
}

/// A line with strict priorities, and the number of the next entry.
struct Line(PriorityQueue, u64);

fn line() -> Line {
    Line(PriorityQueue::new(Rule::new(None, false)), 0)
}

impl Line {
    fn push(&mut self, priority: i32, task: usize) -> LinePosition {
        self.push_at(priority, task, 0)
    }

    fn push_at(&mut self, priority: i32, task: usize, at: Age) -> LinePosition {
        self.1 += 1;
        self.0.push(priority, self.1, at, job(task));
        LinePosition { priority, number: self.1, limit: None }
    }

    fn pop(&mut self) -> Option<usize> {
        self.0.pop().map(|entry| entry.task())
    }

    fn remove(&mut self, position: LinePosition) -> Option<usize> {
        self.0.remove(position).map(|entry| entry.task())
    }

    fn order(&mut self) -> Vec<usize> {
        std::iter::from_fn(|| self.pop()).collect()
    }
}

#[test]
fn higher_priorities_come_first_and_equals_in_order() {
    let mut line = line();
    for (priority, task) in [(0, 1), (5, 2), (0, 3), (-1, 4), (5, 5)] {
        line.push(priority, task);
    }
    assert_eq!(line.order(), [2, 5, 1, 3, 4]);
    assert_eq!(line.0.len(), 0);
    assert!(line.0.is_of_one_level(), "empty levels are gone");
}

#[test]
fn what_has_waited_long_enough_comes_before_a_higher_priority() {
    let mut line = Line(PriorityQueue::new(Rule::new(Some(Duration::from_nanos(10)), false)), 0);
    // By priority, and when it came: its rank.
    for (task, (priority, at)) in [(0, 0), (1, 5), (0, 4), (2, 23), (1, 15), (-1, 2)].into_iter().enumerate()
    {
        line.push_at(priority, task, at);
    }
    assert_eq!(line.order(), [1, 0, 3, 2, 4, 5]);
}

#[test]
fn the_newest_may_come_first_within_a_priority() {
    let mut line = Line(PriorityQueue::new(Rule::new(None, true)), 0);
    let positions: Vec<LinePosition> = [(0, 1), (5, 2), (0, 3), (-1, 4), (5, 5), (0, 6)]
        .map(|(priority, task)| line.push(priority, task))
        .into();
    assert_eq!(line.pop(), Some(5));
    assert_eq!(line.remove(positions[5]), Some(6));
    line.push(0, 7);
    assert_eq!(line.remove(positions[5]), None, "its slot is another's now");
    assert_eq!(line.order(), [2, 7, 3, 1, 4]);
}

#[test]
fn an_entry_that_comes_late_stands_where_its_number_says() {
    for (newest_first, order) in [(false, [1, 2, 3, 4, 5]), (true, [5, 4, 3, 2, 1])] {
        let mut queue = PriorityQueue::new(Rule::new(None, newest_first));
        for number in [2, 4, 3, 5, 1] {
            queue.push(0, number, 0, job(number as usize));
        }
        assert_eq!(queue.first().map(|(place, _)| place.number), Some(order[0] as u64));
        let taken: Vec<usize> = std::iter::from_fn(|| queue.pop()).map(|entry| entry.task()).collect();
        assert_eq!(taken, order);
    }
}

#[test]
fn a_position_takes_out_its_own_entry_once() {
    let mut line = line();
    let positions: Vec<LinePosition> = (0..5).map(|task| line.push(0, task)).collect();
    assert_eq!(line.remove(positions[2]), Some(2));
    assert_eq!(line.remove(positions[2]), None);
    assert_eq!(line.pop(), Some(0));
    assert_eq!(line.remove(positions[0]), None, "it was taken");
    assert_eq!(line.remove(positions[4]), Some(4));
    assert_eq!(line.order(), [1, 3]);
}

#[test]
fn a_priority_of_which_nothing_waits_any_more_is_not_the_highest() {
    let mut line = line();
    for priority in 1..=3 {
        line.push(priority, 1);
        let aborted = [line.push(priority, 2), line.push(priority, 3)];
        for position in aborted {
            line.remove(position);
        }
        line.push(0, 4);
        assert_eq!(line.pop(), Some(1));
        assert_eq!(line.0.first().map(|(place, _)| place.priority), Some(0));
        assert!(line.0.is_of_one_level());
    }
}

#[test]
fn a_level_that_comes_back_does_not_answer_to_old_positions() {
    let mut line = line();
    let old = line.push(7, 1);
    line.pop();
    line.push(7, 2);
    assert_eq!(line.remove(old), None);
    let older = line.push(0, 3);
    drop(line.0.drain());
    line.push(0, 4);
    assert_eq!(line.remove(older), None);
    assert_eq!(line.0.len(), 1);
}

#[test]
fn everything_can_be_taken_out_in_the_order_of_priorities_and_submission() {
    let mut line = line();
    for (priority, task) in [(0, 1), (5, 2), (0, 3), (-1, 4), (5, 5), (-7, 6)] {
        line.push(priority, task);
    }
    line.0.push(5, 0, 0, job(7));
    let all: Vec<(i32, usize)> =
        line.0.drain().map(|waiting| (waiting.priority, waiting.entry.task())).collect();
    assert_eq!(all, [(5, 7), (5, 2), (5, 5), (0, 1), (0, 3), (-1, 4), (-7, 6)]);
    assert_eq!(line.order(), [0; 0]);
}

#[test]
fn a_batch_is_shared_out_until_its_last_input() {
    let mut queue = PriorityQueue::new(Rule::new(None, false));
    let inputs = BatchInputs::Array(Payload::Value(Value::Array(vec![Value::Null; 2])));
    let batch = Arc::new(Batch::new(0, &Nowhere, ECHO, 0, inputs, 2, CancelToken::new(None)));
    queue.push(0, 0, 0, Entry::Batch(batch));
    assert_eq!(queue.pop().map(|entry| entry.task()), Some(ECHO));
    let Some(Entry::Batch(batch)) = queue.pop() else { panic!("the batch is shared") };
    assert_eq!(queue.len(), 1);
    batch.work(&TestTasks, &NoHelpers, &OneChunk);
    assert_eq!(queue.pop().map(|entry| entry.task()), Some(ECHO));
    assert_eq!(queue.len(), 0, "the thread that takes the last input takes it out of the queue");
}

/// Of each priority the first in order; of these the lowest rank, then the highest priority.
fn expected(model: &[(i32, Age, usize)], aging: Option<i64>, newest_first: bool) -> Option<usize> {
    let mut firsts: BTreeMap<i32, (Age, usize)> = BTreeMap::new();
    for (priority, at, task) in model {
        let first = firsts.entry(*priority).or_insert((*at, *task));
        if newest_first {
            *first = (*at, *task);
        }
    }
    let rank = |priority: i32, at: Age| aging.map_or(0, |aging| at as i64 - i64::from(priority) * aging);
    firsts
        .into_iter()
        .min_by_key(|(priority, (at, _))| (rank(*priority, *at), -priority))
        .map(|(_, (_, task))| task)
}

#[test]
fn the_queue_agrees_with_a_plain_model_over_random_steps() {
    let rules = [None, Some(0), Some(7), Some(1_000)].map(|aging| [(aging, false), (aging, true)]);
    for (aging, newest_first) in rules.concat() {
        agrees_with_a_plain_model(aging, newest_first);
    }
}

fn agrees_with_a_plain_model(aging: Option<i64>, newest_first: bool) {
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let rule = Rule::new(aging.map(|aging| Duration::from_nanos(aging.cast_unsigned())), newest_first);
    let mut line = Line(PriorityQueue::new(rule), 0);
    let mut model: Vec<(i32, Age, usize)> = Vec::new();
    let mut positions: Vec<(LinePosition, usize)> = Vec::new();
    for step in 0..20_000_u64 {
        let task = usize::try_from(step).expect("64-bit");
        match next() % 3 {
            0 => {
                let priority = i32::try_from(next() % 4).expect("small") - 2;
                positions.push((line.push_at(priority, task, step), task));
                model.push((priority, step, task));
            }
            1 => {
                let expected = expected(&model, aging, newest_first);
                model.retain(|entry| Some(entry.2) != expected);
                assert_eq!(line.pop(), expected, "step {step}, aging {aging:?}, newest first {newest_first}");
            }
            _ if !positions.is_empty() => {
                let at = usize::try_from(next()).expect("64-bit") % positions.len();
                let (position, task) = positions.swap_remove(at);
                let expected = model.iter().position(|entry| entry.2 == task).map(|at| model.remove(at).2);
                assert_eq!(line.remove(position), expected);
            }
            _ => {}
        }
        assert_eq!(line.0.len(), model.len());
    }
}
