//! The rule of clock changes once more, as slowly and plainly as it can be said: walk through time minute by minute,
//! look at the clock on the wall, and write down what is due. Knows UTC → local time only, nothing of ours.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;

/// What is due, in the oracle's own words.
pub(super) enum Due {
    /// When the wall clock reaches such a time for the first time.
    Dated(fn(NaiveDateTime) -> bool),
    /// The same, and again whenever it shows such a time once more.
    Hourly(fn(NaiveDateTime) -> bool),
    /// Every so many minutes of elapsed time from one wall time to another; `None` is from midnight to midnight.
    Steps { minutes: i64, between: Option<(NaiveTime, NaiveTime)> },
}

pub(super) fn time(hour: u32, minute: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, minute, 0).unwrap()
}

pub(super) fn days_in_month(date: NaiveDate) -> u32 {
    (28..=31).rev().find(|day| date.with_day(*day).is_some()).unwrap()
}

/// One minute of real time: the instant, the wall times that the clock has reached with it for the first time (several
/// after a gap, none in a second pass), and what the clock shows.
pub(super) struct Minute {
    at: DateTime<Utc>,
    reached: Vec<NaiveDateTime>,
    shown: NaiveDateTime,
}

/// Walks from an instant on, minute by minute.
pub(super) fn walk(zone: Tz, from: DateTime<Utc>, minutes: i64) -> Vec<Minute> {
    let local = |at: DateTime<Utc>| at.with_timezone(&zone).naive_local();
    let mut latest = local(from - TimeDelta::minutes(1));
    (0..minutes)
        .map(|minute| {
            let at = from + TimeDelta::minutes(minute);
            let shown = local(at);
            let mut reached = Vec::new();
            while latest < shown {
                latest += TimeDelta::minutes(1);
                reached.push(latest);
            }
            Minute { at, reached, shown }
        })
        .collect()
}

impl Due {
    /// The slots of a walk, in order. The first day of a walk lacks what began before it.
    pub(super) fn slots(&self, walk: &[Minute]) -> BTreeSet<DateTime<Utc>> {
        match self {
            Due::Dated(due) => walk.iter().filter(|m| m.reached.iter().any(|w| due(*w))).map(|m| m.at).collect(),
            Due::Hourly(due) => {
                walk.iter().filter(|m| due(m.shown) || m.reached.iter().any(|w| due(*w))).map(|m| m.at).collect()
            }
            Due::Steps { minutes, between } => {
                let mut slots = BTreeSet::new();
                let mut start: Option<DateTime<Utc>> = None;
                let on_step = |start: Option<DateTime<Utc>>, at: DateTime<Utc>| {
                    start.is_some_and(|start| (at - start).num_minutes() % minutes == 0)
                };
                for minute in walk {
                    for wall in &minute.reached {
                        if between.is_some_and(|(_, end)| wall.time() == end) {
                            if on_step(start, minute.at) {
                                slots.insert(minute.at);
                            }
                            start = None;
                        }
                        if wall.time() == between.map_or(NaiveTime::MIN, |(start, _)| start) {
                            start = Some(minute.at);
                        }
                    }
                    if on_step(start, minute.at) {
                        slots.insert(minute.at);
                    }
                }
                slots
            }
        }
    }
}

/// Schedules as settings write them, and the oracle's reading of each.
pub(super) fn readings() -> Vec<(&'static str, Due)> {
    let steps = |minutes, start: (u32, u32), end: (u32, u32)| Due::Steps {
        minutes,
        between: Some((time(start.0, start.1), time(end.0, end.1))),
    };
    vec![
        ("daily: '02:30'", Due::Dated(|w| (w.hour(), w.minute()) == (2, 30))),
        ("daily: '00:00'", Due::Dated(|w| (w.hour(), w.minute()) == (0, 0))),
        ("daily: '01:45'", Due::Dated(|w| (w.hour(), w.minute()) == (1, 45))),
        ("daily: '23:59'", Due::Dated(|w| (w.hour(), w.minute()) == (23, 59))),
        (
            "weekly: { on: [sat, sun], at: '02:15' }",
            Due::Dated(|w| w.weekday().num_days_from_monday() >= 5 && (w.hour(), w.minute()) == (2, 15)),
        ),
        (
            "weekly: { on: mon, at: '00:30' }",
            Due::Dated(|w| w.weekday().num_days_from_monday() == 0 && (w.hour(), w.minute()) == (0, 30)),
        ),
        ("monthly: { day: 1, at: '01:30' }", Due::Dated(|w| w.day() == 1 && (w.hour(), w.minute()) == (1, 30))),
        ("monthly: { day: 31, at: '00:00' }", Due::Dated(|w| w.day() == 31 && (w.hour(), w.minute()) == (0, 0))),
        (
            "monthly: { day: last, at: '23:30', months: [2, 3, 10, 12] }",
            Due::Dated(|w| {
                w.day() == days_in_month(w.date())
                    && [2, 3, 10, 12].contains(&w.month())
                    && (w.hour(), w.minute()) == (23, 30)
            }),
        ),
        ("cron: '30 2 * * *'", Due::Dated(|w| (w.hour(), w.minute()) == (2, 30))),
        ("cron: '*/30 2 * * *'", Due::Dated(|w| w.hour() == 2 && w.minute() % 30 == 0)),
        ("cron: '0 */2 * * *'", Due::Dated(|w| w.hour() % 2 == 0 && w.minute() == 0)),
        (
            "cron: '5,35 0-3 * * 1-5'",
            Due::Dated(|w| {
                w.weekday().num_days_from_monday() < 5 && w.hour() <= 3 && (w.minute() == 5 || w.minute() == 35)
            }),
        ),
        (
            "cron: '10 1 1-7 * 1'",
            Due::Dated(|w| {
                (w.day() <= 7 || w.weekday().num_days_from_monday() == 0) && (w.hour(), w.minute()) == (1, 10)
            }),
        ),
        (
            "cron: '10 1 1-7 * +7'",
            Due::Dated(|w| {
                w.day() <= 7 && w.weekday().num_days_from_monday() == 6 && (w.hour(), w.minute()) == (1, 10)
            }),
        ),
        ("cron: '0 0 L * *'", Due::Dated(|w| w.day() == days_in_month(w.date()) && (w.hour(), w.minute()) == (0, 0))),
        ("cron: '*/15 * * * *'", Due::Hourly(|w| w.minute() % 15 == 0)),
        ("cron: '40 * * * 6,0'", Due::Hourly(|w| w.weekday().num_days_from_monday() >= 5 && w.minute() == 40)),
        ("every: 15m", Due::Steps { minutes: 15, between: None }),
        ("every: 7h", Due::Steps { minutes: 420, between: None }),
        ("every: 24h", Due::Steps { minutes: 1440, between: None }),
        ("{ every: 20m, between: '01:10-03:20' }", steps(20, (1, 10), (3, 20))),
        ("{ every: 1h, between: '20:00-06:00' }", steps(60, (20, 0), (6, 0))),
        ("{ every: 50m, between: '00:00-24:00' }", steps(50, (0, 0), (0, 0))),
        ("{ every: 30m, between: '00:00-00:30' }", steps(30, (0, 0), (0, 30))),
        ("{ every: 95m, between: '02:30-23:30' }", steps(95, (2, 30), (23, 30))),
    ]
}
