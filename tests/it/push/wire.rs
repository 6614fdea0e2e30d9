//! What stands on the wire.

use super::receiver::*;
use renkei::domain::verdict::Verdict;
use renkei::push::Client;
use secrecy::SecretString;
use serde_json::json;
use sha2::{Digest, Sha256};

/// A request taken apart at its boundary: the head's lines, and each part's header lines and bytes.
struct Taken {
    head: Vec<String>,
    parts: Vec<(Vec<String>, Vec<u8>)>,
    body: usize,
}

impl Taken {
    fn header(&self, name: &str) -> Vec<&str> {
        self.head
            .iter()
            .filter_map(|line| line.split_once(": "))
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .collect()
    }
}

fn lines(bytes: &[u8]) -> Vec<String> {
    String::from_utf8(bytes.to_vec()).unwrap().split("\r\n").map(str::to_owned).collect()
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn take_apart(request: &[u8]) -> Taken {
    let end = head_end(request).unwrap();
    let (head, mut rest) = (lines(&request[..end - 4]), &request[end..]);
    let boundary = head.iter().find_map(|line| line.split_once("boundary=")).unwrap().1.to_owned();
    assert!(boundary.len() <= 70 && boundary.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    let body = rest.len();
    let mut parts = Vec::new();
    let first = format!("--{boundary}\r\n");
    rest = rest.strip_prefix(first.as_bytes()).unwrap();
    loop {
        let headers = find(rest, b"\r\n\r\n").unwrap();
        let mark = format!("\r\n--{boundary}");
        let length = find(&rest[headers + 4..], mark.as_bytes()).unwrap();
        parts.push((lines(&rest[..headers]), rest[headers + 4..headers + 4 + length].to_vec()));
        rest = &rest[headers + 4 + length + mark.len()..];
        if rest == b"--\r\n" {
            return Taken { head, parts, body };
        }
        rest = rest.strip_prefix(b"\r\n").unwrap();
    }
}

#[tokio::test]
async fn the_request_has_exactly_the_parts_of_the_help_page() {
    let receiver = Receiver::answering(SUCCESS).await;
    let reply = receiver.push().await;
    assert_eq!((reply.verdict, reply.http_status), (Verdict::Accepted, Some(200)), "{reply:?}");

    let taken = take_apart(&receiver.requests()[0]);
    assert_eq!(taken.head[0], "POST /acme/api/v1/csvimport HTTP/1.1");
    assert_eq!(taken.header("content-length"), [taken.body.to_string()]);
    assert_eq!(reply.sent_bytes, taken.body as u64);
    assert!(taken.header("transfer-encoding").is_empty() && taken.header("expect").is_empty());
    assert_eq!(taken.header("x-rs-apitoken"), [TOKEN]);
    assert_eq!(taken.header("host"), [receiver.address.to_string()]);
    assert_eq!(taken.header("user-agent"), [concat!("renkei/", env!("CARGO_PKG_VERSION"))]);
    assert_eq!(taken.header("content-type").len(), 1, "the typed one has no boundary and is not sent");
    assert!(taken.header("content-type")[0].starts_with("multipart/form-data; boundary="));

    assert_eq!(taken.parts.len(), 2);
    let (headers, body) = &taken.parts[0];
    assert_eq!(headers, &["Content-Disposition: form-data; name=\"json\"", "content-type: application/json"]);
    assert_eq!(body, br#"{"masterId":0,"duplicateKey":1}"#);
    let (headers, body) = &taken.parts[1];
    let disposition = "Content-Disposition: form-data; name=\"uploadFile\"; filename=\"batch-001.csv\"";
    assert_eq!(headers, &[disposition, "content-type: text/csv"]);
    assert_eq!(body, CSV);
}

#[tokio::test]
async fn part_names_are_sent_as_written_and_file_names_as_plain_ascii() {
    let receiver = Receiver::answering(SUCCESS).await;
    let more = json!({"body": {"name": "設定 1/2"}, "csv": {"name": "取込ファイル"}});
    let integration = integration_with(&receiver.url(), &more);
    let (_folder, mut upload) = upload(CSV);
    upload.file_name = "社員\"\r\nX: 1.csv".into();
    client(&integration, patient()).push(&upload, &clock()).await.unwrap();
    let taken = take_apart(&receiver.requests()[0]);
    assert_eq!(taken.parts[0].0[0], "Content-Disposition: form-data; name=\"設定 1/2\"");
    let disposition = "Content-Disposition: form-data; name=\"取込ファイル\"; filename=\"_____X__1.csv\"";
    assert_eq!(taken.parts[1].0[0], disposition);
}

#[tokio::test]
async fn a_large_and_an_empty_file_arrive_whole_with_their_length() {
    for size in [0, 1, 65_536, 5_000_000] {
        let receiver = Receiver::answering(SUCCESS).await;
        let bytes: Vec<u8> = (0..size).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let reply = push_bytes(&integration(&receiver.url()), patient(), &bytes).await;
        assert_eq!(reply.verdict, Verdict::Accepted, "{size}");
        let taken = take_apart(&receiver.requests()[0]);
        assert_eq!(taken.header("content-length"), [taken.body.to_string()]);
        assert!(taken.parts[1].1 == bytes, "{size} bytes came through unchanged");
    }
}

#[tokio::test]
async fn each_push_opens_a_connection_of_its_own() {
    let answer = SUCCESS.replace("\r\n\r\n", "\r\nConnection: keep-alive\r\n\r\n");
    let receiver = Receiver::answering(answer).await;
    let client = client(&integration(&receiver.url()), patient());
    let (_folder, upload) = upload(CSV);
    for _ in 0..3 {
        assert_eq!(client.push(&upload, &clock()).await.unwrap().verdict, Verdict::Accepted);
    }
    assert_eq!(receiver.connections(), 3);
}

#[tokio::test]
async fn a_file_that_is_not_what_was_written_is_not_sent_at_all() {
    let receiver = Receiver::answering(SUCCESS).await;
    let client = client(&integration(&receiver.url()), patient());
    let (folder, good) = upload(CSV);
    let mut shorter = good.clone();
    shorter.bytes += 1;
    let mut other = good.clone();
    other.sha256 = Some("0".repeat(64));
    let mut gone = good.clone();
    gone.path = folder.path().join("gone.csv");
    let mut is_folder = good.clone();
    is_folder.path = folder.path().to_owned();
    for (damaged, why) in
        [(shorter, "instead of"), (other, "other content"), (gone, "cannot be read"), (is_folder, "not a file")]
    {
        let error = client.push(&damaged, &clock()).await.unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
    assert_eq!(receiver.connections(), 0);

    let mut proved = good;
    proved.sha256 = Some(Sha256::digest(CSV).iter().map(|byte| format!("{byte:02X}")).collect());
    assert_eq!(client.push(&proved, &clock()).await.unwrap().verdict, Verdict::Accepted);
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_sent_never_arrives_whole() {
    use std::io::{Seek, SeekFrom, Write};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let bytes = vec![b'a'; 20_000_000];
    let (_folder, mut upload) = upload(&bytes);
    upload.sha256 = Some(Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect());
    let path = upload.path.clone();
    let receiver = Receiver::playing(move |mut stream| {
        let path = path.clone();
        async move {
            // The connection's buffers hold less than the file, so its end has not been read yet.
            let mut begin = [0; 1_000];
            stream.read_exact(&mut begin).await.unwrap();
            let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
            file.seek(SeekFrom::End(-1)).unwrap();
            file.write_all(b"b").unwrap();
            let mut read = begin.to_vec();
            let _ = stream.read_to_end(&mut read).await;
            let _ = stream.write_all(SUCCESS.as_bytes()).await;
            read
        }
    })
    .await;
    let reply = client(&integration(&receiver.url()), patient()).push(&upload, &clock()).await.unwrap();
    assert_eq!(reply.verdict, Verdict::Unknown);
    assert!(reply.note.contains("changed while it was sent"), "{}", reply.note);
    assert!(reply.sent_bytes < 20_000_000);
}

#[tokio::test]
async fn a_header_that_cannot_be_sent_is_named_without_its_value() {
    let integration = integration("http://127.0.0.1:1/acme/api/v1/csvimport");
    for value in ["", "  ", "secret-part\nX-Evil: 1", "秘密secret-part"] {
        let headers = vec![("X-RS-apitoken".to_owned(), SecretString::from(value.to_owned()))];
        let error = Client::build(&integration, headers, None).unwrap_err().to_string();
        assert!(error.contains("X-RS-apitoken") && !error.contains("secret-part"), "{error}");
    }
}
