//! Business days: what becomes of dates that are closed, in plain examples and against a search that asks every day.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
use proptest::prelude::*;

use super::{JAPAN, TOKYO, at, schedule};
use renkei::domain::calendar::{BusinessDay, Calendar, CalendarForm, Closed, CompanyDays};

/// A company that rests over the new year and in August, and works on one Saturday.
fn company() -> Calendar {
    calendar(
        "{ closed: [{ from: 12-29, to: 01-03, name: 年末年始 }, { on: 2026-08-14 }], working: [{ on: 2026-11-28 }] }",
    )
}

fn calendar(yaml: &str) -> Calendar {
    let form: CalendarForm = serde_yaml::from_str(yaml).unwrap_or_else(|error| panic!("{yaml}: {error}"));
    Calendar::new(CompanyDays::check(form).unwrap_or_else(|faults| panic!("{yaml}: {faults:?}")).0, None)
}

/// The slots from one local date to before another, `-` in front of those that are skipped.
fn slots(yaml: &str, calendar: &Calendar, from: &str, to: &str) -> Vec<String> {
    let schedule = schedule(yaml);
    let midnight = |date: &str| at(&format!("{date}T00:00:00+09:00")) - TimeDelta::seconds(1);
    let slots = schedule.slots_between(TOKYO, calendar, midnight(from), midnight(to));
    slots
        .map(|slot| {
            let mark = if schedule.closed(TOKYO, calendar, slot).is_some() { "-" } else { "" };
            format!("{mark}{}", slot.with_timezone(&TOKYO).format("%m-%d %H:%M"))
        })
        .collect()
}

#[test]
fn only_keeps_the_slot_of_a_closed_day_and_says_why_it_is_skipped() {
    let daily = "{ daily: 06:00, business_day: only }";
    let week = slots(daily, &JAPAN, "2026-11-20", "2026-11-25");
    assert_eq!(week, ["11-20 06:00", "-11-21 06:00", "-11-22 06:00", "-11-23 06:00", "11-24 06:00"]);
    let closed = |text| schedule(daily).closed(TOKYO, &JAPAN, at(text));
    assert_eq!(closed("2026-11-22T21:00:00Z"), Some(Closed::Holiday("勤労感謝の日")));
    assert_eq!(closed("2026-11-23T21:00:00Z"), None);
    // A Saturday that this company works.
    assert_eq!(slots(daily, &company(), "2026-11-28", "2026-11-30"), ["11-28 06:00", "-11-29 06:00"]);
}

#[test]
fn a_closed_date_moves_and_dates_that_meet_are_one_slot() {
    let on_25 = |rule: &str| format!("{{ monthly: {{ day: 25, at: 23:30 }}, business_day: {rule} }}");
    let year = |yaml: &str| slots(yaml, &company(), "2026-07-01", "2026-11-01");
    assert_eq!(year(&on_25("previous")), ["07-24 23:30", "08-25 23:30", "09-25 23:30", "10-23 23:30"]);
    assert_eq!(year(&on_25("next")), ["07-27 23:30", "08-25 23:30", "09-25 23:30", "10-26 23:30"]);
    assert_eq!(year(&on_25("only")), ["-07-25 23:30", "08-25 23:30", "09-25 23:30", "-10-25 23:30"]);
    // The silver week: Monday the 21st to Wednesday the 23rd move onto Thursday, which is named itself.
    let weekly = "{ weekly: { on: [mon, tue, wed, thu], at: 06:00 }, business_day: next }";
    assert_eq!(slots(weekly, &JAPAN, "2026-09-17", "2026-09-28"), ["09-17 06:00", "09-24 06:00"]);
    let weekly = weekly.replace("next", "previous");
    assert_eq!(slots(&weekly, &JAPAN, "2026-09-17", "2026-09-25"), ["09-17 06:00", "09-18 06:00", "09-24 06:00"]);
    let cron = "{ cron: '0 6,18 1,15 * *', business_day: previous }";
    let moved = ["12-28 06:00", "12-28 18:00", "01-15 06:00", "01-15 18:00"];
    assert_eq!(slots(cron, &company(), "2026-12-16", "2027-02-01"), moved);
}

