//! Slots when the clock, the zone or the timer itself is changed under them: each keeps exactly one fate.

use super::{every_minute, reasons};
use crate::support::{TOKYO, at, save, temp_store, timer};
use renkei::domain::run::SlotState;
use renkei::domain::timer::{Switch, Timer, TimerForm};
use renkei::store::settings::SettingsChange;
use serde_json::json;

fn off(timer: &Timer) -> Timer {
    Timer::check(TimerForm { switch: Switch::Off, ..timer.form().clone() }).unwrap().0
}

#[tokio::test]
async fn a_clock_that_went_back_neither_repeats_a_slot_nor_stops_the_planner() {
    let db = temp_store().await;
    let minutely = every_minute(json!({}));
    save(&db.store, vec![minutely.clone()], at("2026-11-24 06:00:30")).await;
    db.store.plan_due(TOKYO, at("2026-11-24 06:05:00")).await.unwrap();
    // The clock is set back by four minutes, and somebody saves the timer.
    save(&db.store, vec![minutely], at("2026-11-24 06:01:00")).await;
    assert_eq!(db.store.next_due().await.unwrap(), Some(at("2026-11-24 06:06:00")));
    for minute in 2..=7 {
        db.store.plan_due(TOKYO, at(&format!("2026-11-24 06:0{minute}:00"))).await.unwrap();
    }
    let ledger = db.store.occurrences("t", at("2026-11-24 06:00:00"), at("2026-11-24 06:10:00")).await.unwrap();
    assert_eq!(ledger.len(), 7, "one row a slot from 06:01 to 06:07");
}

#[tokio::test]
async fn a_timer_that_is_removed_and_made_anew_does_not_meet_its_own_past() {
    let db = temp_store().await;
    save(&db.store, vec![every_minute(json!({}))], at("2026-11-24 06:00:30")).await;
    db.store.plan_due(TOKYO, at("2026-11-24 06:05:00")).await.unwrap();
    let remove = SettingsChange { remove_timers: vec!["t".into()], ..SettingsChange::default() };
    db.store.save_settings(&remove, 1, "sato", TOKYO, at("2026-11-24 06:05:10")).await.unwrap();
    save(&db.store, vec![every_minute(json!({}))], at("2026-11-24 06:02:30")).await;
    db.store.plan_due(TOKYO, at("2026-11-24 06:06:00")).await.unwrap();
    let ledger = reasons(&db.store, "2026-11-24 06:05:00", "2026-11-24 06:10:00").await;
    assert_eq!(ledger, [("06:05".into(), "planned".into()), ("06:06".into(), "overlap".into())]);
}

#[tokio::test]
async fn a_slot_that_the_new_definition_has_too_is_not_superseded() {
    let db = temp_store().await;
    let daily = |at: &str| timer("t", "list", "push", json!({ "schedule": { "daily": at } }));
    save(&db.store, vec![daily("09:00")], at("2026-11-24 06:00:00")).await;
    let hourly = timer("t", "list", "push", json!({ "schedule": { "every": "1h" } }));
    save(&db.store, vec![hourly], at("2026-11-24 06:10:00")).await;
    assert!(reasons(&db.store, "2026-11-24 00:00:00", "2026-11-25 00:00:00").await.is_empty(), "09:00 still comes");
    save(&db.store, vec![daily("21:30")], at("2026-11-24 06:20:00")).await;
    let ledger = reasons(&db.store, "2026-11-24 00:00:00", "2026-11-25 00:00:00").await;
    assert_eq!(ledger, [("07:00".into(), "superseded".into())]);
}

#[tokio::test]
async fn a_slot_that_came_back_is_counted_once_where_one_row_stands_for_many() {
    let db = temp_store().await;
    let minutely = every_minute(json!({ "misfire": "none" }));
    save(&db.store, vec![minutely.clone()], at("2026-09-01 00:00:30")).await;
    save(&db.store, vec![off(&minutely)], at("2026-09-01 00:00:40")).await;
    save(&db.store, vec![minutely], at("2026-09-01 00:00:50")).await;
    db.store.plan_due(TOKYO, at("2026-09-03 00:00:00")).await.unwrap();
    let ledger = db.store.occurrences("t", at("2026-09-01 00:00:00"), at("2026-09-03 00:00:00")).await.unwrap();
    assert!(ledger.iter().all(|one| one.state != SlotState::Superseded));
    assert_eq!(ledger.iter().map(|one| one.slots).sum::<u64>(), 2 * 24 * 60);
}

#[tokio::test]
async fn another_default_zone_moves_the_next_slots_when_the_daemon_starts() {
    let db = temp_store().await;
    let daily = |name: &str, more: serde_json::Value| {
        let mut keys = json!({ "schedule": { "daily": "09:00" } });
        keys.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        timer(name, "list", "push", keys)
    };
    let tokyo = daily("said", json!({ "timezone": "Asia/Tokyo" }));
    save(&db.store, vec![daily("t", json!({})), tokyo], at("2026-11-24 06:00:00")).await;
    assert_eq!(db.store.realign_timers(TOKYO).await.unwrap(), 0);
    assert_eq!(db.store.realign_timers(chrono_tz::Australia::Sydney).await.unwrap(), 1);
    // 09:00 in Sydney, in its summer, is 07:00 in Tokyo.
    assert_eq!(db.store.next_due().await.unwrap(), Some(at("2026-11-24 07:00:00")));
}

#[tokio::test]
async fn the_settings_of_a_past_version_are_told_as_they_stood() {
    let db = temp_store().await;
    let minutely = every_minute(json!({}));
    save(&db.store, vec![minutely.clone()], at("2026-11-24 06:00:00")).await;
    save(&db.store, vec![off(&minutely)], at("2026-11-24 07:00:00")).await;
    let remove = SettingsChange { remove_timers: vec!["t".into()], note: "gone".into(), ..SettingsChange::default() };
    db.store.save_settings(&remove, 2, "kato", TOKYO, at("2026-11-24 08:00:00")).await.unwrap();
    let switched = |version| {
        let store = db.store.clone();
        async move { store.settings_of(version).await.unwrap().timers.iter().map(Timer::is_on).collect::<Vec<_>>() }
    };
    assert_eq!((switched(1).await, switched(2).await, switched(3).await), (vec![true], vec![false], vec![]));
    let third = db.store.settings_of(3).await.unwrap();
    assert_eq!((third.actor.as_str(), third.note.as_str(), third.menus.len()), ("kato", "gone", 1));
    assert!(db.store.settings_of(4).await.is_err());
}
