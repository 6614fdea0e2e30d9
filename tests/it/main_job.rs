//! The main job, end to end over real files, SQLite, HTTP and SMTP: a timer fires, a list arrives, a mail is sent; and
//! what happens when the receiver, the route or the records are not as they should be.

mod retries;

use crate::support::{House, TOKEN, repeat, timer};
use renkei::domain::failure::Code;
use renkei::domain::run::{BatchState, RunState};
use renkei::domain::verdict::Verdict;
use renkei::engine::{dispatcher, orders, recovery};
use renkei::sandbox::mailbox::MailTrouble;
use renkei::sandbox::{Limits, Misbehaviour, Plan, SandboxOptions};
use serde_json::{Value, json};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const LIST: &str = "社員コード,社員名\n1045,佐藤\n1102,髙橋\n";

async fn house() -> House {
    let house = House::new().await;
    house.file("list.csv", LIST);
    house.settings(json!({}), json!({}), vec![]).await;
    house
}

fn sjis(text: &str) -> Vec<u8> {
    encoding_rs::SHIFT_JIS.new_encoder();
    let mut out = vec![0; text.len() * 2];
    let (_, _, written) =
        encoding_rs::SHIFT_JIS.new_encoder().encode_from_utf8_without_replacement(text, &mut out, true);
    out.truncate(written);
    out
}

#[tokio::test]
async fn a_timer_fires_a_list_arrives_a_mail_is_sent() {
    let house = House::new().await;
    house.file("list.csv", LIST);
    let every =
        timer("毎朝の社員", "社員一覧", "社員マスタ連携", json!({ "schedule": { "every": "1m" }, "priority": 80 }));
    house.settings(json!({}), json!({}), vec![every]).await;
    house.pass(Duration::from_secs(60));
    house.settle().await;

    let received = house.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].csv.as_deref().unwrap(), sjis("社員コード,社員名\r\n1045,佐藤\r\n1102,髙橋\r\n"));
    assert_eq!(received[0].json.as_deref(), Some(r#"{"masterId":0,"duplicateKey":1}"#));
    assert_eq!(received[0].header("x-rs-apitoken"), Some(TOKEN));
    let content_type = received[0].header("content-type").unwrap();
    assert!(content_type.starts_with("multipart/form-data; boundary="), "{content_type}");
    assert_eq!(house.sandbox.master(0).value("1102", "社員名"), Some("髙橋"));

    let run =
        house.app.store.list_runs(&renkei::store::runs::RunFilter { limit: 9, ..Default::default() }).await.unwrap();
    assert_eq!((run.len(), run[0].state, run[0].records), (1, RunState::Accepted, 2));
    let mails = house.mails();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].subject().starts_with("[正常] 社員マスタ連携 2件を送信しました"), "{}", mails[0].subject());
    assert!(mails[0].text().contains("タイマー「毎朝の社員」(設定者:佐藤)"), "{}", mails[0].text());
    assert_eq!(mails[0].to, ["it@example.jp"]);
}

#[tokio::test]
async fn a_list_beyond_the_limits_goes_in_several_files_in_order() {
    let house = House::new().await;
    let rows: String = (0..25).map(|n| format!("{n:04},name\n")).collect();
    house.file("list.csv", format!("社員コード,社員名\n{rows}"));
    house.settings(json!({ "limits": { "file_lines": 11 } }), json!({}), vec![]).await;
    let detail = house.carried().await;
    assert_eq!(detail.run.state, RunState::Accepted);
    assert_eq!(detail.batches.iter().map(|batch| batch.records).collect::<Vec<_>>(), [10, 10, 5]);
    assert_eq!(house.sandbox.master(0).records.len(), 25);
}

