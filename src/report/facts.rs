//! What a report mail is about: plain facts of one run, gathered by the engine. No secret and no record value.

use crate::domain::failure::Failure;
use crate::domain::integration::Kind;
use crate::domain::run::RunState;
use chrono::{DateTime, Utc};

/// The facts of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunFacts {
    /// 実行番号.
    pub run: String,
    /// The menu's name.
    pub menu: String,
    /// The integration's name.
    pub integration: String,
    /// Which service receives.
    pub kind: Kind,
    /// Where the run stands.
    pub state: RunState,
    /// Data rows in the export.
    pub records: u64,
    /// Rows left out by a rule.
    pub skipped_rows: u64,
    /// CSV files, and how many of them were taken.
    pub batches: u32,
    /// See [`Self::batches`].
    pub batches_taken: u32,
    /// Records that were imported, where the receiver was asked what became of them.
    pub imported: Option<u64>,
    /// When it started; when it was queued if it never did.
    pub started: DateTime<Utc>,
    /// When it ended or was held.
    pub finished: DateTime<Utc>,
    /// The slot, for a run of a timer.
    pub scheduled: Option<DateTime<Utc>>,
    /// The timer's name.
    pub timer: Option<String>,
    /// The timer's next slot.
    pub next: Option<DateTime<Utc>>,
    /// 実行者: a person, or who set the timer.
    pub actor: String,
    /// メモ.
    pub memo: Option<String>,
    /// 取得元, as in `employees.csv (updated …)`.
    pub source: Option<String>,
    /// The menu's key headers, for the table of rows.
    pub key: Vec<String>,
    /// The last HTTP status.
    pub http_status: Option<u16>,
    /// Why, where it is not good.
    pub failure: Option<Failure>,
    /// How many failures of the same kind were not told since the last mail.
    pub untold: u32,
    /// Since when there was trouble that is over with this run.
    pub trouble_since: Option<DateTime<Utc>>,
}
