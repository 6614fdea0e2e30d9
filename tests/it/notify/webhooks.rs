//! Webhooks: each form as its service takes it, delivery that repeats and orders, and secrets that are nowhere.

use super::listener::Listener;
use crate::support::House;
use renkei::domain::run::RunState;
use renkei::notify::sign;
use renkei::sandbox::{Misbehaviour, Plan};
use renkei::store::notices::StoredNotice;
use serde_json::json;
use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing_subscriber::util::SubscriberInitExt;

const LIST: &str = "社員コード,社員名\n1045,佐藤\n1102,髙橋\n";
const KEY: &str = "a-pretend-signing-key";
const CHATWORK: &str = "a-pretend-chatwork-token";
/// What makes an address a secret.
const PATH: &str = "/services/T000/B000/a-pretend-hook-path";

/// A house with one webhook and a list.
async fn house(listener: &Listener, webhook: &str) -> House {
    let notify = format!("{{ allow_http: true, webhooks: [{{ name: 情シス, url: '${{env:HOOK}}', {webhook} }}] }}");
    let variables = [("HOOK", &*listener.url(PATH)), ("KEY", KEY), ("CHATWORK", CHATWORK)];
    let house = House::telling(&notify, &variables).await;
    house.file("list.csv", LIST);
    house.settings(json!({}), json!({}), vec![]).await;
    house
}

async fn notices(house: &House) -> Vec<StoredNotice> {
    house.app.store.notices_of(1).await.unwrap()
}

#[tokio::test]
async fn json_is_the_run_as_it_is_shown_signed_and_without_records() {
    let listener = Listener::start().await;
    let house = house(&listener, "form: json, secret: '${env:KEY}', when: always").await;
    let detail = house.carried().await;
    let heard = &listener.heard()[0];
    assert_eq!((heard.path.as_str(), heard.header("content-type")), (PATH, Some("application/json")));
    let run = heard.json();
    assert_eq!((&run["id"], &run["state"], &run["records"]), (&json!(detail.run.id), &json!("accepted"), &json!(2)));
    assert_eq!(run["batches"][0]["sha256"], json!(detail.batches[0].sha256));
    assert!(run["finished_at"].as_str().unwrap().contains('T') && run.get("events").is_none(), "{run}");
    let timestamp: i64 = heard.header("x-renkei-timestamp").unwrap().parse().unwrap();
    assert_eq!(timestamp, house.app.clock.now().timestamp());
    let signature = sign(&KEY.to_owned().into(), timestamp, heard.body.as_bytes());
    assert_eq!(heard.header("x-renkei-signature"), Some(signature.as_str()));
    assert!(heard.header("x-renkei-delivery").unwrap().starts_with(&format!("{}/accepted/webhook/", detail.run.id)));
}

#[tokio::test]
async fn what_is_wrong_with_rows_is_told_without_their_keys() {
    for form in ["form: json, secret: '${env:KEY}'", "form: slack", "form: teams"] {
        let listener = Listener::start().await;
        let house = house(&listener, form).await;
        house.file("list.csv", "社員コード,社員名\n9045,𠮷田\n");
        assert_eq!(house.carried().await.run.state, RunState::Failed);
        let body = &listener.heard()[0].body;
        assert!(body.contains("ROW-UNMAPPABLE"), "{body}");
        assert!(!body.contains("9045") && !body.contains('𠮷') && !body.contains("20BB7"), "{body}");
    }
}

#[tokio::test]
async fn slack_and_teams_get_the_forms_that_they_take() {
    let listener = Listener::start().await;
    house(&listener, "form: slack, when: always").await.carried().await;
    let slack = listener.heard()[0].json();
    assert!(slack["text"].as_str().unwrap().starts_with("[正常] 社員マスタ連携 2件を送信しました"), "{slack}");
    assert_eq!(slack["blocks"][0]["type"], "section");
    assert!(slack["blocks"][1]["text"]["text"].as_str().unwrap().contains("対応は不要です"), "{slack}");

    let listener = Listener::start().await;
    house(&listener, "form: teams, when: always").await.carried().await;
    let teams = listener.heard()[0].json();
    let card = &teams["attachments"][0];
    assert_eq!(
        (&teams["type"], &card["contentType"]),
        (&json!("message"), &json!("application/vnd.microsoft.card.adaptive"))
    );
    assert_eq!(card["content"]["type"], "AdaptiveCard");
    let title = card["content"]["body"][0]["inlines"][0]["text"].as_str().unwrap();
    assert!(title.starts_with("[正常]"), "{title}");
}

#[tokio::test]
async fn chatwork_gets_a_form_and_its_token_in_the_header() {
    let listener = Listener::start().await;
    house(&listener, "form: chatwork, token: '${env:CHATWORK}', when: always").await.carried().await;
    let heard = &listener.heard()[0];
    assert_eq!(heard.header("x-chatworktoken"), Some(CHATWORK));
    assert_eq!(heard.header("content-type"), Some("application/x-www-form-urlencoded"));
    let form: Vec<_> = url::form_urlencoded::parse(heard.body.as_bytes()).into_owned().collect();
    let (_, body) = form.iter().find(|(key, _)| key == "body").unwrap();
    assert!(body.starts_with("[info][title]［正常］") && body.ends_with("[/info]"), "{body}");
}

