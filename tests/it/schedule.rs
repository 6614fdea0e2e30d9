//! When timers run: read as settings write them, told apart from what can never be, and held against a slow oracle
//! wherever clocks change.

mod oracle;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use proptest::prelude::*;
use renkei::domain::schedule::{CronRule, Schedule, TimeOfDay, Window, WrittenSchedule};

const TOKYO: Tz = Tz::Asia__Tokyo;
const NEW_YORK: Tz = Tz::America__New_York;

fn schedule(yaml: &str) -> Schedule {
    serde_yaml::from_str(yaml).unwrap_or_else(|error| panic!("{yaml}: {error}"))
}

/// The path and the words of a refusal.
fn refusal(yaml: &str) -> (String, String) {
    let written: WrittenSchedule = serde_yaml::from_str(yaml).unwrap_or_else(|error| panic!("{yaml}: {error}"));
    let error = Schedule::try_from(written).expect_err(yaml);
    (error.path().to_owned(), error.to_string())
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse::<DateTime<Utc>>().unwrap()
}

/// The slots of a span, as local times with their offsets.
fn slots(yaml: &str, zone: Tz, from: &str, to: &str) -> Vec<String> {
    schedule(yaml)
        .slots_between(zone, at(from), at(to))
        .map(|slot| slot.with_timezone(&zone).format("%m-%d %H:%M %:z").to_string())
        .collect()
}

#[test]
fn every_written_form_is_read_and_written_again_unchanged() {
    for written in [
        "once: 2026-12-01T06:00",
        "daily: 06:00",
        "daily: 06:00:30",
        "weekly:\n  on:\n  - mon\n  - thu\n  at: 06:00",
        "monthly:\n  day: 31\n  at: 23:30",
        "monthly:\n  day: last\n  at: 23:30\n  months:\n  - 4\n  - 10",
        "every: 15m",
        "every: 15m\nbetween: 08:00-20:00",
        "every: 1h30m\nbetween: 20:00-06:00",
        "every: 30s\nbetween: 08:00-24:00",
        "cron: 0 6 * * 1-5",
        "cron: 30 0 6 L * ?",
    ] {
        let once = serde_yaml::to_string(&schedule(written)).unwrap();
        assert_eq!(once.replace(['\'', '"'], "").trim(), written);
        assert_eq!(schedule(&once), schedule(written));
        let json = serde_json::to_string(&schedule(written)).unwrap();
        assert_eq!(
            serde_json::from_str::<Schedule>(&json).unwrap(),
            schedule(written),
            "{json}"
        );
    }
}

#[test]
fn other_spellings_are_read_and_written_in_the_one_form() {
    for (spelling, canonical) in [
        ("once: 2026-12-01 6:00", "once: 2026-12-01T06:00"),
        ("daily: ' 6:00 '", "daily: 06:00"),
        (
            "weekly: { on: [日曜日, Thursday, 木, MON], at: 06:00 }",
            "weekly: { on: [mon, thu, sun], at: 06:00 }",
        ),
        ("weekly: { on: fri, at: 06:00 }", "weekly: { on: [fri], at: 06:00 }"),
        (
            "monthly: { day: '5', at: 06:00, months: 4 }",
            "monthly: { day: 5, at: 06:00, months: [4] }",
        ),
        (
            "monthly: { day: 5, at: 06:00, months: [12,11,10,9,8,7,6,5,4,3,2,1] }",
            "monthly: { day: 5, at: 06:00 }",
        ),
        ("every: 90min", "every: 1h30m"),
        ("cron: '  0   6 * *  MON '", "cron: 0 6 * * MON"),
        ("cron: '@weekly'", "cron: 0 0 * * 0"),
    ] {
        let written = |yaml| serde_yaml::to_string(&schedule(yaml)).unwrap();
        assert_eq!(written(spelling), written(canonical), "{spelling}");
    }
}

