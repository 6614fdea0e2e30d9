//! When what could not be delivered is tried again: the same for mail and for notices.

use chrono::{DateTime, TimeDelta, Utc};

/// The longest pause between two tries.
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(1);

/// How long something is tried before it is given up.
pub const GIVE_UP_AFTER: TimeDelta = TimeDelta::days(3);

/// How long something rests that may or may not have been taken, because that could not be written down.
pub const DOUBT: TimeDelta = TimeDelta::minutes(5);

/// When to try again after a try that came to nothing, `tries` having been made before it: pauses double from 15 s up to
/// an hour. `None`: it is given up.
#[must_use]
pub fn next_try(tries: u32, created_at: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let pause = TimeDelta::seconds(15 << tries.min(8)).min(LONGEST_PAUSE);
    (now + pause <= created_at + GIVE_UP_AFTER).then_some(now + pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour_and_end_after_three_days() {
        let at = |seconds: i64| DateTime::from_timestamp(seconds, 0).unwrap();
        let pause = |tries| next_try(tries, at(0), at(0)).map(|next| next.timestamp());
        assert_eq!([0, 1, 7, 8, 900].map(pause), [15, 30, 1_920, 3_600, 3_600].map(Some));
        let end = GIVE_UP_AFTER.num_seconds();
        assert_eq!(next_try(900, at(0), at(end - 3_600)), Some(at(end)));
        assert_eq!(next_try(900, at(0), at(end - 3_599)), None);
    }
}
