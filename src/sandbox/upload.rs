//! The body of a request: read within bounds, taken apart, and looked at part by part.
//!
//! It refuses what a lenient server would forgive (a second `Content-Type`, a missing last boundary, an unknown part),
//! because nobody knows which of these the real service forgives.

use std::convert::Infallible;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderMap};
use sha2::{Digest, Sha256};

use super::answer::Refusal;
use super::record::Part;

/// Parts of one body; more are refused.
const PARTS_MAX: usize = 16;
/// Bytes of the `json` part; more are refused.
const JSON_BYTES: usize = 64 * 1024;
/// What is read and thrown away of a body whose request is refused already.
const DRAIN_BYTES: usize = 1024 * 1024 * 1024;

/// Why a body could not be read.
pub(super) enum BodyError {
    /// It is larger than the cap.
    TooLarge,
    /// The client ended or broke the connection.
    Gone,
}

/// Reads a body up to `cap` bytes, or stops early once `enough` bytes are there.
pub(super) async fn read_body(body: &mut Incoming, cap: usize, enough: Option<u64>) -> Result<Bytes, BodyError> {
    let mut bytes = BytesMut::new();
    while enough.is_none_or(|enough| (bytes.len() as u64) < enough) {
        let Some(frame) = body.frame().await else { break };
        let Ok(data) = frame.map_err(|_| BodyError::Gone)?.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > cap {
            return Err(BodyError::TooLarge);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.freeze())
}

/// Reads the rest of a body and forgets it. An answer that is sent before the client has finished sending is easily
/// lost: the connection is reset under it. Servers that want to be understood read on.
pub(super) async fn drain(body: &mut Incoming) {
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > DRAIN_BYTES {
            break;
        }
    }
}

/// What stood in the body, and whether it was in order.
pub(super) struct Upload {
    pub(super) parts: Vec<Part>,
    pub(super) json: Option<String>,
    pub(super) csv: Option<Bytes>,
    pub(super) verdict: Result<(), Refusal>,
}

impl Upload {
    /// Takes the body apart. What could be read before a fault is kept beside the fault.
    pub(super) async fn read(headers: &HeaderMap, body: Bytes) -> Self {
        let mut upload = Self { parts: Vec::new(), json: None, csv: None, verdict: Ok(()) };
        upload.verdict = upload.fill(headers, body).await;
        upload
    }

    async fn fill(&mut self, headers: &HeaderMap, body: Bytes) -> Result<(), Refusal> {
        let boundary = boundary(headers).map_err(|msg| Refusal::Request(400, msg.to_owned()))?;
        let stream = futures_util::stream::once(std::future::ready(Ok::<_, Infallible>(body)));
        let mut multipart = multer::Multipart::new(stream, boundary);
        let broken = |error: multer::Error| Refusal::Request(400, format!("the multipart body is broken: {error}"));
        let mut verdict = Ok(());
        while let Some(field) = multipart.next_field().await.map_err(broken)? {
            if self.parts.len() >= PARTS_MAX {
                return Err(Refusal::Request(400, format!("more than {PARTS_MAX} parts")));
            }
            let name = field.name().unwrap_or_default().to_owned();
            let filename = field.file_name().map(str::to_owned);
            let content_type =
                field.headers().get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
            let bytes = field.bytes().await.map_err(broken)?;
            let repeated = self.parts.iter().any(|part| part.name == shortened(&name));
            self.parts.push(Part {
                name: shortened(&name),
                filename: filename.as_deref().map(shortened),
                content_type: content_type.as_deref().map(shortened),
                bytes: bytes.len() as u64,
                sha256: String::new(),
            });
            let seen = match (name.as_str(), filename) {
                _ if repeated => Err(Refusal::one(name, "", "the part stands in the body twice")),
                // As the sister API does: with a filename, the part is taken for a file, and the field is empty.
                ("json", Some(_)) => {
                    self.json = Some(String::new());
                    Ok(())
                }
                ("json", None) if bytes.len() > JSON_BYTES => {
                    Err(Refusal::one("json", "", format!("the part has more than {JSON_BYTES} bytes")))
                }
                ("json", None) => match String::from_utf8(bytes.into()) {
                    Ok(text) => {
                        self.json = Some(text);
                        Ok(())
                    }
                    Err(_) => Err(Refusal::one("json", "", "the part is not UTF-8")),
                },
                ("uploadFile", Some(filename)) if !filename.is_empty() => {
                    self.csv = Some(bytes);
                    Ok(())
                }
                ("uploadFile", _) => Err(Refusal::one("uploadFile", "", "the part must have a filename")),
                _ => Err(Refusal::one(name, "", "no such part: json and uploadFile are taken")),
            };
            verdict = verdict.and(seen);
        }
        verdict?;
        if self.json.is_none() {
            return Err(Refusal::one("json", "", "the part is missing"));
        }
        if self.csv.is_none() {
            return Err(Refusal::one("uploadFile", "", "the part is missing"));
        }
        Ok(())
    }

    /// Writes the hash of each part's bytes. Takes milliseconds a megabyte: for a blocking thread.
    pub(super) fn hash(&mut self) {
        for part in &mut self.parts {
            let bytes = match part.name.as_str() {
                "json" => self.json.as_deref().map(str::as_bytes),
                "uploadFile" => self.csv.as_deref(),
                _ => None,
            };
            if let Some(bytes) = bytes.filter(|bytes| bytes.len() as u64 == part.bytes) {
                part.sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            }
        }
    }
}

/// Names are kept, so they are kept short.
fn shortened(name: &str) -> String {
    name.chars().take(200).collect()
}

/// The boundary of the one `Content-Type`, by the grammar of RFC 2046.
fn boundary(headers: &HeaderMap) -> Result<String, &'static str> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let value = values.next().ok_or("no Content-Type")?;
    if values.next().is_some() {
        return Err("more than one Content-Type");
    }
    let value = value.to_str().map_err(|_| "the Content-Type is not ASCII")?;
    let mut pieces = value.split(';');
    if !pieces.next().unwrap_or_default().trim().eq_ignore_ascii_case("multipart/form-data") {
        return Err("the Content-Type is not multipart/form-data");
    }
    let boundary = pieces
        .filter_map(|piece| piece.trim().split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("boundary"))
        .map(|(_, value)| value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value))
        .ok_or("the Content-Type has no boundary")?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    if boundary.is_empty() || boundary.len() > 70 || boundary.ends_with(' ') || !boundary.bytes().all(allowed) {
        return Err("the boundary is not one (1 to 70 characters of RFC 2046's list)");
    }
    Ok(boundary.to_owned())
}