#[test]
fn what_cannot_be_is_refused_with_its_place_and_its_fix() {
    for (yaml, path, words) in [
        ("{}", "", "write one of once, daily"),
        (
            "{ daily: 06:00, cron: '0 6 * * *' }",
            "",
            "daily and cron stand together",
        ),
        ("{ daily: 06:00, between: 08:00-20:00 }", "between", "belongs to every"),
        ("{ between: 08:00-20:00 }", "between", "belongs to every"),
        (
            "daily: 25:00",
            "daily",
            "`25:00` is no time of the day: write 00:00 to 23:59",
        ),
        ("daily: 24:00", "daily", "00:00 of the next day"),
        ("daily: 6", "daily", "`6` is no time of the day"),
        ("once: 2026-02-30T06:00", "once", "does not exist"),
        ("once: 2026-13-01T06:00", "once", "does not exist"),
        ("once: 2026-02-28T26:00", "once", "no date and time"),
        ("once: 2026-02-28", "once", "write \"2026-12-01T06:00\""),
        ("once: 2026-02-28T06:00+09:00", "once", "timezone says where"),
        ("once: 2026-02-28T06:00Z", "once", "timezone says where"),
        ("once: 1969-02-28T06:00", "once", "1970"),
        ("weekly: { on: [], at: 06:00 }", "weekly.on", "empty list"),
        (
            "weekly: { on: [mon, funday], at: 06:00 }",
            "weekly.on",
            "`funday` is no day of the week",
        ),
        ("weekly: { on: [mon] }", "weekly.at", "is missing"),
        ("weekly: { at: 06:00 }", "weekly.on", "is missing: write [mon, thu]"),
        ("weekly: { on: [mon], at: 6am }", "weekly.at", "no time of the day"),
        ("monthly: { day: 0, at: 06:00 }", "monthly.day", "1 to 31, or last"),
        ("monthly: { day: 32, at: 06:00 }", "monthly.day", "1 to 31, or last"),
        ("monthly: { day: -1, at: 06:00 }", "monthly.day", "1 to 31, or last"),
        (
            "monthly: { day: 31, at: 06:00, months: [1, 2, 4] }",
            "monthly.months",
            "months 2, 4 have no day 31",
        ),
        (
            "monthly: { day: 30, at: 06:00, months: [2] }",
            "monthly.months",
            "month 2 has no day 30: take it out",
        ),
        (
            "monthly: { day: 1, at: 06:00, months: [] }",
            "monthly.months",
            "empty list",
        ),
        (
            "monthly: { day: 1, at: 06:00, months: [13] }",
            "monthly.months",
            "`13` is no month",
        ),
        ("monthly: { at: 06:00 }", "monthly.day", "is missing"),
        ("every: 15", "every", "15 has no unit: write 15s"),
        ("every: 0m", "every", "would never end"),
        ("every: 25h", "every", "25h is longer than a day"),
        (
            "{ every: 13h, between: 08:00-20:00 }",
            "every",
            "13h does not fit between 08:00-20:00",
        ),
        ("{ every: 1h, between: 08:00 }", "between", "write two times"),
        ("{ every: 1h, between: 08:00-08:00 }", "between", "ends where it starts"),
        (
            "{ every: 1h, between: 08:00-25:00 }",
            "between",
            "`25:00` is no time of the day",
        ),
        ("cron: '0 0 31 2 *'", "cron", "never comes"),
        ("cron: '0 6 * *'", "cron", "5 fields"),
        ("cron: '0 0 6 1 1 * 2027'", "cron", "year"),
        ("cron: '0 25 * * *'", "cron", "`25` is no hour: write 0-23"),
        ("cron: '@reboot'", "cron", "write five fields"),
    ] {
        let (found, message) = refusal(yaml);
        assert_eq!(found, path, "{yaml}: {message}");
        assert!(message.contains(words), "{yaml}: {message}");
        let through_serde = serde_yaml::from_str::<Schedule>(yaml).unwrap_err().to_string();
        assert!(through_serde.contains(&message), "{yaml}: {through_serde}");
    }
}

#[test]
fn unknown_keys_and_shapes_are_refused() {
    for yaml in [
        "hourly: 5",
        "{ daily: 06:00, business_day: next }",
        "weekly: { on: [mon], at: 06:00, every: 2 }",
        "daily: [06:00]",
        "daily",
        "[daily]",
        "weekly: { on: { mon: 1 }, at: 06:00 }",
        "weekly: mon",
    ] {
        assert!(serde_yaml::from_str::<Schedule>(yaml).is_err(), "{yaml}");
    }
    let words = serde_yaml::from_str::<Schedule>("daily").unwrap_err().to_string();
    assert!(words.contains("one of once, daily, weekly"), "{words}");
}