#[tokio::test]
async fn the_larger_priority_goes_first_and_among_equals_the_shorter_list() {
    let house = House::new().await;
    house.file("list.csv", LIST);
    let lists = ["long", "short", "urgent"];
    for name in lists {
        let rows: String = (0..if name == "short" { 1 } else { 5 }).map(|n| format!("{n},{name}\n")).collect();
        house.file(&format!("{name}.csv"), format!("社員コード,社員名\n{rows}"));
    }
    house.settings(json!({}), json!({}), vec![]).await;
    let change = renkei::store::settings::SettingsChange {
        menus: lists.map(|name| house.menu(name)).to_vec(),
        timers: lists
            .map(|name| {
                let priority = if name == "urgent" { 90 } else { 10 };
                timer(name, name, "社員マスタ連携", json!({ "schedule": { "every": "1m" }, "priority": priority }))
            })
            .to_vec(),
        ..Default::default()
    };
    house.save(&change).await;
    let order = async |house: &House| {
        house.pass(Duration::from_secs(60));
        house.settle().await;
        let received = house.received();
        let last = &received[received.len() - 3..];
        last.iter().map(|one| one.csv_lines(2)[1].split(',').nth(1).unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(order(&house).await[0], "urgent", "nothing is known of their lengths yet");
    assert_eq!(order(&house).await, ["urgent", "short", "long"]);
}

#[tokio::test]
async fn a_letter_that_shift_jis_lacks_stops_the_run_before_any_request() {
    let house = House::new().await;
    house.file("list.csv", "社員コード,社員名\n1045,𠮷田\n1102,髙橋\n");
    house.settings(json!({}), json!({}), vec![]).await;
    let detail = house.carried().await;
    let failure = detail.run.failure.unwrap();
    assert_eq!((detail.run.state, failure.code), (RunState::Failed, Code::Unmappable));
    let row = &failure.rows[0];
    assert_eq!((row.key.as_str(), row.column.as_str()), ("1045", "社員名"));
    for part in ["U+20BB7", "吉"] {
        assert!(row.reason.to_string().contains(part), "{part} in {}", row.reason);
    }
    assert!(house.received().is_empty());
    let mail = &house.mails()[0];
    let line = "1045       社員名 「𠮷」(U+20BB7)はShift_JISにありません(候補:「吉」)";
    assert!(mail.text().contains(line), "the reason is in the mail's language: {}", mail.text());
    assert!(!mail.text().contains("田"), "no record value: {}", mail.text());
}

#[tokio::test]
async fn with_skip_row_the_others_go_and_with_substitute_all() {
    let house = House::new().await;
    house.file("list.csv", "社員コード,社員名\n1045,𠮷田\n1102,髙橋\n");
    house.settings(json!({ "csv": { "unmappable": "skip-row" } }), json!({}), vec![]).await;
    let detail = house.carried().await;
    assert_eq!((detail.run.state, detail.run.records, detail.run.skipped_rows), (RunState::Partial, 1, 1));
    assert_eq!(detail.run.failure.unwrap().rows[0].key, "1045");
    assert_eq!(house.sandbox.master(0).records.len(), 1);

    house.settings(json!({ "csv": { "unmappable": { "substitute": "〓" } } }), json!({}), vec![]).await;
    let detail = house.carried().await;
    assert_eq!((detail.run.state, detail.run.records), (RunState::Accepted, 2));
    assert_eq!(house.sandbox.master(0).value("1045", "社員名"), Some("〓田"));
}

#[tokio::test]
async fn an_emptied_list_is_held_until_a_person_decides() {
    let house = House::new().await;
    house.file("list.csv", "社員コード,社員名\n");
    house.settings(json!({}), json!({}), vec![]).await;
    let detail = house.carried().await;
    assert_eq!((detail.run.state, detail.run.failure.unwrap().code), (RunState::Held, Code::Empty));
    assert!(house.received().is_empty());
    assert!(house.mails()[0].subject().starts_with("[確認待ち]"), "{}", house.mails()[0].subject());

    let id = detail.run.id;
    orders::refuse_held(&house.engine, &id, "佐藤").await.unwrap();
    assert_eq!(house.detail(&id).await.run.state, RunState::Cancelled);
    assert!(orders::approve(&house.engine, &id, "佐藤").await.is_err(), "it is over");
    assert!(house.received().is_empty());
}

#[tokio::test]
async fn duplicate_keys_are_held_and_sent_once_approved() {
    let house = House::new().await;
    house.file("list.csv", "社員コード,社員名\n1045,a\n1102,b\n1045,c\n");
    house.settings(json!({}), json!({}), vec![]).await;
    let detail = house.carried().await;
    let failure = detail.run.failure.unwrap();
    assert_eq!((detail.run.state, failure.code), (RunState::Held, Code::DuplicateKeys));
    assert!(failure.rows.iter().any(|row| row.key == "1045"), "{:?}", failure.rows);
    orders::approve(&house.engine, &detail.run.id, "佐藤").await.unwrap();
    house.settle().await;
    let detail = house.detail(&detail.run.id).await;
    assert_eq!((detail.run.state, house.received().len()), (RunState::Accepted, 1));
}

#[tokio::test]
async fn checks_fail_the_run_where_the_menu_says_so() {
    let house = House::new().await;
    house.file("list.csv", "社員コード,社員名\n");
    house.settings(json!({}), json!({ "checks": { "empty": "fail" } }), vec![]).await;
    let detail = house.carried().await;
    assert_eq!((detail.run.state, detail.run.failure.unwrap().code), (RunState::Failed, Code::Empty));
}

#[tokio::test]
async fn a_missing_column_or_file_stops_the_run_and_says_what_to_mend() {
    let house = house().await;
    let columns = json!({ "columns": [{ "header": "社員コード" }, { "header": "氏名" }] });
    house.settings(json!({}), columns, vec![]).await;
    let failure = house.carried().await.run.failure.unwrap();
    assert_eq!(failure.code, Code::MissingColumn);
    assert!(failure.message.contains("氏名"), "{}", failure.message);

    std::fs::remove_file(house.folder.path().join("list.csv")).unwrap();
    let failure = house.carried().await.run.failure.unwrap();
    assert_eq!(failure.code, Code::SourceMissing);
    assert!(failure.message.contains("list.csv"), "{}", failure.message);
    assert!(house.received().is_empty());
}

#[tokio::test]
async fn yesterdays_file_is_not_sent_again_unseen() {
    let house = house().await;
    let path = house.folder.path().join("list.csv");
    house.settings(json!({}), json!({ "source": { "csv": { "path": path, "max_age": "26h" } } }), vec![]).await;
    assert_eq!(house.carried().await.run.state, RunState::Accepted);
    house.pass(Duration::from_secs(86_400 + 7_200));
    let failure = house.carried().await.run.failure.unwrap();
    assert_eq!(failure.code, Code::SourceStale);
    assert_eq!(house.received().len(), 1);
}

#[tokio::test]
async fn a_run_waits_for_a_file_that_is_late() {
    let house = house().await;
    let path = house.folder.path().join("late.csv");
    house.settings(json!({}), json!({ "source": { "csv": { "path": path, "wait_until": "30m" } } }), vec![]).await;
    let detail = house.carried().await;
    assert_eq!(detail.run.state, RunState::Waiting);
    house.file("late.csv", LIST);
    house.pass(Duration::from_secs(30));
    house.settle().await;
    assert_eq!(house.detail(&detail.run.id).await.run.state, RunState::Accepted);

    std::fs::remove_file(house.folder.path().join("late.csv")).unwrap();
    let detail = house.carried().await;
    for _ in 0..200 {
        house.pass(Duration::from_secs(30));
        house.settle().await;
    }
    let run = house.detail(&detail.run.id).await.run;
    assert_eq!((run.state, run.failure.unwrap().code), (RunState::Failed, Code::SourceMissing));
}

/// What the design's table says of one misbehaviour: the run's state at once, the verdict, the failure.
async fn once(how: Misbehaviour, params: Value) -> (RunState, Option<Verdict>, Option<Code>) {
    let house = House::new().await;
    house.file("list.csv", LIST);
    house.settings(json!({ "params": params, "timeouts": { "request": "5s", "idle": "1s" } }), json!({}), vec![]).await;
    house.sandbox.misbehave(Plan::once(how));
    let detail = house.carried().await;
    let verdict = detail.attempts.first().and_then(|attempt| attempt.verdict);
    (detail.run.state, verdict, detail.run.failure.map(|failure| failure.code))
}

#[tokio::test]
async fn each_answer_gives_the_verdict_and_state_that_the_design_names() {
    let quiet = || json!({ "masterId": 0, "duplicateKey": 1 });
    let mails = || json!({ "masterId": 0, "duplicateKey": 1, "sendPasswordEmail": 1 });
    use {Code as C, Misbehaviour as M, RunState as S, Verdict as V};
    let table = [
        (M::Maintenance, quiet(), S::Waiting, V::Maintenance, C::Maintenance),
        (M::Throttle { retry_after: Some("7".into()) }, quiet(), S::Waiting, V::Throttled, C::Throttled),
        (M::Unauthorized, quiet(), S::Failed, V::DeniedToken, C::DeniedToken),
        (M::Forbidden { html: true }, quiet(), S::Failed, V::DeniedRoute, C::DeniedRoute),
        (M::Forbidden { html: false }, quiet(), S::Failed, V::DeniedToken, C::DeniedToken),
        (M::ErrorBody, quiet(), S::Failed, V::Rejected, C::Rejected),
        (M::ServerError { status: 502 }, quiet(), S::Waiting, V::Unknown, C::Unknown),
        (M::ServerError { status: 502 }, mails(), S::Unknown, V::Unknown, C::Unknown),
        (M::ResetBeforeAnswer { imported: true }, quiet(), S::Waiting, V::Unknown, C::Unknown),
        (M::ResetBeforeAnswer { imported: true }, mails(), S::Unknown, V::Unknown, C::Unknown),
        (M::AcceptThenSilent, mails(), S::Unknown, V::Unknown, C::Unknown),
        (M::Rubbish, mails(), S::Unknown, V::Unknown, C::Unknown),
        (M::EmptyBody, mails(), S::Unknown, V::Unknown, C::Unknown),
    ];
    for (how, params, state, verdict, code) in table {
        let name = format!("{how:?}");
        assert_eq!(once(how, params).await, (state, Some(verdict), Some(code)), "{name}");
    }
}

#[tokio::test]
async fn maintenance_is_waited_out_and_the_same_bytes_arrive() {
    let house = house().await;
    house.sandbox.misbehave(Plan::Next(2, Misbehaviour::Maintenance));
    let detail = house.carried().await;
    assert_eq!(detail.run.state, RunState::Waiting);
    assert!(house.mails().is_empty(), "a wait is no news yet");
    for _ in 0..2 {
        house.pass(Duration::from_secs(60));
        house.settle().await;
    }
    let detail = house.detail(&detail.run.id).await;
    assert_eq!((detail.run.state, detail.attempts.len()), (RunState::Accepted, 3));
    assert_eq!(house.sandbox.master(0).records.len(), 2);
    assert!(house.mails()[0].subject().starts_with("[正常]"));
}

#[tokio::test]
async fn an_unreachable_receiver_is_retried_until_retry_for_is_over() {
    let house = House::new().await;
    house.file("list.csv", LIST);
    house.settings(json!({ "retry_for": "10m" }), json!({}), vec![]).await;
    house.sandbox.close().await;
    let detail = house.carried().await;
    assert_eq!((detail.run.state, detail.attempts[0].verdict), (RunState::Waiting, Some(Verdict::Unreachable)));
    for _ in 0..30 {
        house.pass(Duration::from_secs(60));
        house.settle().await;
    }
    let detail = house.detail(&detail.run.id).await;
    assert_eq!((detail.run.state, detail.run.failure.unwrap().code), (RunState::Failed, Code::Unreachable));
    assert!(house.mails()[0].subject().starts_with("[エラー]"), "{}", house.mails()[0].subject());
}

#[tokio::test]
async fn a_file_that_is_refused_in_the_middle_makes_the_run_partial_and_a_retry_sends_the_rest() {
    let house = House::new().await;
    let rows: String = (0..6).map(|n| format!("{n:04},name\n")).collect();
    house.file("list.csv", format!("社員コード,社員名\n{rows}"));
    house.settings(json!({ "limits": { "file_lines": 3 } }), json!({}), vec![]).await;
    house.sandbox.misbehave(Plan::Pass(1));
    house.sandbox.misbehave(Plan::once(Misbehaviour::ErrorBody));
    let detail = house.carried().await;
    let states: Vec<_> = detail.batches.iter().map(|batch| batch.state).collect();
    assert_eq!(
        (detail.run.state, states),
        (RunState::Partial, vec![BatchState::Accepted, BatchState::Rejected, BatchState::Ready])
    );

    let retry = orders::retry(&house.engine, &repeat(&detail.run.id, true, false), "佐藤").await.unwrap();
    house.settle().await;
    let again = house.detail(&retry.id).await;
    assert_eq!((again.run.state, again.attempts.len()), (RunState::Accepted, 2), "the first file was not sent twice");
    let bytes = |detail: &renkei::store::runs::RunDetail| {
        detail.batches.iter().map(|batch| batch.sha256.clone()).collect::<Vec<_>>()
    };
    assert_eq!(bytes(&again), bytes(&detail), "exactly the stored bytes");
    assert_eq!(house.sandbox.master(0).records.len(), 6);
}

#[tokio::test]
async fn older_bytes_never_overtake_newer_ones_unless_forced() {
    let house = house().await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::ErrorBody));
    let old = house.carried().await.run;
    house.file("list.csv", "社員コード,社員名\n1045,鈴木\n");
    assert_eq!(house.carried().await.run.state, RunState::Accepted);
    let refused = orders::retry(&house.engine, &repeat(&old.id, false, false), "佐藤").await.unwrap_err();
    assert!(refused.to_string().contains("--force"), "{refused}");
    let forced = orders::retry(&house.engine, &repeat(&old.id, false, true), "佐藤").await.unwrap();
    house.settle().await;
    assert_eq!(house.detail(&forced.id).await.run.state, RunState::Accepted);
    assert_eq!(house.sandbox.master(0).value("1045", "社員名"), Some("佐藤"));
}

