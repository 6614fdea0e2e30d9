//! Clock changes in a span, and what they do to a schedule's times. A time that the clock leaves out, or shows twice,
//! is found by asking the same schedule on a clock that never changes.

use crate::domain::calendar::Calendar;
use crate::domain::schedule::{Kind, Schedule};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::Serialize;

/// A clock change that leaves out or repeats times of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ClockChange {
    /// When.
    pub at: DateTime<Utc>,
    /// By how many seconds the clock goes forward; negative: back.
    pub seconds: i64,
    /// How many times of the schedule do not exist, or exist twice.
    pub times: usize,
    /// How many runs come of them.
    pub runs: usize,
}

/// The first instant of a local day, or the first behind it where the day has no midnight.
pub(super) fn start_of(zone: Tz, date: NaiveDate) -> DateTime<Utc> {
    let midnight = date.and_time(chrono::NaiveTime::MIN);
    // No zone leaves out more than a day.
    let shown = (0..=24 * 60).map(|minute| midnight + TimeDelta::minutes(minute));
    let first = shown.filter_map(|local| zone.from_local_datetime(&local).earliest()).next();
    first.map_or_else(|| midnight.and_utc(), |at| at.to_utc())
}

/// The changes of a zone's clock from one local day to another that concern a schedule.
pub(super) fn changes(
    schedule: &Schedule,
    zone: Tz,
    calendar: &Calendar,
    from: NaiveDate,
    to: NaiveDate,
) -> Vec<ClockChange> {
    let mut changes = Vec::new();
    for date in from.iter_days().take_while(|date| *date <= to) {
        let (Some(next), start) = (date.succ_opt(), start_of(zone, date)) else { break };
        let end = start_of(zone, next);
        let (before, after) = (offset(zone, start), offset(zone, end));
        if before != after {
            let at = bisect(zone, start, end, before);
            changes.extend(effect(schedule, zone, calendar, at, after - before));
        }
    }
    changes
}

fn effect(
    schedule: &Schedule,
    zone: Tz,
    calendar: &Calendar,
    at: DateTime<Utc>,
    change: TimeDelta,
) -> Option<ClockChange> {
    let shown = at.naive_utc() + offset(zone, at);
    // What the clock leaves out lies before what it shows at the change; what it shows twice lies behind.
    let (first, last) = if change > TimeDelta::zero() { (shown - change, shown) } else { (shown, shown - change) };
    let second = TimeDelta::seconds(1);
    let on_a_steady_clock = |local: NaiveDateTime| local.and_utc() - second;
    let (first, last) = (on_a_steady_clock(first), on_a_steady_clock(last));
    let kept = |zone: Tz, slot: &DateTime<Utc>| schedule.closed(zone, calendar, *slot).is_none();
    let times = schedule.slots_between(Tz::UTC, calendar, first, last).filter(|slot| kept(Tz::UTC, slot)).count();
    if times == 0 || (matches!(schedule.kind(), Kind::Every(_)) && change > TimeDelta::zero()) {
        // An interval goes on by elapsed time: it misses nothing.
        return None;
    }
    let span =
        if change > TimeDelta::zero() { (at - second, at) } else { (at + change - second, at - change - second) };
    let runs = schedule.slots_between(zone, calendar, span.0, span.1).filter(|slot| kept(zone, slot)).count();
    Some(ClockChange { at, seconds: change.num_seconds(), times, runs })
}

/// The first instant whose offset is another than at the start.
fn bisect(zone: Tz, start: DateTime<Utc>, end: DateTime<Utc>, before: TimeDelta) -> DateTime<Utc> {
    let (mut low, mut high) = (start.timestamp(), end.timestamp());
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        let same = DateTime::from_timestamp(middle, 0).is_some_and(|at| offset(zone, at) == before);
        if same { low = middle } else { high = middle }
    }
    DateTime::from_timestamp(high, 0).unwrap_or(end)
}

fn offset(zone: Tz, at: DateTime<Utc>) -> TimeDelta {
    TimeDelta::seconds(i64::from(zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()))
}