#[test]
fn what_is_likely_not_meant_is_warned_of() {
    let warnings = |yaml| {
        schedule(yaml)
            .warnings()
            .iter()
            .map(|w| (w.path(), w.to_string()))
            .collect::<Vec<_>>()
    };
    assert!(
        warnings("monthly: { day: 31, at: 06:00 }")[0]
            .1
            .contains("without a day 31")
    );
    assert!(
        warnings("monthly: { day: 29, at: 06:00, months: [2] }")[0]
            .1
            .contains("leap years")
    );
    assert_eq!(warnings("every: 7h")[0].0, "every");
    assert!(warnings("cron: 0 6 1 * 1")[0].1.contains('+'));
    for quiet in [
        "monthly: { day: 28, at: 06:00 }",
        "monthly: { day: 31, at: 06:00, months: [1, 3] }",
        "monthly: { day: last, at: 06:00 }",
        "every: 15m",
        "{ every: 7h, between: 08:00-20:00 }",
        "cron: 0 6 1 * +1",
        "cron: 0 6 * * 1",
        "daily: 06:00",
    ] {
        assert_eq!(warnings(quiet), [], "{quiet}");
    }
}

#[test]
fn a_schedule_can_be_said_in_two_languages() {
    let said: Vec<String> = [
        "once: 2026-12-01T06:00",
        "daily: 06:00",
        "weekly: { on: [mon, thu], at: 06:00 }",
        "monthly: { day: 25, at: 23:30 }",
        "monthly: { day: last, at: 23:30, months: [4, 10] }",
        "every: 90m",
        "{ every: 15m, between: 08:00-20:00 }",
        "cron: 0 6 * * 1-5",
    ]
    .into_iter()
    .map(|yaml| format!("{} | {}", schedule(yaml).describe_en(), schedule(yaml).describe_ja()))
    .collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    once at 2026-12-01 06:00 | 2026年12月1日 06:00(1回)
    daily at 06:00 | 毎日 06:00
    weekly on Mon, Thu at 06:00 | 毎週月・木曜日 06:00
    monthly on day 25 at 23:30 | 毎月25日 23:30
    on the last day of Apr, Oct at 23:30 | 毎年4月・10月の末日 23:30
    every 1h30m | 1時間30分ごと
    every 15m between 08:00-20:00 | 15分ごと(08:00〜20:00)
    cron 0 6 * * 1-5 | cron 0 6 * * 1-5
    ");
}

#[test]
fn once_runs_once_and_is_exhausted() {
    let once = schedule("once: 2026-12-01T06:00");
    let slot = at("2026-11-30T21:00:00Z");
    let before = slot - TimeDelta::nanoseconds(1);
    assert_eq!(once.next_after(TOKYO, before), Some(slot));
    assert!(!once.is_exhausted(TOKYO, before));
    assert_eq!(once.next_after(TOKYO, slot), None);
    assert!(once.is_exhausted(TOKYO, slot));
    assert!(!schedule("daily: 06:00").is_exhausted(TOKYO, slot));
}

#[test]
fn seconds_count_and_parts_of_seconds_do_not_repeat_a_slot() {
    let daily = schedule("daily: 06:00:30");
    let slot = at("2026-11-23T21:00:30Z");
    assert_eq!(daily.next_after(TOKYO, at("2026-11-23T21:00:29.999Z")), Some(slot));
    assert_eq!(
        daily.next_after(TOKYO, at("2026-11-23T21:00:30.5Z")),
        Some(slot + TimeDelta::days(1))
    );
    let cron = schedule("cron: '*/20 59 23 * * *'");
    assert_eq!(
        cron.next_after(TOKYO, at("2026-11-23T14:59:20Z")),
        Some(at("2026-11-23T14:59:40Z"))
    );
    assert_eq!(
        cron.next_after(TOKYO, at("2026-11-23T14:59:40Z")),
        Some(at("2026-11-24T14:59:00Z"))
    );
    let every = schedule("{ every: 50s, between: '08:00:10-08:01:50' }");
    let slots: Vec<_> = every
        .slots_between(TOKYO, at("2026-11-23T00:00:00Z"), at("2026-11-24T00:00:00Z"))
        .collect();
    assert_eq!(
        slots,
        [10, 60, 110].map(|s| at("2026-11-23T23:00:00Z") + TimeDelta::seconds(s))
    );
}

