//! From "taken" to "imported": the receiver is asked what became of a file, through the whole house over real sockets
//! and SQLite, with a clock that the test moves.

mod crashes;
mod sharing;
mod troubles;

use crate::support::{House, TOKEN, repeat};
use renkei::domain::confirm::Outcome;
use renkei::domain::failure::Code;
use renkei::domain::run::{BatchState, RunState};
use renkei::engine::orders;
use renkei::sandbox::{Misbehaviour, Plan, Received, SandboxOptions};
use renkei::store::runs::RunDetail;
use serde_json::{Value, json};
use std::time::Duration;

const LIST: &str = "社員コード,社員名\n1045,佐藤\n1102,髙橋\n1188,鈴木\n";
const INTERVAL: Duration = Duration::from_secs(30);

/// What fits the sandbox; `more` changes it.
fn confirm(house: &House, more: &Value) -> Value {
    let mut form = json!({
        "url": format!("{}/status", house.sandbox.url()),
        "body": { "importId": "{id}" },
        "id": "/items/importId",
        "success": { "at": "/items/state", "is": ["completed"] },
        "failure": { "at": "/items/state", "is": ["error"] },
        "imported": "/items/imported",
        "rows": { "at": "/items/refused", "key": "/value", "column": "/name", "reason": "/msg" },
        "interval": "30s", "limit": "10m",
    });
    for (key, value) in more.as_object().unwrap() {
        form[key] = value.clone();
    }
    form
}

/// A house whose one integration asks after its imports.
async fn house_with(more: &Value, integration: &Value) -> House {
    let house = House::with(SandboxOptions { token: TOKEN.to_owned(), ..SandboxOptions::default() }).await;
    house.file("list.csv", LIST);
    let mut form = integration.clone();
    form["confirm"] = confirm(&house, more);
    house.settings(form, json!({}), vec![]).await;
    house
}

async fn house() -> House {
    house_with(&json!({}), &json!({})).await
}

impl House {
    /// Lets so many intervals pass, asking at each.
    async fn intervals(&self, times: u32) {
        for _ in 0..times {
            self.pass(INTERVAL);
            self.settle().await;
        }
    }

    /// The questions that the receiver has heard.
    fn questions(&self) -> Vec<Received> {
        self.received().into_iter().filter(|one| one.path.ends_with("/status")).collect()
    }
}

fn why(detail: &RunDetail) -> Option<Code> {
    detail.run.failure.as_ref().map(|failure| failure.code)
}

#[tokio::test]
async fn a_file_that_was_taken_is_asked_after_until_it_is_imported() {
    let house = house().await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::ImportSlowly { polls: 1 }));
    let detail = house.carried().await;
    assert_eq!(detail.run.state, RunState::Confirming);
    assert!(house.app.store.busy_lanes().await.unwrap().is_empty(), "the lane is free");
    assert!(house.mails().is_empty(), "its end is not known yet");
    assert!(house.questions().is_empty(), "it is not asked before the interval has passed");

    house.intervals(1).await;
    assert_eq!(house.detail(&detail.run.id).await.run.state, RunState::Confirming, "the import goes on");
    house.intervals(1).await;
    let detail = house.detail(&detail.run.id).await;
    assert_eq!((detail.run.state, detail.run.state.exit_code(), why(&detail)), (RunState::Imported, 0, None));
    assert_eq!((detail.imported(), detail.confirmations[0].asked), (Some(3), 2));

    let questions = house.questions();
    assert_eq!((questions.len(), questions[0].method.as_str()), (2, "POST"));
    assert_eq!(questions[0].header("x-rs-apitoken"), Some(TOKEN), "the integration's own header");
    assert_eq!(questions[0].header("content-type"), Some("application/json"));
    let mails = house.mails();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].text().contains("取込完了 3件"), "{}", mails[0].text());
    assert!(!mails[0].text().contains("取込の成否は"), "{}", mails[0].text());
    house.intervals(3).await;
    assert_eq!(house.questions().len(), 2, "what is known is not asked again");
}

