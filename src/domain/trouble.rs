//! When people are told of a failure that repeats itself: the decision `tell`. The first one at once, another kind of
//! failure at once, the same one again at most hourly, and once more when it is over. A timer of every fifteen minutes
//! that fails all night would else bury the one mail that matters.

use super::failure::Code;
use chrono::{DateTime, TimeDelta, Utc};

/// How long the same failure is not told again.
pub const QUIET: TimeDelta = TimeDelta::hours(1);

/// What a menu and integration suffers from, and what people were told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// The first failure after all was well.
    pub since: DateTime<Utc>,
    /// The failure that was told last.
    pub code: Code,
    /// When.
    pub told_at: DateTime<Utc>,
    /// Failures that were not told since then.
    pub untold: u32,
}

/// How a run ended, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Well.
    Good,
    /// Badly, by this failure.
    Bad(Code),
    /// Neither: a person stopped it, or it waits for a person.
    Neither,
}

/// Whether a mail is due beyond what the report policy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// As the policy says.
    AsUsual,
    /// Tell it, and that so many were not told since the last time.
    Again(u32),
    /// Not now.
    Hush,
    /// 復旧しました: trouble since then is over.
    Recovered(DateTime<Utc>),
}

/// Decides what is told of a run's end, and what is remembered.
#[must_use]
pub fn tell(trouble: Option<Trouble>, outcome: Outcome, now: DateTime<Utc>) -> (Telling, Option<Trouble>) {
    match (trouble, outcome) {
        (None, Outcome::Good) | (_, Outcome::Neither) => (Telling::AsUsual, trouble),
        (None, Outcome::Bad(code)) => (Telling::AsUsual, Some(Trouble { since: now, code, told_at: now, untold: 0 })),
        (Some(trouble), Outcome::Good) => (Telling::Recovered(trouble.since), None),
        (Some(trouble), Outcome::Bad(code)) => {
            let quiet = code == trouble.code && now >= trouble.told_at && now - trouble.told_at < QUIET;
            if quiet {
                return (Telling::Hush, Some(Trouble { untold: trouble.untold.saturating_add(1), ..trouble }));
            }
            (Telling::Again(trouble.untold), Some(Trouble { code, told_at: now, untold: 0, ..trouble }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_at_once_the_same_hourly_another_at_once_and_the_end() {
        let at = |minute: i64| DateTime::from_timestamp(minute * 60, 0).unwrap();
        let unreachable = Outcome::Bad(Code::Unreachable);
        let mut trouble = None;
        let mut told = |outcome, minute| {
            let (telling, after) = tell(trouble, outcome, at(minute));
            trouble = after;
            telling
        };
        assert_eq!(told(Outcome::Good, 0), Telling::AsUsual);
        assert_eq!(told(unreachable, 15), Telling::AsUsual);
        assert_eq!(told(unreachable, 30), Telling::Hush);
        assert_eq!(told(Outcome::Neither, 31), Telling::AsUsual);
        assert_eq!(told(unreachable, 74), Telling::Hush);
        assert_eq!(told(unreachable, 75), Telling::Again(2));
        assert_eq!(told(Outcome::Bad(Code::Unknown), 80), Telling::Again(0));
        assert_eq!(told(Outcome::Bad(Code::Unknown), 81), Telling::Hush);
        assert_eq!(told(Outcome::Good, 90), Telling::Recovered(at(15)));
        assert_eq!(told(Outcome::Good, 95), Telling::AsUsual);
    }

    #[test]
    fn a_clock_that_went_back_does_not_hush_for_ever() {
        let at = |minute: i64| DateTime::from_timestamp(minute * 60, 0).unwrap();
        let (_, trouble) = tell(None, Outcome::Bad(Code::Unreachable), at(600));
        let (telling, _) = tell(trouble, Outcome::Bad(Code::Unreachable), at(0));
        assert_eq!(telling, Telling::Again(0));
    }
}
