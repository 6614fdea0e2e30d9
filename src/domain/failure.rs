//! What can go wrong with a run, by name. Each failure has one stable [`Code`], the same in log, mail, history and
//! console; its explanation for people stands in `messages`. A code, once released, is never renamed.

pub use super::row_fault::{BadLetter, LetterKind, RowFault, RowReason};

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// The stable name of a failure, as in `SOURCE-MISSING`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Code {
            $($(#[doc = $doc])+ #[serde(rename = $text)] $name,)+
        }

        impl Code {
            /// Every code, in the order of a run's life.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable text.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// What the code means, for the documentation's table (English).
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+)),+ }
            }
        }
    };
}

codes! {
    /// The settings that the run needs are gone or no longer valid.
    SettingsInvalid = "SETTINGS-INVALID",
    /// A secret reference could not be resolved by the process that runs.
    SecretMissing = "SECRET-MISSING",
    /// The source's file, or any file of its pattern, is not there.
    SourceMissing = "SOURCE-MISSING",
    /// The source cannot be read: permissions, a directory, an I/O error, gone while reading.
    SourceUnreadable = "SOURCE-UNREADABLE",
    /// The source is older than `max_age` allows, or its completion file is missing.
    SourceStale = "SOURCE-STALE",
    /// The source is still being written.
    SourceGrowing = "SOURCE-GROWING",
    /// The source's bytes are not text in the given or any detectable charset.
    SourceCharset = "SOURCE-CHARSET",
    /// The source is not the table that it should be: ragged rows, NULs, an unclosed quote, a line without end.
    SourceMalformed = "SOURCE-MALFORMED",
    /// The source has more rows than `most_rows` allows, or unpacks to more than a list is.
    SourceTooLarge = "SOURCE-TOO-LARGE",
    /// The menu's records were never imported.
    SourceNeverImported = "SOURCE-NEVER-IMPORTED",
    /// A column that the menu needs is not in the source.
    MissingColumn = "CHECK-MISSING-COLUMN",
    /// The export has no data rows.
    Empty = "CHECK-EMPTY",
    /// Two rows have the same key.
    DuplicateKeys = "CHECK-DUPLICATE-KEY",
    /// A key that was asked for is not in the source.
    KeyNotFound = "CHECK-KEY-NOT-FOUND",
    /// A character cannot be written in the CSV's charset.
    Unmappable = "ROW-UNMAPPABLE",
    /// A row breaks a rule of its column: required, too long, not a date.
    RowRule = "ROW-RULE",
    /// One record alone is larger than a file may be.
    RowTooLarge = "ROW-TOO-LARGE",
    /// The spool's disk is full or cannot be written.
    SpoolUnwritable = "SPOOL-UNWRITABLE",
    /// A stored file is gone or no longer has the bytes that were written.
    SpoolDamaged = "SPOOL-DAMAGED",
    /// The API refused the file with its own error.
    Rejected = "PUSH-REJECTED",
    /// The API refused the token (401, or 403 as JSON).
    DeniedToken = "PUSH-DENIED-TOKEN",
    /// A 403 as HTML: a proxy or an IP restriction stands in the way.
    DeniedRoute = "PUSH-DENIED-ROUTE",
    /// The service was under maintenance until the retries were over.
    Maintenance = "PUSH-MAINTENANCE",
    /// The service asked to slow down until the retries were over.
    Throttled = "PUSH-THROTTLED",
    /// The service could not be reached until the retries were over; no byte was sent.
    Unreachable = "PUSH-UNREACHABLE",
    /// Bytes were sent and no readable answer came: whether they were taken is not known.
    Unknown = "PUSH-UNKNOWN",
    /// The receiver took the file, and refused all or a part of it when it imported it.
    ImportRefused = "IMPORT-REFUSED",
    /// The receiver took the file, and refused rows of it when it imported them.
    RowRefused = "ROW-REFUSED",
    /// The receiver took the file, and did not say before the limit whether it was imported.
    ConfirmLimit = "CONFIRM-LIMIT",
    /// The receiver took the file, and its status API refuses to be asked (401, 403, 407).
    ConfirmDenied = "CONFIRM-DENIED",
    /// The receiver took the file, and its answer named no import that could be asked after.
    ConfirmUnnamed = "CONFIRM-UNNAMED",
    /// Newer data was sent meanwhile; older bytes do not overtake it without `--force`.
    Overtaken = "RUN-OVERTAKEN",
    /// A person cancelled the run.
    Cancelled = "RUN-CANCELLED",
    /// A person refused the held run.
    Refused = "RUN-REFUSED",
    /// Another run of the same menu and integration was still open.
    Overlap = "RUN-OVERLAP",
    /// A timer that this one follows did not end well.
    Leader = "RUN-LEADER",
    /// The run could not start before its `start_by`.
    TooLate = "RUN-TOO-LATE",
    /// The run took longer than its `time_limit`.
    TimeLimit = "RUN-TIME-LIMIT",
    /// The daemon ended in the middle of a request; the bytes may have arrived.
    Interrupted = "RUN-INTERRUPTED",
    /// A defect of renkei itself.
    Internal = "RUN-INTERNAL",
}

impl fmt::Display for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl std::str::FromStr for Code {
    type Err = UnknownCode;
    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text).ok_or_else(|| UnknownCode(text.to_owned()))
    }
}

/// A code that this version does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown failure code {0:?}")]
pub struct UnknownCode(pub String);

/// A failure with the sentence that belongs to this one case (English; keys, columns and places, never a record's
/// other values).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Failure {
    /// Which kind of failure.
    pub code: Code,
    /// What, where and how to mend it.
    pub message: String,
    /// The rows it is about, for the mail's table; bounded, see [`Failure::MOST_ROWS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<RowFault>,
    /// How many rows it is about in all, listed or not.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rows_total: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Failure {
    /// The most rows that a failure lists; the rest is counted.
    pub const MOST_ROWS: usize = 100;

    /// A failure about no row in particular.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), rows: Vec::new(), rows_total: 0 }
    }

    /// The rows that it is about; only the first [`Self::MOST_ROWS`] are kept.
    #[must_use]
    pub fn with_rows(mut self, mut rows: Vec<RowFault>, total: u64) -> Self {
        rows.truncate(Self::MOST_ROWS);
        self.rows = rows;
        self.rows_total = total;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_read_back_from_its_text() {
        for &code in Code::ALL {
            assert_eq!(code.as_str().parse::<Code>(), Ok(code));
            assert_eq!(serde_json::to_string(&code).unwrap(), format!("\"{code}\""));
            assert!(!code.meaning().trim().is_empty());
        }
    }
}
