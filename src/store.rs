//! renkei's own tables: the only SQL on them. One file per table family; `backend` holds what SQLite and other
//! databases do not share. A pool never leaves this room, no transaction outlives a function, and every transition is
//! a guarded UPDATE, so that what must never be is refused by the database.
//!
//! Times are UTC in whole milliseconds; JSON is TEXT.

mod backend;
pub mod batches;
mod bulk;
mod calendar;
pub mod confirmations;
pub mod health;
mod leaders;
pub mod ledger;
pub mod life;
mod lock;
pub mod mornings;
pub mod notices;
pub mod outbox;
pub mod pauses;
pub mod people;
pub mod planning;
pub mod queue;
pub mod records;
mod row;
pub mod runs;
pub mod settings;
mod slots;
pub mod stops;
mod troubles;

pub use lock::{DatabaseLock, LockError};

use backend::Transaction;
use chrono::{DateTime, Utc};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Gives access to the database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pools: Arc<backend::Pools>,
    targets: planning::LastTargets,
}

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file was written by a newer renkei; it was not touched.
    #[error("{path}: the database is of version {found}, this renkei knows {known}: install the newer renkei again")]
    Newer {
        /// The database file.
        path: PathBuf,
        /// Its schema's version.
        found: i64,
        /// The newest version that this binary knows.
        known: i64,
    },
    /// The file is there but is no database, or a damaged one; it was not touched.
    #[error("{path}: this is not an intact SQLite database ({detail}): restore it from a backup, or move it away")]
    Corrupt {
        /// The database file.
        path: PathBuf,
        /// What SQLite says.
        detail: String,
    },
    /// The file or its folder cannot be read or written.
    #[error("{path}: {detail}")]
    Access {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong and how to mend it.
        detail: String,
    },
    /// Somebody else changed it first, or it is not in a state that allows this.
    #[error("{0}")]
    Conflict(String),
    /// There is nothing of that name or number.
    #[error("{0}")]
    NotFound(String),
    /// What stands in the database cannot be understood.
    #[error("the database holds what this version does not understand: {0}")]
    Content(String),
    /// The database itself failed: locked, full, an I/O error; with what can be done about it.
    #[error("database: {}{error}", advice.map(|advice| format!("{advice}: ")).unwrap_or_default())]
    Database {
        /// What can be done about it, where that is known.
        advice: Option<&'static str>,
        /// What the database says.
        error: sqlx::Error,
    },
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database { advice: backend::trouble(&error).map(backend::Trouble::advice), error }
    }
}

impl StoreError {
    /// Whether the database itself could not do it just now (locked, full, unreachable, an I/O error), so that the same
    /// may succeed later. What was asked for was not done.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Database { error, .. } => backend::is_passing(error),
            _ => false,
        }
    }

    /// Whether another program keeps the database locked.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Database { error, .. } if backend::trouble(error) == Some(backend::Trouble::Locked))
    }

    fn content(error: impl std::fmt::Display) -> Self {
        Self::Content(error.to_string())
    }
}

/// What a store function gives.
pub type StoreResult<T> = Result<T, StoreError>;

impl Store {
    /// Opens the database file for reading and writing, makes it where it is not there, and brings its schema up to
    /// date. The caller holds the [`DatabaseLock`] or is a short command; schema changes happen in one write
    /// transaction, so that several may open a new file at once.
    ///
    /// # Errors
    /// A file of a newer version, a damaged one, or one that cannot be written is an error and stays untouched.
    pub async fn open(path: &Path) -> StoreResult<Self> {
        Self::open_patient(path, backend::PATIENCE).await
    }

    /// The same with a patience of one's own towards another process that has the database locked.
    pub async fn open_patient(path: &Path, patience: Duration) -> StoreResult<Self> {
        Ok(Self::over(backend::open(path, patience).await?))
    }

    /// Opens the database for reading alone: for commands that only show. It makes no file and changes no schema, and
    /// whatever would write fails.
    ///
    /// # Errors
    /// As [`Self::open`], and a file that is not there or whose schema is older than this binary's.
    pub async fn open_read_only(path: &Path) -> StoreResult<Self> {
        Ok(Self::over(backend::open_read_only(path).await?))
    }

    fn over(pools: backend::Pools) -> Self {
        Self { pools: Arc::new(pools), targets: planning::LastTargets::default() }
    }

    /// Closes the connections; waits for statements that still run.
    pub async fn close(&self) {
        self.pools.close().await;
    }

    /// Writes SQLite's journal back into its database: a chore, so that no commit has to do it while a slot waits.
    pub async fn write_back(&self) -> StoreResult<()> {
        Ok(self.pools.write_back().await?)
    }

    async fn write(&self) -> StoreResult<Transaction> {
        Ok(self.pools.write().await?)
    }

    fn reader(&self) -> &sqlx::AnyPool {
        self.pools.reader()
    }
}

fn millis(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis()
}
