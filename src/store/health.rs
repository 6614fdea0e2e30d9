//! What `renkei doctor` asks of the database. Nothing here writes.

use super::row::Columns;
use super::{Store, StoreResult, backend, bulk};
use crate::domain::run::RunState;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// Among how many of the newest runs files are looked for.
const NEWEST_RUNS: i64 = 5_000;

/// A run that should have its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunWithFiles {
    /// 実行番号.
    pub id: String,
    /// Where it stands.
    pub state: RunState,
}

/// Mails that wait for a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backlog {
    /// How many.
    pub mails: u64,
    /// When the oldest was written.
    pub oldest: Option<DateTime<Utc>>,
}

/// A request slot that is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenSlot {
    /// Whose.
    pub account: String,
    /// The run that took it.
    pub holder: String,
    /// Where that run stands; `None` when there is none of that number.
    pub state: Option<RunState>,
    /// When its last request was about to be sent.
    pub since: Option<DateTime<Utc>>,
}

impl Store {
    /// What SQLite finds wrong with the file; empty when it is intact. It reads the whole file.
    pub async fn integrity(&self) -> StoreResult<Vec<String>> {
        Ok(backend::integrity(self.reader()).await?)
    }

    /// The schema's version.
    pub async fn schema_version(&self) -> StoreResult<i64> {
        Ok(backend::schema_version(self.reader()).await?)
    }

    /// The newest instant that is written down: a clock that shows less has gone back.
    pub async fn newest_instant(&self) -> StoreResult<Option<DateTime<Utc>>> {
        let mut newest = None;
        for sql in [
            "SELECT CAST(MAX(at) AS BIGINT) AS at FROM settings_versions",
            "SELECT CAST(MAX(cursor_at) AS BIGINT) AS at FROM timers",
            "SELECT CAST(MAX(queued_at) AS BIGINT) AS at FROM (SELECT queued_at FROM runs ORDER BY seq DESC LIMIT 1) AS newest",
        ] {
            newest = sqlx::query(sql).fetch_one(self.reader()).await?.time_or_null("at")?.max(newest);
        }
        Ok(newest)
    }

    /// The mails that wait for a server.
    pub async fn backlog(&self) -> StoreResult<Backlog> {
        let row = sqlx::query(
            "SELECT CAST(COUNT(*) AS BIGINT) AS mails, CAST(MIN(created_at) AS BIGINT) AS oldest FROM outbox \
             WHERE next_at IS NOT NULL",
        )
        .fetch_one(self.reader())
        .await?;
        Ok(Backlog { mails: row.count("mails")?, oldest: row.time_or_null("oldest")? })
    }

    /// The request slots that are taken.
    pub async fn taken_slots(&self) -> StoreResult<Vec<TakenSlot>> {
        let rows = sqlx::query(
            "SELECT s.account, s.taken_by, r.state, (SELECT CAST(MAX(a.intended_at) AS BIGINT) FROM attempts a \
             WHERE a.run_seq = r.seq) AS since FROM request_slots s LEFT JOIN runs r ON r.id = s.taken_by \
             WHERE s.taken_by IS NOT NULL ORDER BY s.account, s.number",
        )
        .fetch_all(self.reader())
        .await?;
        let slot = |row: &sqlx::any::AnyRow| {
            Ok(TakenSlot {
                account: row.text("account")?,
                holder: row.text("taken_by")?,
                state: row.word_or_null("state")?,
                since: row.time_or_null("since")?,
            })
        };
        rows.iter().map(slot).collect()
    }

    /// The newest runs whose files should lie in the spool.
    pub async fn runs_with_files(&self) -> StoreResult<Vec<RunWithFiles>> {
        let rows = sqlx::query(
            "SELECT r.id, r.state FROM runs r WHERE r.files_removed_at IS NULL AND r.exported_at IS NOT NULL \
             AND r.retry_of IS NULL AND r.seq > (SELECT CAST(COALESCE(MAX(seq), 0) AS BIGINT) FROM runs) - $1 \
             AND EXISTS (SELECT 1 FROM batches b WHERE b.run_seq = r.seq) ORDER BY r.seq",
        )
        .bind(NEWEST_RUNS)
        .fetch_all(self.reader())
        .await?;
        rows.iter().map(|row| Ok(RunWithFiles { id: row.text("id")?, state: row.word("state")? })).collect()
    }

    /// Which of these 実行番号 are known.
    pub async fn known_runs(&self, ids: &[String]) -> StoreResult<BTreeSet<String>> {
        let mut known = BTreeSet::new();
        for ids in ids.chunks(bulk::ROWS) {
            let sql = format!("SELECT id FROM runs WHERE id IN ({})", bulk::list(ids.len()));
            // Placeholders only.
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
            for id in ids {
                query = query.bind(id);
            }
            for row in &query.fetch_all(self.reader()).await? {
                known.insert(row.text("id")?);
            }
        }
        Ok(known)
    }
}
