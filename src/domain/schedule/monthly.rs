//! A day of the month at a time, in every month or in some.

use chrono::{Datelike, NaiveDate};

use super::{
    ScheduleError, ScheduleFault as Fault, ScheduleWarning, TimeOfDay, WrittenMonthly, error::At, time_of_day::shown,
};

const ALL_MONTHS: u16 = (1 << 12) - 1;

/// A day of the month: a number, or the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayOfMonth {
    /// From 1 to 31; months without it are left out.
    Number(u8),
    /// The last day, whichever that is.
    Last,
}

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
        };
        day && self.has_month(date.month())
    }

    pub(super) fn warning(self) -> Option<ScheduleWarning> {
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
        let day = written.day.ok_or(Fault::Missing("1 to 31, or last").at("monthly.day"))?.to_string();
        let at = written.at.ok_or(Fault::Missing("\"23:30\"").at("monthly.at"))?.to_string();
        let day = match day.trim() {
            "last" => DayOfMonth::Last,
            number => match number.parse() {
                Ok(number @ 1..=31) => DayOfMonth::Number(number),
                _ => return Err(Fault::DayOfMonth(shown(number)).at("monthly.day")),
            },
        };
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
