//! The store on real SQLite files: what must never be is refused, and a file that is not ours is left alone.

mod clock;
mod files;
mod history;
mod records;
mod schema;

use crate::support::{TOKYO, at, save, temp_store, timer};
use renkei::domain::admit::{Admission, BootInstant};
use renkei::domain::failure::{Code, Failure};
use renkei::domain::integration::Account;
use renkei::domain::record::{Block, Header};
use renkei::domain::run::{BatchState, RunState, SkipReason, SlotState};
use renkei::domain::timer::{Timer, TimerForm};
use renkei::domain::verdict::Verdict;
use renkei::store::batches::{Conclusion, NewBatch, NewExport};
use renkei::store::life::Ending;
use renkei::store::outbox::NewMail;
use renkei::store::{Store, StoreError};
use serde_json::json;

fn every_minute(more: serde_json::Value) -> Timer {
    let mut keys = json!({ "schedule": { "every": "1m" } });
    for (key, value) in more.as_object().unwrap() {
        keys[key] = value.clone();
    }
    timer("t", "list", "push", keys)
}

async fn reasons(store: &Store, from: &str, to: &str) -> Vec<(String, String)> {
    let ledger = store.occurrences("t", at(from), at(to)).await.unwrap();
    let line = |one: &renkei::store::ledger::Occurrence| {
        let time = one.scheduled_at.with_timezone(&TOKYO).format("%H:%M").to_string();
        (time, one.reason.map_or(one.state.to_string(), |reason| reason.to_string()))
    };
    ledger.iter().map(line).collect()
}

#[tokio::test]
async fn a_due_slot_gets_one_run_however_often_it_is_planned() {
    let db = temp_store().await;
    save(&db.store, vec![every_minute(json!({}))], at("2026-11-24 06:00:30")).await;
    assert_eq!(db.store.next_due().await.unwrap(), Some(at("2026-11-24 06:01:00")));
    assert_eq!(db.store.plan_due(TOKYO, at("2026-11-24 06:00:59")).await.unwrap(), 0);
    assert_eq!(db.store.plan_due(TOKYO, at("2026-11-24 06:01:00")).await.unwrap(), 1);
    assert_eq!(db.store.plan_due(TOKYO, at("2026-11-24 06:01:00")).await.unwrap(), 0);
    let run = db.store.run("R-20261124-0001").await.unwrap();
    assert_eq!((run.scheduled_at, run.actor.as_str()), (Some(at("2026-11-24 06:01:00")), "sato"));
    assert_eq!(db.store.next_due().await.unwrap(), Some(at("2026-11-24 06:02:00")));
}

#[tokio::test]
async fn missed_slots_are_accounted_for_and_the_last_one_is_caught_up() {
    let db = temp_store().await;
    save(&db.store, vec![every_minute(json!({}))], at("2026-11-24 06:00:30")).await;
    db.store.plan_due(TOKYO, at("2026-11-24 06:04:00")).await.unwrap();
    let ledger = reasons(&db.store, "2026-11-24 06:00:00", "2026-11-24 07:00:00").await;
    let ledger: Vec<(&str, &str)> = ledger.iter().map(|(time, what)| (time.as_str(), what.as_str())).collect();
    assert_eq!(
        ledger,
        [
            ("06:01", "caught-up-by-later"),
            ("06:02", "caught-up-by-later"),
            ("06:03", "caught-up-by-later"),
            ("06:04", "planned")
        ]
    );
}

#[tokio::test]
async fn months_of_missed_slots_take_a_bounded_number_of_rows() {
    let db = temp_store().await;
    save(&db.store, vec![every_minute(json!({ "misfire": "none" }))], at("2026-09-01 00:00:00")).await;
    db.store.plan_due(TOKYO, at("2026-11-24 00:00:00")).await.unwrap();
    let ledger = db.store.occurrences("t", at("2026-09-01 00:00:00"), at("2026-11-24 00:00:00")).await.unwrap();
    assert_eq!(ledger.len(), 1_001);
    let slots: u64 = ledger.iter().map(|one| one.slots).sum();
    assert_eq!(slots, 84 * 24 * 60, "every slot is in one row or another");
}

#[tokio::test]
async fn an_open_run_makes_the_next_slot_a_skipped_one() {
    let db = temp_store().await;
    save(&db.store, vec![every_minute(json!({}))], at("2026-11-24 06:00:30")).await;
    db.store.plan_due(TOKYO, at("2026-11-24 06:01:00")).await.unwrap();
    db.store.plan_due(TOKYO, at("2026-11-24 06:02:00")).await.unwrap();
    let ledger = db.store.occurrences("t", at("2026-11-24 06:02:00"), at("2026-11-24 06:02:00")).await.unwrap();
    assert_eq!((ledger[0].state, ledger[0].reason), (SlotState::Skipped, Some(SkipReason::Overlap)));
}

