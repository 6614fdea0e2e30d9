//! Unreachable means that nothing was written, and nothing else does.

use super::receiver::*;
use renkei::domain::verdict::Verdict;
use renkei::push::{Patience, Reply, probe};
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

fn is_unreachable(reply: &Reply, why: &str) {
    assert_eq!((reply.verdict, reply.sent_bytes), (Verdict::Unreachable, 0), "{reply:?}");
    assert!(reply.note.contains(why) && reply.note.contains("nothing was sent"), "{}", reply.note);
    assert_eq!((reply.http_status, reply.answer.as_str()), (None, ""));
}

fn hasty() -> Patience {
    Patience { connect: Duration::from_millis(100), ..patient() }
}

/// An address where nothing listens.
async fn closed_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn a_refused_port_is_unreachable() {
    let address = closed_port().await;
    let integration = integration(&format!("http://{address}/acme/api/v1/csvimport"));
    is_unreachable(&push(&integration, patient()).await, "refused");
    let report = probe(&integration, None).await.unwrap();
    assert_eq!(report.failed.unwrap().what, "connect");
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_unreachable() {
    // Too long a label for any resolver, so that none is asked.
    let integration = integration(&format!("http://{}.jp/acme/api/v1/csvimport", "a".repeat(64)));
    is_unreachable(&push(&integration, patient()).await, "does not resolve");
    let failed = probe(&integration, None).await.unwrap().failed.unwrap();
    assert_eq!(failed.what, "name");
    assert!(failed.found.contains("does not resolve"), "{}", failed.found);
}

#[tokio::test]
async fn a_connection_that_is_never_made_is_unreachable() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    // Nobody accepts, so the queue fills and later attempts get no answer.
    let mut queued = Vec::new();
    while let Ok(stream) = tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await {
        queued.push(stream);
    }
    let integration = integration(&format!("http://{address}/acme/api/v1/csvimport"));
    is_unreachable(&push(&integration, hasty()).await, "timeouts.connect");
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_unreachable() {
    let receiver = Receiver::playing(|mut stream| async move { read_request(&mut stream).await }).await;
    let url = format!("https://{}/acme/api/v1/csvimport", receiver.address);
    is_unreachable(&push(&integration(&url), hasty()).await, "timeouts.connect");
    // The whole request's time may also be the shorter one.
    let patience = Patience { request: Duration::from_millis(100), idle: Duration::from_millis(10), ..patient() };
    is_unreachable(&push(&integration(&url), patience).await, "timeouts.request");
    let more = json!({"timeouts": {"connect": "1s", "request": "60s", "idle": "60s"}});
    let failed = probe(&integration_with(&url, &more), None).await.unwrap().failed.unwrap();
    assert_eq!((failed.what, failed.found.contains("timeouts.connect")), ("tls", true), "{failed:?}");
}

#[tokio::test]
async fn a_port_that_does_not_speak_tls_is_unreachable() {
    let plain = Receiver::playing(|mut stream| async move {
        use tokio::io::AsyncWriteExt;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        read_request(&mut stream).await
    })
    .await;
    let closing = Receiver::playing(|mut stream| async move {
        use tokio::io::AsyncReadExt;
        let mut hello = vec![0; 16];
        stream.read_exact(&mut hello).await.unwrap();
        hello
    })
    .await;
    for receiver in [plain, closing] {
        let integration = integration(&format!("https://{}/acme/api/v1/csvimport", receiver.address));
        is_unreachable(&push(&integration, patient()).await, "");
        assert_eq!(probe(&integration, None).await.unwrap().failed.unwrap().what, "tls");
    }
}

#[tokio::test]
async fn a_probe_sends_not_a_byte_of_http() {
    let receiver = Receiver::playing(|mut stream| async move { read_request(&mut stream).await }).await;
    let report = probe(&integration(&receiver.url()), None).await.unwrap();
    assert!(report.is_reachable(), "{report:?}");
    while receiver.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(receiver.requests(), [b""]);
}
