//! Misbehaviours in HTTP: pages, statuses, bodies.

use super::*;
use renkei::sandbox::{Misbehaviour, Plan};

async fn told(how: Misbehaviour) -> (Sandbox, Seen) {
    let sandbox = start().await;
    sandbox.misbehave(Plan::once(how));
    let seen = Push::employees().to(&sandbox).await;
    (sandbox, seen)
}

#[tokio::test]
async fn maintenance_is_a_200_whose_first_line_says_503() {
    let (sandbox, seen) = told(Misbehaviour::Maintenance).await;
    assert_eq!((seen.status, seen.text().lines().next()), (200, Some("Status: 503 Maintenance mode")));
    assert!(seen.head.contains("text/html"));
    let received = sandbox.received().remove(0);
    assert_eq!((received.imported, received.misbehaviour), (false, Some(Misbehaviour::Maintenance)));
    assert_eq!(received.parts.len(), 2, "what was sent is remembered all the same");
    assert!(sandbox.master(0).records.is_empty());
    assert_eq!(Push::employees().to(&sandbox).await.status, 200, "the next one is treated well");
}

#[tokio::test]
async fn refusals_have_their_status_their_form_and_no_import() {
    let throttle = |text: &str| Misbehaviour::Throttle { retry_after: Some(text.to_owned()) };
    let redirect = Misbehaviour::Redirect { status: 302, location: "http://127.0.0.1:1/elsewhere".to_owned() };
    for (how, status, kind, header) in [
        (throttle("30"), 429, "application/json", "retry-after: 30"),
        (throttle("Fri, 01 Jan 2100 00:00:00 GMT"), 429, "application/json", "retry-after: fri, 01 jan 2100"),
        (Misbehaviour::Throttle { retry_after: None }, 429, "application/json", ""),
        (Misbehaviour::ServerError { status: 502 }, 502, "text/html", ""),
        (Misbehaviour::ServerError { status: 9 }, 500, "text/html", ""),
        (Misbehaviour::Unauthorized, 401, "application/json", ""),
        (Misbehaviour::Forbidden { html: false }, 403, "application/json", ""),
        (Misbehaviour::Forbidden { html: true }, 403, "text/html", ""),
        (Misbehaviour::ErrorBody, 200, "application/json", ""),
        (redirect, 302, "text/html", "location: http://127.0.0.1:1/elsewhere"),
    ] {
        let (sandbox, seen) = told(how.clone()).await;
        let head = seen.head.to_lowercase();
        assert_eq!(seen.status, status, "{how:?}");
        assert!(head.contains(kind) && head.contains(header), "{how:?}: {head}");
        if kind.ends_with("json") {
            assert_ne!(seen.json()["status"], "success", "{how:?}");
        }
        assert!(!sandbox.received()[0].imported && sandbox.master(0).records.is_empty(), "{how:?}");
    }
}

#[tokio::test]
async fn an_early_refusal_does_not_wait_for_the_upload() {
    let sandbox = start().await;
    sandbox.misbehave(Plan::once(Misbehaviour::RefuseEarly { status: 413 }));
    let seen = exchange(sandbox.address(), Push::employees().head(4_000_000).as_bytes()).await.unwrap();
    assert_eq!(seen.status, 413);
    assert_eq!(sandbox.received()[0].body_bytes, 0);
}

#[tokio::test]
async fn unreadable_answers_hide_an_import_that_was_done() {
    for (how, length) in [(Misbehaviour::Rubbish, 1_000), (Misbehaviour::EmptyBody, 0)] {
        let (sandbox, seen) = told(how).await;
        assert_eq!((seen.status, seen.body.len()), (200, length));
        assert!(serde_json::from_slice::<serde_json::Value>(&seen.body).is_err());
        assert_eq!(sandbox.master(0).records.len(), 2);
    }
}

#[tokio::test]
async fn a_success_can_list_refused_rows() {
    let (sandbox, seen) = told(Misbehaviour::RefuseRows { rows: 1 }).await;
    let answer = seen.json();
    assert_eq!((answer["status"].as_str(), answer["items"]["created"].as_u64()), (Some("success"), Some(1)));
    assert_eq!(answer["items"]["refused"][0]["value"], "1");
    assert_eq!(sandbox.master(0).records.keys().collect::<Vec<_>>(), ["2"]);
}

#[tokio::test]
async fn plans_are_carried_out_in_order_and_the_standing_one_last() {
    let sandbox = start().await;
    sandbox.misbehave(Plan::Always(Misbehaviour::ServerError { status: 503 }));
    sandbox.misbehave(Plan::Next(2, Misbehaviour::Maintenance));
    sandbox.misbehave(Plan::Pass(1));
    sandbox.misbehave(Plan::once(Misbehaviour::Unauthorized));
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(Push::employees().to(&sandbox).await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 401, 503, 503]);
    let imported: Vec<bool> = sandbox.received().iter().map(|received| received.imported).collect();
    assert_eq!(imported, [false, false, true, false, false, false]);
    sandbox.misbehave(Plan::Behave);
    assert_eq!(Push::employees().to(&sandbox).await.status, 200);
}

