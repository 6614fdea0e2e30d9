//! Batches and the requests for them. The intent is committed before a byte is sent; what came of it, after.

use super::row::Columns;
use super::{Store, StoreError, StoreResult, millis, runs};
use crate::domain::run::BatchState;
use crate::domain::verdict::Verdict;
use chrono::{DateTime, Utc};
use sqlx::AnyPool;

/// 連携データ(CSV) 1/3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// From 1.
    pub number: u32,
    /// The file's name in the run's folder.
    pub file: String,
    /// Data rows.
    pub records: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// In lower-case hexadecimal.
    pub sha256: String,
    /// Where it stands.
    pub state: BatchState,
}

/// A batch that was written to the spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBatch {
    /// The file's name in the run's folder.
    pub file: String,
    /// Data rows.
    pub records: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// In lower-case hexadecimal.
    pub sha256: String,
    /// Ready, or for a retry what an earlier run has achieved already.
    pub state: BatchState,
}

/// One request for a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The batch's number.
    pub batch: u32,
    /// From 1, for each batch.
    pub number: u32,
    /// When the intent was committed.
    pub intended_at: DateTime<Utc>,
    /// When the verdict was known.
    pub concluded_at: Option<DateTime<Utc>>,
    /// What came of it.
    pub verdict: Option<Verdict>,
    /// The HTTP status, if there was an answer.
    pub http_status: Option<u16>,
    /// The answer's body: bounded, secrets masked.
    pub answer: Option<String>,
    /// Why, in one line of English.
    pub note: Option<String>,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conclusion {
    /// The verdict.
    pub verdict: Verdict,
    /// The HTTP status, if there was an answer.
    pub http_status: Option<u16>,
    /// The answer's body: bounded, secrets masked.
    pub answer: Option<String>,
    /// Why, in one line of English.
    pub note: String,
}

/// A finished export.
#[derive(Debug, Clone, PartialEq)]
pub struct NewExport {
    /// The files.
    pub batches: Vec<NewBatch>,
    /// Data rows.
    pub records: u64,
    /// Rows that a rule left out.
    pub skipped_rows: u64,
    /// About those rows.
    pub warning: Option<crate::domain::failure::Failure>,
    /// The checks that tripped and that nobody has approved.
    pub tripped: Vec<crate::domain::failure::Failure>,
    /// What was read, for people.
    pub source: Option<String>,
    /// The number of the export whose files are taken over; `None` for a new one.
    pub adopted: Option<i64>,
}

pub(super) async fn attempts(pool: &AnyPool, seq: i64) -> StoreResult<Vec<Attempt>> {
    let rows = sqlx::query(
        "SELECT batch, number, intended_at, concluded_at, verdict, http_status, answer, note FROM attempts \
         WHERE run_seq = $1 ORDER BY batch, number",
    )
    .bind(seq)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Attempt {
                batch: row.small("batch")?,
                number: row.small("number")?,
                intended_at: row.time("intended_at")?,
                concluded_at: row.time_or_null("concluded_at")?,
                verdict: row.word_or_null("verdict")?,
                http_status: row.number_or_null("http_status")?.and_then(|status| u16::try_from(status).ok()),
                answer: row.text_or_null("answer")?,
                note: row.text_or_null("note")?,
            })
        })
        .collect()
}