#[tokio::test]
async fn a_held_run_that_newer_data_has_overtaken_is_not_approved() {
    let house = House::new().await;
    house.file("list.csv", "社員コード,社員名\n");
    house.settings(json!({}), json!({}), vec![]).await;
    let held = house.carried().await.run;
    house.file("list.csv", LIST);
    assert_eq!(house.carried().await.run.state, RunState::Accepted);
    assert!(orders::approve(&house.engine, &held.id, "佐藤").await.is_err());
}

#[tokio::test]
async fn a_cancel_is_honoured_at_once_where_nothing_goes_on() {
    let house = house().await;
    let run = house.start().await;
    orders::cancel(&house.engine, &run.id, "佐藤").await.unwrap();
    house.settle().await;
    assert_eq!(house.detail(&run.id).await.run.state, RunState::Cancelled);
    assert!(house.received().is_empty());
    assert!(orders::cancel(&house.engine, &run.id, "佐藤").await.is_err(), "it is over");
}

#[tokio::test]
async fn only_the_chosen_records_are_sent() {
    let house = house().await;
    let wanted =
        |key: &str| orders::Wanted { menu: "社員一覧".into(), keys: vec![key.into()], ..Default::default() };
    orders::start(&house.engine, &wanted("1102"), "佐藤").await.unwrap();
    house.settle().await;
    assert_eq!(house.received()[0].csv.as_deref().unwrap(), sjis("社員コード,社員名\r\n1102,髙橋\r\n"));
    let run = orders::start(&house.engine, &wanted("9999"), "佐藤").await.unwrap();
    house.settle().await;
    assert_eq!(house.detail(&run.id).await.run.failure.unwrap().code, Code::KeyNotFound);
}

