//! Mail stays readable when a failure repeats itself, and a run that takes too long ends.

use crate::support::{House, timer};
use renkei::domain::failure::Code;
use renkei::domain::run::RunState;
use renkei::engine::{dispatcher, orders, planner};
use renkei::sandbox::{Misbehaviour, Plan};
use renkei::store::runs::{Run, RunFilter};
use serde_json::{Value, json};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const QUARTER: Duration = Duration::from_secs(15 * 60);

async fn house(integration: Value, keys: Value) -> House {
    let house = House::new().await;
    house.file("list.csv", "社員コード,社員名\n1045,佐藤\n");
    let mut all = json!({ "schedule": { "every": "15m" } });
    for (key, value) in keys.as_object().unwrap() {
        all[key] = value.clone();
    }
    house.settings(integration, json!({}), vec![timer("t", "社員一覧", "社員マスタ連携", all)]).await;
    house
}

async fn newest(house: &House) -> Run {
    let filter = RunFilter { limit: 1, ..RunFilter::default() };
    house.app.store.list_runs(&filter).await.unwrap().remove(0)
}

async fn quarters(house: &House, count: usize) {
    for _ in 0..count {
        house.pass(QUARTER);
        house.settle().await;
    }
}

fn subjects(house: &House) -> Vec<String> {
    house.mails().iter().map(|mail| mail.subject().chars().take_while(|c| *c != ']').collect()).collect()
}

#[tokio::test]
async fn the_first_failure_is_told_at_once_the_same_again_hourly_and_its_end() {
    // Errors only: the end of the trouble is told all the same.
    let house = house(json!({ "report": 4 }), json!({})).await;
    house.sandbox.misbehave(Plan::Next(7, Misbehaviour::ErrorBody));
    quarters(&house, 7).await;
    assert_eq!(subjects(&house), ["[エラー", "[エラー"], "at once, and after an hour");
    assert!(house.mails()[1].text().contains("同じエラーがほかに3回ありました"), "{}", house.mails()[1].text());
    quarters(&house, 2).await;
    assert_eq!(subjects(&house), ["[エラー", "[エラー", "[復旧"], "and once when it is over");
    assert!(house.mails()[2].text().contains("復旧しました"), "{}", house.mails()[2].text());
}

#[tokio::test]
async fn another_failure_is_told_at_once_and_so_is_what_a_person_waits_for() {
    let house = house(json!({ "report": 4, "repeat_safe": false }), json!({})).await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::ErrorBody));
    quarters(&house, 1).await;
    house.sandbox.misbehave(Plan::Next(2, Misbehaviour::Rubbish));
    quarters(&house, 2).await;
    assert_eq!(subjects(&house), ["[エラー", "[要確認"], "the second kind once");
    house.sandbox.misbehave(Plan::once(Misbehaviour::Rubbish));
    assert_eq!(house.carried().await.run.state, RunState::Unknown);
    assert_eq!(subjects(&house).len(), 3, "by hand: somebody waits");
}

#[tokio::test]
async fn a_run_that_waits_for_request_slots_beyond_its_time_limit_ends_before_its_next_file() {
    let rows: String = (0..4).map(|n| format!("{n:04},name\n")).collect();
    let limits = json!({ "limits": { "file_lines": 3, "requests_per_minute": 1 } });
    let house = house(limits, json!({ "time_limit": "30s" })).await;
    house.file("list.csv", format!("社員コード,社員名\n{rows}"));
    house.pass(QUARTER);
    planner::step(&house.engine).await.unwrap();
    let engine = house.engine.clone();
    let carrying = tokio::spawn(async move { dispatcher::step(&engine, &CancellationToken::new()).await });
    house.sandbox.wait_arrived(1, Duration::from_secs(20)).await.unwrap();
    house.pass(Duration::from_secs(31));
    carrying.await.unwrap().unwrap();
    let run = newest(&house).await;
    assert_eq!((run.state, run.failure.unwrap().code), (RunState::Partial, Code::TimeLimit));
    assert_eq!(house.received().len(), 1);
}

#[tokio::test]
async fn a_run_is_not_tried_again_beyond_its_time_limit_and_what_was_sent_stays() {
    let rows: String = (0..4).map(|n| format!("{n:04},name\n")).collect();
    let house = house(json!({ "limits": { "file_lines": 3 } }), json!({ "time_limit": "20m" })).await;
    house.file("list.csv", format!("社員コード,社員名\n{rows}"));
    house.sandbox.misbehave(Plan::Pass(1));
    house.sandbox.misbehave(Plan::Always(Misbehaviour::Maintenance));
    house.pass(QUARTER);
    house.settle().await;
    assert_eq!(newest(&house).await.state, RunState::Waiting);
    let seq = newest(&house).await.seq;
    for _ in 0..12 {
        house.pass(Duration::from_secs(120));
        while dispatcher::step(&house.engine, &CancellationToken::new()).await.unwrap() {}
    }
    let run = house.app.store.run_by_seq(seq).await.unwrap();
    assert_eq!(run.state, RunState::Partial);
    assert_eq!(run.failure.unwrap().code, Code::Maintenance, "what kept it from being done");
    assert_eq!(house.sandbox.master(0).records.len(), 2, "the first file");
}

#[tokio::test]
async fn a_held_run_ends_once_newer_data_was_sent() {
    let house = house(json!({}), json!({})).await;
    house.file("list.csv", "社員コード,社員名\n");
    quarters(&house, 1).await;
    let held = newest(&house).await;
    assert_eq!(held.state, RunState::Held);
    house.file("list.csv", "社員コード,社員名\n1045,佐藤\n");
    house.pass(QUARTER);
    planner::step(&house.engine).await.unwrap();
    house.settle().await;
    let ended = house.detail(&held.id).await.run;
    assert_eq!((ended.state, ended.failure.unwrap().code), (RunState::Cancelled, Code::Overtaken));
    assert!(orders::approve(&house.engine, &held.id, "佐藤").await.is_err());
}
