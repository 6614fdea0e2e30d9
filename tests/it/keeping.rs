//! What is kept and for how long: the files of runs, by the manual clock.

use crate::support::{House, repeat};
use renkei::domain::run::RunState;
use renkei::engine::{keeping, orders};
use renkei::sandbox::{Misbehaviour, Plan};
use serde_json::json;
use std::time::Duration;

const LIST: &str = "社員コード,社員名\n1045,佐藤\n";
const DAY: Duration = Duration::from_secs(86_400);

/// A house in which every answer that is not read leaves its run unknown.
async fn house() -> House {
    let house = House::new().await;
    house.file("list.csv", LIST);
    house.settings(json!({ "repeat_safe": false, "retry_for": "365d" }), json!({}), vec![]).await;
    house
}

fn has_files(house: &House, run: &str) -> bool {
    house.engine.folder_of(run).join("batch-001.csv").exists()
}

#[tokio::test]
async fn files_of_runs_that_ended_long_ago_go_and_their_history_stays() {
    let house = house().await;
    let old = house.carried().await.run;
    house.pass(DAY * 60);
    let young = house.carried().await.run;
    house.pass(DAY * 29);
    keeping::step(&house.engine).await;
    assert!(has_files(&house, &old.id), "89 days are not 90");
    house.pass(DAY * 2);
    keeping::step(&house.engine).await;
    assert!(!house.engine.folder_of(&old.id).exists(), "files past keep_files go with their folder");
    assert!(has_files(&house, &young.id));
    let detail = house.detail(&old.id).await;
    assert_eq!((detail.run.state, detail.batches.len(), detail.attempts.len()), (RunState::Accepted, 1, 1));
    // What is gone is not looked for again.
    keeping::step(&house.engine).await;
    assert!(has_files(&house, &young.id));
}

#[tokio::test]
async fn files_of_runs_that_are_open_held_or_of_unknown_fate_stay_however_old() {
    let house = house().await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::Rubbish));
    let unknown = house.carried().await.run;
    house.sandbox.misbehave(Plan::once(Misbehaviour::Maintenance));
    let waiting = house.carried().await.run;
    house.file("list.csv", "社員コード,社員名\n1045,a\n1045,b\n");
    let held = house.carried().await.run;
    let states = [RunState::Unknown, RunState::Waiting, RunState::Held];
    assert_eq!([unknown.state, waiting.state, held.state], states);
    house.pass(DAY * 1_000);
    keeping::step(&house.engine).await;
    for run in [unknown, waiting, held] {
        assert!(has_files(&house, &run.id), "{} {}", run.id, run.state);
    }
}

#[tokio::test]
async fn files_that_an_open_retry_names_stay_until_it_has_ended() {
    let house = house().await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::ErrorBody));
    let refused = house.carried().await.run;
    assert_eq!(refused.state, RunState::Failed);
    house.pass(DAY * 100);
    let retry = orders::retry(&house.engine, &repeat(&refused.id, false, false), "佐藤").await.unwrap();
    keeping::step(&house.engine).await;
    assert!(has_files(&house, &refused.id), "the retry has not taken them over yet");
    house.settle().await;
    assert_eq!(house.detail(&retry.id).await.run.state, RunState::Accepted);
    keeping::step(&house.engine).await;
    assert!(!has_files(&house, &refused.id));
    assert!(has_files(&house, &retry.id), "the retry has its own, and its own time");
}
