//! Chains of timers through the whole house: a follower waits for its leader, runs after it, or is skipped with it.

use crate::support::{House, timer};
use chrono::TimeDelta;
use renkei::domain::failure::Code;
use renkei::domain::run::{RunState, SkipReason, SlotState};
use renkei::engine::{orders, recovery};
use renkei::sandbox::{Misbehaviour, Plan};
use renkei::store::runs::{Run, RunFilter};
use renkei::store::settings::SettingsChange;
use serde_json::{Value, json};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// 部門 leads at the next full minute, 社員 follows at the same time; each has a list of its own.
async fn house(leader: Value, follower: Value) -> House {
    let house = House::new().await;
    house.file("部門.csv", "社員コード,部門名\n10,営業\n");
    house.file("社員.csv", "社員コード,社員名\n1045,佐藤\n");
    house.settings(json!({ "repeat_safe": false }), json!({}), vec![]).await;
    let at = house.app.clock.now().with_timezone(&crate::support::TOKYO) + TimeDelta::minutes(2);
    let at = at.format("%H:%M").to_string();
    let daily = |more: Value| {
        let mut keys = json!({ "schedule": { "daily": at } });
        for (key, value) in more.as_object().unwrap() {
            keys[key] = value.clone();
        }
        keys
    };
    let leads = timer("t部門", "部門", "社員マスタ連携", daily(leader));
    let mut keys = daily(follower);
    keys["after"] = json!(["t部門"]);
    let follows = timer("t社員", "社員", "社員マスタ連携", keys);
    let change = SettingsChange {
        menus: vec![house.menu("部門"), house.menu("社員")],
        // The follower first, so that the order of planning is not the order of saving.
        timers: vec![follows, leads],
        ..SettingsChange::default()
    };
    house.save(&change).await;
    house
}

/// The newest run of a menu.
async fn newest(house: &House, menu: &str) -> Run {
    let filter = RunFilter { menu: Some(menu.to_owned()), limit: 1, ..RunFilter::default() };
    house.app.store.list_runs(&filter).await.unwrap().remove(0)
}

async fn fire(house: &House) {
    house.pass(MINUTE * 2);
    house.settle().await;
}

#[tokio::test]
async fn a_follower_runs_when_its_leader_was_accepted_and_has_settled() {
    let house = house(json!({ "priority": 10 }), json!({ "priority": 90 })).await;
    fire(&house).await;
    assert_eq!(newest(&house, "部門").await.state, RunState::Accepted);
    assert_eq!(newest(&house, "社員").await.state, RunState::Queued, "the import behind 受付済 is not done yet");
    house.pass(MINUTE * 9);
    house.settle().await;
    assert_eq!(newest(&house, "社員").await.state, RunState::Queued);
    house.pass(MINUTE);
    house.settle().await;
    assert_eq!(newest(&house, "社員").await.state, RunState::Accepted);
    let names: Vec<_> = house.received().iter().map(|one| one.csv.as_ref().unwrap().len()).collect();
    assert_eq!(names.len(), 2);
}

#[tokio::test]
async fn a_leader_that_failed_skips_its_follower_and_both_are_repeated_in_order() {
    let house = house(json!({}), json!({ "settle": "0s" })).await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::ErrorBody));
    fire(&house).await;
    let (leader, follower) = (newest(&house, "部門").await, newest(&house, "社員").await);
    assert_eq!(leader.state, RunState::Failed);
    assert_eq!(follower.state, RunState::Skipped);
    assert_eq!(follower.failure.as_ref().unwrap().code, Code::Leader);
    assert!(follower.failure.unwrap().message.contains(&leader.id));
    assert!(house.mails().iter().any(|mail| mail.text().contains("RUN-LEADER")), "the skip is told");

    let again = orders::Repeat { id: leader.id.clone(), ..Default::default() };
    let repeat = orders::retry(&house.engine, &again, "佐藤").await.unwrap();
    let followers = orders::retry_followers(&house.engine, &leader, &repeat, "佐藤").await.unwrap();
    assert_eq!(followers.iter().map(|run| run.menu.as_str()).collect::<Vec<_>>(), ["社員"]);
    house.settle().await;
    assert_eq!(newest(&house, "部門").await.state, RunState::Accepted);
    let second = newest(&house, "社員").await;
    assert_eq!((second.state, second.retry_of), (RunState::Accepted, Some(follower.id)));
    assert!(orders::retry_followers(&house.engine, &leader, &repeat, "佐藤").await.unwrap().is_empty(), "once");
}

#[tokio::test]
async fn a_follower_whose_leader_is_held_waits_until_its_start_by() {
    let house = house(json!({}), json!({ "start_by": "30m" })).await;
    house.file("部門.csv", "社員コード,部門名\n");
    fire(&house).await;
    assert_eq!(newest(&house, "部門").await.state, RunState::Held);
    house.pass(MINUTE * 28);
    house.settle().await;
    assert_eq!(newest(&house, "社員").await.state, RunState::Queued);
    house.pass(MINUTE * 3);
    house.settle().await;
    let follower = newest(&house, "社員").await;
    assert_eq!((follower.state, follower.failure.unwrap().code), (RunState::Skipped, Code::TooLate));
}

#[tokio::test]
async fn a_leader_whose_slot_was_skipped_skips_the_slot_of_its_follower() {
    let house = house(json!({ "misfire": "none" }), json!({})).await;
    // Nobody was there at the slot: the leader lets it go, the follower would catch up.
    house.pass(MINUTE * 10);
    house.settle().await;
    let now = house.app.clock.now();
    let ledger = async |timer: &str| {
        let lines = house.app.store.occurrences(timer, now - TimeDelta::hours(1), now).await.unwrap();
        lines.into_iter().map(|line| (line.state, line.reason)).collect::<Vec<_>>()
    };
    assert_eq!(ledger("t部門").await, [(SlotState::Skipped, Some(SkipReason::Missed))]);
    assert_eq!(ledger("t社員").await, [(SlotState::Skipped, Some(SkipReason::Leader))]);
}

#[tokio::test]
async fn a_leader_that_is_off_is_not_waited_for_and_the_history_says_so() {
    let house = house(json!({ "switch": "off" }), json!({})).await;
    fire(&house).await;
    let run = newest(&house, "社員").await;
    assert_eq!(run.state, RunState::Accepted);
    let events = house.detail(&run.id).await.events;
    let told = events.iter().find(|event| event.kind == "follows").unwrap();
    assert_eq!(told.text, "does not wait for the timer t部門: it is switched off");
}

#[tokio::test]
async fn a_crash_of_the_leader_in_the_middle_of_its_request_skips_the_follower() {
    let house = house(json!({}), json!({ "settle": "0s" })).await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::Hold));
    house.pass(MINUTE * 2);
    renkei::engine::planner::step(&house.engine).await.unwrap();
    let engine = house.engine.clone();
    let carrying = tokio::spawn(async move {
        renkei::engine::dispatcher::step(&engine, &tokio_util::sync::CancellationToken::new()).await
    });
    house.sandbox.wait_arrived(1, Duration::from_secs(20)).await.unwrap();
    carrying.abort();
    let house = house.reopened().await;
    recovery::recover(&house.engine).await.unwrap();
    house.settle().await;
    assert_eq!(newest(&house, "部門").await.state, RunState::Unknown);
    assert_eq!(newest(&house, "社員").await.state, RunState::Skipped);
}