#[tokio::test]
async fn with_trouble_alone_a_good_run_is_not_told_and_a_held_one_is() {
    let listener = Listener::start().await;
    let house = house(&listener, "form: slack").await;
    assert_eq!(house.carried().await.run.state, RunState::Accepted);
    assert!(listener.heard().is_empty());
    house.file("list.csv", "社員コード,社員名\n");
    assert_eq!(house.carried().await.run.state, RunState::Held);
    assert!(listener.heard()[0].json()["text"].as_str().unwrap().starts_with("[確認待ち]"));
}

#[tokio::test]
async fn a_listener_in_trouble_is_told_later_in_order_and_the_run_ends_all_the_same() {
    let listener = Listener::start().await;
    let house = house(&listener, "form: json, secret: '${env:KEY}', when: always").await;
    listener.answer(&["500 No", "302 Found\r\nLocation: http://127.0.0.1:1/", "429 Slow"]);
    assert_eq!(house.carried().await.run.state, RunState::Accepted);
    // The second run's news waits behind the first one's.
    assert_eq!(house.carried().await.run.state, RunState::Accepted);
    assert_eq!(listener.heard().len(), 1);
    let waiting = &notices(&house).await[0];
    assert_eq!((waiting.tries, waiting.last_error.as_deref()), (1, Some("HTTP 500: it was not taken")));
    for _ in 0..3 {
        house.pass(Duration::from_secs(120));
        house.settle().await;
    }
    let ids: Vec<String> = listener.heard().iter().map(|heard| heard.json()["id"].to_string()).collect();
    assert_eq!(ids.len(), 5, "three tries in vain, then both");
    assert!(ids[..4].iter().all(|id| *id == ids[0]) && ids[4] > ids[0], "{ids:?}");
    assert!(notices(&house).await[0].sent_at.is_some());
}

#[tokio::test]
async fn a_listener_that_refuses_for_good_or_is_silent_for_days_is_given_up() {
    let listener = Listener::start().await;
    let house = house(&listener, "form: slack, when: always").await;
    listener.answer(&["400 invalid_payload"]);
    house.carried().await;
    let refused = &notices(&house).await[0];
    assert_eq!((refused.next_at, refused.sent_at), (None, None));
    house.pass(Duration::from_secs(3_600));
    house.settle().await;
    assert_eq!(listener.heard().len(), 1);

    listener.answer(&["503 No"; 200]);
    house.carried().await;
    for _ in 0..80 {
        house.pass(Duration::from_secs(3_600));
        house.settle().await;
    }
    assert_eq!(house.app.store.due_notices(house.app.clock.now()).await.unwrap(), []);
    assert!((70..90).contains(&listener.heard().len()), "{}", listener.heard().len());
}

#[tokio::test]
async fn news_survives_a_crash_between_the_end_of_a_run_and_its_telling() {
    let listener = Listener::start().await;
    let house = house(&listener, "form: json, secret: '${env:KEY}'").await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::ErrorBody));
    house.start().await;
    let stopping = tokio_util::sync::CancellationToken::new();
    renkei::engine::dispatcher::step(&house.engine, &stopping).await.unwrap();
    assert!(listener.heard().is_empty(), "nobody has carried it yet");
    // Another process, later.
    house.settle().await;
    assert_eq!(listener.heard()[0].json()["error"]["code"], "PUSH-REJECTED");
    house.settle().await;
    assert_eq!(listener.heard().len(), 1, "once");
}

#[tokio::test]
async fn one_listener_in_trouble_keeps_nobody_else_waiting() {
    let (deaf, listener) = (Listener::start().await, Listener::start().await);
    let notify = "{ allow_http: true, webhooks: [{ name: a, url: '${env:A}', form: slack, when: always }, \
                  { name: b, url: '${env:B}', form: slack, when: always }] }";
    let house = House::telling(notify, &[("A", &deaf.url(PATH)), ("B", &listener.url(PATH))]).await;
    house.file("list.csv", LIST);
    house.settings(json!({}), json!({}), vec![]).await;
    deaf.answer(&["500 No"; 9]);
    for _ in 0..3 {
        house.carried().await;
    }
    assert_eq!((deaf.heard().len(), listener.heard().len()), (1, 3));
}

#[tokio::test]
async fn a_proxy_is_gone_through_with_its_login_and_the_environments_is_not() {
    let proxy = Listener::start().await;
    let notify = "{ allow_http: true, proxy: '${env:PROXY}', \
                  webhooks: [{ name: a, url: '${env:HOOK}', form: slack, when: always }] }";
    let login = format!("http://taro:a-pretend-password@{}", proxy.address);
    let house = House::telling(notify, &[("PROXY", &login), ("HOOK", &format!("http://hooks.example{PATH}"))]).await;
    house.file("list.csv", LIST);
    house.settings(json!({}), json!({}), vec![]).await;
    proxy.answer(&["407 Who"]);
    house.carried().await;
    let heard = &proxy.heard()[0];
    assert_eq!(heard.path, format!("http://hooks.example{PATH}"));
    assert!(heard.header("proxy-authorization").unwrap().starts_with("Basic "));
    let why = notices(&house).await[0].last_error.clone().unwrap();
    assert_eq!(why, "HTTP 407: it was not taken");
}

