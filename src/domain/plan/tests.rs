//! The decision `plan` over snapshots made by hand.

use super::*;
use crate::domain::stop::StopScope;
use chrono::{TimeDelta, TimeZone};
use chrono_tz::Asia::Tokyo;
use serde_json::{Value, json};

fn at(text: &str) -> DateTime<Utc> {
    let local = chrono::NaiveDateTime::parse_from_str(&format!("2026-11-{text}"), "%Y-%m-%d %H:%M").unwrap();
    Tokyo.from_local_datetime(&local).unwrap().to_utc()
}

fn due(name: &str, cursor: &str, keys: Value) -> DueTimer {
    let mut form = json!({ "name": name, "menu": name, "integration": "i", "switch": "on" });
    for (key, value) in keys.as_object().unwrap() {
        form[key] = value.clone();
    }
    let timer = Timer::check(serde_json::from_value(form).unwrap()).unwrap().0;
    let account = Account::from_stored("h/acme".to_owned());
    let target = Target { pair: (name.to_owned(), "i".to_owned()), account, paused: false };
    DueTimer { timer, zone: Tokyo, cursor: at(cursor), target: Some(target) }
}

fn told(plan: &TimerPlan) -> Vec<(String, String)> {
    let fate = |fate: &Fate| match fate {
        Fate::Run(orders) if orders.leaders.is_empty() => "run".to_owned(),
        Fate::Run(orders) => {
            let leader = |leader: &LeaderSlot| {
                let slot = leader.slot.map(|at| at.with_timezone(&Tokyo).format("%d %H:%M").to_string());
                slot.unwrap_or_else(|| leader.note.unwrap_or_default().to_owned())
            };
            format!("run after {}", orders.leaders.iter().map(leader).collect::<Vec<_>>().join(", "))
        }
        Fate::Skip(reason) => reason.to_string(),
    };
    let time = |slot: &Slot| slot.at.with_timezone(&Tokyo).format("%d %H:%M").to_string();
    plan.slots.iter().map(|(slot, of)| (time(slot), fate(of))).collect()
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.map(|(at, fate)| (at.to_owned(), fate.to_owned())).to_vec()
}

#[test]
fn the_last_slot_outside_a_stop_is_caught_up_not_the_last_of_all() {
    let stop = Stop { scope: StopScope::All, from: at("24 08:00"), until: at("24 10:00"), slots: SlotsInside::Skip };
    let hourly = due("t", "24 05:30", json!({ "schedule": { "every": "1h" } }));
    let snapshot = Snapshot { timers: vec![hourly], stops: vec![stop], ..Snapshot::default() };
    let plans = plan(&snapshot, &Calendar::default(), at("24 09:30"));
    assert_eq!(
        told(&plans[0]),
        pairs([
            ("24 06:00", "caught-up-by-later"),
            ("24 07:00", "run"),
            ("24 08:00", "stopped"),
            ("24 09:00", "stopped"),
        ])
    );
    assert_eq!(plans[0].next, Some(at("24 10:00")), "the end belongs to what comes after");
}

#[test]
fn a_leader_is_decided_before_its_follower_and_found_on_the_followers_date() {
    let daily = |at: &str, after: &[&str]| json!({ "schedule": { "daily": at }, "after": after, "misfire": "all", "catch_up_within": "3d" });
    let follower = due("f", "23 00:00", daily("06:00", &["l", "later", "gone"]));
    let leader = due("l", "23 00:00", daily("05:30", &[]));
    let later = due("later", "23 00:00", daily("07:00", &[]));
    let facts = |on| LeaderFacts { on, past: Vec::new() };
    let leaders = BTreeMap::from([("l".to_owned(), facts(true)), ("later".to_owned(), facts(true))]);
    let snapshot = Snapshot { timers: vec![follower, leader, later], leaders, ..Snapshot::default() };
    let plans = plan(&snapshot, &Calendar::default(), at("24 08:00"));
    assert_eq!(plans.iter().map(|plan| plan.index).collect::<Vec<_>>(), [1, 2, 0]);
    let nothing = "it has no slot on this date up to then, the leading timer is no longer there";
    let expected = [("23 06:00", "23 05:30"), ("24 06:00", "24 05:30")];
    let expected = expected.map(|(slot, leader)| (slot.to_owned(), format!("run after {leader}, {nothing}")));
    assert_eq!(told(&plans[2]), expected);
}

