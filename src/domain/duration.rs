//! Lengths of time as settings write them: `15m`, `26h`, `1h30m`, `30d`.
//!
//! A [`Span`] is a whole number of seconds and nothing else: no fractions, no months or years (they have no fixed
//! length), no signs. A day is always 24 hours here; what has to follow the calendar is a schedule, not a span.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const MINUTE: u32 = 60;
const HOUR: u32 = 60 * MINUTE;
const DAY: u32 = 24 * HOUR;

/// A length of time in whole seconds, from 0 to about 136 years.
///
/// It is read from and written as text: `30s`, `15m` (or `15min`), `12h`, `7d`, and combinations from the larger to
/// the smaller unit such as `1h30m`. Written again it takes its canonical form: two whole days or more in days
/// (`7d`), everything else in hours, minutes and seconds (`26h`, `1h30m`, `1m30s`), nothing as `0s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u32);

/// Why a text is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// Nothing was written.
    #[error("a length of time is missing: write a number and a unit, such as 30s, 15m, 12h or 7d")]
    Empty,
    /// A number without a unit; it could mean seconds as well as minutes.
    #[error("{0} has no unit: write {0}s for seconds, {0}m for minutes, {0}h for hours or {0}d for days")]
    NoUnit(String),
    /// A unit that is not known here.
    #[error("`{unit}` in `{text}` is no unit of time: write s, m (or min), h or d, such as 30s, 15m, 12h or 7d")]
    Unit {
        /// The whole text.
        text: String,
        /// The part that was read as the unit.
        unit: String,
    },
    /// A fraction, a sign, or something else where a whole number has to stand.
    #[error("`{0}` is not a length of time: write whole numbers with a unit, such as 90s, 15m or 1h30m")]
    Number(String),
    /// A unit twice, or a smaller one before a larger one.
    #[error("`{0}` has its units out of order: write each once, the larger first, such as 1h30m")]
    Order(String),
    /// More seconds than a span holds.
    #[error("`{0}` is too long: at most 49710d (about 136 years)")]
    TooLong(String),
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);

    /// A span of so many seconds.
    pub const fn seconds(seconds: u32) -> Span {
        Span(seconds)
    }

    /// A span of so many minutes.
    pub const fn minutes(minutes: u16) -> Span {
        Span(minutes as u32 * MINUTE)
    }

    /// A span of so many hours.
    pub const fn hours(hours: u16) -> Span {
        Span(hours as u32 * HOUR)
    }

    /// A span of so many days of 24 hours each, cut at the longest span there is.
    pub const fn days(days: u16) -> Span {
        Span((days as u32).saturating_mul(DAY))
    }

    /// Its length in seconds.
    pub const fn as_secs(self) -> u32 {
        self.0
    }

    /// Its length in milliseconds, as the tables store times.
    pub const fn as_millis(self) -> i64 {
        self.0 as i64 * 1000
    }

    /// The same length for the standard library.
    pub const fn to_std(self) -> Duration {
        Duration::from_secs(self.0 as u64)
    }

    /// The same length for calculations with points in time.
    pub fn to_delta(self) -> chrono::TimeDelta {
        chrono::TimeDelta::seconds(i64::from(self.0))
    }

    /// True for no time at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

