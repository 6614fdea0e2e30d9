//! The queue: which runs could start and what keeps them from it, which lanes are busy, and the claim that makes one of
//! them run.

use super::row::Columns;
use super::runs::Run;
use super::{Store, StoreError, StoreResult, Transaction, millis, pauses, runs, stops};
use crate::domain::gate::{Conditions, Gate, Leader, Obstacle, gate};
use crate::domain::integration::Account;
use crate::domain::order::Candidate;
use crate::domain::timer::Timer;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// A candidate, and the timer that it belongs to.
struct Queued {
    candidate: Candidate,
    timer: Option<String>,
}

impl Store {
    /// The queued runs at `now`, as the decisions `gate` and `next` want to see them.
    pub async fn candidates(&self, now: DateTime<Utc>) -> StoreResult<Vec<Candidate>> {
        let mut tx = self.reader().begin().await?;
        let mut queued = queued(&mut tx).await?;
        if !queued.is_empty() {
            let stops = stops::after(&mut *tx, now).await?;
            for one in &mut queued {
                let concerned = stops.iter().map(|stored| &stored.stop).filter(|stop| {
                    stop.covers(now) && stop.concerns(one.timer.as_deref(), Some(&one.candidate.account))
                });
                one.candidate.conditions.stopped_until = concerned.map(|stop| stop.until).max();
            }
            add_leaders(&mut tx, &mut queued).await?;
        }
        tx.rollback().await?;
        Ok(queued.into_iter().map(|one| one.candidate).collect())
    }

    /// What forbids a run that has started to send its next request: a pause of its integration, or a planned stop.
    pub async fn obstacle(&self, run: &Run, now: DateTime<Utc>) -> StoreResult<Option<Obstacle>> {
        let mut tx = self.reader().begin().await?;
        let paused = pauses::all(&mut *tx).await?.iter().any(|pause| pause.integration == run.integration_id);
        let stops = stops::after(&mut *tx, now).await?;
        tx.rollback().await?;
        let concerned = stops.iter().map(|stored| &stored.stop);
        let concerned =
            concerned.filter(|stop| stop.covers(now) && stop.concerns(run.timer_id.as_deref(), Some(&run.account)));
        let stopped_until = concerned.map(|stop| stop.until).max();
        let conditions = Conditions { started: true, paused, stopped_until, ..Conditions::default() };
        Ok(match gate(&conditions, now) {
            Gate::Waits(obstacle) => Some(obstacle),
            Gate::Open | Gate::Skip(_) => None,
        })
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

async fn queued(tx: &mut Transaction) -> StoreResult<Vec<Queued>> {
    let rows = sqlx::query(
        "SELECT r.seq, r.account, r.priority, r.timer_id, r.started_at, r.start_by, c.records, \
         CAST(COALESCE(r.scheduled_at, r.queued_at) AS BIGINT) AS due, \
         CAST(CASE WHEN p.integration_id IS NULL THEN 0 ELSE 1 END AS BIGINT) AS paused \
         FROM runs r LEFT JOIN carried c ON c.menu_id = r.menu_id AND c.integration_id = r.integration_id \
         LEFT JOIN pauses p ON p.integration_id = r.integration_id \
         WHERE r.state = 'queued' AND r.finished_at IS NULL",
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.iter()
        .map(|row| {
            let conditions = Conditions {
                started: row.number_or_null("started_at")?.is_some(),
                start_by: row.time_or_null("start_by")?,
                paused: row.flag("paused")?,
                ..Conditions::default()
            };
            let candidate = Candidate {
                seq: row.number("seq")?,
                account: Account::from_stored(row.text("account")?),
                priority: u16::try_from(row.number("priority")?).map_err(StoreError::content)?,
                records: row.number_or_null("records")?.and_then(|records| u64::try_from(records).ok()),
                due: row.time("due")?,
                conditions,
            };
            Ok(Queued { candidate, timer: row.text_or_null("timer_id")? })
        })
        .collect()
}

/// Adds what the queued runs wait for: of each leader's slot the newest run, and what the follower's timer says.
async fn add_leaders(tx: &mut Transaction, queued: &mut [Queued]) -> StoreResult<()> {
    let rows = sqlx::query(
        "SELECT l.run_seq, n.seq, n.id, n.state, n.finished_at, COALESCE(n.timer, l.timer_id) AS timer \
         FROM runs q JOIN run_leaders l ON l.run_seq = q.seq JOIN runs r ON r.seq = l.leader_seq \
         JOIN runs n ON n.seq = (SELECT MAX(s.seq) FROM runs s WHERE s.seq = r.seq \
         OR (s.timer_id = r.timer_id AND s.scheduled_at = r.scheduled_at)) \
         WHERE q.state = 'queued' AND q.finished_at IS NULL",
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut leaders: BTreeMap<i64, Vec<Leader>> = BTreeMap::new();
    for row in &rows {
        leaders.entry(row.number("run_seq")?).or_default().push(Leader {
            seq: row.number("seq")?,
            run: row.text("id")?,
            timer: row.text("timer")?,
            state: row.word("state")?,
            ended_at: row.time_or_null("finished_at")?,
        });
    }
    for one in queued {
        let Some(leaders) = leaders.remove(&one.candidate.seq) else { continue };
        let conditions = &mut one.candidate.conditions;
        conditions.leaders = leaders;
        let Some(id) = &one.timer else { continue };
        let row = sqlx::query("SELECT definition FROM timers WHERE id = $1").bind(id).fetch_optional(&mut **tx).await?;
        if let Some(row) = row {
            let timer: Timer = row.json("definition")?;
            conditions.settle = timer.form().settle;
            conditions.after_partial = timer.form().after_partial;
        }
    }
    Ok(())
}
