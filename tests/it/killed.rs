//! What is killed in the middle: the mail server after it has heard the message, the receiver while it reads, the route
//! before and between two files. Each gives the verdict and state that the design names, in the history and in the mail.

use crate::support::House;
use renkei::domain::failure::Code;
use renkei::domain::run::{BatchState, RunState};
use renkei::domain::verdict::Verdict;
use renkei::sandbox::mailbox::MailTrouble;
use renkei::sandbox::{Misbehaviour, Plan};
use serde_json::{Value, json};
use std::time::Duration;

const LIST: &str = "社員コード,社員名\n1045,佐藤\n1102,髙橋\n";

async fn house(list: &str, integration: Value) -> House {
    let house = House::new().await;
    house.file("list.csv", list);
    house.settings(integration, json!({}), vec![]).await;
    house
}

/// Lets minutes pass, one at a time.
async fn minutes(house: &House, minutes: u32) {
    for _ in 0..minutes {
        house.pass(Duration::from_secs(60));
        house.settle().await;
    }
}

#[tokio::test]
async fn a_mail_server_that_dies_after_data_delays_the_mail_and_nothing_else() {
    let house = house(LIST, json!({})).await;
    house.mailbox.misbehave(Plan::once(MailTrouble::DropAfterData { kept: false }));
    let run = house.carried().await.run;
    assert_eq!((run.state, house.mails().len()), (RunState::Accepted, 0));
    house.mailbox.close().await;
    minutes(&house, 5).await;
    let waiting = house.app.store.mails_of(run.seq).await.unwrap().remove(0);
    assert!(waiting.tries >= 3 && waiting.sent_at.is_none(), "{waiting:?}");

    house.mailbox.reopen().await.unwrap();
    minutes(&house, 180).await;
    let mails = house.mails();
    assert_eq!(mails.len(), 1, "it arrives once");
    let id = format!("<{}>", waiting.mail.message_id);
    assert_eq!(mails[0].header("Message-ID"), Some(id));
    let after = house.detail(&run.id).await.run;
    assert_eq!((after.state, after.finished_at), (RunState::Accepted, run.finished_at), "the outcome is as it was");
    assert_eq!(house.received().len(), 1, "and nothing was sent again");
}

#[tokio::test]
async fn a_mail_whose_receipt_was_lost_comes_once_more_under_the_same_message_id() {
    let house = house(LIST, json!({})).await;
    house.mailbox.misbehave(Plan::once(MailTrouble::DropAfterData { kept: true }));
    assert_eq!(house.carried().await.run.state, RunState::Accepted);
    assert_eq!(house.mails().len(), 1, "the server has it, and we cannot know");
    minutes(&house, 180).await;
    let mails = house.mails();
    assert_eq!(mails.len(), 2, "once more, and then never again");
    assert_eq!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
    assert_eq!(mails[0].text(), mails[1].text());
}

/// A list that the receiver does not read in one go.
fn long() -> String {
    let rows: String = (0..40_000).map(|n| format!("{n:06},name\n")).collect();
    format!("社員コード,社員名\n{rows}")
}

#[tokio::test]
async fn a_receiver_that_dies_while_it_reads_leaves_a_run_of_unknown_fate() {
    let house = house(&long(), json!({ "repeat_safe": false })).await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::ResetDuringBody { after_bytes: 100_000 }));
    let detail = house.carried().await;
    let failure = detail.run.failure.as_ref().unwrap();
    assert_eq!((detail.run.state, failure.code), (RunState::Unknown, Code::Unknown));
    assert_eq!((detail.attempts.len(), detail.attempts[0].verdict), (1, Some(Verdict::Unknown)));
    assert_eq!(detail.batches[0].state, BatchState::Unknown);
    let told: Vec<&str> = detail.events.iter().map(|event| event.text.as_str()).collect();
    assert!(told.iter().any(|text| text.contains("unknown")), "{told:?}");
    let mail = house.mails().remove(0);
    assert!(mail.subject().starts_with("[要確認] 社員マスタ連携 届いたか確認できません"), "{}", mail.subject());
    for part in ["届いたかどうかを確認できていません", "「楽楽精算」の画面で", "エラーコード:PUSH-UNKNOWN"]
    {
        assert!(mail.text().contains(part), "{part} in {}", mail.text());
    }
    assert!(!mail.text().contains("変わっていません"), "nobody knows that: {}", mail.text());
}

