//! A company's own days: which days of the week it rests, whether public holidays are worked, on which further days it
//! is closed (年末年始, 夏季休業), and on which it works although they would be closed. [`CalendarForm`] is what a
//! person writes, [`CompanyDays`] is checked.

use crate::domain::fault::{Checked, Fault, settle};
use chrono::{Datelike, NaiveDate, Weekday};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The longest span of dates that one line may name, in days.
const LONGEST_SPAN: i64 = 366;

/// What a closed day is called that nobody gave a name.
const NAMELESS: &str = "休業日";

/// The company's days as a person writes them; see the settings reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarForm {
    /// The days of the week on which nobody works; Saturday and Sunday where absent, none where empty.
    #[serde(default = "saturday_and_sunday", with = "days_of_the_week")]
    pub weekend: Vec<Weekday>,
    /// Whether public holidays are closed days.
    #[serde(default = "yes")]
    pub public_holidays: bool,
    /// Further days on which the company is closed.
    #[serde(default)]
    pub closed: Vec<DaysForm>,
    /// Days on which it works, whatever else would close them.
    #[serde(default)]
    pub working: Vec<DaysForm>,
}

impl Default for CalendarForm {
    fn default() -> Self {
        Self { weekend: saturday_and_sunday(), public_holidays: true, closed: Vec::new(), working: Vec::new() }
    }
}

fn yes() -> bool {
    true
}

fn saturday_and_sunday() -> Vec<Weekday> {
    vec![Weekday::Sat, Weekday::Sun]
}

/// One day, or the days from one to another, both included; with a name for lists.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DaysForm {
    /// One day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Day>,
    /// The first of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Day>,
    /// The last of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Day>,
    /// What it is, such as 年末年始.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A date, or a day that comes every year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    /// `2026-08-14`
    Date(NaiveDate),
    /// `12-29`, month and day; 29 February comes in leap years.
    Yearly(u32, u32),
}

/// What is no day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DayError {
    /// Not in one of the two forms.
    #[error("{0:?} is no day: write a date such as 2026-08-14, or 12-29 for every year")]
    Form(String),
    /// A date that does not exist.
    #[error("{0} does not exist: write a date that comes")]
    NoSuchDay(String),
}

impl Day {
    /// Reads `2026-08-14` or `12-29`.
    pub fn parse(text: &str) -> Result<Day, DayError> {
        let text = text.trim();
        let form = || DayError::Form(text.chars().take(40).collect());
        let number = |part: &str, digits: std::ops::RangeInclusive<usize>| {
            let good = digits.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<u32>().ok().filter(|_| good)
        };
        let parts: Vec<&str> = text.split('-').collect();
        let (year, month, day) = match parts.as_slice() {
            [year, month, day] => (Some(number(year, 4..=4).ok_or_else(form)?), *month, *day),
            [month, day] => (None, *month, *day),
            _ => return Err(form()),
        };
        let (month, day) = (number(month, 1..=2).ok_or_else(form)?, number(day, 1..=2).ok_or_else(form)?);
        // A leap year stands for every year.
        let date = NaiveDate::from_ymd_opt(year.map_or(2000, |year| year as i32), month, day);
        let date = date.ok_or_else(|| DayError::NoSuchDay(text.to_owned()))?;
        Ok(if year.is_some() { Day::Date(date) } else { Day::Yearly(month, day) })
    }
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Day::Date(date) => write!(out, "{date}"),
            Day::Yearly(month, day) => write!(out, "{month:02}-{day:02}"),
        }
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Day::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// `[sat, sun]`
mod days_of_the_week {
    use super::{Deserialize, Deserializer, Serializer, Weekday, de};
    use serde::ser::SerializeSeq;

