//! A schedule in words, for lists and mails: short, in English and in Japanese.

use chrono::{Datelike, Weekday};

use super::{
    DayOfMonth, Kind, Nth, Schedule,
    weekly::{day_name, day_name_ja},
};
use crate::domain::{calendar::BusinessDay, duration::Span};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Schedule {
    /// The schedule in English, such as `daily at 06:00`.
    #[must_use]
    pub fn describe_en(&self) -> String {
        let rule = match self.business_day {
            None => "",
            Some(BusinessDay::Only) => ", on business days only",
            Some(BusinessDay::Previous) => ", or the business day before",
            Some(BusinessDay::Next) => ", or the business day after",
        };
        self.kind.describe_en() + rule
    }

    /// The schedule in Japanese, such as `毎日 06:00`.
    #[must_use]
    pub fn describe_ja(&self) -> String {
        let rule = match self.business_day {
            None => "",
            Some(BusinessDay::Only) => "(営業日のみ)",
            Some(BusinessDay::Previous) => "(休業日は前営業日)",
            Some(BusinessDay::Next) => "(休業日は翌営業日)",
        };
        self.kind.describe_ja() + rule
    }
}

impl Kind {
    fn describe_en(&self) -> String {
        match self {
            Kind::Once(at) => format!("once at {}", at.to_string().replace('T', " ")),
            Kind::Daily(at) => format!("daily at {at}"),
            Kind::Weekly(weekly) => {
                let days: Vec<String> = weekly.days().map(capitalised).collect();
                format!("weekly on {} at {}", days.join(", "), weekly.at())
            }
            Kind::Monthly(monthly) => {
                let day = match monthly.day() {
                    DayOfMonth::Number(day) => format!("day {day}"),
                    DayOfMonth::Last => "the last day".to_owned(),
                    DayOfMonth::Business(Nth::Number(n)) => format!("business day {n}"),
                    DayOfMonth::Business(Nth::Last) => "the last business day".to_owned(),
                };
                match monthly.months() {
                    None => format!("monthly on {day} at {}", monthly.at()),
                    Some(months) => {
                        let months: Vec<&str> = months.iter().map(|month| MONTHS[usize::from(*month) - 1]).collect();
                        format!("on {day} of {} at {}", months.join(", "), monthly.at())
                    }
                }
            }
            Kind::Every(every) => match every.between() {
                None => format!("every {}", every.step()),
                Some(window) => format!("every {} between {window}", every.step()),
            },
            Kind::Cron(cron) => format!("cron {}", cron.as_str()),
        }
    }

    fn describe_ja(&self) -> String {
        match self {
            Kind::Once(at) => {
                let (date, shown) = (at.local().date(), at.to_string());
                let time = shown.split_once('T').map_or("", |(_, time)| time);
                format!("{}年{}月{}日 {time}(1回)", date.year(), date.month(), date.day())
            }
            Kind::Daily(at) => format!("毎日 {at}"),
            Kind::Weekly(weekly) => {
                let days: Vec<&str> = weekly.days().map(day_name_ja).collect();
                format!("毎週{}曜日 {}", days.join("・"), weekly.at())
            }
            Kind::Monthly(monthly) => {
                let day = match monthly.day() {
                    DayOfMonth::Number(day) => format!("{day}日"),
                    DayOfMonth::Last => "末日".to_owned(),
                    DayOfMonth::Business(Nth::Number(n)) => format!("第{n}営業日"),
                    DayOfMonth::Business(Nth::Last) => "最終営業日".to_owned(),
                };
                match monthly.months() {
                    None => format!("毎月{day} {}", monthly.at()),
                    Some(months) => {
                        let months: Vec<String> = months.iter().map(|month| format!("{month}月")).collect();
                        format!("毎年{}の{day} {}", months.join("・"), monthly.at())
                    }
                }
            }
            Kind::Every(every) => {
                let step = span_ja(every.step());
                match every.between() {
                    None => format!("{step}ごと"),
                    Some(window) => format!("{step}ごと({})", window.to_string().replace('-', "〜")),
                }
            }
            Kind::Cron(cron) => format!("cron {}", cron.as_str()),
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
