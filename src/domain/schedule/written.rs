//! A schedule as settings write it, before it is checked; and a checked one written again.

use std::fmt;

use chrono::{Datelike, NaiveDate, NaiveDateTime};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{
    CronRule, DayOfMonth, Every, Kind, Monthly, Nth, OnceAt, Schedule, ScheduleError, ScheduleFault as Fault,
    TimeOfDay, Weekly,
    error::At,
    time_of_day::{read_time, shown, write_time},
    weekly::day_name,
};
use crate::domain::calendar::BusinessDay;

/// A schedule as written: any mapping with the known keys. [`Schedule::try_from`] checks it.
///
/// Whoever wants the place of a fault reads this first and converts it: serde alone keeps the words of a
/// [`ScheduleError`], not its path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a schedule: one of once, daily, weekly, monthly, every or cron, such as { daily: \"06:00\" }"
)]
pub struct WrittenSchedule {
    /// A local date and time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub once: Option<Scalar>,
    /// A time of the day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily: Option<Scalar>,
    /// Days of the week and a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weekly: Option<WrittenWeekly>,
    /// A day of the month, a time, and months.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monthly: Option<WrittenMonthly>,
    /// A step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<Scalar>,
    /// The part of the day for `every`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub between: Option<Scalar>,
    /// A crontab pattern.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cron: Option<Scalar>,
    /// What becomes of a date that is no business day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub business_day: Option<Scalar>,
}

/// `{ on: [mon, thu], at: "06:00" }`, as written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "days and a time, such as { on: [mon, thu], at: \"06:00\" }")]
pub struct WrittenWeekly {
    /// Days of the week.
    pub on: Option<OneOrMany>,
    /// A time of the day.
    pub at: Option<Scalar>,
}

/// `{ day: last, at: "23:30", months: [4, 10] }`, as written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a day and a time, such as { day: last, at: \"23:30\" }")]
pub struct WrittenMonthly {
    /// A day of the month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<Scalar>,
    /// A business day of the month, counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nth_business_day: Option<Scalar>,
    /// Stands one level further out; here it is refused with the way to mend it.
    #[serde(skip_serializing)]
    pub business_day: Option<Scalar>,
    /// A time of the day.
    pub at: Option<Scalar>,
    /// Months; all when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub months: Option<OneOrMany>,
}

/// A single value as written: YAML reads `15` as a number and `15m` as a text, people do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// A whole number.
    Number(i64),
    /// Anything else.
    Text(String),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Number(number) => number.fmt(f),
            Scalar::Text(text) => text.fmt(f),
        }
    }
}

impl Serialize for Scalar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Scalar::Number(number) => serializer.serialize_i64(*number),
            Scalar::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;

        impl de::Visitor<'_> for Written {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a single value")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(text.to_owned()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar::Number(number))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Scalar, E> {
                Ok(i64::try_from(number).map_or_else(|_| Scalar::Text(number.to_string()), Scalar::Number))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Scalar, E> {
                Ok(Scalar::Text(number.to_string()))
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar::Text(value.to_string()))
            }
        }

        deserializer.deserialize_any(Written)
    }
}

/// A list, or a single value that stands for a list of one; written again as a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct OneOrMany(Vec<Scalar>);

impl OneOrMany {
    /// The values in the order in which they were written.
    pub fn as_slice(&self) -> &[Scalar] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;

        impl<'de> de::Visitor<'de> for Written {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element()? {
                    values.push(value);
                }
                Ok(OneOrMany(values))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany(vec![Scalar::Text(text.to_owned())]))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<OneOrMany, E> {
                Ok(OneOrMany(vec![Scalar::Number(number)]))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<OneOrMany, E> {
                Ok(OneOrMany(vec![Scalar::Text(number.to_string())]))
            }
        }

        deserializer.deserialize_any(Written)
    }
}

impl TryFrom<WrittenSchedule> for Schedule {
    type Error = ScheduleError;

    fn try_from(written: WrittenSchedule) -> Result<Schedule, ScheduleError> {
        let WrittenSchedule { once, daily, weekly, monthly, every, between, cron, business_day } = written;
        let kinds: Vec<&'static str> = [
            ("once", once.is_some()),
            ("daily", daily.is_some()),
            ("weekly", weekly.is_some()),
            ("monthly", monthly.is_some()),
            ("every", every.is_some()),
            ("cron", cron.is_some()),
        ]
        .into_iter()
        .filter_map(|(kind, written)| written.then_some(kind))
        .collect();
        if kinds.len() > 1 {
            return Err(Fault::SeveralKinds(kinds).at(""));
        }
        if between.is_some() && every.is_none() {
            return Err(Fault::BetweenAlone.at("between"));
        }
        let kind = if let Some(once) = once {
            Kind::Once(read_once(&once.to_string()).map_err(|fault| fault.at("once"))?)
        } else if let Some(daily) = daily {
            Kind::Daily(TimeOfDay::parse(&daily.to_string()).map_err(|fault| fault.at("daily"))?)
        } else if let Some(weekly) = weekly {
            Kind::Weekly(Weekly::read(weekly)?)
        } else if let Some(monthly) = monthly {
            Kind::Monthly(Monthly::read(monthly)?)
        } else if let Some(every) = every {
            let between = between.map(|between| between.to_string());
            Kind::Every(Every::read(&every.to_string(), between.as_deref())?)
        } else if let Some(cron) = cron {
            Kind::Cron(CronRule::parse(&cron.to_string()).map_err(|fault| fault.at("cron"))?)
        } else {
            return Err(Fault::NoKind.at(""));
        };
        let rule = business_day.map(|rule| read_rule(&rule.to_string(), &kind)).transpose();
        let business_day = rule.map_err(|fault| fault.at("business_day"))?;
        Ok(Schedule { kind, business_day })
    }
}