#[tokio::test]
async fn an_edit_first_accounts_for_what_was_due_and_supersedes_what_will_not_be() {
    let db = temp_store().await;
    let minutely = every_minute(json!({}));
    save(&db.store, vec![minutely.clone()], at("2026-11-24 06:00:30")).await;
    let off =
        Timer::check(TimerForm { switch: renkei::domain::timer::Switch::Off, ..minutely.form().clone() }).unwrap().0;
    save(&db.store, vec![off], at("2026-11-24 06:01:10")).await;
    let ledger = reasons(&db.store, "2026-11-24 06:00:00", "2026-11-24 07:00:00").await;
    assert_eq!(ledger, [("06:01".into(), "planned".into()), ("06:02".into(), "superseded".into())]);
    assert_eq!(db.store.next_due().await.unwrap(), None);
    // Switched on again before 06:02, that slot lives again.
    save(&db.store, vec![minutely], at("2026-11-24 06:01:50")).await;
    db.store.plan_due(TOKYO, at("2026-11-24 06:02:00")).await.unwrap();
    let ledger = reasons(&db.store, "2026-11-24 06:02:00", "2026-11-24 06:02:00").await;
    assert_eq!(ledger, [("06:02".into(), "overlap".into())]);
}

#[tokio::test]
async fn two_saves_on_one_version_do_not_both_succeed() {
    let db = temp_store().await;
    let version = save(&db.store, vec![], at("2026-11-24 06:00:00")).await;
    let change = renkei::store::settings::SettingsChange::default();
    db.store.save_settings(&change, version, "a", TOKYO, at("2026-11-24 06:00:01")).await.unwrap();
    let second = db.store.save_settings(&change, version, "b", TOKYO, at("2026-11-24 06:00:02")).await;
    assert!(matches!(second, Err(StoreError::Conflict(_))), "{second:?}");
}

async fn queued(db: &crate::support::TempStore) -> i64 {
    save(&db.store, vec![every_minute(json!({}))], at("2026-11-24 06:00:30")).await;
    db.store.plan_due(TOKYO, at("2026-11-24 06:01:00")).await.unwrap();
    db.store.candidates(at("2026-11-24 06:01:00")).await.unwrap()[0].seq
}

#[tokio::test]
async fn a_lane_holds_one_run_and_an_end_is_the_end() {
    let db = temp_store().await;
    let now = at("2026-11-24 06:01:00");
    let seq = queued(&db).await;
    assert!(db.store.claim(seq, "all", now).await.unwrap().is_some());
    assert!(db.store.claim(seq, "all", now).await.unwrap().is_none(), "it is not queued any more");
    let settings = db.store.settings().await.unwrap();
    let second = db.store.run_by_seq(seq).await.unwrap();
    let new = renkei::store::runs::NewRun {
        menu: (second.menu_id.clone(), second.menu.clone()),
        integration: (second.integration_id.clone(), second.integration.clone()),
        timer: None,
        account: second.account.clone(),
        settings_version: settings.version,
        trigger: renkei::domain::run::Trigger::Hand,
        actor: "sato".into(),
        memo: None,
        priority: 50,
        scheduled_at: None,
        start_by: None,
        wanted_keys: None,
        retry_of: None,
        forced: false,
        only_failed: false,
        behind: None,
    };
    let other = db.store.enqueue(&new, now.with_timezone(&TOKYO).date_naive(), now).await.unwrap();
    assert_eq!(other.id, "R-20261124-0002");
    assert!(db.store.claim(other.seq, "all", now).await.unwrap().is_none(), "the lane is busy");
    let failure = Failure::new(Code::Empty, "x");
    db.store.end(&second, RunState::Running, &Ending::quiet(RunState::Failed, Some(failure)), now).await.unwrap();
    let again = db.store.end(&second, RunState::Running, &Ending::quiet(RunState::Accepted, None), now).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    assert!(db.store.claim(other.seq, "all", now).await.unwrap().is_some(), "the lane is free again");
}

