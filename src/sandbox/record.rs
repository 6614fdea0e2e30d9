//! Everything that is remembered of each request, in memory and (by option) in a folder.
//!
//! In memory the headers stand as they came, token and all, because tests ask for them; on disk and at the control
//! door secrets are masked. What is kept is bounded: old requests lose their CSV first, then themselves.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::misbehaviour::Misbehaviour;

/// How many bytes of CSV are kept in memory, over all requests.
const CSV_KEPT: usize = 256 * 1024 * 1024;
/// How many requests are kept in memory.
const REQUESTS_KEPT: usize = 100_000;
/// How much of an answer's body is kept.
const ANSWER_KEPT: usize = 4096;

/// One request as it arrived, and what was done with it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Received {
    /// From 1, in the order of arrival.
    pub number: u64,
    /// When the head of the request was read, since the sandbox started.
    pub at: Duration,
    /// The HTTP method.
    pub method: String,
    /// The path, without a query.
    pub path: String,
    /// The first segment of the path.
    pub account: String,
    /// The headers in order, names in lower case, values as text (bytes outside UTF-8 replaced).
    pub headers: Vec<(String, String)>,
    /// The size of the body that was read, in bytes.
    pub body_bytes: u64,
    /// The parts of the body in order, as far as they could be read.
    pub parts: Vec<Part>,
    /// The text of the part `json`.
    pub json: Option<String>,
    /// The bytes of the part `uploadFile`; `None` also when they were dropped to save memory.
    pub csv: Option<Bytes>,
    /// What the sandbox was told to do wrong with this request.
    pub misbehaviour: Option<Misbehaviour>,
    /// Whether the masters took the file in.
    pub imported: bool,
    /// What was answered.
    pub answer: Answer,
}

/// One part of a multipart body.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// The name of the field.
    pub name: String,
    /// The filename, if one was given.
    pub filename: Option<String>,
    /// The part's own content type, if one was given.
    pub content_type: Option<String>,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
}

/// What went back to the client.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The HTTP status that was meant; `None` when nothing was answered.
    pub status: Option<u16>,
    /// The beginning of the body, as text.
    pub body: String,
    /// What happened instead of, or to, the answer: `reset`, `silent`, `client went away` …
    pub fault: Option<String>,
}

impl Received {
    /// A header's value, by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first lines of the CSV, read as Shift_JIS, for people to look at.
    #[must_use]
    pub fn csv_lines(&self, count: usize) -> Vec<String> {
        let Some(csv) = &self.csv else { return Vec::new() };
        let head = &csv[..csv.len().min(64 * 1024)];
        let (text, _) = encoding_rs::SHIFT_JIS.decode_without_bom_handling(head);
        text.lines().take(count).map(str::to_owned).collect()
    }

    /// As one JSON object, with secrets masked and without the CSV itself.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let headers: Vec<Value> = self
            .headers
            .iter()
            .map(|(name, value)| {
                let secret =
                    matches!(name.as_str(), "x-rs-apitoken" | "authorization" | "proxy-authorization" | "cookie");
                json!([name, if secret { "••••" } else { value.as_str() }])
            })
            .collect();
        let parts: Vec<Value> = self
            .parts
            .iter()
            .map(|part| {
                json!({
                    "name": part.name, "filename": part.filename, "content_type": part.content_type,
                    "bytes": part.bytes, "sha256": part.sha256,
                })
            })
            .collect();
        json!({
            "number": self.number,
            "at_ms": millis(self.at),
            "method": self.method,
            "path": self.path,
            "account": self.account,
            "headers": headers,
            "body_bytes": self.body_bytes,
            "parts": parts,
            "json": self.json,
            "csv_head": self.csv_lines(3),
            "misbehaviour": self.misbehaviour,
            "imported": self.imported,
            "answer": {"status": self.answer.status, "body": self.answer.body, "fault": self.answer.fault},
        })
    }
}

/// Whole milliseconds.
pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The requests so far, and the two events that tests wait for.
pub(super) struct Log {
    kept: Mutex<Kept>,
    arrived: watch::Sender<u64>,
    answered: watch::Sender<u64>,
    folder: Option<Folder>,
}

#[derive(Default)]
struct Kept {
    requests: VecDeque<Received>,
    csv_bytes: usize,
}

impl Log {
    pub(super) fn open(out_dir: Option<&Path>) -> io::Result<Self> {
        let folder = out_dir.map(Folder::open).transpose()?;
        Ok(Self { kept: Mutex::default(), arrived: watch::Sender::new(0), answered: watch::Sender::new(0), folder })
    }

    /// Counts a request in; the result is its number.
    pub(super) fn arrive(&self) -> u64 {
        let mut number = 0;
        self.arrived.send_modify(|count| {
            *count += 1;
            number = *count;
        });
        number
    }

    /// Writes a received CSV into the folder, if there is one.
    pub(super) fn keep_file(&self, label: &str, csv: &[u8]) {
        if let Some(folder) = &self.folder {
            folder.keep_file(label, csv);
        }
    }

    /// Remembers a request whose answer is decided.
    pub(super) fn push(&self, mut received: Received) {
        if let Some((end, _)) = received.answer.body.char_indices().find(|(index, _)| *index >= ANSWER_KEPT) {
            received.answer.body.truncate(end);
        }
        if let Some(folder) = &self.folder {
            folder.note(&received.to_json());
        }
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.csv_bytes += received.csv.as_ref().map_or(0, Bytes::len);
            kept.requests.push_back(received);
            if kept.requests.len() > REQUESTS_KEPT
                && let Some(oldest) = kept.requests.pop_front()
            {
                kept.csv_bytes -= oldest.csv.as_ref().map_or(0, Bytes::len);
            }
            let Kept { requests, csv_bytes } = &mut *kept;
            for old in requests.iter_mut() {
                if *csv_bytes <= CSV_KEPT {
                    break;
                }
                *csv_bytes -= old.csv.take().map_or(0, |csv| csv.len());
            }
        }
        self.answered.send_modify(|count| *count += 1);
    }

    pub(super) fn all(&self) -> Vec<Received> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).requests.iter().cloned().collect()
    }

    pub(super) fn arrivals(&self) -> watch::Receiver<u64> {
        self.arrived.subscribe()
    }

    pub(super) fn answers(&self) -> watch::Receiver<u64> {
        self.answered.subscribe()
    }
}

/// The folder of received files and the log beside them. Nothing in it is ever overwritten.
struct Folder {
    dir: PathBuf,
    next: AtomicU64,
    log: Mutex<File>,
}

impl Folder {
    fn open(dir: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let log = private().append(true).create(true).open(dir.join("requests.jsonl"))?;
        Ok(Self { dir: dir.to_owned(), next: AtomicU64::new(1), log: Mutex::new(log) })
    }

    fn keep_file(&self, label: &str, csv: &[u8]) {
        loop {
            let name = format!("{:06}-{label}.csv", self.next.fetch_add(1, Ordering::Relaxed));
            match private().write(true).create_new(true).open(self.dir.join(&name)) {
                Ok(mut file) => {
                    if let Err(error) = file.write_all(csv) {
                        tracing::warn!(%error, file = name, "the sandbox could not write a received file");
                    }
                    return;
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    tracing::warn!(%error, file = name, "the sandbox could not create a received file");
                    return;
                }
            }
        }
    }

    fn note(&self, line: &Value) {
        let mut text = line.to_string();
        text.push('\n');
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = log.write_all(text.as_bytes()) {
            tracing::warn!(%error, "the sandbox could not write its log");
        }
    }
}

/// Files that only their owner can read: they hold people's data.
fn private() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "the mode is set on Unix alone"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
