//! Whoever asks may die at any time: what stands in the database and in the spool goes on.

use super::*;
use renkei::domain::confirm::Finding;
use renkei::engine::{Daemon, confirming, dispatcher, recovery};
use renkei::store::confirmations::Asked;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn a_confirming_run_goes_on_being_asked_after_a_crash() {
    let house = house().await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::ImportSlowly { polls: 1 }));
    let id = house.carried().await.run.id;
    house.intervals(1).await;
    let house = house.reopened().await;
    recovery::recover(&house.engine).await.unwrap();
    assert_eq!(house.detail(&id).await.run.state, RunState::Confirming);
    house.intervals(1).await;
    let detail = house.detail(&id).await;
    assert_eq!((detail.run.state, detail.attempts.len(), detail.confirmations[0].asked), (RunState::Imported, 1, 2));
}

#[tokio::test]
async fn a_question_that_was_under_way_is_asked_again_and_gives_its_slot_back() {
    let house = house_with(&json!({}), &json!({ "limits": { "requests_per_minute": 2 } })).await;
    let id = house.carried().await.run.id;
    house.pass(INTERVAL);
    house.sandbox.misbehave(Plan::once(Misbehaviour::Hold));
    let engine = house.engine.clone();
    let asking = tokio::spawn(async move { confirming::step(&engine, &CancellationToken::new()).await });
    house.sandbox.wait_arrived(2, Duration::from_secs(20)).await.unwrap();
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    let house = house.reopened().await;
    recovery::recover(&house.engine).await.unwrap();
    house.pass(Duration::from_secs(61));
    house.settle().await;
    assert_eq!(house.detail(&id).await.run.state, RunState::Imported);
}

#[tokio::test]
async fn a_run_of_which_everything_is_known_is_ended_after_a_crash() {
    let house = house().await;
    let run = house.carried().await.run;
    let finding =
        Finding { outcome: Outcome::Imported, imported: 3, rows: vec![], code: None, note: "imported: 3".into() };
    let now = house.app.clock.now();
    house.app.store.conclude_confirmation(run.seq, 1, &finding, &Asked::default(), now).await.unwrap();
    // The process ends here, before the run is ended.
    let house = house.reopened().await;
    recovery::recover(&house.engine).await.unwrap();
    house.settle().await;
    assert_eq!(house.detail(&run.id).await.run.state, RunState::Imported);
    assert_eq!((house.questions().len(), house.mails().len()), (0, 1));
    let twice = house.app.store.conclude_confirmation(run.seq, 1, &finding, &Asked::default(), now).await;
    assert!(twice.is_err(), "a conclusion is an end");
}

#[tokio::test]
async fn the_imports_number_survives_a_crash_between_answer_and_database() {
    let house = house().await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::Hold));
    let run = house.start().await;
    let engine = house.engine.clone();
    let carrying = tokio::spawn(async move { dispatcher::step(&engine, &CancellationToken::new()).await });
    house.sandbox.wait_for(1, Duration::from_secs(20)).await.unwrap();
    carrying.abort();
    assert!(carrying.await.unwrap_err().is_cancelled());
    // The answer came and was written to the spool; the database heard nothing of it.
    let path = house.engine.folder_of(&run.id).join("batch-001.verdict");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace("\"verdict\":null", "\"verdict\":\"accepted\",\"import\":\"1\"");
    std::fs::write(&path, text).unwrap();
    let house = house.reopened().await;
    recovery::recover(&house.engine).await.unwrap();
    house.settle().await;
    assert_eq!(house.detail(&run.id).await.run.state, RunState::Confirming);
    house.pass(Duration::from_secs(61));
    house.settle().await;
    let detail = house.detail(&run.id).await;
    assert_eq!((detail.run.state, detail.attempts.len()), (RunState::Imported, 1), "nothing was sent again");
}

#[tokio::test]
async fn a_daemon_that_slept_over_the_limit_asks_once_before_it_gives_up() {
    let house = house().await;
    let id = house.carried().await.run.id;
    house.pass(Duration::from_secs(86_400));
    let house = house.reopened().await;
    recovery::recover(&house.engine).await.unwrap();
    house.settle().await;
    assert_eq!(house.detail(&id).await.run.state, RunState::Imported);
}

#[tokio::test]
async fn the_daemons_own_loop_asks_when_the_time_has_come() {
    let house = house().await;
    let daemon = Daemon::start(house.engine.clone()).await.unwrap();
    let run = house.start().await;
    let soon = Duration::from_secs(20);
    house.sandbox.wait_for(1, soon).await.unwrap();
    let reached = async |wanted: RunState| {
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        loop {
            looks.tick().await;
            if house.detail(&run.id).await.run.state == wanted {
                return;
            }
        }
    };
    tokio::time::timeout(soon, reached(RunState::Confirming)).await.unwrap();
    assert!(house.questions().is_empty());
    house.pass(INTERVAL);
    tokio::time::timeout(soon, reached(RunState::Imported)).await.unwrap();
    house.sandbox.wait_for(2, soon).await.unwrap();
    daemon.stop(Duration::from_secs(3_600)).await;
}

#[tokio::test]
async fn a_run_that_is_carried_alone_waits_through_its_confirmation() {
    let house = house().await;
    let run = house.start().await;
    let engine = house.engine.clone();
    let id = run.id.clone();
    let carrying = tokio::spawn(async move { dispatcher::carry_alone(&engine, &id, &CancellationToken::new()).await });
    house.sandbox.wait_for(1, Duration::from_secs(20)).await.unwrap();
    while !carrying.is_finished() {
        house.pass(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    assert_eq!(carrying.await.unwrap().unwrap().state, RunState::Imported);
}