/// Lets a run begin, stops the process once its request has arrived, and opens the house anew.
async fn crashed_in_flight(house: House) -> (House, String) {
    house.sandbox.misbehave(Plan::once(Misbehaviour::Hold));
    let run = house.start().await;
    let engine = house.engine.clone();
    let carrying = tokio::spawn(async move {
        let stopping = CancellationToken::new();
        dispatcher::step(&engine, &stopping).await
    });
    house.sandbox.wait_arrived(1, Duration::from_secs(20)).await.unwrap();
    carrying.abort();
    assert_eq!(house.detail(&run.id).await.run.state, RunState::Running);
    (house.reopened().await, run.id)
}

#[tokio::test]
async fn after_a_crash_in_mid_request_the_bytes_go_again_where_that_is_harmless() {
    let (house, id) = crashed_in_flight(house().await).await;
    recovery::recover(&house.engine).await.unwrap();
    let detail = house.detail(&id).await;
    assert_eq!((detail.run.state, detail.attempts[0].verdict), (RunState::Queued, Some(Verdict::Unknown)));
    house.sandbox.release();
    house.settle().await;
    let detail = house.detail(&id).await;
    assert_eq!((detail.run.state, detail.attempts.len()), (RunState::Accepted, 2));
}

#[tokio::test]
async fn after_a_crash_in_mid_request_a_password_mail_is_not_sent_twice() {
    let house = House::new().await;
    house.file("list.csv", LIST);
    let params = json!({ "params": { "masterId": 0, "duplicateKey": 1, "sendPasswordEmail": 1 } });
    house.settings(params, json!({}), vec![]).await;
    let (house, id) = crashed_in_flight(house).await;
    recovery::recover(&house.engine).await.unwrap();
    house.settle().await;
    let run = house.detail(&id).await.run;
    assert_eq!((run.state, run.failure.unwrap().code), (RunState::Unknown, Code::Interrupted));
    assert!(house.mails()[0].subject().starts_with("[要確認]"), "{}", house.mails()[0].subject());
}