#[test]
fn a_month_that_is_listed_means_the_date_before_it_moves() {
    let end = |rule: &str, from: &str, to: &str| {
        let yaml = format!("{{ monthly: {{ day: last, at: 06:00, months: [1] }}, business_day: {rule} }}");
        slots(&yaml, &JAPAN, from, to)
    };
    // 31 January 2027 is a Sunday.
    assert_eq!(end("next", "2026-12-01", "2028-01-01"), ["02-01 06:00"]);
    assert_eq!(end("previous", "2026-12-01", "2028-01-01"), ["01-29 06:00"]);
}

#[test]
fn business_days_of_a_month_are_counted() {
    let nth = |nth: &str, from: &str, to: &str| {
        slots(&format!("monthly: {{ nth_business_day: {nth}, at: 06:00 }}"), &company(), from, to)
    };
    assert_eq!(nth("3", "2026-12-01", "2027-03-01"), ["12-03 06:00", "01-06 06:00", "02-03 06:00"]);
    assert_eq!(nth("last", "2026-12-01", "2027-03-01"), ["12-28 06:00", "01-29 06:00", "02-26 06:00"]);
    assert_eq!(nth("22", "2026-04-01", "2026-08-01"), ["06-30 06:00", "07-31 06:00"]);
    let quarter = "monthly: { nth_business_day: 1, at: 06:00, months: [1, 4] }";
    assert_eq!(slots(quarter, &company(), "2026-01-01", "2027-01-01"), ["01-05 06:00", "04-01 06:00"]);
}

#[test]
fn a_window_over_midnight_belongs_to_the_day_on_which_it_starts() {
    let nights = "{ every: 4h, between: '20:00-04:00', business_day: only }";
    assert_eq!(
        slots(nights, &JAPAN, "2026-11-20", "2026-11-24"),
        [
            "11-20 00:00",
            "11-20 04:00",
            "11-20 20:00",
            "11-21 00:00",
            "11-21 04:00",
            "-11-21 20:00",
            "-11-22 00:00",
            "-11-22 04:00",
            "-11-22 20:00",
            "-11-23 00:00",
            "-11-23 04:00",
            "-11-23 20:00"
        ]
    );
    // The end of a day is the start of the next, which it then belongs to.
    let whole = "{ every: 12h, between: '00:00-24:00', business_day: only }";
    assert_eq!(slots(whole, &JAPAN, "2026-11-24", "2026-11-25"), ["11-24 00:00", "11-24 12:00"]);
    assert_eq!(slots(whole, &JAPAN, "2026-11-28", "2026-11-29"), ["-11-28 00:00", "-11-28 12:00"]);
}

#[test]
fn the_next_slot_that_is_kept_lies_behind_the_closed_days() {
    let friday = at("2026-11-20T12:00:00Z");
    for yaml in ["{ daily: 06:00, business_day: only }", "{ every: 1s, between: '06:00-07:00', business_day: only }"] {
        let kept = schedule(yaml).next_kept_after(TOKYO, &JAPAN, friday);
        assert_eq!(kept, Some(at("2026-11-23T21:00:00Z")), "{yaml}");
    }
    let never = calendar("{ closed: [{ from: 01-01, to: 12-31 }] }");
    for yaml in [
        "{ daily: 06:00, business_day: only }",
        "{ every: 1m, business_day: only }",
        "monthly: { nth_business_day: 1, at: 06:00 }",
        "{ weekly: { on: mon, at: 06:00 }, business_day: next }",
        "{ weekly: { on: mon, at: 06:00 }, business_day: previous }",
    ] {
        assert_eq!(schedule(yaml).next_kept_after(TOKYO, &never, friday), None, "{yaml}");
    }
    assert!(schedule("{ daily: 06:00, business_day: only }").next_after(TOKYO, &never, friday).is_some());
}

