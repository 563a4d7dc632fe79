//! Which of two waiting entries comes first: priorities with aging.
//!
//! An entry gains one level of priority for each `aging` that it waits. All that wait gain at the same pace, so their order does not
//! change while they wait, and is known when they come: by the *rank*, which is the time of submission less `priority` times
//! `aging`. The lowest rank comes first. So a task of a lower priority waits for those of a higher one that are submitted up to
//! `aging` later for each level between the two, and for no others: nothing starves.
//!
//! Without aging the rank is the priority alone.
//!
//! Within a priority the order is that of submission, or the reverse. Of each priority only the one that comes first there is
//! compared with those of others.

use std::cmp::Ordering;
use std::time::Duration;

use super::task_observer::Age;

/// How the entries of a pool are ordered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// In nanoseconds; none for strict priorities.
    aging: Option<i64>,
    /// Whether the newest of a priority comes first.
    pub(super) newest_first: bool,
}

/// The place of an entry among those of other priorities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank(pub(super) i64);

impl Rank {
    /// After all others: nothing waits.
    pub(super) const LAST: Rank = Rank(i64::MAX);
}

/// What there is to compare of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) rank: Rank,
    pub(super) priority: i32,
    /// When it was submitted.
    pub(super) at: Age,
    /// Entries are numbered as they come.
    pub(super) number: u64,
}

/// 146 years, in nanoseconds: no time of a pool is as long.
const FAR: i64 = 1 << 62;
const MINUS_FAR: i64 = -FAR;

impl Place {
    /// That of nothing.
    pub(super) const LAST: Place =
        Place { rank: Rank::LAST, priority: i32::MIN, at: Age::MAX, number: u64::MAX };
}

impl Rule {
    pub(super) fn new(aging: Option<Duration>, newest_first: bool) -> Self {
        let aging = aging.map(|aging| i64::try_from(aging.as_nanos()).unwrap_or(i64::MAX));
        Rule { aging, newest_first }
    }

    /// The rank of an entry of this priority that was submitted then.
    pub(super) fn rank(self, priority: i32, at: Age) -> Rank {
        let Some(aging) = self.aging else { return Rank(-i64::from(priority)) };
        let gain = i64::from(priority).saturating_mul(aging);
        Rank(match gain {
            // So much is no time: the priority alone counts then.
            i64::MIN..=MINUS_FAR => i64::MAX - 1,
            FAR.. => MINUS_FAR,
            _ => at.cast_signed() - gain,
        })
    }

    /// Which of two numbers of one priority comes first.
    pub(super) fn within(self, one: u64, other: u64) -> Ordering {
        if self.newest_first { other.cmp(&one) } else { one.cmp(&other) }
    }

    /// Whether what comes first in the queue goes before what a thread has begun. Of its own priority, with the newest first, nothing
    /// does: what is older has a lower rank there, and comes later all the same.
    pub(super) fn goes_above(self, rank: Rank, priority: i32, begun: &Place) -> bool {
        rank < begun.rank && !(self.newest_first && priority == begun.priority)
    }

    /// Which of two entries comes first. With the newest first this is no order of more than two: the caller compares only those
    /// that come first of their priority.
    pub(super) fn compare(self, one: &Place, other: &Place) -> Ordering {
        if one.priority == other.priority {
            return self.within(one.number, other.number);
        }
        one.rank.cmp(&other.rank).then(other.priority.cmp(&one.priority))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn place(rule: Rule, priority: i32, at: Age) -> Place {
        Place { rank: rule.rank(priority, at), priority, at, number: at }
    }

    #[test]
    fn a_level_is_worth_as_much_as_the_time_of_aging() {
        let rule = Rule::new(Some(SECOND), false);
        let nanos = 1_000_000_000;
        for (lower, higher, levels) in [(0, 1, 1), (-2, 3, 5), (7, 8, 1)] {
            let old = place(rule, lower, nanos);
            let just = place(rule, higher, nanos + levels * nanos - 1);
            let late = place(rule, higher, nanos + levels * nanos + 1);
            assert_eq!(rule.compare(&just, &old), Ordering::Less);
            assert_eq!(rule.compare(&late, &old), Ordering::Greater);
        }
    }

    #[test]
    fn strict_priorities_take_no_account_of_time() {
        for rule in [Rule::new(None, false), Rule::new(Some(Duration::MAX), false)] {
            let old = place(rule, 0, 0);
            let new = place(rule, 1, u64::MAX >> 1);
            assert_eq!(rule.compare(&new, &old), Ordering::Less);
            assert_eq!(rule.compare(&place(rule, i32::MIN, 0), &new), Ordering::Greater);
            assert_eq!(
                rule.compare(&place(rule, i32::MAX, 9), &place(rule, i32::MAX - 1, 0)),
                Ordering::Less
            );
        }
    }

    #[test]
    fn with_an_aging_of_nothing_the_time_alone_counts() {
        let rule = Rule::new(Some(Duration::ZERO), false);
        assert_eq!(rule.compare(&place(rule, 9, 2), &place(rule, 0, 1)), Ordering::Greater);
        assert_eq!(rule.compare(&place(rule, 9, 1), &place(rule, 0, 1)), Ordering::Less, "a tie");
    }

    #[test]
    fn what_is_begun_makes_way_for_nothing_older_where_the_newest_comes_first() {
        for (newest_first, above) in [(false, true), (true, false)] {
            let rule = Rule::new(Some(SECOND), newest_first);
            let begun = place(rule, 0, 5);
            let goes_above = |other: Place| rule.goes_above(other.rank, other.priority, &begun);
            assert_eq!(goes_above(place(rule, 0, 4)), above);
            assert!(!goes_above(place(rule, 0, 6)));
            assert!(goes_above(place(rule, 1, 6)));
            assert!(!goes_above(place(rule, -1, 4)));
        }
    }

    #[test]
    fn the_newest_comes_first_within_a_priority_only() {
        let rule = Rule::new(Some(SECOND), true);
        assert_eq!(rule.compare(&place(rule, 0, 5), &place(rule, 0, 4)), Ordering::Less);
        assert_eq!(rule.compare(&place(rule, 1, 5), &place(rule, 0, 6)), Ordering::Less);
    }
}
