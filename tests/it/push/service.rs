//! Against the sandbox: a service that enforces the rules, and breaks them one by one.

use super::receiver::{CSV, client, clock, headers, integration, integration_with, patient, push_bytes, upload};
use renkei::domain::verdict::Verdict;
use renkei::push::{Client, Patience};
use renkei::sandbox::{Misbehaviour, Plan, Sandbox, SandboxOptions};
use serde_json::json;
use std::time::Duration;

async fn sandbox() -> Sandbox {
    let token = super::receiver::TOKEN.to_owned();
    Sandbox::start(SandboxOptions { token, ..SandboxOptions::default() }).await.unwrap()
}

/// 社員コード,社員名 and a row, in Shift_JIS.
const ROW: &[u8] = b"\x8e\xd0\x88\xf5\x83R\x81[\x83h,\x8e\xd0\x88\xf5\x96\xbc\r\n0001,\xfb\xfc\r\n";

#[tokio::test]
async fn the_service_takes_what_is_sent_to_the_byte() {
    let sandbox = sandbox().await;
    let reply = push_bytes(&integration(&sandbox.url()), patient(), ROW).await;
    assert_eq!((reply.verdict, reply.http_status), (Verdict::Accepted, Some(200)), "{reply:?}");
    let received = &sandbox.received()[0];
    assert_eq!(received.csv.as_deref(), Some(ROW));
    assert_eq!(received.json.as_deref(), Some(r#"{"masterId":0,"duplicateKey":1}"#));
    assert_eq!(received.body_bytes, reply.sent_bytes);
    assert!(received.imported);
}

#[tokio::test]
async fn the_service_s_own_refusals_are_told_apart() {
    let sandbox = sandbox().await;
    let wrong_master =
        integration_with(&sandbox.url(), &json!({"params": {"masterId": 99}, "allow_unknown_master": true}));
    let (_folder, mut wrong) = upload(ROW);
    wrong.params_json = wrong_master.params_json();
    let reply = client(&wrong_master, patient()).push(&wrong, &clock()).await.unwrap();
    assert_eq!((reply.verdict, reply.http_status), (Verdict::Rejected, Some(400)), "{reply:?}");
    assert!(reply.note.contains("code is 400"), "{}", reply.note);

    let mut stale = headers();
    stale[0].1 = "another-pretend-token".to_owned().into();
    let stale = Client::build(&integration(&sandbox.url()), stale, None).unwrap();
    let (_folder, upload) = upload(ROW);
    assert_eq!(stale.push(&upload, &clock()).await.unwrap().verdict, Verdict::DeniedToken);

    // Those two counted: eighteen more are taken, the next is one too many.
    let client = client(&integration(&sandbox.url()), patient());
    for number in 3..=20 {
        assert_eq!(client.push(&upload, &clock()).await.unwrap().verdict, Verdict::Accepted, "{number}");
    }
    assert_eq!(client.push(&upload, &clock()).await.unwrap().verdict, Verdict::Throttled);
}

#[tokio::test]
async fn each_misbehaviour_has_its_verdict_after_one_request() {
    use Misbehaviour as M;
    let elsewhere = sandbox().await;
    let table = [
        (M::Maintenance, Verdict::Maintenance, false),
        (M::Throttle { retry_after: Some("33".into()) }, Verdict::Throttled, false),
        (M::ServerError { status: 503 }, Verdict::Unknown, false),
        (M::Unauthorized, Verdict::DeniedToken, false),
        (M::Forbidden { html: false }, Verdict::DeniedToken, false),
        (M::Forbidden { html: true }, Verdict::DeniedRoute, false),
        (M::ResetDuringBody { after_bytes: 100 }, Verdict::Unknown, false),
        (M::ResetBeforeAnswer { imported: true }, Verdict::Unknown, true),
        (M::ResetMidAnswer { after_bytes: 0 }, Verdict::Unknown, true),
        (M::ResetMidAnswer { after_bytes: 60 }, Verdict::Unknown, true),
        (M::AcceptThenSilent, Verdict::Unknown, true),
        (M::Slow { delay_ms: 20 }, Verdict::Accepted, true),
        (M::DripAnswer { bytes: 40, every_ms: 1 }, Verdict::Accepted, true),
        (M::DripAnswer { bytes: 1, every_ms: 400 }, Verdict::Unknown, true),
        (M::Rubbish, Verdict::Unknown, true),
        (M::NotHttp, Verdict::Unknown, true),
        (M::EmptyBody, Verdict::Unknown, true),
        (M::ErrorBody, Verdict::Rejected, false),
        (M::Redirect { status: 307, location: elsewhere.url() }, Verdict::Unknown, false),
        (M::EndlessBody, Verdict::Unknown, true),
        (M::GzipBomb, Verdict::Unknown, true),
    ];
    for (misbehaviour, verdict, imported) in table {
        let sandbox = sandbox().await;
        sandbox.misbehave(Plan::once(misbehaviour.clone()));
        let waits_in_vain = matches!(misbehaviour, M::AcceptThenSilent | M::DripAnswer { bytes: 1, .. });
        let idle = if waits_in_vain { Duration::from_millis(100) } else { patient().idle };
        let patience = Patience { idle, ..patient() };
        let reply = push_bytes(&integration(&sandbox.url()), patience, ROW).await;
        assert_eq!(reply.verdict, verdict, "{misbehaviour:?}: {reply:?}");
        assert!(!reply.note.is_empty() && reply.answer.len() <= 16 * 1024);
        let waits = matches!(misbehaviour, M::Throttle { .. }).then_some(Duration::from_secs(33));
        assert_eq!(reply.retry_after, waits);
        let received = sandbox.wait_for(1, Duration::from_secs(20)).await.unwrap();
        assert_eq!((received.len(), received[0].imported), (1, imported), "{misbehaviour:?}");
    }
    assert!(elsewhere.received().is_empty());
}

#[tokio::test]
async fn a_refusal_before_the_upload_was_read_is_a_refusal_or_unknown_but_never_success() {
    let big = [CSV, &vec![b'x'; 4_000_000]].concat();
    for _ in 0..10 {
        let sandbox = sandbox().await;
        sandbox.misbehave(Plan::once(Misbehaviour::RefuseEarly { status: 413 }));
        let reply = push_bytes(&integration(&sandbox.url()), patient(), &big).await;
        // Where the other side closes with the upload unread, the reset can overtake its answer.
        assert!(matches!(reply.verdict, Verdict::Rejected | Verdict::Unknown), "{reply:?}");
        assert_eq!(reply.verdict == Verdict::Rejected, reply.http_status == Some(413));
    }
}

#[tokio::test]
async fn a_closed_service_is_unreachable_and_an_opened_one_is_reached_by_the_same_client() {
    let sandbox = sandbox().await;
    let client = client(&integration(&sandbox.url()), patient());
    let (_folder, upload) = upload(ROW);
    sandbox.close().await;
    assert_eq!(client.push(&upload, &clock()).await.unwrap().verdict, Verdict::Unreachable);
    sandbox.reopen().await.unwrap();
    assert_eq!(client.push(&upload, &clock()).await.unwrap().verdict, Verdict::Accepted);
}
