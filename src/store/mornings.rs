//! What the morning page asks for beside the ledger: runs that people have to look at, mails that were given up, and on
//! which days the page was told.

use super::outbox::{self, NewMail};
use super::row::Columns;
use super::runs::{Run, read, select};
use super::{Store, StoreResult, millis};
use chrono::{DateTime, NaiveDate, Utc};

/// A mail that no server took in three days, or that one refused for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostMail {
    /// Its subject.
    pub subject: String,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// What the server said last.
    pub error: String,
}

/// What 実行番号 of a local date and later ones are greater than.
fn ids_since(day: NaiveDate) -> String {
    format!("R-{}", day.format("%Y%m%d"))
}

impl Store {
    /// The runs queued since a local date that did not carry everything, and after which no good run of the same menu
    /// and integration came; the newest first. A run of a few keys does not make a whole one good.
    pub async fn runs_not_made_good(&self, since: NaiveDate) -> StoreResult<Vec<Run>> {
        let rest = "WHERE id >= $1 AND state IN ('unknown', 'partial', 'failed', 'skipped') AND NOT EXISTS \
                    (SELECT 1 FROM runs g WHERE g.menu_id = runs.menu_id AND g.integration_id = runs.integration_id \
                     AND g.seq > runs.seq AND g.state IN ('accepted', 'imported') \
                     AND (g.wanted_keys IS NULL OR runs.wanted_keys IS NOT NULL)) ORDER BY seq DESC LIMIT 1000";
        let rows = sqlx::query(select(rest)).bind(ids_since(since)).fetch_all(self.reader()).await?;
        rows.iter().map(read).collect()
    }

    /// The runs that are held, wait to try again, or are queued; the oldest first.
    pub async fn runs_at_rest(&self) -> StoreResult<Vec<Run>> {
        let rest = "WHERE finished_at IS NULL AND state IN ('held', 'waiting', 'queued') ORDER BY seq LIMIT 1000";
        let rows = sqlx::query(select(rest)).fetch_all(self.reader()).await?;
        rows.iter().map(read).collect()
    }

    /// When the oldest of the queued runs was queued.
    pub async fn queued_since(&self) -> StoreResult<Option<DateTime<Utc>>> {
        let sql = "SELECT CAST(MIN(queued_at) AS BIGINT) AS queued_at FROM runs WHERE finished_at IS NULL AND state = 'queued'";
        sqlx::query(sql).fetch_one(self.reader()).await?.time_or_null("queued_at")
    }

    /// How many runs people have caused between two instants, and how many of them ended well; `day` is a local date
    /// no later than the first.
    pub async fn runs_by_hand(
        &self,
        day: NaiveDate,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> StoreResult<(u64, u64)> {
        let row = sqlx::query(
            "SELECT CAST(COUNT(*) AS BIGINT) AS runs, \
             CAST(COALESCE(SUM(CASE WHEN state IN ('accepted', 'imported') THEN 1 ELSE 0 END), 0) AS BIGINT) AS good \
             FROM runs WHERE id >= $1 AND queued_at > $2 AND queued_at <= $3 AND trigger_kind <> 'timer'",
        )
        .bind(ids_since(day))
        .bind(millis(from))
        .bind(millis(to))
        .fetch_one(self.reader())
        .await?;
        Ok((row.count("runs")?, row.count("good")?))
    }

    /// The mails written since an instant that were given up.
    pub async fn lost_mails(&self, since: DateTime<Utc>) -> StoreResult<Vec<LostMail>> {
        let rows = sqlx::query(
            "SELECT subject, created_at, last_error FROM outbox WHERE sent_at IS NULL AND next_at IS NULL \
             AND created_at >= $1 ORDER BY number",
        )
        .bind(millis(since))
        .fetch_all(self.reader())
        .await?;
        let mail = |row: &sqlx::any::AnyRow| {
            Ok(LostMail {
                subject: row.text("subject")?,
                created_at: row.time("created_at")?,
                error: row.text_or_null("last_error")?.unwrap_or_default(),
            })
        };
        rows.iter().map(mail).collect()
    }

    /// The local date of the newest morning page, and up to when it told.
    pub async fn last_morning(&self) -> StoreResult<Option<(NaiveDate, DateTime<Utc>)>> {
        let row = sqlx::query("SELECT day, to_at FROM mornings ORDER BY day DESC LIMIT 1")
            .fetch_optional(self.reader())
            .await?;
        row.map(|row| Ok((row.word("day")?, row.time("to_at")?))).transpose()
    }

    /// Writes down that a day's page was told, and its mail into the outbox; `false` when it had been told already.
    pub async fn tell_morning(
        &self,
        day: NaiveDate,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        mail: Option<&NewMail>,
        now: DateTime<Utc>,
    ) -> StoreResult<bool> {
        let mut tx = self.write().await?;
        let told = sqlx::query(
            "INSERT INTO mornings (day, from_at, to_at, noted_at) VALUES ($1, $2, $3, $4) ON CONFLICT (day) DO NOTHING",
        )
        .bind(day.to_string())
        .bind(millis(from))
        .bind(millis(to))
        .bind(millis(now))
        .execute(&mut *tx)
        .await?;
        if told.rows_affected() == 0 {
            return Ok(false);
        }
        if let Some(mail) = mail {
            outbox::insert(&mut tx, None, mail, now).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}
