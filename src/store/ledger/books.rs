//! The ledger of every timer with all that it is held against: definitions, cursors, rows, and runs that have lost
//! their slot; read in one transaction, so that a slot that is planned meanwhile is either there or not due yet.

use super::super::row::Columns;
use super::super::settings::{self, StoredTimer};
use super::super::{Store, StoreResult, Transaction, bulk, calendar, millis, pauses};
use super::{COLUMNS, read};
use crate::domain::calendar::Calendar;
use crate::domain::statement::{Book, Definition, Finding, FindingKind, window};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::collections::{BTreeMap, BTreeSet};

/// Among how many of the newest runs those without a slot are looked for.
const NEWEST_RUNS: i64 = 2_000;
/// How many of them are told.
const MOST_TOLD: i64 = 20;

impl Store {
    /// The book of every timer over the slots in (`from`, `to`], by name. One that has more than `most` slots in it
    /// gets a shorter one, down to its newest slots. The calendar tells which days are worked.
    pub async fn books(
        &self,
        zone: Tz,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        most: usize,
    ) -> StoreResult<(Vec<Book>, Calendar)> {
        let mut tx = self.reader().begin().await?;
        let calendar = calendar::load(&mut tx).await?;
        let paused = paused(&mut tx).await?;
        let mut definitions = definitions(&mut tx, from).await?;
        let mut books = Vec::new();
        for stored in settings::timers(&mut tx).await? {
            let definitions = definitions.remove(stored.timer.id()).unwrap_or_default();
            let definitions = of_timer(&stored, definitions)?;
            let from = window(&definitions, zone, &calendar, from, to.min(stored.cursor_at), most);
            books.push(Book {
                paused: paused.contains(&stored.timer.form().integration),
                switched_at: stored.switched_at,
                cursor: stored.cursor_at,
                next_at: stored.next_at,
                rules_from: stored.rules_from,
                timer: stored.timer,
                definitions,
                from,
                to,
                rows: Vec::new(),
            });
        }
        add_rows(&mut tx, &mut books).await?;
        tx.rollback().await?;
        Ok((books, calendar))
    }

    /// The newest runs of timers that the ledger has no slot for.
    pub async fn runs_without_slot(&self) -> StoreResult<Vec<Finding>> {
        let rows = sqlx::query(
            "SELECT r.id, r.timer, r.scheduled_at FROM runs r WHERE r.trigger_kind = 'timer' \
             AND r.seq > (SELECT CAST(COALESCE(MAX(seq), 0) AS BIGINT) FROM runs) - $1 \
             AND NOT EXISTS (SELECT 1 FROM occurrences o WHERE o.run_seq = r.seq) ORDER BY r.seq LIMIT $2",
        )
        .bind(NEWEST_RUNS)
        .bind(MOST_TOLD)
        .fetch_all(self.reader())
        .await?;
        let finding = |row: &sqlx::any::AnyRow| {
            let (timer, at) = (row.text_or_null("timer")?, row.time("scheduled_at")?);
            Ok(Finding::of_run(FindingKind::SlotLost, timer, row.text("id")?, at))
        };
        rows.iter().map(finding).collect()
    }
}

/// The integrations that are paused, by id and by name, since timers name them either way.
async fn paused(tx: &mut Transaction) -> StoreResult<BTreeSet<String>> {
    let pauses = pauses::all(&mut **tx).await?;
    let mut names = BTreeSet::new();
    for pause in pauses {
        let sql = "SELECT name FROM integrations WHERE id = $1";
        if let Some(row) = sqlx::query(sql).bind(&pause.integration).fetch_optional(&mut **tx).await? {
            names.insert(row.text("name")?);
        }
        names.insert(pause.integration);
    }
    Ok(names)
}

/// Of each timer the definitions since `from`, and the one that was in force then; the newest last, as JSON.
type Written = BTreeMap<String, Vec<(DateTime<Utc>, Option<String>)>>;

async fn definitions(tx: &mut Transaction, from: DateTime<Utc>) -> StoreResult<Written> {
    let rows = sqlx::query(
        "SELECT d.id, d.definition, CAST(COALESCE(d.from_at, v.at) AS BIGINT) AS from_at FROM definitions d \
         JOIN settings_versions v ON v.number = d.version \
         LEFT JOIN (SELECT p.id AS id, MAX(p.version) AS version FROM definitions p \
             JOIN settings_versions w ON w.number = p.version \
             WHERE p.kind = 'timer' AND COALESCE(p.from_at, w.at) <= $1 GROUP BY p.id) b ON b.id = d.id \
         WHERE d.kind = 'timer' AND d.version >= COALESCE(b.version, 0) ORDER BY d.id, d.version",
    )
    .bind(millis(from))
    .fetch_all(&mut **tx)
    .await?;
    let mut written = Written::new();
    for row in &rows {
        let definition = (row.time("from_at")?, row.text_or_null("definition")?);
        written.entry(row.text("id")?).or_default().push(definition);
    }
    Ok(written)
}

/// The newest definition is the timer as it stands, and need not be read again.
fn of_timer(stored: &StoredTimer, written: Vec<(DateTime<Utc>, Option<String>)>) -> StoreResult<Vec<Definition>> {
    let newest = written.len().saturating_sub(1);
    let read = |(index, (from, text)): (usize, (DateTime<Utc>, Option<String>))| {
        let timer = match text {
            Some(_) if index == newest => Some(stored.timer.clone()),
            Some(text) => Some(serde_json::from_str(&text).map_err(super::super::StoreError::content)?),
            None => None,
        };
        Ok(Definition { from, timer })
    };
    written.into_iter().enumerate().map(read).collect()
}

async fn add_rows(tx: &mut Transaction, books: &mut [Book]) -> StoreResult<()> {
    for books in books.chunks_mut(bulk::ROWS) {
        let sql = format!(
            "SELECT {COLUMNS} FROM (VALUES {}) AS v JOIN occurrences o ON o.timer_id = v.column1 \
             AND o.scheduled_at > v.column2 AND o.first_at <= v.column3 LEFT JOIN runs r ON r.seq = o.run_seq \
             ORDER BY o.timer_id, o.scheduled_at",
            bulk::typed_values(books.len(), &["TEXT", "BIGINT", "BIGINT"])
        );
        // Placeholders only.
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for book in &*books {
            query = query.bind(book.timer.id().to_owned()).bind(millis(book.from)).bind(millis(book.to));
        }
        let rows = query.fetch_all(&mut **tx).await?;
        let index: BTreeMap<String, usize> =
            books.iter().enumerate().map(|(at, book)| (book.timer.id().to_owned(), at)).collect();
        for row in &rows {
            if let Some(&at) = index.get(&row.text("timer_id")?) {
                books[at].rows.push(read(row)?);
            }
        }
    }
    Ok(())
}
