//! The ledger held against the schedules: it adds up whatever happens to a timer, and what does not fit is seen.

use crate::support::{House, TOKYO, at, save, temp_store, timer};
use chrono::{DateTime, TimeDelta, Utc};
use renkei::domain::morning::NeedKind;
use renkei::domain::run::{RunState, SkipReason};
use renkei::domain::statement::{FindingKind, Standing, Statement, Tally};
use renkei::domain::stop::SlotsInside;
use renkei::domain::timer::{Switch, Timer};
use renkei::engine::{morning, planner, reconciling};
use renkei::settings::{WantedStop, plan_stop, switch_timer};
use renkei::store::settings::SettingsChange;
use serde_json::{Value, json};
use sqlx::{AnyConnection, Connection, Executor};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

fn every(name: &str, more: Value) -> Timer {
    let mut keys = json!({ "schedule": { "every": "10m" } });
    for (key, value) in more.as_object().unwrap() {
        keys[key] = value.clone();
    }
    timer(name, "社員一覧", "社員マスタ連携", keys)
}

async fn house(timers: Vec<Timer>) -> House {
    let house = House::new().await;
    house.file("list.csv", "社員コード,社員名\n1045,佐藤\n");
    house.settings(json!({}), json!({}), timers).await;
    house
}

/// Minutes that a running daemon lives through.
async fn live(house: &House, minutes: u32) {
    for _ in 0..minutes {
        house.pass(MINUTE);
        house.settle().await;
    }
}

async fn statement(house: &House) -> Statement {
    reconciling::statement(&house.engine).await.unwrap()
}

async fn fits(house: &House, after: &str) -> Tally {
    let statement = statement(house).await;
    assert!(statement.holds(), "after {after}: {}, {:?}", statement.tally, statement.findings);
    statement.tally
}

fn kinds(statement: &Statement) -> Vec<FindingKind> {
    statement.findings.iter().map(|finding| finding.kind).collect()
}

/// Somebody with the sqlite3 shell.
async fn by_hand(house: &House, sql: &'static str) {
    let url = format!("sqlite://{}", house.app.config.database.display());
    let mut connection = AnyConnection::connect(&url).await.unwrap();
    connection.execute("PRAGMA foreign_keys = OFF").await.unwrap();
    connection.execute(sql).await.unwrap();
    connection.close().await.unwrap();
}

async fn switch(house: &House, to: Switch, until: Option<chrono::NaiveDate>) {
    let now = house.app.clock.now();
    assert!(switch_timer(&house.app.store, "t", to, until, "佐藤", TOKYO, now).await.unwrap());
}

#[tokio::test]
async fn the_line_adds_up_after_every_step_of_a_timers_life() {
    let mut house = house(vec![every("t", json!({}))]).await;
    live(&house, 25).await;
    let tally = fits(&house, "two or three slots").await;
    assert!(tally.due >= 2 && tally.good == tally.due, "{tally}");

    house.pass(MINUTE * 125);
    house.settle().await;
    let tally = fits(&house, "two hours without a daemon").await;
    assert!(tally.skipped >= 10, "{tally}");

    house
        .save(&SettingsChange {
            timers: vec![every("t", json!({ "schedule": { "every": "7m" } }))],
            ..SettingsChange::default()
        })
        .await;
    live(&house, 15).await;
    let edited = fits(&house, "an edit").await;

    switch(&house, Switch::Off, None).await;
    live(&house, 25).await;
    assert_eq!(statement(&house).await.timers(Standing::Off), 1);
    let off = fits(&house, "switching off").await;
    assert!(off.superseded > edited.superseded, "the announced slot was taken back: {off}");
    switch(&house, Switch::On, None).await;
    live(&house, 8).await;
    fits(&house, "switching on").await;

    let today = house.app.clock.now().with_timezone(&TOKYO).date_naive();
    switch(&house, Switch::Off, today.succ_opt()).await;
    house.pass(MINUTE * 60 * 26);
    house.settle().await;
    live(&house, 8).await;
    let again = fits(&house, "its date came while no daemon ran").await;
    assert!(again.due > off.due, "{again}");

    let now = house.app.clock.now();
    let wanted = WantedStop {
        timer: None,
        account: None,
        from: now,
        until: now + TimeDelta::minutes(30),
        slots: SlotsInside::Skip,
        reason: "人事異動".to_owned(),
    };
    plan_stop(&house.app.store, &wanted, "佐藤", now).await.unwrap();
    live(&house, 40).await;
    fits(&house, "a planned stop").await;

    // A crash in the middle of a run.
    house.pass(MINUTE * 7);
    planner::step(&house.engine).await.unwrap();
    renkei::engine::dispatcher::claim(&house.engine).await.unwrap();
    let open = fits(&house, "a run under way").await;
    assert_eq!(open.open, 1);
    house = house.reopened().await;
    renkei::engine::recovery::recover(&house.engine).await.unwrap();
    house.settle().await;
    assert_eq!(fits(&house, "a crash").await.open, 0);

    house.app.clock.set(house.app.clock.now() - TimeDelta::minutes(45));
    house
        .save(&SettingsChange {
            timers: vec![every("t", json!({ "schedule": { "every": "5m" } }))],
            ..SettingsChange::default()
        })
        .await;
    live(&house, 70).await;
    fits(&house, "a clock that went back, and an edit in the time that came twice").await;
}

