//! The data folder, looked at before anything is written into it: records, key and database in it are for its owner
//! alone. A folder that is not there yet is made by whoever writes first, for its owner alone.

use std::path::{Path, PathBuf};

/// Why nothing is written into the data folder.
#[derive(Debug, thiserror::Error)]
pub enum DataFolderError {
    /// Others may look into it.
    #[error(
        "the data folder {path} is open to others (mode {mode:03o}), and records and keys lie in it: chmod 700 {path}",
        path = .path.display()
    )]
    Open {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It belongs to another user.
    #[error(
        "the data folder {path} belongs to user number {owner}, and this is user number {user}: run renkei as its owner, \
         or name another data_dir in config.yaml",
        path = .path.display()
    )]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who asks.
        user: u32,
    },
}

/// Who comes to the data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visitor {
    /// A command: root may look into the folder of the daemon's user.
    Command,
    /// The daemon: its files must be its owner's, so that root does not leave some that the owner cannot read.
    Daemon,
}

/// Looks at the folder; writes nothing. A folder that is not there, or no folder, is left to the database to tell.
///
/// # Errors
/// It belongs to somebody else, or others may look into it.
#[cfg(unix)]
pub fn admit(folder: &Path, visitor: Visitor) -> Result<(), DataFolderError> {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(about) = std::fs::metadata(folder) else { return Ok(()) };
    if !about.is_dir() {
        return Ok(());
    }
    let (path, owner, user) = (folder.to_owned(), about.uid(), rustix::process::geteuid().as_raw());
    let is_root_looking = user == 0 && visitor == Visitor::Command;
    if owner != user && !is_root_looking {
        return Err(DataFolderError::Foreign { path, owner, user });
    }
    let mode = about.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(DataFolderError::Open { path, mode });
    }
    Ok(())
}

/// Looks at the folder; what other systems allow is not known here.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn admit(_: &Path, _: Visitor) -> Result<(), DataFolderError> {
    Ok(())
}
