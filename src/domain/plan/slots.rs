//! The slots of one timer that are due, and what its `misfire` makes of those that come late. Every slot between the
//! cursor and now is told once, and nothing is computed without bound.

use crate::domain::run::SkipReason;
use crate::domain::timer::{Misfire, TimerForm};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::VecDeque;

/// A slot this late or later was missed: the daemon was not there for it.
pub const LATE: TimeDelta = TimeDelta::seconds(60);

/// Beyond this many due slots of one timer, one ledger row stands for the older ones.
pub const MOST_SLOTS: usize = 1_000;

/// One slot, or several older ones that share a ledger row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// When it was due; the last one where it stands for several.
    pub at: DateTime<Utc>,
    /// The first slot that it stands for.
    pub first: DateTime<Utc>,
    /// How many it stands for; 1 for an ordinary slot.
    pub count: u64,
}

/// The slots of one timer that are due.
pub(super) struct Due {
    /// In ascending order, each with why it does not run; `None`: it may.
    pub(super) slots: Vec<(Slot, Option<SkipReason>)>,
    /// The next one after now.
    pub(super) next: Option<DateTime<Utc>>,
}

/// The slots in (`cursor`, `now`], and what `closed` or their lateness makes of them. A slot that is closed anyway (a
/// closed day, a planned stop) stands for no missed one.
pub(super) fn due(
    form: &TimerForm,
    cursor: DateTime<Utc>,
    now: DateTime<Utc>,
    next_after: impl Fn(DateTime<Utc>) -> Option<DateTime<Utc>>,
    closed: impl Fn(DateTime<Utc>) -> Option<SkipReason>,
) -> Due {
    let mut due = VecDeque::new();
    let mut folded: Option<Slot> = None;
    let mut at = cursor;
    let next = loop {
        match next_after(at) {
            Some(slot) if slot <= now => {
                due.push_back(slot);
                at = slot;
                if due.len() > MOST_SLOTS
                    && let Some(oldest) = due.pop_front()
                {
                    let (first, count) = folded.map_or((oldest, 0), |slot| (slot.first, slot.count));
                    folded = Some(Slot { at: oldest, first, count: count + 1 });
                }
            }
            next => break next,
        }
    };
    let oldest_allowed = now - form.catch_up_within.to_delta();
    let last = due.iter().rev().copied().find(|&slot| closed(slot).is_none());
    let lateness = |slot: DateTime<Utc>| -> Option<SkipReason> {
        if now - slot < LATE {
            // Slots of the last minute were not missed, unless several fell into it: then the newest one speaks.
            return (form.misfire != Misfire::All && Some(slot) != last).then_some(SkipReason::CaughtUpByLater);
        }
        match form.misfire {
            Misfire::None => Some(SkipReason::Missed),
            _ if slot < oldest_allowed => Some(SkipReason::TooOld),
            Misfire::Last if Some(slot) != last => Some(SkipReason::CaughtUpByLater),
            Misfire::Last | Misfire::All => None,
        }
    };
    let folded = folded.map(|slot| (slot, Some(SkipReason::TooOld)));
    let single = due.iter().map(|&at| (Slot { at, first: at, count: 1 }, closed(at).or_else(|| lateness(at))));
    Due { slots: folded.into_iter().chain(single).collect(), next }
}
