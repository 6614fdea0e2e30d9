//! When a timer runs: from what settings say to a checked [`Schedule`] that yields time slots.
//!
//! A schedule is pure. It reads no clock, knows neither holidays nor missed slots, and starts nothing: it answers one
//! question, [`Schedule::next_after`]. A schedule whose day never comes cannot be held; it is refused when it is read.
//!
//! ## Written forms
//!
//! | written | runs |
//! |---|---|
//! | `once: "2026-12-01T06:00"` | one time |
//! | `daily: "06:00"` | every day |
//! | `weekly: { on: [mon, thu], at: "06:00" }` | on these days of the week |
//! | `monthly: { day: 25, at: "23:30", months: [4, 10] }` | on this day of each month (or of these months); `day: last` is the month's last |
//! | `every: 15m`, with or without `between: "08:00-20:00"` | in steps from the start of the window, or of the day |
//! | `cron: "0 6 * * 1-5"` | as in crontab: 5 fields, or 6 with seconds first |
//!
//! Times are local times of the timer's zone: `06:00`, or `06:00:30`.
//!
//! ## When clocks change
//!
//! One rule for all kinds: **a time runs at the first instant at which the local clock shows it or a later one.** So a
//! time that does not exist (clocks go forward over it) runs at the next instant that does, several such times fall
//! together into one slot, and a time that exists twice (clocks go back) runs once, at the first. What means an
//! interval goes on as the interval says: `every`, and a cron pattern that names every hour, run in both passes of a
//! repeated hour.
//!
//! ## Decisions
//!
//! - `monthly` on day 29, 30 or 31 leaves the months out that have no such day; for month ends there is `day: last`. A
//!   month listed in `months` that never has the day is refused.
//! - `every` counts elapsed time from the first instant of its window, or of the local day, and starts anew with each
//!   of them: a step that does not divide 24 hours has a shorter last gap at midnight. Both ends of `between` are
//!   included. `between: "20:00-06:00"` goes over midnight and belongs to the day on which it starts;
//!   `"08:00-24:00"` ends at midnight.
//! - Cron has no year field (write `once`). With both a day of the month and a day of the week, a day runs that matches
//!   either, as in crontab; a `+` before the day of the week asks for both. `L`, `W` and `#` are understood, and the
//!   nicknames (`@daily`) are written out.

mod cron;
mod describe;
mod error;
mod every;
mod grid;
mod monthly;
mod time_of_day;
mod wall;
mod weekly;
mod written;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

pub use self::{
    cron::CronRule,
    error::{ScheduleError, ScheduleFault, ScheduleWarning},
    every::Every,
    monthly::{DayOfMonth, Monthly},
    time_of_day::{TimeOfDay, Window},
    weekly::Weekly,
    written::{OneOrMany, Scalar, WrittenMonthly, WrittenSchedule, WrittenWeekly},
};
use self::{grid::Grid, wall::Wall};

/// How far a search for a date goes. The calendar repeats after 400 years, but no day that comes at all keeps one
/// waiting longer than 40 (29 February on a given day of the week, over a year such as 2100).
const SEARCH_DAYS: u64 = 41 * 366;

/// When a timer runs, checked: every part is possible, and its day comes.
///
/// It is read from, and written as, the forms above; other keys are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenSchedule", into = "WrittenSchedule")]
pub enum Schedule {
    /// At one local time, from 1970 to 9998.
    Once(OnceAt),
    /// Every day at a time.
    Daily(TimeOfDay),
    /// On some days of the week at a time.
    Weekly(Weekly),
    /// On a day of the month at a time.
    Monthly(Monthly),
    /// In steps through the day, or through a part of it.
    Every(Every),
    /// As a crontab pattern says.
    Cron(CronRule),
}

/// One local date and time in whole seconds, from 1970 to 9998.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnceAt(NaiveDateTime);

impl OnceAt {
    /// The local date and time.
    pub fn local(self) -> NaiveDateTime {
        self.0
    }
}

/// The first instant at which the clocks of a zone show `local` or a later time; `None` where the zone's history does
/// not tell.
#[must_use]
pub fn first_instant(zone: Tz, local: NaiveDateTime) -> Option<DateTime<Utc>> {
    Wall::of(zone).first_at(local)
}

impl Schedule {
    /// The first slot strictly after `after`, in whole seconds, or `None` when none comes any more.
    ///
    /// Instants outside the years 1900 to 9998 are outside this promise: slots before 1900 are not told, and after 9998
    /// there are none.
    pub fn next_after(&self, zone: Tz, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let wall = Wall::of(zone);
        let after = wall::usable(after)?;
        let next = match self {
            Schedule::Once(at) => wall.first_at(at.local()),
            Schedule::Daily(at) => self.next_dated(Grid::at(*at), wall, after),
            Schedule::Weekly(weekly) => self.next_dated(Grid::at(weekly.at()), wall, after),
            Schedule::Monthly(monthly) => self.next_dated(Grid::at(monthly.at()), wall, after),
            Schedule::Every(every) => every.next_after(wall, after),
            Schedule::Cron(cron) => self.next_dated(cron.grid(), wall, after),
        };
        debug_assert!(
            matches!(self, Schedule::Once(_)) || next.is_none_or(|next| next > after),
            "{self:?} went back from {after} to {next:?}"
        );
        // A loop that asks for the slot after the slot must move on, whatever happens above.
        next.filter(|next| *next > after && next.timestamp_subsec_nanos() == 0)
    }