#[tokio::test]
async fn a_client_library_unpacks_the_gzip_bomb_as_far_as_it_cares_to() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let sandbox = start().await;
    sandbox.misbehave(Plan::once(Misbehaviour::GzipBomb));
    let push = Push::employees();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut answer = client
        .post(sandbox.url())
        .header("X-RS-apitoken", "sandbox")
        .header("Content-Type", &push.content_type[0])
        .body(push.body())
        .send()
        .await
        .unwrap();
    let mut unpacked = 0;
    while unpacked < 20_000_000 {
        let chunk = answer.chunk().await.unwrap().unwrap();
        assert!(chunk.iter().all(|byte| *byte == b' '));
        unpacked += chunk.len();
    }
}

#[tokio::test]
async fn the_status_of_an_import_tells_later_what_the_answer_did_not() {
    let sandbox = Sandbox::start(SandboxOptions { status_polls: 1, ..SandboxOptions::default() }).await.unwrap();
    sandbox.misbehave(Plan::once(Misbehaviour::RefuseLater { rows: 1 }));
    let seen = Push::employees().to(&sandbox).await.json();
    assert_eq!((&seen["items"]["created"], &seen["items"]["refused"]), (&2.into(), &serde_json::Value::Null));
    let ask = async |account: &str, token: &str, id: &str| {
        let request = format!(
            "POST /{account}/api/v1/csvimport/status HTTP/1.1\r\nHost: x\r\nX-RS-apitoken: {token}\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{{\"importId\":{id}}}",
            id.len() + 13
        );
        exchange(sandbox.address(), request.as_bytes()).await.unwrap()
    };
    let id = seen["items"]["importId"].to_string();
    assert_eq!(ask("acme", "sandbox", &id).await.json()["items"]["state"], "processing");
    let items = ask("acme", "sandbox", "1").await.json()["items"].clone();
    assert_eq!((&items["state"], &items["created"]), (&"error".into(), &1.into()));
    assert_eq!(items["refused"][0]["value"], "1");
    for (account, token, id, status) in [
        ("acme", "x", "1", 401),
        ("other", "sandbox", "1", 404),
        ("acme", "sandbox", "2", 404),
        ("acme", "sandbox", "[]", 400),
    ] {
        assert_eq!(ask(account, token, id).await.status, status, "{account} {token} {id}");
    }
    assert_eq!(sandbox.received().len(), 7, "polls are requests like others");
}

#[tokio::test]
async fn an_import_can_be_slow_never_end_or_be_refused_as_a_whole() {
    let sandbox = Sandbox::start(SandboxOptions::default()).await.unwrap();
    let ask = async |id: usize| {
        let request = format!(
            "GET /acme/api/v1/csvimport/status?importId={id} HTTP/1.1\r\nHost: x\r\nX-RS-apitoken: sandbox\r\n\
             Connection: close\r\n\r\n"
        );
        exchange(sandbox.address(), request.as_bytes()).await.unwrap().json()["items"].clone()
    };
    let cases = [
        (Misbehaviour::ImportSlowly { polls: 2 }, ["processing", "processing", "completed"]),
        (Misbehaviour::ImportNeverEnds, ["processing"; 3]),
        (Misbehaviour::RefuseFileLater { rows: 1 }, ["error"; 3]),
    ];
    for (index, (how, states)) in cases.into_iter().enumerate() {
        sandbox.misbehave(Plan::once(how.clone()));
        let seen = Push::employees().to(&sandbox).await.json();
        assert_eq!(seen["status"], "success", "{how:?}");
        let mut told = Vec::new();
        for _ in 0..3 {
            told.push(ask(index + 1).await["state"].as_str().unwrap().to_owned());
        }
        assert_eq!(told, states, "{how:?}");
    }
    let refused = ask(3).await;
    let rows = refused["refused"].as_array().unwrap().len();
    assert_eq!((&refused["imported"], rows), (&0.into(), 1), "one row took the file with it");
    assert_eq!(ask(1).await["imported"], ask(1).await["total"]);
}

#[tokio::test]
async fn a_refusal_is_heard_even_by_a_client_that_is_still_sending() {
    let limits = renkei::sandbox::Limits { requests: 1, body_bytes: 100_000, ..Default::default() };
    let sandbox = Sandbox::start(SandboxOptions { limits, ..SandboxOptions::default() }).await.unwrap();
    let mut push = Push::employees();
    push.csv = vec![b'x'; 20_000_000];
    // A client that does not listen before it has said everything.
    let patient = async |push: &Push| {
        let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
        stream.write_all(&push.bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer[9..12].to_vec()).unwrap()
    };
    let (first, second) = (patient(&push).await, patient(&push).await);
    push.path = "/elsewhere".to_owned();
    assert_eq!([first, second, patient(&push).await], ["413", "429", "404"]);
}
