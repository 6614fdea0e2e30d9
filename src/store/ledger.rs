//! The ledger of slots as people read it: 起動予定・結果.

use super::row::Columns;
use super::{Store, StoreResult, millis};
use crate::domain::run::{SkipReason, SlotState};
use chrono::{DateTime, Utc};

/// What became of one slot, or of several that share a fate (起動予定・結果).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// When it was due; the last one where the row stands for several.
    pub scheduled_at: DateTime<Utc>,
    /// The first slot that the row stands for.
    pub first_at: DateTime<Utc>,
    /// How many slots the row stands for.
    pub slots: u64,
    /// What became of it.
    pub state: SlotState,
    /// Why it was skipped.
    pub reason: Option<SkipReason>,
    /// Its run.
    pub run: Option<String>,
}

impl Store {
    /// A timer's ledger between two instants, both included, in order of time.
    pub async fn occurrences(
        &self,
        timer: &str,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> StoreResult<Vec<Occurrence>> {
        let rows = sqlx::query(
            "SELECT o.scheduled_at, o.first_at, o.slots, o.state, o.reason, r.id AS run FROM occurrences o \
             LEFT JOIN runs r ON r.seq = o.run_seq WHERE o.timer_id = $1 AND o.scheduled_at >= $2 AND o.first_at <= $3 \
             ORDER BY o.scheduled_at",
        )
        .bind(timer)
        .bind(millis(from))
        .bind(millis(to))
        .fetch_all(self.reader())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Occurrence {
                    scheduled_at: row.time("scheduled_at")?,
                    first_at: row.time("first_at")?,
                    slots: row.count("slots")?,
                    state: row.word("state")?,
                    reason: row.word_or_null("reason")?,
                    run: row.text_or_null("run")?,
                })
            })
            .collect()
    }
}
