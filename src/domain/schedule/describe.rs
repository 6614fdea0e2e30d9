//! A schedule in words, for lists and mails: short, in English and in Japanese.

use chrono::{Datelike, Weekday};

use super::{
    DayOfMonth, Schedule,
    weekly::{day_name, day_name_ja},
};
use crate::domain::duration::Span;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Schedule {
    /// The schedule in English, such as `daily at 06:00`.
    pub fn describe_en(&self) -> String {
        match self {
            Schedule::Once(at) => format!("once at {}", at.to_string().replace('T', " ")),
            Schedule::Daily(at) => format!("daily at {at}"),
            Schedule::Weekly(weekly) => {
                let days: Vec<String> = weekly.days().map(capitalised).collect();
                format!("weekly on {} at {}", days.join(", "), weekly.at())
            }
            Schedule::Monthly(monthly) => {
                let day = match monthly.day() {
                    DayOfMonth::Number(day) => format!("day {day}"),
                    DayOfMonth::Last => "the last day".to_owned(),
                };
                match monthly.months() {
                    None => format!("monthly on {day} at {}", monthly.at()),
                    Some(months) => {
                        let months: Vec<&str> = months.iter().map(|month| MONTHS[usize::from(*month) - 1]).collect();
                        format!("on {day} of {} at {}", months.join(", "), monthly.at())
                    }
                }
            }
            Schedule::Every(every) => match every.between() {
                None => format!("every {}", every.step()),
                Some(window) => format!("every {} between {window}", every.step()),
            },
            Schedule::Cron(cron) => format!("cron {}", cron.as_str()),
        }
    }

    /// The schedule in Japanese, such as `毎日 06:00`.
    pub fn describe_ja(&self) -> String {
        match self {
            Schedule::Once(at) => {
                let (date, shown) = (at.local().date(), at.to_string());
                let time = shown.split_once('T').map_or("", |(_, time)| time);
                format!("{}年{}月{}日 {time}(1回)", date.year(), date.month(), date.day())
            }
            Schedule::Daily(at) => format!("毎日 {at}"),
            Schedule::Weekly(weekly) => {
                let days: Vec<&str> = weekly.days().map(day_name_ja).collect();
                format!("毎週{}曜日 {}", days.join("・"), weekly.at())
            }
            Schedule::Monthly(monthly) => {
                let day = match monthly.day() {
                    DayOfMonth::Number(day) => format!("{day}日"),
                    DayOfMonth::Last => "末日".to_owned(),
                };
                match monthly.months() {
                    None => format!("毎月{day} {}", monthly.at()),
                    Some(months) => {
                        let months: Vec<String> = months.iter().map(|month| format!("{month}月")).collect();
                        format!("毎年{}の{day} {}", months.join("・"), monthly.at())
                    }
                }
            }
            Schedule::Every(every) => {
                let step = span_ja(every.step());
                match every.between() {
                    None => format!("{step}ごと"),
                    Some(window) => format!("{step}ごと({})", window.to_string().replace('-', "〜")),
                }
            }
            Schedule::Cron(cron) => format!("cron {}", cron.as_str()),
        }
    }
}

fn capitalised(day: Weekday) -> String {
    let name = day_name(day);
    name[..1].to_ascii_uppercase() + &name[1..]
}

fn span_ja(span: Span) -> String {
    let seconds = span.as_secs();
    [(seconds / 3600, "時間"), (seconds % 3600 / 60, "分"), (seconds % 60, "秒")]
        .into_iter()
        .filter(|(amount, _)| *amount > 0)
        .map(|(amount, unit)| format!("{amount}{unit}"))
        .collect()
}
