//! A mailbox that catches every mail: a small SMTP server (RFC 5321) on a free loopback port.
//!
//! It delivers nothing and encrypts nothing. It is strict where real servers differ (line ends, line length, 8-bit
//! text that was not announced), so that a mail which passes here passes elsewhere, and it can be told to fail.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::misbehaviour::{Plan, Script};
use super::{Missed, Port, reach};

mod mail;
mod smtp;

pub use mail::CaughtMail;

/// Bytes of one message; a larger one gets 552.
const MESSAGE_BYTES: usize = 32 * 1024 * 1024;
/// Bytes of all messages that are kept; the oldest are forgotten first.
const KEPT_BYTES: usize = 256 * 1024 * 1024;
/// Sessions beyond this many are closed at once.
const SESSIONS_MAX: usize = 256;

/// What a mailbox is started with. [`Default`]: a free loopback port, nobody need log in.
#[derive(Clone)]
pub struct MailboxOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// A name and a password that AUTH must give before a mail is taken.
    pub auth: Option<(String, String)>,
}

impl Default for MailboxOptions {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), auth: None }
    }
}

/// One way of failing, for a whole session.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MailTrouble {
    /// The connection is reset before the greeting.
    Refuse,
    /// The connection is taken and nothing is ever said.
    Silent,
    /// This reply instead of the right one, e.g. `451 4.3.0 later` or `550 5.1.1 unknown`.
    Reply {
        /// When.
        at: Stage,
        /// The code and the text, without a line end.
        text: String,
    },
    /// The connection ends after the last line of the message, before the reply to it.
    DropAfterData {
        /// Whether the message was kept all the same; the sender cannot tell.
        kept: bool,
    },
}

impl MailTrouble {
    /// A temporary failure (451) of every recipient.
    #[must_use]
    pub fn temporary() -> Self {
        Self::Reply { at: Stage::Recipient, text: "451 4.3.0 Try again later".to_owned() }
    }

    /// A permanent failure (550) of every recipient.
    #[must_use]
    pub fn permanent() -> Self {
        Self::Reply { at: Stage::Recipient, text: "550 5.1.1 No such user here".to_owned() }
    }
}

/// A moment in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The greeting; the session ends with it.
    Greeting,
    /// The reply to MAIL.
    Sender,
    /// The reply to each RCPT.
    Recipient,
    /// The reply to DATA.
    Data,
    /// The reply to the end of the message.
    EndOfData,
}

/// A running mailbox. Dropping it closes its port and its sessions.
pub struct Mailbox {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: Port,
}

/// What all sessions share.
struct Shared {
    options: MailboxOptions,
    inner: Mutex<Inner>,
    caught: watch::Sender<u64>,
    ended: watch::Sender<u64>,
}

#[derive(Default)]
struct Inner {
    script: Script<MailTrouble>,
    mails: VecDeque<CaughtMail>,
    bytes: usize,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, mail: CaughtMail) {
        {
            let mut inner = self.lock();
            inner.bytes += mail.raw.len();
            inner.mails.push_back(mail);
            while inner.bytes > KEPT_BYTES {
                let Some(oldest) = inner.mails.pop_front() else { break };
                inner.bytes -= oldest.raw.len();
            }
        }
        self.caught.send_modify(|count| *count += 1);
    }
}

impl Mailbox {
    /// Opens the port and begins to catch.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn start(options: MailboxOptions) -> io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            options,
            inner: Mutex::default(),
            caught: watch::Sender::new(0),
            ended: watch::Sender::new(0),
        });
        let task = Port::new(tokio::spawn(accept(listener, Arc::clone(&shared))));
        Ok(Self { address, shared, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The mails caught so far, in order.
    #[must_use]
    pub fn messages(&self) -> Vec<CaughtMail> {
        self.shared.lock().mails.iter().cloned().collect()
    }

    /// Waits until `n` mails were caught, counted from the start.
    ///
    /// # Errors
    /// [`Missed`] when that has not happened within the time.
    pub async fn wait_for(&self, n: u64, within: Duration) -> Result<Vec<CaughtMail>, Missed> {
        reach(self.shared.caught.subscribe(), n, within).await?;
        Ok(self.messages())
    }

    /// How many sessions have ended, well or badly.
    #[must_use]
    pub fn sessions(&self) -> u64 {
        *self.shared.ended.borrow()
    }

    /// Waits until `n` sessions have ended, counted from the start.
    ///
    /// # Errors
    /// [`Missed`] when that has not happened within the time.
    pub async fn wait_sessions(&self, n: u64, within: Duration) -> Result<(), Missed> {
        reach(self.shared.ended.subscribe(), n, within).await
    }

    /// Plans what to do wrong in the sessions that have not begun yet.
    pub fn misbehave(&self, plan: Plan<MailTrouble>) {
        self.shared.lock().script.add(plan);
    }

    /// Closes the port and all sessions, but keeps the mails: who connects now is refused.
    pub async fn close(&self) {
        self.task.close().await;
    }

    /// Opens the same port again after [`Mailbox::close`].
    ///
    /// # Errors
    /// Somebody else has taken the port meanwhile.
    pub async fn reopen(&self) -> io::Result<()> {
        self.task.close().await;
        let listener = TcpListener::bind(self.address).await?;
        self.task.set(tokio::spawn(accept(listener, Arc::clone(&self.shared))));
        Ok(())
    }

    /// Closes the port and all sessions, and waits until that is done.
    pub async fn shutdown(self) {
        self.task.close().await;
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut sessions = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = sessions.join_next() => continue,
        };
        match accepted {
            Ok((stream, _)) if sessions.len() < SESSIONS_MAX => {
                let shared = Arc::clone(&shared);
                sessions.spawn(async move {
                    let trouble = shared.lock().script.next();
                    // A broken connection ends a session; the sender knows best what that means.
                    let _ = smtp::session(stream, &shared, trouble).await;
                    shared.ended.send_modify(|count| *count += 1);
                });
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "the mailbox could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}
