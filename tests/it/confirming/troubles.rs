//! Answers that say nothing, questions that are refused, and what people may not do meanwhile.

use super::*;
use crate::support::{repeat, timer};
use renkei::domain::run::SkipReason;

#[tokio::test]
async fn what_says_nothing_is_asked_again_and_the_import_is_found_in_the_end() {
    use Misbehaviour as M;
    let redirect = M::Redirect { status: 302, location: "http://127.0.0.1:1/".to_owned() };
    for how in [
        M::Maintenance,
        M::Throttle { retry_after: None },
        M::ServerError { status: 502 },
        M::ErrorBody,
        redirect,
        M::ResetBeforeAnswer { imported: true },
        M::ResetMidAnswer { after_bytes: 40 },
        M::Rubbish,
        M::NotHttp,
        M::EmptyBody,
        M::EndlessBody,
        M::GzipBomb,
    ] {
        let name = format!("{how:?}");
        let house = house().await;
        let detail = house.carried().await;
        house.sandbox.misbehave(Plan::once(how));
        house.intervals(1).await;
        let between = house.detail(&detail.run.id).await;
        assert_eq!(between.run.state, RunState::Confirming, "{name}");
        assert!(between.confirmations[0].note.is_some(), "{name}: the history says what came back");
        house.intervals(1).await;
        assert_eq!(house.detail(&detail.run.id).await.run.state, RunState::Imported, "{name}");
        assert_eq!((house.questions().len(), house.received().len()), (2, 3), "{name}: the file was sent once");
    }
}

#[tokio::test]
async fn a_receiver_that_cannot_be_reached_is_asked_until_the_limit() {
    let house = house_with(&json!({ "limit": "2m" }), &json!({})).await;
    let detail = house.carried().await;
    house.sandbox.close().await;
    house.intervals(3).await;
    assert_eq!(house.detail(&detail.run.id).await.run.state, RunState::Confirming);
    house.intervals(1).await;
    let detail = house.detail(&detail.run.id).await;
    assert_eq!((detail.run.state, why(&detail)), (RunState::Unknown, Some(Code::ConfirmLimit)));
    let said = detail.run.failure.unwrap().message;
    assert!(said.contains("asked 4 times") && said.contains("could not be reached"), "{said}");
}

#[tokio::test]
async fn a_receiver_that_asks_for_patience_gets_it() {
    let house = house().await;
    let detail = house.carried().await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::Throttle { retry_after: Some("80".into()) }));
    house.intervals(3).await;
    assert_eq!(house.questions().len(), 1, "30 s and 60 s after its answer are too early");
    house.intervals(1).await;
    assert_eq!(house.detail(&detail.run.id).await.run.state, RunState::Imported);
}

#[tokio::test]
async fn a_question_that_is_refused_ends_the_asking() {
    for how in
        [Misbehaviour::Unauthorized, Misbehaviour::Forbidden { html: false }, Misbehaviour::Forbidden { html: true }]
    {
        let name = format!("{how:?}");
        let house = house().await;
        let detail = house.carried().await;
        house.sandbox.misbehave(Plan::once(how));
        house.intervals(3).await;
        let detail = house.detail(&detail.run.id).await;
        assert_eq!((detail.run.state, why(&detail)), (RunState::Unknown, Some(Code::ConfirmDenied)), "{name}");
        assert_eq!(house.questions().len(), 1, "{name}");
        assert!(house.mails()[0].text().contains("問い合わせが断られました"), "{}", house.mails()[0].text());
    }
}

#[tokio::test]
async fn an_answer_that_names_no_import_leaves_its_fate_unknown_at_once() {
    let house = house_with(&json!({ "id": "/items/number" }), &json!({})).await;
    let detail = house.carried().await;
    assert_eq!((detail.run.state, why(&detail)), (RunState::Unknown, Some(Code::ConfirmUnnamed)));
    assert!(detail.run.failure.unwrap().message.contains("/items/number"));
    assert!(house.questions().is_empty());
    assert_eq!(house.mails().len(), 1);
}

