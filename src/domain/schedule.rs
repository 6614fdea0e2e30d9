//! When a timer runs: from what settings say to a checked [`Schedule`] that yields time slots.
//!
//! A schedule is pure. It reads no clock, knows no missed slots, and starts nothing: it is asked for the next slot
//! ([`Schedule::next_after`]) and whether a slot falls on a closed day ([`Schedule::closed`]). Which days are worked
//! the [`Calendar`] says. A schedule whose day never comes cannot be held; it is refused when it is read.
//!
//! ## Written forms
//!
//! | written | runs |
//! |---|---|
//! | `once: "2026-12-01T06:00"` | one time |
//! | `daily: "06:00"` | every day |
//! | `weekly: { on: [mon, thu], at: "06:00" }` | on these days of the week |
//! | `monthly: { day: 25, at: "23:30", months: [4, 10] }` | on this day of each month (or of these months); `day: last` is the month's last |
//! | `monthly: { nth_business_day: 3, at: "06:00" }` | on the third business day of each month; `last` is 月末営業日 |
//! | `every: 15m`, with or without `between: "08:00-20:00"` | in steps from the start of the window, or of the day |
//! | `cron: "0 6 * * 1-5"` | as in crontab: 5 fields, or 6 with seconds first |
//!
//! Times are local times of the timer's zone: `06:00`, or `06:00:30`.
//!
//! ## Business days
//!
//! `business_day` beside the kind says what becomes of a date that is no business day. With `only` its slots stay slots
//! and are skipped with the reason `closed-day`, so that the ledger says why nothing ran; with `previous` and `next` the
//! date moves, its slot is the one of the business day, and dates that move onto each other, or onto one that is named
//! anyway, are one slot. The rule belongs to the dates that a schedule names: `daily` and `every` take `only` (each
//! business day has its slots already), `once` and `nth_business_day` take none. `months` means the date before it
//! moves: the 31st of March may run in April. A slot lies on the date that the local clock shows; one of a window over
//! midnight on the date on which the window starts.
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
mod dates;
mod describe;
mod error;
mod every;
mod grid;
mod monthly;
mod time_of_day;
mod wall;
mod weekly;
mod written;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

pub use self::{
    cron::CronRule,
    error::{ScheduleError, ScheduleFault, ScheduleWarning},
    every::Every,
    monthly::{DayOfMonth, Monthly, Nth},
    time_of_day::{TimeOfDay, Window},
    weekly::Weekly,
    written::{OneOrMany, Scalar, WrittenMonthly, WrittenSchedule, WrittenWeekly},
};
use self::{dates::Dates, grid::Grid, wall::Wall};
use super::calendar::{BusinessDay, Calendar, Closed};

/// How far a search for a date goes. The calendar repeats after 400 years, but no day that comes at all keeps one
/// waiting longer than 40 (29 February on a given day of the week, over a year such as 2100).
const SEARCH_DAYS: u64 = 41 * 366;

/// When a timer runs, checked: every part is possible, and its day comes.
///
/// It is read from, and written as, the forms above; other keys are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenSchedule", into = "WrittenSchedule")]
pub struct Schedule {
    kind: Kind,
    business_day: Option<BusinessDay>,
}

/// The kinds of schedules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
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

impl From<Kind> for Schedule {
    /// Without regard to business days.
    fn from(kind: Kind) -> Schedule {
        Schedule { kind, business_day: None }
    }
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
    /// The kind.
    #[must_use]
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// What becomes of a date that is no business day; `None`: nothing.
    #[must_use]
    pub fn business_day(&self) -> Option<BusinessDay> {
        self.business_day
    }

    /// Whether slots depend on which days are worked.
    #[must_use]
    pub fn asks_calendar(&self) -> bool {
        self.business_day.is_some() || matches!(&self.kind, Kind::Monthly(monthly) if monthly.asks_calendar())
    }

    /// The first slot strictly after `after`, in whole seconds, or `None` when none comes any more. With
    /// `business_day: only` it may be one that is skipped: [`Schedule::closed`] says so.
    ///
    /// Instants outside the years 1900 to 9998 are outside this promise: slots before 1900 are not told, and after 9998
    /// there are none.
    #[must_use]
    pub fn next_after(&self, zone: Tz, calendar: &Calendar, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let wall = Wall::of(zone);
        let after = wall::usable(after)?;
        let dates = Dates { schedule: self, calendar };
        let next = match &self.kind {
            Kind::Once(at) => wall.first_at(at.local()),
            Kind::Daily(at) => dates.next_slot(Grid::at(*at), wall, after),
            Kind::Weekly(weekly) => dates.next_slot(Grid::at(weekly.at()), wall, after),
            Kind::Monthly(monthly) => dates.next_slot(Grid::at(monthly.at()), wall, after),
            Kind::Every(every) => every.next_after(wall, after),
            Kind::Cron(cron) => dates.next_slot(cron.grid(), wall, after),
        };
        debug_assert!(
            matches!(self.kind, Kind::Once(_)) || next.is_none_or(|next| next > after),
            "{self:?} went back from {after} to {next:?}"
        );
        // A loop that asks for the slot after the slot must move on, whatever happens above.
        next.filter(|next| *next > after && next.timestamp_subsec_nanos() == 0)
    }

