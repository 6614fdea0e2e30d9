//! What can be wrong with a schedule, and how to mend it.

use std::fmt;

use super::{Window, time_of_day::shown};
use crate::domain::{
    duration::{Span, SpanError},
    fault::Fault,
};

/// A schedule that cannot be: where, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ScheduleError {
    path: &'static str,
    fault: ScheduleFault,
}

impl ScheduleError {
    /// The key at fault below `schedule`, such as `monthly.day`; empty for the schedule as a whole.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// What is wrong there.
    pub fn fault(&self) -> &ScheduleFault {
        &self.fault
    }
}

impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path {
            "" => self.fault.fmt(f),
            path => write!(f, "{path}: {}", self.fault),
        }
    }
}

impl From<&ScheduleError> for Fault {
    /// A refusal with its path below `schedule`.
    fn from(error: &ScheduleError) -> Fault {
        Fault::error(&parts(error.path), error.fault.to_string(), "")
    }
}

impl From<&ScheduleWarning> for Fault {
    /// A warning with its path below `schedule`.
    fn from(warning: &ScheduleWarning) -> Fault {
        Fault::warning(&parts(warning.path()), warning.to_string(), "")
    }
}

fn parts(path: &str) -> Vec<&str> {
    path.split('.').filter(|part| !part.is_empty()).collect()
}

/// Names the key at which a fault was found.
pub(super) trait At {
    fn at(self, path: &'static str) -> ScheduleError;
}

impl At for ScheduleFault {
    fn at(self, path: &'static str) -> ScheduleError {
        ScheduleError { path, fault: self }
    }
}

/// What is wrong with a schedule; each says how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleFault {
    /// No kind was chosen.
    #[error("a schedule says when: write one of once, daily, weekly, monthly, every or cron, such as daily: \"06:00\"")]
    NoKind,
    /// More than one kind.
    #[error("{} stand together: keep one; for several times make several timers", .0.join(" and "))]
    SeveralKinds(Vec<&'static str>),
    /// `between` with another kind than `every`.
    #[error("between belongs to every, such as every: 15m with between: \"08:00-20:00\"")]
    BetweenAlone,
    /// A key without which the kind says nothing.
    #[error("is missing: write {0}")]
    Missing(&'static str),
    /// A list without anything in it.
    #[error("is an empty list, so the day never comes: write at least one, such as {0}")]
    EmptyList(&'static str),
    /// Not a time of the day.
    #[error("`{0}` is no time of the day: write 00:00 to 23:59, such as \"06:00\" or \"06:00:30\"")]
    Time(String),
    /// 24:00 where a time has to start a slot.
    #[error("24:00 is 00:00 of the next day: write \"00:00\", or \"23:59\" for the end of the day")]
    Midnight,
    /// Not a date and time.
    #[error("`{0}` is no date and time: write \"2026-12-01T06:00\"")]
    DateTime(String),
    /// A day that its month does not have.
    #[error("`{0}` does not exist: that month has no such day")]
    Date(String),
    /// A year out of the range in which slots are told.
    #[error("`{0}` lies outside the years 1970 to 9998")]
    Year(String),
    /// A date and time with an offset from UTC.
    #[error(
        "`{0}` names an offset: write the local time without it, such as \"2026-12-01T06:00\"; timezone says where"
    )]
    Offset(String),
    /// Not a day of the week.
    #[error("`{0}` is no day of the week: write mon, tue, wed, thu, fri, sat or sun")]
    Weekday(String),
    /// Not a day of a month.
    #[error("`{0}` is no day of a month: write 1 to 31, or last for the month's last day")]
    DayOfMonth(String),
    /// Not a number of a business day.
    #[error("`{0}` is no business day of a month: write 1 to 31, or last for 月末営業日")]
    NthBusinessDay(String),
    /// A day of the month and a business day of the month.
    #[error("day and nth_business_day stand together: keep one")]
    TwoDays,
    /// `business_day` inside `monthly`.
    #[error(
        "business_day stands beside monthly, not in it, and says what becomes of a closed day: write only, previous or \
         next there; a business day counted from the month's start is nth_business_day: 3"
    )]
    BusinessDayInside,
    /// Not one of the three rules.
    #[error(
        "`{0}` is no rule for closed days: write only, previous or next; the n-th business day is monthly: \
         {{ nth_business_day: 3, at: \"06:00\" }}"
    )]
    BusinessDay(String),
    /// A rule that moves days, with a kind that has slots on each of them.
    #[error("{0} has slots on each business day already, so nothing can move there: write business_day: only")]
    NothingMoves(&'static str),
    /// A rule for closed days with one date.
    #[error("once names its date: leave business_day out, and write the date that is meant")]
    OnceIsMeant,
    /// A rule for closed days with a day that is never closed.
    #[error("nth_business_day is never a closed day: leave business_day out")]
    NeverClosed,
    /// Not a month.
    #[error("`{0}` is no month: write numbers from 1 to 12, such as [4, 10]")]
    Month(String),
    /// Listed months that never have the day.
    #[error("{} no day {day}: take {} out, or write day: last", months_have(months), if months.len() == 1 { "it" } else { "them" })]
    MonthWithoutDay {
        /// The day.
        day: u8,
        /// The months, 1 to 12, that never have it.
        months: Vec<u8>,
    },
    /// Not a length of time.
    #[error(transparent)]
    Span(SpanError),
    /// A step of nothing.
    #[error("a step of no time would never end: write at least 1s, such as 15m")]
    NoStep,
    /// A step of more than a day.
    #[error("{0} is longer than a day: write at most 24h, or use daily, weekly or monthly")]
    LongStep(Span),
    /// A window with room for one slot only.
    #[error("{step} does not fit between {window}: write a shorter step, or daily: \"{}\"", window.start())]
    StepDoesNotFit {
        /// The step.
        step: Span,
        /// The window.
        window: Window,
    },
    /// Not a part of the day.
    #[error("`{0}` is no part of a day: write two times, such as \"08:00-20:00\"")]
    Window(String),
    /// A window that ends where it starts.
    #[error("`{0}` ends where it starts: write \"00:00-24:00\" or leave between out for the whole day")]
    EmptyWindow(String),
    /// A pattern with too few or too many fields.
    #[error(
        "a pattern has 5 fields (minute, hour, day of the month, month, day of the week) or 6 (second first), not {0}: \
         such as \"0 6 * * 1-5\""
    )]
    CronFields(usize),
    /// A pattern with a year.
    #[error("a seventh field, the year, is not read here: leave it out, or write once for one date")]
    CronYear,
    /// A nickname that is not known, or that names no time.
    #[error("`{0}` names no time: write five fields, or @hourly, @daily, @weekly, @monthly or @yearly")]
    CronNickname(String),
    /// A field that cannot be read.
    #[error("`{field}` is no {name}: write {allowed}, *, */2, or lists and ranges of them")]
    CronField {
        /// The name of the field.
        name: &'static str,
        /// What stands there.
        field: String,
        /// What may stand there.
        allowed: &'static str,
    },
    /// Something else in the pattern.
    #[error("the pattern cannot be read: {0}")]
    Cron(String),
    /// A pattern that is longer than anybody means.
    #[error("the pattern is longer than 200 characters: make several timers of it")]
    CronLength,
    /// A pattern whose day never comes.
    #[error("the day of `{}` never comes: correct the day of the month or the month", shown(.0))]
    CronNever(String),
}

