//! Pauses of integrations: by a person, or by the receiver's refusal of a token or route.

use super::people::{AuditEntry, audit};
use super::row::Columns;
use super::{Store, StoreError, StoreResult, Transaction, millis};
use crate::domain::failure::Code;
use chrono::{DateTime, Utc};

/// Why an integration rests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PauseCause {
    /// A person wants it so.
    Person(String),
    /// The receiver refused.
    Refusal {
        /// How.
        code: Code,
        /// The run that was refused.
        run: String,
        /// Tells whether what is sent as headers has changed since: a salt, and the fingerprint under it. `None` where
        /// only a person can tell that the cause is gone.
        token: Option<(String, String)>,
    },
}

/// A pause of an integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// The integration's id.
    pub integration: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// By whom or what.
    pub cause: PauseCause,
    /// Why, for people.
    pub reason: String,
}

/// Every pause, by integration.
pub(super) async fn all(executor: impl sqlx::AnyExecutor<'_>) -> StoreResult<Vec<Pause>> {
    let sql =
        "SELECT integration_id, since, actor, code, run, reason, salt, fingerprint FROM pauses ORDER BY integration_id";
    let rows = sqlx::query(sql).fetch_all(executor).await?;
    let pause = |row: &sqlx::any::AnyRow| {
        let cause = match row.text_or_null("actor")? {
            Some(actor) => PauseCause::Person(actor),
            None => PauseCause::Refusal {
                code: row.word("code")?,
                run: row.text_or_null("run")?.unwrap_or_default(),
                token: row.text_or_null("salt")?.zip(row.text_or_null("fingerprint")?),
            },
        };
        Ok(Pause {
            integration: row.text("integration_id")?,
            since: row.time("since")?,
            cause,
            reason: row.text("reason")?,
        })
    };
    rows.iter().map(pause).collect()
}

/// Writes a pause; one that stands already stays, so that its beginning is kept.
pub(super) async fn insert(tx: &mut Transaction, pause: &Pause) -> StoreResult<bool> {
    let (actor, code, run, token) = match &pause.cause {
        PauseCause::Person(actor) => (Some(actor.clone()), None, None, None),
        PauseCause::Refusal { code, run, token } => (None, Some(code.as_str()), Some(run.clone()), token.clone()),
    };
    let (salt, fingerprint) = token.unzip();
    let written = sqlx::query(
        "INSERT INTO pauses (integration_id, since, actor, code, run, reason, salt, fingerprint) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (integration_id) DO NOTHING",
    )
    .bind(&pause.integration)
    .bind(millis(pause.since))
    .bind(actor)
    .bind(code)
    .bind(run)
    .bind(&pause.reason)
    .bind(salt)
    .bind(fingerprint)
    .execute(&mut **tx)
    .await?;
    Ok(written.rows_affected() == 1)
}

impl Store {
    /// Every pause, by integration.
    pub async fn pauses(&self) -> StoreResult<Vec<Pause>> {
        all(self.reader()).await
    }

    /// Pauses an integration; `false` when it is paused already.
    pub async fn pause(&self, pause: &Pause, actor: &str, now: DateTime<Utc>) -> StoreResult<bool> {
        let mut tx = self.write().await?;
        if !insert(&mut tx, pause).await? {
            return Ok(false);
        }
        let entry = AuditEntry {
            action: "pause".to_owned(),
            entity: format!("integration {}", pause.integration),
            old: None,
            new: Some(pause.reason.clone()),
        };
        audit(&mut tx, &entry, actor, now).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Ends the pause of an integration; `actor` is who or what ended it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is not paused.
    pub async fn resume(&self, integration: &str, actor: &str, why: &str, now: DateTime<Utc>) -> StoreResult<()> {
        let mut tx = self.write().await?;
        let gone =
            sqlx::query("DELETE FROM pauses WHERE integration_id = $1").bind(integration).execute(&mut *tx).await?;
        if gone.rows_affected() == 0 {
            return Err(StoreError::NotFound(format!("the integration {integration} is not paused")));
        }
        let entry = AuditEntry {
            action: "resume".to_owned(),
            entity: format!("integration {integration}"),
            old: None,
            new: Some(why.to_owned()),
        };
        audit(&mut tx, &entry, actor, now).await?;
        Ok(tx.commit().await?)
    }
}
