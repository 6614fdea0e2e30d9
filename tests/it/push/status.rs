//! The question what became of an import, byte by byte, and what is read out of its answer.

use super::receiver::*;
use renkei::domain::confirm::{Meaning, Outcome};
use renkei::push::{StatusClient, StatusReply, headers_of};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use tracing_subscriber::util::SubscriberInitExt;

fn answer(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn client(receiver: &Receiver, more: &Value) -> StatusClient {
    let mut confirm = json!({
        "url": format!("http://{}/acme/status?n={{id}}", receiver.address), "id": "/items/id", "body": { "id": "{id}" },
        "success": { "at": "/state", "is": ["ok"] }, "failure": { "at": "/state", "is": ["no"] },
        "rows": { "at": "/rows", "key": "/key", "column": "/column", "reason": "/reason" },
    });
    for (key, value) in more.as_object().unwrap() {
        confirm[key] = value.clone();
    }
    let integration = integration_with(&receiver.url(), &json!({ "confirm": confirm }));
    let headers = headers_of(&integration).iter().map(|(name, value)| {
        let value = value.as_literal().unwrap_or_else(|| TOKEN.to_owned());
        (name.clone(), SecretString::from(value))
    });
    StatusClient::build(&integration, headers.collect(), None).unwrap().unwrap()
}

async fn ask(receiver: &Receiver, more: &Value, id: &Value) -> StatusReply {
    client(receiver, more).ask(id, 10, "batch-001.csv", &clock()).await
}

#[tokio::test]
async fn the_question_has_the_number_in_url_and_body_and_the_uploads_headers_but_not_its_type() {
    let receiver = Receiver::answering(answer(r#"{"state":"ok"}"#)).await;
    let reply = ask(&receiver, &json!({}), &json!("7/8 あ")).await;
    assert!(matches!(reply.meaning, Meaning::Over(finding) if finding.outcome == Outcome::Imported));
    let request = String::from_utf8(receiver.requests()[0].clone()).unwrap();
    assert!(request.starts_with("POST /acme/status?n=7%2F8%20%E3%81%82 HTTP/1.1\r\n"), "{request}");
    let head = request.to_lowercase();
    assert!(
        head.contains(&format!("x-rs-apitoken: {TOKEN}")) && head.contains("content-type: application/json\r\n"),
        "{request}"
    );
    assert!(!head.contains("multipart"), "{request}");
    assert!(request.ends_with(r#"{"id":"7/8 あ"}"#), "{request}");
}

#[tokio::test]
async fn a_typed_content_type_is_sent_where_it_is_the_questions_own() {
    let receiver = Receiver::answering(answer("{}")).await;
    let more =
        json!({ "headers": { "X-RS-apitoken": "${env:PRETEND}", "Content-Type": "application/json; charset=utf-8" } });
    let reply = ask(&receiver, &more, &json!(7)).await;
    assert_eq!(reply.meaning, Meaning::GoesOn);
    let request = String::from_utf8(receiver.requests()[0].clone()).unwrap().to_lowercase();
    assert_eq!(request.matches("content-type: application/json; charset=utf-8").count(), 1, "{request}");
    assert!(request.ends_with(r#"{"id":7}"#), "{request}");
}

#[tokio::test]
async fn a_token_that_is_echoed_comes_back_in_no_row_no_text_and_no_log() {
    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);
    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let page = Page::default();
    let written = page.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || page.clone());
    let guard = subscriber.finish().set_default();
    let body = json!({ "state": "ok", "rows": [{ "key": TOKEN, "column": TOKEN, "reason": format!("no, {TOKEN}!") }] });
    let receiver = Receiver::answering(answer(&body.to_string())).await;
    let asking = client(&receiver, &json!({}));
    let reply = asking.ask(&json!("1"), 10, "batch-001.csv", &clock()).await;
    tracing::info!(?asking, ?reply, "asked");
    drop(guard);
    let Meaning::Over(finding) = &reply.meaning else { panic!("{reply:?}") };
    assert_eq!((finding.outcome, finding.imported, finding.rows[0].key.as_str()), (Outcome::Partial, 9, "••••"));
    assert!(!format!("{reply:?}").contains(TOKEN));
    let log = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("TRACE") && log.contains("asked"), "the log is listened to: {log}");
    assert!(!log.contains(TOKEN), "the token is in the log");
}

#[tokio::test]
async fn an_answer_of_many_thousand_refused_rows_is_read_and_a_cut_one_is_not_believed() {
    let rows: Vec<Value> =
        (0..20_000).map(|n| json!({ "key": n.to_string(), "reason": "部門マスタにありません" })).collect();
    let body = json!({ "state": "ok", "rows": rows }).to_string();
    let receiver = Receiver::answering(answer(&body)).await;
    let reply = client(&receiver, &json!({})).ask(&json!("1"), 50_000, "batch-001.csv", &clock()).await;
    let Meaning::Over(finding) = reply.meaning else { panic!("{reply:?}") };
    assert_eq!((finding.imported, finding.rows.len()), (30_000, 100));
    assert!(reply.answer.len() <= 16 * 1024);

    let cut = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.len() + 1, body);
    let reply = ask(&Receiver::answering(cut).await, &json!({}), &json!("1")).await;
    assert!(matches!(reply.meaning, Meaning::Nothing(_)), "{:?}", reply.meaning);
    assert!(reply.note.contains("broke off"), "{}", reply.note);
}