#[tokio::test]
async fn a_question_can_be_a_get_with_headers_of_its_own() {
    let house = House::new().await;
    house.file("list.csv", LIST);
    let more = json!({ "url": format!("{}/status?importId={{id}}", house.sandbox.url()), "method": "get", "body": {},
                       "headers": { "X-RS-apitoken": "${env:RENKEI_TEST_TOKEN}", "Accept": "application/json" } });
    house.settings(json!({ "confirm": confirm(&house, &more) }), json!({}), vec![]).await;
    let detail = house.carried().await;
    house.intervals(1).await;
    assert_eq!(house.detail(&detail.run.id).await.run.state, RunState::Imported);
    let question = &house.questions()[0];
    assert_eq!(
        (question.method.as_str(), question.header("accept"), question.body_bytes),
        ("GET", Some("application/json"), 0)
    );
}

#[tokio::test]
async fn rows_that_are_refused_late_are_named_and_the_rest_is_counted() {
    let house = house().await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::RefuseLater { rows: 2 }));
    let detail = house.carried().await;
    house.intervals(1).await;
    let detail = house.detail(&detail.run.id).await;
    assert_eq!(
        (detail.run.state, why(&detail), detail.imported()),
        (RunState::Partial, Some(Code::RowRefused), Some(1))
    );
    let failure = detail.run.failure.unwrap();
    let rows: Vec<_> = failure.rows.iter().map(|row| (row.key.as_str(), row.column.as_str())).collect();
    assert_eq!((rows, failure.rows_total), (vec![("1045", "社員コード"), ("1102", "社員コード")], 2));
    assert_eq!(house.sandbox.master(0).records.len(), 1);
    let mail = &house.mails()[0];
    assert!(mail.subject().starts_with("[一部エラー] 社員マスタ連携 2件が取り込まれていません"), "{}", mail.subject());
    for part in [
        "3件のうち1件は取り込まれました",
        "1045",
        "社員コード",
        "refused by order",
        "ROW-REFUSED",
        "1件を送り直す必要はありません",
    ] {
        assert!(mail.text().contains(part), "{part} in {}", mail.text());
    }
    assert!(!mail.text().contains("佐藤が") && !mail.text().contains("髙橋"), "no other value: {}", mail.text());
}

#[tokio::test]
async fn a_file_that_is_refused_late_can_be_sent_again() {
    let house = house().await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::RefuseFileLater { rows: 1 }));
    let first = house.carried().await;
    house.intervals(1).await;
    let detail = house.detail(&first.run.id).await;
    assert_eq!(
        (detail.run.state, why(&detail), detail.imported()),
        (RunState::Failed, Some(Code::ImportRefused), Some(0))
    );
    assert_eq!(detail.run.failure.as_ref().unwrap().rows[0].key, "1045", "the receiver says because of what");
    assert_eq!((detail.batches[0].state, house.sandbox.master(0).records.len()), (BatchState::Rejected, 0));
    assert!(
        house.mails()[0].subject().starts_with("[エラー] 社員マスタ連携は取り込まれませんでした"),
        "{}",
        house.mails()[0].subject()
    );

    let retry = orders::retry(&house.engine, &repeat(&first.run.id, true, false), "佐藤").await.unwrap();
    house.settle().await;
    house.intervals(1).await;
    let again = house.detail(&retry.id).await;
    assert_eq!((again.run.state, &again.batches[0].sha256), (RunState::Imported, &detail.batches[0].sha256));
    assert_eq!(house.sandbox.master(0).records.len(), 3);
}

#[tokio::test]
async fn an_import_that_never_ends_is_of_unknown_fate_at_the_limit() {
    let house = house_with(&json!({ "limit": "5m" }), &json!({})).await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::ImportNeverEnds));
    let detail = house.carried().await;
    house.intervals(9).await;
    assert_eq!(house.detail(&detail.run.id).await.run.state, RunState::Confirming);
    house.intervals(1).await;
    let detail = house.detail(&detail.run.id).await;
    assert_eq!((detail.run.state, why(&detail)), (RunState::Unknown, Some(Code::ConfirmLimit)));
    assert_eq!(detail.batches[0].state, BatchState::Unknown);
    assert_eq!(detail.run.state.exit_code(), 3);
    let mail = &house.mails()[0];
    assert!(
        mail.subject().starts_with("[要確認] 社員マスタ連携 取り込まれたかどうか分かりません"),
        "{}",
        mail.subject()
    );
    house.intervals(3).await;
    assert_eq!(house.questions().len(), 10, "nobody is asked after the limit");
    let events = detail.events.iter().filter(|event| event.kind == "asked").count();
    assert_eq!(events, 1, "the history tells what changes, not every question");
}