#[test]
fn two_timers_of_one_pair_that_are_due_at_once_overlap() {
    let mut second = due("u", "24 05:00", json!({ "schedule": { "daily": "06:00" } }));
    let first = due("t", "24 05:00", json!({ "schedule": { "daily": "06:00" } }));
    second.target = first.target.clone();
    let snapshot = Snapshot { timers: vec![first, second], ..Snapshot::default() };
    let plans = plan(&snapshot, &Calendar::default(), at("24 06:00"));
    assert_eq!(told(&plans[0]), pairs([("24 06:00", "run")]));
    assert_eq!(told(&plans[1]), pairs([("24 06:00", "overlap")]));
}

#[test]
fn one_may_queue_behind_a_run_that_is_going_and_a_second_may_not() {
    let queueing = due("t", "24 05:59", json!({ "schedule": { "every": "1m" }, "overlap": "queue-one" }));
    let pair = queueing.target.as_ref().unwrap().pair.clone();
    let with = |open: OpenRuns| Snapshot {
        timers: vec![queueing.clone()],
        open: BTreeMap::from([(pair.clone(), open)]),
        ..Snapshot::default()
    };
    let running = plan(&with(OpenRuns { open: 1, queued: 0 }), &Calendar::default(), at("24 06:00"));
    assert_eq!(told(&running[0]), pairs([("24 06:00", "run")]));
    let queued = plan(&with(OpenRuns { open: 2, queued: 1 }), &Calendar::default(), at("24 06:00"));
    assert_eq!(told(&queued[0]), pairs([("24 06:00", "already-queued")]));
}

#[test]
fn a_timer_that_is_off_sleeps_until_its_date_and_loses_no_slot_of_it() {
    let off = json!({ "schedule": { "every": "6h" }, "switch": "off", "until": "2026-11-25", "misfire": "all" });
    let before = Snapshot { timers: vec![due("t", "23 12:00", off)], ..Snapshot::default() };
    let plans = plan(&before, &Calendar::default(), at("24 12:00"));
    assert_eq!((told(&plans[0]), plans[0].reopened), (vec![], false));
    assert_eq!(plans[0].next, Some(at("25 00:00")));
    let plans = plan(&before, &Calendar::default(), at("25 06:30"));
    assert!(plans[0].reopened);
    assert_eq!(told(&plans[0]), pairs([("25 00:00", "run"), ("25 06:00", "run")]));
    assert_eq!(plans[0].next, Some(at("25 12:00")));
}

#[test]
fn the_cursor_never_goes_back_and_a_paused_or_lost_target_is_told() {
    let mut hourly = due("t", "24 05:30", json!({ "schedule": { "every": "1h" } }));
    let early = Snapshot { timers: vec![hourly.clone()], ..Snapshot::default() };
    let plans = plan(&early, &Calendar::default(), at("24 05:00"));
    assert_eq!((plans[0].cursor, told(&plans[0])), (at("24 05:30"), vec![]));
    hourly.target.as_mut().unwrap().paused = true;
    let paused = Snapshot { timers: vec![hourly.clone()], ..Snapshot::default() };
    assert_eq!(told(&plan(&paused, &Calendar::default(), at("24 06:00"))[0]), pairs([("24 06:00", "paused")]));
    hourly.target = None;
    let lost = Snapshot { timers: vec![hourly], ..Snapshot::default() };
    assert_eq!(told(&plan(&lost, &Calendar::default(), at("24 06:00"))[0]), pairs([("24 06:00", "settings")]));
}

#[test]
fn beyond_a_thousand_slots_one_row_stands_for_the_older_ones() {
    let minutely = due("t", "20 00:00", json!({ "schedule": { "every": "1m" } }));
    let snapshot = Snapshot { timers: vec![minutely], ..Snapshot::default() };
    let plans = plan(&snapshot, &Calendar::default(), at("24 00:00"));
    let (folded, fate) = &plans[0].slots[0];
    assert_eq!((plans[0].slots.len(), fate), (1_001, &Fate::Skip(SkipReason::TooOld)));
    assert_eq!((folded.first, folded.count), (at("20 00:01"), 4 * 24 * 60 - 1_000));
    assert_eq!(folded.at, at("20 00:00") + TimeDelta::minutes(4 * 24 * 60 - 1_000));
}
