//! What waits for takers of one kind, or for one worker: the entries that are taken by rank, and those that cannot be taken now.
//!
//! Entries of a limited task wait in a queue of their own, which is passed over while the task's limit is reached. An entry whose
//! key is busy is *held*: it takes no part in the order until it is released, and then has the place that its number gives it.

use std::collections::BTreeMap;

use super::entry::Entry;
use super::position::{LimitId, LinePosition};
use super::priority_queue::{PriorityQueue, Waiting};
use super::rank::{Place, Rule};
use super::task_limits::TaskLimits;

pub(super) struct Line {
    rule: Rule,
    /// What has no limit.
    plain: PriorityQueue,
    /// What has one, by the limit's number.
    limited: Vec<PriorityQueue>,
    /// By number.
    held: BTreeMap<u64, Waiting>,
}

impl Line {
    pub(super) fn new(rule: Rule, limits: usize) -> Self {
        let limited = (0..limits).map(|_| PriorityQueue::new(rule)).collect();
        Line { rule, plain: PriorityQueue::new(rule), limited, held: BTreeMap::new() }
    }

    /// How many entries wait.
    pub(super) fn len(&self) -> usize {
        let limited = self.limited.iter().map(PriorityQueue::len);
        self.plain.len() + limited.sum::<usize>() + self.held.len()
    }

    /// How many of them could be taken now.
    pub(super) fn takeable(&self, limits: &TaskLimits) -> usize {
        if self.limited.is_empty() {
            return self.plain.len();
        }
        let limited = |(at, queue): (usize, &PriorityQueue)| queue.len().min(limits.room(at));
        self.plain.len() + self.limited.iter().enumerate().map(limited).sum::<usize>()
    }

    /// How many entries of a limited task wait, held ones left out.
    pub(super) fn waiting_for(&self, limit: LimitId) -> usize {
        self.limited[limit.index()].len()
    }

    /// Adds an entry; `held` where its key is busy.
    #[inline]
    pub(super) fn add(&mut self, position: LinePosition, waiting: Waiting, held: bool) {
        let Waiting { priority, number, at, entry } = waiting;
        if held {
            self.held.insert(number, Waiting { priority, number, at, entry });
        } else {
            self.queue_mut(position).push(priority, number, at, entry);
        }
    }

    /// The key of an entry is free now. False where it waits no more.
    pub(super) fn release(&mut self, position: LinePosition) -> bool {
        let held = self.held.remove(&position.number);
        let found = held.is_some();
        held.into_iter().for_each(|waiting| self.add(position, waiting, false));
        found
    }

    /// What there is to compare of the entry that comes first, and the entry.
    #[inline]
    pub(super) fn first(&self, limits: &TaskLimits) -> Option<(Place, &Entry)> {
        self.first_queue(limits)?.1.first()
    }

    /// The place of the first of the entries that are meant, of those that could be taken now, and the limit it counts for. Where
    /// another comes before it, all are looked at.
    pub(super) fn first_that(
        &self,
        limits: &TaskLimits,
        is_meant: impl Fn(&Entry) -> bool,
    ) -> Option<(Place, Option<LimitId>)> {
        if let Some((at, queue)) = self.first_queue(limits)
            && let Some((place, entry)) = queue.first()
            && is_meant(entry)
        {
            return Some((place, at.map(LimitId::new)));
        }
        let plain = std::iter::once((None, &self.plain));
        let limited = self.limited.iter().enumerate().filter(|(at, _)| limits.room(*at) > 0);
        let open = plain.chain(limited.map(|(at, queue)| (Some(LimitId::new(at)), queue)));
        let firsts = open.filter_map(|(limit, queue)| Some((queue.first_that(&is_meant)?, limit)));
        firsts.min_by(|(one, _), (other, _)| self.rule.compare(one, other))
    }

    /// Takes out the entry that comes first, with its place, where `admits` says so.
    #[inline]
    pub(super) fn pop_if(
        &mut self,
        limits: &TaskLimits,
        admits: impl FnOnce(&Place, &Entry) -> bool,
    ) -> Option<(Place, Entry)> {
        let (at, _) = self.first_queue(limits)?;
        let queue = at.map_or(&mut self.plain, |at| &mut self.limited[at]);
        queue.pop_if(admits)
    }