#[tokio::test]
async fn a_setting_that_is_mended_while_it_is_asked_serves_at_once() {
    let house = house_with(&json!({ "headers": { "X-RS-apitoken": "${env:NOT_THERE}" } }), &json!({})).await;
    let detail = house.carried().await;
    house.intervals(2).await;
    let between = house.detail(&detail.run.id).await;
    assert_eq!((between.run.state, house.questions().len()), (RunState::Confirming, 0));
    assert!(between.confirmations[0].note.as_ref().unwrap().contains("NOT_THERE"), "{:?}", between.confirmations);
    house.settings(json!({ "confirm": confirm(&house, &json!({})) }), json!({}), vec![]).await;
    house.intervals(1).await;
    assert_eq!(house.detail(&detail.run.id).await.run.state, RunState::Imported);
}

#[tokio::test]
async fn a_confirming_run_is_neither_cancelled_nor_repeated() {
    let house = house().await;
    let id = house.carried().await.run.id;
    let refused = orders::cancel(&house.engine, &id, "佐藤").await.unwrap_err().to_string();
    assert!(refused.contains("its files were taken") && refused.contains("at the latest at"), "{refused}");
    let refused = orders::retry(&house.engine, &repeat(&id, false, true), "佐藤").await.unwrap_err().to_string();
    assert!(refused.contains("wait for its end") && !refused.contains("cancel"), "{refused}");
    house.intervals(1).await;
    assert_eq!(house.detail(&id).await.run.state, RunState::Imported);
}

#[tokio::test]
async fn a_slot_of_a_timer_meets_a_confirming_run_as_an_open_one() {
    let house = House::new().await;
    house.file("list.csv", LIST);
    let every = |overlap: &str| {
        timer("毎分", "社員一覧", "社員マスタ連携", json!({ "schedule": { "every": "1m" }, "overlap": overlap }))
    };
    let form = json!({ "confirm": confirm(&house, &json!({ "interval": "5m" })) });
    house.settings(form.clone(), json!({}), vec![every("skip")]).await;
    let first = house.carried().await;
    assert_eq!(first.run.state, RunState::Confirming);
    house.pass(Duration::from_secs(60));
    house.settle().await;
    let (from, to) = (first.run.queued_at, house.app.clock.now());
    let slots = house.app.store.occurrences("毎分", from, to).await.unwrap();
    assert_eq!(slots.iter().map(|slot| slot.reason).collect::<Vec<_>>(), [Some(SkipReason::Overlap)]);

    house.settings(form, json!({}), vec![every("queue-one")]).await;
    house.pass(Duration::from_secs(60));
    house.settle().await;
    let runs = house.app.store.list_runs(&renkei::store::runs::RunFilter { limit: 9, ..Default::default() }).await;
    let states: Vec<_> = runs.unwrap().iter().map(|run| run.state).collect();
    assert_eq!(states, [RunState::Confirming, RunState::Confirming], "the lane is free for the next one");
}

#[tokio::test]
async fn older_bytes_do_not_overtake_a_confirming_run_and_may_go_once_it_was_refused() {
    let house = house().await;
    house.file("list.csv", "社員コード,社員名\n");
    let held = house.carried().await.run;
    assert_eq!(held.state, RunState::Held);
    house.file("list.csv", LIST);
    house.sandbox.misbehave(Plan::once(Misbehaviour::RefuseFileLater { rows: 1 }));
    let newer = house.carried().await.run;
    assert_eq!(newer.state, RunState::Confirming);
    assert!(orders::approve(&house.engine, &held.id, "佐藤").await.is_err(), "newer bytes may be imported this moment");
    house.intervals(1).await;
    assert_eq!(house.detail(&newer.id).await.run.state, RunState::Failed);
    orders::approve(&house.engine, &held.id, "佐藤").await.unwrap();
}
