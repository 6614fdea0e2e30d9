//! The ledger of slots as people read it: 起動予定・結果, and as the reconciler holds it against the schedules (`books`).

mod books;

pub use crate::domain::statement::Occurrence;

use super::row::Columns;
use super::{Store, StoreResult, millis};
use chrono::{DateTime, Utc};
use sqlx::any::AnyRow;

/// The columns of a row of the ledger with its run; `o` and `r` are the tables.
const COLUMNS: &str = "o.timer_id, o.scheduled_at, o.first_at, o.slots, o.state, o.reason, r.id AS run, \
                       r.state AS run_state, r.started_at";

fn read(row: &AnyRow) -> StoreResult<Occurrence> {
    Ok(Occurrence {
        scheduled_at: row.time("scheduled_at")?,
        first_at: row.time("first_at")?,
        slots: row.count("slots")?,
        state: row.word("state")?,
        reason: row.word_or_null("reason")?,
        run: row.text_or_null("run")?,
        run_state: row.word_or_null("run_state")?,
        started_at: row.time_or_null("started_at")?,
    })
}

impl Store {
    /// A timer's ledger between two instants, both included, in order of time.
    pub async fn occurrences(
        &self,
        timer: &str,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> StoreResult<Vec<Occurrence>> {
        let sql = sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM occurrences o LEFT JOIN runs r ON r.seq = o.run_seq \
             WHERE o.timer_id = $1 AND o.scheduled_at >= $2 AND o.first_at <= $3 ORDER BY o.scheduled_at"
        ));
        let rows = sqlx::query(sql).bind(timer).bind(millis(from)).bind(millis(to)).fetch_all(self.reader()).await?;
        rows.iter().map(read).collect()
    }
}