#[test]
fn what_moves_is_told_with_where_it_goes() {
    let date = |text: &str| text.parse::<NaiveDate>().unwrap();
    let moved = schedule("{ monthly: { day: 25, at: 06:00 }, business_day: previous }").moved(
        &company(),
        date("2026-07-01"),
        date("2026-10-31"),
    );
    assert_eq!(moved, [(date("2026-07-25"), Some(date("2026-07-24"))), (date("2026-10-25"), Some(date("2026-10-23")))]);
}

/// A calendar of whims: any weekend, holidays or not, and rests of up to three weeks.
fn any_calendar() -> impl Strategy<Value = Calendar> {
    let days = prop::sample::subsequence(vec!["mon", "tue", "wed", "thu", "fri", "sat", "sun"], 0..=6);
    let rest = (2020..2030_i32, 1..=365_u32, 0..21_i64).prop_map(|(year, day, length)| {
        let from = NaiveDate::from_yo_opt(year, day).unwrap();
        format!("{{ from: {from}, to: {} }}", from + TimeDelta::days(length))
    });
    let yearly = (1..=12_u32, 1..=28_u32).prop_map(|(month, day)| format!("{{ on: {month}-{day} }}"));
    let closed = prop::collection::vec(prop_oneof![rest, yearly], 0..6);
    (days, any::<bool>(), closed).prop_map(|(weekend, holidays, closed)| {
        let (weekend, closed) = (weekend.join(", "), closed.join(", "));
        calendar(&format!("{{ weekend: [{weekend}], public_holidays: {holidays}, closed: [{closed}] }}"))
    })
}

/// The dates that a rule moves the named dates to, found by asking every day of the years around.
fn dates_by_hand(named: impl Fn(NaiveDate) -> bool, calendar: &Calendar, rule: BusinessDay) -> BTreeSet<NaiveDate> {
    let first = NaiveDate::from_ymd_opt(2023, 1, 1).unwrap();
    let mut dates = BTreeSet::new();
    for date in first.iter_days().take(4 * 366).filter(|date| named(*date)) {
        let (mut moved, step) = (date, if rule == BusinessDay::Next { 1 } else { -1 });
        while !calendar.is_business_day(moved) {
            moved += TimeDelta::days(step);
        }
        dates.insert(moved);
    }
    dates
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn moved_dates_are_those_that_a_search_by_hand_finds(
        calendar in any_calendar(),
        day in 1..=31_u32,
        weekday in 0..7_u32,
        next in any::<bool>(),
    ) {
        let rule = if next { BusinessDay::Next } else { BusinessDay::Previous };
        let word = if next { "next" } else { "previous" };
        let (from, to) = (NaiveDate::from_ymd_opt(2024, 1, 1).unwrap(), NaiveDate::from_ymd_opt(2025, 12, 31).unwrap());
        let instant = |date: NaiveDate| Utc.from_utc_datetime(&date.and_time(NaiveTime::MIN)) - TimeDelta::seconds(1);
        let found = |yaml: String| -> Vec<NaiveDate> {
            let schedule = schedule(&yaml);
            let slots = schedule.slots_between(chrono_tz::Tz::UTC, &calendar, instant(from), instant(to.succ_opt().unwrap()));
            slots.map(|slot: DateTime<Utc>| slot.date_naive()).collect()
        };
        let within = |dates: BTreeSet<NaiveDate>| dates.into_iter().filter(|d| (from..=to).contains(d)).collect::<Vec<_>>();
        let monthly = found(format!("{{ monthly: {{ day: {day}, at: '12:00' }}, business_day: {word} }}"));
        prop_assert_eq!(monthly, within(dates_by_hand(|date| date.day() == day, &calendar, rule)));
        let some = |date: NaiveDate| date.weekday().num_days_from_monday() >= weekday;
        let on = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][weekday as usize..].join(", ");
        let weekly = found(format!("{{ weekly: {{ on: [{on}], at: '12:00' }}, business_day: {word} }}"));
        prop_assert_eq!(weekly, within(dates_by_hand(some, &calendar, rule)));
    }
}
