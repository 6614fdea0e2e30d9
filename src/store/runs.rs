//! Runs: how they are made, numbered and shown. How they move from state to state stands in `life`.

use super::batches::{self, Attempt, Batch};
use super::confirmations::{self, Confirmation};
use super::row::{Columns, to_json};
use super::{Store, StoreError, StoreResult, Transaction, millis};
use crate::domain::failure::Failure;
use crate::domain::integration::Account;
use crate::domain::run::{RunState, Trigger};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::any::AnyRow;

/// One attempt to carry a menu through an integration.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Ascending by creation.
    pub seq: i64,
    /// 実行番号, as in `R-20261124-0007`.
    pub id: String,
    /// The menu's id.
    pub menu_id: String,
    /// The menu's name when the run was made.
    pub menu: String,
    /// The integration's id.
    pub integration_id: String,
    /// The integration's name when the run was made.
    pub integration: String,
    /// The timer's id, if one caused it (or the run that it repeats).
    pub timer_id: Option<String>,
    /// The timer's name when the run was made.
    pub timer: Option<String>,
    /// Whose lane and request slots it uses.
    pub account: Account,
    /// The settings that it was made or started with.
    pub settings_version: i64,
    /// What caused it.
    pub trigger: Trigger,
    /// 実行者: a person, or who set the timer.
    pub actor: String,
    /// メモ.
    pub memo: Option<String>,
    /// タイマー優先度.
    pub priority: u16,
    /// The slot.
    pub scheduled_at: Option<DateTime<Utc>>,
    /// When it was queued first.
    pub queued_at: DateTime<Utc>,
    /// When it started first.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// When a waiting run is queued again.
    pub resume_at: Option<DateTime<Utc>>,
    /// The first try that had to be repeated.
    pub trouble_since: Option<DateTime<Utc>>,
    /// How often it has waited to try again.
    pub tries: u32,
    /// Where it stands.
    pub state: RunState,
    /// When its export was complete.
    pub exported_at: Option<DateTime<Utc>>,
    /// Data rows of the export.
    pub records: u64,
    /// Bytes of all batches.
    pub bytes: u64,
    /// Rows that a rule left out.
    pub skipped_rows: u64,
    /// What was read, for people.
    pub source: Option<String>,
    /// About the rows that were left out.
    pub warning: Option<Failure>,
    /// Why it stands or ended so.
    pub failure: Option<Failure>,
    /// The run that it repeats.
    pub retry_of: Option<String>,
    /// Only the records of these keys.
    pub wanted_keys: Option<Vec<String>>,
    /// Whether it may overtake newer data.
    pub forced: bool,
    /// Whether it repeats only the batches that were not taken.
    pub only_failed: bool,
    /// Who approved it when it was held.
    pub approved_by: Option<String>,
    /// Who asked for its cancel.
    pub cancel_by: Option<String>,
    /// When its first request was about to be sent.
    pub sent_at: Option<DateTime<Utc>>,
}

/// A line in a run's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: DateTime<Utc>,
    /// Which kind, one word.
    pub kind: String,
    /// What happened, one line of English.
    pub text: String,
}

/// A run with all that belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunDetail {
    /// The run.
    pub run: Run,
    /// Its CSV files.
    pub batches: Vec<Batch>,
    /// The requests for them.
    pub attempts: Vec<Attempt>,
    /// What became of their imports, where that is asked.
    pub confirmations: Vec<Confirmation>,
    /// Its history.
    pub events: Vec<Event>,
}

impl RunDetail {
    /// Records of which the receiver has said that it imported them; nothing where it was not asked.
    #[must_use]
    pub fn imported(&self) -> Option<u64> {
        let known = self.confirmations.iter().filter_map(|one| one.finding.as_ref());
        (!self.confirmations.is_empty()).then(|| known.map(|finding| finding.imported).sum())
    }
}

/// Which runs to list; the newest first.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Only in this state.
    pub state: Option<RunState>,
    /// Only of this menu (id or name).
    pub menu: Option<String>,
    /// At most so many.
    pub limit: u32,
}

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
    /// Only the records of these keys.
    pub wanted_keys: Option<Vec<String>>,
    /// The run that it repeats.
    pub retry_of: Option<String>,
    /// Whether it may overtake newer data.
    pub forced: bool,
    /// Whether it repeats only the batches that were not taken.
    pub only_failed: bool,
}

const COLUMNS: &str = "seq, id, menu_id, menu, integration_id, integration, timer_id, timer, account, settings_version, \
     trigger_kind, actor, memo, priority, scheduled_at, queued_at, started_at, finished_at, resume_at, trouble_since, \
     tries, state, exported_at, records, bytes, skipped_rows, source, warning, failure, retry_of, wanted_keys, forced, only_failed, \
     approved_by, cancel_by, sent_at";

/// `SELECT` over all columns of a run, with what follows.
pub(super) fn select(rest: &str) -> sqlx::AssertSqlSafe<String> {
    // `rest` is written in this room and never holds a value.
    sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM runs {rest}"))
}