/// Reads a rule for closed days that the kind can have.
fn read_rule(text: &str, kind: &Kind) -> Result<BusinessDay, Fault> {
    let rule = RULES.iter().find(|(word, _)| *word == text.trim());
    let rule = rule.ok_or_else(|| Fault::BusinessDay(shown(text)))?.1;
    match kind {
        Kind::Once(_) => Err(Fault::OnceIsMeant),
        Kind::Monthly(monthly) if monthly.asks_calendar() => Err(Fault::NeverClosed),
        Kind::Daily(_) if rule != BusinessDay::Only => Err(Fault::NothingMoves("daily")),
        Kind::Every(_) if rule != BusinessDay::Only => Err(Fault::NothingMoves("every")),
        _ => Ok(rule),
    }
}

const RULES: [(&str, BusinessDay); 3] =
    [("only", BusinessDay::Only), ("previous", BusinessDay::Previous), ("next", BusinessDay::Next)];

impl From<Schedule> for WrittenSchedule {
    fn from(schedule: Schedule) -> WrittenSchedule {
        let text = |value: &dyn fmt::Display| Some(Scalar::Text(value.to_string()));
        let rule = schedule.business_day.and_then(|rule| RULES.iter().find(|(_, known)| *known == rule));
        let mut written =
            WrittenSchedule { business_day: rule.and_then(|(word, _)| text(word)), ..WrittenSchedule::default() };
        match schedule.kind {
            Kind::Once(at) => written.once = text(&at),
            Kind::Daily(at) => written.daily = text(&at),
            Kind::Weekly(weekly) => {
                let days = weekly.days().map(|day| Scalar::Text(day_name(day).to_owned())).collect();
                written.weekly = Some(WrittenWeekly { on: Some(OneOrMany(days)), at: text(&weekly.at()) });
            }
            Kind::Monthly(monthly) => {
                let last = || Scalar::Text("last".to_owned());
                let (day, nth_business_day) = match monthly.day() {
                    DayOfMonth::Number(day) => (Some(Scalar::Number(i64::from(day))), None),
                    DayOfMonth::Last => (Some(last()), None),
                    DayOfMonth::Business(Nth::Number(n)) => (None, Some(Scalar::Number(i64::from(n)))),
                    DayOfMonth::Business(Nth::Last) => (None, Some(last())),
                };
                let months = monthly.months().map(|months| {
                    OneOrMany(months.into_iter().map(|month| Scalar::Number(i64::from(month))).collect())
                });
                written.monthly =
                    Some(WrittenMonthly { day, nth_business_day, business_day: None, at: text(&monthly.at()), months });
            }
            Kind::Every(every) => {
                written.every = text(&every.step());
                written.between = every.between().and_then(|window| text(&window));
            }
            Kind::Cron(cron) => written.cron = text(&cron.as_str()),
        }
        written
    }
}

impl fmt::Display for OnceAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T", self.local().date())?;
        write_time(f, self.local().time())
    }
}

/// Reads `2026-12-01T06:00`, with a blank for the T, with seconds.
fn read_once(text: &str) -> Result<OnceAt, Fault> {
    let text = text.trim();
    let malformed = || Fault::DateTime(shown(text));
    let (date, time) = text.split_once(['T', 't', ' ']).ok_or_else(malformed)?;
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return Err(malformed());
    };
    let number = |part: &str, digits: usize| {
        let well_formed = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        well_formed.then(|| part.parse::<u32>().ok())?
    };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2)) else {
        return Err(malformed());
    };
    if time.ends_with(['Z', 'z']) || time.contains(['+', '-']) {
        return Err(Fault::Offset(shown(text)));
    }
    let date = i32::try_from(year).ok().and_then(|year| NaiveDate::from_ymd_opt(year, month, day));
    let date = date.ok_or_else(|| Fault::Date(shown(text)))?;
    if !(1970..=9998).contains(&date.year()) {
        return Err(Fault::Year(shown(text)));
    }
    let time = read_time(time.trim()).ok_or_else(malformed)?;
    Ok(OnceAt(NaiveDateTime::new(date, time)))
}