#[tokio::test]
async fn a_receiver_that_dies_while_it_reads_gets_the_same_bytes_again_where_that_is_harmless() {
    let house = house(&long(), json!({})).await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::ResetDuringBody { after_bytes: 100_000 }));
    let detail = house.carried().await;
    assert_eq!((detail.run.state, detail.attempts[0].verdict), (RunState::Waiting, Some(Verdict::Unknown)));
    assert!(house.mails().is_empty(), "a wait is no news yet");
    minutes(&house, 2).await;
    let detail = house.detail(&detail.run.id).await;
    let verdicts: Vec<_> = detail.attempts.iter().map(|attempt| attempt.verdict).collect();
    assert_eq!(
        (detail.run.state, verdicts),
        (RunState::Accepted, vec![Some(Verdict::Unknown), Some(Verdict::Accepted)])
    );
    assert!(house.mails()[0].subject().starts_with("[正常]"));
    assert_eq!(house.sandbox.master(0).records.len(), 40_000);
}

#[tokio::test]
async fn a_route_that_is_cut_ends_the_run_as_failed_and_the_mail_says_that_nothing_changed() {
    let house = house(LIST, json!({ "retry_for": "10m" })).await;
    house.sandbox.close().await;
    let detail = house.carried().await;
    assert_eq!((detail.run.state, detail.attempts[0].verdict), (RunState::Waiting, Some(Verdict::Unreachable)));
    minutes(&house, 30).await;
    let detail = house.detail(&detail.run.id).await;
    assert_eq!((detail.run.state, detail.run.failure.unwrap().code), (RunState::Failed, Code::Unreachable));
    assert!(detail.attempts.iter().all(|attempt| attempt.verdict == Some(Verdict::Unreachable)));
    let mail = house.mails().remove(0);
    assert!(mail.subject().starts_with("[エラー] 社員マスタ連携を送信できませんでした"), "{}", mail.subject());
    for part in ["「楽楽精算」のデータは変わっていません", "「楽楽精算」に接続できなかった", "PUSH-UNREACHABLE"]
    {
        assert!(mail.text().contains(part), "{part} in {}", mail.text());
    }
}

#[tokio::test]
async fn a_route_that_is_cut_between_two_files_makes_the_run_partial_and_the_mail_claims_no_less() {
    let house = house(LIST, json!({ "retry_for": "10m", "limits": { "file_lines": 2 } })).await;
    house.sandbox.misbehave(Plan::Pass(1));
    house.sandbox.misbehave(Plan::once(Misbehaviour::Maintenance));
    let detail = house.carried().await;
    assert_eq!(detail.run.state, RunState::Waiting);
    house.sandbox.close().await;
    minutes(&house, 30).await;
    let detail = house.detail(&detail.run.id).await;
    assert_eq!((detail.run.state, detail.run.failure.unwrap().code), (RunState::Partial, Code::Unreachable));
    let states: Vec<_> = detail.batches.iter().map(|batch| batch.state).collect();
    assert_eq!(states, [BatchState::Accepted, BatchState::NotTaken]);
    let mail = house.mails().remove(0);
    assert!(mail.subject().starts_with("[一部エラー]"), "{}", mail.subject());
    assert!(mail.text().contains("CSV2ファイルのうち1ファイルは受け付けられました"), "{}", mail.text());
    for untrue in ["変わっていません", "何も送信していません"] {
        assert!(!mail.text().contains(untrue), "{untrue} in {}", mail.text());
    }
}
