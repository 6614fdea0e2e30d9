//! A pretend 楽楽精算 and mailbox.
//!
//! [`Sandbox`] plays the CSV import API over real sockets: it enforces what RAKUS's help page says (token, parts,
//! parameters, Shift_JIS, 5 MB, 50,000 lines, 20 requests a minute) and the strictest reading of what it does not say,
//! keeps what it imports in memory, and can be told to misbehave ([`Misbehaviour`]). [`mailbox::Mailbox`] catches mail.
//! The status of an import is played too, by our own design (`status_polls` in [`SandboxOptions`]). A separate process is steered through the control door ([`door`]).
//!
//! **What it is not.** The answer's JSON is an assumption, and each answer says so. It imports nothing of this crate, so
//! it cannot share our mistakes: it has its own multipart, CSV and Shift_JIS reading, its own counting of lines and of
//! requests, and reads time only for its windows and delays.
//!
//! Choices where the help page is silent, all on the strict side: a line is a physical line, and the header counts; a
//! number may also be a string of digits; a 1 where a parameter has no effect is an error; unknown parts and parameters
//! are errors; a file is taken in as a whole or not at all; requests with a wrong token count against the limit,
//! throttled ones do not; a refused upload is read to its end before it is answered; a password mail goes to whoever is written, each time.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

mod answer;
pub mod door;
mod entry;
pub mod mailbox;
mod master;
mod misbehaviour;
mod options;
mod params;
mod record;
mod reply;
mod server;
mod sheet;
mod status;
mod upload;
mod visit;
mod wire;

pub use master::Master;
pub use misbehaviour::{Misbehaviour, Plan};
pub use options::{Limits, SandboxOptions};
pub use record::{Answer, Part, Received};

/// The account of [`Sandbox::url`] where the options name none.
const DEFAULT_ACCOUNT: &str = "acme";

/// A running pretend service. It outlives its port ([`Sandbox::close`], [`Sandbox::reopen`]). Dropping it closes its port and its connections.
pub struct Sandbox {
    address: SocketAddr,
    state: Arc<server::State>,
    task: Port,
}

impl Sandbox {
    /// Opens the port and begins to serve.
    ///
    /// # Errors
    /// The address cannot be listened on, or the folder for received files cannot be written.
    pub async fn start(options: SandboxOptions) -> io::Result<Self> {
        let log = record::Log::open(options.out_dir.as_deref())?;
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(server::State::new(options, log));
        {
            let account = state.options.account.as_deref().unwrap_or(DEFAULT_ACCOUNT);
            let mut inner = state.lock();
            for (id, names) in &state.options.categories {
                inner.masters.add_categories(account, *id, names.iter().cloned());
            }
            for plan in &state.options.misbehave {
                inner.script.add(plan.clone());
            }
        }
        let task = Port::new(tokio::spawn(server::accept(listener, Arc::clone(&state))));
        Ok(Self { address, state, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of the import, e.g. `http://127.0.0.1:40123/acme/api/v1/csvimport`.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of(self.state.options.account.as_deref().unwrap_or(DEFAULT_ACCOUNT))
    }

    /// The URL of the import for another account.
    #[must_use]
    pub fn url_of(&self, account: &str) -> String {
        format!("http://{}/{account}/api/v1/csvimport", self.address)
    }

    /// All requests whose answer is decided, in that order.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.state.log.all()
    }

    /// Waits until `n` requests have been answered (or deliberately not answered), counted from the start.
    ///
    /// # Errors
    /// [`Missed`] when that has not happened within the time.
    pub async fn wait_for(&self, n: u64, within: Duration) -> Result<Vec<Received>, Missed> {
        reach(self.state.log.answers(), n, within).await?;
        Ok(self.received())
    }

    /// Waits until the heads of `n` requests have arrived, counted from the start; they may still be uploading.
    ///
    /// # Errors
    /// [`Missed`] when that has not happened within the time.
    pub async fn wait_arrived(&self, n: u64, within: Duration) -> Result<(), Missed> {
        reach(self.state.log.arrivals(), n, within).await
    }

    /// How many requests have begun to arrive so far.
    #[must_use]
    pub fn arrived(&self) -> u64 {
        *self.state.log.arrivals().borrow()
    }

    /// Plans what to do wrong with the requests that have not arrived yet.
    pub fn misbehave(&self, plan: Plan) {
        self.state.lock().script.add(plan);
    }

    /// Answers the requests that [`Misbehaviour::Hold`] holds at this moment.
    pub fn release(&self) {
        self.state.release.send_modify(|count| *count += 1);
    }

    /// Lets time pass for the windows of the request limit and for [`Received::at`], so that a test need not.
    pub fn forward(&self, by: Duration) {
        self.state.forward(by);
    }

    /// The contents of a master of the account of [`Sandbox::url`]; empty if nothing was imported.
    #[must_use]
    pub fn master(&self, id: u32) -> Master {
        self.master_of(self.state.options.account.as_deref().unwrap_or(DEFAULT_ACCOUNT), id)
    }

    /// The contents of a master of another account.
    #[must_use]
    pub fn master_of(&self, account: &str, id: u32) -> Master {
        self.state.lock().masters.get(account, id)
    }

    /// Closes the port and all connections, but keeps everything in memory: who connects now is refused.
    pub async fn close(&self) {
        self.task.close().await;
    }

    /// Opens the same port again after [`Sandbox::close`].
    ///
    /// # Errors
    /// Somebody else has taken the port meanwhile.
    pub async fn reopen(&self) -> io::Result<()> {
        self.task.close().await;
        let listener = TcpListener::bind(self.address).await?;
        self.task.set(tokio::spawn(server::accept(listener, Arc::clone(&self.state))));
        Ok(())
    }

    /// Closes the port and all connections, and waits until that is done: the port can then be taken again.
    pub async fn shutdown(self) {
        self.task.close().await;
    }
}

/// The task that listens. Dropped, it ends, and its connections with it.
struct Port(Mutex<Option<JoinHandle<()>>>);

impl Port {
    fn new(task: JoinHandle<()>) -> Self {
        Self(Mutex::new(Some(task)))
    }

    fn take(&self) -> Option<JoinHandle<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, task: JoinHandle<()>) {
        let before = self.0.lock().unwrap_or_else(PoisonError::into_inner).replace(task);
        if let Some(before) = before {
            before.abort();
        }
    }

    async fn close(&self) {
        if let Some(task) = self.take() {
            task.abort();
            // The only end that an aborted task can come to.
            let _ = task.await;
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        if let Some(task) = self.take() {
            task.abort();
        }
    }
}

/// What was waited for did not come in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// How many were waited for.
    pub wanted: u64,
    /// How many had come.
    pub seen: u64,
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "waited for {}, but only {} came in time", self.wanted, self.seen)
    }
}

impl std::error::Error for Missed {}

/// Waits until a count is reached.
async fn reach(mut count: watch::Receiver<u64>, wanted: u64, within: Duration) -> Result<(), Missed> {
    let seen = *count.borrow();
    if seen >= wanted {
        return Ok(());
    }
    let reached = tokio::time::timeout(within, count.wait_for(|seen| *seen >= wanted)).await;
    let done = matches!(reached, Ok(Ok(_)));
    drop(reached);
    if done { Ok(()) } else { Err(Missed { wanted, seen: *count.borrow() }) }
}
