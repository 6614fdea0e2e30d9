//! Bugs that people met, each with the test that would have caught it.

use crate::support::House;
use renkei::app::App;
use renkei::domain::failure::Code;
use renkei::domain::run::RunState;
use renkei::engine::{dispatcher, orders, pausing, recovery};
use renkei::sandbox::{Misbehaviour, Plan};
use serde_json::json;
use sqlx::{Connection as _, Executor as _};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

async fn house() -> House {
    let house = House::new().await;
    house.file("list.csv", "社員コード,社員名\n1045,佐藤\n");
    house.settings(json!({}), json!({}), vec![]).await;
    house
}

/// A newer run that was refused whole was said to have sent newer data.
#[tokio::test]
async fn a_newer_run_of_which_nothing_was_taken_overtakes_nobody() {
    let house = house().await;
    house.sandbox.misbehave(Plan::Next(2, Misbehaviour::Unauthorized));
    let first = house.carried().await.run;
    pausing::resume(&house.engine, "社員マスタ連携", "佐藤").await.unwrap();
    assert_eq!(house.carried().await.run.state, RunState::Failed);
    pausing::resume(&house.engine, "社員マスタ連携", "佐藤").await.unwrap();
    let retry = orders::retry(&house.engine, &orders::Repeat { id: first.id.clone(), ..Default::default() }, "佐藤")
        .await
        .unwrap();
    house.settle().await;
    assert_eq!(house.detail(&retry.id).await.run.state, RunState::Accepted);
}

/// A cancel that was asked for before a crash made a request of unknown fate look like one that never was.
#[tokio::test]
async fn a_cancel_does_not_hide_a_request_of_unknown_fate() {
    let house = house().await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::Hold));
    let run = house.start().await;
    let engine = house.engine.clone();
    let carrying = tokio::spawn(async move {
        let stopping = CancellationToken::new();
        dispatcher::step(&engine, &stopping).await
    });
    house.sandbox.wait_arrived(1, Duration::from_secs(20)).await.unwrap();
    orders::cancel(&house.engine, &run.id, "佐藤").await.unwrap();
    carrying.abort();
    let house = house.reopened().await;
    recovery::recover(&house.engine).await.unwrap();
    house.settle().await;
    assert_eq!(house.detail(&run.id).await.run.state, RunState::Unknown);
}

/// A `Retry-After` beyond the end of the calendar ended the run as a defect of renkei's own.
#[tokio::test]
async fn a_retry_after_that_no_calendar_holds_ends_the_tries() {
    let house = house().await;
    let retry_after = Some("9999999999999".to_owned());
    house.sandbox.misbehave(Plan::once(Misbehaviour::Throttle { retry_after }));
    let run = house.carried().await.run;
    assert_eq!((run.state, run.failure.unwrap().code), (RunState::Failed, Code::Throttled));
}

/// A crash between the export and the hold let a run go on that a check had stopped: its files were sent unseen.
#[tokio::test]
async fn a_check_that_tripped_before_a_crash_still_holds_the_run() {
    let house = house().await;
    house.file("list.csv", "社員コード,社員名\n1045,佐藤\n1045,髙橋\n");
    let database = house.app.config.database.clone();
    let sql = async |text: &'static str| {
        let url = format!("sqlite://{}", database.display());
        sqlx::AnyConnection::connect(&url).await.unwrap().execute(text).await.unwrap();
    };
    // The hold is not taken, as if the daemon had ended just before it.
    sql("CREATE TRIGGER crash BEFORE UPDATE ON runs WHEN NEW.state = 'held' BEGIN SELECT RAISE(ABORT, 'crash'); END")
        .await;
    let run = house.carried().await.run;
    assert_eq!(run.state, RunState::Running);
    sql("DROP TRIGGER crash").await;
    let house = house.reopened().await;
    recovery::recover(&house.engine).await.unwrap();
    house.settle().await;
    let run = house.detail(&run.id).await.run;
    assert_eq!((run.state, house.received().len()), (RunState::Held, 0));
    orders::approve(&house.engine, &run.id, "佐藤").await.unwrap();
    house.settle().await;
    assert_eq!((house.detail(&run.id).await.run.state, house.received().len()), (RunState::Accepted, 1));
}