#[test]
fn a_time_that_does_not_exist_runs_at_the_next_instant_that_does() {
    let day = ("2026-03-08T05:00:00Z", "2026-03-09T03:59:59Z"); // New York goes from 01:59:59 to 03:00
    for yaml in [
        "daily: 02:30",
        "cron: 30 2 * * *",
        "cron: '*/30 2 * * *'",
        "once: 2026-03-08T02:30",
    ] {
        assert_eq!(slots(yaml, NEW_YORK, day.0, day.1), ["03-08 03:00 -04:00"], "{yaml}");
    }
    assert_eq!(
        slots("cron: '*/30 1-3 * * *'", NEW_YORK, day.0, day.1),
        [
            "03-08 01:00 -05:00",
            "03-08 01:30 -05:00",
            "03-08 03:00 -04:00",
            "03-08 03:30 -04:00"
        ]
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
        assert_eq!(
            slots(yaml, NEW_YORK, hours.0, hours.1),
            ["11-01 01:30 -04:00"],
            "{yaml}"
        );
    }
    let both = [
        "11-01 01:00 -04:00",
        "11-01 01:30 -04:00",
        "11-01 01:00 -05:00",
        "11-01 01:30 -05:00",
        "11-01 02:00 -05:00",
    ];
    for yaml in ["every: 30m", "cron: '*/30 * * * *'"] {
        assert_eq!(slots(yaml, NEW_YORK, "2026-11-01T04:59:59Z", hours.1), both, "{yaml}");
    }
}

#[test]
fn samoa_skipped_a_day_and_the_timer_did_not() {
    let slots = slots(
        "daily: 06:00",
        Tz::Pacific__Apia,
        "2011-12-29T10:00:00Z",
        "2012-01-01T10:00:00Z",
    );
    assert_eq!(
        slots,
        [
            "12-29 06:00 -10:00",
            "12-31 00:00 +14:00",
            "12-31 06:00 +14:00",
            "01-01 06:00 +14:00"
        ]
    );
}

#[test]
fn the_rarest_day_is_found_and_the_search_ends_with_the_calendar() {
    let leap_monday = schedule("cron: 0 0 29 2 +1");
    assert_eq!(
        leap_monday.next_after(Tz::UTC, at("2072-03-01T00:00:00Z")),
        Some(at("2112-02-29T00:00:00Z"))
    );
    for year in [-200_000, 1, 1899, 9998, 9999, 200_000] {
        let after = Utc.with_ymd_and_hms(year, 12, 31, 23, 59, 59).unwrap();
        for yaml in [
            "daily: 06:00",
            "every: 15m",
            "cron: 0 6 * * *",
            "monthly: { day: 31, at: 06:00 }",
        ] {
            assert_eq!(
                schedule(yaml).next_after(TOKYO, after).is_some(),
                year <= 9998,
                "{yaml} {year}"
            );
        }
    }
    for extreme in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        let _ = schedule("cron: '* * * * *'").next_after(TOKYO, extreme);
    }
}

/// Compares all readings with the oracle from `from` on, for some days.
fn compare(zone: Tz, from: DateTime<Utc>, days: i64, readings: &[(Schedule, oracle::Due)]) {
    // Two days of lead give the oracle the windows that were open when the comparison starts.
    let walk = oracle::walk(zone, from - TimeDelta::days(2), (days + 2) * 1440);
    let to = from + TimeDelta::minutes(days * 1440 - 1);
    for (schedule, due) in readings {
        let expected: Vec<_> = due.slots(&walk).into_iter().filter(|slot| *slot > from).collect();
        let found: Vec<_> = schedule.slots_between(zone, from, to).collect();
        if found != expected {
            let show = |slots: &[DateTime<Utc>], others: &[DateTime<Utc>]| {
                let mut only: Vec<_> = slots.iter().filter(|slot| !others.contains(slot)).collect();
                only.truncate(6);
                format!(
                    "{:?}",
                    only.iter()
                        .map(|slot| slot.with_timezone(&zone).to_rfc3339())
                        .collect::<Vec<_>>()
                )
            };
            panic!(
                "{zone}, {}: only ours {}, only the oracle's {}",
                schedule.describe_en(),
                show(&found, &expected),
                show(&expected, &found)
            );
        }
    }
}

