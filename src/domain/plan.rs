//! What becomes of a timer's slots that are due: the decision `plan`. Every slot between the cursor and now gets
//! exactly one fate; nothing is forgotten and nothing is computed without bound.

use super::calendar::Calendar;
use super::run::SkipReason;
use super::timer::{Misfire, Timer};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

/// A slot this late or later was missed: the daemon was not there for it.
pub const LATE: TimeDelta = TimeDelta::seconds(60);

/// Beyond this many due slots of one timer, one ledger row stands for the older ones.
pub const MOST_SLOTS: usize = 1_000;

/// The fate of one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// When it was due.
    pub at: DateTime<Utc>,
    /// `None`: it gets a run.
    pub skipped: Option<SkipReason>,
    /// How many slots this row stands for, from `first` to `at`; 1 for an ordinary slot.
    pub count: u64,
    /// The first slot that the row stands for.
    pub first: DateTime<Utc>,
}

/// The due slots of one timer, and where its cursor moves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// In ascending order.
    pub slots: Vec<Slot>,
    /// The next slot after now; `None` when the schedule is exhausted.
    pub next: Option<DateTime<Utc>>,
}

/// Decides the slots in (`cursor`, `now`] of a timer that is on.
#[must_use]
pub fn plan(timer: &Timer, zone: Tz, calendar: &Calendar, cursor: DateTime<Utc>, now: DateTime<Utc>) -> Plan {
    let Some(schedule) = timer.form().schedule.as_ref().filter(|_| timer.is_on()) else {
        return Plan::default();
    };
    let mut due = std::collections::VecDeque::new();
    let mut folded: Option<(DateTime<Utc>, DateTime<Utc>, u64)> = None;
    let mut at = cursor;
    let next = loop {
        match schedule.next_after(zone, calendar, at) {
            Some(slot) if slot <= now => {
                due.push_back(slot);
                at = slot;
                if due.len() > MOST_SLOTS
                    && let Some(oldest) = due.pop_front()
                {
                    folded = Some(folded.map_or((oldest, oldest, 1), |(first, _, count)| (first, oldest, count + 1)));
                }
            }
            next => break next,
        }
    };
    let form = timer.form();
    let oldest_allowed = now - form.catch_up_within.to_delta();
    let is_closed = |slot: DateTime<Utc>| schedule.closed(zone, calendar, slot).is_some();
    let last = due.iter().rev().copied().find(|slot| !is_closed(*slot));
    let fate = |slot: DateTime<Utc>| -> Option<SkipReason> {
        if is_closed(slot) {
            return Some(SkipReason::ClosedDay);
        }
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
    let folded = folded.map(|(first, at, count)| Slot { at, skipped: Some(SkipReason::TooOld), count, first });
    let slots = due.iter().map(|&at| Slot { at, skipped: fate(at), count: 1, first: at });
    Plan { slots: folded.into_iter().chain(slots).collect(), next }
}
