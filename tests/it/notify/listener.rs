//! Somebody who listens: an HTTP server that keeps what it is told and answers what it is told to.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A request as it came.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub(super) path: String,
    head: String,
    pub(super) body: String,
}

impl Heard {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A running listener; it answers 200 unless told otherwise.
pub(super) struct Listener {
    pub(super) address: SocketAddr,
    answers: Arc<Mutex<VecDeque<&'static str>>>,
    heard: watch::Receiver<Vec<Heard>>,
}

impl Listener {
    pub(super) async fn start() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let answers: Arc<Mutex<VecDeque<&'static str>>> = Arc::default();
        let (tell, heard) = watch::channel(Vec::new());
        let planned = Arc::clone(&answers);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = socket.accept().await {
                let Some(heard) = read(&mut stream).await else { continue };
                let answer = planned.lock().unwrap().pop_front().unwrap_or("200 OK");
                let text = format!("HTTP/1.1 {answer}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
                let _ = stream.write_all(text.as_bytes()).await;
                tell.send_modify(|all: &mut Vec<Heard>| all.push(heard));
            }
        });
        Self { address, answers, heard }
    }

    /// The next answers, such as `500 No`; a header may follow after a line break.
    pub(super) fn answer(&self, answers: &[&'static str]) {
        self.answers.lock().unwrap().extend(answers);
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn heard(&self) -> Vec<Heard> {
        self.heard.borrow().clone()
    }

    pub(super) fn paths(&self) -> Vec<String> {
        self.heard().into_iter().map(|heard| heard.path).collect()
    }

    /// Waits until so many requests have come.
    pub(super) async fn wait_for(&self, count: usize) -> Vec<Heard> {
        let mut heard = self.heard.clone();
        let waited = tokio::time::timeout(Duration::from_secs(20), heard.wait_for(|all| all.len() >= count)).await;
        waited.unwrap_or_else(|_| panic!("only {} of {count} requests came", self.heard().len())).unwrap().clone()
    }
}

async fn read(stream: &mut TcpStream) -> Option<Heard> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
            if bytes.len() >= end + 4 + length.unwrap_or(0) {
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                let body = String::from_utf8_lossy(&bytes[end + 4..]).into_owned();
                return Some(Heard { path, head, body });
            }
        }
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&piece[..read]),
        }
    }
}
