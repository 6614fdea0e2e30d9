//! The pretend 楽楽精算 keeps the rules that it plays. Requests are written by hand, byte for byte, over real sockets.

mod door;
mod faults;
mod limits;
mod mailbox;
mod others;
mod rules;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use renkei::sandbox::{Sandbox, SandboxOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a test waits for an event before it gives up.
const SOON: Duration = Duration::from_secs(20);

async fn start() -> Sandbox {
    Sandbox::start(SandboxOptions::default()).await.unwrap()
}

fn sjis(text: &str) -> Vec<u8> {
    let mut bytes = vec![0; text.len() * 3];
    let (result, read, written) =
        encoding_rs::SHIFT_JIS.new_encoder().encode_from_utf8_without_replacement(text, &mut bytes, true);
    assert_eq!((result, read), (encoding_rs::EncoderResult::InputEmpty, text.len()));
    bytes.truncate(written);
    bytes
}

/// A request that is right, to be spoilt by a test.
#[derive(Clone)]
struct Push {
    method: &'static str,
    path: String,
    token: Vec<String>,
    content_type: Vec<String>,
    json_head: String,
    json: String,
    file_head: String,
    csv: Vec<u8>,
    end: &'static str,
    length: bool,
}

impl Push {
    fn new(json: &str, csv: &[u8]) -> Self {
        Self {
            method: "POST",
            path: "/acme/api/v1/csvimport".to_owned(),
            token: vec!["sandbox".to_owned()],
            content_type: vec!["multipart/form-data; boundary=frontier".to_owned()],
            json_head: "Content-Disposition: form-data; name=\"json\"".to_owned(),
            json: json.to_owned(),
            file_head: "Content-Disposition: form-data; name=\"uploadFile\"; filename=\"a.csv\"\r\n\
                        Content-Type: text/csv"
                .to_owned(),
            csv: csv.to_vec(),
            end: "\r\n--frontier--\r\n",
            length: true,
        }
    }

