//! What a person repeats: whose run it is then, and whose bytes it sends.

use super::{LIST, house};
use crate::support::{House, repeat, timer};
use renkei::domain::run::{RunState, Trigger};
use renkei::engine::orders;
use renkei::sandbox::{Misbehaviour, Plan};
use renkei::store::runs::RunFilter;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn the_mail_about_a_retry_of_a_timers_run_names_the_person_who_asked_for_it() {
    let house = House::new().await;
    house.file("list.csv", LIST);
    let every = timer("毎朝の社員", "社員一覧", "社員マスタ連携", json!({ "schedule": { "every": "1m" } }));
    house.settings(json!({}), json!({}), vec![every]).await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::ErrorBody));
    house.pass(Duration::from_secs(60));
    house.settle().await;
    let runs = house.app.store.list_runs(&RunFilter { limit: 9, ..Default::default() }).await.unwrap();
    assert_eq!((runs.len(), runs[0].state, runs[0].trigger), (1, RunState::Failed, Trigger::Timer));
    assert!(house.mails()[0].text().contains("タイマー「毎朝の社員」"), "{}", house.mails()[0].text());

    let retry = orders::retry(&house.engine, &repeat(&runs[0].id, false, false), "髙橋").await.unwrap();
    house.settle().await;
    let run = house.detail(&retry.id).await.run;
    assert_eq!((run.state, run.trigger, run.actor.as_str()), (RunState::Accepted, Trigger::Retry, "髙橋"));
    assert_eq!((run.retry_of.as_deref(), run.timer.as_deref()), (Some(runs[0].id.as_str()), Some("毎朝の社員")));
    let mails = house.mails();
    assert!(mails[1].text().contains("髙橋") && !mails[1].text().contains("タイマー「"), "{}", mails[1].text());
}

#[tokio::test]
async fn a_retry_without_files_is_no_older_data_and_needs_no_force() {
    let house = house().await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::ErrorBody));
    let old = house.carried().await.run;
    house.file("list.csv", "社員コード,社員名\n1045,鈴木\n");
    assert_eq!(house.carried().await.run.state, RunState::Accepted);
    assert_eq!(orders::exports_anew(&house.engine, &old.id).await.unwrap(), None);
    std::fs::remove_dir_all(house.engine.folder_of(&old.id)).unwrap();
    assert!(orders::exports_anew(&house.engine, &old.id).await.unwrap().is_some());

    let retry = orders::retry(&house.engine, &repeat(&old.id, false, false), "佐藤").await.unwrap();
    house.settle().await;
    let detail = house.detail(&retry.id).await;
    assert_eq!((detail.run.state, detail.run.records), (RunState::Accepted, 1), "what the source has now");
    assert!(detail.events.iter().any(|event| event.kind == "anew" && event.text.contains("files are gone")));
    assert_eq!(house.sandbox.master(0).value("1045", "社員名"), Some("鈴木"));
}
