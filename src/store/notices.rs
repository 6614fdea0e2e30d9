//! Notices: what webhooks and dead-man's switches are to be told of a run. Like a mail, a notice is written in the
//! transaction that ends its run; it stays until it was taken or is given up. To one target they go in the order in
//! which they were written, so that a switch never hears of a start after its end.

use super::outbox::{self, NewMail};
use super::row::{Columns, to_json};
use super::{Store, StoreResult, Transaction, millis};
use crate::domain::names::names;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

names! {
    /// Which kind of listener.
    Channel {
        /// A webhook of config.yaml; its target is the webhook's name.
        Webhook = "webhook",
        /// A timer's dead-man's switch; its target is the timer's id.
        Ping = "ping",
    }
}

names! {
    /// What happened to the run.
    NoticeEvent {
        /// It began.
        Start = "start",
        /// It ended well.
        Good = "good",
        /// It ended otherwise, or is held.
        Trouble = "trouble",
    }
}

/// What a notice says, in whatever form it is carried. It holds no record value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// One line.
    pub title: String,
    /// Some lines for people.
    pub text: String,
    /// The run for machines.
    pub run: serde_json::Value,
}

/// A notice to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct NewNotice {
    /// Stable for run, state and target; a second notice of the same id is not written.
    pub id: String,
    /// Which kind of listener.
    pub channel: Channel,
    /// Which one.
    pub target: String,
    /// What happened.
    pub event: NoticeEvent,
    /// What is said.
    pub content: Content,
}

/// A notice that was written.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredNotice {
    /// Its number.
    pub number: i64,
    /// The run that it is about.
    pub run: String,
    /// How often it was tried.
    pub tries: u32,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it was taken.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it is tried next; `None` once taken or given up.
    pub next_at: Option<DateTime<Utc>>,
    /// Why it was not taken, secrets masked.
    pub last_error: Option<String>,
    /// The notice.
    pub notice: NewNotice,
}

/// Everything that is told of a run's end or hold, written in the same transaction.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct News {
    /// The report mail.
    pub mail: Option<NewMail>,
    /// For webhooks and switches.
    pub notices: Vec<NewNotice>,
}

impl News {
    pub(super) async fn insert(&self, tx: &mut Transaction, seq: i64, now: DateTime<Utc>) -> StoreResult<()> {
        if let Some(mail) = &self.mail {
            outbox::insert(tx, Some(seq), mail, now).await?;
        }
        for notice in &self.notices {
            insert(tx, seq, notice, now).await?;
        }
        Ok(())
    }
}

async fn insert(tx: &mut Transaction, seq: i64, notice: &NewNotice, now: DateTime<Utc>) -> StoreResult<()> {
    sqlx::query(
        "INSERT INTO notices (number, notice_id, run_seq, channel, target, event, content, created_at, next_at) \
         SELECT CAST(COALESCE(MAX(number), 0) + 1 AS BIGINT), $1, $2, $3, $4, $5, $6, $7, $8 FROM notices WHERE 1 = 1 \
         ON CONFLICT (notice_id) DO NOTHING",
    )
    .bind(&notice.id)
    .bind(seq)
    .bind(notice.channel.as_str())
    .bind(&notice.target)
    .bind(notice.event.as_str())
    .bind(to_json(&notice.content)?)
    .bind(millis(now))
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

const SELECT: &str = "SELECT n.number, n.notice_id, n.channel, n.target, n.event, n.content, n.created_at, n.next_at, \
                      n.tries, n.sent_at, n.last_error, r.id AS run FROM notices n JOIN runs r ON r.seq = n.run_seq";

fn read(row: &sqlx::any::AnyRow) -> StoreResult<StoredNotice> {
    Ok(StoredNotice {
        number: row.number("number")?,
        run: row.text("run")?,
        tries: row.small("tries")?,
        created_at: row.time("created_at")?,
        sent_at: row.time_or_null("sent_at")?,
        next_at: row.time_or_null("next_at")?,
        last_error: row.text_or_null("last_error")?,
        notice: NewNotice {
            id: row.text("notice_id")?,
            channel: row.word("channel")?,
            target: row.text("target")?,
            event: row.word("event")?,
            content: row.json("content")?,
        },
    })
}

impl Store {
    /// Writes notices that belong to no end, such as that of a start.
    pub async fn add_notices(&self, seq: i64, notices: &[NewNotice], now: DateTime<Utc>) -> StoreResult<()> {
        let mut tx = self.write().await?;
        for notice in notices {
            insert(&mut tx, seq, notice, now).await?;
        }
        Ok(tx.commit().await?)
    }

    /// The notices whose time has come: of each target the oldest open one, if that is due.
    pub async fn due_notices(&self, now: DateTime<Utc>) -> StoreResult<Vec<StoredNotice>> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{SELECT} WHERE n.next_at <= $1 AND n.number IN (SELECT CAST(MIN(number) AS BIGINT) FROM notices \
             WHERE next_at IS NOT NULL GROUP BY channel, target) ORDER BY n.number"
        ));
        let rows = sqlx::query(sql).bind(millis(now)).fetch_all(self.reader()).await?;
        rows.iter().map(read).collect()
    }

    /// The notices about a run, whatever became of them.
    pub async fn notices_of(&self, seq: i64) -> StoreResult<Vec<StoredNotice>> {
        let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE n.run_seq = $1 ORDER BY n.number"));
        let rows = sqlx::query(sql).bind(seq).fetch_all(self.reader()).await?;
        rows.iter().map(read).collect()
    }

    /// Counts a try before it is made, and puts the next one off until `until`: should its outcome not be written
    /// down, it is not made again at once.
    pub async fn notice_begun(&self, number: i64, until: DateTime<Utc>) -> StoreResult<()> {
        let mut tx = self.write().await?;
        let sql = "UPDATE notices SET tries = tries + 1, next_at = $1 WHERE number = $2 AND next_at IS NOT NULL";
        sqlx::query(sql).bind(millis(until)).bind(number).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    /// It was taken.
    pub async fn notice_taken(&self, number: i64, now: DateTime<Utc>) -> StoreResult<()> {
        self.notice_tried(number, None, Some(now), None).await
    }

    /// It was not taken; it is tried again at `next`, or given up.
    pub async fn notice_failed(&self, number: i64, next: Option<DateTime<Utc>>, error: &str) -> StoreResult<()> {
        self.notice_tried(number, next, None, Some(error)).await
    }

    async fn notice_tried(
        &self,
        number: i64,
        next: Option<DateTime<Utc>>,
        sent: Option<DateTime<Utc>>,
        error: Option<&str>,
    ) -> StoreResult<()> {
        let mut tx = self.write().await?;
        let sql =
            "UPDATE notices SET next_at = $1, sent_at = $2, last_error = $3 WHERE number = $4 AND sent_at IS NULL";
        sqlx::query(sql)
            .bind(next.map(millis))
            .bind(sent.map(millis))
            .bind(error.map(str::to_owned))
            .bind(number)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// Forgets notices that were taken or given up and written before `before`.
    pub async fn drop_old_notices(&self, before: DateTime<Utc>) -> StoreResult<u64> {
        let mut tx = self.write().await?;
        let sql = "DELETE FROM notices WHERE next_at IS NULL AND created_at < $1";
        let gone = sqlx::query(sql).bind(millis(before)).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(gone.rows_affected())
    }
}
