//! Closed days in the ledger, and what a change of the calendar does to slots that are planned already.

use super::reasons;
use crate::support::{TOKYO, at, save, temp_store, timer};
use chrono::NaiveDate;
use renkei::domain::calendar::CompanyDays;
use renkei::domain::calendar::holidays::holiday_name;
use renkei::settings::{HolidayError, ImportBy, ImportedHolidays, MovedTimer, import_holidays};
use renkei::store::Store;
use renkei::store::settings::SettingsChange;
use serde_json::json;
use sqlx::{AnyConnection, Connection as _, Executor as _};

/// The Cabinet Office's list of 2026 by our rules, with some lines changed.
fn list(changes: &[(&str, &str)]) -> String {
    let mut text = "国民の祝日・休日月日,国民の祝日・休日名称\r\n".to_owned();
    for date in NaiveDate::from_ymd_opt(2026, 1, 1).unwrap().iter_days().take(365) {
        if let Some(name) = holiday_name(date) {
            text += &format!("{},{name}\r\n", date.format("%Y/%-m/%-d"));
        }
    }
    for (old, new) in changes {
        assert!(text.contains(old), "{old}");
        text = text.replace(old, new);
    }
    text
}

async fn import(store: &Store, text: &str, now: &str) -> Result<ImportedHolidays, HolidayError> {
    let by = ImportBy { actor: "sato", source: "syukujitsu.csv", zone: TOKYO, now: at(now) };
    import_holidays(store, text.as_bytes(), by).await
}

#[tokio::test]
async fn a_closed_day_stands_in_the_ledger_and_the_last_kept_slot_is_caught_up() {
    let db = temp_store().await;
    let daily = timer(
        "t",
        "list",
        "push",
        json!({ "schedule": { "daily": "06:00", "business_day": "only" }, "catch_up_within": "7d" }),
    );
    save(&db.store, vec![daily], at("2026-11-19 12:00:00")).await;
    // Nobody was there from Thursday noon to Monday noon, a holiday.
    assert_eq!(db.store.plan_due(TOKYO, at("2026-11-23 12:00:00")).await.unwrap(), 1);
    let ledger = reasons(&db.store, "2026-11-19 00:00:00", "2026-11-24 00:00:00").await;
    let ledger: Vec<&str> = ledger.iter().map(|(_, what)| what.as_str()).collect();
    assert_eq!(ledger, ["planned", "closed-day", "closed-day", "closed-day"]);
    assert_eq!(db.store.next_due().await.unwrap(), Some(at("2026-11-24 06:00:00")));
}

#[tokio::test]
async fn an_import_moves_the_next_slot_and_supersedes_the_old_one() {
    let db = temp_store().await;
    let pay = json!({ "schedule": { "monthly": { "day": 25, "at": "06:00" }, "business_day": "previous" } });
    let plain = json!({ "schedule": { "monthly": { "day": 25, "at": "06:00" } } });
    let timers = vec![timer("t", "list", "push", pay), timer("plain", "list", "push", plain)];
    save(&db.store, timers, at("2026-11-20 12:00:00")).await;
    let next = async |name: &str| db.store.settings().await.unwrap().timer(name).unwrap().next_at;
    assert_eq!(next("t").await, Some(at("2026-11-25 06:00:00")));

    // By a law of its own the holiday of the 23rd is the 25th this year.
    let imported = import(&db.store, &list(&[("2026/11/23", "2026/11/25")]), "2026-11-20 12:00:00").await.unwrap();
    assert_eq!((imported.days, imported.years, imported.version), (18, (2026, 2026), Some(2)));
    let differing: Vec<String> = imported.differences.iter().map(|(date, _)| date.to_string()).collect();
    assert_eq!(differing, ["2026-11-23", "2026-11-25"]);
    let (before, after) = (Some(at("2026-11-25 06:00:00")), Some(at("2026-11-24 06:00:00")));
    assert_eq!(imported.moved, [MovedTimer { name: "t".to_owned(), before, after }]);
    assert_eq!(
        (next("t").await, next("plain").await),
        (Some(at("2026-11-24 06:00:00")), Some(at("2026-11-25 06:00:00")))
    );
    db.store.plan_due(TOKYO, at("2026-11-24 06:00:00")).await.unwrap();
    let ledger = reasons(&db.store, "2026-11-20 00:00:00", "2026-11-26 00:00:00").await;
    assert_eq!(ledger, [("06:00".into(), "planned".into()), ("06:00".into(), "superseded".into())]);

    // The same list again is no version; another takes its place, and the slot that was superseded has had its turn.
    let again = import(&db.store, &list(&[("2026/11/23", "2026/11/25")]), "2026-11-24 07:00:00").await.unwrap();
    assert_eq!(again.version, None);
    let back = import(&db.store, &list(&[]), "2026-11-24 07:00:00").await.unwrap();
    assert_eq!((back.version, back.differences.len()), (Some(3), 0));
    assert_eq!(next("t").await, Some(at("2026-11-25 06:00:00")));
    let audit = db.store.audit_log(1).await.unwrap();
    assert_eq!((audit[0].entry.action.as_str(), audit[0].actor.as_str()), ("import", "sato"));
}