/// What is allowed, and likely not what was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScheduleWarning {
    /// A day that not every named month has.
    ShortMonths {
        /// The day.
        day: u8,
    },
    /// 29 February.
    LeapYearsOnly,
    /// A business day that not every month has.
    FewBusinessDays {
        /// Its number.
        n: u8,
    },
    /// A step that does not divide the day.
    RestartsAtMidnight {
        /// The step.
        step: Span,
    },
    /// A cron pattern with a day of the month and a day of the week.
    EitherDay,
}

impl ScheduleWarning {
    /// The key that it is about, below `schedule`.
    pub fn path(&self) -> &'static str {
        match self {
            ScheduleWarning::ShortMonths { .. } | ScheduleWarning::LeapYearsOnly => "monthly.day",
            ScheduleWarning::FewBusinessDays { .. } => "monthly.nth_business_day",
            ScheduleWarning::RestartsAtMidnight { .. } => "every",
            ScheduleWarning::EitherDay => "cron",
        }
    }
}

impl fmt::Display for ScheduleWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ScheduleWarning::ShortMonths { day } => {
                write!(f, "months without a day {day} are left out: write last if the month's end is meant")
            }
            ScheduleWarning::LeapYearsOnly => {
                f.write_str("29 February comes in leap years only: write last if the month's end is meant")
            }
            ScheduleWarning::FewBusinessDays { n } => {
                write!(
                    f,
                    "months with fewer than {n} business days are left out: write last if the month's end is meant"
                )
            }
            ScheduleWarning::RestartsAtMidnight { step } => {
                write!(f, "{step} does not divide a day: the steps start anew at midnight, so the last one is shorter")
            }
            ScheduleWarning::EitherDay => f.write_str(
                "a day runs that matches the day of the month or the day of the week: put + before the day of the week \
                 if both have to match",
            ),
        }
    }
}

fn months_have(months: &[u8]) -> String {
    let listed: Vec<String> = months.iter().map(u8::to_string).collect();
    match months {
        [month] => format!("month {month} has"),
        _ => format!("months {} have", listed.join(", ")),
    }
}