fn readings() -> Vec<(Schedule, oracle::Due)> {
    oracle::readings()
        .into_iter()
        .map(|(yaml, due)| (schedule(yaml), due))
        .collect()
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

#[test]
fn each_zone_of_the_world_agrees_with_the_oracle_at_one_of_its_changes() {
    let readings: Vec<_> = readings().into_iter().step_by(3).collect();
    for (index, zone) in TZ_VARIANTS.iter().enumerate() {
        let offset = |day: i64| {
            (at("1975-01-01T00:00:00Z") + TimeDelta::days(day))
                .with_timezone(zone)
                .naive_local()
        };
        let days = (index as i64 * 7..365 * 52).step_by(7);
        let change = days
            .into_iter()
            .find(|day| offset(day + 7) - offset(*day) != TimeDelta::days(7));
        let Some(week) = change else { continue };
        let day = (week..week + 7)
            .find(|day| offset(day + 1) - offset(*day) != TimeDelta::days(1))
            .unwrap();
        compare(
            *zone,
            at("1975-01-01T00:00:00Z") + TimeDelta::days(day - 1),
            3,
            &readings,
        );
    }
}

/// Any schedule that settings can write.
fn any_schedule() -> impl Strategy<Value = Schedule> {
    let time = (0..24_u32, 0..60_u32, prop_oneof![3 => Just(0_u32), 1 => 0..60_u32])
        .prop_map(|(h, m, s)| format!("{h:02}:{m:02}:{s:02}"));
    let list = |max: u32| {
        prop_oneof![
            Just("*".to_owned()),
            (0..max).prop_map(|n| n.to_string()),
            (2..max).prop_map(|n| format!("*/{n}")),
            (0..max, 0..max).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
        ]
    };
    let written = prop_oneof![
        (1970..2037_i32, 1..=12_u32, 1..=28_u32, time.clone())
            .prop_map(|(y, m, d, t)| format!("once: {y}-{m:02}-{d:02}T{t}")),
        time.clone().prop_map(|t| format!("daily: '{t}'")),
        (
            prop::sample::subsequence(vec!["mon", "tue", "wed", "thu", "fri", "sat", "sun"], 1..=7),
            time.clone()
        )
            .prop_map(|(on, t)| format!("weekly: {{ on: [{}], at: '{t}' }}", on.join(", "))),
        (1..=31_u32, time.clone()).prop_map(|(day, t)| format!("monthly: {{ day: {day}, at: '{t}' }}")),
        (1..=86_400_u32).prop_map(|step| format!("every: {step}s")),
        (1..=20_000_u32, time.clone(), time)
            .prop_map(|(step, a, b)| { format!("{{ every: {step}s, between: '{a}-{b}' }}") }),
        (list(60), list(60), list(24), list(28), list(12), list(7))
            .prop_map(|(s, m, h, d, mo, w)| format!("cron: '{s} {m} {h} {d} {mo} {w}'")),
    ];
    written.prop_filter_map("impossible", |yaml| serde_yaml::from_str(&yaml).ok())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn slots_go_forward_in_whole_seconds_and_do_not_depend_on_when_one_asks(
        schedule in any_schedule(),
        zone in prop::sample::select(&TZ_VARIANTS[..]),
        after in 0..2_147_483_647_i64,
        part in 0.0..1.0_f64,
    ) {
        let mut after = DateTime::from_timestamp(after, 999_999_999).unwrap();
        for _ in 0..10 {
            let Some(next) = schedule.next_after(zone, after) else {
                prop_assert!(matches!(schedule, Schedule::Once(_)));
                break;
            };
            prop_assert!(next > after);
            prop_assert_eq!(next.timestamp_subsec_nanos(), 0);
            let between = after + TimeDelta::milliseconds(((next - after).num_milliseconds() as f64 * part) as i64);
            prop_assert_eq!(schedule.next_after(zone, between.min(next - TimeDelta::nanoseconds(1))), Some(next));
            after = next;
        }
    }

    #[test]
    fn schedules_survive_being_written(schedule in any_schedule()) {
        let yaml = serde_yaml::to_string(&schedule).unwrap();
        prop_assert_eq!(serde_yaml::from_str::<Schedule>(&yaml).unwrap(), schedule);
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,60}") {
        let _ = CronRule::parse(&text);
        let _ = TimeOfDay::parse(&text);
        let _ = Window::parse(&text);
        let json = serde_json::json!({ "once": text });
        let _ = serde_json::from_value::<Schedule>(json);
    }

    #[test]
    fn anything_that_looks_like_cron_is_read_or_refused(
        fields in prop::collection::vec("[-0-9*/,LWlw#+?]{1,6}|MON|jan|\\*", 4..8),
    ) {
        let text = fields.join(" ");
        if let Ok(cron) = CronRule::parse(&text) {
            let next = Schedule::Cron(cron).next_after(TOKYO, DateTime::UNIX_EPOCH);
            prop_assert!(next.is_some(), "{}", text);
        }
    }
}
