//! Runs as they are shown. How they are made and numbered stands in `queueing`, how they move from state to state in
//! `life`.

mod queueing;

use super::batches::{self, Attempt, Batch};
use super::confirmations::{self, Confirmation};
use super::row::Columns;
use super::{Store, StoreError, StoreResult, Transaction, millis};
use crate::domain::failure::Failure;
use crate::domain::integration::Account;
use crate::domain::run::{RunState, Trigger};
use chrono::{DateTime, Utc};
use sqlx::any::AnyRow;

pub use queueing::NewRun;
pub(super) use queueing::insert_all;

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
    /// The timer's id, if one caused it, or the run that it repeats: `trigger` says which.
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
    /// The age of its bytes: the number of their export among those of its menu and integration.
    pub export_number: Option<i64>,
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
    /// The checks that tripped at its export and that nobody has approved: its files are not to be sent.
    pub tripped: Vec<Failure>,
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

const COLUMNS: &str = "seq, id, menu_id, menu, integration_id, integration, timer_id, timer, account, settings_version, \
     trigger_kind, actor, memo, priority, scheduled_at, queued_at, started_at, finished_at, resume_at, trouble_since, \
     tries, state, exported_at, export_number, records, bytes, skipped_rows, source, warning, tripped, failure, retry_of, wanted_keys, forced, only_failed, \
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
        export_number: row.number_or_null("export_number")?,
        records: row.count("records")?,
        bytes: row.count("bytes")?,
        skipped_rows: row.count("skipped_rows")?,
        source: row.text_or_null("source")?,
        warning: row.json_or_null("warning")?,
        tripped: row.json_or_null("tripped")?.unwrap_or_default(),
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

/// The newest run of a timer's slot: the timer's own, or what a person repeated of it.
pub(super) async fn newest_of_slot(tx: &mut Transaction, timer: &str, slot: DateTime<Utc>) -> StoreResult<Option<i64>> {
    sqlx::query("SELECT CAST(MAX(seq) AS BIGINT) AS seq FROM runs WHERE timer_id = $1 AND scheduled_at = $2")
        .bind(timer)
        .bind(millis(slot))
        .fetch_one(&mut **tx)
        .await?
        .number_or_null("seq")
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

    /// The run of the same menu and integration with the newest bytes that are or may be with the receiver, if they are
    /// newer than this run's. A run that has not exported yet will have the newest of all.
    pub async fn newer_sent(&self, run: &Run) -> StoreResult<Option<String>> {
        let Some(number) = run.export_number else { return Ok(None) };
        let row = sqlx::query(
            "SELECT r.id FROM runs r WHERE r.menu_id = $1 AND r.integration_id = $2 AND r.export_number > $3 AND EXISTS \
             (SELECT 1 FROM batches b WHERE b.run_seq = r.seq AND b.state IN ('accepted', 'unknown', 'sending')) \
             ORDER BY r.export_number DESC, r.seq DESC LIMIT 1",
        )
        .bind(&run.menu_id)
        .bind(&run.integration_id)
        .bind(number)
        .fetch_optional(self.reader())
        .await?;
        row.map(|row| row.text("id")).transpose()
    }

    /// Whether bytes of a run are or may be with the receiver.
    pub async fn has_sent(&self, seq: i64) -> StoreResult<bool> {
        let sql =
            "SELECT number FROM batches WHERE run_seq = $1 AND state IN ('accepted', 'unknown', 'sending') LIMIT 1";
        Ok(sqlx::query(sql).bind(seq).fetch_optional(self.reader()).await?.is_some())
    }

    /// The held runs of the same menu and integration whose bytes are older than this one's.
    pub async fn held_before(&self, seq: i64) -> StoreResult<Vec<Run>> {
        let run = self.run_by_seq(seq).await?;
        let rest = "WHERE menu_id = $1 AND integration_id = $2 AND state = 'held' AND finished_at IS NULL \
                    AND export_number < $3";
        let rows = sqlx::query(select(rest))
            .bind(&run.menu_id)
            .bind(&run.integration_id)
            .bind(run.export_number)
            .fetch_all(self.reader())
            .await?;
        rows.iter().map(read).collect()
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
