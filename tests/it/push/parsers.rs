//! The body as parsers see it that were not written here: multer always, Python's email package where there is a
//! Python, and with RENKEI_SERVICES=1 also werkzeug and busboy, which must then be installed.

use super::receiver::*;
use base64::Engine as _;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

const PARAMS: &str = r#"{"masterId":0,"duplicateKey":1}"#;

/// A captured request: its Content-Type and its body.
async fn captured(csv: &[u8]) -> (String, Vec<u8>) {
    let receiver = Receiver::answering(SUCCESS).await;
    push_bytes(&integration(&receiver.url()), patient(), csv).await;
    let request = receiver.requests().remove(0);
    let end = head_end(&request).unwrap();
    let head = String::from_utf8(request[..end].to_vec()).unwrap();
    let line = head.lines().find(|line| line.to_lowercase().starts_with("content-type:")).unwrap();
    (line.split_once(':').unwrap().1.trim().to_owned(), request[end..].to_vec())
}

/// Bytes that parsers stumble over: line ends, what looks like boundaries, every byte value.
fn awkward() -> Vec<u8> {
    let mut csv = CSV.to_vec();
    csv.extend((0..=255).cycle().take(200_000));
    csv.extend_from_slice(b"\r\n--\r\n\r\n--");
    csv
}

/// Runs a parser that prints one JSON object a part.
fn parse(program: &str, script: &str, content_type: &str, body: &[u8]) -> Vec<Value> {
    let script = format!("{}/tests/peers/{script}", env!("CARGO_MANIFEST_DIR"));
    let mut child = Command::new(program)
        .args([&script, content_type])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(body).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{script} refused the body");
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn agrees(program: &str, script: &str) {
    for csv in [CSV.to_vec(), Vec::new(), awkward()] {
        let (content_type, body) = captured(&csv).await;
        let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
        let expected = [
            json!({"name": "json", "filename": null, "type": "application/json", "bytes": encode(PARAMS.as_bytes())}),
            json!({"name": "uploadFile", "filename": "batch-001.csv", "type": "text/csv", "bytes": encode(&csv)}),
        ];
        let parts = parse(program, script, &content_type, &body);
        assert!(parts == expected, "{script} read other parts from a file of {} bytes", csv.len());
    }
}

fn services() -> bool {
    std::env::var_os("RENKEI_SERVICES").is_some_and(|value| value == "1")
}

#[tokio::test]
async fn multer_reads_the_two_parts() {
    let csv = awkward();
    let (content_type, body) = captured(&csv).await;
    let boundary = multer::parse_boundary(&content_type).unwrap();
    let stream = futures_util::stream::iter([Ok::<_, std::io::Error>(body)]);
    let mut parts = multer::Multipart::new(stream, boundary);
    let part = parts.next_field().await.unwrap().unwrap();
    assert_eq!((part.name(), part.file_name()), (Some("json"), None));
    assert_eq!(part.text().await.unwrap(), PARAMS);
    let part = parts.next_field().await.unwrap().unwrap();
    assert_eq!((part.name(), part.file_name()), (Some("uploadFile"), Some("batch-001.csv")));
    assert!(part.bytes().await.unwrap() == csv);
    assert!(parts.next_field().await.unwrap().is_none());
}

#[tokio::test]
async fn python_s_email_package_reads_the_two_parts() {
    let found = Command::new("python3").arg("--version").stdout(Stdio::null()).status().is_ok();
    if found || services() {
        agrees("python3", "multipart_email.py").await;
    }
}

#[tokio::test]
async fn werkzeug_reads_the_two_parts() {
    if services() {
        agrees("python3", "multipart_werkzeug.py").await;
    }
}

#[tokio::test]
async fn busboy_reads_the_two_parts() {
    if services() {
        agrees("node", "multipart_busboy.js").await;
    }
}
