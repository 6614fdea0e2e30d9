//! What is asked of the receiver after its batches were taken: one row a batch, from the moment the run leaves its lane
//! until it is known what became of the import. The rows are the truth; whoever asks may die at any time.

use super::row::{Columns, to_json};
use super::runs::{self, Run};
use super::{Store, StoreError, StoreResult, millis};
use crate::domain::confirm::{Finding, Outcome};
use crate::domain::failure::{Code, Failure, RowFault};
use crate::domain::integration::Account;
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::AnyPool;
use sqlx::any::AnyRow;

/// What becomes of one batch's import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// The batch's number.
    pub batch: u32,
    /// How the receiver calls the import.
    pub reference: Option<Value>,
    /// When to ask; nothing once it is concluded.
    pub next_at: Option<DateTime<Utc>>,
    /// The last question.
    pub until_at: DateTime<Utc>,
    /// How often it was asked.
    pub asked: u32,
    /// The last answer's HTTP status.
    pub http_status: Option<u16>,
    /// What the last answer meant, in one line of English.
    pub note: Option<String>,
    /// What became of it, once that is known.
    pub finding: Option<Finding>,
}

/// A batch whose import is to be asked after, or of which all is known already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewConfirmation {
    /// The batch's number.
    pub batch: u32,
    /// How the receiver calls the import.
    pub reference: Option<Value>,
    /// The first question.
    pub next_at: DateTime<Utc>,
    /// The last question.
    pub until_at: DateTime<Utc>,
    /// Known already: nobody is asked.
    pub finding: Option<Finding>,
}

/// What one question brought, for the history.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    /// The answer's HTTP status.
    pub http_status: Option<u16>,
    /// The answer's body: bounded, secrets masked.
    pub answer: Option<String>,
    /// What it meant, in one line of English.
    pub note: String,
}