#[tokio::test]
async fn a_secret_that_is_missing_or_an_address_that_is_not_https_is_waited_for() {
    let listener = Listener::start().await;
    let notify = "{ webhooks: [{ name: a, url: '${env:PLAIN}', form: slack, when: always }, \
                  { name: b, url: '${env:ABSENT}', form: slack, when: always }] }";
    let house = House::telling(notify, &[("PLAIN", &listener.url(PATH))]).await;
    house.file("list.csv", LIST);
    house.settings(json!({}), json!({}), vec![]).await;
    assert_eq!(house.carried().await.run.state, RunState::Accepted);
    let why: Vec<_> =
        notices(&house).await.into_iter().map(|one| (one.next_at.is_some(), one.last_error.unwrap())).collect();
    assert!(why[0].0 && why[0].1.contains("notify.allow_http") && !why[0].1.contains(PATH), "{why:?}");
    assert!(why[1].0 && why[1].1.contains("ABSENT"), "{why:?}");
    assert!(listener.heard().is_empty());
}

/// A place where log lines are written.
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

#[tokio::test]
async fn neither_address_nor_token_nor_key_is_in_log_or_database() {
    let page = Page::default();
    let written = page.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || page.clone())
        .finish();
    // Where there is one subscriber alone, another test's thread that meets a line first silences it for all.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let guard = subscriber.set_default();
    let listener = Listener::start().await;
    for form in ["form: chatwork, token: '${env:CHATWORK}'", "form: json, secret: '${env:KEY}'"] {
        let house = house(&listener, &format!("{form}, when: always")).await;
        listener.answer(&["500 No", "301 Moved\r\nLocation: /a-pretend-hook-path"]);
        house.carried().await;
        for _ in 0..3 {
            house.pass(Duration::from_secs(300));
            house.settle().await;
        }
        // And one where nobody listens.
        let dead = House::telling(
            &format!("{{ allow_http: true, webhooks: [{{ name: x, url: 'http://127.0.0.1:9{PATH}', {form}, when: always }}] }}"),
            &[("KEY", KEY), ("CHATWORK", CHATWORK)],
        )
        .await;
        dead.file("list.csv", LIST);
        dead.settings(json!({}), json!({}), vec![]).await;
        dead.carried().await;
        let why = notices(&dead).await[0].last_error.clone().unwrap();
        assert!(why.contains("refused"), "{why}");
        tracing::info!(config = ?dead.app.config, herald = ?dead.engine.herald, notices = ?notices(&house).await, "seen");
        for house in [house, dead] {
            house.app.store.close().await;
            let tables = std::fs::read(house.folder.path().join("data/renkei.db")).unwrap();
            for secret in [KEY, CHATWORK, "a-pretend-hook-path"] {
                let found = tables.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{secret} is in the database");
            }
        }
    }
    drop(guard);
    let log = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("TRACE") && log.contains("notice taken"), "the log is listened to");
    for secret in [KEY, CHATWORK, "a-pretend-hook-path"] {
        let lines: Vec<_> = log.lines().filter(|line| line.contains(secret)).collect();
        assert!(lines.is_empty(), "{secret} is in the log: {lines:?}");
    }
}

/// The example that docs/operations.md shows, in the Python that it is written in.
#[tokio::test]
async fn the_documented_check_takes_our_signature_and_no_other() {
    if std::env::var_os("RENKEI_SERVICES").is_none() {
        return;
    }
    let page = include_str!("../../../docs/operations.md");
    let example = page.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(example.lines().count(), 5, "five lines were promised");
    let body = r#"{"id":"R-20261124-0007","memo":"月末"}"#;
    let check = |timestamp: i64, body: &str, age: i64| {
        let signature = sign(&KEY.to_owned().into(), timestamp, r#"{"id":"R-20261124-0007","memo":"月末"}"#.as_bytes());
        let program = format!(
            "import sys, time\n{example}\nnow = {}\ntime.time = lambda: now\n\
             sys.exit(0 if is_genuine({KEY:?}.encode(), '{timestamp}', sys.stdin.buffer.read(), '{signature}') else 1)\n",
            1_764_000_000 + age
        );
        let mut python = Command::new("python3").arg("-c").arg(program).stdin(Stdio::piped()).spawn().unwrap();
        python.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
        python.wait().unwrap().success()
    };
    assert!(check(1_764_000_000, body, 10));
    assert!(!check(1_764_000_000, &body.replace('7', "8"), 10), "a changed body");
    assert!(!check(1_764_000_000, body, 3_600), "an old one played again");
}