#[tokio::test]
async fn chains_add_up_and_a_leader_that_failed_is_told_once() {
    let house = house(vec![every("t", json!({}))]).await;
    house.file("部署.csv", "社員コード\n1\n");
    let keys = json!({ "schedule": { "every": "10m" }, "after": ["t"] });
    let change = SettingsChange {
        menus: vec![house.menu("部署")],
        timers: vec![timer("f", "部署", "社員マスタ連携", keys)],
        ..SettingsChange::default()
    };
    house.save(&change).await;
    std::fs::remove_file(house.folder.path().join("list.csv")).unwrap();
    live(&house, 12).await;
    let tally = fits(&house, "a chain whose leader failed").await;
    assert!(tally.due >= 2, "{tally}");
    let now = house.app.clock.now();
    let page = morning::gather(&house.app.store, TOKYO, now - morning::DAY, now, now).await.unwrap();
    let needs: Vec<NeedKind> = page.needs.iter().map(|need| need.kind).collect();
    assert_eq!(needs, [NeedKind::Failed], "the follower is not told beside its leader");
    assert!(page.timers.iter().any(|day| day.name == "f" && day.states.contains_key(&RunState::Skipped)));
}

#[tokio::test]
async fn a_row_that_somebody_deleted_is_unexplained() {
    let house = house(vec![every("t", json!({}))]).await;
    live(&house, 31).await;
    let before = fits(&house, "three slots").await;
    by_hand(&house, "DELETE FROM occurrences WHERE scheduled_at = (SELECT MIN(scheduled_at) FROM occurrences)").await;
    let after = statement(&house).await;
    assert_eq!(kinds(&after), [FindingKind::Unexplained, FindingKind::SlotLost]);
    assert_eq!((after.tally.due, after.tally.run, after.tally.unexplained), (before.due, before.run - 1, 1));
    assert!(!after.holds());
    let now = house.app.clock.now();
    let page = morning::gather(&house.app.store, TOKYO, now - morning::DAY, now, now).await.unwrap();
    assert!(page.needs.iter().all(|need| need.kind == NeedKind::Ledger) && page.needs.len() == 2, "{:?}", page.needs);
}

#[tokio::test]
async fn a_timer_that_died_silently_is_seen() {
    let house = house(vec![every("t", json!({}))]).await;
    live(&house, 11).await;
    fits(&house, "a slot").await;
    by_hand(&house, "UPDATE timers SET next_at = NULL").await;
    assert_eq!(kinds(&statement(&house).await), [FindingKind::NoNext]);
    by_hand(&house, "UPDATE timers SET next_at = cursor_at + 86400000").await;
    assert_eq!(kinds(&statement(&house).await), [FindingKind::WrongNext]);
    house.app.store.realign_timers(TOKYO).await.unwrap();
    fits(&house, "a new start").await;
    house.pass(MINUTE * 12);
    assert_eq!(kinds(&statement(&house).await), [FindingKind::Stuck], "nobody planned it");
    house.settle().await;
    fits(&house, "the planner came").await;
}

#[tokio::test]
async fn lost_runs_slots_that_nobody_foresaw_and_forgotten_runs_are_seen() {
    let house = house(vec![every("t", json!({}))]).await;
    live(&house, 11).await;
    by_hand(&house, "DELETE FROM runs").await;
    assert_eq!(kinds(&statement(&house).await), [FindingKind::RunLost]);
    by_hand(&house, "DELETE FROM occurrences").await;
    by_hand(
        &house,
        "INSERT INTO occurrences (timer_id, scheduled_at, state, reason, first_at, noted_at) \
         SELECT id, cursor_at - 1, 'skipped', 'missed', cursor_at - 1, cursor_at FROM timers",
    )
    .await;
    let statement_now = statement(&house).await;
    assert_eq!(kinds(&statement_now), [FindingKind::Unexplained, FindingKind::Unforeseen]);

    let other = self::house(vec![]).await;
    let run = other.start().await;
    other.pass(MINUTE * 60 * 25);
    let statement = statement(&other).await;
    assert_eq!(kinds(&statement), [FindingKind::Forgotten]);
    assert_eq!(statement.findings[0].run.as_deref(), Some(run.id.as_str()));
}

