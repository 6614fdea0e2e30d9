//! Bare receivers, and what is pushed to them.

use renkei::clock::Clock;
use renkei::domain::integration::{Integration, IntegrationForm};
use renkei::push::{Client, Patience, Reply, Upload};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The token that must not be seen anywhere.
pub(super) const TOKEN: &str = "a-pretend-token-0123456789";

pub(super) const SUCCESS: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{\"status\":\"success\"}";

/// A receiver and what it has received.
pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    received: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Receiver {
    /// Serves each connection with `script`, which returns what it read.
    pub(super) async fn playing<S, F>(script: S) -> Self
    where
        S: Fn(TcpStream) -> F + Send + 'static,
        F: Future<Output = Vec<u8>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, received) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (counted, kept) = (Arc::clone(&connections), Arc::clone(&received));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let (playing, kept) = (script(stream), Arc::clone(&kept));
                tokio::spawn(async move {
                    let read = playing.await;
                    kept.lock().unwrap().push(read);
                });
            }
        });
        Self { address, connections, received }
    }

    /// Reads whole requests and answers each with these bytes, then closes.
    pub(super) async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer: Arc<[u8]> = answer.into().into();
        Self::playing(move |mut stream| {
            let answer = Arc::clone(&answer);
            async move {
                let request = read_request(&mut stream).await;
                // The other side may have had enough before the end.
                let _ = stream.write_all(&answer).await;
                let _ = stream.shutdown().await;
                request
            }
        })
        .await
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The whole requests read so far.
    pub(super) fn requests(&self) -> Vec<Vec<u8>> {
        self.received.lock().unwrap().clone()
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/acme/api/v1/csvimport", self.address)
    }

    pub(super) async fn push(&self) -> Reply {
        push(&integration(&self.url()), patient()).await
    }
}

/// Reads a head and as many body bytes as it announces; less if the other side ends.
pub(super) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut request = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        if let Some(end) = head_end(&request) {
            let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"))
                .map_or(0, |length| length.trim().parse::<usize>().unwrap());
            if request.len() >= end + length {
                return request;
            }
        }
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return request,
            Ok(read) => request.extend_from_slice(&piece[..read]),
        }
    }
}

/// Where a message's body begins.
pub(super) fn head_end(message: &[u8]) -> Option<usize> {
    message.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

/// Ends a connection with a reset instead of an orderly close.
pub(super) fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
}

/// An integration of this URL with further fields.
pub(super) fn integration_with(url: &str, more: &Value) -> Integration {
    let mut form = json!({
        "name": "社員マスタ連携", "url": url, "allow_http": true,
        "headers": {"X-RS-apitoken": "${env:PRETEND}", "Content-Type": "multipart/form-data;"},
        "params": {"masterId": 0, "duplicateKey": 1},
    });
    for (name, value) in more.as_object().unwrap() {
        form[name] = value.clone();
    }
    let form: IntegrationForm = serde_json::from_value(form).unwrap();
    Integration::check(form).unwrap().0
}

pub(super) fn integration(url: &str) -> Integration {
    integration_with(url, &json!({}))
}

/// The headers with their secrets resolved.
pub(super) fn headers() -> Vec<(String, SecretString)> {
    vec![
        ("X-RS-apitoken".into(), SecretString::from(TOKEN.to_owned())),
        ("Content-Type".into(), SecretString::from("multipart/form-data;".to_owned())),
    ]
}

/// Longer than any test takes.
pub(super) fn patient() -> Patience {
    Patience { connect: Duration::from_secs(30), request: Duration::from_secs(60), idle: Duration::from_secs(30) }
}

pub(super) fn client(integration: &Integration, patience: Patience) -> Client {
    Client::build_patient(integration, headers(), None, patience).unwrap()
}

/// A file of these bytes in a folder of its own.
pub(super) fn upload(bytes: &[u8]) -> (TempDir, Upload) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("batch.csv");
    std::fs::write(&path, bytes).unwrap();
    let upload = Upload {
        path,
        file_name: "batch-001.csv".into(),
        bytes: bytes.len() as u64,
        sha256: None,
        params_json: r#"{"masterId":0,"duplicateKey":1}"#.into(),
    };
    (folder, upload)
}

pub(super) fn clock() -> Clock {
    Clock::manual(chrono::DateTime::from_timestamp(784_111_777, 0).unwrap())
}

/// Pushes a small file.
pub(super) async fn push(integration: &Integration, patience: Patience) -> Reply {
    push_bytes(integration, patience, CSV).await
}

pub(super) async fn push_bytes(integration: &Integration, patience: Patience, bytes: &[u8]) -> Reply {
    let (_folder, upload) = upload(bytes);
    client(integration, patience).push(&upload, &clock()).await.unwrap()
}

/// 社員コード,社員名 and one row, in Shift_JIS, with CR, LF and a line that looks like a boundary.
pub(super) const CSV: &[u8] =
    b"\x8e\xd0\x88\xf5\x83R\x81[\x83h,\x8e\xd0\x88\xf5\x96\xbc\r\n0001,\"--\r\n--x--\r\n\xfb\xfc\"\r\n";