pub(super) fn read(row: &AnyRow) -> StoreResult<Run> {
    Ok(Run {
        seq: row.number("seq")?,
        id: row.text("id")?,
        menu_id: row.text("menu_id")?,
        menu: row.text("menu")?,
        integration_id: row.text("integration_id")?,
        integration: row.text("integration")?,
        timer_id: row.text_or_null("timer_id")?,
        timer: row.text_or_null("timer")?,
        account: Account::from_stored(row.text("account")?),
        settings_version: row.number("settings_version")?,
        trigger: row.word("trigger_kind")?,
        actor: row.text("actor")?,
        memo: row.text_or_null("memo")?,
        priority: u16::try_from(row.number("priority")?).map_err(StoreError::content)?,
        scheduled_at: row.time_or_null("scheduled_at")?,
        queued_at: row.time("queued_at")?,
        started_at: row.time_or_null("started_at")?,
        finished_at: row.time_or_null("finished_at")?,
        resume_at: row.time_or_null("resume_at")?,
        trouble_since: row.time_or_null("trouble_since")?,
        tries: row.small("tries")?,
        state: row.word("state")?,
        exported_at: row.time_or_null("exported_at")?,
        records: row.count("records")?,
        bytes: row.count("bytes")?,
        skipped_rows: row.count("skipped_rows")?,
        source: row.text_or_null("source")?,
        warning: row.json_or_null("warning")?,
        failure: row.json_or_null("failure")?,
        retry_of: row.text_or_null("retry_of")?,
        wanted_keys: row.json_or_null("wanted_keys")?,
        forced: row.flag("forced")?,
        only_failed: row.flag("only_failed")?,
        approved_by: row.text_or_null("approved_by")?,
        cancel_by: row.text_or_null("cancel_by")?,
        sent_at: row.time_or_null("sent_at")?,
    })
}

/// Queues a run in a transaction; `day` is the local date that its number carries.
pub(super) async fn insert(
    tx: &mut Transaction,
    new: &NewRun,
    day: NaiveDate,
    now: DateTime<Utc>,
) -> StoreResult<(i64, String)> {
    let newest = sqlx::query("SELECT seq, id FROM runs ORDER BY seq DESC LIMIT 1").fetch_optional(&mut **tx).await?;
    let (seq, newest) = match &newest {
        Some(row) => (row.number("seq")? + 1, row.text("id")?),
        None => (1, String::new()),
    };
    let id = next_id(tx, &newest, day).await?;
    let keys = new.wanted_keys.as_ref().map(to_json).transpose()?;
    sqlx::query(
        "INSERT INTO runs (seq, id, menu_id, menu, integration_id, integration, timer_id, timer, account, \
         settings_version, trigger_kind, actor, memo, priority, scheduled_at, queued_at, state, wanted_keys, retry_of, \
         forced, only_failed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 'queued', $17, $18, $19, $20)",
    )
    .bind(seq)
    .bind(&id)
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
    .bind(millis(now))
    .bind(keys)
    .bind(new.retry_of.clone())
    .bind(i64::from(new.forced))
    .bind(i64::from(new.only_failed))
    .execute(&mut **tx)
    .await?;
    note(tx, seq, now, "queued", &format!("queued by {}", cause(new))).await?;
    Ok((seq, id))
}