impl Store {
    /// A run's batches in order.
    pub async fn batches(&self, seq: i64) -> StoreResult<Vec<Batch>> {
        let rows = sqlx::query(
            "SELECT number, file, records, bytes, sha256, state FROM batches WHERE run_seq = $1 ORDER BY number",
        )
        .bind(seq)
        .fetch_all(self.reader())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Batch {
                    number: row.small("number")?,
                    file: row.text("file")?,
                    records: row.count("records")?,
                    bytes: row.count("bytes")?,
                    sha256: row.text("sha256")?,
                    state: row.word("state")?,
                })
            })
            .collect()
    }

    /// Writes down a running run's complete export; its files lie fsynced in the spool.
    pub async fn record_export(&self, seq: i64, export: &NewExport, now: DateTime<Utc>) -> StoreResult<()> {
        let mut tx = self.write().await?;
        let bytes: u64 = export.batches.iter().map(|batch| batch.bytes).sum();
        let changed = sqlx::query(
            "UPDATE runs SET exported_at = $1, records = $2, bytes = $3, skipped_rows = $4, warning = $5, source = $6, \
             export_number = COALESCE($7, (SELECT CAST(COALESCE(MAX(o.export_number), 0) + 1 AS BIGINT) FROM runs o \
             WHERE o.menu_id = runs.menu_id AND o.integration_id = runs.integration_id)), \
             tripped = $8 WHERE seq = $9 AND state = 'running' AND exported_at IS NULL",
        )
        .bind(millis(now))
        .bind(signed(export.records)?)
        .bind(signed(bytes)?)
        .bind(signed(export.skipped_rows)?)
        .bind(export.warning.as_ref().map(super::row::to_json).transpose()?)
        .bind(export.source.clone())
        .bind(export.adopted)
        .bind(Some(&export.tripped).filter(|tripped| !tripped.is_empty()).map(super::row::to_json).transpose()?)
        .bind(seq)
        .execute(&mut *tx)
        .await?;
        if changed.rows_affected() != 1 {
            return Err(StoreError::Conflict(format!("run number {seq} does not wait for an export")));
        }
        for (index, batch) in export.batches.iter().enumerate() {
            sqlx::query(
                "INSERT INTO batches (run_seq, number, file, records, bytes, sha256, state) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(seq)
            .bind(signed(index as u64 + 1)?)
            .bind(&batch.file)
            .bind(signed(batch.records)?)
            .bind(signed(batch.bytes)?)
            .bind(&batch.sha256)
            .bind(batch.state.as_str())
            .execute(&mut *tx)
            .await?;
        }
        sqlx::query(
            "INSERT INTO carried (menu_id, integration_id, records) SELECT menu_id, integration_id, records FROM runs \
             WHERE seq = $1 AND wanted_keys IS NULL \
             ON CONFLICT (menu_id, integration_id) DO UPDATE SET records = excluded.records",
        )
        .bind(seq)
        .execute(&mut *tx)
        .await?;
        let text = format!("{} records in {} files, {bytes} bytes", export.records, export.batches.len());
        runs::note(&mut tx, seq, now, "exported", &text).await?;
        Ok(tx.commit().await?)
    }

    /// Commits the intent to send a batch and gives the attempt's number. From here on its bytes may be with the
    /// receiver: older runs of the same menu and integration are overtaken, unless it turns out that nothing was taken.
    pub async fn intend(&self, seq: i64, batch: u32, now: DateTime<Utc>) -> StoreResult<u32> {
        let mut tx = self.write().await?;
        let changed = sqlx::query(
            "UPDATE batches SET state = 'sending' WHERE run_seq = $1 AND number = $2 AND state <> 'accepted' \
             AND EXISTS (SELECT 1 FROM runs WHERE seq = $3 AND state = 'running')",
        )
        .bind(seq)
        .bind(i64::from(batch))
        .bind(seq)
        .execute(&mut *tx)
        .await?;
        if changed.rows_affected() != 1 {
            return Err(StoreError::Conflict(format!("batch {batch} of run number {seq} may not be sent now")));
        }
        let row = sqlx::query(
            "INSERT INTO attempts (run_seq, batch, number, intended_at) \
             SELECT $1, $2, CAST(COALESCE(MAX(number), 0) + 1 AS BIGINT), $3 FROM attempts WHERE run_seq = $4 AND batch = $5 \
             RETURNING number",
        )
        .bind(seq)
        .bind(i64::from(batch))
        .bind(millis(now))
        .bind(seq)
        .bind(i64::from(batch))
        .fetch_one(&mut *tx)
        .await?;
        let attempt = row.small("number")?;
        sqlx::query("UPDATE runs SET sent_at = COALESCE(sent_at, $1) WHERE seq = $2")
            .bind(millis(now))
            .bind(seq)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(attempt)
    }

    /// Writes down what came of a request and gives the state of its batch: of unknown fate as long as one of its tries is.
    pub async fn conclude(
        &self,
        seq: i64,
        batch: u32,
        attempt: u32,
        what: &Conclusion,
        now: DateTime<Utc>,
    ) -> StoreResult<BatchState> {
        let mut tx = self.write().await?;
        let changed = sqlx::query(
            "UPDATE attempts SET concluded_at = $1, verdict = $2, http_status = $3, answer = $4, note = $5 \
             WHERE run_seq = $6 AND batch = $7 AND number = $8 AND concluded_at IS NULL",
        )
        .bind(millis(now))
        .bind(what.verdict.as_str())
        .bind(what.http_status.map(i64::from))
        .bind(what.answer.clone())
        .bind(&what.note)
        .bind(seq)
        .bind(i64::from(batch))
        .bind(i64::from(attempt))
        .execute(&mut *tx)
        .await?;
        if changed.rows_affected() != 1 {
            return Err(StoreError::Conflict(format!(
                "attempt {attempt} at batch {batch} of run number {seq} is concluded already"
            )));
        }
        let doubted = sqlx::query(
            "SELECT number FROM attempts WHERE run_seq = $1 AND batch = $2 AND number <> $3 AND verdict = $4 LIMIT 1",
        )
        .bind(seq)
        .bind(i64::from(batch))
        .bind(i64::from(attempt))
        .bind(Verdict::Unknown.as_str())
        .fetch_optional(&mut *tx)
        .await?;
        let state = what.verdict.batch_state_after(doubted.is_some());
        sqlx::query("UPDATE batches SET state = $1 WHERE run_seq = $2 AND number = $3 AND state = 'sending'")
            .bind(state.as_str())
            .bind(seq)
            .bind(i64::from(batch))
            .execute(&mut *tx)
            .await?;
        let text = format!("batch {batch}, attempt {attempt}: {}: {}", what.verdict, what.note);
        runs::note(&mut tx, seq, now, "pushed", &text).await?;
        tx.commit().await?;
        Ok(state)
    }

    /// The attempts of a run that have an intent and no conclusion: what a crash left behind.
    pub async fn open_attempts(&self, seq: i64) -> StoreResult<Vec<Attempt>> {
        let mut open = attempts(self.reader(), seq).await?;
        open.retain(|attempt| attempt.concluded_at.is_none());
        Ok(open)
    }
}

fn signed(number: u64) -> StoreResult<i64> {
    i64::try_from(number).map_err(StoreError::content)
}
