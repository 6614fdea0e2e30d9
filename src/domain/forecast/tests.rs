//! Forecasts over spans that can be counted by hand.

use super::*;
use crate::domain::timer::TimerForm;
use serde_json::{Value, json};

const TOKYO: Tz = Tz::Asia__Tokyo;

fn timer(name: &str, more: Value) -> Timer {
    let mut form = json!({ "name": name, "menu": name, "integration": "push", "switch": "on" });
    for (key, value) in more.as_object().unwrap() {
        form[key] = value.clone();
    }
    Timer::check(serde_json::from_value::<TimerForm>(form).unwrap()).unwrap().0
}

fn over(timers: &[Timer], from: &str, to: &str) -> Forecast {
    forecast(timers, &Calendar::japanese(), TOKYO, from.parse().unwrap(), to.parse().unwrap())
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn runs_skips_and_days_without_a_run_add_up() {
    let daily = timer("a", json!({ "schedule": { "daily": "06:00", "business_day": "only" } }));
    let told = over(&[daily], "2026-11-01", "2026-11-30");
    let a = &told.timers[0];
    // November 2026 has nine days of weekends, 3 November and 23 November.
    assert_eq!((a.runs, a.weekend_slots, a.days_without_run, told.days_without_run), (19, 9, 11, 11));
    let skipped: Vec<_> = a.skipped.iter().map(|day| (day.date, day.reason.as_str(), day.slots)).collect();
    assert_eq!(skipped, [(date("2026-11-03"), "文化の日", 1), (date("2026-11-23"), "勤労感謝の日", 1)]);
    assert_eq!(a.longest_rest, Some((date("2026-11-21"), date("2026-11-23"))));
    assert_eq!(a.first.unwrap().to_rfc3339(), "2026-11-01T21:00:00+00:00");
    assert_eq!(told.cut_at, None);
}

#[test]
fn dates_that_move_are_told_with_their_reason() {
    let monthly =
        timer("a", json!({ "schedule": { "monthly": { "day": 23, "at": "06:00" }, "business_day": "next" } }));
    let told = over(&[monthly], "2026-08-01", "2026-11-30");
    let a = &told.timers[0];
    let moved: Vec<_> = a.moved.iter().map(|day| (day.date, day.reason.as_str(), day.to)).collect();
    assert_eq!(
        moved,
        [
            (date("2026-08-23"), "weekend", Some(date("2026-08-24"))),
            (date("2026-09-23"), "秋分の日", Some(date("2026-09-24"))),
            (date("2026-11-23"), "勤労感謝の日", Some(date("2026-11-24"))),
        ]
    );
    assert_eq!((a.runs, a.weekend_slots), (4, 0));
}

#[test]
fn timers_that_come_together_are_told_in_the_order_in_which_they_run() {
    let timers = [
        timer("low", json!({ "schedule": { "daily": "06:00" }, "priority": 10 })),
        timer("high", json!({ "schedule": { "weekly": { "on": ["mon"], "at": "06:00" } }, "priority": 90 })),
        timer("alone", json!({ "schedule": { "daily": "07:00" } })),
        timer("off", json!({ "schedule": { "daily": "06:00" }, "switch": "off" })),
        timer("closed", json!({ "schedule": { "daily": "07:00", "business_day": "only" } })),
    ];
    let told = over(&timers, "2026-11-22", "2026-11-30");
    let collisions: Vec<_> =
        told.collisions.iter().map(|one| (one.timers.join(" "), one.times, one.by_records)).collect();
    assert_eq!(collisions, [("alone closed".to_owned(), 5, true), ("high low".to_owned(), 2, false)]);
    assert_eq!((told.timers[3].on, told.timers[3].runs), (false, 0));
    assert!(told.collisions.iter().all(|one| !one.same_list));
    let twice = [
        timer("a", json!({ "schedule": { "daily": "06:00" }, "menu": "m" })),
        timer("b", json!({ "schedule": { "every": "6h" }, "menu": "m" })),
    ];
    assert!(over(&twice, "2026-11-22", "2026-11-23").collisions[0].same_list);
}

#[test]
fn clock_changes_are_told_where_they_concern_a_time() {
    let in_new_york =
        |name: &str, schedule: Value| timer(name, json!({ "schedule": schedule, "timezone": "America/New_York" }));
    let timers = [
        in_new_york("two thirty", json!({ "daily": "02:30" })),
        in_new_york("one thirty", json!({ "daily": "01:30" })),
        in_new_york("half hours", json!({ "every": "30m" })),
        in_new_york("noon", json!({ "daily": "12:00" })),
        timer("tokyo", json!({ "schedule": { "daily": "02:30" } })),
    ];
    let told = over(&timers, "2026-11-01", "2027-10-31");
    let changes = |index: usize| -> Vec<_> {
        let told = &told.timers[index].clock_changes;
        told.iter().map(|change| (change.at.to_rfc3339(), change.seconds, change.times, change.runs)).collect()
    };
    let (back, forward) = ("2026-11-01T06:00:00+00:00".to_owned(), "2027-03-14T07:00:00+00:00".to_owned());
    assert_eq!(changes(0), [(forward, 3600, 1, 1)]);
    assert_eq!(changes(1), [(back.clone(), -3600, 1, 1)]);
    assert_eq!(changes(2), [(back, -3600, 2, 4)]);
    assert_eq!((changes(3), changes(4)), (vec![], vec![]));
}

#[test]
fn a_timer_of_every_second_is_cut_and_says_so() {
    let timers = [timer("a", json!({ "schedule": { "every": "1s" } }))];
    let span = (date("2026-11-01"), date("2027-10-31"));
    let told = within(20_000, &timers, &Calendar::japanese(), TOKYO, span);
    assert_eq!(told.timers[0].runs, 20_000);
    assert_eq!(told.cut_at.unwrap().to_rfc3339(), "2026-10-31T20:33:20+00:00");
    assert_eq!(told.days_without_run, 0);
}