/// The next number of a day. The newest run of the day has the day's largest number, whatever its count of digits;
/// where the newest run of all is of another day, this day's are looked at (the clock may have gone back).
async fn next_id(tx: &mut Transaction, newest: &str, day: NaiveDate) -> StoreResult<String> {
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
    Ok(format!("{prefix}{:04}", last + 1))
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

/// Adds a line to a run's history.
pub(super) async fn note(
    tx: &mut Transaction,
    seq: i64,
    now: DateTime<Utc>,
    kind: &str,
    text: &str,
) -> StoreResult<()> {
    sqlx::query(
        "INSERT INTO events (run_seq, number, at, kind, text) \
         SELECT $1, CAST(COALESCE(MAX(number), 0) + 1 AS BIGINT), $2, $3, $4 FROM events WHERE run_seq = $5",
    )
    .bind(seq)
    .bind(millis(now))
    .bind(kind)
    .bind(text)
    .bind(seq)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

impl Store {
    /// Queues a run.
    pub async fn enqueue(&self, new: &NewRun, day: NaiveDate, now: DateTime<Utc>) -> StoreResult<Run> {
        let mut tx = self.write().await?;
        let (seq, _) = insert(&mut tx, new, day, now).await?;
        tx.commit().await?;
        self.run_by_seq(seq).await
    }

    /// A run by its number in the store.
    pub async fn run_by_seq(&self, seq: i64) -> StoreResult<Run> {
        let row = sqlx::query(select("WHERE seq = $1")).bind(seq).fetch_optional(self.reader()).await?;
        row.as_ref().map_or_else(|| Err(StoreError::NotFound(format!("there is no run number {seq}"))), read)
    }

    /// A run by its 実行番号.
    pub async fn run(&self, id: &str) -> StoreResult<Run> {
        let row = sqlx::query(select("WHERE id = $1")).bind(id).fetch_optional(self.reader()).await?;
        let missing = || Err(StoreError::NotFound(format!("there is no run {id:?}: `renkei run list` shows the runs")));
        row.as_ref().map_or_else(missing, read)
    }

    /// A run with all that belongs to it.
    pub async fn run_detail(&self, id: &str) -> StoreResult<RunDetail> {
        let run = self.run(id).await?;
        let batches = self.batches(run.seq).await?;
        let attempts = batches::attempts(self.reader(), run.seq).await?;
        let confirmations = confirmations::confirmations(self.reader(), run.seq).await?;
        let rows = sqlx::query("SELECT at, kind, text FROM events WHERE run_seq = $1 ORDER BY number")
            .bind(run.seq)
            .fetch_all(self.reader())
            .await?;
        let event = |row: &AnyRow| Ok(Event { at: row.time("at")?, kind: row.text("kind")?, text: row.text("text")? });
        let events = rows.iter().map(event).collect::<StoreResult<_>>()?;
        Ok(RunDetail { run, batches, attempts, confirmations, events })
    }

    /// The newest runs first.
    pub async fn list_runs(&self, filter: &RunFilter) -> StoreResult<Vec<Run>> {
        let limit = i64::from(filter.limit);
        let state = filter.state.map(RunState::as_str);
        // One statement for each filter, so that each is answered from an index however long the history is.
        let rows = match (&filter.menu, state) {
            (None, None) => {
                sqlx::query(select("ORDER BY seq DESC LIMIT $1")).bind(limit).fetch_all(self.reader()).await?
            }
            (None, Some(state)) => {
                let sql = select("WHERE state = $1 ORDER BY seq DESC LIMIT $2");
                sqlx::query(sql).bind(state).bind(limit).fetch_all(self.reader()).await?
            }
            (Some(menu), state) => {
                let of_menu = |column: &str| {
                    let state = state.map_or(String::new(), |state| format!("AND state = '{state}'"));
                    format!(
                        "SELECT * FROM (SELECT seq FROM runs WHERE {column} = $1 {state} ORDER BY seq DESC LIMIT $2)"
                    )
                };
                let rest = format!(
                    "WHERE seq IN ({} UNION {}) ORDER BY seq DESC LIMIT $2",
                    of_menu("menu_id"),
                    of_menu("menu")
                );
                sqlx::query(select(&rest)).bind(menu).bind(limit).fetch_all(self.reader()).await?
            }
        };
        rows.iter().map(read).collect()
    }

    /// Adds a line to a run's history.
    pub async fn note(&self, seq: i64, kind: &str, text: &str, now: DateTime<Utc>) -> StoreResult<()> {
        let mut tx = self.write().await?;
        note(&mut tx, seq, now, kind, text).await?;
        Ok(tx.commit().await?)
    }

    /// The runs that hold a lane: after a start, those that a daemon left behind.
    pub async fn running(&self) -> StoreResult<Vec<Run>> {
        let rows = sqlx::query(select("WHERE state = 'running' ORDER BY seq")).fetch_all(self.reader()).await?;
        rows.iter().map(read).collect()
    }

    /// The newest run of the same menu and integration, newer than this one, whose bytes are or may be with the receiver.
    pub async fn newer_sent(&self, run: &Run) -> StoreResult<Option<String>> {
        let row = sqlx::query(
            "SELECT r.id FROM runs r WHERE r.menu_id = $1 AND r.integration_id = $2 AND r.seq > $3 AND EXISTS \
             (SELECT 1 FROM batches b WHERE b.run_seq = r.seq AND b.state IN ('accepted', 'unknown', 'sending')) \
             ORDER BY r.seq DESC LIMIT 1",
        )
        .bind(&run.menu_id)
        .bind(&run.integration_id)
        .bind(run.seq)
        .fetch_optional(self.reader())
        .await?;
        row.map(|row| row.text("id")).transpose()
    }

    /// Ended runs whose files are older than `before` and named by no open run, for retention.
    pub async fn runs_with_old_files(&self, before: DateTime<Utc>, limit: u32) -> StoreResult<Vec<Run>> {
        let rest = "WHERE finished_at < $1 AND files_removed_at IS NULL AND state <> 'unknown' AND NOT EXISTS \
                    (SELECT 1 FROM runs o WHERE o.retry_of = runs.id AND o.finished_at IS NULL) ORDER BY seq LIMIT $2";
        let rows =
            sqlx::query(select(rest)).bind(millis(before)).bind(i64::from(limit)).fetch_all(self.reader()).await?;
        rows.iter().map(read).collect()
    }

    /// Notes that a run's files are gone.
    pub async fn files_removed(&self, seq: i64, now: DateTime<Utc>) -> StoreResult<()> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE runs SET files_removed_at = $1 WHERE seq = $2")
            .bind(millis(now))
            .bind(seq)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }
}
