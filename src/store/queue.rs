//! The queue: which runs could start, which lanes are busy, and the claim that makes one of them run.

use super::row::Columns;
use super::runs::Run;
use super::{Store, StoreResult, millis, runs};
use crate::domain::integration::Account;
use crate::domain::order::Candidate;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

impl Store {
    /// The queued runs, as the decision `next` wants to see them.
    pub async fn candidates(&self) -> StoreResult<Vec<Candidate>> {
        let rows = sqlx::query(
            "SELECT r.seq, r.account, r.priority, c.records, CAST(COALESCE(r.scheduled_at, r.queued_at) AS BIGINT) AS due \
             FROM runs r LEFT JOIN carried c ON c.menu_id = r.menu_id AND c.integration_id = r.integration_id \
             WHERE r.state = 'queued' AND r.finished_at IS NULL",
        )
        .fetch_all(self.reader())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Candidate {
                    seq: row.number("seq")?,
                    account: Account::from_stored(row.text("account")?),
                    priority: u16::try_from(row.number("priority")?).map_err(super::StoreError::content)?,
                    records: row.number_or_null("records")?.and_then(|records| u64::try_from(records).ok()),
                    due: row.time("due")?,
                })
            })
            .collect()
    }

    /// The lanes in which a run is going.
    pub async fn busy_lanes(&self) -> StoreResult<BTreeSet<String>> {
        let rows = sqlx::query("SELECT lane FROM runs WHERE state = 'running'").fetch_all(self.reader()).await?;
        rows.iter().map(|row| row.text("lane")).collect()
    }

    /// Starts a queued run in a lane. `None` when the lane is busy or the run is not queued any more.
    pub async fn claim(&self, seq: i64, lane: &str, now: DateTime<Utc>) -> StoreResult<Option<Run>> {
        let mut tx = self.write().await?;
        let claimed = sqlx::query(
            "UPDATE runs SET state = 'running', lane = $1, started_at = COALESCE(started_at, $2), resume_at = NULL, \
             settings_version = (SELECT CAST(COALESCE(MAX(number), 0) AS BIGINT) FROM settings_versions) \
             WHERE seq = $3 AND state = 'queued'",
        )
        .bind(lane)
        .bind(millis(now))
        .bind(seq)
        .execute(&mut *tx)
        .await;
        match claimed {
            Ok(done) if done.rows_affected() == 1 => {}
            Ok(_) => return Ok(None),
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        runs::note(&mut tx, seq, now, "running", &format!("in lane {lane}")).await?;
        // Read before the commit: a run that is running and that nobody was given would hold its lane until a restart.
        let row = sqlx::query(runs::select("WHERE seq = $1")).bind(seq).fetch_one(&mut *tx).await?;
        let run = runs::read(&row)?;
        tx.commit().await?;
        Ok(Some(run))
    }

    /// Queues the waiting runs whose time has come and says how many.
    pub async fn wake_waiting(&self, now: DateTime<Utc>) -> StoreResult<u64> {
        if self.next_wake().await?.is_none_or(|at| at > now) {
            return Ok(0);
        }
        let mut tx = self.write().await?;
        let woken = sqlx::query(
            "UPDATE runs SET state = 'queued', resume_at = NULL WHERE state = 'waiting' AND finished_at IS NULL AND resume_at <= $1",
        )
        .bind(millis(now))
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(woken.rows_affected())
    }

    /// When the next waiting run wants to go on.
    pub async fn next_wake(&self) -> StoreResult<Option<DateTime<Utc>>> {
        let sql = "SELECT CAST(MIN(resume_at) AS BIGINT) AS resume_at FROM runs WHERE state = 'waiting' AND finished_at IS NULL";
        sqlx::query(sql).fetch_one(self.reader()).await?.time_or_null("resume_at")
    }
}