#[tokio::test]
async fn a_verdict_in_the_spool_is_believed_before_the_database() {
    let (house, id) = crashed_in_flight(house().await).await;
    // The answer came and was written to the spool; the process ended before the database heard of it.
    let folder = house.engine.folder_of(&id);
    let path = folder.join("batch-001.verdict");
    let text = std::fs::read_to_string(&path).unwrap().replace("\"verdict\":null", "\"verdict\":\"accepted\"");
    std::fs::write(&path, text).unwrap();
    recovery::recover(&house.engine).await.unwrap();
    house.settle().await;
    let detail = house.detail(&id).await;
    assert_eq!((detail.run.state, detail.attempts.len()), (RunState::Accepted, 1), "nothing was sent again");
}

#[tokio::test]
async fn mail_that_is_not_taken_waits_and_changes_nothing() {
    let house = house().await;
    house.mailbox.misbehave(Plan::once(MailTrouble::temporary()));
    let detail = house.carried().await;
    assert_eq!((detail.run.state, house.mails().len()), (RunState::Accepted, 0));
    house.pass(Duration::from_secs(60));
    house.settle().await;
    let mails = house.mails();
    assert_eq!(mails.len(), 1);
    let id = mails[0].header("Message-ID").unwrap();
    assert!(id.contains(&detail.run.id), "{id}");
}

