//! The timers of a life, and when they are due by arithmetic of their own: Tokyo's clocks never change, so that minutes
//! of the day and days of the week are enough.

use super::chance::Chance;
use super::database::{INTEGRATIONS, MENUS};
use crate::support::TOKYO;
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use renkei::domain::timer::Timer;
use serde_json::json;

/// When a timer runs, in minutes of Tokyo's day.
#[derive(Debug, Clone)]
pub(super) enum Rule {
    /// At this minute, on these days of the week (0 is Monday).
    On(Vec<u32>, i64),
    /// In steps from a minute to another one, both included.
    Steps { step: i64, from: i64, to: i64 },
}

impl Rule {
    /// The slots after `from` up to and including `to`.
    pub(super) fn due(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let date = |at: DateTime<Utc>| (at + TimeDelta::hours(9)).date_naive();
        let (mut day, last) = (date(from), date(to));
        let mut due = Vec::new();
        while day <= last {
            let midnight = day.and_time(NaiveTime::MIN).and_utc() - TimeDelta::hours(9);
            let mut add = |minute: i64| {
                let at = midnight + TimeDelta::minutes(minute);
                if from < at && at <= to {
                    due.push(at);
                }
            };
            match self {
                Self::On(days, minute) if days.contains(&day.weekday().num_days_from_monday()) => add(*minute),
                Self::On(..) => {}
                Self::Steps { step, from, to } => {
                    (0..).map(|n| from + n * step).take_while(|at| at <= to).for_each(add)
                }
            }
            day = day + Days::new(1);
        }
        due
    }

    fn written(&self) -> serde_json::Value {
        let clock = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
        let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        match self {
            Self::On(days, minute) if days.len() == 7 => json!({ "daily": clock(*minute) }),
            Self::On(days, minute) if days.len() == 5 => {
                json!({ "cron": format!("{} {} * * 1-5", minute % 60, minute / 60) })
            }
            Self::On(days, minute) => {
                let on: Vec<&str> = days.iter().map(|&day| names[day as usize]).collect();
                json!({ "weekly": { "on": on, "at": clock(*minute) } })
            }
            Self::Steps { step, from: 0, to: 1439 } => json!({ "every": format!("{step}m") }),
            Self::Steps { step, from, to } => {
                json!({ "every": format!("{step}m"), "between": format!("{}-{}", clock(*from), clock(*to)) })
            }
        }
    }
}

/// A rule, mostly of a few times a day.
pub(super) fn rule(chance: &mut Chance) -> Rule {
    match chance.below(10) {
        0..4 => Rule::On((0..7).collect(), *chance.pick(&[360, 361, 480, 485, 720, 1380, 1439, 0])),
        4 => Rule::On((0..5).collect(), chance.between(0, 1439)),
        5 => Rule::On(vec![1, 4], chance.between(0, 1439)),
        6 => Rule::Steps { step: *chance.pick(&[2, 5, 10]), from: 480, to: 540 },
        7 => Rule::Steps { step: 60, from: 480, to: 1200 },
        _ => Rule::Steps { step: *chance.pick(&[60, 120, 180, 360, 420]), from: 0, to: 1439 },
    }
}

/// A timer as the life writes it down for itself.
#[derive(Debug, Clone)]
pub(super) struct Kind {
    pub(super) rule: Rule,
    pub(super) on: bool,
    /// The first instant of the day on which it is on again.
    pub(super) again: Option<DateTime<Utc>>,
    pub(super) misfire: &'static str,
    pub(super) catch_up: TimeDelta,
    pub(super) overlap: &'static str,
    pub(super) after: Vec<String>,
    pub(super) settle: TimeDelta,
    pub(super) runs_after_partial: bool,
    /// Minutes after the slot.
    pub(super) start_by: Option<i64>,
    pub(super) time_limit: Option<i64>,
    pub(super) priority: u16,
    pub(super) menu: &'static str,
    pub(super) integration: &'static str,
}

impl Kind {
    /// A random one for the timer of this number, which may follow those of smaller numbers.
    pub(super) fn random(chance: &mut Chance, number: usize) -> Self {
        let mut after = Vec::new();
        while after.len() < 2 && number > 0 && chance.odds(3_000) {
            let leader = name(chance.below(number));
            if !after.contains(&leader) {
                after.push(leader);
            }
        }
        let follows = !after.is_empty();
        Self {
            rule: rule(chance),
            on: true,
            again: None,
            misfire: *chance.pick(&["none", "last", "last", "all"]),
            catch_up: TimeDelta::hours(*chance.pick(&[1, 6, 12])),
            overlap: *chance.pick(&["skip", "queue-one"]),
            after,
            settle: TimeDelta::minutes(if follows { *chance.pick(&[0, 10, 10, 45]) } else { 10 }),
            runs_after_partial: follows && chance.odds(5_000),
            start_by: chance.odds(3_000).then(|| *chance.pick(&[5, 30, 90, 600])),
            time_limit: chance.odds(1_500).then(|| *chance.pick(&[5, 20])),
            priority: *chance.pick(&[10, 50, 50, 50, 80, 120]),
            menu: *chance.pick(&MENUS),
            integration: chance.pick(&INTEGRATIONS).0,
        }
    }

    pub(super) fn timer(&self, id: &str) -> Timer {
        let minutes = |delta: TimeDelta| format!("{}m", delta.num_minutes());
        let mut form = json!({
            "name": id, "menu": self.menu, "integration": self.integration, "priority": self.priority,
            "switch": if self.on { "on" } else { "off" }, "schedule": self.rule.written(),
            "misfire": self.misfire, "overlap": self.overlap, "catch_up_within": minutes(self.catch_up),
            "after": self.after, "settle": minutes(self.settle),
            "after_partial": if self.runs_after_partial { "run" } else { "skip" },
        });
        if let Some(again) = self.again {
            form["until"] = json!(again.with_timezone(&TOKYO).date_naive().to_string());
        }
        if let Some(start_by) = self.start_by {
            form["start_by"] = json!(format!("{start_by}m"));
        }
        if let Some(limit) = self.time_limit {
            form["time_limit"] = json!(format!("{limit}m"));
        }
        Timer::check(serde_json::from_value(form).unwrap()).unwrap().0
    }
}

pub(super) fn name(number: usize) -> String {
    format!("t{number}")
}

/// The first instant of a local date.
pub(super) fn first_of(date: NaiveDate) -> DateTime<Utc> {
    date.and_time(NaiveTime::MIN).and_utc() - TimeDelta::hours(9)
}

/// The local date of an instant.
pub(super) fn date_of(at: DateTime<Utc>) -> NaiveDate {
    (at + TimeDelta::hours(9)).date_naive()
}