#[tokio::test]
async fn a_run_of_several_files_is_imported_when_all_are() {
    let house = house_with(&json!({}), &json!({ "limits": { "file_lines": 2 } })).await;
    house.sandbox.misbehave(Plan::Pass(1));
    house.sandbox.misbehave(Plan::once(Misbehaviour::ImportSlowly { polls: 1 }));
    let detail = house.carried().await;
    house.intervals(1).await;
    let half = house.detail(&detail.run.id).await;
    let known: Vec<_> =
        half.confirmations.iter().map(|one| one.finding.as_ref().map(|finding| finding.outcome)).collect();
    assert_eq!(
        (half.run.state, known),
        (RunState::Confirming, vec![Some(Outcome::Imported), None, Some(Outcome::Imported)])
    );
    house.intervals(1).await;
    let detail = house.detail(&detail.run.id).await;
    assert_eq!((detail.run.state, detail.imported()), (RunState::Imported, Some(3)));
}

#[tokio::test]
async fn one_file_that_is_refused_late_makes_the_run_partial_and_a_retry_sends_it_alone() {
    let house = house_with(&json!({}), &json!({ "limits": { "file_lines": 2 } })).await;
    house.sandbox.misbehave(Plan::Pass(1));
    house.sandbox.misbehave(Plan::once(Misbehaviour::RefuseFileLater { rows: 1 }));
    let first = house.carried().await;
    house.intervals(1).await;
    let detail = house.detail(&first.run.id).await;
    let states: Vec<_> = detail.batches.iter().map(|batch| batch.state).collect();
    assert_eq!((detail.run.state, detail.imported()), (RunState::Partial, Some(2)));
    assert_eq!(states, [BatchState::Accepted, BatchState::Rejected, BatchState::Accepted]);

    let asked = house.questions().len();
    let retry = orders::retry(&house.engine, &repeat(&first.run.id, true, false), "佐藤").await.unwrap();
    house.settle().await;
    house.intervals(1).await;
    let again = house.detail(&retry.id).await;
    assert_eq!((again.run.state, again.attempts.len(), again.imported()), (RunState::Imported, 1, Some(3)));
    assert_eq!(house.questions().len(), asked + 1, "what was known of the others is taken over");
}

#[tokio::test]
async fn what_was_taken_before_a_refusal_is_asked_after_too() {
    let house = house_with(&json!({}), &json!({ "limits": { "file_lines": 2 } })).await;
    house.sandbox.misbehave(Plan::Pass(1));
    house.sandbox.misbehave(Plan::once(Misbehaviour::ErrorBody));
    let detail = house.carried().await;
    assert_eq!(detail.run.state, RunState::Confirming, "the first file was taken");
    house.intervals(1).await;
    let detail = house.detail(&detail.run.id).await;
    assert_eq!((detail.run.state, why(&detail), detail.imported()), (RunState::Partial, Some(Code::Rejected), Some(1)));

    house.sandbox.misbehave(Plan::once(Misbehaviour::RefuseFileLater { rows: 1 }));
    house.sandbox.misbehave(Plan::once(Misbehaviour::ErrorBody));
    let detail = house.carried().await;
    house.intervals(1).await;
    let detail = house.detail(&detail.run.id).await;
    assert_eq!((detail.run.state, detail.imported()), (RunState::Failed, Some(0)), "in the end nothing was imported");
}

#[tokio::test]
async fn rows_that_never_went_out_make_an_imported_run_partial() {
    let house = house_with(&json!({}), &json!({ "csv": { "unmappable": "skip-row" } })).await;
    house.file("list.csv", "社員コード,社員名\n1045,𠮷田\n1102,髙橋\n");
    let detail = house.carried().await;
    assert_eq!(detail.run.state, RunState::Confirming);
    house.intervals(1).await;
    let detail = house.detail(&detail.run.id).await;
    assert_eq!(
        (detail.run.state, why(&detail), detail.imported()),
        (RunState::Partial, Some(Code::Unmappable), Some(1))
    );
}

#[tokio::test]
async fn without_a_confirm_a_taken_file_is_accepted_and_no_more() {
    let house = House::new().await;
    house.file("list.csv", LIST);
    house.settings(json!({}), json!({}), vec![]).await;
    let detail = house.carried().await;
    assert_eq!((detail.run.state, detail.imported()), (RunState::Accepted, None));
    house.intervals(2).await;
    assert!(house.questions().is_empty());
    assert!(house.mails()[0].text().contains("取込の成否は"));
}
