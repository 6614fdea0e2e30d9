//! What can be wrong with a source, said so that a person can mend it: the path, the line, what was found, what to do.
//! Never a record's value: a column's name and a place are enough to find it.

use super::locate::{NotReady, Why};
use crate::domain::failure::{Code, Failure};
use crate::store::StoreError;
use std::fmt;
use std::path::{Path, PathBuf};

/// Why a source cannot be read, or not to its end. Any of these ends the export: a source error is never an empty
/// source.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// There is no file that may be read; waiting may help, see [`NotReady::may_come`].
    #[error(transparent)]
    NotReady(#[from] NotReady),
    /// The file was written, replaced, cut or removed while it was being read.
    #[error(
        "{path}: {what} while it was being read: let its writer finish first (write under another name and rename, or \
         use a completion file), then run again",
        path = path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// What happened to it, as in `it was replaced`.
        what: String,
    },
    /// The operating system refused.
    #[error("{path}: cannot be read: {error}{hint}", path = path.display(), hint = hint(error))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        error: std::io::Error,
    },
    /// The bytes are not text in the charset that was set or found, or the charset is not certain.
    #[error("{path}{place}: {what}: {mend}", path = path.display())]
    Charset {
        /// The file.
        path: PathBuf,
        /// Where, if it is about one place.
        place: Place,
        /// What was found.
        what: String,
        /// What to do.
        mend: String,
    },
    /// The text is not the table that it should be.
    #[error("{path}{place}: {what}: {mend}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where, if it is about one place.
        place: Place,
        /// What was found.
        what: String,
        /// What to do.
        mend: String,
    },
    /// There is more of it than a list may have.
    #[error("{of}: {what}: {mend}")]
    TooLarge {
        /// The file, or whose records they are.
        of: String,
        /// What was found.
        what: String,
        /// What to do.
        mend: String,
    },
    /// Nothing was ever imported for a `records` menu.
    #[error("the records of menu {menu} were never imported: run `renkei records import {menu} FILE` first")]
    NeverImported {
        /// The menu's name.
        menu: String,
    },
    /// The settings of the source cannot be followed.
    #[error("{what}: {mend}")]
    Settings {
        /// What is wrong.
        what: String,
        /// What to do.
        mend: String,
    },
    /// The records were replaced, and their old state removed, while they were being read.
    #[error("the records of menu {menu} were replaced while they were being read: run again")]
    Replaced {
        /// The menu's name.
        menu: String,
    },
    /// The records could not be read from renkei's own database.
    #[error("the records cannot be read from or written to renkei's database: {0}")]
    Store(#[from] StoreError),
    /// The reading was ended from within: a defect, or the daemon is going down.
    #[error("the source's reading was ended before it was done")]
    Ended,
}

fn hint(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            ": give the user that renkei runs as the right to read it (and to enter its folder)"
        }
        std::io::ErrorKind::IsADirectory => ": it is a folder; name a file in it, or a pattern such as folder/*.csv",
        _ => "",
    }
}

impl SourceError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NotReady(reason) => match reason.why {
                Why::Missing => Code::SourceMissing,
                Why::TooOld | Why::NoCompletion => Code::SourceStale,
                Why::Growing => Code::SourceGrowing,
                Why::Unreadable => Code::SourceUnreadable,
            },
            Self::Changed { .. } | Self::Replaced { .. } => Code::SourceGrowing,
            Self::Unreadable { .. } => Code::SourceUnreadable,
            Self::Charset { .. } => Code::SourceCharset,
            Self::Malformed { .. } => Code::SourceMalformed,
            Self::TooLarge { .. } => Code::SourceTooLarge,
            Self::NeverImported { .. } => Code::SourceNeverImported,
            Self::Settings { .. } => Code::SettingsInvalid,
            Self::Store(_) | Self::Ended => Code::Internal,
        }
    }

    /// The same as a run's failure.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure::new(self.code(), self.to_string())
    }

    pub(super) fn unreadable(path: &Path, error: std::io::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), error }
    }

    pub(super) fn malformed(path: &Path, place: Place, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::Malformed { path: path.to_owned(), place, what: what.into(), mend: mend.into() }
    }

    pub(super) fn charset(path: &Path, place: Place, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::Charset { path: path.to_owned(), place, what: what.into(), mend: mend.into() }
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        error.failure()
    }
}

impl From<&SourceError> for Failure {
    fn from(error: &SourceError) -> Self {
        error.failure()
    }
}

/// A place in a file, as it is written after the path: nothing, a line, or a line and a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// The line from 1.
    pub line: Option<u64>,
    /// The byte's offset in the file from 0.
    pub byte: Option<u64>,
}

impl Place {
    /// The file as a whole.
    pub const WHOLE: Self = Self { line: None, byte: None };

    /// A line.
    #[must_use]
    pub fn line(line: u64) -> Self {
        Self { line: Some(line), byte: None }
    }

    /// A byte in a line.
    #[must_use]
    pub fn byte(line: u64, byte: u64) -> Self {
        Self { line: Some(line), byte: Some(byte) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(out, ", line {line}")?;
        }
        if let Some(byte) = self.byte {
            write!(out, " (byte {byte} of the file, counted from 0)")?;
        }
        Ok(())
    }
}
