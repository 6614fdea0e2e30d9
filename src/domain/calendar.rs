//! Which days are worked: weekends, Japan's public holidays and a company's own days; and what follows from that:
//! moving a date to a business day, the n-th and the last business day (月末営業日) of a month.
//!
//! A calendar is pure and knows dates only: no times, no zones, no schedules. It does not guess. Public holidays are
//! those of the law as it stands ([`holidays`]); what a company adds or takes away is told to it.

pub mod holidays;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

/// How far a date is moved at most, in days. No company rests for longer; a calendar without a business day (all seven
/// days closed) ends here.
const LONGEST_REST: usize = 366;

/// What becomes of a date that is no business day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BusinessDay {
    /// It does not come.
    Only,
    /// The business day before it comes in its place.
    Previous,
    /// The business day after it comes in its place.
    Next,
}

/// Why a day is not worked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// A day of the week on which nobody works.
    Weekend(Weekday),
    /// A public holiday, by its Japanese name.
    Holiday(&'static str),
    /// A day on which the company is closed, by the name that was given to it.
    Company(String),
}

/// The days that a company works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    weekend: BTreeSet<u8>,
    public_holidays: bool,
    closed: BTreeMap<NaiveDate, String>,
    closed_yearly: BTreeMap<(u32, u32), String>,
    working: BTreeSet<NaiveDate>,
}

/// What cannot be told to a calendar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// A date that is closed and worked at once.
    #[error("{0} is listed as closed and as a working day: take it out of one of the lists")]
    Both(NaiveDate),
    /// A day of the year that never comes.
    #[error("month {0} has no day {1}: write a date that comes each year")]
    NoSuchDay(u32, u32),
}

impl Calendar {
    /// Monday to Friday, without Japan's public holidays.
    pub fn japanese() -> Calendar {
        Calendar {
            weekend: [Weekday::Sat, Weekday::Sun].map(number).into(),
            public_holidays: true,
            closed: BTreeMap::new(),
            closed_yearly: BTreeMap::new(),
            working: BTreeSet::new(),
        }
    }

    /// The same calendar with other days of the week off; none at all is allowed.
    #[must_use]
    pub fn with_weekend(mut self, days: impl IntoIterator<Item = Weekday>) -> Calendar {
        self.weekend = days.into_iter().map(number).collect();
        self
    }

    /// The same calendar with public holidays worked like other days.
    #[must_use]
    pub fn without_public_holidays(mut self) -> Calendar {
        self.public_holidays = false;
        self
    }

    /// The same calendar with one more day on which the company is closed.
    pub fn with_closed(mut self, date: NaiveDate, name: impl Into<String>) -> Result<Calendar, CalendarError> {
        if self.working.contains(&date) {
            return Err(CalendarError::Both(date));
        }
        self.closed.insert(date, name.into());
        Ok(self)
    }

    /// The same calendar, closed on one more day of every year, such as 30 December (年末年始). 29 February is allowed.
    pub fn with_closed_yearly(
        mut self,
        month: u32,
        day: u32,
        name: impl Into<String>,
    ) -> Result<Calendar, CalendarError> {
        NaiveDate::from_ymd_opt(2000, month, day).ok_or(CalendarError::NoSuchDay(month, day))?;
        self.closed_yearly.insert((month, day), name.into());
        Ok(self)
    }

    /// The same calendar with one date that is worked whatever else would close it.
    pub fn with_working(mut self, date: NaiveDate) -> Result<Calendar, CalendarError> {
        if self.closed.contains_key(&date) {
            return Err(CalendarError::Both(date));
        }
        self.working.insert(date);
        Ok(self)
    }

    /// Why a date is not worked; `None` for a business day. A company's own word goes before the law's, and the law's
    /// before the weekend's.
    pub fn closed_on(&self, date: NaiveDate) -> Option<Closed> {
        if self.working.contains(&date) {
            return None;
        }
        let company = self.closed.get(&date).or_else(|| self.closed_yearly.get(&(date.month(), date.day())));
        if let Some(name) = company {
            return Some(Closed::Company(name.clone()));
        }
        if let Some(name) = holidays::holiday_name(date).filter(|_| self.public_holidays) {
            return Some(Closed::Holiday(name));
        }
        self.weekend.contains(&number(date.weekday())).then(|| Closed::Weekend(date.weekday()))
    }

    /// Whether a date is worked.
    pub fn is_business_day(&self, date: NaiveDate) -> bool {
        self.closed_on(date).is_none()
    }

    /// The date itself when it is worked, or the first business day after it; `None` when a year has none.
    pub fn on_or_after(&self, date: NaiveDate) -> Option<NaiveDate> {
        date.iter_days().take(LONGEST_REST).find(|date| self.is_business_day(*date))
    }

    /// The date itself when it is worked, or the last business day before it; `None` when a year has none.
    pub fn on_or_before(&self, date: NaiveDate) -> Option<NaiveDate> {
        let back = std::iter::successors(Some(date), |date| date.pred_opt());
        back.take(LONGEST_REST).find(|date| self.is_business_day(*date))
    }

