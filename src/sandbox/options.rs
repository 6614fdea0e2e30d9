//! How a sandbox is set up.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::misbehaviour::Plan;

/// What a sandbox is started with. [`Default`]: a free loopback port, token `sandbox`, the documented limits.
#[derive(Clone)]
pub struct SandboxOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The value that `X-RS-apitoken` must have.
    pub token: String,
    /// The one account (first segment of the path) that exists; `None` lets every name be an account of its own.
    pub account: Option<String>,
    /// A folder for every received CSV (`000001-master0.csv`) and the log `requests.jsonl`. It is created.
    pub out_dir: Option<PathBuf>,
    /// The limits.
    pub limits: Limits,
    /// Whether a request without `Content-Length` gets 411. The real service's behaviour is not known.
    pub require_content_length: bool,
    /// The column names that a master knows; others get an error. A master that is not listed takes any columns.
    pub columns: BTreeMap<u32, Vec<String>>,
    /// The categories that exist from the start, by master (of the account of [`Sandbox::url`](super::Sandbox::url)).
    pub categories: BTreeMap<u32, Vec<String>>,
    /// How often the status of an import reads `processing` before it reads `completed`: 0.
    pub status_polls: usize,
    /// What to do wrong from the start.
    pub misbehave: Vec<Plan>,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            token: "sandbox".to_owned(),
            account: None,
            out_dir: None,
            limits: Limits::default(),
            require_content_length: true,
            columns: BTreeMap::new(),
            categories: BTreeMap::new(),
            status_polls: 0,
            misbehave: Vec::new(),
        }
    }
}

/// The limits that are enforced. [`Default`]: the documented ones (RAKUS help page).
#[derive(Debug, Clone)]
pub struct Limits {
    /// Requests that an account may make in any `window`: 20.
    pub requests: usize,
    /// The length of the window: 60 seconds.
    pub window: Duration,
    /// The text of `Retry-After` on a 429 for too many requests; `None` leaves the header out.
    pub retry_after: Option<String>,
    /// Bytes of one file: 5,000,000.
    pub file_bytes: u64,
    /// Physical lines of one file, the header counted: 50,000.
    pub file_lines: u64,
    /// Bytes of one request's body; more get 413. Ours, so that a request cannot fill the memory: 64 MiB.
    pub body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests: 20,
            window: Duration::from_secs(60),
            retry_after: None,
            file_bytes: 5_000_000,
            file_lines: 50_000,
            body_bytes: 64 * 1024 * 1024,
        }
    }
}
