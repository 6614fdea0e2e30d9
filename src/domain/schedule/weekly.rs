//! Some days of the week at a time.

use chrono::{Datelike, NaiveDate, Weekday};

use super::{ScheduleError, TimeOfDay, WrittenWeekly, error::At, time_of_day::shown};

pub(super) const DAYS: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

/// At least one day of the week, and a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weekly {
    /// One bit a day, Monday first; never 0.
    days: u8,
    at: TimeOfDay,
}

impl Weekly {
    /// The days, from Monday to Sunday.
    pub fn days(self) -> impl Iterator<Item = Weekday> {
        DAYS.into_iter().filter(move |day| self.has(*day))
    }

    /// The time on each of them.
    pub fn at(self) -> TimeOfDay {
        self.at
    }

    pub(super) fn has_date(self, date: NaiveDate) -> bool {
        self.has(date.weekday())
    }

    fn has(self, day: Weekday) -> bool {
        self.days & (1 << day.num_days_from_monday()) != 0
    }

    pub(super) fn read(written: WrittenWeekly) -> Result<Weekly, ScheduleError> {
        use super::ScheduleFault as Fault;
        let on = written.on.ok_or(Fault::Missing("[mon, thu]").at("weekly.on"))?;
        let at = written.at.ok_or(Fault::Missing("\"06:00\"").at("weekly.at"))?;
        let mut days = 0;
        for day in on.as_slice() {
            let day =
                read_day(&day.to_string()).ok_or_else(|| Fault::Weekday(shown(&day.to_string())).at("weekly.on"))?;
            days |= 1 << day.num_days_from_monday();
        }
        if days == 0 {
            return Err(Fault::EmptyList("[mon, thu]").at("weekly.on"));
        }
        Ok(Weekly { days, at: TimeOfDay::parse(&at.to_string()).map_err(|fault| fault.at("weekly.at"))? })
    }
}

/// The name of a day as settings write it.
pub(super) fn day_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "mon",
        Weekday::Tue => "tue",
        Weekday::Wed => "wed",
        Weekday::Thu => "thu",
        Weekday::Fri => "fri",
        Weekday::Sat => "sat",
        Weekday::Sun => "sun",
    }
}

/// The name of a day in Japanese, one character.
pub(super) fn day_name_ja(day: Weekday) -> &'static str {
    ["月", "火", "水", "木", "金", "土", "日"][day.num_days_from_monday() as usize]
}

/// Reads `mon`, `monday`, `月`, `月曜` and `月曜日`.
fn read_day(text: &str) -> Option<Weekday> {
    let text = text.trim();
    DAYS.into_iter()
        .find(|day| {
            let ja = day_name_ja(*day);
            matches!(text.strip_prefix(ja), Some("" | "曜" | "曜日"))
        })
        // chrono reads `mon` and `monday` in any case, and nothing else.
        .or_else(|| text.parse().ok())
}