    pub(super) fn serialize<S: Serializer>(days: &[Weekday], serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(days.len()))?;
        for day in days {
            list.serialize_element(&day.to_string().to_lowercase())?;
        }
        list.end()
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Weekday>, D::Error> {
        let words = Vec::<String>::deserialize(deserializer)?;
        let day = |word: String| word.parse().map_err(|_| de::Error::custom(format!("{word} is no day of the week")));
        words.into_iter().map(day).collect()
    }
}

/// A company's checked days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "CalendarForm", into = "CalendarForm")]
pub struct CompanyDays {
    form: CalendarForm,
    closed: Days<String>,
    working: Days<()>,
}

/// Days with what is known of each.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Days<T> {
    dates: BTreeMap<NaiveDate, T>,
    yearly: BTreeMap<(u32, u32), T>,
}

impl<T> Default for Days<T> {
    fn default() -> Self {
        Self { dates: BTreeMap::new(), yearly: BTreeMap::new() }
    }
}

/// What a company says of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word<'c> {
    Working,
    Closed(&'c str),
}

impl CompanyDays {
    /// Checks a form and says every fault at once.
    pub fn check(form: CalendarForm) -> Checked<Self> {
        let mut faults = Vec::new();
        if form.weekend.iter().map(|day| day.num_days_from_monday()).collect::<BTreeSet<_>>().len() == 7 {
            let fix = "leave at least one day of the week to be worked";
            faults.push(Fault::error(&["weekend"], "no day of the week would be a business day", fix));
        }
        let mut closed = Days::<String>::default();
        for (index, days) in form.closed.iter().enumerate() {
            let name = days.name.as_deref().map(str::trim).filter(|name| !name.is_empty()).unwrap_or(NAMELESS);
            if name.chars().any(char::is_control) {
                let what = "the name holds a control character";
                faults.push(Fault::error(&["closed", &index.to_string(), "name"], what, "write it in one line"));
            }
            match days.each() {
                Ok(each) => each.into_iter().for_each(|day| closed.insert(day, name.to_owned())),
                Err(fault) => faults.push(fault.under(&index.to_string()).under("closed")),
            }
        }
        let mut working = Days::<()>::default();
        for (index, days) in form.working.iter().enumerate() {
            match days.each() {
                Ok(each) => {
                    if let Some(day) = each.iter().find(|day| closed.has(**day)) {
                        let what = format!("{day} is listed as closed and as a working day");
                        let fix = "take it out of one of the two lists";
                        faults.push(Fault::error(&["working", &index.to_string()], what, fix));
                    }
                    each.into_iter().for_each(|day| working.insert(day, ()));
                }
                Err(fault) => faults.push(fault.under(&index.to_string()).under("working")),
            }
        }
        settle(Self { form, closed, working }, faults)
    }

    /// Everything as written.
    #[must_use]
    pub fn form(&self) -> &CalendarForm {
        &self.form
    }

    /// What the company itself says of a date. A date goes before a day of every year.
    pub(super) fn says(&self, date: NaiveDate) -> Option<Word<'_>> {
        let yearly = (date.month(), date.day());
        if self.working.dates.contains_key(&date) {
            return Some(Word::Working);
        }
        if let Some(name) = self.closed.dates.get(&date) {
            return Some(Word::Closed(name));
        }
        if self.working.yearly.contains_key(&yearly) {
            return Some(Word::Working);
        }
        self.closed.yearly.get(&yearly).map(|name| Word::Closed(name))
    }

    pub(super) fn rests_on_holidays(&self) -> bool {
        self.form.public_holidays
    }

    pub(super) fn is_weekend(&self, day: Weekday) -> bool {
        self.form.weekend.contains(&day)
    }
}

impl TryFrom<CalendarForm> for CompanyDays {
    type Error = String;
    fn try_from(form: CalendarForm) -> Result<Self, String> {
        let told = |faults: Vec<Fault>| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        Self::check(form).map(|(days, _)| days).map_err(told)
    }
}

impl From<CompanyDays> for CalendarForm {
    fn from(days: CompanyDays) -> Self {
        days.form
    }
}

