//! The clock on the wall of a zone: from instants to local times and back, by one rule for gaps and repeats.
//!
//! Nothing here knows schedules. Every answer comes from the zone's own history of offsets.

use chrono::{DateTime, Datelike, MappedLocalTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::{GapInfo, Tz};

/// Farther from a clock change than this, no local time is repeated: no zone ever went back by more than a day.
const LONGEST_CHANGE: TimeDelta = TimeDelta::hours(25);

/// The local clock of a zone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wall {
    zone: Tz,
}

/// Local times whose second pass may lie after an instant: strictly after `after`, up to and including `until`.
#[derive(Debug, Clone, Copy)]
pub(super) struct SecondPass {
    pub(super) after: NaiveDateTime,
    pub(super) until: NaiveDateTime,
}

/// Brings an instant to whole seconds and to the years in which slots are told; `None` after them.
pub(super) fn usable(after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    match after.year() {
        ..1900 => Utc.with_ymd_and_hms(1900, 1, 1, 0, 0, 0).single(),
        1900..=9998 => after.with_nanosecond(0),
        _ => None,
    }
}

impl Wall {
    /// The clock of this zone.
    pub(super) fn of(zone: Tz) -> Wall {
        Wall { zone }
    }

    /// What the clock shows at an instant.
    pub(super) fn local_at(self, instant: DateTime<Utc>) -> NaiveDateTime {
        instant.naive_utc() + self.offset_at(instant)
    }

    /// The first instant at which the clock shows `local` or later: the instant itself, the first of two, or the end
    /// of the gap in which `local` lies. It never falls while `local` grows.
    pub(super) fn first_at(self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        match self.zone.from_local_datetime(&local) {
            MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => Some(at.with_timezone(&Utc)),
            MappedLocalTime::None => {
                let (begin, offset) = GapInfo::new(&local, &self.zone)?.begin?;
                let before = TimeDelta::seconds(i64::from(offset.fix().local_minus_utc()));
                Some((begin - before).and_utc())
            }
        }
    }

    /// The second instant at which the clock shows `local`, if it does so twice.
    pub(super) fn second_at(self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        match self.zone.from_local_datetime(&local) {
            MappedLocalTime::Ambiguous(_, second) => Some(second.with_timezone(&Utc)),
            MappedLocalTime::Single(_) | MappedLocalTime::None => None,
        }
    }

    /// The local times at or before `after` that may be shown once more after it. Far from a repeat there are none.
    pub(super) fn second_pass(self, after: DateTime<Utc>) -> Option<SecondPass> {
        let size = self.offset_at(after - LONGEST_CHANGE) - self.offset_at(after + LONGEST_CHANGE);
        if size <= TimeDelta::zero() {
            return None;
        }
        let (before, behind) = (self.offset_at(after - size), self.offset_at(after + size));
        (before > behind).then(|| SecondPass { after: after.naive_utc() + behind, until: after.naive_utc() + before })
    }

    fn offset_at(self, instant: DateTime<Utc>) -> TimeDelta {
        let offset = self.zone.offset_from_utc_datetime(&instant.naive_utc());
        TimeDelta::seconds(i64::from(offset.fix().local_minus_utc()))
    }
}