#[tokio::test]
async fn mail_that_is_refused_for_good_is_given_up_and_changes_nothing() {
    let house = house().await;
    house.mailbox.misbehave(Plan::once(MailTrouble::permanent()));
    let detail = house.carried().await;
    assert_eq!(detail.run.state, RunState::Accepted);
    assert_eq!(house.app.store.next_mail().await.unwrap(), None);
    house.pass(Duration::from_secs(3_600));
    house.settle().await;
    assert!(house.mails().is_empty());
}

#[tokio::test]
async fn a_spool_that_was_tampered_with_is_not_sent() {
    let house = House::new().await;
    house.file("list.csv", "社員コード,社員名\n1045,a\n1045,b\n");
    house.settings(json!({}), json!({}), vec![]).await;
    let held = house.carried().await.run;
    std::fs::write(house.engine.folder_of(&held.id).join("batch-001.csv"), "evil").unwrap();
    orders::approve(&house.engine, &held.id, "佐藤").await.unwrap();
    house.settle().await;
    let run = house.detail(&held.id).await.run;
    assert_eq!((run.state, run.failure.unwrap().code), (RunState::Failed, Code::SpoolDamaged));
    assert!(house.received().is_empty());
}

#[tokio::test]
async fn a_stored_file_that_was_damaged_between_two_files_does_not_undo_the_first() {
    let house = House::new().await;
    house.file("list.csv", LIST);
    house.settings(json!({ "limits": { "file_lines": 2 } }), json!({}), vec![]).await;
    house.sandbox.misbehave(Plan::Pass(1));
    house.sandbox.misbehave(Plan::once(Misbehaviour::Maintenance));
    let waiting = house.carried().await.run;
    assert_eq!(waiting.state, RunState::Waiting);
    std::fs::write(house.engine.folder_of(&waiting.id).join("batch-002.csv"), "evil").unwrap();
    house.pass(Duration::from_secs(60));
    house.settle().await;
    let run = house.detail(&waiting.id).await.run;
    assert_eq!((run.state, run.failure.unwrap().code), (RunState::Partial, Code::SpoolDamaged));
    assert!(house.mails()[0].subject().starts_with("[一部エラー]"), "{}", house.mails()[0].subject());
    assert!(!house.mails()[0].text().contains("変わっていません"), "{}", house.mails()[0].text());
}

#[tokio::test]
async fn twenty_one_files_never_go_in_one_minute() {
    let limits = Limits { requests: 3, ..Limits::default() };
    let house = House::with(SandboxOptions { token: TOKEN.into(), limits, ..SandboxOptions::default() }).await;
    let rows: String = (0..8).map(|n| format!("{n:04},name\n")).collect();
    house.file("list.csv", format!("社員コード,社員名\n{rows}"));
    house.settings(json!({ "limits": { "file_lines": 3, "requests_per_minute": 3 } }), json!({}), vec![]).await;
    let run = house.start().await;
    let (engine, sandbox) = (house.engine.clone(), &house.sandbox);
    let carrying = tokio::spawn(async move { dispatcher::step(&engine, &CancellationToken::new()).await });
    sandbox.wait_for(3, Duration::from_secs(20)).await.unwrap();
    // The fourth waits for a slot: only time lets it go.
    while !carrying.is_finished() {
        assert!(house.received().len() <= 4);
        house.pass(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    let detail = house.detail(&run.id).await;
    assert_eq!((detail.run.state, detail.attempts.len()), (RunState::Accepted, 4));
    assert!(house.received().iter().all(|one| one.answer.status == Some(200)), "nobody had to be throttled");
}
