//! A day of the month at a time, in every month or in some.

use chrono::{Datelike, NaiveDate};

use super::{
    ScheduleError, ScheduleFault as Fault, ScheduleWarning, TimeOfDay, WrittenMonthly, error::At, time_of_day::shown,
};
use crate::domain::calendar::Calendar;

const ALL_MONTHS: u16 = (1 << 12) - 1;

/// A day of the month: a number, the last, or a business day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayOfMonth {
    /// From 1 to 31; months without it are left out.
    Number(u8),
    /// The last day, whichever that is.
    Last,
    /// A business day of the month, counted.
    Business(Nth),
}

/// Which business day of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nth {
    /// From 1 to 31; months with fewer business days are left out.
    Number(u8),
    /// The last one (月末営業日).
    Last,
}

/// No ordinary month has fewer business days: May with its holidays and a bridge day or two.
const SURE_BUSINESS_DAYS: u8 = 16;

/// A day of the month, a time, and at least one month that can have the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Monthly {
    day: DayOfMonth,
    at: TimeOfDay,
    /// One bit a month, January first; never 0.
    months: u16,
}

impl Monthly {
    /// The day.
    pub fn day(self) -> DayOfMonth {
        self.day
    }

    /// The time on that day.
    pub fn at(self) -> TimeOfDay {
        self.at
    }

    /// The months, 1 to 12, or `None` for all of them.
    pub fn months(self) -> Option<Vec<u8>> {
        (self.months != ALL_MONTHS).then(|| (1..=12).filter(|month| self.has_month(u32::from(*month))).collect())
    }

    pub(super) fn has_month(self, month: u32) -> bool {
        (1..=12).contains(&month) && self.months & (1 << (month - 1)) != 0
    }

    pub(super) fn has_date(self, date: NaiveDate) -> bool {
        let day = match self.day {
            DayOfMonth::Number(day) => date.day() == u32::from(day),
            DayOfMonth::Last => date.succ_opt().is_none_or(|next| next.day() == 1),
            // Asked of the calendar instead: `date_in`.
            DayOfMonth::Business(_) => false,
        };
        day && self.has_month(date.month())
    }

    /// Whether the day is a business day, counted.
    pub(super) fn asks_calendar(self) -> bool {
        matches!(self.day, DayOfMonth::Business(_))
    }

    /// The counted business day of the month that begins with `first`, if the month is meant and has it.
    pub(super) fn date_in(self, first: NaiveDate, calendar: &Calendar) -> Option<NaiveDate> {
        let DayOfMonth::Business(nth) = self.day else { return None };
        if !self.has_month(first.month()) {
            return None;
        }
        match nth {
            Nth::Number(n) => calendar.nth_business_day(first.year(), first.month(), u32::from(n)),
            Nth::Last => calendar.last_business_day(first.year(), first.month()),
        }
    }

    pub(super) fn warning(self) -> Option<ScheduleWarning> {
        if let DayOfMonth::Business(Nth::Number(n)) = self.day {
            return (n > SURE_BUSINESS_DAYS).then_some(ScheduleWarning::FewBusinessDays { n });
        }
        let DayOfMonth::Number(day @ 29..) = self.day else {
            return None;
        };
        if self.months() == Some(vec![2]) {
            return Some(ScheduleWarning::LeapYearsOnly);
        }
        let short = (1..=12).any(|month| self.has_month(month) && least_days(month) < u32::from(day));
        short.then_some(ScheduleWarning::ShortMonths { day })
    }

    pub(super) fn read(written: WrittenMonthly) -> Result<Monthly, ScheduleError> {
        if written.business_day.is_some() {
            return Err(Fault::BusinessDayInside.at("monthly.business_day"));
        }
        let day = match (written.day, written.nth_business_day) {
            (Some(_), Some(_)) => return Err(Fault::TwoDays.at("monthly.nth_business_day")),
            (None, None) => return Err(Fault::Missing("1 to 31, or last").at("monthly.day")),
            (Some(day), None) => match day.to_string().trim() {
                "last" => DayOfMonth::Last,
                number => match number.parse() {
                    Ok(number @ 1..=31) => DayOfMonth::Number(number),
                    _ => return Err(Fault::DayOfMonth(shown(number)).at("monthly.day")),
                },
            },
            (None, Some(nth)) => match nth.to_string().trim() {
                "last" => DayOfMonth::Business(Nth::Last),
                number => match number.parse() {
                    Ok(number @ 1..=31) => DayOfMonth::Business(Nth::Number(number)),
                    _ => return Err(Fault::NthBusinessDay(shown(number)).at("monthly.nth_business_day")),
                },
            },
        };
        let at = written.at.ok_or(Fault::Missing("\"23:30\"").at("monthly.at"))?.to_string();
        let months = match written.months {
            None => ALL_MONTHS,
            Some(written) => {
                let mut months = 0;
                for month in written.as_slice() {
                    let text = month.to_string();
                    match text.trim().parse::<u8>() {
                        Ok(month @ 1..=12) => months |= 1 << (month - 1),
                        _ => return Err(Fault::Month(shown(&text)).at("monthly.months")),
                    }
                }
                if months == 0 {
                    return Err(Fault::EmptyList("[4, 10]").at("monthly.months"));
                }
                months
            }
        };
        let at = TimeOfDay::parse(&at).map_err(|fault| fault.at("monthly.at"))?;
        let monthly = Monthly { day, at, months };
        // Without a list of months short ones are left out; a month that was asked for by number has to come.
        if let (DayOfMonth::Number(day), Some(months)) = (day, monthly.months()) {
            let never: Vec<u8> =
                months.into_iter().filter(|month| most_days(u32::from(*month)) < u32::from(day)).collect();
            if !never.is_empty() {
                return Err(Fault::MonthWithoutDay { day, months: never }.at("monthly.months"));
            }
        }
        Ok(monthly)
    }
}

fn most_days(month: u32) -> u32 {
    match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn least_days(month: u32) -> u32 {
    if month == 2 { 28 } else { most_days(month) }
}
