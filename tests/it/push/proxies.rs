//! Through a proxy, or stopped by one.

use super::certificates::{Authority, secured, url};
use super::receiver::*;
use renkei::domain::verdict::Verdict;
use renkei::push::{Client, Patience, Reply, probe};
use secrecy::SecretString;
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;

const PASSWORD: &str = "a-pretend-password";

/// A proxy that makes tunnels for whoever gives the password, or says something else.
async fn proxy(says: &'static str) -> Receiver {
    Receiver::playing(move |mut stream| async move {
        let mut head = Vec::new();
        while head_end(&head).is_none() {
            let Ok(byte) = stream.read_u8().await else { return head };
            head.push(byte);
        }
        stream.write_all(says.as_bytes()).await.unwrap();
        if says.contains(" 200 ") {
            let line = String::from_utf8_lossy(&head);
            let target = line.split(' ').nth(1).unwrap();
            let mut onward = TcpStream::connect(target).await.unwrap();
            let _ = copy_bidirectional(&mut stream, &mut onward).await;
        } else if says.is_empty() {
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
        head
    })
    .await
}

fn through(proxy: &Receiver) -> SecretString {
    SecretString::from(format!("http://taro:{PASSWORD}@{}", proxy.address))
}

async fn push_through(url: &str, authority: &Authority, proxy: &Receiver, patience: Patience) -> Reply {
    let integration = integration_with(url, &json!({"route": {"ca_file": authority.ca_file()}}));
    let client = Client::build_patient(&integration, headers(), Some(through(proxy)), patience).unwrap();
    let (_folder, upload) = upload(CSV);
    client.push(&upload, &clock()).await.unwrap()
}

#[tokio::test]
async fn a_proxy_makes_the_tunnel_and_sees_no_token() {
    let authority = Authority::new();
    let receiver = secured(authority.server("localhost", 2090, false)).await;
    let proxy = proxy("HTTP/1.1 200 Connection established\r\n\r\n").await;
    let reply = push_through(&url(&receiver), &authority, &proxy, patient()).await;
    assert_eq!(reply.verdict, Verdict::Accepted, "{reply:?}");
    let integration = integration_with(&url(&receiver), &json!({"route": {"ca_file": authority.ca_file()}}));
    let report = probe(&integration, Some(&through(&proxy))).await.unwrap();
    assert_eq!(report.steps.iter().map(|step| step.what).collect::<Vec<_>>(), ["name", "connect", "proxy", "tls"]);
    assert!(!format!("{report:?}").contains(PASSWORD));
    while proxy.requests().len() < 2 {
        tokio::task::yield_now().await;
    }
    for head in proxy.requests() {
        let head = String::from_utf8(head).unwrap().to_lowercase();
        assert!(head.starts_with(&format!("connect localhost:{} http/1.1\r\n", receiver.address.port())));
        assert!(head.contains("proxy-authorization: basic ") && !head.contains(TOKEN), "{head}");
    }
}

#[tokio::test]
async fn a_proxy_that_stops_the_tunnel_makes_the_receiver_unreachable() {
    let authority = Authority::new();
    for (says, note, found) in [
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "refused to connect", "403 Forbidden"),
        ("HTTP/1.1 407 Login\r\n\r\n", "user and password", "user and password"),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", "refused to connect", "502"),
        ("rubbish\r\n\r\n", "refused to connect", "rubbish"),
    ] {
        let proxy = proxy(says).await;
        let reply = push_through("https://localhost:1/acme/api/v1/csvimport", &authority, &proxy, patient()).await;
        assert_eq!((reply.verdict, reply.sent_bytes), (Verdict::Unreachable, 0), "{reply:?}");
        assert!(reply.note.contains(note) && !reply.note.contains(PASSWORD), "{}", reply.note);
        let shown = format!("through http://{}", proxy.address);
        assert!(reply.note.contains(&shown), "{}", reply.note);

        let integration = integration("https://localhost:1/acme/api/v1/csvimport");
        let failed = probe(&integration, Some(&through(&proxy))).await.unwrap().failed.unwrap();
        assert_eq!(failed.what, "proxy");
        assert!(failed.found.contains(found) && !failed.found.contains(PASSWORD), "{}", failed.found);
    }
}

#[tokio::test]
async fn a_proxy_that_says_nothing_makes_the_receiver_unreachable() {
    let proxy = proxy("").await;
    let patience = Patience { connect: Duration::from_millis(100), ..patient() };
    let reply = push_through("https://localhost:1/acme/api/v1/csvimport", &Authority::new(), &proxy, patience).await;
    assert_eq!((reply.verdict, reply.sent_bytes), (Verdict::Unreachable, 0), "{reply:?}");
}

#[tokio::test]
async fn a_plain_receiver_is_asked_through_the_proxy_in_the_absolute_form() {
    let proxy = Receiver::answering(SUCCESS).await;
    let integration = integration("http://seisan.invalid/acme/api/v1/csvimport");
    let client = Client::build(&integration, headers(), Some(through(&proxy))).unwrap();
    let (_folder, upload) = upload(CSV);
    assert_eq!(client.push(&upload, &clock()).await.unwrap().verdict, Verdict::Accepted);
    let request = proxy.requests().remove(0);
    assert!(request.starts_with(b"POST http://seisan.invalid/acme/api/v1/csvimport HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_407_from_a_proxy_on_the_way_of_a_plain_request_denies_the_route() {
    let proxy = Receiver::answering("HTTP/1.1 407 Login\r\nContent-Length: 0\r\n\r\n").await;
    let integration = integration("http://seisan.invalid/acme/api/v1/csvimport");
    let client = Client::build(&integration, headers(), Some(through(&proxy))).unwrap();
    let (_folder, upload) = upload(CSV);
    assert_eq!(client.push(&upload, &clock()).await.unwrap().verdict, Verdict::DeniedRoute);
}