    /// Where a date goes by a rule; `None` when it does not come.
    pub fn shift(&self, date: NaiveDate, rule: BusinessDay) -> Option<NaiveDate> {
        match rule {
            BusinessDay::Only => self.is_business_day(date).then_some(date),
            BusinessDay::Previous => self.on_or_before(date),
            BusinessDay::Next => self.on_or_after(date),
        }
    }

    /// The n-th business day of a month, counted from 1; `None` when the month has fewer.
    pub fn nth_business_day(&self, year: i32, month: u32, n: u32) -> Option<NaiveDate> {
        let skipped = usize::try_from(n.checked_sub(1)?).ok()?;
        let first = NaiveDate::from_ymd_opt(year, month, 1)?;
        let days = first.iter_days().take_while(|date| date.month() == month);
        days.filter(|date| self.is_business_day(*date)).nth(skipped)
    }

    /// The last business day of a month (月末営業日); `None` when the month has none.
    pub fn last_business_day(&self, year: i32, month: u32) -> Option<NaiveDate> {
        let first = NaiveDate::from_ymd_opt(year, month, 1)?;
        let last = first.checked_add_months(chrono::Months::new(1))?.pred_opt()?;
        self.on_or_before(last).filter(|date| *date >= first)
    }
}

fn number(day: Weekday) -> u8 {
    // Seven days fit.
    day.num_days_from_monday() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// A company that rests over the new year, and works on one Saturday.
    fn company() -> Calendar {
        let mut calendar = Calendar::japanese().with_working(date("2026-11-28")).unwrap();
        for (month, day) in [(12, 29), (12, 30), (12, 31), (1, 2), (1, 3)] {
            calendar = calendar.with_closed_yearly(month, day, "年末年始").unwrap();
        }
        calendar.with_closed(date("2026-08-14"), "夏季休業").unwrap()
    }

    #[test]
    fn a_day_is_closed_for_a_reason() {
        let company = company();
        assert_eq!(company.closed_on(date("2026-11-24")), None);
        assert_eq!(company.closed_on(date("2026-11-23")), Some(Closed::Holiday("勤労感謝の日")));
        assert_eq!(company.closed_on(date("2026-11-21")), Some(Closed::Weekend(Weekday::Sat)));
        assert_eq!(company.closed_on(date("2026-11-28")), None);
        assert_eq!(company.closed_on(date("2026-08-14")), Some(Closed::Company("夏季休業".to_owned())));
        assert_eq!(company.closed_on(date("2031-12-30")), Some(Closed::Company("年末年始".to_owned())));
        assert!(company.without_public_holidays().is_business_day(date("2026-11-23")));
    }

    #[test]
    fn a_date_moves_to_the_business_day_that_the_rule_names() {
        let company = company();
        let shift = |text, rule| company.shift(date(text), rule);
        // 31 December 2026 is a Thursday; the company works again on Monday, 4 January.
        assert_eq!(shift("2026-12-31", BusinessDay::Only), None);
        assert_eq!(shift("2026-12-31", BusinessDay::Previous), Some(date("2026-12-28")));
        assert_eq!(shift("2026-12-31", BusinessDay::Next), Some(date("2027-01-04")));
        // The silver week of 2026 is closed from Saturday the 19th to Wednesday the 23rd.
        assert_eq!(shift("2026-09-20", BusinessDay::Next), Some(date("2026-09-24")));
        assert_eq!(shift("2026-09-22", BusinessDay::Previous), Some(date("2026-09-18")));
        for rule in [BusinessDay::Only, BusinessDay::Previous, BusinessDay::Next] {
            assert_eq!(shift("2026-11-24", rule), Some(date("2026-11-24")));
        }
    }

    #[test]
    fn months_have_an_nth_and_a_last_business_day() {
        let company = company();
        assert_eq!(company.nth_business_day(2026, 5, 1), Some(date("2026-05-01")));
        assert_eq!(company.nth_business_day(2026, 5, 2), Some(date("2026-05-07")));
        assert_eq!(company.nth_business_day(2026, 5, 0), None);
        assert_eq!(company.nth_business_day(2026, 5, 30), None);
        assert_eq!(company.nth_business_day(2027, 1, 1), Some(date("2027-01-04")));
        assert_eq!(company.last_business_day(2026, 12), Some(date("2026-12-28")));
        assert_eq!(company.last_business_day(2026, 5), Some(date("2026-05-29")));
        assert_eq!(company.last_business_day(2026, 13), None);
    }

    #[test]
    fn a_calendar_without_a_business_day_ends_its_search() {
        use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
        let never = Calendar::japanese().with_weekend([Mon, Tue, Wed, Thu, Fri, Sat, Sun]);
        assert_eq!(never.shift(date("2026-11-24"), BusinessDay::Next), None);
        assert_eq!(never.shift(date("2026-11-24"), BusinessDay::Previous), None);
        assert_eq!(never.last_business_day(2026, 11), None);
    }

    #[test]
    fn a_day_cannot_be_closed_and_worked_and_has_to_exist() {
        let day = date("2026-11-28");
        assert_eq!(company().with_closed(day, "棚卸"), Err(CalendarError::Both(day)));
        let closed = date("2026-08-14");
        assert_eq!(company().with_working(closed), Err(CalendarError::Both(closed)));
        assert_eq!(company().with_closed_yearly(2, 30, "?"), Err(CalendarError::NoSuchDay(2, 30)));
    }
}
