//! 連携停止期間: planned stops. One that has begun is ended, never deleted: the ledger names it.

use super::people::{AuditEntry, audit};
use super::row::Columns;
use super::{Store, StoreError, StoreResult, millis};
use crate::domain::integration::Account;
use crate::domain::stop::{SlotsInside, Stop, StopKind, StopScope};
use chrono::{DateTime, Utc};
use sqlx::any::AnyRow;

/// A planned stop, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredStop {
    /// Its number.
    pub number: i64,
    /// What it concerns, and when.
    pub stop: Stop,
    /// Why, for people.
    pub reason: String,
    /// Who planned it.
    pub set_by: String,
}

fn read(row: &AnyRow) -> StoreResult<StoredStop> {
    let target = || row.text_or_null("target").map(Option::unwrap_or_default);
    let scope = match row.word("scope")? {
        StopKind::All => StopScope::All,
        StopKind::Account => StopScope::Account(Account::from_stored(target()?)),
        StopKind::Timer => StopScope::Timer(target()?),
    };
    let slots = if row.flag("slots_wait")? { SlotsInside::Wait } else { SlotsInside::Skip };
    Ok(StoredStop {
        number: row.number("number")?,
        stop: Stop { scope, from: row.time("from_at")?, until: row.time("until_at")?, slots },
        reason: row.text("reason")?,
        set_by: row.text("set_by")?,
    })
}

/// The stops that end after an instant, in order of their beginning.
pub(super) async fn after(executor: impl sqlx::AnyExecutor<'_>, at: DateTime<Utc>) -> StoreResult<Vec<StoredStop>> {
    let rows = sqlx::query(
        "SELECT number, scope, target, from_at, until_at, slots_wait, reason, set_by FROM stops WHERE until_at > $1 \
         ORDER BY from_at, number",
    )
    .bind(millis(at))
    .fetch_all(executor)
    .await?;
    rows.iter().map(read).collect()
}

impl Store {
    /// The stops that have not ended at `now`, in order of their beginning.
    pub async fn stops(&self, now: DateTime<Utc>) -> StoreResult<Vec<StoredStop>> {
        after(self.reader(), now).await
    }

    /// Plans a stop and gives its number.
    pub async fn add_stop(&self, stop: &Stop, reason: &str, actor: &str, now: DateTime<Utc>) -> StoreResult<i64> {
        let (kind, target) = match &stop.scope {
            StopScope::All => (StopKind::All, None),
            StopScope::Account(account) => (StopKind::Account, Some(account.as_str().to_owned())),
            StopScope::Timer(id) => (StopKind::Timer, Some(id.clone())),
        };
        let mut tx = self.write().await?;
        let number = sqlx::query(
            "INSERT INTO stops (number, scope, target, from_at, until_at, slots_wait, reason, set_by, noted_at) \
             SELECT CAST(COALESCE(MAX(number), 0) + 1 AS BIGINT), $1, $2, $3, $4, $5, $6, $7, $8 FROM stops \
             RETURNING number",
        )
        .bind(kind.as_str())
        .bind(target.clone())
        .bind(millis(stop.from))
        .bind(millis(stop.until))
        .bind(i64::from(stop.slots == SlotsInside::Wait))
        .bind(reason)
        .bind(actor)
        .bind(millis(now))
        .fetch_one(&mut *tx)
        .await?
        .number("number")?;
        let new = format!(
            "{kind}{}{}, {} – {}: {reason}",
            if target.is_some() { " " } else { "" },
            target.unwrap_or_default(),
            stop.from.to_rfc3339(),
            stop.until.to_rfc3339()
        );
        let entry =
            AuditEntry { action: "stop".to_owned(), entity: format!("stop {number}"), old: None, new: Some(new) };
        audit(&mut tx, &entry, actor, now).await?;
        tx.commit().await?;
        Ok(number)
    }

    /// Ends a stop now, or takes it back where it has not begun.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for one that is not there or has ended.
    pub async fn end_stop(&self, number: i64, actor: &str, now: DateTime<Utc>) -> StoreResult<()> {
        let mut tx = self.write().await?;
        let ended = sqlx::query("UPDATE stops SET until_at = $1 WHERE number = $2 AND from_at < $3 AND until_at > $4")
            .bind(millis(now))
            .bind(number)
            .bind(millis(now))
            .bind(millis(now))
            .execute(&mut *tx)
            .await?
            .rows_affected();
        let taken_back = sqlx::query("DELETE FROM stops WHERE number = $1 AND from_at >= $2")
            .bind(number)
            .bind(millis(now))
            .execute(&mut *tx)
            .await?
            .rows_affected();
        if ended + taken_back == 0 {
            return Err(StoreError::NotFound(format!(
                "there is no stop {number} that has not ended: see `renkei stop list`"
            )));
        }
        let action = if ended == 1 { "end" } else { "take back" };
        let entry = AuditEntry { action: action.to_owned(), entity: format!("stop {number}"), old: None, new: None };
        audit(&mut tx, &entry, actor, now).await?;
        Ok(tx.commit().await?)
    }
}