    /// Why a slot of this schedule is skipped: it lies on a closed day, and `business_day: only` holds. `None` where
    /// the slot is kept.
    #[must_use]
    pub fn closed<'c>(&self, zone: Tz, calendar: &'c Calendar, slot: DateTime<Utc>) -> Option<Closed<'c>> {
        if self.business_day != Some(BusinessDay::Only) {
            return None;
        }
        calendar.closed_on(self.date_of(zone, slot)?)
    }

    /// The first slot strictly after `after` that is not skipped for a closed day; bounded as the search for a date is.
    #[must_use]
    pub fn next_kept_after(&self, zone: Tz, calendar: &Calendar, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut at = after;
        // Within a year and a day there is a business day, or none at all; the rarest cron date may fall on a Sunday
        // a few times.
        let end = after.checked_add_days(Days::new(SEARCH_DAYS))?;
        loop {
            at = self.next_after(zone, calendar, at).filter(|slot| *slot <= end)?;
            if self.closed(zone, calendar, at).is_none() {
                return Some(at);
            }
            if let Kind::Every(_) = self.kind {
                // Thousands of slots may lie in a closed day: go on at the next date.
                at = self.last_before_next_date(zone, at)?.max(at);
            }
        }
    }

    /// The slots after `from_exclusive` up to and including `to_inclusive`, in order, each once, skipped ones included.
    #[must_use]
    pub fn slots_between<'s>(
        &'s self,
        zone: Tz,
        calendar: &'s Calendar,
        from_exclusive: DateTime<Utc>,
        to_inclusive: DateTime<Utc>,
    ) -> Slots<'s> {
        Slots { schedule: self, zone, calendar, last: from_exclusive, to: to_inclusive }
    }

    /// What is allowed, and likely not what was meant.
    #[must_use]
    pub fn warnings(&self) -> Vec<ScheduleWarning> {
        match &self.kind {
            Kind::Monthly(monthly) => monthly.warning().into_iter().collect(),
            Kind::Every(every) => every.warning().into_iter().collect(),
            Kind::Cron(cron) => cron.warning().into_iter().collect(),
            Kind::Once(_) | Kind::Daily(_) | Kind::Weekly(_) => Vec::new(),
        }
    }

    /// The dates from `from` to `to` that this schedule names and that move, with the business day to which they go;
    /// `None` in its place where a year has none.
    #[must_use]
    pub fn moved(&self, calendar: &Calendar, from: NaiveDate, to: NaiveDate) -> Vec<(NaiveDate, Option<NaiveDate>)> {
        let Some(rule @ (BusinessDay::Previous | BusinessDay::Next)) = self.business_day else { return Vec::new() };
        let days = from.iter_days().take_while(|date| *date <= to);
        let closed = days.filter(|date| self.has_date(*date) && !calendar.is_business_day(*date));
        closed.map(|date| (date, calendar.shift(date, rule))).collect()
    }

    /// The date on which a slot lies; for a window over midnight the date on which the window starts.
    #[must_use]
    pub fn date_of(&self, zone: Tz, slot: DateTime<Utc>) -> Option<NaiveDate> {
        let wall = Wall::of(zone);
        match &self.kind {
            Kind::Every(every) => every.date_of(wall, slot),
            _ => Some(wall.local_at(slot).date()),
        }
    }

    /// The last instant before the windows of the date after a slot's begin.
    fn last_before_next_date(&self, zone: Tz, slot: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let Kind::Every(every) = &self.kind else { return Some(slot) };
        let wall = Wall::of(zone);
        Some(every.start_on(every.date_of(wall, slot)?.succ_opt()?, wall)? - TimeDelta::seconds(1))
    }

    /// Whether dates of this month can be named at all; a quick answer before each day is asked.
    fn has_month(&self, month: u32) -> bool {
        match &self.kind {
            Kind::Monthly(monthly) => monthly.has_month(month),
            Kind::Cron(cron) => cron.has_month(month),
            Kind::Once(_) | Kind::Daily(_) | Kind::Weekly(_) | Kind::Every(_) => true,
        }
    }

    /// Whether this schedule names the local date, business days aside.
    fn has_date(&self, date: NaiveDate) -> bool {
        match &self.kind {
            Kind::Once(at) => at.local().date() == date,
            Kind::Daily(_) | Kind::Every(_) => true,
            Kind::Weekly(weekly) => weekly.has_date(date),
            Kind::Monthly(monthly) => monthly.has_date(date),
            Kind::Cron(cron) => cron.has_date(date),
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
pub struct Slots<'s> {
    schedule: &'s Schedule,
    zone: Tz,
    calendar: &'s Calendar,
    last: DateTime<Utc>,
    to: DateTime<Utc>,
}

impl Iterator for Slots<'_> {
    type Item = DateTime<Utc>;

    fn next(&mut self) -> Option<DateTime<Utc>> {
        if self.last >= self.to {
            return None;
        }
        match self.schedule.next_after(self.zone, self.calendar, self.last) {
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
