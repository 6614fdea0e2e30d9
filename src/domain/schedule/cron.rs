//! Crontab patterns: read by croner, walked by our own rule for clock changes.
//!
//! croner reads the pattern and says which dates it names. Its own search is not used: it treats `30 2` and `*/30 2`
//! differently on a day without a 02:30, and a date that never comes keeps it searching for a year's worth of seconds.

use chrono::{Datelike, NaiveDate};
use croner::{Cron, Weekday, parser::CronParser};

use super::{ScheduleFault as Fault, ScheduleWarning, first_date, grid::Grid, time_of_day::shown};

const LONGEST: usize = 200;

const NICKNAMES: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// The fields of a pattern with six of them: name, and what may stand there.
const FIELDS: [(&str, &str); 6] = [
    ("second", "0-59"),
    ("minute", "0-59"),
    ("hour", "0-23"),
    ("day of the month", "1-31, L for the last, 15W for the weekday nearest to the 15th"),
    ("month", "1-12 or jan-dec"),
    ("day of the week", "0-7 or sun-sat, 1#2 for the second Monday, 5L for the last Friday"),
];

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// A crontab pattern of 5 fields, or of 6 with seconds first, that names at least one date that comes.
#[derive(Debug, Clone)]
pub struct CronRule {
    /// As written, with single blanks; nicknames written out.
    text: String,
    /// Boxed: it is ten times the size of every other kind.
    cron: Box<Cron>,
    grid: Grid,
}

impl PartialEq for CronRule {
    fn eq(&self, other: &CronRule) -> bool {
        self.text == other.text
    }
}

impl Eq for CronRule {}

impl CronRule {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is no pattern, has a year, or names a date that never comes (`0 0 31 2 *`).
    pub fn parse(text: &str) -> Result<CronRule, Fault> {
        if text.len() > LONGEST {
            return Err(Fault::CronLength);
        }
        let mut text = text.trim().to_owned();
        if text.starts_with('@') {
            let known = NICKNAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(&text));
            text = known.ok_or_else(|| Fault::CronNickname(shown(&text)))?.1.to_owned();
        }
        let fields: Vec<&str> = text.split_whitespace().collect();
        match fields.len() {
            5 | 6 => {}
            7 => return Err(Fault::CronYear),
            count => return Err(Fault::CronFields(count)),
        }
        for (index, field) in fields.iter().enumerate() {
            let index = index + 6 - fields.len();
            if !field_is_readable(index, field) {
                let (name, allowed) = FIELDS[index];
                return Err(Fault::CronField { name, field: shown(field), allowed });
            }
        }
        let text = fields.join(" ");
        // Each field is readable by itself, so this cannot fail for a reason that a field would tell better.
        let cron = CronParser::new().parse(&text).map_err(|error| Fault::Cron(error.to_string()))?;
        let pattern = &cron.pattern;
        let grid = Grid::of(&pattern.hours.values(), &pattern.minutes.values(), &pattern.seconds.values());
        let rule = CronRule { text, cron: Box::new(cron), grid };
        let start = NaiveDate::from_ymd_opt(2000, 1, 1);
        let comes =
            start.and_then(|start| first_date(start, |month| rule.has_month(month), |date| rule.has_date(date)));
        if comes.is_none() || grid.first().is_none() {
            return Err(Fault::CronNever(rule.text));
        }
        Ok(rule)
    }

    /// The pattern, in 5 or 6 fields with single blanks.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn grid(&self) -> Grid {
        self.grid
    }

    pub(super) fn has_month(&self, month: u32) -> bool {
        self.cron.pattern.month_match(month).unwrap_or(false)
    }

    pub(super) fn has_date(&self, date: NaiveDate) -> bool {
        let weekday = Weekday::from_days_from_sunday(date.weekday().num_days_from_sunday());
        self.has_month(date.month())
            && self.cron.pattern.day_match(date.year(), date.month(), date.day(), weekday).unwrap_or(false)
    }

    pub(super) fn warning(&self) -> Option<ScheduleWarning> {
        let pattern = &self.cron.pattern;
        let both = !pattern.is_dom_wildcard() && !pattern.is_dow_wildcard() && !pattern.matches_dom_and_dow();
        both.then_some(ScheduleWarning::EitherDay)
    }
}