/// Reads a length of time such as `15m`, `26h` or `1h30m`; [`Span`] has the form.
pub fn parse_duration(text: &str) -> Result<Duration, SpanError> {
    text.parse::<Span>().map(Span::to_std)
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shown = || text.trim().chars().take(40).collect::<String>();
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(SpanError::Empty);
        }
        let mut seconds = 0_u64;
        let mut unit_before = u32::MAX;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            if digits == 0 {
                return Err(SpanError::Number(shown()));
            }
            let (number, after) = rest.split_at(digits);
            let after = after.trim_start();
            let letters = after.find(|c: char| c.is_ascii_digit() || c.is_whitespace()).unwrap_or(after.len());
            let (unit, remaining) = after.split_at(letters);
            rest = remaining.trim_start();
            let unit = match unit {
                "s" | "sec" => 1,
                "m" | "min" => MINUTE,
                "h" => HOUR,
                "d" => DAY,
                "" if digits == text.trim().len() => return Err(SpanError::NoUnit(shown())),
                other if other.starts_with(|c: char| c.is_alphabetic()) => {
                    return Err(SpanError::Unit { text: shown(), unit: other.chars().take(20).collect() });
                }
                _ => return Err(SpanError::Number(shown())),
            };
            if unit >= unit_before {
                return Err(SpanError::Order(shown()));
            }
            unit_before = unit;
            let number: u64 = number.parse().map_err(|_| SpanError::TooLong(shown()))?;
            let part = number.checked_mul(u64::from(unit)).ok_or_else(|| SpanError::TooLong(shown()))?;
            seconds = seconds.checked_add(part).ok_or_else(|| SpanError::TooLong(shown()))?;
        }
        u32::try_from(seconds).map(Span).map_err(|_| SpanError::TooLong(shown()))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        if self.0 >= 2 * DAY && self.0.is_multiple_of(DAY) {
            return write!(f, "{}d", self.0 / DAY);
        }
        for (amount, unit) in [(self.0 / HOUR, 'h'), (self.0 % HOUR / MINUTE, 'm'), (self.0 % MINUTE, 's')] {
            if amount > 0 {
                write!(f, "{amount}{unit}")?;
            }
        }
        Ok(())
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Duration {
        span.to_std()
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;

        impl de::Visitor<'_> for Written {
            type Value = Span;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a length of time such as 30s, 15m, 12h or 7d")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Span, E> {
                Err(E::custom(SpanError::NoUnit(number.to_string())))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Span, E> {
                Err(E::custom(SpanError::Number(number.to_string())))
            }
        }

        deserializer.deserialize_any(Written)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<u32, SpanError> {
        text.parse::<Span>().map(Span::as_secs)
    }

    #[test]
    fn spans_are_read_in_every_unit() {
        for (text, seconds) in [
            ("30s", 30),
            ("30sec", 30),
            ("15m", 900),
            ("10min", 600),
            ("26h", 93_600),
            ("7d", 604_800),
            ("1h30m", 5_400),
            ("1h 30m", 5_400),
            (" 1 h 30 m 5 s ", 5_405),
            ("0s", 0),
            ("90m", 5_400),
        ] {
            assert_eq!(read(text), Ok(seconds), "{text}");
        }
        assert_eq!(parse_duration("15m"), Ok(Duration::from_secs(900)));
    }

    #[test]
    fn what_is_no_span_is_refused_by_its_own_reason() {
        let own = |s: &str| s.to_owned();
        assert_eq!(read(" "), Err(SpanError::Empty));
        assert_eq!(read("15"), Err(SpanError::NoUnit(own("15"))));
        assert_eq!(read("2w"), Err(SpanError::Unit { text: own("2w"), unit: own("w") }));
        assert_eq!(read("15M"), Err(SpanError::Unit { text: own("15M"), unit: own("M") }));
        assert_eq!(read("15分"), Err(SpanError::Unit { text: own("15分"), unit: own("分") }));
        for text in ["1.5h", "-5m", "m", "1h30", "15", "1h,5m"] {
            assert!(read(text).is_err(), "{text}");
        }
        assert_eq!(read("1.5h"), Err(SpanError::Number(own("1.5h"))));
        assert_eq!(read("30m1h"), Err(SpanError::Order(own("30m1h"))));
        assert_eq!(read("1m1m"), Err(SpanError::Order(own("1m1m"))));
        assert!(matches!(read("49711d"), Err(SpanError::TooLong(_))));
        assert!(matches!(read("99999999999999999999999s"), Err(SpanError::TooLong(_))));
    }

    #[test]
    fn the_canonical_form_is_the_one_people_write() {
        for (seconds, text) in [
            (0, "0s"),
            (30, "30s"),
            (90, "1m30s"),
            (900, "15m"),
            (86_400, "24h"),
            (93_600, "26h"),
            (172_800, "2d"),
            (5_400, "1h30m"),
        ] {
            assert_eq!(Span::seconds(seconds).to_string(), text);
        }
    }

    #[test]
    fn settings_hold_spans_as_text_and_refuse_bare_numbers() {
        assert_eq!(serde_yaml::from_str::<Span>("26h").unwrap(), Span::hours(26));
        assert_eq!(serde_yaml::to_string(&Span::minutes(15)).unwrap().trim(), "15m");
        let refused = serde_yaml::from_str::<Span>("900").unwrap_err().to_string();
        assert!(refused.contains("900 has no unit: write 900s"), "{refused}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(seconds in any::<u32>()) {
            prop_assert_eq!(Span::seconds(seconds).to_string().parse::<Span>(), Ok(Span::seconds(seconds)));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            let _ = text.parse::<Span>();
        }
    }
}
