//! How runs are made: queued in order, each with its number and 実行番号.

use super::super::row::{Columns, to_json};
use super::super::{Store, StoreError, StoreResult, Transaction, bulk, leaders, millis};
use super::Run;
use crate::domain::integration::Account;
use crate::domain::run::{RunState, Trigger};
use chrono::{DateTime, NaiveDate, Utc};

/// A run to be queued.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// The menu: id and name.
    pub menu: (String, String),
    /// The integration: id and name.
    pub integration: (String, String),
    /// The timer: id and name.
    pub timer: Option<(String, String)>,
    /// Whose lane it uses.
    pub account: Account,
    /// The settings in force.
    pub settings_version: i64,
    /// What causes it.
    pub trigger: Trigger,
    /// 実行者.
    pub actor: String,
    /// メモ.
    pub memo: Option<String>,
    /// タイマー優先度.
    pub priority: u16,
    /// The slot.
    pub scheduled_at: Option<DateTime<Utc>>,
    /// Not started by then, it is skipped.
    pub start_by: Option<DateTime<Utc>>,
    /// Only the records of these keys.
    pub wanted_keys: Option<Vec<String>>,
    /// The run that it repeats.
    pub retry_of: Option<String>,
    /// Whether it may overtake newer data.
    pub forced: bool,
    /// Whether it repeats only the batches that were not taken.
    pub only_failed: bool,
    /// The run, by its number in the store, that has to end well first.
    pub behind: Option<i64>,
}

/// Queues runs in a transaction, each with its number and 実行番号; `day` is the local date that the latter carries.
pub(in super::super) async fn insert_all(
    tx: &mut Transaction,
    new: &[NewRun],
    day: NaiveDate,
    now: DateTime<Utc>,
) -> StoreResult<Vec<(i64, String)>> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let newest = sqlx::query("SELECT seq, id FROM runs ORDER BY seq DESC LIMIT 1").fetch_optional(&mut **tx).await?;
    let (seq, newest) = match &newest {
        Some(row) => (row.number("seq")? + 1, row.text("id")?),
        None => (1, String::new()),
    };
    let (prefix, number) = next_number(tx, &newest, day).await?;
    let queued: Vec<(i64, String)> =
        (seq..).zip(number..).take(new.len()).map(|(seq, number)| (seq, format!("{prefix}{number:04}"))).collect();
    let rows: Vec<(&NewRun, &(i64, String))> = new.iter().zip(&queued).collect();
    for rows in rows.chunks(bulk::ROWS) {
        let sql = format!(
            "INSERT INTO runs (seq, id, menu_id, menu, integration_id, integration, timer_id, timer, account, \
             settings_version, trigger_kind, actor, memo, priority, scheduled_at, start_by, queued_at, state, wanted_keys, \
             retry_of, forced, only_failed) VALUES {}",
            bulk::values(rows.len(), 22)
        );
        // Placeholders only.
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for (new, (seq, id)) in rows {
            query = query
                .bind(seq)
                .bind(id)
                .bind(&new.menu.0)
                .bind(&new.menu.1)
                .bind(&new.integration.0)
                .bind(&new.integration.1)
                .bind(new.timer.as_ref().map(|timer| timer.0.clone()))
                .bind(new.timer.as_ref().map(|timer| timer.1.clone()))
                .bind(new.account.as_str())
                .bind(new.settings_version)
                .bind(new.trigger.as_str())
                .bind(&new.actor)
                .bind(new.memo.clone())
                .bind(i64::from(new.priority))
                .bind(new.scheduled_at.map(millis))
                .bind(new.start_by.map(millis))
                .bind(millis(now))
                .bind(RunState::Queued.as_str())
                .bind(new.wanted_keys.as_ref().map(to_json).transpose()?)
                .bind(new.retry_of.clone())
                .bind(i64::from(new.forced))
                .bind(i64::from(new.only_failed));
        }
        query.execute(&mut **tx).await?;
        let sql =
            format!("INSERT INTO events (run_seq, number, at, kind, text) VALUES {}", bulk::values(rows.len(), 5));
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for (new, (seq, _)) in rows {
            let text = format!("queued by {}", cause(new));
            query = query.bind(seq).bind(1_i64).bind(millis(now)).bind(RunState::Queued.as_str()).bind(text);
        }
        query.execute(&mut **tx).await?;
    }
    Ok(queued)
}

/// What the 実行番号 of a day begin with, and the next number. The newest run of the day has the day's largest number,
/// whatever its count of digits; where the newest run of all is of another day, this day's are looked at (the clock may
/// have gone back).
async fn next_number(tx: &mut Transaction, newest: &str, day: NaiveDate) -> StoreResult<(String, u64)> {
    let prefix = format!("R-{}-", day.format("%Y%m%d"));
    let last = if newest.starts_with(&prefix) {
        Some(newest.to_owned())
    } else {
        sqlx::query("SELECT id FROM runs WHERE id >= $1 AND id < $2 ORDER BY LENGTH(id) DESC, id DESC LIMIT 1")
            .bind(&prefix)
            // The letter after the dash.
            .bind(format!("R-{}.", day.format("%Y%m%d")))
            .fetch_optional(&mut **tx)
            .await?
            .map(|row| row.text("id"))
            .transpose()?
    };
    let last: u64 = match last.as_deref().and_then(|id| id.strip_prefix(&prefix)) {
        Some(number) => number.parse().map_err(StoreError::content)?,
        None => 0,
    };
    Ok((prefix, last + 1))
}

fn cause(new: &NewRun) -> String {
    match (&new.timer, new.trigger) {
        (Some((_, timer)), Trigger::Timer) => format!("timer {timer}"),
        (_, Trigger::Retry) => {
            format!("{} as a retry of {}", new.actor, new.retry_of.as_deref().unwrap_or("another run"))
        }
        _ => new.actor.clone(),
    }
}

impl Store {
    /// Queues a run.
    pub async fn enqueue(&self, new: &NewRun, day: NaiveDate, now: DateTime<Utc>) -> StoreResult<Run> {
        let mut tx = self.write().await?;
        let queued = insert_all(&mut tx, std::slice::from_ref(new), day, now).await?;
        if let (Some((seq, _)), Some(leader)) = (queued.first(), new.behind) {
            leaders::follow(&mut tx, *seq, leader).await?;
        }
        tx.commit().await?;
        match queued.first() {
            Some((_, id)) => self.run(id).await,
            None => Err(StoreError::content("a run was queued and has no number")),
        }
    }
}