    fn employees() -> Self {
        Self::new(r#"{"masterId":0,"duplicateKey":1}"#, &sjis("社員コード,社員名\r\n1,山田\r\n2,髙﨑\r\n"))
    }

    fn body(&self) -> Vec<u8> {
        let mut body = format!(
            "--frontier\r\n{}\r\n\r\n{}\r\n--frontier\r\n{}\r\n\r\n",
            self.json_head, self.json, self.file_head
        )
        .into_bytes();
        body.extend_from_slice(&self.csv);
        body.extend_from_slice(self.end.as_bytes());
        body
    }

    fn head(&self, length: usize) -> String {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: sandbox\r\n", self.method, self.path);
        for token in &self.token {
            head += &format!("X-RS-apitoken: {token}\r\n");
        }
        for kind in &self.content_type {
            head += &format!("Content-Type: {kind}\r\n");
        }
        head += &if self.length {
            format!("Content-Length: {length}\r\n")
        } else {
            "Transfer-Encoding: chunked\r\n".into()
        };
        head + "Connection: close\r\n\r\n"
    }

    fn bytes(&self) -> Vec<u8> {
        let body = self.body();
        let mut bytes = self.head(body.len()).into_bytes();
        if self.length {
            bytes.extend_from_slice(&body);
        } else {
            bytes.extend_from_slice(format!("{:x}\r\n", body.len()).as_bytes());
            bytes.extend_from_slice(&body);
            bytes.extend_from_slice(b"\r\n0\r\n\r\n");
        }
        bytes
    }

    async fn to(&self, sandbox: &Sandbox) -> Seen {
        exchange(sandbox.address(), &self.bytes()).await.unwrap()
    }
}

/// What came back.
#[derive(Debug)]
struct Seen {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Seen {
    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends bytes and reads until the other side ends.
async fn exchange_raw(address: SocketAddr, bytes: &[u8]) -> (Vec<u8>, Option<io::ErrorKind>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut sent = bytes;
    let mut all = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    let (mut reader, mut writer) = stream.split();
    loop {
        tokio::select! {
            read = reader.read(&mut buffer) => match read {
                Ok(0) => return (all, None),
                Ok(n) => all.extend_from_slice(&buffer[..n]),
                Err(error) => return (all, Some(error.kind())),
            },
            written = writer.write(sent), if !sent.is_empty() => match written {
                Ok(n) => sent = &sent[n..],
                Err(_) => sent = &[],
            },
        }
    }
}

async fn exchange(address: SocketAddr, bytes: &[u8]) -> io::Result<Seen> {
    let (all, error) = exchange_raw(address, bytes).await;
    if let Some(kind) = error {
        return Err(kind.into());
    }
    let split = all.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(all[..split].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok(Seen { status, head, body: all[split + 4..].to_vec() })
}

#[tokio::test]
async fn a_right_request_is_taken_in_and_everything_about_it_is_remembered() {
    let sandbox = start().await;
    let push = Push::employees();
    let seen = push.to(&sandbox).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    assert_eq!(seen.json()["status"], "success");
    assert_eq!(seen.json()["items"]["created"], 2);
    assert!(seen.json()["sandbox"].as_str().unwrap().contains("assumption"));

    let received = sandbox.wait_for(1, SOON).await.unwrap().remove(0);
    assert_eq!((received.number, received.account.as_str(), received.imported), (1, "acme", true));
    assert_eq!(received.header("x-rs-apitoken"), Some("sandbox"));
    assert_eq!(received.json.as_deref(), Some(push.json.as_str()));
    assert_eq!(received.csv.as_deref(), Some(push.csv.as_slice()));
    assert_eq!(received.csv_lines(2), ["社員コード,社員名", "1,山田"]);
    assert_eq!(received.body_bytes, push.body().len() as u64);
    let names: Vec<_> = received.parts.iter().map(|part| (part.name.as_str(), part.filename.as_deref())).collect();
    assert_eq!(names, [("json", None), ("uploadFile", Some("a.csv"))]);
    assert_eq!(received.parts[1].content_type.as_deref(), Some("text/csv"));
    // printf '社員コード,社員名\r\n1,山田\r\n2,髙﨑\r\n' | iconv -t CP932 | sha256sum
    assert_eq!(received.parts[1].sha256, "eac368a938b84665aa4871289b873a7042a2b7fa892725dd019222e4cf05436e");
    assert_eq!(received.answer.status, Some(200));

    let master = sandbox.master(0);
    assert_eq!(master.value("2", "社員名"), Some("髙﨑"));
    assert_eq!(master.records.len(), 2);
}

#[tokio::test]
async fn waiting_for_what_does_not_come_ends_with_what_was_seen() {
    let sandbox = start().await;
    let missed = sandbox.wait_for(1, Duration::from_millis(1)).await.unwrap_err();
    assert_eq!((missed.wanted, missed.seen), (1, 0));
}

#[tokio::test]
async fn after_a_shutdown_the_port_refuses_and_can_be_taken_again() {
    let sandbox = start().await;
    let address = sandbox.address();
    sandbox.shutdown().await;
    assert_eq!(TcpStream::connect(address).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    let again = Sandbox::start(SandboxOptions { listen: address, ..SandboxOptions::default() }).await.unwrap();
    assert_eq!(Push::employees().to(&again).await.status, 200);
}

#[tokio::test]
async fn a_closed_sandbox_ends_what_is_under_way_refuses_and_comes_back_with_its_memory() {
    let sandbox = start().await;
    assert_eq!(Push::employees().to(&sandbox).await.status, 200);
    sandbox.misbehave(renkei::sandbox::Plan::once(renkei::sandbox::Misbehaviour::Hold));
    let bytes = Push::employees().bytes();
    let (held, ()) = tokio::join!(exchange_raw(sandbox.address(), &bytes), async {
        sandbox.wait_for(2, SOON).await.unwrap();
        sandbox.close().await;
    });
    assert!(held.0.is_empty());
    let refused = TcpStream::connect(sandbox.address()).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    sandbox.reopen().await.unwrap();
    assert_eq!(Push::employees().to(&sandbox).await.status, 200);
    assert_eq!((sandbox.received().len(), sandbox.master(0).records.len()), (3, 2));
}

#[tokio::test]
async fn received_files_and_their_log_are_written_without_the_token_and_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let options = || SandboxOptions {
        out_dir: Some(dir.path().to_owned()),
        token: "a-secret-word".to_owned(),
        ..SandboxOptions::default()
    };
    let mut push = Push::employees();
    push.token = vec!["a-secret-word".to_owned()];
    for _ in 0..2 {
        let sandbox = Sandbox::start(options()).await.unwrap();
        assert_eq!(push.to(&sandbox).await.status, 200);
        sandbox.shutdown().await;
    }
    for name in ["000001-master0.csv", "000002-master0.csv"] {
        assert_eq!(std::fs::read(dir.path().join(name)).unwrap(), push.csv);
    }
    let log = std::fs::read_to_string(dir.path().join("requests.jsonl")).unwrap();
    assert_eq!(log.lines().count(), 2);
    assert!(log.contains("••••") && !log.contains("a-secret-word"), "{log}");
}
