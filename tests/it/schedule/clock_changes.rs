//! Where clocks change: all kinds in plain examples, and against the oracle.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};

use super::{JAPAN, NEW_YORK, TOKYO, at, oracle, schedule};
use renkei::domain::schedule::Schedule;

/// The slots of a span, as local times with their offsets.
fn slots(yaml: &str, zone: Tz, from: &str, to: &str) -> Vec<String> {
    schedule(yaml)
        .slots_between(zone, &JAPAN, at(from), at(to))
        .map(|slot| slot.with_timezone(&zone).format("%m-%d %H:%M %:z").to_string())
        .collect()
}

#[test]
fn a_time_that_does_not_exist_runs_at_the_next_instant_that_does() {
    let day = ("2026-03-08T05:00:00Z", "2026-03-09T03:59:59Z"); // New York goes from 01:59:59 to 03:00
    for yaml in ["daily: 02:30", "cron: 30 2 * * *", "cron: '*/30 2 * * *'", "once: 2026-03-08T02:30"] {
        assert_eq!(slots(yaml, NEW_YORK, day.0, day.1), ["03-08 03:00 -04:00"], "{yaml}");
    }
    assert_eq!(
        slots("cron: '*/30 1-3 * * *'", NEW_YORK, day.0, day.1),
        ["03-08 01:00 -05:00", "03-08 01:30 -05:00", "03-08 03:00 -04:00", "03-08 03:30 -04:00"]
    );
    assert_eq!(
        slots("{ every: 30m, between: '02:30-04:00' }", NEW_YORK, day.0, day.1),
        ["03-08 03:00 -04:00", "03-08 03:30 -04:00", "03-08 04:00 -04:00"]
    );
}

#[test]
fn a_time_that_exists_twice_runs_once_and_an_interval_goes_on() {
    let hours = ("2026-11-01T04:59:59Z", "2026-11-01T07:00:00Z"); // New York shows 01:00 to 01:59 twice
    for yaml in ["daily: 01:30", "cron: 30 1 * * *", "once: 2026-11-01T01:30"] {
        assert_eq!(slots(yaml, NEW_YORK, hours.0, hours.1), ["11-01 01:30 -04:00"], "{yaml}");
    }
    let both =
        ["11-01 01:00 -04:00", "11-01 01:30 -04:00", "11-01 01:00 -05:00", "11-01 01:30 -05:00", "11-01 02:00 -05:00"];
    for yaml in ["every: 30m", "cron: '*/30 * * * *'"] {
        assert_eq!(slots(yaml, NEW_YORK, "2026-11-01T04:59:59Z", hours.1), both, "{yaml}");
    }
}

#[test]
fn samoa_skipped_a_day_and_the_timer_did_not() {
    let slots = slots("daily: 06:00", Tz::Pacific__Apia, "2011-12-29T10:00:00Z", "2012-01-01T10:00:00Z");
    assert_eq!(slots, ["12-29 06:00 -10:00", "12-31 00:00 +14:00", "12-31 06:00 +14:00", "01-01 06:00 +14:00"]);
}

/// Compares all readings with the oracle from `from` on, for some days, and says how many slots agreed.
fn compare(zone: Tz, from: DateTime<Utc>, days: i64, readings: &[(Schedule, oracle::Due)]) -> usize {
    // Two days of lead give the oracle the windows that were open when the comparison starts.
    let walk = oracle::walk(zone, from - TimeDelta::days(2), (days + 2) * 1440);
    let to = from + TimeDelta::minutes(days * 1440 - 1);
    let mut agreed = 0;
    for (schedule, due) in readings {
        let expected: Vec<_> = due.slots(&walk).into_iter().filter(|slot| *slot > from).collect();
        let found: Vec<_> = schedule.slots_between(zone, &JAPAN, from, to).collect();
        if found != expected {
            let show = |slots: &[DateTime<Utc>], others: &[DateTime<Utc>]| {
                let mut only: Vec<_> = slots.iter().filter(|slot| !others.contains(slot)).collect();
                only.truncate(6);
                format!("{:?}", only.iter().map(|slot| slot.with_timezone(&zone).to_rfc3339()).collect::<Vec<_>>())
            };
            panic!(
                "{zone}, {}: only ours {}, only the oracle's {}",
                schedule.describe_en(),
                show(&found, &expected),
                show(&expected, &found)
            );
        }
        agreed += found.len();
    }
    agreed
}

fn readings() -> Vec<(Schedule, oracle::Due)> {
    oracle::readings().into_iter().map(|(yaml, due)| (schedule(yaml), due)).collect()
}