    /// Takes out the entry that comes first.
    pub(super) fn pop(&mut self, limits: &TaskLimits) -> Option<Entry> {
        self.pop_if(limits, |_, _| true).map(|(_, entry)| entry)
    }

    /// What there is to compare of the entry at a position, and the entry, if it is not held.
    pub(super) fn at(&self, position: LinePosition) -> Option<(Place, &Entry)> {
        let limited = |limit: LimitId| &self.limited[limit.index()];
        position.limit.map_or(&self.plain, limited).at(position)
    }

    /// Takes out the entry at a position, if it still waits; and whether it was held.
    pub(super) fn remove(&mut self, position: LinePosition) -> Option<(Entry, bool)> {
        if let Some(entry) = self.queue_mut(position).remove(position) {
            return Some((entry, false));
        }
        self.held.remove(&position.number).map(|waiting| (waiting.entry, true))
    }

    /// Takes out the job of this id, if it waits here, and whether it was held; by looking at all.
    pub(super) fn remove_job(&mut self, id: u64) -> Option<(u64, Entry, bool)> {
        for queue in std::iter::once(&mut self.plain).chain(&mut self.limited) {
            if let Some((priority, number)) = queue.find_job(id) {
                let entry = queue.remove(LinePosition { priority, number, limit: None })?;
                return Some((number, entry, false));
            }
        }
        let number = *self.held.iter().find(|(_, waiting)| waiting.entry.is_job(id))?.0;
        self.held.remove(&number).map(|waiting| (number, waiting.entry, true))
    }

    /// The entries that may be taken, in no certain order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.queues().flat_map(PriorityQueue::iter)
    }

    /// The entries that wait for their key.
    pub(super) fn held(&self) -> impl Iterator<Item = &Entry> {
        self.held.values().map(|waiting| &waiting.entry)
    }

    /// Everything that waits, and whether it was held. However much that is, nothing is moved before it is looked at.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (Waiting, bool)> + use<> {
        let Line { mut plain, limited, held, .. } =
            std::mem::replace(self, Line::new(self.rule, self.limited.len()));
        let limited = limited.into_iter().flat_map(|mut queue| queue.drain());
        let takeable = plain.drain().chain(limited).map(|waiting| (waiting, false));
        takeable.chain(held.into_values().map(|waiting| (waiting, true)))
    }

    fn queues(&self) -> impl Iterator<Item = &PriorityQueue> {
        std::iter::once(&self.plain).chain(&self.limited)
    }

    #[inline]
    fn queue_mut(&mut self, position: LinePosition) -> &mut PriorityQueue {
        match position.limit {
            Some(limit) => &mut self.limited[limit.index()],
            None => &mut self.plain,
        }
    }

    /// The queue whose first entry comes first, of those that are open.
    #[inline]
    fn first_queue(&self, limits: &TaskLimits) -> Option<(Option<usize>, &PriorityQueue)> {
        if self.limited.is_empty() { Some((None, &self.plain)) } else { self.first_of_several(limits) }
    }

    fn first_of_several(&self, limits: &TaskLimits) -> Option<(Option<usize>, &PriorityQueue)> {
        let open = || {
            let limited = self.limited.iter().enumerate().filter(|(at, _)| limits.room(*at) > 0);
            let all =
                std::iter::once((None, &self.plain)).chain(limited.map(|(at, queue)| (Some(at), queue)));
            all.filter_map(|(at, queue)| Some((queue.first()?.0, (at, queue))))
        };
        if !self.rule.newest_first {
            let first = open().min_by(|(one, _), (other, _)| self.rule.compare(one, other));
            return first.map(|(_, queue)| queue);
        }
        // Only the first of each priority takes part: see `Rule::compare`.
        let leads = |place: &Place| {
            let is_before = |other: &Place| {
                other.priority == place.priority && self.rule.within(other.number, place.number).is_lt()
            };
            !open().any(|(other, _)| is_before(&other))
        };
        let first = open()
            .filter(|(place, _)| leads(place))
            .min_by(|(one, _), (other, _)| self.rule.compare(one, other));
        first.map(|(_, queue)| queue)
    }
}
