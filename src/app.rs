//! The one place where everything is put together; main, tests and demo share it. It decides nothing: it opens the
//! store, hands out what the loops share, and holds the database lock as long as the daemon lives.

pub mod data_folder;
pub mod doctor;
pub mod log;
pub mod supervisor;

use crate::clock::Clock;
use crate::config::Config;
use crate::engine::{Bells, Board, Daemon, Engine, StartError};
use crate::notify::Herald;
use crate::report::{Postman, PostmanError};
use crate::settings::secrets::{Resolver, SecretError};
use crate::store::{DatabaseLock, LockError, Store, StoreError};
use data_folder::{DataFolderError, Visitor};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How often, and how far apart, a lock is looked at again that others hold.
const LOOKS: u32 = 10;
const LOOK: Duration = Duration::from_millis(50);

/// The house with its doors open: configuration, clock, store and secrets.
#[derive(Clone)]
pub struct App {
    /// What belongs to the machine.
    pub config: Arc<Config>,
    /// The clock.
    pub clock: Clock,
    /// renkei's own tables.
    pub store: Store,
    /// Reads secret references.
    pub secrets: Resolver,
}

/// Why the house could not be opened or the daemon not be started.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The data folder.
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The mail password.
    #[error("mail.password: {0}")]
    Secret(#[from] SecretError),
    /// The mail settings.
    #[error(transparent)]
    Postman(#[from] PostmanError),
    /// The loops.
    #[error(transparent)]
    Start(#[from] StartError),
    /// There are files of runs, and no history of them.
    #[error(
        "{0}: there is no history in it, but files of runs lie in {1}: restore the database from a backup, or move those away \
         to begin anew"
    )]
    Lost(PathBuf, PathBuf),
}

/// A database that is missing or empty beside files of runs was lost: begun anew, its runs would have the numbers of
/// those, and write over what was sent.
fn not_lost(config: &Config) -> Result<(), AppError> {
    if std::fs::metadata(&config.database).is_ok_and(|file| file.len() > 0) {
        return Ok(());
    }
    let Ok(mut folders) = std::fs::read_dir(config.spool()) else { return Ok(()) };
    let of_a_run = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with("R-");
    if folders.any(|folder| folder.is_ok_and(|folder| of_a_run(&folder.file_name()))) {
        return Err(AppError::Lost(config.database.clone(), config.spool()));
    }
    Ok(())
}

impl App {
    /// Opens the store of a configuration.
    pub async fn open(config: Config, clock: Clock) -> Result<Self, AppError> {
        data_folder::admit(&config.data_dir, Visitor::Command)?;
        not_lost(&config)?;
        let store = Store::open(&config.database).await?;
        let secrets = Resolver::new(config.key_file());
        Ok(Self { config: Arc::new(config), clock, store, secrets })
    }

    /// Takes the database lock of a configuration, or says who holds it. It comes before [`Self::open`] where a daemon
    /// starts.
    pub fn lock_of(config: &Config, clock: &Clock, command: &str) -> Result<DatabaseLock, LockError> {
        let since = clock.now().with_timezone(&config.timezone).to_rfc3339();
        let holder = format!("{command}, process {}, since {since}", std::process::id());
        DatabaseLock::acquire(&config.database, &holder)
    }

    /// The same, but looks again for a moment: a short command may hold the lock just to learn whether a daemon runs.
    pub async fn lock_soon(config: &Config, clock: &Clock, command: &str) -> Result<DatabaseLock, LockError> {
        for _ in 0..LOOKS {
            match Self::lock_of(config, clock, command) {
                Err(held @ LockError::Held { .. }) => tracing::debug!(%held, "looking again in a moment"),
                other => return other,
            }
            clock.sleep(LOOK).await;
        }
        Self::lock_of(config, clock, command)
    }

    /// What the loops share.
    pub fn engine(&self) -> Result<Engine, AppError> {
        Ok(Engine {
            store: self.store.clone(),
            clock: self.clock.clone(),
            config: self.config.clone(),
            secrets: self.secrets.clone(),
            postman: self.postman()?,
            herald: Herald::new(self.config.notify.clone(), self.secrets.clone()),
            bells: Arc::new(Bells::default()),
            board: Arc::new(Board::new(self.clock.now())),
        })
    }

    /// Who delivers mail; `None` where config.yaml names no server.
    pub fn postman(&self) -> Result<Option<Postman>, AppError> {
        let Some(mail) = &self.config.mail else { return Ok(None) };
        let password = mail.password.as_ref().map(|password| self.secrets.resolve(password)).transpose()?;
        Ok(Some(Postman::hire(mail, password.as_ref())?))
    }

    /// Starts the daemon; the caller holds the database lock.
    pub async fn serve(&self) -> Result<Daemon, AppError> {
        Ok(Daemon::start(self.engine()?).await?)
    }
}
