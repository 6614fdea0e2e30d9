//! When timers run: read as settings write them, told apart from what can never be, and held against a slow oracle
//! wherever clocks change.

mod business_days;
mod clock_changes;
mod oracle;
mod peers;

use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use proptest::prelude::*;
use renkei::domain::calendar::Calendar;
use renkei::domain::fault::{Fault, Severity};
use renkei::domain::schedule::{CronRule, Kind, Schedule, TimeOfDay, Window, WrittenSchedule};
use renkei::domain::timer::Timer;

const TOKYO: Tz = Tz::Asia__Tokyo;
const NEW_YORK: Tz = Tz::America__New_York;

static JAPAN: LazyLock<Calendar> = LazyLock::new(Calendar::japanese);

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
        "daily: 06:00\nbusiness_day: only",
        "monthly:\n  day: 25\n  at: 23:30\nbusiness_day: previous",
        "monthly:\n  nth_business_day: 3\n  at: 06:00",
        "monthly:\n  nth_business_day: last\n  at: 18:00\n  months:\n  - 3",
    ] {
        let once = serde_yaml::to_string(&schedule(written)).unwrap();
        assert_eq!(once.replace(['\'', '"'], "").trim(), written);
        assert_eq!(schedule(&once), schedule(written));
        let json = serde_json::to_string(&schedule(written)).unwrap();
        assert_eq!(serde_json::from_str::<Schedule>(&json).unwrap(), schedule(written), "{json}");
    }
}