impl<T> Days<T> {
    fn insert(&mut self, day: Day, what: T) {
        match day {
            Day::Date(date) => drop(self.dates.insert(date, what)),
            Day::Yearly(month, day) => drop(self.yearly.insert((month, day), what)),
        }
    }

    fn has(&self, day: Day) -> bool {
        match day {
            Day::Date(date) => self.dates.contains_key(&date),
            Day::Yearly(month, day) => self.yearly.contains_key(&(month, day)),
        }
    }
}

impl DaysForm {
    /// Every day that the line names.
    fn each(&self) -> Result<Vec<Day>, Fault> {
        match (self.on, self.from, self.to) {
            (Some(on), None, None) => Ok(vec![on]),
            (None, Some(Day::Date(from)), Some(Day::Date(to))) => {
                let days = (to - from).num_days() + 1;
                if days < 1 {
                    let what = format!("{to} comes before {from}");
                    return Err(Fault::error(&["to"], what, "write the earlier date as from"));
                }
                if days > LONGEST_SPAN {
                    let what = format!("{from} to {to} is longer than a year");
                    return Err(Fault::error(&["to"], what, "write a line for each year, or days such as 12-29"));
                }
                Ok(from.iter_days().take_while(|date| *date <= to).map(Day::Date).collect())
            }
            (None, Some(Day::Yearly(..)), Some(Day::Yearly(..))) => Ok(self.yearly()),
            (None, Some(_), Some(_)) => {
                let fix = "write both with the year, or both without";
                Err(Fault::error(&["to"], "from names a year and to does not, or the other way round", fix))
            }
            (None, None, None) => Err(Fault::error(
                &[],
                "neither on nor from and to names a day",
                "write on: 2026-08-14, or from: 12-29 with to: 01-03",
            )),
            (Some(_), _, _) => {
                Err(Fault::error(&["on"], "on stands beside from or to", "write on for one day, or from and to"))
            }
            (None, None, Some(_)) => Err(Fault::error(&["to"], "to stands without from", "write on, or from and to")),
            (None, Some(_), None) => {
                Err(Fault::error(&["from"], "from stands without to", "write on for one day, or from and to"))
            }
        }
    }