/// Whether one field can be read by itself. croner passes over what is empty (`1,,2`) and reads names in every field
/// (`MON` as the hour 1), so both are looked at here.
fn field_is_readable(index: usize, field: &str) -> bool {
    let items = field.strip_prefix('+').filter(|_| index == 5).unwrap_or(field);
    if !field.is_ascii() || items.split(',').any(str::is_empty) {
        return false;
    }
    let words = field.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    for word in words.map(str::to_ascii_lowercase) {
        let readable = match index {
            3 => matches!(word.as_str(), "l" | "w" | "lw"),
            4 => MONTHS.contains(&word.as_str()),
            5 => word == "l" || WEEKDAYS.contains(&word.strip_suffix('l').unwrap_or(&word)),
            _ => false,
        };
        if !readable {
            return false;
        }
    }
    let mut alone = ["0", "*", "*", "*", "*", "*"];
    alone[index] = field;
    CronParser::new().parse(&alone.join(" ")).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Fault {
        CronRule::parse(text).unwrap_err()
    }

    #[test]
    fn patterns_keep_their_words_and_lose_their_blanks() {
        assert_eq!(CronRule::parse(" 0  6 * * MON-Fri ").unwrap().as_str(), "0 6 * * MON-Fri");
        assert_eq!(CronRule::parse("@Daily").unwrap().as_str(), "0 0 * * *");
        for text in [
            "*/15 8-20 * * *",
            "30 0 6 * * 1-5",
            "0 6 L * *",
            "0 6 LW * *",
            "0 6 15W * *",
            "0 6 ? * 1#2",
            "0 6 * * 5L",
            "0 6 * * friL",
            "0 6 1-7 * +1",
            "0 6 * jan-mar sun",
            "0 6 29 2 +1",
            "0 6 * * fri-sun",
        ] {
            assert!(CronRule::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_day_that_never_comes_is_refused_at_once() {
        for text in ["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 30-31 2 +1", "0 0 L 2 +1#4"] {
            if text.ends_with("#4") {
                // 28 February can be a fourth Monday.
                assert!(CronRule::parse(text).is_ok());
            } else {
                assert_eq!(fault(text), Fault::CronNever(text.to_owned()));
            }
        }
    }

    #[test]
    fn the_field_at_fault_is_named() {
        let name = |text| match fault(text) {
            Fault::CronField { name, .. } => name,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(name("60 6 * * *"), "minute");
        assert_eq!(name("0 24 * * *"), "hour");
        assert_eq!(name("0 mon * * *"), "hour");
        assert_eq!(name("0 6 32 * *"), "day of the month");
        assert_eq!(name("0 6 L-2 * *"), "day of the month");
        assert_eq!(name("0 6 0 * *"), "day of the month");
        assert_eq!(name("0 6 * mon *"), "month");
        assert_eq!(name("0 6 * 13 *"), "month");
        assert_eq!(name("0 6 * * monday"), "day of the week");
        assert_eq!(name("0 6 * * 8"), "day of the week");
        assert_eq!(name("60 0 6 * * *"), "second");
        assert_eq!(name("1,,2 6 * * *"), "minute");
        assert_eq!(name(", 6 * * *"), "minute");
        assert_eq!(name("*/0 6 * * *"), "minute");
        assert_eq!(name("０ 6 * * *"), "minute");
        assert_eq!(name("0 6 * * +"), "day of the week");
    }

    #[test]
    fn years_nicknames_and_wrong_counts_have_their_own_answers() {
        assert_eq!(fault("0 0 6 1 1 * 2027"), Fault::CronYear);
        assert_eq!(fault("@reboot"), Fault::CronNickname("@reboot".to_owned()));
        assert_eq!(fault("0 6 * *"), Fault::CronFields(4));
        assert_eq!(fault(""), Fault::CronFields(0));
        assert_eq!(fault(&"1,".repeat(200)), Fault::CronLength);
    }
}
