//! A schedule as settings write it, before it is checked; and a checked one written again.

use std::fmt;

use chrono::{Datelike, NaiveDate, NaiveDateTime};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{
    CronRule, DayOfMonth, Every, Monthly, OnceAt, Schedule, ScheduleError, ScheduleFault as Fault, TimeOfDay, Weekly,
    error::At,
    time_of_day::{read_time, shown, write_time},
    weekly::day_name,
};

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
    pub day: Option<Scalar>,
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
        let WrittenSchedule { once, daily, weekly, monthly, every, between, cron } = written;
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
        if let Some(once) = once {
            return read_once(&once.to_string()).map(Schedule::Once).map_err(|fault| fault.at("once"));
        }
        if let Some(daily) = daily {
            return TimeOfDay::parse(&daily.to_string()).map(Schedule::Daily).map_err(|fault| fault.at("daily"));
        }
        if let Some(weekly) = weekly {
            return Weekly::read(weekly).map(Schedule::Weekly);
        }
        if let Some(monthly) = monthly {
            return Monthly::read(monthly).map(Schedule::Monthly);
        }
        if let Some(every) = every {
            let between = between.map(|between| between.to_string());
            return Every::read(&every.to_string(), between.as_deref()).map(Schedule::Every);
        }
        if let Some(cron) = cron {
            return CronRule::parse(&cron.to_string()).map(Schedule::Cron).map_err(|fault| fault.at("cron"));
        }
        Err(Fault::NoKind.at(""))
    }
}

impl From<Schedule> for WrittenSchedule {
    fn from(schedule: Schedule) -> WrittenSchedule {
        let text = |value: &dyn fmt::Display| Some(Scalar::Text(value.to_string()));
        let mut written = WrittenSchedule::default();
        match schedule {
            Schedule::Once(at) => written.once = text(&at),
            Schedule::Daily(at) => written.daily = text(&at),
            Schedule::Weekly(weekly) => {
                let days = weekly.days().map(|day| Scalar::Text(day_name(day).to_owned())).collect();
                written.weekly = Some(WrittenWeekly { on: Some(OneOrMany(days)), at: text(&weekly.at()) });
            }
            Schedule::Monthly(monthly) => {
                let day = match monthly.day() {
                    DayOfMonth::Number(day) => Scalar::Number(i64::from(day)),
                    DayOfMonth::Last => Scalar::Text("last".to_owned()),
                };
                let months = monthly.months().map(|months| {
                    OneOrMany(months.into_iter().map(|month| Scalar::Number(i64::from(month))).collect())
                });
                written.monthly = Some(WrittenMonthly { day: Some(day), at: text(&monthly.at()), months });
            }
            Schedule::Every(every) => {
                written.every = text(&every.step());
                written.between = every.between().and_then(|window| text(&window));
            }
            Schedule::Cron(cron) => written.cron = text(&cron.as_str()),
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