#[tokio::test]
async fn a_list_with_a_fault_changes_nothing() {
    let db = temp_store().await;
    save(&db.store, vec![], at("2026-11-20 12:00:00")).await;
    import(&db.store, &list(&[]), "2026-11-20 12:00:00").await.unwrap();
    let before = db.store.calendar().await.unwrap();
    let broken = list(&[("2026/8/11", "2026/8"), ("2026/11/3,", "2026/13/3,")]);
    let error = import(&db.store, &broken, "2026-11-20 12:00:00").await.unwrap_err().to_string();
    assert!(error.starts_with("line 13: ") && error.lines().nth(1).unwrap().starts_with("line 18: "), "{error}");
    assert_eq!(db.store.calendar().await.unwrap(), before);
    assert_eq!(db.store.settings_version().await.unwrap(), 2);
}

#[tokio::test]
async fn a_companys_days_first_account_for_what_was_due_under_the_old_ones() {
    let db = temp_store().await;
    let daily = timer(
        "t",
        "list",
        "push",
        json!({ "schedule": { "daily": "06:00", "business_day": "only" }, "overlap": "queue-one" }),
    );
    let version = save(&db.store, vec![daily], at("2026-11-23 12:00:00")).await;
    let days: CompanyDays =
        serde_json::from_value(json!({ "closed": [{ "from": "2026-11-24", "to": "2026-11-25" }] })).unwrap();
    let change = SettingsChange { calendar: Some(days), ..SettingsChange::default() };
    // Tuesday's slot came before the day was closed.
    db.store.save_settings(&change, version, "sato", TOKYO, at("2026-11-24 06:00:30")).await.unwrap();
    db.store.plan_due(TOKYO, at("2026-11-25 06:00:00")).await.unwrap();
    let ledger = reasons(&db.store, "2026-11-24 00:00:00", "2026-11-26 00:00:00").await;
    assert_eq!(ledger, [("06:00".into(), "planned".into()), ("06:00".into(), "closed-day".into())]);
}

#[tokio::test]
async fn a_database_from_before_the_calendar_keeps_its_definitions() {
    let db = temp_store().await;
    save(
        &db.store,
        vec![timer("t", "list", "push", json!({ "schedule": { "daily": "06:00" } }))],
        at("2026-11-23 12:00:00"),
    )
    .await;
    let before = db.store.settings_of(1).await.unwrap();
    db.store.close().await;
    let mut connection = AnyConnection::connect(&format!("sqlite://{}", db.path.display())).await.unwrap();
    for statement in [
        "CREATE TABLE older (version BIGINT NOT NULL REFERENCES settings_versions (number), kind TEXT NOT NULL CHECK (kind \
         IN ('integration', 'menu', 'timer')), id TEXT NOT NULL, definition TEXT, PRIMARY KEY (kind, id, version))",
        "INSERT INTO older SELECT version, kind, id, definition FROM definitions",
        "DROP TABLE definitions",
        "ALTER TABLE older RENAME TO definitions",
        "DELETE FROM _sqlx_migrations WHERE version = 2",
    ] {
        connection.execute(statement).await.unwrap();
    }
    connection.close().await.unwrap();
    let store = Store::open(&db.path).await.unwrap();
    assert_eq!(store.settings_of(1).await.unwrap(), before);
    let change = SettingsChange { calendar: Some(CompanyDays::default()), ..SettingsChange::default() };
    assert_eq!(store.save_settings(&change, 1, "sato", TOKYO, at("2026-11-23 12:00:00")).await.unwrap(), 2);
}
