//! The times of a day that a schedule names: hours by minutes by seconds, as bits.

use chrono::{NaiveTime, Timelike};

use super::TimeOfDay;

const ALL_HOURS: u64 = (1 << 24) - 1;

/// Times of a day: each named hour with each named minute with each named second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    hours: u64,
    minutes: u64,
    seconds: u64,
}

impl Grid {
    /// One time of the day.
    pub(super) fn at(time: TimeOfDay) -> Grid {
        let time = time.local();
        Grid { hours: 1 << time.hour(), minutes: 1 << time.minute(), seconds: 1 << time.second() }
    }

    /// The times that three lists of numbers make up.
    pub(super) fn of(hours: &[u16], minutes: &[u16], seconds: &[u16]) -> Grid {
        let bits = |numbers: &[u16]| numbers.iter().filter(|n| **n < 60).fold(0, |bits, n| bits | (1_u64 << n));
        Grid { hours: bits(hours) & ALL_HOURS, minutes: bits(minutes), seconds: bits(seconds) }
    }

    /// True when no hour of the day is left out: the pattern then means an interval.
    pub(super) fn names_every_hour(self) -> bool {
        self.hours == ALL_HOURS
    }

    /// The first time of a day.
    pub(super) fn first(self) -> Option<NaiveTime> {
        self.from(0, 0, 0)
    }

    /// The first time of the same day after `time`.
    pub(super) fn next_after(self, time: NaiveTime) -> Option<NaiveTime> {
        self.from(time.hour(), time.minute(), time.second() + 1)
    }

    /// The first time from this one on; a part that runs over (second 60) carries into the next.
    fn from(self, hour: u32, minute: u32, second: u32) -> Option<NaiveTime> {
        let (first_minute, first_second) = (next(self.minutes, 0)?, next(self.seconds, 0)?);
        if named(self.hours, hour) {
            if named(self.minutes, minute)
                && let Some(second) = next(self.seconds, second)
            {
                return NaiveTime::from_hms_opt(hour, minute, second);
            }
            if let Some(minute) = next(self.minutes, minute + 1) {
                return NaiveTime::from_hms_opt(hour, minute, first_second);
            }
        }
        let later = if named(self.hours, hour) { hour + 1 } else { hour };
        NaiveTime::from_hms_opt(next(self.hours, later)?, first_minute, first_second)
    }
}

fn named(bits: u64, number: u32) -> bool {
    bits.checked_shr(number).is_some_and(|bits| bits & 1 == 1)
}

fn next(bits: u64, from: u32) -> Option<u32> {
    let rest = bits.checked_shr(from)?;
    (rest != 0).then(|| from + rest.trailing_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(hour: u32, minute: u32, second: u32) -> NaiveTime {
        NaiveTime::from_hms_opt(hour, minute, second).unwrap()
    }

    #[test]
    fn the_next_time_is_the_next_one_that_a_walk_over_all_seconds_meets() {
        let grid = Grid::of(&[3, 20], &[0, 59], &[5, 30]);
        let all: Vec<_> = (0..86_400)
            .map(|second| NaiveTime::from_num_seconds_from_midnight_opt(second, 0).unwrap())
            .filter(|t| [3, 20].contains(&t.hour()) && [0, 59].contains(&t.minute()) && [5, 30].contains(&t.second()))
            .collect();
        assert_eq!(grid.first(), all.first().copied());
        for second in (0..86_400).step_by(5) {
            let from = NaiveTime::from_num_seconds_from_midnight_opt(second, 0).unwrap();
            assert_eq!(grid.next_after(from), all.iter().copied().find(|time| *time > from), "{from}");
        }
    }

    #[test]
    fn the_last_second_of_a_day_has_nothing_after_it() {
        let every_second =
            Grid::of(&(0..24).collect::<Vec<_>>(), &(0..60).collect::<Vec<_>>(), &(0..60).collect::<Vec<_>>());
        assert!(every_second.names_every_hour());
        assert_eq!(every_second.next_after(time(23, 59, 59)), None);
        assert_eq!(every_second.next_after(time(9, 59, 59)), Some(time(10, 0, 0)));
        assert_eq!(Grid::of(&[], &[0], &[0]).first(), None);
    }
}
