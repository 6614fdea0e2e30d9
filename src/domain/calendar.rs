//! Which days are worked: weekends, Japan's public holidays and a company's own days; and what follows from that:
//! moving a date to a business day, the n-th and the last business day (月末営業日) of a month.
//!
//! A calendar is pure and knows dates only: no times, no zones, no schedules. It does not guess. Public holidays are
//! those of the official list where one was imported ([`official`]) and of the law as it stands elsewhere
//! ([`holidays`]); what a company adds or takes away is told to it ([`company`]).

pub mod company;
pub mod holidays;
pub mod official;

pub use company::{CalendarForm, CompanyDays};
pub use official::OfficialHolidays;

use chrono::{Datelike, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How far a date is moved at most, in days. No company rests for longer; a search in a calendar that has no business
/// day ends here.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed<'c> {
    /// A day of the week on which nobody works.
    Weekend(Weekday),
    /// A public holiday, by its Japanese name.
    Holiday(&'c str),
    /// A day on which the company is closed, by the name that was given to it.
    Company(&'c str),
}

impl fmt::Display for Closed<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Closed::Weekend(_) => out.write_str("weekend"),
            Closed::Holiday(name) | Closed::Company(name) => out.write_str(name),
        }
    }
}

/// The days that a company works.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calendar {
    company: CompanyDays,
    official: Option<OfficialHolidays>,
}

impl Calendar {
    /// Monday to Friday, without Japan's public holidays as the law has them.
    #[must_use]
    pub fn japanese() -> Calendar {
        Calendar::default()
    }

    /// A company's days; public holidays by the official list in the years that it covers.
    #[must_use]
    pub fn new(company: CompanyDays, official: Option<OfficialHolidays>) -> Calendar {
        Calendar { company, official }
    }

    /// The company's own part.
    #[must_use]
    pub fn company(&self) -> &CompanyDays {
        &self.company
    }

    /// The imported list of holidays.
    #[must_use]
    pub fn official(&self) -> Option<&OfficialHolidays> {
        self.official.as_ref()
    }