    /// The slots after `from_exclusive` up to and including `to_inclusive`, in order, each once.
    pub fn slots_between(&self, zone: Tz, from_exclusive: DateTime<Utc>, to_inclusive: DateTime<Utc>) -> Slots<'_> {
        Slots { schedule: self, zone, last: from_exclusive, to: to_inclusive }
    }

    /// True when no slot comes after `after` any more: a `once` that is past.
    pub fn is_exhausted(&self, zone: Tz, after: DateTime<Utc>) -> bool {
        self.next_after(zone, after).is_none()
    }

    /// What is allowed, and likely not what was meant.
    pub fn warnings(&self) -> Vec<ScheduleWarning> {
        match self {
            Schedule::Monthly(monthly) => monthly.warning().into_iter().collect(),
            Schedule::Every(every) => every.warning().into_iter().collect(),
            Schedule::Cron(cron) => cron.warning().into_iter().collect(),
            Schedule::Once(_) | Schedule::Daily(_) | Schedule::Weekly(_) => Vec::new(),
        }
    }

    /// The next slot of the kinds that say on which dates and at which times of the day.
    fn next_dated(&self, grid: Grid, wall: Wall, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut local = wall.local_at(after);
        let next = loop {
            local = self.next_local(grid, local)?;
            // In the second pass of a repeated hour the local clock shows times that have had their turn.
            match wall.first_at(local)? {
                instant if instant > after => break instant,
                _ => {}
            }
        };
        if !grid.names_every_hour() {
            return Some(next);
        }
        let repeated = wall.second_pass(after).and_then(|pass| {
            let mut local = pass.after;
            loop {
                local = self.next_local(grid, local).filter(|local| *local <= pass.until)?;
                match wall.second_at(local) {
                    Some(instant) if instant > after => return Some(instant),
                    _ => {}
                }
            }
        });
        Some(repeated.map_or(next, |repeated| repeated.min(next)))
    }

    /// The next date and time on a clock that never changes, strictly after `local`.
    fn next_local(&self, grid: Grid, local: NaiveDateTime) -> Option<NaiveDateTime> {
        if self.has_date(local.date())
            && let Some(time) = grid.next_after(local.time())
        {
            return Some(local.date().and_time(time));
        }
        let date = self.next_date(local.date().succ_opt()?)?;
        Some(date.and_time(grid.first()?))
    }

    /// The first date from `from` on that this schedule names; the search is bounded.
    fn next_date(&self, from: NaiveDate) -> Option<NaiveDate> {
        first_date(from, |month| self.has_month(month), |date| self.has_date(date))
    }

    /// Whether dates of this month can be named at all; a quick answer before each day is asked.
    fn has_month(&self, month: u32) -> bool {
        match self {
            Schedule::Monthly(monthly) => monthly.has_month(month),
            Schedule::Cron(cron) => cron.has_month(month),
            Schedule::Once(_) | Schedule::Daily(_) | Schedule::Weekly(_) | Schedule::Every(_) => true,
        }
    }

    /// Whether this schedule names the local date. The rules of business days will stand behind this one question.
    fn has_date(&self, date: NaiveDate) -> bool {
        match self {
            Schedule::Once(at) => at.local().date() == date,
            Schedule::Daily(_) | Schedule::Every(_) => true,
            Schedule::Weekly(weekly) => weekly.has_date(date),
            Schedule::Monthly(monthly) => monthly.has_date(date),
            Schedule::Cron(cron) => cron.has_date(date),
        }
    }
}

/// The first date from `from` on whose month and day are wanted, if one comes within [`SEARCH_DAYS`].
fn first_date(from: NaiveDate, month: impl Fn(u32) -> bool, day: impl Fn(NaiveDate) -> bool) -> Option<NaiveDate> {
    let end = from.checked_add_days(Days::new(SEARCH_DAYS))?;
    let mut date = from;
    while date <= end {
        if !month(date.month()) {
            date = date.with_day(1)?.checked_add_months(chrono::Months::new(1))?;
            continue;
        }
        if day(date) {
            return Some(date);
        }
        date = date.succ_opt()?;
    }
    None
}

/// The slots of a schedule in a span of time, in order; from [`Schedule::slots_between`].
#[derive(Debug, Clone)]
pub struct Slots<'a> {
    schedule: &'a Schedule,
    zone: Tz,
    last: DateTime<Utc>,
    to: DateTime<Utc>,
}

impl Iterator for Slots<'_> {
    type Item = DateTime<Utc>;

    fn next(&mut self) -> Option<DateTime<Utc>> {
        if self.last >= self.to {
            return None;
        }
        match self.schedule.next_after(self.zone, self.last) {
            Some(slot) if slot <= self.to => {
                self.last = slot;
                Some(slot)
            }
            _ => {
                self.last = self.to;
                None
            }
        }
    }
}