#[test]
fn all_kinds_agree_with_the_oracle_where_clocks_change() {
    let readings = readings();
    for (zone, from, days) in [
        (TOKYO, "2026-02-24", 8),
        (NEW_YORK, "2026-03-05", 6),
        (NEW_YORK, "2026-10-29", 6),
        (Tz::Europe__London, "2026-03-27", 6),
        (Tz::Europe__London, "2026-10-23", 9),
        (Tz::Australia__Lord_Howe, "2026-04-02", 6), // half an hour
        (Tz::Australia__Lord_Howe, "2026-10-01", 6),
        (Tz::Africa__Casablanca, "2026-02-13", 4), // back for Ramadan, forward after it
        (Tz::Africa__Casablanca, "2026-03-20", 4),
        (Tz::America__Sao_Paulo, "2018-02-15", 5), // at midnight
        (Tz::America__Sao_Paulo, "2018-11-01", 5),
        (Tz::America__St_Johns, "2006-10-26", 6), // at 00:01
        (Tz::America__St_Johns, "2006-03-30", 6),
        (Tz::Antarctica__Troll, "2026-10-23", 5),  // two hours
        (Tz::Pacific__Apia, "2011-12-27", 7),      // a day is missing
        (Tz::Pacific__Kwajalein, "1969-09-27", 6), // a day is repeated but for an hour
        (Tz::Pacific__Kwajalein, "1993-08-18", 6),
    ] {
        compare(zone, at(&format!("{from}T00:00:00Z")), days, &readings);
    }
}

/// The days since 1970, from `from` to `to`, on which a zone's clock changes, with the change.
fn changes(zone: Tz, from: i64, to: i64) -> impl Iterator<Item = (i64, TimeDelta, TimeDelta)> {
    let offset = move |day: i64| {
        let at = DateTime::UNIX_EPOCH + TimeDelta::days(day);
        at.with_timezone(&zone).naive_local() - at.naive_utc()
    };
    let weeks = (from..to).step_by(7).filter(move |week| offset(*week) != offset(week + 7));
    let days = weeks.flat_map(|week| week..week + 7).map(move |day| (day, offset(day), offset(day + 1)));
    // The oracle steps by the minute, so it cannot follow the local mean times of old (Monrovia until 1972).
    days.filter(|(_, before, after)| before != after && [before, after].iter().all(|o| o.num_seconds() % 60 == 0))
}

#[test]
fn the_zones_of_the_world_agree_with_the_oracle_at_one_of_their_changes() {
    let readings: Vec<_> = readings().into_iter().step_by(3).collect();
    // Zones that share a change look alike there: once is enough.
    let mut seen = std::collections::HashSet::new();
    for (index, zone) in TZ_VARIANTS.iter().enumerate() {
        let from = (index as i64 % 7) * 8 * 365;
        let Some(change) = changes(*zone, from, 24_000).next() else {
            continue;
        };
        if seen.insert(change) {
            compare(*zone, DateTime::UNIX_EPOCH + TimeDelta::days(change.0 - 1), 3, &readings);
        }
    }
    assert!(seen.len() > 100, "only {} changes were found", seen.len());
}

/// All of them, one by one: some minutes, so it is asked for by name (docs/reliability.md).
#[test]
#[expect(clippy::print_stdout, reason = "whoever asks for minutes of work wants to know how much it was")]
#[ignore = "takes minutes: cargo test --release --test it every_change_of_every_zone -- --ignored --nocapture"]
fn every_change_of_every_zone_from_2000_to_2040_agrees_with_the_oracle() {
    let (first, last) = (10_957, 25_933); // 1 January 2000 to 31 December 2040, in days since 1970
    let readings = readings();
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let done = std::sync::Mutex::new((0, 0));
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (readings, done) = (&readings, &done);
            scope.spawn(move || {
                for zone in TZ_VARIANTS.iter().skip(worker).step_by(workers) {
                    let offset = |day: i64| {
                        let at = DateTime::UNIX_EPOCH + TimeDelta::days(day);
                        at.with_timezone(zone).naive_local() - at.naive_utc()
                    };
                    let (mut changes, mut slots) = (0, 0);
                    for day in (first..=last).filter(|day| offset(*day) != offset(day + 1)) {
                        assert!([day, day + 1].iter().all(|day| offset(*day).num_seconds() % 60 == 0), "{zone}");
                        changes += 1;
                        slots += compare(*zone, DateTime::UNIX_EPOCH + TimeDelta::days(day - 1), 3, readings);
                    }
                    let mut done = done.lock().unwrap();
                    *done = (done.0 + changes, done.1 + slots);
                }
            });
        }
    });
    let (changes, slots) = done.into_inner().unwrap();
    println!("{} zones, {changes} changes, {} schedules, {slots} slots agree", TZ_VARIANTS.len(), readings.len());
    assert!(changes > 10_000, "only {changes} changes were found");
}