/// A run that waited to try its second file again was cancelled, and said that nothing had been sent.
#[tokio::test]
async fn a_cancel_of_a_waiting_run_says_what_was_taken_before() {
    let house = House::new().await;
    let rows: String = (0..4).map(|n| format!("{n:04},name\n")).collect();
    house.file("list.csv", format!("社員コード,社員名\n{rows}"));
    house.settings(json!({ "limits": { "file_lines": 3 } }), json!({}), vec![]).await;
    house.sandbox.misbehave(Plan::Pass(1));
    house.sandbox.misbehave(Plan::Always(Misbehaviour::Maintenance));
    let waiting = house.carried().await.run;
    assert_eq!(waiting.state, RunState::Waiting);
    orders::cancel(&house.engine, &waiting.id, "佐藤").await.unwrap();
    assert_eq!(house.detail(&waiting.id).await.run.state, RunState::Partial);
}

/// A refusal after a try of unknown fate was taken for an answer about that try: the run said that nothing was taken.
#[tokio::test]
async fn a_try_of_unknown_fate_stays_in_doubt_whatever_the_next_one_is_told() {
    let house = house().await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::AcceptThenSilent));
    house.sandbox.misbehave(Plan::once(Misbehaviour::ErrorBody));
    house.settings(json!({ "timeouts": { "request": "1s", "idle": "1s" } }), json!({}), vec![]).await;
    let run = house.carried().await.run;
    assert_eq!(run.state, RunState::Waiting);
    house.pass(Duration::from_secs(60));
    house.settle().await;
    assert_eq!(house.detail(&run.id).await.run.state, RunState::Unknown);
}

/// A pause or a planned stop that began in the middle of a run let its further files go all the same.
#[tokio::test]
async fn a_pause_in_the_middle_of_a_run_lets_no_further_file_go() {
    let house = House::new().await;
    house.file("list.csv", "社員コード,社員名\n1045,佐藤\n1046,鈴木\n");
    house.settings(json!({ "limits": { "file_lines": 2 } }), json!({}), vec![]).await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::Hold));
    let run = house.start().await;
    let engine = house.engine.clone();
    let carrying = tokio::spawn(async move { dispatcher::step(&engine, &CancellationToken::new()).await });
    house.sandbox.wait_arrived(1, Duration::from_secs(20)).await.unwrap();
    pausing::pause(&house.engine, "社員マスタ連携", "人事異動", "佐藤").await.unwrap();
    house.sandbox.release();
    carrying.await.unwrap().unwrap();
    let after = house.detail(&run.id).await;
    assert_eq!((after.run.state, after.attempts.len()), (RunState::Queued, 1));
    pausing::resume(&house.engine, "社員マスタ連携", "佐藤").await.unwrap();
    house.settle().await;
    let after = house.detail(&run.id).await;
    assert_eq!((after.run.state, after.attempts.len()), (RunState::Accepted, 2));
}

/// An emptied database was taken for a new one, and its first run wrote over the files of an earlier one.
#[tokio::test]
async fn a_database_that_was_lost_beside_its_spool_is_not_begun_anew() {
    let house = house().await;
    house.carried().await;
    house.app.store.close().await;
    let config = (*house.app.config).clone();
    std::fs::write(&config.database, b"").unwrap();
    let error = App::open(config.clone(), house.app.clock.clone()).await.err().unwrap().to_string();
    assert!(error.contains("there is no history in it") && error.contains("spool"), "{error}");
    std::fs::remove_file(&config.database).unwrap();
    assert!(App::open(config.clone(), house.app.clock.clone()).await.is_err());
    std::fs::remove_dir_all(config.spool()).unwrap();
    assert!(App::open(config, house.app.clock.clone()).await.is_ok(), "a new house may begin");
}

/// A file of next year was never older than `max_age` allows, and was sent again and again.
#[tokio::test]
async fn a_file_whose_time_lies_ahead_is_not_taken_for_a_fresh_one() {
    let house = House::new().await;
    let path = house.file("list.csv", "社員コード,社員名\n1045,佐藤\n");
    let source = json!({ "source": { "csv": { "path": path, "max_age": "26h" } } });
    house.settings(json!({}), source, vec![]).await;
    let next_year = house.app.clock.now() + chrono::TimeDelta::days(365);
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(next_year.into()).unwrap();
    let run = house.carried().await.run;
    assert_eq!((run.state, run.failure.unwrap().code), (RunState::Failed, Code::SourceStale));
    assert!(house.received().is_empty());
}
