//! The moves of a run from state to state. Each is a guarded UPDATE, so that whoever comes second learns it; the mail
//! about an end, and what else is told of it, is written in the same transaction.

use super::notices::News;
use super::pauses::{self, Pause};
use super::row::to_json;
use super::runs::{Run, note};
use super::troubles;
use super::{Store, StoreError, StoreResult, millis};
use crate::domain::failure::Failure;
use crate::domain::run::RunState;
use crate::domain::trouble::Trouble;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// Nothing was changed: the run is not in the state that the caller believed.
fn guard(changed: u64, seq: i64, wanted: &str) -> StoreResult<()> {
    if changed == 1 {
        return Ok(());
    }
    Err(StoreError::Conflict(format!("run number {seq} is not {wanted} any more")))
}

/// How a run ends, with everything that has to be true in the same instant.
#[derive(Debug, Clone)]
pub struct Ending {
    /// The end state.
    pub state: RunState,
    /// Why, where it is not good.
    pub failure: Option<Failure>,
    /// What is told of it.
    pub news: News,
    /// What its menu and integration suffers from after it.
    pub trouble: Option<Trouble>,
    /// The pause of its integration that it causes.
    pub pause: Option<Pause>,
}

impl Ending {
    /// An end of which nobody is told.
    #[must_use]
    pub fn quiet(state: RunState, failure: Option<Failure>) -> Self {
        Self { state, failure, news: News::default(), trouble: None, pause: None }
    }
}

impl Store {
    /// Ends an open run that is in state `from`, if it still is.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it is not, or where no run may go from there to that end.
    pub async fn end(&self, run: &Run, from: RunState, ending: &Ending, now: DateTime<Utc>) -> StoreResult<()> {
        if !(ending.state.is_ended() && from.may_become(ending.state)) {
            return Err(StoreError::Conflict(format!("a run that is {from} cannot become {}", ending.state)));
        }
        let mut tx = self.write().await?;
        let changed = sqlx::query(
            "UPDATE runs SET state = $1, failure = $2, finished_at = $3, lane = NULL, resume_at = NULL \
             WHERE seq = $4 AND state = $5",
        )
        .bind(ending.state.as_str())
        .bind(ending.failure.as_ref().map(to_json).transpose()?)
        .bind(millis(now))
        .bind(run.seq)
        .bind(from.as_str())
        .execute(&mut *tx)
        .await?;
        guard(changed.rows_affected(), run.seq, from.as_str())?;
        let state = ending.state;
        let text = ending.failure.as_ref().map_or_else(|| state.to_string(), |failure| format!("{state}: {failure}"));
        note(&mut tx, run.seq, now, state.as_str(), &text).await?;
        ending.news.insert(&mut tx, run.seq, now).await?;
        troubles::put(&mut tx, &run.menu_id, &run.integration_id, ending.trouble.as_ref()).await?;
        if let Some(pause) = &ending.pause {
            pauses::insert(&mut tx, pause).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Frees the lane until `until`, when the run is queued again; people read it in the zone that it is given in.
    pub async fn wait(&self, seq: i64, until: DateTime<Tz>, failure: &Failure, now: DateTime<Utc>) -> StoreResult<()> {
        let mut tx = self.write().await?;
        let changed = sqlx::query(
            "UPDATE runs SET state = 'waiting', lane = NULL, resume_at = $1, failure = $2, tries = tries + 1, \
             trouble_since = COALESCE(trouble_since, $3) WHERE seq = $4 AND state = 'running'",
        )
        .bind(millis(until.to_utc()))
        .bind(to_json(failure)?)
        .bind(millis(now))
        .bind(seq)
        .execute(&mut *tx)
        .await?;
        guard(changed.rows_affected(), seq, "running")?;
        let text = format!("until {}: {failure}", until.format("%Y-%m-%d %H:%M:%S %:z"));
        note(&mut tx, seq, now, "waiting", &text).await?;
        Ok(tx.commit().await?)
    }

    /// Holds a running run for a person's decision.
    pub async fn hold(&self, seq: i64, failure: &Failure, news: &News, now: DateTime<Utc>) -> StoreResult<()> {
        let mut tx = self.write().await?;
        let changed = sqlx::query(
            "UPDATE runs SET state = 'held', lane = NULL, failure = $1 WHERE seq = $2 AND state = 'running'",
        )
        .bind(to_json(failure)?)
        .bind(seq)
        .execute(&mut *tx)
        .await?;
        guard(changed.rows_affected(), seq, "running")?;
        note(&mut tx, seq, now, "held", &failure.to_string()).await?;
        news.insert(&mut tx, seq, now).await?;
        Ok(tx.commit().await?)
    }

    /// Approves a held run (「送信する」): it is queued with the files that it has, and what tripped is settled.
    pub async fn approve(&self, seq: i64, actor: &str, now: DateTime<Utc>) -> StoreResult<()> {
        let mut tx = self.write().await?;
        let changed = sqlx::query(
            "UPDATE runs SET state = 'queued', approved_by = $1, failure = NULL, tripped = NULL \
             WHERE seq = $2 AND state = 'held'",
        )
        .bind(actor)
        .bind(seq)
        .execute(&mut *tx)
        .await?;
        guard(changed.rows_affected(), seq, "held")?;
        note(&mut tx, seq, now, "approved", &format!("by {actor}")).await?;
        Ok(tx.commit().await?)
    }

    /// Puts a running run back into the queue: the daemon stops, or recovery found it open.
    pub async fn requeue(&self, seq: i64, why: &str, now: DateTime<Utc>) -> StoreResult<()> {
        let mut tx = self.write().await?;
        let changed = sqlx::query("UPDATE runs SET state = 'queued', lane = NULL WHERE seq = $1 AND state = 'running'")
            .bind(seq)
            .execute(&mut *tx)
            .await?;
        guard(changed.rows_affected(), seq, "running")?;
        note(&mut tx, seq, now, "queued", &format!("again: {why}")).await?;
        Ok(tx.commit().await?)
    }

    /// Asks a running run to stop before its next batch.
    pub async fn request_cancel(&self, seq: i64, actor: &str, now: DateTime<Utc>) -> StoreResult<()> {
        let mut tx = self.write().await?;
        let changed = sqlx::query("UPDATE runs SET cancel_by = $1 WHERE seq = $2 AND state = 'running'")
            .bind(actor)
            .bind(seq)
            .execute(&mut *tx)
            .await?;
        guard(changed.rows_affected(), seq, "running")?;
        note(&mut tx, seq, now, "cancel-asked", &format!("by {actor}")).await?;
        Ok(tx.commit().await?)
    }

    /// Whether somebody asked for a cancel.
    pub async fn is_cancel_requested(&self, seq: i64) -> StoreResult<bool> {
        Ok(self.run_by_seq(seq).await?.cancel_by.is_some())
    }
}
