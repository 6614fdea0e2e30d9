//! No secret is seen, whatever goes wrong and however closely one looks.

use super::certificates::{Authority, secured, url};
use super::receiver::*;
use base64::Engine as _;
use renkei::domain::verdict::Verdict;
use renkei::push::Client;
use secrecy::SecretString;
use serde_json::json;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use tracing_subscriber::util::SubscriberInitExt;

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
async fn neither_token_nor_login_is_in_the_log_at_trace_level() {
    let page = Page::default();
    let written = page.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || page.clone())
        .finish();
    let guard = subscriber.set_default();

    let authority = Authority::new();
    let receivers = [
        Receiver::answering(SUCCESS).await.url(),
        Receiver::answering("rubbish\r\n").await.url(),
        url(&secured(authority.server("localhost", 2090, false)).await),
        url(&secured(authority.server("localhost", 2020, false)).await),
    ];
    let proxy = Receiver::answering("HTTP/1.1 403 No\r\n\r\n").await;
    let login = SecretString::from(format!("http://taro:a-pretend-password@{}", proxy.address));
    for url in &receivers {
        let integration = integration_with(url, &json!({"route": {"ca_file": authority.ca_file()}}));
        for proxy in [None, Some(login.clone())] {
            let client = Client::build(&integration, headers(), proxy).unwrap();
            let (_folder, upload) = upload(CSV);
            let reply = client.push(&upload, &clock()).await.unwrap();
            tracing::info!(?client, ?reply, "pushed");
        }
    }
    drop(guard);

    let log = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("TRACE") && log.contains("starting new connection"), "the log is listened to: {log}");
    let encoded = base64::engine::general_purpose::STANDARD.encode("taro:a-pretend-password");
    for secret in [TOKEN, "a-pretend-password", &encoded] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test]
async fn a_token_that_is_echoed_is_masked() {
    let body = format!("<html>bad token {TOKEN}");
    let length = body.len();
    let receiver = Receiver::answering(format!("HTTP/1.1 401 {TOKEN}\r\nContent-Length: {length}\r\n\r\n{body}")).await;
    let reply = receiver.push().await;
    assert_eq!((reply.verdict, reply.answer.as_str()), (Verdict::DeniedToken, "<html>bad token ••••"));
    assert!(!format!("{reply:?}").contains(TOKEN));
    // Broken off in the middle of it.
    let cut = &body[..length - 5];
    let receiver = Receiver::answering(format!("HTTP/1.1 500 No\r\nContent-Length: {length}\r\n\r\n{cut}")).await;
    let reply = receiver.push().await;
    assert_eq!((reply.verdict, reply.answer.as_str()), (Verdict::Unknown, "<html>bad token ••••"));
}

#[tokio::test]
async fn a_redirection_that_carries_the_token_is_not_written_down() {
    let answer =
        format!("HTTP/1.1 302 Found\r\nLocation: https://{TOKEN}.acme.jp/{TOKEN}\r\nContent-Length: 0\r\n\r\n");
    let reply = Receiver::answering(answer).await.push().await;
    assert!(reply.note.contains("redirects to ••••.acme.jp"), "{}", reply.note);
}