    /// The days of a span that comes every year, over the new year where it ends before it starts.
    fn yearly(&self) -> Vec<Day> {
        let (Some(Day::Yearly(month, day)), Some(Day::Yearly(to_month, to_day))) = (self.from, self.to) else {
            return Vec::new();
        };
        // A span that reaches or passes the end of February meets that of the leap year 2000.
        let year = if (month, day) < (3, 1) { 2000 } else { 1999 };
        let start = NaiveDate::from_ymd_opt(year, month, day).into_iter();
        let mut days = Vec::new();
        for date in start.flat_map(|start| start.iter_days().take(366)) {
            days.push(Day::Yearly(date.month(), date.day()));
            if (date.month(), date.day()) == (to_month, to_day) {
                break;
            }
        }
        days
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(json: &str) -> Checked<CompanyDays> {
        CompanyDays::check(serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}")))
    }

    fn faults(json: &str) -> Vec<String> {
        checked(json).map(|_| Vec::new()).unwrap_or_else(|faults| faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn days_are_dates_or_come_every_year() {
        for (text, day) in [("2026-08-14", "2026-08-14"), ("12-29", "12-29"), (" 1-3 ", "01-03"), ("02-29", "02-29")] {
            assert_eq!(Day::parse(text).unwrap().to_string(), day);
        }
        for text in ["2026-02-29", "02-30", "13-01", "00-10"] {
            assert!(matches!(Day::parse(text), Err(DayError::NoSuchDay(_))), "{text}");
        }
        for text in ["", "mon", "2026", "2026/08/14", "26-08-14", "2026-08", "12--1", "+1-2", "2026-08-14-1"] {
            let error = Day::parse(text);
            assert!(matches!(error, Err(DayError::Form(_) | DayError::NoSuchDay(_))), "{text} {error:?}");
        }
    }

    #[test]
    fn a_span_of_every_year_goes_over_the_new_year_and_over_february() {
        let says = |days: &CompanyDays, date: &str| days.says(date.parse().unwrap()).is_some();
        let days = checked(r#"{ "closed": [ { "from": "12-29", "to": "01-03" } ] }"#).unwrap().0;
        let closed = ["2026-12-29", "2026-12-31", "2027-01-01", "2027-01-03"];
        assert!(closed.iter().all(|date| says(&days, date)));
        assert!(["2026-12-28", "2027-01-04"].iter().all(|date| !says(&days, date)));
        for span in [
            r#"{ "from": "02-20", "to": "03-05" }"#,
            r#"{ "from": "06-01", "to": "05-31" }"#,
            r#"{ "from": "03-01", "to": "02-29" }"#,
        ] {
            let days = checked(&format!(r#"{{ "closed": [ {span} ] }}"#)).unwrap().0;
            assert!(says(&days, "2028-03-01") && says(&days, "2028-02-29") && says(&days, "2027-02-28"), "{span}");
        }
    }

    #[test]
    fn a_date_goes_before_a_day_of_every_year() {
        let json = r#"{ "closed": [ { "from": "12-29", "to": "01-03" }, { "on": "2027-11-03", "name": "休" } ],
                        "working": [ { "on": "2026-12-29" }, { "on": "11-03" } ] }"#;
        let days = checked(json).unwrap().0;
        let says = |date: &str| days.says(date.parse().unwrap());
        assert_eq!(says("2026-12-29"), Some(Word::Working));
        assert_eq!(says("2027-12-29"), Some(Word::Closed(NAMELESS)));
        assert_eq!(says("2026-11-03"), Some(Word::Working));
        assert_eq!(says("2027-11-03"), Some(Word::Closed("休")));
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_place_and_its_fix() {
        for (json, words) in [
            (r#"{ "weekend": ["mon","tue","wed","thu","fri","sat","sun"] }"#, "weekend: no day of the week"),
            (r#"{ "closed": [ {} ] }"#, "closed.0: neither on nor from and to names a day"),
            (r#"{ "closed": [ { "on": "12-29", "to": "01-03" } ] }"#, "closed.0.on: on stands beside"),
            (r#"{ "closed": [ { "from": "12-29" } ] }"#, "closed.0.from: from stands without to"),
            (r#"{ "working": [ { "to": "12-29" } ] }"#, "working.0.to: to stands without from"),
            (r#"{ "closed": [ { "from": "2026-12-29", "to": "01-03" } ] }"#, "write both with the year"),
            (r#"{ "closed": [ { "from": "2027-01-03", "to": "2026-12-29" } ] }"#, "2026-12-29 comes before"),
            (r#"{ "closed": [ { "from": "2026-01-01", "to": "2027-12-31" } ] }"#, "longer than a year"),
            (r#"{ "closed": [ { "on": "2026-11-28", "name": "a\nb" } ] }"#, "closed.0.name: the name holds"),
            (
                r#"{ "closed": [ { "from": "2026-11-26", "to": "2026-11-29" } ], "working": [ { "on": "2026-11-28" } ] }"#,
                "working.0: 2026-11-28 is listed as closed and as a working day",
            ),
        ] {
            let faults = faults(json);
            assert!(faults.len() == 1 && faults[0].contains(words), "{json}: {faults:?}");
        }
    }

    #[test]
    fn what_was_checked_is_written_again() {
        let json = r#"{"weekend":["sun"],"public_holidays":false,"closed":[{"from":"12-29","to":"01-03","name":"年末年始"}],"working":[{"on":"2026-11-28"}]}"#;
        let days: CompanyDays = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&days).unwrap(), json);
        assert_eq!(serde_json::from_str::<CompanyDays>("{}").unwrap(), CompanyDays::default());
    }
}
