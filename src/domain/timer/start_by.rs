//! Until when a run may start, as settings write it: `2h` after its slot, or `08:30` on the clock.

use crate::domain::duration::Span;
use crate::domain::schedule::{TimeOfDay, first_instant};
use chrono::{DateTime, Days, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The latest start of a run, seen from its slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum StartBy {
    /// So long after the slot.
    After(Span),
    /// The next time that the zone's clock shows this, after the slot.
    At(TimeOfDay),
}

impl StartBy {
    /// The instant, for a slot of a timer in `zone`.
    #[must_use]
    pub fn instant(self, zone: Tz, slot: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::After(span) => slot + span.to_delta(),
            Self::At(time) => {
                let date = slot.with_timezone(&zone).date_naive();
                let days = [Some(date), date.checked_add_days(Days::new(1))];
                let mut instants =
                    days.into_iter().flatten().filter_map(|day| first_instant(zone, day.and_time(time.local())));
                instants.find(|at| *at > slot).unwrap_or(slot)
            }
        }
    }
}

impl fmt::Display for StartBy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(span) => span.fmt(out),
            Self::At(time) => time.fmt(out),
        }
    }
}

impl FromStr for StartBy {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |error: &dyn fmt::Display| {
            format!("{error}: write a length of time after the slot (2h) or a time of day (08:30)")
        };
        match text.contains(':') {
            true => TimeOfDay::parse(text).map(Self::At).map_err(|error| wrong(&error)),
            false => text.parse().map(Self::After).map_err(|error| wrong(&error)),
        }
    }
}

impl TryFrom<String> for StartBy {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<StartBy> for String {
    fn from(start_by: StartBy) -> Self {
        start_by.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;
    use chrono_tz::Asia::Tokyo;

    #[test]
    fn a_time_of_day_is_the_next_one_after_the_slot() {
        let slot = |hour| Tokyo.with_ymd_and_hms(2026, 11, 24, hour, 0, 0).unwrap().to_utc();
        let by = |text: &str, hour| {
            let at = text.parse::<StartBy>().unwrap().instant(Tokyo, slot(hour)).with_timezone(&Tokyo);
            at.format("%d %H:%M").to_string()
        };
        assert_eq!(by("08:30", 6), "24 08:30");
        assert_eq!(by("02:00", 23), "25 02:00");
        assert_eq!(by("90m", 6), "24 07:30");
    }

    #[test]
    fn what_is_neither_names_both_forms() {
        let error = "soon".parse::<StartBy>().unwrap_err();
        assert!(error.contains("2h") && error.contains("08:30"), "{error}");
        assert!("25:00".parse::<StartBy>().is_err());
    }
}