    /// Why a date is not worked; `None` for a business day. A company's own word goes before the law's, and the law's
    /// before the weekend's.
    #[must_use]
    pub fn closed_on(&self, date: NaiveDate) -> Option<Closed<'_>> {
        match self.company.says(date) {
            Some(company::Word::Working) => return None,
            Some(company::Word::Closed(name)) => return Some(Closed::Company(name)),
            None => {}
        }
        if self.company.rests_on_holidays()
            && let Some(name) = self.holiday(date)
        {
            return Some(Closed::Holiday(name));
        }
        self.company.is_weekend(date.weekday()).then(|| Closed::Weekend(date.weekday()))
    }

    /// The public holiday on a date, whatever the company makes of it.
    #[must_use]
    pub fn holiday(&self, date: NaiveDate) -> Option<&str> {
        match &self.official {
            Some(official) if official.covers(date.year()) => official.name(date),
            _ => holidays::holiday_name(date),
        }
    }

    /// Whether a date is worked.
    #[must_use]
    pub fn is_business_day(&self, date: NaiveDate) -> bool {
        self.closed_on(date).is_none()
    }

    /// The date itself when it is worked, or the first business day after it; `None` when a year has none.
    #[must_use]
    pub fn on_or_after(&self, date: NaiveDate) -> Option<NaiveDate> {
        date.iter_days().take(LONGEST_REST).find(|date| self.is_business_day(*date))
    }

    /// The date itself when it is worked, or the last business day before it; `None` when a year has none.
    #[must_use]
    pub fn on_or_before(&self, date: NaiveDate) -> Option<NaiveDate> {
        let back = std::iter::successors(Some(date), |date| date.pred_opt());
        back.take(LONGEST_REST).find(|date| self.is_business_day(*date))
    }

    /// The first of the closed days that stand without a gap right before a date; the date itself where the day before
    /// it is worked.
    pub(super) fn rest_before(&self, date: NaiveDate) -> NaiveDate {
        let back = std::iter::successors(date.pred_opt(), |date| date.pred_opt());
        back.take(LONGEST_REST).take_while(|date| !self.is_business_day(*date)).last().unwrap_or(date)
    }

    /// Where a date goes by a rule; `None` when it does not come.
    #[must_use]
    pub fn shift(&self, date: NaiveDate, rule: BusinessDay) -> Option<NaiveDate> {
        match rule {
            BusinessDay::Only => self.is_business_day(date).then_some(date),
            BusinessDay::Previous => self.on_or_before(date),
            BusinessDay::Next => self.on_or_after(date),
        }
    }

    /// The n-th business day of a month, counted from 1; `None` when the month has fewer.
    #[must_use]
    pub fn nth_business_day(&self, year: i32, month: u32, n: u32) -> Option<NaiveDate> {
        let skipped = usize::try_from(n.checked_sub(1)?).ok()?;
        let first = NaiveDate::from_ymd_opt(year, month, 1)?;
        let days = first.iter_days().take_while(|date| date.month() == month);
        days.filter(|date| self.is_business_day(*date)).nth(skipped)
    }

    /// The last business day of a month (月末営業日); `None` when the month has none.
    #[must_use]
    pub fn last_business_day(&self, year: i32, month: u32) -> Option<NaiveDate> {
        let first = NaiveDate::from_ymd_opt(year, month, 1)?;
        let last = first.checked_add_months(chrono::Months::new(1))?.pred_opt()?;
        self.on_or_before(last).filter(|date| *date >= first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// A company that rests over the new year and in August, and works on one Saturday.
    fn company() -> Calendar {
        let form = r#"{ "closed": [ { "from": "12-29", "to": "01-03", "name": "年末年始" },
                                    { "on": "2026-08-14", "name": "夏季休業" } ],
                        "working": [ { "on": "2026-11-28", "name": "棚卸" } ] }"#;
        Calendar::new(CompanyDays::check(serde_json::from_str(form).unwrap()).unwrap().0, None)
    }

    #[test]
    fn a_day_is_closed_for_a_reason() {
        let company = company();
        assert_eq!(company.closed_on(date("2026-11-24")), None);
        assert_eq!(company.closed_on(date("2026-11-23")), Some(Closed::Holiday("勤労感謝の日")));
        assert_eq!(company.closed_on(date("2026-11-21")), Some(Closed::Weekend(Weekday::Sat)));
        assert_eq!(company.closed_on(date("2026-11-28")), None);
        assert_eq!(company.closed_on(date("2026-08-14")), Some(Closed::Company("夏季休業")));
        assert_eq!(company.closed_on(date("2031-12-30")), Some(Closed::Company("年末年始")));
        assert_eq!(company.closed_on(date("2027-01-01")), Some(Closed::Company("年末年始")));
    }

    #[test]
    fn an_official_list_rules_in_its_years_alone() {
        let listed = [(date("2026-11-20"), "臨時の祝日".to_owned())];
        let calendar = Calendar::new(CompanyDays::default(), Some(OfficialHolidays::of(listed)));
        assert_eq!(calendar.closed_on(date("2026-11-20")), Some(Closed::Holiday("臨時の祝日")));
        assert_eq!(calendar.closed_on(date("2026-11-23")), None);
        assert_eq!(calendar.closed_on(date("2027-11-23")), Some(Closed::Holiday("勤労感謝の日")));
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
        assert_eq!(company.rest_before(date("2026-09-22")), date("2026-09-19"));
        assert_eq!(company.rest_before(date("2026-11-25")), date("2026-11-25"));
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
        let form = r#"{ "closed": [ { "from": "01-01", "to": "12-31" } ] }"#;
        let never = Calendar::new(CompanyDays::check(serde_json::from_str(form).unwrap()).unwrap().0, None);
        assert_eq!(never.shift(date("2026-11-24"), BusinessDay::Next), None);
        assert_eq!(never.shift(date("2026-11-24"), BusinessDay::Previous), None);
        assert_eq!(never.last_business_day(2026, 11), None);
        assert!(never.rest_before(date("2026-11-24")) < date("2026-01-01"));
    }
}
