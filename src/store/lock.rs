//! One active daemon per database: a lock of the operating system on a file beside it. The lock ends with the process
//! that holds it, however that process ends; the file only tells who it is.

use super::backend::make_folder_of;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Held as long as it lives.
#[derive(Debug)]
pub struct DatabaseLock {
    _file: File,
}

/// Why the lock was not had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else holds it.
    #[error("another renkei works on {}: {holder}", .path.display())]
    Held {
        /// The database.
        path: PathBuf,
        /// What the holder wrote about itself.
        holder: String,
    },
    /// The lock file cannot be made.
    #[error("{}: the lock file cannot be written: {error}", .path.display())]
    Access {
        /// The lock file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

/// The lock file of a database: beside the file itself, so that a path through a link leads to the same lock.
fn beside(database: &Path) -> PathBuf {
    let mut path = std::fs::canonicalize(database).unwrap_or_else(|_| database.to_owned()).into_os_string();
    path.push(".lock");
    PathBuf::from(path)
}

impl DatabaseLock {
    /// Who holds the lock of a database, as he wrote himself down; `None` when nobody does. It makes no file. For an
    /// instant it tries the lock itself, shared, since that is the only way to ask.
    ///
    /// # Errors
    /// The lock file is there and cannot be read.
    pub fn holder(database: &Path) -> std::io::Result<Option<String>> {
        let mut file = match File::open(beside(database)) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                file.read_to_string(&mut text)?;
                Ok(Some(text.trim().to_owned()))
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Takes the lock of a database, or says who holds it. `holder` is what others will read, as in
    /// `serve, process 4711, since 2026-11-24T06:00:00+09:00`.
    pub fn acquire(database: &Path, holder: &str) -> Result<Self, LockError> {
        let path = beside(database);
        let access = |error| LockError::Access { path: path.clone(), error };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        make_folder_of(&path).map_err(access)?;
        let mut file = options.open(&path).map_err(access)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // What cannot be read is not worth another error: the lock is held either way.
                let _ = file.read_to_string(&mut text);
                let text = text.trim();
                let holder = if text.is_empty() { "it has not said who it is" } else { text }.to_owned();
                return Err(LockError::Held { path: database.to_owned(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(access(error)),
        }
        file.set_len(0).map_err(access)?;
        file.seek(SeekFrom::Start(0)).map_err(access)?;
        file.write_all(holder.as_bytes()).map_err(access)?;
        Ok(Self { _file: file })
    }
}