#[tokio::test]
async fn an_intent_is_on_record_before_its_verdict_and_overtakes_older_runs() {
    let db = temp_store().await;
    let now = at("2026-11-24 06:01:00");
    let seq = queued(&db).await;
    let run = db.store.claim(seq, "all", now).await.unwrap().unwrap();
    let batch = NewBatch {
        file: "batch-001.csv".into(),
        records: 3,
        bytes: 30,
        sha256: "0".repeat(64),
        state: BatchState::Ready,
    };
    let export = NewExport {
        batches: vec![batch],
        records: 3,
        skipped_rows: 0,
        warning: None,
        tripped: None,
        source: None,
        adopted: None,
    };
    db.store.record_export(seq, &export, now).await.unwrap();
    assert_eq!(db.store.newer_sent(&run).await.unwrap(), None);
    let attempt = db.store.intend(seq, 1, now).await.unwrap();
    assert_eq!(db.store.batches(seq).await.unwrap()[0].state, BatchState::Sending);
    assert_eq!(db.store.open_attempts(seq).await.unwrap().len(), 1);
    let older = renkei::store::runs::Run { export_number: Some(0), ..run.clone() };
    assert_eq!(db.store.newer_sent(&older).await.unwrap().as_deref(), Some("R-20261124-0001"));
    let done =
        Conclusion { verdict: Verdict::Accepted, http_status: Some(200), answer: Some("{}".into()), note: "ok".into() };
    db.store.conclude(seq, 1, attempt, &done, now).await.unwrap();
    assert!(db.store.conclude(seq, 1, attempt, &done, now).await.is_err(), "a verdict is final");
    assert!(db.store.intend(seq, 1, now).await.is_err(), "what was accepted is not sent again");
    let mail = NewMail {
        message_id: "x".into(),
        recipients: vec!["a@x".into()],
        subject: "s".into(),
        text: "t".into(),
        html: "h".into(),
    };
    let ending = Ending { mail: Some(mail), ..Ending::quiet(RunState::Accepted, None) };
    db.store.end(&run, RunState::Running, &ending, now).await.unwrap();
    let due = db.store.due_mails(now, 10).await.unwrap();
    assert_eq!((due.len(), due[0].run.as_deref()), (1, Some("R-20261124-0001")));
    db.store.mail_sent(due[0].number, now).await.unwrap();
    assert!(db.store.due_mails(now, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_account_never_has_more_requests_in_a_minute_than_it_may() {
    let db = temp_store().await;
    let account = Account::from_stored("h/acme".into());
    let boot = |millis: u64| BootInstant { boot_id: "b".into(), millis };
    for number in 0..3 {
        assert_eq!(db.store.take_slot(&account, 3, &boot(0), "r").await.unwrap(), Admission::Go(number));
    }
    assert!(matches!(db.store.take_slot(&account, 3, &boot(0), "r").await.unwrap(), Admission::Wait(_)));
    db.store.release_slot(&account, 1, &boot(5_000)).await.unwrap();
    assert!(matches!(db.store.take_slot(&account, 3, &boot(64_999), "r").await.unwrap(), Admission::Wait(_)));
    assert_eq!(db.store.take_slot(&account, 3, &boot(65_000), "r").await.unwrap(), Admission::Go(1));
    db.store.recover_slots(&boot(70_000)).await.unwrap();
    assert!(matches!(db.store.take_slot(&account, 3, &boot(129_999), "r").await.unwrap(), Admission::Wait(_)));
    assert_eq!(db.store.take_slot(&account, 3, &boot(130_000), "r").await.unwrap(), Admission::Go(0));
    let reboot = BootInstant { boot_id: "c".into(), millis: 500_000 };
    assert_eq!(
        db.store.take_slot(&account, 3, &reboot, "r").await.unwrap(),
        Admission::Wait(std::time::Duration::from_secs(60))
    );
}

#[tokio::test]
async fn a_new_generation_of_records_is_switched_at_once_and_the_old_one_read_to_its_end() {
    let db = temp_store().await;
    let now = at("2026-11-24 06:00:00");
    let header = Header::new(vec!["code".into(), "name".into()]);
    let import = async |value: &str| {
        let generation = db.store.begin_generation("list", &header, now).await.unwrap();
        for _ in 0..2 {
            let mut block = Block::new(2);
            block.push_row(1, ["1", value]);
            db.store.append_blocks(generation, &[block]).await.unwrap();
        }
        generation
    };
    assert_eq!(db.store.generation("list").await.unwrap(), None);
    let first = import("old").await;
    db.store.switch_generation("list", first, now).await.unwrap();
    let generation = db.store.generation("list").await.unwrap().unwrap();
    assert_eq!(generation.records, 2);
    let mut reader = db.store.read_generation(&generation);
    let read = |block: Block| block.rows().next().unwrap().field(1).to_owned();
    assert_eq!(read(reader.next().await.unwrap().unwrap()), "old");
    let second = import("new").await;
    assert_eq!(db.store.generation("list").await.unwrap().unwrap().number, first, "not switched yet");
    db.store.switch_generation("list", second, now).await.unwrap();
    assert_eq!(read(reader.next().await.unwrap().unwrap()), "old");
    assert_eq!(reader.next().await.unwrap(), None);
    assert_eq!(db.store.stale_generations(at("2026-11-25 00:00:00")).await.unwrap(), [first]);
    db.store.drop_generation(first).await.unwrap();
    db.store.drop_generation(second).await.unwrap();
    assert_eq!(db.store.generation("list").await.unwrap().unwrap().number, second, "the current one is not dropped");
}