#[tokio::test]
async fn a_house_that_moves_to_another_zone_takes_the_ledger_of_before_as_it_is() {
    let db = temp_store().await;
    let daily = timer("t", "list", "push", json!({ "schedule": { "daily": "06:00" } }));
    save(&db.store, vec![daily], at("2026-11-23 05:00:00")).await;
    db.store.plan_due(TOKYO, at("2026-11-23 06:00:00")).await.unwrap();
    let zone = chrono_tz::Europe::Berlin;
    let now = at("2026-11-23 07:00:00");
    let moved = reconciling::statement_of(&db.store, zone, now).await.unwrap();
    assert!(kinds(&moved).contains(&FindingKind::WrongNext));
    db.store.realign_timers(zone).await.unwrap();
    let statement = reconciling::statement_of(&db.store, zone, now).await.unwrap();
    assert!(statement.holds(), "{:?}", statement.findings);
    assert_eq!((statement.tally.due, statement.tally.run), (1, 1));
}

#[tokio::test]
async fn many_missed_slots_in_one_row_are_counted_against_the_schedule() {
    let db = temp_store().await;
    save(
        &db.store,
        vec![timer("t", "list", "push", json!({ "schedule": { "every": "1m" } }))],
        at("2026-11-23 00:00:30"),
    )
    .await;
    let now = at("2026-11-24 00:00:30");
    db.store.plan_due(TOKYO, now).await.unwrap();
    let whole = morning::gather(&db.store, TOKYO, at("2026-11-23 00:00:00"), now, now).await.unwrap();
    assert!(whole.statement.holds(), "{:?}", whole.statement.findings);
    assert_eq!(whole.statement.tally.due, 1_440);
    assert_eq!(whole.timers[0].reasons.values().sum::<u64>(), 1_439);
    assert!(whole.timers[0].reasons.contains_key(&SkipReason::TooOld));
    let recent = reconciling::statement_of(&db.store, TOKYO, now).await.unwrap();
    assert!(recent.holds() && (200..=300).contains(&recent.tally.due), "{}", recent.tally);
}

#[tokio::test]
async fn a_thousand_timers_are_held_against_their_schedules_in_a_moment() {
    let db = temp_store().await;
    let timers = (0..1_000).map(|number| {
        let step = if number % 10 == 0 { "1m" } else { "6h" };
        timer(&format!("t{number}"), "list", "push", json!({ "schedule": { "every": step }, "overlap": "queue-one" }))
    });
    save(&db.store, timers.collect(), at("2026-11-24 00:00:30")).await;
    for hour in 1..=12 {
        db.store.plan_due(TOKYO, at("2026-11-24 00:00:30") + TimeDelta::hours(hour)).await.unwrap();
    }
    let clock = renkei::clock::Clock::system();
    let statement = reconciling::statement_of(&db.store, TOKYO, at("2026-11-24 12:00:30")).await.unwrap();
    let took = clock.elapsed();
    assert!(statement.holds(), "{:?}", statement.findings);
    assert!(took < Duration::from_secs(5), "{} slots took {took:?}", statement.tally.due);
}

/// 05:00 of the day after tomorrow, so that a day lies ahead whenever the test runs.
fn early(house: &House) -> DateTime<Utc> {
    let day = house.app.clock.now().with_timezone(&TOKYO).date_naive() + TimeDelta::days(2);
    at(&format!("{day} 05:00:00"))
}

#[tokio::test]
async fn the_morning_mail_comes_once_a_day_over_restarts_and_late_starts() {
    let mut house =
        house(vec![timer("t", "社員一覧", "社員マスタ連携", json!({ "schedule": { "daily": "06:00" } }))]).await;
    let start = early(&house);
    house.app.clock.set(start);
    house.settle().await;
    house.app.clock.set(start + TimeDelta::hours(1));
    house.settle().await;
    assert!(!morning::step(&house.engine).await.unwrap(), "it is not 08:30");
    house.app.clock.set(start + TimeDelta::minutes(211));
    assert!(morning::step(&house.engine).await.unwrap());
    assert!(!morning::step(&house.engine).await.unwrap());
    house.settle().await;
    house = house.reopened().await;
    house.pass(MINUTE * 60);
    assert!(!morning::step(&house.engine).await.unwrap(), "it was told before the restart");
    let told = |house: &House| {
        house.mails().into_iter().filter(|mail| mail.subject().contains("朝のまとめ")).collect::<Vec<_>>()
    };
    assert_eq!(told(&house)[0].subject(), "[朝のまとめ] 対応は不要です(1/1件)");

    // The next day, the daemon comes in the afternoon, and the list was not there in the morning.
    std::fs::remove_file(house.folder.path().join("list.csv")).unwrap();
    house.app.clock.set(start + TimeDelta::hours(34));
    house.settle().await;
    assert!(morning::step(&house.engine).await.unwrap());
    house.settle().await;
    assert_eq!(told(&house).len(), 2);
    assert_eq!(told(&house)[1].subject(), "[朝のまとめ] 要対応 1件");
}
