//! The server: what all connections share, and one task for each of them.
//!
//! The rules that concern a whole request stand here (which path, which token, how many a minute); its way through
//! them is in `visit`.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::Method;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::answer::{Imported, Refusal};
use super::master::Masters;
use super::misbehaviour::{Fate, Script};
use super::options::SandboxOptions;
use super::params::Params;
use super::record::Log;
use super::sheet::Sheet;
use super::status::Imports;
use super::upload::Upload;
use super::visit;
use super::wire::{Orders, Wire};

/// Connections beyond this many are closed at once.
const CONNECTIONS_MAX: usize = 1_024;
/// Accounts beyond this many are refused, so that their windows and masters stay bounded.
const ACCOUNTS_MAX: usize = 1_000;

/// What all connections share.
pub(super) struct State {
    pub(super) options: SandboxOptions,
    pub(super) log: Log,
    pub(super) release: watch::Sender<u64>,
    started: Instant,
    inner: Mutex<Inner>,
}

/// The two APIs that are played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    /// The CSV import.
    Import,
    /// The status of an import (assumed).
    Status,
}

pub(super) struct Inner {
    pub(super) script: Script,
    pub(super) masters: Masters,
    pub(super) imports: Imports,
    windows: HashMap<String, VecDeque<Instant>>,
    forward: Duration,
}

impl State {
    pub(super) fn new(options: SandboxOptions, log: Log) -> Self {
        let inner = Inner {
            script: Script::default(),
            masters: Masters::default(),
            imports: Imports::default(),
            windows: HashMap::new(),
            forward: Duration::ZERO,
        };
        Self { options, log, release: watch::Sender::new(0), started: Instant::now(), inner: Mutex::new(inner) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the sandbox's own time forward.
    pub(super) fn forward(&self, by: Duration) {
        let mut inner = self.lock();
        inner.forward = inner.forward.saturating_add(by);
    }

    fn now(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.lock().forward).unwrap_or(now)
    }

    /// The sandbox's own time since its start.
    pub(super) fn age(&self) -> Duration {
        self.now().duration_since(self.started)
    }

    /// Takes one of the account's requests a window. A throttled request is not counted.
    pub(super) fn admit(&self, account: &str) -> Result<(), Refusal> {
        let limits = &self.options.limits;
        let now = self.now();
        let mut inner = self.lock();
        if inner.windows.len() >= ACCOUNTS_MAX && !inner.windows.contains_key(account) {
            return Err(Refusal::Request(403, format!("this sandbox keeps at most {ACCOUNTS_MAX} accounts")));
        }
        let window = inner.windows.entry(account.to_owned()).or_default();
        while window.front().is_some_and(|oldest| now.duration_since(*oldest) >= limits.window) {
            window.pop_front();
        }
        if window.len() >= limits.requests {
            let (requests, seconds) = (limits.requests, limits.window.as_secs_f64());
            return Err(Refusal::Request(429, format!("more than {requests} requests in {seconds} s")));
        }
        window.push_back(now);
        Ok(())
    }

    /// The account of a path, and the API that it names.
    pub(super) fn route(&self, method: &Method, path: &str) -> Result<(String, Api), Refusal> {
        let found = path.strip_prefix('/').and_then(|path| path.split_once("/api/v1/csvimport"));
        let (account, api) = match found {
            Some((account, "")) => (Some(account), Api::Import),
            Some((account, "/status")) => (Some(account), Api::Status),
            _ => (None, Api::Import),
        };
        let known = |account: &&str| {
            !account.is_empty()
                && !account.contains('/')
                && self.options.account.as_deref().is_none_or(|only| only == *account)
        };
        let Some(account) = account.filter(known) else {
            return Err(Refusal::Request(404, "no such account or API".to_owned()));
        };
        if method != Method::POST && !(api == Api::Status && method == Method::GET) {
            return Err(Refusal::Request(405, "POST is required".to_owned()));
        }
        Ok((account.to_owned(), api))
    }

    /// Checks and takes in an upload. Blocks: for a blocking thread.
    pub(super) fn import(
        &self,
        account: &str,
        token_ok: bool,
        upload: &Upload,
        fate: Fate,
    ) -> Result<Imported, Refusal> {
        if !token_ok {
            return Err(Refusal::Request(401, "X-RS-apitoken is missing or wrong".to_owned()));
        }
        upload.verdict.clone()?;
        let params = Params::read(upload.json.as_deref().unwrap_or_default())?;
        let limits = &self.options.limits;
        let sheet = Sheet::read(upload.csv.as_deref().unwrap_or_default(), limits.file_bytes, limits.file_lines)?;
        if let Some(columns) = self.options.columns.get(&params.master) {
            let unknown: Vec<String> = sheet.header.iter().filter(|name| !columns.contains(*name)).cloned().collect();
            if !unknown.is_empty() {
                return Err(Refusal::Header(unknown));
            }
        }
        let mut inner = self.lock();
        let imported = inner.masters.import(account, params, sheet, fate)?;
        Ok(inner.imports.add(account, imported, fate.polls.unwrap_or(self.options.status_polls)))
    }
}

/// Accepts connections until the task is aborted; its connections end with it.
pub(super) async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, peer)) if connections.len() < CONNECTIONS_MAX => {
                let _ = stream.set_nodelay(true);
                let (state, orders) = (Arc::clone(&state), Orders::default());
                let wire = TokioIo::new(Wire::new(stream, orders.clone()));
                let service =
                    service_fn(move |request| visit::serve(Arc::clone(&state), orders.clone(), peer, request));
                // How a connection ends is the client's affair, or was our order: nothing to report.
                connections.spawn(async move {
                    let _ = hyper::server::conn::http1::Builder::new().serve_connection(wire, service).await;
                });
            }
            Ok(_) => {}
            // Out of descriptors, or a connection that died in the queue: let others end, then go on.
            Err(error) => {
                tracing::warn!(%error, "the sandbox could not accept a connection");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}