pub(super) async fn confirmations(pool: &AnyPool, seq: i64) -> StoreResult<Vec<Confirmation>> {
    let rows = sqlx::query(
        "SELECT batch, reference, next_at, until_at, asked, http_status, note, outcome, imported, refused, code \
         FROM confirmations WHERE run_seq = $1 ORDER BY batch",
    )
    .bind(seq)
    .fetch_all(pool)
    .await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> StoreResult<Confirmation> {
    let note = row.text_or_null("note")?;
    let outcome: Option<Outcome> = row.word_or_null("outcome")?;
    let finding = match outcome {
        None => None,
        Some(outcome) => Some(Finding {
            outcome,
            imported: row.count("imported")?,
            rows: row.json_or_null::<Vec<RowFault>>("refused")?.unwrap_or_default(),
            code: row.word_or_null::<Code>("code")?,
            note: note.clone().unwrap_or_default(),
        }),
    };
    Ok(Confirmation {
        batch: row.small("batch")?,
        reference: row.json_or_null("reference")?,
        next_at: row.time_or_null("next_at")?,
        until_at: row.time("until_at")?,
        asked: row.small("asked")?,
        http_status: row.number_or_null("http_status")?.and_then(|status| u16::try_from(status).ok()),
        note,
        finding,
    })
}

impl Store {
    /// Frees a running run's lane: from here on its imports are asked after. `failure` is why some of its batches were
    /// never taken.
    pub async fn confirm(
        &self,
        seq: i64,
        batches: &[NewConfirmation],
        failure: Option<&Failure>,
        now: DateTime<Utc>,
    ) -> StoreResult<()> {
        let mut tx = self.write().await?;
        let changed = sqlx::query(
            "UPDATE runs SET state = 'confirming', lane = NULL, failure = $1 WHERE seq = $2 AND state = 'running'",
        )
        .bind(failure.map(to_json).transpose()?)
        .bind(seq)
        .execute(&mut *tx)
        .await?;
        if changed.rows_affected() != 1 {
            return Err(StoreError::Conflict(format!("run number {seq} is not running any more")));
        }
        for new in batches {
            let (next, concluded) = if new.finding.is_some() { (None, Some(now)) } else { (Some(new.next_at), None) };
            sqlx::query(
                "INSERT INTO confirmations (run_seq, batch, reference, next_at, until_at, concluded_at, outcome, imported, \
                 refused, code, note) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            )
            .bind(seq)
            .bind(i64::from(new.batch))
            .bind(new.reference.as_ref().map(to_json).transpose()?)
            .bind(next.map(millis))
            .bind(millis(new.until_at))
            .bind(concluded.map(millis))
            .bind(new.finding.as_ref().map(|finding| finding.outcome.as_str().to_owned()))
            .bind(new.finding.as_ref().map(imported).transpose()?)
            .bind(new.finding.as_ref().map(|finding| to_json(&finding.rows)).transpose()?)
            .bind(new.finding.as_ref().and_then(|finding| finding.code).map(|code| code.as_str().to_owned()))
            .bind(new.finding.as_ref().map(|finding| finding.note.clone()))
            .execute(&mut *tx)
            .await?;
            if let Some(finding) = &new.finding {
                mark(&mut tx, seq, new.batch, finding).await?;
            }
        }
        let text = format!("{} files were taken: asking what became of their import", batches.len());
        runs::note(&mut tx, seq, now, "confirming", &text).await?;
        Ok(tx.commit().await?)
    }

    /// What becomes of the imports of a run's batches, in order.
    pub async fn confirmations(&self, seq: i64) -> StoreResult<Vec<Confirmation>> {
        confirmations(self.reader(), seq).await
    }

    /// The accounts that have imports to be asked after now.
    pub async fn accounts_to_ask(&self, now: DateTime<Utc>) -> StoreResult<Vec<Account>> {
        let rows = sqlx::query(
            "SELECT DISTINCT r.account FROM confirmations c JOIN runs r ON r.seq = c.run_seq WHERE c.next_at <= $1",
        )
        .bind(millis(now))
        .fetch_all(self.reader())
        .await?;
        rows.iter().map(|row| Ok(Account::from_stored(row.text("account")?))).collect()
    }

    /// The import of an account that has been due the longest: the run and its batch.
    pub async fn due_confirmation(&self, account: &Account, now: DateTime<Utc>) -> StoreResult<Option<(Run, u32)>> {
        let row = sqlx::query(
            "SELECT c.run_seq, c.batch FROM confirmations c JOIN runs r ON r.seq = c.run_seq \
             WHERE c.next_at <= $1 AND r.account = $2 AND r.state = 'confirming' \
             ORDER BY c.next_at, c.run_seq, c.batch LIMIT 1",
        )
        .bind(millis(now))
        .bind(account.as_str())
        .fetch_optional(self.reader())
        .await?;
        match row {
            None => Ok(None),
            Some(row) => Ok(Some((self.run_by_seq(row.number("run_seq")?).await?, row.small("batch")?))),
        }
    }

    /// When the next import becomes due that is not due yet.
    pub async fn next_confirmation(&self, now: DateTime<Utc>) -> StoreResult<Option<DateTime<Utc>>> {
        let sql = "SELECT CAST(MIN(next_at) AS BIGINT) AS next_at FROM confirmations WHERE next_at > $1";
        sqlx::query(sql).bind(millis(now)).fetch_one(self.reader()).await?.time_or_null("next_at")
    }

    /// Confirming runs of which everything is known: they only have to be ended.
    pub async fn confirmed_runs(&self) -> StoreResult<Vec<Run>> {
        let rest = "WHERE state = 'confirming' AND finished_at IS NULL AND NOT EXISTS \
                    (SELECT 1 FROM confirmations c WHERE c.run_seq = runs.seq AND c.next_at IS NOT NULL) ORDER BY seq";
        let rows = sqlx::query(runs::select(rest)).fetch_all(self.reader()).await?;
        rows.iter().map(runs::read).collect()
    }

    /// Writes down a question whose answer did not settle it.
    pub async fn ask_later(
        &self,
        seq: i64,
        batch: u32,
        next: DateTime<Utc>,
        asked: &Asked,
        now: DateTime<Utc>,
    ) -> StoreResult<()> {
        let mut tx = self.write().await?;
        // The history tells a change, not every question: there may be hundreds of the same.
        let before = sqlx::query("SELECT note FROM confirmations WHERE run_seq = $1 AND batch = $2")
            .bind(seq)
            .bind(i64::from(batch))
            .fetch_optional(&mut *tx)
            .await?
            .map(|row| row.text_or_null("note"))
            .transpose()?
            .flatten();
        let changed = sqlx::query(
            "UPDATE confirmations SET next_at = $1, asked = asked + 1, http_status = $2, answer = $3, note = $4 \
             WHERE run_seq = $5 AND batch = $6 AND concluded_at IS NULL",
        )
        .bind(millis(next))
        .bind(asked.http_status.map(i64::from))
        .bind(asked.answer.clone())
        .bind(&asked.note)
        .bind(seq)
        .bind(i64::from(batch))
        .execute(&mut *tx)
        .await?;
        guard(changed.rows_affected(), seq, batch)?;
        if before.as_deref() != Some(&asked.note) {
            runs::note(&mut tx, seq, now, "asked", &format!("batch {batch}: {}", asked.note)).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Writes down what became of a batch's import.
    pub async fn conclude_confirmation(
        &self,
        seq: i64,
        batch: u32,
        finding: &Finding,
        asked: &Asked,
        now: DateTime<Utc>,
    ) -> StoreResult<()> {
        let mut tx = self.write().await?;
        let changed = sqlx::query(
            "UPDATE confirmations SET next_at = NULL, concluded_at = $1, asked = asked + 1, http_status = $2, answer = $3, \
             note = $4, outcome = $5, imported = $6, refused = $7, code = $8 \
             WHERE run_seq = $9 AND batch = $10 AND concluded_at IS NULL",
        )
        .bind(millis(now))
        .bind(asked.http_status.map(i64::from))
        .bind(asked.answer.clone())
        .bind(&finding.note)
        .bind(finding.outcome.as_str())
        .bind(imported(finding)?)
        .bind(to_json(&finding.rows)?)
        .bind(finding.code.map(|code| code.as_str().to_owned()))
        .bind(seq)
        .bind(i64::from(batch))
        .execute(&mut *tx)
        .await?;
        guard(changed.rows_affected(), seq, batch)?;
        mark(&mut tx, seq, batch, finding).await?;
        let text = format!("batch {batch}: {}: {}", finding.outcome, finding.note);
        runs::note(&mut tx, seq, now, "confirmed", &text).await?;
        Ok(tx.commit().await?)
    }
}

/// A batch that was refused when it was imported is as if it had never been taken; one that nobody knows of is in
/// doubt. So a retry sends exactly these again, and no older data waits for bytes that are not there.
async fn mark(tx: &mut super::Transaction, seq: i64, batch: u32, finding: &Finding) -> StoreResult<()> {
    let Some(state) = finding.outcome.batch_state() else { return Ok(()) };
    sqlx::query("UPDATE batches SET state = $1 WHERE run_seq = $2 AND number = $3 AND state = 'accepted'")
        .bind(state.as_str())
        .bind(seq)
        .bind(i64::from(batch))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

fn imported(finding: &Finding) -> StoreResult<i64> {
    i64::try_from(finding.imported).map_err(StoreError::content)
}

fn guard(changed: u64, seq: i64, batch: u32) -> StoreResult<()> {
    if changed == 1 {
        return Ok(());
    }
    Err(StoreError::Conflict(format!("batch {batch} of run number {seq} is not asked after any more")))
}
