//! The outbox: a mail is written in the transaction that ends its run, and stays until a server has taken it or it is
//! given up, which is written down too.

use super::row::{Columns, to_json};
use super::{Store, StoreResult, Transaction, millis};
use chrono::{DateTime, Utc};

/// A mail to be written into the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMail {
    /// Stable for a run and state, without angle brackets; a second mail of the same id is not written.
    pub message_id: String,
    /// Addresses.
    pub recipients: Vec<String>,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML.
    pub html: String,
}

/// A mail in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMail {
    /// Its number in the outbox.
    pub number: i64,
    /// The run that it is about.
    pub run: Option<String>,
    /// How often it was tried.
    pub tries: u32,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it was taken.
    pub sent_at: Option<DateTime<Utc>>,
    /// The mail.
    pub mail: NewMail,
}

pub(super) async fn insert(
    tx: &mut Transaction,
    seq: Option<i64>,
    mail: &NewMail,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query(
        "INSERT INTO outbox (number, run_seq, message_id, recipients, subject, body_text, body_html, created_at, next_at) \
         SELECT CAST(COALESCE(MAX(number), 0) + 1 AS BIGINT), $1, $2, $3, $4, $5, $6, $7, $8 FROM outbox WHERE 1 = 1 \
         ON CONFLICT (message_id) DO NOTHING",
    )
    .bind(seq)
    .bind(&mail.message_id)
    .bind(to_json(&mail.recipients)?)
    .bind(&mail.subject)
    .bind(&mail.text)
    .bind(&mail.html)
    .bind(millis(now))
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

const SELECT: &str = "SELECT o.number, o.message_id, o.recipients, o.subject, o.body_text, o.body_html, o.created_at, \
                      o.sent_at, o.tries, r.id AS run FROM outbox o LEFT JOIN runs r ON r.seq = o.run_seq";

fn read(row: &sqlx::any::AnyRow) -> StoreResult<StoredMail> {
    Ok(StoredMail {
        number: row.number("number")?,
        run: row.text_or_null("run")?,
        tries: row.small("tries")?,
        created_at: row.time("created_at")?,
        sent_at: row.time_or_null("sent_at")?,
        mail: NewMail {
            message_id: row.text("message_id")?,
            recipients: row.json("recipients")?,
            subject: row.text("subject")?,
            text: row.text("body_text")?,
            html: row.text("body_html")?,
        },
    })
}

impl Store {
    /// The mails whose time has come, the oldest first.
    pub async fn due_mails(&self, now: DateTime<Utc>, limit: u32) -> StoreResult<Vec<StoredMail>> {
        let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE o.next_at <= $1 ORDER BY o.number LIMIT $2"));
        let rows = sqlx::query(sql).bind(millis(now)).bind(i64::from(limit)).fetch_all(self.reader()).await?;
        rows.iter().map(read).collect()
    }

    /// The mails about a run, whatever became of them.
    pub async fn mails_of(&self, seq: i64) -> StoreResult<Vec<StoredMail>> {
        let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE o.run_seq = $1 ORDER BY o.number"));
        let rows = sqlx::query(sql).bind(seq).fetch_all(self.reader()).await?;
        rows.iter().map(read).collect()
    }

    /// When the next mail is due.
    pub async fn next_mail(&self) -> StoreResult<Option<DateTime<Utc>>> {
        let row = sqlx::query("SELECT CAST(MIN(next_at) AS BIGINT) AS next_at FROM outbox WHERE next_at IS NOT NULL")
            .fetch_one(self.reader())
            .await?;
        row.time_or_null("next_at")
    }

    /// Counts a try before it is made, and puts the next one off until `until`: should its outcome not be written
    /// down, it is not made again at once.
    pub async fn mail_begun(&self, number: i64, until: DateTime<Utc>) -> StoreResult<()> {
        let mut tx = self.write().await?;
        let sql = "UPDATE outbox SET tries = tries + 1, next_at = $1 WHERE number = $2 AND next_at IS NOT NULL";
        sqlx::query(sql).bind(millis(until)).bind(number).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    /// A server has taken it.
    pub async fn mail_sent(&self, number: i64, now: DateTime<Utc>) -> StoreResult<()> {
        self.mail_tried(number, None, Some(now), None).await
    }

    /// It was not taken; it is tried again at `next`, or given up.
    pub async fn mail_failed(&self, number: i64, next: Option<DateTime<Utc>>, error: &str) -> StoreResult<()> {
        self.mail_tried(number, next, None, Some(error)).await
    }

    async fn mail_tried(
        &self,
        number: i64,
        next: Option<DateTime<Utc>>,
        sent: Option<DateTime<Utc>>,
        error: Option<&str>,
    ) -> StoreResult<()> {
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE outbox SET next_at = $1, sent_at = $2, last_error = $3 WHERE number = $4 AND sent_at IS NULL",
        )
        .bind(next.map(millis))
        .bind(sent.map(millis))
        .bind(error.map(str::to_owned))
        .bind(number)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }
}