#[test]
fn other_spellings_are_read_and_written_in_the_one_form() {
    for (spelling, canonical) in [
        ("once: 2026-12-01 6:00", "once: 2026-12-01T06:00"),
        ("daily: ' 6:00 '", "daily: 06:00"),
        ("weekly: { on: [日曜日, Thursday, 木, MON], at: 06:00 }", "weekly: { on: [mon, thu, sun], at: 06:00 }"),
        ("weekly: { on: fri, at: 06:00 }", "weekly: { on: [fri], at: 06:00 }"),
        ("monthly: { day: '5', at: 06:00, months: 4 }", "monthly: { day: 5, at: 06:00, months: [4] }"),
        ("monthly: { day: 5, at: 06:00, months: [12,11,10,9,8,7,6,5,4,3,2,1] }", "monthly: { day: 5, at: 06:00 }"),
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
        ("{ daily: 06:00, cron: '0 6 * * *' }", "", "daily and cron stand together"),
        ("{ daily: 06:00, between: 08:00-20:00 }", "between", "belongs to every"),
        ("{ between: 08:00-20:00 }", "between", "belongs to every"),
        ("daily: 25:00", "daily", "`25:00` is no time of the day: write 00:00 to 23:59"),
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
        ("weekly: { on: [mon, funday], at: 06:00 }", "weekly.on", "`funday` is no day of the week"),
        ("weekly: { on: [mon] }", "weekly.at", "is missing"),
        ("weekly: { at: 06:00 }", "weekly.on", "is missing: write [mon, thu]"),
        ("weekly: { on: [mon], at: 6am }", "weekly.at", "no time of the day"),
        ("monthly: { day: 0, at: 06:00 }", "monthly.day", "1 to 31, or last"),
        ("monthly: { day: 32, at: 06:00 }", "monthly.day", "1 to 31, or last"),
        ("monthly: { day: -1, at: 06:00 }", "monthly.day", "1 to 31, or last"),
        ("monthly: { day: 31, at: 06:00, months: [1, 2, 4] }", "monthly.months", "months 2, 4 have no day 31"),
        ("monthly: { day: 30, at: 06:00, months: [2] }", "monthly.months", "month 2 has no day 30: take it out"),
        ("monthly: { day: 1, at: 06:00, months: [] }", "monthly.months", "empty list"),
        ("monthly: { day: 1, at: 06:00, months: [13] }", "monthly.months", "`13` is no month"),
        ("monthly: { at: 06:00 }", "monthly.day", "is missing"),
        ("{ daily: 06:00, business_day: next }", "business_day", "daily has slots on each business day already"),
        ("{ every: 15m, business_day: previous }", "business_day", "write business_day: only"),
        ("{ once: 2026-12-01T06:00, business_day: only }", "business_day", "leave business_day out"),
        ("{ daily: 06:00, business_day: 3 }", "business_day", "the n-th business day is monthly: { nth_business_day"),
        ("{ business_day: only }", "", "write one of once, daily"),
        ("monthly: { business_day: 3, at: 06:00 }", "monthly.business_day", "nth_business_day: 3"),
        ("monthly: { nth_business_day: 0, at: 06:00 }", "monthly.nth_business_day", "1 to 31, or last"),
        ("monthly: { nth_business_day: 3, day: 3, at: 06:00 }", "monthly.nth_business_day", "keep one"),
        ("{ monthly: { nth_business_day: 3, at: 06:00 }, business_day: next }", "business_day", "never a closed day"),
        ("every: 15", "every", "15 has no unit: write 15s"),
        ("every: 0m", "every", "would never end"),
        ("every: 25h", "every", "25h is longer than a day"),
        ("{ every: 13h, between: 08:00-20:00 }", "every", "13h does not fit between 08:00-20:00"),
        ("{ every: 1h, between: 08:00 }", "between", "write two times"),
        ("{ every: 1h, between: 08:00-08:00 }", "between", "ends where it starts"),
        ("{ every: 1h, between: 08:00-25:00 }", "between", "`25:00` is no time of the day"),
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
        "{ daily: 06:00, holidays: skip }",
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
    let warnings = |yaml| schedule(yaml).warnings().iter().map(|w| (w.path(), w.to_string())).collect::<Vec<_>>();
    assert!(warnings("monthly: { day: 31, at: 06:00 }")[0].1.contains("without a day 31"));
    assert!(warnings("monthly: { day: 29, at: 06:00, months: [2] }")[0].1.contains("leap years"));
    assert_eq!(warnings("every: 7h")[0].0, "every");
    assert!(warnings("cron: 0 6 1 * 1")[0].1.contains('+'));
    assert!(warnings("monthly: { nth_business_day: 20, at: 06:00 }")[0].1.contains("fewer than 20 business days"));
    for quiet in [
        "monthly: { day: 28, at: 06:00 }",
        "monthly: { day: 31, at: 06:00, months: [1, 3] }",
        "monthly: { day: last, at: 06:00 }",
        "monthly: { nth_business_day: 16, at: 06:00 }",
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
fn a_timer_passes_on_what_its_schedule_warns_of_and_a_refusal_knows_its_place() {
    let form = "{ name: 月末, menu: m, integration: i, switch: on, schedule: { monthly: { day: 31, at: 06:00 } } }";
    let (_, faults) = Timer::check(serde_yaml::from_str(form).unwrap()).unwrap();
    assert_eq!(faults[0].path, ["schedule", "monthly", "day"]);
    assert_eq!(faults[0].severity, Severity::Warning);

    let written: WrittenSchedule = serde_yaml::from_str("weekly: { on: [], at: 06:00 }").unwrap();
    let fault = Fault::from(&Schedule::try_from(written).unwrap_err());
    assert_eq!((fault.path, fault.severity), (vec!["weekly".to_owned(), "on".to_owned()], Severity::Error));
    let none = Schedule::try_from(WrittenSchedule::default()).unwrap_err();
    assert!(Fault::from(&none).path.is_empty());
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
        "{ daily: 06:00, business_day: only }",
        "{ monthly: { day: 25, at: 23:30 }, business_day: previous }",
        "{ weekly: { on: [mon], at: 06:00 }, business_day: next }",
        "monthly: { nth_business_day: 3, at: 06:00 }",
        "monthly: { nth_business_day: last, at: 18:00, months: [3, 9] }",
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
    daily at 06:00, on business days only | 毎日 06:00(営業日のみ)
    monthly on day 25 at 23:30, or the business day before | 毎月25日 23:30(休業日は前営業日)
    weekly on Mon at 06:00, or the business day after | 毎週月曜日 06:00(休業日は翌営業日)
    monthly on business day 3 at 06:00 | 毎月第3営業日 06:00
    on the last business day of Mar, Sep at 18:00 | 毎年3月・9月の最終営業日 18:00
    ");
}

#[test]
fn once_runs_once_and_is_exhausted() {
    let once = schedule("once: 2026-12-01T06:00");
    let slot = at("2026-11-30T21:00:00Z");
    let before = slot - TimeDelta::nanoseconds(1);
    assert_eq!(once.next_after(TOKYO, &JAPAN, before), Some(slot));
    assert!(once.next_after(TOKYO, &JAPAN, before).is_some());
    assert_eq!(once.next_after(TOKYO, &JAPAN, slot), None);
    assert!(once.next_after(TOKYO, &JAPAN, slot).is_none());
    assert!(schedule("daily: 06:00").next_after(TOKYO, &JAPAN, slot).is_some());
}

#[test]
fn seconds_count_and_parts_of_seconds_do_not_repeat_a_slot() {
    let daily = schedule("daily: 06:00:30");
    let slot = at("2026-11-23T21:00:30Z");
    assert_eq!(daily.next_after(TOKYO, &JAPAN, at("2026-11-23T21:00:29.999Z")), Some(slot));
    assert_eq!(daily.next_after(TOKYO, &JAPAN, at("2026-11-23T21:00:30.5Z")), Some(slot + TimeDelta::days(1)));
    let cron = schedule("cron: '*/20 59 23 * * *'");
    assert_eq!(cron.next_after(TOKYO, &JAPAN, at("2026-11-23T14:59:20Z")), Some(at("2026-11-23T14:59:40Z")));
    assert_eq!(cron.next_after(TOKYO, &JAPAN, at("2026-11-23T14:59:40Z")), Some(at("2026-11-24T14:59:00Z")));
    let every = schedule("{ every: 50s, between: '08:00:10-08:01:50' }");
    let slots: Vec<_> =
        every.slots_between(TOKYO, &JAPAN, at("2026-11-23T00:00:00Z"), at("2026-11-24T00:00:00Z")).collect();
    assert_eq!(slots, [10, 60, 110].map(|s| at("2026-11-23T23:00:00Z") + TimeDelta::seconds(s)));
}

#[test]
fn the_rarest_day_is_found_and_the_search_ends_with_the_calendar() {
    let leap_monday = schedule("cron: 0 0 29 2 +1");
    assert_eq!(leap_monday.next_after(Tz::UTC, &JAPAN, at("2072-03-01T00:00:00Z")), Some(at("2112-02-29T00:00:00Z")));
    for year in [-200_000, 1, 1899, 9998, 9999, 200_000] {
        let after = Utc.with_ymd_and_hms(year, 12, 31, 23, 59, 59).unwrap();
        for yaml in ["daily: 06:00", "every: 15m", "cron: 0 6 * * *", "monthly: { day: 31, at: 06:00 }"] {
            assert_eq!(schedule(yaml).next_after(TOKYO, &JAPAN, after).is_some(), year <= 9998, "{yaml} {year}");
        }
    }
    for extreme in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        let _ = schedule("cron: '* * * * *'").next_after(TOKYO, &JAPAN, extreme);
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
        (prop::sample::subsequence(vec!["mon", "tue", "wed", "thu", "fri", "sat", "sun"], 1..=7), time.clone())
            .prop_map(|(on, t)| format!("weekly: {{ on: [{}], at: '{t}' }}", on.join(", "))),
        (1..=31_u32, time.clone()).prop_map(|(day, t)| format!("monthly: {{ day: {day}, at: '{t}' }}")),
        (1..=86_400_u32).prop_map(|step| format!("every: {step}s")),
        (1..=20_000_u32, time.clone(), time)
            .prop_map(|(step, a, b)| { format!("{{ every: {step}s, between: '{a}-{b}' }}") }),
        (list(60), list(60), list(24), list(28), list(12), list(7))
            .prop_map(|(s, m, h, d, mo, w)| format!("cron: '{s} {m} {h} {d} {mo} {w}'")),
    ];
    let nth = (1..=31_u32, 0..24_u32).prop_map(|(n, h)| {
        let nth = if n > 20 { "last".to_owned() } else { n.to_string() };
        format!("monthly: {{ nth_business_day: {nth}, at: '{h:02}:15' }}")
    });
    let rule = prop::sample::select(vec!["", "", "only", "previous", "next"]);
    (prop_oneof![9 => written, 1 => nth], rule).prop_filter_map("impossible", |(yaml, rule)| {
        if rule.is_empty() {
            return serde_yaml::from_str(&yaml).ok();
        }
        let body = yaml.strip_prefix("{ ").and_then(|rest| rest.strip_suffix(" }")).unwrap_or(&yaml);
        serde_yaml::from_str(&format!("{{ {body}, business_day: {rule} }}")).ok()
    })
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
            let Some(next) = schedule.next_after(zone, &JAPAN, after) else {
                prop_assert!(matches!(schedule.kind(), Kind::Once(_)));
                break;
            };
            prop_assert!(next > after);
            prop_assert_eq!(next.timestamp_subsec_nanos(), 0);
            let between = after + TimeDelta::milliseconds(((next - after).num_milliseconds() as f64 * part) as i64);
            prop_assert_eq!(schedule.next_after(zone, &JAPAN, between.min(next - TimeDelta::nanoseconds(1))), Some(next));
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
            let next = Schedule::from(Kind::Cron(cron)).next_after(TOKYO, &JAPAN, DateTime::UNIX_EPOCH);
            prop_assert!(next.is_some(), "{}", text);
        }
    }
}
