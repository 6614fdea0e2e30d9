//! A check that tripped stays tripped, whatever dies between the export and the hold, until a person approves.

use crate::support::{House, repeat};
use renkei::domain::failure::Code;
use renkei::domain::run::RunState;
use renkei::engine::{orders, recovery};
use serde_json::json;
use sqlx::{AnyConnection, Connection as _, Executor as _};

const EMPTIED: &str = "社員コード,社員名\n";
const TWICE: &str = "社員コード,社員名\n1045,a\n1102,b\n1045,c\n";

/// A house whose run died after its export was written down, before the database took what the check said of it.
async fn died_before_its_hold(list: &str, checks: serde_json::Value) -> (House, String) {
    let house = House::new().await;
    house.file("list.csv", list);
    house.settings(json!({}), json!({ "checks": checks }), vec![]).await;
    let database = house.app.config.database.clone();
    let mut connection = AnyConnection::connect(&format!("sqlite://{}", database.display())).await.unwrap();
    let trigger = "CREATE TRIGGER refusal BEFORE UPDATE OF state ON runs WHEN NEW.state IN ('held', 'failed') \
                   BEGIN SELECT RAISE(ABORT, 'the process is gone'); END";
    connection.execute(trigger).await.unwrap();
    let id = house.carried().await.run.id;
    let run = house.detail(&id).await.run;
    assert!(run.state == RunState::Running && run.exported_at.is_some(), "between the two writes: {run:?}");
    connection.execute("DROP TRIGGER refusal").await.unwrap();
    connection.close().await.unwrap();
    let house = house.reopened().await;
    recovery::recover(&house.engine).await.unwrap();
    assert_eq!(house.detail(&id).await.run.state, RunState::Queued);
    house.settle().await;
    (house, id)
}

#[tokio::test]
async fn a_run_that_died_before_it_was_held_is_held_after_the_crash_and_sends_nothing() {
    for (list, code) in [(EMPTIED, Code::Empty), (TWICE, Code::DuplicateKeys)] {
        let (house, id) = died_before_its_hold(list, json!({})).await;
        let run = house.detail(&id).await.run;
        assert!(house.received().is_empty(), "{:?}", run.state);
        assert_eq!((run.state, run.failure.unwrap().code), (RunState::Held, code));
        assert!(house.mails()[0].subject().starts_with("[確認待ち]"));
        orders::approve(&house.engine, &id, "佐藤").await.unwrap();
        house.settle().await;
        assert_eq!(house.received().len(), 1, "what a person approved is sent");
    }
}

#[tokio::test]
async fn a_run_that_died_before_its_check_failed_it_is_failed_after_the_crash_and_sends_nothing() {
    let (house, id) = died_before_its_hold(EMPTIED, json!({ "empty": "fail" })).await;
    let run = house.detail(&id).await.run;
    assert!(house.received().is_empty(), "{:?}", run.state);
    assert_eq!((run.state, run.failure.unwrap().code), (RunState::Failed, Code::Empty));
}

#[tokio::test]
async fn the_files_of_a_run_that_nobody_approved_are_held_again_when_it_is_repeated() {
    let house = House::new().await;
    house.file("list.csv", TWICE);
    house.settings(json!({}), json!({}), vec![]).await;
    let refused = house.carried().await.run.id;
    orders::refuse_held(&house.engine, &refused, "佐藤").await.unwrap();
    let again = orders::retry(&house.engine, &repeat(&refused, false, false), "佐藤").await.unwrap();
    house.settle().await;
    let run = house.detail(&again.id).await.run;
    assert_eq!((run.state, run.failure.unwrap().code), (RunState::Held, Code::DuplicateKeys));
    assert!(house.received().is_empty());
    orders::approve(&house.engine, &again.id, "佐藤").await.unwrap();
    house.settle().await;
    assert_eq!((house.detail(&again.id).await.run.state, house.received().len()), (RunState::Accepted, 1));
    // What a person approved once is repeated without being asked again.
    let third = orders::retry(&house.engine, &repeat(&again.id, false, false), "佐藤").await.unwrap();
    house.settle().await;
    assert_eq!((house.detail(&third.id).await.run.state, house.received().len()), (RunState::Accepted, 2));
}

#[tokio::test]
async fn rows_that_a_list_is_not_about_warn_nobody_and_a_list_of_which_none_is_left_is_held() {
    let house = House::new().await;
    house.file("list.csv", "社員コード,社員名\n1045,a\n1102,\n");
    house.settings(json!({}), json!({ "where": [{ "field": "社員名", "empty": false }] }), vec![]).await;
    let run = house.carried().await.run;
    assert!(run.state == RunState::Accepted && run.failure.is_none() && run.warning.is_none(), "{run:?}");
    house.file("list.csv", "社員コード,社員名\n1045,\n1102,\n");
    let run = house.carried().await.run;
    assert_eq!((run.state, run.failure.unwrap().code), (RunState::Held, Code::Empty));
    assert_eq!(house.received().len(), 1, "an emptied list is not sent");
}
